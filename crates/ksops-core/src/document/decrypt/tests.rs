//! Tests of decrypting, and of the law that it undoes encrypting.

use proptest::prelude::{Just, Strategy, any, prop_assert, prop_oneof, proptest};
use time::OffsetDateTime;

use super::{DecryptError, DecryptErrorKind, Decrypted, Decryptor, Mode, Options, danger, decrypt};
use crate::crypto::cipher::Cipher;
use crate::crypto::data_key::DataKey;
use crate::crypto::iv::tests::Counting;
use crate::crypto::mac::MacError;
use crate::crypto::plaintext::DataType;
use crate::document::encrypt::Encryptor;
use crate::document::stash::Stash;
use crate::document::warning::Warning;
use crate::metadata::model::Metadata;
use crate::tree::branch::{Branch, Comment, Entry, Node};
use crate::tree::selection::{RuleTexts, Selection};
use crate::tree::walk::tests::{comment, head, item, leaf, map};
use crate::value::Value;

const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

fn key() -> DataKey {
    DataKey::new(vec![7; 32].into()).expect("a key")
}

fn metadata(rules: RuleTexts, mac_only_encrypted: bool) -> Metadata {
    Metadata {
        key_groups: Vec::new(),
        unknown: Vec::new(),
        shamir_threshold: 0,
        last_modified: NOW,
        mac: String::new(),
        mac_only_encrypted,
        rules,
        version: "3.13.3".into(),
    }
}

fn encrypt_with(metadata: &mut Metadata, mut branches: Vec<Branch>, stash: Option<Stash>) -> Vec<Branch> {
    let random = Counting::default();
    random_skip(&random, stash.is_some());
    let selection = Selection::for_encrypting(&metadata.rules).expect("a rule");
    let mut encryptor = Encryptor::new(&key(), &selection, metadata.mac_only_encrypted, &random, stash);
    for branch in &mut branches {
        encryptor.branch(branch).expect("encryptable");
    }
    let sealed = encryptor.finish(NOW).expect("random");
    (metadata.mac, metadata.last_modified) = (sealed.mac, sealed.last_modified);
    branches
}

/// A second run must not count the same numbers again.
fn random_skip(random: &Counting, skip: bool) {
    use crate::random::Random;
    if skip {
        random.fill(&mut vec![0; 1 << 20]).expect("it counts");
    }
}

fn encrypt(metadata: &mut Metadata, entries: Vec<Entry>) -> Branch {
    encrypt_with(metadata, vec![Branch { entries }], None).remove(0)
}

fn read(metadata: &Metadata, branch: &Branch) -> Result<Decrypted, DecryptError> {
    decrypt(&key(), metadata, Options::default(), || vec![branch.clone()])
}

fn default_metadata() -> Metadata {
    metadata(RuleTexts::default(), false)
}

fn sealed(kind: DataType, text: &str, aad: &str) -> Value {
    let text = Cipher::new(&key()).encrypt(kind, text.as_bytes(), &[1; 32], aad.as_bytes()).expect("short");
    Value::text(text)
}

fn kind(result: Result<Decrypted, DecryptError>) -> DecryptErrorKind {
    match result {
        Err(DecryptError::Value { kind, .. }) => kind,
        Err(other) => panic!("another error: {other}"),
        Ok(_) => panic!("it decrypts"),
    }
}

#[test]
fn list_comments_come_back_and_are_not_hashed() {
    let mut metadata = default_metadata();
    let tree = || vec![item("l", Node::List(vec![Node::Comment(comment(" c")), leaf("x")])), head(" end")];
    let branch = encrypt(&mut metadata, tree());
    let decrypted = read(&metadata, &branch).expect("authentic");
    assert!(decrypted.branches[0].entries == tree());
}

#[test]
fn inline_comments_move_before_their_value_unless_asked() {
    let mut metadata = default_metadata();
    let inline = |inline| vec![Entry::Comment(Comment { text: " c".into(), inline }), item("a", leaf("x"))];
    let branch = encrypt(&mut metadata, inline(true));
    assert!(read(&metadata, &branch).expect("authentic").branches[0].entries == inline(false));
    let options = Options { keep_inline: true, ..Options::default() };
    let decrypted = decrypt(&key(), &metadata, options, || vec![branch.clone()]).expect("authentic");
    assert!(decrypted.branches[0].entries == inline(true));
}

#[test]
fn a_plain_comment_stays_with_a_warning() {
    let mut metadata = default_metadata();
    let mut branch = encrypt(&mut metadata, vec![item("a", leaf("x"))]);
    branch.entries.insert(0, head(" old"));
    let decrypted = read(&metadata, &branch).expect("comments are not hashed");
    assert!(decrypted.branches[0].entries == [head(" old"), item("a", leaf("x"))]);
    assert!(matches!(decrypted.warnings[..], [Warning::CommentLeft { .. }]));
}

