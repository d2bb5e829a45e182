//! Changing one part of a document: `set` and `unset` (cli-and-config.md section 2.4).

use ksops_core::tree::branch::{Branch, Entry, Node};
use ksops_core::value::Value;
use ksops_stores::json::load::{JsonError, load_value};

use crate::extract::PathPart;

/// A path that cannot be followed to change something (exit status 7).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeError {
    /// There is no path.
    #[error("the path is empty: it must name a key or a position")]
    EmptyPath,
    /// A position in a mapping.
    #[error("component [{0}] is a position, but that part of the document is a mapping")]
    PositionInMapping(i64),
    /// A key in a list.
    #[error("component [{0:?}] is a key, but that part of the document is a list")]
    KeyInList(String),
    /// A position before the first.
    #[error("component [{0}] is negative")]
    Negative(i64),
}

/// Why nothing was removed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnsetError {
    /// The path cannot be followed (exit status 7).
    #[error(transparent)]
    Path(#[from] ChangeError),
    /// There is no such key (exit status 1).
    #[error("Key not found: {0}")]
    NoKey(String),
    /// The list is shorter (exit status 1).
    #[error("Index {0} out of bounds")]
    OutOfBounds(i64),
    /// The path leads through a scalar (exit status 1).
    #[error("Unsupported type: {found} for item '{part}'")]
    Scalar {
        /// The type of the scalar.
        found: &'static str,
        /// The step that leads into it.
        part: String,
    },
}

impl UnsetError {
    /// Whether there was nothing to remove.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::NoKey(_) | Self::OutOfBounds(_))
    }
}

/// Reads the new value for [`set`]: one JSON text. Whole numbers are integers, and a number that JSON would print
/// otherwise is refused by [`save`](crate::save::save) unless it is to become a string.
///
/// # Errors
/// [`JsonError`] if it is no JSON.
pub fn value(text: &[u8]) -> Result<Node, JsonError> {
    load_value(text)
}

/// Puts `value` at `path`. Keys that are missing are added at the end, a position at or behind the end of a list
/// appends, and a scalar on the way is replaced. Says whether anything is different now.
///
/// # Errors
/// [`ChangeError`]; the document is then as it was.
pub fn set(branch: &mut Branch, path: &[PathPart], value: Node) -> Result<bool, ChangeError> {
    check(branch, path)?;
    let Some((PathPart::Key(key), rest)) = path.split_first() else { return Err(ChangeError::EmptyPath) };
    let place = rest.iter().fold(slot(branch, key), |place, part| below(place?, part));
    match place {
        Some(place) if *place != value => {
            *place = value;
            Ok(true)
        }
        _ => Ok(false),
    }
}

/// Follows the path as far as there is something, before anything is changed.
fn check(branch: &Branch, path: &[PathPart]) -> Result<(), ChangeError> {
    if path.is_empty() {
        return Err(ChangeError::EmptyPath);
    }
    if let Some(negative) = path.iter().find_map(|part| match part {
        PathPart::Index(index) if *index < 0 => Some(*index),
        _ => None,
    }) {
        return Err(ChangeError::Negative(negative));
    }
    let mut at = At::Map(branch);
    for part in path {
        at = match (part, at) {
            (PathPart::Index(index), At::Map(_)) => return Err(ChangeError::PositionInMapping(*index)),
            (PathPart::Key(key), At::List(_)) => return Err(ChangeError::KeyInList(key.clone())),
            (PathPart::Key(key), At::Map(branch)) => At::of(branch.node(key)),
            (PathPart::Index(index), At::List(items)) => {
                At::of(usize::try_from(*index).ok().and_then(|index| items.get(index)))
            }
            (_, At::Nothing) => At::Nothing,
        };
    }
    Ok(())
}

