//! Fresh nonces, drawn from the source of randomness in larger pieces.

use zeroize::Zeroize;

use crate::crypto::gcm::IV_LEN;
use crate::random::{Random, RandomError};

/// The first piece is small, for files of few values.
const FIRST: usize = 8 * IV_LEN;
const LATER: usize = 128 * IV_LEN;

/// Hands out nonces that nobody has seen before.
pub struct IvSource<'a> {
    random: &'a dyn Random,
    buffer: Vec<u8>,
    used: usize,
}

impl<'a> IvSource<'a> {
    /// Draws from `random`, as late as possible.
    #[must_use]
    pub fn new(random: &'a dyn Random) -> Self {
        Self { random, buffer: Vec::new(), used: 0 }
    }

    /// A fresh nonce.
    ///
    /// # Errors
    /// [`RandomError`] if there is no randomness.
    pub fn next_iv(&mut self) -> Result<[u8; IV_LEN], RandomError> {
        if self.used == self.buffer.len() {
            self.buffer.resize(if self.buffer.is_empty() { FIRST } else { LATER }, 0);
            self.used = self.buffer.len();
            self.random.fill(&mut self.buffer)?;
            self.used = 0;
        }
        let mut iv = [0; IV_LEN];
        iv.copy_from_slice(&self.buffer[self.used..self.used + IV_LEN]);
        self.used += IV_LEN;
        Ok(iv)
    }
}

impl Drop for IvSource<'_> {
    fn drop(&mut self) {
        self.buffer.zeroize();
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeSet;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::IvSource;
    use crate::random::{Random, RandomError};

    /// Counts instead of drawing: every eight bytes differ.
    #[derive(Default)]
    pub(crate) struct Counting(AtomicU64);

    impl Random for Counting {
        fn fill(&self, buffer: &mut [u8]) -> Result<(), RandomError> {
            for chunk in buffer.chunks_mut(8) {
                let number = self.0.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9E37_79B9_7F4A_7C15);
                chunk.copy_from_slice(&number.to_le_bytes()[..chunk.len()]);
            }
            Ok(())
        }
    }

    pub(crate) struct Broken;

    impl Random for Broken {
        fn fill(&self, _: &mut [u8]) -> Result<(), RandomError> {
            Err(RandomError)
        }
    }

    #[test]
    fn no_nonce_is_given_twice() {
        let random = Counting::default();
        let mut source = IvSource::new(&random);
        let ivs: BTreeSet<_> = (0..1000).map(|_| source.next_iv().expect("random")).collect();
        assert_eq!(ivs.len(), 1000);
    }

    #[test]
    fn a_broken_source_gives_no_nonce_even_when_asked_again() {
        let mut source = IvSource::new(&Broken);
        assert!(source.next_iv().is_err());
        assert!(source.next_iv().is_err());
    }
}
