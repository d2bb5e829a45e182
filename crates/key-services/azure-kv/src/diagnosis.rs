//! Which credentials there are for a vault, and how far each got; out of the settings and of what an operation left.

use ksops_core::keys::diagnosis::{Finding, State};
use ksops_core::keys::master_key::AzureKvKey;

use crate::advice::{Operation, said};
use crate::chain::Walk;
use crate::failure::{CredentialFailure, Failure};
use crate::member::{Member, members};
use crate::settings::{AzureSettings, ManagedIdentitySource};

/// An operation that was tried.
pub(crate) struct Trial<'a> {
    /// Which one.
    pub(crate) operation: Operation,
    /// Why it failed, if it did.
    pub(crate) failure: Option<&'a Failure>,
    /// How the token was found, if there is one.
    pub(crate) walk: Option<&'a Walk>,
}

/// What a trial tells: the choice of credentials, each of them, the vault, the key.
pub(crate) fn findings(settings: &AzureSettings, key: &AzureKvKey, trial: &Trial<'_>) -> Vec<Finding> {
    let mut found = vec![choice(settings)];
    for member in members(settings).unwrap_or_default() {
        let (state, reason) = state(member, settings, trial);
        found.push(Finding::new(member.name(), source(member, settings), state, reason));
    }
    found.push(vault(key, trial));
    found.push(key_row(key, trial));
    found
}

/// What is set up, without asking anybody.
pub(crate) fn survey(settings: &AzureSettings) -> Vec<Finding> {
    let mut found = vec![choice(settings)];
    for member in members(settings).unwrap_or_default() {
        let (state, reason) = match missing(member, settings) {
            Some(reason) => (State::Absent, reason),
            None => (State::Untried, "is asked when a vault asks for a token".to_owned()),
        };
        found.push(Finding::new(member.name(), source(member, settings), state, reason));
    }
    found
}

fn choice(settings: &AzureSettings) -> Finding {
    let source = if settings.token_credentials.is_some() {
        "AZURE_TOKEN_CREDENTIALS"
    } else if settings.auth_method.is_some() {
        "AZURE_AUTH_METHOD"
    } else {
        "default chain"
    };
    let (state, reason) = match members(settings) {
        Ok(members) => {
            let names: Vec<&str> = members.into_iter().map(Member::name).collect();
            (State::Good, format!("asks {}", names.join(", then ")))
        }
        Err(mistake) => (State::Failed, mistake),
    };
    Finding::new("authentication", source, state, reason)
}

/// Where a member takes its identity from. Names of variables and files, never a value of a secret one.
fn source(member: Member, settings: &AzureSettings) -> String {
    match member {
        Member::Environment => match (&settings.client_secret, &settings.certificate_path) {
            (Some(_), _) => "AZURE_CLIENT_SECRET".to_owned(),
            (None, Some(path)) => path.display().to_string(),
            (None, None) => "AZURE_CLIENT_ID and others".to_owned(),
        },
        Member::WorkloadIdentity => match &settings.federated_token_file {
            Some(path) => path.display().to_string(),
            None => "AZURE_FEDERATED_TOKEN_FILE".to_owned(),
        },
        Member::ManagedIdentity => match &settings.managed_identity {
            ManagedIdentitySource::AppService { .. } => "IDENTITY_ENDPOINT (App Service)".to_owned(),
            ManagedIdentitySource::MachineLearning { .. } => "MSI_ENDPOINT (Machine Learning)".to_owned(),
            ManagedIdentitySource::CloudShell { .. } => "MSI_ENDPOINT (Cloud Shell)".to_owned(),
            ManagedIdentitySource::Imds { .. } => "metadata service".to_owned(),
            ManagedIdentitySource::Unsupported(kind) => (*kind).to_owned(),
        },
        Member::AzureCli => "az".to_owned(),
        Member::AzureDeveloperCli => "azd".to_owned(),
    }
}

