//! Layouts are kept: files as people write them, the ways to choose, and that sops does not mind.

use std::collections::BTreeSet;

use ksops::change;
use ksops::encrypt::{EncryptRequest, encrypt_with};
use ksops::extract::PathPart;
use ksops::layout::Layout;
use ksops::open::{OpenRequest, open};
use ksops::policy::Policy;
use ksops::save::{Keys, SaveRequest, save};
use ksops::services::Services;
use ksops_core::clock::FixedClock;
use ksops_core::keys::master_key::{AgeKey, MasterKey};
use ksops_core::tree::branch::Node;
use ksops_core::tree::selection::Selection;
use ksops_core::value::Value;
use ksops_stores::align::align;
use ksops_stores::format::Format;
use ksops_tests::corpus::{File, RULE, files};
use ksops_tests::differential::case::{Case, Kind};
use ksops_tests::differential::dice::Stream;
use ksops_tests::differential::ours;
use ksops_tests::differential::rules::RuleChoice;
use ksops_tests::differential::theirs::{self, Theirs};
use ksops_tests::failures;
use ksops_tests::fixtures::AgeKeys;
use ksops_tests::laws::{self, Plan, Verdict};
use ksops_tests::oracle;
use ksops_tests::program::Program;
use ksops_tests::sandbox::Sandbox;
use time::OffsetDateTime;

fn case(file: &File) -> Case {
    let mut case = Case::random(1, 1, Some(Kind::Tree));
    case.text = file.text.as_bytes().to_vec();
    case.formats = ksops_tests::differential::case::Formats::all(Format::Yaml);
    case.rule = RuleChoice::named(RULE).expect("a rule");
    (case.indent, case.mac_only_encrypted, case.damage) = (0, false, None);
    case
}

fn encrypted(file: &File, services: &Services) -> Result<String, String> {
    let request = EncryptRequest {
        input_format: Format::Yaml,
        output_format: Format::Yaml,
        selection: Selection::for_encrypting(&case(file).rule.texts()).map_err(|error| error.to_string())?,
        mac_only_encrypted: false,
        groups: vec![vec![MasterKey::Age(AgeKey { recipient: "age1corpus".to_owned() })]],
        threshold: 0,
        indent: None,
        policy: Policy::Refuse,
        as_string: false,
        allow_unencrypted: true,
        layout: Layout::PreserveStrictly,
    };
    // The service hands out the data key that comes first in the stream.
    let (random, clock) = (Stream::new(case(file).stream), FixedClock(OffsetDateTime::UNIX_EPOCH));
    let done = encrypt_with(file.text.as_bytes(), &request, services, &random, &clock)
        .map_err(|error| error.to_string())?;
    String::from_utf8(done.text).map_err(|error| error.to_string())
}

/// Sets the value of the file, and gives its new text.
fn set(file: &File, text: &str, value: &str, services: &Services) -> Result<String, String> {
    let request = OpenRequest {
        format: Format::Yaml,
        ignore_mac: false,
        policy: Policy::Refuse,
        decryption_order: Default::default(),
    };
    let mut opened = open(text.as_bytes(), &request, services).map_err(|error| error.to_string())?;
    let path: Vec<PathPart> = file.path.iter().map(|key| PathPart::Key((*key).to_owned())).collect();
    let node = Node::Leaf(Value::text(value));
    change::set(&mut opened.branches[0], &path, node).map_err(|error| error.to_string())?;
    let request = SaveRequest {
        output_format: Format::Yaml,
        indent: None,
        policy: Policy::Refuse,
        as_string: false,
        allow_unencrypted: true,
        layout: Layout::PreserveStrictly,
    };
    let saved = save(&opened, text.as_bytes(), Keys::Keep, &request, services);
    String::from_utf8(saved.map_err(|error| error.to_string())?.text).map_err(|error| error.to_string())
}

/// The lines that were taken away and added, without their values.
fn changed_lines(old: &str, new: &str) -> (Vec<String>, Vec<String>) {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let same = |at: usize, place: usize| old[at] == new[place];
    let name = |line: &str| line.trim().split(':').next().unwrap_or_default().to_owned();
    let (mut gone, mut come) = (Vec::new(), Vec::new());
    for pair in align(old.len(), new.len(), same, same) {
        match pair {
            (Some(at), None) => gone.push(name(old[at])),
            (None, Some(at)) => come.push(name(new[at])),
            _ => {}
        }
    }
    (gone, come)
}

