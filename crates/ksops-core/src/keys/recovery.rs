//! Which key to ask next, and when enough is known: the bookkeeping of getting a data key back, without any asking. Apart
//! from `recover`, because whoever asks decides whether to do so one after another or all at once.
//!
//! In each group keys come in decryption order. Keys that may need a person are asked alone and in their turn, so that nobody
//! is asked for what another key would have given.

use crate::crypto::data_key::DataKey;
use crate::crypto::shamir;
use crate::keys::decryption_order::DecryptionOrder;
use crate::keys::key_group::{KeyEntry, KeyGroup};
use crate::keys::key_service::KeyServiceError;
use crate::keys::recover::{GroupResult, KeyFailure, RecoverError, RecoveryReport};
use crate::secret::SecretBytes;

/// What asking for a key came to: the part, or the error of each service that was asked.
pub type Outcome = Result<SecretBytes, Vec<KeyServiceError>>;

/// A key whose turn it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    group: usize,
    place: usize,
}

/// How far the groups of a file are.
pub struct Recovery<'g> {
    tracks: Vec<Track<'g>>,
    threshold: usize,
}

struct Track<'g> {
    /// In decryption order.
    entries: Vec<&'g KeyEntry>,
    /// What came of each, as far as it was asked.
    failures: Vec<Option<Vec<KeyServiceError>>>,
    started: usize,
    running: usize,
    part: Option<SecretBytes>,
}

impl Track<'_> {
    fn has_failed(&self) -> bool {
        self.failures.iter().any(Option::is_some)
    }

    fn take_next(&mut self) -> usize {
        let place = self.started;
        self.started += 1;
        self.running += 1;
        place
    }
}

impl<'g> Recovery<'g> {
    /// Nothing is asked yet. A `threshold` of zero: the file does not say, and every group is asked.
    #[must_use]
    pub fn new(groups: &'g [KeyGroup], threshold: usize, order: &DecryptionOrder) -> Self {
        let track = |group: &'g KeyGroup| {
            let entries = order.sort(group);
            let failures = vec![None; entries.len()];
            Track { entries, failures, started: 0, running: 0, part: None }
        };
        Self { tracks: groups.iter().map(track).collect(), threshold }
    }

    /// The entry of a key whose turn it is.
    #[must_use]
    pub fn entry(&self, turn: Turn) -> &'g KeyEntry {
        self.tracks[turn.group].entries[turn.place]
    }

    /// Whether nothing more has to be asked: enough groups gave their part.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        let recovered = self.tracks.iter().filter(|track| track.part.is_some()).count();
        let needed = match (self.tracks.len(), self.threshold) {
            (1, _) => 1,
            (groups, 0) => groups,
            (_, threshold) => threshold,
        };
        recovered >= needed
    }

    /// A key that can be asked now beside those that are being asked, none of which needs a person. The first key of a
    /// group has a head start: the others wait until it failed, or until `is_late`.
    pub fn next_quiet(&mut self, may_ask: &dyn Fn(&KeyEntry) -> bool, is_late: bool) -> Option<Turn> {
        for (group, track) in self.tracks.iter_mut().enumerate() {
            let is_free = track.running == 0 || is_late || track.has_failed();
            let next = track.entries.get(track.started).filter(|_| track.part.is_none() && is_free);
            if next.is_some_and(|entry| !may_ask(entry)) {
                return Some(Turn { group, place: track.take_next() });
            }
        }
        None
    }

    /// The next key that may need a person, if no key is being asked in its group.
    pub fn next_alone(&mut self) -> Option<Turn> {
        for (group, track) in self.tracks.iter_mut().enumerate() {
            if track.part.is_none() && track.running == 0 && track.started < track.entries.len() {
                return Some(Turn { group, place: track.take_next() });
            }
        }
        None
    }

    /// Takes down what came of a key.
    pub fn settle(&mut self, turn: Turn, outcome: Outcome) {
        let track = &mut self.tracks[turn.group];
        track.running = track.running.saturating_sub(1);
        match outcome {
            // Two keys of a group hold the same part.
            Ok(part) => track.part = Some(part),
            Err(errors) => track.failures[turn.place] = Some(errors),
        }
    }

    /// Puts the parts together.
    ///
    /// # Errors
    /// [`RecoverError`] if there are too few, or they make no data key.
    pub fn finish(self) -> Result<DataKey, RecoverError> {
        let groups = self.tracks.len();
        let mut parts = Vec::with_capacity(groups);
        let mut results = Vec::with_capacity(groups);
        for track in self.tracks {
            if let Some(part) = track.part {
                parts.push(part);
                results.push(GroupResult::Recovered);
                continue;
            }
            let asked = track.entries.iter().zip(track.failures);
            let failures = asked.filter_map(|(entry, errors)| {
                Some(KeyFailure { key: entry.key.to_string(), errors: errors? })
            });
            results.push(GroupResult::Failed(failures.collect()));
        }
        let required = if groups > 1 { self.threshold } else { 1 };
        if parts.len() < required {
            return Err(RecoverError::Groups(RecoveryReport {
                threshold: self.threshold,
                groups: results,
                advice: Vec::new(),
            }));
        }
        let data_key = match parts.pop() {
            Some(part) if groups == 1 => part,
            Some(part) => {
                parts.push(part);
                shamir::combine(&parts)?
            }
            None => shamir::combine(&parts)?,
        };
        Ok(DataKey::new(data_key)?)
    }
}

