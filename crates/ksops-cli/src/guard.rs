//! Writes are held against the creation rule, because neither recipients nor the selector of a file are authenticated
//! (security.md S2, S3). As `ksops` a difference stops the write; as `sops` it is a warning.

use std::path::Path;

use ksops::consistency::{selector_difference, unknown_recipients};
use ksops::ksops_config::rule::CreationRule;
use ksops::ksops_core::keys::master_key::MasterKey;
use ksops::ksops_core::metadata::model::Metadata;

use crate::args::flags::Flags;
use crate::args::program::Program;
use crate::config::Config;
use crate::context::Context;
use crate::error::{Failure, Kind};

/// Stops a write to a file that leaves other values plain than its rule says.
///
/// # Errors
/// As `ksops`, unless `--accept-selector` is given.
pub(crate) fn selector(
    context: &Context,
    flags: &Flags,
    config: &Config,
    path: &Path,
    metadata: &Metadata,
) -> Result<(), Failure> {
    let Some(rule) = rule(config, path) else { return Ok(()) };
    let Some((found, wanted)) = selector_difference(metadata, &rule) else { return Ok(()) };
    if flags.is_set("accept-selector") {
        return Ok(());
    }
    let text = format!("the file selects by `{found}`, but its creation rule says `{wanted}`");
    let hints = [
        "somebody may have narrowed what gets encrypted: look at the history of the file",
        "`--accept-selector` goes on with what the file says",
    ];
    differ(context, text, &hints)
}

/// Stops a write that would give the data key to recipients whom the rule does not name. `others` are those that the
/// command line names.
///
/// # Errors
/// As `ksops`, unless `--accept-recipients` is given.
pub(crate) fn recipients(
    context: &Context,
    flags: &Flags,
    config: &Config,
    path: &Path,
    metadata: &Metadata,
    others: &[MasterKey],
) -> Result<(), Failure> {
    let Some(rule) = rule(config, path) else { return Ok(()) };
    let unknown = unknown_recipients(metadata, &rule, others);
    if unknown.is_empty() || flags.is_set("accept-recipients") {
        return Ok(());
    }
    let text =
        format!("the file has recipients that its creation rule does not name: {}", unknown.join(", "));
    let hints = [
        "somebody may have added themselves: look at the history of the file",
        "add them to the rule, or take them out with `ksops updatekeys`; `--accept-recipients` goes on with them",
    ];
    differ(context, text, &hints)
}

/// The rule for the file; none if no rule is for it, for then there is nothing to hold it against.
fn rule(config: &Config, path: &Path) -> Option<CreationRule> {
    config.rule(path).ok().flatten()
}

fn differ(context: &Context, text: String, hints: &[&str]) -> Result<(), Failure> {
    match context.program {
        Program::Sops => {
            context.ui.warning(&text);
            Ok(())
        }
        Program::Ksops => Err(Failure::new(Kind::General, text).hints(hints.iter().copied())),
    }
}
