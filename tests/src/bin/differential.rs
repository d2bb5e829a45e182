//! Compares ksops with real sops on random input, for as long as one wants; or on one text.
//!
//! ```text
//! differential [--cases N] [--seed S] [--first N] [--jobs J] [--keep FOLDER]
//!              [--kind tree|grammar|mutation|json|dotenv|ini|binary]
//! differential --file TEXT [--formats PLAIN,ENCRYPTED,DECRYPTED] [--rule NAME=PARAMETER] [--indent N]
//!              [--mac-only-encrypted true]
//! ```
#![allow(clippy::print_stdout, reason = "a program that reports")]

use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;

use ksops_stores::format::Format;
use ksops_tests::differential::case::{Case, Formats, Kind};
use ksops_tests::differential::compare::{Verdict, compare};
use ksops_tests::differential::rules::RuleChoice;
use ksops_tests::differential::run::{self, Failure, Plan};
use ksops_tests::differential::theirs::{self, Theirs};

fn main() -> ExitCode {
    match options().and_then(|options| if options.file.is_some() { one(options) } else { many(&options) }) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            println!("{problem}");
            ExitCode::from(2)
        }
    }
}

struct Options {
    plan: Plan,
    /// Where the texts of failures go.
    keep: Option<PathBuf>,
    /// The one text to look at.
    file: Option<PathBuf>,
    case: Case,
}

fn many(options: &Options) -> Result<bool, String> {
    let Options { plan, keep, .. } = options;
    println!("seed {} ({} cases from {}, {} jobs)", plan.seed, plan.cases, plan.first, plan.jobs);
    let report = run::run(plan);
    println!("{report}");
    if let Some(folder) = keep {
        run::keep(&report, folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    Ok(report.unknown.is_empty())
}

fn one(options: Options) -> Result<bool, String> {
    let Options { plan, file, mut case, .. } = options;
    let path = file.unwrap_or_default();
    case.text = std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut agree = true;
    for finding in compare(&case, &mut Theirs::new(plan.oracle)) {
        println!(
            "{:?}\n{}",
            finding.verdict,
            Failure { number: 0, case: case.clone(), finding: finding.clone() }
        );
        agree &= finding.verdict != Verdict::Different;
    }
    Ok(agree)
}

fn options() -> Result<Options, String> {
    let cores = thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let oracle = theirs::build()?.ok_or("neither SOPS_ORACLE nor go is there")?;
    let mut plan = Plan { oracle, seed: run::any_seed(), first: 0, cases: 2000, jobs: cores, kind: None };
    let mut case = Case::random(0, 0, None);
    (case.rule, case.indent, case.mac_only_encrypted, case.damage) =
        (RuleChoice::default_suffix(), 0, false, None);
    case.formats = Formats::all(Format::Yaml);
    let (mut keep, mut file) = (None, None);
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{name} needs a value"))?;
        let number = || value.parse::<u64>().map_err(|error| format!("{name} {value}: {error}"));
        match name.as_str() {
            "--cases" => plan.cases = number()?,
            "--seed" => plan.seed = number()?,
            "--first" => plan.first = number()?,
            "--jobs" => plan.jobs = usize::try_from(number()?).unwrap_or(1).max(1),
            "--kind" => {
                let kind = Kind::ALL.into_iter().find(|kind| kind.name() == value);
                plan.kind = Some(kind.ok_or_else(|| format!("--kind {value}: no such kind"))?);
            }
            "--keep" => keep = Some(PathBuf::from(value)),
            "--file" => file = Some(PathBuf::from(value)),
            "--formats" => case.formats = formats(&value)?,
            "--rule" => {
                case.rule =
                    RuleChoice::named(&value).ok_or_else(|| format!("--rule {value}: no such rule"))?
            }
            "--indent" => case.indent = value.parse().map_err(|error| format!("{name} {value}: {error}"))?,
            "--mac-only-encrypted" => case.mac_only_encrypted = value == "true",
            _ => return Err(format!("unknown option {name}")),
        }
    }
    Ok(Options { plan, keep, file, case })
}

fn formats(text: &str) -> Result<Formats, String> {
    let formats = text.split(',').map(Format::from_name).collect::<Option<Vec<_>>>();
    match formats.as_deref() {
        Some(&[one]) => Ok(Formats::all(one)),
        Some(&[plain, encrypted, decrypted]) => Ok(Formats { plain, encrypted, decrypted }),
        _ => Err(format!("--formats {text}: one or three formats are needed, as in json,yaml,json")),
    }
}
