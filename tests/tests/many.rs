//! Several files in one call: which are taken, in which order they are told, and that one bad file stops no other.

use std::fs;
use std::os::unix::fs::symlink;

use ksops_tests::failures;
use ksops_tests::fixtures::AgeKeys;
use ksops_tests::oracle;
use ksops_tests::parallel;
use ksops_tests::program::{Outcome, Program};
use ksops_tests::rig::{Login, Rig};
use ksops_tests::sandbox::Sandbox;
use ksops_tests::terminal::Terminal;
use serde_json::{Value, json};

const MARK: &str = "ENC[AES256_GCM,";

struct Bench {
    sandbox: Sandbox,
    ksops: Program,
    keys: AgeKeys,
}

impl Bench {
    /// A folder with a rule for `*.secret.*` and one for `all/`, which names no path.
    fn new() -> Self {
        let (sandbox, keys) = (Sandbox::new(), AgeKeys::read());
        sandbox.write("keys.txt", keys.identity_file());
        let rule =
            format!("creation_rules:\n  - path_regex: \\.secret\\.\n    age: {}\n", keys.recipients[0]);
        sandbox.write(".sops.yaml", rule);
        Self {
            sandbox,
            ksops: Program::at(Program::ksops().path().canonicalize().expect("found before")),
            keys,
        }
    }

    fn run(&self, args: &[&str]) -> Outcome {
        self.run_by(&self.ksops, args)
    }

    fn run_by(&self, program: &Program, args: &[&str]) -> Outcome {
        program.call(&self.sandbox).env("SOPS_AGE_KEY_FILE", self.sandbox.path("keys.txt")).args(args).run()
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.sandbox.path(name);
        fs::create_dir_all(path.parent().expect("in the sandbox")).expect("writable");
        self.sandbox.write(name, text);
    }

    fn text(&self, name: &str) -> String {
        String::from_utf8(self.sandbox.read(name)).expect("text")
    }

    fn is_encrypted(&self, name: &str) -> bool {
        self.text(name).contains(MARK)
    }
}

fn said(outcome: &Outcome) -> String {
    String::from_utf8_lossy(&outcome.stdout).into_owned()
}

#[test]
fn a_folder_is_encrypted_where_a_rule_says_so() {
    let Some(sops) = oracle::sops() else { return };
    let bench = Bench::new();
    let wanted =
        ["b/2.secret.yaml", "b/.secret.env", "a/1.secret.json", "a/x.secret.ini", "a/raw.secret.txt"];
    let texts = ["k: v\n", "K=v\n", "{\"k\": \"v\"}\n", "[s]\nk = v\n", "bytes\n"];
    for (name, text) in wanted.iter().zip(texts) {
        bench.write(name, text);
    }
    let others = ["b/plain.yaml", "readme.md", "b/.git/x.secret.yaml", "a/ignored.secret.yaml"];
    for name in others {
        bench.write(name, "k: v\n");
    }
    bench.write(".gitignore", "ignored.*\n");
    bench.write(".git/HEAD", "ref: refs/heads/main\n");
    symlink(bench.sandbox.path("b/plain.yaml"), bench.sandbox.path("a/link.secret.yaml")).expect("a link");
    let found = bench.run(&["encrypt", "-i", "-r", "."]);
    assert_eq!((found.status, found.errors().as_str()), (0, "5 encrypted\n"), "{}", found.report());
    for (name, text) in wanted.iter().zip(texts) {
        assert!(bench.is_encrypted(name), "{name}");
        let back = bench.run_by(&sops, &["decrypt", name]);
        let back = said(&back).replace(char::is_whitespace, "");
        assert_eq!(back, text.replace(char::is_whitespace, ""), "{name}, read by sops");
    }
    for name in others {
        assert!(!bench.is_encrypted(name), "{name}");
    }
    let again = bench.run(&["encrypt", "--in-place", "--recursive", "a", "b", "a/1.secret.json"]);
    assert_eq!((again.status, again.errors().as_str()), (0, "5 encrypted already\n"), "{}", again.report());
}

