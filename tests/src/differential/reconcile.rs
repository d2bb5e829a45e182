//! Compares two printed texts up to the values that upstream prints wrongly (file-format.md section 7.4).

use std::collections::BTreeSet;

/// A multi-line string that starts with a tab is printed as `null` upstream; ksops prints it quoted.
pub const TAB_LOST: &str = "multi-line string with a leading tab is null upstream";
/// A multi-line string that starts with a space or break is printed with a wrong indentation below a list upstream.
pub const WRONG_INDICATOR: &str =
    "multi-line string with a leading blank is indented wrongly in a list upstream";
/// Upstream prints `-0.0` as `-0`, which is an integer.
pub const NEGATIVE_ZERO: &str = "negative zero is printed as an integer upstream";

/// An empty comment of a list becomes an empty string in an encrypted file upstream, and stays one.
pub const EMPTY_COMMENT: &str = "an empty comment in a list is no element (quirk 22)";

/// Upstream forgets a comment that waits to be printed when the next one comes: of a list and of its first element.
pub const FORGOTTEN_COMMENT: &str = "a comment that upstream forgets is printed";

/// A second comment behind the sign of a block is printed as a line of its text upstream.
pub const COMMENT_IN_BLOCK: &str = "a second comment behind a block's sign becomes text upstream";

/// Why the texts differ, if nothing else is different.
#[must_use]
pub fn reconcile(ours: &[u8], theirs: &[u8]) -> Option<BTreeSet<&'static str>> {
    let with_breaks = |text| Some(std::str::from_utf8(text).ok()?.replace(['\u{2028}', '\u{2029}'], "\n"));
    let (ours, theirs) = (with_breaks(ours)?, with_breaks(theirs)?);
    let mut reasons = BTreeSet::new();
    let mut theirs = theirs.split_inclusive('\n').peekable();
    let mut ours = ours.split_inclusive('\n').peekable();
    while ours.peek().is_some() || theirs.peek().is_some() {
        if ours.peek() != theirs.peek() && theirs.next_if(|line| line.trim_start() == "- \"\"\n").is_some() {
            // Nothing on our side, or the comment.
            ours.next_if(|line| line.trim_start() == "#\n");
            reasons.insert(EMPTY_COMMENT);
            continue;
        }
        if ours.peek() != theirs.peek() && ours.next_if(|line| line.trim_start().starts_with('#')).is_some() {
            reasons.insert(FORGOTTEN_COMMENT);
            continue;
        }
        let (line, other) = (ours.next()?, theirs.next()?);
        if line == other {
            continue;
        }
        if line.strip_suffix(" []\n") == other.strip_suffix('\n') && other.ends_with(":\n") {
            while theirs.next_if(|line| line.trim_start() == "- \"\"\n").is_some() {
                reasons.insert(EMPTY_COMMENT);
            }
            continue;
        }
        if let Some(rest) = lost_key(line, other) {
            // The key stands on a line of its own with us, and its value begins on the next, also a block.
            let value = ours.next()?;
            let same = match rest {
                "\n" => value.replacen(':', " ", 1) == theirs.next()?,
                rest => {
                    let value = value.trim_start_matches(' ').strip_prefix(':')?;
                    value == rest || explain(value, rest).is_some_and(|(_, more)| more.is_empty())
                }
            };
            if !same {
                return None;
            }
            reasons.insert(TAB_LOST);
            continue;
        }
        let (mut reason, more) = explain(line, other)?;
        let has_tail = reason == WRONG_INDICATOR && other.contains(" #");
        if reason == COMMENT_IN_BLOCK || has_tail && tail_goes_on(ours.peek(), theirs.peek()) {
            // At least one, or both were right.
            theirs.next_if(|line| line.trim_start().starts_with('#'))?;
            while theirs.next_if(|line| line.trim_start().starts_with('#')).is_some() {}
            ours.next_if(|line| *line == "\n");
            reason = COMMENT_IN_BLOCK;
        }
        reasons.insert(reason);
        for expected in more {
            let found = theirs.next()?.strip_suffix('\n')?;
            if found.trim_start_matches(' ') != expected.trim_start_matches(' ') {
                return None;
            }
        }
    }
    Some(reasons)
}

/// Whether a second comment stands on the line below on their side, and apart on ours.
fn tail_goes_on(ours: Option<&&str>, theirs: Option<&&str>) -> bool {
    let is_comment = |line: &&str| line.trim_start().starts_with('#');
    ours.is_some_and(|line| *line == "\n" || is_comment(line)) && theirs.is_some_and(is_comment)
}

/// What follows the colon of a key that is `null` on their side and quoted on ours.
fn lost_key<'a>(ours: &str, theirs: &'a str) -> Option<&'a str> {
    let (before, key) = ours.split_once("? \"")?;
    let (value, _) = unquote(&ours[before.len() + 2..]).filter(|_| !key.is_empty())?;
    let rest = theirs.strip_prefix(before)?.strip_prefix("null:")?;
    (value.starts_with('\t') && value.contains('\n')).then_some(rest)
}

