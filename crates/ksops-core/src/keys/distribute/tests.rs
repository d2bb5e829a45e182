//! Tests of giving out the data key, and the toy key service that other tests use, too.

use time::OffsetDateTime;

use super::{DistributeError, distribute, new_group};
use crate::crypto::data_key::DataKey;
use crate::crypto::iv::tests::Counting;
use crate::keys::key_group::{EncryptedDataKey, KeyGroup};
use crate::keys::key_service::{KeyService, KeyServiceError};
use crate::keys::master_key::{AgeKey, AzureKvKey, KeyType, MasterKey, PgpKey};
use crate::secret::SecretBytes;

/// Writes the key as decimal numbers; refuses recipients that begin with `bad`.
pub(crate) struct Numbers(pub(crate) KeyType);

impl KeyService for Numbers {
    fn serves(&self, key: &MasterKey) -> bool {
        key.key_type() == self.0
    }

    fn resolve(&self, key: &MasterKey) -> Result<MasterKey, KeyServiceError> {
        Ok(match key {
            MasterKey::AzureKv(key) => {
                MasterKey::AzureKv(AzureKvKey { version: "newest".into(), ..key.clone() })
            }
            other => other.clone(),
        })
    }

    fn encrypt(&self, key: &MasterKey, data_key: &SecretBytes) -> Result<EncryptedDataKey, KeyServiceError> {
        if key.to_string().starts_with("bad") {
            return Err(KeyServiceError::new("out of order").with_hint("repair it"));
        }
        let numbers: Vec<String> = data_key.expose().iter().map(u8::to_string).collect();
        Ok(EncryptedDataKey(numbers.join(" ")))
    }

    fn decrypt(&self, key: &MasterKey, enc: &EncryptedDataKey) -> Result<SecretBytes, KeyServiceError> {
        if key.to_string().starts_with("bad") {
            let message =
                "first line of the error of the first key service, which is a long one\nand a second line";
            return Err(KeyServiceError::new(message).with_hint("repair it"));
        }
        let bytes: Result<Vec<u8>, _> = enc.0.split(' ').map(str::parse).collect();
        bytes.map(SecretBytes::new).map_err(|_| KeyServiceError::new("no numbers"))
    }
}

pub(crate) fn data_key() -> DataKey {
    DataKey::new((0..32).collect::<Vec<u8>>().into()).expect("a key")
}

pub(crate) fn age(name: &str) -> MasterKey {
    MasterKey::Age(AgeKey { recipient: name.into() })
}

pub(crate) fn group(keys: &[MasterKey]) -> KeyGroup {
    new_group(keys.iter().cloned(), OffsetDateTime::UNIX_EPOCH)
}

fn give(groups: &[KeyGroup], threshold: usize) -> Result<super::Distributed, DistributeError> {
    let services: [&dyn KeyService; 2] = [&Numbers(KeyType::Age), &Numbers(KeyType::AzureKv)];
    distribute(&data_key(), groups, threshold, &services, &Counting::default())
}

fn message(groups: &[KeyGroup], threshold: usize) -> String {
    give(groups, threshold).expect_err("refused").to_string()
}

#[test]
fn keys_of_one_group_get_the_whole_key_and_the_threshold_stays() {
    let given = give(&[group(&[age("a"), age("b")])], 5).expect("given");
    assert_eq!(given.threshold, 5);
    assert_eq!(given.groups[0].entries[0].enc.0.split(' ').count(), 32);
    assert_eq!(given.groups[0].entries[0].enc, given.groups[0].entries[1].enc);
}

#[test]
fn several_groups_get_shares_and_zero_means_all_of_them() {
    let given = give(&[group(&[age("a")]), group(&[age("b")]), group(&[age("c")])], 0).expect("given");
    assert_eq!(given.threshold, 3);
    let last = |group: usize| given.groups[group].entries[0].enc.0.rsplit(' ').next().map(str::to_owned);
    assert_eq!((last(0).as_deref(), last(2).as_deref()), (Some("1"), Some("3")));
    assert_eq!(given.groups[0].entries[0].enc.0.split(' ').count(), 33);
}

#[test]
fn a_service_may_settle_the_name_of_a_key() {
    let key = AzureKvKey { vault_url: "https://v".into(), name: "n".into(), version: String::new() };
    let given = give(&[group(&[MasterKey::AzureKv(key)])], 0).expect("given");
    assert_eq!(given.groups[0].entries[0].key.to_string(), "https://v/keys/n/newest");
    assert_eq!(given.groups[0].entries[0].created_at, Some(OffsetDateTime::UNIX_EPOCH));
}

#[test]
fn refusals_are_worded_as_upstream() {
    assert_eq!(message(&[], 0), "[no key groups provided]");
    assert_eq!(message(&[group(&[])], 0), "[empty key group provided]");
    let two = [group(&[age("a")]), group(&[age("b")])];
    let split = "[could not split data key into parts for Shamir: ";
    assert_eq!(message(&two, 3), format!("{split}parts cannot be less than threshold]"));
    assert_eq!(message(&two, 1), format!("{split}threshold must be at least 2]"));
    let none = distribute(&data_key(), &two, 0, &[], &Counting::default()).expect_err("no service");
    assert_eq!(none.to_string(), "[no key services provided, cannot update master keys]");
}

#[test]
fn every_failure_is_told() {
    let pgp = MasterKey::Pgp(PgpKey { fingerprint: "F".into() });
    let error = give(&[group(&[age("bad1"), age("a"), age("bad2"), pgp])], 0).expect_err("refused");
    let failed = "failed to encrypt new data key with master key";
    assert_eq!(
        error.to_string(),
        format!(
            r#"[{failed} "bad1": out of order {failed} "bad2": out of order {failed} "F": no key service handles keys of type pgp]"#
        )
    );
    let hints = error.hints();
    assert_eq!((hints.len(), hints[0]), (2, "repair it"));
    assert!(hints[1].contains("no service for keys of type pgp"), "{hints:?}");
}
