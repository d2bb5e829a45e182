//! Laws of the YAML store over made-up texts.

use ksops_core::tree::branch::{Branch, Entry, Node};
use ksops_core::value::Value;
use ksops_stores::yaml::emit::YamlWriter;
use ksops_stores::yaml::load::load;
use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, Strategy, any, proptest};
use proptest::sample::select;

/// Pieces of YAML, good and bad, to be put together in any order.
const PIECES: [&str; 44] = [
    "a: 1\n",
    "b:\n",
    "  c: x\n",
    "- d\n",
    "  - e\n",
    "- f: g\n",
    "# c\n",
    "  # d\n",
    " # e",
    "\n",
    "  ",
    "    ",
    "\t",
    "---\n",
    "...\n",
    "[",
    "]",
    "{",
    "}",
    ",",
    ": ",
    "? ",
    "&x ",
    "*x",
    "!!str ",
    "!t ",
    "|\n",
    ">-\n",
    "|2+\n",
    "\"q\"",
    "'s'",
    "\"\\n\"",
    "<<: ",
    "é",
    "😀",
    "\u{2028}",
    "\r\n",
    "%YAML 1.1\n",
    "null",
    "1_0",
    "2020-01-01",
    "-0.0",
    "\"",
    "'",
];

fn text() -> impl Strategy<Value = String> {
    vec(select(PIECES.to_vec()), 0..30).prop_map(|pieces| pieces.concat())
}

fn printed(branches: &[Branch]) -> Option<String> {
    let mut writer = YamlWriter::new(0).ok()?;
    for branch in branches {
        writer.branch(branch).ok()?;
    }
    Some(writer.finish().to_string())
}

/// The leaves with their keys, without comments; floats by their bits' meaning, as they are printed.
fn leaves(branches: &[Branch]) -> Vec<String> {
    fn of(node: &Node, found: &mut Vec<String>) {
        match node {
            Node::Map(branch) => of_map(branch, found),
            Node::List(items) => {
                found.push("[".into());
                items.iter().for_each(|item| of(item, found));
                found.push("]".into());
            }
            Node::Leaf(Value::Text(text)) => found.push(format!("text {:?}", text.expose())),
            // An integral float is printed, and so read again, as an integer.
            Node::Leaf(Value::Float(float)) => found.push(format!("number {float}")),
            Node::Leaf(Value::Int(int)) => found.push(format!("number {}", *int as f64)),
            Node::Leaf(Value::Bool(truth)) => found.push(truth.to_string()),
            Node::Leaf(Value::Timestamp(moment)) => found.push(moment.to_string()),
            Node::Leaf(_) => found.push("null".into()),
            Node::Comment(_) => {}
        }
    }
    fn of_map(branch: &Branch, found: &mut Vec<String>) {
        found.push("{".into());
        for entry in &branch.entries {
            if let Entry::Item(key, node) = entry {
                found.push(format!("{key:?}"));
                of(node, found);
            }
        }
        found.push("}".into());
    }
    let mut found = Vec::new();
    branches.iter().for_each(|branch| of_map(branch, &mut found));
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in vec(any::<u8>(), 0..200)) {
        let _ = load(&bytes);
    }

    #[test]
    fn what_was_printed_reads_as_the_same_values(text in text()) {
        if let Ok(branches) = load(text.as_bytes())
            && let Some(first) = printed(&branches)
        {
            let again = load(first.as_bytes()).expect("what was printed can be read");
            assert_eq!(leaves(&again), leaves(&branches), "{text:?}\n{first}");
        }
    }
}
