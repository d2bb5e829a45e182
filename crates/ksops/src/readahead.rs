//! Reads the documents of a large text on a thread of their own, a little ahead of their use.
//!
//! Half of the time goes into reading YAML; a second core halves the whole.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use ksops_core::tree::branch::Branch;
use ksops_stores::yaml::load::{LoadError, YamlReader};

/// Below this size a thread costs more than it saves.
const LARGE: usize = 256 * 1024;
/// How many documents are handed over at once, and how many such batches may wait: bounds the memory.
const BATCH: usize = 32;
const WAITING: usize = 4;

/// Address space only: pages that are not touched cost nothing.
const STACK: usize = 64 << 20;

type Batch = Vec<Result<Branch, LoadError>>;

/// The documents of a text, in order.
pub(crate) struct Documents<'a>(Source<'a>);

enum Source<'a> {
    Here(Box<YamlReader<'a>>),
    Ahead { batches: Receiver<Batch>, batch: std::vec::IntoIter<Result<Branch, LoadError>> },
}

impl Documents<'_> {
    /// The next document; `None` at the end.
    pub(crate) fn next_branch(&mut self) -> Option<Result<Branch, LoadError>> {
        match &mut self.0 {
            Source::Here(reader) => reader.next_branch(),
            Source::Ahead { batches, batch } => loop {
                if let Some(branch) = batch.next() {
                    return Some(branch);
                }
                *batch = batches.recv().ok()?.into_iter();
            },
        }
    }
}

/// Runs `work` over the documents of `text`; `keeps_numbers` as in [`YamlReader::keeping_numbers`].
pub(crate) fn read_ahead<R>(
    text: &str,
    keeps_numbers: bool,
    work: impl FnOnce(&mut Documents<'_>) -> R,
) -> R {
    let reader = || YamlReader::new(text).keeping_numbers(keeps_numbers);
    if text.len() < LARGE {
        return work(&mut Documents(Source::Here(Box::new(reader()))));
    }
    std::thread::scope(|scope| {
        let (sender, batches) = sync_channel(WAITING);
        // Deeply nested text needs more than a thread's usual 2 MiB.
        let thread = std::thread::Builder::new().stack_size(STACK);
        let started = thread.spawn_scoped(scope, move || send(reader(), &sender));
        if started.is_err() {
            return work(&mut Documents(Source::Here(Box::new(reader()))));
        }
        work(&mut Documents(Source::Ahead { batches, batch: Vec::new().into_iter() }))
        // Dropping the receiver ends the reading thread, also after an error.
    })
}

fn send(mut reader: YamlReader<'_>, sender: &SyncSender<Batch>) {
    loop {
        let mut batch = Vec::with_capacity(BATCH);
        while batch.len() < BATCH {
            match reader.next_branch() {
                Some(branch) => batch.push(branch),
                None => break,
            }
        }
        let is_last = batch.len() < BATCH;
        if sender.send(batch).is_err() || is_last {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{LARGE, read_ahead};

    fn count(text: &str) -> (usize, bool) {
        read_ahead(text, false, |documents| {
            let mut number = 0;
            while let Some(branch) = documents.next_branch() {
                if branch.is_err() {
                    return (number, false);
                }
                number += 1;
            }
            (number, true)
        })
    }

    #[test]
    fn a_large_text_has_the_same_documents() {
        let document = "---\na: 1\n";
        let text = document.repeat(LARGE / document.len() + 10);
        assert_eq!(count(&text), (LARGE / document.len() + 10, true));
        assert_eq!(count(&text[..document.len() * 3]), (3, true));
    }

    #[test]
    fn an_error_far_behind_is_given_and_ends_the_thread() {
        let document = "---\na: 1\n";
        let number = LARGE / document.len() + 1;
        assert_eq!(
            count(&(document.repeat(number) + "---\na: [\n" + &document.repeat(number))),
            (number, false)
        );
    }
}
