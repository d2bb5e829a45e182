//! `init`: the first `.sops.yaml` of a directory.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};

use ksops::ksops_age::identities::{Line, parse_identities};
use ksops::ksops_age::recipient::parse_recipients;
use ksops::ksops_age::sources::IdentitySources;
use ksops::ksops_config::keys;
use ksops::ksops_config::lookup::FILE_NAME;
use ksops::ksops_config::template::new_config;
use ksops::ksops_core::keys::key_service::KeyService;
use ksops::ksops_core::keys::master_key::MasterKey;
use ksops::services::Services;

use crate::args::parsed::Invocation;
use crate::commands::keygen::default_place;
use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::io_reason::reason;
use crate::{input, keys as flag_keys};

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
    let mut named = flag_keys::from_flags(&call.flags, &flag_keys::KmsContext::new())?;
    if named.is_empty() {
        named = own_keys(context)?;
    }
    for key in &named {
        if let MasterKey::Age(key) = key {
            // A rule is read again and again; a mistyped recipient is better found now.
            parse_recipients(&key.recipient)
                .map_err(|error| Failure::new(Kind::General, error.to_string()))?;
        }
    }
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

/// The recipients of the key file of this user.
fn own_keys(context: &Context) -> Result<Vec<MasterKey>, Failure> {
    let no_key = |text: String| {
        Failure::new(Kind::General, text).hints([
            "name a key: `ksops init --age age1…` or `ksops init --azure-kv https://VAULT.vault.azure.net/keys/NAME`",
            "or make an age key of your own first: `ksops keygen`",
        ])
    };
    let path = default_place(&IdentitySources::from_environment())?;
    let name = path.display().to_string();
    let text = input::read_file(&path, &name)
        .map_err(|why| no_key(format!("no key was named, and there is none of your own: {why}")))?;
    let parsed = parse_identities(&text, Line::OneIdentity)
        .map_err(|error| no_key(format!("no key was named, and {name} cannot be used: {error}")))?;
    let recipients = parsed.recipients();
    let recipients: Vec<MasterKey> =
        recipients.iter().filter_map(|recipient| keys::age(recipient).ok()).collect();
    if recipients.is_empty() {
        return Err(no_key(format!("no key was named, and {name} holds none that this version can use")));
    }
    context.ui.note(&format!("no key was named: using your own, of {name}"));
    Ok(recipients)
}
