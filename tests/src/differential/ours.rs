//! ksops, called in process through its crates.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use ksops::decrypt::{self, DecryptError, DecryptRequest};
use ksops::encrypt::{EncryptError, EncryptRequest, encrypt_with};
use ksops::layout::Layout;
use ksops::policy::Policy;
use ksops::services::Services;
use ksops_core::clock::FixedClock;
use ksops_core::document::decrypt::DecryptError as TreeError;
use ksops_core::keys::decryption_order::DecryptionOrder;
use ksops_core::keys::key_group::EncryptedDataKey;
use ksops_core::keys::key_service::{KeyService, KeyServiceError};
use ksops_core::keys::master_key::{AgeKey, MasterKey};
use ksops_core::random::Random;
use ksops_core::secret::SecretBytes;
use ksops_core::tree::selection::Selection;
use ksops_stores::file::{self, Layout as Form, ReadError};
use ksops_stores::format::Format;
use ksops_stores::yaml::emit::{EmitError, YamlWriter};
use ksops_stores::yaml::load::load;
use time::OffsetDateTime;

use super::case::Case;
use super::dice::Stream;
use super::nodes;
use super::outcome::Outcome;

/// The class of a text that can be read but not encrypted.
pub const UNENCRYPTABLE: &str = "23";

/// The class of an output that ksops itself found wrong.
pub const UNVERIFIED: &str = "verify";

type Step<T> = Result<T, Outcome>;

/// Parses `text` and writes its nodes down.
#[must_use]
pub fn nodes(text: &[u8]) -> Outcome {
    guarded(|| Ok(nodes::nodes(text)))
}

/// Loads `text` and prints it.
#[must_use]
pub fn emit(text: &[u8], indent: i64) -> Outcome {
    guarded(|| {
        let branches = load(text).map_err(|error| unread(2, &error.into()))?;
        let refused = |error: EmitError| Outcome::refused(4, error);
        let mut writer = YamlWriter::new(indent).map_err(refused)?;
        for branch in &branches {
            writer.branch(branch).map_err(refused)?;
        }
        Ok(Outcome::done(writer.finish().as_bytes().to_vec()))
    })
}

/// Loads `text` and prints it in the same format, which is not YAML.
#[must_use]
pub fn emit_format(text: &[u8], indent: i64, format: Format) -> Outcome {
    guarded(|| {
        let plain =
            file::read_plain(Cow::Borrowed(text), format, false).map_err(|error| unread(2, &error))?;
        let layout = Form { indent: self::indent(indent), like: None };
        let written = file::write_plain(plain.branches, format, layout);
        Ok(Outcome::done(written.map_err(|error| Outcome::refused(4, error))?.to_vec()))
    })
}

fn indent(setting: i64) -> Option<i64> {
    (setting >= 0).then_some(setting)
}

/// Encrypts the text of `case`, with data key and nonces from its stream. The message of a success is its warnings.
#[must_use]
pub fn encrypt(case: &Case) -> Outcome {
    encrypt_laid_out(case, Layout::Upstream)
}

/// As [`encrypt`], in another layout.
#[must_use]
pub fn encrypt_laid_out(case: &Case, layout: Layout) -> Outcome {
    guarded(|| {
        let usage = |error: &dyn ToString| Outcome::refused("usage", error.to_string());
        let selection =
            Selection::for_encrypting(&case.rule.texts()).map_err(|error| Outcome::refused(1, error))?;
        let now = OffsetDateTime::from_unix_timestamp(case.last_modified).map_err(|error| usage(&error))?;
        let request = EncryptRequest {
            input_format: case.formats.plain,
            output_format: case.formats.encrypted,
            selection,
            mac_only_encrypted: case.mac_only_encrypted,
            groups: vec![vec![MasterKey::Age(AgeKey { recipient: "age1differential".to_owned() })]],
            threshold: 0,
            indent: indent(case.indent),
            policy: Policy::Warn,
            as_string: false,
            allow_unencrypted: true,
            layout,
        };
        let random = Stream::new(case.stream);
        let encrypted = encrypt_with(&case.text, &request, &services(case), &random, &FixedClock(now));
        let encrypted = encrypted.map_err(|error| match &error {
            EncryptError::Load(error) => unread(2, error),
            EncryptError::NoDocument => Outcome::refused(92, error),
            EncryptError::AlreadyEncrypted => Outcome::refused(203, error),
            EncryptError::Tree(_) => Outcome::refused(23, error),
            EncryptError::ReservedKey(_) | EncryptError::Emit(_) => Outcome::refused(4, error),
            EncryptError::Verify(_) | EncryptError::Unfit { .. } => Outcome::refused(UNVERIFIED, error),
            _ => Outcome::refused(1, error),
        })?;
        Ok(Outcome { message: encrypted.warnings.join("\n"), ..Outcome::done(encrypted.text) })
    })
}

