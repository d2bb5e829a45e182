//! Bech32 (BIP 173) reading and writing without a length limit, as age uses it.
//!
//! Apart from the `age` crate because upstream's messages say what is wrong with a recipient, and because the
//! kinds of recipient that the crate is built without are checked here, too.

use zeroize::Zeroizing;

const CHARSET: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const CHECKSUM_LENGTH: usize = 6;

/// What is wrong with a Bech32 text; the wording is upstream's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Bech32Error {
    /// Upper and lower case in one text.
    #[error("mixed case")]
    MixedCase,
    /// No `1`, or too few characters on one side of it.
    #[error("separator '1' at invalid position: pos={position}, len={length}")]
    Separator {
        /// Where the last `1` is, -1 if there is none.
        position: i64,
        /// The length of the text.
        length: usize,
    },
    /// A character that cannot be in the part before the separator.
    #[error("invalid character human-readable part: s[{0}]={1}")]
    Prefix(usize, u32),
    /// A character that is none of the 32.
    #[error("invalid character data part: s[{0}]={1}")]
    Data(usize, u32),
    /// The checksum does not agree.
    #[error("invalid checksum")]
    Checksum,
    /// More bits than whole bytes need.
    #[error("illegal zero padding")]
    LongPadding,
    /// The bits behind the last byte are not zero.
    #[error("non-zero padding")]
    NonZeroPadding,
}

/// Reads `text` into the part before the separator, as written, and the bytes.
///
/// # Errors
/// [`Bech32Error`], in upstream's order of checks. It can hold one character of the text, so it must not be
/// shown for an identity.
pub fn decode(text: &str) -> Result<(&str, Zeroizing<Vec<u8>>), Bech32Error> {
    if text.to_lowercase() != text && text.to_uppercase() != text {
        return Err(Bech32Error::MixedCase);
    }
    let (prefix, data) = match text.rsplit_once('1') {
        Some((prefix, data)) if !prefix.is_empty() && data.len() >= CHECKSUM_LENGTH => (prefix, data),
        found => {
            let position = found.map_or(-1, |(prefix, _)| i64::try_from(prefix.len()).unwrap_or(i64::MAX));
            return Err(Bech32Error::Separator { position, length: text.len() });
        }
    };
    if let Some((index, wrong)) = prefix.char_indices().find(|(_, c)| !('!'..='~').contains(c)) {
        return Err(Bech32Error::Prefix(index, wrong.into()));
    }
    let mut digits = Zeroizing::new(Vec::with_capacity(data.len()));
    for (index, character) in data.char_indices() {
        let lower = character.to_ascii_lowercase();
        let digit = u8::try_from(lower)
            .ok()
            .and_then(|byte| CHARSET.iter().position(|known| *known == byte))
            .and_then(|digit| u8::try_from(digit).ok())
            .ok_or(Bech32Error::Data(index, lower.into()))?;
        digits.push(digit);
    }
    if checksum(prefix, &digits) != 1 {
        return Err(Bech32Error::Checksum);
    }
    let bytes = to_bytes(&digits[..digits.len() - CHECKSUM_LENGTH])?;
    Ok((prefix, bytes))
}

/// Writes `bytes` in lower case behind `prefix`, which must be lower case itself.
#[must_use]
pub fn encode(prefix: &str, bytes: &[u8]) -> String {
    let mut digits = Zeroizing::new(Vec::with_capacity(bytes.len() * 8 / 5 + 1 + CHECKSUM_LENGTH));
    let (mut store, mut bits) = (0_u32, 0_u32);
    for byte in bytes {
        store = (store << 8 | u32::from(*byte)) & 0xfff;
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            digits.push((store >> bits).to_le_bytes()[0] & 31);
        }
    }
    if bits > 0 {
        digits.push((store << (5 - bits)).to_le_bytes()[0] & 31);
    }
    let data = digits.len();
    digits.extend([0; CHECKSUM_LENGTH]);
    let sum = checksum(prefix, &digits) ^ 1;
    for (place, digit) in digits[data..].iter_mut().rev().enumerate() {
        *digit = (sum >> (5 * place)).to_le_bytes()[0] & 31;
    }
    let mut text = String::with_capacity(prefix.len() + 1 + digits.len());
    text.push_str(prefix);
    text.push('1');
    text.extend(digits.iter().map(|digit| char::from(CHARSET[usize::from(*digit)])));
    text
}

