//! What `doctor` found, as a table for people or as JSON for programs.

use ksops::doctor::{Checkup, KeyCheckup};
use ksops::ksops_core::keys::diagnosis::{Finding, State};
use ksops::ksops_core::keys::master_key::KeyType;
use ksops::ksops_core::tree::branch::{Branch, Entry, Node};
use ksops::ksops_core::value::Value;
use ksops::ksops_stores::file::{Layout, write_plain};
use ksops::ksops_stores::format::Format;

use crate::error::{Failure, Kind};

/// A cell that is longer does not widen its column.
const WIDEST: usize = 44;

/// The file or rule looked at, or nothing in particular.
pub(crate) struct Part {
    /// What was looked at.
    pub title: String,
    /// What was found.
    pub found: Found,
}

/// What was found.
pub(crate) enum Found {
    /// About the keys of a file.
    File(Checkup),
    /// About the keys of a rule.
    Rule(Checkup),
    /// There is no key; these credentials are set up.
    Credentials(Vec<Finding>),
}

impl Part {
    /// Whether everything is as it should be.
    pub(crate) fn is_well(&self) -> bool {
        match &self.found {
            Found::File(checkup) | Found::Rule(checkup) => checkup.is_well(),
            Found::Credentials(_) => false,
        }
    }

    /// One sentence.
    fn outcome(&self) -> String {
        match &self.found {
            Found::File(Checkup { recovers: Ok(()), .. }) => "the data key can be recovered".to_owned(),
            Found::File(Checkup { recovers: Err(why), .. }) => {
                format!("the data key cannot be recovered: {why}")
            }
            Found::Rule(checkup) => match (checkup.encrypts(), &checkup.recovers) {
                _ if checkup.keys.is_empty() => "there is no key".to_owned(),
                (true, Ok(())) => "files can be encrypted, and decrypted here".to_owned(),
                (true, Err(why)) => format!("files can be encrypted, but not decrypted here: {why}"),
                (false, _) => "files cannot be encrypted: not every key can be used".to_owned(),
            },
            Found::Credentials(_) => {
                "no file, rule or key is named, so no key was tried; see `ksops init`".to_owned()
            }
        }
    }

    fn keys(&self) -> &[KeyCheckup] {
        match &self.found {
            Found::File(checkup) | Found::Rule(checkup) => &checkup.keys,
            Found::Credentials(_) => &[],
        }
    }

    fn is_rule(&self) -> bool {
        matches!(self.found, Found::Rule(_))
    }
}

/// What can be said of a key in a word, and why.
fn verdict(key: &KeyCheckup, is_rule: bool) -> (&'static str, String) {
    match (&key.encrypts, &key.decrypts) {
        (Err(error), _) => ("unusable", error.message.clone()),
        (Ok(()), Ok(())) if is_rule => ("usable", "encrypts and decrypts".to_owned()),
        (Ok(()), Ok(())) => ("usable", "decrypts the data key".to_owned()),
        (Ok(()), Err(error)) if is_rule => ("encrypts", format!("cannot decrypt here: {}", error.message)),
        (Ok(()), Err(error)) => ("unusable", error.message.clone()),
    }
}

/// Everything in one table, then the outcomes and the hints.
pub(crate) fn text(parts: &[Part]) -> String {
    let mut rows: Vec<[String; 4]> = vec![["CREDENTIAL", "STATE", "SOURCE", "REASON"].map(str::to_owned)];
    let one_line = |text: &str| text.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    let cell = |text: &str| if text.is_empty() { "-".to_owned() } else { one_line(text) };
    let mut hints: Vec<&str> = Vec::new();
    // What is not there is told once, not for each key again.
    let mut told: Vec<(KeyType, &Finding)> = Vec::new();
    for part in parts {
        if parts.len() > 1 {
            let state = if part.is_well() { "ok" } else { "failed" };
            rows.push(["rule", state, &cell(&part.title), "-"].map(str::to_owned));
        }
        for key in part.keys() {
            let (word, reason) = verdict(key, part.is_rule());
            // The rows below tell the reason apart from the wording of errors.
            let reason = if key.findings.is_empty() || word == "usable" { reason } else { String::new() };
            let name = format!("{} key, group {}", key.key.key_type(), key.group);
            rows.push([name, word.to_owned(), cell(&key.key.to_string()), cell(&reason)]);
            for finding in &key.findings {
                let place = (key.key.key_type(), finding);
                if finding.state == State::Absent && told.contains(&place) {
                    continue;
                }
                told.push(place);
                rows.push(row("  ", finding, &cell));
            }
            for error in [&key.encrypts, &key.decrypts].into_iter().filter_map(|result| result.as_ref().err())
            {
                for hint in &error.hints {
                    if !hints.contains(&hint.as_str()) {
                        hints.push(hint);
                    }
                }
            }
        }
        if let Found::Credentials(findings) = &part.found {
            rows.extend(findings.iter().map(|finding| row("", finding, &cell)));
        }
    }
    let mut text = if rows.len() > 1 { aligned(&rows) + "\n" } else { String::new() };
    for part in parts {
        text.push_str(&format!("{}: {}\n", one_line(&part.title), part.outcome()));
    }
    for hint in hints {
        text.push_str(&format!("hint: {}\n", one_line(hint)));
    }
    text
}

