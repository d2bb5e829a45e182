//! Asks key services at the same time: the time of the slowest instead of the sum. Apart from the core, which starts no
//! threads and keeps the books (`ksops_core::keys::recovery`).
//!
//! - Whoever is not needed any more is left alone: its thread ends with its own limit, or with the process.
//! - Keys that may need a person come last; if another one hangs, a person is asked after all.
//! - Nobody is waited for longer than a limit, but for keys that may need a person; they are asked on the caller's thread.
//! - A service that panics has failed, like one that answers with an error.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use ksops_core::crypto::data_key::DataKey;
use ksops_core::keys::decryption_order::DecryptionOrder;
use ksops_core::keys::distribute::{
    self, DistributeError, DistributeFailure, Distributed, Encrypted, distribute_by, encrypt_for,
};
use ksops_core::keys::key_group::{KeyEntry, KeyGroup};
use ksops_core::keys::key_service::{KeyService, KeyServiceError};
use ksops_core::keys::recover::{RecoverError, decrypt_with};
use ksops_core::keys::recovery::{Outcome, Recovery, Turn};
use ksops_core::metadata::model::Metadata;
use ksops_core::metadata::unknown;
use ksops_core::random::Random;

use crate::services::Services;

/// How many keys of a file are asked at the same time.
const AT_ONCE: usize = 16;
/// How long a key may take. Each service has a limit of its own, below this one.
const LIMIT: Duration = Duration::from_secs(150);
/// A local key is done in the head start, and nobody else was bothered.
const PACE: Pace =
    Pace { head_start: Duration::from_millis(50), patience: Duration::from_secs(3), limit: LIMIT };

/// How long things may take.
#[derive(Clone, Copy)]
struct Pace {
    /// How long the first key of a group is asked alone.
    head_start: Duration,
    /// How long a person is left alone while other keys are being asked.
    patience: Duration,
    /// How long a key may take.
    limit: Duration,
}

/// Recovers the data key of a file: from each group the part that one of its keys gives, until enough groups gave theirs.
///
/// # Errors
/// [`RecoverError`] if too few groups gave their part, or the parts make no data key.
pub(crate) fn recover(
    metadata: &Metadata,
    services: &Services,
    order: &DecryptionOrder,
) -> Result<DataKey, RecoverError> {
    let Metadata { key_groups, shamir_threshold, unknown, .. } = metadata;
    recover_at(PACE, key_groups, *shamir_threshold, services, order).map_err(|mut error| {
        if let (RecoverError::Groups(report), false) = (&mut error, unknown.is_empty()) {
            report.advice.push(format!(
                "the file also has keys of kinds that this version does not know: {}",
                unknown::kinds(unknown)
            ));
        }
        error
    })
}

fn recover_at(
    pace: Pace,
    groups: &[KeyGroup],
    threshold: usize,
    services: &Services,
    order: &DecryptionOrder,
) -> Result<DataKey, RecoverError> {
    let list = services.shared();
    let may_ask = |entry: &KeyEntry| {
        list.iter().any(|service| service.serves(&entry.key) && service.may_ask(&entry.key))
    };
    let mut recovery = Recovery::new(groups, threshold, order);
    let mut crew: Crew<Turn, Outcome> = Crew::new(pace.limit);
    let late = Instant::now() + pace.head_start;
    let impatient = Instant::now() + pace.patience;
    while !recovery.is_settled() {
        while crew.has_room()
            && let Some(turn) = recovery.next_quiet(&may_ask, Instant::now() >= late)
        {
            let (entry, list) = (recovery.entry(turn).clone(), list.clone());
            crew.start(turn, move || decrypt_with(&entry, &references(&list)));
        }
        if crew.is_idle() || Instant::now() >= impatient {
            if let Some(turn) = recovery.next_alone() {
                let outcome = decrypt_with(recovery.entry(turn), &references(&list));
                recovery.settle(turn, outcome);
                continue;
            }
            if crew.is_idle() {
                break;
            }
        }
        for (turn, outcome) in crew.wait(&[late, impatient]) {
            recovery.settle(turn, outcome.unwrap_or_else(|error| Err(vec![error])));
        }
    }
    recovery.finish()
}

/// Encrypts the data key, or its shares, for every key of the groups.
///
/// # Errors
/// As the core's function of this name.
pub(crate) fn distribute(
    data_key: &DataKey,
    groups: &[KeyGroup],
    threshold: usize,
    services: &Services,
    random: &dyn Random,
) -> Result<Distributed, DistributeError> {
    let list = services.shared();
    if list.is_empty() {
        return distribute::distribute(data_key, groups, threshold, &[], random);
    }
    distribute_by(data_key, groups, threshold, random, |tasks| {
        let mut results: Vec<Option<Encrypted>> = tasks.iter().map(|_| None).collect();
        let mut crew: Crew<usize, Encrypted> = Crew::new(LIMIT);
        let mut waiting = tasks.iter().enumerate();
        loop {
            while crew.has_room()
                && let Some((number, task)) = waiting.next()
            {
                let (entry, part, list) = (task.entry.clone(), task.part.clone(), list.clone());
                crew.start(number, move || encrypt_for(&entry, &part, &references(&list)));
            }
            if crew.is_idle() {
                break;
            }
            for (number, result) in crew.wait(&[]) {
                let key = || tasks[number].entry.key.to_string();
                let failed = |error| Err(vec![DistributeFailure::Key { key: key(), error }]);
                results[number] = Some(result.unwrap_or_else(failed));
            }
        }
        results.into_iter().flatten().collect()
    })
}

