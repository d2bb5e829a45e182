//! The little of DER that RSA keys need on their way from the forms of ssh and OpenPGP to the one that crypto libraries read.
//!
//! Here, because more than one key service needs it and none may know another.

use zeroize::Zeroizing;

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const SEQUENCE: u8 = 0x30;
/// `rsaEncryption` with its empty parameters.
const RSA_ALGORITHM: [u8; 15] =
    [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
/// A version that says zero.
const VERSION: [u8; 3] = [INTEGER, 1, 0];

/// The numbers of a private key as ssh and OpenPGP keep them, big-endian.
pub struct RsaNumbers<'a> {
    /// The modulus.
    pub modulus: &'a [u8],
    /// The public exponent.
    pub exponent: &'a [u8],
    /// The private exponent.
    pub private: &'a [u8],
    /// The inverse of the second prime modulo the first.
    pub inverse: &'a [u8],
    /// A prime.
    pub first_prime: &'a [u8],
    /// The other prime.
    pub second_prime: &'a [u8],
}

/// A public key as SubjectPublicKeyInfo.
#[must_use]
pub fn public_key(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    let mut numbers = integer(modulus).to_vec();
    numbers.extend_from_slice(&integer(exponent));
    let mut bits = vec![0];
    bits.extend_from_slice(&element(SEQUENCE, &numbers));
    let mut key = RSA_ALGORITHM.to_vec();
    key.extend_from_slice(&element(BIT_STRING, &bits));
    element(SEQUENCE, &key).to_vec()
}

/// Modulus and exponent of a SubjectPublicKeyInfo.
#[must_use]
pub fn public_numbers(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut key = take(&mut &*der, SEQUENCE)?;
    take(&mut key, SEQUENCE)?;
    let mut bits = take(&mut key, BIT_STRING)?.strip_prefix(&[0])?;
    let mut numbers = take(&mut bits, SEQUENCE)?;
    Some((take(&mut numbers, INTEGER)?, take(&mut numbers, INTEGER)?))
}

/// A private key as PKCS#8; the two exponents that both forms leave out are worked out.
#[must_use]
pub fn private_key(numbers: &RsaNumbers<'_>) -> Zeroizing<Vec<u8>> {
    let first = reduce(numbers.private, numbers.first_prime);
    let second = reduce(numbers.private, numbers.second_prime);
    let parts = [
        numbers.modulus,
        numbers.exponent,
        numbers.private,
        numbers.first_prime,
        numbers.second_prime,
        &first,
        &second,
        numbers.inverse,
    ];
    let mut content = with_room(parts.iter().map(|part| part.len() + 8).sum());
    content.extend_from_slice(&VERSION);
    for part in parts {
        content.extend_from_slice(&integer(part));
    }
    wrap_pkcs1(&element(SEQUENCE, &content))
}

/// A PKCS#1 private key as PKCS#8.
#[must_use]
pub fn wrap_pkcs1(pkcs1: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut content = with_room(pkcs1.len() + 32);
    content.extend_from_slice(&VERSION);
    content.extend_from_slice(&RSA_ALGORITHM);
    content.extend_from_slice(&element(OCTET_STRING, pkcs1));
    element(SEQUENCE, &content)
}

/// The seed in a PKCS#8 ed25519 key (RFC 8410); `None` for another kind of key.
#[must_use]
pub fn ed25519_seed(der: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    const ED25519_ALGORITHM: [u8; 5] = [0x06, 0x03, 0x2b, 0x65, 0x70];
    let mut key = take(&mut &*der, SEQUENCE)?;
    take(&mut key, INTEGER)?;
    if take(&mut key, SEQUENCE)? != ED25519_ALGORITHM {
        return None;
    }
    let mut inner = take(&mut key, OCTET_STRING)?;
    let seed = take(&mut inner, OCTET_STRING)?;
    let mut copy = Zeroizing::new([0; 32]);
    if seed.len() != copy.len() {
        return None;
    }
    copy.copy_from_slice(seed);
    Some(copy)
}

/// Room for the whole at once, so that growing leaves no copy of a secret behind.
fn with_room(length: usize) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(Vec::with_capacity(length))
}

fn element(tag: u8, content: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut der = with_room(content.len() + 6);
    der.push(tag);
    let length = content.len().to_be_bytes();
    let start = length.iter().position(|byte| *byte != 0).unwrap_or(length.len() - 1);
    let length = &length[start..];
    if let [short @ 0..=0x7f] = length {
        der.push(*short);
    } else {
        // At most eight bytes.
        der.push(0x80 | length.len().to_le_bytes()[0]);
        der.extend_from_slice(length);
    }
    der.extend_from_slice(content);
    der
}

