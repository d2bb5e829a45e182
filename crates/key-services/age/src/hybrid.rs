//! Hybrid post-quantum recipients and identities, `age1pq1…`: stanza `mlkem768x25519` (key-services.md section 3.3).
//!
//! Apart from the `age` crate, which has them not yet.

use std::sync::Arc;

use age::secrecy::ExposeSecret;
use age_core::format::{FileKey, Stanza};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable, single_shot_open, single_shot_seal};
use ksops_core::keys::key_service::KeyServiceError;
use rand::rngs::OsRng;
use zeroize::Zeroizing;

use crate::bech32;
use crate::joint::{Open, Wrap, file_key};
use crate::prompt::Prompt;
use crate::xwing::{EncappedKey, PublicKey, SecretKey, XWing};

/// The type of the stanza.
const STANZA: &str = "mlkem768x25519";
/// What binds the encryption to its purpose.
const INFO: &[u8] = b"age-encryption.org/mlkem768x25519";
/// The part of a recipient before the separator.
const RECIPIENT_PREFIX: &str = "age1pq";
/// The part of an identity before the separator.
const IDENTITY_PREFIX: &str = "AGE-SECRET-KEY-PQ-";
/// A file key and its tag.
const BODY_LENGTH: usize = 32;

/// A recipient.
pub(crate) struct HybridRecipient(PublicKey);

/// An identity.
pub(crate) struct HybridIdentity {
    secret: SecretKey,
    recipient: String,
}

impl HybridRecipient {
    /// Reads the text of a recipient.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (prefix, bytes) = bech32::decode(text).map_err(|error| error.to_string())?;
        if prefix != RECIPIENT_PREFIX {
            return Err(format!("invalid type {prefix:?}"));
        }
        PublicKey::from_bytes(&bytes).map(Self).map_err(|_| "invalid MLKEM768-X25519 public key".to_owned())
    }
}

impl Wrap for HybridRecipient {
    fn wrap(&self, file_key: &FileKey) -> Result<Vec<Stanza>, KeyServiceError> {
        let (encapped, body) = single_shot_seal::<ChaCha20Poly1305, HkdfSha256, XWing, _>(
            &OpModeS::Base,
            &self.0,
            INFO,
            file_key.expose_secret(),
            &[],
            &mut OsRng,
        )
        .map_err(|error| KeyServiceError::new(format!("failed to set up HPKE sender: {error}")))?;
        let args = vec![STANDARD_NO_PAD.encode(encapped.to_bytes())];
        Ok(vec![Stanza { tag: STANZA.to_owned(), args, body }])
    }
}

impl HybridIdentity {
    /// Reads the text of an identity.
    ///
    /// # Errors
    /// What is wrong with it, without any of the text.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let (prefix, bytes) = bech32::decode(text).map_err(|_| "malformed secret key: not in Bech32")?;
        if prefix != IDENTITY_PREFIX {
            return Err("malformed secret key: unknown type");
        }
        let secret = SecretKey::from_bytes(&bytes)
            .map_err(|_| "malformed secret key: invalid MLKEM768-X25519 secret key")?;
        let recipient = bech32::encode(RECIPIENT_PREFIX, &XWing::sk_to_pk(&secret).to_bytes());
        Ok(Self { secret, recipient })
    }

    fn open_one(&self, stanza: &Stanza) -> Result<Option<FileKey>, KeyServiceError> {
        if stanza.tag != STANZA {
            return Ok(None);
        }
        let invalid = |what: &str| KeyServiceError::new(format!("invalid {STANZA} recipient block: {what}"));
        let [encapped] = stanza.args.as_slice() else { return Err(invalid("it has not one argument")) };
        let encapped = STANDARD_NO_PAD.decode(encapped).map_err(|_| invalid("not in base64"))?;
        let encapped = EncappedKey::from_bytes(&encapped).map_err(|_| invalid("wrong length"))?;
        if stanza.body.len() != BODY_LENGTH {
            return Err(invalid("the file key has a wrong length"));
        }
        // A key that does not belong is only told by the tag of the file key.
        let opened = single_shot_open::<ChaCha20Poly1305, HkdfSha256, XWing>(
            &OpModeR::Base,
            &self.secret,
            &encapped,
            INFO,
            &stanza.body,
            &[],
        );
        Ok(opened.ok().map(Zeroizing::new).and_then(|bytes| file_key(&bytes)))
    }
}

impl Open for HybridIdentity {
    fn open(&self, stanzas: &[Stanza], _: &Arc<dyn Prompt>) -> Result<Option<FileKey>, KeyServiceError> {
        for stanza in stanzas {
            if let Some(file_key) = self.open_one(stanza)? {
                return Ok(Some(file_key));
            }
        }
        Ok(None)
    }

    fn describe(&self) -> String {
        // The whole recipient has 1959 characters.
        format!("the identity of {}…", self.recipient.get(..24).unwrap_or(&self.recipient))
    }

    fn recipient(&self) -> Option<String> {
        Some(self.recipient.clone())
    }
}
