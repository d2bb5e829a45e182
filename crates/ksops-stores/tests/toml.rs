//! TOML through encryption and back: the layout stays, rops's files are read, rops reads ours.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use ksops_core::crypto::data_key::DataKey;
use ksops_core::document::decrypt::{Decryptor, Mode, Options};
use ksops_core::document::encrypt::Encryptor;
use ksops_core::document::verify::{Comments, Fidelity, Typing, compare};
use ksops_core::keys::key_group::{EncryptedDataKey, KeyEntry, KeyGroup};
use ksops_core::keys::master_key::{AgeKey, MasterKey};
use ksops_core::metadata::model::Metadata;
use ksops_core::metadata::wire;
use ksops_core::random::{Random, RandomError};
use ksops_core::secret::SecretBytes;
use ksops_core::tree::branch::{Branch, Entry, Node};
use ksops_core::tree::selection::{RuleTexts, Selection};
use ksops_stores::toml::emit::emit;
use ksops_stores::toml::emit_like::emit_like;
use ksops_stores::toml::load::load;
use ksops_stores::yaml;
use proptest::prelude::{Just, Strategy, prop_assert, prop_assert_eq, prop_oneof, proptest};
use time::OffsetDateTime;

const FULL: Fidelity = Fidelity { typing: Typing::Full, comments: Comments::Kept };

const SAMPLE: &str = r##"# The start.

title = "TOML"   # behind a value
# password = "old"
port=8080
ratio = 1.5
big = 1e21
'quoted key' = 'C:\path'
"" = "empty key"
empty = ""
nothing = "null"
when = 1979-05-27T07:32:00.5-08:00
day_unencrypted = 1979-05-27
hex_unencrypted = 0x1F   # keeps its form
list = [ 1, "two" ,true ] # behind a list
dotted.inner."a.b" = "deep"
lines = """
first
second
"""
many = [
    # before
    "a", # behind
    { x = 1, y = [2, 3] },
    # after
]
braces = { a = 1, b.c = "d" }

# About the owner.
[owner] # behind a header
name = "Tom"
	indented = -17
# commented_out = "secret"

[owner.deep.er]
x = nan

# First.
[[servers]]
name = "alpha"

[servers.more]
y = "z"

# Second.
[[servers]]
name = 'b"e"ta'

# The end.
"##;

/// Bytes that count up, so that tests can be repeated.
struct Counting(std::sync::atomic::AtomicU8);

impl Random for Counting {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), RandomError> {
        for byte in buffer {
            *byte = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
        Ok(())
    }
}

fn key() -> DataKey {
    DataKey::new(SecretBytes::from([7_u8; 32].as_slice())).expect("32 bytes")
}

fn tree(text: &str) -> Branch {
    load(text, false).unwrap_or_else(|error| panic!("{error}\n{text}")).branch
}

fn rules(name: &str, text: &str) -> RuleTexts {
    let mut rules = RuleTexts::default();
    match name {
        "encrypted_regex" => rules.encrypted_regex = text.into(),
        "encrypted_comment_regex" => rules.encrypted_comment_regex = text.into(),
        "unencrypted_comment_regex" => rules.unencrypted_comment_regex = text.into(),
        _ => rules.unencrypted_suffix = "_unencrypted".into(),
    }
    rules
}

fn age_group(recipient: &str, enc: &str) -> KeyGroup {
    let key = MasterKey::Age(AgeKey { recipient: recipient.into() });
    KeyGroup { entries: vec![KeyEntry { key, enc: EncryptedDataKey(enc.into()), created_at: None }] }
}