fn integer(number: &[u8]) -> Zeroizing<Vec<u8>> {
    let start = number.iter().position(|byte| *byte != 0).unwrap_or(number.len());
    let number = &number[start..];
    let mut content = with_room(number.len() + 1);
    if number.first().is_none_or(|byte| *byte >= 0x80) {
        content.push(0);
    }
    content.extend_from_slice(number);
    element(INTEGER, &content)
}

/// Takes an element with this tag; its content.
fn take<'a>(rest: &mut &'a [u8], tag: u8) -> Option<&'a [u8]> {
    let (found, tail) = rest.split_first()?;
    if *found != tag {
        return None;
    }
    let (first, tail) = tail.split_first()?;
    let (length, tail) = if *first < 0x80 {
        (usize::from(*first), tail)
    } else {
        let count = usize::from(first & 0x7f);
        if count == 0 || count > 4 || count > tail.len() {
            return None;
        }
        let (bytes, tail) = tail.split_at(count);
        (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), tail)
    };
    if length > tail.len() {
        return None;
    }
    let (content, tail) = tail.split_at(length);
    *rest = tail;
    Some(content)
}

/// `number` modulo `prime - 1`, bit by bit, always with the same steps: both are secret.
fn reduce(number: &[u8], prime: &[u8]) -> Zeroizing<Vec<u8>> {
    // One byte more, for the bit that is shifted out.
    let size = prime.len() + 1;
    let mut modulus = Zeroizing::new(vec![0_u8; size]);
    modulus[1..].copy_from_slice(prime);
    // A prime other than two is odd: taking one away needs no borrow.
    if let Some(last) = modulus.last_mut() {
        *last &= 0xfe;
    }
    let mut rest = Zeroizing::new(vec![0_u8; size]);
    let mut less = Zeroizing::new(vec![0_u8; size]);
    for byte in number {
        for bit in (0..8).rev() {
            let mut carry = byte >> bit & 1;
            for digit in rest.iter_mut().rev() {
                let next = *digit >> 7;
                *digit = *digit << 1 | carry;
                carry = next;
            }
            let mut borrow = 0_u16;
            for ((difference, digit), taken) in less.iter_mut().zip(rest.iter()).zip(modulus.iter()).rev() {
                let wide = u16::from(*digit).wrapping_sub(u16::from(*taken)).wrapping_sub(borrow);
                borrow = wide >> 15;
                *difference = wide.to_le_bytes()[0];
            }
            // All ones if nothing was borrowed: then the difference counts.
            let mask = borrow.to_le_bytes()[0].wrapping_sub(1);
            for (digit, difference) in rest.iter_mut().zip(less.iter()) {
                *digit = *digit & !mask | *difference & mask;
            }
        }
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::{element, integer, public_key, public_numbers, reduce, take};

    #[test]
    fn numbers_are_reduced() {
        let reduced = |number: u64, prime: u16| {
            let rest = reduce(&number.to_be_bytes(), &prime.to_be_bytes());
            rest.iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte))
        };
        for (number, prime) in [(0, 7), (5, 7), (6, 7), (u64::MAX, 251), (0x0123_4567_89ab_cdef, 65521)] {
            assert_eq!(reduced(number, prime), number % (u64::from(prime) - 1), "{number} {prime}");
        }
    }

    #[test]
    fn lengths_of_every_size_are_read_back() {
        for length in [0, 1, 127, 128, 255, 256, 70_000] {
            let der = element(4, &vec![7; length]);
            let mut rest = der.as_slice();
            assert_eq!(take(&mut rest, 4).map(<[u8]>::len), Some(length));
            assert!(rest.is_empty());
            assert_eq!(take(&mut &der[..der.len() - 1], 4), None, "cut off");
        }
        assert_eq!(integer(&[0, 0]).as_slice(), [2, 1, 0]);
        assert_eq!(integer(&[0x80]).as_slice(), [2, 2, 0, 0x80]);
    }

    #[test]
    fn a_public_key_is_read_back() {
        let der = public_key(&[0x91; 256], &[1, 0, 1]);
        let (modulus, exponent) = public_numbers(&der).expect("just written");
        assert_eq!((&modulus[1..], exponent), ([0x91; 256].as_slice(), [1, 0, 1].as_slice()));
        assert!(public_numbers(&der[..40]).is_none());
    }
}