#[test]
fn a_rule_for_all_paths_takes_what_has_keys() {
    let bench = Bench::new();
    bench.write(".sops.yaml", &format!("creation_rules:\n  - age: {}\n", bench.keys.recipients[0]));
    for name in ["a.yaml", "b.json", "c.env", "notes.txt", "program"] {
        bench.write(name, if name == "b.json" { "{\"A\": \"x\"}" } else { "A=x\n" });
    }
    bench.write("a.yaml", "A: x\n");
    let found = bench.run(&["encrypt", "-i", "-r", "."]);
    assert_eq!((found.status, found.errors().as_str()), (0, "3 encrypted\n"), "{}", found.report());
    assert!(bench.text(".sops.yaml").starts_with("creation_rules"), "the configuration itself");
    fs::remove_file(bench.sandbox.path(".sops.yaml")).expect("there");
    let found = bench.run(&["encrypt", "-i", "-r", "--age", &bench.keys.recipients[0], "."]);
    assert_eq!(found.status, 1, "{}", found.report());
    assert!(found.errors().contains("no creation rule"), "{}", found.report());
}

#[test]
fn one_bad_file_stops_no_other_and_the_order_is_that_of_the_call() {
    let bench = Bench::new();
    let names: Vec<String> = (0..40).map(|number| format!("{number}.secret.yaml")).collect();
    for name in &names {
        bench.write(name, &format!("name: {name}\n"));
    }
    bench.write("7.secret.yaml", "name: [\n");
    let call = |verb: &[&str]| {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        bench.run(&[verb, &names].concat())
    };
    let found = call(&["encrypt", "-i"]);
    assert_eq!(found.status, 2, "that of the one failure: {}", found.report());
    assert!(found.errors().starts_with("error: 7.secret.yaml: "), "{}", found.report());
    assert!(found.errors().ends_with("39 encrypted, 1 failed\n"), "{}", found.report());
    assert_eq!(bench.text("7.secret.yaml"), "name: [\n");
    let found = call(&["decrypt"]);
    let expected: String = names
        .iter()
        .filter(|name| *name != "7.secret.yaml")
        .map(|name| format!("---\nname: {name}\n"))
        .collect();
    assert_eq!((found.status, said(&found)), (1, expected), "{}", found.report());
    let found = call(&["filestatus"]);
    let lines: Vec<Value> =
        said(&found).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!((found.status, lines.len()), (1, 39), "{}", found.report());
    assert!(lines[7]["file"] == "8.secret.yaml" && lines[7]["encrypted"] == true, "{}", lines[7]);
}

#[test]
fn files_that_fail_in_two_ways_give_one() {
    let bench = Bench::new();
    bench.write("a.secret.yaml", "a: 1\n");
    let found = bench.run(&["encrypt", "-i", "a.secret.yaml", "none.secret.yaml"]);
    assert_eq!((found.status, found.errors().lines().count()), (2, 2), "{}", found.report());
    let found = bench.run(&["encrypt", "-i", "a.secret.yaml", "none.secret.yaml"]);
    assert_eq!(found.status, 1, "203 and 2: {}", found.report());
}

#[test]
fn what_is_about_one_file_is_refused_for_several() {
    let bench = Bench::new();
    bench.write("a.secret.yaml", "a: 1\n");
    bench.write("b.secret.yaml", "a: 1\n");
    let files = ["a.secret.yaml", "b.secret.yaml"];
    for args in [
        &["encrypt"][..],
        &["rotate"],
        &["encrypt", "-i", "--output", "x"],
        &["decrypt", "--output", "x"],
        &["decrypt", "--extract", "[\"a\"]"],
        &["encrypt", "-i", "--filename-override", "c.secret.yaml"],
    ] {
        let found = bench.run(&[args, &files].concat());
        assert_eq!(found.status, 8, "{args:?}: {}", found.report());
    }
    assert!(!bench.is_encrypted("a.secret.yaml") && !bench.sandbox.path("x").exists());
    let found = bench.run(&["encrypt", "-r"]);
    assert_eq!(found.status, 100, "{}", found.report());
}

