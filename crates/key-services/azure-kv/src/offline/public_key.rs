//! The public half of an RSA key: checked, named by its fingerprint, and used to encrypt a data key as the vault does.

use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PublicEncryptingKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ksops_core::secret::SecretBytes;
use sha2::{Digest, Sha256};

use crate::offline::der;

/// The smallest modulus in bits.
const MIN_BITS: usize = 2048;

/// An RSA public key that may be used. Both numbers are big-endian without leading zeros.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

/// Why a public key is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PublicKeyError {
    /// No `SubjectPublicKeyInfo` of an RSA key.
    #[error("it is no RSA public key")]
    NotRsa,
    /// The modulus is too short: its length in bits.
    #[error("its modulus has {0} bits, and 2048 are the least")]
    Short(usize),
    /// The numbers cannot be those of an RSA key.
    #[error("its modulus or exponent cannot be that of an RSA key")]
    Impossible,
    /// The cryptographic library refuses it.
    #[error("it cannot be used")]
    Refused,
}

impl PublicKey {
    /// A key of these numbers, big-endian.
    ///
    /// # Errors
    /// [`PublicKeyError`] if they make no key that is strong enough.
    pub fn new(modulus: &[u8], exponent: &[u8]) -> Result<Self, PublicKeyError> {
        let (modulus, exponent) = (bare(modulus), bare(exponent));
        let is_odd = |number: &[u8]| number.last().is_some_and(|last| last % 2 == 1);
        let zeros = modulus.first().map_or(0, |first| first.leading_zeros() as usize);
        let bits = modulus.len() * 8 - zeros;
        if bits < MIN_BITS {
            return Err(PublicKeyError::Short(bits));
        }
        if !is_odd(modulus) || !is_odd(exponent) || exponent == [1] {
            return Err(PublicKeyError::Impossible);
        }
        let key = Self { modulus: modulus.to_vec(), exponent: exponent.to_vec() };
        key.encrypting().map(|_| key.clone())
    }

    /// Reads a `SubjectPublicKeyInfo` in DER.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn from_der(info: &[u8]) -> Result<Self, PublicKeyError> {
        let (modulus, exponent) = der::read(info).ok_or(PublicKeyError::NotRsa)?;
        Self::new(modulus, exponent)
    }

    /// The modulus as base64url, the form of a JWK.
    #[must_use]
    pub fn modulus(&self) -> String {
        URL_SAFE_NO_PAD.encode(&self.modulus)
    }

    /// The exponent as base64url.
    #[must_use]
    pub fn exponent(&self) -> String {
        URL_SAFE_NO_PAD.encode(&self.exponent)
    }

    /// The thumbprint of RFC 7638: SHA-256 of the JWK in its canonical form, as base64url.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        let jwk = format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, self.exponent(), self.modulus());
        URL_SAFE_NO_PAD.encode(Sha256::digest(jwk))
    }

    /// Encrypts by RSA-OAEP with SHA-256, and gives base64url without padding, as long as the modulus: what the vault
    /// would give (key-services.md section 2.3).
    ///
    /// # Errors
    /// [`PublicKeyError::Refused`] if `plain` is longer than the key can take, or there is no randomness.
    pub fn encrypt(&self, plain: &SecretBytes) -> Result<String, PublicKeyError> {
        let key = self.encrypting()?;
        let mut cipher = vec![0; key.ciphertext_size()];
        let length = key
            .encrypt(&OAEP_SHA256_MGF1SHA256, plain.expose(), &mut cipher, None)
            .map_err(|_| PublicKeyError::Refused)?
            .len();
        cipher.truncate(length);
        Ok(URL_SAFE_NO_PAD.encode(cipher))
    }

    fn encrypting(&self) -> Result<OaepPublicEncryptingKey, PublicKeyError> {
        let info = der::write(&self.modulus, &self.exponent);
        let key = PublicEncryptingKey::from_der(&info).map_err(|_| PublicKeyError::Refused)?;
        OaepPublicEncryptingKey::new(key).map_err(|_| PublicKeyError::Refused)
    }
}

fn bare(number: &[u8]) -> &[u8] {
    &number[number.iter().take_while(|byte| **byte == 0).count()..]
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::encoding::AsDer;
    use aws_lc_rs::rsa::{KeySize, OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, PrivateDecryptingKey};
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use ksops_core::secret::SecretBytes;

    use super::{PublicKey, PublicKeyError};

    #[test]
    fn the_private_half_opens_what_was_encrypted() {
        let private = PrivateDecryptingKey::generate(KeySize::Rsa2048).expect("a key");
        let info = private.public_key().as_der().expect("DER");
        let key = PublicKey::from_der(info.as_ref()).expect("an RSA key");
        let text = key.encrypt(&SecretBytes::new(vec![7; 32])).expect("encrypted");
        let cipher = URL_SAFE_NO_PAD.decode(text).expect("base64url");
        assert_eq!(cipher.len(), 256);
        let private = OaepPrivateDecryptingKey::new(private).expect("a key");
        let mut plain = vec![0; 256];
        let plain = private.decrypt(&OAEP_SHA256_MGF1SHA256, &cipher, &mut plain, None).expect("decrypted");
        assert_eq!(plain, [7; 32]);
        assert_eq!(key.encrypt(&SecretBytes::new(vec![7; 250])), Err(PublicKeyError::Refused));
    }

    #[test]
    fn the_thumbprint_is_that_of_rfc_7638() {
        // The example of the RFC's section 3.1.
        let modulus = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWK\
            RXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9\
            c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csF\
            Cur-kEgU8awapJzKnqDKgw";
        let modulus = URL_SAFE_NO_PAD.decode(modulus).expect("base64url");
        let key = PublicKey::new(&modulus, &[1, 0, 1]).expect("a key");
        assert_eq!(key.thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }

    #[test]
    fn weak_and_impossible_keys_are_refused() {
        let mut modulus = vec![0xff; 256];
        assert_eq!(PublicKey::new(&modulus[1..], &[1, 0, 1]), Err(PublicKeyError::Short(2040)));
        for exponent in [&[1][..], &[2], &[0], &[]] {
            assert_eq!(PublicKey::new(&modulus, exponent), Err(PublicKeyError::Impossible), "{exponent:?}");
        }
        modulus[255] = 2;
        assert_eq!(PublicKey::new(&modulus, &[1, 0, 1]), Err(PublicKeyError::Impossible));
        assert_eq!(PublicKey::from_der(b"no key"), Err(PublicKeyError::NotRsa));
    }
}
