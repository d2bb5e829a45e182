//! Plugins: programs `age-plugin-NAME` that wrap and unwrap file keys (key-services.md section 3.5; the protocol is
//! C2SP's age-plugin.md).
//!
//! Apart from the `age` crate's own client, whose errors do not say which question could not be asked.

use std::env;
use std::ffi::OsStr;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::sync::Arc;

use age::secrecy::ExposeSecret;
use age_core::format::{FileKey, Stanza};
use age_core::plugin::{Connection, IDENTITY_V1, RECIPIENT_V1, Reply, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use ksops_core::keys::key_service::KeyServiceError;
use zeroize::Zeroizing;

use crate::bech32;
use crate::joint::{Open, Wrap, file_key};
use crate::prompt::Prompt;

/// What an identity begins with.
const IDENTITY_PREFIX: &str = "AGE-PLUGIN-";
/// What a plugin may send in both directions of use.
const QUESTIONS: [&str; 4] = ["msg", "confirm", "request-public", "request-secret"];
/// No more of what a plugin says is shown.
const ERROR_LIMIT: usize = 2000;

/// A plugin recipient, `age1NAME1…`.
pub(crate) struct PluginRecipient<'a> {
    plugin: Plugin,
    text: &'a str,
    prompt: &'a Arc<dyn Prompt>,
}

/// A plugin identity, `AGE-PLUGIN-NAME-1…`.
pub(crate) struct PluginIdentity {
    plugin: Plugin,
    text: Zeroizing<String>,
}

/// A plugin by its name.
struct Plugin {
    name: String,
}

/// Whether a text can be the name of a plugin: it becomes part of a program's name.
pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-._".contains(&byte))
}

/// Reads the name in a plugin recipient.
///
/// # Errors
/// What is wrong with it; the wording is upstream's.
pub(crate) fn name_of_recipient(text: &str) -> Result<String, String> {
    let (prefix, _) = bech32::decode(text).map_err(|error| format!("invalid recipient encoding: {error}"))?;
    let name = prefix.strip_prefix("age1").unwrap_or_default();
    if is_name(name) { Ok(name.to_owned()) } else { Err(format!("invalid plugin name: {name:?}")) }
}

impl Plugin {
    fn error(&self, what: &str) -> KeyServiceError {
        KeyServiceError::new(format!("{} plugin: {what}", self.name))
    }

    /// Finds the program in the folders of `PATH`, absolute ones only.
    fn find(&self) -> Option<PathBuf> {
        let file = format!("age-plugin-{}{}", self.name, env::consts::EXE_SUFFIX);
        env::split_paths(&env::var_os("PATH")?)
            .filter(|folder| folder.is_absolute())
            .map(|folder| folder.join(&file))
            .find(|path| is_program(path.as_os_str()))
    }

    fn connect(&self, machine: &str) -> Result<Line, KeyServiceError> {
        let program = format!("age-plugin-{}", self.name);
        let path = self.find().ok_or_else(|| {
            self.error(&format!("couldn't start plugin: {program} was not found in PATH"))
                .with_hint(format!("install {program} in a folder of PATH"))
        })?;
        let connection = Connection::open(&path, machine)
            .map_err(|error| self.error(&format!("couldn't start plugin: {error}")))?;
        Ok(Line { connection })
    }

    fn died(&self, error: &std::io::Error) -> KeyServiceError {
        match error.kind() {
            std::io::ErrorKind::UnexpectedEof | std::io::ErrorKind::BrokenPipe => self
                .error("it ended in the middle of the conversation")
                .with_hint("run again with AGEDEBUG=plugin to see what it said"),
            _ => self.error(&format!("the conversation with it failed: {error}")),
        }
    }
}

#[cfg(unix)]
fn is_program(path: &OsStr) -> bool {
    use std::os::unix::fs::PermissionsExt;

    std::fs::metadata(path).is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &OsStr) -> bool {
    std::fs::metadata(path).is_ok_and(|data| data.is_file())
}

/// A running plugin.
struct Line {
    connection: Connection<
        age_core::io::DebugReader<std::process::ChildStdout>,
        age_core::io::DebugWriter<std::process::ChildStdin>,
    >,
}