#[test]
fn every_command_that_changes_files_takes_many() {
    let Some(sops) = oracle::sops() else { return };
    let bench = Bench::new();
    for name in ["d/a.secret.yaml", "d/b.secret.yaml", "d/plain.yaml", "d/sops.md"] {
        bench.write(name, "a: 1\nb: two\n");
    }
    let run = |args: &[&str], status: i32, said: &str| {
        let found = bench.run(args);
        assert_eq!((found.status, found.errors().lines().last()), (status, Some(said)), "{}", found.report());
    };
    run(&["encrypt", "-i", "-r", "d"], 0, "2 encrypted");
    run(&["set", "-r", "d", "[\"c\"]", "\"three\""], 0, "2 changed");
    let before = bench.text("d/a.secret.yaml");
    run(
        &["set", "--idempotent", "d/a.secret.yaml", "d/b.secret.yaml", "[\"c\"]", "\"three\""],
        0,
        "2 unchanged",
    );
    assert_eq!(bench.text("d/a.secret.yaml"), before);
    run(&["unset", "d/a.secret.yaml", "d/b.secret.yaml", "[\"a\"]"], 0, "2 changed");
    run(&["unset", "-r", "d", "[\"a\"]"], 1, "2 failed");
    run(&["unset", "--idempotent", "-r", "d", "[\"a\"]"], 0, "2 unchanged");
    run(&["rotate", "-i", "-r", "d"], 0, "2 rotated");
    assert_ne!(bench.text("d/a.secret.yaml"), before, "a new data key");
    for name in ["d/a.secret.yaml", "d/b.secret.yaml"] {
        assert_eq!(said(&bench.run_by(&sops, &["decrypt", name])), "b: two\nc: three\n", "{name}");
    }
    let rule = format!(
        "creation_rules:\n  - path_regex: a\\.secret\\.\n    age: '{},{}'\n",
        bench.keys.recipients[0], bench.keys.recipients[1]
    );
    bench.write(".sops.yaml", &rule);
    run(&["updatekeys", "--check", "-r", "d"], 1, "1 would change, 1 without a creation rule");
    run(&["updatekeys", "--yes", "-r", "d"], 0, "1 synced, 1 without a creation rule");
    run(&["updatekeys", "--yes", "-r", "d"], 0, "1 up to date, 1 without a creation rule");
    assert!(bench.text("d/a.secret.yaml").contains(&bench.keys.recipients[1]));
    run(&["decrypt", "-i", "-r", "d"], 0, "2 decrypted");
    assert_eq!(bench.text("d/b.secret.yaml"), "b: two\nc: three\n");
}

#[test]
fn a_broken_secret_is_not_passed_over() {
    let bench = Bench::new();
    bench.write("d/a.secret.yaml", "a: 1\n");
    assert_eq!(bench.run(&["encrypt", "-i", "-r", "d"]).status, 0);
    let conflict = format!("<<<<<<< HEAD\n{}", bench.text("d/a.secret.yaml"));
    bench.write("d/a.secret.yaml", &conflict);
    bench.write("d/talk.yaml", "sops: is a [word\n");
    let found = bench.run(&["rotate", "-i", "-r", "d"]);
    assert_eq!(found.status, 1, "{}", found.report());
    assert!(
        found.errors().contains("d/a.secret.yaml") && found.errors().ends_with("1 failed\n"),
        "{}",
        found.report()
    );
}

