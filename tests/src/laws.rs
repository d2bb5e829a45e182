//! The laws of keeping a layout, on random documents, with real sops as the judge.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use ksops::layout::Layout;
use ksops_core::document::verify::{Comments, Fidelity, Typing, compare};
use ksops_stores::file;
use ksops_stores::format::Format;

use crate::differential::case::{Case, Formats, Kind};
use crate::differential::ours;
use crate::differential::rules::RuleChoice;
use crate::differential::theirs::Theirs;

/// The most breaches that are shown.
const SHOWN: usize = 12;

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

/// A law that does not hold.
#[derive(Debug, Clone)]
pub struct Breach {
    /// Which one.
    pub law: &'static str,
    /// What was compared.
    pub shown: Vec<(&'static str, Vec<u8>)>,
}

/// What became of a case.
pub enum Verdict {
    /// It says nothing about layouts.
    Skipped,
    /// The layout was not kept, with a warning.
    NotKept(String),
    /// The layout was kept.
    Kept(Vec<Breach>),
}

/// What a run found.
#[derive(Default)]
pub struct Report {
    /// Cases that say something.
    pub judged: u64,
    /// Cases whose layout was not kept, by what the warning says, and one of them.
    pub not_kept: BTreeMap<String, (u64, Vec<u8>)>,
    /// How often each law did not hold.
    pub breaches: BTreeMap<&'static str, u64>,
    /// Some of these cases.
    pub shown: Vec<(u64, Case, Breach)>,
}

/// The kinds whose formats can keep a layout.
const KINDS: [Kind; 6] = [Kind::Tree, Kind::Grammar, Kind::Mutation, Kind::Json, Kind::Dotenv, Kind::Ini];

/// The case number `number`: one format from end to end, the layout's own indentation.
#[must_use]
pub fn case(plan: &Plan, number: u64) -> Case {
    let kind = plan.kind.unwrap_or_else(|| KINDS[(number % KINDS.len() as u64) as usize]);
    let mut case = Case::random(plan.seed, number, Some(kind));
    case.formats = Formats::all(kind.format());
    case.indent = if kind.format() == Format::Yaml { 0 } else { -1 };
    if number.is_multiple_of(5) {
        case.rule = RuleChoice::named("encrypted_regex=^no such key$").unwrap_or(case.rule);
    }
    case
}

/// Runs the cases of `plan`.
#[must_use]
pub fn run(plan: &Plan) -> Report {
    let next = AtomicU64::new(plan.first);
    let report = Mutex::new(Report::default());
    thread::scope(|scope| {
        for _ in 0..plan.jobs {
            scope.spawn(|| {
                let mut theirs = Theirs::new(plan.oracle.clone());
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= plan.first + plan.cases {
                        return;
                    }
                    let case = case(plan, number);
                    let verdict = judge(&case, &mut theirs);
                    let mut report = report.lock().unwrap_or_else(PoisonError::into_inner);
                    report.note(number, case, verdict);
                }
            });
        }
    });
    report.into_inner().unwrap_or_else(PoisonError::into_inner)
}

impl Report {
    fn note(&mut self, number: u64, case: Case, verdict: Verdict) {
        match verdict {
            Verdict::Skipped => {}
            Verdict::NotKept(reason) => {
                self.judged += 1;
                self.not_kept.entry(reason).or_insert_with(|| (0, case.text)).0 += 1;
            }
            Verdict::Kept(breaches) => {
                self.judged += 1;
                for breach in breaches {
                    *self.breaches.entry(breach.law).or_default() += 1;
                    if self.shown.len() < SHOWN {
                        self.shown.push((number, case.clone(), breach));
                    }
                }
            }
        }
    }
}

