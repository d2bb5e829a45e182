//! Flat names and their parts.

use std::num::IntErrorKind;

const MAP: &[u8] = b"__map_";
const LIST: &[u8] = b"__list_";

/// How many parts a name may have; metadata has up to six. Nothing recurses deeper.
pub(crate) const MAX_PARTS: usize = 32;

/// A part of a flat name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Part<'a> {
    /// A key of a mapping.
    Key(&'a [u8]),
    /// An index of a list.
    Index(i64),
}

impl Part<'_> {
    /// Appends the part to a name; the first one has no separator.
    pub(crate) fn write(self, is_first: bool, name: &mut Vec<u8>) {
        match self {
            Self::Key(key) => {
                name.extend_from_slice(if is_first { b"" } else { MAP });
                name.extend_from_slice(key);
            }
            Self::Index(index) => {
                name.extend_from_slice(LIST);
                name.extend_from_slice(index.to_string().as_bytes());
            }
        }
    }
}

/// The parts of a name, of which the first is a key; there is at least one.
pub(crate) struct Parts<'a> {
    rest: Option<&'a [u8]>,
    is_index: bool,
}

/// Parts a name.
pub(crate) fn parts(name: &[u8]) -> Parts<'_> {
    Parts { rest: Some(name), is_index: false }
}

impl<'a> Iterator for Parts<'a> {
    type Item = Part<'a>;

    fn next(&mut self) -> Option<Part<'a>> {
        let rest = self.rest?;
        let is_index = self.is_index;
        let end = (0..rest.len()).find(|at| rest[*at..].starts_with(MAP) || rest[*at..].starts_with(LIST));
        let text = match end {
            None => {
                self.rest = None;
                rest
            }
            Some(end) => {
                self.is_index = rest[end..].starts_with(LIST);
                let separator = if self.is_index { LIST.len() } else { MAP.len() };
                self.rest = Some(&rest[end + separator..]);
                &rest[..end]
            }
        };
        Some(if is_index { Part::Index(index(text)) } else { Part::Key(text) })
    }
}

/// Reads an index as upstream does: 0 if it is no number, the nearest one if it is too large.
fn index(text: &[u8]) -> i64 {
    let Ok(text) = std::str::from_utf8(text) else { return 0 };
    text.parse().unwrap_or_else(|error: std::num::ParseIntError| match error.kind() {
        IntErrorKind::PosOverflow => i64::MAX,
        IntErrorKind::NegOverflow => i64::MIN,
        _ => 0,
    })
}

/// A name for messages.
pub(crate) fn shown(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}

#[cfg(test)]
mod tests {
    use super::{Part, parts};

    #[test]
    fn parts_at_each_separator_from_the_left() {
        let of = |name: &'static str| parts(name.as_bytes()).collect::<Vec<_>>();
        assert_eq!(of("mac"), [Part::Key(b"mac")]);
        assert_eq!(of("age__list_10__map_enc"), [Part::Key(b"age"), Part::Index(10), Part::Key(b"enc")]);
        assert_eq!(of("a___map_b"), [Part::Key(b"a_"), Part::Key(b"b")]);
        assert_eq!(of("a__map__map_b"), [Part::Key(b"a"), Part::Key(b"_map_b")]);
        assert_eq!(of(""), [Part::Key(b"")]);
        assert_eq!(of("__list_x"), [Part::Key(b""), Part::Index(0)]);
        assert_eq!(of("__list_+1"), [Part::Key(b""), Part::Index(1)]);
        assert_eq!(of("__list_99999999999999999999"), [Part::Key(b""), Part::Index(i64::MAX)]);
    }
}
