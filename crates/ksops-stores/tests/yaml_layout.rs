//! Every case of `fixtures/yaml-layout`: what real sops prints of an input, byte for byte.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use ksops_stores::yaml::emit::YamlWriter;
use ksops_stores::yaml::load::load;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures")
}

/// The cases in which sops refuses something that is not the store's: encrypted already.
const REFUSED_ABOVE: [&str; 3] = ["107-key-sops", "108-key-sops-null", "110-key-sops-second-doc"];

/// What the store prints of an input, or its error.
fn printed(input: &[u8], indent: i64) -> Result<String, String> {
    let mut branches = load(input).map_err(|error| error.to_string())?;
    if branches.is_empty() {
        return Err("no document".into());
    }
    // As an encrypted file whose block is cut off again.
    for branch in &mut branches {
        let block = ksops_core::tree::branch::Entry::Item(
            "sops".into(),
            ksops_core::tree::branch::Node::Map(Default::default()),
        );
        branch.entries.push(block);
    }
    let mut writer = YamlWriter::new(indent).map_err(|error| error.to_string())?;
    for branch in &branches {
        writer.branch(branch).map_err(|error| error.to_string())?;
    }
    // The empty block stands behind its key, or on a line of its own if a comment came between.
    let lines = writer.finish();
    Ok(lines.split_inclusive('\n').filter(|line| !matches!(*line, "sops: {}\n" | "{}\n")).collect())
}

fn indent_of(case: &serde_json::Value) -> i64 {
    let flags: Vec<&str> =
        case["extra_flags"].as_array().into_iter().flatten().filter_map(serde_json::Value::as_str).collect();
    let place = flags.iter().position(|flag| *flag == "--indent");
    place.and_then(|place| flags.get(place + 1)?.parse().ok()).unwrap_or(0)
}

#[test]
fn every_case_is_printed_as_sops_prints_it() -> io::Result<()> {
    let root = fixtures().join("yaml-layout");
    let cases: Vec<serde_json::Value> = serde_json::from_slice(&fs::read(root.join("cases.json"))?)?;
    let mut failures = BTreeMap::new();
    let mut checked = 0;
    for case in &cases {
        let name = case["case"].as_str().unwrap_or_default();
        let folder = root.join(name);
        let own = fixtures().join("yaml-layout-ksops").join(name);
        let ours = printed(&fs::read(folder.join("in.yaml"))?, indent_of(case));
        let folder = if own.exists() { &own } else { &folder };
        let expected = fs::read_to_string(folder.join("encrypted-layout.yaml"));
        checked += 1;
        match (ours, expected) {
            (Ok(ours), Ok(expected)) if ours == expected => {}
            (Err(_), Err(_)) => {}
            (Ok(_), Err(_)) if REFUSED_ABOVE.contains(&name) => {}
            (ours, expected) => {
                failures.insert(name.to_owned(), format!("ours: {ours:?}\nsops: {:?}", expected.ok()));
            }
        }
    }
    let report: Vec<String> = failures.iter().map(|(name, text)| format!("{name}\n{text}")).collect();
    assert!(failures.is_empty(), "{} of {checked} cases differ:\n{}", failures.len(), report.join("\n"));
    assert_eq!(checked, 416);
    Ok(())
}
