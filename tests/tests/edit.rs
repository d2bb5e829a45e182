//! `edit`, with real editors at a pseudo-terminal and with scripts: nothing that was typed is lost, and no plaintext stays
//! behind, however it ends (security.md S16, cli-and-config.md section 7).

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use ksops_tests::fixtures::AgeKeys;
use ksops_tests::oracle;
use ksops_tests::program::{Outcome, Program};
use ksops_tests::sandbox::Sandbox;
use ksops_tests::terminal::Terminal;

const YAML: &str = "a: 1\nb: text\n";

struct Bench {
    sandbox: Sandbox,
    ksops: Program,
}

impl Bench {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        sandbox.write("keys.txt", AgeKeys::read().identities[0].as_bytes());
        let ksops = Program::at(Program::ksops().path().canonicalize().expect("found before"));
        let bench = Self { sandbox, ksops };
        bench.sandbox.write("f.yaml", YAML);
        let made =
            bench.call(&[]).args(["encrypt", "-i", "--age", &AgeKeys::read().recipients[0], "f.yaml"]).run();
        assert_eq!(made.status, 0, "{}", made.report());
        bench
    }

    fn call(&self, variables: &[(&str, &str)]) -> ksops_tests::program::Call<'_> {
        let call = self.ksops.call(&self.sandbox).env("SOPS_AGE_KEY_FILE", self.sandbox.path("keys.txt"));
        variables.iter().fold(call, |call, (name, value)| call.env(name, value))
    }

    /// Edits with a shell script as the editor.
    fn edit(&self, script: &str) -> Outcome {
        self.edit_with(script, "f.yaml", "")
    }

    fn edit_with(&self, script: &str, file: &str, input: &str) -> Outcome {
        let path = self.sandbox.write("editor.sh", script);
        let editor = format!("sh {}", path.display());
        self.call(&[("EDITOR", &editor)]).args(["edit", file]).stdin(input).run()
    }

    fn decrypted(&self, file: &str) -> String {
        let text = self
            .call(&[])
            .args(["decrypt", "--layout", "upstream", file])
            .run()
            .output()
            .unwrap_or_else(|said| panic!("{said}"));
        String::from_utf8(text).expect("text")
    }

    /// What is left where temporary files go; the second process may still be at work.
    fn left_behind(&self) -> Vec<PathBuf> {
        let list = || all_below(&self.sandbox.tmp());
        let start = Instant::now();
        while !list().is_empty() && start.elapsed() < Duration::from_secs(10) {
            thread::sleep(Duration::from_millis(20));
        }
        list()
    }

    fn terminal(&self, editor: &str) -> Terminal {
        let keys = self.sandbox.path("keys.txt").display().to_string();
        let variables = [("SOPS_AGE_KEY_FILE", keys.as_str()), ("EDITOR", editor)];
        Terminal::start(self.ksops.path(), &self.sandbox, &["edit", "f.yaml"], &variables)
    }
}

fn all_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .flat_map(|path| [vec![path.clone()], all_below(&path)].concat())
        .collect()
}

fn there(editor: &str) -> bool {
    let found = Path::new("/usr/bin").join(editor).is_file();
    if !found {
        oracle::skipped(editor);
    }
    found
}

#[test]
fn vim_at_a_terminal_edits_a_file() {
    if !there("vim") {
        return;
    }
    let bench = Bench::new();
    let mut terminal = bench.terminal("vim -u NONE");
    terminal.wait_for("text");
    terminal.send(":%s/text/changed/\r");
    terminal.wait_for("changed");
    terminal.send(":wq\r");
    assert_eq!(terminal.status(), 0, "{}", terminal.shown());
    assert_eq!(bench.decrypted("f.yaml"), "a: 1\nb: changed\n");
    assert_eq!(bench.left_behind(), <[PathBuf; 0]>::default());
    assert_eq!(all_below(&bench.sandbox.home()), <[PathBuf; 0]>::default(), "no copies, no history");
}

