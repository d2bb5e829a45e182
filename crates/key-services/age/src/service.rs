//! [`AgeService`]: age as a key service of the core. `enc` is one armoured age file for one recipient.

use std::fmt;
use std::io::{self, Read, Write};
use std::sync::Arc;

use age::armor::{ArmoredReader, ArmoredWriter, Format};
use age::{DecryptError, Decryptor, EncryptError, Encryptor, Recipient};
use ksops_core::keys::diagnosis::{Diagnosis, Finding};
use ksops_core::keys::key_group::EncryptedDataKey;
use ksops_core::keys::key_service::{KeyService, KeyServiceError};
use ksops_core::keys::master_key::{AgeKey, MasterKey};
use ksops_core::secret::SecretBytes;
use zeroize::Zeroizing;

use crate::diagnosis;
use crate::joint::{Open, Trial, Wrap, Wrapping};
use crate::loader::{Loaded, Loader};
use crate::plugin::PluginRecipient;
use crate::prompt::{NobodyToAsk, Prompt};
use crate::recipient::{self, RecipientError, RecipientKind};
use crate::sources::IdentitySources;

/// Encrypts to age recipients and decrypts with the identities of the sources handed in.
///
/// Identities are loaded when the first data key is decrypted, and kept.
pub struct AgeService {
    loader: Loader,
    prompt: Arc<dyn Prompt>,
}

impl fmt::Debug for AgeService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AgeService")
    }
}

impl AgeService {
    /// A service that looks for identities in `sources`. Nothing is read yet.
    #[must_use]
    pub fn new(sources: IdentitySources) -> Self {
        Self::with_prompt(sources, Arc::new(NobodyToAsk))
    }

    /// The same with somebody to ask for passphrases, and for what plugins want to know.
    #[must_use]
    pub fn with_prompt(sources: IdentitySources, prompt: Arc<dyn Prompt>) -> Self {
        Self { loader: Loader::new(sources), prompt }
    }
}

impl KeyService for AgeService {
    fn serves(&self, key: &MasterKey) -> bool {
        matches!(key, MasterKey::Age(_))
    }

    /// If no identity that needs nobody is the recipient's, one under a passphrase or of a plugin may be.
    fn may_ask(&self, key: &MasterKey) -> bool {
        let Ok(key) = age_key(key) else { return false };
        let identities = self.loader.load(&key.recipient).identities;
        let own = recipient::plain(&key.recipient);
        let is_sure = |identity: &&Arc<dyn Open>| identity.recipient().is_some_and(|known| known == own);
        let (asking, quiet): (Vec<_>, Vec<_>) = identities.iter().partition(|identity| identity.may_ask());
        !asking.is_empty() && !quiet.iter().any(is_sure)
    }

    fn encrypt(&self, key: &MasterKey, data_key: &SecretBytes) -> Result<EncryptedDataKey, KeyServiceError> {
        let text = age_key(key)?.recipient.trim();
        let unusable = |error: RecipientError| KeyServiceError::new(error.to_string());
        match recipient::kind_of(text) {
            Some(RecipientKind::Hybrid) => wrap(&recipient::parse_hybrid(text).map_err(unusable)?, data_key),
            Some(RecipientKind::Ssh) => wrap(&recipient::parse_ssh(text).map_err(unusable)?, data_key),
            Some(RecipientKind::Plugin) => {
                let plugin = PluginRecipient::parse(text, &self.prompt)
                    .map_err(|why| unusable(RecipientError::Plugin(why)))?;
                wrap(&plugin, data_key)
            }
            Some(RecipientKind::X25519) => seal(&recipient::parse_x25519(text).map_err(unusable)?, data_key),
            None => Err(unusable(RecipientError::UnknownKind(text.to_owned()))),
        }
    }

    fn decrypt(&self, key: &MasterKey, enc: &EncryptedDataKey) -> Result<SecretBytes, KeyServiceError> {
        let key = age_key(key)?;
        let loaded = self.loader.load(&key.recipient);
        if loaded.identities.is_empty() {
            let message = format!("failed to load age identities{}", loaded.describe());
            return Err(hinted(message, &key.recipient));
        }
        open(&enc.0, &loaded, &self.prompt).map_err(|(why, hints)| {
            let message = format!(
                "failed to create reader for decrypting sops data key with age: {why}{}",
                loaded.describe()
            );
            match hints.is_empty() {
                true => hinted(message, &key.recipient),
                false => KeyServiceError { message, hints },
            }
        })
    }

    fn diagnose(&self, key: &MasterKey, enc: Option<&EncryptedDataKey>) -> Diagnosis {
        let recipient = age_key(key).ok().map(|key| key.recipient.as_str());
        let findings = diagnosis::findings(&self.loader, recipient);
        Diagnosis { findings, result: enc.map(|enc| self.decrypt(key, enc)).transpose() }
    }

