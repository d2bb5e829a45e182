//! The cases, the goals that issue 3 sets for each, and the order of runs.
//!
//! The programs take turns within each round, so that a busy machine disturbs all of them alike.

use std::fs;
use std::path::{Path, PathBuf};

use crate::floor;
use crate::inputs;
use crate::measure::{self, Measured};
use crate::programs::{Job, Kind, Program};
use crate::report;

/// A row of the report: one job on one input.
pub(crate) struct Row {
    pub(crate) name: String,
    /// The size of the input in bytes; 0 for a mere start.
    pub(crate) size: usize,
    pub(crate) results: Vec<(Kind, Result<Measured, String>)>,
    /// How many times faster than sops it has to be.
    pub(crate) goal: f64,
    /// The most memory in KiB, if the issue names one.
    pub(crate) memory_goal: Option<u64>,
    pub(crate) floor: Option<std::time::Duration>,
}

struct Case {
    name: &'static str,
    text: String,
    values: Vec<String>,
    rounds: usize,
    goal: f64,
    memory_goal: u64,
    with_rops: bool,
}

/// Runs everything and prints the report.
pub(crate) fn run(args: impl Iterator<Item = String>) -> Result<(), String> {
    let mut quick = false;
    for arg in args {
        match arg.as_str() {
            "--quick" => quick = true,
            "--install-rops" => Program::install_rops()?,
            other => return Err(format!("unknown argument {other}; there are --quick and --install-rops")),
        }
    }
    let (programs, missing) = Program::find();
    report::head(&missing);
    if programs.is_empty() {
        return Err("no program to run".to_owned());
    }
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let small = if quick { 5 } else { 40 };
    report::row(&start(&programs, small));
    for case in cases(quick) {
        for row in both_ways(&programs, &case, folder.path())? {
            report::row(&row);
        }
    }
    Ok(())
}

fn cases(quick: bool) -> Vec<Case> {
    const SMALL_MEMORY: u64 = 10 * 1024;
    let large = |name, text: String, count, rounds, goal, with_rops| Case {
        name,
        values: inputs::values(count),
        rounds: if quick { 1 } else { rounds },
        goal,
        memory_goal: (8 * text.len() as u64 / 1024).max(SMALL_MEMORY),
        with_rops,
        text,
    };
    let mut cases = vec![
        Case {
            name: "quickstart Secret",
            text: inputs::QUICKSTART.to_owned(),
            values: vec!["admin".to_owned(), "t0p-S3cr3t".to_owned()],
            rounds: if quick { 5 } else { 40 },
            goal: 5.0,
            memory_goal: SMALL_MEMORY,
            with_rops: true,
        },
        large("1,000 Secrets, one List", inputs::list(1000), 1000, 7, 1.0, true),
        large("1,000 Secrets, documents", inputs::documents(1000), 1000, 5, 1.0, false),
    ];
    if !quick {
        cases.push(large("10,000 Secrets, one List", inputs::list(10_000), 10_000, 3, 30.0, true));
        cases.push(large("10,000 Secrets, documents", inputs::documents(10_000), 10_000, 3, 30.0, false));
    }
    cases
}

fn start(programs: &[Program], rounds: usize) -> Row {
    Row {
        name: "start".to_owned(),
        size: 0,
        results: turns(programs, rounds, |_| Job::Start),
        goal: 5.0,
        memory_goal: Some(10 * 1024),
        floor: None,
    }
}

/// Encrypts the case's input with each program, then has each decrypt what sops made of it.
fn both_ways(programs: &[Program], case: &Case, folder: &Path) -> Result<Vec<Row>, String> {
    let programs: Vec<Program> =
        programs.iter().filter(|program| case.with_rops || program.kind != Kind::Rops).cloned().collect();
    let plain = folder.join("plain.yaml");
    fs::write(&plain, &case.text).map_err(|error| error.to_string())?;
    // All decrypt the same file: that of sops, else that of the first program.
    let writer = programs.iter().find(|program| program.kind == Kind::Sops).or(programs.first());
    let encrypted: PathBuf = folder.join("encrypted.yaml");
    let writer = writer.ok_or("no program to encrypt with")?;
    measure::run(writer, Job::Encrypt(&plain), Some(&encrypted))?;
    let floor = floor::time(&case.values, 5);
    let row = |what: &str, results| Row {
        name: format!("{what} {}", case.name),
        size: case.text.len(),
        results,
        goal: case.goal,
        memory_goal: Some(case.memory_goal),
        floor: Some(floor),
    };
    Ok(vec![
        row("encrypt", turns(&programs, case.rounds, |_| Job::Encrypt(&plain))),
        row("decrypt", turns(&programs, case.rounds, |_| Job::Decrypt(&encrypted))),
    ])
}

/// `rounds` runs of each program in turn, after one that is not counted, and one for the memory.
fn turns<'a>(
    programs: &[Program],
    rounds: usize,
    job: impl Fn(&Program) -> Job<'a>,
) -> Vec<(Kind, Result<Measured, String>)> {
    let mut results: Vec<(Kind, Result<Measured, String>)> = programs
        .iter()
        .map(|program| {
            let job = job(program);
            let warm = measure::run(program, job, None);
            (
                program.kind,
                warm.map(|_| Measured { memory: measure::memory(program, job), ..Measured::default() }),
            )
        })
        .collect();
    for _ in 0..rounds {
        for (program, (_, result)) in programs.iter().zip(&mut results) {
            let Ok(measured) = result else { continue };
            match measure::run(program, job(program), None) {
                Ok(time) => measured.add(time),
                Err(problem) => *result = Err(problem),
            }
        }
    }
    results
}
