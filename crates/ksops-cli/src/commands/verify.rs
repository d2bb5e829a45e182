//! `verify`: whether files decrypt and their MAC agrees, without showing anything of them; with `--all-keys` also whether
//! every master key yields the same data key (security.md S19).

use ksops::all_keys::{KeyVerdict, Verdict, ask_all_keys};
use ksops::open::OpenRequest;

use crate::args::flags::Flags;
use crate::args::parsed::Invocation;
use crate::audit::log::{self, Action};
use crate::batch::{files, state, work};
use crate::commands::decrypt::{Asked, failure};
use crate::config::{Config, Purpose};
use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::opening::open_at;
use crate::place::{Place, no_file};
use crate::{formats, services};

/// Runs the command.
///
/// # Errors
/// With the statuses of decrypting, or 1 if the keys of a file yield different data keys.
pub(crate) fn run(context: &Context, call: &Invocation) -> Result<(), Failure> {
    let flags = &call.flags;
    let config = Config::load(context, flags, Purpose::Read)?;
    if !files::are_several(context, flags, &call.positionals) {
        let name = call.positionals.first().ok_or_else(no_file)?;
        return verify(context, flags, &config, name);
    }
    let files = files::of_call(flags, &call.positionals)?;
    let tally = work::side_by_side(context, &files, |context, file| {
        if file.is_found && !state::is_secret(context, flags, &file.name)? {
            return Ok(None);
        }
        verify(context, flags, &config, &file.name)?;
        Ok(Some("verified"))
    })?;
    tally.finish(context)
}

fn verify(context: &Context, flags: &Flags, config: &Config, name: &str) -> Result<(), Failure> {
    let place = Place::to_read(context, name)?;
    if !flags.is_set("all-keys") {
        open_at(context, flags, &place, config)?;
        return context.ui.data(format!("{name}: decrypts, and the MAC agrees\n").as_bytes());
    }
    log::ready(context)?;
    let format = formats::choose(context.program, flags, "input-type", &place.path)?;
    let bytes = place.source.read()?;
    let format = formats::as_made(format, flags, "input-type", &bytes);
    let request = OpenRequest {
        format,
        ignore_mac: false,
        policy: context.program.policy(),
        decryption_order: services::decryption_order(flags)?,
    };
    let services = services::services(context, flags, config)?;
    let asked = Asked { input_format: format, output_format: format };
    let found = ask_all_keys(&bytes, &request, &services).map_err(|error| failure(&error, asked))?;
    log::record(context, Action::Decrypt, place.source.file())?;
    let mut text = String::new();
    for key in &found.keys {
        text.push_str(&line(name, key));
    }
    context.ui.data(text.as_bytes())?;
    if !found.opens {
        // What decrypting says of it, which names the reason.
        open_at(context, flags, &place, config)?;
    }
    if found.agrees() {
        let (compared, all) = (found.compared(), found.keys.len());
        let summary = format!("{name}: the MAC agrees; {compared} of {all} keys were compared and agree\n");
        return context.ui.data(summary.as_bytes());
    }
    let text = format!("{name}: not every key yields the data key of the document");
    Err(Failure::new(Kind::General, text).hints([
        "somebody may have made the file so that others read something else: look at its history",
        "`ksops rotate` gives all keys the same data key again",
    ]))
}

fn line(name: &str, key: &KeyVerdict) -> String {
    let verdict = match &key.verdict {
        Verdict::Agrees => "agrees".to_owned(),
        Verdict::Differs => "DIFFERS".to_owned(),
        Verdict::Unknown => "cannot be compared: too few groups gave their share".to_owned(),
        Verdict::NotAtHand(errors) => {
            let reasons: Vec<String> = errors.iter().map(|error| error.message.clone()).collect();
            let reasons = reasons.join("; ").split_whitespace().collect::<Vec<_>>().join(" ");
            format!("not at hand: {reasons}")
        }
    };
    format!("{name}: group {}: {} {}: {verdict}\n", key.group, key.key.key_type(), key.key)
}
