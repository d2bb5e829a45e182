//! Tests of the check of our own output.

use time::OffsetDateTime;

use super::{Comments, Fidelity, Typing, Verifier, VerifyError, compare};
use crate::crypto::data_key::DataKey;
use crate::crypto::iv::tests::Counting;
use crate::document::encrypt::Encryptor;
use crate::metadata::model::Metadata;
use crate::tree::branch::{Branch, Entry, Node};
use crate::tree::selection::{RuleTexts, Selection};
use crate::tree::walk::tests::{comment, head, item, leaf, map};
use crate::value::Value;

const FULL: Fidelity = Fidelity { typing: Typing::Full, comments: Comments::Kept };

fn problem(input: Vec<Entry>, output: Vec<Entry>, fidelity: Fidelity) -> Option<String> {
    compare(&Branch { entries: input }, &Branch { entries: output }, fidelity)
        .err()
        .map(|difference| format!("{} at {}", difference.problem, difference.path))
}

fn value(value: Value) -> Vec<Entry> {
    vec![item("a", Node::Leaf(value))]
}

#[test]
fn the_same_document_is_the_same() {
    let tree = || vec![head(" c"), item("a", Node::List(vec![leaf("x"), map(vec![item("k", leaf("v"))])]))];
    assert_eq!(problem(tree(), tree(), FULL), None);
    assert_eq!(problem(value(Value::Float(f64::NAN)), value(Value::Float(f64::NAN)), FULL), None);
}

#[test]
fn an_integral_float_may_come_back_as_an_integer_and_nothing_else() {
    assert_eq!(problem(value(Value::Float(2.0)), value(Value::Int(2)), FULL), None);
    assert!(problem(value(Value::Int(2)), value(Value::Float(2.0)), FULL).is_some());
    assert!(problem(value(Value::Float(-0.0)), value(Value::Int(0)), FULL).is_some());
    assert!(problem(value(Value::Float(2.5)), value(Value::Int(2)), FULL).is_some());
    assert!(problem(value(Value::Int(2)), value(Value::text("2")), FULL).is_some());
    assert!(problem(value(Value::text("")), value(Value::Null), FULL).is_some());
}

#[test]
fn a_format_without_types_gives_strings_back() {
    let strings = Fidelity { typing: Typing::StringsOnly, comments: Comments::Kept };
    assert_eq!(problem(value(Value::Int(2)), value(Value::text("2")), strings), None);
    let json = Fidelity { typing: Typing::WithoutTime, comments: Comments::Dropped };
    let moment = Value::Timestamp(OffsetDateTime::UNIX_EPOCH);
    assert_eq!(problem(value(moment.clone()), value(Value::text("1970-01-01T00:00:00Z")), json), None);
    assert!(problem(value(moment), value(Value::text("1970-01-01T00:00:00Z")), FULL).is_some());
    assert!(problem(value(Value::Int(2)), value(Value::text("2")), json).is_some());
}

#[test]
fn names_what_is_different_and_where_but_not_the_value() {
    let tree = |nodes: Vec<Node>| vec![item("data", map(vec![item("l", Node::List(nodes))]))];
    let difference = |nodes| problem(tree(vec![leaf("hunter2"), leaf("y")]), tree(nodes), FULL);
    assert_eq!(
        difference(vec![leaf("hunter2"), leaf("z")]).as_deref(),
        Some("a value is different at data.l[1]")
    );
    assert_eq!(difference(vec![leaf("hunter2")]).as_deref(), Some("an element is missing at data.l[1]"));
    let more = vec![leaf("hunter2"), leaf("y"), leaf("")];
    assert_eq!(difference(more).as_deref(), Some("an element was added at data.l"));
    let keys = |first, second| vec![item(first, leaf("")), item(second, leaf(""))];
    let swapped = problem(keys("a", "b"), keys("b", "a"), FULL);
    assert_eq!(swapped.as_deref(), Some("a key is missing or in another place at a"));
}

#[test]
fn comments_may_move_between_containers_but_not_vanish() {
    let inner = vec![item("a", map(vec![item("k", leaf("v")), head(" one")])), head(" two")];
    let outer = vec![item("a", map(vec![item("k", leaf("v"))])), head(" one"), head(" two")];
    assert_eq!(problem(inner.clone(), outer, FULL), None);
    let without = vec![item("a", map(vec![item("k", leaf("v"))]))];
    assert!(problem(inner.clone(), without.clone(), FULL).is_some());
    assert_eq!(problem(inner, without, Fidelity { comments: Comments::Dropped, ..FULL }), None);
    let empty = vec![item("l", Node::List(vec![Node::Comment(comment("")), leaf("x")]))];
    assert_eq!(problem(empty, vec![item("l", Node::List(vec![leaf("x")]))], FULL), None);
}

#[test]
fn the_comment_of_an_empty_mapping_may_vanish_or_stay() {
    let doomed = || item("m", map(vec![head(" c")]));
    assert_eq!(problem(vec![doomed()], vec![item("m", map(vec![]))], FULL), None);
    assert_eq!(problem(vec![doomed()], vec![item("m", map(vec![])), head(" c")], FULL), None);
    assert!(problem(vec![doomed()], vec![item("m", map(vec![])), head(" other")], FULL).is_some());
    assert!(problem(vec![doomed(), head(" x")], vec![item("m", map(vec![])), head(" c")], FULL).is_some());
}

#[test]
fn our_own_output_passes_and_a_damaged_one_does_not() {
    let input = Branch { entries: vec![head(" c"), item("a", leaf("x")), item("b_unencrypted", leaf("y"))] };
    let key = DataKey::new(vec![7; 32].into()).expect("a key");
    let (selection, random) = (Selection::default(), Counting::default());
    let mut encrypted = input.clone();
    let mut encryptor = Encryptor::new(&key, &selection, false, &random, None);
    encryptor.branch(&mut encrypted).expect("encryptable");
    let sealed = encryptor.finish(OffsetDateTime::UNIX_EPOCH).expect("random");
    let metadata = Metadata {
        key_groups: Vec::new(),
        unknown: Vec::new(),
        shamir_threshold: 0,
        last_modified: sealed.last_modified,
        mac: sealed.mac,
        mac_only_encrypted: false,
        rules: RuleTexts::default(),
        version: String::new(),
    };
    let verify = |output: Branch| {
        let mut verifier = Verifier::new(&key, &selection, false, FULL);
        verifier.branch(output, &input)?;
        verifier.finish(&metadata)
    };
    assert_eq!(verify(encrypted.clone()), Ok(()));
    let mut damaged = encrypted;
    damaged.entries[2] = item("b_unencrypted", leaf("z"));
    assert!(matches!(verify(damaged), Err(VerifyError::Different { .. })));
}