#[test]
fn vim_that_gives_up_changes_nothing() {
    if !there("vim") {
        return;
    }
    let bench = Bench::new();
    let before = bench.sandbox.read("f.yaml");
    let mut terminal = bench.terminal("vim -u NONE");
    terminal.wait_for("text");
    terminal.send(":cq\r");
    assert_eq!(terminal.status(), 201, "{}", terminal.shown());
    assert_eq!(bench.sandbox.read("f.yaml"), before);
    assert_eq!(bench.left_behind(), <[PathBuf; 0]>::default());
}

#[test]
fn nano_at_a_terminal_edits_a_file() {
    if !there("nano") {
        return;
    }
    let bench = Bench::new();
    let mut terminal = bench.terminal("nano");
    terminal.wait_for("text");
    terminal.send("new: line\r\u{f}");
    terminal.wait_for("File Name to Write");
    terminal.send("\r");
    terminal.wait_for("Wrote");
    terminal.send("\u{18}");
    assert_eq!(terminal.status(), 0, "{}", terminal.shown());
    assert_eq!(bench.decrypted("f.yaml"), "new: line\na: 1\nb: text\n");
    assert_eq!(bench.left_behind(), <[PathBuf; 0]>::default());
}

#[test]
fn a_fault_is_shown_with_its_line_and_the_editor_comes_again() {
    let bench = Bench::new();
    let mark = bench.sandbox.path("mark");
    let script = format!(
        "if test -e {0}; then echo 'b: right' > \"$1\"; else touch {0}; printf 'a: 1\\nb: [\\n' > \"$1\"; fi\n",
        mark.display()
    );
    let outcome = bench.edit_with(&script, "f.yaml", "\n");
    assert_eq!(outcome.status, 0, "{}", outcome.report());
    assert!(outcome.errors().contains("line 2"), "{}", outcome.report());
    assert_eq!(bench.decrypted("f.yaml"), "b: right\n");
}

#[test]
fn nobody_there_to_correct_ends_the_command() {
    let bench = Bench::new();
    let before = bench.sandbox.read("f.yaml");
    let outcome = bench.edit("echo 'a: [' > \"$1\"\n");
    assert_eq!(outcome.status, 1, "{}", outcome.report());
    assert_eq!(bench.sandbox.read("f.yaml"), before);
}

#[test]
fn signals_leave_the_file_and_no_plaintext() {
    for signal in ["INT", "TERM", "HUP", "QUIT", "KILL"] {
        let bench = Bench::new();
        let before = bench.sandbox.read("f.yaml");
        let seen = bench.sandbox.path("seen");
        // The shell's parent is ksops.
        let script =
            format!("cp \"$1\" {}\necho 'c: x' >> \"$1\"\nkill -{signal} $PPID\nsleep 2\n", seen.display());
        let editor = format!("sh {}", bench.sandbox.write("editor.sh", script).display());
        // Whoever started the tests may have made these signals ignored.
        let fresh = Program::at("/usr/bin/env");
        let call = fresh.call(&bench.sandbox).env("SOPS_AGE_KEY_FILE", bench.sandbox.path("keys.txt"));
        let call = call.env("EDITOR", &editor).arg("--default-signal").arg(bench.ksops.path());
        let outcome = call.args(["edit", "f.yaml"]).run();
        let expected = if signal == "KILL" { 128 + 9 } else { 1 };
        assert_eq!(outcome.status, expected, "{signal}: {}", outcome.report());
        assert_eq!(bench.sandbox.read("f.yaml"), before, "{signal}");
        assert_eq!(bench.sandbox.read("seen"), YAML.as_bytes(), "{signal}: there was plaintext");
        assert_eq!(bench.left_behind(), <[PathBuf; 0]>::default(), "{signal}");
    }
}