#[cfg(test)]
mod tests {
    use super::{Recovery, Turn};
    use crate::keys::decryption_order::DecryptionOrder;
    use crate::keys::distribute::tests::{age, group};
    use crate::keys::key_group::{KeyEntry, KeyGroup};
    use crate::keys::key_service::KeyServiceError;
    use crate::secret::SecretBytes;

    fn groups() -> Vec<KeyGroup> {
        vec![group(&[age("a"), age("b"), age("asks"), age("c")]), group(&[age("d")]), group(&[age("asks-e")])]
    }

    fn asks(entry: &KeyEntry) -> bool {
        entry.key.to_string().starts_with("asks")
    }

    fn names(recovery: &mut Recovery<'_>, is_late: bool) -> Vec<(String, Turn)> {
        std::iter::from_fn(|| {
            let turn = recovery.next_quiet(&asks, is_late)?;
            Some((recovery.entry(turn).key.to_string(), turn))
        })
        .collect()
    }

    fn only(found: &[(String, Turn)]) -> Vec<&str> {
        found.iter().map(|(name, _)| name.as_str()).collect()
    }

    #[test]
    fn the_first_of_each_group_has_a_head_start_and_a_person_comes_last() {
        let groups = groups();
        let mut recovery = Recovery::new(&groups, 2, &DecryptionOrder::default());
        let first = names(&mut recovery, false);
        assert_eq!(only(&first), ["a", "d"]);
        assert_eq!(only(&names(&mut recovery, false)), [""; 0]);
        recovery.settle(first[0].1, Err(vec![KeyServiceError::new("no")]));
        let second = names(&mut recovery, false);
        assert_eq!(only(&second), ["b"]);
        recovery.settle(first[1].1, Ok(SecretBytes::new(vec![1])));
        assert!(!recovery.is_settled());
        recovery.settle(second[0].1, Err(Vec::new()));
        assert_eq!(only(&names(&mut recovery, true)), [""; 0]);
        let alone = recovery.next_alone().expect("somebody to ask");
        assert_eq!(recovery.entry(alone).key.to_string(), "asks");
        recovery.settle(alone, Ok(SecretBytes::new(vec![2])));
        assert!(recovery.is_settled());
        let next = recovery.next_alone().expect("not yet asked");
        assert_eq!(recovery.entry(next).key.to_string(), "asks-e");
    }

    #[test]
    fn who_is_late_is_joined_by_the_others() {
        let groups = [group(&[age("a"), age("b"), age("c")])];
        let mut recovery = Recovery::new(&groups, 0, &DecryptionOrder::default());
        assert_eq!(only(&names(&mut recovery, false)), ["a"]);
        let rest = names(&mut recovery, true);
        assert_eq!(only(&rest), ["b", "c"]);
        recovery.settle(rest[1].1, Ok(SecretBytes::new(vec![0; 32])));
        assert!(recovery.is_settled());
        assert!(recovery.finish().is_ok());
    }

    #[test]
    fn without_a_threshold_every_group_is_asked() {
        let groups = [group(&[age("a")]), group(&[age("b")]), group(&[age("c")])];
        let mut recovery = Recovery::new(&groups, 0, &DecryptionOrder::default());
        for (_, turn) in names(&mut recovery, false) {
            assert!(!recovery.is_settled());
            recovery.settle(turn, Ok(SecretBytes::new(vec![0; 33])));
        }
        assert!(recovery.is_settled());
    }
}
