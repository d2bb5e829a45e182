//! Whole data keys, against files of upstream and against hostile sources.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ksops_core::keys::key_group::EncryptedDataKey;
use ksops_core::keys::key_service::{KeyService, KeyServiceError};
use ksops_core::keys::master_key::{AgeKey, MasterKey, PgpKey};
use ksops_core::secret::SecretBytes;
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::AgeService;
use crate::bech32;
use crate::keygen::generate;
use crate::prompt::Prompt;
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
        ssh_private_key_file: Some(fixtures().join("age/id_ecdsa")),
        ssh_private_key_cmd: Some("echo marker".to_owned()),
        ..IdentitySources::default()
    });
    for part in [
        "failed to parse 'SOPS_AGE_KEY' age identities: malformed secret key",
        "failed to open SOPS_AGE_KEY_FILE file: open missing-key-file: no such file or directory",
        "failed to execute command false: ",
        "malformed SSH identity in ",
        "malformed SSH identity returned by running SOPS_AGE_SSH_PRIVATE_KEY_CMD: ssh: no key found",
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

/// Answers every question alike, and counts them.
struct Answers {
    answer: Option<&'static str>,
    asked: AtomicUsize,
}

impl Answers {
    fn with(answer: Option<&'static str>) -> Arc<Self> {
        Arc::new(Self { answer, asked: AtomicUsize::new(0) })
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

impl Prompt for Answers {
    fn show(&self, _: &str) {}

    fn secret(&self, _: &str) -> Result<Zeroizing<String>, String> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.answer.map(|answer| Zeroizing::new(answer.to_owned())).ok_or_else(|| "no terminal".to_owned())
    }

    fn public(&self, _: &str) -> Result<String, String> {
        Err("no terminal".to_owned())
    }

    fn choose(&self, _: &str, _: &str, _: Option<&str>) -> Result<bool, String> {
        Err("no terminal".to_owned())
    }
}

/// The recipient of a key in `fixtures/age`, and what Go's age encrypted to it.
fn foreign(key: &str) -> (MasterKey, EncryptedDataKey) {
    let read = |name: String| fs::read_to_string(fixtures().join("age").join(name)).expect("a fixture");
    let recipient = match key.strip_suffix("25519").or(key.strip_suffix("q")) {
        Some(_) if !key.starts_with("id_") => {
            let text = read(format!("{key}.txt"));
            let line = text.lines().find_map(|line| line.strip_prefix("# public key: "));
            line.expect("a recipient").to_owned()
        }
        _ => read(format!("{key}.pub")).trim().to_owned(),
    };
    (age_key(&recipient), EncryptedDataKey(read(format!("to-{key}.age"))))
}

fn data_key() -> SecretBytes {
    SecretBytes::new((0..32).collect())
}

fn ssh_file(name: &str) -> IdentitySources {
    IdentitySources {
        ssh_private_key_file: Some(fixtures().join("age").join(name)),
        ..IdentitySources::default()
    }
}

fn key_file(name: &str) -> IdentitySources {
    IdentitySources { key_file: Some(fixtures().join("age").join(name)), ..IdentitySources::default() }
}

#[test]
fn files_of_go_s_age_open_for_every_kind_and_ours_do_too() {
    for (key, sources, questions) in [
        ("x25519", key_file("x25519.txt"), 0),
        ("pq", key_file("pq.txt"), 0),
        ("x25519", key_file("locked.age"), 1),
        ("x25519", key_file("locked.bin"), 1),
        ("pq", key_file("locked.age"), 1),
        ("id_ed25519", ssh_file("id_ed25519"), 0),
        ("id_rsa", ssh_file("id_rsa"), 0),
        ("id_rsa", ssh_file("id_rsa_pem"), 0),
        ("id_rsa", ssh_file("id_rsa_pkcs8"), 0),
        ("id_ed25519_locked", ssh_file("id_ed25519_locked"), 1),
        ("id_rsa_locked", ssh_file("id_rsa_locked"), 1),
    ] {
        let prompt = Answers::with(Some("secretpw"));
        let service = AgeService::with_prompt(sources, Arc::clone(&prompt) as Arc<dyn Prompt>);
        let (recipient, enc) = foreign(key);
        assert_eq!(service.decrypt(&recipient, &enc), Ok(data_key()), "{key}");
        let own = service.encrypt(&recipient, &data_key()).expect("encrypts");
        assert_eq!(service.decrypt(&recipient, &own), Ok(data_key()), "{key}");
        assert_eq!(prompt.asked(), questions, "{key}: asked once and kept");
        let mut changed = own.0.clone().into_bytes();
        let middle = changed.len() / 2;
        changed[middle] = if changed[middle] == b'A' { b'B' } else { b'A' };
        let changed = EncryptedDataKey(String::from_utf8(changed).expect("text"));
        assert!(service.decrypt(&recipient, &changed).is_err(), "{key}");
    }
}

#[test]
fn nobody_is_asked_if_another_identity_fits_or_the_key_is_a_stranger_s() {
    let prompt = Answers::with(None);
    let mut sources = key_file("x25519.txt");
    sources.ssh_private_key_file = Some(fixtures().join("age/id_ed25519_locked"));
    sources.config_dir = ConfigDir::At(PathBuf::from("nowhere"));
    let service = AgeService::with_prompt(sources, Arc::clone(&prompt) as Arc<dyn Prompt>);
    let (recipient, enc) = foreign("x25519");
    assert!(service.decrypt(&recipient, &enc).is_ok());
    let (recipient, enc) = foreign("id_rsa");
    let error = service.decrypt(&recipient, &enc).expect_err("another key");
    assert!(error.message.contains("identity did not match any of the recipients"), "{error}");
    assert!(error.hints[0].contains("SOPS_AGE_SSH_PRIVATE_KEY_FILE"), "{:?}", error.hints);
    assert_eq!(prompt.asked(), 0);
}

#[test]
fn without_a_terminal_or_with_a_wrong_passphrase_the_error_says_so() {
    for (key, sources, no_terminal, wrong) in [
        (
            "x25519",
            key_file("locked.age"),
            "could not read passphrase: no terminal",
            "incorrect passphrase for",
        ),
        (
            "id_ed25519_locked",
            ssh_file("id_ed25519_locked"),
            "could not read passphrase for",
            "incorrect passphrase",
        ),
    ] {
        let (recipient, enc) = foreign(key);
        for (answer, expected) in [(None, no_terminal), (Some("wrong"), wrong)] {
            let service = AgeService::with_prompt(sources.clone(), Answers::with(answer));
            let error = service.decrypt(&recipient, &enc).expect_err("not open");
            assert!(error.message.contains(expected), "{error}");
        }
    }
}

#[test]
fn an_ssh_key_from_a_command_may_not_be_locked() {
    let path = fixtures().join("age/id_ed25519_locked");
    let sources = IdentitySources {
        ssh_private_key_cmd: Some(format!("cat {}", path.display())),
        ..IdentitySources::default()
    };
    let (recipient, enc) = foreign("id_ed25519_locked");
    let error = AgeService::new(sources).decrypt(&recipient, &enc).expect_err("locked");
    assert!(error.message.contains("SOPS_AGE_SSH_PRIVATE_KEY_CMD is password protected"), "{error}");
}

#[test]
fn a_plugin_that_is_missing_is_named_with_advice() {
    let recipient = age_key(&bech32::encode("age1ksopsnone", &[1; 16]));
    let service =
        AgeService::new(with_key(&bech32::encode("age-plugin-ksopsnone-", &[1; 16]).to_uppercase()));
    let error = service.encrypt(&recipient, &data_key()).expect_err("no such plugin");
    assert!(error.message.contains("ksopsnone plugin: couldn't start plugin"), "{error}");
    assert!(error.hints[0].contains("age-plugin-ksopsnone"), "{:?}", error.hints);
    let (_, enc) = foreign("x25519");
    let error = service.decrypt(&recipient, &enc).expect_err("no such plugin");
    assert!(error.message.contains("age-plugin-ksopsnone was not found in PATH"), "{error}");
}

#[test]
fn keys_of_other_services_are_not_served() {
    let service = AgeService::new(IdentitySources::default());
    let other = MasterKey::Pgp(PgpKey::default());
    assert!(!service.serves(&other) && service.serves(&age_key("age1")));
    assert!(service.encrypt(&other, &SecretBytes::default()).is_err());
}
