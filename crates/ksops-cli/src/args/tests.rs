//! The rules of the command line (specification cli-and-config.md section 1.1), one row a case. Rows marked with a
//! scenario's name hold what sops 3.13.3 does with these words, or what section 15 asks for instead.

use crate::args::parse::parse;
use crate::args::parsed::{Command, Invocation, Parsed};
use crate::args::program::Program::{self, Ksops, Sops};

const SURPLUS: &str = "More than one positional argument provided. Only the first one will be used!";

fn read(program: Program, words: &[&str], variables: &[(&str, &str)]) -> Parsed {
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    parse(program, &words, &|name| {
        variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    })
}

#[track_caller]
fn runs(program: Program, words: &[&str], variables: &[(&str, &str)]) -> Invocation {
    match read(program, words, variables) {
        Parsed::Run(invocation) => invocation,
        Parsed::BadUsage { message, .. } => panic!("{words:?}: {message}"),
        _ => panic!("{words:?}: no command"),
    }
}

#[track_caller]
fn refused(program: Program, words: &[&str], variables: &[(&str, &str)]) -> (String, String) {
    match read(program, words, variables) {
        Parsed::BadUsage { stdout, message } => (stdout, message),
        _ => panic!("{words:?}: accepted"),
    }
}

#[track_caller]
fn helps(program: Program, words: &[&str]) -> (String, u8) {
    match read(program, words, &[]) {
        Parsed::Help { text, status } => (text, status),
        _ => panic!("{words:?}: no help"),
    }
}

fn candidates(words: &[&str]) -> Vec<String> {
    match read(Sops, words, &[]) {
        Parsed::Candidates(names) => names,
        _ => panic!("{words:?}: no candidates"),
    }
}

#[test]
fn bad_usage_is_told_in_the_words_of_upstream() {
    let rows: &[(&[&str], &str, &str)] = &[
        (&["-di", "f"], ".", "flag provided but not defined: -di"),
        (&["-d=yes", "f"], ".", "invalid boolean value \"yes\" for -d: parse error"),
        (&["--indent", "x", "-d", "f"], ".", "invalid value \"x\" for flag -indent: parse error"),
        (&["--nope", "decrypt", "f"], ".", "flag provided but not defined: -nope"),
        (&["decrypt", "--nope", "f"], ":", "flag provided but not defined: -nope"),
        (&["decrypt", "--output"], ":", "flag needs an argument: -output"),
        (&["decrypt", "---x"], ":", "bad flag syntax: ---x"),
        (&["decrypt", "-=", "f"], ":", "bad flag syntax: -="),
        (&["decrypt", "-v"], ":", "flag provided but not defined: -v"),
        (&["encrypt", "-i=maybe", "f"], ":", "invalid boolean value \"maybe\" for -i: parse error"),
        (
            &["encrypt", "--shamir-secret-sharing-threshold", "x", "f"],
            ":",
            "invalid value \"x\" for flag -shamir-secret-sharing-threshold: parse error",
        ),
        (&["rotate", "--ignore-mac", "f"], ":", "flag provided but not defined: -ignore-mac"),
        (&["set", "--output", "o", "f", "[\"b\"]", "1"], ":", "flag provided but not defined: -output"),
        (&["updatekeys", "--nope", "f"], ":", "flag provided but not defined: -nope"),
        // Section 15: these two read the flag as a file, or the file as a value, upstream.
        (&["decrypt", "f", "--nope"], ":", "flag provided but not defined: -nope"),
        (&["decrypt", "f", "--output"], ":", "flag needs an argument: -output"),
        (&["updatekeys", "f", "--nope"], ":", "flag provided but not defined: -nope"),
        (&["set", "f", "[0]", "1", "--input-type"], ":", "flag needs an argument: -input-type"),
    ];
    for (words, stop, complaint) in rows {
        for program in [Sops, Ksops] {
            let (stdout, message) = refused(program, words, &[]);
            assert_eq!(message, *complaint, "{words:?}");
            assert!(stdout.starts_with(&format!("Incorrect Usage{stop} {complaint}\n\nNAME:\n")), "{stdout}");
            assert!(stdout.contains("USAGE:"), "{words:?}");
        }
    }
}

