//! The way from the words of the command line to a command (specification cli-and-config.md section 1.1). The rules for
//! single words and for one level are in `word` and `scan`; here the levels meet.

use crate::args::command::{SHELLS, Subcommand, children, find};
use crate::args::completion::candidates;
use crate::args::flags::{Flags, check_variables};
use crate::args::help;
use crate::args::level::Levels;
use crate::args::parsed::{Command, Invocation, Parsed};
use crate::args::program::Program;
use crate::args::scan::{Scan, free, reordered, strict};
use crate::args::suggest::nearest;
use crate::args::table;
use crate::args::word::Word;

/// The word by which completion scripts ask for candidates.
pub(crate) const ASK_CANDIDATES: &str = "--generate-bash-completion";

/// The variable by which scripts for zsh ask for `name:summary`.
const ASK_DESCRIPTIONS: &str = "_CLI_ZSH_AUTOCOMPLETE_HACK";

/// Commands that look at their first operand only and warn about the rest. For these, started as `sops`, flags behind a
/// swallowed file stay ignored; for the others the same words fail upstream, so reading them well changes no script.
const ONE_FILE: Levels = Levels::ENCRYPT
    .or(Levels::DECRYPT)
    .or(Levels::ROTATE)
    .or(Levels::EDIT)
    .or(Levels::PUBLISH)
    .or(Levels::VIEW);

/// Flags before a subcommand that change nothing anywhere; a warning would only annoy.
const WITHOUT_MEANING: &[&str] = &["disable-version-check", "check-for-updates"];

/// Reads the command line. `arguments` are the words behind the program's name.
pub(crate) fn parse(program: Program, arguments: &[String], env: &dyn Fn(&str) -> Option<String>) -> Parsed {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if let [before @ .., ASK_CANDIDATES] = words.as_slice() {
        let describes = env(ASK_DESCRIPTIONS).is_some_and(|value| value == "1");
        return Parsed::Candidates(candidates(before, program, describes));
    }
    match top(program, &words, env) {
        Ok(invocation) => Parsed::Run(invocation),
        Err(end) => end,
    }
}

/// `Err` holds every outcome but a command to run, so that `?` ends the reading.
type Outcome = Result<Invocation, Parsed>;

fn top(program: Program, words: &[&str], env: &dyn Fn(&str) -> Option<String>) -> Outcome {
    let scan = strict(words, Levels::TOP).map_err(|complaint| bad_top(program, &complaint))?;
    help_or_version(program, &scan.flags)?;
    let Some((first, rest)) = scan.operands.split_first() else {
        return legacy(program, scan, env);
    };
    if matches!(*first, "help" | "h") {
        return Err(topic(rest, program));
    }
    match find(&[first], program) {
        None => legacy(program, scan, env),
        Some(sub) if sub.level == Levels::COMPLETION => completion(program, sub, rest),
        Some(sub) => match sub.command {
            Some(command) => leaf(program, sub, command, scan.flags, rest, env),
            None => parent(program, sub, scan.flags, rest, env),
        },
    }
}

/// `groups`: a subcommand must follow.
fn parent(
    program: Program,
    sub: &'static Subcommand,
    outer: Flags,
    words: &[&str],
    env: &dyn Fn(&str) -> Option<String>,
) -> Outcome {
    let scan = strict(words, sub.level).map_err(|complaint| bad_sub(program, sub, &complaint))?;
    let Some((first, rest)) = scan.operands.split_first().filter(|_| !scan.flags.is_set("help")) else {
        return Err(shown(help::subcommand(sub, program)));
    };
    if matches!(*first, "help" | "h") {
        let mut path = sub.path.to_vec();
        path.extend_from_slice(rest);
        return Err(if rest.is_empty() {
            shown(help::subcommand(sub, program))
        } else {
            topic(&path, program)
        });
    }
    let mut path = sub.path.to_vec();
    path.push(first);
    let Some((found, command)) = find(&path, program).and_then(|found| Some((found, found.command?))) else {
        return Err(no_topic(first));
    };
    leaf(program, found, command, outer, rest, env)
}

