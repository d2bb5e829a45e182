//! Getting the data key back from the master keys of a file (file-format.md section 5, cli-and-config.md section 4.3).

use std::fmt;

use crate::crypto::data_key::{DataKey, DataKeyLengthError};
use crate::crypto::shamir::ShamirError;
use crate::keys::decryption_order::DecryptionOrder;
use crate::keys::key_group::{KeyEntry, KeyGroup};
use crate::keys::key_service::{KeyService, KeyServiceError};
use crate::keys::recovery::{Outcome, Recovery};
use crate::keys::wrap::{indent, wrap};

/// Why the data key could not be recovered (exit status 128).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecoverError {
    /// Too few groups gave their part.
    #[error("{0}")]
    Groups(RecoveryReport),
    /// The parts do not fit together.
    #[error("could not get data key from shamir parts: {0}")]
    Shamir(#[from] ShamirError),
    /// What was recovered is no data key.
    #[error(transparent)]
    Length(#[from] DataKeyLengthError),
}

/// What was tried, group by group. `Display` gives the report without colours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecoveryReport {
    /// How many groups must succeed; 0 if the file does not say.
    pub threshold: usize,
    /// The groups, in file order.
    pub groups: Vec<GroupResult>,
    /// What the user can do, beside what the services say.
    pub advice: Vec<String>,
}

/// What came of one group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupResult {
    /// It gave its part.
    Recovered,
    /// None of its keys did.
    Failed(
        /// The keys, in the order in which they were tried.
        Vec<KeyFailure>,
    ),
}

/// What came of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFailure {
    /// The text form of the key.
    pub key: String,
    /// One for each service that was asked.
    pub errors: Vec<KeyServiceError>,
}

/// Recovers the data key: from each group the part that the first usable key gives, one key after another, until enough
/// groups gave theirs. A file without a threshold has every group asked.
///
/// # Errors
/// [`RecoverError`] if too few groups gave their part, or the parts make no data key.
pub fn recover(
    groups: &[KeyGroup],
    threshold: usize,
    services: &[&dyn KeyService],
    order: &DecryptionOrder,
) -> Result<DataKey, RecoverError> {
    let mut recovery = Recovery::new(groups, threshold, order);
    while !recovery.is_settled() {
        let Some(turn) = recovery.next_alone() else { break };
        let outcome = decrypt_with(recovery.entry(turn), services);
        recovery.settle(turn, outcome);
    }
    recovery.finish()
}

/// Decrypts with the first service that can.
///
/// # Errors
/// The error of each service that handles keys of this kind.
pub fn decrypt_with(entry: &KeyEntry, services: &[&dyn KeyService]) -> Outcome {
    let mut errors = Vec::new();
    for service in services.iter().filter(|service| service.serves(&entry.key)) {
        match service.decrypt(&entry.key, &entry.enc) {
            Ok(part) => return Ok(part),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() && !services.is_empty() {
        let kind = entry.key.key_type();
        errors.push(KeyServiceError::unserved(kind));
    }
    Err(errors)
}

impl RecoveryReport {
    /// How many groups gave their part.
    #[must_use]
    pub fn recovered(&self) -> usize {
        self.groups.iter().filter(|group| **group == GroupResult::Recovered).count()
    }

    /// What the user can do, each once.
    #[must_use]
    pub fn hints(&self) -> Vec<&str> {
        let mut hints: Vec<&str> = Vec::new();
        for group in &self.groups {
            let GroupResult::Failed(keys) = group else { continue };
            for hint in keys.iter().flat_map(|key| &key.errors).flat_map(|error| &error.hints) {
                if !hints.contains(&hint.as_str()) {
                    hints.push(hint);
                }
            }
        }
        hints.extend(self.advice.iter().map(String::as_str));
        hints
    }

    /// The one line that `groups` prints instead of the report.
    #[must_use]
    pub fn summary(&self) -> String {
        format!(
            "Error getting data key: {} successful groups required, got {}",
            self.threshold,
            self.recovered()
        )
    }

    /// The report, with the two words as given, which may be coloured.
    #[must_use]
    pub fn render(&self, success: &str, failed: &str) -> String {
        let groups: Vec<String> = self
            .groups
            .iter()
            .enumerate()
            .map(|(number, group)| match group {
                GroupResult::Recovered => format!("Group {number}: {success}"),
                GroupResult::Failed(keys) => {
                    let keys: Vec<String> = keys.iter().map(|key| render_key(key, failed)).collect();
                    let body = keys.join("\n\n");
                    let body = if body.is_empty() { body } else { indent_lines(&body, "  ") };
                    format!("Group {number}: {failed}\n{body}")
                }
            })
            .collect();
        format!(
            "Failed to get the data key required to decrypt the SOPS file.\n\n{}\n\n{}",
            groups.join("\n\n"),
            wrap(&self.trailer(), 75)
        )
    }

    fn trailer(&self) -> String {
        if self.threshold == 0 {
            return "Recovery failed because no master key was able to decrypt the file. One key that works is enough: \
                    check that it is available here, and that the file was encrypted for it."
                .to_owned();
        }
        format!(
            "Recovery failed because the file has a Shamir threshold of {threshold}, but only {recovered} part(s) were \
             recovered, one for each successful group. At least {threshold} groups are needed; a group is successful \
             when one of its keys is able to decrypt.",
            threshold = self.threshold,
            recovered = self.recovered()
        )
    }
}

impl fmt::Display for RecoveryReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render("SUCCESS", "FAILED"))
    }
}

fn render_key(key: &KeyFailure, failed: &str) -> String {
    let errors: Vec<String> =
        key.errors.iter().map(|error| indent(&wrap(&error.message, 60), "- | ", "  | ")).collect();
    let body = errors.join("\n\n");
    let body = if body.is_empty() { body } else { indent_lines(&body, "  ") };
    format!("{}: {failed}\n{body}", key.key)
}

/// Indents every line, but not behind a final line break.
fn indent_lines(text: &str, by: &str) -> String {
    match text.strip_suffix('\n') {
        Some(text) => indent(text, by, by) + "\n",
        None => indent(text, by, by),
    }
}

#[cfg(test)]
mod tests;
