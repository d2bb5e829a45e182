//! Both directions of the flat form.

use ksops_core::secret::SecretBytes;
use ksops_core::tree::branch::{Branch, Entry, Key, Node};
use ksops_core::value::Value;
use proptest::collection::{btree_map, vec};
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_oneof, proptest};

use super::unflatten;
use crate::flat::error::FlattenError;
use crate::flat::flatten::flatten;

fn entries(names: &[&str]) -> Vec<(Key, SecretBytes)> {
    names.iter().map(|name| (Key::from(*name), SecretBytes::from("x"))).collect()
}

fn error(names: &[&str]) -> String {
    unflatten(entries(names)).expect_err("refused").to_string()
}

#[test]
fn builds_lists_and_maps_in_any_order() {
    let block = unflatten(entries(&["b__list_1", "a__list_0__map_y", "b__list_0", "a__list_0__map_x"]));
    let names: Vec<String> = flatten(&block.expect("a block"))
        .expect("flat again")
        .iter()
        .map(|(name, _)| name.to_string())
        .collect();
    assert_eq!(names, ["a__list_0__map_x", "a__list_0__map_y", "b__list_0", "b__list_1"]);
}

#[test]
fn refuses_what_upstream_refuses() {
    assert_eq!(error(&["a", "a"]), "Error while unflattening \"a\": Duplicate value");
    assert_eq!(error(&["a__list_0", "a__list_x"]), "Error while unflattening \"a__list_x\": Duplicate value");
    for names in [&["a", "a__map_b"][..], &["a__list_0", "a__map_b"], &["a", "a__list_0"]] {
        assert!(error(names).contains("Type mismatch (at \"a\")"), "{names:?}");
    }
    for names in [&["a__list_1"][..], &["a__list_0", "a__list_2"], &["a__list_-1"], &["a__list_999999999"]] {
        assert!(error(names).contains("Incomplete list (at \"a\")"), "{names:?}");
    }
}

#[test]
fn a_bad_number_is_0() {
    let block = unflatten(entries(&["a__list_x"])).expect("a block");
    assert!(matches!(block.node("a"), Some(Node::List(list)) if list.len() == 1));
}

#[test]
fn refuses_names_of_too_many_parts() {
    let name = "__map_a".repeat(200_000);
    assert!(matches!(unflatten(entries(&[&name])), Err(FlattenError::TooDeep { .. })));
}

#[test]
fn refuses_to_write_what_would_be_read_otherwise() {
    let map = |key: &str, node: Node| Branch { entries: vec![Entry::Item(key.into(), node)] };
    let leaf = || Node::Leaf(Value::text("x"));
    assert!(matches!(flatten(&map("a__map_b", leaf())), Err(FlattenError::Ambiguous { .. })));
    assert!(matches!(
        flatten(&map("a__list", Node::Map(map("b", leaf())))),
        Err(FlattenError::Ambiguous { .. })
    ));
    let groups = Node::List(vec![Node::Map(Branch::default()), leaf()]);
    assert!(matches!(flatten(&map("g", groups)), Err(FlattenError::EmptyElement { .. })));
    let mut twice = map("a", leaf());
    twice.entries.extend(twice.entries.clone());
    assert!(matches!(flatten(&twice), Err(FlattenError::Ambiguous { .. })));
}

/// A block as metadata could be: no empty containers, keys in order.
fn block() -> impl Strategy<Value = Branch> {
    let key = prop_oneof![Just("a".to_owned()), Just("_".to_owned()), "[a-z_]{0,4}"];
    let leaf = vec(any::<u8>(), 0..6).prop_map(|bytes| Node::Leaf(Value::Text(SecretBytes::new(bytes))));
    let node = {
        let key = key.clone();
        leaf.prop_recursive(4, 40, 5, move |inner| {
            prop_oneof![
                vec(inner.clone(), 1..5).prop_map(Node::List),
                btree_map(key.clone(), inner, 1..5).prop_map(|map| Node::Map(from_map(map))),
            ]
        })
    };
    btree_map(key, node, 0..6).prop_map(from_map)
}

fn from_map(map: std::collections::BTreeMap<String, Node>) -> Branch {
    Branch { entries: map.into_iter().map(|(key, node)| Entry::Item(key.as_str().into(), node)).collect() }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn unflattening_what_was_flattened_gives_the_block_back(block in block()) {
        // Keys with separators in them are refused.
        if let Ok(entries) = flatten(&block) {
            assert_eq!(unflatten(entries), Ok(block));
        }
    }

    #[test]
    fn no_names_make_it_panic(names in vec("(__map_|__list_|_|a|0|1|-|9999999999){0,8}", 0..8)) {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        if let Ok(block) = unflatten(entries(&names)) {
            assert!(names.is_empty() || !block.entries.is_empty());
        }
    }
}
