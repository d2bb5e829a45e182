//! What somebody meets first: `quickstart.sh`, `ksops keygen`, `ksops init`, and the two names of the program.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use ksops_tests::fixtures::{self, AgeKeys};
use ksops_tests::oracle;
use ksops_tests::program::{Outcome, Program};
use ksops_tests::sandbox::Sandbox;

const KEYS: &str = ".config/sops/age/keys.txt";

/// ksops, unless real sops stands in for it: that has none of what is tested here.
fn ksops() -> Option<Program> {
    Some(Program::ksops()).filter(|program| !program.is_upstream())
}

fn keygen(ksops: &Program, sandbox: &Sandbox) -> Outcome {
    ksops.call(sandbox).args(["keygen"]).run()
}

#[test]
fn keygen_writes_where_sops_looks_for_others_unreadable() {
    let (Some(ksops), Some(sops)) = (ksops(), oracle::sops()) else { return };
    let sandbox = Sandbox::new();
    let made = keygen(&ksops, &sandbox);
    assert_eq!(made.status, 0, "{}", made.report());
    let path = sandbox.home().join(KEYS);
    let mode = |path| fs::metadata(path).map(|data| data.permissions().mode() & 0o777).unwrap_or_default();
    assert_eq!(mode(path.clone()), 0o600);
    assert_eq!(mode(sandbox.home().join(".config/sops/age")) & 0o077, 0);
    let text = fs::read_to_string(&path).expect("just written");
    let recipient =
        text.lines().find_map(|line| line.strip_prefix("# public key: ")).expect("the public key is noted");
    let shown = [made.stdout.clone(), made.stderr.clone()].concat();
    assert!(String::from_utf8_lossy(&shown).contains(recipient), "{}", made.report());
    assert!(!String::from_utf8_lossy(&shown).contains("AGE-SECRET-KEY-"), "the secret key was printed");
    sandbox.write("f.yaml", "a: b\n");
    let encrypted = sops.call(&sandbox).args(["encrypt", "--age", recipient, "f.yaml"]).run().output();
    sandbox.write("enc.yaml", encrypted.expect("sops takes the recipient"));
    for program in [&ksops, &sops] {
        assert_eq!(
            program.call(&sandbox).args(["decrypt", "enc.yaml"]).run().output(),
            Ok(b"a: b\n".to_vec())
        );
    }
}

#[test]
fn keygen_never_overwrites() {
    let Some(ksops) = ksops() else { return };
    let sandbox = Sandbox::new();
    let path = sandbox.home().join(KEYS);
    fs::create_dir_all(path.parent().expect("three folders")).expect("an empty home");
    fs::write(&path, "# mine\n").expect("an empty folder");
    let refused = keygen(&ksops, &sandbox);
    assert_ne!(refused.status, 0, "{}", refused.report());
    assert!(refused.errors().contains("keys.txt"), "{}", refused.report());
    assert_eq!(fs::read_to_string(&path).expect("still there"), "# mine\n");
}

#[test]
fn init_writes_rules_that_encrypt_a_secret() {
    let Some(ksops) = ksops() else { return };
    let sandbox = Sandbox::new();
    let keys = AgeKeys::read();
    let init = || ksops.call(&sandbox).args(["init", "--age", &keys.recipients[0]]).run();
    let made = init();
    assert_eq!(made.status, 0, "{}", made.report());
    sandbox.write("secret.yaml", fixtures::bytes("quickstart/secret.yaml"));
    let encrypted =
        ksops.call(&sandbox).args(["encrypt", "secret.yaml"]).run().output().expect("the rule fits");
    let encrypted = String::from_utf8(encrypted).expect("YAML is text");
    assert!(encrypted.contains("kind: Secret\n") && encrypted.contains("password: ENC["), "{encrypted}");
    let before = sandbox.read(".sops.yaml");
    assert_ne!(init().status, 0);
    assert_eq!(sandbox.read(".sops.yaml"), before);
}

#[test]
fn as_ksops_a_rule_that_matches_nothing_is_refused_and_as_sops_warned_about() {
    let Some(ksops) = ksops() else { return };
    let sandbox = Sandbox::new();
    sandbox.write("f.yaml", "a: b\n");
    let age = AgeKeys::read().recipients[0].clone();
    let args = ["encrypt", "--age", &age, "--encrypted-regex", "^Data$", "f.yaml"];
    let refused = ksops.call(&sandbox).args(args).run();
    assert!(refused.status != 0 && refused.stdout.is_empty(), "{}", refused.report());
    assert!(refused.errors().contains("--allow-unencrypted"), "{}", refused.report());
    let link = sandbox.root().join("sops");
    symlink(ksops.path().canonicalize().expect("found before"), &link).expect("an empty folder");
    let sops = Program::at(link);
    let by_variable = ksops.call(&sandbox).env("KSOPS_COMPAT", "sops").args(args).run();
    for warned in [sops.call(&sandbox).args(args).run(), by_variable] {
        assert_eq!(warned.status, 0, "{}", warned.report());
        assert!(!warned.stderr.is_empty(), "no warning");
    }
    let allowed = ["encrypt", "--allow-unencrypted", "--age", &age, "--encrypted-regex", "^Data$", "f.yaml"];
    assert_eq!(ksops.call(&sandbox).args(allowed).run().status, 0);
}

#[test]
fn as_ksops_a_secret_with_plain_data_is_refused() {
    let Some(ksops) = ksops() else { return };
    let sandbox = Sandbox::new();
    sandbox.write("f.yaml", "kind: Secret\nstringData:\n    a: b\ndata:\n    c: ZA==\n");
    let age = AgeKeys::read().recipients[0].clone();
    let refused =
        ksops.call(&sandbox).args(["encrypt", "--age", &age, "--encrypted-regex", "^data$", "f.yaml"]).run();
    assert!(refused.status != 0 && refused.stdout.is_empty(), "{}", refused.report());
    assert!(refused.errors().contains("stringData"), "{}", refused.report());
}

#[test]
fn an_unknown_word_is_an_error_of_ksops() {
    let Some(ksops) = ksops() else { return };
    let sandbox = Sandbox::new();
    let refused = ksops.call(&sandbox).args(["decyrpt"]).env("EDITOR", "true").run();
    assert!(refused.status != 0 && refused.errors().contains("decyrpt"), "{}", refused.report());
    assert!(sandbox.files().is_empty());
}

#[test]
fn the_quickstart_makes_a_key_once_and_shows_the_secret() {
    let Some(ksops) = ksops() else { return };
    let sandbox = Sandbox::new();
    let script = Program::at(fixtures::workspace().join("quickstart.sh"));
    let run = || {
        let call = script.call(&sandbox).env("KSOPS_BIN", ksops.path().canonicalize().expect("found before"));
        call.env("KSOPS_QUICKSTART", sandbox.path("secret.enc.yaml")).run()
    };
    let first = run();
    assert_eq!(first.status, 0, "{}", first.report());
    assert!(String::from_utf8_lossy(&first.stdout).contains("password: t0p-S3cr3t"), "{}", first.report());
    let encrypted = String::from_utf8(sandbox.read("secret.enc.yaml")).expect("YAML is text");
    assert!(encrypted.contains("password: ENC[") && !encrypted.contains("t0p-S3cr3t"), "{encrypted}");
    let key = fs::read(sandbox.home().join(KEYS)).expect("a key was made");
    assert_eq!(run().status, 0);
    assert_eq!(fs::read(sandbox.home().join(KEYS)).expect("still there"), key);
}