/// Judges one case.
pub fn judge(case: &Case, theirs: &mut Theirs) -> Verdict {
    let by_them = theirs.encrypt(case);
    // What differs already in the layout of sops is the business of the differential tests.
    if !by_them.succeeded() || ours::encrypt(case).text != by_them.text {
        return Verdict::Skipped;
    }
    let kept = ours::encrypt_laid_out(case, Layout::Preserve);
    let mut breaches = Vec::new();
    let text = case.text.clone();
    if !kept.succeeded() {
        let shown = vec![("input", text), ("ours", kept.message.into_bytes())];
        return Verdict::Kept(vec![Breach { law: "what sops encrypts is encrypted", shown }]);
    }
    if let Some(reason) = not_kept(&kept.message) {
        return Verdict::NotKept(reason);
    }
    // The same nonces were drawn in the same order, so the very same tree prints as the very same text.
    let format = case.formats.plain;
    let printed = theirs.emit(&kept.text, case.indent, format);
    // Comments may stand elsewhere: behind the metadata, or where sops forgets for a while to print them.
    if printed.text != by_them.text && !same_but_places(&printed.text, &by_them.text, format) {
        breaches.push(Breach {
            law: "sops reads the tree that its own encryption has",
            shown: vec![
                ("input", text.clone()),
                ("ours", kept.text.clone()),
                ("printed by sops", printed.text),
                ("by sops", by_them.text.clone()),
            ],
        });
    }
    let (one, other) = (theirs.decrypt(case, &kept.text), theirs.decrypt(case, &by_them.text));
    // Some comments move or are gone when sops reads its own file.
    // An empty comment in a list becomes an empty string there.
    let has_empty_comment = text.split(|byte| matches!(byte, b'\n' | b'\r')).any(|line| line.ends_with(b"#"));
    if other.succeeded()
        && !has_empty_comment
        && !(one.succeeded() && same_values(&one.text, &other.text, format))
    {
        breaches.push(Breach {
            law: "sops decrypts it to what it decrypts its own file to",
            shown: vec![
                ("input", text.clone()),
                ("ours", kept.text.clone()),
                ("decrypted", if one.succeeded() { one.text } else { one.message.into_bytes() }),
                ("own decrypted", other.text),
            ],
        });
    }
    breaches.extend(decrypted(case, &kept.text));
    breaches.extend(lines(case, &kept.text));
    Verdict::Kept(breaches)
}

fn not_kept(warnings: &str) -> Option<String> {
    let line = warnings.lines().find(|line| line.contains("cannot be kept"))?;
    let reason = line.split_once('(').map_or(line, |(_, rest)| rest);
    let reason = reason.rsplit_once(");").map_or(reason, |(reason, _)| reason);
    let reason = match reason.strip_prefix("line ") {
        Some(rest) => rest.split_once(": ").map_or(rest, |(_, reason)| reason),
        None => reason,
    };
    // Paths are not the same twice.
    Some(reason.split(" (at").next().unwrap_or(reason).chars().take(90).collect())
}

/// Decrypted again it has the values that it had, and the bytes if nothing was encrypted.
fn decrypted(case: &Case, kept: &[u8]) -> Option<Breach> {
    let plain = ours::decrypt_laid_out(case, kept, Layout::Preserve);
    let shown =
        |plain: Vec<u8>| vec![("input", case.text.clone()), ("ours", kept.to_vec()), ("decrypted", plain)];
    if !plain.succeeded() {
        return Some(Breach { law: "it decrypts", shown: shown(plain.message.into_bytes()) });
    }
    // Text behind the object, and a comment behind the last key, are dropped.
    let is_cut = matches!(case.formats.plain, Format::Json | Format::Ini)
        && case.text.starts_with(plain.text.trim_ascii_end());
    let is_kept = not_kept(&plain.message).is_none() && !is_cut;
    if is_kept
        && case.rule.parameter == "^no such key$"
        && plain.text != case.text
        && !has_secret_comments(kept)
    {
        return Some(Breach {
            law: "nothing encrypted: decrypting gives the same bytes",
            shown: shown(plain.text),
        });
    }
    let same = same_values(&case.text, &plain.text, case.formats.plain);
    (!same && is_kept).then(|| Breach { law: "decrypting gives the same values", shown: shown(plain.text) })
}

