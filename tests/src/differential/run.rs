//! Runs many cases and reports.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::case::{Case, Formats, Kind};
use super::compare::{Check, Finding, Verdict, compare};
use super::minimise::minimise;
use super::theirs::Theirs;

/// The most findings of one kind that are made smaller and kept.
const KEPT: usize = 5;

/// What to run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Where the oracle is.
    pub oracle: PathBuf,
    /// The seed of the run.
    pub seed: u64,
    /// The number of the first case.
    pub first: u64,
    /// The number of cases.
    pub cases: u64,
    /// How many run at the same time.
    pub jobs: usize,
    /// Only cases of this kind.
    pub kind: Option<Kind>,
}

/// A difference that nobody explains.
pub struct Failure {
    /// The number of the case in its run.
    pub number: u64,
    /// The smallest case that shows it.
    pub case: Case,
    /// What differs there.
    pub finding: Finding,
}

/// What a run found.
#[derive(Default)]
pub struct Report {
    /// The number of cases.
    pub cases: u64,
    /// How many comparisons there were, and in how many both sides succeeded.
    pub checks: BTreeMap<Check, (u64, u64)>,
    /// How often each known difference was met.
    pub known: BTreeMap<&'static str, u64>,
    /// How often each unknown difference was met.
    pub unknown: BTreeMap<String, u64>,
    /// Some of them.
    pub failures: Vec<Failure>,
    /// How long it took.
    pub took: Duration,
}

/// A seed that nobody has chosen.
#[must_use]
pub fn any_seed() -> u64 {
    // Its keys are random for each process.
    RandomState::new().build_hasher().finish()
}

/// Runs the cases of `plan`.
#[must_use]
pub fn run(plan: &Plan) -> Report {
    let start = Instant::now();
    let next = AtomicU64::new(plan.first);
    let report = Mutex::new(Report::default());
    thread::scope(|scope| {
        for _ in 0..plan.jobs {
            scope.spawn(|| work(plan, &next, &report));
        }
    });
    let mut report = report.into_inner().unwrap_or_else(PoisonError::into_inner);
    report.took = start.elapsed();
    report.failures.sort_by_key(|failure| failure.number);
    report
}

fn work(plan: &Plan, next: &AtomicU64, report: &Mutex<Report>) {
    let mut theirs = Theirs::new(plan.oracle.clone());
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= plan.first + plan.cases {
            return;
        }
        let case = Case::random(plan.seed, number, plan.kind);
        let findings = compare(&case, &mut theirs);
        for signature in note(report, findings) {
            let Some((case, finding)) = minimise(&case, &signature, &mut theirs) else { continue };
            let mut report = report.lock().unwrap_or_else(PoisonError::into_inner);
            report.failures.push(Failure { number, case, finding });
        }
    }
}

/// Counts the findings, and gives the signatures of those that are worth a closer look.
fn note(report: &Mutex<Report>, findings: Vec<Finding>) -> Vec<String> {
    let mut report = report.lock().unwrap_or_else(PoisonError::into_inner);
    let mut closer = Vec::new();
    report.cases += 1;
    for finding in findings {
        let checks = report.checks.entry(finding.check).or_default();
        checks.0 += 1;
        checks.1 += u64::from(finding.ours.succeeded() && finding.theirs.succeeded());
        match finding.verdict {
            Verdict::Agree => {}
            Verdict::Known(name) => *report.known.entry(name).or_default() += 1,
            Verdict::Different => {
                let signature = finding.signature();
                let count = report.unknown.entry(signature.clone()).or_default();
                *count += 1;
                if *count <= KEPT as u64 && !closer.contains(&signature) {
                    closer.push(signature);
                }
            }
        }
    }
    closer
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let speed = self.cases as f64 / self.took.as_secs_f64().max(0.001);
        writeln!(f, "{} cases in {:.1} s, {speed:.0} a second", self.cases, self.took.as_secs_f64())?;
        for (check, (all, both)) in &self.checks {
            writeln!(f, "  {check}: {all} comparisons, {both} in which both succeeded")?;
        }
        for (name, count) in &self.known {
            writeln!(f, "  known, {count} times: {name}")?;
        }
        for (signature, count) in &self.unknown {
            writeln!(f, "  UNKNOWN, {count} times: {signature}")?;
        }
        self.failures.iter().try_for_each(|failure| write!(f, "\n{failure}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Case { kind, formats, indent, rule, mac_only_encrypted, .. } = &self.case;
        let Formats { plain, encrypted, decrypted } = formats;
        writeln!(f, "=== case {} ({}), {}", self.number, kind.name(), self.finding.signature())?;
        writeln!(
            f,
            "{plain} > {encrypted} > {decrypted}, indent {indent}, {}: {:?}, \
             mac_only_encrypted: {mac_only_encrypted}",
            rule.name, rule.parameter
        )?;
        let show = |f: &mut fmt::Formatter<'_>, what: &str, text: &[u8]| {
            writeln!(f, "{what}: {:?}\n{}", String::from_utf8_lossy(text), String::from_utf8_lossy(text))
        };
        show(f, "text", &self.case.text)?;
        if self.finding.input != self.case.text {
            show(f, "input", &self.finding.input)?;
        }
        for (side, outcome) in [("ours", &self.finding.ours), ("theirs", &self.finding.theirs)] {
            writeln!(f, "{side}: class {} {}", outcome.class, outcome.message)?;
            show(f, side, &outcome.text)?;
        }
        Ok(())
    }
}

/// Writes the text of each failure below `folder`, for a closer look.
///
/// # Errors
/// If that fails.
pub fn keep(report: &Report, folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    for failure in &report.failures {
        std::fs::write(
            folder.join(format!("{}.{}", failure.number, failure.case.formats.plain)),
            &failure.case.text,
        )?;
    }
    Ok(())
}