fn encrypt(text: &str, key: &DataKey, rules: &RuleTexts, group: KeyGroup) -> Result<String, String> {
    let selection = Selection::for_encrypting(rules).map_err(|error| error.to_string())?;
    let random = Counting(0.into());
    let mut branch = tree(text);
    let mut encryptor = Encryptor::new(key, &selection, false, &random, None).sealing_empty_strings();
    encryptor.branch(&mut branch).map_err(|error| error.to_string())?;
    let sealed = encryptor.finish(OffsetDateTime::UNIX_EPOCH).map_err(|error| error.to_string())?;
    let metadata = Metadata {
        key_groups: vec![group],
        unknown: Vec::new(),
        shamir_threshold: 0,
        last_modified: sealed.last_modified,
        mac: sealed.mac,
        mac_only_encrypted: false,
        rules: selection.to_texts(),
        version: "3.13.3".into(),
    };
    wire::append(&mut branch, &wire::to_branch(&metadata));
    emit_like(text, &branch).map(|text| text.to_string()).map_err(|error| error.to_string())
}

fn decrypt_tree(mut branch: Branch, key: &DataKey) -> Result<Branch, String> {
    let block = wire::take(&mut branch).map_err(|error| error.to_string())?;
    let metadata = wire::from_branch(&block).map_err(|error| error.to_string())?;
    let (selection, _) = Selection::for_decrypting(&metadata.rules).map_err(|error| error.to_string())?;
    let options = Options::default();
    let mut decryptor = Decryptor::new(key, &selection, metadata.mac_only_encrypted, Mode::Strict, options);
    decryptor.branch(branch).map_err(|error| error.to_string())?;
    let mut decrypted = decryptor.finish(&metadata).map_err(|error| error.to_string())?;
    assert!(decrypted.warnings.is_empty(), "a comment or value was not found in its place");
    Ok(decrypted.branches.remove(0))
}

fn decrypt(text: &str, key: &DataKey) -> Result<String, String> {
    let branch = decrypt_tree(tree(text), key)?;
    emit_like(text, &branch).map(|text| text.to_string()).map_err(|error| error.to_string())
}

fn there_and_back(text: &str, rules: &RuleTexts) -> (String, String) {
    let encrypted = encrypt(text, &key(), rules, age_group("age1x", "armor\nlines\n"))
        .unwrap_or_else(|error| panic!("{error}\n{text}"));
    let decrypted = decrypt(&encrypted, &key()).unwrap_or_else(|error| panic!("{error}\n{encrypted}"));
    (encrypted, decrypted)
}

#[test]
fn encrypting_and_decrypting_gives_the_same_bytes() {
    for name in ["unencrypted_suffix", "encrypted_regex"] {
        let (encrypted, decrypted) = there_and_back(SAMPLE, &rules(name, "^(title|many|owner|list)$"));
        assert_eq!(decrypted, SAMPLE);
        assert!(
            encrypted.contains("\n[sops]\n") && encrypted.contains("\n[[sops.age]]\nenc = \"\"\"\narmor\n")
        );
    }
    let (encrypted, _) = there_and_back(SAMPLE, &rules("", ""));
    assert!(encrypted.contains("hex_unencrypted = 0x1F   #ENC["));
    assert!(encrypted.contains("nothing = \"null\"\n"));
    for secret in ["Tom", "alpha", "commented_out", "The end", "\"deep\"", "# after"] {
        assert!(!encrypted.contains(secret), "{secret}");
    }
}

#[test]
fn the_end_of_the_text_stays() {
    for text in [
        "",
        "\n",
        "a = 1",
        "a = 1\n",
        "a = 1\n\n\n",
        "a = 1\r\n",
        "a = 1\r\n# c",
        "# c",
        "[a]\nb = 1\n\n# c",
        "# c\n\n\n",
    ] {
        assert_eq!(there_and_back(text, &rules("", "")).1, text, "{text:?}");
    }
}

#[test]
fn a_byte_order_mark_and_crlf_stay() {
    let text = "\u{feff}a = 'x'\r\n# c\r\n[b] # d\r\nc = [\r\n  1, # e\r\n]\r\n";
    // Which quotes a text had cannot be told.
    assert_eq!(there_and_back(text, &rules("", "")).1, text.replace("'x'", "\"x\""));
}

