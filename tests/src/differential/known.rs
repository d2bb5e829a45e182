//! The differences that are meant: where upstream loses data or writes what it cannot read (file-format.md section 12).
//!
//! Each is told by a narrow test, has a name, and is counted. Whatever no test here explains is a failure.

use super::case::Case;
use super::compare::{Check, Finding};
use super::ours::{self, UNENCRYPTABLE, UNVERIFIED};
use super::reconcile::{EMPTY_COMMENT, FORGOTTEN_COMMENT, NEGATIVE_ZERO, TAB_LOST, reconcile};
use super::shape::{self, Census};

const MOVED_COMMENT: &str = "a comment that moved is decrypted all the same (quirk 26)";
/// The start of an encrypted comment.
const ENVELOPE: &[u8] = b"#ENC[AES256_GCM,data:";
const LATE_COMMENT: &str = "a comment behind a final block is printed in time (quirk 28)";
pub(super) const COMMENT_RULE: &str =
    "a file whose comments do not tell what is encrypted is read all the same (quirks 6, 26)";

/// The name of the known difference that a finding is, if it is one.
#[must_use]
pub fn difference(case: &Case, finding: &Finding) -> Option<&'static str> {
    let (ours, theirs) = (&finding.ours, &finding.theirs);
    match (ours.succeeded(), theirs.succeeded()) {
        _ if ours.class == "panic" => None,
        (false, _) if theirs.class == "crash" => Some("upstream crashes where ksops refuses"),
        (true, true) => {
            let reasons = reconcile(&ours.text, &theirs.text);
            let reasons =
                reasons.filter(|reasons| !reasons.contains(FORGOTTEN_COMMENT) || !invents_comments(finding));
            let reason = reasons.and_then(|reasons| reasons.into_iter().next());
            reason.or_else(|| by_trees(finding)).or_else(|| by_lines(finding))
        }
        (true, false) => {
            tab_refused(finding).or_else(|| comment_rule(case, finding)).or_else(|| metadata(finding))
        }
        (false, true) => refusal(case, finding),
        (false, false) => other_fault(finding).or_else(|| metadata(finding)),
    }
}

/// Whether our text has more comments than the input, lists' encrypted ones included.
fn invents_comments(finding: &Finding) -> bool {
    let count = |text: &[u8]| shape::read(text).map(|branches| Census::of(&branches).all_comments());
    match (count(&finding.ours.text), count(&finding.input)) {
        (Some(printed), Some(read)) => printed > read,
        _ => true,
    }
}

/// Why ksops refuses what upstream takes.
fn refusal(case: &Case, finding: &Finding) -> Option<&'static str> {
    let message = &*finding.ours.message;
    if finding.ours.class == UNENCRYPTABLE && finding.check == Check::Emit {
        return Some("what cannot be encrypted is refused when it is read");
    }
    if finding.check == Check::DecryptChanged && message.contains("Cannot walk value, unknown type: uint64") {
        // Upstream does not walk over the metadata.
        return Some("an integer of more than 63 bits is refused in the metadata, too");
    }
    if finding.check == Check::Nodes && message.ends_with("value contains itself") {
        // The first document is checked upstream, too; the nodes of a later one end nowhere.
        return Some("an anchor that contains itself is refused in later documents, too");
    }
    if message.contains("the key `<<`") && finding.ours.class == "4" {
        return merge_key(finding);
    }
    if finding.check == Check::DecryptChanged && message.contains("its type is") {
        return Some("the type of a comment must fit (S6)");
    }
    if finding.check != Check::Encrypt {
        return None;
    }
    if case.rule.goes_by_comments() && finding.ours.class == UNVERIFIED {
        return Some("a comment rule whose comments would be read elsewhere is refused (quirk 26)");
    }
    if case.rule.name.ends_with("regex") && message.contains("invalid regular expression") {
        return Some("an invalid regular expression is refused (quirk 5)");
    }
    if case.rule.goes_by_comments() && message.contains("a second comment behind a matching one in a list") {
        return Some("a comment rule with two comments in a list is refused (quirk 6)");
    }
    if case.rule.goes_by_comments() && message.contains("must not be the first thing in a mapping or list") {
        return Some("a comment rule that heads a list item is refused (quirk 26)");
    }
    None
}

/// A key `<<` that does not merge: upstream prints what it cannot read.
fn merge_key(finding: &Finding) -> Option<&'static str> {
    let again = ours::emit(&finding.theirs.text, 0);
    let unreadable = !again.succeeded() && again.message.contains("map merge requires");
    unreadable.then_some("a key `<<` that does not merge is refused (quirk 8)")
}

/// Both refuse, but not for the same of several faults.
fn other_fault(finding: &Finding) -> Option<&'static str> {
    let (ours, theirs) = (&finding.ours, &finding.theirs);
    let unencryptable = ours.class == UNENCRYPTABLE && theirs.class != "92";
    let pattern = ours.message.contains("invalid regular expression");
    let merge = ours.class == "4" && ours.message.contains("the key `<<`");
    let reserved = ours.message.contains("which is a reserved key") && theirs.class == "23";
    let comment_type = finding.check == Check::DecryptChanged && ours.message.contains("its type is");
    if comment_type {
        return Some("the type of a comment must fit (S6)");
    }
    let early = matches!(&*ours.class, "203" | "4") && theirs.class == "2" && finding.check == Check::Encrypt;
    (unencryptable || pattern || merge || reserved || early)
        .then_some("of several faults another one is named")
}

