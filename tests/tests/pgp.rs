//! PGP keys, crosswise with real sops and with gpg itself.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use ksops_tests::oracle;
use ksops_tests::pgp::PgpHome;
use ksops_tests::program::{Outcome, Program};
use ksops_tests::sandbox::Sandbox;
use ksops_tests::terminal::Terminal;
use serde_json::Value;

const PLAIN: &str = "{\n\t\"password\": \"hunter2\"\n}\n";

struct Bench {
    ksops: Program,
    home: PgpHome,
    sandbox: Sandbox,
}

impl Bench {
    fn new() -> Option<Self> {
        let sandbox = Sandbox::new();
        let home = PgpHome::new(&sandbox)?;
        sandbox.write("plain.json", PLAIN);
        Some(Self { ksops: Program::ksops(), home, sandbox })
    }

    fn run(&self, program: &Program, args: &[&str], variables: &[(&str, &str)]) -> Outcome {
        let call = program.call(&self.sandbox).env("GNUPGHOME", self.home.path()).args(args);
        variables.iter().fold(call, |call, (name, value)| call.env(name, value)).run()
    }

    fn encrypt(&self, program: &Program, key: &str, file: &str) {
        let run = self.run(program, &["encrypt", "--pgp", key, "--output", file, "plain.json"], &[]);
        assert_eq!(run.status, 0, "{key}: {}", run.report());
    }

    fn entries(&self, file: &str) -> Value {
        let file: Value = serde_json::from_slice(&self.sandbox.read(file)).expect("JSON");
        file["sops"]["pgp"].clone()
    }

