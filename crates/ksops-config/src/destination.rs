//! Where a file is published to (cli-and-config.md sections 5.2, 5.4 and 10.1).

use std::collections::BTreeMap;

use ksops_core::pattern::Pattern;

use crate::model::{ConfigFile, DestinationRule};
use crate::problem::Problem;
use crate::rule::{CreationRule, RuleError};

/// A place to publish to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A bucket of Amazon S3.
    S3 {
        /// `s3_bucket`.
        bucket: String,
        /// `s3_prefix`; the name follows without a separator.
        prefix: String,
    },
    /// A bucket of Google Cloud Storage.
    Gcs {
        /// `gcs_bucket`.
        bucket: String,
        /// `gcs_prefix`; the name follows without a separator.
        prefix: String,
    },
    /// A key-value engine of HashiCorp Vault or OpenBao.
    Vault {
        /// `vault_address`; empty for the one of the environment.
        address: String,
        /// The mount, with a slash behind it.
        mount: String,
        /// `vault_path`, with a slash behind it.
        path: String,
        /// Whether it is version 1 of the engine.
        is_version_1: bool,
    },
}

/// The destination of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// Where to.
    pub target: Target,
    /// With which keys a copy is encrypted; without any the file itself is sent.
    pub recreation: CreationRule,
    /// Whether the name loses its extension.
    pub omit_extensions: bool,
}

/// A file has no destination.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DestinationError {
    /// No rule is for this path.
    #[error("error loading config: no matching destination found in config")]
    NoMatch,
    /// The rule names no place.
    #[error("no destination configured for this file")]
    NoPlace,
    /// The rule names several.
    #[error(
        "error loading config: more than one destinations were found in a single destination rule, you can only use \
         one per rule"
    )]
    SeveralPlaces,
    /// A regular expression or the recreation rule is wrong.
    #[error(transparent)]
    Rule(#[from] RuleError),
}

impl ConfigFile {
    /// Finds the destination for a path, as the user named it.
    ///
    /// # Errors
    /// [`DestinationError`].
    pub fn destination(
        &self,
        path: &str,
        kms_context: &BTreeMap<String, Option<String>>,
    ) -> Result<Destination, DestinationError> {
        for rule in &self.destination_rules {
            if self.is_for(rule, path)? {
                return Ok(Destination {
                    recreation: self.interpret(&rule.recreation_rule, kms_context)?,
                    target: target(rule)?,
                    omit_extensions: rule.omit_extensions,
                });
            }
        }
        Err(DestinationError::NoMatch)
    }

    fn is_for(&self, rule: &DestinationRule, path: &str) -> Result<bool, RuleError> {
        let text = &rule.path_regex;
        if text.value.is_empty() {
            return Ok(true);
        }
        let pattern = Pattern::new(&text.value).map_err(|error| RuleError::Pattern {
            name: self.name.clone(),
            problem: Problem::new(text.position, format!("path_regex: {}", error.reason)),
        })?;
        Ok(pattern.is_match(path.as_bytes()))
    }
}

fn target(rule: &DestinationRule) -> Result<Target, DestinationError> {
    let named = [&rule.s3_bucket, &rule.gcs_bucket, &rule.vault_path].map(|name| !name.is_empty());
    match named {
        [true, false, false] => {
            Ok(Target::S3 { bucket: rule.s3_bucket.clone(), prefix: rule.s3_prefix.clone() })
        }
        [false, true, false] => {
            Ok(Target::Gcs { bucket: rule.gcs_bucket.clone(), prefix: rule.gcs_prefix.clone() })
        }
        [false, false, true] => {
            let mount = rule.vault_kv_mount_name.as_str();
            Ok(Target::Vault {
                address: rule.vault_address.clone(),
                mount: with_slash(if mount.is_empty() { "secret" } else { mount }),
                path: with_slash(&rule.vault_path),
                is_version_1: rule.vault_kv_version == 1,
            })
        }
        [false, false, false] => Err(DestinationError::NoPlace),
        _ => Err(DestinationError::SeveralPlaces),
    }
}

fn with_slash(text: &str) -> String {
    if text.ends_with('/') { text.to_owned() } else { format!("{text}/") }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Destination, DestinationError, Target};
    use crate::model::ConfigFile;

    fn found(rules: &str, path: &str) -> Result<Destination, DestinationError> {
        let text = format!("destination_rules:\n{rules}");
        ConfigFile::parse(text.as_bytes(), ".sops.yaml").expect("valid").destination(path, &BTreeMap::new())
    }

    #[test]
    fn the_first_rule_whose_regex_is_found_counts() {
        let rules = "  - path_regex: ^s3/\n    s3_bucket: b\n    s3_prefix: p/\n  - path_regex: v\n    vault_path: a\n  - \
            gcs_bucket: g\n    omit_extensions: true\n";
        let target = |path| found(rules, path).expect("found").target;
        assert_eq!(target("s3/v.yaml"), Target::S3 { bucket: "b".into(), prefix: "p/".into() });
        let vault = Target::Vault {
            address: String::new(),
            mount: "secret/".into(),
            path: "a/".into(),
            is_version_1: false,
        };
        assert_eq!(target("v.yaml"), vault);
        let last = found(rules, "x").expect("found");
        assert_eq!(last.target, Target::Gcs { bucket: "g".into(), prefix: String::new() });
        assert!(last.omit_extensions && last.recreation.groups.iter().all(Vec::is_empty));
    }

    #[test]
    fn a_rule_names_one_place() {
        assert_eq!(found("  - path_regex: y\n    s3_bucket: b\n", "x"), Err(DestinationError::NoMatch));
        assert_eq!(found("  - path_regex: x\n", "x"), Err(DestinationError::NoPlace));
        let both = found("  - s3_bucket: b\n    vault_path: v\n", "x");
        assert_eq!(both, Err(DestinationError::SeveralPlaces));
        assert!(matches!(found("  - path_regex: '['\n", "x"), Err(DestinationError::Rule(_))));
    }
}
