//! The key services that the flags leave at hand, and the order in which keys are tried.

#[cfg(feature = "azure-kv")]
mod azure_keys;

use std::sync::Arc;

use ksops::ksops_core::keys::decryption_order::DecryptionOrder;
use ksops::services::{ServiceOptions, Services};

use crate::args::flags::Flags;
#[cfg(feature = "keyservice")]
use crate::args::program::Program;
use crate::config::Config;
use crate::context::Context;
use crate::error::{Failure, Kind};
#[cfg(feature = "age")]
use crate::outside::terminal::TerminalPrompt;

/// The services of this machine, unless `--enable-local-keyservice=false`, and then those that `--keyservice` names.
///
/// # Errors
/// If a public key of the flags or of the configuration is named wrongly.
pub(crate) fn services(context: &Context, flags: &Flags, config: &Config) -> Result<Arc<Services>, Failure> {
    if let Some(services) = context.services.get() {
        return Ok(Arc::clone(services));
    }
    let made = Arc::new(made(context, flags, config)?);
    // Another thread may have been faster: all use the same.
    Ok(Arc::clone(context.services.get_or_init(|| made)))
}

/// The services of this machine, which may ask at the terminal.
#[cfg(feature = "keyservice")]
pub(crate) fn local() -> Services {
    Services::with_options(ServiceOptions {
        #[cfg(feature = "age")]
        prompt: Some(terminal()),
        ..ServiceOptions::default()
    })
}

#[cfg(feature = "age")]
fn terminal() -> Arc<TerminalPrompt> {
    Arc::new(TerminalPrompt::default())
}

fn made(context: &Context, flags: &Flags, config: &Config) -> Result<Services, Failure> {
    #[cfg(not(feature = "azure-kv"))]
    let _ = config;
    let options = ServiceOptions {
        offline: flags.is_set("offline"),
        #[cfg(feature = "azure-kv")]
        azure_public_keys: azure_keys::named(context, flags, config)?,
        #[cfg(feature = "age")]
        prompt: Some(terminal()),
    };
    let mut services = match flags.is_set("enable-local-keyservice") {
        true => Services::with_options(options),
        false => Services::new(Vec::new()),
    };
    for address in flags.texts("keyservice") {
        add_remote(context, flags, &mut services, address)?;
    }
    Ok(services)
}

/// Says what the services have to say to the user.
pub(crate) fn tell(context: &Context, services: &Services) {
    for notice in services.take_notices() {
        context.ui.note(&notice);
    }
}

#[cfg(feature = "keyservice")]
fn add_remote(
    context: &Context,
    flags: &Flags,
    services: &mut Services,
    address: &str,
) -> Result<(), Failure> {
    use ksops::ksops_remote::address::Address;
    use ksops::ksops_remote::client::{RemoteService, Unreachable};

    match Address::parse(address) {
        Ok(address) if flags.is_set("offline") && !address.is_local() => {
            let text = format!("the key service {address} cannot be asked with --offline");
            return Err(Failure::new(Kind::General, text));
        }
        Ok(address) => services.push(Box::new(RemoteService::new(address))),
        Err(error) => {
            // Upstream finds out when it asks.
            if context.program == Program::Ksops {
                context.ui.warning(&error.to_string());
            }
            services.push(Box::new(Unreachable(error)));
        }
    }
    Ok(())
}

#[cfg(not(feature = "keyservice"))]
fn add_remote(context: &Context, _: &Flags, _: &mut Services, address: &str) -> Result<(), Failure> {
    context.ui.warning(&format!("this build has no remote key services: {address} is not asked"));
    Ok(())
}

/// Reads `--decryption-order`.
///
/// # Errors
/// If a kind of key stands twice.
pub(crate) fn decryption_order(flags: &Flags) -> Result<DecryptionOrder, Failure> {
    DecryptionOrder::parse(flags.text("decryption-order").unwrap_or_default())
        .map_err(|error| Failure::new(Kind::DecryptionOrder, error.to_string()))
}
