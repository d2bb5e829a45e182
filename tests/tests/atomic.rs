//! Writing in place loses nothing (security.md S10): not the mode, not a link, and not the file when the write fails.
//!
//! With real sops in place of ksops the tests of a full disk and of a kill show the loss, which proves that they see it.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::time::Duration;

use ksops_tests::failures;
use ksops_tests::fixtures::AgeKeys;
use ksops_tests::program::{Outcome, Program};
use ksops_tests::sandbox::Sandbox;

/// A file that takes some time and more than one block.
fn large() -> String {
    (0..2000).map(|number| format!("key{number}: value of some length, number {number}\n")).collect()
}

fn encrypt_args() -> Vec<String> {
    let age = AgeKeys::read().recipients[0].clone();
    ["encrypt", "--in-place=true", "--age", &age, "f.yaml"].map(str::to_owned).to_vec()
}

fn encrypt(sandbox: &Sandbox) -> Outcome {
    Program::ksops().call(sandbox).args(encrypt_args()).run()
}

fn decrypted(sandbox: &Sandbox, name: &str) -> Result<Vec<u8>, String> {
    let ksops = Program::ksops();
    let call = ksops.call(sandbox).env("SOPS_AGE_KEY", &AgeKeys::read().identities[0]);
    call.args(["decrypt", name]).run().output()
}

#[test]
fn mode_and_owner_stay_and_no_other_file_is_left() {
    let sandbox = Sandbox::new();
    let path = sandbox.write("f.yaml", "a: b\n");
    let is_root = path.metadata().expect("just written").uid() == 0;
    if is_root {
        chown(&path, Some(12345), Some(12346)).expect("root may");
    }
    for mode in [0o600, 0o640, 0o664, 0o755] {
        sandbox.write("f.yaml", "a: b\n");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("own file");
        assert_eq!(encrypt(&sandbox).status, 0);
        let data = path.metadata().expect("still there");
        assert_eq!(data.permissions().mode() & 0o7777, mode);
        assert!(
            !is_root || (data.uid(), data.gid()) == (12345, 12346),
            "owner {}:{}",
            data.uid(),
            data.gid()
        );
    }
    assert_eq!(sandbox.files(), ["f.yaml"]);
}

#[test]
fn a_symbolic_link_stays_and_its_target_is_written() {
    let sandbox = Sandbox::new();
    sandbox.write("folder/target.yaml", "a: b\n");
    symlink("folder/target.yaml", sandbox.path("middle.yaml")).expect("an empty folder");
    symlink("middle.yaml", sandbox.path("f.yaml")).expect("an empty folder");
    assert_eq!(encrypt(&sandbox).status, 0);
    assert!(sandbox.path("f.yaml").is_symlink() && sandbox.path("middle.yaml").is_symlink());
    assert_eq!(decrypted(&sandbox, "folder/target.yaml"), Ok(b"a: b\n".to_vec()));
    assert_eq!(sandbox.files(), ["f.yaml", "folder/", "folder/target.yaml", "middle.yaml"]);
}

#[test]
fn every_name_of_a_hard_link_sees_what_is_written() {
    let sandbox = Sandbox::new();
    let path = sandbox.write("f.yaml", "a: b\n");
    fs::hard_link(&path, sandbox.path("other.yaml")).expect("an empty folder");
    assert_eq!(encrypt(&sandbox).status, 0);
    assert_eq!(sandbox.read("f.yaml"), sandbox.read("other.yaml"));
    assert_eq!(decrypted(&sandbox, "other.yaml"), Ok(b"a: b\n".to_vec()));
}

#[test]
fn a_file_in_a_folder_that_cannot_be_written_is_written_in_place() {
    const OTHER: u32 = 65534;
    let sandbox = Sandbox::new();
    let path = sandbox.write("f.yaml", "a: b\n");
    let is_root = path.metadata().expect("just written").uid() == 0;
    let ksops = sandbox.root().join("ksops");
    fs::copy(Program::ksops().path(), &ksops).expect("the program can be read");
    if is_root {
        chown(&path, Some(OTHER), Some(OTHER)).expect("root may");
    }
    fs::set_permissions(sandbox.work(), fs::Permissions::from_mode(0o555)).expect("own folder");
    let ksops = Program::at(ksops);
    let call = ksops.call(&sandbox).args(encrypt_args());
    let outcome = if is_root { call.user(OTHER).run() } else { call.run() };
    fs::set_permissions(sandbox.work(), fs::Permissions::from_mode(0o755)).expect("own folder");
    assert_eq!(outcome.status, 0, "{}", outcome.report());
    assert_eq!(decrypted(&sandbox, "f.yaml"), Ok(b"a: b\n".to_vec()));
}