/// `completion`: the name of a shell must follow.
fn completion(program: Program, sub: &'static Subcommand, words: &[&str]) -> Outcome {
    let scan = free(words, sub.level).map_err(|complaint| bad_sub(program, sub, &complaint))?;
    match scan.operands.first() {
        Some(shell) if !scan.flags.is_set("help") && SHELLS.contains(shell) => {
            let positionals = vec![(*shell).to_owned()];
            Ok(Invocation {
                behind_delimiter: 0,
                command: Command::Completion,
                flags: scan.flags,
                positionals,
                warnings: Vec::new(),
            })
        }
        Some(word) if !scan.flags.is_set("help") && !matches!(*word, "help" | "h") => Err(no_topic(word)),
        _ => Err(shown(help::subcommand(sub, program))),
    }
}

/// A subcommand that does something.
fn leaf(
    program: Program,
    sub: &'static Subcommand,
    command: Command,
    outer: Flags,
    words: &[&str],
    env: &dyn Fn(&str) -> Option<String>,
) -> Outcome {
    let one_file = ONE_FILE.meets(sub.level);
    let scan = if program == Program::Sops && one_file {
        reordered(words, sub.level).and_then(|words| strict(&words, sub.level))
    } else {
        free(words, sub.level)
    };
    let Scan { mut flags, operands, .. } = scan.map_err(|complaint| bad_sub(program, sub, &complaint))?;
    if let Some(word) = never_ignored(&operands, sub.level) {
        return Err(bad_sub(
            program,
            sub,
            &format!("{word} would be ignored here: write it before the file"),
        ));
    }
    if flags.is_set("help") {
        return Err(shown(help::subcommand(sub, program)));
    }
    check_variables(env).map_err(bad_variable)?;
    let reaching = reaching(program, command);
    let mut ignored = without_effect(&outer, sub, reaching);
    flags.inherit(outer, reaching);
    let mut warnings = flags.fill(sub.level, env).map_err(bad_variable)?;
    let takes_several = table::SEVERAL.meets(sub.level);
    if one_file && !(takes_several && (program == Program::Ksops || flags.is_set("recursive"))) {
        let (surplus, flag_like) = surplus(&operands);
        warnings.extend(surplus);
        ignored.extend(flag_like);
    }
    let behind = words.iter().position(|word| *word == "--").map_or(0, |at| words.len() - at - 1);
    let mut invocation = finish(command, flags, operands, warnings, ignored)?;
    invocation.behind_delimiter = behind.min(invocation.positionals.len());
    Ok(invocation)
}

/// A word behind the first operand that would be ignored, although secrets would be printed then.
fn never_ignored<'a>(operands: &[&'a str], level: Levels) -> Option<&'a str> {
    let is_one =
        |word: &&&str| matches!(Word::of(word, level), Word::Known { flag, .. } if flag.name == "redact");
    operands.iter().skip(1).find(is_one).copied()
}

/// No subcommand: the modes, and editing when started as `sops`.
fn legacy(program: Program, scan: Scan<'_>, env: &dyn Fn(&str) -> Option<String>) -> Outcome {
    let Scan { mut flags, mut operands, delimited } = scan;
    if program == Program::Ksops && !operands.is_empty() {
        let first = operands.first().copied().unwrap_or_default();
        if !delimited {
            let rest = free(&operands, Levels::TOP);
            match rest {
                Ok(rest) => {
                    flags.append(rest.flags);
                    operands = rest.operands;
                }
                Err(complaint) if has_mode(&flags) => return Err(bad_top(program, &complaint)),
                Err(_) => return Err(unknown_command(program, first)),
            }
            help_or_version(program, &flags)?;
        }
        if !has_mode(&flags) {
            return Err(unknown_command(program, first));
        }
    }
    if let Some(word) = never_ignored(&operands, Levels::DECRYPT) {
        return Err(bad_top(
            program,
            &format!("{word} would be ignored here: write `{} decrypt {word} FILE`", program.name()),
        ));
    }
    check_variables(env).map_err(bad_variable)?;
    let mut warnings = flags.fill(Levels::TOP, env).map_err(bad_variable)?;
    let (surplus, flag_like) = surplus(&operands);
    warnings.extend(surplus);
    finish(Command::Legacy, flags, operands, warnings, flag_like.into_iter().collect())
}

