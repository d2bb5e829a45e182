//! A masked document holds nothing of what is encrypted, in any format; what is plain in the file stands there as it is.

mod support {
    pub(crate) mod open_service;
}

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use ksops::decrypt::{DecryptRequest, decrypt};
use ksops::encrypt::{EncryptRequest, encrypt};
use ksops::extract;
use ksops::policy::Policy;
use ksops::redact::{decrypt_redacted, view};
use ksops_core::document::mask::length_class;
use ksops_core::keys::master_key::{AgeKey, MasterKey};
use ksops_core::tree::branch::{Branch, Comment, Entry, Key, Node};
use ksops_core::tree::selection::{RuleTexts, Selection};
use ksops_core::value::Value;
use ksops_stores::file::{self, Layout};
use ksops_stores::format::Format;
use proptest::collection::vec;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_oneof, proptest};
use support::open_service::services;

fn encrypted(text: &[u8], format: Format, rules: &RuleTexts) -> Vec<u8> {
    let request = EncryptRequest {
        input_format: format,
        output_format: format,
        selection: Selection::for_encrypting(rules).expect("a rule"),
        mac_only_encrypted: false,
        groups: vec![vec![MasterKey::Age(AgeKey { recipient: "age1test".into() })]],
        threshold: 0,
        indent: None,
        policy: Policy::Refuse,
        as_string: true,
        allow_unencrypted: true,
        layout: Default::default(),
    };
    let encrypted = encrypt(text, &request, &services());
    encrypted.unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(text))).text
}

