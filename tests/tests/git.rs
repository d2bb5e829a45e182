//! Diff and merge drivers in real repositories: merge, rebase, cherry-pick; what comes out is read by real sops.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use ksops_tests::fixtures::AgeKeys;
use ksops_tests::oracle;
use ksops_tests::program::Program;
use ksops_tests::sandbox::Sandbox;

const YAML: &str = "# Settings\nname: demo   # the name\nport: 8080\nlist:\n- a\n- b\n- c\n\nnested:\n    first: 'one'\n    second: \"two\"\n";

struct Repository {
    sandbox: Sandbox,
    keys: AgeKeys,
}

impl Repository {
    /// With the drivers and one encrypted file, committed on `main`.
    fn new() -> Self {
        let (sandbox, keys) = (Sandbox::new(), AgeKeys::read());
        sandbox.write("../home/keys.txt", keys.identities[..2].join("\n").as_bytes());
        let repository = Self { sandbox, keys };
        for arguments in [
            &["init", "-q", "-b", "main", "."][..],
            &["config", "user.name", "t"],
            &["config", "user.email", "t@example.com"],
        ] {
            repository.git(arguments);
        }
        repository.ksops(&["git", "install", "--yes"]);
        repository.sandbox.write("s.yaml", YAML);
        let recipient = repository.keys.recipients[0].clone();
        repository.ksops(&["encrypt", "-i", "--age", &recipient, "s.yaml"]);
        repository.commit("first");
        repository
    }

    fn environment(&self, command: &mut Command) {
        let program = Program::ksops();
        let bin = program.path().parent().map(PathBuf::from).unwrap_or_default();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths([bin].into_iter().chain(std::env::split_paths(&path)));
        command
            .current_dir(self.sandbox.work())
            .env_clear()
            .env("PATH", path.expect("no colon in it"))
            .env("HOME", self.sandbox.home())
            .env("TMPDIR", self.sandbox.tmp())
            .env("GIT_EDITOR", "true")
            // Nobody is there to type anything.
            .env("EDITOR", "false")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("SOPS_AGE_KEY_FILE", self.sandbox.home().join("keys.txt"));
    }

    fn output(&self, program: &std::path::Path, arguments: &[&str], more: &[(&str, &str)]) -> Output {
        let mut command = Command::new(program);
        self.environment(&mut command);
        command.args(arguments).envs(more.iter().copied());
        command.output().expect("it runs")
    }

    fn git_says(&self, arguments: &[&str]) -> Output {
        self.output("git".as_ref(), arguments, &[])
    }

    fn git(&self, arguments: &[&str]) -> String {
        let output = self.git_says(arguments);
        assert!(output.status.success(), "git {arguments:?}: {output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn ksops(&self, arguments: &[&str]) -> String {
        let output = self.output(Program::ksops().path(), arguments, &[]);
        assert!(output.status.success(), "ksops {arguments:?}: {output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn commit(&self, message: &str) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", message]);
    }

    fn set(&self, path: &str, value: &str) {
        self.ksops(&["set", "s.yaml", path, value]);
    }

    /// Does `theirs` on a branch and `ours` on `main`, each with a commit.
    fn parted(&self, ours: impl Fn(&Self), theirs: impl Fn(&Self)) {
        self.git(&["checkout", "-q", "-b", "side"]);
        theirs(self);
        self.commit("theirs");
        self.git(&["checkout", "-q", "main"]);
        ours(self);
        self.commit("ours");
    }

    fn text(&self) -> String {
        fs::read_to_string(self.sandbox.work().join("s.yaml")).expect("a file")
    }

    /// The values, decrypted by ksops, and by real sops if it is there.
    fn plain(&self) -> String {
        let plain = self.ksops(&["decrypt", "s.yaml"]);
        if let Some(sops) = oracle::sops() {
            let by_sops = self.output(sops.path(), &["decrypt", "s.yaml"], &[]);
            assert!(by_sops.status.success(), "{by_sops:?}");
            let ours = self.ksops(&["decrypt", "--layout", "upstream", "s.yaml"]);
            assert_eq!(String::from_utf8_lossy(&by_sops.stdout), ours);
        }
        plain
    }
}

