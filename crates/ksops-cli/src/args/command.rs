//! The table of subcommands with the words of their help. Apart from the flags, because one command is one row here and
//! many rows there.

use crate::args::level::Levels;
use crate::args::parsed::Command;
use crate::args::program::Program;

/// One subcommand.
pub(crate) struct Subcommand {
    /// The words that call it, as in `groups add`.
    pub path: &'static [&'static str],
    /// What it runs; `None` for the parents `groups` and `completion`, which show help when called alone.
    pub command: Option<Command>,
    /// Its level in the table of flags.
    pub level: Levels,
    /// Positional arguments in the usage line.
    pub operands: &'static str,
    /// One line for lists.
    pub summary: &'static str,
    /// More for its own help, or empty.
    pub details: &'static str,
    /// Example lines; `{}` stands for the program's name.
    pub examples: &'static [&'static str],
}

impl Subcommand {
    /// Whether this program has the command. A file called `init` must stay editable as `sops init`.
    pub(crate) fn known_to(&self, program: Program) -> bool {
        let is_own = matches!(
            self.command,
            Some(
                Command::Mergetool
                    | Command::Keygen
                    | Command::Init
                    | Command::View
                    | Command::Verify
                    | Command::Doctor
                    | Command::Man
            )
        ) || matches!(self.path.first(), Some(&"azure" | &"git"));
        program == Program::Ksops || !is_own
    }

    /// The words that call it, joined.
    pub(crate) fn title(&self) -> String {
        self.path.join(" ")
    }
}

