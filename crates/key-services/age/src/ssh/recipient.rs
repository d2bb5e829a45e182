//! Encrypting to ssh public keys: stanzas `ssh-ed25519` and `ssh-rsa`.

use age::secrecy::ExposeSecret;
use age_core::format::{FileKey, Stanza};
use age_core::primitives::{aead_encrypt, hkdf};
use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PublicEncryptingKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use curve25519_dalek::edwards::CompressedEdwardsY;
use ksops_core::crypto::key_der as der;
use ksops_core::keys::key_service::KeyServiceError;
use rand::rngs::OsRng;
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

use crate::joint::Wrap;
use crate::ssh::public_key::{SshKey, SshPublicKey};

/// What binds the wrapping to its purpose.
pub(crate) const ED25519_LABEL: &[u8] = b"age-encryption.org/v1/ssh-ed25519";
/// The same for RSA.
pub(crate) const RSA_LABEL: &[u8] = b"age-encryption.org/v1/ssh-rsa";

/// The Montgomery form of an ed25519 key; `None` if it is no point of the curve.
pub(crate) fn montgomery(point: &[u8; 32]) -> Option<PublicKey> {
    Some(PublicKey::from(CompressedEdwardsY(*point).decompress()?.to_montgomery().to_bytes()))
}

/// The key under which a file key is wrapped.
pub(crate) fn wrapping_key(
    wire: &[u8],
    shared: &[u8; 32],
    ephemeral: &PublicKey,
    theirs: &PublicKey,
) -> Zeroizing<[u8; 32]> {
    let tweak = StaticSecret::from(hkdf(wire, ED25519_LABEL, &[]));
    let shared = tweak.diffie_hellman(&PublicKey::from(*shared));
    let salt = [ephemeral.as_bytes().as_slice(), theirs.as_bytes()].concat();
    Zeroizing::new(hkdf(&salt, ED25519_LABEL, shared.as_bytes()))
}

impl Wrap for SshPublicKey {
    fn wrap(&self, file_key: &FileKey) -> Result<Vec<Stanza>, KeyServiceError> {
        let invalid = |what: &str| KeyServiceError::new(format!("invalid ssh public key: {what}"));
        let stanza = match &self.key {
            SshKey::Ed25519(point) => {
                let theirs = montgomery(point).ok_or_else(|| invalid("it is no point of the curve"))?;
                let ephemeral = StaticSecret::random_from_rng(OsRng);
                let ours = PublicKey::from(&ephemeral);
                let shared = ephemeral.diffie_hellman(&theirs);
                if !shared.was_contributory() {
                    return Err(invalid("a point of low order"));
                }
                let key = wrapping_key(&self.wire, shared.as_bytes(), &ours, &theirs);
                Stanza {
                    tag: self.kind().to_owned(),
                    args: vec![self.tag(), STANDARD_NO_PAD.encode(ours.as_bytes())],
                    body: aead_encrypt(&key, file_key.expose_secret()),
                }
            }
            SshKey::Rsa { modulus, exponent } => {
                let public = PublicEncryptingKey::from_der(&der::public_key(modulus, exponent))
                    .ok()
                    .and_then(|key| OaepPublicEncryptingKey::new(key).ok())
                    .ok_or_else(|| invalid("the RSA numbers are refused; 2048 to 8192 bits are possible"))?;
                let mut body = vec![0; public.ciphertext_size()];
                let written = public
                    .encrypt(&OAEP_SHA256_MGF1SHA256, file_key.expose_secret(), &mut body, Some(RSA_LABEL))
                    .map_err(|_| KeyServiceError::new("encrypting with the ssh-rsa key failed"))?
                    .len();
                body.truncate(written);
                Stanza { tag: self.kind().to_owned(), args: vec![self.tag()], body }
            }
        };
        Ok(vec![stanza])
    }
}
