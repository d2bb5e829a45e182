//! Keys of `ssh-keygen` and `openssl` in every form, against their public halves.

use std::fs;
use std::path::Path;

use super::{SshKeyFile, read};
use crate::ssh::public_key::SshPublicKey;

fn fixture(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../fixtures/age").join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn public(name: &str) -> SshPublicKey {
    SshPublicKey::parse(std::str::from_utf8(&fixture(name)).expect("text")).expect("a public key")
}

fn refused(text: &[u8]) -> String {
    match read(text) {
        Ok(_) => panic!("read"),
        Err(why) => why,
    }
}

#[test]
fn every_form_gives_the_public_half() {
    for (name, half) in [
        ("id_ed25519", "id_ed25519.pub"),
        ("id_rsa", "id_rsa.pub"),
        ("id_rsa_pem", "id_rsa.pub"),
        ("id_rsa_pkcs8", "id_rsa.pub"),
    ] {
        let Ok(SshKeyFile::Plain(identity)) = read(&fixture(name)) else { panic!("{name}") };
        assert_eq!(identity.public, public(half), "{name}");
    }
    for name in ["id_ed25519_locked", "id_rsa_locked"] {
        let Ok(SshKeyFile::Locked(parts)) = read(&fixture(name)) else { panic!("{name}") };
        assert_eq!(parts.0, public(&format!("{name}.pub")), "{name}");
    }
    assert!(matches!(read(&fixture("id_ed25519_pkcs8")), Ok(SshKeyFile::Plain(_))));
}

#[test]
fn what_cannot_be_used_is_told_without_its_content() {
    assert!(refused(&fixture("id_rsa_pem_locked")).contains("ssh-keygen -p"));
    assert!(refused(&fixture("id_ecdsa")).contains("not a key of ssh-ed25519 or ssh-rsa"));
    assert!(refused(b"AGE-SECRET-KEY-1MARKER").contains("no key found"));
    assert!(refused(&[0xff; 40]).contains("no key found"));
}

#[test]
fn changed_and_cut_keys_are_refused() {
    for name in ["id_ed25519", "id_rsa", "id_rsa_pem", "id_rsa_pkcs8"] {
        let text = String::from_utf8(fixture(name)).expect("text");
        let lines: Vec<&str> = text.lines().collect();
        for line in 1..lines.len() - 1 {
            let mut fewer = lines.clone();
            fewer.remove(line);
            // A key whose comment alone is cut may be read; then it is the same key.
            if let Ok(SshKeyFile::Plain(identity)) = read(fewer.join("\n").as_bytes()) {
                panic!("{name} without line {line} is read as {}", identity.public.text());
            }
        }
    }
}
