//! The session key of a message, out of the packet that holds it for a key.

use aws_lc_rs::agreement::{
    Algorithm, ECDH_P256, ECDH_P384, ECDH_P521, PrivateKey, UnparsedPublicKey, X25519, agree,
};
use aws_lc_rs::digest::{self, SHA256, SHA384, SHA512};
use aws_lc_rs::key_wrap::{AES_128, AES_256, AesKek, KeyWrap};
use aws_lc_rs::rsa::{Pkcs1PrivateDecryptingKey, PrivateDecryptingKey};
use zeroize::Zeroizing;

use crate::native::packet::Fields;
use crate::native::ring::{SecretKey, SecretKind};

const CURVE25519: [u8; 10] = [0x2b, 0x06, 0x01, 0x04, 0x01, 0x97, 0x55, 0x01, 0x05, 0x01];
const P256: [u8; 8] = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const P384: [u8; 5] = [0x2b, 0x81, 0x04, 0x00, 0x22];
const P521: [u8; 5] = [0x2b, 0x81, 0x04, 0x00, 0x23];

/// A key for the message itself.
pub(crate) struct SessionKey {
    /// The number of the cipher.
    pub(crate) cipher: u8,
    /// The key.
    pub(crate) key: Zeroizing<Vec<u8>>,
}

/// A packet with a session key.
pub(crate) struct Sealed<'a> {
    /// For which key; `None` if the message does not say.
    pub(crate) id: Option<[u8; 8]>,
    algorithm: u8,
    rest: Fields<'a>,
}

impl<'a> Sealed<'a> {
    /// Reads the packet; `None` for another version.
    pub(crate) fn read(body: &'a [u8]) -> Option<Self> {
        let mut rest = Fields(body);
        if rest.byte()? != 3 {
            return None;
        }
        let id = <[u8; 8]>::try_from(rest.take(8)?).ok()?;
        let algorithm = rest.byte()?;
        Some(Self { id: (id != [0; 8]).then_some(id), algorithm, rest })
    }

    /// Opens it with a key; `None` if it is not for this key or was changed.
    pub(crate) fn open(&self, key: &SecretKey) -> Option<SessionKey> {
        let mut rest = self.rest;
        match (&key.kind, self.algorithm) {
            (SecretKind::Rsa(pkcs8, length), 1 | 2) => {
                let private = PrivateDecryptingKey::from_pkcs8(pkcs8).ok()?;
                let private = Pkcs1PrivateDecryptingKey::new(private).ok()?;
                let number = rest.large()?;
                let mut block = vec![0; length.checked_sub(number.len())?];
                block.extend_from_slice(number);
                let mut plain = Zeroizing::new(vec![0; private.min_output_size()]);
                parsed(private.decrypt(&block, &mut plain).ok()?)
            }
            (SecretKind::Ecdh { curve, derivation, scalar }, 18) => {
                let point = rest.large()?;
                let wrapped = rest.counted()?;
                let Pair { algorithm, private, point } = pair(curve, scalar, point)?;
                let private = PrivateKey::from_private_key(algorithm, &private).ok()?;
                let parameters = parameters(curve, *derivation, &key.fingerprint);
                let point = UnparsedPublicKey::new(algorithm, point);
                let wrapping =
                    agree(&private, point, (), |shared| derived(*derivation, shared, &parameters).ok_or(()));
                parsed_padded(&unwrapped(&wrapping.ok()?, wrapped)?)
            }
            _ => None,
        }
    }
}

/// A curve, and both halves in the forms that it takes.
struct Pair<'a> {
    algorithm: &'static Algorithm,
    private: Zeroizing<Vec<u8>>,
    point: &'a [u8],
}

fn pair<'a>(curve: &[u8], scalar: &[u8], point: &'a [u8]) -> Option<Pair<'a>> {
    let (algorithm, length): (&'static Algorithm, usize) = match curve {
        _ if curve == CURVE25519 => (&X25519, 32),
        _ if curve == P256 => (&ECDH_P256, 32),
        _ if curve == P384 => (&ECDH_P384, 48),
        _ if curve == P521 => (&ECDH_P521, 66),
        _ => return None,
    };
    let mut private = Zeroizing::new(vec![0; length.checked_sub(scalar.len())?]);
    private.reserve_exact(scalar.len());
    private.extend_from_slice(scalar);
    if curve != CURVE25519 {
        return Some(Pair { algorithm, private, point });
    }
    // This curve has its numbers the other way round, and its points behind a sign.
    private.reverse();
    Some(Pair { algorithm, private, point: point.strip_prefix(&[0x40])? })
}

/// What the wrapping key is bound to (RFC 6637 section 8).
fn parameters(curve: &[u8], (hash, cipher): (u8, u8), fingerprint: &[u8; 20]) -> Vec<u8> {
    let mut found = vec![curve.len().to_le_bytes()[0]];
    found.extend_from_slice(curve);
    found.extend_from_slice(&[18, 3, 1, hash, cipher]);
    found.extend_from_slice(b"Anonymous Sender    ");
    found.extend_from_slice(fingerprint);
    found
}

fn derived((hash, cipher): (u8, u8), shared: &[u8], parameters: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let algorithm = match hash {
        8 => &SHA256,
        9 => &SHA384,
        10 => &SHA512,
        _ => return None,
    };
    let length = match cipher {
        7 => 16,
        9 => 32,
        _ => return None,
    };
    let text = Zeroizing::new([&[0, 0, 0, 1], shared, parameters].concat());
    Some(Zeroizing::new(digest::digest(algorithm, &text).as_ref().get(..length)?.to_vec()))
}

fn unwrapped(wrapping: &[u8], wrapped: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let cipher = if wrapping.len() == 16 { &AES_128 } else { &AES_256 };
    let mut plain = Zeroizing::new(vec![0; wrapped.len()]);
    let length = AesKek::new(cipher, wrapping).ok()?.unwrap(wrapped, &mut plain).ok()?.len();
    plain.truncate(length);
    Some(plain)
}

/// A session key behind the number of its cipher, with a sum behind it.
fn parsed(plain: &[u8]) -> Option<SessionKey> {
    let (key, sum) = plain.split_last_chunk::<2>()?;
    let (cipher, key) = key.split_first()?;
    let found = key.iter().fold(0_u16, |sum, byte| sum.wrapping_add(u16::from(*byte)));
    (found.to_be_bytes() == *sum).then(|| SessionKey { cipher: *cipher, key: Zeroizing::new(key.to_vec()) })
}

/// The same with padding: each byte of it says how long it is.
fn parsed_padded(plain: &[u8]) -> Option<SessionKey> {
    let count = usize::from(*plain.last()?);
    let (plain, padding) = plain.split_at_checked(plain.len().checked_sub(count)?)?;
    let is_padding = !padding.is_empty() && padding.iter().all(|byte| usize::from(*byte) == count);
    parsed(plain).filter(|_| is_padding)
}