enum At<'a> {
    Map(&'a Branch),
    List(&'a [Node]),
    Nothing,
}

impl<'a> At<'a> {
    fn of(node: Option<&'a Node>) -> Self {
        match node {
            Some(Node::Map(branch)) => Self::Map(branch),
            Some(Node::List(items)) => Self::List(items),
            _ => Self::Nothing,
        }
    }
}

/// The place of a key, made if it is missing.
fn slot<'b>(branch: &'b mut Branch, key: &str) -> Option<&'b mut Node> {
    let found = branch.entries.iter().position(|entry| matches!(entry, Entry::Item(name, _) if name == key));
    let at = found.unwrap_or_else(|| {
        branch.entries.push(Entry::Item(key.into(), Node::Leaf(Value::Null)));
        branch.entries.len() - 1
    });
    match branch.entries.get_mut(at) {
        Some(Entry::Item(_, node)) => Some(node),
        _ => None,
    }
}

/// The place of `part` in `node`, which becomes a mapping or list if it is none.
fn below<'n>(node: &'n mut Node, part: &PathPart) -> Option<&'n mut Node> {
    match part {
        PathPart::Key(key) => {
            if !matches!(node, Node::Map(_)) {
                *node = Node::Map(Branch::default());
            }
            match node {
                Node::Map(branch) => slot(branch, key),
                _ => None,
            }
        }
        PathPart::Index(index) => {
            if !matches!(node, Node::List(_)) {
                *node = Node::List(Vec::new());
            }
            let Node::List(items) = node else { return None };
            let at = usize::try_from(*index).unwrap_or(usize::MAX).min(items.len());
            if at == items.len() {
                items.push(Node::Leaf(Value::Null));
            }
            items.get_mut(at)
        }
    }
}

/// Takes away what stands at `path`.
///
/// # Errors
/// [`UnsetError`]; the document is then as it was.
pub fn unset(branch: &mut Branch, path: &[PathPart]) -> Result<(), UnsetError> {
    let Some((last, way)) = path.split_last() else { return Err(ChangeError::EmptyPath.into()) };
    let mut here = Here::Map(branch);
    for part in way {
        here = match here.step(part)? {
            Node::Map(branch) => Here::Map(branch),
            Node::List(items) => Here::List(items),
            Node::Leaf(value) => Here::Scalar(value.type_name()),
            Node::Comment(_) => Here::Scalar("comment"),
        };
    }
    match (here, last) {
        (Here::Map(branch), PathPart::Key(key)) => {
            let at = branch
                .entries
                .iter()
                .position(|entry| matches!(entry, Entry::Item(name, _) if name == &**key));
            let at = at.ok_or_else(|| UnsetError::NoKey(key.clone()))?;
            branch.entries.remove(at);
            Ok(())
        }
        (Here::List(items), PathPart::Index(index)) => {
            let at = position(items, *index)?;
            items.remove(at);
            Ok(())
        }
        (here, part) => here.step(part).map(|_| ()),
    }
}

