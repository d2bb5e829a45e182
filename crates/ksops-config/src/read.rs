//! Reads the fields of `.sops.yaml` (cli-and-config.md section 5.2) into the [`model`](crate::model).
//!
//! As upstream, a wrong type anywhere is an error, whichever rule it stands in; only the form of the flat key fields
//! is left to the rule that is used.

use std::collections::BTreeMap;

use ksops_yaml::syntax::{Content, NodeId};

use crate::decode::{Decoder, Field};
use crate::model::{
    AzureEntry, ConfigFile, DestinationRule, FlatKeys, GroupEntry, KeyField, KmsEntry, LoadError, Placed,
    PublicKeyEntry, Rule, SelectionFields, Stores, Text,
};
use crate::problem::Problem;
use crate::scalar::Scalar;
use crate::source;

/// How deep `merge` may nest groups.
const MAX_GROUP_DEPTH: u32 = 64;

const TOP: &[&str] = &["creation_rules", "destination_rules", "stores", "azure_keyvault_public_keys"];
const PUBLIC_KEY: &[&str] = &["key", "file"];
const RULE: &[&str] = &[
    "path_regex",
    "kms",
    "aws_profile",
    "age",
    "pgp",
    "gcp_kms",
    "hckms",
    "azure_keyvault",
    "hc_vault_transit_uri",
    "key_groups",
    "shamir_threshold",
    "unencrypted_suffix",
    "encrypted_suffix",
    "unencrypted_regex",
    "encrypted_regex",
    "unencrypted_comment_regex",
    "encrypted_comment_regex",
    "mac_only_encrypted",
];
const GROUP: &[&str] = &["merge", "kms", "gcp_kms", "hckms", "azure_keyvault", "hc_vault", "age", "pgp"];
const KMS: &[&str] = &["arn", "role", "context", "aws_profile"];
const AZURE: &[&str] = &["vaultUrl", "key", "version"];
const DESTINATION: &[&str] = &[
    "path_regex",
    "s3_bucket",
    "s3_prefix",
    "gcs_bucket",
    "gcs_prefix",
    "vault_path",
    "vault_address",
    "vault_kv_mount_name",
    "vault_kv_version",
    "recreation_rule",
    "omit_extensions",
];
const STORES: &[&str] = &["dotenv", "ini", "json_binary", "json", "yaml"];

impl ConfigFile {
    /// Reads a configuration. `name` is how the file is called in messages.
    ///
    /// Fields that are not known are no error here; see [`ConfigFile::unknown_fields`].
    ///
    /// # Errors
    /// [`LoadError`] with every wrong type and repeated field, or with the one place where the YAML is malformed.
    pub fn parse(input: &[u8], name: &str) -> Result<Self, LoadError> {
        let failed = |problems| LoadError { name: name.to_owned(), problems };
        let text = source::text(input).map_err(|problem| failed(vec![problem]))?;
        let document = source::first_document(&text).map_err(|problem| failed(vec![problem]))?;
        let Some((document, root)) =
            document.and_then(|document| document.root().map(|root| (document, root)))
        else {
            return Ok(Self { name: name.to_owned(), ..Self::default() });
        };
        let mut reader = Reader { decoder: Decoder::new(&document, &text), unknown: Vec::new() };
        let mut config = reader.config(root);
        let Reader { decoder, mut unknown } = reader;
        let problems = decoder.finish();
        if !problems.is_empty() {
            return Err(failed(problems));
        }
        unknown.sort_by_key(|problem| (problem.position.line, problem.position.column));
        unknown.dedup();
        config.name = name.to_owned();
        config.unknown_fields = unknown;
        Ok(config)
    }
}

struct Reader<'d, 'a> {
    decoder: Decoder<'d, 'a>,
    unknown: Vec<Problem>,
}

