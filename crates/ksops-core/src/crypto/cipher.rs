//! Encrypting and decrypting single values under the key of a file (file-format.md section 2).

use zeroize::Zeroizing;

use crate::crypto::data_key::DataKey;
use crate::crypto::envelope::{self, Envelope, Part};
use crate::crypto::gcm::{self, Gcm, IV_LEN, TAG_LEN};
use crate::crypto::plaintext::{DataType, UnreadableError};
use crate::secret::SecretBytes;

/// The cipher of one file: the key schedule is set up once, buffers are used again.
pub struct Cipher {
    gcm: Box<dyn Gcm>,
    scratch: Zeroizing<Vec<u8>>,
    iv: Vec<u8>,
}

/// A decrypted value, still as bytes.
pub struct Opened {
    /// The type that the envelope names. It is not authenticated.
    pub kind: DataType,
    /// The plaintext.
    pub bytes: SecretBytes,
}

/// Why a value could not be decrypted. No message holds the value, encrypted or not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CipherError {
    /// The text is no envelope.
    #[error("Input string does not match sops' data format")]
    NoEnvelope,
    /// A part of the envelope is not base64.
    #[error("Error base64-decoding {0}: illegal base64 data")]
    Base64(Part),
    /// The nonce is empty.
    #[error("cipher: the nonce can't have zero length")]
    EmptyIv,
    /// Key, additional data, nonce, tag and ciphertext do not belong together.
    #[error("Could not decrypt with AES_GCM: cipher: message authentication failed")]
    Authentication,
    /// The envelope names a type that nobody knows.
    #[error("Unknown datatype")]
    UnknownType,
    /// The plaintext does not fit the type.
    #[error(transparent)]
    Unreadable(#[from] UnreadableError),
}

/// The text is longer than AES-GCM allows (64 GiB).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the value is too long for AES-GCM")]
pub struct TooLongError;

impl Cipher {
    /// Sets up the cipher for one file.
    #[must_use]
    pub fn new(key: &DataKey) -> Self {
        Self { gcm: gcm::new(key), scratch: Zeroizing::new(Vec::new()), iv: Vec::new() }
    }

    /// Encrypts `bytes` and gives the envelope's text. Empty bytes have no envelope: the text is then empty.
    ///
    /// # Errors
    /// [`TooLongError`] if they are too long.
    pub fn encrypt(
        &mut self,
        kind: DataType,
        bytes: &[u8],
        iv: &[u8; IV_LEN],
        aad: &[u8],
    ) -> Result<Vec<u8>, TooLongError> {
        if bytes.is_empty() { Ok(Vec::new()) } else { self.seal(kind, bytes, iv, aad) }
    }

    /// As [`Cipher::encrypt`], and empty bytes have an envelope as in rops. Upstream cannot read that.
    ///
    /// # Errors
    /// [`TooLongError`] if they are too long.
    pub fn seal(
        &mut self,
        kind: DataType,
        bytes: &[u8],
        iv: &[u8; IV_LEN],
        aad: &[u8],
    ) -> Result<Vec<u8>, TooLongError> {
        self.scratch.clear();
        if self.scratch.capacity() < bytes.len() {
            // A `Vec` that grows leaves its old content behind; a new one lets the old one be wiped.
            self.scratch = Zeroizing::new(Vec::with_capacity(bytes.len().next_power_of_two().max(4096)));
        }
        self.scratch.extend_from_slice(bytes);
        let tag = self.gcm.seal(iv, aad, &mut self.scratch).ok_or(TooLongError)?;
        Ok(envelope::write(&self.scratch, iv, &tag, kind.name()))
    }

    /// Decrypts an envelope. An empty text is an empty string, without any authentication.
    ///
    /// # Errors
    /// [`CipherError`] if the text is no envelope, or not one of this key and additional data.
    pub fn decrypt(&mut self, text: &[u8], aad: &[u8]) -> Result<Opened, CipherError> {
        self.iv.clear();
        if text.is_empty() {
            return Ok(Opened { kind: DataType::Str, bytes: SecretBytes::default() });
        }
        let envelope = Envelope::parse(text).ok_or(CipherError::NoEnvelope)?;
        let mut sealed = envelope.decode_sealed().map_err(CipherError::Base64)?;
        envelope.decode_iv(&mut self.iv).map_err(CipherError::Base64)?;
        if self.iv.is_empty() {
            return Err(CipherError::EmptyIv);
        }
        // Upstream joins ciphertext and tag, so the tag is the last bytes, wherever they were written.
        let length = sealed.len().checked_sub(TAG_LEN).ok_or(CipherError::Authentication)?;
        let mut tag = [0; TAG_LEN];
        tag.copy_from_slice(&sealed[length..]);
        sealed.truncate(length);
        if !self.gcm.open(&self.iv, aad, &mut sealed, &tag) {
            return Err(CipherError::Authentication);
        }
        let bytes = SecretBytes::new(sealed);
        let kind = DataType::from_name(envelope.kind()).ok_or(CipherError::UnknownType)?;
        Ok(Opened { kind, bytes })
    }