fn request(input_format: Format, output_format: Format) -> DecryptRequest {
    DecryptRequest {
        input_format,
        output_format,
        ignore_mac: false,
        extract: None,
        indent: None,
        policy: Policy::Refuse,
        decryption_order: Default::default(),
        layout: Default::default(),
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

/// What both ways give, which must be the same.
fn masked(file: &[u8], request: &DecryptRequest) -> String {
    let shown = view(file, request).expect("needs no key");
    let checked = decrypt_redacted(file, request, &services()).expect("authentic");
    assert_eq!(text(&checked.text), text(&shown.text));
    text(&shown.text)
}

/// A made-up leaf: what its mask says, and what no output may hold if it is encrypted.
#[derive(Debug, Clone)]
enum Leaf {
    Text { lines: Vec<u8>, number: u32 },
    Int(u32),
    Float(u32),
    Bool(bool),
    Null,
}

impl Leaf {
    fn value(&self) -> Value {
        match self {
            Self::Text { .. } => Value::text(self.marker().unwrap_or_default()),
            Self::Int(number) => Value::Int(7_000_000_000 + i64::from(*number)),
            Self::Float(number) => Value::Float(0.5 + f64::from(*number)),
            Self::Bool(truth) => Value::Bool(*truth),
            Self::Null => Value::Null,
        }
    }

    /// What is searched for.
    fn marker(&self) -> Option<String> {
        match self {
            Self::Text { lines, number } => {
                let lines: Vec<String> = lines
                    .iter()
                    .map(|more| format!("mArKeR{number}{}", "z".repeat(usize::from(*more))))
                    .collect();
                Some(lines.join("\n"))
            }
            Self::Int(number) => Some((7_000_000_000 + i64::from(*number)).to_string()),
            Self::Float(number) => Some(format!("{number}.5")),
            Self::Bool(_) | Self::Null => None,
        }
    }

    fn mask(&self) -> Value {
        let mask = match self {
            Self::Text { .. } => {
                format!("<redacted str {}>", length_class(self.marker().unwrap_or_default().len()))
            }
            Self::Int(_) => "<redacted int>".to_owned(),
            Self::Float(_) => "<redacted float>".to_owned(),
            Self::Bool(_) => "<redacted bool>".to_owned(),
            Self::Null => return Value::Null,
        };
        Value::text(mask)
    }
}

#[derive(Debug, Clone)]
enum Shape {
    Leaf(Leaf),
    List(Vec<Shape>),
    /// Each with whether the rule has it plain, and whether a comment stands before it.
    Map(Vec<(bool, bool, Shape)>),
}

fn leaf() -> impl Strategy<Value = Leaf> {
    prop_oneof![
        4 => (vec(0_u8..40, 1..4), 1_000_000_u32..9_999_999).prop_map(|(lines, number)| Leaf::Text { lines, number }),
        1 => (1_000_000_u32..9_999_999).prop_map(Leaf::Int),
        1 => (10_000_u32..99_999).prop_map(Leaf::Float),
        1 => any::<bool>().prop_map(Leaf::Bool),
        1 => Just(Leaf::Null),
    ]
}

fn shape() -> impl Strategy<Value = Vec<(bool, bool, Shape)>> {
    let inner = leaf().prop_map(Shape::Leaf).prop_recursive(3, 20, 5, |inner| {
        prop_oneof![
            vec(inner.clone(), 1..4).prop_map(Shape::List),
            vec((any::<bool>(), any::<bool>(), inner), 1..4).prop_map(Shape::Map),
        ]
    });
    vec((any::<bool>(), any::<bool>(), inner), 1..5)
}

/// Makes two trees of a shape, the second one with masks, and collects the markers that must be in no output, and those
/// that must be.
#[derive(Default)]
struct Maker {
    number: usize,
    hidden: BTreeSet<String>,
    shown: BTreeSet<String>,
}

impl Maker {
    fn map(&mut self, shapes: &[(bool, bool, Shape)], plain: bool) -> (Branch, Branch) {
        let (mut real, mut masks) = (Branch::default(), Branch::default());
        for (is_plain, has_comment, shape) in shapes {
            self.number += 1;
            if *has_comment {
                let text = format!(" nOtE{}", self.number);
                let comment = |text: String| Entry::Comment(Comment { text: text.into(), inline: false });
                let mask = format!(" <redacted comment {}>", length_class(text.len()));
                masks.entries.push(comment(if plain { text.clone() } else { mask }));
                let markers = if plain { &mut self.shown } else { &mut self.hidden };
                markers.insert(text.trim().to_owned());
                real.entries.push(comment(text));
            }
            let suffix = if *is_plain { "_unencrypted" } else { "" };
            let key = Key::from(format!("k{}{suffix}", self.number).as_str());
            let (node, mask) = self.node(shape, plain || *is_plain);
            real.entries.push(Entry::Item(key.clone(), node));
            masks.entries.push(Entry::Item(key, mask));
        }
        (real, masks)
    }

    fn node(&mut self, shape: &Shape, plain: bool) -> (Node, Node) {
        match shape {
            Shape::Leaf(leaf) => {
                let markers = if plain { &mut self.shown } else { &mut self.hidden };
                let lines = leaf.marker().unwrap_or_default();
                markers.extend(lines.lines().map(str::to_owned));
                let mask = if plain { leaf.value() } else { leaf.mask() };
                (Node::Leaf(leaf.value()), Node::Leaf(mask))
            }
            Shape::List(items) => {
                let (real, masks) = items.iter().map(|item| self.node(item, plain)).unzip();
                (Node::List(real), Node::List(masks))
            }
            Shape::Map(shapes) => {
                let (real, masks) = self.map(shapes, plain);
                (Node::Map(real), Node::Map(masks))
            }
        }
    }

    /// `file`: the encrypted text. A comment before a table of TOML belongs to the table, and is plain with it.
    fn check(&self, output: &str, file: &[u8]) {
        let file = text(file);
        let is_plain =
            |marker: &str| self.shown.contains(marker) || marker.starts_with("nOtE") && file.contains(marker);
        for marker in &self.hidden {
            assert!(is_plain(marker) || !output.contains(marker.as_str()), "{marker}: {output}");
        }
        for marker in self.shown.iter().filter(|marker| !marker.starts_with("nOtE")) {
            assert!(output.contains(marker.as_str()), "{marker} is gone: {output}");
        }
    }
}

/// The same without what a format does not have.
fn without(branch: Branch, drop: &dyn Fn(&Entry) -> bool) -> Branch {
    let entries = branch.entries.into_iter().filter(|entry| !drop(entry));
    let entries = entries.map(|entry| match entry {
        Entry::Item(key, node) => Entry::Item(key, without_node(node, drop)),
        comment => comment,
    });
    Branch { entries: entries.collect() }
}

fn without_node(node: Node, drop: &dyn Fn(&Entry) -> bool) -> Node {
    match node {
        Node::Map(branch) => Node::Map(without(branch, drop)),
        Node::List(items) => Node::List(
            items
                .into_iter()
                .map(|item| without_node(item, drop))
                // TOML has no null.
                .filter(|item| !(drop(&null()) && *item == Node::Leaf(Value::Null)))
                .filter(|item| !(matches!(item, Node::Comment(_)) && drop(&comment())))
                .collect(),
        ),
        node => node,
    }
}

/// What YAML says, whichever place a comment has found: in nested lists it can move when a text is read again.
fn values_and_comments(yaml: &str) -> (Vec<Branch>, Vec<&str>) {
    let read = file::read_plain(yaml.as_bytes().into(), Format::Yaml, false).expect("YAML").branches;
    let values = read.into_iter().map(|branch| without(branch, &|entry| matches!(entry, Entry::Comment(_))));
    let mut comments: Vec<&str> =
        yaml.lines().filter_map(|line| line.split_once("# ")).map(|(_, comment)| comment).collect();
    comments.sort_unstable();
    (values.collect(), comments)
}

fn comment() -> Entry {
    Entry::Comment(Comment { text: "".into(), inline: false })
}

fn null() -> Entry {
    Entry::Item("n".into(), Node::Leaf(Value::Null))
}

fn printed(branch: Branch, format: Format) -> Vec<u8> {
    let text = file::write_plain(vec![branch], format, Layout::default());
    text.unwrap_or_else(|error| panic!("{format}: {error}")).to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_secret_of_a_tree_is_shown(shapes in shape()) {
        let mut maker = Maker::default();
        let (real, masks) = maker.map(&shapes, false);
        for format in [Format::Yaml, Format::Json, Format::Toml] {
            let drop = |entry: &Entry| {
                let no_comments = format == Format::Json && matches!(entry, Entry::Comment(_));
                let no_nulls =
                    format == Format::Toml && matches!(entry, Entry::Item(_, Node::Leaf(Value::Null)));
                no_comments || no_nulls
            };
            let (real, masks) = (without(real.clone(), &drop), without(masks.clone(), &drop));
            let file = encrypted(&printed(real, format), format, &RuleTexts::default());
            let output = masked(&file, &request(format, format));
            maker.check(&output, &file);
            let expected = text(&printed(masks, format)).replace("\\u003c", "<").replace("\\u003e", ">");
            match format {
                Format::Json => assert_eq!(output, expected),
                Format::Yaml => assert_eq!(values_and_comments(&output), values_and_comments(&expected), "{output}"),
                _ => {}
            }
            for other in [Format::Yaml, Format::Json] {
                maker.check(&masked(&file, &request(format, other)), &file);
            }
        }
    }

    #[test]
    fn no_secret_of_a_flat_file_is_shown(leaves in vec((any::<bool>(), any::<bool>(), leaf()), 1..8)) {
        let leaves = leaves.into_iter().filter(|(.., leaf)| matches!(leaf, Leaf::Text { .. }));
        let shapes: Vec<_> = leaves.map(|(plain, comment, leaf)| (plain, comment, Shape::Leaf(leaf))).collect();
        let mut maker = Maker::default();
        let (real, _) = maker.map(&shapes, false);
        let section = Branch { entries: vec![Entry::Item("part".into(), Node::Map(real.clone()))] };
        for (format, tree) in [(Format::Dotenv, real), (Format::Ini, section)] {
            if shapes.is_empty() {
                continue;
            }
            let file = encrypted(&printed(tree, format), format, &RuleTexts::default());
            let output = masked(&file, &request(format, format));
            for marker in &maker.hidden {
                assert!(!output.contains(marker.as_str()), "{marker}: {output}");
            }
            let masks = shapes.iter().filter(|(plain, ..)| !plain).count();
            assert_eq!(output.matches("<redacted str ").count(), masks, "{output}");
            maker.check(&masked(&file, &request(format, Format::Json)), &file);
        }
    }

    #[test]
    fn no_byte_of_a_binary_file_is_shown(bytes in vec(any::<u8>(), 0..3000)) {
        let file = encrypted(&bytes, Format::Binary, &RuleTexts::default());
        let class = length_class(bytes.len());
        let unit = if bytes.is_empty() { "" } else { " bytes" };
        assert_eq!(
            masked(&file, &request(Format::Binary, Format::Binary)),
            format!("<redacted binary {class}{unit}>\n")
        );
    }
}

#[test]
fn a_part_is_masked_as_well() {
    let file = encrypted(b"a:\n    b: hunter2\n    c_unencrypted: 5\n", Format::Yaml, &RuleTexts::default());
    let mut request = request(Format::Yaml, Format::Yaml);
    for (path, expected) in [
        (r#"["a"]["b"]"#, "<redacted str 1-8>"),
        (r#"["a"]["c_unencrypted"]"#, "5\n"),
        (r#"["a"]"#, "b: <redacted str 1-8>\nc_unencrypted: 5\n"),
    ] {
        request.extract = Some(extract::parse(path).expect("a path"));
        assert_eq!(masked(&file, &request), expected);
    }
}

#[test]
fn toml_keeps_its_layout() {
    let plain = "# about\ntitle = 'x'   # behind\n\n[db]\nport = 5432\nhost_unencrypted = \"h\"\n";
    let file = encrypted(plain.as_bytes(), Format::Toml, &RuleTexts::default());
    let output = masked(&file, &request(Format::Toml, Format::Toml));
    assert!(
        output.contains("host_unencrypted = \"h\"\n") && output.contains("port = \"<redacted int>\"\n"),
        "{output}"
    );
    assert!(
        !output.contains("about") && !output.contains("behind") && output.contains("\n\n[db]\n"),
        "{output}"
    );
}

#[test]
fn a_file_without_metadata_is_refused() {
    for (format, text) in [(Format::Yaml, "password: hunter2\n"), (Format::Json, "{\"a\": \"hunter2\"}")] {
        let error = view(text.as_bytes(), &request(format, format)).err().expect("refused");
        assert_eq!(error.to_string(), "sops metadata not found");
    }
}

#[test]
fn a_value_pasted_into_an_encrypted_file_is_masked_and_told() {
    let file = text(&encrypted(b"a: hunter2\n", Format::Yaml, &RuleTexts::default()));
    let file = format!("pasted: hunter3\nalso:\n    - 4711\n{file}");
    let shown = view(file.as_bytes(), &request(Format::Yaml, Format::Yaml)).expect("needs no key");
    let output = text(&shown.text);
    assert!(!output.contains("hunter") && !output.contains("4711"), "{output}");
    assert!(output.contains("pasted: <redacted str 1-8 not encrypted>\n"), "{output}");
    assert!(shown.warnings[0].ends_with(": pasted, also[0]"), "{:?}", shown.warnings);
    // With the key such a file is refused.
    assert!(decrypt_redacted(file.as_bytes(), &request(Format::Yaml, Format::Yaml), &services()).is_err());
}

#[test]
fn what_is_plain_is_checked_only_with_the_key() {
    let file = text(&encrypted(b"a: hunter2\nb_unencrypted: old\n", Format::Yaml, &RuleTexts::default()));
    let file = file.replace("b_unencrypted: old", "b_unencrypted: new");
    let request = request(Format::Yaml, Format::Yaml);
    let shown = view(file.as_bytes(), &request).expect("not checked");
    assert!(text(&shown.text).contains("b_unencrypted: new"));
    assert!(decrypt(file.as_bytes(), &request, &services()).is_err());
    assert!(decrypt_redacted(file.as_bytes(), &request, &services()).is_err());
}

#[test]
fn every_file_of_upstream_is_shown_without_an_envelope() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/upstream");
    let mut seen = 0;
    for version in fs::read_dir(top).expect("fixtures").flatten().filter(|entry| entry.path().is_dir()) {
        for path in fs::read_dir(version.path()).expect("a folder").flatten().map(|entry| entry.path()) {
            let name = path.to_string_lossy().into_owned();
            if !name.contains(".enc.") || name.ends_with(".plain") {
                continue;
            }
            let file = fs::read(&path).expect("readable");
            let format = Format::from_path(&name);
            let shown =
                view(&file, &request(format, format)).unwrap_or_else(|error| panic!("{name}: {error}"));
            let (file, shown) = (text(&file), text(&shown.text));
            assert!(!shown.contains("ENC[") && !shown.contains("not encrypted"), "{name}: {shown}");
            let (macs, others): (Vec<&str>, Vec<&str>) = file
                .split_inclusive("ENC[AES256_GCM,")
                .filter(|before| before.ends_with("ENC[AES256_GCM,"))
                .partition(|before| before.lines().last().is_some_and(|line| line.contains("mac")));
            assert!(!macs.is_empty(), "{name}");
            assert!(shown.matches("<redacted ").count() >= others.len(), "{name}: {shown}");
            seen += 1;
        }
    }
    assert!(seen > 100, "{seen} files only");
}
