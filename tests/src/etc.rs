//! Another `/etc` for a program under test: a mount that only it sees. sops reads one file there that no variable moves.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use crate::program::{Call, Program};
use crate::sandbox::Sandbox;

/// Puts the folder that is named first in the place of `/etc`, then becomes the command.
const WITH_ETC: &str = "#!/bin/sh\n\
    # Root of a namespace of one's own where one is not root already.\n\
    [ \"$(id -u)\" = 0 ] && own=-m || own=-rm\n\
    exec unshare $own sh -c 'mount --bind \"$0\" /etc && shift && exec \"$@\"' \"$@\"\n";

/// Of the real `/etc`: names of users and hosts, and where shared libraries are.
const KEPT: [&str; 6] = ["passwd", "group", "hosts", "nsswitch.conf", "ld.so.cache", "resolv.conf"];

/// The folder, and the script that puts it in place.
pub struct Etc {
    folder: PathBuf,
    script: Program,
}

impl Etc {
    /// Makes one in the sandbox, beside its work folder.
    ///
    /// # Panics
    /// If that fails.
    #[must_use]
    pub fn new(sandbox: &Sandbox) -> Self {
        let folder = sandbox.root().join("etc");
        fs::create_dir_all(folder.join("sops")).expect("own folder");
        for name in KEPT {
            // Not every system has every one.
            let _ = fs::copy(format!("/etc/{name}"), folder.join(name));
        }
        let script = sandbox.root().join("with-etc");
        fs::write(&script, WITH_ETC).expect("own folder");
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("own file");
        Self { folder, script: Program::at(script) }
    }

    /// Writes `/etc/sops/audit.yaml`.
    ///
    /// # Panics
    /// If that fails.
    pub fn audit(&self, text: &str) {
        fs::write(self.folder.join("sops/audit.yaml"), text).expect("own folder");
    }

    /// Takes that file away.
    ///
    /// # Panics
    /// If it is not there.
    pub fn no_audit(&self) {
        fs::remove_file(self.folder.join("sops/audit.yaml")).expect("own file");
    }

    /// Prepares a call of `program` that sees this `/etc`.
    #[must_use]
    pub fn call<'a>(&'a self, program: &Program, sandbox: &'a Sandbox) -> Call<'a> {
        self.script.call(sandbox).arg(&self.folder).arg("-").arg(program.path())
    }
}
