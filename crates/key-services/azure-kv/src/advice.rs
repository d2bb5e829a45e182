//! What to tell somebody whose key cannot be used: message and hints for each failure (key-services.md section 2.8).

use ksops_core::keys::key_service::KeyServiceError;
use ksops_core::keys::master_key::AzureKvKey;
use ksops_transport::https::HttpErrorKind;

use crate::failure::{Answer, Failure};
use crate::key_url::url_of;

/// What was asked of the vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// The newest version of a key.
    Get,
    /// Encrypting a data key.
    Encrypt,
    /// Decrypting a data key.
    Decrypt,
}

impl Operation {
    /// The permission of access policies.
    fn permission(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Encrypt => "encrypt",
            Self::Decrypt => "decrypt",
        }
    }

    /// The action of role assignments.
    fn action(self) -> &'static str {
        match self {
            Self::Get => "Microsoft.KeyVault/vaults/keys/read",
            Self::Encrypt => "Microsoft.KeyVault/vaults/keys/encrypt/action",
            Self::Decrypt => "Microsoft.KeyVault/vaults/keys/decrypt/action",
        }
    }

    fn done(self) -> &'static str {
        match self {
            Self::Get => "the newest version could not be looked up",
            Self::Encrypt => "the data key could not be encrypted",
            Self::Decrypt => "the data key could not be decrypted",
        }
    }
}

/// Makes the error of a failure: what failed on which key, why, and what helps.
#[must_use]
pub fn advise(failure: &Failure, operation: Operation, key: &AzureKvKey) -> KeyServiceError {
    let url = url_of(key);
    let (reason, hints) = match failure {
        Failure::Answer(answer) => (said(answer), answer_hints(answer, operation, key)),
        Failure::Http(error) => (error.to_string(), network_hints(error.kind, key)),
        Failure::Credential(failure) => (failure.describe(), credential_hints(failure.settings.is_some())),
        Failure::Challenge { scope, vault } if scope.is_empty() => {
            (format!("the challenge of {vault} names no resource, so no token was sent"), Vec::new())
        }
        Failure::Challenge { scope, vault } => (
            format!("{vault} asked for a token for {scope}, which does not belong to it; no token was sent"),
            vec!["check the vault's URL: this is what a forged URL looks like".to_owned()],
        ),
        Failure::Host { message, unknown_suffix } => {
            let hint = "if the host is a vault, name its DNS suffix in KSOPS_AZURE_KEYVAULT_SUFFIXES";
            (message.clone(), unknown_suffix.then(|| hint.to_owned()).into_iter().collect())
        }
        Failure::Offline => (
            "the vault may not be asked (--offline)".to_owned(),
            match operation {
                Operation::Encrypt | Operation::Get => vec![format!(
                    "fetch the public half of the key once, while there is a network: `ksops azure fetch-key {url}`"
                )],
                Operation::Decrypt => {
                    vec!["decrypting always needs the vault; leave out --offline".to_owned()]
                }
            },
        ),
        Failure::TimedOut(seconds) => (
            format!("there was no result within {seconds} seconds"),
            network_hints(HttpErrorKind::Timeout, key),
        ),
        Failure::Other(text) => (text.clone(), Vec::new()),
    };
    let mut error = KeyServiceError::new(format!("{url}: {}: {reason}", operation.done()));
    error.hints = hints;
    error
}

/// What the vault answered.
pub(crate) fn said(answer: &Answer) -> String {
    let code = if answer.inner_code.is_empty() { &answer.code } else { &answer.inner_code };
    let mut text = format!("the vault answered {}", answer.status);
    if !code.is_empty() {
        text.push_str(&format!(" {code}"));
    }
    if !answer.message.is_empty() {
        text.push_str(&format!(" ({})", answer.message));
    }
    text
}

fn answer_hints(answer: &Answer, operation: Operation, key: &AzureKvKey) -> Vec<String> {
    let vault = vault_name(key);
    let name = &key.name;
    let is = |code: &str| answer.code == code || answer.inner_code == code;
    let says = |words: &str| answer.message.to_lowercase().contains(words);
    let hint = match answer.status {
        401 => "the token was not accepted: compare AZURE_TENANT_ID with the vault's tenant (`az account show` names \
                the one you are logged in to), and check the clock"
            .to_owned(),
        403 if is("KeyDisabled") || says("disabled key") => {
            let version = if key.version.is_empty() { "VERSION" } else { &key.version };
            format!(
                "enable this version: `az keyvault key set-attributes --vault-name {vault} --name {name} --version \
                 {version} --enabled true`"
            )
        }
        403 if is("ForbiddenByFirewall") || says("client address") || says("firewall") => {
            "the vault's firewall does not let this address in: add it, or use the vault's private network".to_owned()
        }
        403 => format!(
            "your identity needs the permission {} on this key: the role \"Key Vault Crypto User\" ({}), or an access \
             policy with the key permission {}",
            operation.permission(),
            operation.action(),
            operation.permission()
        ),
        404 if says("deleted") => recover(vault, name),
        404 => format!(
            "compare vault, name and version: `az keyvault key list-versions --vault-name {vault} --name {name}`"
        ),
        400 if operation == Operation::Decrypt => {
            "this version of the key did not make the file's encrypted data key: the file was edited, or the key was \
             made anew"
                .to_owned()
        }
        409 => recover(vault, name),
        429 => "the vault limits its requests: try again later, or with fewer files at once".to_owned(),
        500.. => "the vault has a problem of its own: try again later".to_owned(),
        _ => return Vec::new(),
    };
    vec![hint]
}

fn recover(vault: &str, name: &str) -> String {
    format!(
        "the key was deleted: `az keyvault key recover --vault-name {vault} --name {name}` brings it back"
    )
}

