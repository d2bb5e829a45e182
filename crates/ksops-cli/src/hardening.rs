//! Keeps the memory of the process, which holds keys and plaintext, out of core files and away from other processes of
//! the same user (security.md S16). What the system does not offer is done without: the program works all the same.

/// Switches off core files, and on Linux reading by debuggers of the same user.
#[cfg(unix)]
pub(crate) fn apply() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let limit = getrlimit(Resource::Core);
    if limit.current != Some(0) {
        let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: limit.maximum });
    }
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}

/// There is nothing to do.
#[cfg(not(unix))]
pub(crate) fn apply() {}
