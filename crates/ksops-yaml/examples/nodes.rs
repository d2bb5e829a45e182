//! Prints the node trees of texts, in the form of `tests/oracle/yaml-nodes`, to be compared with go-yaml's.

use std::fmt::Write as _;
use std::io::{BufRead, Write};

use ksops_yaml::input;
use ksops_yaml::parser::{Limits, Parser};
use ksops_yaml::resolve::{Scalar, resolve};
use ksops_yaml::strict::check_mapping;
use ksops_yaml::syntax::{CollectionStyle, Comments, Content, Document, NodeId, ScalarStyle};

fn hex(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let bytes: Vec<u8> = (0..line.len() / 2)
            .map(|at| u8::from_str_radix(&line[2 * at..2 * at + 2], 16).unwrap_or(0))
            .collect();
        writeln!(out, "{}", answer(&bytes))?;
        out.flush()?;
    }
    Ok(())
}

fn answer(bytes: &[u8]) -> String {
    let text = match input::decode(bytes) {
        Ok(text) => text,
        Err(error) => return format!("{}\t error {}", hex(&error.to_string()), hex(&error.to_string())),
    };
    let mut strict = "EOF".to_owned();
    let mut documents = String::new();
    let mut end = " end".to_owned();
    for (number, document) in Parser::new(&text, Limits::default()).enumerate() {
        match document {
            Ok(document) => {
                if number == 0 {
                    strict = check_mapping(&document, &text)
                        .map_or_else(|error| error.to_string(), |()| "ok".into());
                }
                let root = document.root().map_or(String::new(), |root| print(&document, root));
                let _ = write!(documents, "(1 0    {}{root})", comments(&document.comments));
            }
            Err(error) => {
                if number == 0 {
                    strict = error.to_string();
                }
                end = format!(" error {}", hex(&error.to_string()));
            }
        }
    }
    format!("{}\t{documents}{end}", hex(&strict))
}

fn comments(comments: &Comments<'_>) -> String {
    format!("{} {} {}", hex(&comments.head), hex(&comments.line), hex(&comments.foot))
}

fn print(document: &Document<'_>, id: NodeId) -> String {
    let node = document.node(id);
    let own = node.comments.as_deref().cloned().unwrap_or_default();
    let (kind, style, value, children) = match &node.content {
        Content::Scalar(text, style) => {
            let style = match style {
                ScalarStyle::Plain => 0,
                ScalarStyle::DoubleQuoted => 2,
                ScalarStyle::SingleQuoted => 4,
                ScalarStyle::Literal => 8,
                ScalarStyle::Folded => 16,
            };
            (8, style, text.as_ref(), &[][..])
        }
        Content::Sequence(children, style) => (2, flow(*style), "", children.as_slice()),
        Content::Mapping(children, style) => (4, flow(*style), "", children.as_slice()),
        Content::Alias(_) => (16, 0, "", &[][..]),
    };
    let tag = node.tag.as_deref().unwrap_or_default();
    let anchor = node.anchor.as_deref().unwrap_or_default();
    let mut out = format!("({kind} {style} {} {} {} {}", hex(tag), hex(value), hex(anchor), comments(&own));
    for child in children {
        out.push_str(&print(document, *child));
    }
    if kind == 8 {
        out.push_str(match resolve(node) {
            Ok(Scalar::Null) => " <nil>",
            Ok(Scalar::Bool(_)) => " bool",
            Ok(Scalar::Int(_)) => " int",
            Ok(Scalar::UInt(_)) => " uint64",
            Ok(Scalar::Float(_)) => " float64",
            Ok(Scalar::Timestamp(_)) => " time.Time",
            Ok(Scalar::Merge | Scalar::Text(_) | Scalar::Bytes(_)) => " string",
            Err(_) => " <nil>!",
        });
    }
    out.push(')');
    out
}

fn flow(style: CollectionStyle) -> u32 {
    if style == CollectionStyle::Flow { 32 } else { 0 }
}
