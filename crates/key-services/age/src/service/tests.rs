//! Whole data keys, against files of upstream and against hostile sources.

use std::fs;
use std::path::{Path, PathBuf};

use ksops_core::keys::key_group::EncryptedDataKey;
use ksops_core::keys::key_service::{KeyService, KeyServiceError};
use ksops_core::keys::master_key::{AgeKey, MasterKey, PgpKey};
use ksops_core::secret::SecretBytes;
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::AgeService;
use crate::keygen::generate;
use crate::sources::{ConfigDir, IdentitySources};

fn age_key(recipient: &str) -> MasterKey {
    MasterKey::Age(AgeKey { recipient: recipient.to_owned() })
}

fn with_key(text: &str) -> IdentitySources {
    IdentitySources { key: Some(Zeroizing::new(text.as_bytes().to_vec())), ..IdentitySources::default() }
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../fixtures")
}

/// Encrypts something to a new recipient, and gives the identity's text.
fn encrypted() -> (MasterKey, EncryptedDataKey, Zeroizing<String>) {
    let new = generate(OffsetDateTime::UNIX_EPOCH);
    let key = age_key(&new.recipient.recipient);
    let enc = AgeService::new(IdentitySources::default())
        .encrypt(&key, &SecretBytes::new(vec![7; 33]))
        .expect("encrypts");
    (key, enc, new.text)
}

fn failure(sources: IdentitySources) -> KeyServiceError {
    let (key, enc, _) = encrypted();
    AgeService::new(sources).decrypt(&key, &enc).expect_err("must fail")
}

#[test]
fn what_is_encrypted_decrypts() {
    let (key, enc, text) = encrypted();
    let service = AgeService::new(with_key(text.lines().last().expect("three lines")));
    assert_eq!(service.decrypt(&key, &enc).expect("decrypts"), SecretBytes::new(vec![7; 33]));
}

#[test]
fn the_armour_has_the_form_of_upstream() {
    let (_, enc, _) = encrypted();
    let lines: Vec<&str> = enc.0.split('\n').collect();
    assert_eq!(lines[0], "-----BEGIN AGE ENCRYPTED FILE-----");
    assert_eq!(lines[lines.len() - 2], "-----END AGE ENCRYPTED FILE-----");
    assert_eq!(lines[lines.len() - 1], "");
    let body = &lines[1..lines.len() - 2];
    assert!(body[..body.len() - 1].iter().all(|line| line.len() == 64));
    assert!(!enc.0.contains('\r'));
}

#[test]
fn data_keys_of_every_upstream_version_decrypt() {
    let service = AgeService::new(IdentitySources {
        key_file: Some(fixtures().join("keys/age-keys.txt")),
        ..IdentitySources::default()
    });
    let mut seen = 0;
    for version in fs::read_dir(fixtures().join("upstream")).expect("fixtures") {
        let file = version.expect("entry").path().join("basic.enc.json");
        let Ok(text) = fs::read_to_string(&file) else {
            continue;
        };
        let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        for entry in json["sops"]["age"].as_array().into_iter().flatten() {
            let key = age_key(entry["recipient"].as_str().expect("text"));
            let enc = EncryptedDataKey(entry["enc"].as_str().expect("text").to_owned());
            assert_eq!(service.decrypt(&key, &enc).expect("decrypts").len(), 32, "{file:?}");
            seen += 1;
        }
    }
    assert!(seen >= 3, "only {seen} data keys found");
}

#[test]
fn an_armour_with_windows_line_ends_is_read() {
    let (key, enc, text) = encrypted();
    let enc = EncryptedDataKey(enc.0.replace('\n', "\r\n"));
    let service = AgeService::new(with_key(text.lines().last().expect("three lines")));
    assert!(service.decrypt(&key, &enc).is_ok());
}

#[test]
fn a_changed_age_file_is_refused() {
    let (key, enc, text) = encrypted();
    let service = AgeService::new(with_key(text.lines().last().expect("three lines")));
    let mut broken: Vec<String> = vec![String::new(), "x".to_owned(), enc.0[..100].to_owned()];
    let lines: Vec<&str> = enc.0.lines().collect();
    for line in 1..lines.len() - 1 {
        let mut changed = lines.clone();
        let other = if changed[line].starts_with('A') { "B" } else { "A" };
        let swapped = format!("{other}{}", &changed[line][1..]);
        changed[line] = &swapped;
        broken.push(changed.join("\n") + "\n");
    }
    for text in broken {
        assert!(service.decrypt(&key, &EncryptedDataKey(text)).is_err());
    }
}

