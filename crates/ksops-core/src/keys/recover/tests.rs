//! Tests of recovering the data key and of the report when that fails.

use super::{RecoverError, recover};
use crate::crypto::iv::tests::Counting;
use crate::keys::decryption_order::DecryptionOrder;
use crate::keys::distribute::distribute;
use crate::keys::distribute::tests::{Numbers, age, data_key, group};
use crate::keys::key_group::KeyGroup;
use crate::keys::key_service::KeyService;
use crate::keys::master_key::KeyType;

const SERVICE: Numbers = Numbers(KeyType::Age);

fn groups(names: &[&[&str]], threshold: usize) -> Vec<KeyGroup> {
    let groups: Vec<KeyGroup> =
        names.iter().map(|keys| group(&keys.iter().map(|key| age(key)).collect::<Vec<_>>())).collect();
    let services: [&dyn KeyService; 1] = [&SERVICE];
    distribute(&data_key(), &groups, threshold, &services, &Counting::default()).expect("given").groups
}

/// From now on the key cannot be used.
fn spoil(groups: &mut [KeyGroup], group: usize, entry: usize) {
    groups[group].entries[entry].key = age(&format!("bad-{group}-{entry}"));
}

fn error(groups: &[KeyGroup], threshold: usize) -> RecoverError {
    recover(groups, threshold, &[&SERVICE], &DecryptionOrder::default()).err().expect("no data key")
}

fn recovers(groups: &[KeyGroup], threshold: usize) -> bool {
    let key = recover(groups, threshold, &[&SERVICE], &DecryptionOrder::default());
    key.is_ok_and(|key| key.expose() == data_key().expose())
}

#[test]
fn one_key_of_one_group_is_enough_whatever_the_threshold() {
    let mut groups = groups(&[&["a", "b"]], 0);
    spoil(&mut groups, 0, 0);
    assert!(recovers(&groups, 5));
}

#[test]
fn as_many_groups_as_the_threshold_says_are_needed() {
    let mut groups = groups(&[&["a"], &["b", "c"], &["d"]], 2);
    spoil(&mut groups, 0, 0);
    assert!(recovers(&groups, 2));
    spoil(&mut groups, 1, 1);
    assert!(recovers(&groups, 2));
    spoil(&mut groups, 1, 0);
    assert!(matches!(error(&groups, 2), RecoverError::Groups(_)));
    let message = error(&groups, 0).to_string();
    let expected = "could not get data key from shamir parts: less than two parts cannot be used to reconstruct the secret";
    assert_eq!(message, expected);
}

#[test]
fn the_report_is_laid_out_as_upstream_does() {
    let mut groups = groups(&[&["a", "b"], &["c"]], 2);
    spoil(&mut groups, 0, 0);
    spoil(&mut groups, 0, 1);
    let RecoverError::Groups(report) = error(&groups, 2) else { panic!("a report") };
    let expected = "Failed to get the data key required to decrypt the SOPS file.\n\
        \n\
        Group 0: FAILED\n\
        \x20 bad-0-0: FAILED\n\
        \x20   - | first line of the error of the first key service, which is a\n\
        \x20     | long one\n\
        \x20     | and a second line\n\
        \x20 \n\
        \x20 bad-0-1: FAILED\n\
        \x20   - | first line of the error of the first key service, which is a\n\
        \x20     | long one\n\
        \x20     | and a second line\n\
        \n\
        Group 1: SUCCESS\n\
        \n\
        Recovery failed because the file has a Shamir threshold of 2,";
    let text = report.to_string();
    assert!(text.starts_with(expected), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 75));
    assert!(report.render("ok", "no").contains("Group 1: ok"));
    assert_eq!(report.summary(), "Error getting data key: 2 successful groups required, got 1");
    assert_eq!(report.hints(), ["repair it"]);
}

#[test]
fn without_services_the_keys_are_still_listed() {
    let groups = groups(&[&["a"]], 0);
    let error = recover(&groups, 0, &[], &DecryptionOrder::default()).err().expect("no data key").to_string();
    assert!(
        error.contains("Group 0: FAILED\n  a: FAILED\n\n\nRecovery failed because no master key"),
        "{error:?}"
    );
}
