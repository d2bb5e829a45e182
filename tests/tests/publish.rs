//! `publish`: what arrives is what sops would have sent, to Vault's key-value engines of a real OpenBao server.

use std::fs;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use ksops_tests::exports::Exports;
use ksops_tests::fixtures::AgeKeys;
use ksops_tests::oracle;
use ksops_tests::program::{Outcome, Program};
use ksops_tests::sandbox::Sandbox;
use ksops_tests::stub::{Reply, Stub};
use serde_json::{Value, json};

const YAML: &str = "# c\na: text\nn: 5\nf: 2.5\nt: true\nnothing: null\nm:\n    x: y\n    z: [1, two]\n---\nlast: d\na: again\n";

struct Bench {
    sandbox: Sandbox,
    ksops: Program,
    vault: Exports,
    keys: AgeKeys,
}

impl Bench {
    /// A folder with `f.yaml` and `d/g.json`, encrypted.
    fn new() -> Option<Self> {
        let vault = Exports::of("vault")?;
        let (sandbox, keys) = (Sandbox::new(), AgeKeys::read());
        sandbox.write("keys.txt", keys.identity_file());
        let ksops = Program::at(Program::ksops().path().canonicalize().expect("found before"));
        let bench = Self { sandbox, ksops, vault, keys };
        bench.sandbox.write("f.yaml", YAML);
        bench.sandbox.write("d/g.json", "{\"k\": \"v\"}");
        for file in ["f.yaml", "d/g.json"] {
            let made =
                bench.run(&bench.ksops, &["encrypt", "-i", "--age", &bench.keys.recipients[0], file], "");
            assert_eq!(made.status, 0, "{}", made.report());
        }
        Some(bench)
    }

    fn rules(&self, rules: &str) {
        self.sandbox.write(".sops.yaml", format!("destination_rules:\n{rules}"));
    }

    fn run(&self, program: &Program, args: &[&str], stdin: &str) -> Outcome {
        let call = program.call(&self.sandbox).env("SOPS_AGE_KEY_FILE", self.sandbox.path("keys.txt"));
        let call = call.env("VAULT_ADDR", self.vault.get("VAULT_ADDR"));
        call.env("VAULT_TOKEN", self.vault.get("VAULT_TOKEN")).args(args).stdin(stdin).run()
    }

    /// One request to the server, with curl.
    fn vault(&self, method: &str, path: &str, body: &str) -> Value {
        let url = format!("{}/v1/{path}", self.vault.get("VAULT_ADDR"));
        let token = format!("X-Vault-Token: {}", self.vault.get("VAULT_TOKEN"));
        let output = Command::new("curl")
            .args(["-sS", "--noproxy", "*", "-X", method, "-H", &token, "-d", body, &url])
            .output()
            .expect("curl starts");
        serde_json::from_slice(&output.stdout).unwrap_or_default()
    }
}