/// The checksum polynomial of BIP 173 over prefix and digits; 1 for a text in order.
fn checksum(prefix: &str, digits: &[u8]) -> u32 {
    const GENERATOR: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
    let lower: Vec<u8> = prefix.bytes().map(|byte| byte.to_ascii_lowercase()).collect();
    let high = lower.iter().map(|byte| byte >> 5);
    let low = lower.iter().map(|byte| byte & 31);
    let all = high.chain(std::iter::once(0)).chain(low).chain(digits.iter().copied());
    all.fold(1_u32, |sum, digit| {
        let top = sum >> 25;
        let shifted = ((sum & 0x01ff_ffff) << 5) ^ u32::from(digit);
        (0..5_usize).filter(|bit| (top >> bit) & 1 == 1).fold(shifted, |sum, bit| sum ^ GENERATOR[bit])
    })
}

/// Regroups digits of five bits to bytes.
fn to_bytes(digits: &[u8]) -> Result<Zeroizing<Vec<u8>>, Bech32Error> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(digits.len() * 5 / 8 + 1));
    let (mut store, mut bits) = (0_u32, 0_u32);
    for digit in digits {
        store = (store << 5 | u32::from(*digit)) & 0xfff;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            // Only the lowest byte is kept.
            bytes.push((store >> bits).to_le_bytes()[0]);
        }
    }
    if bits >= 5 {
        return Err(Bech32Error::LongPadding);
    }
    if store & ((1 << bits) - 1) != 0 {
        return Err(Bech32Error::NonZeroPadding);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::{Bech32Error, decode, encode};

    const RECIPIENT: &str = "age1ycafsea3wy4fdxaku2yjvxpmp5k6ypp5d084p47w5g446f5pl5wqkjwq6d";

    #[test]
    fn reads_a_recipient() {
        let (prefix, bytes) = decode(RECIPIENT).expect("valid");
        assert_eq!((prefix, bytes.len()), ("age", 32));
    }

    #[test]
    fn upper_case_is_read_alike() {
        let upper = RECIPIENT.to_uppercase();
        let (prefix, bytes) = decode(&upper).expect("valid");
        assert_eq!(prefix, "AGE");
        assert_eq!(bytes, decode(RECIPIENT).expect("valid").1);
    }

    #[test]
    fn what_is_written_is_read() {
        assert_eq!(encode("age", &decode(RECIPIENT).expect("valid").1), RECIPIENT);
        for length in 0..70_u8 {
            let bytes: Vec<u8> = (0..length).map(|byte| byte.wrapping_mul(37)).collect();
            let text = encode("x-y", &bytes);
            let (prefix, read) = decode(&text).expect("valid");
            assert_eq!((prefix, read.as_slice()), ("x-y", bytes.as_slice()));
        }
    }

    #[test]
    fn says_what_is_wrong() {
        let cases = [
            ("age1QQQQQQQQ".to_owned(), Bech32Error::MixedCase),
            ("age1b".to_owned(), Bech32Error::Separator { position: 3, length: 5 }),
            ("age".to_owned(), Bech32Error::Separator { position: -1, length: 3 }),
            ("a e1qqqqqqqq".to_owned(), Bech32Error::Prefix(1, 32)),
            ("age1qqqqqqqb".to_owned(), Bech32Error::Data(7, 98)),
            (format!("{RECIPIENT}x"), Bech32Error::Checksum),
            (RECIPIENT.replace("wqk", "wpk"), Bech32Error::Checksum),
        ];
        for (text, error) in cases {
            assert_eq!(decode(&text), Err(error), "{text}");
        }
    }
}
