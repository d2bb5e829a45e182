//! Every kind of age key, crosswise with real sops and with Go's age: post-quantum, ssh, plugins, passphrases.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use ksops_tests::fixtures::{self, AgeKeys};
use ksops_tests::oracle;
use ksops_tests::program::{Outcome, Program};
use ksops_tests::sandbox::Sandbox;
use ksops_tests::terminal::Terminal;
use serde_json::Value;

const PLAIN: &str = "{\n\t\"password\": \"hunter2\"\n}\n";
const PASSPHRASE: &str = "secretpw";
const KEY_FILE: &str = "SOPS_AGE_KEY_FILE";
const SSH_FILE: &str = "SOPS_AGE_SSH_PRIVATE_KEY_FILE";

/// What a program printed; if it failed, its status and errors without the box around them.
fn printed(run: Outcome) -> Result<String, String> {
    let errors = run.errors();
    let words: Vec<&str> = errors.split_whitespace().filter(|word| *word != "|").collect();
    if run.status == 0 {
        Ok(String::from_utf8_lossy(&run.stdout).into_owned())
    } else {
        Err(format!("{} {}", run.status, words.join(" ")))
    }
}

/// A kind of key.
struct Kind {
    name: &'static str,
    recipient: String,
    /// The variable that names the file with the identity.
    variable: &'static str,
    identity: &'static str,
}

fn recipient(file: &str) -> String {
    let text = fixtures::text(&format!("age/{file}"));
    if let Some(line) = text.lines().find(|line| line.starts_with("ssh-")) {
        return line.to_owned();
    }
    text.split_whitespace().find(|word| word.starts_with("age1")).expect("a recipient").to_owned()
}

fn kinds() -> Vec<Kind> {
    let kind = |name, public: &str, variable, identity| Kind {
        name,
        recipient: recipient(public),
        variable,
        identity,
    };
    vec![
        kind("X25519", "x25519.txt", KEY_FILE, "x25519.txt"),
        kind("post-quantum", "pq.txt", KEY_FILE, "pq.txt"),
        kind("plugin", "plugin.txt", KEY_FILE, "plugin.txt"),
        kind("ssh-ed25519", "id_ed25519.pub", SSH_FILE, "id_ed25519"),
        kind("ssh-rsa", "id_rsa.pub", SSH_FILE, "id_rsa"),
        kind("ssh-rsa, PEM", "id_rsa.pub", SSH_FILE, "id_rsa_pem"),
        kind("ssh-rsa, PKCS 8", "id_rsa.pub", SSH_FILE, "id_rsa_pkcs8"),
    ]
}

/// A sandbox with the keys, and a folder for `PATH` with the plugin.
struct Bench {
    sandbox: Sandbox,
    path: String,
}

impl Bench {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        for path in fixtures::entries(&fixtures::path("age")) {
            let name = format!("keys/{}", fixtures::name(&path));
            let copy = sandbox.write(&name, fs::read(&path).expect("a fixture"));
            fs::set_permissions(copy, fs::Permissions::from_mode(0o600)).expect("own file");
        }
        sandbox.write("plain.json", PLAIN);
        let doubles = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("doubles");
        Self { sandbox, path: format!("{}:/usr/local/bin:/usr/bin:/bin", doubles.display()) }
    }

    fn key(&self, name: &str) -> String {
        self.sandbox.path(&format!("keys/{name}")).display().to_string()
    }

    fn encrypt(&self, program: &Program, to: &str, file: &str) {
        let args = ["encrypt", "--age", to, "--output", file, "plain.json"];
        let run = program.call(&self.sandbox).env("PATH", &self.path).args(args).run();
        assert_eq!(run.status, 0, "{to}: {}", run.report());
    }

    /// Decrypts without anybody to ask.
    fn decrypt(&self, program: &Program, file: &str, variable: &str, key: &str) -> Result<String, String> {
        let run = Program::at("/usr/bin/setsid")
            .call(&self.sandbox)
            .arg("--wait")
            .arg(program.path())
            .args(["decrypt", file])
            .env("PATH", &self.path)
            .env("KSOPS_LAYOUT", "upstream")
            .env(variable, self.key(key))
            .run();
        printed(run)
    }

    fn terminal(&self, program: &Program, args: &[&str], variables: &[(&str, &str)]) -> Terminal {
        let mut all = vec![("PATH", self.path.as_str())];
        all.extend(variables);
        Terminal::start(program.path(), &self.sandbox, args, &all)
    }

    fn entry(&self, file: &str) -> Value {
        let file: Value = serde_json::from_slice(&self.sandbox.read(file)).expect("JSON");
        file["sops"]["age"][0].clone()
    }

    /// Go's age.
    fn age(&self, age: &Program, args: &[&str], input: Vec<u8>) -> Vec<u8> {
        let run = age.call(&self.sandbox).env("PATH", &self.path).args(args).stdin(input).run();
        run.output().unwrap_or_else(|said| panic!("age {args:?}: {said}"))
    }
}