#[test]
fn metadata_in_the_middle_is_taken_out_and_put_last() {
    let text = "a = \"x\"\n\n[b]\nc = 1\n";
    let (encrypted, _) = there_and_back(text, &rules("", ""));
    let (body, block) = encrypted.split_once("\n[sops]\n").expect("a block");
    let (top, table) = body.split_once("[b]\n").expect("a table");
    let moved = format!("{top}[sops]\n{block}\n[b]\n{table}");
    assert_eq!(decrypt(&moved, &key()).expect("decrypts"), text);
    let braces = "sops = { x = 1 } # y\na = 1\n[sop]\n";
    assert_eq!(*emit_like(braces, &tree("a = 1\n[sop]\n")).expect("fits"), "a = 1\n[sop]\n");
}

#[test]
fn a_value_that_is_commented_out_is_a_secret_of_the_table_it_stands_in() {
    let text = "[secrets]\na = \"x\"\n# b = \"y\"\n[other]\nc = 1\n\n# about d\n[d]\ne = 2\n";
    let (encrypted, decrypted) = there_and_back(text, &rules("encrypted_regex", "^secrets$"));
    assert!(!encrypted.contains("b =") && encrypted.contains("\n\n# about d\n[d]\n"));
    assert_eq!(decrypted, text);
}

#[test]
fn comments_select_what_they_stand_at() {
    let text = "# sops:enc\na = \"1\"\nb = \"2\"\nc = \"3\" # sops:enc\n\n# sops:enc\n[d]\ne = \"4\"\n\n[f]\ng = \"5\"\nl = [\n  # sops:enc\n  \"6\",\n  \"7\", # sops:enc\n  \"8\",\n]\n\n[[t]]\nx = \"9\"\n\n# sops:enc\n[[t]]\nx = \"10\"\n";
    let (encrypted, decrypted) = there_and_back(text, &rules("encrypted_comment_regex", "sops:enc"));
    assert_eq!(decrypted, text);
    for (value, is_plain) in [
        (1, false),
        (2, true),
        (3, false),
        (4, false),
        (5, true),
        (6, false),
        (7, false),
        (8, true),
        (9, true),
        (10, false),
    ] {
        assert_eq!(encrypted.contains(&format!("\"{value}\"")), is_plain, "{value}\n{encrypted}");
    }
}

#[test]
fn a_local_time_can_stay_plain_and_cannot_be_encrypted() {
    for moment in ["1979-05-27", "07:32:00", "1979-05-27 07:32:00.5"] {
        let text = format!("a_unencrypted = {moment}\n");
        assert_eq!(there_and_back(&text, &rules("", "")).1, text);
        let error = encrypt(&format!("[b]\na = {moment}\n"), &key(), &rules("", ""), age_group("a", "b"))
            .expect_err("refused");
        assert!(error.contains("at b.a") && !error.contains("27") && !error.contains("32"), "{error}");
    }
}

#[test]
fn a_changed_plain_value_is_noticed() {
    let (encrypted, _) = there_and_back("a = \"x\"\nb_unencrypted = 1\n", &rules("", ""));
    let changed = encrypted.replace("b_unencrypted = 1", "b_unencrypted = 2");
    assert!(decrypt(&changed, &key()).expect_err("refused").contains("MAC"));
}

#[test]
fn an_empty_string_is_encrypted_and_cannot_be_moved() {
    let text = "a = \"\"\nb = \"\"\n";
    let (encrypted, decrypted) = there_and_back(text, &rules("", ""));
    assert_eq!(decrypted, text);
    let moved = encrypted.replacen("b = ", "c = ", 1).replacen("a = ", "b = ", 1).replacen("c = ", "a = ", 1);
    assert!(decrypt(&moved, &key()).expect_err("refused").contains("authentication"));
}

