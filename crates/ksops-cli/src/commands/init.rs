//! `init`: the first `.sops.yaml` of a directory.

#[cfg(feature = "age")]
mod own_age;

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};

use ksops::ksops_config::lookup::FILE_NAME;
use ksops::ksops_config::template::new_config;
use ksops::ksops_core::keys::key_service::KeyService;
use ksops::ksops_core::keys::master_key::MasterKey;
use ksops::services::Services;

use crate::args::parsed::Invocation;
#[cfg(feature = "age")]
use crate::commands::init::own_age::{check, own_keys};
use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::io_reason::reason;
use crate::keys;

/// Writes the file for the keys of the flags, else for the age key of this user.
///
/// # Errors
/// If there is one already, no key is at hand, or the newest version of a Key Vault key cannot be told.
pub(crate) fn run(context: &Context, call: &Invocation) -> Result<(), Failure> {
    let path = context.directory()?.join(FILE_NAME);
    let exists = || {
        Failure::new(Kind::General, format!("{} exists already and is not overwritten", path.display()))
            .hints(["add a rule to it by hand"])
    };
    // Before any vault is asked.
    if path.symlink_metadata().is_ok() {
        return Err(exists());
    }
    let mut named = keys::from_flags(&call.flags, &keys::KmsContext::new())?;
    if named.is_empty() {
        named = own_keys(context)?;
    }
    // A rule is read again and again; a mistyped recipient is better found now.
    named.iter().try_for_each(check)?;
    let services = Services::from_environment();
    let resolved =
        named.iter().map(|key| resolve(key, &services.as_slice())).collect::<Result<Vec<_>, _>>()?;
    let text = new_config(&resolved).map_err(|error| Failure::new(Kind::General, error.to_string()))?;
    let written = OpenOptions::new().write(true).create_new(true).open(&path).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => exists(),
        _ => Failure::new(Kind::Output, format!("cannot write {}: {}", path.display(), reason(&error))),
    })?;
    context.ui.note(&format!("wrote {}:\n\n{text}", path.display()));
    context.ui.note("next: ksops encrypt -i FILE.yaml, and commit the result together with .sops.yaml");
    Ok(())
}

/// Settles the version of a Key Vault key: a rule that names it encrypts without asking the vault.
fn resolve(key: &MasterKey, services: &[&dyn KeyService]) -> Result<MasterKey, Failure> {
    let Some(service) = services.iter().find(|service| service.serves(key)) else { return Ok(key.clone()) };
    service.resolve(key).map_err(|error| {
        Failure::new(Kind::General, error.message.clone())
            .hints(error.hints)
            .hints(["a key URL with its version, as the portal shows it, needs no request"])
    })
}

/// Why there is nothing to write.
fn no_key(text: String) -> Failure {
    Failure::new(Kind::General, text).hints([
        "name a key: `ksops init --age age1…` or `ksops init --azure-kv https://VAULT.vault.azure.net/keys/NAME`",
        "or make an age key of your own first: `ksops keygen`",
    ])
}

#[cfg(not(feature = "age"))]
fn own_keys(_: &Context) -> Result<Vec<MasterKey>, Failure> {
    Err(no_key("no key was named".to_owned()))
}

#[cfg(not(feature = "age"))]
fn check(_: &MasterKey) -> Result<(), Failure> {
    Ok(())
}