#[test]
fn comments_encrypted_as_strings_are_hashed_and_stay_comments() {
    let mut metadata = default_metadata();
    // Version 3.0 hashed the comment like a string below the same key path.
    let _ = encrypt(&mut metadata, vec![item("k", leaf(" c")), item("a", leaf("x"))]);
    let Value::Text(text) = sealed(DataType::Str, " c", ":") else { panic!("a text") };
    let old = Entry::Comment(Comment { text, inline: true });
    let branch = Branch { entries: vec![old, item("a", Node::Leaf(sealed(DataType::Str, "x", "a:")))] };
    let decrypted = read(&metadata, &branch).expect("authentic");
    let expected = Entry::Comment(Comment { text: " c".into(), inline: true });
    assert!(decrypted.branches[0].entries[0] == expected);
}

#[test]
fn the_value_of_a_key_cannot_become_a_comment() {
    let branch = Branch { entries: vec![item("a", Node::Leaf(sealed(DataType::Comment, "x", "a:")))] };
    assert_eq!(kind(read(&default_metadata(), &branch)), DecryptErrorKind::CommentAsValue);
}

#[test]
fn what_should_be_encrypted_must_be_a_text() {
    let branch = Branch { entries: vec![item("password", Node::Leaf(Value::Int(5)))] };
    let error = read(&default_metadata(), &branch).err().expect("plain").to_string();
    assert_eq!(error, "Error walking tree: Expected encrypted value as string, but got int (at password)");
    let branch = Branch { entries: vec![item("password", leaf("hunter2"))] };
    let error = read(&default_metadata(), &branch).err().expect("plain").to_string();
    let expected = "Error walking tree: Could not decrypt value: Input string does not match sops' data format (at password)";
    assert_eq!(error, expected);
}

#[test]
fn an_emptied_value_is_noticed_by_the_mac() {
    let mut metadata = default_metadata();
    let mut branch = encrypt(&mut metadata, vec![item("a", leaf("x"))]);
    branch.entries[0] = item("a", leaf(""));
    assert_eq!(read(&metadata, &branch).err(), Some(DecryptError::Mac(MacError::Mismatch)));
}

#[test]
fn the_mac_is_needed_unless_it_is_ignored_by_name() {
    let mut metadata = default_metadata();
    let branch = encrypt(&mut metadata, vec![item("a", leaf("x"))]);
    let mac = std::mem::take(&mut metadata.mac);
    assert_eq!(read(&metadata, &branch).err(), Some(DecryptError::Mac(MacError::Missing)));
    metadata.mac = mac;
    metadata.last_modified += time::Duration::seconds(1);
    assert!(matches!(read(&metadata, &branch), Err(DecryptError::Mac(MacError::Undecryptable(_)))));
    let selection = Selection::default();
    let mut decryptor = Decryptor::new(&key(), &selection, false, Mode::Strict, Options::default());
    decryptor.branch(branch).expect("authentic values");
    assert!(danger::finish_ignoring_mac(decryptor).branches[0].entries == [item("a", leaf("x"))]);
}

#[test]
fn plain_values_outside_the_scope_may_change() {
    for (mac_only, noticed) in [(false, true), (true, false)] {
        let mut metadata = metadata(RuleTexts::default(), mac_only);
        let mut branch = encrypt(&mut metadata, vec![item("a", leaf("x")), item("b_unencrypted", leaf("y"))]);
        branch.entries[1] = item("b_unencrypted", leaf("z"));
        assert_eq!(read(&metadata, &branch).is_err(), noticed, "mac_only_encrypted {mac_only}");
    }
}

#[test]
fn swapped_values_are_noticed() {
    let mut metadata = default_metadata();
    let branch =
        encrypt(&mut metadata, vec![item("l", Node::List(vec![leaf("x"), leaf("y")])), item("a", leaf("z"))]);
    let mut swapped = branch.clone();
    let Entry::Item(_, Node::List(list)) = &mut swapped.entries[0] else { panic!("a list") };
    list.swap(0, 1);
    assert_eq!(read(&metadata, &swapped).err(), Some(DecryptError::Mac(MacError::Mismatch)));
    let Entry::Item(_, Node::List(list)) = &mut swapped.entries[0] else { panic!("a list") };
    let moved = list.remove(0);
    swapped.entries[1] = item("a", moved);
    assert!(matches!(kind(read(&metadata, &swapped)), DecryptErrorKind::Cipher(_)));
}