#[test]
fn both_sides_add_and_change_keys() {
    let repository = Repository::new();
    repository.parted(
        |ours| {
            ours.set(r#"["port"]"#, "9090");
            ours.set(r#"["ours"]"#, "\"x\"");
        },
        |theirs| {
            theirs.set(r#"["nested"]["second"]"#, "\"zwei\"");
            theirs.set(r#"["nested"]["third"]"#, "3");
            theirs.set(r#"["list"][7]"#, "\"d\"");
        },
    );
    let before = repository.text();
    repository.git(&["merge", "-q", "-m", "merged", "side"]);
    let wanted = YAML
        .replace("8080", "9090")
        .replace("\"two\"\n", "\"zwei\"\n    third: 3\nours: x\n")
        .replace("- c\n", "- c\n- d\n");
    assert_eq!(repository.plain(), wanted);
    // What did not change keeps its ciphertext.
    let after = repository.text();
    let kept = before.lines().filter(|line| line.contains("ENC[") && after.contains(line)).count();
    let all = before.lines().filter(|line| line.contains("ENC[")).count();
    assert_eq!(all - kept, 2, "`second` and the MAC");
}

#[test]
fn rebase_and_cherry_pick_merge_too() {
    for way in ["rebase", "cherry-pick"] {
        let repository = Repository::new();
        repository.parted(|ours| ours.set(r#"["port"]"#, "1"), |theirs| theirs.set(r#"["name"]"#, "\"new\""));
        repository.git(&[way, "side"]);
        assert_eq!(repository.plain(), YAML.replace("8080", "1").replace("demo", "new"), "{way}");
    }
}

#[test]
fn a_real_conflict_has_readable_markers_and_is_resolved_in_the_editor() {
    let repository = Repository::new();
    repository.parted(
        |ours| {
            ours.set(r#"["port"]"#, "1");
            ours.set(r#"["name"]"#, "\"ours\"");
        },
        |theirs| {
            theirs.set(r#"["port"]"#, "2");
            theirs.set(r#"["nested"]["first"]"#, "\"theirs\"");
        },
    );
    let said = repository.git_says(&["merge", "side"]);
    assert!(!said.status.success());
    assert!(String::from_utf8_lossy(&said.stderr).contains(r#"both sides changed ["port"]"#), "{said:?}");
    let text = repository.text();
    let lines: Vec<&str> = text.lines().collect();
    let start = lines.iter().position(|line| *line == "<<<<<<< ours").expect("a marker");
    assert!(
        lines[start + 1].starts_with("port: ENC[") && lines[start + 3].starts_with("port: ENC["),
        "{text}"
    );
    assert_eq!((lines[start + 2], lines[start + 4]), ("=======", ">>>>>>> theirs"));
    assert_eq!(text.matches("<<<<<<<").count(), 1, "nothing else conflicts: {text}");

    // The editor sees both sides in plain text, and chooses the second.
    let editor = repository.sandbox.work().join("../home/editor.sh");
    let script =
        "#!/bin/sh\ncp \"$1\" ../home/seen\nsed -i -e '/^<<<<<<</,/^=======$/d' -e '/^>>>>>>>/d' \"$1\"\n";
    fs::write(&editor, script).expect("own folder");
    let more = [("EDITOR", format!("sh {}", editor.display()))];
    let more: Vec<(&str, &str)> = more.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let done = repository.output(Program::ksops().path(), &["mergetool", "s.yaml"], &more);
    assert!(done.status.success(), "{done:?}");
    let seen = fs::read_to_string(repository.sandbox.home().join("seen")).expect("the editor ran");
    assert!(seen.contains("<<<<<<< ours\nport: 1\n=======\nport: 2\n>>>>>>> theirs\n"), "{seen}");
    let wanted = YAML.replace("8080", "2").replace("demo", "ours").replace("'one'", "'theirs'");
    assert_eq!(repository.plain(), wanted);
    let left: Vec<_> = fs::read_dir(repository.sandbox.tmp()).expect("a folder").collect();
    assert!(left.is_empty(), "plaintext is left: {left:?}");
}

#[test]
fn a_file_with_markers_in_its_metadata_is_merged() {
    let repository = Repository::new();
    // As without the driver: git puts markers around lines, those of the metadata among them.
    fs::write(repository.sandbox.work().join(".gitattributes"), "").expect("own folder");
    repository.git(&["config", "merge.conflictStyle", "diff3"]);
    repository.commit("no driver");
    repository.parted(|ours| ours.set(r#"["port"]"#, "1"), |theirs| theirs.set(r#"["name"]"#, "\"new\""));
    assert!(!repository.git_says(&["merge", "side"]).status.success());
    assert!(repository.text().contains("<<<<<<<"));
    // Committed like that, so that git keeps no other version.
    repository.commit("conflict");
    repository.ksops(&["mergetool", "s.yaml"]);
    let plain = repository.plain();
    assert!(plain.contains("name: new ") && !plain.contains("<<<"), "{plain}");
}

#[test]
fn one_side_rotates_and_the_other_changes() {
    for rotates_here in [true, false] {
        let repository = Repository::new();
        let rotate = |repository: &Repository| {
            repository.ksops(&["rotate", "-i", "s.yaml"]);
        };
        let change = |repository: &Repository| repository.set(r#"["port"]"#, "1");
        match rotates_here {
            true => repository.parted(rotate, change),
            false => repository.parted(change, rotate),
        }
        repository.git(&["merge", "-q", "-m", "merged", "side"]);
        assert_eq!(repository.plain(), YAML.replace("8080", "1"), "{rotates_here}");
    }
}

#[test]
fn one_side_adds_a_recipient_and_the_other_renames_and_removes() {
    let repository = Repository::new();
    let second = repository.keys.recipients[1].clone();
    repository.parted(
        |ours| {
            ours.ksops(&["unset", "s.yaml", r#"["name"]"#]);
            ours.set(r#"["title"]"#, "\"demo\"");
        },
        |theirs| {
            theirs.ksops(&["rotate", "-i", "--add-age", &second, "--accept-recipients", "s.yaml"]);
        },
    );
    repository.git(&["merge", "-q", "-m", "merged", "side"]);
    let plain = repository.plain();
    assert!(plain.contains("title: demo\n") && !plain.contains("name:"), "{plain}");
    assert!(repository.text().contains(&second));
    let only = repository.keys.identities[1].clone();
    repository.sandbox.write("../home/keys.txt", only.as_bytes());
    assert!(repository.plain().contains("title: demo"), "the new recipient can read it");
}

#[test]
fn git_diff_shows_values_and_keeps_nothing_plain() {
    let repository = Repository::new();
    repository.set(r#"["port"]"#, "31337");
    let diff = repository.git(&["diff"]);
    assert!(diff.contains("-port: 8080\n+port: 31337\n"), "{diff}");
    // With a folder for the run time of the session the texts are remembered, encrypted.
    let runtime = repository.sandbox.work().join("../runtime");
    fs::create_dir_all(&runtime).expect("own folder");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&runtime, fs::Permissions::from_mode(0o700)).expect("own folder");
    }
    let runtime = runtime.canonicalize().expect("just made");
    let more = [("XDG_RUNTIME_DIR", runtime.to_str().expect("a path"))];
    for _ in 0..2 {
        let diff = repository.output("git".as_ref(), &["diff"], &more);
        assert!(String::from_utf8_lossy(&diff.stdout).contains("+port: 31337\n"), "{diff:?}");
    }
    let kept: Vec<_> =
        fs::read_dir(repository.sandbox.work().join(".git/ksops/diff")).expect("a cache").collect();
    assert_eq!(kept.len(), 2);
    for entry in kept {
        let text = fs::read(entry.expect("an entry").path()).expect("a file");
        assert!(text.starts_with(b"ENC[AES256_GCM,"));
    }
    // Also without the key, from the cache only.
    fs::remove_file(repository.sandbox.home().join("keys.txt")).expect("it is there");
    let diff = repository.output("git".as_ref(), &["diff"], &more);
    assert!(String::from_utf8_lossy(&diff.stdout).contains("+port: 31337\n"), "{diff:?}");
}

#[test]
fn a_plain_file_is_left_to_git() {
    let repository = Repository::new();
    repository.sandbox.write("plain.yaml", "a: 1\nb: 2\nc: 3\nd: 4\ne: 5\n");
    repository.commit("plain");
    repository.parted(
        |ours| drop(ours.sandbox.write("plain.yaml", "a: 9\nb: 2\nc: 3\nd: 4\ne: 5\n")),
        |theirs| drop(theirs.sandbox.write("plain.yaml", "a: 1\nb: 2\nc: 3\nd: 4\ne: 9\n")),
    );
    repository.git(&["merge", "-q", "-m", "merged", "side"]);
    let text = fs::read_to_string(repository.sandbox.work().join("plain.yaml")).expect("a file");
    assert_eq!(text, "a: 9\nb: 2\nc: 3\nd: 4\ne: 9\n");
}