    /// A program to stand in for gpg.
    fn script(&self, name: &str, text: &str) -> String {
        let path = self.sandbox.write(name, format!("#!/bin/sh\n{text}\n"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("own file");
        path.display().to_string()
    }

    /// A gpg that takes the passphrase from a variable.
    fn loopback(&self) -> String {
        self.script("lgpg", "exec gpg --batch --pinentry-mode loopback --passphrase \"$PASS\" \"$@\"")
    }
}

fn printed(run: Outcome) -> Result<String, String> {
    let errors = run.errors();
    let words: Vec<&str> = errors.split_whitespace().filter(|word| *word != "|").collect();
    if run.status == 0 {
        Ok(String::from_utf8_lossy(&run.stdout).into_owned())
    } else {
        Err(format!("{} {}", run.status, words.join(" ")))
    }
}

#[test]
fn every_kind_of_key_crosses_over_with_real_sops_and_gpg() {
    let (Some(sops), Some(bench)) = (oracle::sops(), Bench::new()) else { return };
    let subkey = format!("{}!", bench.home.key("ECC_SUBKEY"));
    let rsa = bench.home.key("RSA").to_owned();
    let spaced: Vec<&str> = rsa.as_bytes().chunks(4).filter_map(|four| str::from_utf8(four).ok()).collect();
    let long_id = &rsa[24..];
    for key in [&rsa, bench.home.key("ECC"), &subkey, &spaced.join(" "), long_id] {
        bench.encrypt(&sops, key, "theirs.json");
        bench.encrypt(&bench.ksops, key, "ours.json");
        for file in ["theirs.json", "ours.json"] {
            for program in [&sops, &bench.ksops] {
                let found = printed(bench.run(program, &["decrypt", file], &[]));
                assert_eq!(found.as_deref(), Ok(PLAIN), "{key}, {file}, {}", program.path().display());
            }
        }
        let (ours, theirs) = (bench.entries("ours.json"), bench.entries("theirs.json"));
        assert_eq!(ours[0]["fp"], theirs[0]["fp"]);
        let fields = |entry: &Value| -> Vec<String> {
            entry[0].as_object().expect("a mapping").keys().cloned().collect()
        };
        assert_eq!(fields(&ours), fields(&theirs));
        let enc = ours[0]["enc"].as_str().expect("a text");
        assert!(
            enc.starts_with("-----BEGIN PGP MESSAGE-----\n") && enc.ends_with("-----END PGP MESSAGE-----")
        );
        let message = bench.sandbox.write("enc.asc", enc);
        let data_key = bench.home.run("gpg", ["--batch".as_ref(), "-qd".as_ref(), message.as_os_str()]);
        assert_eq!(data_key.stdout.len(), 32, "{}", String::from_utf8_lossy(&data_key.stderr));
    }
}

#[test]
fn keys_that_cannot_be_used_are_refused_with_advice_and_no_file_is_touched() {
    let (Some(sops), Some(bench)) = (oracle::sops(), Bench::new()) else { return };
    let unknown = "0000000000000000000000000000000000000000";
    for (key, advice) in [
        (bench.home.key("EXPIRED"), "is expired, revoked, disabled"),
        (bench.home.key("REVOKED"), "is expired, revoked, disabled"),
        (unknown, "gpg --recv-keys"),
        ("rsa@rig.test", "by its fingerprint of 40 digits"),
        ("--version", "is no PGP fingerprint"),
    ] {
        let args = ["encrypt", "-i", &format!("--pgp={key}"), "plain.json"];
        let ours = bench.run(&bench.ksops, &args, &[]);
        let theirs = bench.run(&sops, &args, &[]);
        assert!(
            ours.status == theirs.status && ours.status != 0,
            "{key}: {} {}",
            ours.report(),
            theirs.report()
        );
        assert!(ours.errors().contains(advice), "{key}: {}", ours.errors());
        assert_eq!(bench.sandbox.read("plain.json"), PLAIN.as_bytes());
    }
}

#[test]
fn another_program_can_stand_in_for_gpg() {
    let Some(bench) = Bench::new() else { return };
    let fake = bench.script("mygpg", "echo \"$@\" >> calls; exec gpg \"$@\"");
    let variables = [("SOPS_GPG_EXEC", fake.as_str()), ("SOPS_PGP_FP", bench.home.key("ECC"))];
    let run = bench.run(&bench.ksops, &["encrypt", "-i", "plain.json"], &variables);
    assert_eq!(run.status, 0, "{}", run.report());
    let run = bench.run(&bench.ksops, &["decrypt", "plain.json"], &variables);
    assert_eq!(printed(run).as_deref(), Ok(PLAIN));
    let calls = String::from_utf8(bench.sandbox.read("calls")).expect("text");
    assert!(calls.starts_with("--no-default-recipient --yes --encrypt -a -r "), "{calls}");
    assert!(calls.lines().last() == Some("-d"), "{calls}");

    let nowhere = [("SOPS_GPG_EXEC", "/nowhere/gpg")];
    let before = bench.sandbox.read("plain.json");
    let run = bench.run(&bench.ksops, &["rotate", "-i", "plain.json"], &nowhere);
    let said = printed(run).expect_err("no gpg");
    assert!(said.starts_with("128 ") && said.contains("/nowhere/gpg was not found"), "{said}");
    assert!(said.contains("install GnuPG"), "{said}");
    assert_eq!(bench.sandbox.read("plain.json"), before);
}

#[test]
fn a_passphrase_goes_through_the_agent_and_a_wrong_one_is_told() {
    let Some(bench) = Bench::new() else { return };
    bench.encrypt(&bench.ksops, bench.home.key("PASS"), "f.json");
    let lgpg = bench.loopback();
    let with = |pass: &str| {
        printed(bench.run(&bench.ksops, &["decrypt", "f.json"], &[("SOPS_GPG_EXEC", &lgpg), ("PASS", pass)]))
    };
    let said = with("wrong").expect_err("a wrong passphrase");
    assert!(said.starts_with("128 ") && said.contains("the passphrase was wrong"), "{said}");
    assert!(!said.contains("hunter2"));
    assert_eq!(with("secretpw").as_deref(), Ok(PLAIN));
}

#[test]
fn a_passphrase_is_asked_for_at_the_terminal_without_gpg_tty() {
    let Some(bench) = Bench::new() else { return };
    let pinentry = ["/usr/bin/pinentry-curses", "/usr/bin/pinentry-tty"];
    let Some(pinentry) = pinentry.iter().find(|path| std::path::Path::new(path).is_file()) else {
        return oracle::skipped("pinentry-curses");
    };
    bench.encrypt(&bench.ksops, bench.home.key("PASS"), "f.json");
    fs::write(format!("{}/gpg-agent.conf", bench.home.path()), format!("pinentry-program {pinentry}\n"))
        .expect("own");
    bench.home.run("gpgconf", ["--kill", "all"]);
    let mut terminal = Terminal::start(
        bench.ksops.path(),
        &bench.sandbox,
        &["decrypt", "--output", "out.json", "f.json"],
        &[("GNUPGHOME", bench.home.path())],
    );
    terminal.wait_for("assphrase");
    terminal.send("secretpw\r");
    assert_eq!(terminal.status(), 0, "{}", terminal.shown());
    assert_eq!(bench.sandbox.read("out.json"), PLAIN.as_bytes());
}

#[test]
fn without_the_secret_key_the_report_says_what_to_do() {
    let Some(bench) = Bench::new() else { return };
    bench.encrypt(&bench.ksops, bench.home.key("RSA"), "f.json");
    let empty = bench.sandbox.root().join("empty");
    fs::create_dir(&empty).expect("new");
    fs::set_permissions(&empty, fs::Permissions::from_mode(0o700)).expect("own folder");
    let empty = empty.display().to_string();
    let run = bench.run(&bench.ksops, &["decrypt", "f.json"], &[("GNUPGHOME", &empty)]);
    assert_eq!((run.status, run.stdout.len()), (128, 0), "{}", run.report());
    assert!(run.errors().contains(&format!("  {}: FAILED", bench.home.key("RSA"))), "{}", run.errors());
    assert!(run.errors().contains("No secret key") && run.errors().contains("hint: "), "{}", run.errors());
}

#[test]
fn rules_rotation_and_updatekeys_know_pgp() {
    let (Some(sops), Some(bench)) = (oracle::sops(), Bench::new()) else { return };
    let (rsa, ecc) = (bench.home.key("RSA"), bench.home.key("ECC"));
    let fingerprints = |file: &str| -> Vec<String> {
        let entries = bench.entries(file);
        entries
            .as_array()
            .into_iter()
            .flatten()
            .map(|entry| entry["fp"].as_str().unwrap_or_default().to_owned())
            .collect()
    };
    let run = |args: &[&str]| {
        let run = bench.run(&bench.ksops, args, &[]);
        assert_eq!(run.status, 0, "{args:?}: {}", run.report());
    };
    bench.sandbox.write(".sops.yaml", format!("creation_rules:\n  - pgp: '{rsa}'\n"));
    bench.sandbox.write("f.json", PLAIN);
    run(&["encrypt", "-i", "f.json"]);
    assert_eq!(fingerprints("f.json"), [rsa]);
    run(&["rotate", "-i", "--accept-recipients", "--add-pgp", ecc, "f.json"]);
    assert_eq!(fingerprints("f.json"), [rsa, ecc]);
    run(&["rotate", "-i", "--accept-recipients", "--rm-pgp", rsa, "f.json"]);
    assert_eq!(fingerprints("f.json"), [ecc]);
    run(&["updatekeys", "--yes", "f.json"]);
    assert_eq!(fingerprints("f.json"), [rsa]);
    assert_eq!(printed(bench.run(&sops, &["decrypt", "f.json"], &[])).as_deref(), Ok(PLAIN));
}

#[test]
fn doctor_tells_what_there_is_for_a_key() {
    let Some(bench) = Bench::new() else { return };
    if bench.ksops.is_upstream() {
        return;
    }
    bench.encrypt(&bench.ksops, bench.home.key("RSA"), "f.json");
    let run = bench.run(&bench.ksops, &["doctor", "--json", "f.json"], &[]);
    assert_eq!(run.status, 0, "{}", run.report());
    let report: Value = serde_json::from_slice(&run.stdout).expect("JSON");
    let found = report["parts"][0]["keys"][0]["credentials"].as_array().expect("credentials").clone();
    let states: Vec<(&str, &str)> = found
        .iter()
        .map(|found| {
            (found["name"].as_str().unwrap_or_default(), found["state"].as_str().unwrap_or_default())
        })
        .collect();
    assert_eq!(states, [("GnuPG", "ok"), ("GNUPGHOME", "ok"), ("public key", "ok"), ("secret key", "ok")]);
    let run = bench.run(&bench.ksops, &["doctor", "--pgp", bench.home.key("EXPIRED")], &[]);
    let text = String::from_utf8_lossy(&run.stdout).into_owned();
    assert!(run.status == 1 && text.contains("expired"), "{text}");
}