fn by_comment() -> Metadata {
    metadata(RuleTexts { encrypted_comment_regex: "sops:enc".into(), ..RuleTexts::default() }, false)
}

/// What real SOPS writes for a matching comment and a second one in a list, and cannot read.
#[test]
fn the_lenient_walk_reads_a_second_comment_in_a_list() {
    let mut metadata = by_comment();
    // The hash and the ciphertext of the value do not depend on the comments.
    let _ = encrypt(&mut metadata, vec![item("l", Node::List(vec![leaf("x")]))]);
    let list = vec![
        Node::Comment(comment(" sops:enc")),
        Node::Leaf(sealed(DataType::Comment, " second", "l:")),
        Node::Leaf(sealed(DataType::Str, "x", "l:")),
    ];
    let decrypted =
        read(&metadata, &Branch { entries: vec![item("l", Node::List(list))] }).expect("readable");
    let expected =
        Node::List(vec![Node::Comment(comment(" sops:enc")), Node::Comment(comment(" second")), leaf("x")]);
    assert!(decrypted.branches[0].node("l") == Some(&expected));
    assert!(decrypted.warnings.is_empty());
}

#[test]
fn authentication_decides_when_a_comment_has_moved() {
    let mut metadata = by_comment();
    let tree = vec![item("l", Node::List(vec![map(vec![item("x", leaf("1")), item("y", leaf("2"))])]))];
    let _ = encrypt(&mut metadata, tree.clone());
    // The comment headed the mapping, so only `x` is encrypted; here it stands before the item and covers `y`, too.
    let inner = map(vec![item("x", Node::Leaf(sealed(DataType::Str, "1", "l:x:"))), item("y", leaf("2"))]);
    let list = Node::List(vec![Node::Comment(comment(" sops:enc")), inner]);
    let branch = Branch { entries: vec![item("l", list)] };
    let decrypted = read(&metadata, &branch).expect("readable");
    assert!(decrypted.warnings.contains(&Warning::DecidedByAuthentication));
    metadata.mac = String::new();
    let error = read(&metadata, &branch).err().expect("no MAC, no guessing").to_string();
    assert!(error.contains("does not match sops' data format"), "the first error is told: {error}");
}

/// What real SOPS makes of `# sops:enc`, `#`, `# second` in a list: the empty comment becomes an element.
#[test]
fn an_encrypted_comment_in_a_list_never_stays_as_an_element() {
    let mut metadata = metadata(by_comment().rules, true);
    let _ = encrypt(&mut metadata, vec![head(" sops:enc"), item("l", Node::List(vec![leaf("x")]))]);
    let list = |second: Value| {
        let value = Node::Leaf(sealed(DataType::Str, "x", "l:"));
        let list = vec![Node::Comment(comment(" sops:enc")), leaf(""), Node::Leaf(second), value];
        Branch { entries: vec![item("l", Node::List(list))] }
    };
    let decrypted = read(&metadata, &list(sealed(DataType::Comment, " second", "l:"))).expect("readable");
    let Some(Node::List(list_read)) = decrypted.branches[0].node("l") else { panic!("a list") };
    assert!(list_read[1..] == [leaf(""), Node::Comment(comment(" second")), leaf("x")]);
    assert!(read(&metadata, &list(sealed(DataType::Comment, " second", "elsewhere:"))).is_err());
}

#[test]
fn an_invalid_pattern_in_a_file_matches_nothing() {
    let mut metadata =
        metadata(RuleTexts { encrypted_suffix: "never".into(), ..RuleTexts::default() }, false);
    let branch = encrypt(&mut metadata, vec![item("a", leaf("x"))]);
    metadata.rules = RuleTexts { encrypted_regex: "(".into(), ..RuleTexts::default() };
    let decrypted = read(&metadata, &branch).expect("all plain");
    assert!(matches!(decrypted.warnings[..], [Warning::InvalidPattern(_)]));
    metadata.rules.encrypted_suffix = "x".into();
    let error = read(&metadata, &branch).err().expect("two rules").to_string();
    assert!(
        error.starts_with("Cannot use more than one of encrypted_suffix, ")
            && error.ends_with("in the same file")
    );
}

