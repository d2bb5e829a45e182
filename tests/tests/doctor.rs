//! `doctor`: which credential is used, whether it works, and why not; with age, and with Azure through the rig.

use ksops_tests::fixtures::AgeKeys;
use ksops_tests::program::{Outcome, Program};
use ksops_tests::rig::{Login, Rig};
use ksops_tests::sandbox::Sandbox;
use serde_json::{Value, json};

/// The program, unless it is upstream's, which has no such command.
fn ksops() -> Option<Program> {
    let ksops = Program::ksops();
    if ksops.is_upstream() { None } else { Some(ksops) }
}

fn json(run: &Outcome) -> Value {
    serde_json::from_slice(&run.stdout).unwrap_or_else(|error| panic!("{error}: {}", run.report()))
}

/// The state of a credential of the first key.
fn state<'a>(report: &'a Value, name: &str) -> (&'a str, &'a str) {
    let credentials = report["parts"][0]["keys"][0]["credentials"].as_array().expect("credentials");
    let found = credentials.iter().find(|credential| credential["name"] == name);
    let found = found.unwrap_or_else(|| panic!("no {name} in {report}"));
    (found["state"].as_str().unwrap_or_default(), found["reason"].as_str().unwrap_or_default())
}

#[test]
fn an_age_file_is_well_with_the_identity_and_ill_without() {
    let Some(ksops) = ksops() else { return };
    let keys = AgeKeys::read();
    let sandbox = Sandbox::new();
    sandbox.write("f.yaml", "password: x\n");
    let to = format!("{},{}", keys.recipients[0], keys.recipients[1]);
    let run = ksops.call(&sandbox).args(["encrypt", "-i", "--age", &to, "f.yaml"]).run();
    assert_eq!(run.status, 0, "{}", run.report());
    let doctor = |args: &[&str], env: &[(&str, &str)]| {
        let call = env.iter().fold(ksops.call(&sandbox), |call, (name, value)| call.env(name, value));
        call.arg("doctor").args(args).run()
    };

    let ill = doctor(&["f.yaml"], &[]);
    let text = String::from_utf8_lossy(&ill.stdout).into_owned();
    assert_eq!(ill.status, 1, "{}", ill.report());
    assert!(text.contains("f.yaml: the data key cannot be recovered") && text.contains("\nhint: "), "{text}");

    let well = doctor(&["--json", "f.yaml"], &[("SOPS_AGE_KEY", &keys.identities[0])]);
    assert_eq!(well.status, 0, "{}", well.report());
    let report = json(&well);
    assert_eq!(state(&report, "SOPS_AGE_KEY"), ("used", "holds the identity of this recipient"));
    assert_eq!(state(&report, "default key file"), ("absent", "no such file"));
    assert_eq!(report["parts"][0]["keys"][1]["state"], "unusable");
    assert!(report["ok"] == true && report["parts"][0]["keys"][0]["state"] == "usable", "{report}");

    sandbox.write("keys.txt", &keys.identities[1]);
    let file = doctor(&["f.yaml", "--json"], &[("SOPS_AGE_KEY_FILE", "keys.txt")]);
    let (state, reason) = {
        let report = json(&file);
        let found = state(&report, "SOPS_AGE_KEY_FILE");
        (found.0.to_owned(), found.1.to_owned())
    };
    assert_eq!((file.status, state.as_str()), (0, "no match"), "{}", file.report());
    assert!(reason.contains(&keys.recipients[1]) && reason.contains("wider than 0600"), "{reason}");

    for run in [ill, well, file] {
        let all = [run.stdout, run.stderr].concat();
        assert!(!String::from_utf8_lossy(&all).contains("AGE-SECRET-KEY"), "an identity is shown");
    }
}

#[test]
fn the_table_has_columns() {
    let Some(ksops) = ksops() else { return };
    let sandbox = Sandbox::new();
    let run = ksops.call(&sandbox).arg("doctor").run();
    let text = String::from_utf8_lossy(&run.stdout).into_owned();
    assert_eq!(run.status, 1, "no key is named: {}", run.report());
    let (table, outcome) = text.split_once("\n\n").expect("a table and an outcome");
    assert!(outcome.contains("no file, rule or key is named"), "{outcome}");
    let head = table.lines().next().expect("a head");
    for column in ["STATE", "SOURCE"] {
        let at = head.find(column).expect("a column");
        for line in table.lines() {
            assert!(line[..at].ends_with("  ") && !line[at..].starts_with(' '), "{column}: {line:?}");
        }
    }
}

