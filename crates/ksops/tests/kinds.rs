//! Keys of kinds that a build lacks, or that nobody knows, survive every rewrite.

mod support {
    pub(crate) mod open_service;
}

use ksops::encrypt::{EncryptError, EncryptRequest, encrypt};
use ksops::open::{OpenRequest, open};
use ksops::policy::Policy;
use ksops::regroup::read;
use ksops::save::{Keys, SaveRequest, save};
use ksops::services::Services;
use ksops_core::keys::distribute::new_group;
use ksops_core::keys::key_group::{EncryptedDataKey, KeyGroup};
use ksops_core::keys::key_service::{KeyService, KeyServiceError};
use ksops_core::keys::master_key::{AgeKey, GcpKmsKey, KeyType, MasterKey};
use ksops_core::metadata::model::Metadata;
use ksops_core::secret::SecretBytes;
use ksops_core::tree::selection::{RuleTexts, Selection};
use ksops_stores::format::Format;
use support::open_service::services as every_kind;
use time::OffsetDateTime;

/// A build with age alone, which writes another text than the build that made the file.
struct AgeOnly;

impl KeyService for AgeOnly {
    fn serves(&self, key: &MasterKey) -> bool {
        key.key_type() == KeyType::Age
    }

    fn encrypt(&self, _: &MasterKey, plain: &SecretBytes) -> Result<EncryptedDataKey, KeyServiceError> {
        Ok(EncryptedDataKey(plain.expose().iter().map(|byte| format!("{byte:02X}")).collect()))
    }

    fn decrypt(&self, _: &MasterKey, enc: &EncryptedDataKey) -> Result<SecretBytes, KeyServiceError> {
        let byte = |at: usize| u8::from_str_radix(&enc.0[at..at + 2], 16).expect("hexadecimal");
        Ok(SecretBytes::new((0..enc.0.len()).step_by(2).map(byte).collect()))
    }
}

fn age_only() -> Services {
    Services::new(vec![Box::new(AgeOnly)])
}

fn age(name: &str) -> MasterKey {
    MasterKey::Age(AgeKey { recipient: name.into() })
}

fn gcp() -> MasterKey {
    MasterKey::GcpKms(GcpKmsKey { resource_id: "projects/p".into() })
}

fn file(groups: Vec<Vec<MasterKey>>, format: Format) -> Vec<u8> {
    let rules = RuleTexts { encrypted_suffix: "s".to_owned(), ..RuleTexts::default() };
    let request = EncryptRequest {
        input_format: Format::Yaml,
        output_format: format,
        selection: Selection::for_encrypting(&rules).expect("a rule"),
        mac_only_encrypted: false,
        groups,
        threshold: 0,
        indent: None,
        policy: Policy::Refuse,
        as_string: false,
        allow_unencrypted: false,
        layout: Default::default(),
    };
    encrypt(b"as: x\nb: y\n", &request, &every_kind()).expect("encrypted").text
}

fn metadata(text: &[u8], format: Format) -> Metadata {
    read(text, format).expect("readable").metadata
}

/// Opens the file and writes it again with other keys.
fn saved(text: &[u8], keys: Keys, format: Format) -> Result<Vec<u8>, EncryptError> {
    let request = OpenRequest {
        format,
        ignore_mac: false,
        policy: Policy::Refuse,
        decryption_order: Default::default(),
    };
    let opened = open(text, &request, &age_only()).expect("age is there");
    let request = SaveRequest {
        output_format: format,
        indent: None,
        policy: Policy::Refuse,
        as_string: false,
        allow_unencrypted: false,
        layout: Default::default(),
    };
    save(&opened, text, keys, &request, &age_only()).map(|saved| saved.text)
}

/// As `updatekeys` does it.
fn regrouped(text: &[u8], groups: &[KeyGroup], threshold: usize) -> Result<Vec<u8>, EncryptError> {
    let closed = read(text, Format::Yaml).expect("readable");
    let key = closed.data_key(&age_only(), &Default::default()).expect("age is there");
    closed.regroup(&key, groups, threshold, text, (None, Default::default()), &age_only())
}

fn group(keys: &[MasterKey]) -> KeyGroup {
    new_group(keys.iter().cloned(), OffsetDateTime::UNIX_EPOCH)
}

