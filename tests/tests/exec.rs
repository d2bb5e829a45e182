//! `exec-env` and `exec-file`: the command gets what real sops would give it, signals reach it, and no plaintext stays
//! behind (cli-and-config.md section 8, security.md S16).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use ksops_tests::fixtures::AgeKeys;
use ksops_tests::oracle;
use ksops_tests::program::{Outcome, Program};
use ksops_tests::sandbox::Sandbox;

const FLAT: &str = "a: 1\nb: text\nf: 1.5\nl: 1e+20\nt: true\n\"n\": null\nd: 2020-01-02T00:00:00Z\nm: |\n    two\n    lines\n";

struct Bench {
    sandbox: Sandbox,
    ksops: Program,
}

impl Bench {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        sandbox.write("keys.txt", AgeKeys::read().identities[0].as_bytes());
        let bench = Self {
            sandbox,
            ksops: Program::at(Program::ksops().path().canonicalize().expect("found before")),
        };
        bench.encrypted("f.yaml", FLAT);
        bench
    }

    fn encrypted(&self, name: &str, text: &str) {
        self.sandbox.write(name, text);
        let age = &AgeKeys::read().recipients[0];
        let made = self.ksops.call(&self.sandbox).args(["encrypt", "-i", "--age", age, name]).run();
        assert_eq!(made.status, 0, "{}", made.report());
    }

    fn run_by(&self, program: &Program, args: &[&str]) -> Outcome {
        let keys = self.sandbox.path("keys.txt");
        program.call(&self.sandbox).env("SOPS_AGE_KEY_FILE", keys).args(args).run()
    }

    fn run(&self, args: &[&str]) -> Outcome {
        self.run_by(&self.ksops, args)
    }

    /// Starts ksops and leaves it running. Whoever started the tests may have made signals ignored.
    fn start(&self, args: &[&str]) -> Child {
        self.start_by(&["--default-signal"], args)
    }

    fn start_by(&self, signals: &[&str], args: &[&str]) -> Child {
        let mut command = Command::new("/usr/bin/env");
        command.args(signals).arg(self.ksops.path());
        command.args(args).env("SOPS_AGE_KEY_FILE", self.sandbox.path("keys.txt"));
        command.env("TMPDIR", self.sandbox.tmp()).current_dir(self.sandbox.work());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().expect("starts")
    }

    fn left_behind(&self) -> Vec<PathBuf> {
        until(|| below(&self.sandbox.tmp()).is_empty());
        below(&self.sandbox.tmp())
    }
}

fn until(done: impl Fn() -> bool) {
    let start = Instant::now();
    while !done() && start.elapsed() < Duration::from_secs(20) {
        thread::sleep(Duration::from_millis(10));
    }
}

