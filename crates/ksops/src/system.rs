//! The real clock and the real source of randomness; everything below takes them as values.

use std::sync::Mutex;

use ksops_core::clock::Clock;
use ksops_core::random::{Random, RandomError};
use time::OffsetDateTime;
use zeroize::Zeroize;

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc()
    }
}

/// How many bytes one system call fetches: a call for each IV would cost more than the encryption.
const POOL: usize = 4096;

/// The operating system's source of randomness, read in larger pieces. A byte is given out once and then wiped.
#[derive(Default)]
pub struct OsRandom {
    pool: Mutex<Pool>,
}

struct Pool {
    bytes: [u8; POOL],
    used: usize,
}

impl Default for Pool {
    fn default() -> Self {
        Self { bytes: [0; POOL], used: POOL }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

impl Random for OsRandom {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), RandomError> {
        if buffer.len() > POOL / 4 {
            return getrandom::fill(buffer).map_err(|_| RandomError);
        }
        let mut pool = self.pool.lock().map_err(|_| RandomError)?;
        if POOL - pool.used < buffer.len() {
            // Unused until the call has succeeded: a failure must not leave old bytes to be given out again.
            pool.used = POOL;
            getrandom::fill(&mut pool.bytes).map_err(|_| RandomError)?;
            pool.used = 0;
        }
        let start = pool.used;
        let end = start + buffer.len();
        buffer.copy_from_slice(&pool.bytes[start..end]);
        pool.bytes[start..end].zeroize();
        pool.used = end;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use ksops_core::random::Random;

    use super::OsRandom;

    #[test]
    fn never_gives_the_same_bytes_twice() {
        let random = OsRandom::default();
        let mut seen = HashSet::new();
        for _ in 0..1000 {
            let mut iv = [0; 32];
            random.fill(&mut iv).expect("randomness");
            assert!(seen.insert(iv));
        }
        let mut large = [0; 5000];
        random.fill(&mut large).expect("randomness");
        assert!(large.iter().any(|byte| *byte != 0));
    }
}
