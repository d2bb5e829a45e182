//! `.sops.yaml` as written (cli-and-config.md section 5.2): typed, but neither matched nor interpreted.
//!
//! Empty texts stand for absent ones, because upstream does not tell them apart.

use std::collections::BTreeMap;

use ksops_core::pattern::Pattern;
use ksops_yaml::span::Position;

use crate::problem::Problem;

/// A value and where it stands in the file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Placed<T> {
    /// The value.
    pub value: T,
    /// Its place; line 0 for a value that was not written.
    pub position: Position,
}

/// A text of the file; empty when it was not written.
pub type Text = Placed<String>;

/// A whole configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConfigFile {
    /// How the file is called in messages.
    pub name: String,
    /// `creation_rules`; `None` (absent or null) is as if there were no configuration, an empty list is not.
    pub creation_rules: Option<Vec<Rule>>,
    /// `destination_rules`.
    pub destination_rules: Vec<DestinationRule>,
    /// `stores`.
    pub stores: Stores,
    /// `azure_keyvault_public_keys`, which upstream does not have and passes over.
    pub azure_public_keys: Vec<PublicKeyEntry>,
    /// Fields that nobody reads: errors as `ksops`, warnings as `sops`.
    pub unknown_fields: Vec<Problem>,
}

/// An entry of `azure_keyvault_public_keys`: a path alone, or a path and whose key it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PublicKeyEntry {
    /// Where the entry begins.
    pub position: Position,
    /// `file`: a JWK, PEM or DER file, or a folder of JWK files; relative to the configuration.
    pub file: String,
    /// `key`: the URL of the key with its version; empty if the file says it.
    pub key: String,
}

/// An entry of `creation_rules`, or a `recreation_rule`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rule {
    /// Where the rule begins.
    pub position: Position,
    /// `path_regex`; empty matches every path.
    pub path_regex: Text,
    /// The keys of the flat form.
    pub flat: FlatKeys,
    /// `key_groups`; if there are any, the flat form is ignored.
    pub key_groups: Vec<GroupEntry>,
    /// `shamir_threshold`; 0 when absent.
    pub shamir_threshold: i64,
    /// The six fields that select what is encrypted.
    pub selection: SelectionFields,
    /// `mac_only_encrypted`.
    pub mac_only_encrypted: bool,
}

/// The key fields of the flat form.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FlatKeys {
    /// `age`.
    pub age: KeyField,
    /// `pgp`.
    pub pgp: KeyField,
    /// `kms`.
    pub kms: KeyField,
    /// `aws_profile`, for every key of `kms`.
    pub aws_profile: Text,
    /// `gcp_kms`.
    pub gcp_kms: KeyField,
    /// `hckms`, a list only.
    pub hckms: Vec<Text>,
    /// `azure_keyvault`.
    pub azure_keyvault: KeyField,
    /// `hc_vault_transit_uri`.
    pub hc_vault_transit_uri: KeyField,
}

/// A key field: one text with commas, or a list. Whether its form is right is asked only when the rule is used.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum KeyField {
    /// Absent or null.
    #[default]
    Absent,
    /// The string form.
    Text(Text),
    /// The list form; `Err` names an item that is no string.
    List(Vec<Placed<Result<String, &'static str>>>, Position),
    /// Neither: what it is instead.
    Wrong(Placed<&'static str>),
}

/// The six fields of which a rule may have one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SelectionFields {
    /// `unencrypted_suffix`.
    pub unencrypted_suffix: Text,
    /// `encrypted_suffix`.
    pub encrypted_suffix: Text,
    /// `unencrypted_regex`.
    pub unencrypted_regex: Text,
    /// `encrypted_regex`.
    pub encrypted_regex: Text,
    /// `unencrypted_comment_regex`.
    pub unencrypted_comment_regex: Text,
    /// `encrypted_comment_regex`.
    pub encrypted_comment_regex: Text,
}

