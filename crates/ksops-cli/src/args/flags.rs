//! The values of flags as a command reads them: command line first, then the variable, then the default. Apart from the
//! parser, because all commands use it and none knows how the words were read.

use crate::args::level::Levels;
use crate::args::table::{FLAGS, Flag, Kind};
use crate::args::word::{boolean, integer};

/// One value, as found.
struct Entry {
    name: &'static str,
    value: String,
    from_variable: bool,
}

/// All flags given to a command, by canonical long name.
#[derive(Default)]
pub(crate) struct Flags {
    entries: Vec<Entry>,
}

impl Flags {
    /// The value of a value flag or its variable; the last one counts. An empty value means not set.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.last(name).filter(|value| !value.is_empty())
    }

    /// All values of a repeatable flag, in order.
    pub(crate) fn texts(&self, name: &str) -> Vec<&str> {
        self.entries.iter().filter(|entry| entry.name == name).map(|entry| entry.value.as_str()).collect()
    }

    /// The state of a switch: the last one given, else its variable, else its default.
    pub(crate) fn is_set(&self, name: &str) -> bool {
        self.last(name).and_then(boolean).unwrap_or_else(|| {
            FLAGS.iter().any(|flag| flag.name == name && matches!(flag.kind, Kind::Switch { on: true }))
        })
    }

    /// The value of a number flag.
    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        self.last(name).and_then(integer)
    }

    /// The canonical names on the command line, each once, in order.
    pub(super) fn names_given(&self) -> Vec<&'static str> {
        let mut names = Vec::new();
        for entry in &self.entries {
            if !entry.from_variable && !names.contains(&entry.name) {
                names.push(entry.name);
            }
        }
        names
    }

    /// Adds a value from the command line; the parser has checked it.
    pub(crate) fn push(&mut self, name: &'static str, value: &str) {
        self.entries.push(Entry { name, value: value.to_owned(), from_variable: false });
    }

    /// Adds what stands further behind on the same level.
    pub(super) fn append(&mut self, later: Self) {
        self.entries.extend(later.entries);
    }

    /// Takes over what another level has for `names`, where this one has nothing of its own.
    pub(super) fn inherit(&mut self, outer: Self, names: &[&str]) {
        let own: Vec<&str> = self.entries.iter().map(|entry| entry.name).collect();
        let taken = outer.entries.into_iter();
        let mut taken: Vec<Entry> =
            taken.filter(|entry| names.contains(&entry.name) && !own.contains(&entry.name)).collect();
        self.entries.append(&mut taken);
    }

    /// Fills absent flags of a level from their variables (rule 9). Returns warnings.
    ///
    /// # Errors
    /// The message, when the variable of a switch holds no boolean.
    pub(super) fn fill(
        &mut self,
        levels: Levels,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Vec<String>, String> {
        let mut warnings = Vec::new();
        for flag in FLAGS.iter().filter(|flag| !flag.variable.is_empty() && flag.levels.meets(levels)) {
            let Some(value) = env(flag.variable) else { continue };
            let used = !self.entries.iter().any(|entry| entry.name == flag.name);
            if let Kind::Switch { .. } = flag.kind
                && value.is_empty()
            {
                if used {
                    warnings.push(format!(
                        "{} is empty, which counts as false; unset it or say true",
                        flag.variable
                    ));
                    self.push_variable(flag, "false");
                }
                continue;
            }
            check_switch_variable(flag, &value)?;
            if used && !value.is_empty() {
                match flag.kind {
                    Kind::Repeatable => {
                        for part in value.split(',').map(str::trim).filter(|part| !part.is_empty()) {
                            self.push_variable(flag, part);
                        }
                    }
                    _ => self.push_variable(flag, &value),
                }
            }
        }
        Ok(warnings)
    }

    fn push_variable(&mut self, flag: &Flag, value: &str) {
        self.entries.push(Entry { name: flag.name, value: value.to_owned(), from_variable: true });
    }

    fn last(&self, name: &str) -> Option<&str> {
        self.entries.iter().rev().find(|entry| entry.name == name).map(|entry| entry.value.as_str())
    }
}

/// Checks the variables of all switches, whatever the level: a bad one stops every command (rule 9).
///
/// # Errors
/// The message that names value and flag.
pub(super) fn check_variables(env: &dyn Fn(&str) -> Option<String>) -> Result<(), String> {
    for flag in FLAGS.iter().filter(|flag| !flag.variable.is_empty()) {
        if matches!(flag.kind, Kind::Switch { .. })
            && let Some(value) = env(flag.variable)
            && !value.is_empty()
        {
            check_switch_variable(flag, &value)?;
        }
    }
    Ok(())
}

fn check_switch_variable(flag: &Flag, value: &str) -> Result<(), String> {
    if matches!(flag.kind, Kind::Switch { .. }) && boolean(value).is_none() {
        let Flag { name, variable, .. } = flag;
        return Err(format!(
            "could not parse {value} as bool value for flag {name}: {variable} must be true or false"
        ));
    }
    Ok(())
}