/// Why two lines differ, and the lines that follow on their side.
fn explain(ours: &str, theirs: &str) -> Option<(&'static str, Vec<String>)> {
    let same = ours.bytes().zip(theirs.bytes()).take_while(|(one, two)| one == two).count();
    if ours.get(same..)?.strip_prefix(".0") == theirs.get(same..) && ours.get(..same)?.ends_with("-0") {
        return Some((NEGATIVE_ZERO, Vec::new()));
    }
    let (value, tail) = unquote(ours.get(same..)?)?;
    let theirs = theirs.get(same..)?;
    if !value.contains('\n') {
        return None;
    }
    if value.starts_with('\t') && theirs.strip_prefix("null") == Some(tail) {
        return Some((TAB_LOST, Vec::new()));
    }
    let header = theirs.strip_suffix(tail)?.strip_prefix('|')?;
    let header = header.strip_suffix(['-', '+']).unwrap_or(header);
    let is_digit = header.len() == 1 && header.bytes().all(|byte| byte.is_ascii_digit());
    let reason = if is_digit && value.starts_with([' ', '\n', '\u{2028}', '\u{2029}']) {
        WRONG_INDICATOR
    } else if header.is_empty() && tail.starts_with(" #") {
        COMMENT_IN_BLOCK
    } else {
        return None;
    };
    let value = value.replace(['\u{2028}', '\u{2029}'], "\n");
    let lines = value.strip_suffix('\n').unwrap_or(&value);
    Some((reason, lines.split('\n').map(str::to_owned).collect()))
}

/// The value of the double-quoted scalar at the start of `text`, and what follows it.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut letters = text.strip_prefix('"')?.char_indices();
    let mut value = String::new();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((value, &text[at + 2..])),
            '\\' => {
                let (_, escape) = letters.next()?;
                let mut code = |digits: usize| {
                    let hex: String = letters.by_ref().take(digits).map(|(_, digit)| digit).collect();
                    u32::from_str_radix(&hex, 16).ok().and_then(char::from_u32)
                };
                value.push(match escape {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    '0' => '\0',
                    'a' => '\u{7}',
                    'b' => '\u{8}',
                    'v' => '\u{b}',
                    'f' => '\u{c}',
                    'e' => '\u{1b}',
                    'N' => '\u{85}',
                    '_' => '\u{a0}',
                    'L' => '\u{2028}',
                    'P' => '\u{2029}',
                    'x' => code(2)?,
                    'u' => code(4)?,
                    'U' => code(8)?,
                    '"' | '\\' | ' ' | '/' => escape,
                    _ => return None,
                });
            }
            letter => value.push(letter),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{EMPTY_COMMENT, FORGOTTEN_COMMENT, NEGATIVE_ZERO, TAB_LOST, WRONG_INDICATOR, reconcile};

    fn reasons(ours: &str, theirs: &str) -> Option<Vec<&'static str>> {
        reconcile(ours.as_bytes(), theirs.as_bytes()).map(|reasons| reasons.into_iter().collect())
    }

    #[test]
    fn explains_what_upstream_prints_wrongly() {
        assert_eq!(reasons("a: \"\\tx\\ny\" # c\n", "a: null # c\n"), Some(vec![TAB_LOST]));
        assert_eq!(reasons("- \" x\\ny\"\nb: 1\n", "- |4-\n   x\n  y\nb: 1\n"), Some(vec![WRONG_INDICATOR]));
        assert_eq!(reasons("a: -0.0\n", "a: -0\n"), Some(vec![NEGATIVE_ZERO]));
        assert_eq!(reasons("a: -0.0\n# c\nb: 1\n", "a: -0\n# c\nb: 1\n"), Some(vec![NEGATIVE_ZERO]));
        assert_eq!(
            reasons("- \" x\\ny\"\n# c\n- 1\n", "- |4-\n   x\n  y\n# c\n- 1\n"),
            Some(vec![WRONG_INDICATOR])
        );
        assert_eq!(reasons("- ? \"\\tx\\ny\"\n  : 1\n", "- null: 1\n"), Some(vec![TAB_LOST]));
        assert_eq!(reasons("a: []\nb:\n- 1\n", "a:\n- \"\"\nb:\n- 1\n- \"\"\n"), Some(vec![EMPTY_COMMENT]));
        assert_eq!(reasons("a:\n#x\n#y\n- 1\n", "a:\n#y\n- 1\n"), Some(vec![FORGOTTEN_COMMENT]));
        assert_eq!(reasons("a: 1\n", "a: 1\n"), Some(vec![]));
    }

    #[test]
    fn explains_nothing_else() {
        assert_eq!(reasons("a: \"x\\ny\"\n", "a: null\n"), None);
        assert_eq!(reasons("a: \"\\tx\\ny\"\n", "a: nul\n"), None);
        assert_eq!(reasons("a: \" x\\ny\"\n", "a: |4-\n   x\n  z\n"), None);
        assert_eq!(reasons("a: 1.0\n", "a: 1\n"), None);
        assert_eq!(reasons("a: 1\n", "#x\na: 1\n"), None);
        assert_eq!(reasons("a: -0.0\n", "a: -0\nb: 1\n"), None);
    }
}