    /// The nonce of the envelope that was decrypted last; empty if it had none.
    #[must_use]
    pub fn last_iv(&self) -> &[u8] {
        &self.iv
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::{Cipher, CipherError};
    use crate::crypto::data_key::DataKey;
    use crate::crypto::plaintext::DataType;

    fn cipher() -> Cipher {
        Cipher::new(&DataKey::new(vec![7; 32].into()).expect("a key"))
    }

    fn error(text: &str, aad: &str) -> CipherError {
        cipher().decrypt(text.as_bytes(), aad.as_bytes()).err().expect("an error")
    }

    /// Made with Python's `cryptography` under the key of 32 bytes 07.
    const KNOWN: &str = "ENC[AES256_GCM,data:76WJrcurbQ==,iv:CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=,tag:U2AQdUM7kBWt5v0njzJUkw==,type:str]";

    #[test]
    fn opens_a_value_made_elsewhere() {
        let opened = cipher().decrypt(KNOWN.as_bytes(), b"a:b:").expect("authentic");
        assert_eq!((opened.kind, opened.bytes.expose()), (DataType::Str, b"hunter2".as_slice()));
        let sealed = cipher().encrypt(DataType::Str, b"hunter2", &[9; 32], b"a:b:").expect("short");
        assert_eq!(String::from_utf8_lossy(&sealed), KNOWN);
    }

    #[test]
    fn rejects_other_additional_data_and_keys() {
        assert_eq!(error(KNOWN, "a:c:"), CipherError::Authentication);
        let mut other = Cipher::new(&DataKey::new(vec![8; 32].into()).expect("a key"));
        assert_eq!(other.decrypt(KNOWN.as_bytes(), b"a:b:").err(), Some(CipherError::Authentication));
    }

    #[test]
    fn refusals_hold_nothing_of_the_value() {
        for (text, message) in [
            ("hunter2", "Input string does not match sops' data format"),
            (
                "ENC[AES256_GCM,data:hunter2,iv:aQ==,tag:Yw==,type:str]",
                "Error base64-decoding data: illegal base64 data",
            ),
            ("ENC[AES256_GCM,data:YQ==,iv:\r,tag:Yw==,type:str]", "cipher: the nonce can't have zero length"),
            (
                "ENC[AES256_GCM,data:YQ==,iv:YQ==,tag:Yw==,type:str]",
                "Could not decrypt with AES_GCM: cipher: message authentication failed",
            ),
        ] {
            assert_eq!(error(text, "").to_string(), message);
        }
        let unknown = KNOWN.replace("type:str", "type:foo");
        assert_eq!(error(&unknown, "a:b:").to_string(), "Unknown datatype");
    }

    #[test]
    fn empty_values_have_no_envelope() {
        assert_eq!(cipher().encrypt(DataType::Str, b"", &[0; 32], b"a:"), Ok(Vec::new()));
        assert!(cipher().decrypt(b"", b"a:").is_ok_and(|opened| opened.bytes.is_empty()));
    }

    proptest! {
        #[test]
        fn a_flipped_bit_is_refused(
            plain in proptest::collection::vec(any::<u8>(), 1..50), iv in any::<[u8; 32]>(), at in any::<usize>(), bit in 0..6_u32,
        ) {
            let mut cipher = cipher();
            let text = cipher.encrypt(DataType::Str, &plain, &iv, b"k:").expect("short");
            prop_assert_eq!(cipher.decrypt(&text, b"k:").map(|opened| opened.bytes.expose().to_vec()).ok(), Some(plain));
            // Change one base64 digit to another one that stands for other bits.
            let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
            let places: Vec<usize> = (20..text.len() - 10)
                .filter(|at| {
                    let field_start = text[..*at].iter().rposition(|byte| *byte == b':').unwrap_or(0);
                    alphabet.contains(&text[*at])
                        && !text[field_start..*at].contains(&b',')
                        && alphabet.contains(&text[at + 1])
                        && !matches!(text[at + 1], b',' | b'=')
                })
                .filter(|at| { let end = text[*at..].iter().position(|byte| *byte == b','); end.is_some_and(|end| end > 2) })
                .collect();
            let at = places[at % places.len()];
            let digit = alphabet.iter().position(|letter| *letter == text[at]).expect("a digit");
            let mut changed = text.clone();
            changed[at] = alphabet[digit ^ (1 << bit)];
            prop_assert_eq!(cipher.decrypt(&changed, b"k:").err(), Some(CipherError::Authentication));
        }
    }
}
