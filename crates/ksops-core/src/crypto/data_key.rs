//! The key of one file.

use zeroize::Zeroizing;

use crate::random::{Random, RandomError};
use crate::secret::SecretBytes;

/// The key that encrypts the values of one file: 16, 24 or 32 bytes.
///
/// It is wiped on drop and can be neither copied nor printed; reading it takes the named act [`DataKey::expose`].
pub struct DataKey(SecretBytes);

/// A data key of a length that AES does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the data key has {length} bytes; it must have 16, 24 or 32")]
pub struct DataKeyLengthError {
    /// The number of bytes.
    pub length: usize,
}

impl DataKey {
    /// Takes over the bytes of a recovered data key (file-format.md section 2.5).
    ///
    /// # Errors
    /// [`DataKeyLengthError`] if it has not 16, 24 or 32 bytes.
    pub fn new(bytes: SecretBytes) -> Result<Self, DataKeyLengthError> {
        match bytes.len() {
            16 | 24 | 32 => Ok(Self(bytes)),
            length => Err(DataKeyLengthError { length }),
        }
    }

    /// Makes a new data key of 32 random bytes.
    ///
    /// # Errors
    /// [`RandomError`] if there is no randomness.
    pub fn generate(random: &dyn Random) -> Result<Self, RandomError> {
        let mut bytes = Zeroizing::new(vec![0; 32]);
        random.fill(&mut bytes)?;
        Ok(Self(SecretBytes::new(std::mem::take(&mut *bytes))))
    }

    /// Shows the bytes.
    #[must_use]
    pub fn expose(&self) -> &SecretBytes {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::DataKey;

    #[test]
    fn refuses_lengths_that_aes_does_not_know() {
        for length in [0, 1, 15, 17, 31, 33, 64] {
            assert_eq!(DataKey::new(vec![1; length].into()).err().map(|error| error.length), Some(length));
        }
        for length in [16, 24, 32] {
            assert!(DataKey::new(vec![1; length].into()).is_ok());
        }
    }
}
