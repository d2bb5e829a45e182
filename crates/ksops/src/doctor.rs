//! Looks at every key of a file or a rule: which credential would be used, whether it works, and why not.
//!
//! Everything is tried for real, because a credential that is there says little: a file's data key is decrypted, and for a
//! rule a made-up one is encrypted and decrypted again. Nothing of them is given out.

use ksops_core::crypto::data_key::DataKey;
use ksops_core::keys::decryption_order::DecryptionOrder;
use ksops_core::keys::diagnosis::{Diagnosis, Finding};
use ksops_core::keys::key_group::{EncryptedDataKey, KeyEntry, KeyGroup};
use ksops_core::keys::key_service::{KeyService, KeyServiceError};
use ksops_core::keys::master_key::MasterKey;
use ksops_core::keys::recover::{RecoverError, recover};
use ksops_core::metadata::wire;
use ksops_core::random::{Random, RandomError};
use ksops_core::secret::SecretBytes;
use ksops_stores::file::{self, MetadataError, ReadError};
use ksops_stores::format::Format;

use crate::services::Services;

/// What was found about one key.
#[derive(Debug)]
pub struct KeyCheckup {
    /// The number of its group, from 0.
    pub group: usize,
    /// The key.
    pub key: MasterKey,
    /// The credentials and steps, in the order of use.
    pub findings: Vec<Finding>,
    /// Whether a data key could be encrypted; always so for the keys of a file, which is not written.
    pub encrypts: Result<(), KeyServiceError>,
    /// Whether the data key could be decrypted.
    pub decrypts: Result<(), KeyServiceError>,
}

/// What was found about all keys.
#[derive(Debug)]
pub struct Checkup {
    /// The keys, by group.
    pub keys: Vec<KeyCheckup>,
    /// How many groups must give their share; 0 if nothing says so.
    pub threshold: usize,
    /// Whether enough keys decrypt; the data key is then whole.
    pub recovers: Result<(), String>,
}

/// Why a file cannot be looked at.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckupError {
    /// The file cannot be read in its format.
    #[error(transparent)]
    Load(#[from] ReadError),
    /// The metadata cannot be read.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
}

impl Checkup {
    /// Whether all keys encrypt, and enough of them decrypt.
    #[must_use]
    pub fn is_well(&self) -> bool {
        self.recovers.is_ok() && self.encrypts()
    }

    /// Whether a data key can be given to all keys.
    #[must_use]
    pub fn encrypts(&self) -> bool {
        self.keys.iter().all(|key| key.encrypts.is_ok())
    }
}

/// Tries every key of an encrypted file, also those that a decryption would not need. `None`: it has no metadata.
///
/// # Errors
/// [`CheckupError`] if the file or its metadata cannot be read.
pub fn check_file(
    input: &[u8],
    format: Format,
    services: &Services,
) -> Result<Option<Checkup>, CheckupError> {
    let block = match file::read_encrypted(input, format, false)?.metadata {
        Err(error) if error.is_missing() => return Ok(None),
        block => block?,
    };
    let metadata = wire::from_branch(&block).map_err(MetadataError::from)?;
    let mut ward = Ward::default();
    for (group, entries) in metadata.key_groups.iter().enumerate() {
        for entry in &entries.entries {
            let (findings, decrypts) = ward.look(&entry.key, Some(&entry.enc), services);
            ward.keys.push(KeyCheckup {
                group,
                key: entry.key.clone(),
                findings,
                encrypts: Ok(()),
                decrypts,
            });
        }
    }
    Ok(Some(ward.finish(&metadata.key_groups, metadata.shamir_threshold)))
}

/// Tries every key of a rule with a data key made for the purpose.
///
/// # Errors
/// [`RandomError`] if there is no randomness.
pub fn check_rule(
    groups: &[Vec<MasterKey>],
    threshold: usize,
    services: &Services,
    random: &dyn Random,
) -> Result<Checkup, RandomError> {
    let mut ward = Ward::default();
    let mut made = Vec::new();
    for (group, keys) in groups.iter().enumerate() {
        let mut entries = Vec::new();
        for key in keys {
            let probe = DataKey::generate(random)?.expose().clone();
            let encrypted = encrypt(key, &probe, services);
            let (findings, decrypts) = match &encrypted {
                Ok((key, enc)) => ward.look(key, Some(enc), services),
                Err(error) => (ward.look(key, None, services).0, Err(error.clone())),
            };
            if let Ok((key, enc)) = &encrypted {
                entries.push(KeyEntry { key: key.clone(), enc: enc.clone(), created_at: None });
            }
            let encrypts = encrypted.map(|_| ());
            ward.keys.push(KeyCheckup { group, key: key.clone(), findings, encrypts, decrypts });
        }
        made.push(KeyGroup { entries });
    }
    // As in writing: without a threshold every group is needed.
    let threshold = if threshold == 0 { groups.len() } else { threshold };
    Ok(ward.judge(&made, threshold))
}

