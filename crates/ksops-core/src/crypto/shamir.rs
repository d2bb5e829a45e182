//! Sharing the data key among key groups (file-format.md section 5.1).
//!
//! The field is GF(2^8) with the polynomial of AES. The arithmetic has neither tables nor branches that depend on a
//! secret (security.md S21).

use zeroize::Zeroizing;

use crate::random::{Random, RandomError};
use crate::secret::SecretBytes;

/// Why shares cannot be made or put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ShamirError {
    /// Fewer shares than needed to put them together.
    #[error("parts cannot be less than threshold")]
    FewParts,
    /// More than 255 shares.
    #[error("parts cannot exceed 255")]
    ManyParts,
    /// A threshold of less than two.
    #[error("threshold must be at least 2")]
    LowThreshold,
    /// Nothing to share.
    #[error("cannot split an empty secret")]
    EmptySecret,
    /// Less than two shares.
    #[error("less than two parts cannot be used to reconstruct the secret")]
    LessThanTwo,
    /// Shares of different lengths.
    #[error("all parts must be the same length")]
    Lengths,
    /// A share without content.
    #[error("parts must be at least two bytes")]
    Short,
    /// Two shares of the same place.
    #[error("duplicate part detected")]
    Duplicate,
    /// A share of place zero, which would be the secret itself.
    #[error("a part has the number 0, which no part can have")]
    Zero,
    /// No randomness.
    #[error(transparent)]
    Random(#[from] RandomError),
}

/// Splits `secret` into `parts` shares of which any `threshold` give it back.
///
/// A share is one byte longer than the secret; its number, from 1, is the last byte.
///
/// # Errors
/// [`ShamirError`] unless `2 <= threshold <= parts <= 255` and the secret has content.
pub fn split(
    secret: &SecretBytes,
    parts: usize,
    threshold: usize,
    random: &dyn Random,
) -> Result<Vec<SecretBytes>, ShamirError> {
    if parts < threshold {
        return Err(ShamirError::FewParts);
    }
    let count = u8::try_from(parts).map_err(|_| ShamirError::ManyParts)?;
    if threshold < 2 {
        return Err(ShamirError::LowThreshold);
    }
    if secret.is_empty() {
        return Err(ShamirError::EmptySecret);
    }
    let degree = threshold - 1;
    let mut coefficients = Zeroizing::new(vec![0; secret.len() * degree]);
    random.fill(&mut coefficients)?;
    Ok((1..=count)
        .map(|x| {
            let mut share = Vec::with_capacity(secret.len() + 1);
            for (constant, others) in secret.expose().iter().zip(coefficients.chunks(degree)) {
                // Horner's scheme, from the leading coefficient down.
                let high = others.iter().rev().fold(0, |sum, coefficient| multiply(sum, x) ^ coefficient);
                share.push(multiply(high, x) ^ constant);
            }
            share.push(x);
            SecretBytes::new(share)
        })
        .collect())
}

/// Puts shares together: interpolates over all of them, at zero.
///
/// # Errors
/// [`ShamirError`] if there are fewer than two, of different lengths, or two with the same number. Too few shares for
/// the threshold give another secret, not an error.
pub fn combine(shares: &[SecretBytes]) -> Result<SecretBytes, ShamirError> {
    let [first, _, ..] = shares else { return Err(ShamirError::LessThanTwo) };
    let length = first.len();
    if length < 2 {
        return Err(ShamirError::Short);
    }
    if shares.iter().any(|share| share.len() != length) {
        return Err(ShamirError::Lengths);
    }
    // Numbers of shares are not secret.
    let numbers: Vec<u8> = shares.iter().filter_map(|share| share.expose().last().copied()).collect();
    if numbers.contains(&0) {
        return Err(ShamirError::Zero);
    }
    if numbers.iter().enumerate().any(|(at, number)| numbers[..at].contains(number)) {
        return Err(ShamirError::Duplicate);
    }
    let mut secret = Zeroizing::new(vec![0; length - 1]);
    for (at, (share, x)) in shares.iter().zip(&numbers).enumerate() {
        let others = numbers.iter().enumerate().filter(|(other, _)| *other != at);
        let weight =
            others.fold(1, |weight, (_, other)| multiply(weight, multiply(*other, invert(other ^ x))));
        for (sum, byte) in secret.iter_mut().zip(share.expose()) {
            *sum ^= multiply(weight, *byte);
        }
    }
    Ok(SecretBytes::new(std::mem::take(&mut *secret)))
}

