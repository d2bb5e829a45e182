//! `verify`: what it says of good, changed and crafted files, and that it shows nothing of them.

use ksops_tests::fixtures::AgeKeys;
use ksops_tests::oracle;
use ksops_tests::program::{Outcome, Program};
use ksops_tests::sandbox::Sandbox;
use serde_json::Value;

struct Bench {
    sandbox: Sandbox,
    ksops: Program,
    keys: AgeKeys,
}

impl Bench {
    fn new() -> Self {
        let (sandbox, keys) = (Sandbox::new(), AgeKeys::read());
        sandbox.write("keys.txt", keys.identity_file());
        let ksops = Program::at(Program::ksops().path().canonicalize().expect("found before"));
        Self { sandbox, ksops, keys }
    }

    fn run(&self, args: &[&str]) -> Outcome {
        let call = self.ksops.call(&self.sandbox).env("SOPS_AGE_KEY_FILE", self.sandbox.path("keys.txt"));
        call.args(args).run()
    }

    fn encrypted(&self, name: &str, recipients: &str) -> Value {
        self.sandbox.write(name, "{\"a\": \"hush-verify\", \"plain_unencrypted\": 1}");
        let made = self.run(&["encrypt", "-i", "--age", recipients, name]);
        assert_eq!(made.status, 0, "{}", made.report());
        serde_json::from_slice(&self.sandbox.read(name)).expect("JSON")
    }
}

fn said(outcome: &Outcome) -> String {
    String::from_utf8_lossy(&outcome.stdout).into_owned() + &outcome.errors()
}

#[test]
fn good_and_changed_files_are_told_apart_and_nothing_is_shown() {
    let bench = Bench::new();
    let mut file = bench.encrypted("d/good.json", &bench.keys.recipients[0]);
    file["plain_unencrypted"] = 2.into();
    bench.sandbox.write("d/changed.json", file.to_string());
    bench.sandbox.write("d/plain.json", "{}");
    let good = bench.run(&["verify", "d/good.json"]);
    assert_eq!((good.status, said(&good).as_str()), (0, "d/good.json: decrypts, and the MAC agrees\n"));
    assert_eq!(bench.run(&["verify", "d/changed.json"]).status, 51);
    let both = bench.run(&["verify", "-r", "d"]);
    assert_eq!(both.status, 51, "{}", both.report());
    assert!(said(&both).contains("1 verified, 1 failed"), "{}", both.report());
    let call = bench.ksops.call(&bench.sandbox).args(["verify", "d/good.json"]);
    assert_eq!(call.run().status, 128, "without a key");
    for outcome in [good, both] {
        assert!(!said(&outcome).contains("hush-verify"));
    }
}

#[test]
fn a_key_that_yields_another_document_is_found() {
    let bench = Bench::new();
    let (mine, theirs) = (&bench.keys.recipients[0], &bench.keys.recipients[1]);
    let mut file = bench.encrypted("f.json", &format!("{mine},{theirs}"));
    let good = bench.run(&["verify", "--all-keys", "f.json"]);
    assert_eq!(good.status, 0, "{}", good.report());
    assert!(said(&good).contains("2 of 2 keys were compared and agree"), "{}", good.report());
    // The data key of another file, for the second recipient.
    let other = bench.encrypted("other.json", theirs);
    file["sops"]["age"][1]["enc"] = other["sops"]["age"][0]["enc"].clone();
    bench.sandbox.write("f.json", file.to_string());
    assert_eq!(bench.run(&["verify", "f.json"]).status, 0, "one key is enough to decrypt");
    let crafted = bench.run(&["verify", "--all-keys", "f.json"]);
    let text = said(&crafted);
    assert_eq!(crafted.status, 1, "{text}");
    assert!(
        text.contains(&format!("age {mine}: agrees")) && text.contains(&format!("age {theirs}: DIFFERS")),
        "{text}"
    );
    // Without that identity nobody can tell.
    bench.sandbox.write("keys.txt", &bench.keys.identities[0]);
    let half = bench.run(&["verify", "--all-keys", "f.json"]);
    assert!(half.status == 0 && said(&half).contains("1 of 2 keys were compared"), "{}", half.report());
    assert!(said(&half).contains("not at hand"), "{}", half.report());
}

#[test]
fn as_sops_it_is_a_file() {
    let (Some(sops), bench) = (oracle::sops(), Bench::new()) else { return };
    let call = |program: &Program| {
        let call = program.call(&bench.sandbox).env("KSOPS_COMPAT", "sops").env("EDITOR", "true");
        call.args(["verify"]).run()
    };
    assert_eq!(call(&bench.ksops).status, call(&sops).status);
}