enum Here<'a> {
    Map(&'a mut Branch),
    List(&'a mut Vec<Node>),
    Scalar(&'static str),
}

impl<'a> Here<'a> {
    fn step(self, part: &PathPart) -> Result<&'a mut Node, UnsetError> {
        match (self, part) {
            (Self::Map(branch), PathPart::Key(key)) => {
                let items = branch.entries.iter_mut().filter_map(|entry| match entry {
                    Entry::Item(name, node) if name == &**key => Some(node),
                    _ => None,
                });
                items.into_iter().next().ok_or_else(|| UnsetError::NoKey(key.clone()))
            }
            (Self::List(items), PathPart::Index(index)) => {
                let at = position(items, *index)?;
                items.get_mut(at).ok_or(UnsetError::OutOfBounds(*index))
            }
            (Self::Map(_), PathPart::Index(index)) => Err(ChangeError::PositionInMapping(*index).into()),
            (Self::List(_), PathPart::Key(key)) => Err(ChangeError::KeyInList(key.clone()).into()),
            (Self::Scalar(found), part) => {
                let part = match part {
                    PathPart::Key(key) => key.clone(),
                    PathPart::Index(index) => index.to_string(),
                };
                Err(UnsetError::Scalar { found, part })
            }
        }
    }
}

fn position(items: &[Node], index: i64) -> Result<usize, UnsetError> {
    if index < 0 {
        return Err(ChangeError::Negative(index).into());
    }
    usize::try_from(index).ok().filter(|at| *at < items.len()).ok_or(UnsetError::OutOfBounds(index))
}

#[cfg(test)]
mod tests {
    use ksops_core::tree::branch::{Branch, Node};

    use super::{ChangeError, UnsetError, set, unset, value};
    use crate::extract::parse;

    fn tree(text: &str) -> Branch {
        match value(text.as_bytes()).expect("JSON") {
            Node::Map(branch) => branch,
            _ => Branch::default(),
        }
    }

    fn after_set(text: &str, path: &str, new: &str) -> Branch {
        let mut branch = tree(text);
        let new = value(new.as_bytes()).expect("JSON");
        assert_eq!(set(&mut branch, &parse(path).expect("a path"), new), Ok(true));
        branch
    }

    #[test]
    fn set_replaces_adds_appends_and_builds_what_is_missing() {
        let text = r#"{"a":1,"l":["x","y"]}"#;
        assert_eq!(after_set(text, r#"["a"]"#, "true"), tree(r#"{"a":true,"l":["x","y"]}"#));
        assert_eq!(after_set(text, r#"["b"]["c"]"#, "2"), tree(r#"{"a":1,"l":["x","y"],"b":{"c":2}}"#));
        assert_eq!(after_set(text, r#"["l"][9]"#, "[3]"), tree(r#"{"a":1,"l":["x","y",[3]]}"#));
        assert_eq!(after_set(text, r#"["a"]["k"][5]"#, "1"), tree(r#"{"a":{"k":[1]},"l":["x","y"]}"#));
    }

    #[test]
    fn setting_the_same_is_no_change() {
        let mut branch = tree(r#"{"a":{"b":1,"c":2}}"#);
        let same = value(br#"{"b":1,"c":2}"#).expect("JSON");
        let other = value(br#"{"c":2,"b":1}"#).expect("JSON");
        let path = parse(r#"["a"]"#).expect("a path");
        assert_eq!(set(&mut branch, &path, same), Ok(false));
        assert_eq!(set(&mut branch, &path, other), Ok(true));
    }

    #[test]
    fn a_path_that_does_not_fit_changes_nothing() {
        let text = r#"{"a":{"b":[1]}}"#;
        let cases = [
            ("", ChangeError::EmptyPath),
            ("[0]", ChangeError::PositionInMapping(0)),
            (r#"["a"]["b"]["x"]"#, ChangeError::KeyInList("x".into())),
            (r#"["a"]["b"][-1]"#, ChangeError::Negative(-1)),
            (r#"["n"]["b"][-1]"#, ChangeError::Negative(-1)),
        ];
        for (path, error) in cases {
            let mut branch = tree(text);
            let path = parse(path).expect("a path");
            assert_eq!(set(&mut branch, &path, value(b"1").expect("JSON")), Err(error));
            assert_eq!(branch, tree(text));
        }
    }

    #[test]
    fn unset_removes_or_says_what_is_not_there() {
        let text = r#"{"a":{"b":[1,2]},"s":"x"}"#;
        let mut branch = tree(text);
        assert_eq!(unset(&mut branch, &parse(r#"["a"]["b"][0]"#).expect("a path")), Ok(()));
        assert_eq!(branch, tree(r#"{"a":{"b":[2]},"s":"x"}"#));
        let cases = [
            (r#"["q"]"#, UnsetError::NoKey("q".into())),
            (r#"["a"]["b"][7]"#, UnsetError::OutOfBounds(7)),
            (r#"["s"]["q"]"#, UnsetError::Scalar { found: "string", part: "q".into() }),
            (r#"["a"]["b"]["q"]"#, ChangeError::KeyInList("q".into()).into()),
            ("", ChangeError::EmptyPath.into()),
        ];
        for (path, error) in cases {
            let mut branch = tree(text);
            assert_eq!(unset(&mut branch, &parse(path).expect("a path")), Err(error));
            assert_eq!(branch, tree(text));
        }
    }

    #[test]
    fn a_value_is_one_json_text() {
        for text in ["", "  ", "text", "1 2", "[1", r#"{"a":1,"a":2}"#, "1}"] {
            assert!(value(text.as_bytes()).is_err(), "{text}");
        }
    }
}