/// Metadata that upstream refuses for its form only.
pub(super) fn metadata(finding: &Finding) -> Option<&'static str> {
    let message = &finding.theirs.message;
    let words =
        ["Major.Minor.Patch", "in major number", "in minor number", "in patch number", "Version number"];
    let words_more = [
        "must not contain leading zeroes",
        "in build meta data",
        "in prerelease",
        "Prerelease",
        "Build meta",
        "ParseUint",
        "Version string empty",
    ];
    let is_version = words.into_iter().chain(words_more).any(|words| message.contains(words));
    let other_class = finding.ours.class != "1";
    let is_moment = message.contains("got unconvertible type 'time.Time'");
    let what = match (is_version, is_moment) {
        (true, _) => "any version text is read, and none (quirk 16)",
        (_, true) => "a timestamp without quotes is read in the metadata (quirk 16)",
        _ => return None,
    };
    (finding.theirs.class == "1" && other_class).then_some(what)
}

/// Differences of two printed texts that only their trees show.
fn by_trees(finding: &Finding) -> Option<&'static str> {
    let ours = shape::read(&finding.ours.text)?;
    let input = Census::of(&shape::read(&finding.input)?);
    let theirs = shape::read(&finding.theirs.text)?;
    if !shape::same_values(&ours, &theirs) {
        return None;
    }
    let (ours, theirs) = (Census::of(&ours), Census::of(&theirs));
    let (plain, lost) = theirs.plain_comments();
    let mut rest = ours.comments.clone();
    for text in plain {
        rest.swap_remove(rest.iter().position(|other| other == text)?);
    }
    // A reader drops what belongs into an empty mapping.
    let in_braces = finding.ours.text.windows(2).filter(|pair| pair == b"{\n").count();
    if rest.len() < lost && lost - rest.len() <= in_braces {
        return Some(MOVED_COMMENT);
    }
    if rest.len() != lost {
        // Upstream forgets some, too: of an inner block at the end of a list, and what waits for a scalar.
        let forgotten = rest.len() > lost && !invents_comments(finding);
        return forgotten.then_some(if input.late_comment { LATE_COMMENT } else { FORGOTTEN_COMMENT });
    }
    let more_elements = theirs.empty_elements.checked_sub(ours.empty_elements)?;
    if lost > 0 && finding.check != Check::Encrypt && ours.plain_comments().1 < lost {
        return Some(MOVED_COMMENT);
    }
    if more_elements > 0 && more_elements <= input.empty_comments + input.empty_elements {
        return Some(EMPTY_COMMENT);
    }
    if input.late_comment {
        return Some(LATE_COMMENT);
    }
    let kept = ours.empty_comments > theirs.empty_comments || ours.dropped < theirs.dropped;
    if kept && !invents_comments(finding) {
        return Some(FORGOTTEN_COMMENT);
    }
    if ours.lost > 0 {
        return Some(TAB_LOST);
    }
    (ours.negative_zeros > theirs.negative_zeros).then_some(NEGATIVE_ZERO)
}

/// As [`by_trees`], where upstream has printed something that is not YAML any more.
fn by_lines(finding: &Finding) -> Option<&'static str> {
    let (ours, theirs) = (&finding.ours.text, &finding.theirs.text);
    let input = Census::of(&shape::read(&finding.input)?);
    let without_lines = [ours, theirs].map(|text| shape::without_comment_lines(text));
    let without_any = [ours, theirs].map(|text| shape::without_comments(text));
    let same = |[ours, theirs]: &[Vec<u8>; 2]| {
        shape::squeezed(&shape::with_integral_zero(ours)) == shape::squeezed(theirs)
    };
    let is_yaml = shape::read(theirs).is_some();
    let printed_wrongly = same(&without_any) && !is_yaml;
    if !same(&without_lines) && !printed_wrongly {
        let reconciled = reconcile(&without_lines[0], &without_lines[1]).is_some();
        return (reconciled && encrypted(theirs) > encrypted(ours)).then_some(MOVED_COMMENT);
    }
    if finding.check != Check::Encrypt && encrypted(theirs) > encrypted(ours) {
        return Some(MOVED_COMMENT);
    }
    let late = input.late_comment || !is_yaml && !invents_comments(finding);
    late.then_some(LATE_COMMENT)
}

/// The number of encrypted comments in a text.
fn encrypted(text: &[u8]) -> usize {
    text.windows(ENVELOPE.len()).filter(|piece| *piece == ENVELOPE).count()
}

/// Upstream cannot print a multi-line string with a leading tab at all when a comment belongs to it.
fn tab_refused(finding: &Finding) -> Option<&'static str> {
    let refused = finding.theirs.class == "4" && finding.theirs.message.contains("unknown kind 0");
    let lost = Census::of(&shape::read(&finding.ours.text)?).lost > 0;
    // When encrypting, the string may be encrypted while another that stays plain is lost.
    (refused && lost).then_some("multi-line string with a leading tab is refused upstream")
}

/// Files whose comments do not tell any more what is encrypted: ksops finds out by authentication.
fn comment_rule(case: &Case, finding: &Finding) -> Option<&'static str> {
    let decrypts = matches!(finding.check, Check::DecryptTheirs | Check::DecryptOurs | Check::DecryptChanged);
    if !decrypts || !case.rule.goes_by_comments() || !matches!(&*finding.theirs.class, "25" | "51") {
        return None;
    }
    if finding.check == Check::DecryptChanged {
        // What else was changed is not known; the MAC agreed, and a warning tells.
        let by_authentication = finding.ours.message.contains("this was found out by decrypting");
        let lenient = Census::of(&shape::read(&finding.input)?).encrypted_elements > 0;
        return (by_authentication || lenient).then_some(COMMENT_RULE);
    }
    let plain = ours::emit(&case.text, case.indent);
    let same = shape::same_values(&shape::read(&finding.ours.text)?, &shape::read(&plain.text)?);
    same.then_some(COMMENT_RULE)
}
