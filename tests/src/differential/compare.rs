//! What both sides make of a case, and whether that is the same.

use std::fmt;

use ksops_stores::format::Format;

use super::case::Case;
use super::dice::Dice;
use super::formats::known as formats_known;
use super::known;
use super::marks;
use super::mutate;
use super::ours::{self, UNVERIFIED};
use super::outcome::Outcome;
use super::reconcile::reconcile;
use super::shape::{self, Census};
use super::theirs::Theirs;

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// The nodes of the plain text, with their comments.
    Nodes,
    /// The plain text, loaded and printed.
    Emit,
    /// The encrypted text, with the same data key and nonces.
    Encrypt,
    /// What upstream encrypted, decrypted by both.
    DecryptTheirs,
    /// What ksops encrypted, decrypted by both; only if it is another text.
    DecryptOurs,
    /// What upstream encrypted and somebody changed, decrypted by both.
    DecryptChanged,
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nodes => "nodes",
            Self::Emit => "emit",
            Self::Encrypt => "encrypt",
            Self::DecryptTheirs => "decrypt theirs",
            Self::DecryptOurs => "decrypt ours",
            Self::DecryptChanged => "decrypt changed",
        })
    }
}

/// How two outcomes compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// They are the same.
    Agree,
    /// They differ as `docs/COMPATIBILITY.md` says; the name of that difference.
    Known(&'static str),
    /// They differ and nobody knows why.
    Different,
}

/// The check of ksops's own output found what upstream does not look for.
const UNREADABLE: &str = "a file that upstream cannot read again, or not with all comments, is not written";

/// Several of the differences of `known` at once.
const COMMENTS: &str = "upstream forgets comments or prints them too late, and prints a value wrongly";

/// See `marks`.
const MARKS: &str = "a byte order mark within the text garbles the lines behind it upstream";

/// One comparison.
#[derive(Debug, Clone)]
pub struct Finding {
    /// What was compared.
    pub check: Check,
    /// The text that both were given.
    pub input: Vec<u8>,
    /// What ksops made of it.
    pub ours: Outcome,
    /// What upstream made of it.
    pub theirs: Outcome,
    /// How they compare.
    pub verdict: Verdict,
}

impl Finding {
    /// A short text, the same for findings that are probably the same.
    #[must_use]
    pub fn signature(&self) -> String {
        format!("{}: ours {}, theirs {}", self.check, self.ours.class, self.theirs.class)
    }
}

/// Compares everything about a case.
pub fn compare(case: &Case, theirs: &mut Theirs) -> Vec<Finding> {
    let mut comparison = Comparison { case, theirs, findings: Vec::new() };
    comparison.run();
    comparison.findings
}

struct Comparison<'a> {
    case: &'a Case,
    theirs: &'a mut Theirs,
    findings: Vec<Finding>,
}

