//! Tests of encrypting: what becomes an envelope, and what is refused.

use time::OffsetDateTime;

use super::{Counts, EncryptErrorKind, Encryptor, ReservedKeys};
use crate::crypto::data_key::DataKey;
use crate::crypto::envelope::Envelope;
use crate::crypto::iv::tests::{Broken, Counting};
use crate::document::warning::Warning;
use crate::tree::branch::{Branch, Comment, Entry, Node};
use crate::tree::selection::{RuleTexts, Selection};
use crate::tree::walk::tests::{comment, head, item, leaf, map};
use crate::value::Value;

fn key() -> DataKey {
    DataKey::new(vec![7; 32].into()).expect("a key")
}

fn selection(rule: impl FnOnce(&mut RuleTexts)) -> Selection {
    let mut texts = RuleTexts::default();
    rule(&mut texts);
    Selection::for_encrypting(&texts).expect("a rule")
}

fn encrypt(
    selection: &Selection,
    entries: Vec<Entry>,
) -> Result<(Branch, Counts, Vec<Warning>), EncryptErrorKind> {
    let random = Counting::default();
    let mut encryptor = Encryptor::new(&key(), selection, false, &random, None);
    let mut branch = Branch { entries };
    encryptor.branch(&mut branch).map_err(|error| error.kind)?;
    let sealed = encryptor.finish(OffsetDateTime::UNIX_EPOCH).map_err(|error| error.kind)?;
    Ok((branch, sealed.counts, sealed.warnings))
}

fn is_envelope(node: &Node, kind: &str) -> bool {
    matches!(node, Node::Leaf(Value::Text(text))
        if Envelope::parse(text.expose()).is_some_and(|envelope| envelope.kind() == kind.as_bytes()))
}

#[test]
fn every_type_gets_its_envelope_and_what_is_empty_stays() {
    let time = Value::Timestamp(OffsetDateTime::UNIX_EPOCH);
    let values = [
        leaf("x"),
        Node::Leaf(Value::Int(1)),
        Node::Leaf(Value::Float(1.5)),
        Node::Leaf(Value::Bool(true)),
        Node::Leaf(time),
    ];
    let mut list = values.to_vec();
    list.extend([leaf(""), Node::Leaf(Value::Null), Node::Comment(comment("c")), Node::Comment(comment(""))]);
    let entries = vec![item("l", Node::List(list)), item("a_unencrypted", leaf("plain"))];
    let (branch, counts, warnings) = encrypt(&Selection::default(), entries).expect("encryptable");
    let Some(Node::List(list)) = branch.node("l") else { panic!("a list") };
    for (node, kind) in list.iter().zip(["str", "int", "float", "bool", "time"]) {
        assert!(is_envelope(node, kind), "{kind}");
    }
    assert!(list[5] == leaf("") && list[6] == Node::Leaf(Value::Null) && is_envelope(&list[7], "comment"));
    assert_eq!(list.len(), 8, "the empty comment is dropped");
    assert!(
        matches!(&warnings[..], [Warning::EmptyCommentDropped { path, .. }] if path.to_string() == "l[8]")
    );
    assert!(branch.node("a_unencrypted") == Some(&leaf("plain")));
    assert_eq!(counts, Counts { encrypted: 5, plain: 1, empty: 2 });
}

#[test]
fn reserved_keys_are_refused_in_every_document() {
    let (selection, random) = (Selection::default(), Counting::default());
    let refused = |reserved, name: &str| {
        let mut encryptor = Encryptor::new(&key(), &selection, false, &random, None).reserving(reserved);
        encryptor.branch(&mut Branch { entries: vec![item("a", leaf("x"))] }).expect("fine");
        encryptor
            .branch(&mut Branch { entries: vec![item(name, leaf("x"))] })
            .err()
            .map(|error| error.to_string())
    };
    let message = r#"Found key "sops" in encrypted data, which is a reserved key used for SOPS metadata"#;
    assert_eq!(refused(ReservedKeys::Block, "sops").as_deref(), Some(message));
    assert_eq!(refused(ReservedKeys::Block, "sops_x"), None);
    assert_eq!(refused(ReservedKeys::Prefix, "sops"), None);
    assert!(
        refused(ReservedKeys::Prefix, "sops_x")
            .is_some_and(|error| error.starts_with(r#"Found key "sops_x" in"#))
    );
}

#[test]
fn refuses_comments_in_lists_that_cannot_be_read_back() {
    let by_comment = selection(|texts| texts.encrypted_comment_regex = "sops:enc".into());
    let list = vec![Node::Comment(comment(" sops:enc")), Node::Comment(comment(" second")), leaf("x")];
    let error = encrypt(&by_comment, vec![item("l", Node::List(list.clone()))]).err();
    assert_eq!(error, Some(EncryptErrorKind::CommentAfterMatchInList));
    // Settled further out, the list's own comments decide nothing.
    assert!(encrypt(&by_comment, vec![head(" sops:enc"), item("l", Node::List(list))]).is_ok());
}

#[test]
fn refuses_deciding_comments_at_the_head_of_a_list_item() {
    for rule in ["enc", "plain"] {
        let by_comment = selection(|texts| match rule {
            "enc" => texts.encrypted_comment_regex = "mark".into(),
            _ => texts.unencrypted_comment_regex = "mark".into(),
        });
        let tree = |inline| {
            let mark = Entry::Comment(Comment { text: " mark".into(), inline });
            vec![item("l", Node::List(vec![map(vec![mark, item("x", leaf("1")), item("y", leaf("2"))])]))]
        };
        assert_eq!(
            encrypt(&by_comment, tree(false)).err(),
            Some(EncryptErrorKind::CommentHeadsListItem),
            "{rule}"
        );
        assert!(encrypt(&by_comment, tree(true)).is_ok(), "an inline comment stays with its value");
    }
}

#[test]
fn refuses_a_rule_that_matches_ciphertext() {
    let by_comment = selection(|texts| texts.unencrypted_comment_regex = "^ENC".into());
    let error = encrypt(&by_comment, vec![head(" x"), item("a", leaf("1"))]).err();
    assert_eq!(error, Some(EncryptErrorKind::CommentMatchesRule));
}

#[test]
fn without_randomness_nothing_is_encrypted() {
    let selection = Selection::default();
    let mut encryptor = Encryptor::new(&key(), &selection, false, &Broken, None);
    let mut branch = Branch { entries: vec![item("a", leaf("x"))] };
    let error = encryptor.branch(&mut branch).expect_err("no randomness");
    assert!(matches!(error.kind, EncryptErrorKind::Random(_)));
}

#[test]
fn a_value_that_is_neither_encrypted_nor_hashed_needs_no_text_form() {
    let offset = time::UtcOffset::from_hms(24, 0, 0).expect("an offset that YAML can express");
    let moment = || {
        vec![item(
            "a_unencrypted",
            Node::Leaf(Value::Timestamp(OffsetDateTime::UNIX_EPOCH.to_offset(offset))),
        )]
    };
    let selection = Selection::default();
    let random = Counting::default();
    for (mac_only_encrypted, accepted) in [(true, true), (false, false)] {
        let mut encryptor = Encryptor::new(&key(), &selection, mac_only_encrypted, &random, None);
        assert_eq!(encryptor.branch(&mut Branch { entries: moment() }).is_ok(), accepted);
    }
}
