//! Every case of `fixtures/yaml-layout`: what real sops prints of an input, byte for byte, or why it refuses it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{fs, io};

use ksops_core::tree::branch::{Branch, Entry, Node};
use ksops_core::value::Value;
use ksops_stores::yaml::emit::YamlWriter;
use ksops_stores::yaml::load::load;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures")
}

/// The cases in which sops refuses something that is not the store's: a `sops` key, and a text without a document.
const REFUSED_ABOVE: [&str; 4] =
    ["107-key-sops", "108-key-sops-null", "110-key-sops-second-doc", "241-empty-file"];

/// What the store prints of an input, or its error.
fn printed(input: &[u8], indent: i64) -> Result<String, String> {
    let mut branches = load(input).map_err(|error| error.to_string())?;
    // As in an encrypted file, whose block is cut off again; a comment behind the block's key is not.
    let block = Branch { entries: vec![Entry::Item("mac".into(), Node::Leaf(Value::text("x")))] };
    for branch in &mut branches {
        branch.entries.push(Entry::Item("sops".into(), Node::Map(block.clone())));
    }
    let mut writer = YamlWriter::new(indent).map_err(|error| error.to_string())?;
    for branch in &branches {
        writer.branch(branch).map_err(|error| error.to_string())?;
    }
    let is_block = |line: &str| line == "sops:\n" || line.trim() == "mac: x";
    Ok(writer.finish().split_inclusive('\n').filter(|line| !is_block(line)).collect())
}

fn indent_of(case: &serde_json::Value) -> i64 {
    let flags: Vec<&str> =
        case["extra_flags"].as_array().into_iter().flatten().filter_map(serde_json::Value::as_str).collect();
    let place = flags.iter().position(|flag| *flag == "--indent");
    place.and_then(|place| flags.get(place + 1)?.parse().ok()).unwrap_or(0)
}

/// What is left of a message of sops without what the command line puts in front and without the values.
fn said_by_sops(message: &str) -> String {
    let mut text = message.trim_end();
    for prefix in ["Error unmarshalling file: ", "Error encrypting tree: ", "Error walking tree: "] {
        text = text.strip_prefix(prefix).unwrap_or(text);
    }
    // Scalars stand between backticks, keys behind their type.
    let text: String = text.split('`').step_by(2).collect::<Vec<_>>().join("").replace("  ", " ");
    let text = text.replace("\n line", "\n  line");
    // A plain password with a `*` in front looks like an alias: its name is not repeated.
    let text = match text
        .split_once(" anchor '")
        .and_then(|(before, rest)| Some((before, rest.split_once('\'')?.1)))
    {
        Some((before, after)) => format!("{before} anchor{after}"),
        None => text,
    };
    match (text.split_once("): "), text.split_once("invalid map key: ")) {
        (Some((before, _)), _) => format!("{before})"),
        (_, Some((before, _))) => format!("{before}invalid map key: "),
        _ => text,
    }
}

/// Our message in the same shape: the place that we add is left out.
fn agrees(ours: &str, theirs: &str) -> bool {
    if ours == theirs.trim_end() {
        return true;
    }
    let theirs = said_by_sops(theirs);
    !theirs.is_empty() && ours.replace("cannot decode a ", "cannot decode ").starts_with(&theirs)
}

#[test]
fn every_case_is_printed_as_sops_prints_it() -> io::Result<()> {
    let root = fixtures().join("yaml-layout");
    let cases: Vec<serde_json::Value> = serde_json::from_slice(&fs::read(root.join("cases.json"))?)?;
    let mut failures = BTreeMap::new();
    let mut own_cases = BTreeSet::new();
    for case in &cases {
        let name = case["case"].as_str().unwrap_or_default();
        let folder = root.join(name);
        let own = fixtures().join("yaml-layout-ksops").join(name);
        let ours = printed(&fs::read(folder.join("in.yaml"))?, indent_of(case));
        if REFUSED_ABOVE.contains(&name) {
            if let Err(error) = ours {
                failures.insert(name.to_owned(), format!("the store refuses it: {error}"));
            }
            continue;
        }
        if own.exists() {
            own_cases.insert(name.to_owned());
        }
        let folder = if own.exists() { &own } else { &folder };
        let layout = folder.join("encrypted-layout.yaml");
        let difference = match &ours {
            Ok(ours) if layout.exists() => {
                let expected = fs::read_to_string(layout)?;
                (*ours != expected).then(|| format!("ours: {ours:?}\nsops: {expected:?}"))
            }
            Ok(ours) => Some(format!("not refused: {ours:?}")),
            Err(error) => {
                let expected = fs::read_to_string(folder.join("error.txt")).unwrap_or_default();
                (!agrees(error, &expected)).then(|| format!("ours: {error:?}\nsops: {expected:?}"))
            }
        };
        if let Some(difference) = difference {
            failures.insert(name.to_owned(), difference);
        }
    }
    let report: Vec<String> = failures.iter().map(|(name, text)| format!("{name}\n{text}")).collect();
    assert!(
        failures.is_empty(),
        "{} of {} cases differ:\n{}",
        failures.len(),
        cases.len(),
        report.join("\n")
    );
    assert_eq!(cases.len(), 416);
    assert_eq!(own_cases.len(), 7, "cases of yaml-layout-ksops");
    Ok(())
}