#[test]
fn vault_gets_the_values_as_sops_sends_them() {
    let (Some(sops), Some(bench)) = (oracle::sops(), Bench::new()) else { return };
    bench.vault("POST", "sys/mounts/kv1", r#"{"type":"kv","options":{"version":"1"}}"#);
    let one = "  - path_regex: f\\.yaml$\n    vault_path: team\n    vault_kv_version: 1\n    vault_kv_mount_name: kv1\n";
    let two = "  - vault_path: team/app/\n    omit_extensions: true\n";
    for (rules, read, place) in
        [(one, "kv1/team/f.yaml", "/data"), (two, "secret/data/team/app/f", "/data/data")]
    {
        bench.rules(rules);
        let mut found = Vec::new();
        for program in [&sops, &bench.ksops] {
            let published = bench.run(program, &["publish", "-y", "f.yaml"], "");
            assert_eq!(published.status, 0, "{read}: {}", published.report());
            found.push(bench.vault("GET", read, "").pointer(place).cloned());
        }
        let expected = json!({
            "a": "again", "n": 5, "f": 2.5, "t": true, "nothing": null, "m": {"x": "y", "z": [1, "two"]}, "last": "d"
        });
        assert_eq!(found, [Some(expected.clone()), Some(expected)], "{read}");
    }
    // What is there already is not written again.
    let version = |bench: &Bench| {
        bench.vault("GET", "secret/data/team/app/f", "")["data"]["metadata"]["version"].clone()
    };
    let before = version(&bench);
    let again = bench.run(&bench.ksops, &["publish", "-y", "f.yaml"], "");
    assert!(again.status == 0 && again.errors().contains("up to date"), "{}", again.report());
    assert_eq!(version(&bench), before);
}

/// One signed request to the double of S3, with curl.
fn s3(aws: &Exports, method: &str, path: &str) -> String {
    let url = format!("{}/{path}", aws.get("AWS_ENDPOINT_URL"));
    let output = Command::new("curl")
        .args([
            "-sS",
            "--noproxy",
            "*",
            "--aws-sigv4",
            "aws:amz:us-east-1:s3",
            "--user",
            "rig:rig",
            "-X",
            method,
            &url,
        ])
        .output()
        .expect("curl starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn s3_gets_the_file_or_a_copy_for_other_keys() {
    let (Some(sops), Some(bench), Some(aws)) = (oracle::sops(), Bench::new(), Exports::of("aws-kms")) else {
        return;
    };
    s3(&aws, "PUT", "ksops-publish");
    let file = "ksops-publish/team/f.yaml";
    let run = |program: &Program, args: &[&str]| {
        let call = program.call(&bench.sandbox).env("SOPS_AGE_KEY_FILE", bench.sandbox.path("keys.txt"));
        let call = aws.all().iter().fold(call, |call, (name, value)| call.env(name, value));
        call.env("AWS_REGION", "us-east-1").args(args).run()
    };
    let place = "  - s3_bucket: ksops-publish\n    s3_prefix: team/\n";
    bench.rules(place);
    for program in [&sops, &bench.ksops] {
        let published = run(program, &["publish", "-y", "f.yaml"]);
        assert_eq!(published.status, 0, "{}", published.report());
        assert_eq!(s3(&aws, "GET", file).as_bytes(), bench.sandbox.read("f.yaml"));
        s3(&aws, "DELETE", file);
    }
    let other = &bench.keys.recipients[1];
    bench
        .rules(&format!("{place}    recreation_rule:\n      age: {other}\n      encrypted_regex: ^(a|m)$\n"));
    let shown: Vec<Vec<u8>> = [&sops, &bench.ksops]
        .map(|program| {
            let published = run(program, &["publish", "-y", "f.yaml"]);
            assert_eq!(published.status, 0, "{}", published.report());
            published.stdout
        })
        .to_vec();
    assert_eq!(String::from_utf8_lossy(&shown[1]), String::from_utf8_lossy(&shown[0]));
    let copy = s3(&aws, "GET", file);
    assert!(
        copy.contains("encrypted_regex: ^(a|m)$") && copy.contains("\nn: 5\n"),
        "the rule's selection: {copy}"
    );
    assert!(copy.contains(other.as_str()) && !copy.contains(&bench.keys.recipients[0]), "{copy}");
    bench.sandbox.write("copy.yaml", &copy);
    let read = run(&sops, &["decrypt", "copy.yaml"]);
    let original = run(&sops, &["decrypt", "f.yaml"]);
    assert_eq!(read.output(), original.output());
    bench.rules("  - s3_bucket: nobodys-bucket\n");
    let refused = run(&bench.ksops, &["publish", "-y", "f.yaml"]);
    assert!(
        refused.status == 1 && refused.errors().contains("check the name of the bucket"),
        "{}",
        refused.report()
    );
}

#[test]
fn gcs_gets_the_file() {
    let (Some(sops), Some(bench)) = (oracle::sops(), Bench::new()) else { return };
    bench.rules("  - gcs_bucket: my-bucket\n    gcs_prefix: team/\n    omit_extensions: true\n");
    let file = String::from_utf8(bench.sandbox.read("f.yaml")).expect("text");
    for program in [&sops, &bench.ksops] {
        let double = Stub::new(|_| {
            let object = "{\"name\": \"team/f\", \"bucket\": \"my-bucket\"}";
            Reply::http(200, "Content-Type: application/json\r\n", object)
        });
        let call = program.call(&bench.sandbox).env("SOPS_AGE_KEY_FILE", bench.sandbox.path("keys.txt"));
        let call = call.env("STORAGE_EMULATOR_HOST", &double.address).args(["publish", "-y", "f.yaml"]);
        let published = call.run();
        assert_eq!(published.status, 0, "{}", published.report());
        // Real sops leaves the name to a part of the body, and may end before the answer.
        let start = Instant::now();
        while double.seen().is_empty() && start.elapsed() < Duration::from_secs(5) {
            thread::sleep(Duration::from_millis(10));
        }
        let seen = double.seen().concat();
        assert!(seen.starts_with("POST /upload/storage/v1/b/my-bucket/o?"), "{seen}");
        assert!(seen.contains("team%2Ff") || seen.contains("\"name\":\"team/f\""), "{seen}");
        assert!(seen.contains(&file), "{seen}");
    }
    let refusing =
        Stub::new(|_| Reply::http(403, "", "{\"error\": {\"code\": 403, \"message\": \"said so\"}}"));
    let call = bench.ksops.call(&bench.sandbox).env("STORAGE_EMULATOR_HOST", &refusing.address);
    let refused = call.args(["publish", "-y", "f.yaml"]).run();
    assert!(
        refused.status == 1 && refused.errors().contains("storage.objects.create"),
        "{}",
        refused.report()
    );
}

#[test]
fn a_folder_is_published_under_relative_names_and_each_is_asked_for() {
    let (Some(sops), Some(bench)) = (oracle::sops(), Bench::new()) else { return };
    bench.rules("  - vault_path: folder\n");
    fs::create_dir_all(bench.sandbox.path("top")).expect("own folder");
    for (from, to) in [("f.yaml", "top/f.yaml"), ("d", "top/d")] {
        fs::rename(bench.sandbox.path(from), bench.sandbox.path(to)).expect("own files");
    }
    let args = ["publish", "--recursive", "top"];
    for answers in ["n\ny\n", "x\nn\nn\n", "y\n", ""] {
        let (ours, theirs) = (bench.run(&bench.ksops, &args, answers), bench.run(&sops, &args, answers));
        assert_eq!(ours.status, theirs.status, "{answers:?}: {}\n{}", ours.report(), theirs.report());
        let text = |outcome: &Outcome| String::from_utf8_lossy(&outcome.stdout).into_owned();
        assert_eq!(text(&ours), text(&theirs), "{answers:?}");
    }
    for place in ["folder/d/g.json", "folder/f.yaml"] {
        bench.vault("DELETE", &format!("secret/metadata/{place}"), "");
    }
    assert_eq!(bench.run(&bench.ksops, &["publish", "-y", "--recursive", "top"], "").status, 0);
    let read = bench.vault("GET", "secret/data/folder/d/g.json", "");
    assert_eq!(read["data"]["data"], json!({"k": "v"}));
    assert_eq!(bench.vault("GET", "secret/data/folder/f.yaml", "")["data"]["data"]["n"], 5);
}

#[test]
fn what_cannot_be_published_is_refused_as_by_sops() {
    let (Some(sops), Some(bench)) = (oracle::sops(), Bench::new()) else { return };
    bench.sandbox.write("plain.yaml", "a: hush\n");
    let refused = |rules: &str, args: &[&str], words: &str| {
        bench.rules(rules);
        for program in [&sops, &bench.ksops] {
            let found = bench.run(program, args, "");
            assert_eq!(found.status, 1, "{rules}{args:?}: {}", found.report());
            assert!(found.errors().contains(words), "{rules}{args:?}: {}", found.report());
        }
    };
    let vault = "  - vault_path: x\n";
    refused(
        "  - path_regex: other\n    vault_path: x\n",
        &["publish", "-y", "f.yaml"],
        "no matching destination found",
    );
    refused("  - path_regex: f\n", &["publish", "-y", "f.yaml"], "no destination configured for this file");
    refused(
        "  - vault_path: x\n    s3_bucket: b\n",
        &["publish", "-y", "f.yaml"],
        "more than one destinations",
    );
    refused(vault, &["publish", "-y", "plain.yaml"], "sops metadata not found");
    refused(vault, &["publish", "-y", "nothing.yaml"], "nothing.yaml");
    refused(vault, &["publish", "-y", "d"], "without --recursive");
    refused(
        "  - vault_path: x\n    vault_address: http://127.0.0.1:1\n",
        &["publish", "-y", "f.yaml"],
        "127.0.0.1:1",
    );
    let offline = bench.run(&bench.ksops, &["publish", "--offline", "-y", "f.yaml"], "");
    assert!(offline.status == 1 && offline.errors().contains("--offline"), "{}", offline.report());
    assert!(bench.vault("GET", "secret/data/x/plain.yaml", "")["data"].is_null());
}
