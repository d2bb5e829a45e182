//! [`PgpService`]: GnuPG as a key service of the core. `enc` is one armoured OpenPGP message for one key.

use std::ffi::OsStr;
use std::io;
use std::time::Duration;

use ksops_core::keys::diagnosis::{Diagnosis, Finding};
use ksops_core::keys::key_group::EncryptedDataKey;
use ksops_core::keys::key_service::{KeyService, KeyServiceError};
use ksops_core::keys::master_key::MasterKey;
use ksops_core::secret::SecretBytes;
#[cfg(feature = "native")]
use zeroize::Zeroizing;

use crate::advice::hints;
use crate::child::{Output, RunError, run};
use crate::diagnosis;
use crate::settings::PgpSettings;

/// How long encrypting may take, which asks nobody.
const ENCRYPT_LIMIT: Duration = Duration::from_secs(60);
/// How long decrypting may take: somebody may have to find a passphrase or a card.
const DECRYPT_LIMIT: Duration = Duration::from_secs(600);
/// What is shown of what GnuPG says.
const SAID_LIMIT: usize = 4000;

/// Encrypts and decrypts with the GnuPG program and its key ring. Nothing runs before a key needs it.
#[derive(Debug)]
pub struct PgpService {
    settings: PgpSettings,
}

impl PgpService {
    /// A service that calls GnuPG as `settings` say.
    #[must_use]
    pub fn new(settings: PgpSettings) -> Self {
        Self { settings }
    }
}

impl KeyService for PgpService {
    fn serves(&self, key: &MasterKey) -> bool {
        matches!(key, MasterKey::Pgp(_))
    }

    /// An agent may ask for a passphrase or a card.
    fn may_ask(&self, _: &MasterKey) -> bool {
        true
    }

    fn encrypt(&self, key: &MasterKey, data_key: &SecretBytes) -> Result<EncryptedDataKey, KeyServiceError> {
        const WHAT: &str = "failed to encrypt sops data key with pgp";
        let fingerprint = fingerprint(key)?;
        // Upstream's arguments, which scripts in SOPS_GPG_EXEC know.
        let arguments = [
            "--no-default-recipient",
            "--yes",
            "--encrypt",
            "-a",
            "-r",
            fingerprint,
            "--trusted-key",
            last_digits(fingerprint),
            "--no-encrypt-to",
        ]
        .map(OsStr::new);
        let output = self.ask(WHAT, &arguments, data_key.expose(), ENCRYPT_LIMIT, fingerprint)?;
        let text = String::from_utf8(output.stdout.to_vec()).unwrap_or_default();
        let text = text.trim();
        if !text.starts_with("-----BEGIN PGP MESSAGE-----") {
            return Err(KeyServiceError::new(format!("{WHAT}: what it printed is no armoured message")));
        }
        Ok(EncryptedDataKey(text.to_owned()))
    }

    fn decrypt(&self, key: &MasterKey, enc: &EncryptedDataKey) -> Result<SecretBytes, KeyServiceError> {
        const WHAT: &str = "failed to decrypt sops data key with pgp";
        let fingerprint = fingerprint(key)?;
        let asked = self.ask(WHAT, &["-d".as_ref()], enc.0.as_bytes(), DECRYPT_LIMIT, fingerprint);
        #[cfg(feature = "native")]
        let asked = match asked {
            Err(error) if !is_there(&self.settings) => return self.alone(enc, error),
            asked => asked,
        };
        let mut output = asked?;
        if output.stdout.is_empty() {
            return Err(KeyServiceError::new(format!("{WHAT}: zero bytes returned")).with_hint(
                "an old GnuPG gives nothing for a message in a newer cipher (OCB): use GnuPG 2.3 or newer",
            ));
        }
        Ok(SecretBytes::new(std::mem::take(&mut *output.stdout)))
    }

    fn diagnose(&self, key: &MasterKey, enc: Option<&EncryptedDataKey>) -> Diagnosis {
        let findings = match fingerprint(key) {
            Ok(fingerprint) => diagnosis::findings(&self.settings, Some(fingerprint)),
            Err(_) => Vec::new(),
        };
        Diagnosis { findings, result: enc.map(|enc| self.decrypt(key, enc)).transpose() }
    }

    fn survey(&self) -> Vec<Finding> {
        diagnosis::findings(&self.settings, None)
    }
}