#[test]
fn an_edit_that_cannot_be_written_is_kept_encrypted() {
    let bench = Bench::new();
    let path = bench.sandbox.path("f.yaml");
    // Somebody else writes the file meanwhile.
    let script =
        format!("sed -i s/text/mine/ \"$1\"\ncp {0} {0}.old\necho '# theirs' >> {0}\n", path.display());
    let outcome = bench.edit(&script);
    assert_eq!(outcome.status, 3, "{}", outcome.report());
    assert!(bench.sandbox.read("f.yaml").ends_with(b"# theirs\n"), "theirs stays");
    assert!(outcome.errors().contains("f.yaml.edited-0"), "{}", outcome.report());
    fs::rename(bench.sandbox.path("f.yaml.edited-0"), bench.sandbox.path("kept.yaml")).expect("kept");
    assert_eq!(bench.decrypted("kept.yaml"), "a: 1\nb: mine\n");
}

#[test]
fn a_full_disk_leaves_the_old_file_and_keeps_the_edit() {
    let bench = Bench::new();
    let before = bench.sandbox.read("f.yaml");
    let editor = bench.sandbox.write("editor.sh", "seq 1 500 | sed 's/.*/k&: value/' > \"$1\"\n");
    let editor = format!("sh {}", editor.display());
    // The editor may write; then files are limited to a few blocks, as on a disk that is full.
    let shell = Program::at("/bin/sh");
    let call = shell.call(&bench.sandbox).env("SOPS_AGE_KEY_FILE", bench.sandbox.path("keys.txt"));
    let script = "trap '' XFSZ; ulimit -f 40; exec \"$0\" \"$@\"";
    let outcome = call
        .env("EDITOR", editor)
        .args(["-c", script])
        .arg(bench.ksops.path())
        .args(["edit", "f.yaml"])
        .run();
    assert_eq!(outcome.status, 3, "{}", outcome.report());
    assert_eq!(bench.sandbox.read("f.yaml"), before);
    assert_eq!(bench.left_behind(), <[PathBuf; 0]>::default());
}

#[test]
fn recipients_can_be_edited_and_new_ones_get_the_data_key() {
    let bench = Bench::new();
    let second = &AgeKeys::read().recipients[1];
    let script = format!(
        "sed -i 's/^    age:$/    age:\\n        - recipient: {second}\\n          enc: none/' \"$1\"\n"
    );
    let path = bench.sandbox.write("editor.sh", script);
    let editor = format!("sh {}", path.display());
    let outcome = bench.call(&[("EDITOR", &editor)]).args(["edit", "-s", "f.yaml"]).run();
    assert_eq!(outcome.status, 0, "{}", outcome.report());
    bench.sandbox.write("keys.txt", AgeKeys::read().identities[1].as_bytes());
    assert_eq!(bench.decrypted("f.yaml"), YAML);
}

#[test]
fn new_files_begin_with_an_example_that_sops_reads() {
    let Some(sops) = oracle::sops() else { return };
    let bench = Bench::new();
    for suffix in ["yaml", "json", "env", "ini", "bin"] {
        let name = format!("new.{suffix}");
        let editor = bench.sandbox.write("editor.sh", "sed -i s/hello/greeting/\\;s/Edit/Change/ \"$1\"\n");
        let editor = format!("sh {}", editor.display());
        let age = &AgeKeys::read().recipients[0];
        let edited = bench.call(&[("EDITOR", &editor)]).args(["edit", "--age", age, &name]).run();
        assert_eq!(edited.status, 0, "{name}: {}", edited.report());
        let call = sops.call(&bench.sandbox).env("SOPS_AGE_KEY_FILE", bench.sandbox.path("keys.txt"));
        let theirs =
            call.args(["decrypt", &name]).run().output().unwrap_or_else(|said| panic!("{name}: {said}"));
        assert_eq!(String::from_utf8_lossy(&theirs), bench.decrypted(&name), "{name}");
    }
}

#[test]
fn the_scratch_folder_is_the_owners_alone() {
    let bench = Bench::new();
    let outcome = bench.edit("stat -c '%a %a' \"$(dirname \"$1\")\" \"$1\"\n");
    assert_eq!(outcome.status, 200, "{}", outcome.report());
    assert_eq!(String::from_utf8_lossy(&outcome.stdout), "700 700\n600 600\n");
}
