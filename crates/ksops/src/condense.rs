//! Leaves repeated `sops` blocks out of a text before it is parsed.
//!
//! Every document of an encrypted file ends with the same block, which is most of a file of many small documents.
//! Only the first one is read (file-format.md section 6.4), so the others need not be parsed.

use memchr::memmem;

const KEY: &str = "\nsops:\n";
const BOUNDARY: &str = "\n---\n";
/// A block of the same shape, so that the comments before it are read the same.
const SHORT: &str = "\nsops:\n    v: 0\n";

/// Gives `text` with a short block in the later documents, if there are any whose block is byte for byte that of the
/// first document. The documents are the same but for that block; places behind it are not.
pub(crate) fn without_repeated_blocks(text: &str) -> Option<String> {
    let first_boundary = text.find(BOUNDARY)?;
    let first = &text[..=first_boundary];
    let block = &first[memmem::rfind(first.as_bytes(), KEY.as_bytes())?..];
    // Lines of the block only, and no comment: what belongs to the block is all that is left out.
    let is_plain = |line: &str| line.starts_with(' ') && !line.trim_start().starts_with('#');
    if !block[KEY.len()..].lines().all(is_plain) {
        return None;
    }
    let mut short = String::new();
    let mut copied = first.len();
    for at in memmem::find_iter(&text.as_bytes()[first.len()..], block.as_bytes()) {
        let (start, end) = (first.len() + at, first.len() + at + block.len());
        // The block must end its document.
        if start < copied || !(end == text.len() || text[end..].starts_with(&BOUNDARY[1..])) {
            continue;
        }
        if short.is_empty() {
            short.reserve(text.len() / 4);
            short.push_str(first);
        }
        short.push_str(&text[copied..start]);
        short.push_str(SHORT);
        copied = end;
    }
    if short.is_empty() {
        return None;
    }
    short.push_str(&text[copied..]);
    Some(short)
}

#[cfg(test)]
mod tests {
    use super::without_repeated_blocks;

    const BLOCK: &str = "sops:\n    mac: x\n    age:\n        - enc: |\n            y\n";

    fn file(blocks: &[&str]) -> String {
        let documents: Vec<String> =
            blocks.iter().enumerate().map(|(index, block)| format!("a: {index}\n{block}")).collect();
        documents.join("---\n")
    }

    #[test]
    fn later_blocks_become_short() {
        let short = without_repeated_blocks(&file(&[BLOCK; 3])).expect("shorter");
        assert_eq!(short, file(&[BLOCK, "sops:\n    v: 0\n", "sops:\n    v: 0\n"]));
    }

    #[test]
    fn what_is_not_the_same_stays() {
        let other = BLOCK.replace('x', "z");
        let commented = format!("{BLOCK}    # c\n");
        let longer = format!("{BLOCK}    more: 1\n");
        let behind = format!("{BLOCK}b: 1\n");
        assert_eq!(without_repeated_blocks(&file(&[BLOCK])), None);
        for last in [&other, &longer, &behind, &commented] {
            assert_eq!(without_repeated_blocks(&file(&[BLOCK, last])), None, "{last}");
        }
        assert_eq!(without_repeated_blocks(&file(&[&commented, &commented])), None);
        let mixed = without_repeated_blocks(&file(&[BLOCK, &other, BLOCK])).expect("shorter");
        assert_eq!(mixed, file(&[BLOCK, &other, "sops:\n    v: 0\n"]));
    }
}