fn row(indent: &str, finding: &Finding, cell: &dyn Fn(&str) -> String) -> [String; 4] {
    let name = format!("{indent}{}", cell(&finding.name));
    [name, finding.state.name().to_owned(), cell(&finding.source), cell(&finding.reason)]
}

fn aligned(rows: &[[String; 4]]) -> String {
    let mut widths = [0; 3];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            let length = cell.chars().count();
            if length <= WIDEST {
                *width = length.max(*width);
            }
        }
    }
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        // What a long cell takes is given back by the blanks behind the next ones.
        let mut end = 0;
        for (at, cell) in row.iter().enumerate() {
            line.push_str(cell);
            let Some(width) = widths.get(at) else { break };
            end += width + 2;
            let length = line.chars().count();
            line.push_str(&" ".repeat(end.saturating_sub(length).max(2)));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// The same as JSON.
///
/// # Errors
/// Never for what this module makes.
pub(crate) fn json(parts: &[Part]) -> Result<Vec<u8>, Failure> {
    let parts_json: Vec<Node> = parts
        .iter()
        .map(|part| {
            let keys = part.keys().iter().map(|key| key_json(key, part.is_rule())).collect();
            let mut entries = vec![
                item("name", string(&part.title)),
                item("ok", truth(part.is_well())),
                item("outcome", string(&part.outcome())),
                item("keys", Node::List(keys)),
            ];
            if let Found::Credentials(findings) = &part.found {
                entries.push(item("credentials", findings_json(findings)));
            }
            Node::Map(Branch { entries })
        })
        .collect();
    let is_well = parts.iter().all(Part::is_well);
    let whole = Branch { entries: vec![item("ok", truth(is_well)), item("parts", Node::List(parts_json))] };
    let text = write_plain(vec![whole], Format::Json, Layout { indent: Some(2), like: None });
    let text = text.map_err(|error| Failure::new(Kind::Print, error.to_string()))?;
    Ok(text.to_vec())
}

fn key_json(key: &KeyCheckup, is_rule: bool) -> Node {
    let (word, reason) = verdict(key, is_rule);
    let errors = [&key.encrypts, &key.decrypts].into_iter().filter_map(|result| result.as_ref().err());
    let mut hints: Vec<&String> = errors.flat_map(|error| &error.hints).collect();
    hints.dedup();
    let group = i64::try_from(key.group).unwrap_or_default();
    Node::Map(Branch {
        entries: vec![
            item("type", string(key.key.key_type().name())),
            item("key", string(&key.key.to_string())),
            item("group", Node::Leaf(Value::Int(group))),
            item("state", string(word)),
            item("reason", string(&reason)),
            item("hints", Node::List(hints.into_iter().map(|hint| string(hint)).collect())),
            item("credentials", findings_json(&key.findings)),
        ],
    })
}

fn findings_json(findings: &[Finding]) -> Node {
    let one = |finding: &Finding| {
        Node::Map(Branch {
            entries: vec![
                item("name", string(&finding.name)),
                item("state", string(finding.state.name())),
                item("source", string(&finding.source)),
                item("reason", string(&finding.reason)),
            ],
        })
    };
    Node::List(findings.iter().map(one).collect())
}

fn item(name: &str, node: Node) -> Entry {
    Entry::Item(name.into(), node)
}

fn string(text: &str) -> Node {
    Node::Leaf(Value::text(text))
}

fn truth(value: bool) -> Node {
    Node::Leaf(Value::Bool(value))
}

#[cfg(test)]
mod tests {
    use ksops::ksops_core::keys::diagnosis::{Finding, State};

    use super::{Found, Part, aligned, json, text};

    #[test]
    fn columns_are_aligned_and_a_long_cell_moves_its_own_line_only() {
        let rows = [["A", "B", "C", "D"], ["a1", "b", &"x".repeat(50), "why"], ["a", "bbb", "c", "-"]];
        let rows = rows.map(|row| row.map(str::to_owned));
        let long = "x".repeat(50);
        assert_eq!(aligned(&rows), format!("A   B    C  D\na1  b    {long}  why\na   bbb  c  -\n"));
    }

    #[test]
    fn both_forms_tell_every_finding() {
        let found = Finding::new("a", "", State::Absent, "not\n  set");
        let parts = [Part { title: "here".into(), found: Found::Credentials(vec![found]) }];
        let table = text(&parts);
        assert!(table.contains("a           absent  -       not set\n"), "{table}");
        let json = String::from_utf8(json(&parts).expect("printed")).expect("text");
        assert!(json.contains("\"reason\": \"not\\n  set\"") && json.contains("\"ok\": false"), "{json}");
    }
}