/// What a member lacks, as far as the settings tell.
fn missing(member: Member, settings: &AzureSettings) -> Option<String> {
    let unset = |name: &str| Some(format!("{name} is not set"));
    let application = || match (&settings.tenant_id, &settings.client_id) {
        (None, _) => unset("AZURE_TENANT_ID"),
        (_, None) => unset("AZURE_CLIENT_ID"),
        _ => None,
    };
    match member {
        Member::Environment => application().or_else(|| {
            let has_one = settings.client_secret.is_some() || settings.certificate_path.is_some();
            if has_one {
                None
            } else {
                unset("neither AZURE_CLIENT_SECRET nor AZURE_CLIENT_CERTIFICATE_PATH")
            }
        }),
        Member::WorkloadIdentity => application().or_else(|| match settings.federated_token_file {
            Some(_) => None,
            None => unset("AZURE_FEDERATED_TOKEN_FILE"),
        }),
        Member::ManagedIdentity => match settings.managed_identity {
            ManagedIdentitySource::Unsupported(kind) => {
                Some(format!("managed identities of {kind} are not supported"))
            }
            _ => None,
        },
        Member::AzureCli | Member::AzureDeveloperCli => None,
    }
}

fn state(member: Member, settings: &AzureSettings, trial: &Trial<'_>) -> (State, String) {
    if let Some(Walk { passed, used }) = trial.walk {
        return match passed.iter().find(|(before, _)| *before == member) {
            _ if *used == member => (State::Used, "gave the token".to_owned()),
            Some((_, reason)) => (State::Absent, reason.clone()),
            None => (State::Untried, "not needed".to_owned()),
        };
    }
    match trial.failure {
        Some(Failure::Credential(failure)) => refused(member, failure),
        _ => match missing(member, settings) {
            Some(reason) => (State::Absent, reason),
            None => (State::Untried, "the vault did not ask for a token".to_owned()),
        },
    }
}

fn refused(member: Member, failure: &CredentialFailure) -> (State, String) {
    let reason =
        failure.tried.iter().find(|(name, _)| name == member.name()).map(|(_, reason)| reason.clone());
    match (reason, &failure.ended_at) {
        (Some(reason), Some(last)) if last == member.name() => (State::Failed, reason),
        (Some(reason), _) => (State::Absent, reason),
        (None, Some(last)) => (State::Untried, format!("{last} is set up, so the chain ends there")),
        (None, None) => (State::Untried, String::new()),
    }
}

fn vault(key: &AzureKvKey, trial: &Trial<'_>) -> Finding {
    let (state, reason) = match trial.failure {
        None => (State::Good, "answers".to_owned()),
        Some(Failure::Answer(_)) => (State::Good, "answers, and takes the token".to_owned()),
        Some(Failure::Credential(failure)) if failure.settings.is_none() => {
            (State::Good, "answers, and asks for a token".to_owned())
        }
        Some(Failure::Credential(_)) => (State::Good, "answers".to_owned()),
        Some(Failure::Http(error)) => (State::Failed, error.to_string()),
        Some(Failure::Challenge { .. }) => {
            (State::Failed, "asks for a token that does not belong to it; none was sent".to_owned())
        }
        Some(Failure::Host { message, .. }) => (State::Failed, message.clone()),
        Some(Failure::Offline) => (State::Untried, "may not be asked (--offline)".to_owned()),
        Some(Failure::TimedOut(seconds)) => (State::Failed, format!("no result within {seconds} seconds")),
        Some(Failure::Other(_)) if trial.walk.is_some() => (State::Good, "answers".to_owned()),
        Some(Failure::Other(_)) => (State::Untried, String::new()),
    };
    Finding::new("vault", key.vault_url.as_str(), state, reason)
}

fn key_row(key: &AzureKvKey, trial: &Trial<'_>) -> Finding {
    let version = if key.version.is_empty() { "newest version" } else { &key.version };
    let done = match trial.operation {
        Operation::Decrypt => "decrypts the data key",
        Operation::Encrypt => "encrypts",
        Operation::Get => "is there",
    };
    let (state, reason) = match trial.failure {
        None => (State::Good, done.to_owned()),
        Some(Failure::Answer(answer)) => (State::Failed, said(answer)),
        Some(Failure::Other(text)) => (State::Failed, text.clone()),
        Some(_) => (State::Untried, String::new()),
    };
    Finding::new("key", format!("{}, {version}", key.name), state, reason)
}

