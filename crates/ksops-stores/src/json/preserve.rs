//! A changed tree back into the JSON text that it came from: only the bytes of what changed are others.

use ksops_core::tree::branch::{Branch, Entry, Node};
use ksops_core::value::Value;
use zeroize::Zeroizing;

use crate::align::{Pair, align};
use crate::json::emit::{self, Indent};
use crate::json::load::load_value;
use crate::json::outline::{Kind, Part, outline};
use crate::json::scan::Scanner;
use crate::misfit::Misfit;
use crate::splice::Splices;

/// Prints a tree with the layout of a text. Whoever uses it reads what came out and compares.
///
/// # Errors
/// [`Misfit`] if a value has no JSON form.
pub(crate) fn emit_like(like: &[u8], branch: &Branch) -> Result<Zeroizing<Vec<u8>>, Misfit> {
    let root = outline(like).map_err(|error| Misfit::of(&error))?;
    let mut editor = Editor { text: like, step: step(like, &root), splices: Splices::default() };
    let entries: Vec<(&[u8], &Node)> = branch.entries.iter().filter_map(item).collect();
    editor.map(&root, &entries)?;
    // Text behind the object is no part of the file for anybody, and may be secret.
    let behind = &like[root.span.end..];
    if !behind.trim_ascii().is_empty() {
        let blanks = behind.len() - behind.trim_ascii_start().len();
        editor.splices.delete(root.span.end + blanks..like.len());
    }
    editor.splices.apply(like)
}

fn item(entry: &Entry) -> Option<(&[u8], &Node)> {
    match entry {
        Entry::Item(key, node) => Some((key.as_bytes(), node)),
        Entry::Comment(_) => None,
    }
}

/// The blanks of one level: those before the first key.
fn step(text: &[u8], root: &Part) -> Vec<u8> {
    let first = root.entries().first().map_or(root.span.start, |entry| entry.start);
    let blanks = blanks_before(text, first);
    match blanks.iter().rposition(|byte| *byte == b'\n') {
        Some(at) => blanks[at + 1..].to_vec(),
        None => b"\t".to_vec(),
    }
}

/// The white space before a place.
fn blanks_before(text: &[u8], at: usize) -> &[u8] {
    let before = &text[..at];
    let start = before.iter().rposition(|byte| !byte.is_ascii_whitespace()).map_or(0, |at| at + 1);
    &before[start..]
}

struct Editor<'t> {
    text: &'t [u8],
    step: Vec<u8>,
    splices: Splices,
}