#[test]
fn as_sops_only_the_first_file_counts() {
    let Some(sops) = oracle::sops() else { return };
    let bench = Bench::new();
    for name in ["a.secret.yaml", "b.secret.yaml"] {
        bench.write(name, "a: 1\n");
    }
    let link = bench.sandbox.tmp().join("sops");
    symlink(bench.ksops.path(), &link).expect("a link");
    let as_sops = Program::at(&link);
    for args in [
        &["encrypt", "-i", "a.secret.yaml", "b.secret.yaml"][..],
        &["decrypt", "a.secret.yaml", "b.secret.yaml"],
    ] {
        let ours = bench.run_by(&as_sops, args);
        assert_eq!(ours.status, 0, "{}", ours.report());
        assert!(ours.errors().contains("Only the first one will be used"), "{}", ours.report());
        if args[0] == "decrypt" {
            assert_eq!(said(&ours), said(&bench.run_by(&sops, args)));
        }
    }
    assert_eq!(bench.text("b.secret.yaml"), "a: 1\n");
}

#[test]
fn one_login_serves_all_files() {
    let Some(rig) = Rig::start() else { return };
    let bench = Bench::new();
    let names: Vec<String> = (0..24).map(|number| format!("d/{number}.secret.yaml")).collect();
    for name in &names {
        bench.write(name, "a: 1\n");
    }
    let rule = format!(
        "creation_rules:\n  - path_regex: \\.secret\\.\n    azure_keyvault: {}\n",
        rig.get("RIG_AZURE_KEY_URL")
    );
    bench.write(".sops.yaml", &rule);
    let run = |args: &[&str]| {
        rig.reset();
        let found = bench.ksops.call(&bench.sandbox).envs(&rig.login(Login::ClientSecret)).args(args).run();
        assert_eq!(found.status, 0, "{}", found.report());
        let log = rig.log();
        let is_token = |entry: &&Value| {
            entry["target"].as_str().is_some_and(|target| target.ends_with("/oauth2/v2.0/token"))
        };
        assert_eq!(log.iter().filter(is_token).count(), 1, "{args:?}: {log:?}");
    };
    run(&["encrypt", "-i", "-r", "d"]);
    run(&["decrypt", "-r", "d"]);
    run(&["rotate", "-i", "-r", "d"]);
}

/// Files for the key of the rig, encrypted each for itself.
fn for_the_vault(bench: &Bench, rig: &Rig, count: usize) {
    for number in 0..count {
        bench.write(&format!("d/{number}.secret.yaml"), &format!("a: {number}\n"));
    }
    let url = rig.get("RIG_AZURE_KEY_URL");
    let rule = format!("creation_rules:\n  - path_regex: \\.secret\\.\n    azure_keyvault: {url}\n");
    bench.write(".sops.yaml", &rule);
    let call = bench.ksops.call(&bench.sandbox).envs(&rig.login(Login::ClientSecret));
    assert_eq!(call.args(["encrypt", "-i", "-r", "d"]).run().status, 0);
    rig.reset();
}

/// When the vault was asked to decrypt, with a token, in seconds.
fn decryptions(rig: &Rig) -> Vec<f64> {
    let is_decryption = |entry: &&Value| {
        entry["target"].as_str().is_some_and(|target| target.contains("/decrypt"))
            && entry["authorization"] == "Bearer"
    };
    rig.log().iter().filter(is_decryption).filter_map(|entry| entry["t"].as_f64()).collect()
}

#[test]
fn copies_of_a_file_ask_the_vault_once() {
    let Some(rig) = Rig::start() else { return };
    let bench = Bench::new();
    for_the_vault(&bench, &rig, 1);
    let made = bench.text("d/0.secret.yaml");
    (1..50).for_each(|number| bench.write(&format!("d/{number}.secret.yaml"), &made));
    let call = bench.ksops.call(&bench.sandbox).envs(&rig.login(Login::ClientSecret));
    assert_eq!(call.args(["decrypt", "-i", "-r", "d"]).run().status, 0);
    assert_eq!(decryptions(&rig).len(), 1);
    assert_eq!(bench.text("d/49.secret.yaml"), "a: 0\n");
}

