//! Prints trees, in the form that `tests/oracle/yaml-emit` describes, to be compared with sops's own printer.

use std::io::{BufRead, Write};

use ksops_core::crypto::timestamp;
use ksops_core::secret::SecretBytes;
use ksops_core::tree::branch::{Branch, Comment, Entry, Key, Node};
use ksops_core::value::Value;
use ksops_stores::yaml::emit::{YamlWriter, emit_value};
use ksops_stores::yaml::load::load;
use serde_json::Value as Json;

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        match answer(&line?) {
            Ok(text) => {
                for byte in text.bytes() {
                    write!(out, "{byte:02x}")?;
                }
                writeln!(out)?;
            }
            Err(problem) => writeln!(out, "!{problem:?}")?,
        }
        out.flush()?;
    }
    Ok(())
}

fn answer(line: &str) -> Result<String, String> {
    let asked: Json = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let indent = asked["indent"].as_i64().unwrap_or(0);
    if asked["value"].is_object() {
        let text = emit_value(&node(&asked["value"])).map_err(|error| error.to_string())?;
        return Ok(text.to_string());
    }
    let mut branches: Vec<Branch> = array(&asked["documents"]).iter().map(|map| branch(&map["m"])).collect();
    if asked["reload"] == true {
        // What the other side printed, read and printed again.
        branches = load(&hex(&asked["printed"])).map_err(|error| error.to_string())?;
    }
    let mut writer = YamlWriter::new(indent).map_err(|error| error.to_string())?;
    for branch in &branches {
        writer.branch(branch).map_err(|error| error.to_string())?;
    }
    let text = writer.finish();
    if asked["check"] == true {
        let mut again = load(text.as_bytes()).map_err(|error| format!("not readable: {error}"))?;
        again.iter_mut().chain(branches.iter_mut()).for_each(|branch| bare_map(&mut branch.entries));
        if format!("{again:?}") != format!("{branches:?}") || again != branches {
            return Err("reads back as something else".into());
        }
    }
    Ok(text.to_string())
}

/// Takes the comments out, and floats that look like integers: what may change on the way.
fn bare_map(entries: &mut Vec<Entry>) {
    entries.retain(|entry| matches!(entry, Entry::Item(..)));
    for entry in entries {
        if let Entry::Item(_, node) = entry {
            bare(node);
        }
    }
}

fn bare(node: &mut Node) {
    match node {
        Node::Map(branch) => bare_map(&mut branch.entries),
        Node::List(list) => {
            list.retain(|node| !matches!(node, Node::Comment(_)));
            list.iter_mut().for_each(bare);
        }
        Node::Leaf(Value::Float(float)) if float.is_nan() => *node = Node::Leaf(Value::text("nan")),
        Node::Leaf(Value::Float(float)) if float.fract() == 0.0 && float.abs() < 1e6 && *float != 0.0 => {
            *node = Node::Leaf(Value::Int(*float as i64));
        }
        Node::Leaf(Value::Float(float)) if *float == 0.0 && float.is_sign_positive() => {
            *node = Node::Leaf(Value::Int(0));
        }
        _ => {}
    }
}

fn array(json: &Json) -> &[Json] {
    json.as_array().map_or(&[], Vec::as_slice)
}

fn hex(json: &Json) -> Vec<u8> {
    let digits = json.as_str().unwrap_or_default();
    (0..digits.len() / 2)
        .map(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).unwrap_or_default())
        .collect()
}

fn branch(entries: &Json) -> Branch {
    let entries = array(entries).iter().map(|entry| {
        if entry["c"].is_string() {
            Entry::Comment(comment(entry))
        } else {
            Entry::Item(Key::from(hex(&entry["k"]).as_slice()), node(&entry["v"]))
        }
    });
    Branch { entries: entries.collect() }
}

fn comment(json: &Json) -> Comment {
    Comment { text: SecretBytes::new(hex(&json["c"])), inline: json["inline"] == true }
}

fn node(json: &Json) -> Node {
    let text = |name: &str| json[name].as_str().unwrap_or_default();
    let Some(kind) = json.as_object().and_then(|object| object.keys().next()) else {
        return Node::Leaf(Value::Null);
    };
    let value = match kind.as_str() {
        "m" => return Node::Map(branch(&json["m"])),
        "l" => return Node::List(array(&json["l"]).iter().map(node).collect()),
        "c" => return Node::Comment(comment(json)),
        "s" => Value::Text(SecretBytes::new(hex(&json["s"]))),
        "i" => Value::Int(text("i").parse().unwrap_or_default()),
        "f" => Value::Float(text("f").parse().unwrap_or_default()),
        "b" => Value::Bool(json["b"] == true),
        "t" => timestamp::parse(text("t").as_bytes()).map_or(Value::Null, Value::Timestamp),
        _ => Value::Null,
    };
    Node::Leaf(value)
}