/// Decrypts `text` with the data key of `case`. The message of a success is its warnings.
#[must_use]
pub fn decrypt(case: &Case, text: &[u8]) -> Outcome {
    decrypt_laid_out(case, text, Layout::Upstream)
}

/// As [`decrypt()`], in another layout; where it is kept, numbers that are not encrypted keep their text.
#[must_use]
pub fn decrypt_laid_out(case: &Case, text: &[u8], layout: Layout) -> Outcome {
    guarded(|| {
        let request = DecryptRequest {
            input_format: case.formats.encrypted,
            output_format: case.formats.decrypted,
            ignore_mac: false,
            extract: None,
            indent: indent(case.indent),
            policy: if layout.is_kept() { Policy::Refuse } else { Policy::Warn },
            decryption_order: DecryptionOrder::default(),
            layout,
        };
        let decrypted = decrypt::decrypt(text, &request, &services(case)).map_err(|error| match &error {
            DecryptError::Load(error) => unread(1, error),
            DecryptError::Recover(_) => Outcome::refused(128, error),
            DecryptError::Tree(TreeError::Value { .. }) => Outcome::refused(25, error),
            DecryptError::Tree(TreeError::Mac(_)) => Outcome::refused(51, error),
            DecryptError::Emit(_) => Outcome::refused(4, error),
            _ => Outcome::refused(1, error),
        })?;
        Ok(Outcome { message: decrypted.warnings.join("\n"), ..Outcome::done(decrypted.text.to_vec()) })
    })
}

/// A text that cannot be read, or holds what cannot be encrypted: upstream finds that out while encrypting.
fn unread(class: u8, error: &ReadError) -> Outcome {
    match error.is_unencryptable() {
        true => Outcome::refused(UNENCRYPTABLE, error),
        false => Outcome::refused(class, error),
    }
}

/// The key services for the data key of `case`.
pub fn services(case: &Case) -> Services {
    Services::new(vec![Box::new(Handed { seed: case.stream })])
}

/// A key service that knows the data key and writes what `tests/oracle/sops/sops.go` writes.
struct Handed {
    seed: u64,
}

impl KeyService for Handed {
    fn serves(&self, _: &MasterKey) -> bool {
        true
    }

    fn encrypt(&self, _: &MasterKey, _: &SecretBytes) -> Result<EncryptedDataKey, KeyServiceError> {
        let enc = "-----BEGIN AGE ENCRYPTED FILE-----\nnone\n-----END AGE ENCRYPTED FILE-----\n";
        Ok(EncryptedDataKey(enc.to_owned()))
    }

    fn decrypt(&self, _: &MasterKey, _: &EncryptedDataKey) -> Result<SecretBytes, KeyServiceError> {
        let mut bytes = vec![0; 32];
        Stream::new(self.seed).fill(&mut bytes).map_err(|error| KeyServiceError::new(error.to_string()))?;
        Ok(SecretBytes::new(bytes))
    }
}

/// A panic is an outcome, too: one that agrees with nothing.
fn guarded(work: impl FnOnce() -> Step<Outcome>) -> Outcome {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result.unwrap_or_else(|refusal| refusal),
        Err(problem) => {
            let words = problem.downcast_ref::<String>().cloned();
            let words = words.or_else(|| problem.downcast_ref::<&str>().map(ToString::to_string));
            Outcome::refused("panic", words.unwrap_or_default())
        }
    }
}
