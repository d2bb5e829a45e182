//! Weakly typed reading of single fields (file-format.md section 6.4).

use std::collections::BTreeMap;

use time::OffsetDateTime;

use crate::crypto::{number, timestamp};
use crate::metadata::wire::WireError;
use crate::tree::branch::{Branch, Entry, Node};
use crate::value::Value;

/// A mapping of the block, with its name for messages.
pub(crate) struct Fields<'a> {
    branch: Option<&'a Branch>,
    name: String,
}

impl<'a> Fields<'a> {
    pub(crate) fn new(branch: &'a Branch) -> Self {
        Self { branch: Some(branch), name: String::new() }
    }

    /// The value of a field; null is as good as absent.
    ///
    /// The last one with the exact name counts, else the last one that differs in capitals only.
    fn node(&self, field: &str) -> Option<&'a Node> {
        let items = || {
            self.branch.into_iter().flat_map(|branch| branch.entries.iter().rev()).filter_map(|entry| {
                match entry {
                    Entry::Item(key, node) => Some((key, node)),
                    Entry::Comment(_) => None,
                }
            })
        };
        items()
            .find(|(key, _)| *key == field)
            .or_else(|| items().find(|(key, _)| key.as_bytes().eq_ignore_ascii_case(field.as_bytes())))
            .map(|(_, node)| node)
            .filter(|node| !matches!(node, Node::Leaf(Value::Null)))
    }

    /// Whether the field is there and not null.
    pub(crate) fn has(&self, field: &str) -> bool {
        self.node(field).is_some()
    }

    fn path(&self, field: &str) -> String {
        if self.name.is_empty() { field.to_owned() } else { format!("{}.{field}", self.name) }
    }

    /// A text; numbers, truth values and timestamps become one. Absent is empty.
    pub(crate) fn text(&self, field: &str) -> Result<String, WireError> {
        self.node(field).map_or(Ok(String::new()), |node| to_text(node, || self.path(field)))
    }

    /// A moment; timestamps and texts are accepted.
    pub(crate) fn moment(&self, field: &str) -> Result<OffsetDateTime, WireError> {
        let text = self.text(field)?;
        timestamp::parse(text.as_bytes())
            .ok_or(WireError::Time { field: self.path(field), is_empty: text.is_empty() })
    }

    /// A truth value. Absent is false.
    pub(crate) fn truth(&self, field: &str) -> Result<bool, WireError> {
        let fail = |found| WireError::Type { field: self.path(field), expected: "bool", found };
        Ok(match self.node(field) {
            None => false,
            Some(Node::Leaf(Value::Bool(truth))) => *truth,
            Some(Node::Leaf(Value::Int(int))) => *int != 0,
            Some(Node::Leaf(Value::Float(float))) => *float != 0.0,
            Some(Node::Leaf(Value::Text(text))) => match text.expose() {
                b"1" | b"t" | b"T" | b"TRUE" | b"true" | b"True" => true,
                b"" | b"0" | b"f" | b"F" | b"FALSE" | b"false" | b"False" => false,
                _ => return Err(WireError::Parse { field: self.path(field), expected: "bool" }),
            },
            Some(node) => return Err(fail(type_name(node))),
        })
    }

    /// A number that is not negative. Absent is zero; old INI files have `2.000000`.
    pub(crate) fn count(&self, field: &str) -> Result<usize, WireError> {
        let parse = || WireError::Parse { field: self.path(field), expected: "int" };
        let float = match self.node(field) {
            None => return Ok(0),
            Some(Node::Leaf(Value::Int(int))) => return usize::try_from(*int).map_err(|_| parse()),
            Some(Node::Leaf(Value::Bool(truth))) => return Ok(usize::from(*truth)),
            Some(Node::Leaf(Value::Float(float))) => *float,
            Some(Node::Leaf(Value::Text(text))) if text.is_empty() => return Ok(0),
            Some(Node::Leaf(Value::Text(text))) => number::parse_float(text.expose())
                .ok()
                .filter(|float| float.fract() == 0.0)
                .ok_or_else(parse)?,
            Some(node) => {
                let found = type_name(node);
                return Err(WireError::Type { field: self.path(field), expected: "int", found });
            }
        };
        // Thresholds go up to 255; anything that a float cannot tell exactly is out of the question.
        if (0.0..=65_535.0).contains(&float) { Ok(float as usize) } else { Err(parse()) }
    }

    /// The mappings of a list. Absent is empty, a single mapping is a list of one.
    pub(crate) fn list(&self, field: &str) -> Result<Vec<Fields<'a>>, WireError> {
        let name = self.path(field);
        let element = |index: usize, node: &'a Node| {
            let name = format!("{name}[{index}]");
            match node {
                Node::Map(branch) => Ok(Fields { branch: Some(branch), name }),
                Node::Leaf(Value::Null) => Ok(Fields { branch: None, name }),
                node => Err(WireError::Type { field: name, expected: "map", found: type_name(node) }),
            }
        };
        match self.node(field) {
            None => Ok(Vec::new()),
            Some(Node::List(list)) => list
                .iter()
                .filter(|node| !matches!(node, Node::Comment(_)))
                .enumerate()
                .map(|(index, node)| element(index, node))
                .collect(),
            Some(Node::Map(branch)) if branch.entries.is_empty() => Ok(Vec::new()),
            Some(node) => Ok(vec![element(0, node)?]),
        }
    }

    /// A mapping of texts whose values may be null. Absent is empty.
    pub(crate) fn texts(&self, field: &str) -> Result<BTreeMap<String, Option<String>>, WireError> {
        let branch = match self.node(field) {
            None => return Ok(BTreeMap::new()),
            Some(Node::Map(branch)) => branch,
            Some(Node::List(list)) if list.is_empty() => return Ok(BTreeMap::new()),
            Some(node) => {
                let found = type_name(node);
                return Err(WireError::Type { field: self.path(field), expected: "map", found });
            }
        };
        let pairs = branch.entries.iter().filter_map(|entry| match entry {
            Entry::Item(key, node) => Some((key, node)),
            Entry::Comment(_) => None,
        });
        pairs
            .map(|(key, node)| {
                let value = match node {
                    Node::Leaf(Value::Null) => None,
                    node => Some(to_text(node, || format!("{}[{key}]", self.path(field)))?),
                };
                Ok((key.to_string(), value))
            })
            .collect()
    }
}

fn to_text(node: &Node, path: impl Fn() -> String) -> Result<String, WireError> {
    Ok(match node {
        Node::Leaf(Value::Text(text)) => match text.expose_str() {
            Some(text) => text.to_owned(),
            None => return Err(WireError::Parse { field: path(), expected: "UTF-8 text" }),
        },
        Node::Leaf(Value::Int(int)) => int.to_string(),
        Node::Leaf(Value::Float(float)) => {
            let mut text = Vec::new();
            number::write_float(*float, &mut text);
            String::from_utf8_lossy(&text).into_owned()
        }
        Node::Leaf(Value::Bool(truth)) => if *truth { "1" } else { "0" }.to_owned(),
        Node::Leaf(Value::Timestamp(moment)) => timestamp::to_text(*moment)
            .ok_or_else(|| WireError::Type { field: path(), expected: "string", found: "time.Time" })?,
        node => return Err(WireError::Type { field: path(), expected: "string", found: type_name(node) }),
    })
}

fn type_name(node: &Node) -> &'static str {
    match node {
        Node::Leaf(value) => value.type_name(),
        Node::Map(_) => "map",
        Node::List(_) => "list",
        Node::Comment(_) => "comment",
    }
}
