//! Wall time and peak memory of a program's run.
//!
//! Memory is what `/usr/bin/time` (GNU) reports, in runs of its own, so that it adds nothing to the times.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::programs::{Job, Program};

/// Times of several runs, and the peak memory of one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Measured {
    pub(crate) times: Vec<Duration>,
    /// In KiB, if it could be measured.
    pub(crate) memory: Option<u64>,
}

impl Measured {
    pub(crate) fn add(&mut self, time: Duration) {
        self.times.push(time);
        self.times.sort();
    }

    pub(crate) fn least(&self) -> Duration {
        self.times.first().copied().unwrap_or_default()
    }

    pub(crate) fn median(&self) -> Duration {
        self.times.get(self.times.len() / 2).copied().unwrap_or_default()
    }
}

/// One run; the output goes to `output` if given.
pub(crate) fn run(program: &Program, job: Job<'_>, output: Option<&Path>) -> Result<Duration, String> {
    let mut command = program.command(job, &[])?;
    match output {
        Some(path) => command.stdout(fs::File::create(path).map_err(|error| error.to_string())?),
        None => command.stdout(Stdio::null()),
    };
    command.stderr(Stdio::null());
    let started = Instant::now();
    let status = command.status().map_err(|error| format!("{:?}: {error}", program.kind))?;
    let took = started.elapsed();
    if status.success() { Ok(took) } else { Err(format!("{:?} {job:?}: {status}", program.kind)) }
}

/// The peak memory of one run in KiB.
pub(crate) fn memory(program: &Program, job: Job<'_>) -> Option<u64> {
    let file = tempfile::NamedTempFile::new().ok()?;
    let note = file.path().to_str()?;
    let mut command = program.command(job, &["/usr/bin/time", "-f", "%M", "-o", note]).ok()?;
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().ok()?;
    if !status.success() {
        return None;
    }
    fs::read_to_string(note).ok()?.trim().parse().ok()
}