#[test]
fn every_kind_crosses_over_with_real_sops() {
    let Some(sops) = oracle::sops() else { return };
    let (bench, ksops) = (Bench::new(), Program::ksops());
    for kind in kinds() {
        bench.encrypt(&sops, &kind.recipient, "theirs.json");
        bench.encrypt(&ksops, &kind.recipient, "ours.json");
        for file in ["theirs.json", "ours.json"] {
            for program in [&sops, &ksops] {
                let found = bench.decrypt(program, file, kind.variable, kind.identity);
                assert_eq!(
                    found.as_deref(),
                    Ok(PLAIN),
                    "{}, {file}, {}",
                    kind.name,
                    program.path().display()
                );
            }
        }
        let recipient = bench.entry("ours.json")["recipient"].clone();
        assert_eq!(
            (recipient.as_str(), &recipient),
            (Some(kind.recipient.as_str()), &bench.entry("theirs.json")["recipient"])
        );
    }
}

#[test]
fn every_kind_crosses_over_with_age_itself() {
    let Some(age) = oracle::age() else { return };
    let (bench, ksops) = (Bench::new(), Program::ksops());
    for kind in kinds() {
        bench.encrypt(&ksops, &kind.recipient, "f.json");
        let enc = bench.entry("f.json")["enc"].as_str().expect("a text").to_owned();
        let data_key = bench.age(&age, &["-d", "-i", &bench.key(kind.identity)], enc.into_bytes());
        assert_eq!(data_key.len(), 32, "{}", kind.name);
        // And back: the same data key in a file that age itself made.
        let enc = bench.age(&age, &["-e", "-a", "-r", &kind.recipient], data_key);
        let mut file: Value = serde_json::from_slice(&bench.sandbox.read("f.json")).expect("JSON");
        file["sops"]["age"][0]["enc"] = String::from_utf8(enc).expect("armour").into();
        bench.sandbox.write("f.json", file.to_string());
        let found = bench.decrypt(&ksops, "f.json", kind.variable, kind.identity);
        assert_eq!(found.as_deref(), Ok(PLAIN), "{}", kind.name);
    }
}

#[test]
fn kinds_stand_side_by_side() {
    let (bench, ksops) = (Bench::new(), Program::ksops());
    let kinds = kinds();
    let all: Vec<&str> = kinds.iter().take(5).map(|kind| kind.recipient.as_str()).collect();
    bench.encrypt(&ksops, &all.join(","), "f.json");
    for kind in &kinds {
        let found = bench.decrypt(&ksops, "f.json", kind.variable, kind.identity);
        assert_eq!(found.as_deref(), Ok(PLAIN), "{}", kind.name);
    }
}

#[test]
fn commands_give_keys_and_know_the_recipient() {
    let (bench, ksops) = (Bench::new(), Program::ksops());
    bench.encrypt(&ksops, &recipient("id_ed25519.pub"), "ssh.json");
    bench.encrypt(&ksops, &recipient("pq.txt"), "pq.json");
    let by = |file: &str, variable: &str, command: &str| {
        let run = ksops.call(&bench.sandbox).args(["decrypt", file]).env(variable, command).run();
        printed(run)
    };
    assert_eq!(by("ssh.json", "SOPS_AGE_SSH_PRIVATE_KEY_CMD", "cat keys/id_ed25519").as_deref(), Ok(PLAIN));
    let command = format!(
        "sh -c 'test \"$SOPS_AGE_RECIPIENT\" = {} && cat keys/pq.txt' # a comment",
        recipient("pq.txt")
    );
    assert_eq!(by("pq.json", "SOPS_AGE_KEY_CMD", &command).as_deref(), Ok(PLAIN));
    let said =
        by("pq.json", "SOPS_AGE_KEY_CMD", "sh -c 'echo marker >&2; exit 3' marker").expect_err("fails");
    assert!(said.contains("failed to execute command sh") && !said.contains("marker"), "{said}");
}

/// A question and what is typed.
type Answers<'a> = &'a [(&'a str, &'a str)];