/// Runs the in-place encryption with files limited to a few blocks, as on a disk that fills up.
fn with_full_disk(sandbox: &Sandbox, signal: &str) -> Outcome {
    let script = format!("{signal}ulimit -f 8; exec \"$0\" \"$@\"");
    let shell = Program::at("/bin/sh");
    let ksops = Program::ksops().path().canonicalize().expect("found before");
    shell.call(sandbox).args(["-c", &script]).arg(ksops).args(encrypt_args()).run()
}

#[test]
fn a_full_disk_leaves_the_old_file() {
    for signal in ["trap '' XFSZ; ", ""] {
        let sandbox = Sandbox::new();
        sandbox.write("f.yaml", large());
        let outcome = with_full_disk(&sandbox, signal);
        assert_ne!(outcome.status, 0);
        let kept = sandbox.read("f.yaml") == large().as_bytes();
        if Program::ksops().is_upstream() {
            assert!(!kept, "upstream truncates first, so the test must see a loss");
            continue;
        }
        assert!(kept, "the file is damaged: {}", outcome.report());
        if !signal.is_empty() {
            // The program was told, and could clean up.
            assert_eq!(sandbox.files(), ["f.yaml"], "{}", outcome.report());
            assert_eq!(outcome.status, 3, "{}", outcome.report());
        }
    }
}

#[test]
fn a_full_disk_leaves_the_old_output() {
    let sandbox = Sandbox::new();
    sandbox.write("f.yaml", large());
    sandbox.write("there.yaml", "old: output\n");
    let age = AgeKeys::read().recipients[0].clone();
    let ksops = Program::ksops().path().canonicalize().expect("found before");
    let shell = Program::at("/bin/sh");
    let call = shell.call(&sandbox).args(["-c", "trap '' XFSZ; ulimit -f 8; exec \"$0\" \"$@\""]).arg(ksops);
    let outcome = call.args(["encrypt", "--age", &age, "--output", "there.yaml", "f.yaml"]).run();
    assert_ne!(outcome.status, 0);
    if !Program::ksops().is_upstream() {
        assert_eq!(sandbox.read("there.yaml"), b"old: output\n", "{}", outcome.report());
        assert_eq!(sandbox.files(), ["f.yaml", "there.yaml"]);
    }
}

#[test]
fn a_kill_at_any_moment_leaves_the_old_or_the_new_file() {
    const STEPS: u32 = 40;
    let first = Sandbox::new();
    first.write("f.yaml", large());
    let whole = encrypt(&first).took;
    let ksops = Program::ksops().path().canonicalize().expect("found before");
    let timeout = Program::at("/usr/bin/timeout");
    let mut failed = Vec::new();
    for step in 1..=STEPS {
        let sandbox = Sandbox::new();
        let path = sandbox.write("f.yaml", large());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("own file");
        let after = Duration::from_micros(
            u64::try_from(whole.as_micros()).unwrap_or(1) * u64::from(step) / u64::from(STEPS),
        );
        let seconds = format!("{:.4}", after.as_secs_f64().max(0.001));
        let call = timeout.call(&sandbox).args(["-s", "KILL", &seconds]).arg(&ksops);
        let outcome = call.args(encrypt_args()).run();
        let old = sandbox.read("f.yaml") == large().as_bytes();
        if !old && decrypted(&sandbox, "f.yaml") != Ok(large().into_bytes()) {
            failed.push(format!("killed after {seconds} s of {whole:?}: damaged, {}", outcome.report()));
        }
        for name in sandbox.files() {
            let mode = sandbox
                .path(&name)
                .metadata()
                .map(|data| data.permissions().mode() & 0o077)
                .unwrap_or_default();
            if mode != 0 {
                failed.push(format!("killed after {seconds} s: {name} can be read by others"));
            }
        }
    }
    if Program::ksops().is_upstream() {
        return; // Upstream truncates first: whether a kill hits that moment is luck.
    }
    failures::none("kills", STEPS as usize, &failed);
}

#[test]
fn a_failure_leaves_the_file_its_bytes_and_its_time() {
    let sandbox = Sandbox::new();
    let path = sandbox.write("f.yaml", "a: [\n");
    let before = path.metadata().expect("just written");
    assert_eq!(encrypt(&sandbox).status, 2);
    let after = path.metadata().expect("still there");
    assert_eq!(
        (before.ino(), before.mtime_nsec(), before.len()),
        (after.ino(), after.mtime_nsec(), after.len())
    );
    assert_eq!(sandbox.files(), ["f.yaml"]);
}