fn check(file: &File) -> Result<(), String> {
    let case = case(file);
    let services = ours::services(&case);
    let first = encrypted(file, &services)?;
    let plain = ours::decrypt_laid_out(&case, first.as_bytes(), Layout::PreserveStrictly);
    let plain = if plain.succeeded() { plain.text } else { plain.message.into_bytes() };
    if plain != file.back.as_bytes() {
        return Err(format!("comes back as {:?}, not as {:?}", String::from_utf8_lossy(&plain), file.back));
    }
    let second = set(file, &first, "another", &services)?;
    let (gone, come) = changed_lines(&first, &second);
    let documents = file.text.matches("---\nkind").count().max(file.text.matches("---").count() / 5 + 1);
    let key = file.path.last().copied().unwrap_or_default();
    let names: BTreeSet<&str> = gone.iter().chain(&come).map(String::as_str).collect();
    let is_small = gone.len() == come.len()
        && gone.len() <= 1 + 2 * documents.max(2)
        && names.iter().all(|name| [key, "mac", "lastmodified"].contains(name))
        && gone.iter().filter(|name| *name == key).count() == 1;
    if !is_small {
        return Err(format!("one value changes the lines {gone:?} to {come:?}"));
    }
    if set(file, &second, "another", &services)? != second {
        return Err("setting the value that is there changes something".to_owned());
    }
    Ok(())
}

#[test]
fn files_as_people_write_them_keep_their_layout() {
    let files = files();
    assert!(files.len() > 200);
    let failed: Vec<String> = files
        .iter()
        .filter_map(|file| check(file).err().map(|problem| format!("{}: {problem}", file.name)))
        .collect();
    failures::none("files", files.len(), &failed);
}

#[test]
fn sops_reads_files_as_people_write_them() {
    let Ok(Some(oracle)) = theirs::build() else { return };
    let mut theirs = Theirs::new(oracle);
    let files = files();
    let mut kept = 0;
    let failed: Vec<String> = files
        .iter()
        .filter_map(|file| match laws::judge(&case(file), &mut theirs) {
            Verdict::Kept(breaches) => {
                kept += 1;
                breaches.first().map(|breach| format!("{}: {}", file.name, breach.law))
            }
            Verdict::NotKept(reason) => Some(format!("{}: not kept: {reason}", file.name)),
            Verdict::Skipped => None,
        })
        .collect();
    failures::none("files", files.len(), &failed);
    assert!(kept > 200, "only {kept} were judged");
}

#[test]
fn the_laws_hold_for_random_documents() {
    let Ok(Some(oracle)) = theirs::build() else { return };
    let plan = Plan { oracle, seed: 20_260, first: 0, cases: 1_500, jobs: 2, kind: None };
    let report = laws::run(&plan);
    assert!(report.breaches.is_empty() && report.judged > 800, "{report}");
}

const TEXT: &str = "a:   1   # c\nl:\n- 'x'\n";

struct Bench {
    sandbox: Sandbox,
    recipient: String,
}

impl Bench {
    fn new() -> Self {
        let (sandbox, keys) = (Sandbox::new(), AgeKeys::read());
        sandbox.write("keys.txt", keys.identities[0].as_bytes());
        sandbox.write("a.yaml", TEXT);
        Self { sandbox, recipient: keys.recipients[0].clone() }
    }

    fn with_layout(&self, layout: &str) {
        let text =
            format!("stores:\n  yaml:\n    layout: {layout}\ncreation_rules:\n  - age: {}\n", self.recipient);
        self.sandbox.write(".sops.yaml", text);
    }

    fn encrypt(&self, program: &Program, args: &[&str], layout: Option<&str>) -> (u8, String) {
        let mut call = program.call(&self.sandbox).args(["encrypt"]).args(args);
        if let Some(layout) = layout {
            call = call.env("KSOPS_LAYOUT", layout);
        }
        let found = call.arg("a.yaml").run();
        let status = u8::try_from(found.status).unwrap_or(255);
        (status, String::from_utf8_lossy(&found.stdout).into_owned() + &found.errors())
    }
}

fn is_kept(text: &str) -> bool {
    text.starts_with("a:   ENC[") && text.contains("\nl:\n- 'ENC[")
}