#[test]
fn flags_are_read_in_all_their_spellings() {
    let path = "[\"b\"]";
    let rows: &[&[&str]] = &[
        &["decrypt", "f", "--extract", path],
        &["decrypt", "f", "--extract=[\"b\"]"],
        &["decrypt", "-extract", path, "f"],
        &["decrypt", "--extract", "x", "f", "--extract", path],
        &["-d", "--extract", path, "f"],
        &["--", "decrypt", "--extract", path, "f"],
        &["decrypt", "--extract", path, "--", "f"],
    ];
    for words in rows {
        for program in [Sops, Ksops] {
            let run = runs(program, words, &[]);
            assert_eq!(run.flags.text("extract"), Some(path), "{words:?}");
            assert_eq!(run.positionals, ["f"], "{words:?}");
            assert!(run.warnings.is_empty(), "{words:?}");
        }
    }
}

#[test]
fn a_switch_before_the_file_hides_later_flags_as_sops_only() {
    let words = ["encrypt", "-i", "p", "--age", "A"];
    let run = runs(Sops, &words, &[]);
    assert_eq!(run.flags.text("age"), None);
    assert_eq!(run.positionals, ["p", "--age", "A"]);
    assert_eq!(run.warnings.first().map(String::as_str), Some(SURPLUS));
    assert!(run.warnings.iter().any(|line| line.contains("is \"--age\", which looks like a flag")));
    let run = runs(Ksops, &words, &[]);
    assert_eq!(run.flags.text("age"), Some("A"));
    assert!(run.flags.is_set("in-place") && run.warnings.is_empty());
    assert_eq!(run.positionals, ["p"]);
}

#[test]
fn legacy_flags_behind_the_file_count_as_ksops_only() {
    let run = runs(Sops, &["-d", "f", "-i"], &[]);
    assert!(run.flags.is_set("decrypt") && !run.flags.is_set("in-place"));
    assert_eq!(run.warnings.len(), 2);
    let run = runs(Ksops, &["-d", "f", "-i"], &[]);
    assert!(run.flags.is_set("in-place") && run.warnings.is_empty());
    assert_eq!(run.command, Command::Legacy);
    refused(Ksops, &["-d", "f", "--nope"], &[]);
    assert!(matches!(read(Ksops, &["-d", "f", "--help"], &[]), Parsed::Help { status: 0, .. }));
}

#[test]
fn words_behind_two_dashes_are_never_flags() {
    for program in [Sops, Ksops] {
        let run = runs(program, &["decrypt", "f", "--", "--extract", "P"], &[]);
        assert_eq!(run.positionals, ["f", "--extract", "P"]);
        // ksops takes all three as files.
        assert_eq!(run.warnings.len(), if program == Sops { 2 } else { 0 });
        assert_eq!(runs(program, &["decrypt", "--", "--", "f"], &[]).positionals, ["--", "f"]);
        assert_eq!(runs(program, &["set", "f", "--", "a", "b"], &[]).positionals, ["f", "a", "b"]);
        assert_eq!(runs(program, &["set", "--", "f", "--", "a"], &[]).positionals, ["f", "--", "a"]);
        assert_eq!(runs(program, &["exec-env", "f", "--", "ls -l"], &[]).positionals, ["f", "ls -l"]);
    }
}

#[test]
fn negative_numbers_are_values() {
    for program in [Sops, Ksops] {
        assert_eq!(runs(program, &["set", "f", "[\"b\"]", "-1"], &[]).positionals, ["f", "[\"b\"]", "-1"]);
        assert_eq!(runs(program, &["set", "f", "[\"b\"]", "\"-x\""], &[]).positionals.len(), 3);
    }
}

#[test]
fn a_switch_takes_no_separate_word() {
    let run = runs(Sops, &["decrypt", "--enable-local-keyservice", "false", "f"], &[]);
    assert!(run.flags.is_set("enable-local-keyservice"));
    assert_eq!(run.positionals, ["false", "f"]);
    assert!(
        !runs(Sops, &["decrypt", "--enable-local-keyservice=false", "f"], &[])
            .flags
            .is_set("enable-local-keyservice")
    );
}

#[test]
fn flags_at_the_wrong_level_warn_and_change_nothing() {
    for flags in [&["--output", "o"][..], &["-i"], &["--extract", "P"], &["--enable-local-keyservice=false"]]
    {
        let words = [flags, &["decrypt", "f"]].concat();
        let run = runs(Sops, &words, &[]);
        assert_eq!(run.warnings.len(), 1, "{words:?}");
        assert!(run.warnings[0].contains("has no effect before \"decrypt\""), "{}", run.warnings[0]);
        assert!(run.flags.text("output").is_none() && !run.flags.is_set("in-place"));
        assert!(run.flags.is_set("enable-local-keyservice"));
        let strict = [&["--strict"], words.as_slice()].concat();
        assert_eq!(refused(Sops, &strict, &[]).1, run.warnings[0]);
    }
    let run = runs(Sops, &["--encrypted-comment-regex", "R", "encrypt", "f"], &[]);
    assert!(run.flags.text("encrypted-comment-regex").is_none() && run.warnings.len() == 1);
    assert!(runs(Sops, &["--disable-version-check", "decrypt", "f"], &[]).warnings.is_empty());
}

