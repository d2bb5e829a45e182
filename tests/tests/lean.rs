//! A build with age and Azure alone (`test.sh` makes it, and names it in `KSOPS_LEAN`): what it lacks it refuses aloud.

use std::path::PathBuf;

use ksops_tests::etc::Etc;
use ksops_tests::fixtures::AgeKeys;
use ksops_tests::oracle;
use ksops_tests::program::Program;
use ksops_tests::sandbox::Sandbox;

fn lean() -> Option<Program> {
    let found = std::env::var_os("KSOPS_LEAN").map(PathBuf::from).filter(|path| path.is_file());
    if found.is_none() {
        oracle::skipped("the lean build");
    }
    found.map(Program::at)
}

#[test]
fn what_is_there_works_and_what_is_not_is_named() {
    let Some(lean) = lean() else { return };
    let (sandbox, keys) = (Sandbox::new(), AgeKeys::read());
    sandbox.write("f.yaml", "a: text\n");
    sandbox.write("keys.txt", keys.identity_file());
    let run = |args: &[&str]| {
        lean.call(&sandbox).env("SOPS_AGE_KEY_FILE", sandbox.path("keys.txt")).args(args).run()
    };
    for key in [
        ["--pgp", "0123456789ABCDEF0123456789ABCDEF01234567"],
        ["--kms", "arn:aws:kms:eu-west-1:123456789012:key/k"],
        ["--gcp-kms", "projects/p/locations/l/keyRings/r/cryptoKeys/k"],
        ["--hc-vault-transit", "https://vault.example/v1/transit/keys/k"],
        ["--hckms", "tr-west-1:0d0466b0-e727-4d9c-b35d-f84bb474a37f"],
    ] {
        let refused = run(&["encrypt", "-i", key[0], key[1], "f.yaml"]);
        assert_eq!(refused.status, 1, "{key:?}: {}", refused.report());
        assert!(refused.errors().contains("of type"), "{key:?}: {}", refused.report());
        assert_eq!(sandbox.read("f.yaml"), b"a: text\n", "{key:?}");
    }
    assert_eq!(run(&["encrypt", "-i", "--age", &keys.recipients[0], "f.yaml"]).status, 0);
    assert_eq!(run(&["decrypt", "f.yaml"]).output().as_deref(), Ok("a: text\n".as_bytes()));
    let refused = run(&["keyservice"]);
    assert!(refused.status == 1 && refused.errors().contains("not in this build"), "{}", refused.report());
    sandbox.write(
        ".sops.yaml",
        "destination_rules:\n  - vault_path: x\n    vault_address: https://127.0.0.1:1\n",
    );
    let refused = run(&["publish", "-y", "f.yaml"]);
    assert!(refused.status == 1 && refused.errors().contains("this build"), "{}", refused.report());
}

#[test]
fn an_audit_that_it_cannot_write_stops_it() {
    let Some(lean) = lean() else { return };
    let (sandbox, keys) = (Sandbox::new(), AgeKeys::read());
    sandbox.write("f.yaml", "a: text\n");
    let etc = Etc::new(&sandbox);
    etc.audit("backends: {postgres: [{connection_string: 'host=127.0.0.1'}]}\n");
    let call = etc.call(&lean, &sandbox).args(["encrypt", "-i", "--age", &keys.recipients[0], "f.yaml"]);
    let refused = call.run();
    assert_eq!(refused.status, 1, "{}", refused.report());
    assert!(refused.errors().contains("this build of ksops cannot write it"), "{}", refused.report());
    assert_eq!(sandbox.read("f.yaml"), b"a: text\n");
}
