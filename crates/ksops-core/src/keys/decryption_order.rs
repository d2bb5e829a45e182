//! In which order the keys of a group are tried (file-format.md section 5).

use crate::keys::key_group::{KeyEntry, KeyGroup};

/// The words of `--decryption-order`: kinds of keys, the ones to try first in front.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecryptionOrder(Vec<String>);

/// A word stands twice in the order (exit status 112).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Duplicate decryption key type: {word}")]
pub struct DuplicateTypeError {
    /// The word.
    pub word: String,
}

impl Default for DecryptionOrder {
    fn default() -> Self {
        Self(vec!["age".to_owned(), "pgp".to_owned()])
    }
}

impl DecryptionOrder {
    /// Reads a list of words separated by commas; an empty text is the default. Unknown words have no effect.
    ///
    /// # Errors
    /// [`DuplicateTypeError`] if a word stands twice.
    pub fn parse(text: &str) -> Result<Self, DuplicateTypeError> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let mut words: Vec<String> = Vec::new();
        for word in text.split(',') {
            if words.iter().any(|other| other == word) {
                return Err(DuplicateTypeError { word: word.to_owned() });
            }
            words.push(word.to_owned());
        }
        Ok(Self(words))
    }

    /// The entries of a group in the order in which they are tried; what is not listed comes last, in file order.
    #[must_use]
    pub fn sort<'g>(&self, group: &'g KeyGroup) -> Vec<&'g KeyEntry> {
        let rank = |entry: &&KeyEntry| {
            let name = entry.key.key_type().name();
            self.0.iter().position(|word| word == name).unwrap_or(self.0.len())
        };
        let mut entries: Vec<&KeyEntry> = group.entries.iter().collect();
        entries.sort_by_key(rank);
        entries
    }
}

#[cfg(test)]
mod tests {
    use super::DecryptionOrder;
    use crate::keys::key_group::{EncryptedDataKey, KeyEntry, KeyGroup};
    use crate::keys::master_key::{AgeKey, GcpKmsKey, MasterKey, PgpKey};

    fn order(text: &str) -> String {
        let entry = |key| KeyEntry { key, enc: EncryptedDataKey::default(), created_at: None };
        let group = KeyGroup {
            entries: vec![
                entry(MasterKey::GcpKms(GcpKmsKey { resource_id: "gcp".into() })),
                entry(MasterKey::Pgp(PgpKey { fingerprint: "pgp".into() })),
                entry(MasterKey::Age(AgeKey { recipient: "age1".into() })),
                entry(MasterKey::Age(AgeKey { recipient: "age2".into() })),
            ],
        };
        let order = DecryptionOrder::parse(text).expect("an order");
        order.sort(&group).iter().map(|entry| entry.key.to_string()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn listed_kinds_come_first_and_the_rest_keeps_its_order() {
        assert_eq!(order(""), "age1 age2 pgp gcp");
        assert_eq!(order("pgp"), "pgp gcp age1 age2");
        assert_eq!(order("nonsense,gcp_kms,age"), "gcp age1 age2 pgp");
    }

    #[test]
    fn a_repeated_word_is_refused() {
        let error = DecryptionOrder::parse("age,pgp,age").expect_err("repeated");
        assert_eq!(error.to_string(), "Duplicate decryption key type: age");
    }
}
