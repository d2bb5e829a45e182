//! Azure Key Vault through the rig: every login, both directions, and what a fault leaves behind.
//!
//! Needs `../shared/rigs/azure`; `tests/src/rig.rs` says where else it may be.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use ksops_tests::failures;
use ksops_tests::fixtures;
use ksops_tests::oracle;
use ksops_tests::parallel;
use ksops_tests::program::{Outcome, Program};
use ksops_tests::rig::{Login, Rig};
use ksops_tests::sandbox::Sandbox;
use serde_json::{Value, json};

const RULE: [&str; 2] = ["--encrypted-regex", "^(data|stringData)$"];

/// Both programs print alike.
const LAYOUT: (&str, &str) = ("KSOPS_LAYOUT", "upstream");

/// The quickstart Secret, encrypted by `program`.
fn encrypt(program: &Program, rig: &Rig, login: Login, key: &str) -> Result<Vec<u8>, String> {
    let sandbox = Sandbox::new();
    sandbox.write("secret.yaml", fixtures::bytes("quickstart/secret.yaml"));
    let call = program.call(&sandbox).envs(&rig.login(login)).env(LAYOUT.0, LAYOUT.1);
    call.args(["encrypt"]).args(RULE).args(["--azure-kv", key, "secret.yaml"]).run().output()
}

fn decrypt(program: &Program, rig: &Rig, login: Login, bytes: &[u8]) -> Result<Vec<u8>, String> {
    let sandbox = Sandbox::new();
    sandbox.write("enc.yaml", bytes);
    let call = program.call(&sandbox).envs(&rig.login(login)).env(LAYOUT.0, LAYOUT.1);
    call.args(["decrypt", "enc.yaml"]).run().output()
}

/// The Secret as upstream prints it after a way there and back.
fn plain() -> Vec<u8> {
    fixtures::text("quickstart/secret.yaml")
        .trim_start_matches("---\n")
        .replace("\n  ", "\n    ")
        .into_bytes()
}

#[test]
fn each_program_reads_the_other_by_every_login() {
    let (Some(rig), Some(sops)) = (Rig::start(), oracle::sops()) else { return };
    let ksops = Program::ksops();
    let key = rig.get("RIG_AZURE_KEY_URL");
    let mut cases = Vec::new();
    for login in Login::ALL {
        cases.push((login, "ksops to sops", &ksops, &sops));
        cases.push((login, "sops to ksops", &sops, &ksops));
        cases.push((login, "ksops to ksops", &ksops, &ksops));
    }
    let failed = parallel::failures(&cases, |(login, what, from, to)| {
        let encrypted =
            encrypt(from, &rig, *login, key).map_err(|said| format!("{what}, {login:?}: encrypt: {said}"))?;
        let found = decrypt(to, &rig, *login, &encrypted)
            .map_err(|said| format!("{what}, {login:?}: decrypt: {said}"))?;
        if found == plain() {
            Ok(())
        } else {
            Err(format!("{what}, {login:?}: {}", failures::excerpt(&found)))
        }
    });
    failures::none("ways", cases.len(), &failed);
}

#[test]
fn a_key_without_version_is_written_with_its_newest() {
    let Some(rig) = Rig::start() else { return };
    let key = format!("{}/keys/{}", rig.get("RIG_AZURE_VAULT_URL"), rig.get("RIG_AZURE_KEY_NAME"));
    let encrypted = encrypt(&Program::ksops(), &rig, Login::ManagedIdentity, &key).expect("the rig encrypts");
    let version = format!("version: {}", rig.get("RIG_AZURE_KEY_VERSION"));
    assert!(String::from_utf8_lossy(&encrypted).contains(&version), "{}", failures::excerpt(&encrypted));
}

#[test]
fn a_sovereign_cloud_needs_no_switch() {
    let Some(rig) = Rig::start() else { return };
    let (name, version) = (rig.get("RIG_AZURE_KEY_NAME"), rig.get("RIG_AZURE_KEY_VERSION"));
    for host in ["ksops-rig.vault.azure.cn", "ksops-rig.vault.usgovcloudapi.net"] {
        let key = format!("https://{host}/keys/{name}/{version}");
        let encrypted =
            encrypt(&Program::ksops(), &rig, Login::ManagedIdentity, &key).expect("the rig encrypts");
        assert_eq!(
            decrypt(&Program::ksops(), &rig, Login::ManagedIdentity, &encrypted),
            Ok(plain()),
            "{host}"
        );
    }
}

