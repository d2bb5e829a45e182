//! Google Cloud KMS keys, crosswise with real sops against the rig, and what Google can do wrong.

use std::fs;
use std::time::Duration;

use ksops_tests::exports::Exports;
use ksops_tests::oracle;
use ksops_tests::program::{Outcome, Program};
use ksops_tests::sandbox::Sandbox;
use ksops_tests::stub::{Reply, Stub};
use serde_json::Value;

const YAML: &str = "a: 1\nb: text\n";
const NO_TOKEN: (&str, &str) = ("GOOGLE_OAUTH_ACCESS_TOKEN", "");

struct Bench {
    sandbox: Sandbox,
    ksops: Program,
    rig: Exports,
}

impl Bench {
    fn new() -> Option<Self> {
        let rig = Exports::of("gcp-kms")?;
        let sandbox = Sandbox::new();
        sandbox.write("f.yaml", YAML);
        let ksops = Program::at(Program::ksops().path().canonicalize().expect("found before"));
        Some(Self { sandbox, ksops, rig })
    }

    /// With the rig's variables but those that are named here; an empty value takes one away.
    fn run(&self, program: &Program, args: &[&str], variables: &[(&str, &str)]) -> Outcome {
        let call = program.call(&self.sandbox).args(args);
        let call = self.rig.all().iter().fold(call, |call, (name, value)| call.env(name, value));
        variables
            .iter()
            .fold(
                call,
                |call, (name, value)| {
                    if value.is_empty() { call.without(name) } else { call.env(name, value) }
                },
            )
            .run()
    }

    fn encrypted(&self, program: &Program, variables: &[(&str, &str)]) -> Value {
        let made =
            self.run(program, &["encrypt", "--gcp-kms", self.rig.get("RIG_GCP_KEY"), "f.yaml"], variables);
        assert_eq!(made.status, 0, "{variables:?}: {}", made.report());
        self.sandbox.write("enc.yaml", &made.stdout);
        serde_yaml_ng::from_slice::<Value>(&made.stdout).expect("YAML")["sops"]["gcp_kms"][0].clone()
    }
}

#[test]
fn each_program_reads_the_other_by_every_credential() {
    let (Some(sops), Some(bench)) = (oracle::sops(), Bench::new()) else { return };
    let account = format!("{}/sa.json", bench.rig.get("RIG_GCP_DIR"));
    let text = fs::read_to_string(&account).expect("the rig's file");
    let config = bench.sandbox.home().join(".config/gcloud");
    fs::create_dir_all(&config).expect("own folder");
    fs::copy(&account, config.join("application_default_credentials.json")).expect("own folder");
    let tls = bench.rig.get("RIG_GCP_REST_TLS_ENDPOINT");
    for variables in [
        &[][..],
        &[NO_TOKEN, ("GOOGLE_CREDENTIALS", &account)],
        &[NO_TOKEN, ("GOOGLE_CREDENTIALS", &text)],
        &[NO_TOKEN, ("GOOGLE_APPLICATION_CREDENTIALS", &account)],
        &[NO_TOKEN],
        &[("SOPS_GCP_KMS_ENDPOINT", tls)],
    ] {
        let mut entries = Vec::new();
        for (writer, reader) in [(&bench.ksops, &sops), (&sops, &bench.ksops)] {
            let mut entry = bench.encrypted(writer, variables);
            let read = bench.run(reader, &["decrypt", "enc.yaml"], variables);
            assert_eq!(read.output().as_deref(), Ok(YAML.as_bytes()), "{variables:?}");
            entry["enc"] = entry["enc"].as_str().map(str::len).into();
            entry["created_at"] = Value::Null;
            entries.push(entry);
        }
        assert_eq!(entries[0], entries[1], "{variables:?}");
    }
}

#[test]
fn a_user_and_an_impersonated_account_get_their_tokens() {
    let Some(bench) = Bench::new() else { return };
    let tokens = Stub::new(|number| match number {
        0 => Reply::http(200, "", "{\"access_token\": \"rig-user\", \"expires_in\": 3600}"),
        1 => Reply::http(200, "", "{\"access_token\": \"user\", \"expires_in\": 3600}"),
        _ => Reply::http(200, "", "{\"accessToken\": \"rig-acting\"}"),
    });
    let user = format!(
        "{{\"type\": \"authorized_user\", \"client_id\": \"i\", \"client_secret\": \"s&\", \"refresh_token\": \"r\", \
         \"token_uri\": \"http://{}/token\"}}",
        tokens.address
    );
    bench.encrypted(&bench.ksops, &[NO_TOKEN, ("GOOGLE_CREDENTIALS", &user)]);
    let acting = format!(
        "{{\"type\": \"impersonated_service_account\", \"source_credentials\": {user}, \
         \"service_account_impersonation_url\": \"http://{}/act\"}}",
        tokens.address
    );
    bench.encrypted(&bench.ksops, &[NO_TOKEN, ("GOOGLE_CREDENTIALS", &acting)]);
    let seen = tokens.seen();
    assert!(
        seen[0].ends_with("grant_type=refresh_token&client_id=i&client_secret=s%26&refresh_token=r"),
        "{seen:?}"
    );
    let far = acting.replace(&format!("http://{}/act", tokens.address), "http://far.example/act");
    let args = ["encrypt", "--gcp-kms", bench.rig.get("RIG_GCP_KEY"), "f.yaml"];
    let refused = bench.run(&bench.ksops, &args, &[NO_TOKEN, ("GOOGLE_CREDENTIALS", &far)]);
    assert!(refused.status == 1 && refused.errors().contains("is not https"), "{}", refused.report());
    assert!(seen[2].starts_with("POST /act") && seen[2].contains("Bearer user"), "{seen:?}");
}