#[test]
fn a_tree_of_another_shape_is_refused() {
    let text = "a = 1 # c\nb = [1, 2]\n[t]\nx = 1\n";
    for other in [
        "a = 1\nb = [1, 2]\n[t]\nx = 1\n",
        "a = 1 # c\nb = [1]\n[t]\nx = 1\n",
        "a = 1 # c\nb = [1, 2, 3]\n[t]\nx = 1\n",
        "a = 1 # c\nb = 1\n[t]\nx = 1\n",
        "a = 1 # c\nb = [1, 2]\n[t]\ny = 1\n",
        "a = 1 # c\nb = [1, 2]\n[t]\nx = 1\nz = 2\n",
        "a = 1 # c\nb = [1, 2]\n",
    ] {
        let error = emit_like(text, &tree(other)).expect_err(other).to_string();
        assert!(error.starts_with("the tree does not fit"), "{error}");
    }
    assert_eq!(
        *emit_like(text, &tree("a = 2 #d\nb = [1, 'x']\n[t]\nx = 1\n")).expect("fits"),
        "a = 2 #d\nb = [1, \"x\"]\n[t]\nx = 1\n"
    );
}

fn fixture(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn rops_key(name: &str) -> DataKey {
    let keys = fixture("rops/data-keys.txt");
    let hex = keys.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).expect("a key");
    let bytes: Vec<u8> =
        (0..32).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).expect("hex")).collect();
    DataKey::new(bytes.into()).expect("32 bytes")
}

/// JSON is YAML enough for these.
fn tree_of(format: &str, text: &str) -> Branch {
    match format {
        "toml" => tree(text),
        _ => yaml::load::load(text.as_bytes()).expect("loads").remove(0),
    }
}

#[test]
fn files_of_rops_are_read() {
    for format in ["toml", "yaml", "json"] {
        for name in ["everything", "rule", "mac-only"] {
            let text = fixture(&format!("rops/{format}/{name}.enc.{format}"));
            let key = rops_key(&format!("{format}/{name}"));
            let ours = decrypt_tree(tree_of(format, &text), &key)
                .unwrap_or_else(|error| panic!("{format} {name}: {error}"));
            // What rops prints as TOML has texts for dates; as YAML it forgets the quotes of a text like `2020-01-02`.
            let theirs = match format {
                "toml" => fixture(&format!("rops/toml/{name}.plain.toml")),
                _ => fixture(&format!("rops/{format}/everything.in.{format}")),
            };
            let values = Fidelity { typing: Typing::Full, comments: Comments::Dropped };
            let mut theirs = tree_of(format, &theirs);
            theirs.entries.retain(|entry| matches!(entry, Entry::Item(..)));
            assert_eq!(compare(&theirs, &ours, values), Ok(()), "{format} {name}");
            if format == "toml" {
                let printed = emit_like(&text, &ours).expect("fits");
                assert_eq!(compare(&tree(&printed), &ours, FULL), Ok(()));
                assert!(
                    printed.ends_with("port = 8002\n") && printed.starts_with("title = \"TOML example\"\n")
                );
            }
        }
    }
}

fn sort(branch: &mut Branch) {
    branch.entries.retain(|entry| matches!(entry, Entry::Item(..)));
    branch.entries.sort_by_key(|entry| match entry {
        Entry::Item(key, _) => key.to_string(),
        Entry::Comment(_) => String::new(),
    });
    for entry in &mut branch.entries {
        if let Entry::Item(_, node) = entry {
            sort_node(node);
        }
    }
}

fn sort_node(node: &mut Node) {
    match node {
        Node::Map(branch) => sort(branch),
        Node::List(list) => list.iter_mut().for_each(sort_node),
        _ => {}
    }
}

