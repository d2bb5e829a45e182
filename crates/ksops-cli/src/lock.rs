//! A lock on a file that is going to be replaced, so that of two writers the second starts from the first one's work
//! (security.md S10). Apart from the writing, because it is taken before the file is read.

use std::fs::File;
use std::path::Path;

/// A held lock; given back when dropped or when the process ends.
pub(crate) struct Lock {
    _file: File,
}

/// How often a file may be replaced under our hands before we go on without a lock.
#[cfg(unix)]
const ATTEMPTS: usize = 100;

impl Lock {
    /// Locks a regular file, waiting for others; `on_wait` is called once before that. `None` where there is nothing to
    /// lock or the file system has no locks: the write is atomic without it, too.
    #[cfg(unix)]
    pub(crate) fn take(path: &Path, on_wait: impl FnOnce()) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;

        use rustix::fs::{FlockOperation, flock};
        use rustix::io::Errno;

        let mut on_wait = Some(on_wait);
        for _ in 0..ATTEMPTS {
            // Opening anything else might wait for a partner that never comes.
            path.metadata().ok().filter(|data| data.is_file())?;
            let file = File::open(path).ok()?;
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {}
                Err(Errno::WOULDBLOCK) => {
                    if let Some(on_wait) = on_wait.take() {
                        on_wait();
                    }
                    flock(&file, FlockOperation::LockExclusive).ok()?;
                }
                Err(_) => return None,
            }
            let (held, named) = (file.metadata().ok()?, path.metadata().ok()?);
            if (held.dev(), held.ino()) == (named.dev(), named.ino()) {
                return Some(Self { _file: file });
            }
            // Another writer has put a new file in its place while we waited: that is the one to lock.
        }
        None
    }

    /// There are no advisory locks here.
    #[cfg(not(unix))]
    pub(crate) fn take(_: &Path, _: impl FnOnce()) -> Option<Self> {
        None
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::sync::mpsc;
    use std::thread;

    use super::Lock;

    #[test]
    fn a_second_writer_waits_and_then_locks_the_new_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("f");
        fs::write(&path, "old").expect("written");
        let first = Lock::take(&path, || panic!("nobody else is here")).expect("locked");
        let (tell, told) = mpsc::channel();
        let second = thread::spawn({
            let path = path.clone();
            move || {
                let lock = Lock::take(&path, || tell.send(()).expect("heard"));
                (fs::read_to_string(&path).expect("read"), lock.is_some())
            }
        });
        told.recv().expect("it waits");
        crate::output::replace(&path, b"new").expect("replaced");
        drop(first);
        assert_eq!(second.join().expect("ended"), ("new".to_owned(), true));
    }

    #[test]
    fn only_regular_files_are_locked() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(Lock::take(folder.path(), || ()).is_none());
        assert!(Lock::take(&folder.path().join("none"), || ()).is_none());
    }
}
