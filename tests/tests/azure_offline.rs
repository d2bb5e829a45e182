//! Encrypting for Azure Key Vault without the vault (key-services.md section 2.9): no request, and nobody can tell the
//! result from one that the vault made.

use std::fs;
use std::process::Command;

use ksops_tests::fixtures::AgeKeys;
use ksops_tests::oracle;
use ksops_tests::program::{Outcome, Program};
use ksops_tests::rig::{Login, Rig};
use ksops_tests::sandbox::Sandbox;
use serde_json::Value;

const YAML: &str = "a: 1\nb: text\n";

struct Bench {
    sandbox: Sandbox,
    ksops: Program,
    rig: Rig,
    url: String,
}

impl Bench {
    /// A folder with a rule for the rig's key.
    fn new() -> Option<Self> {
        let rig = Rig::start()?;
        let sandbox = Sandbox::new();
        let url = rig.get("RIG_AZURE_KEY_URL").to_owned();
        let ksops = Program::at(Program::ksops().path().canonicalize().expect("found before"));
        let bench = Self { sandbox, ksops, rig, url };
        bench.rule("");
        bench.sandbox.write("f.yaml", YAML);
        Some(bench)
    }

    fn rule(&self, more: &str) {
        let url = &self.url;
        self.sandbox.write(".sops.yaml", format!("creation_rules:\n  - azure_keyvault: {url}\n{more}"));
    }

    /// With a login.
    fn online(&self, program: &Program, args: &[&str]) -> Outcome {
        program.call(&self.sandbox).envs(&self.rig.login(Login::ClientSecret)).args(args).run()
    }

    /// With neither login nor a way to the vault.
    fn alone(&self, args: &[&str]) -> Outcome {
        let call = self.ksops.call(&self.sandbox).env("HTTPS_PROXY", "http://127.0.0.1:1");
        call.env("AZURE_TOKEN_CREDENTIALS", "prod").args(args).run()
    }

    fn fetch(&self, args: &[&str]) {
        let fetched = self.online(&self.ksops, &[&["azure", "fetch-key"], args].concat());
        assert_eq!(fetched.status, 0, "{}", fetched.report());
        assert!(fetched.errors().contains("SHA256:"), "{}", fetched.report());
        self.rig.reset();
    }
}

fn yaml(bytes: &[u8]) -> Value {
    serde_yaml_ng::from_slice(bytes).expect("YAML")
}

#[test]
fn what_was_encrypted_alone_is_what_the_vault_would_have_made() {
    let (Some(sops), Some(bench)) = (oracle::sops(), Bench::new()) else { return };
    let online = bench.online(&bench.ksops, &["encrypt", "f.yaml"]).output().expect("encrypted");
    bench.fetch(&[&bench.url]);
    let made = bench.alone(&["encrypt", "--offline", "f.yaml"]);
    assert_eq!(made.status, 0, "{}", made.report());
    assert!(
        made.errors().contains("without the vault") && made.errors().contains("SHA256:"),
        "{}",
        made.report()
    );
    assert_eq!(bench.alone(&["encrypt", "--offline", "f.yaml"]).errors(), "", "told once");
    assert_eq!(bench.rig.log(), Vec::<Value>::new());
    bench.sandbox.write("enc.yaml", &made.stdout);
    for program in [&sops, &bench.ksops] {
        let read = bench.online(program, &["decrypt", "enc.yaml"]);
        assert_eq!(read.output().as_deref(), Ok(YAML.as_bytes()));
    }
    let key = |bytes: &[u8]| yaml(bytes)["sops"]["azure_kv"][0].clone();
    let (mut ours, mut theirs) = (key(&made.stdout), key(&online));
    let length = |key: &Value| key["enc"].as_str().map(str::len);
    assert_eq!(length(&ours), length(&theirs));
    for key in [&mut ours, &mut theirs] {
        key["enc"] = Value::Null;
        key["created_at"] = Value::Null;
    }
    assert_eq!(ours, theirs);
}