impl PgpService {
    /// Runs GnuPG, and takes a status other than 0 for an error.
    fn ask(
        &self,
        what: &str,
        arguments: &[&OsStr],
        input: &[u8],
        limit: Duration,
        fingerprint: &str,
    ) -> Result<Output, KeyServiceError> {
        let output = run(&self.settings, arguments, input, limit).map_err(|error| {
            let error = start_error(&self.settings, error);
            KeyServiceError { message: format!("{what}: {}", error.message), hints: error.hints }
        })?;
        if output.status.success() {
            return Ok(output);
        }
        let said: String = output.stderr.chars().take(SAID_LIMIT).collect();
        let said = if said.is_empty() { output.status.to_string() } else { said };
        let hints = hints(&said, fingerprint);
        Err(KeyServiceError { message: format!("{what}: {said}"), hints })
    }
}

#[cfg(feature = "native")]
impl PgpService {
    /// Decrypts with exported keys, for want of GnuPG.
    fn alone(&self, enc: &EncryptedDataKey, error: KeyServiceError) -> Result<SecretBytes, KeyServiceError> {
        use crate::native::decrypt::decrypt;

        let Some(folder) = &self.settings.exports else { return Err(error) };
        let files = ["secring.gpg", "pubring.gpg"].map(|name| folder.join(name));
        let Some(path) = files.iter().find(|path| path.exists()) else {
            return Err(error.with_hint(format!(
                "or put the secret key there for a ksops without GnuPG: `gpg --export-secret-keys KEY > {}`",
                files[0].display()
            )));
        };
        let failed = |why: String| KeyServiceError {
            message: format!("{}; {}: {why}", error.message, path.display()),
            hints: error.hints.clone(),
        };
        let file = Zeroizing::new(std::fs::read(path).map_err(|error| failed(error.to_string()))?);
        let mut plain = decrypt(enc.0.as_bytes(), &file).map_err(failed)?;
        Ok(SecretBytes::new(std::mem::take(&mut *plain)))
    }
}

/// Whether the program can be started at all.
#[cfg(feature = "native")]
fn is_there(settings: &PgpSettings) -> bool {
    !matches!(run(settings, &["--version".as_ref()], b"", ENCRYPT_LIMIT), Err(RunError::Start(_)))
}

/// The fingerprint, if it can be an argument of GnuPG: what a file names must not become an option.
fn fingerprint(key: &MasterKey) -> Result<&str, KeyServiceError> {
    let MasterKey::Pgp(key) = key else {
        let kind = key.key_type();
        return Err(KeyServiceError::new(format!("the PGP key service cannot use a key of type {kind}")));
    };
    let text = key.fingerprint.as_str();
    if text.is_empty() || text.starts_with('-') || text.contains(char::is_control) {
        return Err(KeyServiceError::new(format!("{text:?} is no PGP fingerprint"))
            .with_hint("name the key by its fingerprint of 40 digits: `gpg --list-keys --fingerprint`"));
    }
    Ok(text)
}

/// The last 16 digits, and the exclamation mark that asks for exactly this subkey.
fn last_digits(fingerprint: &str) -> &str {
    let count = if fingerprint.ends_with('!') { 17 } else { 16 };
    let start = fingerprint.len().saturating_sub(count);
    fingerprint.get(start..).unwrap_or(fingerprint)
}

/// Why GnuPG gave no answer at all.
pub(crate) fn start_error(settings: &PgpSettings, error: RunError) -> KeyServiceError {
    let program = settings.program.to_string_lossy();
    match error {
        RunError::Start(error) if error.kind() == io::ErrorKind::NotFound => {
            KeyServiceError::new(format!("{program} was not found"))
                .with_hint("install GnuPG, or name its program in SOPS_GPG_EXEC")
        }
        RunError::Start(error) => KeyServiceError::new(format!("{program} could not be started: {error}")),
        RunError::TimedOut(limit) => {
            KeyServiceError::new(format!("{program} did not end within {} seconds", limit.as_secs()))
        }
        RunError::TooLong => {
            KeyServiceError::new(format!("{program} printed more than any data key is long, and was stopped"))
        }
        RunError::Talk(error) => KeyServiceError::new(format!("the talk with {program} failed: {error}")),
    }
}

#[cfg(all(test, unix))]
mod tests;
