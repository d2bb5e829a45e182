//! The master keys that a rule asks for, in upstream's order (cli-and-config.md section 5.2).

use std::collections::{BTreeMap, HashSet};

use ksops_core::keys::master_key::{AzureKvKey, KmsKey, MasterKey};
use ksops_yaml::span::Position;

use crate::keys::{self, KeyTextError};
use crate::model::{AzureEntry, FlatKeys, GroupEntry, KeyField, KmsEntry, Placed, Rule, Text};
use crate::problem::Problem;
use crate::rule::KeyRequest;

type Context = BTreeMap<String, Option<String>>;

/// The key groups of `rule`; the flat form gives one, even without any key.
pub(crate) fn groups(rule: &Rule, kms_context: &Context) -> Result<Vec<Vec<KeyRequest>>, Problem> {
    if rule.key_groups.is_empty() {
        return Ok(vec![flat(&rule.flat, kms_context)?]);
    }
    rule.key_groups
        .iter()
        .map(|entry| {
            let mut requests = Vec::new();
            collect_group(entry, &mut requests)?;
            Ok(without_duplicates(requests))
        })
        .collect()
}

/// Adds the keys of a group, those of merged groups first. The reader has bounded the depth.
fn collect_group(entry: &GroupEntry, requests: &mut Vec<KeyRequest>) -> Result<(), Problem> {
    for merged in &entry.merge {
        collect_group(merged, requests)?;
    }
    // Each text may hold several recipients; the other kinds have one key an item.
    let age: Vec<Text> = entry.age.iter().flat_map(split).collect();
    add(&non_empty(&age), requests, keys::age)?;
    add(&non_empty(&entry.pgp), requests, keys::pgp)?;
    for item in &entry.kms {
        requests.push(KeyRequest { key: kms(item)?, position: item.position });
    }
    add(&entry.gcp_kms, requests, keys::gcp_kms)?;
    add(&entry.hckms, requests, keys::hckms)?;
    for item in &entry.azure_keyvault {
        requests.push(KeyRequest { key: azure(item)?, position: item.position });
    }
    add(&non_empty(&entry.hc_vault), requests, keys::hc_vault)
}

fn kms(entry: &KmsEntry) -> Result<MasterKey, Problem> {
    let key = keys::kms(&entry.arn, &entry.context, &entry.aws_profile)
        .map_err(|error| at(entry.position, &error))?;
    Ok(match key {
        // A role of its own wins, and the ARN then stays as written.
        MasterKey::Kms(key) if !entry.role.is_empty() => {
            MasterKey::Kms(KmsKey { arn: entry.arn.clone(), role: entry.role.clone(), ..key })
        }
        other => other,
    })
}

fn azure(entry: &AzureEntry) -> Result<MasterKey, Problem> {
    for (field, value) in [("vaultUrl", &entry.vault_url), ("key", &entry.key)] {
        if value.is_empty() {
            return Err(Problem::new(entry.position, format!("azure_keyvault: {field} is missing")));
        }
    }
    Ok(MasterKey::AzureKv(AzureKvKey {
        vault_url: entry.vault_url.clone(),
        name: entry.key.clone(),
        version: entry.version.clone(),
    }))
}

fn flat(flat: &FlatKeys, kms_context: &Context) -> Result<Vec<KeyRequest>, Problem> {
    let mut requests = Vec::new();
    add(&pieces("age", &flat.age)?, &mut requests, keys::age)?;
    add(&pieces("pgp", &flat.pgp)?, &mut requests, keys::pgp)?;
    add(&pieces("kms", &flat.kms)?, &mut requests, |text| {
        keys::kms(text, kms_context, &flat.aws_profile.value)
    })?;
    add(&pieces("gcp_kms", &flat.gcp_kms)?, &mut requests, keys::gcp_kms)?;
    let hckms: Vec<Text> = flat.hckms.iter().flat_map(split).collect();
    add(&non_empty(&hckms), &mut requests, keys::hckms)?;
    add(&pieces("azure_keyvault", &flat.azure_keyvault)?, &mut requests, keys::azure_key_vault)?;
    let uris = pieces("hc_vault_transit_uri", &flat.hc_vault_transit_uri)?;
    add(&non_empty(&uris), &mut requests, keys::hc_vault)?;
    // Upstream keeps them, which only makes the file longer (section 15).
    Ok(without_duplicates(requests))
}

/// The texts of a key field. A text drops its empty pieces. A list is split again at commas, and keeps them, unless
/// there is nothing else in it.
fn pieces(name: &str, field: &KeyField) -> Result<Vec<Text>, Problem> {
    let wrong = |position, expected: &str, found: &str| {
        Problem::new(
            position,
            format!("invalid {name} key configuration: expected {expected}, found {found}"),
        )
    };
    match field {
        KeyField::Absent => Ok(Vec::new()),
        KeyField::Text(text) => Ok(non_empty(&split(text).collect::<Vec<_>>())),
        KeyField::Wrong(found) => Err(wrong(found.position, "a string or a list of strings", found.value)),
        KeyField::List(items, _) => {
            let mut texts = Vec::new();
            for item in items {
                match &item.value {
                    Ok(value) => {
                        texts.extend(split(&Placed { value: value.clone(), position: item.position }))
                    }
                    Err(found) => return Err(wrong(item.position, "a string in the list", found)),
                }
            }
            let nothing = matches!(texts.as_slice(), [only] if only.value.is_empty());
            Ok(if nothing { Vec::new() } else { texts })
        }
    }
}

fn split(text: &Text) -> impl Iterator<Item = Text> {
    text.value.split(',').map(|piece| Placed { value: piece.to_owned(), position: text.position })
}

fn non_empty(texts: &[Text]) -> Vec<Text> {
    texts.iter().filter(|text| !text.value.trim().is_empty()).cloned().collect()
}

fn add(
    texts: &[Text],
    requests: &mut Vec<KeyRequest>,
    read: impl Fn(&str) -> Result<MasterKey, KeyTextError>,
) -> Result<(), Problem> {
    for text in texts {
        let key = read(&text.value).map_err(|error| at(text.position, &error))?;
        requests.push(KeyRequest { key, position: text.position });
    }
    Ok(())
}

fn at(position: Position, error: &KeyTextError) -> Problem {
    Problem::new(position, error.to_string())
}

/// Keeps the first of keys that have the same kind and the same text form.
fn without_duplicates(requests: Vec<KeyRequest>) -> Vec<KeyRequest> {
    let mut seen = HashSet::new();
    requests
        .into_iter()
        .filter(|request| seen.insert((request.key.key_type(), request.key.to_string())))
        .collect()
}