impl Reader<'_, '_> {
    fn config(&mut self, id: NodeId) -> ConfigFile {
        let mut config = ConfigFile::default();
        for field in self.decoder.fields(id).unwrap_or_default() {
            match field.name.as_str() {
                "creation_rules" => {
                    config.creation_rules =
                        self.decoder.items(field.value).map(|items| self.each(&items, Self::rule));
                }
                "destination_rules" => {
                    let items = self.decoder.items(field.value).unwrap_or_default();
                    config.destination_rules = self.each(&items, Self::destination);
                }
                "stores" => config.stores = self.stores(field.value),
                "azure_keyvault_public_keys" => {
                    let items = self.decoder.items(field.value).unwrap_or_default();
                    config.azure_public_keys = self.each(&items, Self::public_key);
                }
                // A common custom: a list of anchors beside the rules, which refer to them.
                _ if self.decoder.holds_anchor(field.value) => {}
                _ => self.unknown(&field, TOP),
            }
        }
        config
    }

    /// Reads each item that is not null.
    fn each<T>(&mut self, items: &[NodeId], read: fn(&mut Self, NodeId) -> T) -> Vec<T> {
        let mut values = Vec::new();
        for item in items {
            if !self.decoder.is_null(*item) {
                values.push(read(self, *item));
            }
        }
        values
    }

    fn unknown(&mut self, field: &Field, known: &[&str]) {
        self.unknown.push(Problem::unknown_field(field.position, &field.name, known));
    }

    fn string(&mut self, field: &Field) -> String {
        self.decoder.text(field.value).unwrap_or_default()
    }

    fn placed(&mut self, field: &Field) -> Text {
        Placed { position: self.decoder.position(field.value), value: self.string(field) }
    }

    fn strings(&mut self, field: &Field) -> Vec<Text> {
        let items = self.decoder.items(field.value).unwrap_or_default();
        self.each(&items, |reader, item| Placed {
            position: reader.decoder.position(item),
            value: reader.decoder.text(item).unwrap_or_default(),
        })
    }

    fn rule(&mut self, id: NodeId) -> Rule {
        let mut rule = Rule { position: self.decoder.position(id), ..Rule::default() };
        for field in self.decoder.fields(id).unwrap_or_default() {
            if self.flat_field(&mut rule.flat, &field) || self.selection_field(&mut rule.selection, &field) {
                continue;
            }
            match field.name.as_str() {
                "path_regex" => rule.path_regex = self.placed(&field),
                "key_groups" => {
                    let items = self.decoder.items(field.value).unwrap_or_default();
                    rule.key_groups = self.each(&items, |reader, item| reader.group(item, 0));
                }
                "shamir_threshold" => {
                    rule.shamir_threshold = self.decoder.integer(field.value).unwrap_or_default();
                }
                "mac_only_encrypted" => {
                    rule.mac_only_encrypted = self.decoder.boolean(field.value).unwrap_or_default();
                }
                _ => self.unknown(&field, RULE),
            }
        }
        rule
    }

    fn flat_field(&mut self, flat: &mut FlatKeys, field: &Field) -> bool {
        match field.name.as_str() {
            "age" => flat.age = self.key_field(field.value),
            "pgp" => flat.pgp = self.key_field(field.value),
            "kms" => flat.kms = self.key_field(field.value),
            "aws_profile" => flat.aws_profile = self.placed(field),
            "gcp_kms" => flat.gcp_kms = self.key_field(field.value),
            "hckms" => flat.hckms = self.strings(field),
            "azure_keyvault" => flat.azure_keyvault = self.key_field(field.value),
            "hc_vault_transit_uri" => flat.hc_vault_transit_uri = self.key_field(field.value),
            _ => return false,
        }
        true
    }

    fn selection_field(&mut self, selection: &mut SelectionFields, field: &Field) -> bool {
        let place = match field.name.as_str() {
            "unencrypted_suffix" => &mut selection.unencrypted_suffix,
            "encrypted_suffix" => &mut selection.encrypted_suffix,
            "unencrypted_regex" => &mut selection.unencrypted_regex,
            "encrypted_regex" => &mut selection.encrypted_regex,
            "unencrypted_comment_regex" => &mut selection.unencrypted_comment_regex,
            "encrypted_comment_regex" => &mut selection.encrypted_comment_regex,
            _ => return false,
        };
        *place = self.placed(field);
        true
    }

