//! The nearest known name to a mistyped one. Apart, so that the distance is tested alone.

/// The candidate nearest to `word`, if it is near enough to be meant.
pub(crate) fn nearest(word: &str, candidates: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let limit = match word.len() {
        0..=2 => return None,
        3..=5 => 1,
        // A word this long is no mistyped command, and the distance would only cost time.
        33.. => return None,
        _ => 2,
    };
    candidates
        .map(|name| (distance(word, name), name))
        .filter(|(far, _)| *far <= limit)
        .min()
        .map(|(_, name)| name)
}

/// Edits between two words, a swap of neighbours counting as one.
fn distance(left: &str, right: &str) -> usize {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in right.iter().enumerate() {
            let mut cost = (last[j] + usize::from(a != b)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == right[j - 1] && left[i - 1] == *b {
                cost = cost.min(before_last[j - 1] + 1);
            }
            row.push(cost);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[right.len()]
}

#[cfg(test)]
mod tests {
    use super::{distance, nearest};

    #[test]
    fn a_swap_is_one_edit() {
        assert_eq!(distance("encrpyt", "encrypt"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", ""), 3);
    }

    #[test]
    fn far_words_get_no_suggestion() {
        let names = || ["encrypt", "decrypt", "set"].into_iter();
        assert_eq!(nearest("encrypts", names()), Some("encrypt"));
        assert_eq!(nearest("secrets.yaml", names()), None);
        assert_eq!(nearest("x", names()), None);
    }
}