#[test]
fn names_every_place_looked_at() {
    let home = tempfile::tempdir().expect("directory");
    let error = failure(IdentitySources {
        home: Some(home.path().to_owned()),
        config_dir: ConfigDir::At(home.path().join(".config")),
        ..IdentitySources::default()
    });
    let at = |rest: &str| home.path().join(rest).display().to_string();
    assert_eq!(
        error.message,
        format!(
            "failed to load age identities. Did not find keys in locations 'SOPS_AGE_SSH_PRIVATE_KEY_FILE', \
             'SOPS_AGE_SSH_PRIVATE_KEY_CMD', '{}', '{}', 'SOPS_AGE_KEY', 'SOPS_AGE_KEY_FILE', 'SOPS_AGE_KEY_CMD', \
             and '{}'.",
            at(".ssh/id_ed25519"),
            at(".ssh/id_rsa"),
            at(".config/sops/age/keys.txt")
        )
    );
}

#[test]
fn a_stranger_s_identity_does_not_match() {
    let other = generate(OffsetDateTime::UNIX_EPOCH);
    let error = failure(with_key(other.text.lines().last().expect("three lines")));
    assert!(
        error.message.starts_with(
            "failed to create reader for decrypting sops data key with age: identity did not match any of the \
             recipients. Did not find keys in locations 'SOPS_AGE_SSH"
        ),
        "{}",
        error.message
    );
}

#[test]
fn errors_of_sources_are_told_without_their_content() {
    let error = failure(IdentitySources {
        key: Some(Zeroizing::new(b"AGE-SECRET-KEY-1MARKER".to_vec())),
        key_file: Some(PathBuf::from("missing-key-file")),
        key_cmd: Some("false marker".to_owned()),
        ssh_private_key_cmd: Some("echo marker".to_owned()),
        ..IdentitySources::default()
    });
    for part in [
        "failed to parse 'SOPS_AGE_KEY' age identities: malformed secret key",
        "failed to open SOPS_AGE_KEY_FILE file: open missing-key-file: no such file or directory",
        "failed to execute command false: ",
        "SOPS_AGE_SSH_PRIVATE_KEY_CMD is set, but this version cannot use ssh keys yet",
    ] {
        assert!(error.message.contains(part), "{part}: {}", error.message);
    }
    assert!(!format!("{error:?}").to_lowercase().contains("marker"));
}

#[test]
fn the_default_file_is_read_beside_a_variable() {
    let (key, enc, text) = encrypted();
    let config = tempfile::tempdir().expect("directory");
    let directory = config.path().join("sops/age");
    fs::create_dir_all(&directory).expect("made");
    fs::write(directory.join("keys.txt"), text.as_bytes()).expect("written");
    let service = AgeService::new(IdentitySources {
        key: Some(Zeroizing::default()),
        config_dir: ConfigDir::At(config.path().to_owned()),
        ..IdentitySources::default()
    });
    assert!(service.decrypt(&key, &enc).is_ok());
    fs::remove_file(directory.join("keys.txt")).expect("removed");
    assert!(service.decrypt(&key, &enc).is_ok(), "read once");
}

#[test]
#[cfg(unix)]
fn a_command_gives_the_identity_for_a_recipient() {
    let (key, enc, text) = encrypted();
    let directory = tempfile::tempdir().expect("directory");
    let file = directory.path().join(key.to_string());
    fs::write(&file, text.as_bytes()).expect("written");
    let service = AgeService::new(IdentitySources {
        key_cmd: Some(format!("sh -c 'cat {}/$SOPS_AGE_RECIPIENT'", directory.path().display())),
        ..IdentitySources::default()
    });
    assert!(service.decrypt(&key, &enc).is_ok());
}

#[test]
fn a_protected_key_file_is_named() {
    let directory = tempfile::tempdir().expect("directory");
    let file = directory.path().join("k");
    fs::write(&file, "age-encryption.org/v1\n-> scrypt").expect("written");
    let error = failure(IdentitySources { key_file: Some(file), ..IdentitySources::default() });
    assert!(error.message.contains("'SOPS_AGE_KEY_FILE' age identities: it is protected by a passphrase"));
}

#[test]
fn kinds_to_come_are_refused_by_name() {
    let service = AgeService::new(IdentitySources::default());
    for (recipient, name) in
        [("age1pq1xyz", "post-quantum"), ("age1yubikey1xyz", "plugin"), ("ssh-rsa A", "ssh")]
    {
        let error =
            service.encrypt(&age_key(recipient), &SecretBytes::new(vec![1; 32])).expect_err("not yet");
        assert!(error.message.contains(name) && error.message.contains("yet"), "{error}");
        assert!(!error.hints.is_empty());
    }
}

#[test]
fn keys_of_other_services_are_not_served() {
    let service = AgeService::new(IdentitySources::default());
    let other = MasterKey::Pgp(PgpKey::default());
    assert!(!service.serves(&other) && service.serves(&age_key("age1")));
    assert!(service.encrypt(&other, &SecretBytes::default()).is_err());
}
