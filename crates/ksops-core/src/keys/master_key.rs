//! Master keys as plain data: which outside key, not how to use it (key-services.md section 1).

use std::collections::BTreeMap;
use std::fmt;

/// An outside key that encrypts the data key of a file.
///
/// `Display` gives the text form that messages and comparisons use (key-services.md section 1.6).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MasterKey {
    /// AWS KMS.
    Kms(KmsKey),
    /// Google Cloud KMS.
    GcpKms(GcpKmsKey),
    /// Huawei Cloud KMS.
    Hckms(HckmsKey),
    /// Azure Key Vault.
    AzureKv(AzureKvKey),
    /// HashiCorp Vault or OpenBao transit.
    HcVault(HcVaultKey),
    /// OpenPGP.
    Pgp(PgpKey),
    /// age.
    Age(AgeKey),
}

/// The kind of a [`MasterKey`]; `Display` gives the name used in `--decryption-order` and metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum KeyType {
    /// AWS KMS.
    Kms,
    /// Google Cloud KMS.
    GcpKms,
    /// Huawei Cloud KMS.
    Hckms,
    /// Azure Key Vault.
    AzureKv,
    /// HashiCorp Vault or OpenBao transit.
    HcVault,
    /// OpenPGP.
    Pgp,
    /// age.
    Age,
}

impl KeyType {
    /// Every kind, in the order in which a file's flat lists are read (file-format.md section 5).
    pub const ALL: [Self; 7] =
        [Self::Kms, Self::GcpKms, Self::Hckms, Self::AzureKv, Self::HcVault, Self::Pgp, Self::Age];

    /// The type's identifier.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Kms => "kms",
            Self::GcpKms => "gcp_kms",
            Self::Hckms => "hckms",
            Self::AzureKv => "azure_kv",
            Self::HcVault => "hc_vault",
            Self::Pgp => "pgp",
            Self::Age => "age",
        }
    }

    /// Finds a kind by its identifier.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A key of AWS KMS.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct KmsKey {
    /// The ARN of a key or alias.
    pub arn: String,
    /// A role to assume; empty for none.
    pub role: String,
    /// The encryption context; `None` for a value that is null in the file.
    pub context: BTreeMap<String, Option<String>>,
    /// The profile; empty for none.
    pub aws_profile: String,
}

/// A key of Google Cloud KMS.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct GcpKmsKey {
    /// `projects/…/locations/…/keyRings/…/cryptoKeys/…`.
    pub resource_id: String,
}

/// A key of Huawei Cloud KMS.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct HckmsKey {
    /// `region:uuid`.
    pub key_id: String,
}

/// A key of Azure Key Vault or Managed HSM.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct AzureKvKey {
    /// `https://HOST`, as written.
    pub vault_url: String,
    /// The key's name.
    pub name: String,
    /// The key's version; empty for the newest.
    pub version: String,
}

/// A transit key of HashiCorp Vault or OpenBao.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct HcVaultKey {
    /// The server's address.
    pub vault_address: String,
    /// The path where the transit engine is mounted.
    pub engine_path: String,
    /// The key's name.
    pub key_name: String,
}

/// An OpenPGP key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct PgpKey {
    /// The fingerprint as given, without blanks.
    pub fingerprint: String,
}

/// An age recipient.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct AgeKey {
    /// The recipient, as given.
    pub recipient: String,
}

impl MasterKey {
    /// The kind of key.
    #[must_use]
    pub fn key_type(&self) -> KeyType {
        match self {
            Self::Kms(_) => KeyType::Kms,
            Self::GcpKms(_) => KeyType::GcpKms,
            Self::Hckms(_) => KeyType::Hckms,
            Self::AzureKv(_) => KeyType::AzureKv,
            Self::HcVault(_) => KeyType::HcVault,
            Self::Pgp(_) => KeyType::Pgp,
            Self::Age(_) => KeyType::Age,
        }
    }
}

impl fmt::Display for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kms(key) => write!(f, "{key}"),
            Self::GcpKms(key) => f.write_str(&key.resource_id),
            Self::Hckms(key) => f.write_str(&key.key_id),
            Self::AzureKv(key) => write!(f, "{}/keys/{}/{}", key.vault_url, key.name, key.version),
            Self::HcVault(key) => {
                write!(f, "{}/v1/{}/keys/{}", key.vault_address, key.engine_path, key.key_name)
            }
            Self::Pgp(key) => f.write_str(&key.fingerprint),
            Self::Age(key) => f.write_str(&key.recipient),
        }
    }
}

impl fmt::Display for KmsKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.arn)?;
        if !self.role.is_empty() {
            write!(f, "+{}", self.role)?;
        }
        if !self.context.is_empty() || !self.aws_profile.is_empty() {
            let pairs: Vec<String> = self
                .context
                .iter()
                .map(|(name, value)| format!("{name}:{}", value.as_deref().unwrap_or_default()))
                .collect();
            write!(f, "|{}", pairs.join(","))?;
        }
        if !self.aws_profile.is_empty() {
            write!(f, "|{}", self.aws_profile)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{AzureKvKey, KmsKey, MasterKey};

    #[test]
    fn the_text_form_of_a_kms_key_with_a_profile_keeps_the_empty_context() {
        let key = KmsKey { arn: "arn".into(), aws_profile: "p".into(), ..KmsKey::default() };
        assert_eq!(key.to_string(), "arn||p");
    }

    #[test]
    fn the_text_form_of_an_azure_key_doubles_a_slash() {
        let key = AzureKvKey { vault_url: "https://v/".into(), name: "n".into(), version: "1".into() };
        assert_eq!(MasterKey::AzureKv(key).to_string(), "https://v//keys/n/1");
    }
}