/// Runs rops, or tells that it is not there.
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn rops(text: &str) -> Option<String> {
    let Some(program) = std::env::var_os("ROPS_PROGRAM") else {
        assert!(std::env::var_os("CI").is_none(), "CI needs rops");
        eprintln!("skipped: ROPS_PROGRAM does not name rops");
        return None;
    };
    let keys = fixture("keys/age-keys.txt");
    let secret = keys.lines().find(|line| line.starts_with("AGE-SECRET-KEY")).expect("a key");
    let mut child = Command::new(program)
        .args(["decrypt", "-f", "toml"])
        .env("ROPS_AGE", secret)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("rops starts");
    child.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("rops reads");
    let output = child.wait_with_output().expect("rops ends");
    assert!(output.status.success(), "{}\n{text}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).expect("UTF-8"))
}

#[test]
fn rops_reads_our_files() {
    let theirs = tree(&fixture("rops/toml/everything.enc.toml"));
    let block = wire::take(&mut theirs.clone()).expect("a block");
    let group = wire::from_branch(&block).expect("metadata").key_groups.remove(0);
    let key = rops_key("toml/everything");
    // What rops cannot read: encrypted date-times.
    let readable = SAMPLE.replace("when = ", "when_unencrypted = ");
    let interleaved = "[a.b]\nx = \"1\"\n[c]\ny = \"2\"\n[a.d]\nz = \"3\"\n";
    for text in [readable.as_str(), interleaved, "a.b = 1\nc.d = 2\na.e = 3\n", ""] {
        let encrypted = encrypt(text, &key, &rules("", ""), group.clone()).expect("encrypts");
        let Some(printed) = rops(&encrypted) else { return };
        let plain = Fidelity { typing: Typing::WithoutTime, comments: Comments::Dropped };
        // rops prints tables last.
        let (mut ours, mut theirs) = (tree(text), tree(&printed));
        sort(&mut ours);
        sort(&mut theirs);
        assert_eq!(compare(&ours, &theirs, plain), Ok(()), "{printed}");
    }
}

#[test]
fn trees_of_other_formats_are_printed_and_read_again() {
    let yaml = "# top\nm: {a: 1, b: {}, c: [{x: 1}, {y: [2]}]} # m\ns: text\n# before\nl:\n    # in\n    - 1\n    - two # two\n    \
                - k: v\n    # late\ne: []\nt:\n    # first\n    k: \"a\\nb\"\n    u:\n        - n: 1\n        # second\n        - n: 2\n          z: {q: 1}\n\
                w: 2020-01-02T03:04:05Z\nlast:\n    x: 1.0\n# trailing\n";
    let branch = yaml::load::load(yaml.as_bytes()).expect("loads").remove(0);
    let text = emit(&branch).expect("prints");
    assert_eq!(compare(&branch, &tree(&text), FULL), Ok(()), "{}", *text);
    assert_eq!(there_and_back(&text, &rules("", "")).1, *text);
    for (yaml, problem) in
        [("a: {b: null}", "at a.b"), ("\"a\\0\": 1\nb: !!binary /w==", "bytes of a text (at b)")]
    {
        let branch = yaml::load::load(yaml.as_bytes()).expect("loads").remove(0);
        let error = emit(&branch).expect_err("refused").to_string();
        assert!(error.contains(problem), "{error}");
    }
}

#[test]
fn many_keys_and_tables_take_linear_time() {
    let keys: String = (0..20_000).map(|at| format!("key{at} = \"v\" # c\n")).collect();
    let tables: String = (0..10_000).map(|at| format!("# c\n\n[[x]]\na = {at}\n[x.y]\nz = 1\n")).collect();
    let mixed: String = (0..10_000).map(|at| format!("[a.b{at}]\nx = 1\n")).collect();
    let list = format!("a = [{}]\n", "1, # c\n".repeat(20_000));
    for text in [keys, tables, mixed, list] {
        let start = std::time::Instant::now();
        assert_eq!(there_and_back(&text, &rules("", "")).1, text);
        // Quadratic would be minutes.
        assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
    }
}

#[test]
fn hostile_nesting_is_an_error() {
    for depth in [100, 1_000, 100_000] {
        let dotted = vec!["a"; depth].join(".");
        for text in [
            format!("a = {}1{}", "[".repeat(depth), "]".repeat(depth)),
            format!("a = {}1{}", "{ a = ".repeat(depth), "}".repeat(depth)),
            format!("a = {}", "[".repeat(depth)),
            format!("a = {}", "[{a=".repeat(depth)),
            format!("[{dotted}]"),
            format!("{dotted} = 1"),
            format!("a = {{ {dotted} = 1 }}"),
        ] {
            assert!(load(&text, false).is_err());
        }
    }
    let deep = format!("[{}]\na = {}1{}\n", vec!["a"; 79].join("."), "[".repeat(80), "]".repeat(80));
    assert_eq!(there_and_back(&deep, &rules("", "")).1, deep);
}

/// Lines that make sense together now and then.
fn lines() -> impl Strategy<Value = String> {
    let key = prop_oneof![
        Just("a"),
        Just("b"),
        Just("a.b"),
        Just("a.b.c"),
        Just("b.a"),
        Just("\"x y\""),
        Just("sops"),
        Just("''")
    ];
    let scalar = prop_oneof![
        Just("1"),
        Just("\"x\""),
        Just("'y'"),
        Just("1.5"),
        Just("true"),
        Just("\"\""),
        Just("\"null\""),
        Just("1979-05-27T07:32:00Z"),
        Just("\"\"\"\nl\nm\"\"\""),
        Just("inf"),
        Just("0x1f"),
        Just("[]"),
        Just("{}"),
        Just("[1, # c\n2\n# d\n]"),
        Just("{ a = 1, b.c = 2 }"),
        Just("[{ a = 1 }, [2]]"),
        Just("{ a = 1, a.b = 2 }"),
    ];
    let end = prop_oneof![Just("\n"), Just(" # e\n"), Just("\n\n"), Just("\r\n")];
    let line = prop_oneof![
        (key.clone(), scalar, end.clone()).prop_map(|(key, scalar, end)| format!("{key} = {scalar}{end}")),
        (key.clone(), end.clone()).prop_map(|(key, end)| format!("[{key}]{end}")),
        (key, end.clone()).prop_map(|(key, end)| format!("[[{key}]]{end}")),
        end.prop_map(str::to_owned),
        Just("# own\n".to_owned()),
    ];
    proptest::collection::vec(line, 0..12).prop_map(|lines| lines.concat())
}

/// Whether a tree says the same as another reader's; keys and scalars in any order.
fn accepted_by_others(text: &str) -> bool {
    toml_edit::Document::parse(text).is_ok()
}

proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 2_000, ..Default::default() })]

    #[test]
    fn what_is_toml_is_decided_as_by_others(text in lines()) {
        match load(&text, false) {
            Ok(_) => prop_assert!(accepted_by_others(&text)),
            // `[[b.a]]`, `[b]`, `a.c.d = 1`: TOML says no, toml_edit yes.
            Err(error) => prop_assert!(!accepted_by_others(&text) || error.problem.contains("extends"), "{error}"),
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[\\[\\]{}=.#'\"a1, \n\r\t\\\\:T-]{0,60}") {
        let _ = load(&text, false);
        prop_assert!(load(&text, false).is_err() || accepted_by_others(&text));
    }

    #[test]
    fn an_unchanged_tree_gives_the_same_bytes(text in lines()) {
        if let Ok(loaded) = load(&text, false) && loaded.branch.node("sops").is_none() {
            prop_assert_eq!(&*emit_like(&text, &loaded.branch).expect("fits"), &text);
        }
    }

    #[test]
    fn what_is_printed_from_scratch_is_read_as_the_same(text in lines()) {
        // Metadata changes its place.
        if let Ok(loaded) = load(&text, false)
            && loaded.branch.node("sops").is_none()
            && let Ok(printed) = emit(&loaded.branch)
        {
            let again = load(&printed, false).expect("TOML");
            prop_assert_eq!(compare(&loaded.branch, &again.branch, FULL), Ok(()), "{}", *printed);
        }
    }

    #[test]
    fn encrypting_and_decrypting_keeps_everything(text in lines()) {
        if let Ok(loaded) = load(&text, false) && loaded.branch.node("sops").is_none() {
            let (_, decrypted) = there_and_back(&text, &rules("", ""));
            prop_assert_eq!(compare(&loaded.branch, &tree(&decrypted), FULL), Ok(()));
            let (_, again) = there_and_back(&decrypted, &rules("", ""));
            prop_assert_eq!(again, decrypted);
        }
    }
}