#[test]
fn global_flags_reach_subcommands_from_both_sides() {
    for words in [
        &["--config", "c", "--indent", "3", "--verbose", "--mac-only-encrypted", "encrypt", "f"][..],
        &["encrypt", "--config", "c", "--indent", "3", "f", "--mac-only-encrypted", "--verbose"],
        &[
            "--config",
            "x",
            "--config",
            "c",
            "encrypt",
            "--indent=3",
            "--verbose",
            "--mac-only-encrypted=T",
            "--",
            "f",
        ],
    ] {
        let run = runs(Ksops, words, &[("SOPS_CONFIG", "other")]);
        assert_eq!((run.flags.text("config"), run.flags.number("indent")), (Some("c"), Some(3)), "{words:?}");
        assert!(run.flags.is_set("verbose") && run.flags.is_set("mac-only-encrypted"), "{words:?}");
        assert!(run.warnings.is_empty() && run.positionals == ["f"], "{words:?}");
    }
    let run = runs(Sops, &["--config", "outer", "encrypt", "--config", "inner", "f"], &[]);
    assert_eq!(run.flags.text("config"), Some("inner"));
}

#[test]
fn as_sops_verbose_reaches_two_subcommands_and_the_others_warn() {
    let words = ["--config", "c", "--indent", "3", "--verbose", "--mac-only-encrypted", "encrypt", "f"];
    let run = runs(Sops, &words, &[]);
    assert_eq!((run.flags.text("config"), run.flags.number("indent")), (Some("c"), Some(3)));
    assert!(run.flags.is_set("mac-only-encrypted") && !run.flags.is_set("verbose"));
    assert_eq!(run.warnings, ["--verbose has no effect before \"encrypt\"; write it after \"encrypt\""]);
    let run = runs(Sops, &["--verbose", "publish", "f"], &[]);
    assert!(run.flags.is_set("verbose") && run.warnings.is_empty());
    assert!(runs(Sops, &["encrypt", "f", "--verbose"], &[]).flags.is_set("verbose"));
}

#[test]
fn variables_stand_in_for_absent_flags() {
    let age = [("SOPS_AGE_RECIPIENTS", "V")];
    let run = runs(Sops, &["encrypt", "f"], &age);
    assert_eq!((run.flags.text("age"), run.flags.names_given().contains(&"age")), (Some("V"), false));
    assert_eq!(runs(Sops, &["encrypt", "--age", "A", "--age", "B", "f"], &age).flags.text("age"), Some("B"));
    let run = runs(Sops, &["encrypt", "--age", "", "f"], &age);
    assert_eq!((run.flags.text("age"), run.flags.names_given().contains(&"age")), (None, true));
    assert_eq!(runs(Sops, &["encrypt", "f"], &[("SOPS_AGE_RECIPIENTS", "")]).flags.text("age"), None);
    let services = [("SOPS_KEYSERVICE", "tcp://a, unix:///b,")];
    assert_eq!(runs(Sops, &["decrypt", "f"], &services).flags.texts("keyservice"), ["tcp://a", "unix:///b"]);
    let own = runs(Sops, &["decrypt", "--keyservice", "tcp://c", "f", "--keyservice=tcp://d"], &services);
    assert_eq!(own.flags.texts("keyservice"), ["tcp://c", "tcp://d"]);
    // `groups add` takes its keys from flags only.
    assert!(runs(Sops, &["groups", "add", "-f", "f"], &age).flags.texts("age").is_empty());
}

#[test]
fn boolean_variables_are_checked_for_every_command() {
    let name = "SOPS_ENABLE_LOCAL_KEYSERVICE";
    for words in
        [&["decrypt", "f"][..], &["filestatus", "f"], &["f"], &["decrypt", "--enable-local-keyservice", "f"]]
    {
        let (_, message) = refused(Sops, words, &[(name, "no")]);
        assert!(
            message.starts_with("could not parse no as bool value for flag enable-local-keyservice: "),
            "{message}"
        );
    }
    let run = runs(Sops, &["decrypt", "f"], &[(name, "")]);
    assert!(!run.flags.is_set("enable-local-keyservice"));
    assert!(run.warnings.len() == 1 && run.warnings[0].contains(name));
    assert!(!runs(Sops, &["decrypt", "f"], &[(name, "0")]).flags.is_set("enable-local-keyservice"));
    assert!(
        runs(Sops, &["decrypt", "--enable-local-keyservice", "f"], &[(name, "0")])
            .flags
            .is_set("enable-local-keyservice")
    );
}