#[test]
fn without_a_file_every_rule_is_tried() {
    let Some(ksops) = ksops() else { return };
    let keys = AgeKeys::read();
    let sandbox = Sandbox::new();
    let mine = &keys.recipients[0];
    let doctor = |args: &[&str]| {
        let call = ksops
            .call(&sandbox)
            .env("SOPS_AGE_KEY", &keys.identities[0])
            .env("SOPS_GPG_EXEC", "/nowhere/gpg");
        call.arg("doctor").args(args).run()
    };
    sandbox.write(".sops.yaml", format!("creation_rules:\n  - age: {mine},{}\n", keys.recipients[1]));
    let well = doctor(&["--json"]);
    assert_eq!(well.status, 0, "one of two can decrypt, which is enough: {}", well.report());
    assert_eq!(json(&well)["parts"][0]["keys"][1]["state"], "encrypts");
    let pgp = "0123456789ABCDEF0123456789ABCDEF01234567";
    sandbox.write(
        ".sops.yaml",
        format!("creation_rules:\n  - path_regex: ^a\n    age: {mine}\n  - pgp: {pgp}\n"),
    );
    let ill = doctor(&["--json"]);
    let report = json(&ill);
    assert_eq!(
        (ill.status, &report["parts"][0]["ok"], &report["parts"][1]["ok"]),
        (1, &json!(true), &json!(false))
    );
    let reason = report["parts"][1]["keys"][0]["reason"].as_str().unwrap_or_default().to_owned();
    assert!(reason.ends_with("/nowhere/gpg was not found"), "{reason}");
    // A file that is not encrypted yet has the rule of its name.
    sandbox.write("a.yaml", "x: 1\n");
    sandbox.write("b.yaml", "x: 1\n");
    assert_eq!((doctor(&["a.yaml"]).status, doctor(&["b.yaml"]).status), (0, 1));
    assert_eq!(doctor(&["none.yaml"]).status, 100);
    // The keys of variables come first, as in encrypting.
    let named = ksops.call(&sandbox).env("SOPS_AGE_RECIPIENTS", mine).args(["doctor", "--json"]).run();
    assert_eq!(json(&named)["parts"][0]["name"], "the keys of the flags and variables");
}

#[test]
fn azure_tells_which_member_of_the_chain_gave_the_token() {
    let (Some(ksops), Some(rig)) = (ksops(), Rig::start()) else { return };
    let sandbox = Sandbox::new();
    sandbox.write("f.yaml", "password: x\n");
    let call = ksops.call(&sandbox).envs(&rig.login(Login::ManagedIdentity));
    let run = call.args(["encrypt", "-i", "--azure-kv", rig.get("RIG_AZURE_KEY_URL"), "f.yaml"]).run();
    assert_eq!(run.status, 0, "{}", run.report());
    for (login, name) in [
        (Login::ClientSecret, "EnvironmentCredential"),
        (Login::WorkloadIdentity, "WorkloadIdentityCredential"),
        (Login::ManagedIdentity, "ManagedIdentityCredential"),
        (Login::AzureCli, "AzureCLICredential"),
    ] {
        let run = ksops.call(&sandbox).envs(&rig.login(login)).args(["doctor", "--json", "f.yaml"]).run();
        let report = json(&run);
        assert_eq!(
            (run.status, state(&report, name)),
            (0, ("used", "gave the token")),
            "{login:?}: {report}"
        );
        assert_eq!(state(&report, "vault"), ("ok", "answers"));
        assert_eq!(state(&report, "key"), ("ok", "decrypts the data key"));
        let secrets = [rig.get("RIG_AZURE_CLIENT_SECRET"), rig.get("IDENTITY_HEADER")];
        let all = String::from_utf8_lossy(&[run.stdout, run.stderr].concat()).into_owned();
        assert!(!secrets.iter().any(|secret| all.contains(secret)), "{login:?}: {all}");
    }
    let call = ksops.call(&sandbox).envs(&rig.login(Login::ManagedIdentity));
    let run = call.env("AZURE_AUTH_METHOD", "msi").args(["doctor", "--json", "f.yaml"]).run();
    let report = json(&run);
    assert_eq!(state(&report, "authentication"), ("ok", "asks ManagedIdentityCredential"));

    // A rule: the version is asked for, something is encrypted and decrypted again.
    let key = format!("{}/keys/{}", rig.get("RIG_AZURE_VAULT_URL"), rig.get("RIG_AZURE_KEY_NAME"));
    sandbox.write(".sops.yaml", format!("creation_rules:\n  - azure_keyvault: {key}\n"));
    let run = ksops.call(&sandbox).envs(&rig.login(Login::ManagedIdentity)).args(["doctor"]).run();
    let text = String::from_utf8_lossy(&run.stdout).into_owned();
    assert_eq!(run.status, 0, "{}", run.report());
    assert!(text.contains("files can be encrypted, and decrypted here"), "{text}");
}