#[test]
fn the_layout_is_chosen_by_flag_variable_configuration_and_name() {
    let bench = Bench::new();
    let ksops = Program::ksops();
    bench.with_layout("upstream");
    let kept = |args: &[&str], layout| {
        let (status, text) = bench.encrypt(&ksops, args, layout);
        assert_eq!(status, 0, "{text}");
        is_kept(&text)
    };
    assert!(!kept(&[], None));
    assert!(kept(&["--layout", "preserve"], None));
    assert!(kept(&[], Some("preserve")));
    bench.with_layout("preserve");
    assert!(kept(&[], None));
    assert!(!kept(&[], Some("upstream")));
    assert!(!kept(&["--indent", "2"], None));
    assert!(kept(&["--indent", "2", "--layout", "preserve"], None));
    let (status, text) = bench.encrypt(&ksops, &["--layout", "pretty"], None);
    assert_eq!(status, 1);
    assert!(text.contains("it must be preserve or upstream"), "{text}");
    bench.with_layout("pretty");
    let (status, text) = bench.encrypt(&ksops, &[], None);
    assert!(status == 1 && text.contains("configuration"), "{text}");

    let link = bench.sandbox.root().join("sops");
    std::os::unix::fs::symlink(ksops.path().canonicalize().expect("built"), &link).expect("an empty folder");
    let as_sops = Program::at(link);
    bench.sandbox.write(".sops.yaml", format!("creation_rules:\n  - age: {}\n", bench.recipient));
    assert!(!is_kept(&bench.encrypt(&as_sops, &[], None).1));
    assert!(is_kept(&bench.encrypt(&as_sops, &[], Some("preserve")).1));
    assert!(is_kept(&bench.encrypt(&ksops, &[], None).1));
}

#[test]
fn sops_passes_over_the_layout_of_a_store() {
    let Some(sops) = oracle::sops() else { return };
    let bench = Bench::new();
    for layout in ["preserve", "upstream", "pretty"] {
        bench.with_layout(layout);
        let (status, text) = bench.encrypt(&sops, &[], None);
        assert_eq!(status, 0, "{text}");
        assert!(text.starts_with("a: ENC["), "{text}");
    }
}

#[test]
fn what_cannot_be_kept_is_named_or_refused() {
    let bench = Bench::new();
    let ksops = Program::ksops();
    bench.with_layout("preserve");
    bench.sandbox.write("a.yaml", "a: 1\n--- ~\n");
    let (status, text) = bench.encrypt(&ksops, &[], None);
    assert_eq!(status, 0, "{text}");
    assert!(text.contains("cannot be kept (line 2: a document that is null)"), "{text}");
    let (status, text) = bench.encrypt(&ksops, &["--strict-layout"], None);
    assert_ne!(status, 0);
    assert!(text.contains("line 2: a document that is null") && !text.contains("ENC["), "{text}");
}

#[test]
fn nothing_is_written_where_nothing_changes() {
    let bench = Bench::new();
    let ksops = Program::ksops();
    bench.with_layout("preserve");
    let keys = bench.sandbox.path("keys.txt");
    let run = |args: &[&str], more: &[(&str, String)]| {
        let mut call = ksops.call(&bench.sandbox).env("SOPS_AGE_KEY_FILE", &keys).args(args);
        for (name, value) in more {
            call = call.env(name, value);
        }
        let found = call.run();
        assert_eq!(found.status, 0, "{args:?}: {}", found.report());
    };
    run(&["encrypt", "-i", "a.yaml"], &[]);
    let path = bench.sandbox.path("a.yaml");
    let state =
        || (std::fs::read(&path).expect("a file"), path.metadata().and_then(|data| data.modified()).ok());
    let before = state();
    std::thread::sleep(std::time::Duration::from_millis(1100));
    run(&["set", "a.yaml", "[\"a\"]", "1"], &[]);
    assert_eq!(state(), before);
    // A change of the form alone.
    let editor = bench.sandbox.write("editor.sh", "#!/bin/sh\nsed -i 's/^a:   /a: /' \"$1\"\n");
    run(&["edit", "a.yaml"], &[("EDITOR", format!("sh {}", editor.display()))]);
    let (old, new) = (String::from_utf8_lossy(&before.0).into_owned(), state().0);
    assert_eq!(String::from_utf8_lossy(&new), old.replace("a:   ENC", "a: ENC"));
}
