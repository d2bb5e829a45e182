//! Huawei Cloud KMS keys, crosswise with real sops against the rig, which verifies every signature, and what can go wrong.

use std::fs;
use std::time::Duration;

use ksops_tests::exports::Exports;
use ksops_tests::oracle;
use ksops_tests::program::{Outcome, Program};
use ksops_tests::sandbox::Sandbox;
use ksops_tests::stub::{Reply, Stub};
use serde_json::Value;

const YAML: &str = "a: 1\nb: text\n";
const NO_AK: (&str, &str) = ("HUAWEICLOUD_SDK_AK", "");
const NO_SK: (&str, &str) = ("HUAWEICLOUD_SDK_SK", "");
const NO_PROJECT: (&str, &str) = ("HUAWEICLOUD_SDK_PROJECT_ID", "");

struct Bench {
    sandbox: Sandbox,
    ksops: Program,
    rig: Exports,
}

impl Bench {
    fn new() -> Option<Self> {
        let rig = Exports::of("hckms")?;
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
            self.run(program, &["encrypt", "--hckms", self.rig.get("RIG_HCKMS_KEY"), "f.yaml"], variables);
        assert_eq!(made.status, 0, "{variables:?}: {}", made.report());
        self.sandbox.write("enc.yaml", &made.stdout);
        serde_yaml_ng::from_slice::<Value>(&made.stdout).expect("YAML")["sops"]["hckms"][0].clone()
    }
}

#[test]
fn each_program_reads_the_other_by_every_credential() {
    let (Some(sops), Some(bench)) = (oracle::sops(), Bench::new()) else { return };
    let file = bench.sandbox.home().join(".huaweicloud/credentials");
    fs::create_dir_all(file.parent().expect("a folder")).expect("own home");
    let (ak, sk) = (bench.rig.get("HUAWEICLOUD_SDK_AK"), bench.rig.get("HUAWEICLOUD_SDK_SK"));
    fs::write(&file, format!("[basic]\nak = {ak}\nsk = {sk}\n")).expect("own home");
    for variables in [&[][..], &[NO_PROJECT], &[NO_AK, NO_SK]] {
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
fn a_fault_has_advice_and_leaves_the_file() {
    let Some(bench) = Bench::new() else { return };
    bench.encrypted(&bench.ksops, &[]);
    let file = String::from_utf8(bench.sandbox.read("enc.yaml")).expect("text");
    let error = |status: u16| {
        Reply::http(status, "", "{\"error\": {\"error_code\": \"KMS.0001\", \"error_msg\": \"said so\"}}")
    };
    let stub = |reply: Reply| Stub::new(move |_| reply.clone());
    let denied = stub(error(403));
    let garbage = stub(Reply::http(200, "", "<html>"));
    let busy = Stub::new(move |number| match number {
        0 => Reply::http(429, "Retry-After: 1\r\n", ""),
        _ => error(400),
    });
    let at = |stub: &Stub| format!("http://{}", stub.address);
    let tls = format!("https://{}", garbage.address);
    let other = [("HUAWEICLOUD_SDK_SK", "hush-key")];
    let no_project = [NO_PROJECT, ("HUAWEICLOUD_SDK_IAM_ENDPOINT", "https://127.0.0.1:1")];
    let rig = bench.rig.get("HUAWEICLOUD_SDK_REGION_KMS_TR_WEST_1").to_owned();
    for (name, address, variables, words) in [
        (
            "refused",
            "http://127.0.0.1:1".to_owned(),
            &[][..],
            &["could not connect", "hint: check the region"][..],
        ),
        ("denied", at(&denied), &[], &["403 KMS.0001 (said so)", "kms:cmk:decryptData"]),
        ("garbage", at(&garbage), &[], &["no JSON"]),
        ("busy", at(&busy), &[], &["KMS.0001"]),
        ("not TLS", tls, &[], &["hint: "]),
        ("another secret key", rig.clone(), &other, &["401", "access key is not valid"]),
        ("no project", rig, &no_project, &["could not connect"]),
    ] {
        bench.sandbox.write("f.enc.yaml", &file);
        let variables = [&[("HUAWEICLOUD_SDK_REGION_KMS_TR_WEST_1", address.as_str())], variables].concat();
        let found = bench.run(&bench.ksops, &["decrypt", "-i", "f.enc.yaml"], &variables);
        assert_eq!(found.status, 128, "{name}: {}", found.report());
        let errors = found.errors();
        let told: Vec<&str> = errors.split_whitespace().filter(|word| *word != "|").collect();
        let told = told.join(" ");
        for word in words {
            assert!(told.contains(word), "{name}: no {word:?} in {told}");
        }
        assert!(!told.contains("hush-key"), "{name}: {told}");
        assert_eq!(bench.sandbox.read("f.enc.yaml"), file.as_bytes(), "{name}");
        assert!(found.took < Duration::from_secs(30), "{name}: {:?}", found.took);
    }
    assert_eq!(busy.seen().len(), 2, "asked again after the wait");
}