impl Comparison<'_> {
    fn run(&mut self) {
        let case = self.case;
        let (plain, indent) = (case.formats.plain, case.indent);
        let by_them = self.theirs.emit(&case.text, indent, plain);
        if case.formats.are(Format::Yaml) {
            let nodes = self.theirs.nodes(&case.text);
            if self.note(Check::Nodes, &case.text, ours::nodes(&case.text), nodes) != Verdict::Agree {
                // What follows from it would say nothing new.
                return;
            }
            self.note(Check::Emit, &case.text, ours::emit(&case.text, indent), by_them);
        } else if plain == Format::Yaml {
            // Whatever differs here already is judged where YAML stays YAML.
            let reads_alike = ours::nodes(&case.text).agrees(&self.theirs.nodes(&case.text));
            if !reads_alike || !ours::emit(&case.text, indent.max(0)).agrees(&by_them) {
                return;
            }
        } else {
            self.note(Check::Emit, &case.text, ours::emit_format(&case.text, indent, plain), by_them);
        }
        let (by_us, by_them) = (ours::encrypt(case), self.theirs.encrypt(case));
        self.note(Check::Encrypt, &case.text, by_us.clone(), by_them.clone());
        if by_them.succeeded() {
            self.decrypt(Check::DecryptTheirs, &by_them.text);
            if let Some(seed) = case.damage {
                let mut dice = Dice::new(seed);
                let rounds = 1 + dice.below(3);
                let changed = mutate::changed(&mut dice, by_them.text.clone(), rounds);
                self.decrypt(Check::DecryptChanged, &changed);
            }
        }
        if by_us.succeeded() && by_us.text != by_them.text {
            self.decrypt(Check::DecryptOurs, &by_us.text);
        }
    }

    fn decrypt(&mut self, check: Check, text: &[u8]) {
        let by_them = self.theirs.decrypt(self.case, text);
        self.note(check, text, ours::decrypt(self.case, text), by_them);
    }

    fn note(&mut self, check: Check, input: &[u8], ours: Outcome, theirs: Outcome) -> Verdict {
        let mut finding = Finding { check, input: input.to_vec(), ours, theirs, verdict: Verdict::Agree };
        if !finding.ours.agrees(&finding.theirs) {
            finding.verdict = match self.known(&finding) {
                Some(name) => Verdict::Known(name),
                None if !self.case.formats.are(Format::Yaml) => Verdict::Different,
                None if self.is_unreadable(&finding) => Verdict::Known(UNREADABLE),
                None if self.is_about_comments(&finding) => Verdict::Known(COMMENTS),
                None if self.is_about_marks(input) => Verdict::Known(MARKS),
                None => Verdict::Different,
            };
        }
        let verdict = finding.verdict;
        self.findings.push(finding);
        verdict
    }

    fn known(&mut self, finding: &Finding) -> Option<&'static str> {
        match self.case.formats.are(Format::Yaml) {
            true => known::difference(self.case, finding),
            false => formats_known::difference(self.case, finding, |text| {
                self.theirs.decrypt_as(self.case, text, self.case.formats.plain)
            }),
        }
    }

    /// Whether ksops refuses to write what upstream writes, and then cannot read, or reads without some comment.
    fn is_unreadable(&mut self, finding: &Finding) -> bool {
        if finding.ours.class != UNVERIFIED || !finding.theirs.succeeded() {
            return false;
        }
        let read = self.theirs.decrypt(self.case, &finding.theirs.text);
        let comments = |text: &[u8]| shape::read(text).map(|branches| Census::of(&branches).all_comments());
        let (before, after) = (comments(&finding.input), comments(&read.text));
        let is_lost = finding.ours.message.contains("comments are missing") && after < before;
        !read.succeeded() || is_lost
    }

    /// Whether upstream forgets comments or prints them too late, ksops has them all, and without comments both print
    /// the same, but for values that upstream prints wrongly.
    fn is_about_comments(&mut self, finding: &Finding) -> bool {
        let census = |text: &[u8]| shape::read(text).map(|branches| Census::of(&branches));
        let (Some(input), Some(printed)) = (census(&finding.input), census(&finding.ours.text)) else {
            return false;
        };
        let fewer =
            census(&finding.theirs.text).is_none_or(|theirs| theirs.all_comments() < input.all_comments());
        let complete = printed.all_comments() + printed.dropped >= input.all_comments() - input.dropped;
        let both = finding.ours.succeeded() && finding.theirs.succeeded();
        if !both || !complete || !(fewer || input.late_comment) || !self.has_right_values(finding) {
            return false;
        }
        shape::printed_without_comments(&finding.ours.text).is_some_and(|text| {
            let (ours, theirs) = (ours::emit(&text, 0), self.theirs.emit(&text, 0, Format::Yaml));
            ours.agrees(&theirs) || reconcile(&ours.text, &theirs.text).is_some()
        })
    }

    /// Whether the values that ksops printed are those of the plain text, or of upstream's where that was changed.
    fn has_right_values(&self, finding: &Finding) -> bool {
        let wanted = match finding.check {
            // What upstream makes of it is compared by `DecryptOurs`.
            Check::Encrypt => return true,
            Check::DecryptChanged => finding.theirs.text.clone(),
            Check::Nodes | Check::Emit | Check::DecryptTheirs | Check::DecryptOurs => {
                ours::emit(&self.case.text, 0).text
            }
        };
        match (shape::read(&finding.ours.text), shape::read(&wanted)) {
            (Some(found), Some(wanted)) => shape::same_values(&found, &wanted),
            _ => false,
        }
    }

    /// Whether the nodes of `input` differ, and no longer do without the byte order marks within it.
    fn is_about_marks(&mut self, input: &[u8]) -> bool {
        let mut same = |text: &[u8]| ours::nodes(text).agrees(&self.theirs.nodes(text));
        marks::without_marks(input).is_some_and(|without| !same(input) && same(&without))
    }
}