#[test]
fn passphrases_are_asked_for_at_the_terminal_by_both() {
    let Some(sops) = oracle::sops() else { return };
    let (bench, ksops) = (Bench::new(), Program::ksops());
    let locked: Answers = &[("Enter passphrase for", "secretpw\r")];
    let pin: Answers = &[("Use the key?", "1"), ("PIN of the test plugin", "1234\r")];
    for (public, variable, key, answers) in [
        ("x25519.txt", KEY_FILE, "locked.age", locked),
        ("pq.txt", KEY_FILE, "locked.age", locked),
        ("x25519.txt", KEY_FILE, "locked.bin", locked),
        ("id_ed25519_locked.pub", SSH_FILE, "id_ed25519_locked", locked),
        ("id_rsa_locked.pub", SSH_FILE, "id_rsa_locked", locked),
        ("plugin.txt", KEY_FILE, "plugin.txt", pin),
    ] {
        for (from, to) in [(&ksops, &sops), (&sops, &ksops)] {
            bench.encrypt(from, &recipient(public), "f.json");
            let variables = [(variable, bench.key(key)), ("KSOPSTEST_ASK", "1".to_owned())];
            let variables: Vec<(&str, &str)> =
                variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let mut terminal = bench.terminal(to, &["decrypt", "--output", "out.json", "f.json"], &variables);
            for (question, answer) in answers {
                terminal.wait_for(question);
                terminal.send(answer);
            }
            let what = format!("{key} of {public}, {}", to.path().display());
            assert_eq!(terminal.status(), 0, "{what}: {}", terminal.shown());
            assert_eq!(bench.sandbox.read("out.json"), PLAIN.as_bytes(), "{what}");
            assert!(!terminal.shown().contains(PASSPHRASE) && !terminal.shown().contains("1234"), "{what}");
        }
    }
}

#[test]
fn the_answer_is_not_standard_input_and_the_question_not_standard_output() {
    let (bench, ksops) = (Bench::new(), Program::ksops());
    bench.encrypt(&ksops, &recipient("id_ed25519_locked.pub"), "f.json");
    let script = format!(
        "{} decrypt --input-type json --output-type json /dev/stdin < f.json > out.json",
        ksops.path().display()
    );
    let mut terminal = bench.terminal(
        &Program::at("/bin/sh"),
        &["-c", &script],
        &[(SSH_FILE, &bench.key("id_ed25519_locked"))],
    );
    terminal.wait_for("Enter passphrase");
    // With a correction, as people type.
    terminal.send("secretpx\u{7f}w\r");
    assert_eq!(terminal.status(), 0, "{}", terminal.shown());
    assert_eq!(bench.sandbox.read("out.json"), PLAIN.as_bytes());
}

#[test]
fn a_wrong_passphrase_and_ctrl_c_end_without_plaintext() {
    let (bench, ksops) = (Bench::new(), Program::ksops());
    bench.encrypt(&ksops, &recipient("x25519.txt"), "f.json");
    let key = bench.key("locked.age");
    let mut terminal = bench.terminal(&ksops, &["decrypt", "f.json"], &[(KEY_FILE, &key)]);
    terminal.wait_for("Enter passphrase");
    terminal.send("wrong\r");
    assert_eq!(terminal.status(), 128, "{}", terminal.shown());
    assert!(terminal.shown().contains("incorrect passphrase"), "{}", terminal.shown());

    // The shell tells how the terminal was left.
    let script = format!(
        "trap 'stty -a | tr \" \" \"\\n\" | grep -x -- -*echo; echo ended' INT; {} decrypt f.json",
        ksops.path().display()
    );
    let mut terminal = bench.terminal(&Program::at("/bin/bash"), &["-c", &script], &[(KEY_FILE, &key)]);
    terminal.wait_for("Enter passphrase");
    terminal.send("sec\u{3}");
    assert_ne!(terminal.status(), 0, "{}", terminal.shown());
    assert!(!terminal.shown().contains("hunter2") && !terminal.shown().contains("panicked"));
    assert!(!terminal.shown().contains("-echo"), "{}", terminal.shown());
}

#[test]
fn one_passphrase_serves_many_files() {
    let (bench, ksops) = (Bench::new(), Program::ksops());
    if ksops.is_upstream() {
        return;
    }
    let names = ["a.json", "b.json", "c.json", "d.json"];
    for name in names {
        bench.encrypt(&ksops, &recipient("id_rsa_locked.pub"), name);
    }
    let mut args = vec!["decrypt", "-i"];
    args.extend(names);
    let mut terminal = bench.terminal(&ksops, &args, &[(SSH_FILE, &bench.key("id_rsa_locked"))]);
    terminal.wait_for("Enter passphrase");
    terminal.send("secretpw\r");
    assert_eq!(terminal.status(), 0, "{}", terminal.shown());
    assert_eq!(terminal.shown().matches("Enter passphrase").count(), 1, "{}", terminal.shown());
    for name in names {
        assert_eq!(bench.sandbox.read(name), PLAIN.as_bytes(), "{name}");
    }
}

#[test]
fn without_a_terminal_the_error_says_so() {
    let (bench, ksops) = (Bench::new(), Program::ksops());
    bench.encrypt(&ksops, &recipient("id_rsa_locked.pub"), "f.json");
    let said = bench.decrypt(&ksops, "f.json", SSH_FILE, "id_rsa_locked").expect_err("nobody to ask");
    assert!(said.starts_with("128 ") && said.contains("/dev/tty"), "{said}");
}

