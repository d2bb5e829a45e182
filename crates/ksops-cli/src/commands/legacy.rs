//! The form without a subcommand, `sops -d FILE` (cli-and-config.md section 2): several modes run one after another on
//! the same input, and only the last one's output and error count.

use zeroize::Zeroizing;

use crate::args::parsed::Invocation;
use crate::commands::decrypt::decrypted;
use crate::commands::encrypt::encrypted;
use crate::commands::rotate::rotated;
use crate::commands::{edit, set};
use crate::config::{Config, Purpose};
use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::keys;
use crate::place::{Place, WithoutFile};

/// Runs the modes.
///
/// # Errors
/// As the last mode.
pub(crate) fn run(context: &Context, call: &Invocation) -> Result<(), Failure> {
    let flags = &call.flags;
    let (encrypts, decrypts) = (flags.is_set("encrypt"), flags.is_set("decrypt"));
    let (rotates, sets) = (flags.is_set("rotate"), flags.text("set").is_some());
    if !(encrypts || decrypts || rotates || sets) {
        if flags.is_set("in-place") && flags.text("output").is_some() {
            return Err(Failure::new(
                Kind::Conflict,
                "Error: cannot operate on both --output and --in-place",
            ));
        }
        return edit::run(context, call);
    }
    let place = Place::find(context, flags, &call.positionals, WithoutFile::Refuse)?;
    if [encrypts, decrypts, rotates, sets].into_iter().filter(|mode| *mode).count() > 1 {
        context.ui.warning(
            "More than one command (--encrypt, --decrypt, --rotate, --set) has been specified. They all run on the \
             same input, and only the output of the last one counts. This is deprecated.",
        );
    }
    let purpose = if encrypts { Purpose::Write } else { Purpose::Read };
    let mut config = Config::load(context, flags, purpose)?;
    // Here alone the pairs reach the keys of a rule. Malformed ones are told by the merge.
    config.kms_context = keys::encryption_context(flags).unwrap_or_default();
    if encrypts || rotates || sets {
        // The rule has to be there, whatever follows.
        config.rule(&place.path)?;
    }
    let place = if sets { place.into_in_place(context) } else { place };
    let mut result = None;
    if encrypts {
        result = Some(encrypted(context, flags, &place, &config));
    }
    if decrypts {
        result = Some(decrypted(context, flags, &place, &config));
    }
    if rotates {
        result = Some(rotated(context, flags, &place, &config).map(Zeroizing::new));
    }
    if sets {
        result = Some(set::legacy(context, flags, &place, &config).map(Zeroizing::new));
    }
    match result {
        Some(text) => place.write(context, flags, &text?),
        None => Ok(()),
    }
}