/// Whether two plain texts have the same values.
fn same_values(one: &[u8], other: &[u8], format: Format) -> bool {
    let read = |text: &[u8]| file::read_plain(Cow::Borrowed(text), format, true).ok();
    let (Some(one), Some(other)) = (read(one), read(other)) else { return one == other };
    let fidelity = Fidelity { typing: Typing::Full, comments: Comments::Dropped };
    one.branches.len() == other.branches.len()
        && one.branches.iter().zip(&other.branches).all(|(one, other)| compare(one, other, fidelity).is_ok())
}

/// Whether two texts have the same values, and the same comments, wherever these stand.
fn same_but_places(one: &[u8], other: &[u8], format: Format) -> bool {
    let read = |text: &[u8]| file::read_plain(Cow::Borrowed(text), format, false).ok();
    let (Some(one), Some(other)) = (read(one), read(other)) else { return false };
    let fidelity = Fidelity { typing: Typing::Full, comments: Comments::Kept };
    one.branches.len() == other.branches.len()
        && one.branches.iter().zip(&other.branches).all(|(one, other)| compare(one, other, fidelity).is_ok())
}

/// Whether comments are encrypted, whatever the rule says of values.
fn has_secret_comments(text: &[u8]) -> bool {
    String::from_utf8_lossy(text).contains(",type:comment]")
}

/// Lines without value and comment are all there, in their order.
fn lines(case: &Case, kept: &[u8]) -> Option<Breach> {
    let (input, output) = (String::from_utf8_lossy(&case.text), String::from_utf8_lossy(kept));
    if case.formats.plain != Format::Yaml
        || input.contains(['|', '>', '"', '\'', '[', '{', '*', '\r', '\u{feff}'])
    {
        return None;
    }
    let continues = |line: &str| {
        let line = line.trim();
        !(line.is_empty() || line.starts_with(['#', '-', '%', '.', '?', ':']) || line.contains(':'))
    };
    if input.lines().any(continues) {
        return None;
    }
    let is_bare = |line: &&str| {
        let line = line.trim_end_matches(['\n', '\r']);
        let key = line.trim_start_matches([' ', '-']).strip_suffix(':');
        line.is_empty()
            || line == "---"
            || line == "..."
            || key.is_some_and(|key| key.bytes().all(|byte| byte.is_ascii_alphanumeric()))
    };
    let mut found = output.split_inclusive('\n');
    let gone = input.split_inclusive('\n').filter(is_bare).find(|line| !found.any(|other| other == *line));
    // The last line may have got its break.
    let gone = gone.filter(|line| line.ends_with('\n'))?;
    let shown =
        vec![("line", gone.as_bytes().to_vec()), ("input", case.text.clone()), ("ours", kept.to_vec())];
    Some(Breach { law: "lines without a value stay", shown })
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let not_kept: u64 = self.not_kept.values().map(|(count, _)| count).sum();
        writeln!(f, "{} cases judged, in {not_kept} the layout was not kept", self.judged)?;
        for (reason, (count, text)) in &self.not_kept {
            writeln!(f, "  not kept, {count} times: {reason}: {:?}", String::from_utf8_lossy(text))?;
        }
        for (law, count) in &self.breaches {
            writeln!(f, "  BREACH, {count} times: {law}")?;
        }
        for (number, case, breach) in &self.shown {
            writeln!(
                f,
                "\n=== case {number} ({}), {}: {:?}: {}",
                case.kind.name(),
                case.rule.name,
                case.rule.parameter,
                breach.law
            )?;
            for (what, text) in &breach.shown {
                let text = String::from_utf8_lossy(text);
                writeln!(f, "{what}: {text:?}\n{text}")?;
            }
        }
        Ok(())
    }
}