#[test]
fn a_plugin_that_is_missing_or_dies_is_an_error_and_no_file_is_touched() {
    let (bench, ksops) = (Bench::new(), Program::ksops());
    let to = recipient("plugin.txt");
    let args = ["encrypt", "-i", "--age", &to, "plain.json"];
    let run = ksops.call(&bench.sandbox).args(args).run();
    assert_eq!(run.status, 1, "{}", run.report());
    assert!(run.errors().contains("age-plugin-ksopstest was not found in PATH"), "{}", run.report());
    assert_eq!(bench.sandbox.read("plain.json"), PLAIN.as_bytes());

    bench.encrypt(&ksops, &to, "f.json");
    let before = bench.sandbox.read("f.json");
    let run = ksops
        .call(&bench.sandbox)
        .args(["rotate", "-i", "f.json"])
        .env("PATH", &bench.path)
        .env("KSOPSTEST_DIE", "1")
        .env(KEY_FILE, bench.key("plugin.txt"))
        .run();
    assert_eq!(run.status, 128, "{}", run.report());
    assert!(run.errors().contains("in the middle of the"), "{}", run.report());
    assert_eq!(bench.sandbox.read("f.json"), before);
}

#[test]
fn an_agent_that_has_the_passphrase_is_asked_first() {
    let (bench, ksops) = (Bench::new(), Program::ksops());
    let is_there = |program: &str| {
        Command::new(program)
            .arg("--version")
            .stdout(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    };
    if !is_there("gpg-agent") || !is_there("gpg-connect-agent") {
        oracle::skipped("gpg-agent");
        return;
    }
    bench.encrypt(&ksops, &recipient("x25519.txt"), "f.json");
    // Sockets have short names.
    let home = tempfile::Builder::new().prefix("ksa").tempdir_in("/tmp").expect("a folder");
    fs::set_permissions(home.path(), fs::Permissions::from_mode(0o700)).expect("own folder");
    fs::create_dir(home.path().join(".gnupg")).expect("an empty folder");
    fs::set_permissions(home.path().join(".gnupg"), fs::Permissions::from_mode(0o700)).expect("own folder");
    let gnupg = home.path().join(".gnupg");
    // The name that both programs give the file, computed apart.
    let script = "import base64,hashlib,sys; d=hashlib.sha256(open(sys.argv[1],'rb').read()).digest()[:25]; \
                  print('SopsAge'+base64.b32encode(d).decode())";
    let name =
        Command::new("python3").args(["-c", script, &bench.key("locked.bin")]).output().expect("python3");
    let name = String::from_utf8(name.stdout).expect("text").trim().to_owned();
    let preset: String = PASSPHRASE.bytes().map(|byte| format!("{byte:02X}")).collect();
    fs::write(gnupg.join("gpg-agent.conf"), "allow-preset-passphrase\n").expect("written");
    let agent = |command: &str| {
        let output = Command::new("gpg-connect-agent")
            .args(["--homedir".as_ref(), gnupg.as_os_str(), command.as_ref(), "/bye".as_ref()])
            .output()
            .expect("gpg-connect-agent");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert!(agent(&format!("PRESET_PASSPHRASE {name} -1 {preset}")).starts_with("OK"));
    let socket = Command::new("gpgconf")
        .args(["--homedir".as_ref(), gnupg.as_os_str(), "--list-dirs".as_ref(), "agent-socket".as_ref()])
        .output()
        .expect("gpgconf");
    let socket = String::from_utf8_lossy(&socket.stdout).trim().to_owned();
    let run = ksops
        .call(&bench.sandbox)
        .args(["decrypt", "f.json"])
        .env(KEY_FILE, bench.key("locked.bin"))
        .env("GPG_AGENT_INFO", format!("{socket}:1:1"))
        .run();
    agent("KILLAGENT");
    assert_eq!(printed(run).as_deref(), Ok(PLAIN));
}

#[test]
fn init_takes_the_recipient_of_a_post_quantum_identity() {
    let (bench, ksops) = (Bench::new(), Program::ksops());
    if ksops.is_upstream() {
        return;
    }
    let place = bench.sandbox.home().join(".config/sops/age");
    fs::create_dir_all(&place).expect("a folder");
    fs::write(place.join("keys.txt"), fixtures::text("age/pq.txt")).expect("written");
    let run = ksops.call(&bench.sandbox).arg("init").run();
    assert_eq!(run.status, 0, "{}", run.report());
    assert!(String::from_utf8_lossy(&bench.sandbox.read(".sops.yaml")).contains(&recipient("pq.txt")));
    assert_ne!(AgeKeys::read().recipients[0], recipient("pq.txt"));
}
