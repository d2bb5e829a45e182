//! Key groups over age, PGP and Azure: two of three are enough, crosswise with real sops; and how long it takes when one hangs.

use std::ffi::OsString;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use ksops_tests::fixtures::AgeKeys;
use ksops_tests::oracle;
use ksops_tests::pgp::PgpHome;
use ksops_tests::program::{Outcome, Program};
use ksops_tests::rig::{Login, Rig};
use ksops_tests::sandbox::Sandbox;
use serde_json::Value;

const PLAIN: &str = "{\n\t\"password\": \"hunter2\"\n}\n";

/// What can be down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Age,
    Pgp,
    Azure,
}

const KINDS: [Kind; 3] = [Kind::Age, Kind::Pgp, Kind::Azure];

struct Bench {
    ksops: Program,
    sops: Program,
    rig: Rig,
    home: PgpHome,
    keys: AgeKeys,
    sandbox: Sandbox,
}

impl Bench {
    /// With a rule of three groups, of which two are needed.
    fn new() -> Option<Self> {
        let sandbox = Sandbox::new();
        let (rig, home, sops) = (Rig::start()?, PgpHome::new(&sandbox)?, oracle::sops()?);
        let keys = AgeKeys::read();
        let bench = Self { ksops: Program::ksops(), sops, rig, home, keys, sandbox };
        bench.rule("shamir_threshold: 2");
        bench.sandbox.write("plain.json", PLAIN);
        fs::create_dir(bench.sandbox.root().join("empty")).expect("new");
        let mode = fs::Permissions::from_mode(0o700);
        fs::set_permissions(bench.sandbox.root().join("empty"), mode).expect("own folder");
        Some(bench)
    }

    fn rule(&self, more: &str) {
        let (vault, name) = (self.rig.get("RIG_AZURE_VAULT_URL"), self.rig.get("RIG_AZURE_KEY_NAME"));
        let version = self.rig.get("RIG_AZURE_KEY_VERSION");
        let rule = format!(
            "creation_rules:\n  - {more}\n    key_groups:\n      - age:\n          - {}\n      - merge:\n          \
             - pgp:\n              - {}\n      - azure_keyvault:\n          - vaultUrl: {vault}\n            \
             key: {name}\n            version: {version}\n",
            self.keys.recipients[0],
            self.home.key("ECC"),
        );
        self.sandbox.write(".sops.yaml", rule);
    }

    /// What a program needs to reach all keys but those that are down.
    fn variables(&self, down: &[Kind]) -> Vec<(OsString, OsString)> {
        let is_azure_down = down.contains(&Kind::Azure);
        let mut found: Vec<(OsString, OsString)> =
            if is_azure_down { self.rig.route() } else { self.rig.login(Login::ClientSecret) };
        let mut set = |name: &str, value: &str| found.push((name.into(), value.into()));
        if !down.contains(&Kind::Age) {
            set("SOPS_AGE_KEY", &self.keys.identities[0]);
        }
        let empty = self.sandbox.root().join("empty");
        let home = if down.contains(&Kind::Pgp) { &empty.display().to_string() } else { self.home.path() };
        set("GNUPGHOME", home);
        if is_azure_down {
            // No credential: real sops would try a refused connection again for long.
            set("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential");
        }
        found
    }

    fn run(&self, program: &Program, args: &[&str], down: &[Kind]) -> Outcome {
        program.call(&self.sandbox).envs(&self.variables(down)).args(args).run()
    }

    fn encrypted_by(&self, program: &Program, file: &str) {
        let run = self.run(program, &["encrypt", "--output", file, "plain.json"], &[]);
        assert_eq!(run.status, 0, "{}", run.report());
    }

    fn metadata(&self, file: &str) -> Value {
        let file: Value = serde_json::from_slice(&self.sandbox.read(file)).expect("JSON");
        file["sops"].clone()
    }
}

