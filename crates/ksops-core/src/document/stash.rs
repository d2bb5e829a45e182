//! Nonces of values that were decrypted, so that unchanged values keep their text (file-format.md section 2.6).
//!
//! Upstream keys them by additional data and value, so that equal values of one list get one nonce and show that they
//! are equal. Here a nonce is used again only at the same position, and once.

use std::collections::{BTreeMap, VecDeque};

use sha2::{Digest, Sha256};

use crate::crypto::gcm::IV_LEN;
use crate::crypto::plaintext::DataType;
use crate::tree::path::{Step, Trail};

/// The nonces of a decrypted file, by position and value.
///
/// Values are kept as hashes only.
#[derive(Default)]
pub struct Stash(BTreeMap<[u8; 32], VecDeque<[u8; IV_LEN]>>);

impl Stash {
    /// Remembers the nonce of a value. One of another length than ours cannot be used for writing and is forgotten.
    pub fn insert(&mut self, document: usize, trail: &Trail<'_>, kind: DataType, bytes: &[u8], iv: &[u8]) {
        if let Ok(iv) = <[u8; IV_LEN]>::try_from(iv) {
            self.0.entry(name(document, trail, kind, bytes)).or_default().push_back(iv);
        }
    }

    /// Takes out the nonce of a value that stands where it stood; the first of several (repeated keys, comments).
    pub fn take(
        &mut self,
        document: usize,
        trail: &Trail<'_>,
        kind: DataType,
        bytes: &[u8],
    ) -> Option<[u8; IV_LEN]> {
        self.0.get_mut(&name(document, trail, kind, bytes))?.pop_front()
    }
}

/// Names a value at a position; every part is preceded by its length or has a fixed one.
fn name(document: usize, trail: &Trail<'_>, kind: DataType, bytes: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    let number = |hash: &mut Sha256, number: usize| hash.update((number as u64).to_le_bytes());
    number(&mut hash, document);
    for step in trail.steps_upwards() {
        match step {
            Step::Root => {}
            Step::Key(key) => {
                hash.update(b"k");
                number(&mut hash, key.as_bytes().len());
                hash.update(key.as_bytes());
            }
            Step::Index(index) => {
                hash.update(b"i");
                number(&mut hash, index);
            }
        }
    }
    hash.update(b"v");
    hash.update(kind.name());
    hash.update(b"\0");
    hash.update(bytes);
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::Stash;
    use crate::crypto::plaintext::DataType;
    use crate::tree::path::{Step, Trail};

    #[test]
    fn a_nonce_is_given_back_at_its_own_position_only_and_once() {
        let root = Trail::root();
        let list = root.below(Step::Index(0));
        let next = root.below(Step::Index(1));
        let mut stash = Stash::default();
        stash.insert(0, &list, DataType::Str, b"x", &[1; 32]);
        stash.insert(0, &next, DataType::Str, b"x", &[2; 32]);
        assert_eq!(stash.take(1, &list, DataType::Str, b"x"), None);
        assert_eq!(stash.take(0, &list, DataType::Int, b"x"), None);
        assert_eq!(stash.take(0, &list, DataType::Str, b"y"), None);
        assert_eq!(stash.take(0, &next, DataType::Str, b"x"), Some([2; 32]));
        assert_eq!(stash.take(0, &list, DataType::Str, b"x"), Some([1; 32]));
        assert_eq!(stash.take(0, &list, DataType::Str, b"x"), None);
    }

    #[test]
    fn nonces_of_another_length_are_forgotten() {
        let root = Trail::root();
        let mut stash = Stash::default();
        stash.insert(0, &root, DataType::Str, b"x", &[1; 12]);
        assert_eq!(stash.take(0, &root, DataType::Str, b"x"), None);
    }
}
