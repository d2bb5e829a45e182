//! Master keys of kinds that this version does not know: kept as they stand, so that who can use them still can.

use crate::keys::master_key::KeyType;
use crate::tree::branch::{Branch, Entry, Node};
use crate::value::Value;

/// The fields of the block that are no lists of keys of one kind.
const FIELDS: [&str; 12] = [
    "key_groups",
    "shamir_threshold",
    "lastmodified",
    "mac",
    "mac_only_encrypted",
    "unencrypted_suffix",
    "encrypted_suffix",
    "unencrypted_regex",
    "encrypted_regex",
    "unencrypted_comment_regex",
    "encrypted_comment_regex",
    "version",
];

/// The keys of one unknown kind.
#[derive(Debug, Clone, PartialEq)]
pub struct UnknownKeys {
    /// The number of their group; `None` in a file with flat lists.
    pub group: Option<usize>,
    /// The name of the list, which is that of the kind.
    pub kind: String,
    /// The list as it stands in the file.
    pub entries: Node,
}

/// Finds the lists of mappings in the block, or in one of its groups, whose names say nothing to us.
pub(crate) fn find(branch: &Branch, group: Option<usize>) -> Vec<UnknownKeys> {
    let unknown = |entry: &Entry| {
        let Entry::Item(key, node) = entry else { return None };
        let kind = key.to_str()?;
        let is_known = KeyType::ALL
            .iter()
            .map(|kind| kind.name())
            .chain(FIELDS)
            .any(|known| known.eq_ignore_ascii_case(kind));
        let is_list = match node {
            Node::List(list) => {
                !list.is_empty()
                    && list.iter().all(|element| {
                        matches!(element, Node::Map(_) | Node::Comment(_) | Node::Leaf(Value::Null))
                    })
            }
            _ => false,
        };
        (is_list && !is_known).then(|| UnknownKeys { group, kind: kind.to_owned(), entries: node.clone() })
    };
    branch.entries.iter().filter_map(unknown).collect()
}

/// The names of the kinds, each once, for a message.
#[must_use]
pub fn kinds(unknown: &[UnknownKeys]) -> String {
    let mut names: Vec<&str> = unknown.iter().map(|keys| keys.kind.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    names.join(", ")
}