#[test]
fn nothing_secret_is_sent_before_the_challenge_and_one_token_serves_the_run() {
    let Some(rig) = Rig::start() else { return };
    encrypt(&Program::ksops(), &rig, Login::ClientSecret, rig.get("RIG_AZURE_KEY_URL"))
        .expect("the rig encrypts");
    let log = rig.log();
    let is = |entry: &&Value, part: &str| entry["host"].as_str().is_some_and(|host| host.contains(part));
    let vault: Vec<&Value> =
        log.iter().filter(|entry| entry["kind"] == "tls").filter(|entry| is(entry, "vault")).collect();
    assert!(vault.len() >= 2, "{log:?}");
    assert!(vault[0]["authorization"].is_null() && vault[0]["body"] == "", "{}", vault[0]);
    let last = vault.last().expect("two at least");
    assert!(last["authorization"] == "Bearer" && last["token_via"] == "secret", "{last}");
    let body: Value = serde_json::from_str(last["body"].as_str().unwrap_or_default()).expect("a JSON body");
    assert_eq!(body["alg"], "RSA-OAEP-256");
    let tokens = log
        .iter()
        .filter(|entry| entry["target"].as_str().is_some_and(|t| t.ends_with("/oauth2/v2.0/token")));
    assert_eq!(tokens.count(), 1, "{log:?}");
}

/// What a command that fails must leave: the input, an output that is there already, and no other file.
fn fails_cleanly(
    program: &Program,
    envs: &[(std::ffi::OsString, std::ffi::OsString)],
    args: &[&str],
    bytes: &[u8],
) -> Result<Outcome, String> {
    let sandbox = Sandbox::new();
    sandbox.write("f.yaml", bytes);
    sandbox.write("there.yaml", "old\n");
    let outcome = program.call(&sandbox).envs(envs).args(args).run();
    let what = |problem: &str| Err(format!("{args:?}: {problem}: {}", outcome.report()));
    if outcome.status == 0 {
        return what("no failure");
    }
    if sandbox.read("f.yaml") != bytes || sandbox.read("there.yaml") != b"old\n" {
        return what("a file has changed");
    }
    if sandbox.files() != ["f.yaml", "there.yaml"] {
        return what(&format!("files {:?}", sandbox.files()));
    }
    if !outcome.stdout.is_empty() {
        return what("something on standard output");
    }
    Ok(outcome)
}