#[test]
fn every_way_to_name_a_public_key_works_and_sops_passes_over_it() {
    let (Some(sops), Some(bench)) = (oracle::sops(), Bench::new()) else { return };
    let name = bench.url.rsplit_once('/').expect("a version").0.to_owned();
    fs::create_dir(bench.sandbox.path("keys")).expect("own folder");
    // The newest version, into a file that can be committed.
    bench.fetch(&["--output", "keys/newest.jwk", &name]);
    let jwk: Value = serde_json::from_slice(&bench.sandbox.read("keys/newest.jwk")).expect("JSON");
    assert_eq!(jwk["key"]["kid"], bench.url.as_str());
    let folder = bench.rig.get("RIG_AZURE_DIR").to_owned();
    let version = bench.url.rsplit('/').next().expect("a version");
    let private = format!("{folder}/keys/{}/{version}.pem", bench.rig.get("RIG_AZURE_KEY_NAME"));
    let pem = Command::new("openssl").args(["rsa", "-pubout", "-in", &private]).output().expect("openssl");
    bench.sandbox.write("key.pem", &pem.stdout);
    let (url, by_flag) = (&bench.url, format!("{}=key.pem", bench.url));
    for (config, flags) in [
        ("azure_keyvault_public_keys:\n  - keys/newest.jwk\n".to_owned(), &[][..]),
        ("azure_keyvault_public_keys: [keys]\n".to_owned(), &[]),
        (format!("azure_keyvault_public_keys:\n  - key: {url}\n    file: key.pem\n"), &[]),
        (String::new(), &["--azure-public-key", "keys/newest.jwk"]),
        (String::new(), &["--azure-public-key", &by_flag]),
    ] {
        bench.rule(&config);
        let made = bench.alone(&[&["encrypt", "--offline"], flags, &["f.yaml"]].concat());
        assert_eq!(made.status, 0, "{config}{flags:?}: {}", made.report());
        bench.sandbox.write("enc.yaml", &made.stdout);
        let read = bench.online(&sops, &["decrypt", "enc.yaml"]);
        assert_eq!(read.output().as_deref(), Ok(YAML.as_bytes()), "{config}{flags:?}");
        let theirs = bench.online(&sops, &["encrypt", "f.yaml"]);
        assert_eq!(theirs.status, 0, "{config}: {}", theirs.report());
    }
}

#[test]
fn two_hundred_files_need_no_request() {
    let Some(bench) = Bench::new() else { return };
    bench.fetch(&[&bench.url]);
    fs::create_dir(bench.sandbox.path("d")).expect("own folder");
    for number in 0..200 {
        bench.sandbox.write(&format!("d/{number}.yaml"), YAML);
    }
    let made = bench.alone(&["encrypt", "-i", "-r", "--offline", "d"]);
    assert_eq!(made.status, 0, "{}", made.report());
    assert_eq!(made.errors().matches("without the vault").count(), 1, "{}", made.report());
    assert_eq!(bench.rig.log(), Vec::<Value>::new());
    // And decrypting them one token.
    let read = bench.online(&bench.ksops, &["decrypt", "-i", "-r", "d"]);
    assert_eq!(read.status, 0, "{}", read.report());
    let is_token = |entry: &&Value| entry["target"].as_str().is_some_and(|target| target.ends_with("/token"));
    assert_eq!(bench.rig.log().iter().filter(is_token).count(), 1);
    assert_eq!(bench.sandbox.read("d/199.yaml"), YAML.as_bytes());
}

