//! The configuration of a run: found, read, and asked for the rule of a path (cli-and-config.md sections 5.1, 5.4).
//! Apart from `settings`, because commands that only read need it too, for the indentation.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ksops::ksops_config::destination::Destination;
use ksops::ksops_config::lookup::{self, SystemFiles};
use ksops::ksops_config::model::{ConfigFile, Rule, Stores};
use ksops::ksops_config::rule::{CreationRule, RuleError, RuleQuery};

use crate::args::flags::Flags;
use crate::args::program::Program;
use crate::commands::publish::no_destination;
use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::io_reason::reason;

/// What a command is going to do, which decides how strictly the configuration is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Nothing is written by its rules; nobody may be locked out of a file by a misspelt field.
    Read,
    /// Its rules decide what gets encrypted.
    Write,
}

/// The configuration, if there is one.
pub(crate) struct Config {
    program: Program,
    file: Option<ConfigFile>,
    directory: PathBuf,
    /// The pairs for keys of the flat `kms` field.
    pub kms_context: BTreeMap<String, Option<String>>,
}

impl Config {
    /// Reads the file that `--config` names, else the nearest `.sops.yaml`.
    ///
    /// # Errors
    /// If it cannot be read or is no configuration; as `ksops` and for [`Purpose::Write`] also if it has unknown
    /// fields or invalid regular expressions.
    pub(crate) fn load(context: &Context, flags: &Flags, purpose: Purpose) -> Result<Self, Failure> {
        let directory = context.directory()?;
        let location = match flags.text("config") {
            Some(name) => Some(lookup::locate(&directory, name)),
            None => {
                let search = lookup::search(&SystemFiles, &directory);
                if let Some(warning) = &search.warning {
                    context.ui.warning(warning);
                }
                search.found
            }
        };
        let Some(location) = location else {
            return Ok(Self {
                program: context.program,
                file: None,
                directory: PathBuf::new(),
                kms_context: BTreeMap::new(),
            });
        };
        let bytes = lookup::read(&SystemFiles, &location).map_err(|error| {
            // The step that fails for a directory is the reading, as everywhere.
            let step = if error.source.kind() == std::io::ErrorKind::IsADirectory { "read" } else { "open" };
            let text =
                format!("could not read config file: {step} {}: {}", error.name, reason(&error.source));
            Failure::new(Kind::General, text)
        })?;
        let file = ConfigFile::parse(&bytes, &location.name).map_err(general)?;
        context.ui.detail(flags, || format!("using the configuration {}", file.name));
        // As `sops` unknown fields are passed over in silence, as upstream does.
        match (context.program, purpose) {
            (Program::Sops, _) => {}
            (Program::Ksops, Purpose::Write) => file.require_clean().map_err(general)?,
            (Program::Ksops, Purpose::Read) => {
                for problem in &file.unknown_fields {
                    context.ui.warning(&problem.located(&file.name));
                }
            }
        }
        Ok(Self {
            program: context.program,
            file: Some(file),
            directory: location.directory,
            kms_context: BTreeMap::new(),
        })
    }

    /// The creation rule for a path; `None` if there are no rules at all.
    ///
    /// # Errors
    /// If no rule matches, or the matching one is wrong.
    pub(crate) fn rule(&self, path: &Path) -> Result<Option<CreationRule>, Failure> {
        let Some(file) = &self.file else { return Ok(None) };
        let query = RuleQuery { config_directory: &self.directory, path, kms_context: &self.kms_context };
        file.creation_rule(&query).map_err(|error| match &error {
            RuleError::NoMatch { path } => {
                let hint = format!("no path_regex in {} is found in {path:?}", file.name);
                general(error).hints([hint])
            }
            // Callers compare upstream's words, which name no place.
            RuleError::Key { problem, .. } if self.program == Program::Sops => general(&problem.message),
            _ => general(error),
        })
    }

    /// Requires creation rules.
    ///
    /// # Errors
    /// If there are none.
    pub(crate) fn require_rules(&self) -> Result<(), Failure> {
        if self.file.as_ref().is_some_and(|file| file.creation_rules.is_some()) {
            return Ok(());
        }
        Err(general("there is no creation rule that says which files are to be encrypted")
            .hints(["write one into .sops.yaml: `ksops init` makes a first"]))
    }

    /// Whether the creation rule for a path is for such paths, not for every path; `None` if no rule is for it.
    ///
    /// # Errors
    /// If a `path_regex` is wrong.
    pub(crate) fn is_named_by_rule(&self, path: &Path) -> Result<Option<bool>, Failure> {
        let Some(file) = &self.file else { return Ok(None) };
        let query = RuleQuery { config_directory: &self.directory, path, kms_context: &self.kms_context };
        match file.matching_rule(&query) {
            Ok(rule) => Ok(rule.map(|rule| !rule.path_regex.value.is_empty())),
            Err(RuleError::NoMatch { .. }) => Ok(None),
            Err(error) => Err(general(error)),
        }
    }

    /// Whether this is the configuration's own path.
    pub(crate) fn is_at(&self, path: &Path) -> bool {
        let same = |file: &ConfigFile| {
            let own = self.directory.join(&file.name).canonicalize();
            own.is_ok_and(|own| path.canonicalize().is_ok_and(|path| path == own))
        };
        self.file.as_ref().is_some_and(same)
    }

    /// What the configuration is called; `None` if there is none.
    pub(crate) fn name(&self) -> Option<&str> {
        self.file.as_ref().map(|file| file.name.as_str())
    }

    /// Every creation rule, with the place where it stands and its `path_regex`.
    ///
    /// # Errors
    /// If one is wrong.
    pub(crate) fn rules(&self) -> Result<Vec<(String, CreationRule)>, Failure> {
        let Some(file) = &self.file else { return Ok(Vec::new()) };
        let named = |rule: &Rule| {
            let place = format!("{}:{}", file.name, rule.position.line);
            match rule.path_regex.value.as_str() {
                "" => format!("the rule at {place}"),
                regex => format!("the rule at {place} (path_regex {regex})"),
            }
        };
        let rules = file.creation_rules.iter().flatten();
        rules
            .map(|rule| Ok((named(rule), file.interpret(rule, &self.kms_context).map_err(general)?)))
            .collect()
    }

    /// Where a file is published to, by the path that the user named.
    ///
    /// # Errors
    /// If no rule says, or one is wrong.
    pub(crate) fn destination(&self, path: &str) -> Result<Destination, Failure> {
        let none = ConfigFile::default();
        let file = self.file.as_ref().unwrap_or(&none);
        file.destination(path, &self.kms_context).map_err(|error| no_destination(&error))
    }

    /// What the configuration says, and the directory that its paths are relative to.
    #[cfg(feature = "azure-kv")]
    pub(crate) fn file(&self) -> Option<(&ConfigFile, &Path)> {
        Some((self.file.as_ref()?, &self.directory))
    }

    /// The `stores` section.
    pub(crate) fn stores(&self) -> Stores {
        self.file.as_ref().map(|file| file.stores.clone()).unwrap_or_default()
    }
}

fn general(error: impl std::fmt::Display) -> Failure {
    Failure::new(Kind::General, error.to_string())
}
