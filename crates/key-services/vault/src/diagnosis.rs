//! What there is to tell about the way to a transit key: the server, the token, the namespace.

use ksops_core::keys::diagnosis::{Finding, State};
use ksops_core::keys::master_key::HcVaultKey;

use crate::allow_list::{self, AllowList};
use crate::failure::Failure;
use crate::settings::VaultSettings;

/// What an operation with `key` tells; `failure` is why it failed, if it did.
pub(crate) fn findings(
    settings: &VaultSettings,
    key: &HcVaultKey,
    failure: Option<&Failure>,
) -> Vec<Finding> {
    let mut found = vec![allowed(settings, Some(key)), token(settings, failure)];
    found.push(namespace(settings));
    let asked = settings.agent_address.as_deref().unwrap_or(&key.vault_address);
    let (state, reason) = match failure {
        None => (State::Good, "the server did it".to_owned()),
        Some(Failure::Settings(_) | Failure::Refused(_)) => (State::Untried, "nothing was sent".to_owned()),
        Some(failure) => (State::Failed, failure.to_string()),
    };
    found.push(Finding::new("server", asked, state, reason));
    found
}

/// What is set up, without asking anybody.
pub(crate) fn survey(settings: &VaultSettings) -> Vec<Finding> {
    vec![allowed(settings, None), token(settings, None), namespace(settings)]
}

fn allowed(settings: &VaultSettings, key: Option<&HcVaultKey>) -> Finding {
    let address = key.map_or("", |key| key.vault_address.as_str());
    let (state, reason) = match &settings.allow_list {
        AllowList::All => (State::Absent, "every server that a file names is given the token".to_owned()),
        AllowList::Wrong(why) => (State::Failed, why.clone()),
        list => match (key, list.check(address)) {
            (Some(_), Err(why)) => (State::Failed, why),
            (Some(_), Ok(())) => (State::Good, "the server is on the list".to_owned()),
            (None, _) => (State::Good, "only servers on the list are asked".to_owned()),
        },
    };
    Finding::new("servers", allow_list::VARIABLE, state, reason)
}

fn token(settings: &VaultSettings, failure: Option<&Failure>) -> Finding {
    let file = settings.token_file.as_ref().map(|file| file.display().to_string());
    let source = match (&settings.token, file) {
        (None, Some(file)) => file,
        _ => "VAULT_TOKEN".to_owned(),
    };
    let (state, reason) = match (settings.token(), failure) {
        (Err(why), _) => (State::Failed, why.to_string()),
        (Ok(None), _) => (State::Absent, "neither VAULT_TOKEN nor ~/.vault-token holds one".to_owned()),
        (Ok(Some(_)), Some(Failure::Answer { status: 403, .. })) => {
            (State::Failed, "the server refuses it, or what it asks for".to_owned())
        }
        (Ok(Some(_)), _) => (State::Used, String::new()),
    };
    Finding::new("token", source, state, reason)
}

fn namespace(settings: &VaultSettings) -> Finding {
    let (state, reason) = match &settings.namespace {
        Some(name) => (State::Used, name.clone()),
        None => (State::Absent, "the root namespace".to_owned()),
    };
    Finding::new("namespace", "VAULT_NAMESPACE", state, reason)
}