/// Asks every key of every group, those that may need a person one after another behind the others. By group and key, in
/// file order.
pub(crate) fn ask_all(groups: &[KeyGroup], services: &Services) -> Vec<Vec<Outcome>> {
    let list = services.shared();
    let entries: Vec<&KeyEntry> = groups.iter().flat_map(|group| &group.entries).collect();
    let may_ask = |entry: &KeyEntry| {
        list.iter().any(|service| service.serves(&entry.key) && service.may_ask(&entry.key))
    };
    let (alone, quiet): (Vec<usize>, Vec<usize>) =
        (0..entries.len()).partition(|number| may_ask(entries[*number]));
    let mut outcomes: Vec<Option<Outcome>> = entries.iter().map(|_| None).collect();
    let mut crew: Crew<usize, Outcome> = Crew::new(LIMIT);
    let mut waiting = quiet.into_iter();
    loop {
        while crew.has_room()
            && let Some(number) = waiting.next()
        {
            let (entry, list) = (entries[number].clone(), list.clone());
            crew.start(number, move || decrypt_with(&entry, &references(&list)));
        }
        if crew.is_idle() {
            break;
        }
        for (number, outcome) in crew.wait(&[]) {
            outcomes[number] = Some(outcome.unwrap_or_else(|error| Err(vec![error])));
        }
    }
    for number in alone {
        outcomes[number] = Some(decrypt_with(entries[number], &references(&list)));
    }
    let mut outcomes = outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(|| Err(Vec::new())));
    groups.iter().map(|group| outcomes.by_ref().take(group.entries.len()).collect()).collect()
}

fn references(list: &[Arc<dyn KeyService>]) -> Vec<&dyn KeyService> {
    list.iter().map(AsRef::as_ref).collect()
}

/// What a thread gave, or why it gave nothing.
type Given<T> = Result<T, KeyServiceError>;

/// Work on threads, each piece under a name.
struct Crew<K, T> {
    limit: Duration,
    running: Vec<(K, Instant)>,
    sender: Sender<(K, Given<T>)>,
    receiver: Receiver<(K, Given<T>)>,
}

impl<K: Copy + PartialEq + Send + 'static, T: Send + 'static> Crew<K, T> {
    fn new(limit: Duration) -> Self {
        let (sender, receiver) = channel();
        Self { limit, running: Vec::new(), sender, receiver }
    }

    fn has_room(&self) -> bool {
        self.running.len() < AT_ONCE
    }

    fn is_idle(&self) -> bool {
        self.running.is_empty()
    }

    fn start(&mut self, name: K, work: impl FnOnce() -> T + Send + 'static) {
        self.running.push((name, Instant::now() + self.limit));
        let sender = self.sender.clone();
        let started = thread::Builder::new().name("ksops-key".to_owned()).spawn(move || {
            let given = catch_unwind(AssertUnwindSafe(work)).map_err(|_| {
                KeyServiceError::new("the key service stopped unexpectedly, which is a fault of ksops")
            });
            // Nobody waits any more when enough others answered.
            let _ = sender.send((name, given));
        });
        if let Err(error) = started {
            let error = KeyServiceError::new(format!("no thread to ask the key service: {error}"));
            let _ = self.sender.send((name, Err(error)));
        }
    }

    /// Waits for the next piece, or until one of `moments` that is still to come. Whoever took too long has failed.
    fn wait(&mut self, moments: &[Instant]) -> Vec<(K, Given<T>)> {
        let now = Instant::now();
        let limits = self.running.iter().map(|(_, limit)| *limit);
        let Some(until) = limits.chain(moments.iter().copied().filter(|moment| *moment > now)).min() else {
            return Vec::new();
        };
        match self.receiver.recv_timeout(until.saturating_duration_since(now)) {
            Ok((name, given)) => {
                let before = self.running.len();
                self.running.retain(|(running, _)| *running != name);
                // What comes after its limit counts no more.
                if self.running.len() < before { vec![(name, given)] } else { Vec::new() }
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => self.overdue(),
        }
    }

    fn overdue(&mut self) -> Vec<(K, Given<T>)> {
        let now = Instant::now();
        let (overdue, running) = self.running.iter().partition(|(_, limit)| *limit <= now);
        self.running = running;
        let seconds = self.limit.as_secs();
        let late =
            move || KeyServiceError::new(format!("the key service gave no answer within {seconds} seconds"));
        let overdue: Vec<(K, Instant)> = overdue;
        overdue.into_iter().map(|(name, _)| (name, Err(late()))).collect()
    }
}

#[cfg(test)]
mod tests;
