//! Takes one part out of a document: the path grammar of `--extract` (cli-and-config.md section 2.2).

use ksops_core::tree::branch::{Branch, Entry, Node};

/// A step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathPart {
    /// The key of a mapping.
    Key(String),
    /// The position in a list, from 0; comments count, as upstream has it. Negative ones are nowhere.
    Index(i64),
}

/// A path that cannot be read (exit status 91).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    /// A step without its closing bracket.
    #[error("component {0} doesn't end with ]")]
    Unclosed(String),
    /// Nothing between the brackets, or a lone quote.
    #[error("component [{0}] is empty")]
    Empty(String),
    /// Neither a quoted key nor a number.
    #[error("component [{0}] is neither a key in quotes nor a number")]
    NotANumber(String),
}

/// A path that leads nowhere (exit status 1).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExtractError {
    /// There is no such key.
    #[error("error truncating tree: component ['{0}'] not found")]
    NoKey(String),
    /// The list is shorter.
    #[error("error truncating tree: component [{0}] accesses out of bounds")]
    OutOfBounds(i64),
    /// A position in something that is no list.
    #[error("error truncating tree: component [{0}] is integer, but tree part is not a slice")]
    NotAList(i64),
    /// A key in something that is no mapping.
    #[error("error truncating tree: component ['{0}'] is a key, but tree part is not a mapping")]
    NotAMapping(String),
}

/// Reads a path such as `["a"]["b"][0]`. Keys have no escapes: the first and last character between the brackets
/// are taken off. An empty text is an empty path.
///
/// # Errors
/// [`PathError`] for anything else.
///
/// ```
/// use ksops::extract::{PathPart, parse};
///
/// let path = parse(r#"["a"][0]"#)?;
/// assert_eq!(path, [PathPart::Key("a".into()), PathPart::Index(0)]);
/// # Ok::<(), ksops::extract::PathError>(())
/// ```
pub fn parse(text: &str) -> Result<Vec<PathPart>, PathError> {
    text.split('[').filter(|piece| !piece.is_empty()).map(parse_part).collect()
}

fn parse_part(piece: &str) -> Result<PathPart, PathError> {
    let inner = piece.strip_suffix(']').ok_or_else(|| PathError::Unclosed(piece.to_owned()))?;
    if inner.starts_with(['"', '\'']) {
        let mut characters = inner.chars();
        characters.next();
        characters.next_back().ok_or_else(|| PathError::Empty(inner.to_owned()))?;
        return Ok(PathPart::Key(characters.as_str().to_owned()));
    }
    if inner.is_empty() {
        return Err(PathError::Empty(String::new()));
    }
    inner.parse().map(PathPart::Index).map_err(|_| PathError::NotANumber(inner.to_owned()))
}

/// Takes the part at `path` out of `root`.
///
/// # Errors
/// [`ExtractError`] if there is none.
pub fn find(root: Node, path: &[PathPart]) -> Result<Node, ExtractError> {
    path.iter().try_fold(root, step)
}

fn step(node: Node, part: &PathPart) -> Result<Node, ExtractError> {
    match (part, node) {
        (PathPart::Key(key), Node::Map(branch)) => {
            take_item(branch, key).ok_or_else(|| ExtractError::NoKey(key.clone()))
        }
        (PathPart::Key(key), _) => Err(ExtractError::NotAMapping(key.clone())),
        (PathPart::Index(index), Node::List(items)) => {
            let position = usize::try_from(*index).map_err(|_| ExtractError::OutOfBounds(*index))?;
            items.into_iter().nth(position).ok_or(ExtractError::OutOfBounds(*index))
        }
        (PathPart::Index(index), _) => Err(ExtractError::NotAList(*index)),
    }
}

fn take_item(branch: Branch, key: &str) -> Option<Node> {
    branch.entries.into_iter().find_map(|entry| match entry {
        Entry::Item(name, node) if name == *key => Some(node),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use ksops_core::tree::branch::{Branch, Entry, Node};
    use ksops_core::value::Value;

    use super::{ExtractError, PathError, PathPart, find, parse};

    #[test]
    fn reads_paths_as_upstream_does() {
        assert_eq!(parse(""), Ok(vec![]));
        assert_eq!(parse(r#"["a]b"]['c'][+2]"#).map(|path| path.len()), Ok(3));
        assert_eq!(parse(r#"["a']"#), Ok(vec![PathPart::Key("a".into())]));
        assert_eq!(parse("a"), Err(PathError::Unclosed("a".into())));
        assert_eq!(parse(r#"["a"] ["b"]"#), Err(PathError::Unclosed(r#""a"] "#.into())));
        assert_eq!(parse("[]"), Err(PathError::Empty(String::new())));
        assert_eq!(parse(r#"["]"#), Err(PathError::Empty("\"".into())));
        assert_eq!(parse("[x]"), Err(PathError::NotANumber("x".into())));
    }

    #[test]
    fn a_path_that_leads_nowhere_says_where_it_ends() {
        let tree = || {
            let list = Node::List(vec![Node::Leaf(Value::Int(1))]);
            Node::Map(Branch { entries: vec![Entry::Item("l".into(), list)] })
        };
        let at = |path: &str| find(tree(), &parse(path).expect("a path"));
        assert_eq!(at(r#"["l"][0]"#), Ok(Node::Leaf(Value::Int(1))));
        assert_eq!(at(r#"["x"]"#), Err(ExtractError::NoKey("x".into())));
        assert_eq!(at(r#"["l"][1]"#), Err(ExtractError::OutOfBounds(1)));
        assert_eq!(at(r#"["l"][-1]"#), Err(ExtractError::OutOfBounds(-1)));
        assert_eq!(at("[0]"), Err(ExtractError::NotAList(0)));
        assert_eq!(at(r#"["l"]["x"]"#), Err(ExtractError::NotAMapping("x".into())));
    }
}