/// All subcommands, in the order of the help.
pub(crate) static SUBCOMMANDS: &[Subcommand] = &[
    Subcommand {
        path: &["init"],
        command: Some(Command::Init),
        level: Levels::INIT,
        operands: "",
        summary: "Write a first .sops.yaml for this directory",
        details: "Creates .sops.yaml with one rule that names the given keys. An existing file is never replaced.",
        examples: &[
            "{} init --age age1example",
            "{} init --azure-kv https://vault.vault.azure.net/keys/name/version",
        ],
    },
    Subcommand {
        path: &["keygen"],
        command: Some(Command::Keygen),
        level: Levels::KEYGEN,
        operands: "",
        summary: "Make an age key",
        details: "Writes a new private key and tells its public half, the recipient, which you give to those who \
                  encrypt for you.",
        examples: &["{} keygen --output keys.txt", "SOPS_AGE_KEY_FILE=keys.txt {} decrypt secrets.yaml"],
    },
    Subcommand {
        path: &["encrypt"],
        command: Some(Command::Encrypt),
        level: Levels::ENCRYPT,
        operands: "[FILE...]",
        summary: "Encrypt files to standard output or in place",
        details: "Keys come from the key flags, else from the first rule of .sops.yaml that fits the file name. Without \
                  FILE standard input is read, and --filename-override says which rule and format apply. Several files \
                  are encrypted in place; with --recursive those below a folder that a rule names (a rule for all paths \
                  names YAML, JSON, dotenv, INI and TOML), that Git does not ignore and that are not encrypted yet.",
        examples: &[
            "{} encrypt --in-place secrets.yaml",
            "{} encrypt --in-place --recursive clusters/",
            "{} encrypt --age age1example secrets.json --output secrets.enc.json",
            "{} encrypt --filename-override secrets.yaml < plain.yaml",
        ],
    },
    Subcommand {
        path: &["decrypt"],
        command: Some(Command::Decrypt),
        level: Levels::DECRYPT,
        operands: "[FILE...]",
        summary: "Decrypt files to standard output or in place",
        details: "Without FILE standard input is read. Several files are printed one after another, YAML with a document \
                  marker before each.",
        examples: &[
            "{} decrypt secrets.yaml",
            "{} decrypt --in-place a.yaml b.yaml",
            "{} decrypt secrets.yaml --extract '[\"database\"][\"password\"]'",
            "{} decrypt secrets.yaml --output-type dotenv --output .env",
            "{} decrypt secrets.yaml --redact",
        ],
    },
    Subcommand {
        path: &["view"],
        command: Some(Command::View),
        level: Levels::VIEW,
        operands: "[FILE]",
        summary: "Show an encrypted file with every secret masked; needs no key",
        details: "For logs, reviews and AI assistants. A value that is encrypted is shown as <redacted str 9-16>: its \
                  type and a range for its length in bytes (empty, 1-8, 9-16, 17-32, and so on); of numbers and truth \
                  values the type alone. What stands plain in the file is shown as it is.\n\nNo key is used and nothing \
                  is decrypted, so nothing is checked either: anybody who can write to the file can have changed what \
                  stands there plain. `decrypt --redact` shows the same after it has checked the file with your key.",
        examples: &["{} view secrets.yaml", "{} view secrets.yaml --extract '[\"database\"]'"],
    },
    Subcommand {
        path: &["edit"],
        command: Some(Command::Edit),
        level: Levels::EDIT,
        operands: "FILE",
        summary: "Edit an encrypted file in an editor",
        details: "The editor is SOPS_EDITOR, else EDITOR, else vim, nano or vi. A missing file is created.",
        examples: &["{} edit secrets.yaml"],
    },
    Subcommand {
        path: &["set"],
        command: Some(Command::Set),
        level: Levels::SET,
        operands: "FILE... PATH [VALUE]",
        summary: "Set one value of encrypted files, in place",
        details: "VALUE is JSON. Prefer --value-stdin for secrets: arguments are visible to other users of the machine.",
        examples: &[
            "{} set secrets.yaml '[\"database\"][\"port\"]' 5432",
            "{} set --value-stdin secrets.yaml '[\"token\"]' < token.json",
        ],
    },
    Subcommand {
        path: &["unset"],
        command: Some(Command::Unset),
        level: Levels::UNSET,
        operands: "FILE... PATH",
        summary: "Remove one value or branch from encrypted files, in place",
        details: "",
        examples: &["{} unset secrets.yaml '[\"database\"][\"password\"]'"],
    },
    Subcommand {
        path: &["rotate"],
        command: Some(Command::Rotate),
        level: Levels::ROTATE,
        operands: "FILE...",
        summary: "Encrypt files again under a new data key",
        details: "Keys can be added to and removed from the file in the same step.",
        examples: &[
            "{} rotate --in-place secrets.yaml",
            "{} rotate --in-place --recursive clusters/",
            "{} rotate secrets.yaml -i --rm-age age1former --add-age age1new",
        ],
    },
    Subcommand {
        path: &["updatekeys"],
        command: Some(Command::Updatekeys),
        level: Levels::UPDATEKEYS,
        operands: "FILE...",
        summary: "Bring the keys of files in line with .sops.yaml",
        details: "Shows what would change and asks, unless --yes is given. --check changes nothing, and tells by its status whether anything would change.",
        examples: &["{} updatekeys --yes secrets.yaml", "{} updatekeys --check --recursive clusters/"],
    },
    Subcommand {
        path: &["groups"],
        command: None,
        level: Levels::GROUPS,
        operands: "COMMAND",
        summary: "Add or delete key groups of a file",
        details: "",
        examples: &[],
    },
    Subcommand {
        path: &["groups", "add"],
        command: Some(Command::GroupsAdd),
        level: Levels::GROUPS_ADD,
        operands: "",
        summary: "Add a key group to a file",
        details: "",
        examples: &["{} groups add --in-place --file secrets.yaml --age age1example"],
    },
    Subcommand {
        path: &["groups", "delete"],
        command: Some(Command::GroupsDelete),
        level: Levels::GROUPS_DELETE,
        operands: "INDEX",
        summary: "Delete a key group from a file; the first has index 0",
        details: "",
        examples: &["{} groups delete --in-place --file secrets.yaml 1"],
    },
    Subcommand {
        path: &["exec-env"],
        command: Some(Command::ExecEnv),
        level: Levels::EXEC_ENV,
        operands: "FILE COMMAND | FILE... -- PROGRAM [ARGUMENT...]",
        summary: "Run a command with the decrypted values in its environment",
        details: "COMMAND is one argument; quote it. It is run by the shell. Behind -- stands a program with its arguments, \
                  which no shell touches; of several files the later ones win.",
        examples: &[
            "{} exec-env secrets.env 'deploy --to staging'",
            "{} exec-env common.env staging.env -- deploy --to staging",
        ],
    },
    Subcommand {
        path: &["exec-file"],
        command: Some(Command::ExecFile),
        level: Levels::EXEC_FILE,
        operands: "FILE COMMAND | FILE... -- PROGRAM [ARGUMENT...]",
        summary: "Run a command with the decrypted file at a temporary path",
        details: "COMMAND is one argument; quote it. It is run by the shell, with {} replaced by the path. Behind -- stands a \
                  program with its arguments, which no shell touches. Of several files {1} is the first, {2} the second.",
        examples: &["{} exec-file secrets.json 'cat {}'", "{} exec-file a.yaml b.yaml -- diff {1} {2}"],
    },
    Subcommand {
        path: &["filestatus"],
        command: Some(Command::Filestatus),
        level: Levels::FILESTATUS,
        operands: "FILE...",
        summary: "Tell as JSON whether files are encrypted",
        details: "Of several files a line each, with its name.",
        examples: &["{} filestatus secrets.yaml"],
    },
    Subcommand {
        path: &["verify"],
        command: Some(Command::Verify),
        level: Levels::VERIFY,
        operands: "FILE...",
        summary: "Check that files decrypt and their MAC agrees, without showing them",
        details: "Flux does not check the MAC, so a check before the merge is the only one there is.\n\n--all-keys asks every \
                  master key of the file and compares what they yield: a crafted file could be one document for one \
                  recipient and another for the next. Keys that cannot be used here are named and do not count.",
        examples: &["{} verify --recursive clusters/", "{} verify --all-keys secrets.yaml"],
    },
    Subcommand {
        path: &["doctor"],
        command: Some(Command::Doctor),
        level: Levels::DOCTOR,
        operands: "[FILE]",
        summary: "Show which credentials the keys of a file would use, and why one does not work",
        details: "Looks at every master key of FILE; without FILE, or if FILE is not encrypted, at the keys that a new \
                  file would get: those of the key flags and their variables, else of the rules of .sops.yaml; without \
                  any key, at the credentials that are set up here.\n\nEverything is tried for real: the data key of FILE \
                  is decrypted with each of its keys; for a rule a made-up data key is encrypted and decrypted again. No \
                  secret is printed, and no file is changed.\n\nThe exit status is 0 if the data key of FILE can be \
                  recovered, or if all keys of the rules encrypt and enough of them decrypt; else 1.",
        examples: &["{} doctor secrets.yaml", "{} doctor", "{} doctor --json secrets.yaml"],
    },
    Subcommand {
        path: &["azure"],
        command: None,
        level: Levels::AZURE,
        operands: "COMMAND",
        summary: "Help with keys of Azure Key Vault",
        details: "",
        examples: &[],
    },
    Subcommand {
        path: &["azure", "fetch-key"],
        command: Some(Command::AzureFetchKey),
        level: Levels::AZURE_FETCH_KEY,
        operands: "URL...",
        summary: "Get the public half of a key, with which files are encrypted without the vault",
        details: "Asks the vault for the version that URL names, else for the newest. The public half is kept for this user; \
                  with --output it is written to a file that can be committed and named in .sops.yaml \
                  (azure_keyvault_public_keys). From then on encrypting for this version of the key needs neither network \
                  nor log-in; decrypting always does. The fingerprint shown is the JWK thumbprint of RFC 7638.",
        examples: &[
            "{} azure fetch-key https://vault.vault.azure.net/keys/name/version",
            "{} azure fetch-key --output keys/name.jwk https://vault.vault.azure.net/keys/name",
        ],
    },
    Subcommand {
        path: &["git"],
        command: None,
        level: Levels::GIT,
        operands: "COMMAND",
        summary: "Let git compare and merge encrypted files",
        details: "",
        examples: &[],
    },
    Subcommand {
        path: &["git", "install"],
        command: Some(Command::GitInstall),
        level: Levels::GIT_INSTALL,
        operands: "[PATTERN...]",
        summary: "Set up diff and merge of encrypted files in this repository",
        details: "Shows what it will do and asks, unless --yes is given. It sets diff and merge drivers in the \
                  configuration of this clone, and lines in .gitattributes that name the files: PATTERN, else all YAML, \
                  JSON, dotenv, INI and TOML files. Files that are not encrypted are left to git.",
        examples: &["{} git install", "{} git install --yes 'secrets/*.yaml'"],
    },
    Subcommand {
        path: &["git", "textconv"],
        command: Some(Command::GitTextconv),
        level: Levels::GIT_TEXTCONV,
        operands: "FILE",
        summary: "Show a file decrypted, for `git diff`",
        details: "A file that is not encrypted, or whose key is not here, is shown as it is. What was shown is remembered \
                  in the repository's git folder, encrypted with a key that lies in XDG_RUNTIME_DIR and ends with the \
                  session; without that folder nothing is remembered.",
        examples: &["{} git textconv secrets.yaml"],
    },
    Subcommand {
        path: &["git", "merge"],
        command: Some(Command::GitMerge),
        level: Levels::GIT_MERGE,
        operands: "BASE OURS THEIRS [NAME]",
        summary: "Merge three versions of an encrypted file into OURS, for git",
        details: "By path, and lists by content. The exit status is 1 if both sides changed the same; OURS then has \
                  conflict markers around the encrypted values.",
        examples: &["{} git merge base.yaml ours.yaml theirs.yaml secrets.yaml"],
    },
    Subcommand {
        path: &["mergetool"],
        command: Some(Command::Mergetool),
        level: Levels::MERGETOOL,
        operands: "FILE",
        summary: "Resolve the conflicts of an encrypted file in an editor",
        details: "Takes the versions that git keeps of a file in conflict, else those between its conflict markers, \
                  which may stand in the metadata, too. What merges by itself is merged; the rest is shown decrypted, \
                  with markers, in the editor.",
        examples: &["{} mergetool secrets.yaml", "git mergetool --tool=ksops"],
    },
    Subcommand {
        path: &["publish"],
        command: Some(Command::Publish),
        level: Levels::PUBLISH,
        operands: "FILE|DIR",
        summary: "Send a file to the destination named in .sops.yaml",
        details: "",
        examples: &["{} publish secrets.yaml"],
    },
    Subcommand {
        path: &["keyservice"],
        command: Some(Command::Keyservice),
        level: Levels::KEYSERVICE,
        operands: "",
        summary: "Serve the keys of this machine to others",
        details: "",
        examples: &["{} keyservice --network unix --address /run/user/1000/keys.sock"],
    },
    Subcommand {
        path: &["completion"],
        command: None,
        level: Levels::COMPLETION,
        operands: "bash|zsh|fish|powershell|nushell",
        summary: "Print a completion script for a shell",
        details: "",
        examples: &[
            "source <({} completion bash)",
            "{} completion fish | source",
            "{} completion nushell | save --force completion.nu",
        ],
    },
    Subcommand {
        path: &["man"],
        command: Some(Command::Man),
        level: Levels::MAN,
        operands: "[COMMAND...]",
        summary: "Print the manual page of a command",
        details: "Without COMMAND the page of the program itself. With --directory all pages are written as files, \
                  which is what a package needs.",
        examples: &["{} man decrypt | man -l -", "{} man --directory /usr/local/share/man/man1"],
    },
];

/// The shells that [`crate::args::completion::script`] knows; the words below `completion`.
pub(crate) const SHELLS: &[&str] = &["bash", "zsh", "fish", "powershell", "nushell"];

/// The subcommand called by exactly these words.
pub(crate) fn find(path: &[&str], program: Program) -> Option<&'static Subcommand> {
    SUBCOMMANDS.iter().find(|sub| sub.path == path && sub.known_to(program))
}

/// The words that may follow `parent` (none: the top level), in the order of the table.
pub(crate) fn children(parent: &[&str], program: Program) -> impl Iterator<Item = &'static Subcommand> {
    SUBCOMMANDS.iter().filter(move |sub| {
        sub.known_to(program) && sub.path.len() == parent.len() + 1 && sub.path.starts_with(parent)
    })
}