/// What came of a conversation beside its result.
struct Talk<'a> {
    plugin: &'a Plugin,
    prompt: &'a Arc<dyn Prompt>,
    /// What the plugin complained about.
    errors: Vec<String>,
    /// Which questions had no answer.
    unanswered: Vec<String>,
}

impl<'a> Talk<'a> {
    fn new(plugin: &'a Plugin, prompt: &'a Arc<dyn Prompt>) -> Self {
        Self { plugin, prompt, errors: Vec::new(), unanswered: Vec::new() }
    }

    /// Answers a question of the plugin.
    fn answer<R: Read, W: Write>(&mut self, command: &Stanza, reply: Reply<'_, R, W>) -> Response {
        let text = printable(&command.body);
        let answer: Result<Option<Zeroizing<String>>, String> = match command.tag.as_str() {
            "msg" => {
                self.prompt.show(&format!("{} plugin: {text}", self.plugin.name));
                return reply.ok(None);
            }
            "confirm" => {
                return match self.confirm(&text, &command.args) {
                    Ok(yes) => reply.ok_with_metadata(&[if yes { "yes" } else { "no" }], None),
                    Err(why) => {
                        self.unanswered.push(why);
                        reply.fail()
                    }
                };
            }
            "request-secret" => self.prompt.secret(&text).map(Some),
            _ => self.prompt.public(&text).map(|line| Some(Zeroizing::new(line))),
        };
        match answer {
            Ok(line) => reply.ok(line.as_ref().map(|line| line.as_bytes())),
            Err(why) => {
                self.unanswered
                    .push(format!("could not read value for age-plugin-{}: {why}", self.plugin.name));
                reply.fail()
            }
        }
    }

    fn confirm(&self, text: &str, args: &[String]) -> Result<bool, String> {
        let label = |index: usize| -> Result<Option<String>, String> {
            args.get(index)
                .map(|label| STANDARD_NO_PAD.decode(label).map(|bytes| printable(&bytes)))
                .transpose()
                .map_err(|_| "it asks a question that is not in order".to_owned())
        };
        let yes = label(0)?.ok_or("it asks a question without answers")?;
        let no = label(1)?;
        self.prompt.choose(text, &yes, no.as_deref())
    }

    fn complain(&mut self, command: &Stanza) {
        let text = printable(&command.body);
        self.errors.push(if text.is_empty() {
            "it reports an error without a text".to_owned()
        } else {
            text
        });
    }

    fn into_error(self) -> Option<KeyServiceError> {
        let mut parts = self.errors;
        parts.extend(self.unanswered);
        if parts.is_empty() { None } else { Some(self.plugin.error(&parts.join("; "))) }
    }
}

/// What a plugin says, shortened; it may be anything.
fn printable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let shown = text.chars().take(ERROR_LIMIT).map(|sign| if sign.is_control() { ' ' } else { sign });
    shown.collect::<String>().trim().to_owned()
}

impl<'a> PluginRecipient<'a> {
    /// Reads the text of a recipient.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn parse(text: &'a str, prompt: &'a Arc<dyn Prompt>) -> Result<Self, String> {
        Ok(Self { plugin: Plugin { name: name_of_recipient(text)? }, text, prompt })
    }
}

impl Wrap for PluginRecipient<'_> {
    fn wrap(&self, file_key: &FileKey) -> Result<Vec<Stanza>, KeyServiceError> {
        let mut line = self.plugin.connect(RECIPIENT_V1)?;
        line.connection
            .unidir_send(|mut phase| {
                phase.send("add-recipient", &[self.text], &[])?;
                phase.send("extension-labels", &[], &[])?;
                phase.send("wrap-file-key", &[], file_key.expose_secret())
            })
            .map_err(|error| self.plugin.died(&error))?;
        let mut talk = Talk::new(&self.plugin, self.prompt);
        let mut stanzas = Vec::new();
        let commands: Vec<&str> =
            QUESTIONS.into_iter().chain(["recipient-stanza", "labels", "error"]).collect();
        line.connection
            .bidir_receive(&commands, |mut command, reply| match command.tag.as_str() {
                "recipient-stanza" => {
                    if command.args.len() >= 2 && command.args[0] == "0" {
                        let tag = command.args.remove(1);
                        command.args.remove(0);
                        stanzas.push(Stanza { tag, args: command.args, body: command.body });
                    } else {
                        talk.errors.push("it sent a stanza that is not in order".to_owned());
                    }
                    reply.ok(None)
                }
                // Labels keep recipients apart; each of our files has only one.
                "labels" => reply.ok(None),
                "error" => {
                    talk.complain(&command);
                    reply.ok(None)
                }
                _ => talk.answer(&command, reply),
            })
            .map_err(|error| self.plugin.died(&error))?;
        match talk.into_error() {
            Some(error) => Err(error),
            None if stanzas.is_empty() => Err(self.plugin.error("it returned neither stanzas nor errors")),
            None => Ok(stanzas),
        }
    }
}

