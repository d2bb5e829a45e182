//! Tests of reading JSON: limits, places, duplicates, and the law that what was printed reads as the same.

use ksops_core::tree::branch::{Branch, Entry, Key, Node};
use ksops_core::value::Value;
use proptest::prelude::{Just, Strategy, any, prop, prop_assert_eq, prop_oneof, proptest};

use super::{JsonError, load};
use crate::json::emit::{Indent, document};

fn error(text: &str) -> JsonError {
    load(text.as_bytes(), false).expect_err("refused")
}

fn place(text: &str) -> (u32, u32) {
    let position = error(text).position();
    (position.line, position.column)
}

#[test]
fn truncated_text_is_refused_everywhere() {
    let whole = "{\"a\": [1, {\"b\": \"x\\u00e9\"}, null, true], \"c\": -1.5e3}";
    for end in 1..whole.len() {
        if whole.is_char_boundary(end) {
            assert!(load(&whole.as_bytes()[..end], false).is_err(), "{}", &whole[..end]);
        }
    }
    assert!(load(whole.as_bytes(), false).is_ok());
}

#[test]
fn errors_have_a_place_and_no_value() {
    assert_eq!(place("{\"a\": 1,\n \"b\": hunter2}"), (2, 7));
    assert_eq!(place("{\"\u{e9}\": tru}"), (1, 7));
    assert!(!error("{\"a\": hunter2}").to_string().contains("hunter2"));
    assert!(error("[1]").to_string().contains("Got an array instead"));
    assert!(error("5").to_string().contains("Got a number instead"));
    assert_eq!(error(" \n"), JsonError::Empty);
    assert!(error("{\"a\": 1e400}").to_string().contains("value out of range"));
}

#[test]
fn nesting_is_bounded() {
    let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    assert!(load(nested(999).as_bytes(), false).is_ok());
    assert!(error(&nested(1_001)).to_string().contains("nested deeper"));
    assert!(error(&format!("{{\"a\":{}", "[".repeat(1_000_000))).to_string().contains("nested deeper"));
}

#[test]
fn duplicates_and_trailing_text_are_noticed() {
    let notices = |text: &str| load(text.as_bytes(), false).expect("JSON").notices;
    let twice = notices("{\"a\": {\"k\": 1,\n\"l\": 2, \"k\": 3}}");
    assert_eq!(
        twice[0].to_string(),
        "the key \"k\" stands twice in one object, first at line 1, column 8 (at line 2, column 9)"
    );
    assert!(notices("{\"a\": 1}\n{}")[0].grave);
    assert!(notices("{\"a\": {\"k\": 1}, \"b\": {\"k\": 1}}\n").is_empty());
}

fn node() -> impl Strategy<Value = Node> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        any::<f64>().prop_filter("finite", |float| float.is_finite()).prop_map(Value::Float),
        any::<String>().prop_map(|text| Value::text(text.as_str())),
    ];
    leaf.prop_map(Node::Leaf).prop_recursive(4, 40, 5, |inner| {
        let key = any::<String>().prop_map(|text| Key::from(text.as_str()));
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Node::List),
            prop::collection::vec((key, inner), 0..5).prop_map(|items| {
                let entries = items.into_iter().map(|(key, node)| Entry::Item(key, node)).collect();
                Node::Map(Branch { entries })
            }),
        ]
    })
}

proptest! {
    #[test]
    fn what_was_printed_reads_as_the_same(value in node(), width in 0_usize..4) {
        let branch = Branch { entries: vec![Entry::Item("k".into(), value)] };
        let first = document(&branch, Indent::Spaces(width)).expect("printable");
        let again = load(first.as_bytes(), false).expect("readable").branch;
        // An integral float reads as an integer, so the texts are compared.
        prop_assert_eq!(&*document(&again, Indent::Spaces(width)).expect("printable"), &*first);
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        let _ = load(&bytes, true);
        let _ = load(&[b"{\"a\":", bytes.as_slice()].concat(), true);
    }
}
