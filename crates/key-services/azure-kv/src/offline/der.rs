//! The few forms of DER in an RSA public key (RFC 5280 `SubjectPublicKeyInfo`, RFC 8017 `RSAPublicKey`).

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;

/// `AlgorithmIdentifier` of `rsaEncryption`, parameters null.
const RSA_ENCRYPTION: [u8; 15] =
    [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];

/// The `SubjectPublicKeyInfo` of an RSA key; both numbers big-endian without leading zeros.
pub(crate) fn write(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    let numbers = [integer(modulus), integer(exponent)].concat();
    // No unused bits.
    let bits = [vec![0], element(SEQUENCE, &numbers)].concat();
    element(SEQUENCE, &[RSA_ENCRYPTION.to_vec(), element(BIT_STRING, &bits)].concat())
}

/// Modulus and exponent of a `SubjectPublicKeyInfo`; `None` if it is none of an RSA key.
pub(crate) fn read(info: &[u8]) -> Option<(&[u8], &[u8])> {
    let (body, rest) = open(info, SEQUENCE)?;
    let (bits, after) = open(body.strip_prefix(&RSA_ENCRYPTION)?, BIT_STRING)?;
    let (numbers, behind) = open(bits.strip_prefix(&[0])?, SEQUENCE)?;
    let (modulus, numbers) = open(numbers, INTEGER)?;
    let (exponent, end) = open(numbers, INTEGER)?;
    [rest, after, behind, end].iter().all(|left| left.is_empty()).then_some((modulus, exponent))
}

fn integer(number: &[u8]) -> Vec<u8> {
    // A leading one bit would make it negative.
    let sign: &[u8] = if number.first().is_none_or(|first| *first >= 0x80) { &[0] } else { &[] };
    element(INTEGER, &[sign, number].concat())
}

fn element(tag: u8, body: &[u8]) -> Vec<u8> {
    let length = body.len().to_be_bytes();
    let length = &length[length.iter().take_while(|byte| **byte == 0).count()..];
    let mut whole = vec![tag];
    match body.len() {
        0..=0x7f => whole.push(length.first().copied().unwrap_or_default()),
        _ => {
            // A length has eight bytes at most.
            whole.push(0x80 | u8::try_from(length.len()).unwrap_or_default());
            whole.extend_from_slice(length);
        }
    }
    whole.extend_from_slice(body);
    whole
}

/// The body of the first element, which must have this tag, and what stands behind it.
fn open(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (length, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    (found == tag).then(|| rest.split_at_checked(length)).flatten()
}

#[cfg(test)]
mod tests {
    use super::{read, write};

    #[test]
    fn what_is_written_is_read() {
        for size in [1, 127, 128, 255, 256, 257, 512] {
            let mut modulus = vec![0x9f; size];
            modulus[0] = 0xff;
            let info = write(&modulus, &[1, 0, 1]);
            let (found, exponent) = read(&info).expect("an RSA key");
            // With the sign.
            assert_eq!((&found[1..], exponent), (modulus.as_slice(), &[1, 0, 1][..]));
        }
    }

    #[test]
    fn anything_else_is_none() {
        let info = write(&[0xff; 256], &[1, 0, 1]);
        for end in 0..info.len() {
            assert_eq!(read(&info[..end]), None, "cut at {end}");
        }
        assert_eq!(read(&[info.as_slice(), &[0]].concat()), None, "more behind it");
        let mut other = info;
        other[18] ^= 1;
        assert_eq!(read(&other), None, "another algorithm");
        assert_eq!(read(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]), None);
    }
}
