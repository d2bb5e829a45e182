//! Commands that change an encrypted file: what they write is read by real sops, what did not change keeps its bytes,
//! and neither recipients nor the selector of the file are trusted (security.md S2, S3, S9).

use std::collections::BTreeSet;

use ksops_tests::fixtures::AgeKeys;
use ksops_tests::oracle;
use ksops_tests::program::{Outcome, Program};
use ksops_tests::sandbox::Sandbox;

const YAML: &str = "a: 1\nb: text\nc:\n    d: deep\n    e:\n        - x\n        - w\n        - x\n";

struct Bench {
    sandbox: Sandbox,
    ksops: Program,
    keys: AgeKeys,
}

impl Bench {
    fn new() -> Self {
        let (sandbox, keys) = (Sandbox::new(), AgeKeys::read());
        sandbox.write("keys.txt", keys.identities[0].as_bytes());
        sandbox.write("keys2.txt", keys.identities[1].as_bytes());
        Self { sandbox, ksops: Program::ksops(), keys }
    }

    /// Encrypts `text` for the first recipients as `name`.
    fn encrypted(&self, name: &str, text: &str, recipients: usize, more: &[&str]) -> String {
        self.sandbox.write(name, text);
        let list = self.keys.recipients[..recipients].join(",");
        self.sandbox.write("empty.yaml", "{}\n");
        let found =
            self.run(&[&["--config", "empty.yaml", "encrypt", "-i", "--age", &list], more, &[name]].concat());
        assert_eq!(found.status, 0, "{}", found.report());
        self.text(name)
    }

    fn run(&self, args: &[&str]) -> Outcome {
        self.with_key("keys.txt", &self.ksops, args)
    }

    fn with_key(&self, key: &str, program: &Program, args: &[&str]) -> Outcome {
        let keys = self.sandbox.path(key);
        program.call(&self.sandbox).env("SOPS_AGE_KEY_FILE", keys).args(args).run()
    }

    fn done(&self, args: &[&str]) {
        let found = self.run(args);
        assert_eq!(found.status, 0, "{args:?}: {}", found.report());
    }

    fn refused(&self, file: &str, args: &[&str], reason: &str) {
        let before = self.text(file);
        let found = self.run(args);
        assert_ne!(found.status, 0, "{args:?}: {}", found.report());
        assert!(found.errors().contains(reason), "{args:?}: {}", found.report());
        assert_eq!(self.text(file), before, "{args:?} changed the file");
    }

    fn text(&self, name: &str) -> String {
        String::from_utf8(self.sandbox.read(name)).expect("text")
    }

    /// What both programs read from a file; they must agree.
    fn read(&self, name: &str) -> String {
        let ours = self
            .run(&["decrypt", "--layout", "upstream", name])
            .output()
            .unwrap_or_else(|said| panic!("{name}: {said}"));
        if let Some(sops) = oracle::sops() {
            let theirs = self.with_key("keys.txt", &sops, &["decrypt", name]).output();
            assert_eq!(theirs.as_ref(), Ok(&ours), "{name}");
        }
        String::from_utf8(ours).expect("text")
    }
}

/// The envelopes in a text, but for the MAC.
fn envelopes(text: &str) -> BTreeSet<&str> {
    text.lines()
        .filter(|line| !line.contains("mac"))
        .filter_map(|line| line.split_once("ENC["))
        .map(|(_, rest)| rest)
        .collect()
}

