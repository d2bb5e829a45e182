//! `view` and `decrypt --redact`: masks for secrets, whole files only with the key, and nothing that loses a value.

use ksops_tests::fixtures::AgeKeys;
use ksops_tests::program::{Outcome, Program};
use ksops_tests::sandbox::Sandbox;

const MARKER: &str = "mArKeR7f3a";

/// Each format: the file's name, its text, and how it is shown.
fn files() -> [(&'static str, String, &'static str); 6] {
    [
        (
            "f.yaml",
            format!(
                "# {MARKER}\nuser: {MARKER}\nport: 5432\nkey: |\n    {MARKER}\n    {MARKER}\nname_unencrypted: db\n"
            ),
            "# <redacted comment 9-16>\nuser: <redacted str 9-16>\nport: <redacted int>\nkey: <redacted str 17-32>\n\
             name_unencrypted: db\n",
        ),
        (
            "f.json",
            format!("{{\"user\": \"{MARKER}\", \"on\": [true, 1.5], \"name_unencrypted\": \"db\"}}"),
            "{\n\t\"user\": \"<redacted str 9-16>\",\n\t\"on\": [\n\t\t\"<redacted bool>\",\n\t\t\"<redacted float>\"\n\t],\n\
             \t\"name_unencrypted\": \"db\"\n}\n",
        ),
        (
            "f.env",
            format!("#{MARKER}\nUSER={MARKER}\nNAME_unencrypted=db\n"),
            "# <redacted comment 9-16>\nUSER=<redacted str 9-16>\nNAME_unencrypted=db\n",
        ),
        (
            "f.ini",
            format!("[a]\nuser = {MARKER}\nname_unencrypted = db\n"),
            "[a]\nuser             = <redacted str 9-16>\nname_unencrypted = db\n",
        ),
        (
            "f.toml",
            format!("user = '{MARKER}'\nport = 5432\nname_unencrypted = 'db'\n"),
            "user = \"<redacted str 9-16>\"\nport = \"<redacted int>\"\nname_unencrypted = 'db'\n",
        ),
        ("f.bin", format!("{MARKER}\0{MARKER}"), "<redacted binary 17-32 bytes>\n"),
    ]
}

fn encrypted(ksops: &Program, sandbox: &Sandbox, name: &str, text: &str) {
    sandbox.write(name, text);
    let age = &AgeKeys::read().recipients[0];
    let run = ksops.call(sandbox).args(["encrypt", "-i", "--age", age, name]).run();
    assert_eq!(run.status, 0, "{}", run.report());
}

fn shows_no_marker(run: &Outcome) {
    for bytes in [&run.stdout, &run.stderr] {
        assert!(!String::from_utf8_lossy(bytes).contains(MARKER), "{}", run.report());
    }
}

#[test]
fn each_format_is_shown_with_masks_with_and_without_the_key() {
    let ksops = Program::ksops();
    if ksops.is_upstream() {
        return; // Upstream has neither.
    }
    let identity = AgeKeys::read().identities[0].clone();
    for (name, text, shown) in files() {
        let sandbox = Sandbox::new();
        encrypted(&ksops, &sandbox, name, &text);
        let view = ksops.call(&sandbox).args(["view", "--layout", "upstream", name]).run();
        shows_no_marker(&view);
        assert_eq!(view.errors(), "", "{name}");
        assert_eq!(String::from_utf8_lossy(&view.stdout), shown, "{name}: {}", view.report());
        let call = ksops.call(&sandbox).env("SOPS_AGE_KEY", &identity);
        let decrypt = call.args(["decrypt", name, "--redact", "--layout", "upstream"]).run();
        assert_eq!(
            (decrypt.output(), sandbox.files()),
            (Ok(shown.as_bytes().to_vec()), vec![name.to_owned()])
        );
        // Without the key the one command works and the other does not.
        let refused = ksops.call(&sandbox).args(["decrypt", "--redact", name]).run();
        assert_eq!((refused.status, refused.stdout.as_slice()), (128, &b""[..]), "{}", refused.report());
    }
}

#[test]
fn masks_never_take_the_place_of_the_file() {
    let ksops = Program::ksops();
    if ksops.is_upstream() {
        return;
    }
    let sandbox = Sandbox::new();
    encrypted(&ksops, &sandbox, "f.yaml", &format!("user: {MARKER}\n"));
    let before = sandbox.read("f.yaml");
    std::os::unix::fs::symlink("f.yaml", sandbox.path("link.yaml")).expect("a new name");
    let identity = AgeKeys::read().identities[0].clone();
    for words in [
        &["decrypt", "--redact", "-i", "f.yaml"][..],
        &["decrypt", "--redact", "--output", "f.yaml", "f.yaml"],
        &["decrypt", "--redact", "--output", "./link.yaml", "f.yaml"],
    ] {
        let run = ksops.call(&sandbox).env("SOPS_AGE_KEY", &identity).args(words).run();
        assert_eq!(run.status, 8, "{words:?}: {}", run.report());
        assert!(sandbox.read("f.yaml") == before, "{words:?} changed the file");
    }
    let words = ["decrypt", "--redact", "--output", "shown.yaml", "f.yaml"];
    let run = ksops.call(&sandbox).env("SOPS_AGE_KEY", &identity).args(words).run();
    assert_eq!(run.status, 0, "{}", run.report());
    assert_eq!(sandbox.read("shown.yaml"), b"user: <redacted str 9-16>\n");
}

#[test]
fn a_plain_or_broken_file_is_not_shown() {
    let ksops = Program::ksops();
    if ksops.is_upstream() {
        return;
    }
    let sandbox = Sandbox::new();
    for text in [
        format!("user: {MARKER}\n"),
        format!("user: {MARKER}\nsops: {MARKER}\n"),
        format!("user: {MARKER}\nsops:\n    mac: {MARKER}\n    version: 3.13.3\n"),
        format!("user: [{MARKER}\n"),
    ] {
        sandbox.write("f.yaml", &text);
        let run = ksops.call(&sandbox).args(["view", "f.yaml"]).run();
        shows_no_marker(&run);
        assert_eq!((run.status, run.stdout.len()), (1, 0), "{}", run.report());
    }
}

#[test]
fn a_file_called_view_stays_editable_as_sops() {
    let ksops = Program::ksops();
    if ksops.is_upstream() {
        return;
    }
    let sandbox = Sandbox::new();
    encrypted(&ksops, &sandbox, "view", &format!("user: {MARKER}\n"));
    let run = ksops.call(&sandbox).env("KSOPS_COMPAT", "sops").args(["view", "view"]).run();
    assert!(!String::from_utf8_lossy(&run.stdout).contains("redacted"), "{}", run.report());
    let run = ksops.call(&sandbox).args(["view", "view"]).run();
    assert_eq!(run.output(), Ok(b"<redacted binary 17-32 bytes>\n".to_vec()));
}
