//! Tests of comments that are read in another container than they were encrypted for.

use super::rehome;
use crate::crypto::cipher::Cipher;
use crate::crypto::data_key::DataKey;
use crate::crypto::plaintext::DataType;
use crate::document::warning::Warning;
use crate::tree::branch::{Branch, Comment, Entry, Node};
use crate::tree::walk::tests::{comment, head, item, leaf, map};

fn cipher() -> Cipher {
    Cipher::new(&DataKey::new(vec![7; 32].into()).expect("a key"))
}

fn lost(text: &str, aad: &str) -> Comment {
    let text = cipher().encrypt(DataType::Comment, text.as_bytes(), &[1; 32], aad.as_bytes()).expect("short");
    Comment { text: text.into(), inline: false }
}

fn rehomed(entries: Vec<Entry>) -> (Vec<Entry>, Vec<Warning>) {
    let mut branch = Branch { entries };
    let mut warnings = Vec::new();
    rehome(&mut branch, &mut cipher(), 0, &mut warnings);
    (branch.entries, warnings)
}

#[test]
fn a_foot_goes_back_out() {
    let inner = |entries| vec![item("a", map(vec![item("k", map(entries))])), item("b", leaf("1"))];
    let (entries, warnings) = rehomed(inner(vec![
        item("l", leaf("x")),
        Entry::Comment(lost(" one", "a:")),
        Entry::Comment(lost(" two", ":")),
    ]));
    let expected = vec![
        item("a", map(vec![item("k", map(vec![item("l", leaf("x"))])), head(" one")])),
        head(" two"),
        item("b", leaf("1")),
    ];
    assert!(entries == expected);
    assert!(
        warnings.iter().all(|warning| matches!(warning, Warning::CommentMoved { .. })) && warnings.len() == 2
    );
}

#[test]
fn comments_at_the_start_of_a_block_go_back_in_in_their_order() {
    let (entries, _) = rehomed(vec![
        Entry::Comment(lost(" one", "b:l:")),
        head(" stays"),
        Entry::Comment(lost(" two", "b:l:")),
        item("b", map(vec![item("l", Node::List(vec![leaf("x")]))])),
    ]);
    let list = Node::List(vec![Node::Comment(comment(" one")), Node::Comment(comment(" two")), leaf("x")]);
    assert!(entries == [head(" stays"), item("b", map(vec![item("l", list)]))]);
}

#[test]
fn a_comment_goes_back_into_the_element_before_it() {
    let inner = |entries| map(vec![item("k", map(entries))]);
    let lost = lost(" one", "l:k:");
    let list = vec![inner(vec![item("a", leaf("1"))]), Node::Comment(lost), leaf("x")];
    let (entries, _) = rehomed(vec![item("l", Node::List(list))]);
    let expected = vec![inner(vec![item("a", leaf("1")), head(" one")]), leaf("x")];
    assert!(entries == [item("l", Node::List(expected))]);
}

#[test]
fn comments_at_the_end_of_a_block_go_back_in() {
    let (entries, _) =
        rehomed(vec![item("b", map(vec![item("l", leaf("x"))])), Entry::Comment(lost(" c", "b:"))]);
    assert!(entries == [item("b", map(vec![item("l", leaf("x")), head(" c")]))]);
}

#[test]
fn a_comment_that_was_held_back_goes_back_in() {
    let (entries, _) = rehomed(vec![
        item("b", map(vec![item("l", leaf("x"))])),
        item("c", leaf("y")),
        Entry::Comment(lost(" c", "b:")),
        item("d", leaf("z")),
    ]);
    let inner = map(vec![item("l", leaf("x")), head(" c")]);
    assert!(entries == [item("b", inner), item("c", leaf("y")), item("d", leaf("z"))]);
}

#[test]
fn what_authenticates_nowhere_stays_with_a_warning() {
    let stranger = Entry::Comment(lost(" c", "elsewhere:"));
    let (entries, warnings) = rehomed(vec![stranger.clone(), item("a", leaf("x")), stranger.clone()]);
    assert!(entries == [stranger.clone(), item("a", leaf("x")), stranger]);
    assert!(
        warnings.len() == 2 && warnings.iter().all(|warning| matches!(warning, Warning::CommentLeft { .. }))
    );
}