fn finish(
    command: Command,
    flags: Flags,
    operands: Vec<&str>,
    mut warnings: Vec<String>,
    ignored: Vec<String>,
) -> Outcome {
    if let Some(message) = ignored.first()
        && flags.is_set("strict")
    {
        return Err(Parsed::BadUsage { stdout: String::new(), message: message.clone() });
    }
    warnings.extend(ignored);
    let positionals = operands.into_iter().map(str::to_owned).collect();
    Ok(Invocation { command, flags, positionals, behind_delimiter: 0, warnings })
}

fn has_mode(flags: &Flags) -> bool {
    ["encrypt", "decrypt", "rotate"].iter().any(|mode| flags.is_set(mode)) || flags.text("set").is_some()
}

/// The warnings about operands behind the first: that they are ignored, and which of them looks like a flag
/// (section 4.2).
fn surplus(operands: &[&str]) -> (Option<String>, Option<String>) {
    let Some((_, rest)) = operands.split_first().filter(|(_, rest)| !rest.is_empty()) else {
        return (None, None);
    };
    let surplus = "More than one positional argument provided. Only the first one will be used!".to_owned();
    let flag_like = rest.iter().find(|word| word.starts_with('-')).map(|word| {
        format!(
            "Note that one of the ignored positional argument is \"{word}\", which looks like a flag. Flags must always \
             be provided before the first positional argument!"
        )
    });
    (Some(surplus), flag_like)
}

/// The flags before a subcommand that count for it. As `sops` one of them, `--verbose`, reaches two commands only.
fn reaching(program: Program, command: Command) -> &'static [&'static str] {
    match command {
        Command::Publish | Command::Keyservice => table::REACHING,
        _ if program == Program::Ksops => table::REACHING,
        _ => table::REACHING_AS_SOPS,
    }
}

/// Warnings about flags before a subcommand that do not reach it (rules 7 and 8; section 15).
fn without_effect(outer: &Flags, sub: &Subcommand, reaching: &[&str]) -> Vec<String> {
    let title = sub.title();
    let names = outer.names_given().into_iter().filter(|name| !WITHOUT_MEANING.contains(name));
    names
        .filter_map(|name| match table::find(name, sub.level) {
            Some(_) if reaching.contains(&name) => None,
            Some(_) => Some(format!("--{name} has no effect before \"{title}\"; write it after \"{title}\"")),
            None => Some(format!("--{name} has no effect on \"{title}\"")),
        })
        .collect()
}

fn help_or_version(program: Program, flags: &Flags) -> Result<(), Parsed> {
    if flags.is_set("help") {
        return Err(shown(help::top(program)));
    }
    if flags.is_set("version") {
        return Err(Parsed::Version);
    }
    Ok(())
}

fn topic(words: &[&str], program: Program) -> Parsed {
    match help::topic(words, program) {
        Some(text) => shown(text),
        None => {
            // Below `groups` the unknown word is the second.
            let at = usize::from(words.len() > 1 && find(&words[..1], program).is_some());
            no_topic(words.get(at).copied().unwrap_or_default())
        }
    }
}

fn no_topic(word: &str) -> Parsed {
    Parsed::Help { text: format!("No help topic for '{word}'\n"), status: 3 }
}

fn shown(text: String) -> Parsed {
    Parsed::Help { text, status: 0 }
}

fn bad_top(program: Program, complaint: &str) -> Parsed {
    let stdout = format!("Incorrect Usage. {complaint}\n\n{}", help::top(program));
    Parsed::BadUsage { stdout, message: complaint.to_owned() }
}

fn bad_sub(program: Program, sub: &Subcommand, complaint: &str) -> Parsed {
    let stdout = format!("Incorrect Usage: {complaint}\n\n{}", help::subcommand(sub, program));
    Parsed::BadUsage { stdout, message: complaint.to_owned() }
}

fn bad_variable(message: String) -> Parsed {
    Parsed::BadUsage { stdout: String::new(), message }
}

fn unknown_command(program: Program, word: &str) -> Parsed {
    let name = program.name();
    let names = children(&[], program).filter_map(|sub| sub.path.first().copied()).chain(["help"]);
    let advice = match nearest(word, names) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("to edit a file use `{name} edit FILE`; `{name} help` lists the commands"),
    };
    Parsed::BadUsage { stdout: String::new(), message: format!("unknown command `{word}`; {advice}") }
}
