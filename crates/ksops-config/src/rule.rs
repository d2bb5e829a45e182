//! The creation rule for a path (cli-and-config.md sections 5.2 and 5.4).

use std::collections::BTreeMap;
use std::path::{MAIN_SEPARATOR, Path};

use ksops_core::keys::master_key::MasterKey;
use ksops_core::pattern::Pattern;
use ksops_yaml::span::Position;

use crate::model::{ConfigFile, LoadError, Rule, SelectionFields};
use crate::problem::Problem;
use crate::request;

/// What a command says when neither the configuration nor the command line names a key.
pub const NO_KEYS: &str =
    "config file not found, or has no creation rules, and no keys provided through command line options";

/// The question: which rule is for this file?
#[derive(Debug, Clone, Copy)]
pub struct RuleQuery<'a> {
    /// The absolute directory of the configuration.
    pub config_directory: &'a Path,
    /// The absolute path of the file, or the one that overrides it.
    pub path: &'a Path,
    /// The encryption context for keys of the flat `kms` field.
    pub kms_context: &'a BTreeMap<String, Option<String>>,
}

/// The rule for a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreationRule {
    /// Where the rule stands.
    pub position: Position,
    /// The key groups, in order; the flat form gives one, which may be empty.
    pub groups: Vec<Vec<KeyRequest>>,
    /// `shamir_threshold`; 0 when absent.
    pub threshold: i64,
    /// The six fields; at most one is not empty, and its regular expression compiles.
    pub selection: SelectionFields,
    /// `mac_only_encrypted`.
    pub mac_only_encrypted: bool,
}

/// A master key that a rule asks for. An Azure key may be without a version still.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRequest {
    /// The key.
    pub key: MasterKey,
    /// Where it was written.
    pub position: Position,
}

/// There is no usable rule for a path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RuleError {
    /// There are rules, and none is for this path.
    #[error("error loading config: no matching creation rules found")]
    NoMatch {
        /// The path that was compared with the rules.
        path: String,
    },
    /// A regular expression does not compile.
    #[error("can not compile regexp: {}", problem.located(name))]
    Pattern {
        /// The configuration's name.
        name: String,
        /// What is wrong.
        problem: Problem,
    },
    /// The rule has more than one of the six fields.
    #[error(
        "error loading config: cannot use more than one of encrypted_suffix, unencrypted_suffix, encrypted_regex, \
         unencrypted_regex, encrypted_comment_regex, or unencrypted_comment_regex for the same rule ({name}:{}:{})",
        position.line, position.column
    )]
    SeveralSelections {
        /// The configuration's name.
        name: String,
        /// Where the second of them stands.
        position: Position,
    },
    /// A key is not written as keys of its kind are.
    #[error("{}", problem.located(name))]
    Key {
        /// The configuration's name.
        name: String,
        /// What is wrong.
        problem: Problem,
    },
}

impl ConfigFile {
    /// Finds the creation rule for a path; `None` if there are no rules at all, which is as if there were no file.
    ///
    /// # Errors
    /// [`RuleError`] if no rule matches, or if the matching one, or the `path_regex` of one before it, is wrong.
    pub fn creation_rule(&self, query: &RuleQuery<'_>) -> Result<Option<CreationRule>, RuleError> {
        let rule = self.matching_rule(query)?;
        rule.map(|rule| self.interpret(rule, query.kms_context)).transpose()
    }

    /// The rule for a path as it stands in the file; `None` if there are no rules at all.
    ///
    /// # Errors
    /// If no rule matches, or a `path_regex` before the matching one is wrong.
    pub fn matching_rule(&self, query: &RuleQuery<'_>) -> Result<Option<&Rule>, RuleError> {
        let Some(rules) = &self.creation_rules else { return Ok(None) };
        let path = relative(query.config_directory, query.path);
        for rule in rules {
            if self.matches(rule, path)? {
                return Ok(Some(rule));
            }
        }
        Err(RuleError::NoMatch { path: String::from_utf8_lossy(path).into_owned() })
    }

    fn matches(&self, rule: &Rule, path: &[u8]) -> Result<bool, RuleError> {
        let text = &rule.path_regex;
        if text.value.is_empty() {
            return Ok(true);
        }
        match Pattern::new(&text.value) {
            Ok(pattern) => Ok(pattern.is_match(path)),
            Err(error) => {
                let problem = Problem::new(text.position, format!("path_regex: {}", error.reason));
                Err(RuleError::Pattern { name: self.name.clone(), problem })
            }
        }
    }

    /// What a rule asks for; also for a destination's `recreation_rule`.
    ///
    /// # Errors
    /// [`RuleError`] if the rule has several of the six fields, an invalid regular expression or an invalid key.
    pub fn interpret(
        &self,
        rule: &Rule,
        kms_context: &BTreeMap<String, Option<String>>,
    ) -> Result<CreationRule, RuleError> {
        let name = || self.name.clone();
        let mut written = rule.selection.all().into_iter().filter(|(_, text)| !text.value.is_empty());
        if let (Some(_), Some((_, second))) = (written.next(), written.next()) {
            return Err(RuleError::SeveralSelections { name: name(), position: second.position });
        }
        let mut invalid = Vec::new();
        rule.selection.collect_invalid_patterns(&mut invalid);
        if let Some(problem) = invalid.into_iter().next() {
            return Err(RuleError::Pattern { name: name(), problem });
        }
        let groups =
            request::groups(rule, kms_context).map_err(|problem| RuleError::Key { name: name(), problem })?;
        Ok(CreationRule {
            position: rule.position,
            groups,
            threshold: rule.shamir_threshold,
            selection: rule.selection.clone(),
            mac_only_encrypted: rule.mac_only_encrypted,
        })
    }

    /// Turns the findings that are errors under the name `ksops` into one: unknown fields and invalid patterns.
    ///
    /// # Errors
    /// [`LoadError`] with all of them, in file order.
    pub fn require_clean(&self) -> Result<(), LoadError> {
        let mut problems = self.unknown_fields.clone();
        problems.extend(self.invalid_patterns());
        problems.sort_by_key(|problem| (problem.position.line, problem.position.column));
        if problems.is_empty() { Ok(()) } else { Err(LoadError { name: self.name.clone(), problems }) }
    }
}

/// The part of `path` below `directory`, or all of it; by the text alone.
fn relative<'a>(directory: &Path, path: &'a Path) -> &'a [u8] {
    let path = path.as_os_str().as_encoded_bytes();
    let directory = directory.as_os_str().as_encoded_bytes();
    let below = path.strip_prefix(directory).and_then(|rest| rest.strip_prefix(&[MAIN_SEPARATOR as u8]));
    below.unwrap_or(path)
}

#[cfg(test)]
mod tests;
