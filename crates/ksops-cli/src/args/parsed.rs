//! The result of reading the command line. Apart from the parser, because the commands need these types only.

use crate::args::flags::Flags;

/// What the words ask for.
pub(crate) enum Parsed {
    /// Show `text`. With status 0 it belongs on standard output; with another status (3: no such help topic) it is a
    /// message for standard error. The text ends in a line break.
    Help {
        /// The help, or the message.
        text: String,
        /// The exit status.
        status: u8,
    },
    /// `--version` before any subcommand.
    Version,
    /// Words that do not form a command line; status 1.
    BadUsage {
        /// For standard output: the complaint and the help of the level, or nothing.
        stdout: String,
        /// For the `level=fatal` line on standard error.
        message: String,
    },
    /// Answer to a completion script, one candidate a line.
    Candidates(Vec<String>),
    /// A command to run.
    Run(Invocation),
}

/// A command with all it was given.
pub(crate) struct Invocation {
    /// What to run.
    pub command: Command,
    /// Flags and the variables that stand in for absent ones.
    pub flags: Flags,
    /// All positional arguments, surplus ones included: `set`, `exec-*` and `groups` count them.
    pub positionals: Vec<String>,
    /// How many of them stand behind `--`.
    pub behind_delimiter: usize,
    /// Warnings for the logger `CMD`. The two about surplus arguments are among them; commands do not repeat them.
    pub warnings: Vec<String>,
}

/// The commands (specification cli-and-config.md section 2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Command {
    Encrypt,
    Decrypt,
    Rotate,
    Edit,
    Set,
    Unset,
    Updatekeys,
    GroupsAdd,
    GroupsDelete,
    ExecEnv,
    ExecFile,
    Filestatus,
    Publish,
    Keyservice,
    Completion,
    Keygen,
    Init,
    View,
    Doctor,
    Man,
    AzureFetchKey,
    Verify,
    GitInstall,
    GitTextconv,
    GitMerge,
    Mergetool,
    /// No subcommand: the switches `encrypt`, `decrypt`, `rotate` and the value flag `set` give the mode; none: edit.
    Legacy,
}
