//! Tests of the walk, and the small builders of trees that other tests use, too.

use std::convert::Infallible;

use super::{Fate, MAX_DEPTH, Spot, Visitor, WalkCause, walk};
use crate::tree::branch::{Branch, Comment, Entry, Node};
use crate::tree::selection::{RuleTexts, Selection};
use crate::value::Value;

/// Notes for each leaf and comment `aad=encrypted`, a comment with `#`.
#[derive(Default)]
struct Notes(Vec<String>);

impl Notes {
    fn note(&mut self, mark: &str, spot: &Spot<'_>) {
        let sign = if spot.encrypted { '+' } else { '-' };
        self.0.push(format!("{mark}{}{sign}", String::from_utf8_lossy(spot.aad)));
    }
}

impl Visitor for Notes {
    type Error = Infallible;

    fn leaf(&mut self, _: &mut Node, _: bool, spot: &Spot<'_>) -> Result<(), Infallible> {
        self.note("", spot);
        Ok(())
    }

    fn comment(&mut self, _: &mut Comment, spot: &Spot<'_>) -> Result<(), Infallible> {
        self.note("#", spot);
        Ok(())
    }

    fn list_comment(&mut self, _: &mut Node, spot: &Spot<'_>) -> Result<Fate, Infallible> {
        self.note("#", spot);
        Ok(Fate::Keep)
    }
}

pub(crate) fn comment(text: &str) -> Comment {
    Comment { text: text.into(), inline: false }
}

pub(crate) fn leaf(text: &str) -> Node {
    Node::Leaf(Value::text(text))
}

pub(crate) fn item(key: &str, node: Node) -> Entry {
    Entry::Item(key.into(), node)
}

pub(crate) fn head(text: &str) -> Entry {
    Entry::Comment(comment(text))
}

pub(crate) fn map(entries: Vec<Entry>) -> Node {
    Node::Map(Branch { entries })
}

fn notes(texts: RuleTexts, entries: Vec<Entry>) -> String {
    let mut notes = Notes::default();
    let selection = Selection::for_encrypting(&texts).expect("a rule");
    walk(&mut Branch { entries }, &selection, &mut notes).expect("no visit fails");
    notes.0.join(" ")
}

#[test]
fn additional_data_is_the_keys_on_the_way() {
    let entries = vec![
        head(" top"),
        item("m", map(vec![item("x:y", leaf("z")), head(" in m")])),
        item("l", Node::List(vec![leaf("x"), map(vec![item("k", leaf("v"))]), Node::List(vec![leaf("1")])])),
        item("", leaf("empty")),
        item("n", Node::Leaf(Value::Null)),
    ];
    assert_eq!(notes(RuleTexts::default(), entries), "#:+ m:x:y:+ #m:+ l:+ l:k:+ l:+ :+");
}

#[test]
fn any_key_on_the_way_decides() {
    let tree = || {
        vec![
            head(""),
            item("data", map(vec![item("b_unencrypted", leaf("")), item("c", leaf(""))])),
            item("b", leaf("")),
        ]
    };
    let rule = RuleTexts { unencrypted_suffix: "a".into(), ..RuleTexts::default() };
    assert_eq!(notes(rule, tree()), "#:+ data:b_unencrypted:- data:c:- b:+");
    let rule = RuleTexts { encrypted_regex: "^data$".into(), ..RuleTexts::default() };
    assert_eq!(notes(rule, tree()), "#:- data:b_unencrypted:+ data:c:+ b:-");
    let rule = RuleTexts { unencrypted_regex: "^c$".into(), ..RuleTexts::default() };
    assert_eq!(notes(rule, tree()), "#:+ data:b_unencrypted:+ data:c:- b:+");
    let rule = RuleTexts { encrypted_suffix: "c".into(), ..RuleTexts::default() };
    assert_eq!(notes(rule, tree()), "#:- data:b_unencrypted:- data:c:+ b:-");
}

/// The verified example of file-format.md section 3.3.
#[test]
fn comments_decide_for_what_stands_behind_them() {
    let rule = RuleTexts { encrypted_comment_regex: "sops:enc".into(), ..RuleTexts::default() };
    let entries = vec![
        head(" sops:enc"),
        item("a", leaf("1")),
        item("b", leaf("2")),
        head(" other"),
        head(" sops:enc"),
        head(" third"),
        item(
            "c",
            map(vec![item("d", leaf("3")), head(" x"), item("e", Node::List(vec![leaf("4"), leaf("5")]))]),
        ),
        head(" sops:enc"),
        item("f", leaf("6")),
        item("g", leaf("7")),
        item(
            "l",
            Node::List(vec![
                Node::Comment(comment(" sops:enc")),
                leaf("p"),
                Node::Comment(comment(" sops:enc")),
                leaf("q"),
                leaf("r"),
            ]),
        ),
    ];
    assert_eq!(
        notes(rule, entries),
        "#:- a:+ b:- #:- #:- #:+ c:d:+ #c:+ c:e:+ c:e:+ #:- f:+ g:- #l:- l:+ #l:- l:+ l:-"
    );
}

#[test]
fn a_comment_that_leaves_plain_is_plain_itself() {
    let rule = RuleTexts { unencrypted_comment_regex: "plain".into(), ..RuleTexts::default() };
    let entries = vec![head("x"), head("plain"), head("y"), item("a", leaf("1")), item("b", leaf("2"))];
    assert_eq!(notes(rule, entries), "#:+ #:- #:- a:- b:+");
}

#[test]
fn deep_nesting_is_an_error_with_a_place() {
    let nested = |depth| (0..depth).fold(leaf("x"), |node, _| Node::List(vec![node]));
    let walked = |depth| {
        let mut branch = Branch { entries: vec![item("a", nested(depth))] };
        walk(&mut branch, &Selection::default(), &mut Notes::default())
    };
    assert!(walked(MAX_DEPTH - 1).is_ok());
    let error = walked(MAX_DEPTH).expect_err("too deep");
    assert_eq!(error.cause, WalkCause::TooDeep);
    assert_eq!(error.path.0.len(), MAX_DEPTH);
}
