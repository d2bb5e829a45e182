//! How fast one service is asked by a whole process: at most so many requests at once, and when it asks one of them to
//! wait, all wait.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, SemaphorePermit};

/// Shared by everything that asks a service.
#[derive(Debug)]
pub struct Pace {
    turns: Semaphore,
    not_before: Mutex<Option<Instant>>,
}

impl Pace {
    /// At most `requests` at once; 0 counts as 1.
    #[must_use]
    pub fn new(requests: usize) -> Self {
        Self { turns: Semaphore::new(requests.max(1)), not_before: Mutex::default() }
    }

    /// Waits for a turn. A pause that lasts longer than `left` is not waited for: the service shall say so itself.
    pub async fn turn(&self, left: Option<Duration>) -> Option<SemaphorePermit<'_>> {
        // Never closed; without a permit the request goes out all the same.
        let permit = self.turns.acquire().await.ok();
        while let Some(pause) = self.pause().filter(|pause| left.is_none_or(|left| *pause < left)) {
            tokio::time::sleep(pause).await;
        }
        permit
    }

    /// Makes all wait for as long.
    pub fn hold_back(&self, pause: Duration) {
        let until = Instant::now() + pause;
        let mut not_before = self.not_before.lock().unwrap_or_else(PoisonError::into_inner);
        *not_before = Some(not_before.map_or(until, |before| before.max(until)));
    }

    fn pause(&self) -> Option<Duration> {
        let not_before = *self.not_before.lock().unwrap_or_else(PoisonError::into_inner);
        not_before?.checked_duration_since(Instant::now()).filter(|pause| !pause.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::{Duration, Instant};

    use super::Pace;
    use crate::runtime::block_on;

    #[test]
    fn no_more_than_the_number_are_under_way() {
        let most = block_on(async {
            let (pace, now, most) =
                (Arc::new(Pace::new(3)), Arc::new(AtomicUsize::new(0)), AtomicUsize::new(0));
            let most = Arc::new(most);
            let tasks: Vec<_> = (0..20)
                .map(|_| {
                    let (pace, now, most) = (Arc::clone(&pace), Arc::clone(&now), Arc::clone(&most));
                    tokio::spawn(async move {
                        let _turn = pace.turn(None).await;
                        most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        tokio::time::sleep(Duration::from_millis(2)).await;
                        now.fetch_sub(1, Ordering::SeqCst);
                    })
                })
                .collect();
            for task in tasks {
                task.await.expect("ends");
            }
            most.load(Ordering::SeqCst)
        });
        assert_eq!(most, Ok(3));
    }

    #[test]
    fn all_wait_when_one_is_told_to() {
        let waited = block_on(async {
            let pace = Pace::new(2);
            pace.hold_back(Duration::from_millis(60));
            pace.hold_back(Duration::from_millis(10));
            let start = Instant::now();
            drop(pace.turn(Some(Duration::from_millis(20))).await);
            let at_once = start.elapsed();
            drop(pace.turn(Some(Duration::from_secs(20))).await);
            (at_once, start.elapsed())
        });
        let (at_once, waited) = waited.expect("runtime");
        assert!(at_once < Duration::from_millis(50) && waited >= Duration::from_millis(55), "{waited:?}");
    }
}