#[test]
fn changes_need_the_vault_only_for_decrypting() {
    let Some(bench) = Bench::new() else { return };
    bench.fetch(&[&bench.url]);
    let age = AgeKeys::read();
    bench.sandbox.write("keys.txt", &age.identities[0]);
    let run = |args: &[&str]| {
        let call = bench.ksops.call(&bench.sandbox).env("SOPS_AGE_KEY_FILE", bench.sandbox.path("keys.txt"));
        let found = call.env("EDITOR", "sed -i s/text/edited/").args(args).run();
        assert_eq!(found.status, 0, "{args:?}: {}", found.report());
    };
    run(&["encrypt", "-i", "--age", &age.recipients[0], "f.yaml"]);
    // The rule names both: the vault's key is added without the vault.
    bench.sandbox.write(
        ".sops.yaml",
        format!("creation_rules:\n  - azure_keyvault: {}\n    age: {}\n", bench.url, age.recipients[0]),
    );
    run(&["updatekeys", "--offline", "-y", "f.yaml"]);
    run(&["rotate", "--offline", "-i", "f.yaml"]);
    run(&["set", "--offline", "f.yaml", "[\"a\"]", "2"]);
    run(&["edit", "--offline", "f.yaml"]);
    assert_eq!(bench.rig.log(), Vec::<Value>::new());
    let read = bench.online(&bench.ksops, &["decrypt", "f.yaml"]);
    assert_eq!(read.output().as_deref(), Ok("a: 2\nb: edited\n".as_bytes()));
}

#[test]
fn offline_is_an_error_where_somebody_must_be_asked() {
    let Some(bench) = Bench::new() else { return };
    let refused = |args: &[&str], status: i32, expected: &str| {
        let before = bench.sandbox.read("f.yaml");
        bench.rig.reset();
        let found = bench.online(&bench.ksops, args);
        assert_eq!(found.status, status, "{args:?}: {}", found.report());
        assert!(found.errors().contains(expected), "{args:?}: {}", found.report());
        assert_eq!(bench.sandbox.read("f.yaml"), before, "{args:?}");
        assert_eq!(bench.rig.log(), Vec::<Value>::new(), "{args:?}");
    };
    refused(&["encrypt", "-i", "--offline", "f.yaml"], 1, "ksops azure fetch-key");
    let name = bench.url.rsplit_once('/').expect("a version").0.to_owned();
    refused(
        &["encrypt", "-i", "--offline", "--azure-kv", &name, "f.yaml"],
        1,
        "may not be asked (--offline)",
    );
    assert_eq!(bench.online(&bench.ksops, &["encrypt", "-i", "f.yaml"]).status, 0);
    refused(&["decrypt", "-i", "--offline", "f.yaml"], 128, "leave out --offline");
    refused(&["decrypt", "--offline", "--keyservice", "tcp://203.0.113.1:1", "f.yaml"], 1, "cannot be asked");
    refused(
        &["rotate", "-i", "--offline", "--add-kms", "arn:aws:kms:eu-1:1:key/k", "f.yaml"],
        128,
        "--offline",
    );
}

#[test]
fn a_public_key_that_is_not_the_vaults_is_refused() {
    let Some(bench) = Bench::new() else { return };
    bench.fetch(&["--output", "key.jwk", &bench.url]);
    let encrypt = || bench.alone(&["encrypt", "--azure-public-key", "key.jwk", "f.yaml"]);
    assert_eq!(encrypt().status, 0);
    let good = String::from_utf8(bench.sandbox.read("key.jwk")).expect("text");
    let json: Value = serde_json::from_str(&good).expect("JSON");
    let change = |path: &str, value: Value| {
        let mut changed = json.clone();
        *changed.pointer_mut(path).expect("there") = value;
        bench.sandbox.write("key.jwk", changed.to_string());
    };
    let modulus = json["key"]["n"].as_str().expect("text");
    let planted = format!("z{}", &modulus[1..]);
    for (path, value, expected) in [
        ("/key/n", planted.as_str().into(), "used before"),
        ("/key/kty", "EC".into(), "not RSA"),
        ("/key/key_ops", vec!["sign"].into(), "do not allow"),
        ("/attributes/enabled", false.into(), "disabled"),
        ("/key/kid", "nonsense".into(), "kid"),
    ] {
        change(path, value);
        let found = encrypt();
        assert_eq!((found.status, found.stdout.len()), (1, 0), "{path}: {}", found.report());
        assert!(found.errors().contains(expected), "{path}: {}", found.report());
    }
    // Of another version: not the one that is asked for, so the vault would be.
    change("/key/kid", format!("{}0", bench.url).into());
    let found = bench.alone(&["encrypt", "--offline", "--azure-public-key", "key.jwk", "f.yaml"]);
    assert!(found.errors().contains("may not be asked"), "{}", found.report());
}