#[test]
fn two_of_three_groups_are_enough_whoever_encrypted_and_whoever_decrypts() {
    let Some(bench) = Bench::new() else { return };
    bench.encrypted_by(&bench.ksops, "ours.json");
    bench.encrypted_by(&bench.sops, "theirs.json");
    let shape = |file: &str| -> Vec<Vec<String>> {
        let metadata = bench.metadata(file);
        assert_eq!(metadata["shamir_threshold"], 2);
        let groups = metadata["key_groups"].as_array().expect("groups");
        groups.iter().map(|group| group.as_object().expect("a group").keys().cloned().collect()).collect()
    };
    assert_eq!(shape("ours.json"), shape("theirs.json"));
    for file in ["ours.json", "theirs.json"] {
        for program in [&bench.ksops, &bench.sops] {
            let who = program.path().display();
            let all = bench.run(program, &["decrypt", file], &[]);
            assert_eq!(all.stdout, PLAIN.as_bytes(), "{file}, {who}: {}", all.report());
            for down in KINDS {
                let run = bench.run(program, &["decrypt", file], &[down]);
                assert_eq!(run.stdout, PLAIN.as_bytes(), "{file}, {who}, {down:?} is down: {}", run.report());
            }
        }
    }
}

/// The lines of a report that have a meaning for scripts.
fn skeleton(run: &Outcome) -> Vec<String> {
    let text = run.errors();
    let lines = text.lines().filter(|line| line.starts_with("Group ") || line.ends_with(": FAILED"));
    lines.map(str::to_owned).collect()
}

#[test]
fn one_of_three_is_too_few_and_the_report_is_that_of_upstream() {
    let Some(bench) = Bench::new() else { return };
    bench.encrypted_by(&bench.ksops, "f.json");
    let before = bench.sandbox.read("f.json");
    for up in KINDS {
        let down: Vec<Kind> = KINDS.into_iter().filter(|kind| *kind != up).collect();
        let ours = bench.run(&bench.ksops, &["rotate", "-i", "f.json"], &down);
        let theirs = bench.run(&bench.sops, &["rotate", "-i", "f.json"], &down);
        assert_eq!((ours.status, theirs.status), (128, 128), "{} {}", ours.report(), theirs.report());
        assert_eq!(skeleton(&ours), skeleton(&theirs), "{up:?}");
        assert!(ours.errors().contains("Shamir threshold of 2"), "{}", ours.errors());
    }
    assert_eq!(bench.sandbox.read("f.json"), before);
}

#[test]
fn thresholds_of_rules_and_flags_are_those_of_upstream() {
    let Some(bench) = Bench::new() else { return };
    for (more, flag) in [
        ("shamir_threshold: 3", None),
        ("path_regex: .*", None),
        ("shamir_threshold: 3", Some("2")),
        ("shamir_threshold: 1", None),
        ("shamir_threshold: 4", None),
        ("path_regex: .*", Some("1")),
    ] {
        bench.rule(more);
        let mut args = vec!["encrypt", "plain.json"];
        if let Some(flag) = flag {
            args.splice(1..1, ["--shamir-secret-sharing-threshold", flag]);
        }
        let ours = bench.run(&bench.ksops, &args, &[]);
        let theirs = bench.run(&bench.sops, &args, &[]);
        let threshold = |run: &Outcome| {
            let file: Option<Value> = serde_json::from_slice(&run.stdout).ok();
            (run.status, file.map(|file| file["sops"]["shamir_threshold"].clone()))
        };
        let what = format!("{more}, {flag:?}: {} {}", ours.report(), theirs.report());
        assert_eq!(threshold(&ours), threshold(&theirs), "{what}");
    }
}

#[test]
fn the_decryption_order_decides_who_is_asked_first() {
    let Some(bench) = Bench::new() else { return };
    let gpg = bench.sandbox.write("mygpg", "#!/bin/sh\necho asked >> calls\nexec gpg \"$@\"\n");
    fs::set_permissions(&gpg, fs::Permissions::from_mode(0o755)).expect("own file");
    let (age, pgp) = (bench.keys.recipients[0].as_str(), bench.home.key("ECC"));
    let args = ["encrypt", "--output", "f.json", "--age", age, "--pgp", pgp, "plain.json"];
    assert_eq!(bench.run(&bench.ksops, &args, &[]).status, 0);
    let asked = |order: &[&str]| {
        let _ = fs::remove_file(bench.sandbox.path("calls"));
        let call = bench.ksops.call(&bench.sandbox).envs(&bench.variables(&[])).env("SOPS_GPG_EXEC", &gpg);
        let run = call.arg("decrypt").args(order).arg("f.json").run();
        assert_eq!(run.stdout, PLAIN.as_bytes(), "{}", run.report());
        bench.sandbox.path("calls").exists()
    };
    assert!(!asked(&[]));
    assert!(!asked(&["--decryption-order", "age,pgp"]));
    assert!(asked(&["--decryption-order", "pgp,age"]));
    let run = bench.run(&bench.ksops, &["decrypt", "--decryption-order", "pgp,pgp", "f.json"], &[]);
    assert_eq!(run.status, 112, "{}", run.report());
}

