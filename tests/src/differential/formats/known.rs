//! The differences that are meant, where a format other than YAML takes part.

use ksops_stores::format::Format;

use crate::differential::case::Case;
use crate::differential::compare::{Check, Finding};
use crate::differential::known::{COMMENT_RULE, metadata};
use crate::differential::ours::{self, UNENCRYPTABLE, UNVERIFIED};
use crate::differential::outcome::Outcome;
use crate::differential::reconcile::{NEGATIVE_ZERO, reconcile};

/// The name of the known difference that a finding is, if it is one. `read` gives what upstream reads from its own
/// encrypted text, in the format of the plain one.
pub fn difference(
    case: &Case,
    finding: &Finding,
    read: impl FnOnce(&[u8]) -> Outcome,
) -> Option<&'static str> {
    let (by_us, by_them) = (&finding.ours, &finding.theirs);
    let regex = case.rule.name.ends_with("regex") && by_us.message.contains("invalid regular expression");
    match (by_us.succeeded(), by_them.succeeded()) {
        _ if by_us.class == "panic" => None,
        (_, false) if by_them.class == "crash" => Some("upstream crashes where ksops refuses or prints"),
        (false, _) if regex => Some("an invalid regular expression is refused (quirk 5)"),
        (true, true) => printed(case, finding),
        (true, false) if by_us.message.contains("holds one document only") => {
            Some("of several documents the first is printed where there is room for one")
        }
        (true, false) => metadata(finding).or_else(|| by_authentication(case, finding)),
        (false, true) => refusal(case, finding, read),
        (false, false) => metadata(finding).or_else(|| other_fault(case, finding)),
    }
}

/// Files whose comments do not tell any more what is encrypted.
fn by_authentication(case: &Case, finding: &Finding) -> Option<&'static str> {
    let found_out = finding.ours.message.contains("this was found out by decrypting");
    let refused = matches!(&*finding.theirs.class, "25" | "51");
    (case.rule.goes_by_comments() && found_out && refused).then_some(COMMENT_RULE)
}

/// Why both refuse, but with different statuses.
fn other_fault(case: &Case, finding: &Finding) -> Option<&'static str> {
    let (by_us, by_them) = (&finding.ours, &finding.theirs);
    let unencryptable = by_us.class == UNENCRYPTABLE && matches!(&*by_them.class, "25" | "51");
    let not_text = is_not_text(finding);
    let rule =
        case.rule.goes_by_comments() && by_us.class == UNENCRYPTABLE && finding.check == Check::Encrypt;
    // The values were found out by authentication, and then there was no place for them.
    let by_comments =
        case.rule.goes_by_comments() && by_us.class == "4" && matches!(&*by_them.class, "25" | "51");
    (unencryptable || not_text || by_comments || rule).then_some("of several faults another one is named")
}

/// Metadata that somebody changed to what is no text.
fn is_not_text(finding: &Finding) -> bool {
    finding.ours.message.ends_with("as UTF-8 text") && finding.check == Check::DecryptChanged
}

/// Why both print, but not the same.
fn printed(case: &Case, finding: &Finding) -> Option<&'static str> {
    let format = match finding.check {
        Check::Nodes | Check::Emit => case.formats.plain,
        Check::Encrypt => case.formats.encrypted,
        _ => case.formats.decrypted,
    };
    let (by_us, by_them) = (&finding.ours.text, &finding.theirs.text);
    match format {
        Format::Yaml if std::str::from_utf8(by_them).is_err() => {
            let readable = String::from_utf8_lossy(by_them);
            (by_us == readable.as_bytes()).then_some("bytes that are no text are replaced in YAML")
        }
        Format::Yaml => reconcile(by_us, by_them).and_then(|reasons| reasons.into_iter().next()),
        // An envelope made from another format is like JSON.
        Format::Json | Format::Binary => {
            let empty_comment = case.formats.plain == Format::Yaml
                && finding.check == Check::Encrypt
                && finding.ours.message.contains("the empty comment at");
            if empty_comment {
                return Some("an empty comment in a list is no element (quirk 22)");
            }
            let rounded = |text: &[u8]| String::from_utf8_lossy(text).replace("-0.0", "-0");
            (rounded(by_us) == rounded(by_them)).then_some(NEGATIVE_ZERO)
        }
        _ => None,
    }
}

/// Why ksops refuses what upstream takes.
fn refusal(case: &Case, finding: &Finding, read: impl FnOnce(&[u8]) -> Outcome) -> Option<&'static str> {
    let (check, plain) = (finding.check, case.formats.plain);
    let cut = finding.ours.message.contains("unexpected end of JSON input");
    if plain == Format::Json && cut && matches!(check, Check::Emit | Check::Encrypt) {
        return Some("JSON that is cut off is no empty object");
    }
    let message = &*finding.ours.message;
    if is_not_text(finding) {
        return Some("metadata that are no text are refused");
    }
    if message.contains("cannot use complex value in INI file") {
        return Some("a list in INI is refused");
    }
    if message.contains("it could not be read again") && finding.ours.class == "4" {
        return Some("an INI key that would be unreadable is refused");
    }
    if check == Check::Encrypt && case.rule.goes_by_comments() && finding.ours.class == UNENCRYPTABLE {
        return Some("a comment rule whose comments would be read elsewhere is refused (quirks 6, 26)");
    }
    if message.contains("comments are missing or changed") && plain != case.formats.encrypted {
        return Some("comments that the other format cannot hold as they are");
    }
    if check == Check::Encrypt && matches!(&*finding.ours.class, UNVERIFIED | "4") {
        let read = read(&finding.theirs.text);
        let before = match plain {
            Format::Yaml => ours::emit(&case.text, case.indent.max(0)),
            _ => ours::emit_format(&case.text, case.indent, plain),
        };
        let is_lost = !read.succeeded() || read.text != before.text;
        return is_lost.then_some("what upstream cannot read again, or reads otherwise, is not written");
    }
    None
}
