//! Help texts, made from the two tables. Apart from the parser, which only says whose help is wanted.

use crate::args::command::{SHELLS, Subcommand, children, find};
use crate::args::level::Levels;
use crate::args::program::Program;
use crate::args::table::{FLAGS, Flag, Kind};

pub(super) const TOP_DETAILS: &str = "\
Keeps the values of YAML, JSON, dotenv, INI and binary files encrypted, and the keys of the data readable.

Who can decrypt a file is named by key flags, by their variables or by the rules of .sops.yaml, which is searched from \
the working directory upwards. Private age keys are read from SOPS_AGE_KEY, from the file that SOPS_AGE_KEY_FILE names \
and from sops/age/keys.txt in the user's configuration directory.";

pub(super) const TOP_EXAMPLES: &[&str] = &[
    "{} encrypt --in-place secrets.yaml",
    "{} decrypt secrets.yaml",
    "{} edit secrets.yaml",
    "{} exec-env secrets.env './deploy.sh'",
];

/// The help of the top level.
pub(crate) fn top(program: Program) -> String {
    let name = program.name();
    let mut text = format!("NAME:\n   {name} - encrypted files for configuration and secrets\n\nUSAGE:\n");
    text.push_str(&format!("   {name} COMMAND [flags] [arguments]\n"));
    text.push_str(&match program {
        Program::Sops => format!("   {name} [flags] FILE\n"),
        Program::Ksops => format!("   {name} --encrypt|--decrypt|--rotate|--set 'PATH VALUE' [flags] FILE\n"),
    });
    section(&mut text, "DESCRIPTION", TOP_DETAILS);
    if program == Program::Sops {
        text.push_str(
            "\n   Without a command FILE is edited, or treated as --encrypt, --decrypt, --rotate or --set say.\n   \
             In this form flags stand before FILE; later ones are ignored with a warning.\n",
        );
    }
    examples(&mut text, TOP_EXAMPLES, program);
    commands(&mut text, &[], program);
    flags(&mut text, Levels::TOP);
    text
}

/// The help of a subcommand.
pub(crate) fn subcommand(sub: &Subcommand, program: Program) -> String {
    let (name, title) = (program.name(), sub.title());
    let mut text = format!("NAME:\n   {name} {title} - {}\n\nUSAGE:\n   {name} {title} [flags]", sub.summary);
    if !sub.operands.is_empty() {
        text.push(' ');
        text.push_str(sub.operands);
    }
    text.push('\n');
    if !sub.details.is_empty() {
        section(&mut text, "DESCRIPTION", sub.details);
    }
    examples(&mut text, sub.examples, program);
    if sub.command.is_none() && sub.level != Levels::COMPLETION {
        commands(&mut text, sub.path, program);
    }
    flags(&mut text, sub.level);
    text
}

/// The help of the topic that `words` name after `help`, or `None` if there is no such topic.
pub(crate) fn topic(words: &[&str], program: Program) -> Option<String> {
    match words {
        [] => Some(top(program)),
        // A shell has no page of its own.
        ["completion", shell, ..] if SHELLS.contains(shell) => topic(&["completion"], program),
        [first, second, ..] if find(&[first], program).is_some_and(|sub| sub.command.is_none()) => {
            find(&[first, second], program).map(|sub| subcommand(sub, program))
        }
        [first, ..] => find(&[first], program).map(|sub| subcommand(sub, program)),
    }
}

fn section(text: &mut String, title: &str, body: &str) {
    text.push_str(&format!("\n{title}:\n"));
    for paragraph in body.split('\n') {
        for line in wrapped(paragraph, 96) {
            text.push_str(if line.is_empty() { "" } else { "   " });
            text.push_str(&line);
            text.push('\n');
        }
    }
}

fn examples(text: &mut String, lines: &[&str], program: Program) {
    if lines.is_empty() {
        return;
    }
    text.push_str("\nEXAMPLES:\n");
    for line in lines {
        // Only the first pair of braces: those in a COMMAND belong to exec-file.
        text.push_str(&format!("   {}\n", line.replacen("{}", program.name(), 1)));
    }
}

fn commands(text: &mut String, parent: &[&str], program: Program) {
    text.push_str("\nCOMMANDS:\n");
    for sub in children(parent, program) {
        text.push_str(&format!("   {:<12} {}\n", sub.path.last().copied().unwrap_or_default(), sub.summary));
    }
    text.push_str(&format!("   {:<12} {}\n", "help, h", "Show this help, or that of a command"));
}

fn flags(text: &mut String, level: Levels) {
    text.push_str("\nFLAGS:\n");
    let rows: Vec<(String, &Flag)> =
        FLAGS.iter().filter(|flag| flag.levels.meets(level)).map(|flag| (left(flag), flag)).collect();
    let width = rows.iter().map(|(left, _)| left.len()).max().unwrap_or_default();
    for (left, flag) in rows {
        text.push_str(&format!("   {left:<width$}  {}", flag.help));
        if !flag.variable.is_empty() {
            text.push_str(&format!(" [${}]", flag.variable));
        }
        text.push('\n');
    }
}

fn left(flag: &Flag) -> String {
    let mut text = format!("--{}", flag.name);
    match flag.alias.len() {
        0 => {}
        1 => text.push_str(&format!(", -{}", flag.alias)),
        _ => text.push_str(&format!(", --{}", flag.alias)),
    }
    if !matches!(flag.kind, Kind::Switch { .. }) {
        text.push(' ');
        text.push_str(flag.hint);
    }
    text
}

/// Breaks a paragraph at spaces.
fn wrapped(paragraph: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in paragraph.split(' ') {
        if !line.is_empty() && line.len() + 1 + word.len() > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}