impl Editor<'_> {
    fn map(&mut self, part: &Part, entries: &[(&[u8], &Node)]) -> Result<(), Misfit> {
        let Kind::Map(items) = &part.kind else { return Ok(()) };
        let names: Vec<Zeroizing<String>> = items
            .iter()
            .map(|(key, _)| {
                Scanner::new(&self.text[key.clone()]).string().map_err(|error| Misfit::of(&error))
            })
            .collect::<Result<_, _>>()?;
        let same = |old: usize, new: usize| names[old].as_bytes() == entries[new].0;
        let pairs = align(items.len(), entries.len(), same, same);
        for (number, pair) in pairs.iter().enumerate() {
            match *pair {
                (Some(old), Some(new)) => self.value(&items[old].1, entries[new].1)?,
                (Some(old), None) => self.remove(part, old, &pairs, number),
                (None, Some(new)) => {
                    let (key, node) = entries[new];
                    self.insert(part, Some(key), node, &pairs, number)?;
                }
                (None, None) => {}
            }
        }
        Ok(())
    }

    fn list(&mut self, part: &Part, nodes: &[&Node]) -> Result<(), Misfit> {
        let Kind::List(items) = &part.kind else { return Ok(()) };
        let pairs: Vec<Pair> = if items.len() == nodes.len() {
            (0..items.len()).map(|at| (Some(at), Some(at))).collect()
        } else {
            let same = |old: usize, new: usize| self.is_same(&items[old], nodes[new]);
            align(items.len(), nodes.len(), same, same)
        };
        for (number, pair) in pairs.iter().enumerate() {
            match *pair {
                (Some(old), Some(new)) => self.value(&items[old], nodes[new])?,
                (Some(old), None) => self.remove(part, old, &pairs, number),
                (None, Some(new)) => self.insert(part, None, nodes[new], &pairs, number)?,
                (None, None) => {}
            }
        }
        Ok(())
    }

    fn value(&mut self, part: &Part, node: &Node) -> Result<(), Misfit> {
        match (&part.kind, node) {
            (Kind::Map(_), Node::Map(branch)) => {
                let entries: Vec<(&[u8], &Node)> = branch.entries.iter().filter_map(item).collect();
                if part.len() > 0 || entries.is_empty() {
                    return self.map(part, &entries);
                }
            }
            (Kind::List(_), Node::List(list)) => {
                let nodes: Vec<&Node> =
                    list.iter().filter(|node| !matches!(node, Node::Comment(_))).collect();
                if part.len() > 0 || nodes.is_empty() {
                    return self.list(part, &nodes);
                }
            }
            (Kind::Leaf, Node::Leaf(_)) if self.is_same(part, node) => return Ok(()),
            _ => {}
        }
        // Lines below are indented as the line on which the value starts.
        let line =
            self.text[..part.span.start].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let indent: Vec<u8> =
            self.text[line..].iter().copied().take_while(|byte| matches!(byte, b' ' | b'\t')).collect();
        let has_lines = blanks_before(self.text, part.span.start).contains(&b'\n') || line > 0;
        let text = self.printed(node, has_lines.then_some(&*indent))?;
        self.splices.replace(part.span.clone(), text.to_vec());
        Ok(())
    }

    fn is_same(&self, part: &Part, node: &Node) -> bool {
        let bytes = &self.text[part.span.clone()];
        match (load_value(bytes), node) {
            (Ok(Node::Leaf(old)), Node::Leaf(new)) => match (&old, new) {
                (Value::Text(old), Value::Text(new)) => old.expose() == new.expose(),
                (_, Value::Written(number)) => bytes == number.text.expose(),
                (old, new) => old.plain() == new,
            },
            (Ok(old), new) => old == *new,
            (Err(_), _) => false,
        }
    }

    /// Prints a value; with `indent`, on several lines that start with it.
    fn printed(&self, node: &Node, indent: Option<&[u8]>) -> Result<Zeroizing<Vec<u8>>, Misfit> {
        if let Node::Leaf(Value::Text(text)) = node
            && let Some(text) = text.expose_str()
        {
            return Ok(quoted(text));
        }
        let printed = emit::value(node, Indent::Tab).map_err(|error| Misfit::of(&error))?;
        let line_break: &[u8] =
            if self.text.windows(2).any(|pair| pair == b"\r\n") { b"\r\n" } else { b"\n" };
        let mut out = Zeroizing::new(Vec::with_capacity(printed.len() * 2));
        // Line breaks within strings are escaped.
        for (number, line) in printed.split('\n').enumerate() {
            let inner = line.trim_start_matches('\t');
            match indent {
                Some(indent) if number > 0 => {
                    out.extend_from_slice(line_break);
                    out.extend_from_slice(indent);
                    (0..line.len() - inner.len()).for_each(|_| out.extend_from_slice(&self.step));
                }
                None if number > 0 && out.ends_with(b",") => out.push(b' '),
                _ => {}
            }
            out.extend_from_slice(inner.as_bytes());
        }
        Ok(out)
    }

    fn remove(&mut self, part: &Part, old: usize, pairs: &[Pair], number: usize) {
        let entries = part.entries();
        let stays = |pair: &Pair| pair.1.and(pair.0);
        let after = pairs[number + 1..].iter().find_map(|pair| pair.0);
        let before = pairs[..number].iter().rev().find_map(stays);
        let range = match (before, after) {
            (_, Some(next)) => entries[old].start..entries[next].start,
            (Some(previous), None) => entries[previous].end..entries[old].end,
            (None, None) => entries[old].clone(),
        };
        self.splices.delete(range);
    }

    fn insert(
        &mut self,
        part: &Part,
        key: Option<&[u8]>,
        node: &Node,
        pairs: &[Pair],
        number: usize,
    ) -> Result<(), Misfit> {
        let entries = part.entries();
        let previous = pairs[..number].iter().rev().find_map(|pair| pair.0);
        let next = pairs[number..].iter().find_map(|pair| pair.0);
        let neighbour = previous.or(next);
        // As the first of all stands, which is on a line of its own if any is.
        let blanks = neighbour.map(|_| blanks_before(self.text, entries[0].start).to_vec());
        // What an empty object or array holds are blanks, which stay behind.
        let blanks = blanks.unwrap_or_default();
        let indent = blanks.iter().rposition(|byte| *byte == b'\n').map(|at| blanks[at + 1..].to_vec());
        let colon = match (&part.kind, neighbour) {
            (Kind::Map(items), Some(at)) => self.text[items[at].0.end..items[at].1.span.start].to_vec(),
            _ => b": ".to_vec(),
        };
        let mut text = Zeroizing::new(Vec::new());
        if let Some(key) = key {
            text.extend_from_slice(&quoted(&String::from_utf8_lossy(key)));
            text.extend_from_slice(&colon);
        }
        text.extend_from_slice(&self.printed(node, indent.as_deref())?);
        match (previous, next) {
            (Some(previous), _) => {
                let blanks = if blanks.is_empty() && key.is_none() { b" ".to_vec() } else { blanks };
                self.splices.insert(entries[previous].end, [b",", &*blanks, &**text].concat());
            }
            (None, Some(next)) => {
                self.splices.insert(entries[next].start, [&**text, b",", &*blanks].concat())
            }
            (None, None) if number > 0 => {
                return Err(Misfit::somewhere("several new values in an empty object"));
            }
            (None, None) => self.splices.insert(part.span.start + 1, text.to_vec()),
        }
        Ok(())
    }
}

/// A string with the escapes that JSON needs, and no others.
fn quoted(text: &str) -> Zeroizing<Vec<u8>> {
    // Room for the worst case, so that no copy is left behind.
    let mut out = Zeroizing::new(Vec::with_capacity(text.len() * 6 + 2));
    out.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0c => out.extend_from_slice(b"\\f"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0..=0x1f => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            byte => out.push(byte),
        }
    }
    out.push(b'"');
    out
}