    fn survey(&self) -> Vec<Finding> {
        diagnosis::findings(&self.loader, None)
    }
}

fn age_key(key: &MasterKey) -> Result<&AgeKey, KeyServiceError> {
    match key {
        MasterKey::Age(key) => Ok(key),
        other => Err(KeyServiceError::new(format!(
            "the age key service cannot use a key of type {}",
            other.key_type()
        ))),
    }
}

/// The age file with the data key, for a recipient of the crate's own.
fn seal(recipient: &dyn Recipient, data_key: &SecretBytes) -> Result<EncryptedDataKey, KeyServiceError> {
    let armoured = armour(recipient, data_key).map_err(|error| {
        KeyServiceError::new(format!("failed to encrypt sops data key with age: {error}"))
    })?;
    // The crate ends lines as the platform does; the file format has line feeds.
    let text = if armoured.contains('\r') { armoured.replace("\r\n", "\n") } else { armoured };
    Ok(EncryptedDataKey(text))
}

fn armour(recipient: &dyn Recipient, data_key: &SecretBytes) -> Result<String, EncryptError> {
    let mut text = Vec::new();
    let encryptor = Encryptor::with_recipients(std::iter::once(recipient))?;
    let armour = ArmoredWriter::wrap_output(&mut text, Format::AsciiArmor)?;
    let mut writer = encryptor.wrap_output(armour)?;
    writer.write_all(data_key.expose())?;
    writer.finish()?.finish()?;
    String::from_utf8(text).map_err(|error| EncryptError::Io(io::Error::other(error)))
}

/// The same for a recipient of ours.
fn wrap(recipient: &dyn Wrap, data_key: &SecretBytes) -> Result<EncryptedDataKey, KeyServiceError> {
    let wrapping = Wrapping::new(recipient);
    seal(&wrapping, data_key).map_err(|error| match wrapping.into_error() {
        Some(own) => KeyServiceError {
            message: format!(
                "failed to create writer for encrypting sops data key with age: {}",
                own.message
            ),
            hints: own.hints,
        },
        None => error,
    })
}

/// Opens the age file; else why not, and what to do about it.
fn open(enc: &str, loaded: &Loaded, prompt: &Arc<dyn Prompt>) -> Result<SecretBytes, (String, Vec<String>)> {
    let plain = |error: DecryptError| (reason(&error), Vec::new());
    let decryptor =
        Decryptor::new_buffered(ArmoredReader::new(enc.trim_start().as_bytes())).map_err(plain)?;
    let trial = Trial::new(&loaded.identities, prompt);
    let decrypted = decryptor.decrypt(std::iter::once(&trial as &dyn age::Identity));
    let mut reader = match decrypted {
        Ok(reader) => reader,
        Err(error) => {
            let errors = trial.into_errors();
            if !matches!(error, DecryptError::NoMatchingKeys) || errors.is_empty() {
                return Err(plain(error));
            }
            let messages: Vec<&str> = errors.iter().map(|error| error.message.as_str()).collect();
            let why = messages.join("; ");
            return Err((why, errors.into_iter().flat_map(|error| error.hints).collect()));
        }
    };
    // The plaintext is shorter than its armour, so the buffer never moves and leaves no copy behind.
    let mut text = Zeroizing::new(Vec::with_capacity(enc.len()));
    reader.read_to_end(&mut text).map_err(|error| plain(error.into()))?;
    Ok(SecretBytes::new(std::mem::take(&mut *text)))
}

/// Adds what helps when no identity fits.
fn hinted(message: String, text: &str) -> KeyServiceError {
    KeyServiceError::new(message).with_hint(match recipient::kind_of(text) {
        Some(RecipientKind::Ssh) => format!(
            "put the private key of {text} at ~/.ssh/id_ed25519 or ~/.ssh/id_rsa, or name its file in \
             SOPS_AGE_SSH_PRIVATE_KEY_FILE"
        ),
        _ => format!("put the identity of {text} into SOPS_AGE_KEY, or name its file in SOPS_AGE_KEY_FILE"),
    })
}

fn reason(error: &DecryptError) -> String {
    match error {
        DecryptError::NoMatchingKeys => "identity did not match any of the recipients".to_owned(),
        DecryptError::InvalidHeader => "the header of the age file is not in order".to_owned(),
        DecryptError::InvalidMac => "the header of the age file was changed (bad header MAC)".to_owned(),
        DecryptError::Io(error) => format!("the age file is not in order: {error}"),
        DecryptError::UnknownFormat => "the age file has an unknown version".to_owned(),
        DecryptError::KeyDecryptionFailed | DecryptError::DecryptionFailed => "decryption failed".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;
