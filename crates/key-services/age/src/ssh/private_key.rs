//! Reading ssh private keys: OpenSSH's form, and the older PEM ones.

use std::sync::Arc;

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rsa::{OaepPrivateDecryptingKey, PrivateDecryptingKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use curve25519_dalek::edwards::EdwardsPoint;
use ksops_core::crypto::key_der::{self as der, RsaNumbers};
use sha2::{Digest, Sha512};
use ssh_key::private::KeypairData;
use x25519_dalek::StaticSecret;
use zeroize::Zeroizing;

use crate::joint::Open;
use crate::ssh::identity::{LockedSshIdentity, SshIdentity, SshSecret};
use crate::ssh::public_key::SshPublicKey;

/// A key file that was read.
pub(crate) enum SshKeyFile {
    /// It can be used.
    Plain(SshIdentity),
    /// It is under a passphrase.
    Locked(Box<(SshPublicKey, ssh_key::PrivateKey)>),
}

impl SshKeyFile {
    /// The identity in it. `name` is what the user is asked for.
    pub(crate) fn into_identity(self, name: String) -> Arc<dyn Open> {
        match self {
            Self::Plain(identity) => Arc::new(identity),
            Self::Locked(parts) => Arc::new(LockedSshIdentity::new(parts.0, parts.1, name)),
        }
    }
}

/// Reads the text of a private key file.
///
/// # Errors
/// What is wrong with it, without any of its content.
pub(crate) fn read(text: &[u8]) -> Result<SshKeyFile, String> {
    let text = std::str::from_utf8(text).map_err(|_| "ssh: no key found".to_owned())?;
    let (label, body) = pem(text).ok_or("ssh: no key found")?;
    match label {
        "OPENSSH PRIVATE KEY" => read_openssh(text),
        "RSA PRIVATE KEY" if body.contains("ENCRYPTED") => Err(OLD_ENCRYPTED.to_owned()),
        "ENCRYPTED PRIVATE KEY" => Err(OLD_ENCRYPTED.to_owned()),
        "RSA PRIVATE KEY" => Ok(SshKeyFile::Plain(from_pkcs8(&der::wrap_pkcs1(&decode(body)?))?)),
        "PRIVATE KEY" => {
            let der = decode(body)?;
            let identity = match der::ed25519_seed(&der) {
                Some(seed) => from_seed(&seed),
                None => from_pkcs8(&der)?,
            };
            Ok(SshKeyFile::Plain(identity))
        }
        _ => Err(format!("unsupported SSH identity type: {label}; ssh-ed25519 and ssh-rsa keys can be used")),
    }
}

const OLD_ENCRYPTED: &str = "it is under a passphrase in an old form of PEM, which this program does not read; \
                             `ssh-keygen -p -f FILE` writes it in the form of today, with the same passphrase";

/// The label of the first PEM block and what is between its lines.
fn pem(text: &str) -> Option<(&str, &str)> {
    let (_, rest) = text.split_once("-----BEGIN ")?;
    let (label, rest) = rest.split_once("-----")?;
    let (body, _) = rest.split_once("-----END ")?;
    Some((label, body))
}

fn decode(body: &str) -> Result<Zeroizing<Vec<u8>>, String> {
    // Grown once, so that no copy is left behind.
    let mut packed = Zeroizing::new(String::with_capacity(body.len()));
    packed.extend(body.chars().filter(|sign| !sign.is_ascii_whitespace()));
    let mut bytes = Zeroizing::new(Vec::with_capacity(packed.len()));
    STANDARD
        .decode_vec(packed.as_bytes(), &mut bytes)
        .map_err(|_| "ssh: the key is not in base64".to_owned())?;
    Ok(bytes)
}

fn read_openssh(text: &str) -> Result<SshKeyFile, String> {
    let key = ssh_key::PrivateKey::from_openssh(text)
        .map_err(|error| format!("ssh: it is not a key of ssh-ed25519 or ssh-rsa in order: {error}"))?;
    if !key.is_encrypted() {
        return from_parsed(&key).map(SshKeyFile::Plain);
    }
    let wire = key.public_key().to_bytes().map_err(|error| format!("ssh: {error}"))?;
    let public = SshPublicKey::from_wire(&wire).map_err(|why| unsupported(&key, why))?;
    Ok(SshKeyFile::Locked(Box::new((public, key))))
}

fn unsupported(key: &ssh_key::PrivateKey, why: &str) -> String {
    format!("unsupported SSH identity type: {}: {why}", key.algorithm())
}

/// The identity of a key that is not under a passphrase.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn from_parsed(key: &ssh_key::PrivateKey) -> Result<SshIdentity, String> {
    match key.key_data() {
        KeypairData::Ed25519(pair) => Ok(from_seed(&Zeroizing::new(pair.private.to_bytes()))),
        KeypairData::Rsa(pair) => {
            let numbers = RsaNumbers {
                modulus: pair.public.n.as_bytes(),
                exponent: pair.public.e.as_bytes(),
                private: pair.private.d.as_bytes(),
                inverse: pair.private.iqmp.as_bytes(),
                first_prime: strip(pair.private.p.as_bytes()),
                second_prime: strip(pair.private.q.as_bytes()),
            };
            from_pkcs8(&der::private_key(&numbers))
        }
        _ => Err(unsupported(key, "ssh-ed25519 and ssh-rsa keys can be used")),
    }
}

/// Without the zero that says that a number is positive.
fn strip(number: &[u8]) -> &[u8] {
    number.strip_prefix(&[0]).unwrap_or(number)
}

fn from_seed(seed: &[u8; 32]) -> SshIdentity {
    let mut hash = Zeroizing::new([0_u8; 64]);
    hash.copy_from_slice(&Sha512::digest(seed));
    let mut scalar = Zeroizing::new([0_u8; 32]);
    scalar.copy_from_slice(&hash[..32]);
    let point = EdwardsPoint::mul_base_clamped(*scalar).compress().to_bytes();
    SshIdentity {
        public: SshPublicKey::ed25519(point),
        secret: SshSecret::Ed25519(StaticSecret::from(*scalar)),
    }
}

fn from_pkcs8(pkcs8: &[u8]) -> Result<SshIdentity, String> {
    let refused =
        |_| "ssh: the RSA key is refused: its numbers do not fit, or it has not 2048 to 8192 bits".to_owned();
    let key = PrivateDecryptingKey::from_pkcs8(pkcs8).map_err(|_| refused(()))?;
    let public: PublicKeyX509Der<'_> = key.public_key().as_der().map_err(|_| refused(()))?;
    let (modulus, exponent) = der::public_numbers(public.as_ref()).ok_or_else(|| refused(()))?;
    let public = SshPublicKey::rsa(modulus, exponent)?;
    let secret = OaepPrivateDecryptingKey::new(key).map_err(|_| refused(()))?;
    Ok(SshIdentity { public, secret: SshSecret::Rsa(Box::new(secret)) })
}

#[cfg(test)]
mod tests;
