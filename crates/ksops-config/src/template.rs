//! The text of a new `.sops.yaml`, for `ksops init`.

use ksops_core::keys::master_key::MasterKey;

/// A key that a rule's flat form cannot name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key} cannot be written as a plain text of a rule: {reason}")]
pub struct TemplateError {
    /// The key.
    pub key: String,
    /// Why not.
    pub reason: &'static str,
}

/// The order of the fields in the text, which is the order of the keys in a file.
const FIELDS: [&str; 7] = ["age", "pgp", "kms", "gcp_kms", "hckms", "azure_keyvault", "hc_vault_transit_uri"];

/// Writes a configuration with one rule: the YAML files below it, the values of Kubernetes Secrets, these keys.
///
/// # Errors
/// [`TemplateError`] for a key with a comma, a line break, an encryption context or a profile.
pub fn new_config(keys: &[MasterKey]) -> Result<String, TemplateError> {
    let mut text = String::from(
        "# The first rule whose path_regex is found in a file's path says which keys encrypt the file.\n\
         creation_rules:\n\
         \x20 - path_regex: \\.ya?ml$\n\
         \x20   # Of a Kubernetes Secret only the values; take this line out to encrypt everything.\n\
         \x20   encrypted_regex: ^(data|stringData)$\n",
    );
    let mut written = Vec::new();
    for key in keys {
        written.push(field_of(key)?);
    }
    for name in FIELDS {
        let values: Vec<&String> =
            written.iter().filter(|(field, _)| *field == name).map(|(_, value)| value).collect();
        if values.is_empty() {
            continue;
        }
        text.push_str(&format!("    {name}:\n"));
        for value in values {
            text.push_str(&format!("      - {}\n", quoted(value)));
        }
    }
    Ok(text)
}

/// The field of the flat form and the text in it.
fn field_of(key: &MasterKey) -> Result<(&'static str, String), TemplateError> {
    let refuse = |reason| Err(TemplateError { key: key.to_string(), reason });
    let (field, value) = match key {
        MasterKey::Age(_) => ("age", key.to_string()),
        MasterKey::Pgp(_) => ("pgp", key.to_string()),
        MasterKey::Kms(kms) if !kms.context.is_empty() || !kms.aws_profile.is_empty() => {
            return refuse("a context or profile needs key_groups");
        }
        MasterKey::Kms(_) => ("kms", key.to_string()),
        MasterKey::GcpKms(_) => ("gcp_kms", key.to_string()),
        MasterKey::Hckms(_) => ("hckms", key.to_string()),
        MasterKey::AzureKv(azure) => {
            let url = format!("{}/keys/{}", azure.vault_url.trim_end_matches('/'), azure.name);
            let version =
                if azure.version.is_empty() { String::new() } else { format!("/{}", azure.version) };
            ("azure_keyvault", url + &version)
        }
        MasterKey::HcVault(_) => ("hc_vault_transit_uri", key.to_string()),
        _ => return refuse("keys of this kind are not known here"),
    };
    if value.contains(',') || value.chars().any(char::is_control) {
        return refuse("it has a comma or a control character");
    }
    Ok((field, value))
}

/// The text as a YAML scalar.
fn quoted(text: &str) -> String {
    let plain = text.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && text.len() > 8
        && text.chars().all(|letter| letter.is_ascii_alphanumeric() || "/._-+@:= ".contains(letter))
        && !text.contains(": ")
        && !text.ends_with([':', ' ']);
    if plain { text.to_owned() } else { format!("'{}'", text.replace('\'', "''")) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use ksops_core::keys::master_key::MasterKey;

    use super::new_config;
    use crate::keys;
    use crate::model::ConfigFile;
    use crate::rule::RuleQuery;

    #[test]
    fn reads_back_the_keys_that_were_written() {
        let written: Vec<MasterKey> = vec![
            keys::age("age1lzd99uklcjnc0e7d860axevet2cz99ce9pq6tzuzd05l5nr28ams36nvun").expect("valid"),
            keys::age("ssh-ed25519 AAAAC3Nz it's: #mine").expect("valid"),
            keys::pgp("0123456789").expect("valid"),
            keys::kms("arn:aws:kms:r:1:key/a+arn:aws:iam::1:role/x", &BTreeMap::new(), "").expect("valid"),
            keys::azure_key_vault("https://v.vault.azure.net/keys/n").expect("valid"),
            keys::azure_key_vault("https://v.vault.azure.net/keys/n/1").expect("valid"),
            keys::hc_vault("https://vault:8200/v1/transit/keys/k").expect("valid"),
        ];
        let text = new_config(&written).expect("written");
        let config = ConfigFile::parse(text.as_bytes(), ".sops.yaml").expect("valid");
        config.require_clean().expect("clean");
        let context = BTreeMap::new();
        let query = RuleQuery {
            config_directory: Path::new("/w"),
            path: Path::new("/w/a/secret.yml"),
            kms_context: &context,
        };
        let rule = config.creation_rule(&query).expect("matches").expect("there are rules");
        let read: Vec<MasterKey> = rule.groups.into_iter().flatten().map(|request| request.key).collect();
        assert_eq!(read, written);
        assert_eq!(rule.selection.encrypted_regex.value, "^(data|stringData)$");
    }

    #[test]
    fn refuses_a_recipient_with_a_comma() {
        let key = keys::age("ssh-ed25519 AAAA Doe, Jane").expect("valid");
        assert!(new_config(&[key]).is_err());
    }
}