    /// A key field of the flat form.
    fn key_field(&mut self, id: NodeId) -> KeyField {
        let position = self.decoder.position(id);
        if self.decoder.is_null(id) {
            return KeyField::Absent;
        }
        if let Content::Sequence(items, _) = &self.decoder.node(id).content {
            let place = |item: &NodeId| Placed {
                position: self.decoder.position(*item),
                value: self.only_text(*item),
            };
            return KeyField::List(items.iter().map(place).collect(), position);
        }
        match self.only_text(id) {
            Ok(value) => KeyField::Text(Placed { value, position }),
            Err(value) => KeyField::Wrong(Placed { value, position }),
        }
    }

    /// A scalar that YAML takes for text, or what it is instead.
    fn only_text(&mut self, id: NodeId) -> Result<String, &'static str> {
        self.decoder.require_fit(id);
        match self.decoder.scalar(id) {
            Some(Scalar::Text(text)) => Ok(text),
            _ => Err(self.decoder.kind(id)),
        }
    }

    fn group(&mut self, id: NodeId, depth: u32) -> GroupEntry {
        let mut group = GroupEntry { position: self.decoder.position(id), ..GroupEntry::default() };
        if depth > MAX_GROUP_DEPTH {
            self.decoder.report(group.position, "merged groups are nested too deeply, or contain themselves");
            return group;
        }
        for field in self.decoder.fields(id).unwrap_or_default() {
            match field.name.as_str() {
                "merge" => {
                    for item in self.decoder.items(field.value).unwrap_or_default() {
                        if !self.decoder.is_null(item) {
                            group.merge.push(self.group(item, depth + 1));
                        }
                    }
                }
                "age" => group.age = self.strings(&field),
                "pgp" => group.pgp = self.strings(&field),
                "hc_vault" => group.hc_vault = self.strings(&field),
                "kms" => group.kms = self.entries(&field, Self::kms),
                "azure_keyvault" => group.azure_keyvault = self.entries(&field, Self::azure),
                "gcp_kms" => {
                    group.gcp_kms =
                        self.entries(&field, |reader, item| reader.only_field(item, "resource_id"));
                }
                "hckms" => {
                    group.hckms = self.entries(&field, |reader, item| reader.only_field(item, "key_id"));
                }
                _ => self.unknown(&field, GROUP),
            }
        }
        group
    }

    fn entries<T>(&mut self, field: &Field, read: fn(&mut Self, NodeId) -> T) -> Vec<T> {
        let items = self.decoder.items(field.value).unwrap_or_default();
        self.each(&items, read)
    }

    fn only_field(&mut self, id: NodeId, name: &str) -> Text {
        let mut text = Placed { position: self.decoder.position(id), value: String::new() };
        for field in self.decoder.fields(id).unwrap_or_default() {
            if field.name == name {
                text = self.placed(&field);
            } else {
                self.unknown(&field, &[name]);
            }
        }
        text
    }

    fn kms(&mut self, id: NodeId) -> KmsEntry {
        let mut entry = KmsEntry { position: self.decoder.position(id), ..KmsEntry::default() };
        for field in self.decoder.fields(id).unwrap_or_default() {
            match field.name.as_str() {
                "arn" => entry.arn = self.string(&field),
                "role" => entry.role = self.string(&field),
                "context" => entry.context = self.context(field.value),
                "aws_profile" => entry.aws_profile = self.string(&field),
                _ => self.unknown(&field, KMS),
            }
        }
        entry
    }

    fn context(&mut self, id: NodeId) -> BTreeMap<String, Option<String>> {
        let fields = self.decoder.fields(id).unwrap_or_default();
        fields.into_iter().map(|field| (field.name, self.decoder.text(field.value))).collect()
    }

    fn azure(&mut self, id: NodeId) -> AzureEntry {
        let mut entry = AzureEntry { position: self.decoder.position(id), ..AzureEntry::default() };
        for field in self.decoder.fields(id).unwrap_or_default() {
            match field.name.as_str() {
                "vaultUrl" => entry.vault_url = self.string(&field),
                "key" => entry.key = self.string(&field),
                "version" => entry.version = self.string(&field),
                _ => self.unknown(&field, AZURE),
            }
        }
        entry
    }

    fn public_key(&mut self, id: NodeId) -> PublicKeyEntry {
        let position = self.decoder.position(id);
        if !self.decoder.is_mapping(id) {
            let file = self.decoder.text(id).unwrap_or_default();
            return PublicKeyEntry { position, file, key: String::new() };
        }
        let mut entry = PublicKeyEntry { position, ..PublicKeyEntry::default() };
        for field in self.decoder.fields(id).unwrap_or_default() {
            match field.name.as_str() {
                "key" => entry.key = self.string(&field),
                "file" => entry.file = self.string(&field),
                _ => self.unknown(&field, PUBLIC_KEY),
            }
        }
        entry
    }

    fn destination(&mut self, id: NodeId) -> DestinationRule {
        let mut rule = DestinationRule { position: self.decoder.position(id), ..DestinationRule::default() };
        for field in self.decoder.fields(id).unwrap_or_default() {
            match field.name.as_str() {
                "path_regex" => rule.path_regex = self.placed(&field),
                "s3_bucket" => rule.s3_bucket = self.string(&field),
                "s3_prefix" => rule.s3_prefix = self.string(&field),
                "gcs_bucket" => rule.gcs_bucket = self.string(&field),
                "gcs_prefix" => rule.gcs_prefix = self.string(&field),
                "vault_path" => rule.vault_path = self.string(&field),
                "vault_address" => rule.vault_address = self.string(&field),
                "vault_kv_mount_name" => rule.vault_kv_mount_name = self.string(&field),
                "vault_kv_version" => {
                    rule.vault_kv_version = self.decoder.integer(field.value).unwrap_or_default();
                }
                "recreation_rule" if self.decoder.is_null(field.value) => {}
                "recreation_rule" => rule.recreation_rule = self.rule(field.value),
                "omit_extensions" => {
                    rule.omit_extensions = self.decoder.boolean(field.value).unwrap_or_default();
                }
                _ => self.unknown(&field, DESTINATION),
            }
        }
        rule
    }

    fn stores(&mut self, id: NodeId) -> Stores {
        let mut stores = Stores::default();
        for field in self.decoder.fields(id).unwrap_or_default() {
            let name = field.name.as_str();
            let indent = match name {
                "yaml" | "json" | "dotenv" | "ini" => self.store(name, field.value, &mut stores),
                "json_binary" => self.store("", field.value, &mut stores),
                _ => {
                    self.unknown(&field, STORES);
                    continue;
                }
            };
            match name {
                "yaml" => stores.yaml_indent = indent,
                "json" => stores.json_indent = indent,
                "json_binary" => stores.json_binary_indent = indent,
                _ => {}
            }
        }
        stores
    }

    /// Reads the section of a store; gives the indentation. One without a name here has no layout.
    fn store(&mut self, name: &str, id: NodeId, stores: &mut Stores) -> Option<i64> {
        let mut indent = None;
        for field in self.decoder.fields(id).unwrap_or_default() {
            let known: &[&str] = match name {
                "yaml" | "json" => &["indent", "layout"],
                "dotenv" | "ini" => &["layout"],
                _ => &["indent"],
            };
            match field.name.as_str() {
                "indent" if known.contains(&"indent") => indent = self.decoder.integer(field.value),
                "layout" if known.contains(&"layout") => {
                    stores.layouts.insert(name.to_owned(), self.string(&field));
                }
                _ => self.unknown(&field, known),
            }
        }
        indent
    }
}

#[cfg(test)]
mod tests;
