//! Randomness, handed in so that output can be reproduced byte for byte.

/// Fills buffers with random bytes.
pub trait Random: Send + Sync {
    /// Fills `buffer` with bytes from a cryptographically secure source.
    ///
    /// # Errors
    /// [`RandomError`] if the source cannot be read; `buffer` must then not be used.
    fn fill(&self, buffer: &mut [u8]) -> Result<(), RandomError>;
}

/// The source of randomness could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the operating system's source of randomness cannot be read")]
pub struct RandomError;
