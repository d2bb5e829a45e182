//! Which entry of a changed collection is which of the old one.

/// The most comparisons that are worth a smaller change.
const MOST: usize = 4_000_000;

/// An old entry, a new one, or both, by their numbers.
pub type Pair = (Option<usize>, Option<usize>);

/// Pairs the entries: those at both ends that are `alike`, of the rest the longest run that is `same`, and what is left
/// between in its order where it is `alike`.
#[must_use]
pub fn align(
    old: usize,
    new: usize,
    alike: impl Fn(usize, usize) -> bool,
    same: impl Fn(usize, usize) -> bool,
) -> Vec<Pair> {
    let shorter = old.min(new);
    let start = (0..shorter).take_while(|at| alike(*at, *at)).count();
    let end = (0..shorter - start).take_while(|at| alike(old - 1 - at, new - 1 - at)).count();
    let mut pairs: Vec<Pair> = (0..start).map(|at| (Some(at), Some(at))).collect();
    middle((start, old - end), (start, new - end), &alike, &same, &mut pairs);
    pairs.extend((0..end).map(|at| (Some(old - end + at), Some(new - end + at))));
    pairs
}

fn middle(
    (old_start, old_end): (usize, usize),
    (new_start, new_end): (usize, usize),
    alike: &impl Fn(usize, usize) -> bool,
    same: &impl Fn(usize, usize) -> bool,
    pairs: &mut Vec<Pair>,
) {
    let (rows, columns) = (old_end - old_start, new_end - new_start);
    let mut gap = (old_start, new_start);
    if rows > 0 && columns > 0 && rows.saturating_mul(columns) <= MOST {
        // The length of the longest common run from each pair on.
        let width = columns + 1;
        let mut lengths = vec![0_u32; (rows + 1) * width];
        let mut equal = vec![false; rows * columns];
        for row in (0..rows).rev() {
            for column in (0..columns).rev() {
                let is_same = same(old_start + row, new_start + column);
                equal[row * columns + column] = is_same;
                lengths[row * width + column] = if is_same {
                    lengths[(row + 1) * width + column + 1] + 1
                } else {
                    lengths[(row + 1) * width + column].max(lengths[row * width + column + 1])
                };
            }
        }
        let (mut row, mut column) = (0, 0);
        while row < rows && column < columns {
            if equal[row * columns + column] {
                between(gap, (old_start + row, new_start + column), alike, pairs);
                pairs.push((Some(old_start + row), Some(new_start + column)));
                (row, column) = (row + 1, column + 1);
                gap = (old_start + row, new_start + column);
            } else if lengths[(row + 1) * width + column] >= lengths[row * width + column + 1] {
                row += 1;
            } else {
                column += 1;
            }
        }
    }
    between(gap, (old_end, new_end), alike, pairs);
}

/// Pairs what has nothing that is the same: in turn as long as it is alike.
fn between(
    (mut old, mut new): (usize, usize),
    (old_end, new_end): (usize, usize),
    alike: &impl Fn(usize, usize) -> bool,
    pairs: &mut Vec<Pair>,
) {
    while old < old_end && new < new_end && alike(old, new) {
        pairs.push((Some(old), Some(new)));
        (old, new) = (old + 1, new + 1);
    }
    pairs.extend((old..old_end).map(|old| (Some(old), None)));
    pairs.extend((new..new_end).map(|new| (None, Some(new))));
}

#[cfg(test)]
mod tests {
    use super::align;

    fn pairs(old: &str, new: &str) -> String {
        let (old, new): (Vec<char>, Vec<char>) = (old.chars().collect(), new.chars().collect());
        let same = |a: usize, b: usize| old[a] == new[b];
        let found = align(old.len(), new.len(), same, same);
        found
            .into_iter()
            .map(|pair| match pair {
                (Some(at), Some(_)) => old[at].to_string(),
                (Some(at), None) => format!("-{}", old[at]),
                (None, Some(at)) => format!("+{}", new[at]),
                (None, None) => String::new(),
            })
            .collect()
    }

    #[test]
    fn finds_what_was_added_and_taken_away() {
        assert_eq!(pairs("abc", "abc"), "abc");
        assert_eq!(pairs("abc", "axbc"), "a+xbc");
        assert_eq!(pairs("abcd", "acd"), "a-bcd");
        assert_eq!(pairs("abcdef", "xbdyef"), "-a+xb-cd+yef");
        assert_eq!(pairs("", "ab"), "+a+b");
        assert_eq!(pairs("ab", ""), "-a-b");
    }
}