#[test]
fn when_the_vault_throttles_one_request_all_wait() {
    let Some(rig) = Rig::start() else { return };
    let bench = Bench::new();
    for_the_vault(&bench, &rig, 60);
    rig.fault(&json!({"op": "decrypt", "status": 429, "retry_after": 2, "count": 1}));
    let call = bench.ksops.call(&bench.sandbox).envs(&rig.login(Login::ClientSecret));
    let found = call.env("KSOPS_AZURE_MAX_REQUESTS", "4").args(["decrypt", "-i", "-r", "d"]).run();
    assert_eq!(found.status, 0, "{}", found.report());
    let times = decryptions(&rig);
    // One silence for all, at the start; before it came what was under way, or went out before the answer was read.
    let silences: Vec<usize> = (1..times.len()).filter(|at| times[*at] - times[*at - 1] > 1.0).collect();
    assert!(matches!(silences.as_slice(), [at] if *at <= 8), "silence before {silences:?} of {times:?}");
    assert!(times.len() >= 60, "{times:?}");
}

#[test]
fn a_terminal_sees_how_far_a_long_run_is() {
    let bench = Bench::new();
    let names: Vec<String> = (0..6).map(|number| format!("d/{number}.secret.yaml")).collect();
    // Big enough to take a while.
    let text: String = (0..40_000).map(|number| format!("key{number}: value {number}\n")).collect();
    for name in &names {
        bench.write(name, &text);
    }
    let mut terminal = Terminal::start(
        bench.ksops.path(),
        &bench.sandbox,
        &["encrypt", "-i", "-r", "d"],
        &[("NO_COLOR", "1")],
    );
    assert_eq!(terminal.status(), 0, "{}", terminal.shown());
    let shown = terminal.shown();
    assert!(shown.contains("/6 files"), "{shown:?}");
    assert!(shown.ends_with("6 encrypted\r\n"), "{shown:?}");
}

#[test]
fn changes_of_recipients_have_colours_on_a_terminal() {
    let bench = Bench::new();
    bench.write("a.secret.yaml", "a: 1\n");
    assert_eq!(bench.run(&["encrypt", "-i", "a.secret.yaml"]).status, 0);
    let rule = format!("creation_rules:\n  - age: {}\n", bench.keys.recipients[1]);
    bench.write(".sops.yaml", &rule);
    let shown = |variables: &[(&str, &str)]| {
        let args = ["updatekeys", "--check", "a.secret.yaml"];
        let mut terminal = Terminal::start(bench.ksops.path(), &bench.sandbox, &args, variables);
        assert_eq!(terminal.status(), 1, "{}", terminal.shown());
        terminal.shown()
    };
    let coloured = shown(&[]);
    assert!(coloured.contains(&format!("\u{1b}[32m+++ {}", bench.keys.recipients[1])), "{coloured:?}");
    assert!(coloured.contains(&format!("\u{1b}[31m--- {}", bench.keys.recipients[0])), "{coloured:?}");
    assert!(!shown(&[("NO_COLOR", "1")]).contains('\u{1b}'));
}

#[test]
fn writers_of_the_same_files_wait_for_each_other() {
    let bench = Bench::new();
    let names: Vec<String> = (0..5).map(|number| format!("d/{number}.secret.yaml")).collect();
    for name in &names {
        bench.write(name, "a: 1\n");
    }
    assert_eq!(bench.run(&["encrypt", "-i", "-r", "d"]).status, 0);
    let calls: Vec<String> = (0..6).map(|number| format!("[\"k{number}\"]")).collect();
    let failed = parallel::failures(&calls, |path| {
        let found = bench.run(&["set", "-r", "d", path, "1"]);
        if found.status == 0 { Ok(()) } else { Err(found.report()) }
    });
    failures::none("calls", calls.len(), &failed);
    for name in &names {
        let text = said(&bench.run(&["decrypt", name]));
        assert_eq!(text.lines().count(), 7, "{name}: every change is there: {text}");
    }
    assert_eq!(
        fs::read_dir(bench.sandbox.path("d")).expect("a folder").count(),
        names.len(),
        "nothing is left"
    );
}