#[test]
fn a_vault_that_hangs_holds_nobody_up_who_has_enough_shares() {
    let Some(bench) = Bench::new() else { return };
    bench.encrypted_by(&bench.ksops, "f.json");
    // Connections are taken and never answered.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let proxy = format!("http://{}", silent.local_addr().expect("bound"));
    let call = bench.ksops.call(&bench.sandbox).envs(&bench.variables(&[])).env("HTTPS_PROXY", proxy);
    let run = call.args(["decrypt", "f.json"]).run();
    assert_eq!(run.stdout, PLAIN.as_bytes(), "{}", run.report());
    assert!(run.took < Duration::from_secs(10), "{:?}", run.took);
    let call =
        bench.ksops.call(&bench.sandbox).envs(&bench.variables(&[])).env("HTTPS_PROXY", "http://127.0.0.1:1");
    let refused = call.args(["decrypt", "f.json"]).run();
    assert_eq!(refused.stdout, PLAIN.as_bytes(), "{}", refused.report());
}

#[test]
fn an_interrupt_stops_at_once_and_leaves_the_file() {
    let Some(bench) = Bench::new() else { return };
    let args = ["encrypt", "-i", "--pgp", bench.home.key("ECC"), "--shamir-secret-sharing-threshold", "0"];
    let run = bench.run(&bench.ksops, &[&args[..], &["plain.json"]].concat(), &[]);
    assert_eq!(run.status, 0, "{}", run.report());
    let before = bench.sandbox.read("plain.json");
    let gpg = bench.sandbox.write("mygpg", "#!/bin/sh\ntouch started\nexec sleep 60\n");
    fs::set_permissions(&gpg, fs::Permissions::from_mode(0o755)).expect("own file");
    let mut child = Command::new("/usr/bin/env")
        .arg("--default-signal")
        .arg(bench.ksops.path())
        .args(["rotate", "-i", "plain.json"])
        .current_dir(bench.sandbox.work())
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", bench.sandbox.home())
        .env("SOPS_GPG_EXEC", &gpg)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let start = Instant::now();
    while !bench.sandbox.path("started").exists() {
        assert!(start.elapsed() < Duration::from_secs(30), "gpg was not asked");
        thread::sleep(Duration::from_millis(10));
    }
    let start = Instant::now();
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(killed.is_ok_and(|status| status.success()));
    let status = child.wait().expect("a child");
    assert!(!status.success() && start.elapsed() < Duration::from_secs(2), "{status} {:?}", start.elapsed());
    assert_eq!(bench.sandbox.read("plain.json"), before);
}

#[test]
fn a_kind_that_nobody_knows_stays_in_the_file_and_real_sops_still_reads_it() {
    let Some(bench) = Bench::new() else { return };
    let args = ["encrypt", "--output", "f.json", "--age", &bench.keys.recipients[0], "plain.json"];
    assert_eq!(bench.run(&bench.sops, &args, &[]).status, 0);
    let mut file: Value = serde_json::from_slice(&bench.sandbox.read("f.json")).expect("JSON");
    let unknown = serde_json::json!([{"enc": "abc", "ocid": "ocid1.key"}]);
    file["sops"]["oci_kms"] = unknown.clone();
    bench.sandbox.write("f.json", file.to_string());
    let set = bench.run(&bench.ksops, &["set", "f.json", "[\"user\"]", "\"me\""], &[]);
    assert_eq!(set.status, 0, "{}", set.report());
    assert_eq!(bench.metadata("f.json")["oci_kms"], unknown);
    let read = bench.run(&bench.sops, &["decrypt", "f.json"], &[]);
    assert!(String::from_utf8_lossy(&read.stdout).contains("\"user\": \"me\""), "{}", read.report());
    let before = bench.sandbox.read("f.json");
    let rotated = bench.run(&bench.ksops, &["rotate", "-i", "--accept-recipients", "f.json"], &[]);
    assert!(rotated.status != 0 && rotated.errors().contains("oci_kms"), "{}", rotated.report());
    assert_eq!(bench.sandbox.read("f.json"), before);
    let without = bench.run(&bench.ksops, &["decrypt", "f.json"], &[Kind::Age]);
    assert!(
        without.status == 128 && without.errors().contains("does not know: oci_kms"),
        "{}",
        without.report()
    );
}
