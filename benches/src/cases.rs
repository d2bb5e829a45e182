//! The cases, the goals that issues 3 and 4 set for each, and the order of runs.
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
    /// The suffix of the file, which tells the format.
    suffix: &'static str,
    text: Vec<u8>,
    values: Vec<String>,
    rounds: usize,
    goal: f64,
    /// In KiB.
    memory_goal: Option<u64>,
    with_sops: bool,
    with_rops: bool,
}

/// Runs everything and prints the report.
pub(crate) fn run(args: impl Iterator<Item = String>) -> Result<(), String> {
    let (mut quick, mut formats) = (false, false);
    for arg in args {
        match arg.as_str() {
            "--quick" => quick = true,
            "--formats" => formats = true,
            "--install-rops" => Program::install_rops()?,
            other => {
                return Err(format!(
                    "unknown argument {other}; there are --quick, --formats and --install-rops"
                ));
            }
        }
    }
    let (programs, missing) = Program::find();
    report::head(&missing);
    if programs.is_empty() {
        return Err("no program to run".to_owned());
    }
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    if !formats {
        report::row(&start(&programs, if quick { 5 } else { 40 }));
    }
    for case in if formats { other_formats(quick) } else { secrets(quick) } {
        for row in both_ways(&programs, &case, folder.path())? {
            report::row(&row);
        }
    }
    Ok(())
}

const SMALL_MEMORY: u64 = 10 * 1024;

/// The goals of issue 3: YAML.
fn secrets(quick: bool) -> Vec<Case> {
    let large = |name, text: String, count, rounds, goal, with_rops| Case {
        name,
        suffix: "yaml",
        values: inputs::values(count),
        rounds: if quick { 1 } else { rounds },
        goal,
        memory_goal: (count >= 10_000).then_some(8 * text.len() as u64 / 1024),
        with_sops: true,
        with_rops,
        text: text.into_bytes(),
    };
    let mut cases = vec![
        Case {
            name: "quickstart Secret",
            suffix: "yaml",
            text: inputs::QUICKSTART.as_bytes().to_vec(),
            values: vec!["admin".to_owned(), "t0p-S3cr3t".to_owned()],
            rounds: if quick { 5 } else { 40 },
            goal: 5.0,
            memory_goal: Some(SMALL_MEMORY),
            with_sops: true,
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

/// The goals of issue 4: the other formats.
fn other_formats(quick: bool) -> Vec<Case> {
    let case = |name, suffix, text: Vec<u8>, values, rounds, goal, with_sops| Case {
        name,
        suffix,
        text,
        values,
        rounds: if quick { 1 } else { rounds },
        goal,
        memory_goal: None,
        with_sops,
        with_rops: false,
    };
    let json = |name, count, rounds, with_sops, goal| {
        let (text, values) = inputs::json(count);
        case(name, "json", text, values, rounds, goal, with_sops)
    };
    let (dotenv, entries) = inputs::dotenv(10_000);
    let (ini, settings) = inputs::ini(10_000);
    let mut cases = vec![
        case("dotenv, 10,000 entries", "env", dotenv, entries, 5, 1.0, true),
        case("INI, 10,000 entries", "ini", ini, settings, 5, 1.0, true),
    ];
    if !quick {
        let (bytes, size) = (inputs::bytes(32 << 20), 32 << 10);
        let value = String::from_utf8_lossy(&vec![b'x'; bytes.len()]).into_owned();
        let mut binary = case("binary, 32 MiB", "bin", bytes, vec![value], 5, 5.0, true);
        binary.memory_goal = Some(4 * size);
        cases.push(binary);
        cases.push(json("JSON, 2,000 keys", 2_000, 5, true, 1.0));
        cases.push(json("JSON, 20,000 keys", 20_000, 1, true, 300.0));
        // Upstream takes over five minutes for this one; it shows whether the time grows in proportion.
        cases.push(json("JSON, 100,000 keys", 100_000, 3, false, 1.0));
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
    let takes_part = |program: &&Program| match program.kind {
        Kind::Ksops => true,
        Kind::Sops => case.with_sops,
        Kind::Rops => case.with_rops,
    };
    let programs: Vec<Program> = programs.iter().filter(takes_part).cloned().collect();
    let plain = folder.join(format!("plain.{}", case.suffix));
    fs::write(&plain, &case.text).map_err(|error| error.to_string())?;
    // All decrypt the same file: that of sops, else that of the first program.
    let writer = programs.iter().find(|program| program.kind == Kind::Sops).or(programs.first());
    let encrypted: PathBuf = folder.join(format!("encrypted.{}", case.suffix));
    let writer = writer.ok_or("no program to encrypt with")?;
    measure::run(writer, Job::Encrypt(&plain), Some(&encrypted))?;
    let floor = floor::time(&case.values, 5);
    // Memory is held against the file that is read, and an encrypted one is several times larger.
    let encrypted_size = fs::metadata(&encrypted).map_err(|error| error.to_string())?.len();
    let plain_size = case.text.len() as u64;
    let row = |what: &str, size: u64, results| Row {
        name: format!("{what} {}", case.name),
        size: usize::try_from(size).unwrap_or(usize::MAX),
        results,
        goal: case.goal,
        memory_goal: case.memory_goal.map(|goal| match goal {
            SMALL_MEMORY => SMALL_MEMORY,
            goal => goal * size / plain_size,
        }),
        floor: Some(floor),
    };
    Ok(vec![
        row("encrypt", plain_size, turns(&programs, case.rounds, |_| Job::Encrypt(&plain))),
        row("decrypt", encrypted_size, turns(&programs, case.rounds, |_| Job::Decrypt(&encrypted))),
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
