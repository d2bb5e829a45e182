//! The message under its session key: AES in CFB with a modification check, compressed or not.

use aws_lc_rs::cipher::{AES_128, AES_192, AES_256, DecryptingKey, DecryptionContext, UnboundCipherKey};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use aws_lc_rs::iv::FixedLength;
use miniz_oxide::inflate::{decompress_to_vec_with_limit, decompress_to_vec_zlib_with_limit};
use zeroize::Zeroizing;

use crate::native::packet::{Fields, packets};
use crate::native::session::SessionKey;

/// The most that a message may hold; a data key has 32 bytes.
const LIMIT: usize = 64 * 1024;
const BLOCK: usize = 16;
/// The packet with the hash: its head, and a SHA-1 sum.
const CHECK: usize = 22;
const COMPRESSED: u8 = 8;
const LITERAL: u8 = 11;

/// Decrypts the body of an encrypted packet behind its version.
///
/// # Errors
/// What is wrong, without any of the content.
pub(crate) fn decrypt(body: &[u8], session: &SessionKey) -> Result<Zeroizing<Vec<u8>>, &'static str> {
    const CHANGED: &str = "the message was changed";
    let cipher = match session.cipher {
        7 => &AES_128,
        8 => &AES_192,
        9 => &AES_256,
        _ => return Err("its cipher is not AES"),
    };
    let key = UnboundCipherKey::new(cipher, &session.key).map_err(|_| CHANGED)?;
    let key = DecryptingKey::cfb128(key).map_err(|_| CHANGED)?;
    let mut text = Zeroizing::new(body.to_vec());
    // A random block stands in front instead of a vector.
    let none = DecryptionContext::Iv128(FixedLength::from([0; BLOCK]));
    key.decrypt(&mut text, none).map_err(|_| CHANGED)?;
    let (hashed, sum) = text.split_last_chunk::<20>().ok_or(CHANGED)?;
    let found = digest(&SHA1_FOR_LEGACY_USE_ONLY, hashed);
    verify_slices_are_equal(found.as_ref(), sum).map_err(|_| CHANGED)?;
    let content = text.get(BLOCK + 2..text.len() - CHECK).ok_or(CHANGED)?;
    if text.get(text.len() - CHECK..text.len() - 20) != Some(&[0xd3, 0x14]) {
        return Err(CHANGED);
    }
    literal(content)
}

/// The data in a literal packet, which may be compressed once.
fn literal(content: &[u8]) -> Result<Zeroizing<Vec<u8>>, &'static str> {
    const MALFORMED: &str = "what the message holds is not in order";
    let inner = packets(content).ok_or(MALFORMED)?;
    let [packet] = inner.as_slice() else { return Err(MALFORMED) };
    if packet.tag == LITERAL {
        return data(&packet.body).ok_or(MALFORMED);
    }
    let (algorithm, compressed) = packet.body.split_first().ok_or(MALFORMED)?;
    if packet.tag != COMPRESSED {
        return Err("the message holds something else than data");
    }
    let inflated = match algorithm {
        0 => Ok(compressed.to_vec()),
        1 => decompress_to_vec_with_limit(compressed, LIMIT),
        2 => decompress_to_vec_zlib_with_limit(compressed, LIMIT),
        _ => return Err("the message is compressed in a way that is not known here"),
    };
    let inflated = Zeroizing::new(inflated.map_err(|_| MALFORMED)?);
    let inner = packets(&inflated).ok_or(MALFORMED)?;
    match inner.as_slice() {
        [packet] if packet.tag == LITERAL => data(&packet.body).ok_or(MALFORMED),
        _ => Err(MALFORMED),
    }
}

fn data(body: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut fields = Fields(body);
    fields.byte()?;
    fields.counted()?;
    fields.take(4)?;
    Some(Zeroizing::new(fields.0.to_vec()))
}
