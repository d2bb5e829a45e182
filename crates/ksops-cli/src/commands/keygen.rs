//! `keygen`: an age key in the place where it is found again (key-services.md section 3.4).

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use ksops::ksops_age::keygen::generate;
use ksops::ksops_age::sources::{ConfigDir, IdentitySources};
use ksops::ksops_core::clock::Clock;
use ksops::system::SystemClock;

use crate::args::parsed::Invocation;
use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::io_reason::reason;

/// Makes the key, prints its recipient on standard output and says on standard error where the key is.
///
/// # Errors
/// If the file exists or cannot be made. An existing file is never touched.
pub(crate) fn run(context: &Context, call: &Invocation) -> Result<(), Failure> {
    let sources = IdentitySources::from_environment();
    let output = call.flags.text("output").map(PathBuf::from);
    let is_found_again = output.is_none();
    let path = match output {
        Some(path) => path,
        None => default_place(&sources)?,
    };
    let key = generate(SystemClock.now());
    write_new(&path, key.text.as_bytes()).map_err(|error| failure(&path, &error))?;
    context.ui.note(&format!("wrote a new age key to {}; keep a copy of it in a safe place", path.display()));
    if !is_found_again {
        context.ui.note(&format!("to decrypt with it: export SOPS_AGE_KEY_FILE={}", path.display()));
    }
    context.ui.note("its recipient, for those who encrypt:");
    context.ui.data(format!("{}\n", key.recipient.recipient).as_bytes())
}

/// The file that `SOPS_AGE_KEY_FILE` names, else the default key file.
pub(super) fn default_place(sources: &IdentitySources) -> Result<PathBuf, Failure> {
    let named = sources.key_file.clone().filter(|path| !path.as_os_str().is_empty());
    named.or_else(|| sources.default_key_file()).ok_or_else(|| {
        let why = match &sources.config_dir {
            ConfigDir::Unknown(why) => why,
            _ => "there is none",
        };
        Failure::new(Kind::General, format!("cannot tell the directory for key files: {why}"))
            .hints(["name a file with --output"])
    })
}

fn failure(path: &Path, error: &io::Error) -> Failure {
    let name = path.display();
    if error.kind() == ErrorKind::AlreadyExists {
        let text = format!("{name} exists already and is not overwritten");
        return Failure::new(Kind::General, text)
            .hints(["use that key, or make another one with `ksops keygen --output FILE`"]);
    }
    Failure::new(Kind::Output, format!("cannot write {name}: {}", reason(error)))
}

/// Writes a file that only its owner can read, and its folders likewise.
fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut folders = DirBuilder::new();
    folders.recursive(true);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
        folders.mode(0o700);
        options.mode(0o600);
    }
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        folders.create(folder)?;
    }
    let mut file = options.open(path)?;
    let written = fill(&mut file, bytes);
    if written.is_err() {
        // Half a key would stop the next attempt, and help nobody. The file is ours: it was made a moment ago.
        drop(file);
        let _ = std::fs::remove_file(path);
    }
    written
}

fn fill(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)?;
    file.sync_all()
}
