//! Secret keys as GnuPG exports them: transferable keys of version 4, without a passphrase.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use ksops_core::crypto::key_der::{RsaNumbers, private_key};
use zeroize::Zeroizing;

use crate::native::armour;
use crate::native::packet::{Fields, Packet, packets};

/// A primary secret key, and a subkey of one.
const SECRET: [u8; 2] = [5, 7];
const RSA: [u8; 3] = [1, 2, 3];
const ECDH: u8 = 18;

/// A secret key that can decrypt.
pub(crate) struct SecretKey {
    /// The last eight bytes of the fingerprint, by which messages name it.
    pub(crate) id: [u8; 8],
    pub(crate) fingerprint: [u8; 20],
    pub(crate) kind: SecretKind,
}

/// What decrypts.
pub(crate) enum SecretKind {
    /// An RSA key, as PKCS#8, and the length of its modulus.
    Rsa(Zeroizing<Vec<u8>>, usize),
    /// A key on a curve.
    Ecdh {
        /// Its curve, as the bytes of an object identifier.
        curve: Vec<u8>,
        /// The number of the hash that makes the wrapping key, and that of the cipher.
        derivation: (u8, u8),
        /// The number, big-endian.
        scalar: Zeroizing<Vec<u8>>,
    },
    /// A key under a passphrase, or without its secret part.
    Locked,
}

/// Reads all keys of a file that could decrypt. `None` if it holds no OpenPGP packets.
pub(crate) fn read(file: &[u8]) -> Option<Vec<SecretKey>> {
    let packets = packets(&armour::bytes(file)?)?;
    // Keys of other kinds and versions are passed over.
    Some(packets.iter().filter(|packet| SECRET.contains(&packet.tag)).filter_map(secret_key).collect())
}

fn secret_key(packet: &Packet) -> Option<SecretKey> {
    let body = packet.body.as_slice();
    let mut fields = Fields(body);
    if fields.byte()? != 4 {
        return None;
    }
    fields.take(4)?;
    let algorithm = fields.byte()?;
    let public = match algorithm {
        _ if RSA.contains(&algorithm) => Public::Rsa(fields.large()?, fields.large()?),
        ECDH => {
            let curve = fields.counted()?;
            fields.large()?;
            let [1, hash, cipher] = *fields.counted()? else { return None };
            Public::Ecdh(curve, (hash, cipher))
        }
        _ => return None,
    };
    let public_part = &body[..body.len() - fields.0.len()];
    let length = u16::try_from(public_part.len()).ok()?.to_be_bytes();
    let text = [&[0x99], length.as_slice(), public_part].concat();
    let fingerprint = <[u8; 20]>::try_from(digest(&SHA1_FOR_LEGACY_USE_ONLY, &text).as_ref()).ok()?;
    let id = <[u8; 8]>::try_from(&fingerprint[12..]).ok()?;
    let kind = match fields.byte()? {
        0 => open_part(&public, fields)?,
        _ => SecretKind::Locked,
    };
    Some(SecretKey { id, fingerprint, kind })
}

enum Public<'a> {
    Rsa(&'a [u8], &'a [u8]),
    Ecdh(&'a [u8], (u8, u8)),
}

fn open_part(public: &Public<'_>, mut fields: Fields<'_>) -> Option<SecretKind> {
    let sum = fields.0.split_last_chunk::<2>()?;
    let expected = sum.0.iter().fold(0_u16, |sum, byte| sum.wrapping_add(u16::from(*byte)));
    if expected.to_be_bytes() != *sum.1 {
        return None;
    }
    Some(match public {
        Public::Rsa(modulus, exponent) => {
            let (private, p, q) = (fields.large()?, fields.large()?, fields.large()?);
            // OpenPGP has the inverse of `p` modulo `q`, so they change places.
            let numbers = RsaNumbers {
                modulus,
                exponent,
                private,
                inverse: fields.large()?,
                first_prime: q,
                second_prime: p,
            };
            SecretKind::Rsa(private_key(&numbers), modulus.len())
        }
        Public::Ecdh(curve, derivation) => SecretKind::Ecdh {
            curve: curve.to_vec(),
            derivation: *derivation,
            scalar: Zeroizing::new(fields.large()?.to_vec()),
        },
    })
}
