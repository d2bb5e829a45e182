//! The messages on the wire, and how a master key is written in them (cli-and-config.md section 9).

use std::collections::HashMap;

use ksops_core::keys::master_key::{
    AgeKey, AzureKvKey, GcpKmsKey, HcVaultKey, HckmsKey, KmsKey, MasterKey, PgpKey,
};
use zeroize::Zeroize;

/// The path of the call that encrypts.
pub(crate) const ENCRYPT: &str = "/KeyService/Encrypt";
/// The path of the call that decrypts.
pub(crate) const DECRYPT: &str = "/KeyService/Decrypt";

/// A master key.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Key {
    /// Its kind.
    #[prost(oneof = "KeyKind", tags = "1, 2, 3, 4, 5, 6, 7")]
    pub kind: Option<KeyKind>,
}

/// The kinds of master keys.
#[derive(Clone, PartialEq, prost::Oneof)]
pub(crate) enum KeyKind {
    #[prost(message, tag = "1")]
    Kms(Kms),
    #[prost(message, tag = "2")]
    Pgp(Pgp),
    #[prost(message, tag = "3")]
    GcpKms(GcpKms),
    #[prost(message, tag = "4")]
    AzureKv(AzureKv),
    #[prost(message, tag = "5")]
    HcVault(HcVault),
    #[prost(message, tag = "6")]
    Age(Age),
    #[prost(message, tag = "7")]
    Hckms(Hckms),
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Kms {
    #[prost(string, tag = "1")]
    pub arn: String,
    #[prost(string, tag = "2")]
    pub role: String,
    #[prost(map = "string, string", tag = "3")]
    pub context: HashMap<String, String>,
    #[prost(string, tag = "4")]
    pub aws_profile: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Pgp {
    #[prost(string, tag = "1")]
    pub fingerprint: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct GcpKms {
    #[prost(string, tag = "1")]
    pub resource_id: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct AzureKv {
    #[prost(string, tag = "1")]
    pub vault_url: String,
    #[prost(string, tag = "2")]
    pub name: String,
    #[prost(string, tag = "3")]
    pub version: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct HcVault {
    #[prost(string, tag = "1")]
    pub vault_address: String,
    #[prost(string, tag = "2")]
    pub engine_path: String,
    #[prost(string, tag = "3")]
    pub key_name: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Age {
    #[prost(string, tag = "1")]
    pub recipient: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Hckms {
    #[prost(string, tag = "1")]
    pub key_id: String,
}

/// A question: a key and the bytes to encrypt, or the text to decrypt.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Question {
    #[prost(message, optional, tag = "1")]
    pub key: Option<Key>,
    #[prost(bytes = "vec", tag = "2")]
    pub bytes: Vec<u8>,
}

/// An answer: the text that stands in the metadata, or the bytes.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Answer {
    #[prost(bytes = "vec", tag = "1")]
    pub bytes: Vec<u8>,
}

// Half of the messages hold a data key.
impl Drop for Question {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

/// Writes a master key; nothing for a kind that the protocol does not have.
pub(crate) fn from_master_key(key: &MasterKey) -> Option<Key> {
    let kind = match key.clone() {
        MasterKey::Kms(key) => {
            let pair = |(name, value): (String, Option<String>)| (name, value.unwrap_or_default());
            let context = key.context.into_iter().map(pair).collect();
            KeyKind::Kms(Kms { arn: key.arn, role: key.role, context, aws_profile: key.aws_profile })
        }
        MasterKey::Pgp(key) => KeyKind::Pgp(Pgp { fingerprint: key.fingerprint }),
        MasterKey::GcpKms(key) => KeyKind::GcpKms(GcpKms { resource_id: key.resource_id }),
        MasterKey::AzureKv(key) => {
            KeyKind::AzureKv(AzureKv { vault_url: key.vault_url, name: key.name, version: key.version })
        }
        MasterKey::HcVault(key) => KeyKind::HcVault(HcVault {
            vault_address: key.vault_address,
            engine_path: key.engine_path,
            key_name: key.key_name,
        }),
        MasterKey::Age(key) => KeyKind::Age(Age { recipient: key.recipient }),
        MasterKey::Hckms(key) => KeyKind::Hckms(Hckms { key_id: key.key_id }),
        _ => return None,
    };
    Some(Key { kind: Some(kind) })
}

/// Reads a master key; nothing if there is none.
pub(crate) fn to_master_key(key: Option<Key>) -> Option<MasterKey> {
    Some(match key?.kind? {
        KeyKind::Kms(key) => MasterKey::Kms(KmsKey {
            arn: key.arn,
            role: key.role,
            context: key.context.into_iter().map(|(name, value)| (name, Some(value))).collect(),
            aws_profile: key.aws_profile,
        }),
        KeyKind::Pgp(key) => MasterKey::Pgp(PgpKey { fingerprint: key.fingerprint }),
        KeyKind::GcpKms(key) => MasterKey::GcpKms(GcpKmsKey { resource_id: key.resource_id }),
        KeyKind::AzureKv(key) => {
            MasterKey::AzureKv(AzureKvKey { vault_url: key.vault_url, name: key.name, version: key.version })
        }
        KeyKind::HcVault(key) => MasterKey::HcVault(HcVaultKey {
            vault_address: key.vault_address,
            engine_path: key.engine_path,
            key_name: key.key_name,
        }),
        KeyKind::Age(key) => MasterKey::Age(AgeKey { recipient: key.recipient }),
        KeyKind::Hckms(key) => MasterKey::Hckms(HckmsKey { key_id: key.key_id }),
    })
}

#[cfg(test)]
mod tests {
    use ksops_core::keys::master_key::{AgeKey, AzureKvKey, KmsKey, MasterKey};
    use prost::Message;

    use super::{Question, from_master_key, to_master_key};

    #[test]
    fn keys_come_back_as_they_went() {
        let context = [("a".to_owned(), Some("b".to_owned()))].into();
        let keys = [
            MasterKey::Age(AgeKey { recipient: "age1x".into() }),
            MasterKey::AzureKv(AzureKvKey {
                vault_url: "https://v".into(),
                name: "n".into(),
                version: "1".into(),
            }),
            MasterKey::Kms(KmsKey { arn: "arn".into(), context, ..KmsKey::default() }),
        ];
        for key in keys {
            assert_eq!(to_master_key(from_master_key(&key)), Some(key));
        }
        assert_eq!(to_master_key(None), None);
    }

    #[test]
    fn the_bytes_on_the_wire_are_those_of_the_protocol() {
        let key = from_master_key(&MasterKey::Age(AgeKey { recipient: "r".into() }));
        let question = Question { key, bytes: vec![7] };
        // key(1) { age(6) { recipient(1) "r" } } bytes(2) 07
        assert_eq!(question.encode_to_vec(), [0x0a, 5, 0x32, 3, 0x0a, 1, b'r', 0x12, 1, 7]);
    }
}
