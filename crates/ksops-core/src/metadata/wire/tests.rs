//! Tests of the `sops` block: what is written, what is read, what is refused.

use super::{WireError, append, from_branch, take, take_all, to_branch};
use crate::crypto::timestamp;
use crate::keys::key_group::{EncryptedDataKey, KeyEntry, KeyGroup};
use crate::keys::master_key::{
    AgeKey, AzureKvKey, GcpKmsKey, HcVaultKey, HckmsKey, KmsKey, MasterKey, PgpKey,
};
use crate::metadata::model::Metadata;
use crate::metadata::unknown;
use crate::tree::branch::{Branch, Entry, Node};
use crate::tree::selection::{RuleTexts, Selection};
use crate::tree::walk::tests::{head, item, leaf, map};
use crate::value::Value;

const WHEN: &str = "2026-11-22T23:56:04Z";

fn age_list() -> Node {
    Node::List(vec![map(vec![item("recipient", leaf("age1x")), item("enc", leaf("armor\n"))])])
}

fn block(more: Vec<Entry>) -> Branch {
    let mut entries = more;
    entries.extend([
        item("age", age_list()),
        item("lastmodified", leaf(WHEN)),
        item("mac", leaf("ENC[x]")),
        item("version", leaf("3.13.3")),
    ]);
    Branch { entries }
}

fn error(branch: &Branch) -> String {
    from_branch(branch).expect_err("refused").to_string()
}

/// The shape of a branch: keys, and `name=text` for leaves.
fn shape(branch: &Branch) -> String {
    let nodes: Vec<String> = branch
        .entries
        .iter()
        .filter_map(|entry| match entry {
            Entry::Item(key, node) => Some(format!("{key}{}", shape_of(node))),
            Entry::Comment(_) => None,
        })
        .collect();
    nodes.join(" ")
}

fn shape_of(node: &Node) -> String {
    match node {
        Node::Leaf(Value::Text(text)) => format!("={}", text.expose_str().unwrap_or("?")),
        Node::Leaf(Value::Int(int)) => format!("={int}i"),
        Node::Leaf(Value::Bool(truth)) => format!("={truth}"),
        Node::Leaf(_) => "=null".to_owned(),
        Node::Map(branch) => format!("{{{}}}", shape(branch)),
        Node::List(list) => format!("[{}]", list.iter().map(shape_of).collect::<Vec<_>>().join(",")),
        Node::Comment(_) => "#".to_owned(),
    }
}

fn every_kind() -> Vec<MasterKey> {
    vec![
        MasterKey::Age(AgeKey { recipient: "age1".into() }),
        MasterKey::Pgp(PgpKey { fingerprint: "FP".into() }),
        MasterKey::Kms(KmsKey {
            arn: "arn".into(),
            role: "role".into(),
            context: [("b".to_owned(), Some("2".to_owned())), ("a".to_owned(), None)].into(),
            aws_profile: String::new(),
        }),
        MasterKey::GcpKms(GcpKmsKey { resource_id: "projects/p".into() }),
        MasterKey::Hckms(HckmsKey { key_id: "region:id".into() }),
        MasterKey::AzureKv(AzureKvKey {
            vault_url: "https://v".into(),
            name: "n".into(),
            version: "1".into(),
        }),
        MasterKey::HcVault(HcVaultKey {
            vault_address: "http://a".into(),
            engine_path: "e".into(),
            key_name: "k".into(),
        }),
    ]
}

fn metadata(groups: Vec<Vec<MasterKey>>) -> Metadata {
    let moment = timestamp::parse(WHEN.as_bytes()).expect("a moment");
    let entry = |key: MasterKey| {
        let created_at = (!matches!(key, MasterKey::Age(_))).then_some(moment);
        KeyEntry { key, enc: EncryptedDataKey("e".into()), created_at }
    };
    Metadata {
        key_groups: groups
            .into_iter()
            .map(|keys| KeyGroup { entries: keys.into_iter().map(entry).collect() })
            .collect(),
        unknown: Vec::new(),
        shamir_threshold: 0,
        last_modified: moment,
        mac: "ENC[x]".into(),
        mac_only_encrypted: false,
        rules: RuleTexts { encrypted_regex: "^a$".into(), ..RuleTexts::default() },
        version: "3.13.3".into(),
    }
}

#[test]
fn writes_every_kind_sorted_with_upstreams_omissions() {
    let text = shape(&to_branch(&metadata(vec![every_kind()])));
    let at = "created_at=2026-11-22T23:56:04Z";
    let expected = format!(
        "age[{{enc=e recipient=age1}}] azure_kv[{{{at} enc=e name=n vault_url=https://v version=1}}] encrypted_regex=^a$ \
         gcp_kms[{{{at} enc=e resource_id=projects/p}}] \
         hc_vault[{{{at} enc=e engine_path=e key_name=k vault_address=http://a}}] \
         hckms[{{{at} enc=e key_id=region:id}}] \
         kms[{{arn=arn aws_profile= context{{a=null b=2}} {at} enc=e role=role}}] \
         lastmodified=2026-11-22T23:56:04Z mac=ENC[x] pgp[{{{at} enc=e fp=FP}}] version=3.13.3"
    );
    assert_eq!(text, expected);
}

