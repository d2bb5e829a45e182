//! Identity files under a passphrase: age files with a `scrypt` stanza (key-services.md section 3.4).

use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};

use age::armor::ArmoredReader;
use age::secrecy::SecretString;
use age::{DecryptError, Decryptor, scrypt};
use age_core::format::{FileKey, Stanza};
use ksops_core::keys::key_service::KeyServiceError;
use zeroize::Zeroizing;

use crate::agent::{Agent, Answer};
use crate::identities::{Line, parse_native};
use crate::joint::Open;
use crate::prompt::Prompt;

/// The most work that a file may ask for, as upstream has it; it is the logarithm of a number of rounds.
const WORK_LIMIT: u8 = 22;

/// A file under a passphrase, which is asked for once.
pub(crate) struct LockedFile {
    place: String,
    content: Vec<u8>,
    agent: Agent,
    opened: Mutex<Option<Vec<Arc<dyn Open>>>>,
}

/// Whether a text is an age file, armoured or not.
pub(crate) fn is_locked(text: &[u8]) -> bool {
    text.starts_with(b"age-encryption") || text.starts_with(b"-----BEGIN AGE")
}

impl LockedFile {
    /// The file that `place` names.
    ///
    /// # Errors
    /// If its armour is not in order.
    pub(crate) fn new(place: &str, text: &[u8], agent: Agent) -> Result<Self, String> {
        let mut content = Vec::with_capacity(text.len());
        ArmoredReader::new(text)
            .read_to_end(&mut content)
            .map_err(|error| format!("failed to read '{place}': {error}"))?;
        Ok(Self { place: place.to_owned(), content, agent, opened: Mutex::new(None) })
    }

    /// Asks the agent if there is one, else at the terminal.
    fn passphrase(&self, prompt: &Arc<dyn Prompt>) -> Result<Zeroizing<String>, String> {
        let question = format!("Enter passphrase for identity '{}':", self.place);
        match self.agent.passphrase(&self.content, &question) {
            Answer::Given(passphrase) => Ok(passphrase),
            Answer::Refused(why) => Err(why),
            Answer::NoAgent => prompt.secret(&question),
        }
    }

    fn decrypt(&self, prompt: &Arc<dyn Prompt>) -> Result<Vec<Arc<dyn Open>>, KeyServiceError> {
        let failed = |why: &str| {
            KeyServiceError::new(format!("failed to decrypt identity file '{}': {why}", self.place))
        };
        let decryptor = Decryptor::new_buffered(self.content.as_slice())
            .map_err(|_| failed("it is not an age file in order"))?;
        if !decryptor.is_scrypt() {
            return Err(failed("it is encrypted to recipients, not under a passphrase"));
        }
        let passphrase =
            self.passphrase(prompt).map_err(|why| failed(&format!("could not read passphrase: {why}")))?;
        let mut identity = scrypt::Identity::new(SecretString::from(passphrase.as_str().to_owned()));
        identity.set_max_work_factor(WORK_LIMIT);
        let mut reader = decryptor.decrypt(std::iter::once(&identity as &dyn age::Identity)).map_err(
            |error| match error {
                DecryptError::ExcessiveWork { required, .. } => failed(&format!(
                    "its work factor is {required}, and more than {WORK_LIMIT} takes too long"
                )),
                _ => {
                    self.agent.forget(&self.content);
                    KeyServiceError::new(format!("incorrect passphrase for '{}'", self.place))
                }
            },
        )?;
        // Shorter than what it was decrypted from, so the buffer never moves.
        let mut text = Zeroizing::new(Vec::with_capacity(self.content.len()));
        reader.read_to_end(&mut text).map_err(|_| failed("its content was changed"))?;
        parse_native(&text, Line::OneIdentity).map_err(|error| failed(&error.to_string()))
    }
}

impl Open for LockedFile {
    fn open(&self, stanzas: &[Stanza], prompt: &Arc<dyn Prompt>) -> Result<Option<FileKey>, KeyServiceError> {
        // Held while asking, so that two files that need it ask once.
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let identities = match &*opened {
            Some(identities) => identities,
            None => opened.insert(self.decrypt(prompt)?),
        };
        for identity in identities {
            if let Some(file_key) = identity.open(stanzas, prompt)? {
                return Ok(Some(file_key));
            }
        }
        Ok(None)
    }

    fn describe(&self) -> String {
        "identities under a passphrase".to_owned()
    }

    fn recipient(&self) -> Option<String> {
        None
    }

    fn may_ask(&self) -> bool {
        true
    }
}
