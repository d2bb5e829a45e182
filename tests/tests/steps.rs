//! A kill, a signal or a full disk at each step of a command leaves the old or the new file whole, and no plaintext behind
//! (security.md S10, S16). The steps are the system calls; `strace` counts them, and strikes at one in each run.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use ksops_tests::failures;
use ksops_tests::fixtures::AgeKeys;
use ksops_tests::oracle;
use ksops_tests::parallel;
use ksops_tests::program::{Outcome, Program};
use ksops_tests::sandbox::Sandbox;

const PLAIN: &str = "a: hush-steps 1\nb: hush-steps 2\n";
const SECRET: &str = "hush-steps";

/// Steps that start or end a process, or only wait: nothing is half done there.
const NOT_STRUCK: [&str; 6] = ["execve", "exit_group", "exit", "clone", "clone3", "vfork"];

/// Steps that a full disk can stop.
const NEEDS_SPACE: [&str; 14] = [
    "write",
    "pwrite64",
    "writev",
    "openat",
    "mkdir",
    "mkdirat",
    "rename",
    "renameat",
    "renameat2",
    "fsync",
    "fdatasync",
    "fallocate",
    "ftruncate",
    "link",
];

/// A command, and what it makes of the plaintext.
struct Case {
    args: &'static [&'static str],
    /// Whether the file is plain before.
    starts_plain: bool,
    after: &'static str,
}

const CASES: [Case; 5] = [
    Case { args: &["encrypt", "-i", "f.yaml"], starts_plain: true, after: PLAIN },
    Case { args: &["rotate", "-i", "f.yaml"], starts_plain: false, after: PLAIN },
    Case {
        args: &["set", "f.yaml", "[\"a\"]", "\"hush-steps new\""],
        starts_plain: false,
        after: "a: hush-steps new\nb: hush-steps 2\n",
    },
    Case { args: &["edit", "f.yaml"], starts_plain: false, after: "a: hush-steps edited\nb: hush-steps 2\n" },
    Case { args: &["exec-file", "--no-fifo", "f.yaml", "cat {}"], starts_plain: false, after: PLAIN },
];

struct Bench {
    sandbox: Sandbox,
    ksops: PathBuf,
}

impl Bench {
    /// A folder with the file as it is before the command. The encrypted one is made once and copied.
    fn new(case: &Case, encrypted: &[u8]) -> Self {
        let (sandbox, keys) = (Sandbox::new(), AgeKeys::read());
        sandbox.write("keys.txt", keys.identity_file());
        sandbox.write(".sops.yaml", format!("creation_rules:\n  - age: {}\n", keys.recipients[0]));
        let path = sandbox.write("f.yaml", if case.starts_plain { PLAIN.as_bytes() } else { encrypted });
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("own file");
        let ksops = Program::ksops().path().canonicalize().expect("found before");
        Self { sandbox, ksops }
    }

    fn run(&self, args: &[&str]) -> Outcome {
        self.call(&Program::at(&self.ksops), &[], args)
    }

    fn strace(&self, options: &[&str], args: &[&str]) -> Outcome {
        let ksops = self.ksops.display().to_string();
        // Signals that were ignored at the start stay ignored, so they are set back.
        let options = [&["--default-signal", "strace", "-o", "../trace"], options, &["--", &ksops]].concat();
        self.call(&Program::at("/usr/bin/env"), &options, args)
    }

    fn call(&self, program: &Program, before: &[&str], args: &[&str]) -> Outcome {
        let call = program.call(&self.sandbox).args(before).args(args);
        let call = call.env("SOPS_AGE_KEY_FILE", self.sandbox.path("keys.txt"));
        call.env("EDITOR", "sed -i 's/hush-steps 1/hush-steps edited/'").run()
    }

