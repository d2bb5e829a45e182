//! Every command has a manual page that the page readers of this machine take without a warning.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use ksops_tests::failures;
use ksops_tests::oracle;
use ksops_tests::program::Program;
use ksops_tests::sandbox::Sandbox;

/// The words that completion offers behind `words`.
fn offered(ksops: &Program, sandbox: &Sandbox, words: &[&str]) -> Vec<String> {
    let run = ksops.call(sandbox).args(words).arg("--generate-bash-completion").run();
    let text = String::from_utf8(run.output().expect("candidates")).expect("text");
    text.lines().filter(|word| !matches!(*word, "help" | "h")).map(str::to_owned).collect()
}

/// All commands, with those below others.
fn commands(ksops: &Program, sandbox: &Sandbox) -> Vec<Vec<String>> {
    let mut found = vec![Vec::new()];
    for name in offered(ksops, sandbox, &[]) {
        found.push(vec![name]);
    }
    for parent in ["groups", "azure", "git"] {
        let below = offered(ksops, sandbox, &[parent]).into_iter();
        found.extend(below.map(|name| vec![parent.to_owned(), name]));
    }
    found
}

/// What a page reader complains of; `None` if it is not there.
fn complaints(reader: &str, args: &[&str], page: &Path) -> Option<String> {
    let mut command = Command::new(reader);
    command.args(args).arg(page).env("LC_ALL", "C.UTF-8").stdin(Stdio::null());
    let output = command.output().ok()?;
    let mut said = String::from_utf8_lossy(&output.stderr).into_owned();
    if reader == "mandoc" {
        // Pages have no date on purpose: they are the same whenever they are made.
        let all = String::from_utf8_lossy(&output.stdout).into_owned() + &said;
        said = all.lines().filter(|line| !line.contains("missing date")).collect::<Vec<_>>().join("\n");
    } else if !output.status.success() {
        said.push_str("it fails");
    }
    Some(said)
}

#[test]
fn every_command_has_a_page_without_a_fault() {
    let ksops = Program::ksops();
    if ksops.is_upstream() {
        return; // Upstream has no such command.
    }
    let sandbox = Sandbox::new();
    let run = ksops.call(&sandbox).args(["man", "--directory", "man1"]).run();
    assert_eq!((run.status, run.stdout.len(), run.errors().as_str()), (0, 0, ""), "{}", run.report());
    let commands = commands(&ksops, &sandbox);
    assert!(commands.len() > 20, "{commands:?}");
    let mut expected = BTreeSet::from(["man1/".to_owned()]);
    let mut failed = Vec::new();
    for words in &commands {
        let name = [vec!["ksops".to_owned()], words.clone()].concat().join("-");
        let page = ksops.call(&sandbox).arg("man").args(words).run().output().expect("a page");
        let path = sandbox.path(&format!("man1/{name}.1"));
        assert!(fs::read(&path).ok().as_ref() == Some(&page), "{name}: the file differs");
        expected.insert(format!("man1/{name}.1"));
        let text = String::from_utf8(page).expect("text");
        let flags: Vec<&str> = words.iter().map(String::as_str).chain(["-"]).collect();
        for flag in offered(&ksops, &sandbox, &flags) {
            let tag = format!("\\fB{}\\fR", flag.replace('-', "\\-"));
            if !text.contains(&tag) {
                failed.push(format!("{name}: {flag} is missing"));
            }
        }
        let readers: [(&str, &[&str]); 3] = [
            ("groff", &["-man", "-ww", "-Tutf8", "-z"]),
            ("man", &["--warnings", "-l"]),
            ("mandoc", &["-Tlint", "-Wwarning"]),
        ];
        let said: Vec<String> =
            readers.iter().filter_map(|(reader, args)| complaints(reader, args, &path)).collect();
        if said.is_empty() {
            oracle::skipped("a reader of manual pages");
        }
        failed.extend(said.into_iter().filter(|said| !said.is_empty()).map(|said| format!("{name}: {said}")));
    }
    let files: BTreeSet<String> = sandbox.files().into_iter().collect();
    assert_eq!(files, expected);
    failures::none("pages", commands.len(), &failed);
}

#[test]
fn an_unknown_command_has_no_page() {
    let ksops = Program::ksops();
    if ksops.is_upstream() {
        return;
    }
    let sandbox = Sandbox::new();
    let run = ksops.call(&sandbox).args(["man", "nope"]).run();
    assert_eq!((run.status, run.stdout.len()), (1, 0), "{}", run.report());
}
