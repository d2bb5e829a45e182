//! What each master key of a file yields (security.md S19): AES-GCM does not commit to its key, so a crafted file could be one
//! document for one recipient and another for the next. Nothing of the keys is given out.

use ksops_core::crypto::data_key::DataKey;
use ksops_core::crypto::shamir;
use ksops_core::document::decrypt::Options;
use ksops_core::keys::key_service::KeyServiceError;
use ksops_core::keys::master_key::MasterKey;
use ksops_core::keys::recovery::Outcome;
use ksops_core::metadata::wire;
use ksops_core::secret::SecretBytes;
use ksops_stores::file::MetadataError;

use crate::asking::ask_all;
use crate::decrypt::DecryptError;
use crate::open::{OpenRequest, open_by, read};
use crate::services::Services;

/// What one key yields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The data key that opens the file, or a share of it.
    Agrees,
    /// Something else: whoever holds this key sees another document, or none.
    Differs,
    /// It is not known: too few groups gave their share to tell.
    Unknown,
    /// The key cannot be used here, for the reason of each service that was asked.
    NotAtHand(Vec<KeyServiceError>),
}

/// A key of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyVerdict {
    /// The number of its group, from 0.
    pub group: usize,
    /// The key.
    pub key: MasterKey,
    /// What it yields.
    pub verdict: Verdict,
}

/// All keys of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllKeys {
    /// The keys, in file order.
    pub keys: Vec<KeyVerdict>,
    /// Whether a data key was found with which the values can be read and the MAC agrees.
    pub opens: bool,
}

impl AllKeys {
    /// Whether the file opens, and no key yields anything else than the others. Keys that are not at hand do not count.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.opens && self.keys.iter().all(|key| key.verdict != Verdict::Differs)
    }

    /// How many keys were compared.
    #[must_use]
    pub fn compared(&self) -> usize {
        let is_compared = |key: &&KeyVerdict| matches!(key.verdict, Verdict::Agrees | Verdict::Differs);
        self.keys.iter().filter(is_compared).count()
    }
}

/// Asks every master key of a file for its part, and compares what they give.
///
/// # Errors
/// [`DecryptError`] if the file or its metadata cannot be read. Keys that cannot be used or differ are no error.
pub fn ask_all_keys(
    input: &[u8],
    request: &OpenRequest,
    services: &Services,
) -> Result<AllKeys, DecryptError> {
    let metadata = wire::from_branch(&read(input, request)?.1?).map_err(MetadataError::from)?;
    let outcomes = ask_all(&metadata.key_groups, services);
    let opens = |part: &SecretBytes| {
        let key = DataKey::new(part.clone());
        key.is_ok_and(|key| open_by(input, request, Options::default(), |_| Ok(key)).is_ok())
    };
    let candidates: Vec<Vec<SecretBytes>> = outcomes.iter().map(|group| distinct(group)).collect();
    let (references, found) = match metadata.key_groups.len() {
        1 => whole(&candidates, &opens),
        count => {
            let threshold = if metadata.shamir_threshold == 0 { count } else { metadata.shamir_threshold };
            shared(&candidates, threshold, &opens)
        }
    };
    let mut keys = Vec::with_capacity(metadata.key_count());
    for (group, (entries, outcomes)) in metadata.key_groups.iter().zip(outcomes).enumerate() {
        for (entry, outcome) in entries.entries.iter().zip(outcomes) {
            let verdict = match outcome {
                Err(errors) => Verdict::NotAtHand(errors),
                Ok(part) => match &references[group] {
                    Reference::Good(good) if *good == part => Verdict::Agrees,
                    Reference::Untested(first) if *first == part => Verdict::Unknown,
                    Reference::Good(_) | Reference::Untested(_) => Verdict::Differs,
                    Reference::Nothing => Verdict::Unknown,
                },
            };
            keys.push(KeyVerdict { group, key: entry.key.clone(), verdict });
        }
    }
    Ok(AllKeys { keys, opens: found })
}