#[test]
fn several_groups_always_have_age_and_vault() {
    let pgp = MasterKey::Pgp(PgpKey { fingerprint: "FP".into() });
    let mut metadata = metadata(vec![vec![pgp], every_kind()[..1].to_vec()]);
    metadata.shamir_threshold = 2;
    metadata.mac_only_encrypted = true;
    let text = shape(&to_branch(&metadata));
    let groups = "key_groups[{age[] hc_vault[] pgp[{created_at=2026-11-22T23:56:04Z enc=e fp=FP}]},\
                  {age[{enc=e recipient=age1}] hc_vault[]}]";
    assert!(text.contains(groups), "{text}");
    assert!(text.contains(" mac_only_encrypted=true shamir_threshold=2i version=3.13.3"), "{text}");
}

#[test]
fn what_is_written_is_read_again() {
    let mut kinds = every_kind();
    kinds.rotate_left(2);
    // Reading sorts by kind: kms, gcp_kms, hckms, azure_kv, hc_vault, pgp, age.
    let sorted = [0, 1, 2, 3, 4, 6, 5].map(|at| kinds[at].clone()).to_vec();
    for groups in [vec![sorted.clone()], vec![sorted.clone(), sorted]] {
        let metadata = metadata(groups);
        assert_eq!(from_branch(&to_branch(&metadata)).as_ref(), Ok(&metadata));
    }
}

#[test]
fn reads_fields_of_other_types_capitals_and_unknown_names() {
    let metadata = from_branch(&Branch {
        entries: vec![
            head(" a comment"),
            item("attention", leaf("This section contains key material")),
            item("AGE", map(vec![item("Recipient", leaf("age1")), item("enc", leaf("e"))])),
            item("kms", Node::Leaf(Value::Null)),
            item("pgp", Node::List(Vec::new())),
            item(
                "lastmodified",
                Node::Leaf(Value::Timestamp(timestamp::parse(WHEN.as_bytes()).expect("one"))),
            ),
            item("mac", Node::Leaf(Value::Null)),
            item("mac_only_encrypted", leaf("true")),
            item("shamir_threshold", leaf("2.000000")),
            item("version", Node::Leaf(Value::Float(1.7))),
        ],
    })
    .expect("readable");
    assert_eq!(metadata.version, "1.7");
    assert_eq!((metadata.shamir_threshold, metadata.mac_only_encrypted), (2, true));
    assert_eq!(metadata.mac, "");
    assert_eq!(metadata.rules.unencrypted_suffix, "_unencrypted");
    assert_eq!(metadata.key_groups[0].entries[0].key.to_string(), "age1");
    assert_eq!(timestamp::to_text(metadata.last_modified).as_deref(), Some(WHEN));
}

#[test]
fn flat_lists_win_over_groups() {
    let groups = Node::List(vec![map(vec![item("pgp", leaf("not even a list"))])]);
    let metadata = from_branch(&block(vec![item("key_groups", groups)])).expect("readable");
    assert_eq!(metadata.key_count(), 1);
}

#[test]
fn lastmodified_keeps_its_offset() {
    let metadata = from_branch(&block(vec![])).expect("readable");
    let mut branch = to_branch(&metadata);
    branch.entries.retain(|entry| !matches!(entry, Entry::Item(key, _) if key == "lastmodified"));
    branch.entries.push(item("lastmodified", leaf("2026-11-22T23:56:04.5-07:00")));
    let metadata = from_branch(&branch).expect("readable");
    assert_eq!(timestamp::to_text(metadata.last_modified).as_deref(), Some("2026-11-22T23:56:04-07:00"));
}

#[test]
fn a_block_of_rops_has_no_version_and_encrypts_everything() {
    let of_rops = |more| {
        let mut block = block(more);
        block.entries.retain(|entry| !matches!(entry, Entry::Item(key, _) if key == "version"));
        from_branch(&block).expect("readable")
    };
    let metadata = of_rops(vec![]);
    let (selection, problem) = Selection::for_decrypting(&metadata.rules).expect("a rule");
    assert!(problem.is_none());
    for key in ["a", "a_unencrypted", "$.", ""] {
        assert!(selection.encrypts(selection.key_hits(key.as_bytes())), "{key}");
    }
    // What is written from it is a file of upstream's again.
    assert_eq!(from_branch(&to_branch(&metadata)), Ok(metadata));
    let suffix = of_rops(vec![item("unencrypted_suffix", leaf("_x"))]);
    assert_eq!((suffix.rules.count(), &*suffix.rules.unencrypted_suffix), (1, "_x"));
}

