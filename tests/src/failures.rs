//! The list of what went wrong in a test of many cases.
//!
//! Apart, because a table of 416 cases must say every case that failed, not only the first.

/// How many failures are shown in full.
const SHOWN: usize = 25;

/// Panics with the list of `failed` if there is any; `what` names the cases and `total` counts them.
///
/// # Panics
/// If `failed` is not empty, or if `total` is 0: a table without cases proves nothing.
pub fn none(what: &str, total: usize, failed: &[String]) {
    assert!(total > 0, "{what}: no cases were found");
    if failed.is_empty() {
        return;
    }
    let more = failed.len().saturating_sub(SHOWN);
    let mut text = failed.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("\n");
    if more > 0 {
        text.push_str(&format!("\n... and {more} more"));
    }
    panic!("{what}: {} of {total} failed\n{text}", failed.len());
}

/// A short, readable form of what a program printed, for a failure's text.
#[must_use]
pub fn excerpt(bytes: &[u8]) -> String {
    const MOST: usize = 600;
    let text = String::from_utf8_lossy(bytes);
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}
