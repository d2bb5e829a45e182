//! The recipients of three versions made those of one.

use ksops_core::keys::key_group::{KeyEntry, KeyGroup};
use ksops_core::metadata::model::Metadata;

/// The recipients of a merged file.
pub(super) struct Groups {
    pub(super) groups: Vec<KeyGroup>,
    pub(super) threshold: usize,
    /// Whether the data key has to be encrypted for them anew.
    pub(super) is_new: bool,
}

fn is(one: &KeyEntry, other: &KeyEntry) -> bool {
    one.key.key_type() == other.key.key_type() && one.key.to_string() == other.key.to_string()
}

fn has(group: &KeyGroup, entry: &KeyEntry) -> bool {
    group.entries.iter().any(|other| is(other, entry))
}

fn are_same(one: &Metadata, other: &Metadata) -> bool {
    one.shamir_threshold == other.shamir_threshold
        && one.key_groups.len() == other.key_groups.len()
        && one.key_groups.iter().zip(&other.key_groups).all(|(one, other)| {
            one.entries.iter().all(|entry| has(other, entry))
                && other.entries.iter().all(|entry| has(one, entry))
        })
}

/// Merges recipients. `first` is the version whose data key the file gets; `same_key`: the other one has it, too.
pub(super) fn merge(base: Option<&Metadata>, first: &Metadata, other: &Metadata, same_key: bool) -> Groups {
    let of = |metadata: &Metadata, is_new| Groups {
        groups: metadata.key_groups.clone(),
        threshold: metadata.shamir_threshold,
        is_new,
    };
    if are_same(first, other) || base.is_some_and(|base| are_same(base, other)) {
        return of(first, false);
    }
    if base.is_some_and(|base| are_same(base, first)) {
        return of(other, !same_key);
    }
    let shape = first.key_groups.len();
    let base = base.filter(|base| base.key_groups.len() == shape);
    if other.key_groups.len() != shape {
        return of(first, false);
    }
    // Shares of a data key fit together only as they were made.
    let mut is_new = shape > 1 || first.shamir_threshold != other.shamir_threshold;
    let none = KeyGroup::default();
    let groups = first.key_groups.iter().zip(&other.key_groups).enumerate().map(|(at, (first, other))| {
        let base = base.and_then(|base| base.key_groups.get(at)).unwrap_or(&none);
        // What one side took away is gone, what one side added is there.
        let kept = first.entries.iter().filter(|entry| !has(base, entry) || has(other, entry));
        let added = other.entries.iter().filter(|entry| !has(base, entry) && !has(first, entry));
        let added: Vec<KeyEntry> = added.cloned().collect();
        is_new |= !added.is_empty() && !same_key;
        KeyGroup { entries: kept.cloned().chain(added).collect() }
    });
    let groups = groups.collect();
    Groups { groups, threshold: first.shamir_threshold.max(other.shamir_threshold), is_new }
}