#[test]
fn refusals_are_worded_as_upstream() {
    let two = vec![item("encrypted_regex", leaf("a")), item("unencrypted_suffix", leaf("b"))];
    assert_eq!(
        error(&block(two)),
        "Cannot use more than one of encrypted_suffix, unencrypted_suffix, encrypted_regex, unencrypted_regex, \
         encrypted_comment_regex, or unencrypted_comment_regex in the same file"
    );
    let without = |name: &str| {
        let mut block = block(vec![]);
        block.entries.retain(|entry| !matches!(entry, Entry::Item(key, _) if key == name));
        error(&block)
    };
    assert_eq!(without("age"), "No keys found in file");
    let mut empty = block(vec![]);
    empty.entries.push(item("version", leaf("")));
    assert_eq!(error(&empty), "Version string empty");
    assert!(without("lastmodified").starts_with("parsing time \"\" as "));
    let odd = block(vec![item("mac_only_encrypted", leaf("yes"))]);
    assert_eq!(error(&odd), "cannot parse 'mac_only_encrypted' as bool");
    let odd = block(vec![item("encrypted_suffix", Node::List(Vec::new()))]);
    assert_eq!(error(&odd), "'encrypted_suffix' expected type 'string', got unconvertible type 'list'");
    let odd = block(vec![item("shamir_threshold", Node::Leaf(Value::Int(-1)))]);
    assert_eq!(error(&odd), "cannot parse 'shamir_threshold' as int");
    let undated = Node::List(vec![map(vec![item("fp", leaf("F")), item("enc", leaf("e"))])]);
    assert!(error(&block(vec![item("pgp", undated)])).contains("'pgp[0].created_at'"));
}

#[test]
fn takes_the_block_out_of_every_document() {
    let mut documents =
        [Branch { entries: vec![item("a", leaf("x"))] }, Branch { entries: vec![item("sops", leaf("odd"))] }];
    append(&mut documents[0], &block(vec![]));
    assert!(take_all(&mut documents).is_ok());
    assert_eq!((documents[0].entries.len(), documents[1].entries.len()), (1, 0));
    let taken = |entries| take(&mut Branch { entries }).expect_err("refused");
    assert_eq!(taken(vec![]).to_string(), "sops metadata not found");
    assert_eq!(taken(vec![item("sops", leaf("x"))]).to_string(), "Found sops entry that is not a mapping");
    let twice = vec![item("sops", map(vec![])), item("sops", map(vec![]))];
    assert_eq!(taken(twice), WireError::Duplicate);
}

fn oci_list() -> Node {
    Node::List(vec![map(vec![item("enc", leaf("secret text")), item("ocid", Node::Leaf(Value::Int(7)))])])
}

#[test]
fn keys_of_unknown_kinds_are_kept_where_they_stand() {
    let flat =
        from_branch(&block(vec![item("oci_kms", oci_list()), item("note", leaf("x"))])).expect("readable");
    assert_eq!((flat.key_count(), unknown::kinds(&flat.unknown).as_str()), (1, "oci_kms"));
    let text = shape(&to_branch(&flat));
    assert!(text.contains("mac=ENC[x] oci_kms[{enc=secret text ocid=7i}] unencrypted_suffix"), "{text}");
    let groups = Node::List(vec![
        map(vec![item("age", age_list())]),
        map(vec![item("age", age_list()), item("oci_kms", oci_list())]),
        map(vec![item("oci_kms", oci_list())]),
    ]);
    let mut entries =
        block(vec![item("key_groups", groups), item("shamir_threshold", Node::Leaf(Value::Int(2)))]);
    entries.entries.retain(|entry| !matches!(entry, Entry::Item(key, _) if key == "age"));
    let metadata = from_branch(&entries).expect("readable");
    assert_eq!((metadata.key_count(), metadata.unknown.len()), (2, 2));
    let text = shape(&to_branch(&metadata));
    let oci = "oci_kms[{enc=secret text ocid=7i}]";
    assert!(text.contains(&format!("hc_vault[] {oci}}},{{age[] hc_vault[] {oci}}}]")), "{text}");
    assert_eq!(from_branch(&to_branch(&metadata)).as_ref(), Ok(&metadata));
}

#[test]
fn a_file_with_unknown_kinds_only_says_so() {
    let mut entries = block(vec![item("oci_kms", oci_list())]);
    entries.entries.retain(|entry| !matches!(entry, Entry::Item(key, _) if key == "age"));
    assert_eq!(
        error(&entries),
        "the keys of this file are of kinds that this version does not know: oci_kms"
    );
}
