//! Random changes to given texts.

use std::sync::OnceLock;

use super::dice::Dice;
use super::scalars;
use crate::fixtures;

/// Pieces that are put in.
#[rustfmt::skip]
const PIECES: &[&str] = &[
    " ", "  ", "\n", "\n\n", "\t", ":", ": ", "-", "- ", "#", " # c", "\n# c\n", "\n  # c\n", "\n    # c\n", "?", "? ", ",", "[", "]", "{", "}", "&x ", "*x",
    "!", "!!str ", "!!int ", "|", ">", "|-", "'", "\"", "%", "@", "`", "\\", "---\n", "\n---\n", "...\n", "<<: ", "~", "0", "1", "_", ".", "e", "\r", "\r\n",
    "\u{feff}", "\u{85}", "\u{2028}", "\u{a0}", "é", "\u{1F600}", "\0", "\u{7f}", "=", "null", "true", "sops:",
];

/// The longest text that is changed; longer ones cost time and show nothing more.
const LONGEST: usize = 3000;

/// The texts of the fixtures.
pub fn fixtures_texts() -> &'static [Vec<u8>] {
    static TEXTS: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    TEXTS.get_or_init(|| {
        let folders = fixtures::entries(&fixtures::path("yaml-layout"));
        let files = folders.iter().filter(|folder| folder.is_dir()).flat_map(|folder| {
            ["in.yaml", "full-layout.yaml", "decrypted.yaml"].map(|name| folder.join(name))
        });
        let mut texts: Vec<Vec<u8>> =
            files.filter_map(|file| std::fs::read(file).ok()).filter(|text| text.len() <= LONGEST).collect();
        texts.sort();
        texts.dedup();
        texts
    })
}

/// A fixture with some changes.
#[must_use]
pub fn fixture(dice: &mut Dice) -> Vec<u8> {
    let texts = fixtures_texts();
    if texts.is_empty() {
        return Vec::new();
    }
    let mut text = dice.pick(texts).clone();
    if dice.chance(15) {
        let other = dice.pick(texts);
        text = joined(dice, &text, other);
    }
    let rounds = *dice.pick(&[0, 1, 1, 1, 2, 2, 3, 5]);
    changed(dice, text, rounds)
}

/// `text` with `rounds` changes.
#[must_use]
pub fn changed(dice: &mut Dice, mut text: Vec<u8>, rounds: usize) -> Vec<u8> {
    for _ in 0..rounds {
        text = if dice.chance(55) { change_lines(dice, &text) } else { change_bytes(dice, text) };
    }
    text
}

/// Two texts as one: one after the other, two documents, or the second below a key or in a list of the first.
fn joined(dice: &mut Dice, one: &[u8], two: &[u8]) -> Vec<u8> {
    let (head, first): (&[u8], &[u8]) = match dice.below(4) {
        0 => (b"", b""),
        1 => (b"---\n", b""),
        2 => (b"nested:\n", b"  "),
        _ => (b"nested:\n- \n", b"  "),
    };
    let mut text = one.to_vec();
    text.extend_from_slice(head);
    for line in two.split_inclusive(|byte| *byte == b'\n') {
        text.extend_from_slice(first);
        text.extend_from_slice(line);
    }
    text
}

fn change_bytes(dice: &mut Dice, mut text: Vec<u8>) -> Vec<u8> {
    let at = dice.below(text.len() + 1);
    match dice.below(6) {
        0 | 1 if at < text.len() => {
            text.remove(at);
        }
        2 if at < text.len() => {
            let end = (at + 1 + dice.below(8)).min(text.len());
            text.drain(at..end);
        }
        3 if at < text.len() && dice.chance(10) => text[at] = (dice.word() & 0xff) as u8,
        4 => {
            let piece = if dice.chance(50) { dice.text(scalars::TYPED) } else { dice.text(scalars::AWKWARD) };
            text.splice(at..at, piece.bytes());
        }
        _ => {
            let piece = dice.text(PIECES);
            text.splice(at..at, piece.bytes());
        }
    }
    text
}

fn change_lines(dice: &mut Dice, text: &[u8]) -> Vec<u8> {
    let mut lines: Vec<Vec<u8>> = text.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    if lines.is_empty() {
        return text.to_vec();
    }
    let at = dice.below(lines.len());
    let other = dice.below(lines.len());
    match dice.below(12) {
        0 => {
            lines.remove(at);
        }
        1 => {
            let line = lines[at].clone();
            lines.insert(other, line);
        }
        2 => lines.swap(at, other),
        3 => {
            let more = 1 + dice.below(4);
            lines[at].splice(0..0, vec![b' '; more]);
        }
        4 => {
            let blanks = lines[at].iter().take_while(|byte| **byte == b' ').count();
            lines[at].drain(..dice.below(blanks + 1));
        }
        5 | 6 => {
            let mut line = vec![b' '; dice.below(9)];
            line.push(b'#');
            line.extend(scalars::comment(dice).bytes());
            line.push(b'\n');
            lines.insert(at, line);
        }
        7 | 8 => {
            while matches!(lines[at].last(), Some(b'\n' | b'\r')) {
                lines[at].pop();
            }
            lines[at].extend_from_slice(b" #");
            lines[at].extend(scalars::comment(dice).bytes());
            lines[at].push(b'\n');
        }
        9 => lines.insert(at, b"\n".to_vec()),
        10 => {
            let end = at + 1 + dice.below(3).min(lines.len() - at - 1);
            let more = 1 + dice.below(4);
            for line in &mut lines[at..end] {
                line.splice(0..0, vec![b' '; more]);
            }
        }
        _ => {
            // The value behind a colon, or the whole line, becomes something else.
            let line = &mut lines[at];
            let start = line.windows(2).position(|pair| pair == b": ").map_or(0, |colon| colon + 2);
            line.truncate(start);
            line.extend(scalars::string(dice).replace(['\n', '\r'], " ").bytes());
            line.push(b'\n');
        }
    }
    lines.concat()
}
