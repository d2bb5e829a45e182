//! The hash over the leaves of a file, and the field that holds it (file-format.md section 4).

use sha2::{Digest, Sha256, Sha512};
use subtle::ConstantTimeEq;
use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::crypto::cipher::{Cipher, CipherError};
use crate::crypto::plaintext::DataType;
use crate::crypto::timestamp;

/// Hashes the leaves in document order.
pub struct Mac(Sha512);

/// The MAC of a file does not vouch for it. The messages hold no MAC: it is a hash of the plaintext.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MacError {
    /// The file has none.
    #[error(
        "MAC mismatch. File has no MAC, computed one not shown: nothing tells whether its values are those that were encrypted"
    )]
    Missing,
    /// It is the MAC of other values.
    #[error(
        "MAC mismatch. File has a different MAC than computed from its values: a value was changed, added, removed or \
         moved without the data key"
    )]
    Mismatch,
    /// It cannot be decrypted; most often `lastmodified` was changed.
    #[error("Cannot decrypt MAC: {0}")]
    Undecryptable(CipherError),
}

impl Mac {
    /// Starts the hash; with `mac_only_encrypted` from another state, so that the two can never agree.
    #[must_use]
    pub fn new(mac_only_encrypted: bool) -> Self {
        let mut hash = Sha512::new();
        if mac_only_encrypted {
            hash.update(Sha256::digest(b"sops"));
        }
        Self(hash)
    }

    /// Adds the bytes of a leaf.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The text of the MAC: upper-case hexadecimal.
    #[must_use]
    pub fn finish(self) -> Zeroizing<String> {
        const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
        let mut text = Zeroizing::new(String::with_capacity(128));
        for byte in self.0.finalize() {
            text.push(char::from(DIGITS[usize::from(byte >> 4)]));
            text.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
        text
    }

    /// Compares with the `mac` field of a file, in constant time.
    ///
    /// # Errors
    /// [`MacError`] if the field is missing, cannot be decrypted, or differs.
    pub fn verify(
        self,
        cipher: &mut Cipher,
        field: &str,
        last_modified: OffsetDateTime,
    ) -> Result<(), MacError> {
        if field.is_empty() {
            return Err(MacError::Missing);
        }
        let aad = additional_data(last_modified);
        let opened = cipher.decrypt(field.as_bytes(), &aad).map_err(MacError::Undecryptable)?;
        let computed = self.finish();
        let equal: bool = opened.bytes.expose().ct_eq(computed.as_bytes()).into();
        if equal && matches!(opened.kind, DataType::Str | DataType::Bytes) {
            Ok(())
        } else {
            Err(MacError::Mismatch)
        }
    }
}

/// Whether two `mac` fields, each with its moment, hold the same MAC.
#[must_use]
pub fn are_same(cipher: &mut Cipher, one: (&str, OffsetDateTime), other: (&str, OffsetDateTime)) -> bool {
    let mut open = |(field, moment): (&str, OffsetDateTime)| {
        cipher.decrypt(field.as_bytes(), &additional_data(moment)).ok().map(|opened| opened.bytes)
    };
    match (open(one), open(other)) {
        (Some(one), Some(other)) => one.expose().ct_eq(other.expose()).into(),
        _ => false,
    }
}

/// The additional data of the `mac` field: `lastmodified` with whole seconds, in its own offset.
#[must_use]
pub fn additional_data(last_modified: OffsetDateTime) -> Vec<u8> {
    let mut aad = Vec::with_capacity(25);
    // What cannot be written was never read; empty additional data then authenticates nothing.
    let _ = timestamp::write_seconds(last_modified, &mut aad);
    aad
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::{Mac, MacError, additional_data};
    use crate::crypto::cipher::{Cipher, CipherError};
    use crate::crypto::data_key::DataKey;
    use crate::crypto::plaintext::DataType;
    use crate::crypto::timestamp;

    const WHEN: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    fn cipher() -> Cipher {
        Cipher::new(&DataKey::new(vec![7; 32].into()).expect("a key"))
    }

    fn field(mac: &str, kind: DataType) -> String {
        let text = cipher().encrypt(kind, mac.as_bytes(), &[3; 32], &additional_data(WHEN)).expect("short");
        String::from_utf8(text).expect("ASCII")
    }

    #[test]
    fn the_text_is_upper_case_sha_512() {
        let mut mac = Mac::new(false);
        mac.update(b"a");
        mac.update(b"bc");
        let text = mac.finish();
        assert!(
            text.starts_with("DDAF35A193617ABACC417349AE204131") && text.len() == 128,
            "FIPS 180-4, `abc`"
        );
    }

    #[test]
    fn the_two_scopes_never_agree() {
        assert_ne!(*Mac::new(false).finish(), *Mac::new(true).finish());
    }

    #[test]
    fn tells_missing_from_undecryptable_from_different() {
        let verify = |field: &str, when| Mac::new(false).verify(&mut cipher(), field, when);
        let right = Mac::new(false).finish();
        assert_eq!(verify(&field(&right, DataType::Str), WHEN), Ok(()));
        assert_eq!(verify("", WHEN), Err(MacError::Missing));
        assert_eq!(verify("foo", WHEN), Err(MacError::Undecryptable(CipherError::NoEnvelope)));
        assert_eq!(verify(&field(&right.to_lowercase(), DataType::Str), WHEN), Err(MacError::Mismatch));
        assert_eq!(verify(&field(&right, DataType::Comment), WHEN), Err(MacError::Mismatch));
        let later = WHEN + time::Duration::seconds(1);
        let failed = MacError::Undecryptable(CipherError::Authentication);
        assert_eq!(verify(&field(&right, DataType::Str), later), Err(failed));
    }

    #[test]
    fn fractions_and_the_spelling_of_utc_do_not_matter() {
        let with = |text: &[u8]| additional_data(timestamp::parse(text).expect("a moment"));
        assert_eq!(with(b"2020-01-02T03:04:05.7+00:00"), b"2020-01-02T03:04:05Z");
        assert_eq!(with(b"2020-01-02T03:04:05-07:00"), b"2020-01-02T03:04:05-07:00");
    }
}
