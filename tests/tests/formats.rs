//! Conversions between formats, by ksops and by real sops.

use ksops_tests::fixtures::AgeKeys;
use ksops_tests::oracle;
use ksops_tests::program::{Outcome, Program};
use ksops_tests::sandbox::Sandbox;

/// The same three entries in each format.
const FLAT: [(&str, &str, &str); 3] = [
    ("yaml", "yaml", "a: one\nb: \"two\\nlines\"\nc_unencrypted: three\n"),
    ("json", "json", "{\"a\": \"one\", \"b\": \"two\\nlines\", \"c_unencrypted\": \"three\"}"),
    ("env", "dotenv", "a=one\nb=two\\nlines\nc_unencrypted=three\n"),
];

/// The same section in each format that has sections.
const DEEP: [(&str, &str, &str); 3] = [
    ("yaml", "yaml", "DEFAULT: {}\ns:\n    a: one\n    b: two\n"),
    ("json", "json", "{\"DEFAULT\": {}, \"s\": {\"a\": \"one\", \"b\": \"two\"}}"),
    ("ini", "ini", "[s]\na = one\nb = two\n"),
];

struct Bench {
    sandbox: Sandbox,
    ksops: Program,
    recipient: String,
}

impl Bench {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        sandbox.write("keys.txt", AgeKeys::read().identity_file());
        Self { sandbox, ksops: Program::ksops(), recipient: AgeKeys::read().recipients[0].clone() }
    }

    fn encrypt(&self, file: &str, more: &[&str]) -> Outcome {
        self.ksops.call(&self.sandbox).args(["encrypt", "--age", &self.recipient]).args(more).arg(file).run()
    }

    fn decrypt(&self, program: &Program, types: [&str; 2]) -> Outcome {
        let keys = self.sandbox.path("keys.txt");
        let [input, output] = types;
        let call = program.call(&self.sandbox).env("SOPS_AGE_KEY_FILE", keys);
        let call = call.env("KSOPS_LAYOUT", "upstream");
        call.args(["decrypt", "--input-type", input, "--output-type", output, "converted"]).run()
    }
}

#[test]
fn every_conversion_is_read_alike() {
    let Some(sops) = oracle::sops() else { return };
    let bench = Bench::new();
    let mut count = 0;
    for group in [FLAT, DEEP] {
        for (suffix, _, text) in group {
            let name = format!("plain.{suffix}");
            bench.sandbox.write(&name, text);
            for (_, target, _) in group {
                let encrypted = bench.encrypt(&name, &["--output-type", target]);
                let encrypted =
                    encrypted.output().unwrap_or_else(|said| panic!("{suffix} to {target}: {said}"));
                bench.sandbox.write("converted", encrypted);
                for (_, back, _) in group {
                    let ours = bench.decrypt(&bench.ksops, [target, back]).output();
                    let theirs = bench.decrypt(&sops, [target, back]).output();
                    assert!(ours.is_ok(), "{suffix} to {target} to {back}: {ours:?}");
                    assert_eq!(ours, theirs, "{suffix} to {target} to {back}");
                    count += 1;
                }
            }
        }
    }
    assert_eq!(count, 54);
}

#[test]
fn what_the_output_cannot_hold_is_refused() {
    let bench = Bench::new();
    let cases = [
        ("bool.yaml", "a: true\n", "dotenv", "a value has another type (at a)"),
        ("null.yaml", "a: x\nb:\n", "dotenv", "dotenv cannot hold this file"),
        ("list.yaml", "a: [x]\n", "dotenv", "cannot use complex value in dotenv file; offending key a"),
        ("quoted.json", "{\"s\": {\"a\": \"'x'\"}}", "ini", "ini cannot hold this file"),
        ("scalar.yaml", "a: x\n", "ini", "Section values should always be TreeBranches"),
        ("nan.yaml", "a: x\nb: .nan\n", "json", "JSON has no form for the float64 at b"),
        ("two.yaml", "a: x\n---\na: y\n", "json", "json holds one document only"),
    ];
    for (name, text, target, reason) in cases {
        bench.sandbox.write(name, text);
        let more = ["--output-type", target, "--encrypted-regex", "^none$", "--allow-unencrypted"];
        let found = bench.encrypt(name, &more);
        assert_eq!(found.status, 4, "{name}: {}", found.report());
        assert!(found.errors().contains(reason) && found.stdout.is_empty(), "{name}: {}", found.report());
    }
}

#[test]
fn any_bytes_come_back() {
    let Some(sops) = oracle::sops() else { return };
    let bench = Bench::new();
    let every_byte: Vec<u8> = (0..=255).cycle().take(5_000).collect();
    for bytes in [every_byte, Vec::new(), b"{\"data\": 1}\n".to_vec()] {
        bench.sandbox.write("plain.bin", &bytes);
        let encrypted = bench.encrypt("plain.bin", &[]).output().expect("any bytes can be encrypted");
        bench.sandbox.write("converted", encrypted);
        for program in [&bench.ksops, &sops] {
            assert_eq!(bench.decrypt(program, ["binary", "binary"]).output(), Ok(bytes.clone()));
        }
    }
}