#[test]
fn a_key_that_this_build_cannot_use_stays_as_it_is_when_the_data_key_stays() {
    let text = file(vec![vec![age("a"), gcp()]], Format::Yaml);
    let before = metadata(&text, Format::Yaml).key_groups[0].entries.clone();
    let held = before.iter().find(|entry| entry.key == gcp()).expect("there");
    let after = regrouped(&text, &[group(&[age("b"), gcp(), age("a")])], 0).expect("written");
    let entries = metadata(&after, Format::Yaml).key_groups[0].entries.clone();
    assert_eq!(entries.len(), 3);
    assert!(entries.contains(held), "{entries:?}");
    // The others were encrypted anew.
    assert!(entries.iter().all(|entry| entry == held || !before.contains(entry)));
    let only = regrouped(&text, &[group(&[gcp()])], 0).expect("written");
    let only = metadata(&only, Format::Yaml).key_groups[0].entries.clone();
    assert!(only.len() == 1 && only[0] == *held, "{only:?}");
}

#[test]
fn it_stops_what_would_need_it_with_a_message() {
    let text = file(vec![vec![age("a"), gcp()]], Format::Yaml);
    let groups = metadata(&text, Format::Yaml).key_groups;
    let error = saved(&text, Keys::Rotate(groups.clone(), 0), Format::Yaml).expect_err("a new data key");
    assert!(
        error
            .to_string()
            .contains(r#"with master key "projects/p": no key service handles keys of type gcp_kms"#)
    );
    assert!(
        error.hints()[0].contains("this build has no service for keys of type gcp_kms"),
        "{:?}",
        error.hints()
    );
    let shares = regrouped(&text, &[groups[0].clone(), group(&[age("b")])], 2).expect_err("shares");
    assert!(shares.to_string().contains("no key service handles keys of type gcp_kms"));
    let new = regrouped(&file(vec![vec![age("a")]], Format::Yaml), &groups, 0).expect_err("a new recipient");
    assert!(new.to_string().contains("no key service handles keys of type gcp_kms"));
    assert!(saved(&text, Keys::Keep, Format::Yaml).is_ok());
}

/// The file with keys of a kind that nobody knows, as a later version would write it.
fn with_unknown(text: &[u8], format: Format) -> Vec<u8> {
    let text = str::from_utf8(text).expect("text");
    let (from, to) = match format {
        Format::Yaml => (
            "    lastmodified:",
            "    oci_kms:\n        - enc: abc\n          ocid: ocid1.key\n    lastmodified:",
        ),
        Format::Dotenv => (
            "sops_lastmodified=",
            "sops_oci_kms__list_0__map_enc=abc\nsops_oci_kms__list_0__map_ocid=ocid1.key\nsops_lastmodified=",
        ),
        _ => (
            "\"lastmodified\":",
            "\"oci_kms\": [{\"enc\": \"abc\", \"ocid\": \"ocid1.key\"}], \"lastmodified\":",
        ),
    };
    assert!(text.contains(from), "{text}");
    text.replacen(from, to, 1).into_bytes()
}

#[test]
fn an_unknown_kind_survives_in_every_format_unless_the_data_key_changes() {
    for format in [Format::Yaml, Format::Json, Format::Dotenv] {
        let text = with_unknown(&file(vec![vec![age("a")]], format), format);
        let before = metadata(&text, format);
        assert_eq!(before.unknown.len(), 1, "{format}");
        let kept = saved(&text, Keys::Keep, format).expect("written");
        assert_eq!(metadata(&kept, format).unknown, before.unknown, "{format}");
        let more =
            saved(&text, Keys::Regroup(vec![group(&[age("a"), age("b")])], 0), format).expect("written");
        assert_eq!(metadata(&more, format).unknown, before.unknown, "{format}");
        let error = saved(&text, Keys::Rotate(before.key_groups, 0), format).expect_err("a new data key");
        assert!(error.to_string().contains("kinds that this version does not know (oci_kms)"), "{error}");
        assert!(error.hints()[0].contains("a newer ksops or sops"), "{:?}", error.hints());
    }
    let text = with_unknown(&file(vec![vec![age("a")]], Format::Yaml), Format::Yaml);
    let after = regrouped(&text, &[group(&[age("c")])], 0).expect("written");
    assert!(
        str::from_utf8(&after)
            .expect("text")
            .contains("    oci_kms:\n        - enc: abc\n          ocid: ocid1.key\n")
    );
}

#[test]
fn a_recovery_that_fails_names_the_unknown_kinds() {
    let text = with_unknown(&file(vec![vec![gcp()]], Format::Yaml), Format::Yaml);
    let closed = read(&text, Format::Yaml).expect("readable");
    let error = closed.data_key(&age_only(), &Default::default()).err().expect("no data key");
    let hints = error.hints();
    assert!(
        hints[0].contains("keys of type gcp_kms") && hints[1].contains("does not know: oci_kms"),
        "{hints:?}"
    );
}
