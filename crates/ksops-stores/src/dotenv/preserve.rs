//! A changed tree back into the dotenv text that it came from: every line that says the same stays.

use std::ops::Range;

use ksops_core::tree::branch::{Branch, Entry, Node};
use zeroize::Zeroizing;

use crate::align::align;
use crate::dotenv::emit::emit;
use crate::misfit::Misfit;
use crate::splice::Splices;

/// Prints a tree with the layout of a text. Whoever uses it reads what came out and compares.
///
/// # Errors
/// [`Misfit`] if a value has no dotenv form.
pub(crate) fn emit_like(like: &[u8], branch: &Branch) -> Result<Zeroizing<Vec<u8>>, Misfit> {
    let lines = lines(like);
    let printed: Vec<Zeroizing<Vec<u8>>> = branch.entries.iter().map(line).collect::<Result<_, _>>()?;
    let old = |at: usize| &like[lines[at].clone()];
    let name = |line: &[u8]| match line {
        [b'#', ..] => Vec::new(),
        line => line.split(|byte| *byte == b'=').next().unwrap_or_default().to_vec(),
    };
    let alike = |a: usize, b: usize| name(old(a)) == name(&printed[b]);
    let same =
        |a: usize, b: usize| old(a) == printed[b].as_slice() || !old(a).starts_with(b"#") && alike(a, b);
    let mut splices = Splices::default();
    let mut last = None;
    for pair in align(lines.len(), printed.len(), alike, same) {
        match pair {
            (Some(old_at), Some(new)) => {
                last = Some(old_at);
                if old(old_at) != printed[new].as_slice() {
                    splices.replace(lines[old_at].clone(), printed[new].to_vec());
                }
            }
            (Some(old_at), None) => {
                last = Some(old_at);
                splices.delete(whole_line(like, &lines[old_at]));
            }
            (None, Some(new)) => {
                let (place, before, behind): (usize, &[u8], &[u8]) = match last {
                    None => (0, b"", b"\n"),
                    Some(last) if lines[last].end == like.len() => (like.len(), b"\n", b""),
                    Some(last) => (lines[last].end + 1, b"", b"\n"),
                };
                splices.insert(place, [before, &**printed[new], behind].concat());
            }
            (None, None) => {}
        }
    }
    let mut out = splices.apply(like)?;
    // A text that ended without a line break does so without its last lines, too.
    let is_open = !like.is_empty() && !like.ends_with(b"\n");
    if is_open && out.ends_with(b"\n") {
        out.pop();
    }
    Ok(out)
}

/// The lines that are not empty.
fn lines(text: &[u8]) -> Vec<Range<usize>> {
    let mut start = 0;
    let mut lines = Vec::new();
    for line in text.split(|byte| *byte == b'\n') {
        if !line.is_empty() {
            lines.push(start..start + line.len());
        }
        start += line.len() + 1;
    }
    lines
}

/// A line with its break.
fn whole_line(text: &[u8], line: &Range<usize>) -> Range<usize> {
    match line.end < text.len() {
        true => line.start..line.end + 1,
        false => line.start..line.end,
    }
}

/// The line of an entry, without its break.
fn line(entry: &Entry) -> Result<Zeroizing<Vec<u8>>, Misfit> {
    if let Entry::Item(_, Node::Map(_) | Node::List(_)) = entry {
        return Err(Misfit::somewhere("a list or mapping"));
    }
    let mut text = emit(&Branch { entries: vec![entry.clone()] }).map_err(|error| Misfit::of(&error))?;
    text.pop();
    Ok(text)
}
