//! An opened file as one JSON object.

use ksops_core::tree::branch::{Branch, Entry};
use ksops_stores::file::{Layout, WriteError, write_plain};
use ksops_stores::format::Format;
use zeroize::Zeroizing;

/// All documents in one object, in JSON; of a name that several have, the last counts. Comments are left out.
///
/// # Errors
/// [`WriteError`] if a value has no form in JSON.
pub fn merged(branches: &[Branch]) -> Result<Zeroizing<Vec<u8>>, WriteError> {
    let mut all = Branch::default();
    for entry in branches.iter().flat_map(|branch| &branch.entries) {
        let Entry::Item(key, _) = entry else { continue };
        all.entries.retain(|known| !matches!(known, Entry::Item(name, _) if name == key));
        all.entries.push(entry.clone());
    }
    write_plain(vec![all], Format::Json, Layout::default())
}
