//! Reads a large document on a thread of its own, beside other work.
//!
//! Many small documents are read on the spot: handing them from thread to thread costs more than reading them, since
//! memory that one thread takes and another gives back is fought over.

use std::sync::mpsc::sync_channel;

use ksops_core::tree::branch::Branch;
use ksops_stores::yaml::load::{LoadError, YamlReader};

/// Below this size a thread costs more than it saves.
const LARGE: usize = 256 * 1024;

/// Address space only: pages that are not touched cost nothing. Deep nesting needs more than a thread's usual 2 MiB.
const STACK: usize = 64 << 20;

/// Runs `work` over the documents of `text`; numbers keep their text.
pub(crate) fn read_beside<R>(
    text: &str,
    work: impl FnOnce(&mut dyn Iterator<Item = Result<Branch, LoadError>>) -> R,
) -> R {
    let documents = || {
        let mut reader = YamlReader::new(text).keeping_numbers(true);
        std::iter::from_fn(move || reader.next_branch())
    };
    if text.len() < LARGE || text.contains("\n---") {
        return work(&mut documents());
    }
    std::thread::scope(|scope| {
        let (sender, receiver) = sync_channel(1);
        let thread = std::thread::Builder::new().stack_size(STACK);
        let send = move || documents().try_for_each(|document| sender.send(document)).is_ok();
        let started = thread.spawn_scoped(scope, send);
        match started {
            // Dropping the receiver ends the thread, also after an error.
            Ok(_) => work(&mut receiver.into_iter()),
            Err(_) => work(&mut documents()),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::{LARGE, read_beside};

    fn count(text: &str) -> (usize, bool) {
        read_beside(text, |documents| {
            let read: Vec<bool> = documents.map(|document| document.is_ok()).collect();
            (read.iter().filter(|ok| **ok).count(), read.iter().all(|ok| *ok))
        })
    }

    #[test]
    fn a_large_document_is_read_beside() {
        let line = "- 123456\n";
        let text = "a:\n".to_owned() + &line.repeat(LARGE / line.len() + 10);
        assert_eq!(count(&text), (1, true));
        assert_eq!(count(&(text + "- [\n")), (0, false));
    }

    #[test]
    fn many_documents_are_read_on_the_spot() {
        let document = "---\na: 1\n";
        let number = LARGE / document.len() + 1;
        assert_eq!(count(&document.repeat(number)), (number, true));
    }
}
