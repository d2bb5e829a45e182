//! The time, handed in so that output can be reproduced byte for byte.

use time::OffsetDateTime;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Returns the present moment; callers use it in UTC with whole seconds.
    fn now(&self) -> OffsetDateTime;
}

/// A clock that stands still, for tests and golden files.
#[derive(Debug, Clone, Copy)]
pub struct FixedClock(
    /// The moment that [`Clock::now`] always returns.
    pub OffsetDateTime,
);

impl Clock for FixedClock {
    fn now(&self) -> OffsetDateTime {
        self.0
    }
}
