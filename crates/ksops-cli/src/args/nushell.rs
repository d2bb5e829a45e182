//! The completion of nushell: a module of externs, one for each command, made of the two tables.

use crate::args::command::{SHELLS, Subcommand, children};
use crate::args::level::Levels;
use crate::args::program::Program;
use crate::args::table::{FLAGS, Flag, Kind};

/// The words behind `--input-type` and `--output-type`.
const FORMATS: &[&str] = &["yaml", "json", "dotenv", "ini", "toml", "binary"];

/// The script.
pub(super) fn script(program: Program) -> String {
    let name = program.name();
    let commands = children(&[], program).filter_map(|sub| sub.path.last().copied());
    let commands: Vec<&str> = commands.chain(["help"]).collect();
    let mut blocks = vec![
        choice(name, "shell", SHELLS),
        choice(name, "format", FORMATS),
        choice(name, "command", &commands),
        extern_of(name, name, Levels::TOP, "[FILE]"),
    ];
    for sub in children(&[], program) {
        blocks.push(extern_of_command(name, sub));
        blocks.extend(children(sub.path, program).map(|sub| extern_of_command(name, sub)));
    }
    blocks.push(format!(
        "    # Show the help of a command\n    export extern \"{name} help\" [\n        ...command: {}\n    ]\n",
        one_of(name, "command")
    ));
    format!(
        "# nushell completion for {name}\nmodule {name}_completion {{\n{}}}\n\nexport use {name}_completion *\n",
        blocks.join("\n")
    )
}

fn choice(name: &str, what: &str, words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    format!("    def \"nu-complete {name} {what}\" [] {{\n        [{}]\n    }}\n", words.join(" "))
}

/// The type of a word out of a [`choice`].
fn one_of(name: &str, what: &str) -> String {
    format!("string@\"nu-complete {name} {what}\"")
}

fn extern_of_command(name: &str, sub: &Subcommand) -> String {
    let body = extern_of(name, &format!("{name} {}", sub.title()), sub.level, sub.operands);
    format!("    # {}\n{body}", sub.summary)
}

fn extern_of(name: &str, title: &str, level: Levels, operands: &str) -> String {
    let mut rows: Vec<(String, &str)> =
        operands.split_whitespace().map(|operand| (positional(name, operand), "")).collect();
    for flag in FLAGS.iter().filter(|flag| flag.levels.meets(level)) {
        let value = value(name, flag);
        if flag.alias.len() == 1 {
            rows.push((format!("--{}(-{}){value}", flag.name, flag.alias), flag.help));
            continue;
        }
        for spelling in [flag.name, flag.alias].into_iter().filter(|spelling| !spelling.is_empty()) {
            rows.push((format!("--{spelling}{value}"), flag.help));
        }
    }
    let width = rows.iter().map(|(row, _)| row.len()).max().unwrap_or_default();
    let mut text = format!("    export extern \"{title}\" [\n");
    for (row, help) in rows {
        let comment = if help.is_empty() { String::new() } else { format!("  # {help}") };
        text.push_str(format!("        {row:<width$}{comment}").trim_end());
        text.push('\n');
    }
    text + "    ]\n"
}

/// A positional argument: `NAME...` repeats. All may be left out: a command says itself what it lacks.
fn positional(program: &str, operand: &str) -> String {
    let inner = operand.trim_matches(['[', ']']);
    let (inner, repeats) = inner.strip_suffix("...").map_or((inner, false), |inner| (inner, true));
    let (name, kind) = match inner {
        "FILE" | "FILE|DIR" => ("file".to_owned(), "path".to_owned()),
        "COMMAND" if operand.starts_with('[') => ("command".to_owned(), one_of(program, "command")),
        // That of `groups` is offered by its externs, and that of `exec-env` is a line for the shell.
        "COMMAND" => ("command".to_owned(), "string".to_owned()),
        shells if shells.contains('|') => ("shell".to_owned(), one_of(program, "shell")),
        other => (other.to_lowercase(), "string".to_owned()),
    };
    if repeats { format!("...{name}: {kind}") } else { format!("{name}?: {kind}") }
}

fn value(program: &str, flag: &Flag) -> String {
    match (flag.kind, flag.hint) {
        (Kind::Switch { .. }, _) => String::new(),
        (Kind::Number, _) => ": int".to_owned(),
        (_, "FILE" | "DIR") => ": path".to_owned(),
        (_, "TYPE") => format!(": {}", one_of(program, "format")),
        _ => ": string".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{positional, script};
    use crate::args::program::Program;

    #[test]
    fn operands_have_their_forms() {
        assert_eq!(positional("p", "[FILE]"), "file?: path");
        assert_eq!(positional("p", "FILE..."), "...file: path");
        assert_eq!(positional("p", "PATH"), "path?: string");
        assert_eq!(positional("p", "COMMAND"), "command?: string");
        assert_eq!(positional("p", "[COMMAND...]"), "...command: string@\"nu-complete p command\"");
        assert_eq!(positional("p", "bash|zsh"), "shell?: string@\"nu-complete p shell\"");
    }

    #[test]
    fn each_command_has_its_flags() {
        let text = script(Program::Ksops);
        let decrypt = text.split("export extern \"ksops decrypt\" [\n").nth(1).expect("an extern");
        let decrypt = decrypt.split("    ]\n").next().expect("its end");
        let rows: Vec<&str> =
            decrypt.lines().map(|line| line.split("  # ").next().unwrap_or_default().trim()).collect();
        for row in ["...file: path", "--in-place(-i)", "--output: path", "--redact", "--indent: int"] {
            assert!(rows.contains(&row), "{row}: {decrypt}");
        }
        assert!(text.contains("--network: string") && text.contains("--net: string"));
        assert!(text.contains("export extern \"ksops groups add\" [\n"));
        assert!(!script(Program::Sops).contains("sops view"));
    }
}
