//! `git merge`: the merge driver. Git runs it with the three versions as files, and takes the result from the second.

use std::path::Path;

use ksops::markers::Labels;
use ksops::merge::{Versions, is_encrypted};

use crate::args::parsed::Invocation;
use crate::commands::decrypt::Asked;
use crate::commands::merging::{self, Merging, merged};
use crate::config::{Config, Purpose};
use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::input::read_file;
use crate::outside::git::Git;
use crate::{formats, output};

/// What git takes for "there are conflicts".
const CONFLICTS: u8 = 1;

/// Runs the command; gives the status that git wants.
///
/// # Errors
/// If a version cannot be read or decrypted; git then leaves the file to the user.
pub(crate) fn run(context: &Context, call: &Invocation) -> Result<u8, Failure> {
    let [base_name, ours_name, theirs_name, rest @ ..] = call.positionals.as_slice() else {
        let text =
            "Error: three files are needed: the common version, ours and theirs; and the name of the file";
        return Err(Failure::new(Kind::NoFile, text));
    };
    let flags = &call.flags;
    let path = context.absolute(rest.first().unwrap_or(ours_name))?;
    let read = |name: &str| {
        read_file(Path::new(name), name)
            .map_err(|text| Failure::new(Kind::Input, format!("Error reading file: {text}")))
    };
    let (base, ours, theirs) = (read(base_name)?, read(ours_name)?, read(theirs_name)?);
    let format = formats::choose(context.program, flags, "input-type", &path)?;
    if !(is_encrypted(&ours, format) && is_encrypted(&theirs, format)) {
        // A plain file is git's own affair.
        return Git::find()?.run(
            &context.directory()?,
            &["merge-file", "-L", "ours", "-L", "base", "-L", "theirs", ours_name, base_name, theirs_name],
        );
    }
    let config = Config::load(context, flags, Purpose::Read)?;
    let base = is_encrypted(&base, format).then_some(&**base);
    let versions = Versions { base, ours: &ours, theirs: &theirs };
    let mut merging = merged(context, flags, &config, &path, versions)?;
    for note in &merging.merge.notes {
        context.ui.note(&format!("{}: {note}", path.display()));
    }
    let write = |bytes: &[u8]| {
        output::replace(&context.absolute(ours_name)?, bytes)
            .map_err(|text| Failure::new(Kind::Output, format!("Could not write the merged file: {text}")))
    };
    if merging.merge.conflicts.is_empty() {
        write(&merging.save(context, &path)?)?;
        return Ok(0);
    }
    for conflict in &merging.merge.conflicts {
        context.ui.note(&format!("CONFLICT in {}: both sides changed {conflict}", path.display()));
    }
    context.ui.note(&format!("`ksops mergetool {}` shows both sides decrypted", path.display()));
    let labels = Labels { ours: "ours".to_owned(), theirs: "theirs".to_owned() };
    let Merging { merge, request, services, format } = &mut merging;
    let asked = Asked { input_format: *format, output_format: *format };
    let marked =
        merge.save_marked(request, services, &labels).map_err(|error| merging::failure(error, asked))?;
    write(&marked)?;
    Ok(CONFLICTS)
}
