//! Asking at the same time: how long it takes, who is asked, and what is told.

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use ksops_core::crypto::data_key::DataKey;
use ksops_core::keys::decryption_order::DecryptionOrder;
use ksops_core::keys::distribute::new_group;
use ksops_core::keys::key_group::{EncryptedDataKey, KeyGroup};
use ksops_core::keys::key_service::{KeyService, KeyServiceError};
use ksops_core::keys::master_key::{AgeKey, MasterKey};
use ksops_core::keys::recover::RecoverError;
use ksops_core::secret::SecretBytes;
use time::OffsetDateTime;

use super::{AT_ONCE, PACE, Pace, distribute, recover_at};
use crate::services::Services;
use crate::system::OsRandom;

/// A service whose keys say in their names what happens: `slow` takes a while, `hangs` does not end, `bad` fails, `panics`
/// panics, `asks` needs a person.
#[derive(Clone, Default)]
struct Told {
    asked: Arc<Mutex<Vec<String>>>,
}

const SLOW: Duration = Duration::from_millis(300);

impl Told {
    fn happen(&self, key: &MasterKey) -> Result<(), KeyServiceError> {
        let name = key.to_string();
        self.asked.lock().expect("whole").push(name.clone());
        if name.contains("slow") {
            thread::sleep(SLOW);
        }
        if name.contains("hangs") {
            thread::sleep(Duration::from_secs(20));
        }
        assert!(!name.contains("panics"), "as its name says");
        if name.contains("bad") { Err(KeyServiceError::new(format!("{name} is bad"))) } else { Ok(()) }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("whole").clone()
    }
}

impl KeyService for Told {
    fn serves(&self, _: &MasterKey) -> bool {
        true
    }

    fn may_ask(&self, key: &MasterKey) -> bool {
        key.to_string().contains("asks")
    }

    fn encrypt(&self, key: &MasterKey, plain: &SecretBytes) -> Result<EncryptedDataKey, KeyServiceError> {
        self.happen(key)?;
        Ok(EncryptedDataKey(plain.expose().iter().map(|byte| format!("{byte:02x}")).collect()))
    }

    fn decrypt(&self, key: &MasterKey, enc: &EncryptedDataKey) -> Result<SecretBytes, KeyServiceError> {
        self.happen(key)?;
        let byte = |at: usize| u8::from_str_radix(&enc.0[at..at + 2], 16).expect("hexadecimal");
        Ok(SecretBytes::new((0..enc.0.len()).step_by(2).map(byte).collect()))
    }
}

fn data_key() -> DataKey {
    DataKey::new((0..32).collect::<Vec<u8>>().into()).expect("a key")
}

fn key(name: &str) -> MasterKey {
    MasterKey::Age(AgeKey { recipient: name.into() })
}

/// Groups whose keys hold their parts, under names that tell what happens then.
fn groups(names: &[&[&str]], threshold: usize) -> Vec<KeyGroup> {
    let group = |names: &&[&str]| {
        new_group((0..names.len()).map(|number| key(&format!("k{number}"))), OffsetDateTime::UNIX_EPOCH)
    };
    let made: Vec<KeyGroup> = names.iter().map(group).collect();
    let services = Services::new(vec![Box::new(Told::default())]);
    let mut made =
        distribute(&data_key(), &made, threshold, &services, &OsRandom::default()).expect("given").groups;
    for (group, names) in made.iter_mut().zip(names) {
        for (entry, name) in group.entries.iter_mut().zip(*names) {
            entry.key = key(name);
        }
    }
    made
}

/// So long that a busy machine does not matter.
const PATIENT: Pace = Pace { head_start: Duration::from_secs(60), patience: Duration::from_secs(60), ..PACE };

/// Recovers; gives who was asked, and the time.
fn recovered(
    pace: Pace,
    names: &[&[&str]],
    threshold: usize,
) -> (Result<(), RecoverError>, Vec<String>, Duration) {
    let (told, groups) = (Told::default(), groups(names, threshold));
    let services = Services::new(vec![Box::new(told.clone())]);
    let start = Instant::now();
    let found = recover_at(pace, &groups, threshold, &services, &DecryptionOrder::default());
    let took = start.elapsed();
    let found = found.map(|found| assert_eq!(found.expose().expose(), data_key().expose().expose()));
    (found, told.asked(), took)
}

