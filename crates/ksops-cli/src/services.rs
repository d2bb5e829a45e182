//! The key services that the flags leave at hand, and the order in which keys are tried.

use ksops::ksops_core::keys::decryption_order::DecryptionOrder;
use ksops::services::Services;

use crate::args::flags::Flags;
use crate::context::Context;
use crate::error::{Failure, Kind};

/// The services of this machine, or none with `--enable-local-keyservice=false`.
pub(crate) fn services(context: &Context, flags: &Flags) -> Services {
    for address in flags.texts("keyservice") {
        context
            .ui
            .warning(&format!("remote key services are not in this version yet: {address} is not asked"));
    }
    if flags.is_set("enable-local-keyservice") {
        Services::from_environment()
    } else {
        Services::new(Vec::new())
    }
}

/// Reads `--decryption-order`.
///
/// # Errors
/// If a kind of key stands twice.
pub(crate) fn decryption_order(flags: &Flags) -> Result<DecryptionOrder, Failure> {
    DecryptionOrder::parse(flags.text("decryption-order").unwrap_or_default())
        .map_err(|error| Failure::new(Kind::DecryptionOrder, error.to_string()))
}