#[test]
fn unchanged_values_keep_their_text_and_equal_ones_stay_apart() {
    let mut metadata = default_metadata();
    let tree = vec![
        head(" c"),
        item("l", Node::List(vec![leaf("x"), leaf("x"), Node::Comment(comment(" in list"))])),
        item("n", Node::Leaf(Value::Float(f64::NAN))),
        item("a", leaf("old")),
    ];
    let before = encrypt(&mut metadata, tree);
    let options = Options { with_stash: true, ..Options::default() };
    let decrypted = decrypt(&key(), &metadata, options, || vec![before.clone()]).expect("authentic");
    let mut branches = decrypted.branches;
    branches[0].entries[3] = item("a", leaf("new"));
    let after = encrypt_with(&mut metadata, branches, Some(decrypted.stash)).remove(0);
    assert!(after.entries[..3] == before.entries[..3]);
    assert!(after.entries[3] != before.entries[3]);
    let Some(Node::List(list)) = after.node("l") else { panic!("a list") };
    assert!(list[0] != list[1]);
}

#[test]
fn deep_nesting_is_refused() {
    let deep = (0..2000).fold(leaf("x"), |node, _| Node::List(vec![node]));
    let branch = Branch { entries: vec![item("a", deep)] };
    assert_eq!(kind(read(&default_metadata(), &branch)), DecryptErrorKind::TooDeep);
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..20).prop_map(Value::text),
        any::<i64>().prop_map(Value::Int),
        any::<f64>()
            .prop_filter("NaN is not equal to itself", |float| !float.is_nan())
            .prop_map(Value::Float),
        any::<bool>().prop_map(Value::Bool),
        (0..253_402_300_799_i64, 0..1_000_000_000_i64).prop_map(|(seconds, nanoseconds)| {
            let moment = OffsetDateTime::from_unix_timestamp(seconds).expect("in range");
            Value::Timestamp(moment + time::Duration::nanoseconds(nanoseconds % 1_000))
        }),
        Just(Value::Null),
    ]
}

fn any_node() -> impl Strategy<Value = Node> {
    let leaf = any_value().prop_map(Node::Leaf);
    leaf.prop_recursive(4, 40, 6, |node| {
        let comment = "[ a-z]{1,8}".prop_map(|text| comment(&text));
        let entry = prop_oneof![
            4 => ("[a-z:]{0,4}(_unencrypted)?", node.clone()).prop_map(|(key, node)| item(&key, node)),
            1 => comment.clone().prop_map(Entry::Comment),
        ];
        prop_oneof![
            proptest::collection::vec(prop_oneof![4 => node, 1 => comment.prop_map(Node::Comment)], 0..6)
                .prop_map(Node::List),
            proptest::collection::vec(entry, 0..6).prop_map(|entries| Node::Map(Branch { entries })),
        ]
    })
}

fn any_branch() -> impl Strategy<Value = Branch> {
    proptest::collection::vec(any_node(), 1..4).prop_map(|nodes| Branch {
        entries: nodes.into_iter().enumerate().map(|(at, node)| item(&format!("k{at}"), node)).collect(),
    })
}

proptest! {
    #[test]
    fn decrypting_gives_back_what_was_encrypted(branches in proptest::collection::vec(any_branch(), 1..3), mac_only in any::<bool>()) {
        let mut metadata = metadata(RuleTexts::default(), mac_only);
        let encrypted = encrypt_with(&mut metadata, branches.clone(), None);
        let decrypted = decrypt(&key(), &metadata, Options::default(), || encrypted.clone()).expect("authentic");
        prop_assert!(decrypted.branches == branches);
        prop_assert!(decrypted.warnings.is_empty());
    }
}

#[test]
fn a_comment_that_moved_into_a_plain_container_is_found() {
    let mut metadata = default_metadata();
    let inner = || map(vec![item("k", leaf("x"))]);
    let encrypted = encrypt(&mut metadata, vec![item("a_unencrypted", inner()), head(" c")]);
    let [Entry::Item(key, Node::Map(branch)), comment] = &encrypted.entries[..] else {
        panic!("two entries")
    };
    let mut read_again = branch.clone();
    read_again.entries.push(comment.clone());
    let branch = Branch { entries: vec![Entry::Item(key.clone(), Node::Map(read_again))] };
    let decrypted = read(&metadata, &branch).expect("decryptable");
    assert!(decrypted.branches[0].entries == [item("a_unencrypted", inner()), head(" c")]);
}

#[test]
fn a_moment_without_text_form_is_equal_to_itself() {
    use crate::document::verify::{Comments, Fidelity, Typing, compare};
    let offset = time::UtcOffset::from_hms(24, 0, 0).expect("an offset that YAML can express");
    let branch = Branch { entries: vec![item("a", Node::Leaf(Value::Timestamp(NOW.to_offset(offset))))] };
    let fidelity = Fidelity { typing: Typing::Full, comments: Comments::Kept };
    assert!(compare(&branch, &branch, fidelity).is_ok());
}