#[test]
fn set_and_unset_change_one_value_and_leave_the_bytes_of_the_others() {
    let bench = Bench::new();
    let before = bench.encrypted("f.yaml", YAML, 1, &[]);
    bench.done(&["set", "f.yaml", r#"["b"]"#, "42"]);
    let after = bench.text("f.yaml");
    assert_eq!(envelopes(&before).difference(&envelopes(&after)).count(), 1);
    assert_eq!(bench.read("f.yaml"), YAML.replace("text", "42"));
    assert!(after.contains("type:int"), "an integer stays an integer");
    bench.done(&["unset", "f.yaml", r#"["c"]["e"][0]"#]);
    let shorter = bench.text("f.yaml");
    assert_eq!(envelopes(&shorter).difference(&envelopes(&after)).count(), 0, "what moved up kept its bytes");
    assert_eq!(bench.read("f.yaml"), YAML.replace("text", "42").replacen("        - x\n", "", 1));
}

#[test]
fn set_works_in_every_format() {
    let bench = Bench::new();
    let cases = [
        ("f.json", "{\"a\": \"one\", \"s\": {\"b\": 1}}", r#"["s"]["b"]"#, "\"q\""),
        ("f.env", "# c\na=one\n", r#"["a"]"#, "\"two\\nlines\""),
        ("f.ini", "[s]\na = one\n", r#"["s"]["a"]"#, "\"two\""),
    ];
    for (name, text, path, value) in cases {
        bench.encrypted(name, text, 1, &[]);
        let before = bench.read(name);
        bench.done(&["set", name, path, value]);
        assert_ne!(bench.read(name), before, "{name}");
    }
    bench.encrypted("f.toml", "# kept\na = 1   # behind\n\n[t]\nb = \"x\"\n", 1, &[]);
    bench.done(&["set", "f.toml", r#"["t"]["b"]"#, "\"y\""]);
    let read = bench.run(&["decrypt", "f.toml"]).output().expect("decrypts");
    assert_eq!(String::from_utf8_lossy(&read), "# kept\na = 1   # behind\n\n[t]\nb = \"y\"\n");
    bench.encrypted("f.bin", "bytes", 1, &[]);
    bench.done(&["set", "f.bin", r#"["data"]"#, "\"others\""]);
    assert_eq!(bench.read("f.bin"), "others");
}

#[test]
fn rotate_gives_a_new_data_key_to_the_recipients_that_remain() {
    let bench = Bench::new();
    let before = bench.encrypted("f.yaml", YAML, 2, &[]);
    let removed = bench.keys.recipients[1].clone();
    bench.done(&["rotate", "-i", "--rm-age", &removed, "f.yaml"]);
    let after = bench.text("f.yaml");
    assert_eq!(envelopes(&before).intersection(&envelopes(&after)).count(), 0);
    assert_eq!(bench.read("f.yaml"), YAML);
    let other = bench.with_key("keys2.txt", &bench.ksops, &["decrypt", "f.yaml"]);
    assert_eq!(other.status, 128, "{}", other.report());
}

#[test]
fn a_recipient_that_the_rule_does_not_name_stops_a_rotation() {
    let bench = Bench::new();
    bench.encrypted("f.yaml", YAML, 2, &[]);
    let (first, second) = (bench.keys.recipients[0].clone(), bench.keys.recipients[1].clone());
    bench.sandbox.write(".sops.yaml", format!("creation_rules:\n  - age: {first}\n"));
    bench.refused("f.yaml", &["rotate", "-i", "f.yaml"], &second);
    let group = ["groups", "add", "-i", "-f", "f.yaml", "--age", &bench.keys.recipients[2]];
    bench.refused("f.yaml", &group, &second);
    // Whom the command line names is known.
    bench.done(&["rotate", "-i", "--rm-age", &second, "f.yaml"]);
    bench.encrypted("f.yaml", YAML, 2, &[]);
    bench.done(&["rotate", "-i", "--accept-recipients", "f.yaml"]);
    assert!(bench.text("f.yaml").contains(&second));
}

#[test]
fn a_selector_that_the_rule_does_not_have_stops_a_write() {
    let bench = Bench::new();
    bench.encrypted("f.yaml", YAML, 1, &["--encrypted-regex", "^b$"]);
    let rule =
        format!("creation_rules:\n  - age: {}\n    encrypted_regex: ^(a|b)$\n", bench.keys.recipients[0]);
    bench.sandbox.write(".sops.yaml", rule);
    let set = ["set", "f.yaml", r#"["a"]"#, "\"secret\""];
    bench.refused("f.yaml", &set, "encrypted_regex: ^(a|b)$");
    bench.refused("f.yaml", &["unset", "f.yaml", r#"["a"]"#], "encrypted_regex: ^b$");
    bench.refused("f.yaml", &["rotate", "-i", "f.yaml"], "--accept-selector");
    bench.done(&[&set[..], &["--accept-selector"]].concat());
    assert!(bench.text("f.yaml").contains("a: secret"));
}

#[test]
fn updatekeys_rotates_when_somebody_is_removed_and_can_only_check() {
    let bench = Bench::new();
    let before = bench.encrypted("f.yaml", YAML, 2, &[]);
    let first = bench.keys.recipients[0].clone();
    bench.sandbox.write(".sops.yaml", format!("creation_rules:\n  - age: {first}\n"));
    bench.refused("f.yaml", &["updatekeys", "--check", "f.yaml"], "Syncing keys");
    bench.done(&["updatekeys", "-y", "f.yaml"]);
    let after = bench.text("f.yaml");
    assert_eq!(envelopes(&before).intersection(&envelopes(&after)).count(), 0, "the data key is a new one");
    assert_eq!(bench.read("f.yaml"), YAML);
    bench.done(&["updatekeys", "--check", "f.yaml"]);
    assert_eq!(bench.text("f.yaml"), after);

    let before = bench.encrypted("f.yaml", YAML, 2, &[]);
    bench.done(&["updatekeys", "-y", "--keep-data-key", "f.yaml"]);
    assert_eq!(envelopes(&before), envelopes(&bench.text("f.yaml")), "the values stay closed");
}

#[test]
fn groups_come_and_go_and_sops_reads_them() {
    let bench = Bench::new();
    bench.encrypted("f.yaml", YAML, 1, &[]);
    let second = bench.keys.recipients[1].clone();
    let add = ["groups", "add", "-i", "-f", "f.yaml", "--age", &second];
    let with_threshold = [&add[..], &["--shamir-secret-sharing-threshold", "1"]].concat();
    bench.refused("f.yaml", &with_threshold, "threshold must be at least 2");
    bench.done(&add);
    let both = bench.keys.identity_file();
    bench.sandbox.write("keys.txt", both);
    assert_eq!(bench.read("f.yaml"), YAML);
    bench.refused("f.yaml", &["groups", "delete", "-i", "-f", "f.yaml", "1"], "impossible to satisfy");
    bench.done(&["groups", "delete", "-i", "-f", "f.yaml", "--shamir-secret-sharing-threshold", "1", "1"]);
    assert_eq!(bench.read("f.yaml"), YAML);
    assert!(!bench.text("f.yaml").contains(&second));
}
