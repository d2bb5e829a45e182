//! Makes the text of a failing case smaller while it fails in the same way.

use super::case::Case;
use super::compare::{Finding, Verdict, compare};
use super::theirs::Theirs;

/// The most attempts for one case.
const MOST: usize = 4000;

/// The smallest text that was found to fail like `signature`, as a case with its first such finding.
pub fn minimise(case: &Case, signature: &str, theirs: &mut Theirs) -> Option<(Case, Finding)> {
    let mut best = (case.clone(), failing(case, signature, theirs)?);
    let mut attempts = 0;
    let mut piece = best.0.text.len().max(2) / 2;
    loop {
        let mut progress = false;
        let mut at = 0;
        while at < best.0.text.len() && attempts < MOST {
            attempts += 1;
            let mut smaller = best.0.clone();
            let end = (at + piece).min(smaller.text.len());
            smaller.text.drain(at..end);
            match failing(&smaller, signature, theirs) {
                Some(finding) => {
                    best = (smaller, finding);
                    progress = true;
                }
                None => at += piece,
            }
        }
        if attempts >= MOST || (piece == 1 && !progress) {
            return Some(best);
        }
        if !progress {
            piece = piece.div_ceil(2);
        }
    }
}

fn failing(case: &Case, signature: &str, theirs: &mut Theirs) -> Option<Finding> {
    compare(case, theirs)
        .into_iter()
        .find(|finding| finding.verdict == Verdict::Different && finding.signature() == signature)
}
