//! A second process that wipes a scratch folder when the first one is gone, however it ended (security.md S16): a process
//! that is killed cannot tidy up after itself.
//!
//! It is this program again, with the folder in a variable, and waits for the end of its standard input, which the first
//! process holds open.

use std::env;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use crate::outside::scratch;

/// The variable with the folder to wipe.
const VARIABLE: &str = "KSOPS_JANITOR_FOLDER";

/// A waiting second process; it ends when this is dropped.
pub(crate) struct Janitor {
    child: Child,
    held: Option<ChildStdin>,
}

impl Janitor {
    /// Starts a process that outlives this one. Without it, only a kill leaves something behind.
    pub(crate) fn start(folder: &Path) -> Option<Self> {
        // Only the program itself knows what to do with the variable: a test would start all tests again.
        if cfg!(test) || env::var_os(VARIABLE).is_some() {
            return None;
        }
        let mut command = Command::new(env::current_exe().ok()?);
        command.env_clear().env(VARIABLE, folder).current_dir("/");
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        #[cfg(unix)]
        {
            use std::os::unix::process::CommandExt;
            // What ends the group of the terminal must not end it.
            command.process_group(0);
        }
        let mut child = command.spawn().ok()?;
        let held = child.stdin.take();
        Some(Self { child, held })
    }
}

impl Drop for Janitor {
    fn drop(&mut self) {
        drop(self.held.take());
        let _ = self.child.wait();
    }
}

/// Does the janitor's work if this process was started for it.
pub(crate) fn serve() -> bool {
    let Some(folder) = env::var_os(VARIABLE).map(PathBuf::from) else { return false };
    // Whatever comes, or fails: the other one is gone then.
    let _ = io::stdin().lock().read_to_end(&mut Vec::new());
    if scratch::is_one(&folder) {
        scratch::wipe(&folder);
    }
    true
}
