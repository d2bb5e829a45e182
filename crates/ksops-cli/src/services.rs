//! The key services that the flags leave at hand, and the order in which keys are tried.

use std::sync::Arc;

use ksops::ksops_azure_kv::key_url::parse_key_url;
use ksops::ksops_azure_kv::offline::known::PublicKeySource;
use ksops::ksops_core::keys::decryption_order::DecryptionOrder;
use ksops::services::{ServiceOptions, Services};

use crate::args::flags::Flags;
#[cfg(feature = "keyservice")]
use crate::args::program::Program;
use crate::config::Config;
use crate::context::Context;
use crate::error::{Failure, Kind};
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
    Services::with_options(ServiceOptions { prompt: Some(terminal()), ..ServiceOptions::default() })
}

fn terminal() -> Arc<TerminalPrompt> {
    Arc::new(TerminalPrompt::default())
}

fn made(context: &Context, flags: &Flags, config: &Config) -> Result<Services, Failure> {
    let mut azure_public_keys = public_keys(context, flags)?;
    azure_public_keys.extend(config.azure_public_keys()?);
    let offline = flags.is_set("offline");
    let options = ServiceOptions { offline, azure_public_keys, prompt: Some(terminal()) };
    let mut services = match flags.is_set("enable-local-keyservice") {
        true => Services::with_options(options),
        false => Services::new(Vec::new()),
    };
    for address in flags.texts("keyservice") {
        add_remote(context, flags, &mut services, address)?;
    }
    Ok(services)
}

/// Reads `--azure-public-key [URL=]FILE`.
fn public_keys(context: &Context, flags: &Flags) -> Result<Vec<PublicKeySource>, Failure> {
    let source = |text: &str| {
        let (url, file) = match text.split_once('=') {
            Some((url, file)) if url.starts_with("https://") => (Some(url), file),
            _ => (None, text),
        };
        let key = url.map(parse_key_url).transpose();
        let key = key.map_err(|error| Failure::new(Kind::General, format!("--azure-public-key: {error}")))?;
        Ok(PublicKeySource { path: context.absolute(file)?, key })
    };
    flags.texts("azure-public-key").into_iter().map(source).collect()
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