/// Every way of writing, with the exit status that is due.
fn ways<'a>(key: &'a str) -> Vec<(i32, Vec<&'a str>, bool)> {
    let encrypt = |more: &[&'a str]| [&["encrypt"], more, &RULE, &["--azure-kv", key, "f.yaml"]].concat();
    let decrypt = |more: &[&'a str]| [&["decrypt"], more, &["f.yaml"]].concat();
    vec![
        (1, encrypt(&["--in-place=true"]), true),
        (1, encrypt(&["--output", "there.yaml"]), true),
        (128, decrypt(&["--in-place=true"]), false),
        (128, decrypt(&["--output", "new.yaml"]), false),
    ]
}

/// Runs every way while `fault` is set; `words` are alternatives, one of each must be in the message of ksops.
fn fault_leaves_everything(rig: &Rig, name: &str, fault: &Value, words: &[&[&str]]) -> Vec<String> {
    let ksops = Program::ksops();
    let login = Login::ManagedIdentity;
    let key = rig.get("RIG_AZURE_KEY_URL");
    rig.reset();
    let encrypted = encrypt(&ksops, rig, login, key).expect("the rig encrypts without a fault");
    for op in ["encrypt", "decrypt"] {
        let mut fault = fault.clone();
        fault["op"] = json!(op);
        fault["count"] = json!(1000);
        rig.fault(&fault);
    }
    let envs = rig.login(login);
    let failed = parallel::failures(&ways(key), |(status, args, plain)| {
        let bytes = if *plain { fixtures::bytes("quickstart/secret.yaml") } else { encrypted.clone() };
        let outcome = fails_cleanly(&ksops, &envs, args, &bytes).map_err(|said| format!("{name}: {said}"))?;
        if outcome.status != *status {
            return Err(format!("{name}: {args:?}: status {status} is due: {}", outcome.report()));
        }
        let errors = outcome.errors().to_lowercase();
        let missing =
            words.iter().find(|words| !words.iter().any(|word| errors.contains(&word.to_lowercase())));
        match missing {
            Some(words) if !ksops.is_upstream() => {
                Err(format!("{name}: {args:?}: none of {words:?}: {}", outcome.report()))
            }
            _ => Ok(()),
        }
    });
    rig.reset();
    failed
}

#[test]
fn a_fault_gives_the_mapped_error_and_leaves_every_file() {
    let Some(rig) = Rig::start() else { return };
    let faults: [(&str, Value, &[&[&str]]); 6] = [
        ("401", json!({"status": 401, "code": "Unauthorized"}), &[&["401", "unauthorized"], &["tenant"]]),
        (
            "403",
            json!({"status": 403, "code": "Forbidden"}),
            &[&["403", "forbidden"], &["permission", "role"]],
        ),
        (
            "404",
            json!({"status": 404, "code": "KeyNotFound"}),
            &[&["404", "KeyNotFound", "not found"], &["version"]],
        ),
        ("429", json!({"status": 429, "retry_after": 1}), &[&["429", "too many requests", "throttl"]]),
        ("500", json!({"status": 500}), &[&["500"]]),
        ("dropped connection", json!({"drop": true}), &[&["connection", "sending request", "network"]]),
    ];
    let mut failed = Vec::new();
    for (name, fault, words) in &faults {
        failed.extend(fault_leaves_everything(&rig, name, fault, words));
    }
    failures::none("faults", faults.len() * 4, &failed);
}

#[test]
fn a_disabled_key_says_so() {
    let Some(rig) = Rig::start() else { return };
    let ksops = Program::ksops();
    let encrypted =
        encrypt(&ksops, &rig, Login::ManagedIdentity, rig.get("RIG_AZURE_KEY_URL")).expect("an enabled key");
    rig.enable(false);
    let envs = rig.login(Login::ManagedIdentity);
    let found = fails_cleanly(&ksops, &envs, &["decrypt", "--in-place=true", "f.yaml"], &encrypted);
    rig.enable(true);
    let found = found.expect("refused, and nothing changed");
    assert_eq!(found.status, 128);
    assert!(found.errors().to_lowercase().contains("disabled"), "{}", found.report());
}

#[test]
fn two_throttled_answers_are_waited_for() {
    let Some(rig) = Rig::start() else { return };
    let ksops = Program::ksops();
    let encrypted = encrypt(&ksops, &rig, Login::ManagedIdentity, rig.get("RIG_AZURE_KEY_URL"))
        .expect("the rig encrypts");
    rig.fault(&json!({"op": "decrypt", "status": 429, "retry_after": 1, "count": 2}));
    let sandbox = Sandbox::new();
    sandbox.write("enc.yaml", &encrypted);
    let found = ksops
        .call(&sandbox)
        .envs(&rig.login(Login::ManagedIdentity))
        .env(LAYOUT.0, LAYOUT.1)
        .args(["decrypt", "enc.yaml"])
        .run();
    assert!(found.took >= Duration::from_secs(2), "Retry-After was not honoured: {:?}", found.took);
    assert_eq!(found.output(), Ok(plain()));
}

#[test]
fn a_wrong_client_secret_is_explained_and_not_shown() {
    let Some(rig) = Rig::start() else { return };
    let ksops = Program::ksops();
    let encrypted =
        encrypt(&ksops, &rig, Login::ClientSecret, rig.get("RIG_AZURE_KEY_URL")).expect("the rig encrypts");
    let mut envs = rig.login(Login::ClientSecret);
    envs.push(("AZURE_CLIENT_SECRET".into(), "marker-of-a-wrong-secret".into()));
    let found = fails_cleanly(&ksops, &envs, &["decrypt", "f.yaml"], &encrypted)
        .expect("refused, and nothing changed");
    assert_eq!(found.status, 128);
    assert!(found.errors().contains("AADSTS7000215"), "{}", found.report());
    assert!(!found.errors().contains("marker-of-a-wrong-secret"), "{}", found.report());
}

/// The double of a vault that lies, and what it was asked.
struct Liar {
    process: Child,
    said: BufReader<ChildStdout>,
    port: String,
}

impl Liar {
    fn start(rig: &Rig, mode: &str) -> Self {
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("doubles/vault_liar.py");
        let command = Command::new("python3")
            .arg(script)
            .args([rig.get("RIG_AZURE_DIR"), mode])
            .stdout(Stdio::piped())
            .spawn();
        let mut process = command.expect("python3 runs, as the rig does");
        let mut said = BufReader::new(process.stdout.take().expect("a pipe was asked for"));
        let mut port = String::new();
        said.read_line(&mut port).expect("the double says its port");
        Self { process, said, port: port.trim().to_owned() }
    }

    fn envs(&self, rig: &Rig) -> Vec<(std::ffi::OsString, std::ffi::OsString)> {
        let mut envs = rig.login(Login::ClientSecret);
        envs.push(("HTTPS_PROXY".into(), format!("http://127.0.0.1:{}", self.port).into()));
        envs
    }

    fn end(mut self) -> Vec<Value> {
        self.process.kill().expect("own child");
        self.process.wait().expect("own child");
        self.said.lines().map_while(Result::ok).filter_map(|line| serde_json::from_str(&line).ok()).collect()
    }
}

#[test]
fn a_challenge_for_another_resource_gets_no_token() {
    let Some(rig) = Rig::start() else { return };
    let ksops = Program::ksops();
    let encrypted =
        encrypt(&ksops, &rig, Login::ClientSecret, rig.get("RIG_AZURE_KEY_URL")).expect("the rig encrypts");
    let liar = Liar::start(&rig, "wrong-challenge");
    let envs = liar.envs(&rig);
    let failed = parallel::failures(&ways(rig.get("RIG_AZURE_KEY_URL")), |(status, args, plain)| {
        let bytes = if *plain { fixtures::bytes("quickstart/secret.yaml") } else { encrypted.clone() };
        let found = fails_cleanly(&ksops, &envs, args, &bytes)?;
        let explains = found.errors().contains("vault.azure.cn") || ksops.is_upstream();
        if found.status == *status && explains {
            Ok(())
        } else {
            Err(format!("{args:?}: {}", found.report()))
        }
    });
    let said = liar.end();
    failures::none("ways with a wrong challenge", 4, &failed);
    assert!(said.iter().any(|asked| asked["host"] == "ksops-rig.vault.azure.net"), "nobody came: {said:?}");
    for asked in &said {
        assert!(asked["token"] != true && asked["body"].as_u64().unwrap_or_default() == 0, "{asked}");
        assert!(
            !asked["connect"].as_str().unwrap_or_default().starts_with("login."),
            "a token was asked for: {said:?}"
        );
    }
}

#[test]
fn a_vault_that_never_answers_is_given_up() {
    let Some(rig) = Rig::start() else { return };
    let ksops = Program::ksops();
    if ksops.is_upstream() {
        return; // Upstream waits without a limit.
    }
    let encrypted =
        encrypt(&ksops, &rig, Login::ClientSecret, rig.get("RIG_AZURE_KEY_URL")).expect("the rig encrypts");
    let liar = Liar::start(&rig, "silent");
    let found =
        fails_cleanly(&ksops, &liar.envs(&rig), &["decrypt", "--in-place=true", "f.yaml"], &encrypted);
    liar.end();
    let found = found.expect("refused, and nothing changed");
    assert_eq!(found.status, 128, "{}", found.report());
    assert!(found.took < Duration::from_secs(100), "{:?}", found.took);
    assert!(found.errors().contains("within 60 seconds"), "{}", found.report());
}

#[test]
fn a_host_of_no_known_cloud_is_never_asked() {
    let Some(rig) = Rig::start() else { return };
    let ksops = Program::ksops();
    if ksops.is_upstream() {
        return; // Upstream asks any host (security.md S22).
    }
    let key = "https://vault.example.com/keys/k/0123456789abcdef0123456789abcdef";
    let envs = rig.login(Login::ClientSecret);
    let secret = fixtures::bytes("quickstart/secret.yaml");
    let args = [&["encrypt"][..], &RULE, &["--azure-kv", key, "f.yaml"]].concat();
    let found = fails_cleanly(&ksops, &envs, &args, &secret).expect("refused");
    assert!(found.errors().contains("vault.example.com"), "{}", found.report());
    let asked = rig.log();
    assert!(!asked.iter().any(|entry| entry.to_string().contains("example.com")), "{asked:?}");
    let own = format!(
        "https://ksops-rig.vault.rig.test/keys/{}/{}",
        rig.get("RIG_AZURE_KEY_NAME"),
        rig.get("RIG_AZURE_KEY_VERSION")
    );
    let sandbox = Sandbox::new();
    sandbox.write("f.yaml", &secret);
    let args = [&["encrypt"][..], &RULE, &["--azure-kv", &own, "f.yaml"]].concat();
    let call = ksops.call(&sandbox).envs(&rig.login(Login::ManagedIdentity));
    let found = call.env("KSOPS_AZURE_KEYVAULT_SUFFIXES", "vault.rig.test").args(args).run();
    assert_eq!(found.status, 0, "{}", found.report());
}

#[test]
fn without_credentials_every_one_that_was_tried_is_named() {
    let Some(rig) = Rig::start() else { return };
    let ksops = Program::ksops();
    let encrypted = encrypt(&ksops, &rig, Login::ManagedIdentity, rig.get("RIG_AZURE_KEY_URL"))
        .expect("the rig encrypts");
    let found = fails_cleanly(&ksops, &rig.route(), &["decrypt", "f.yaml"], &encrypted).expect("refused");
    assert_eq!(found.status, 128);
    let errors = found.errors().to_lowercase();
    for name in ["environment", "workload", "managed", "cli"] {
        assert!(errors.contains(name), "{name}: {}", found.report());
    }
}

#[test]
fn the_old_variable_chooses_the_managed_identity() {
    let Some(rig) = Rig::start() else { return };
    let ksops = Program::ksops();
    if ksops.is_upstream() {
        return; // Upstream ignores AZURE_AUTH_METHOD since 3.8.
    }
    let encrypted = encrypt(&ksops, &rig, Login::ManagedIdentity, rig.get("RIG_AZURE_KEY_URL"))
        .expect("the rig encrypts");
    rig.reset();
    let sandbox = Sandbox::new();
    sandbox.write("enc.yaml", &encrypted);
    // A client secret is at hand, too, and would come first.
    let call =
        ksops.call(&sandbox).envs(&rig.login(Login::ClientSecret)).envs(&rig.login(Login::ManagedIdentity));
    let call = call.env(LAYOUT.0, LAYOUT.1);
    let found = call.env("AZURE_AUTH_METHOD", "msi").args(["decrypt", "enc.yaml"]).run();
    assert_eq!(found.output(), Ok(plain()));
    assert!(rig.log().iter().any(|entry| entry["token_via"] == "msi"), "{:?}", rig.log());
}

#[test]
fn init_writes_the_newest_version_and_never_overwrites() {
    let Some(rig) = Rig::start() else { return };
    let ksops = Program::ksops();
    if ksops.is_upstream() {
        return; // Upstream has no init.
    }
    let sandbox = Sandbox::new();
    let key = format!("{}/keys/{}", rig.get("RIG_AZURE_VAULT_URL"), rig.get("RIG_AZURE_KEY_NAME"));
    let init = || {
        ksops.call(&sandbox).envs(&rig.login(Login::ManagedIdentity)).args(["init", "--azure-kv", &key]).run()
    };
    let found = init();
    assert_eq!(found.status, 0, "{}", found.report());
    let config = String::from_utf8_lossy(&sandbox.read(".sops.yaml")).into_owned();
    assert!(config.contains(rig.get("RIG_AZURE_KEY_URL")), "{config}");
    sandbox.write(".sops.yaml", "mine: true\n");
    let found = init();
    assert_ne!(found.status, 0, "{}", found.report());
    assert_eq!(sandbox.read(".sops.yaml"), b"mine: true\n");
}
