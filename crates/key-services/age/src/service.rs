//! [`AgeService`]: age as a key service of the core. `enc` is one armoured age file for one recipient.

use std::fmt;
use std::io::Read;

use age::armor::ArmoredReader;
use age::{DecryptError, Decryptor, Identity};
use ksops_core::keys::diagnosis::{Diagnosis, Finding};
use ksops_core::keys::key_group::EncryptedDataKey;
use ksops_core::keys::key_service::{KeyService, KeyServiceError};
use ksops_core::keys::master_key::{AgeKey, MasterKey};
use ksops_core::secret::SecretBytes;
use zeroize::Zeroizing;

use crate::diagnosis;
use crate::loader::{Loaded, Loader};
use crate::recipient::{self, RecipientKind};
use crate::sources::IdentitySources;

/// Encrypts to age recipients and decrypts with the identities of the sources handed in.
///
/// Identities are loaded when the first data key is decrypted, and kept.
pub struct AgeService {
    loader: Loader,
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
        Self { loader: Loader::new(sources) }
    }
}

impl KeyService for AgeService {
    fn serves(&self, key: &MasterKey) -> bool {
        matches!(key, MasterKey::Age(_))
    }

    fn encrypt(&self, key: &MasterKey, data_key: &SecretBytes) -> Result<EncryptedDataKey, KeyServiceError> {
        let key = age_key(key)?;
        refuse_unsupported(&key.recipient)?;
        let recipient = recipient::parse_x25519(key.recipient.trim())
            .map_err(|error| KeyServiceError::new(error.to_string()))?;
        let armoured = age::encrypt_and_armor(&recipient, data_key.expose()).map_err(|error| {
            KeyServiceError::new(format!("failed to encrypt sops data key with age: {error}"))
        })?;
        // The crate ends lines as the platform does; the file format has line feeds.
        let text = if armoured.contains('\r') { armoured.replace("\r\n", "\n") } else { armoured };
        Ok(EncryptedDataKey(text))
    }

    fn decrypt(&self, key: &MasterKey, enc: &EncryptedDataKey) -> Result<SecretBytes, KeyServiceError> {
        let key = age_key(key)?;
        let loaded = self.loader.load(&key.recipient);
        if loaded.identities.is_empty() {
            let message = format!("failed to load age identities{}", loaded.describe());
            return Err(hinted(message, &key.recipient));
        }
        open(&enc.0, &loaded).map_err(|error| {
            let message = format!(
                "failed to create reader for decrypting sops data key with age: {}{}",
                reason(&error),
                loaded.describe()
            );
            hinted(message, &key.recipient)
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

fn open(enc: &str, loaded: &Loaded) -> Result<SecretBytes, DecryptError> {
    let decryptor = Decryptor::new_buffered(ArmoredReader::new(enc.trim_start().as_bytes()))?;
    let identities = loaded.identities.iter().map(|identity| identity as &dyn Identity);
    let mut reader = decryptor.decrypt(identities)?;
    // The plaintext is shorter than its armour, so the buffer never moves and leaves no copy behind.
    let mut plain = Zeroizing::new(Vec::with_capacity(enc.len()));
    reader.read_to_end(&mut plain)?;
    Ok(SecretBytes::new(std::mem::take(&mut *plain)))
}

fn refuse_unsupported(text: &str) -> Result<(), KeyServiceError> {
    let Some(kind) = recipient::kind_of(text.trim()).filter(|kind| *kind != RecipientKind::X25519) else {
        return Ok(());
    };
    Err(KeyServiceError::new(format!(
        "age recipients of the kind {} cannot be used yet: this version encrypts to X25519 recipients (age1…)",
        kind.name()
    ))
    .with_hint("use an X25519 recipient beside or instead of it; the other kinds come with a later version"))
}

/// Adds what helps when no identity fits.
fn hinted(message: String, text: &str) -> KeyServiceError {
    let error = KeyServiceError::new(message);
    match recipient::kind_of(text) {
        Some(kind) if kind != RecipientKind::X25519 => error.with_hint(format!(
            "{text} is of the kind {}, whose identities this version cannot use yet; use another key of the file",
            kind.name()
        )),
        _ => error.with_hint(format!(
            "put the identity of {text} into SOPS_AGE_KEY, or name its file in SOPS_AGE_KEY_FILE"
        )),
    }
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
