//! What `init` knows of age: the user's own keys, and what a recipient looks like.

use ksops::ksops_age::identities::{Line, parse_identities};
use ksops::ksops_age::recipient::parse_recipients;
use ksops::ksops_age::sources::IdentitySources;
use ksops::ksops_config::keys;
use ksops::ksops_core::keys::master_key::MasterKey;

use crate::commands::init::no_key;
use crate::commands::keygen::default_place;
use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::input;

/// The recipients of the key file of this user.
///
/// # Errors
/// If there is no such file, or none in it.
pub(super) fn own_keys(context: &Context) -> Result<Vec<MasterKey>, Failure> {
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

/// Whether a recipient can be one.
///
/// # Errors
/// If it is mistyped.
pub(super) fn check(key: &MasterKey) -> Result<(), Failure> {
    let MasterKey::Age(key) = key else { return Ok(()) };
    let parsed = parse_recipients(&key.recipient);
    parsed.map(|_| ()).map_err(|error| Failure::new(Kind::General, error.to_string()))
}
