//! Random numbers that come again with the same seed, and the stream of bytes that both sides take for random.

use std::sync::atomic::{AtomicU64, Ordering};

use ksops_core::random::{Random, RandomError};

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// The output function of SplitMix64.
fn mix(state: u64) -> u64 {
    let word = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// A source of choices.
#[derive(Clone)]
pub struct Dice {
    state: u64,
}

impl Dice {
    /// The choices of `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { state: mix(seed) }
    }

    /// Any number.
    pub fn word(&mut self) -> u64 {
        self.state = self.state.wrapping_add(STEP);
        mix(self.state)
    }

    /// A number below `limit`; 0 if that is 0.
    pub fn below(&mut self, limit: usize) -> usize {
        if limit == 0 { 0 } else { (self.word() % limit as u64) as usize }
    }

    /// True in `percent` of 100 calls.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of `items`.
    ///
    /// # Panics
    /// If there is none.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    /// One of `texts`.
    ///
    /// # Panics
    /// If there is none.
    pub fn text(&mut self, texts: &[&'static str]) -> &'static str {
        texts[self.below(texts.len())]
    }
}

/// The stream that data key and nonces are drawn from, the same as in `tests/oracle/sops/stream.go`.
pub struct Stream(AtomicU64);

impl Stream {
    /// The stream of `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }
}

impl Random for Stream {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), RandomError> {
        for word in buffer.chunks_mut(8) {
            let state = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
            word.copy_from_slice(&mix(state).to_le_bytes()[..word.len()]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Dice, Stream};
    use ksops_core::random::Random;

    #[test]
    fn the_stream_does_not_depend_on_the_size_of_the_pieces() {
        let (one, two) = (Stream::new(7), Stream::new(7));
        let (mut whole, mut pieces) = ([0; 64], [0; 64]);
        one.fill(&mut whole).expect("no source can fail");
        for piece in pieces.chunks_mut(16) {
            two.fill(piece).expect("no source can fail");
        }
        assert_eq!(whole, pieces);
    }

    #[test]
    fn a_seed_gives_the_same_choices_again() {
        let choices = |seed| {
            let mut dice = Dice::new(seed);
            (0..9).map(|_| dice.below(1000)).collect::<Vec<_>>()
        };
        assert_eq!(choices(5), choices(5));
        assert_ne!(choices(5), choices(6));
    }
}