impl SelectionFields {
    /// The fields in upstream's order, with their names.
    #[must_use]
    pub fn all(&self) -> [(&'static str, &Text); 6] {
        [
            ("unencrypted_suffix", &self.unencrypted_suffix),
            ("encrypted_suffix", &self.encrypted_suffix),
            ("unencrypted_regex", &self.unencrypted_regex),
            ("encrypted_regex", &self.encrypted_regex),
            ("unencrypted_comment_regex", &self.unencrypted_comment_regex),
            ("encrypted_comment_regex", &self.encrypted_comment_regex),
        ]
    }
}

/// An entry of `key_groups`, or of `merge` in one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GroupEntry {
    /// Where the entry begins.
    pub position: Position,
    /// `merge`: groups whose keys come first.
    pub merge: Vec<GroupEntry>,
    /// `age`.
    pub age: Vec<Text>,
    /// `pgp`.
    pub pgp: Vec<Text>,
    /// `kms`.
    pub kms: Vec<KmsEntry>,
    /// `gcp_kms`: the `resource_id` of each item.
    pub gcp_kms: Vec<Text>,
    /// `hckms`: the `key_id` of each item.
    pub hckms: Vec<Text>,
    /// `azure_keyvault`.
    pub azure_keyvault: Vec<AzureEntry>,
    /// `hc_vault`.
    pub hc_vault: Vec<Text>,
}

/// An item of a group's `kms`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KmsEntry {
    /// Where the item begins.
    pub position: Position,
    /// `arn`.
    pub arn: String,
    /// `role`.
    pub role: String,
    /// `context`.
    pub context: BTreeMap<String, Option<String>>,
    /// `aws_profile`.
    pub aws_profile: String,
}

/// An item of a group's `azure_keyvault`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AzureEntry {
    /// Where the item begins.
    pub position: Position,
    /// `vaultUrl`.
    pub vault_url: String,
    /// `key`.
    pub key: String,
    /// `version`.
    pub version: String,
}

/// An entry of `destination_rules`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DestinationRule {
    /// Where the rule begins.
    pub position: Position,
    /// `path_regex`; empty matches every path.
    pub path_regex: Text,
    /// `s3_bucket`.
    pub s3_bucket: String,
    /// `s3_prefix`.
    pub s3_prefix: String,
    /// `gcs_bucket`.
    pub gcs_bucket: String,
    /// `gcs_prefix`.
    pub gcs_prefix: String,
    /// `vault_path`.
    pub vault_path: String,
    /// `vault_address`.
    pub vault_address: String,
    /// `vault_kv_mount_name`.
    pub vault_kv_mount_name: String,
    /// `vault_kv_version`.
    pub vault_kv_version: i64,
    /// `recreation_rule`: the keys with which the copy is encrypted.
    pub recreation_rule: Rule,
    /// `omit_extensions`.
    pub omit_extensions: bool,
}

/// `stores`: the indentation of each store; `None` leaves the store's default (section 1.5).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stores {
    /// `yaml.indent`.
    pub yaml_indent: Option<i64>,
    /// `json.indent`.
    pub json_indent: Option<i64>,
    /// `json_binary.indent`.
    pub json_binary_indent: Option<i64>,
    /// `layout` of `yaml`, `json`, `dotenv` and `ini`, by the name of the store: `preserve` or `upstream`. Upstream
    /// does not know it and passes over it.
    pub layouts: BTreeMap<String, String>,
}

/// The file is not a configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("error loading config: Could not unmarshal config file: {}", lines(name, problems))]
pub struct LoadError {
    /// How the file is called in messages.
    pub name: String,
    /// What is wrong with it, at least one.
    pub problems: Vec<Problem>,
}

fn lines(name: &str, problems: &[Problem]) -> String {
    problems.iter().map(|problem| problem.located(name)).collect::<Vec<_>>().join("\n")
}

impl ConfigFile {
    /// Every regular expression of the file that does not compile, in file order of the rules.
    ///
    /// As `sops` only those that are reached count, and [`crate::rule`] reports them; as `ksops` any is an error.
    #[must_use]
    pub fn invalid_patterns(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for rule in self.creation_rules.iter().flatten() {
            rule.collect_invalid_patterns(&mut problems);
        }
        for rule in &self.destination_rules {
            collect("path_regex", &rule.path_regex, &mut problems);
            rule.recreation_rule.collect_invalid_patterns(&mut problems);
        }
        problems
    }
}

impl Rule {
    fn collect_invalid_patterns(&self, problems: &mut Vec<Problem>) {
        collect("path_regex", &self.path_regex, problems);
        self.selection.collect_invalid_patterns(problems);
    }
}

impl SelectionFields {
    /// Adds the fields whose regular expression does not compile.
    pub(crate) fn collect_invalid_patterns(&self, problems: &mut Vec<Problem>) {
        for (name, text) in self.all() {
            if name.ends_with("_regex") {
                collect(name, text, problems);
            }
        }
    }
}

fn collect(field: &str, text: &Text, problems: &mut Vec<Problem>) {
    if text.value.is_empty() {
        return;
    }
    if let Err(error) = Pattern::new(&text.value) {
        let message = format!("{field}: {}", error.reason);
        problems.push(Problem::new(text.position, message));
    }
}
