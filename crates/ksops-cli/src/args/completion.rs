//! Completion: the candidates for half a command line, and the scripts that ask for them. The scripts ask the program
//! itself, so they never fall behind the table of flags (specification cli-and-config.md section 10.5). That of nushell,
//! which wants to know every flag beforehand, is made of the table.

use crate::args::command::{SHELLS, Subcommand, children, find};
use crate::args::level::Levels;
use crate::args::nushell;
use crate::args::program::Program;
use crate::args::table::FLAGS;
use crate::args::word::Word;

const BASH: &str = r#"# bash completion for @
__@_complete() {
    local current="${COMP_WORDS[COMP_CWORD]}" asked="" candidates
    [[ "$current" == -* ]] && asked="$current"
    candidates=$("${COMP_WORDS[@]:0:COMP_CWORD}" "$asked" --generate-bash-completion 2>/dev/null)
    COMPREPLY=($(compgen -W "$candidates" -- "$current"))
}
complete -o bashdefault -o default -F __@_complete @
"#;

const ZSH: &str = r#"#compdef @
# zsh completion for @
__@_complete() {
    local asked=""
    local -a candidates
    [[ "${words[CURRENT]}" == -* ]] && asked="${words[CURRENT]}"
    candidates=("${(@f)$(_CLI_ZSH_AUTOCOMPLETE_HACK=1 "${(@Q)words[1,CURRENT-1]}" "$asked" --generate-bash-completion 2>/dev/null)}")
    if [[ -n "${candidates[1]}" ]]; then
        _describe 'values' candidates
    else
        _files
    fi
}
if [[ "${funcstack[1]}" == "_@" ]]; then
    __@_complete "$@"
else
    compdef __@_complete @
fi
"#;

const FISH: &str = r#"# fish completion for @
function __@_complete
    set -l before (commandline -opc)
    set -l current (commandline -ct)
    set -l asked ""
    string match -q -- '-*' "$current"; and set asked "$current"
    $before "$asked" --generate-bash-completion 2>/dev/null
end
complete -c @ -a '(__@_complete)'
"#;

const POWERSHELL: &str = r#"# PowerShell completion for @
Register-ArgumentCompleter -Native -CommandName @ -ScriptBlock {
    param($current, $ast, $cursor)
    $before = @($ast.CommandElements | Where-Object { $_.Extent.EndOffset -lt $cursor } | ForEach-Object { "$_" })
    $rest = @($before | Select-Object -Skip 1)
    if ($current -like '-*') { $rest += $current }
    & $before[0] $rest --generate-bash-completion 2>$null |
        Where-Object { $_ -like "$current*" } |
        ForEach-Object { [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_) }
}
"#;

/// The completion script for a shell, or `None` for a shell that has none.
pub(crate) fn script(shell: &str, program: Program) -> Option<String> {
    let name = program.name();
    let template = match shell {
        "bash" => BASH,
        "zsh" => ZSH,
        "fish" => FISH,
        "nushell" => return Some(nushell::script(program)),
        // `@(` is PowerShell's own sign for a list and must stay.
        "powershell" => {
            return Some(
                POWERSHELL
                    .replace("for @", &format!("for {name}"))
                    .replace("-CommandName @", &format!("-CommandName {name}")),
            );
        }
        _ => return None,
    };
    Some(
        template
            .replace("__@", &format!("__{name}"))
            .replace("\"_@\"", &format!("\"_{name}\""))
            .replace(" @", &format!(" {name}")),
    )
}

/// What may stand for the last of `words`: flags when it begins with a dash, else subcommands when one is due. A last
/// word that is complete counts as read, as installed scripts leave out the one being typed.
///
/// With `describes`, a subcommand is followed by a colon and its summary.
pub(crate) fn candidates(words: &[&str], program: Program, describes: bool) -> Vec<String> {
    let listed = |parent: &[&str]| {
        let rows =
            children(parent, program).map(|sub| (sub.path.last().copied().unwrap_or_default(), sub.summary));
        names(rows, describes)
    };
    let mut current: Option<&'static Subcommand> = None;
    let mut value_due = false;
    let (last, before) = words.split_last().map_or(("", words), |(last, before)| (*last, before));
    let typing_flag = last.starts_with('-');
    for word in if typing_flag { before } else { words } {
        let level = current.map_or(Levels::TOP, |sub| sub.level);
        if std::mem::take(&mut value_due) {
            continue;
        }
        match Word::of(word, level) {
            Word::Operand if !word.is_empty() => {
                let mut path = current.map_or_else(Vec::new, |sub| sub.path.to_vec());
                path.push(word);
                current = find(&path, program).or(current);
            }
            found => value_due = found.wants_next(),
        }
    }
    let level = current.map_or(Levels::TOP, |sub| sub.level);
    if typing_flag {
        return flag_names(last, level);
    }
    let awaits_value = before.last().is_some_and(|word| Word::of(word, level).wants_next());
    match current {
        _ if awaits_value => Vec::new(),
        None => listed(&[]),
        Some(sub) if sub.level == Levels::COMPLETION && last_is_due(last, sub) => {
            names(SHELLS.iter().map(|shell| (*shell, "")), describes)
        }
        Some(sub) if sub.level == Levels::MAN && last_is_due(last, sub) => {
            let rows = children(&[], program);
            rows.map(|sub| named(sub.path.last().copied().unwrap_or_default(), sub.summary, describes))
                .collect()
        }
        Some(sub) if sub.command.is_none() && last_is_due(last, sub) => listed(sub.path),
        Some(_) => Vec::new(),
    }
}

/// Whether the word below a parent is still to come.
fn last_is_due(last: &str, parent: &Subcommand) -> bool {
    last.is_empty() || parent.path.last() == Some(&last)
}

fn names<'a>(rows: impl Iterator<Item = (&'a str, &'a str)>, describes: bool) -> Vec<String> {
    let help = "Show this help, or that of a command";
    let rows = rows.chain([("help", help), ("h", help)]);
    rows.map(|(name, summary)| named(name, summary, describes)).collect()
}

fn named(name: &str, summary: &str, describes: bool) -> String {
    if describes && !summary.is_empty() { format!("{name}:{summary}") } else { name.to_owned() }
}

fn flag_names(typed: &str, level: Levels) -> Vec<String> {
    let flags = FLAGS.iter().filter(|flag| flag.levels.meets(level));
    let names = flags.flat_map(|flag| [flag.name, flag.alias]).filter(|name| !name.is_empty());
    names
        .map(|name| if name.len() == 1 { format!("-{name}") } else { format!("--{name}") })
        .filter(|name| name.starts_with(typed))
        .collect()
}
