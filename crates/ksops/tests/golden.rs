//! Golden files: with the recorded data key, nonces, time and encrypted data keys, every YAML file of sops 3.13.2 is
//! made again byte for byte (but for the version that it names).

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::{fs, io};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ksops::encrypt::{EncryptRequest, FORMAT_VERSION, encrypt_with};
use ksops::policy::Policy;
use ksops::services::Services;
use ksops_age::service::AgeService;
use ksops_age::sources::IdentitySources;
use ksops_core::clock::FixedClock;
use ksops_core::keys::decryption_order::DecryptionOrder;
use ksops_core::keys::key_group::EncryptedDataKey;
use ksops_core::keys::key_service::{KeyService, KeyServiceError};
use ksops_core::keys::master_key::MasterKey;
use ksops_core::keys::recover::recover;
use ksops_core::metadata::model::Metadata;
use ksops_core::metadata::wire;
use ksops_core::random::{Random, RandomError};
use ksops_core::secret::SecretBytes;
use ksops_core::tree::selection::Selection;
use ksops_stores::format::Format;
use ksops_stores::yaml::load::load;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures")
}

/// Gives the bytes that were recorded, then zeros.
struct Replay(Mutex<Vec<u8>>);

impl Random for Replay {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), RandomError> {
        let mut recorded = self.0.lock().map_err(|_| RandomError)?;
        let count = recorded.len().min(buffer.len());
        buffer.fill(0);
        buffer[..count].copy_from_slice(&recorded[..count]);
        recorded.drain(..count);
        Ok(())
    }
}

/// Answers with the encrypted data keys that stand in the file, each for its key; keys are asked side by side.
struct Recorded(Mutex<Vec<(MasterKey, EncryptedDataKey)>>);

impl KeyService for Recorded {
    fn serves(&self, _: &MasterKey) -> bool {
        true
    }

    fn encrypt(&self, key: &MasterKey, _: &SecretBytes) -> Result<EncryptedDataKey, KeyServiceError> {
        let mut left = self.0.lock().map_err(|_| KeyServiceError::new("poisoned"))?;
        let place = left.iter().position(|(known, _)| known == key);
        Ok(left.remove(place.ok_or_else(|| KeyServiceError::new("not recorded"))?).1)
    }

    fn decrypt(&self, _: &MasterKey, _: &EncryptedDataKey) -> Result<SecretBytes, KeyServiceError> {
        Err(KeyServiceError::new("not recorded"))
    }
}

fn age() -> AgeService {
    let file = fixtures().join("keys/age-keys.txt");
    AgeService::new(IdentitySources::from_lookup(|name| {
        (name == "SOPS_AGE_KEY_FILE").then(|| file.clone().into())
    }))
}

/// The nonces of a text in the order in which they were drawn: a comment behind a value comes before it.
fn nonces(text: &str) -> Vec<u8> {
    let of_line = |line: &str| {
        let envelopes = line.split("ENC[AES256_GCM,data:").skip(1);
        let mut found: Vec<Vec<u8>> = envelopes
            .filter_map(|envelope| envelope.split_once(",iv:")?.1.split_once(",tag:"))
            .map(|(iv, _)| STANDARD.decode(iv).unwrap_or_default())
            .collect();
        found.reverse();
        found.concat()
    };
    text.lines().flat_map(of_line).collect()
}

/// Makes an encrypted file again from its input.
fn again(encrypted: &str, input: &[u8]) -> Result<String, String> {
    let mut branches = load(encrypted.as_bytes()).map_err(|error| error.to_string())?;
    let metadata: Metadata = wire::take_all(&mut branches).map_err(|error| error.to_string())?;
    let age = age();
    let data_key =
        recover(&metadata.key_groups, metadata.shamir_threshold, &[&age], &DecryptionOrder::default())
            .map_err(|error| error.to_string())?;
    let entries = || metadata.key_groups.iter().flat_map(|group| &group.entries);
    let recorded =
        Recorded(Mutex::new(entries().map(|entry| (entry.key.clone(), entry.enc.clone())).collect()));
    // The blocks of later documents hold the MAC's nonce again; only the first counts, and it is drawn last.
    let (body, blocks): (Vec<&str>, Vec<&str>) = encrypted
        .split("\n---\n")
        .map(|document| document.rsplit_once("\nsops:").unwrap_or(("", document)))
        .unzip();
    let mut random = data_key.expose().expose().to_vec();
    random.extend(nonces(&body.join("\n")));
    random.extend(nonces(blocks[0]));
    let request = EncryptRequest {
        input_format: Format::Yaml,
        output_format: Format::Yaml,
        selection: Selection::for_encrypting(&metadata.rules).map_err(|error| error.to_string())?,
        mac_only_encrypted: metadata.mac_only_encrypted,
        groups: vec![entries().map(|entry| entry.key.clone()).collect()],
        threshold: metadata.shamir_threshold,
        indent: None,
        policy: Policy::Warn,
        as_string: false,
        allow_unencrypted: true,
        layout: Default::default(),
    };
    let services = Services::new(vec![Box::new(recorded)]);
    let clock = FixedClock(metadata.last_modified);
    let output = encrypt_with(input, &request, &services, &Replay(Mutex::new(random)), &clock)
        .map_err(|error| error.to_string())?;
    let text = String::from_utf8(output.text).map_err(|error| error.to_string())?;
    let own = format!("\n    version: {FORMAT_VERSION}\n");
    Ok(text.replace(&own, &format!("\n    version: {}\n", metadata.version)))
}

#[test]
fn files_of_sops_are_made_again_byte_for_byte() -> io::Result<()> {
    let folder = fixtures().join("upstream/3.13.2");
    let mut made = 0;
    let mut failures = Vec::new();
    for entry in fs::read_dir(&folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        // With several groups each share depends on random polynomials that nobody recorded; the time at which a PGP
        // key was added is not the time of the encryption.
        let Some(case) = name.strip_suffix(".enc.yaml") else { continue };
        if case.starts_with("shamir") || case.starts_with("age-and-pgp") {
            continue;
        }
        let encrypted = fs::read_to_string(&path)?;
        let input = fs::read(folder.join(format!("{case}.in.yaml")))?;
        made += 1;
        match again(&encrypted, &input) {
            Ok(text) if text == encrypted => {}
            Ok(text) => failures.push(format!("{case}:\n{text}\ninstead of\n{encrypted}")),
            Err(error) => failures.push(format!("{case}: {error}")),
        }
    }
    assert!(failures.is_empty(), "{} of {made} differ:\n{}", failures.len(), failures.join("\n"));
    assert!(made >= 10, "only {made} files");
    Ok(())
}