/// The product in GF(2^8): eight steps, each with masks instead of branches.
fn multiply(a: u8, b: u8) -> u8 {
    let (mut product, mut a) = (0, a);
    for bit in 0..8 {
        product ^= a & (b >> bit & 1).wrapping_neg();
        a = (a << 1) ^ (0x1B & (a >> 7).wrapping_neg());
    }
    product
}

/// The inverse, `a^254`; zero gives zero.
fn invert(a: u8) -> u8 {
    // 254 is 11111110 in binary: square and multiply seven times, then square.
    let power = (0..6).fold(a, |power, _| multiply(multiply(power, power), a));
    multiply(power, power)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    use super::{ShamirError, combine, invert, multiply, split};
    use crate::crypto::iv::tests::Counting;
    use crate::secret::SecretBytes;

    #[test]
    fn the_field_is_that_of_aes() {
        assert_eq!(multiply(0x57, 0x83), 0xC1, "FIPS 197, section 4.2");
        assert_eq!(multiply(0x57, 0x13), 0xFE, "FIPS 197, section 4.2.1");
        for a in 1..=255 {
            assert_eq!(multiply(a, invert(a)), 1);
        }
        assert_eq!(invert(0), 0);
    }

    #[test]
    fn puts_known_shares_together() {
        // P(x) = 0x2A + 0x53 x over one byte.
        let shares: Vec<SecretBytes> = [1, 2, 3].map(|x| vec![0x2A ^ multiply(0x53, x), x].into()).to_vec();
        assert_eq!(combine(&shares).expect("shares").expose(), [0x2A]);
        assert_eq!(combine(&shares[1..]).expect("shares").expose(), [0x2A]);
    }

    #[test]
    fn refuses_bad_numbers_and_shares() {
        let secret = SecretBytes::from("secret");
        let error = |parts, threshold| split(&secret, parts, threshold, &Counting::default()).err();
        assert_eq!(error(2, 3), Some(ShamirError::FewParts));
        assert_eq!(error(2, 1), Some(ShamirError::LowThreshold));
        assert_eq!(error(2, 0), Some(ShamirError::LowThreshold));
        assert_eq!(error(256, 2), Some(ShamirError::ManyParts));
        let error = |shares: &[&[u8]]| {
            combine(&shares.iter().map(|share| SecretBytes::from(*share)).collect::<Vec<_>>()).err()
        };
        assert_eq!(error(&[]), Some(ShamirError::LessThanTwo));
        assert_eq!(error(&[&[1, 1]]), Some(ShamirError::LessThanTwo));
        assert_eq!(error(&[&[1, 1], &[2, 1]]), Some(ShamirError::Duplicate));
        assert_eq!(error(&[&[1, 1], &[2, 0]]), Some(ShamirError::Zero));
        assert_eq!(error(&[&[1, 1], &[2, 3, 2]]), Some(ShamirError::Lengths));
        assert_eq!(error(&[&[1], &[2]]), Some(ShamirError::Short));
    }

    proptest! {
        #[test]
        fn shares_recover_at_the_threshold_only(
            secret in proptest::collection::vec(any::<u8>(), 16..33), parts in 2..8_usize, low in 0..6_usize, skip in any::<usize>(),
        ) {
            let threshold = 2 + low % (parts - 1);
            let secret = SecretBytes::new(secret);
            let mut shares = split(&secret, parts, threshold, &Counting::default()).expect("in bounds");
            prop_assert!(shares.iter().all(|share| share.len() == secret.len() + 1));
            shares.rotate_left(skip % parts);
            for count in 2..=parts {
                let recovered = combine(&shares[..count]).expect("shares");
                prop_assert_eq!(recovered == secret, count >= threshold, "{} of {}, {} given", threshold, parts, count);
            }
        }
    }
}
