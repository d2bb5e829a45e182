//! AWS KMS keys, crosswise with real sops against moto, and what AWS can do wrong.

use std::time::Duration;

use ksops_tests::exports::Exports;
use ksops_tests::oracle;
use ksops_tests::program::{Outcome, Program};
use ksops_tests::sandbox::Sandbox;
use ksops_tests::stub::{Reply, Stub};
use serde_json::Value;

const YAML: &str = "a: 1\nb: text\n";

struct Bench {
    sandbox: Sandbox,
    ksops: Program,
    rig: Exports,
}

impl Bench {
    fn new() -> Option<Self> {
        let rig = Exports::of("aws-kms")?;
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

    fn encrypted(&self, program: &Program, flags: &[&str], variables: &[(&str, &str)]) -> Value {
        let made = self.run(program, &[&["encrypt"], flags, &["f.yaml"]].concat(), variables);
        assert_eq!(made.status, 0, "{flags:?}: {}", made.report());
        self.sandbox.write("enc.yaml", &made.stdout);
        serde_yaml_ng::from_slice::<Value>(&made.stdout).expect("YAML")["sops"]["kms"][0].clone()
    }
}

#[test]
fn each_program_reads_the_other() {
    let (Some(sops), Some(bench)) = (oracle::sops(), Bench::new()) else { return };
    let (arn, alias) = (bench.rig.get("RIG_AWS_KEY_ARN"), bench.rig.get("RIG_AWS_ALIAS_ARN"));
    let with_role = format!("{arn}+{}", bench.rig.get("RIG_AWS_ROLE_ARN"));
    let nobody = [("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", "")];
    let by_variable = [nobody[0], nobody[1], ("AWS_PROFILE", "rig")];
    for (flags, variables) in [
        (&["--kms", arn][..], &[][..]),
        (&["--kms", alias], &[]),
        (&["--kms", arn, "--encryption-context", "Team:sre,App:x"], &[]),
        (&["--kms", &with_role], &[]),
        (&["--kms", arn, "--aws-profile", "rig"], &nobody),
        (&["--kms", arn, "--aws-profile", "rig-role"], &nobody),
        (&["--kms", arn], &by_variable),
    ] {
        let mut entries = Vec::new();
        for (writer, reader) in [(&bench.ksops, &sops), (&sops, &bench.ksops)] {
            let mut entry = bench.encrypted(writer, flags, variables);
            let read = bench.run(reader, &["decrypt", "enc.yaml"], variables);
            assert_eq!(read.output().as_deref(), Ok(YAML.as_bytes()), "{flags:?}");
            entry["enc"] = entry["enc"].as_str().map(str::len).into();
            entry["created_at"] = Value::Null;
            entries.push(entry);
        }
        assert_eq!(entries[0], entries[1], "{flags:?}");
    }
}

#[test]
fn another_context_opens_nothing() {
    let Some(bench) = Bench::new() else { return };
    let arn = bench.rig.get("RIG_AWS_KEY_ARN");
    bench.encrypted(&bench.ksops, &["--kms", arn, "--encryption-context", "Team:sre"], &[]);
    let text = String::from_utf8(bench.sandbox.read("enc.yaml")).expect("text");
    bench.sandbox.write("enc.yaml", text.replace("sre", "other"));
    let read = bench.run(&bench.ksops, &["decrypt", "enc.yaml"], &[]);
    assert_eq!(read.status, 128, "{}", read.report());
    assert!(read.errors().contains("encryption context"), "{}", read.report());
}

#[test]
fn a_fault_has_advice_and_leaves_the_file() {
    let Some(bench) = Bench::new() else { return };
    bench.encrypted(&bench.ksops, &["--kms", bench.rig.get("RIG_AWS_KEY_ARN")], &[]);
    let file = String::from_utf8(bench.sandbox.read("enc.yaml")).expect("text");
    let json = |status, name: &str| {
        let body = format!("{{\"__type\": \"{name}\", \"message\": \"said so\"}}");
        Reply::http(status, "", &body)
    };
    let stub = |reply: Reply| Stub::new(move |_| reply.clone());
    let denied = stub(json(400, "AccessDeniedException"));
    let expired = stub(json(400, "ExpiredTokenException"));
    let disabled = stub(json(400, "DisabledException"));
    let garbage = stub(Reply::http(200, "", "<html>"));
    let busy = Stub::new(move |number| match number {
        0 => Reply::http(429, "Retry-After: 1\r\n", ""),
        _ => json(400, "DisabledException"),
    });
    let at = |stub: &Stub| format!("http://{}", stub.address);
    let tls = format!("https://{}", garbage.address);
    let nobody = [("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", ""), ("AWS_CONFIG_FILE", "/nowhere")];
    for (name, address, variables, words) in [
        ("refused", "http://127.0.0.1:1".to_owned(), &[][..], &["could not connect", "hint: check that"][..]),
        ("denied", at(&denied), &[], &["AccessDeniedException (said so)", "kms:Decrypt"]),
        ("expired", at(&expired), &[], &["log in again"]),
        ("disabled", at(&disabled), &[], &["enable it"]),
        ("garbage", at(&garbage), &[], &["no JSON"]),
        ("busy", at(&busy), &[], &["DisabledException"]),
        ("not TLS", tls, &[], &["hint: "]),
        ("nobody", at(&denied), &nobody, &["no AWS credentials", "aws sso login"]),
    ] {
        bench.sandbox.write("f.enc.yaml", &file);
        let variables =
            [&[("AWS_ENDPOINT_URL", address.as_str()), ("AWS_MAX_ATTEMPTS", "2")], variables].concat();
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

#[test]
fn doctor_tells_whose_credentials_are_used() {
    let Some(bench) = Bench::new() else { return };
    bench.encrypted(&bench.ksops, &["--kms", bench.rig.get("RIG_AWS_KEY_ARN"), "--aws-profile", "rig"], &[]);
    let well = bench.run(&bench.ksops, &["doctor", "enc.yaml"], &[]);
    let table = String::from_utf8_lossy(&well.stdout).into_owned();
    assert!(well.status == 0 && table.contains("profile rig"), "{table}{}", well.report());
    let ill =
        bench.run(&bench.ksops, &["doctor", "enc.yaml"], &[("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")]);
    let table = String::from_utf8_lossy(&ill.stdout).into_owned();
    assert!(ill.status == 1 && table.contains("no AWS credentials"), "{table}{}", ill.report());
}