impl PluginIdentity {
    /// Reads the text of an identity.
    ///
    /// # Errors
    /// What is wrong with it, without any of the text.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let (prefix, _) = bech32::decode(text).map_err(|_| "invalid identity encoding")?;
        let name = prefix
            .strip_prefix(IDENTITY_PREFIX)
            .and_then(|rest| rest.strip_suffix('-'))
            .ok_or("invalid identity encoding: not in upper case")?
            .to_ascii_lowercase();
        if !is_name(&name) {
            return Err("invalid plugin name");
        }
        Ok(Self { plugin: Plugin { name }, text: Zeroizing::new(text.to_owned()) })
    }
}

impl Open for PluginIdentity {
    fn open(&self, stanzas: &[Stanza], prompt: &Arc<dyn Prompt>) -> Result<Option<FileKey>, KeyServiceError> {
        let mut line = self.plugin.connect(IDENTITY_V1)?;
        line.connection
            .unidir_send(|mut phase| {
                phase.send("add-identity", &[&self.text], &[])?;
                for stanza in stanzas {
                    phase.send_stanza("recipient-stanza", &["0"], stanza)?;
                }
                Ok(())
            })
            .map_err(|error| self.plugin.died(&error))?;
        let mut talk = Talk::new(&self.plugin, prompt);
        let mut found: Option<FileKey> = None;
        let commands: Vec<&str> = QUESTIONS.into_iter().chain(["file-key", "error"]).collect();
        line.connection
            .bidir_receive(&commands, |command, reply| match command.tag.as_str() {
                "file-key" => {
                    let body = Zeroizing::new(command.body);
                    match file_key(&body) {
                        Some(key) if command.args == ["0"] && found.is_none() => found = Some(key),
                        _ => talk.errors.push("it sent a file key that is not in order".to_owned()),
                    }
                    reply.ok(None)
                }
                "error" => {
                    talk.complain(&command);
                    reply.ok(None)
                }
                _ => talk.answer(&command, reply),
            })
            .map_err(|error| self.plugin.died(&error))?;
        match (found, talk.into_error()) {
            (Some(key), _) => Ok(Some(key)),
            (None, Some(error)) => Err(error),
            (None, None) => Ok(None),
        }
    }

    fn describe(&self) -> String {
        let name = &self.plugin.name;
        match self.plugin.find() {
            Some(path) => format!("an identity of the plugin {name}, which is {}", path.display()),
            None => format!("an identity of the plugin {name}, but age-plugin-{name} is not in PATH"),
        }
    }

    fn recipient(&self) -> Option<String> {
        None
    }

    fn may_ask(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::{PluginIdentity, name_of_recipient};
    use crate::bech32;

    #[test]
    fn names_are_read_and_checked() {
        assert_eq!(name_of_recipient(&bech32::encode("age1x-y", &[1; 4])), Ok("x-y".to_owned()));
        assert!(name_of_recipient(&bech32::encode("age1../../x", &[1; 4])).is_err());
        assert!(name_of_recipient(&bech32::encode("age1", &[1; 4])).is_err());
        let identity = |prefix: &str| PluginIdentity::parse(&bech32::encode(prefix, &[1; 4]).to_uppercase());
        assert!(identity("age-plugin-x-").is_ok());
        for prefix in ["age-plugin-", "age-plugin-x", "age-plugin-/x-", "age-other-x-"] {
            assert!(identity(prefix).is_err(), "{prefix}");
        }
    }
}
