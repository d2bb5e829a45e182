//! The service against a stand-in for GnuPG.

use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use ksops_core::keys::diagnosis::State;
use ksops_core::keys::key_group::EncryptedDataKey;
use ksops_core::keys::key_service::{KeyService, KeyServiceError};
use ksops_core::keys::master_key::{AgeKey, MasterKey, PgpKey};
use ksops_core::secret::SecretBytes;
use tempfile::TempDir;

use super::{PgpService, last_digits};
use crate::settings::PgpSettings;

/// A stand-in for GnuPG: a script.
struct Double {
    folder: TempDir,
    service: PgpService,
}

impl Double {
    fn new(script: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("gpg");
        let arguments = folder.path().join("arguments");
        let text = format!("#!/bin/sh\nprintf '%s\\n' \"$@\" > {}\n{script}\n", arguments.display());
        // Written by another process: a file that this one holds open for writing while another thread forks cannot be run.
        let mut shell = Command::new("sh")
            .args(["-c".as_ref(), "cat > \"$0\"; chmod 700 \"$0\"".as_ref(), path.as_os_str()])
            .stdin(Stdio::piped())
            .spawn()
            .expect("a shell");
        shell.stdin.take().expect("piped").write_all(text.as_bytes()).expect("written");
        assert!(shell.wait().expect("ends").success());
        let settings = PgpSettings { program: OsString::from(path), ..PgpSettings::default() };
        Self { folder, service: PgpService::new(settings) }
    }

    fn arguments(&self) -> String {
        fs::read_to_string(self.folder.path().join("arguments")).unwrap_or_default()
    }

    fn encrypt(&self, fingerprint: &str) -> Result<String, KeyServiceError> {
        self.service.encrypt(&key(fingerprint), &SecretBytes::new(vec![7; 32])).map(|enc| enc.0)
    }

    fn decrypt(&self) -> Result<Vec<u8>, KeyServiceError> {
        let enc = EncryptedDataKey("armour".to_owned());
        self.service.decrypt(&key(FINGERPRINT), &enc).map(|part| part.expose().to_vec())
    }
}

const FINGERPRINT: &str = "85D77543B3D624B63CEA9E6DBC17301B491B3F21";

fn key(fingerprint: &str) -> MasterKey {
    MasterKey::Pgp(PgpKey { fingerprint: fingerprint.to_owned() })
}

#[test]
fn the_arguments_are_those_of_upstream_and_the_output_is_trimmed() {
    let double = Double::new("cat > /dev/null; printf '\\n-----BEGIN PGP MESSAGE-----\\nx\\n\\n'");
    assert_eq!(double.encrypt(FINGERPRINT).as_deref(), Ok("-----BEGIN PGP MESSAGE-----\nx"));
    assert_eq!(
        double.arguments(),
        format!(
            "--no-default-recipient\n--yes\n--encrypt\n-a\n-r\n{FINGERPRINT}\n--trusted-key\nBC17301B491B3F21\n--no-encrypt-to\n"
        )
    );
    let double = Double::new("cat | tr a-z A-Z");
    assert_eq!(double.decrypt().as_deref(), Ok(b"ARMOUR".as_slice()));
    assert_eq!(double.arguments(), "-d\n");
}

#[test]
fn an_exclamation_mark_stays_and_short_names_are_taken_whole() {
    assert_eq!(last_digits(&format!("{FINGERPRINT}!")), "BC17301B491B3F21!");
    assert_eq!(last_digits("BC17"), "BC17");
    assert_eq!(last_digits("ÄÄÄÄÄÄÄÄÄx"), "ÄÄÄÄÄÄÄÄÄx");
}

#[test]
fn what_gpg_says_is_told_with_a_hint() {
    let double = Double::new("echo 'gpg: X: skipped: No public key' >&2; exit 2");
    let error = double.encrypt(FINGERPRINT).expect_err("refused");
    assert_eq!(error.message, "failed to encrypt sops data key with pgp: gpg: X: skipped: No public key");
    assert!(error.hints[0].contains("gpg --import"), "{error:?}");
    let error = Double::new("exit 2").decrypt().expect_err("silent");
    assert!(error.message.ends_with("exit status: 2"), "{error:?}");
}