/// Which credentials are set up, without any key. Nobody is asked.
#[must_use]
pub fn survey(services: &Services) -> Vec<Finding> {
    services.as_slice().iter().flat_map(|service| service.survey()).collect()
}

/// Encrypts as a writing command does: the version of the key is settled first.
fn encrypt(
    key: &MasterKey,
    probe: &SecretBytes,
    services: &Services,
) -> Result<(MasterKey, EncryptedDataKey), KeyServiceError> {
    let mut failure = unsupported(key);
    for service in services.as_slice().into_iter().filter(|service| service.serves(key)) {
        let made = service.resolve(key).and_then(|key| service.encrypt(&key, probe).map(|enc| (key, enc)));
        match made {
            Ok(made) => return Ok(made),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

fn unsupported(key: &MasterKey) -> KeyServiceError {
    KeyServiceError::unserved(key.key_type())
}

/// The keys looked at so far, with the parts that they gave.
#[derive(Default)]
struct Ward {
    keys: Vec<KeyCheckup>,
    parts: Vec<(MasterKey, EncryptedDataKey, SecretBytes)>,
}

impl Ward {
    /// Decrypts with the first service that can.
    fn look(
        &mut self,
        key: &MasterKey,
        enc: Option<&EncryptedDataKey>,
        services: &Services,
    ) -> (Vec<Finding>, Result<(), KeyServiceError>) {
        let mut findings = Vec::new();
        let mut failure = unsupported(key);
        for service in services.as_slice().into_iter().filter(|service| service.serves(key)) {
            let diagnosis: Diagnosis = service.diagnose(key, enc);
            findings.extend(diagnosis.findings);
            match diagnosis.result {
                Ok(part) => {
                    if let (Some(part), Some(enc)) = (part, enc) {
                        self.parts.push((key.clone(), enc.clone(), part));
                    }
                    return (findings, Ok(()));
                }
                Err(error) => failure = error,
            }
        }
        (findings, Err(failure))
    }

    /// Puts the parts of a file together, as in decrypting it.
    fn finish(self, groups: &[KeyGroup], threshold: usize) -> Checkup {
        let order = DecryptionOrder::default();
        let recovers = match recover(groups, threshold, &[&self], &order) {
            Ok(_) => Ok(()),
            Err(RecoverError::Groups(report)) => Err(too_few(report.recovered(), threshold, groups.len())),
            Err(error) => Err(error.to_string()),
        };
        Checkup { keys: self.keys, threshold, recovers }
    }

    /// Counts the groups of which a key decrypts: their parts were made one by one and are no shares.
    fn judge(self, groups: &[KeyGroup], threshold: usize) -> Checkup {
        let gives = |group: &&KeyGroup| {
            group
                .entries
                .iter()
                .any(|entry| self.parts.iter().any(|(key, enc, _)| *key == entry.key && *enc == entry.enc))
        };
        let recovered = groups.iter().filter(gives).count();
        let needed = if groups.len() > 1 { threshold } else { 1 };
        let is_enough = recovered > 0 && recovered >= needed;
        let recovers = if is_enough { Ok(()) } else { Err(too_few(recovered, threshold, groups.len())) };
        Checkup { keys: self.keys, threshold, recovers }
    }
}

fn too_few(recovered: usize, threshold: usize, groups: usize) -> String {
    if groups <= 1 {
        return "no key decrypts the data key here".to_owned();
    }
    let needed = if threshold == 0 { groups } else { threshold };
    format!("{needed} of {groups} key groups are needed, and {recovered} can be decrypted here")
}

/// Gives out what was decrypted already, so that nobody is asked twice.
impl KeyService for Ward {
    fn serves(&self, _: &MasterKey) -> bool {
        true
    }

    fn encrypt(&self, key: &MasterKey, _: &SecretBytes) -> Result<EncryptedDataKey, KeyServiceError> {
        Err(unsupported(key))
    }

    fn decrypt(&self, key: &MasterKey, enc: &EncryptedDataKey) -> Result<SecretBytes, KeyServiceError> {
        let part = self.parts.iter().find(|(known, text, _)| known == key && text == enc);
        part.map(|(.., part)| part.clone()).ok_or_else(|| KeyServiceError::new("it was not decrypted"))
    }
}

#[cfg(test)]
mod tests {
    use ksops_core::keys::key_group::EncryptedDataKey;
    use ksops_core::keys::key_service::{KeyService, KeyServiceError};
    use ksops_core::keys::master_key::{AgeKey, MasterKey, PgpKey};
    use ksops_core::secret::SecretBytes;
    use ksops_stores::format::Format;

    use super::{check_file, check_rule};
    use crate::services::Services;
    use crate::system::OsRandom;

    /// Encrypts to any age recipient, and decrypts for those that end in `mine`.
    struct Half;

    impl KeyService for Half {
        fn serves(&self, key: &MasterKey) -> bool {
            matches!(key, MasterKey::Age(_))
        }

        fn encrypt(&self, _: &MasterKey, plain: &SecretBytes) -> Result<EncryptedDataKey, KeyServiceError> {
            Ok(EncryptedDataKey(plain.expose().iter().map(|byte| format!("{byte:02x}")).collect()))
        }

        fn decrypt(&self, key: &MasterKey, enc: &EncryptedDataKey) -> Result<SecretBytes, KeyServiceError> {
            if key.to_string().ends_with("mine") {
                return Ok(SecretBytes::new(enc.0.as_bytes()[..32].to_vec()));
            }
            Err(KeyServiceError::new("not mine"))
        }
    }

    fn services() -> Services {
        Services::new(vec![Box::new(Half)])
    }

    fn age(name: &str) -> MasterKey {
        MasterKey::Age(AgeKey { recipient: name.into() })
    }

    fn rule(groups: &[Vec<MasterKey>], threshold: usize) -> (bool, bool, bool) {
        let found = check_rule(groups, threshold, &services(), &OsRandom::default()).expect("randomness");
        (found.is_well(), found.encrypts(), found.recovers.is_ok())
    }

    #[test]
    fn a_rule_is_well_if_all_keys_encrypt_and_enough_groups_decrypt() {
        let pgp = MasterKey::Pgp(PgpKey { fingerprint: "AB".into() });
        assert_eq!(rule(&[vec![age("mine"), age("yours")]], 0), (true, true, true));
        assert_eq!(rule(&[vec![age("yours")]], 0), (false, true, false));
        assert_eq!(rule(&[vec![age("mine"), pgp]], 0), (false, false, true));
        let groups = [vec![age("mine")], vec![age("yours"), age("b-mine")], vec![age("yours")]];
        assert_eq!(rule(&groups, 2), (true, true, true));
        assert_eq!(rule(&groups, 0), (false, true, false));
        assert_eq!(rule(&[vec![]], 0), (false, true, false));
    }

    #[test]
    fn every_key_of_a_file_is_tried() {
        let file = |first: &str, second: &str| {
            let enc = "a".repeat(64);
            let entry = |name: &str| format!("        - recipient: {name}\n          enc: {enc}\n");
            format!(
                "a: x\nsops:\n    age:\n{}{}    lastmodified: \"2026-01-01T00:00:00Z\"\n    mac: x\n    version: 3.13.3\n",
                entry(first),
                entry(second)
            )
        };
        let found = |text: &str| check_file(text.as_bytes(), Format::Yaml, &services()).expect("readable");
        let well = found(&file("yours", "mine")).expect("encrypted");
        assert!(well.is_well());
        let outcomes: Vec<bool> = well.keys.iter().map(|key| key.decrypts.is_ok()).collect();
        assert_eq!(outcomes, [false, true]);
        let ill = found(&file("yours", "theirs")).expect("encrypted");
        assert_eq!(ill.recovers, Err("no key decrypts the data key here".to_owned()));
        assert!(found("a: x\n").is_none());
    }
}
