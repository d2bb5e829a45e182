//! HashiCorp Vault and OpenBao transit keys, crosswise with real sops against a real OpenBao server, and what a server can
//! do wrong.

use std::time::Duration;

use ksops_tests::exports::Exports;
use ksops_tests::oracle;
use ksops_tests::program::{Outcome, Program};
use ksops_tests::sandbox::Sandbox;
use ksops_tests::stub::{Reply, Stub};

const YAML: &str = "a: 1\nb: text\n";

struct Bench {
    sandbox: Sandbox,
    ksops: Program,
    rig: Exports,
}

impl Bench {
    fn new() -> Option<Self> {
        let rig = Exports::of("vault")?;
        let sandbox = Sandbox::new();
        sandbox.write("f.yaml", YAML);
        let ksops = Program::at(Program::ksops().path().canonicalize().expect("found before"));
        Some(Self { sandbox, ksops, rig })
    }

    /// With the token of the rig, and variables beside.
    fn run(&self, program: &Program, args: &[&str], variables: &[(&str, &str)]) -> Outcome {
        let call = program.call(&self.sandbox).env("VAULT_TOKEN", self.rig.get("VAULT_TOKEN"));
        variables.iter().fold(call, |call, (name, value)| call.env(name, value)).args(args).run()
    }

    fn encrypted(&self, program: &Program, key: &str, variables: &[(&str, &str)]) {
        let made = self.run(program, &["encrypt", "--hc-vault-transit", key, "f.yaml"], variables);
        assert_eq!(made.status, 0, "{key}: {}", made.report());
        self.sandbox.write("enc.yaml", &made.stdout);
    }
}

#[test]
fn each_program_reads_the_other() {
    let (Some(sops), Some(bench)) = (oracle::sops(), Bench::new()) else { return };
    let (key, deep) = (bench.rig.get("RIG_VAULT_KEY_URI"), bench.rig.get("RIG_VAULT_DEEP_KEY_URI"));
    let team = [("VAULT_NAMESPACE", "team-a")];
    for (key, variables) in [(key, &[][..]), (deep, &[]), (key, &team)] {
        for (writer, reader) in [(&bench.ksops, &sops), (&sops, &bench.ksops), (&bench.ksops, &bench.ksops)] {
            bench.encrypted(writer, key, variables);
            let read = bench.run(reader, &["decrypt", "enc.yaml"], variables);
            assert_eq!(read.output().as_deref(), Ok(YAML.as_bytes()), "{key} {variables:?}");
        }
    }
    // The token of `vault login`, and a rule.
    bench.sandbox.write(".sops.yaml", format!("creation_rules:\n  - hc_vault_transit_uri: {key}\n"));
    let home = bench.sandbox.home();
    std::fs::write(home.join(".vault-token"), format!("{}\n", bench.rig.get("VAULT_TOKEN")))
        .expect("own home");
    let made = bench.ksops.call(&bench.sandbox).args(["encrypt", "-i", "f.yaml"]).run();
    assert_eq!(made.status, 0, "{}", made.report());
    let read = sops.call(&bench.sandbox).args(["decrypt", "f.yaml"]).run();
    assert_eq!(read.output().as_deref(), Ok(YAML.as_bytes()));
}