#[test]
fn nothing_and_nonsense_are_no_answers() {
    let error = Double::new("cat > /dev/null").decrypt().expect_err("nothing");
    assert!(error.message.contains("zero bytes returned") && error.hints[0].contains("2.3"), "{error:?}");
    let error = Double::new("cat > /dev/null; echo hello").encrypt(FINGERPRINT).expect_err("no armour");
    assert!(error.message.contains("no armoured message"), "{error:?}");
}

#[test]
fn a_name_from_a_file_never_becomes_an_option() {
    let double = Double::new("echo started >&2; exit 1");
    for name in ["", "--version", "-z", "A\nB"] {
        let error = double.encrypt(name).expect_err("refused");
        assert!(error.message.contains("is no PGP fingerprint"), "{error:?}");
    }
    assert_eq!(double.arguments(), "");
    let age = MasterKey::Age(AgeKey { recipient: "age1x".to_owned() });
    assert!(!double.service.serves(&age));
    assert!(double.service.encrypt(&age, &SecretBytes::new(vec![1])).is_err());
}

#[test]
fn a_missing_program_is_named_with_advice() {
    let program = PathBuf::from("/nowhere/gpg");
    let service = PgpService::new(PgpSettings { program: program.into(), ..PgpSettings::default() });
    let error = service.decrypt(&key(FINGERPRINT), &EncryptedDataKey("x".into())).expect_err("none");
    assert!(error.message.ends_with("/nowhere/gpg was not found"), "{error:?}");
    assert!(error.hints[0].contains("SOPS_GPG_EXEC"), "{error:?}");
    let found = service.survey();
    assert_eq!((found.len(), found[0].state), (1, State::Absent));
}

#[test]
fn a_survey_and_a_diagnosis_tell_what_is_there() {
    let double = Double::new(
        "case \"$*\" in\n--version) echo 'gpg (GnuPG) 9.9';;\n*--list-keys*) echo 'pub:e:255:';;\n\
         *--list-secret-keys*) exit 2;;\n*) cat;;\nesac",
    );
    let found = double.service.survey();
    assert_eq!((found[0].state, found[0].reason.as_str()), (State::Good, "gpg (GnuPG) 9.9"));
    let diagnosis = double.service.diagnose(&key(FINGERPRINT), Some(&EncryptedDataKey("x".into())));
    let states: Vec<(State, &str)> =
        diagnosis.findings[2..].iter().map(|found| (found.state, found.reason.as_str())).collect();
    assert_eq!(states, [(State::Failed, "expired"), (State::Absent, "not in this key ring")]);
    assert!(diagnosis.result.expect("decrypts").is_some());
}

#[cfg(feature = "native")]
#[test]
fn without_gnupg_exported_keys_decrypt() {
    let fixture = |name: &str| {
        let path = format!("{}/../../../fixtures/pgp/{name}", env!("CARGO_MANIFEST_DIR"));
        fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
    };
    let folder = tempfile::tempdir().expect("a folder");
    let settings = PgpSettings {
        program: "/nowhere/gpg".into(),
        exports: Some(folder.path().to_owned()),
        ..PgpSettings::default()
    };
    let service = PgpService::new(settings);
    let enc = EncryptedDataKey(String::from_utf8(fixture("to-cv25519.asc")).expect("armour"));
    let error = service.decrypt(&key(FINGERPRINT), &enc).expect_err("no keys");
    assert!(error.hints[1].contains("secring.gpg"), "{error:?}");
    fs::write(folder.path().join("pubring.gpg"), fixture("cv25519.key.asc")).expect("written");
    let plain = service.decrypt(&key(FINGERPRINT), &enc).expect("decrypts");
    assert_eq!(plain.expose(), (0..32).collect::<Vec<u8>>());
    fs::write(folder.path().join("secring.gpg"), fixture("rsa.key.gpg")).expect("written");
    let error = service.decrypt(&key(FINGERPRINT), &enc).expect_err("another key");
    assert!(error.message.contains("does not hold its key"), "{error:?}");
}