fn vault_name(key: &AzureKvKey) -> &str {
    let host = key.vault_url.trim_start_matches("https://");
    host.split(['.', '/', ':']).next().unwrap_or_default()
}

fn network_hints(kind: HttpErrorKind, key: &AzureKvKey) -> Vec<String> {
    let hint = match kind {
        HttpErrorKind::NameResolution => format!(
            "check the vault's name ({}): it may be deleted, or have an address in a private network only",
            vault_name(key)
        ),
        HttpErrorKind::Certificate => {
            "if a proxy inspects TLS here, name its authority's certificate in SSL_CERT_FILE".to_owned()
        }
        HttpErrorKind::Connect | HttpErrorKind::Timeout | HttpErrorKind::Broken => {
            "check the network and the proxy (HTTPS_PROXY, NO_PROXY)".to_owned()
        }
        _ => return Vec::new(),
    };
    vec![hint]
}

fn credential_hints(is_settings: bool) -> Vec<String> {
    if is_settings {
        return Vec::new();
    }
    vec![
        "log in with `az login`, or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET".to_owned(),
        "AZURE_TOKEN_CREDENTIALS names one credential to be used alone".to_owned(),
    ]
}

#[cfg(test)]
mod tests {
    use ksops_core::keys::master_key::AzureKvKey;
    use ksops_transport::https::{HttpError, HttpErrorKind};

    use super::{Operation, advise};
    use crate::failure::{Answer, CredentialFailure, Failure};

    fn key() -> AzureKvKey {
        AzureKvKey {
            vault_url: "https://myvault.vault.azure.net".into(),
            name: "k".into(),
            version: "1".into(),
        }
    }

    fn answer(status: u16, code: &str, inner: &str, message: &str) -> Failure {
        Failure::Answer(Answer {
            status,
            code: code.into(),
            inner_code: inner.into(),
            message: message.into(),
        })
    }

    #[test]
    fn every_answer_of_the_table_has_its_advice() {
        use Operation::{Decrypt, Encrypt, Get};
        let cases = [
            (answer(401, "Unauthorized", "", ""), Decrypt, "az account show"),
            (answer(403, "Forbidden", "ForbiddenByRbac", ""), Decrypt, "keys/decrypt/action"),
            (answer(403, "Forbidden", "ForbiddenByPolicy", ""), Encrypt, "permission encrypt"),
            (answer(403, "Forbidden", "", ""), Get, "keys/read"),
            (answer(403, "Forbidden", "ForbiddenByFirewall", ""), Decrypt, "firewall"),
            (answer(403, "Forbidden", "KeyDisabled", ""), Decrypt, "--version 1 --enabled true"),
            (
                answer(403, "Forbidden", "", "Operation x is not allowed on a disabled key."),
                Decrypt,
                "enable",
            ),
            (answer(404, "KeyNotFound", "", ""), Decrypt, "list-versions --vault-name myvault --name k"),
            (answer(404, "KeyNotFound", "", "k is currently deleted"), Decrypt, "key recover"),
            (answer(400, "BadParameter", "", ""), Decrypt, "did not make"),
            (answer(409, "Conflict", "ObjectIsDeletedButRecoverable", ""), Encrypt, "key recover"),
            (answer(429, "Throttled", "", ""), Decrypt, "later"),
            (answer(503, "", "", ""), Decrypt, "later"),
        ];
        for (failure, operation, words) in cases {
            let error = advise(&failure, operation, &key());
            assert!(error.hints.iter().any(|hint| hint.contains(words)), "{failure:?}: {:?}", error.hints);
            assert!(error.message.starts_with("https://myvault.vault.azure.net/keys/k/1: "), "{error}");
        }
    }

    #[test]
    fn a_message_names_status_code_and_text() {
        let error = advise(&answer(403, "Forbidden", "ForbiddenByRbac", "no"), Operation::Encrypt, &key());
        assert_eq!(
            error.message,
            "https://myvault.vault.azure.net/keys/k/1: the data key could not be encrypted: the vault answered 403 \
             ForbiddenByRbac (no)"
        );
    }

    #[test]
    fn network_failures_have_advice() {
        for (kind, words) in [
            (HttpErrorKind::NameResolution, "private network"),
            (HttpErrorKind::Certificate, "SSL_CERT_FILE"),
            (HttpErrorKind::Connect, "HTTPS_PROXY"),
            (HttpErrorKind::Timeout, "HTTPS_PROXY"),
        ] {
            let failure = Failure::Http(HttpError { kind, host: "h".into(), message: "m".into() });
            assert!(advise(&failure, Operation::Get, &key()).hints[0].contains(words));
        }
    }

    #[test]
    fn a_credential_failure_lists_every_member() {
        let failure = Failure::Credential(CredentialFailure {
            tried: vec![("A".into(), "not there".into()), ("B".into(), "refused".into())],
            ..CredentialFailure::default()
        });
        let error = advise(&failure, Operation::Decrypt, &key());
        assert!(error.message.contains("  A: not there\n  B: refused"), "{error}");
        assert!(error.hints[0].contains("az login"));
    }

    #[test]
    fn a_foreign_challenge_and_an_unknown_host_are_told_apart() {
        let foreign = Failure::Challenge { scope: "https://x/.default".into(), vault: "v".into() };
        assert!(advise(&foreign, Operation::Get, &key()).message.contains("no token was sent"));
        let host = |unknown_suffix| Failure::Host { message: "m".into(), unknown_suffix };
        assert_eq!(advise(&host(true), Operation::Get, &key()).hints.len(), 1);
        assert_eq!(advise(&host(false), Operation::Get, &key()).hints.len(), 0);
    }
}