fn below(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

fn kill(signal: &str, process: u32) {
    let status = Command::new("kill").args([signal, &process.to_string()]).status().expect("kill");
    assert!(status.success());
}

#[test]
fn the_environment_is_the_one_that_sops_makes() {
    let Some(sops) = oracle::sops() else { return };
    let bench = Bench::new();
    bench.encrypted("f.env", "# c\nA=one\nB=two\\nlines\n");
    bench.encrypted("f.json", "{\"a\": 1, \"f\": 2.5, \"n\": null, \"b\": false}");
    bench.encrypted("f.bin", "bytes");
    for file in ["f.yaml", "f.env", "f.json", "f.bin"] {
        let args = ["exec-env", "--pristine", file, "env -0 | sort -z"];
        let (ours, theirs) = (bench.run(&args), bench.run_by(&sops, &args));
        assert_eq!(ours.status, 0, "{file}: {}", ours.report());
        assert_eq!(String::from_utf8_lossy(&ours.stdout), String::from_utf8_lossy(&theirs.stdout), "{file}");
    }
    let empty = bench.run(&["exec-env", "--null-as-empty", "f.yaml", "printf %s \"<$n>\""]);
    assert_eq!(String::from_utf8_lossy(&empty.stdout), "<>");
}

#[test]
fn statuses_are_those_of_the_command() {
    let Some(sops) = oracle::sops() else { return };
    let bench = Bench::new();
    for command in ["exit 0", "exit 7", "kill -9 $$", "kill -TERM $$", "nosuchprogram"] {
        for kind in [&["exec-env"][..], &["exec-file", "--no-fifo"], &["exec-file"]] {
            let args = [kind, &["f.yaml", command]].concat();
            // Where nobody opens the pipe it is chance whether sops dies of its own writer or ends as the command did.
            let theirs = match kind {
                ["exec-file"] => bench.run_by(&sops, &["exec-file", "--no-fifo", "f.yaml", command]),
                _ => bench.run_by(&sops, &args),
            };
            let ours = bench.run(&args);
            assert_eq!(ours.status, theirs.status, "{args:?}: {}", ours.report());
            assert_eq!(ours.errors(), theirs.errors(), "{args:?}");
        }
    }
    assert_eq!(bench.left_behind(), <[PathBuf; 0]>::default());
}

#[test]
fn words_behind_the_dashes_reach_the_program_as_they_are() {
    let bench = Bench::new();
    let found = bench.run(&["exec-env", "f.yaml", "--", "printf", "[%s]", "$b", "a b", "--user"]);
    assert_eq!((found.status, String::from_utf8_lossy(&found.stdout).as_ref()), (0, "[$b][a b][--user]"));
    bench.encrypted("g.yaml", "b: other\n");
    let found = bench.run(&["exec-env", "f.yaml", "g.yaml", "--", "printenv", "b", "t"]);
    assert_eq!(String::from_utf8_lossy(&found.stdout), "other\ntrue\n", "{}", found.report());
    let found =
        bench.run(&["exec-file", "--no-fifo", "f.yaml", "g.yaml", "--", "tail", "-qn1", "{1}", "{2}"]);
    assert_eq!(String::from_utf8_lossy(&found.stdout), "    lines\nb: other\n", "{}", found.report());
    let found = bench.run(&["exec-file", "f.yaml", "g.yaml", "--", "cat {} {2}"]);
    assert_eq!(String::from_utf8_lossy(&found.stdout), format!("{FLAT}b: other\n"), "{}", found.report());
}

#[test]
fn a_pipe_that_nobody_opens_does_no_harm() {
    let bench = Bench::new();
    for _ in 0..5 {
        let found = bench.run(&["exec-file", "f.yaml", "test -p {}"]);
        assert_eq!((found.status, found.errors().as_str()), (0, ""));
        let found = bench.run(&["exec-file", "f.yaml", "head -c1 {} > /dev/null"]);
        assert_eq!((found.status, found.errors().as_str()), (0, ""));
    }
    assert_eq!(bench.left_behind(), <[PathBuf; 0]>::default());
}

#[test]
fn signals_reach_the_command_and_no_plaintext_is_left() {
    for (signal, number) in [("-INT", 2), ("-TERM", 15), ("-HUP", 1), ("-QUIT", 3)] {
        for kind in [&["exec-file", "--no-fifo"][..], &["exec-file"], &["exec-env"]] {
            let bench = Bench::new();
            let (ready, got) = (bench.sandbox.path("ready"), bench.sandbox.path("got"));
            let script = format!(
                "trap 'touch {}; exit 0' INT TERM HUP QUIT; touch {}; while :; do sleep 0.05; done # {{}}",
                got.display(),
                ready.display()
            );
            let mut child = bench.start(&[kind, &["f.yaml", &script]].concat());
            until(|| ready.exists());
            assert!(kind[0] == "exec-env" || !below(&bench.sandbox.tmp()).is_empty(), "there is plaintext");
            kill(signal, child.id());
            let status = child.wait().expect("ends");
            use std::os::unix::process::ExitStatusExt;
            assert_eq!(status.signal(), Some(number), "{kind:?} {signal}: {status}");
            assert!(got.exists(), "{kind:?} {signal} was not handed on");
            assert_eq!(bench.left_behind(), <[PathBuf; 0]>::default(), "{kind:?} {signal}");
        }
    }
}

#[test]
fn a_signal_that_was_ignored_stays_ignored() {
    let bench = Bench::new();
    let (ready, done) = (bench.sandbox.path("ready"), bench.sandbox.path("done"));
    let script = format!("touch {}; sleep 0.5; touch {} # {{}}", ready.display(), done.display());
    let mut child = bench.start_by(&["--ignore-signal=HUP"], &["exec-file", "f.yaml", &script]);
    until(|| ready.exists());
    kill("-HUP", child.id());
    assert_eq!(child.wait().expect("ends").code(), Some(0), "as under nohup");
    assert!(done.exists());
}

#[test]
fn a_kill_leaves_no_plaintext() {
    let bench = Bench::new();
    let ready = bench.sandbox.path("ready");
    let script = format!("touch {}; sleep 1 # {{}}", ready.display());
    let mut child = bench.start(&["exec-file", "--no-fifo", "f.yaml", &script]);
    until(|| ready.exists());
    assert!(!below(&bench.sandbox.tmp()).is_empty(), "there is plaintext");
    kill("-KILL", child.id());
    child.wait().expect("ends");
    assert_eq!(bench.left_behind(), <[PathBuf; 0]>::default());
}

#[test]
fn another_user_runs_the_command_and_owns_the_file() {
    let bench = Bench::new();
    let is_root =
        fs::metadata("/proc/self").is_ok_and(|data| std::os::unix::fs::MetadataExt::uid(&data) == 0);
    let args =
        ["exec-file", "--no-fifo", "--user", "nobody", "f.yaml", "id -un; stat -c %U {}; echo $LOGNAME"];
    let found = bench.run(&args);
    if is_root {
        // The folder for temporary files must be open to the user.
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        fs::set_permissions(bench.sandbox.tmp(), open).expect("own");
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(bench.sandbox.root(), open).expect("own");
        let found = bench.run(&args);
        assert_eq!(String::from_utf8_lossy(&found.stdout), "nobody\nnobody\nnobody\n", "{}", found.report());
    } else {
        assert_eq!(found.status, 1, "{}", found.report());
        assert!(found.errors().contains("cannot become the user nobody"), "{}", found.report());
    }
    assert_eq!(bench.left_behind(), <[PathBuf; 0]>::default());
}
