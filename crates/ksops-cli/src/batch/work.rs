//! Doing the same to several files: side by side, with what is said of them in their order. One file that fails does
//! not stop the others.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::batch::files::Candidate;
use crate::batch::progress::Progress;
use crate::context::Context;
use crate::error::{Failure, Kind};

/// The most files at work at a time. Most of the time is spent waiting, for key services or for the disk.
const AT_A_TIME: usize = 16;
/// How often the progress is shown.
const TICK: Duration = Duration::from_millis(100);

/// What became of a file, in a word for the summary; `None` if it does not concern the command.
pub(crate) type Outcome = Result<Option<&'static str>, Failure>;

/// What became of all files.
#[derive(Default)]
pub(crate) struct Tally {
    words: Vec<(&'static str, usize)>,
    failed: Vec<Kind>,
}

impl Tally {
    fn add(&mut self, word: &'static str) {
        match self.words.iter_mut().find(|(known, _)| *known == word) {
            Some((_, count)) => *count += 1,
            None => self.words.push((word, 1)),
        }
    }

    /// How many files came out so.
    pub(crate) fn count(&self, word: &str) -> usize {
        self.words.iter().find(|(known, _)| *known == word).map_or(0, |(_, count)| *count)
    }

    /// How many files failed.
    pub(crate) fn failed(&self) -> usize {
        self.failed.len()
    }

    /// Tells how many files came out how.
    ///
    /// # Errors
    /// If a file failed: with the status that all failures share, else 1.
    pub(crate) fn finish(&self, context: &Context) -> Result<(), Failure> {
        let failed = Some(("failed", self.failed.len())).filter(|(_, count)| *count > 0);
        let counts: Vec<_> =
            self.words.iter().copied().chain(failed).map(|(word, count)| format!("{count} {word}")).collect();
        let summary = if counts.is_empty() { "no file to work on".to_owned() } else { counts.join(", ") };
        context.ui.note(&summary);
        let Some(first) = self.failed.first() else { return Ok(()) };
        let is_shared = self.failed.iter().all(|kind| kind.status() == first.status());
        Err(Failure::new(if is_shared { *first } else { Kind::General }, ""))
    }
}

/// Works on the files, many at a time.
///
/// # Errors
/// If what is said of them cannot be written.
pub(crate) fn side_by_side(
    context: &Context,
    files: &[Candidate],
    work: impl Fn(&Context, &Candidate) -> Outcome + Sync,
) -> Result<Tally, Failure> {
    let next = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..files.len().min(AT_A_TIME) {
            let (sender, next, work) = (sender.clone(), &next, &work);
            scope.spawn(move || {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(file) = files.get(index) else { break };
                    let own = context.for_file(&file.name);
                    let outcome = work(&own, file);
                    if sender.send((index, own, outcome)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        let result = in_order(files.len(), &receiver);
        // Nobody listens any more: what has not begun does not begin.
        if result.is_err() {
            next.store(files.len(), Ordering::Relaxed);
        }
        result
    })
}

fn in_order(total: usize, receiver: &mpsc::Receiver<(usize, Context, Outcome)>) -> Result<Tally, Failure> {
    let (mut tally, mut progress) = (Tally::default(), Progress::start(total));
    let mut waiting = BTreeMap::new();
    let (mut done, mut said) = (0, 0);
    loop {
        let (index, own, outcome) = match receiver.recv_timeout(TICK) {
            Ok(message) => message,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                progress.show(done);
                continue;
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
        };
        done += 1;
        waiting.insert(index, (own, outcome));
        while let Some((own, outcome)) = waiting.remove(&said) {
            said += 1;
            progress.hide();
            settle(&own, outcome, &mut tally)?;
        }
    }
    if said < total {
        return Err(Failure::new(Kind::General, "the work on a file ended without a result"));
    }
    Ok(tally)
}

fn settle(own: &Context, outcome: Outcome, tally: &mut Tally) -> Result<(), Failure> {
    match outcome {
        Ok(word) => word.into_iter().for_each(|word| tally.add(word)),
        Err(failure) => {
            own.ui.error(&failure);
            tally.failed.push(failure.kind);
        }
    }
    own.ui.release()
}

/// Works on the files one after another, because somebody is asked about each.
pub(crate) fn one_by_one(
    context: &Context,
    files: &[Candidate],
    work: impl Fn(&Context, &Candidate) -> Outcome,
) -> Tally {
    let mut tally = Tally::default();
    for file in files {
        match work(context, file) {
            Ok(word) => word.into_iter().for_each(|word| tally.add(word)),
            Err(failure) => {
                context.ui.error(&failure);
                tally.failed.push(failure.kind);
            }
        }
    }
    tally
}
