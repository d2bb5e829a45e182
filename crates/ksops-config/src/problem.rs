//! What is wrong with a configuration, where, and what was probably meant.

use std::fmt;

use ksops_yaml::span::Position;

/// Something in the file that is wrong, or suspicious.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where it stands.
    pub position: Position,
    /// What is wrong.
    pub message: String,
    /// What was probably meant; the whole word.
    pub suggestion: Option<String>,
}

impl Problem {
    /// A problem without a suggestion.
    #[must_use]
    pub fn new(position: Position, message: impl Into<String>) -> Self {
        Self { position, message: message.into(), suggestion: None }
    }

    /// The field `name`, which is none of `known`.
    #[must_use]
    pub fn unknown_field(position: Position, name: &str, known: &[&str]) -> Self {
        let suggestion = nearest(name, known).map(str::to_owned);
        Self { position, message: format!("unknown field {name:?}"), suggestion }
    }

    /// The text with the file's name in front, `.sops.yaml:7:5: …`.
    #[must_use]
    pub fn located(&self, file: &str) -> String {
        format!("{file}:{self}")
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.position.line > 0 {
            write!(f, "{}:{}: ", self.position.line, self.position.column)?;
        } else {
            f.write_str(" ")?;
        }
        f.write_str(&self.message)?;
        match &self.suggestion {
            Some(suggestion) => write!(f, "; did you mean {suggestion:?}?"),
            None => Ok(()),
        }
    }
}

/// The word that is nearest to `name`, if one is near enough to be meant.
fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let plain = |word: &str| word.replace(['-', '_'], "").to_lowercase();
    let name = plain(name);
    if name.len() > 64 {
        return None;
    }
    let limit = (name.chars().count() / 3).max(1);
    known
        .iter()
        .map(|word| (distance(&name, &plain(word)), *word))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// The number of letters to insert, remove, replace or swap with their neighbour.
fn distance(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.chars().collect();
    let right: Vec<char> = right.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in right.iter().enumerate() {
            let replaced = last[j] + usize::from(a != b);
            let mut best = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            let swapped = i > 0 && j > 0 && *a == right[j - 1] && left[i - 1] == *b;
            if swapped {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[right.len()]
}

#[cfg(test)]
mod tests {
    use ksops_yaml::span::Position;

    use super::{Problem, distance};

    const KNOWN: &[&str] = &["path_regex", "age", "encrypted_regex", "unencrypted_regex"];

    #[test]
    fn suggests_the_field_that_was_meant() {
        for (written, meant) in [
            ("path_regx", Some("path_regex")),
            ("pathRegex", Some("path_regex")),
            ("path-regex", Some("path_regex")),
            ("aeg", Some("age")),
            ("encryptedregex", Some("encrypted_regex")),
            ("unecrypted_regex", Some("unencrypted_regex")),
            ("reencryption_rule", None),
            ("x", None),
        ] {
            let problem = Problem::unknown_field(Position { line: 7, column: 5 }, written, KNOWN);
            assert_eq!(problem.suggestion.as_deref(), meant, "{written}");
        }
    }

    #[test]
    fn says_where_and_what() {
        let problem = Problem::unknown_field(Position { line: 7, column: 5 }, "path_regx", KNOWN);
        assert_eq!(
            problem.located(".sops.yaml"),
            ".sops.yaml:7:5: unknown field \"path_regx\"; did you mean \"path_regex\"?"
        );
    }

    #[test]
    fn swapping_neighbours_is_one_mistake() {
        assert_eq!(distance("aeg", "age"), 1);
        assert_eq!(distance("", "ab"), 2);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