    /// The files that hold plaintext; the second process that wipes may still be at work.
    fn plain_files(&self) -> Vec<PathBuf> {
        let start = Instant::now();
        loop {
            let mut found = Vec::new();
            for path in below(self.sandbox.root()) {
                let is_plain = fs::read(&path).is_ok_and(|bytes| contains(&bytes, SECRET.as_bytes()));
                found.extend(is_plain.then_some(path));
            }
            found.retain(|path| *path != self.sandbox.path("f.yaml") && !path.ends_with("trace"));
            if found.is_empty() || start.elapsed() > Duration::from_secs(10) {
                return found;
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    fn check(&self, case: &Case, encrypted: &[u8], outcome: &Outcome) -> Result<(), String> {
        let now = self.sandbox.read("f.yaml");
        let is_old = now == if case.starts_plain { PLAIN.as_bytes() } else { encrypted };
        if !is_old {
            let read = self.run(&["decrypt", "f.yaml"]);
            if read.stdout != case.after.as_bytes() {
                return Err(format!("damaged: {}; then {}", outcome.report(), read.report()));
            }
        }
        let changes = case.args[0] != "exec-file";
        if is_old && outcome.status == 0 && changes {
            return Err(format!("said to be done, but it is not: {}", outcome.report()));
        }
        match self.plain_files() {
            left if left.is_empty() => Ok(()),
            left => Err(format!("plaintext in {left:?}: {}", outcome.report())),
        }
    }
}

fn below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .flat_map(|entry| match entry.path() {
            path if path.is_dir() && !path.is_symlink() => below(&path),
            path => vec![path],
        })
        .collect()
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// The system calls from the first that names the file: each with how many of its name there were.
fn steps(trace: &str) -> Vec<(String, usize)> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    let mut steps = Vec::new();
    let mut has_begun = false;
    for line in trace.lines() {
        let Some((name, _)) = line.split_once('(') else { continue };
        let count = counts.entry(name).or_default();
        *count += 1;
        has_begun |= line.contains("f.yaml");
        if has_begun && !NOT_STRUCK.contains(&name) {
            steps.push((name.to_owned(), *count));
        }
    }
    steps
}

#[test]
fn a_stop_at_each_step_leaves_the_old_or_the_new_file_and_no_plaintext() {
    if !Path::new("/usr/bin/strace").is_file() {
        oracle::skipped("strace");
        return;
    }
    let maker = Bench::new(&CASES[0], &[]);
    assert_eq!(maker.run(CASES[0].args).status, 0);
    let encrypted = maker.sandbox.read("f.yaml");
    for case in &CASES {
        let bench = Bench::new(case, &encrypted);
        let outcome = bench.strace(&["-e", "trace=%file,%desc,%process"], case.args);
        assert_eq!(outcome.status, 0, "{:?}: {}", case.args, outcome.report());
        let steps = steps(&fs::read_to_string(bench.sandbox.root().join("trace")).expect("a trace"));
        assert!(steps.len() > 20, "{:?}: {} steps", case.args, steps.len());
        let mut strikes = Vec::new();
        for (number, (name, count)) in steps.iter().enumerate() {
            let softer = ["SIGINT", "SIGTERM", "SIGHUP"][number % 3];
            strikes.push(format!("{name}:signal=SIGKILL:when={count}"));
            strikes.push(format!("{name}:signal={softer}:when={count}"));
            if NEEDS_SPACE.contains(&name.as_str()) {
                strikes.push(format!("{name}:error=ENOSPC:when={count}"));
            }
        }
        let results = parallel::each(&strikes, |strike| {
            let bench = Bench::new(case, &encrypted);
            let inject = format!("inject={strike}");
            let outcome = bench.strace(&["-e", "trace=%file,%desc,%process", "-e", &inject], case.args);
            let result = bench.check(case, &encrypted, &outcome);
            (outcome.status, result.map_err(|what| format!("{strike}: {what}")))
        });
        let is_killed = |status: &i32| *status == 137;
        let killed = results.iter().filter(|(status, _)| is_killed(status)).count();
        assert!(killed * 2 > steps.len(), "{:?}: {killed} of {} kills struck", case.args, steps.len());
        let failed: Vec<String> = results.into_iter().filter_map(|(_, result)| result.err()).collect();
        failures::none(&format!("{:?}: strikes", case.args), strikes.len(), &failed);
    }
}