#[test]
fn azure_tells_where_the_way_ends_and_what_helps() {
    let (Some(ksops), Some(rig)) = (ksops(), Rig::start()) else { return };
    let sandbox = Sandbox::new();
    sandbox.write("f.yaml", "password: x\n");
    let login = rig.login(Login::ManagedIdentity);
    let key = rig.get("RIG_AZURE_KEY_URL");
    let call = ksops.call(&sandbox).envs(&login);
    let run = call.args(["encrypt", "-i", "--azure-kv", key, "f.yaml"]).run();
    assert_eq!(run.status, 0, "{}", run.report());
    let hints = |report: &Value| report["parts"][0]["keys"][0]["hints"].to_string();
    let ill = |run: Outcome| {
        assert_eq!(run.status, 1, "{}", run.report());
        json(&run)
    };
    let doctor = || ksops.call(&sandbox).args(["doctor", "--json", "f.yaml"]);

    rig.fault(&json!({"op": "decrypt", "status": 403, "code": "Forbidden", "count": 1000}));
    let report = ill(doctor().envs(&login).run());
    rig.reset();
    assert_eq!(state(&report, "ManagedIdentityCredential").0, "used");
    assert_eq!(state(&report, "vault").0, "ok");
    assert!(
        state(&report, "key").1.contains("403") && hints(&report).contains("permission decrypt"),
        "{report}"
    );

    // Nobody is logged in.
    let report = ill(doctor().envs(&rig.route()).run());
    assert_eq!(state(&report, "EnvironmentCredential"), ("absent", "AZURE_TENANT_ID is not set"));
    assert_eq!((state(&report, "vault").0, state(&report, "key").0), ("ok", "not tried"));
    assert!(hints(&report).contains("az login"), "{report}");

    // A credential that is set up and wrong ends the chain.
    let wrong = rig.login(Login::ClientSecret);
    let report = ill(doctor().envs(&wrong).env("AZURE_CLIENT_SECRET", "mArKeR7f3a").run());
    let (found, reason) = state(&report, "EnvironmentCredential");
    assert!(
        found == "failed" && reason.contains("401") && !report.to_string().contains("mArKeR"),
        "{report}"
    );
    assert_eq!(state(&report, "AzureCLICredential").0, "not tried");

    // The vault cannot be reached.
    let report = ill(doctor().envs(&login).env("HTTPS_PROXY", "http://127.0.0.1:9").run());
    assert_eq!(state(&report, "vault").0, "failed");
    assert!(hints(&report).contains("HTTPS_PROXY"), "{report}");

    // A rule with a key that cannot be used.
    rig.enable(false);
    let run = ksops.call(&sandbox).envs(&login).args(["doctor", "--azure-kv", key]).run();
    rig.enable(true);
    let text = String::from_utf8_lossy(&run.stdout).into_owned();
    assert_eq!(run.status, 1, "{}", run.report());
    assert!(text.contains("files cannot be encrypted") && text.contains("--enabled true"), "{text}");
}
