//! Files whose keys agree, and crafted ones whose keys do not.

use ksops_core::keys::key_group::EncryptedDataKey;
use ksops_core::keys::key_service::{KeyService, KeyServiceError};
use ksops_core::keys::master_key::{AgeKey, MasterKey};
use ksops_core::secret::SecretBytes;
use ksops_core::tree::selection::{RuleTexts, Selection};
use ksops_stores::format::Format;

use super::{AllKeys, Verdict, ask_all_keys};
use crate::encrypt::{EncryptRequest, encrypt};
use crate::open::OpenRequest;
use crate::policy::Policy;
use crate::services::Services;

/// Writes a data key as hexadecimal text. Keys that begin with `not` are not at hand, those with `other` yield another part.
struct Open;

impl KeyService for Open {
    fn serves(&self, _: &MasterKey) -> bool {
        true
    }

    fn encrypt(&self, _: &MasterKey, plain: &SecretBytes) -> Result<EncryptedDataKey, KeyServiceError> {
        Ok(EncryptedDataKey(plain.expose().iter().map(|byte| format!("{byte:02x}")).collect()))
    }

    fn decrypt(&self, key: &MasterKey, enc: &EncryptedDataKey) -> Result<SecretBytes, KeyServiceError> {
        let name = key.to_string();
        if name.starts_with("not") {
            return Err(KeyServiceError::new("not at hand"));
        }
        let byte = |at: usize| u8::from_str_radix(&enc.0[at..at + 2], 16).expect("hexadecimal");
        let mut part: Vec<u8> = (0..enc.0.len()).step_by(2).map(byte).collect();
        if name.starts_with("other") {
            part[3] ^= 1;
        }
        Ok(SecretBytes::new(part))
    }
}

fn asked(groups: &[&[&str]], threshold: usize) -> AllKeys {
    let services = Services::new(vec![Box::new(Open)]);
    let key = |name: &&str| MasterKey::Age(AgeKey { recipient: (*name).to_owned() });
    let rules = RuleTexts { encrypted_suffix: "s".to_owned(), ..RuleTexts::default() };
    let request = EncryptRequest {
        input_format: Format::Yaml,
        output_format: Format::Yaml,
        selection: Selection::for_encrypting(&rules).expect("a rule"),
        mac_only_encrypted: false,
        groups: groups.iter().map(|group| group.iter().map(key).collect()).collect(),
        threshold,
        indent: None,
        policy: Policy::Refuse,
        as_string: false,
        allow_unencrypted: false,
        layout: Default::default(),
    };
    let text = encrypt(b"as: x\n", &request, &services).expect("encrypted").text;
    let request = OpenRequest {
        format: Format::Yaml,
        ignore_mac: false,
        policy: Policy::Refuse,
        decryption_order: Default::default(),
    };
    ask_all_keys(&text, &request, &services).expect("readable")
}

/// One letter for each key: Agrees, Differs, Unknown, Not at hand.
fn letters(found: &AllKeys) -> String {
    let letter = |verdict: &Verdict| match verdict {
        Verdict::Agrees => 'A',
        Verdict::Differs => 'D',
        Verdict::Unknown => 'U',
        Verdict::NotAtHand(_) => 'N',
    };
    found.keys.iter().map(|key| letter(&key.verdict)).collect()
}

#[test]
fn keys_of_one_group_that_agree_and_keys_that_do_not() {
    let well = asked(&[&["a", "b", "not-c"]], 0);
    assert_eq!((letters(&well).as_str(), well.agrees(), well.compared()), ("AAN", true, 2));
    let crafted = asked(&[&["other-a", "b", "c"]], 0);
    assert_eq!((letters(&crafted).as_str(), crafted.agrees(), crafted.opens), ("DAA", false, true));
    let lost = asked(&[&["other-a", "other-b"]], 0);
    assert_eq!((letters(&lost).as_str(), lost.agrees(), lost.opens), ("UU", false, false));
    let nobody = asked(&[&["not-a"]], 0);
    assert_eq!((letters(&nobody).as_str(), nobody.agrees()), ("N", false));
}

#[test]
fn shares_of_several_groups_are_held_against_each_other() {
    let well = asked(&[&["a", "b"], &["c"], &["not-d", "e"]], 2);
    assert_eq!((letters(&well).as_str(), well.agrees()), ("AAANA", true));
    // Wherever the odd one stands, also where it would be tried first.
    for (groups, expected) in [
        ([&["a", "b"][..], &["c"], &["other-d"]], "AAAD"),
        ([&["other-a", "b"], &["c"], &["d"]], "DAAA"),
        ([&["a", "other-b"], &["c"], &["d"]], "ADAA"),
        ([&["other-a"], &["c"], &["d"]], "DAA"),
    ] {
        let crafted = asked(&groups, 2);
        assert_eq!((letters(&crafted).as_str(), crafted.agrees()), (expected, false), "{groups:?}");
    }
    let crafted = asked(&[&["other-a", "b"], &["c", "other-d"], &["other-e"]], 2);
    assert_eq!(letters(&crafted), "DAADD");
}

#[test]
fn too_few_shares_are_compared_within_their_group_only() {
    let few = asked(&[&["a", "b", "other-c"], &["not-d"], &["not-e"]], 2);
    assert_eq!((letters(&few).as_str(), few.agrees(), few.opens), ("UUDNN", false, false));
}
