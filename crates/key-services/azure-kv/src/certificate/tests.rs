//! Signed assertions, with keys and certificates that `openssl` makes for the test.

use std::fs;
use std::path::Path;
use std::process::Command;

use aws_lc_rs::signature::{KeyPair, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;

use super::{CertificateAssertion, uuid};

/// Runs `openssl` in a directory; false if there is none.
fn openssl(directory: &Path, arguments: &str) -> bool {
    let status = Command::new("openssl").args(arguments.split(' ')).current_dir(directory).output();
    status.is_ok_and(|output| output.status.success())
}

/// Makes `key.pem` and `cert.pem`.
fn make(directory: &Path) -> bool {
    openssl(directory, "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=t -keyout key.pem -out cert.pem")
}

fn join(directory: &Path, files: &[&str]) -> std::path::PathBuf {
    let texts: Vec<String> =
        files.iter().map(|file| fs::read_to_string(directory.join(file)).expect("made")).collect();
    let path = directory.join("joined.pem");
    fs::write(&path, texts.concat()).expect("written");
    path
}

fn part(assertion: &str, index: usize) -> Value {
    let text = assertion.split('.').nth(index).expect("three parts");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).expect("base64url")).expect("JSON")
}

#[test]
fn an_assertion_has_upstream_s_form_and_a_good_signature() {
    let directory = tempfile::tempdir().expect("directory");
    assert!(make(directory.path()), "openssl is needed for this test");
    let other = directory.path().join("other");
    fs::create_dir(&other).expect("made");
    assert!(make(&other), "openssl is needed for this test");
    // The key's certificate is not the first one in the file.
    let path = join(directory.path(), &["key.pem", "other/cert.pem", "cert.pem"]);
    let mut signer = CertificateAssertion::load(&path, "client", true).expect("loads");
    signer.set_audience("https://a/t/oauth2/v2.0/token".to_owned());
    let assertion = signer.sign(1_000).expect("signs");

    let header = part(&assertion, 0);
    assert_eq!((header["alg"].as_str(), header["typ"].as_str()), (Some("PS256"), Some("JWT")));
    let thumbprint = STANDARD.decode(header["x5t#S256"].as_str().expect("text")).expect("padded base64");
    let chain = header["x5c"].as_array().expect("a chain");
    assert_eq!(chain.len(), 2);
    let own = STANDARD.decode(chain[0].as_str().expect("text")).expect("base64");
    assert_eq!(thumbprint, <sha2::Sha256 as sha2::Digest>::digest(own).to_vec());

    let claims = part(&assertion, 1);
    assert_eq!(claims["aud"], "https://a/t/oauth2/v2.0/token");
    assert_eq!((claims["iss"].as_str(), claims["sub"].as_str()), (Some("client"), Some("client")));
    assert_eq!((claims["nbf"].as_i64(), claims["exp"].as_i64()), (Some(1_000), Some(1_600)));

    let (signed, signature) = assertion.rsplit_once('.').expect("three parts");
    let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
    let public = signer.key.public_key().as_ref();
    let verified =
        UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, public).verify(signed.as_bytes(), &signature);
    assert!(verified.is_ok());
}

#[test]
fn files_that_cannot_be_used_are_refused_by_reason() {
    let directory = tempfile::tempdir().expect("directory");
    assert!(make(directory.path()), "openssl is needed for this test");
    assert!(openssl(directory.path(), "rsa -in key.pem -aes256 -passout pass:x -out locked.pem"));
    assert!(openssl(directory.path(), "rsa -in key.pem -aes256 -passout pass:x -out old.pem -traditional"));
    assert!(openssl(
        directory.path(),
        "pkcs12 -export -in cert.pem -inkey key.pem -passout pass: -out p.pfx"
    ));
    let load = |path: &Path| CertificateAssertion::load(path, "c", false).map(|_| ());
    let reason = |path: &Path| load(path).expect_err("refused").to_string();
    let at = |name: &str| directory.path().join(name);
    assert!(reason(&at("missing")).contains("cannot be read"));
    assert!(reason(&at("cert.pem")).contains("no private key"));
    assert!(reason(&at("key.pem")).contains("no certificate that belongs"));
    assert!(reason(&join(directory.path(), &["locked.pem", "cert.pem"])).contains("encrypted"));
    assert!(reason(&join(directory.path(), &["old.pem", "cert.pem"])).contains("encrypted"));
    assert!(reason(&at("p.pfx")).contains("openssl pkcs12"));
    assert!(load(&join(directory.path(), &["cert.pem", "key.pem"])).is_ok());
}

#[test]
fn uuids_are_of_version_four() {
    let id = uuid().expect("random");
    assert_eq!((id.len(), &id[14..15]), (36, "4"));
    assert!("89ab".contains(&id[19..20]));
}
