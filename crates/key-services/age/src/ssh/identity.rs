//! Decrypting with ssh private keys, plain or under a passphrase.

use std::sync::{Arc, Mutex, PoisonError};

use age_core::format::{FileKey, Stanza};
use age_core::primitives::aead_decrypt;
use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use ksops_core::keys::key_service::KeyServiceError;
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

use crate::joint::{Open, file_key};
use crate::prompt::Prompt;
use crate::ssh::private_key;
use crate::ssh::public_key::SshPublicKey;
use crate::ssh::recipient::{RSA_LABEL, wrapping_key};

/// How long a file key is.
const FILE_KEY_LENGTH: usize = 16;

/// A private key that can be used.
pub(crate) struct SshIdentity {
    /// Its public half.
    pub(crate) public: SshPublicKey,
    /// What decrypts.
    pub(crate) secret: SshSecret,
}

/// The secret half of a key.
pub(crate) enum SshSecret {
    /// The scalar of an ed25519 key.
    Ed25519(StaticSecret),
    /// An RSA key.
    Rsa(Box<OaepPrivateDecryptingKey>),
}

/// A key file under a passphrase, which is asked for once and only if a stanza is for the key.
pub(crate) struct LockedSshIdentity {
    public: SshPublicKey,
    locked: ssh_key::PrivateKey,
    name: String,
    opened: Mutex<Option<SshIdentity>>,
}

impl SshIdentity {
    fn open_one(&self, stanza: &Stanza) -> Result<Option<FileKey>, KeyServiceError> {
        if !is_for(&self.public, stanza) {
            return Ok(None);
        }
        let kind = self.public.kind();
        let invalid = || KeyServiceError::new(format!("invalid {kind} recipient block"));
        let failed = || {
            KeyServiceError::new(format!(
                "failed to decrypt the file key with the {kind} key {}",
                self.public.text()
            ))
        };
        let plain = match &self.secret {
            SshSecret::Ed25519(secret) => {
                let [_, point] = stanza.args.as_slice() else { return Err(invalid()) };
                let point = STANDARD_NO_PAD.decode(point).map_err(|_| invalid())?;
                let point = PublicKey::from(<[u8; 32]>::try_from(point).map_err(|_| invalid())?);
                let shared = secret.diffie_hellman(&point);
                if !shared.was_contributory() {
                    return Err(invalid());
                }
                let ours = PublicKey::from(secret);
                let key = wrapping_key(&self.public.wire, shared.as_bytes(), &point, &ours);
                Zeroizing::new(aead_decrypt(&key, FILE_KEY_LENGTH, &stanza.body).map_err(|_| failed())?)
            }
            SshSecret::Rsa(secret) => {
                if stanza.args.len() != 1 {
                    return Err(invalid());
                }
                let mut plain = Zeroizing::new(vec![0; secret.min_output_size()]);
                let length = secret
                    .decrypt(&OAEP_SHA256_MGF1SHA256, &stanza.body, &mut plain, Some(RSA_LABEL))
                    .map_err(|_| failed())?
                    .len();
                plain.truncate(length);
                plain
            }
        };
        file_key(&plain).map(Some).ok_or_else(failed)
    }
}

/// Whether a stanza names this key.
fn is_for(public: &SshPublicKey, stanza: &Stanza) -> bool {
    stanza.tag == public.kind() && stanza.args.first().is_some_and(|tag| *tag == public.tag())
}

impl Open for SshIdentity {
    fn open(&self, stanzas: &[Stanza], _: &Arc<dyn Prompt>) -> Result<Option<FileKey>, KeyServiceError> {
        for stanza in stanzas {
            if let Some(file_key) = self.open_one(stanza)? {
                return Ok(Some(file_key));
            }
        }
        Ok(None)
    }

    fn describe(&self) -> String {
        format!("the identity of {}", self.public.text())
    }

    fn recipient(&self) -> Option<String> {
        Some(self.public.text())
    }
}

impl LockedSshIdentity {
    /// The key of the file `name`.
    pub(crate) fn new(public: SshPublicKey, locked: ssh_key::PrivateKey, name: String) -> Self {
        Self { public, locked, name, opened: Mutex::new(None) }
    }

    fn unlock(&self, prompt: &Arc<dyn Prompt>) -> Result<SshIdentity, KeyServiceError> {
        let question = format!("Enter passphrase for {:?}:", self.name);
        let passphrase = prompt.secret(&question).map_err(|why| {
            KeyServiceError::new(format!(
                "failed to obtain passphrase: could not read passphrase for {:?}: {why}",
                self.name
            ))
        })?;
        let failed = |why: &str| {
            KeyServiceError::new(format!("failed to decrypt SSH key file {:?}: {why}", self.name))
        };
        let plain = self
            .locked
            .decrypt(passphrase.as_bytes())
            .map_err(|_| failed("incorrect passphrase, or a damaged file"))?;
        let identity = private_key::from_parsed(&plain).map_err(|why| failed(&why))?;
        if identity.public != self.public {
            return Err(failed("mismatched private and public SSH key"));
        }
        Ok(identity)
    }
}

impl Open for LockedSshIdentity {
    fn open(&self, stanzas: &[Stanza], prompt: &Arc<dyn Prompt>) -> Result<Option<FileKey>, KeyServiceError> {
        if !stanzas.iter().any(|stanza| is_for(&self.public, stanza)) {
            return Ok(None);
        }
        // Held while asking, so that two files that need the key ask once.
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let identity = match &*opened {
            Some(identity) => identity,
            None => opened.insert(self.unlock(prompt)?),
        };
        identity.open(stanzas, prompt)
    }

    fn describe(&self) -> String {
        format!("the identity of {}, under a passphrase", self.public.text())
    }

    fn recipient(&self) -> Option<String> {
        Some(self.public.text())
    }

    fn may_ask(&self) -> bool {
        true
    }
}
