//! A key service that is asked once for each encrypted data key.
//!
//! Files that were made together, or from each other, have the same; and many threads may ask at the same time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use ksops_core::keys::diagnosis::{Diagnosis, Finding};
use ksops_core::keys::key_group::EncryptedDataKey;
use ksops_core::keys::key_service::{KeyService, KeyServiceError};
use ksops_core::keys::master_key::MasterKey;
use ksops_core::secret::SecretBytes;

/// What is asked: a key by its text, and what it encrypted.
type Question = (String, EncryptedDataKey);

/// Held while the question is asked, so that others wait for the answer. A failure is not kept.
type Answer = Arc<Mutex<Option<SecretBytes>>>;

/// Keeps what was decrypted, for the life of the process.
pub(crate) struct Remembered {
    service: Box<dyn KeyService>,
    answers: Mutex<HashMap<Question, Answer>>,
}

impl Remembered {
    pub(crate) fn new(service: Box<dyn KeyService>) -> Self {
        Self { service, answers: Mutex::default() }
    }
}

impl KeyService for Remembered {
    fn serves(&self, key: &MasterKey) -> bool {
        self.service.serves(key)
    }

    fn resolve(&self, key: &MasterKey) -> Result<MasterKey, KeyServiceError> {
        self.service.resolve(key)
    }

    fn encrypt(&self, key: &MasterKey, data_key: &SecretBytes) -> Result<EncryptedDataKey, KeyServiceError> {
        self.service.encrypt(key, data_key)
    }

    fn decrypt(&self, key: &MasterKey, enc: &EncryptedDataKey) -> Result<SecretBytes, KeyServiceError> {
        let answer = {
            let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(answers.entry((key.to_string(), enc.clone())).or_default())
        };
        let mut answer = answer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = &*answer {
            return Ok(known.clone());
        }
        let plain = self.service.decrypt(key, enc)?;
        *answer = Some(plain.clone());
        Ok(plain)
    }

    fn may_ask(&self, key: &MasterKey) -> bool {
        self.service.may_ask(key)
    }

    fn diagnose(&self, key: &MasterKey, enc: Option<&EncryptedDataKey>) -> Diagnosis {
        self.service.diagnose(key, enc)
    }

    fn take_notices(&self) -> Vec<String> {
        self.service.take_notices()
    }

    fn survey(&self) -> Vec<Finding> {
        self.service.survey()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;
    use std::time::Duration;

    use ksops_core::keys::key_group::EncryptedDataKey;
    use ksops_core::keys::key_service::{KeyService, KeyServiceError};
    use ksops_core::keys::master_key::{AgeKey, MasterKey};
    use ksops_core::secret::SecretBytes;

    use super::Remembered;

    /// Counts; fails the first time for `bad`.
    struct Slow(Arc<AtomicUsize>);

    impl KeyService for Slow {
        fn serves(&self, _: &MasterKey) -> bool {
            true
        }

        fn encrypt(&self, _: &MasterKey, _: &SecretBytes) -> Result<EncryptedDataKey, KeyServiceError> {
            Err(KeyServiceError::new("not here"))
        }

        fn decrypt(&self, _: &MasterKey, enc: &EncryptedDataKey) -> Result<SecretBytes, KeyServiceError> {
            thread::sleep(Duration::from_millis(20));
            match self.0.fetch_add(1, Ordering::SeqCst) {
                0 if enc.0 == "bad" => Err(KeyServiceError::new("busy")),
                _ => Ok(SecretBytes::new(enc.0.clone().into_bytes())),
            }
        }
    }

    fn key(recipient: &str) -> MasterKey {
        MasterKey::Age(AgeKey { recipient: recipient.to_owned() })
    }

    #[test]
    fn many_threads_cause_one_question() {
        let count = Arc::new(AtomicUsize::new(0));
        let service = Remembered::new(Box::new(Slow(Arc::clone(&count))));
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let plain = service.decrypt(&key("a"), &EncryptedDataKey("x".into())).expect("decrypted");
                    assert_eq!(plain.expose(), b"x");
                });
            }
        });
        assert_eq!(count.load(Ordering::SeqCst), 1);
        service.decrypt(&key("b"), &EncryptedDataKey("x".into())).expect("decrypted");
        service.decrypt(&key("a"), &EncryptedDataKey("y".into())).expect("decrypted");
        assert_eq!(count.load(Ordering::SeqCst), 3);
    }

    #[test]
    fn a_failure_is_asked_again() {
        let service = Remembered::new(Box::new(Slow(Arc::default())));
        let ask = || service.decrypt(&key("a"), &EncryptedDataKey("bad".into()));
        assert!(ask().is_err() && ask().is_ok());
    }
}
