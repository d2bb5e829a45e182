//! The one lazily started thread on which async code runs behind the synchronous interface of the core.
//!
//! One thread, so that every client shares its connections, and so that callers on many threads need no runtime of
//! their own. Nothing here panics: a runtime that cannot start or that lost a task is an error.

use std::future::Future;
use std::sync::{OnceLock, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Handle};

/// Why a future gave no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RuntimeError {
    /// The thread or its runtime could not be started.
    #[error("the network thread could not be started: {0}")]
    Start(String),
    /// The task ended without a result.
    #[error("the network thread stopped unexpectedly")]
    Stopped,
    /// Called from async code on the network thread itself, which would wait for itself.
    #[error("the network thread cannot wait for itself")]
    Reentrant,
    /// The limit of [`block_on_within`] passed.
    #[error("no result within {} seconds", .0.as_secs())]
    TimedOut(Duration),
}

tokio::task_local! {
    static DEADLINE: Instant;
}

static RUNTIME: OnceLock<Result<Handle, String>> = OnceLock::new();

/// Runs `future` on the network thread and waits for its result.
///
/// # Errors
/// [`RuntimeError`] if there is no result; never [`RuntimeError::TimedOut`].
pub fn block_on<F, T>(future: F) -> Result<T, RuntimeError>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    if Handle::try_current().is_ok() {
        return Err(RuntimeError::Reentrant);
    }
    let handle = RUNTIME.get_or_init(start).as_ref().map_err(|error| RuntimeError::Start(error.clone()))?;
    let (sender, receiver) = mpsc::sync_channel(1);
    handle.spawn(async move {
        // A caller that is gone needs no result.
        let _ = sender.send(future.await);
    });
    receiver.recv().map_err(|_| RuntimeError::Stopped)
}

/// Like [`block_on`], but gives up after `limit`. Code that runs inside can ask for the time that is [`left`].
///
/// # Errors
/// [`RuntimeError`] if there is no result.
pub fn block_on_within<F, T>(limit: Duration, future: F) -> Result<T, RuntimeError>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    let deadline = Instant::now() + limit;
    block_on(async move { tokio::time::timeout(limit, DEADLINE.scope(deadline, future)).await })?
        .map_err(|_| RuntimeError::TimedOut(limit))
}

/// The time left until the limit of [`block_on_within`]; `None` outside of one.
#[must_use]
pub fn left() -> Option<Duration> {
    DEADLINE.try_with(|deadline| deadline.saturating_duration_since(Instant::now())).ok()
}

fn start() -> Result<Handle, String> {
    let (sender, receiver) = mpsc::sync_channel(1);
    thread::Builder::new()
        .name("ksops-network".to_owned())
        .spawn(move || {
            match Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => {
                    let _ = sender.send(Ok(runtime.handle().clone()));
                    // Drives spawned tasks until the process ends.
                    runtime.block_on(std::future::pending::<()>());
                }
                Err(error) => {
                    let _ = sender.send(Err(error.to_string()));
                }
            }
        })
        .map_err(|error| error.to_string())?;
    receiver.recv().map_err(|error| error.to_string())?
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{RuntimeError, block_on, block_on_within, left};

    #[test]
    fn gives_the_result_to_every_thread() {
        let sums: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..8_u32).map(|n| scope.spawn(move || block_on(async move { n + 1 }))).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
        });
        assert_eq!(sums, (1..9).map(Ok).collect::<Vec<_>>());
    }

    #[test]
    fn a_lost_task_is_an_error_and_the_thread_lives_on() {
        let lost: Result<(), _> = block_on(async { panic!("expected by the test") });
        assert_eq!(lost, Err(RuntimeError::Stopped));
        assert_eq!(block_on(async { 1 }), Ok(1));
    }

    #[test]
    fn waiting_for_itself_is_refused() {
        assert_eq!(block_on(async { block_on(async { 1 }) }), Ok(Err(RuntimeError::Reentrant)));
    }

    #[test]
    fn the_limit_ends_a_future_that_does_not() {
        let limit = Duration::from_millis(20);
        let result = block_on_within(limit, std::future::pending::<()>());
        assert_eq!(result, Err(RuntimeError::TimedOut(limit)));
    }

    #[test]
    fn the_time_left_is_known_inside_a_limit_only() {
        let limit = Duration::from_secs(5);
        assert!(block_on_within(limit, async { left() }).expect("runs").is_some_and(|left| left <= limit));
        assert_eq!(block_on(async { left() }), Ok(None));
    }
}