#[test]
fn a_server_that_is_not_allowed_is_not_asked() {
    let Some(bench) = Bench::new() else { return };
    let stub = Stub::new(|_| Reply::http(200, "", r#"{"data":{"ciphertext":"vault:v1:x"}}"#));
    let key = format!("http://{}/v1/transit/keys/k", stub.address);
    let args = ["encrypt", "--hc-vault-transit", &key, "f.yaml"];
    for list in ["none", "https://vault.example", &format!("http://{}0", stub.address)] {
        let found = bench.run(&bench.ksops, &args, &[("SOPS_HC_VAULT_ALLOWLIST", list)]);
        assert_eq!(found.status, 1, "{list}: {}", found.report());
        assert!(found.errors().contains("nothing was sent"), "{}", found.report());
    }
    assert_eq!(stub.seen(), <[String; 0]>::default());
    let listed = format!("http://{}", stub.address);
    let found = bench.run(&bench.ksops, &args, &[("SOPS_HC_VAULT_ALLOWLIST", &listed)]);
    assert_eq!(found.status, 0, "{}", found.report());
    let offline = bench.run(&bench.ksops, &[&["encrypt", "--offline"], &args[1..]].concat(), &[]);
    assert!(offline.status == 1 && offline.errors().contains("--offline"), "{}", offline.report());
    assert_eq!(stub.seen().len(), 1);
}

#[test]
fn a_fault_has_advice_and_leaves_the_file() {
    let Some(bench) = Bench::new() else { return };
    let good = bench.rig.get("RIG_VAULT_KEY_URI").to_owned();
    bench.encrypted(&bench.ksops, &good, &[]);
    let server = good.split("/v1/").next().expect("an address").to_owned();
    let file = String::from_utf8(bench.sandbox.read("enc.yaml")).expect("text");
    let short = [("VAULT_CLIENT_TIMEOUT", "1s"), ("VAULT_MAX_RETRIES", "0")];
    let denied = [("VAULT_TOKEN", "hush-token")];
    let tls = |address: &str| format!("https://{}", address.trim_start_matches("http://"));
    let stub = |reply: Reply| Stub::new(move |_| reply.clone());
    let garbage = stub(Reply::http(200, "", "<html>"));
    let silent = stub(Reply::Silence);
    let busy = Stub::new(|number| match number {
        0 => Reply::http(429, "Retry-After: 1\r\n", "{\"errors\":[\"slow down\"]}"),
        _ => Reply::http(403, "", "{\"errors\":[\"later\"]}"),
    });
    let http = |stub: &Stub| format!("http://{}", stub.address);
    for (name, address, variables, words) in [
        ("refused", "http://127.0.0.1:1".to_owned(), &short[..], &["could not connect", "hint:"][..]),
        ("silent", http(&silent), &short, &["no answer in time", "VAULT_CLIENT_TIMEOUT"]),
        ("garbage", http(&garbage), &[], &["no JSON", "OpenBao server"]),
        ("busy", http(&busy), &[], &["403 (later)"]),
        ("denied", server.clone(), &denied, &["403", "VAULT_TOKEN", "policy needs `update`"]),
        ("not TLS", tls(&server), &short, &["hint:"]),
        ("no engine", server.clone(), &[("VAULT_NAMESPACE", "nobody")], &["hint:"]),
    ] {
        let text = file.replace(&server, &address);
        bench.sandbox.write("f.enc.yaml", &text);
        let found = bench.run(&bench.ksops, &["decrypt", "-i", "f.enc.yaml"], variables);
        assert_eq!(found.status, 128, "{name}: {}", found.report());
        // The report is wrapped in columns.
        let errors = found.errors();
        let told: Vec<&str> = errors.split_whitespace().filter(|word| *word != "|").collect();
        let told = told.join(" ");
        for word in words {
            assert!(told.contains(word), "{name}: no {word:?} in {told}");
        }
        assert!(!told.contains("hush-token"), "{name}: {told}");
        assert_eq!(bench.sandbox.read("f.enc.yaml"), text.as_bytes(), "{name}");
        assert!(found.took < Duration::from_secs(20), "{name}: {:?}", found.took);
    }
    assert_eq!(busy.seen().len(), 2, "asked again after the wait");
}

#[test]
fn doctor_tells_the_server_and_the_token() {
    let Some(bench) = Bench::new() else { return };
    bench.encrypted(&bench.ksops, bench.rig.get("RIG_VAULT_KEY_URI"), &[]);
    let well = bench.run(&bench.ksops, &["doctor", "enc.yaml"], &[]);
    assert_eq!(well.status, 0, "{}", well.report());
    let ill = bench.run(&bench.ksops, &["doctor", "enc.yaml"], &[("VAULT_TOKEN", "hush-token")]);
    let table = String::from_utf8_lossy(&ill.stdout).into_owned();
    assert_eq!(ill.status, 1, "{table}");
    let row = table.lines().find(|line| line.trim_start().starts_with("token")).unwrap_or_default();
    assert!(row.contains("failed") && row.contains("VAULT_TOKEN"), "{table}");
    assert!(!table.contains("hush-token"), "{table}");
}