#[test]
fn an_unknown_first_word_is_a_file_as_sops_and_an_error_as_ksops() {
    for word in ["version", "init", "keygen", "view", "secrets.yaml"] {
        let run = runs(Sops, &[word], &[]);
        assert_eq!((run.command, run.positionals), (Command::Legacy, vec![word.to_owned()]));
    }
    assert_eq!(
        refused(Ksops, &["encrpyt", "f"], &[]).1,
        "unknown command `encrpyt`; did you mean `encrypt`?"
    );
    assert!(refused(Ksops, &["secrets.yaml"], &[]).1.contains("`ksops edit FILE`"));
    assert_eq!(runs(Ksops, &["init", "--age", "A"], &[]).command, Command::Init);
    assert_eq!(runs(Ksops, &["secrets.yaml", "-d"], &[]).command, Command::Legacy);
    for program in [Sops, Ksops] {
        assert!(runs(program, &[], &[]).positionals.is_empty());
    }
}

#[test]
fn help_is_found_on_every_level() {
    let rows: &[(&[&str], &str)] = &[
        (&["--help"], "COMMANDS:"),
        (&["-h", "decrypt"], "COMMANDS:"),
        (&["help"], "COMMANDS:"),
        (&["h", "decrypt"], "sops decrypt [flags] [FILE...]"),
        (&["help", "groups", "add"], "sops groups add"),
        (&["groups"], "delete "),
        (&["groups", "--help"], "delete "),
        (&["groups", "help", "delete"], "sops groups delete [flags] INDEX"),
        (&["completion"], "bash|zsh"),
        (&["encrypt", "-h"], "--filename-override"),
        (&["decrypt", "f", "--help"], "--extract"),
        (&["updatekeys", "--help"], "--yes, -y"),
        (&["keyservice", "--help"], "--network, --net NET"),
    ];
    for (words, part) in rows {
        let (text, status) = helps(Sops, words);
        assert_eq!(status, 0, "{words:?}");
        assert!(text.contains(part) && text.contains("USAGE:") && text.ends_with('\n'), "{words:?}: {text}");
    }
    for words in
        [&["help", "nope"][..], &["groups", "nope"], &["groups", "help", "nope"], &["help", "groups", "nope"]]
    {
        assert_eq!(helps(Sops, words), ("No help topic for 'nope'\n".to_owned(), 3), "{words:?}");
    }
    assert_eq!(helps(Sops, &["completion", "nope"]).1, 3);
    assert!(matches!(read(Sops, &["-version"], &[]), Parsed::Version));
    assert!(matches!(read(Sops, &["--check-for-updates", "-v", "decrypt"], &[]), Parsed::Version));
    assert_eq!(runs(Sops, &["--help=false", "f"], &[]).positionals, ["f"]);
}

#[test]
fn commands_with_operands_of_their_own_take_flags_anywhere() {
    let run = runs(Sops, &["set", "--idempotent", "f", "[\"a\"]", "1", "--input-type", "json"], &[]);
    assert_eq!(run.positionals, ["f", "[\"a\"]", "1"]);
    assert!(run.flags.is_set("idempotent") && run.flags.text("input-type") == Some("json"));
    let run = runs(Sops, &["exec-env", "f", "env", "--user", "x"], &[]);
    assert_eq!((run.flags.text("user"), run.positionals.len()), (Some("x"), 2));
    let run = runs(Sops, &["groups", "add", "-f", "f", "--age", "A", "--age", "B", "x"], &[]);
    assert_eq!((run.command, run.flags.texts("age")), (Command::GroupsAdd, vec!["A", "B"]));
    assert_eq!(run.positionals, ["x"]);
    let run = runs(Sops, &["keyservice", "--net", "unix", "-addr=/s"], &[]);
    assert_eq!((run.flags.text("network"), run.flags.text("address")), (Some("unix"), Some("/s")));
}