#[test]
fn requests_count_for_the_project_of_the_credentials() {
    let (Some(sops), Some(bench)) = (oracle::sops(), Bench::new()) else { return };
    let account =
        fs::read_to_string(format!("{}/sa.json", bench.rig.get("RIG_GCP_DIR"))).expect("the rig's file");
    let account = account.replacen('{', "{\"quota_project_id\": \"from-file\", ", 1);
    for (variable, expected) in [("", "from-file"), ("from-variable", "from-variable")] {
        for program in [&sops, &bench.ksops] {
            let stub = Stub::new(|_| Reply::http(403, "", "{}"));
            let address = format!("http://{}", stub.address);
            let variables = [
                NO_TOKEN,
                ("GOOGLE_CREDENTIALS", account.as_str()),
                ("GOOGLE_CLOUD_QUOTA_PROJECT", variable),
                ("SOPS_GCP_KMS_ENDPOINT", address.as_str()),
            ];
            let refused = bench.run(
                program,
                &["encrypt", "--gcp-kms", bench.rig.get("RIG_GCP_KEY"), "f.yaml"],
                &variables,
            );
            assert_eq!(refused.status, 1, "{}", refused.report());
            let seen = stub.seen().concat().to_ascii_lowercase();
            assert!(seen.contains(&format!("x-goog-user-project: {expected}\r\n")), "{seen}");
        }
    }
}

#[test]
fn a_fault_has_advice_and_leaves_the_file() {
    let Some(bench) = Bench::new() else { return };
    bench.encrypted(&bench.ksops, &[]);
    let file = String::from_utf8(bench.sandbox.read("enc.yaml")).expect("text");
    let error = |status: u16, name: &str| {
        let body = format!(
            "{{\"error\": {{\"code\": {status}, \"status\": \"{name}\", \"message\": \"said so\"}}}}"
        );
        Reply::http(status, "", &body)
    };
    let stub = |reply: Reply| Stub::new(move |_| reply.clone());
    let denied = stub(error(403, "PERMISSION_DENIED"));
    let expired = stub(error(401, "UNAUTHENTICATED"));
    let disabled = stub(error(400, "FAILED_PRECONDITION"));
    let garbage = stub(Reply::http(200, "", "<html>"));
    let busy = Stub::new(move |number| match number {
        0 => Reply::http(429, "Retry-After: 1\r\n", ""),
        _ => error(400, "FAILED_PRECONDITION"),
    });
    let at = |stub: &Stub| format!("http://{}", stub.address);
    let tls = format!("https://{}", garbage.address);
    let nobody = [NO_TOKEN, ("GCE_METADATA_HOST", "127.0.0.1:1")];
    for (name, address, variables, words) in [
        ("refused", "http://127.0.0.1:1".to_owned(), &[][..], &["could not connect", "hint: check that"][..]),
        ("denied", at(&denied), &[], &["PERMISSION_DENIED (said so)", "useToDecrypt"]),
        ("expired", at(&expired), &[], &["log in again"]),
        ("disabled", at(&disabled), &[], &["enable it"]),
        ("garbage", at(&garbage), &[], &["no JSON"]),
        ("busy", at(&busy), &[], &["FAILED_PRECONDITION"]),
        ("not TLS", tls, &[], &["hint: "]),
        ("nobody", at(&denied), &nobody, &["no Google credentials", "gcloud auth application-default login"]),
    ] {
        bench.sandbox.write("f.enc.yaml", &file);
        let variables = [&[("SOPS_GCP_KMS_ENDPOINT", address.as_str())], variables].concat();
        let found = bench.run(&bench.ksops, &["decrypt", "-i", "f.enc.yaml"], &variables);
        assert_eq!(found.status, 128, "{name}: {}", found.report());
        let errors = found.errors();
        let told: Vec<&str> = errors.split_whitespace().filter(|word| *word != "|").collect();
        let told = told.join(" ");
        for word in words {
            assert!(told.contains(word), "{name}: no {word:?} in {told}");
        }
        assert_eq!(bench.sandbox.read("f.enc.yaml"), file.as_bytes(), "{name}");
        assert!(found.took < Duration::from_secs(30), "{name}: {:?}", found.took);
    }
    assert_eq!(busy.seen().len(), 2, "asked again after the wait");
}
