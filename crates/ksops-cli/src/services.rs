//! The key services that the flags leave at hand, and the order in which keys are tried.

use std::sync::Arc;

use ksops::ksops_core::keys::decryption_order::DecryptionOrder;
use ksops::services::Services;

use crate::args::flags::Flags;
#[cfg(feature = "keyservice")]
use crate::args::program::Program;
use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::outside::terminal::TerminalPrompt;

/// The services of this machine, unless `--enable-local-keyservice=false`, and then those that `--keyservice` names.
pub(crate) fn services(context: &Context, flags: &Flags) -> Arc<Services> {
    Arc::clone(context.services.get_or_init(|| Arc::new(made(context, flags))))
}

/// The services of this machine, which may ask at the terminal.
pub(crate) fn local() -> Services {
    Services::with_prompt(Arc::new(TerminalPrompt::default()))
}

fn made(context: &Context, flags: &Flags) -> Services {
    let mut services = match flags.is_set("enable-local-keyservice") {
        true => local(),
        false => Services::new(Vec::new()),
    };
    for address in flags.texts("keyservice") {
        add_remote(context, &mut services, address);
    }
    services
}

#[cfg(feature = "keyservice")]
fn add_remote(context: &Context, services: &mut Services, address: &str) {
    use ksops::ksops_remote::address::Address;
    use ksops::ksops_remote::client::{RemoteService, Unreachable};

    match Address::parse(address) {
        Ok(address) => services.push(Box::new(RemoteService::new(address))),
        Err(error) => {
            // Upstream finds out when it asks.
            if context.program == Program::Ksops {
                context.ui.warning(&error.to_string());
            }
            services.push(Box::new(Unreachable(error)));
        }
    }
}

#[cfg(not(feature = "keyservice"))]
fn add_remote(context: &Context, _: &mut Services, address: &str) {
    context.ui.warning(&format!("this build has no remote key services: {address} is not asked"));
}

/// Reads `--decryption-order`.
///
/// # Errors
/// If a kind of key stands twice.
pub(crate) fn decryption_order(flags: &Flags) -> Result<DecryptionOrder, Failure> {
    DecryptionOrder::parse(flags.text("decryption-order").unwrap_or_default())
        .map_err(|error| Failure::new(Kind::DecryptionOrder, error.to_string()))
}