#[cfg(test)]
mod tests {
    use ksops_core::keys::diagnosis::{Finding, State};
    use ksops_core::keys::master_key::AzureKvKey;
    use ksops_transport::https::{HttpError, HttpErrorKind};
    use zeroize::Zeroizing;

    use super::{Trial, findings, survey};
    use crate::advice::Operation;
    use crate::chain::Walk;
    use crate::failure::{Answer, CredentialFailure, Failure};
    use crate::member::Member;
    use crate::settings::AzureSettings;

    fn tried(settings: &AzureSettings, failure: Option<&Failure>, walk: Option<&Walk>) -> Vec<Finding> {
        let key = AzureKvKey {
            vault_url: "https://v.vault.azure.net".into(),
            name: "k".into(),
            version: "1".into(),
        };
        findings(settings, &key, &Trial { operation: Operation::Decrypt, failure, walk })
    }

    fn states(found: &[Finding]) -> Vec<State> {
        found.iter().map(|finding| finding.state).collect()
    }

    #[test]
    fn a_token_tells_which_member_gave_it() {
        use State::{Absent, Good, Untried, Used};
        let walk =
            Walk { passed: vec![(Member::Environment, "not set".into())], used: Member::WorkloadIdentity };
        let found = tried(&AzureSettings::default(), None, Some(&walk));
        assert_eq!(states(&found), [Good, Absent, Used, Untried, Untried, Untried, Good, Good]);
        assert_eq!(found[1].reason, "not set");
        let answer = Answer { status: 403, code: "Forbidden".into(), ..Answer::default() };
        let found = tried(&AzureSettings::default(), Some(&Failure::Answer(answer)), Some(&walk));
        assert_eq!(found[6].state, Good, "the vault");
        assert_eq!(
            (found[7].state, found[7].reason.as_str()),
            (State::Failed, "the vault answered 403 Forbidden")
        );
    }

    #[test]
    fn the_member_that_ends_the_chain_has_failed() {
        use State::{Absent, Failed, Good, Untried};
        let failure = Failure::Credential(CredentialFailure {
            tried: vec![
                (Member::Environment.name().into(), "not set".into()),
                (Member::WorkloadIdentity.name().into(), "bad".into()),
            ],
            ended_at: Some(Member::WorkloadIdentity.name().into()),
            ..CredentialFailure::default()
        });
        let found = tried(&AzureSettings::default(), Some(&failure), None);
        assert_eq!(states(&found), [Good, Absent, Failed, Untried, Untried, Untried, Good, Untried]);
    }

    #[test]
    fn without_an_answer_no_credential_was_tried() {
        let error = HttpError { kind: HttpErrorKind::Connect, host: "h".into(), message: "m".into() };
        let found = tried(&AzureSettings::default(), Some(&Failure::Http(error)), None);
        use State::{Absent, Untried};
        assert_eq!(states(&found[1..6]), [Absent, Absent, Untried, Untried, Untried]);
        assert_eq!(found[6].state, State::Failed);
    }

    #[test]
    fn the_choice_of_the_variables_is_told() {
        let settings = AzureSettings { auth_method: Some("msi".into()), ..AzureSettings::default() };
        let found = survey(&settings);
        assert_eq!((found.len(), found[0].source.as_str()), (2, "AZURE_AUTH_METHOD"));
        let wrong = AzureSettings { token_credentials: Some("x".into()), ..settings };
        let found = survey(&wrong);
        assert_eq!((found.len(), found[0].state), (1, State::Failed));
    }

    #[test]
    fn a_survey_names_what_is_missing_and_no_secret() {
        let settings = AzureSettings {
            tenant_id: Some("t".into()),
            client_id: Some("c".into()),
            client_secret: Some(Zeroizing::new("marker".into())),
            ..AzureSettings::default()
        };
        let found = survey(&settings);
        assert_eq!(found[1].state, State::Untried);
        assert_eq!(found[2].reason, "AZURE_FEDERATED_TOKEN_FILE is not set");
        assert!(!format!("{found:?}").contains("marker"));
    }
}