#[test]
fn the_first_that_works_is_enough_and_nobody_else_is_asked() {
    let (found, asked, _) = recovered(PATIENT, &[&["a", "b", "c"]], 0);
    assert!(found.is_ok());
    assert_eq!(asked, ["a"]);
    let (found, mut asked, _) = recovered(PATIENT, &[&["bad", "b"], &["c", "d"], &["e"]], 3);
    asked.sort();
    assert!(found.is_ok());
    assert_eq!(asked, ["b", "bad", "c", "e"]);
}

#[test]
fn ten_slow_keys_take_the_time_of_one() {
    let names: Vec<String> = (0..10).map(|number| format!("bad-slow-{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (found, asked, took) = recovered(PACE, &[&names], 0);
    let Err(RecoverError::Groups(report)) = found else { panic!("recovered") };
    assert_eq!(asked.len(), 10);
    assert!(took < SLOW * 3, "{took:?}");
    // The report is in the order of the file, whoever answered first.
    let text = report.to_string();
    let places: Vec<usize> = names.iter().map(|name| text.find(name).expect("named")).collect();
    assert!(places.is_sorted(), "{text}");
}

#[test]
fn encrypting_for_many_takes_the_time_of_the_slowest_and_tells_all_failures_in_order() {
    let services = Services::new(vec![Box::new(Told::default())]);
    let give = |names: &[String]| {
        let group = new_group(names.iter().map(|name| key(name)), OffsetDateTime::UNIX_EPOCH);
        let start = Instant::now();
        let given = distribute(&data_key(), &[group], 0, &services, &OsRandom::default());
        (given, start.elapsed())
    };
    let names: Vec<String> = (0..AT_ONCE).map(|number| format!("slow-{number}")).collect();
    let (given, took) = give(&names);
    let given = given.expect("given");
    let order: Vec<String> = given.groups[0].entries.iter().map(|entry| entry.key.to_string()).collect();
    assert_eq!(order, names);
    assert!(took < SLOW * 3, "{took:?}");
    let names = ["slow-bad-1", "fine", "panics", "bad-2"].map(str::to_owned);
    let failures = give(&names).0.expect_err("refused").failures;
    let told: Vec<String> = failures.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[0].contains("slow-bad-1 is bad") && told[2].contains("bad-2 is bad"), "{told:?}");
    assert!(told[1].contains("stopped unexpectedly"), "{told:?}");
}

#[test]
fn who_hangs_is_not_waited_for_when_enough_others_answer() {
    let (found, _, took) = recovered(PACE, &[&["hangs", "b"]], 0);
    assert!(found.is_ok() && took < Duration::from_secs(5), "{took:?}");
    let (found, _, took) = recovered(PACE, &[&["hangs"], &["b"], &["bad", "c"]], 2);
    assert!(found.is_ok() && took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn who_hangs_has_failed_after_the_limit() {
    let groups = groups(&[&["hangs", "bad"]], 0);
    let services = Services::new(vec![Box::new(Told::default())]);
    let start = Instant::now();
    let pace = Pace { limit: Duration::from_millis(200), ..PACE };
    let error = recover_at(pace, &groups, 0, &services, &DecryptionOrder::default())
        .err()
        .expect("too late")
        .to_string();
    assert!(start.elapsed() < Duration::from_secs(5));
    assert!(error.contains("gave no answer within 0 seconds") && error.contains("bad is bad"), "{error}");
}

#[test]
fn a_person_is_asked_alone_in_turn_and_only_if_needed() {
    let (found, asked, _) = recovered(PACE, &[&["asks-a", "slow-b"]], 0);
    assert!(found.is_ok());
    assert_eq!(asked, ["asks-a"]);
    let (found, mut asked, _) = recovered(PATIENT, &[&["asks-a"], &["slow-b"], &["slow-c"]], 2);
    asked.sort();
    assert!(found.is_ok());
    assert_eq!(asked, ["slow-b", "slow-c"]);
    let (found, asked, _) = recovered(PACE, &[&["bad-1", "asks-bad-2", "bad-3"]], 0);
    assert!(found.is_err());
    assert_eq!(asked, ["bad-1", "asks-bad-2", "bad-3"]);
}

#[test]
fn a_person_is_asked_after_all_when_another_key_hangs() {
    let pace = Pace { patience: Duration::from_millis(200), ..PACE };
    let (found, asked, took) = recovered(pace, &[&["hangs"], &["b"], &["asks-c"]], 2);
    assert!(found.is_ok() && asked.len() == 3, "{asked:?}");
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn a_panic_is_a_failure() {
    let (found, asked, _) = recovered(PATIENT, &[&["panics", "b"]], 0);
    assert!(found.is_ok());
    assert_eq!(asked, ["panics", "b"]);
}
