//! Nonces of values that were decrypted, so that unchanged values keep their text (file-format.md section 2.6).
//!
//! Upstream keys them by additional data and value, so that equal values of one list get one nonce and show that they
//! are equal. Here a nonce is used again once only: at the same position, or for an element that moved within its list.

use std::collections::{BTreeMap, VecDeque};

use sha2::{Digest, Sha256};

use crate::crypto::gcm::IV_LEN;
use crate::crypto::plaintext::DataType;
use crate::tree::path::{Step, Trail};

/// The nonces of a decrypted file, by position and value.
///
/// Values are kept as hashes only.
#[derive(Clone, Default)]
pub struct Stash {
    nonces: BTreeMap<Name, VecDeque<[u8; IV_LEN]>>,
    /// The positions in lists that hold the same value, by the path without positions: an element may have moved.
    elements: BTreeMap<Name, VecDeque<Name>>,
}

/// Names a value at a position.
type Name = [u8; 32];

impl Stash {
    /// Remembers the nonce of a value. One of another length than ours cannot be used for writing and is forgotten.
    pub fn insert(&mut self, document: usize, trail: &Trail<'_>, kind: DataType, bytes: &[u8], iv: &[u8]) {
        let Ok(iv) = <[u8; IV_LEN]>::try_from(iv) else { return };
        let exact = name(document, trail, kind, bytes, Positions::Count);
        self.nonces.entry(exact).or_default().push_back(iv);
        if trail.steps_upwards().any(|step| matches!(step, Step::Index(_))) {
            let loose = name(document, trail, kind, bytes, Positions::Any);
            self.elements.entry(loose).or_default().push_back(exact);
        }
    }

    /// Takes over the nonces of another file under the same data key; those that are here already come first.
    pub fn absorb(&mut self, other: Self) {
        for (name, nonces) in other.nonces {
            self.nonces.entry(name).or_default().extend(nonces);
        }
        for (name, elements) in other.elements {
            self.elements.entry(name).or_default().extend(elements);
        }
    }

    /// Takes out the nonce of a value that stands where it stood, the first of several (repeated keys, comments); else
    /// that of the same value elsewhere in the same list.
    pub fn take(
        &mut self,
        document: usize,
        trail: &Trail<'_>,
        kind: DataType,
        bytes: &[u8],
    ) -> Option<[u8; IV_LEN]> {
        let exact = name(document, trail, kind, bytes, Positions::Count);
        if let Some(iv) = self.nonces.get_mut(&exact).and_then(VecDeque::pop_front) {
            return Some(iv);
        }
        if self.elements.is_empty() {
            return None;
        }
        let others = self.elements.get_mut(&name(document, trail, kind, bytes, Positions::Any))?;
        while let Some(other) = others.pop_front() {
            if let Some(iv) = self.nonces.get_mut(&other).and_then(VecDeque::pop_front) {
                return Some(iv);
            }
        }
        None
    }
}

/// Whether positions in lists are part of a name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Positions {
    Count,
    Any,
}

/// Names a value at a position; every part is preceded by its length or has a fixed one.
fn name(document: usize, trail: &Trail<'_>, kind: DataType, bytes: &[u8], positions: Positions) -> Name {
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
            Step::Index(_) if positions == Positions::Any => hash.update(b"i"),
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
    fn an_element_that_moved_takes_its_nonce_along_and_nobody_gets_it_twice() {
        let root = Trail::root();
        let places = [0, 1, 2].map(Step::Index);
        let [first, second, third] = [root.below(places[0]), root.below(places[1]), root.below(places[2])];
        let mut stash = Stash::default();
        for (place, value, iv) in [(&first, b"x", 1), (&second, b"y", 2), (&third, b"x", 3)] {
            stash.insert(0, place, DataType::Str, value, &[iv; 32]);
        }
        // The first one was removed.
        assert_eq!(stash.take(0, &first, DataType::Str, b"y"), Some([2; 32]));
        assert_eq!(stash.take(0, &second, DataType::Str, b"x"), Some([1; 32]));
        assert_eq!(stash.take(0, &third, DataType::Str, b"x"), Some([3; 32]));
        assert_eq!(stash.take(0, &first, DataType::Str, b"x"), None);
        assert_eq!(stash.take(0, &root, DataType::Str, b"y"), None);
    }

    #[test]
    fn nonces_of_another_length_are_forgotten() {
        let root = Trail::root();
        let mut stash = Stash::default();
        stash.insert(0, &root, DataType::Str, b"x", &[1; 12]);
        assert_eq!(stash.take(0, &root, DataType::Str, b"x"), None);
    }
}