/// What the keys of a group should yield.
enum Reference {
    /// What opens the file.
    Good(SecretBytes),
    /// What the first of them yields; whether it opens the file cannot be told.
    Untested(SecretBytes),
    /// None of them is at hand.
    Nothing,
}

/// How many ways of putting shares together are tried: a file that holds more contradictions is not worth more.
const ATTEMPTS: usize = 256;
/// From how many groups on shares are put together.
const WINDOWS: usize = 16;

/// The different parts that the keys of a group gave.
fn distinct(group: &[Outcome]) -> Vec<SecretBytes> {
    let mut found: Vec<SecretBytes> = Vec::new();
    for part in group.iter().flatten() {
        if !found.contains(part) {
            found.push(part.clone());
        }
    }
    found
}

fn untested(candidates: &[Vec<SecretBytes>]) -> Vec<Reference> {
    let first =
        |group: &Vec<SecretBytes>| group.first().cloned().map_or(Reference::Nothing, Reference::Untested);
    candidates.iter().map(first).collect()
}

/// One group, whose keys hold the whole data key.
fn whole(candidates: &[Vec<SecretBytes>], opens: &dyn Fn(&SecretBytes) -> bool) -> (Vec<Reference>, bool) {
    let good = candidates.iter().flatten().take(ATTEMPTS).find(|part| opens(part));
    match good {
        Some(good) => (vec![Reference::Good(good.clone())], true),
        None => (untested(candidates), false),
    }
}

/// Several groups, whose keys hold shares: looks for shares that together open the file, and holds the others against them.
fn shared(
    candidates: &[Vec<SecretBytes>],
    threshold: usize,
    opens: &dyn Fn(&SecretBytes) -> bool,
) -> (Vec<Reference>, bool) {
    let there: Vec<usize> = (0..candidates.len()).filter(|group| !candidates[*group].is_empty()).collect();
    if threshold < 2 || there.len() < threshold {
        return (untested(candidates), false);
    }
    let windows = there.len().min(WINDOWS);
    let attempts = (0..windows).flat_map(|start| (0..ATTEMPTS / WINDOWS).map(move |choice| (start, choice)));
    for (start, choice) in attempts {
        let groups: Vec<usize> = there.iter().cycle().skip(start).take(threshold).copied().collect();
        let Some(base) = chosen(candidates, &groups, choice) else { continue };
        let Ok(key) = shamir::combine(&base) else { continue };
        if !opens(&key) {
            continue;
        }
        let reference = |(group, shares): (usize, &Vec<SecretBytes>)| {
            if let Some(place) = groups.iter().position(|used| *used == group) {
                return Reference::Good(base[place].clone());
            }
            // A share of the same secret gives it in place of any other one.
            let fits = |share: &&SecretBytes| {
                let mut others = base[1..].to_vec();
                others.push((*share).clone());
                shamir::combine(&others).is_ok_and(|found| found == key)
            };
            match (shares.iter().find(fits), shares.is_empty()) {
                (Some(share), _) => Reference::Good(share.clone()),
                (None, true) => Reference::Nothing,
                // Nothing that a key yields is the empty text: all of them differ.
                (None, false) => Reference::Good(SecretBytes::default()),
            }
        };
        return (candidates.iter().enumerate().map(reference).collect(), true);
    }
    (untested(candidates), false)
}

/// One share of each of these groups; `choice` counts through all ways of choosing, and `None` is behind the last one.
fn chosen(candidates: &[Vec<SecretBytes>], groups: &[usize], mut choice: usize) -> Option<Vec<SecretBytes>> {
    let mut shares = Vec::with_capacity(groups.len());
    for group in groups {
        let of_group = &candidates[*group];
        shares.push(of_group.get(choice % of_group.len().max(1))?.clone());
        choice /= of_group.len().max(1);
    }
    (choice == 0).then_some(shares)
}

#[cfg(test)]
mod tests;