#[test]
fn completion_offers_what_may_follow() {
    let ask = "--generate-bash-completion";
    let top = candidates(&[ask]);
    assert!(["encrypt", "groups", "help", "h"].iter().all(|name| top.iter().any(|found| found == name)));
    assert!(!top.iter().any(|name| name == "init"), "sops has no such command");
    let man = match read(Ksops, &["man", ask], &[]) {
        Parsed::Candidates(names) => names,
        _ => panic!("no candidates"),
    };
    assert!(man.contains(&"view".to_owned()) && man.contains(&"groups".to_owned()));
    assert_eq!(candidates(&["dec", ask]), top);
    assert_eq!(candidates(&["", ask]), top);
    assert_eq!(candidates(&["decrypt", "--ex", ask]), ["--extract"]);
    assert_eq!(candidates(&["--config", "decrypt", "--show", ask]), ["--show-master-keys"]);
    assert_eq!(candidates(&["groups", ask]), ["add", "delete", "help", "h"]);
    assert_eq!(
        candidates(&["completion", "", ask]),
        ["bash", "zsh", "fish", "powershell", "nushell", "help", "h"]
    );
    assert!(candidates(&["updatekeys", "-", ask]).contains(&"-y".to_owned()));
    for words in [
        &["decrypt", ask][..],
        &["decrypt", "", ask],
        &["decrypt", "--output", "", ask],
        &["--config", "", ask],
    ] {
        assert!(candidates(words).is_empty(), "{words:?}");
    }
}

#[test]
fn zsh_gets_summaries_when_it_asks_for_them() {
    let words = ["groups", "--generate-bash-completion"];
    let ask = |value| match read(Sops, &words, &[("_CLI_ZSH_AUTOCOMPLETE_HACK", value)]) {
        Parsed::Candidates(names) => names,
        _ => panic!("no candidates"),
    };
    assert_eq!(ask("0"), ["add", "delete", "help", "h"]);
    assert_eq!(ask("1")[0], "add:Add a key group to a file");
}

#[test]
fn redact_is_never_ignored() {
    let rows: &[(Program, &[&str])] = &[
        (Sops, &["decrypt", "--ignore-mac", "f", "--redact"]),
        (Sops, &["decrypt", "--ignore-mac", "f", "-redact=true"]),
        (Sops, &["-d", "f", "--redact"]),
        (Ksops, &["decrypt", "f", "--", "--redact"]),
    ];
    for (program, words) in rows {
        assert!(refused(*program, words, &[]).1.contains("would be ignored here"), "{words:?}");
    }
    for program in [Sops, Ksops] {
        for words in [&["decrypt", "f", "--redact"][..], &["decrypt", "--redact", "f"]] {
            assert!(runs(program, words, &[]).flags.is_set("redact"), "{words:?}");
        }
        refused(program, &["--redact", "-d", "f"], &[]);
    }
}

#[test]
fn every_level_has_complete_tables() {
    use crate::args::command::SUBCOMMANDS;
    use crate::args::table::FLAGS;
    for (at, sub) in SUBCOMMANDS.iter().enumerate() {
        for later in &SUBCOMMANDS[at + 1..] {
            assert!(!sub.level.meets(later.level), "{} and {} share a level", sub.title(), later.title());
        }
    }
    for (at, flag) in FLAGS.iter().enumerate() {
        assert!(!flag.help.is_empty(), "{}", flag.name);
        for later in &FLAGS[at + 1..] {
            let same = flag.name == later.name || (!flag.alias.is_empty() && flag.alias == later.alias);
            assert!(!same || !flag.levels.meets(later.levels), "{} twice on one level", flag.name);
        }
    }
    for sub in SUBCOMMANDS {
        let help = crate::args::help::subcommand(sub, Ksops);
        assert!(help.contains("--help, -h"), "{}", sub.title());
        assert!(sub.command.is_none() || help.contains("EXAMPLES:"), "{}", sub.title());
    }
}

#[test]
fn scripts_name_the_program_they_complete() {
    use crate::args::completion::script;
    for shell in ["bash", "zsh", "fish", "powershell"] {
        for program in [Sops, Ksops] {
            let text = script(shell, program).unwrap_or_default();
            assert!(text.contains("--generate-bash-completion"), "{shell}");
            assert!(text.contains(&format!("completion for {}\n", program.name())), "{shell}");
            assert!(!text.contains(" @\n") && !text.contains("__@"), "{shell}: {text}");
        }
    }
    assert!(script("nushell", Sops).is_some_and(|text| text.starts_with("# nushell completion for sops\n")));
    assert!(script("tcsh", Sops).is_none());
}
