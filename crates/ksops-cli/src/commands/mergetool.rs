//! `mergetool`: a file in conflict, shown decrypted in the editor, and encrypted again when it is resolved.

use std::io;
use std::path::Path;

use ksops::markers::{Labels, has_markers, sides};
use ksops::merge::Versions;
use zeroize::Zeroizing;

use crate::args::parsed::Invocation;
use crate::commands::decrypt::Asked;
use crate::commands::merging::{self, Merging, merged};
use crate::config::{Config, Purpose};
use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::input::read_file;
use crate::io_reason::reason;
use crate::outside::editor::Editor;
use crate::outside::git::Git;
use crate::outside::scratch::Scratch;
use crate::outside::signals;
use crate::place::{self, Place};

const AGAIN: &str = "Press enter to return to the editor, or Ctrl+C to exit.";

/// The versions of a file in conflict.
struct Found {
    base: Option<Zeroizing<Vec<u8>>>,
    ours: Zeroizing<Vec<u8>>,
    theirs: Zeroizing<Vec<u8>>,
}

/// Runs the command.
///
/// # Errors
/// If the file is not in conflict, or a version cannot be decrypted; the file is then as it was.
pub(crate) fn run(context: &Context, call: &Invocation) -> Result<(), Failure> {
    let flags = &call.flags;
    let name = call.positionals.first().ok_or_else(place::no_file)?;
    let place = Place::in_place(context, name)?;
    let text = place.source.read()?;
    let found = match staged(&place.path)? {
        Some(found) => found,
        None => taken_apart(&text)?,
    };
    let config = Config::load(context, flags, Purpose::Read)?;
    let versions =
        Versions { base: found.base.as_deref().map(Vec::as_slice), ours: &found.ours, theirs: &found.theirs };
    let mut merging = merged(context, flags, &config, &place.path, versions)?;
    for note in &merging.merge.notes {
        context.ui.note(note);
    }
    if !merging.merge.conflicts.is_empty() {
        resolve(context, &place, &mut merging)?;
    }
    let merged = merging.save(context, &place.path)?;
    place.write(context, flags, &merged)?;
    context.ui.note(&format!("{} is merged; `git add` it when it is as you want it", place.path.display()));
    Ok(())
}

/// The versions that git keeps of a file in conflict.
fn staged(path: &Path) -> Result<Option<Found>, Failure> {
    let (Ok(git), Some(folder), Some(name)) = (Git::find(), path.parent(), path.file_name()) else {
        return Ok(None);
    };
    let stage = |number: u8| -> Result<Option<Zeroizing<Vec<u8>>>, Failure> {
        let object = format!(":{number}:./{}", name.to_string_lossy());
        Ok(git.ask(folder, &["show", &object])?.map(Zeroizing::new))
    };
    match (stage(1)?, stage(2)?, stage(3)?) {
        (base, Some(ours), Some(theirs)) => Ok(Some(Found { base, ours, theirs })),
        _ => Ok(None),
    }
}

/// The versions in a file with conflict markers, wherever these stand: in the metadata, too.
fn taken_apart(text: &[u8]) -> Result<Found, Failure> {
    let text = std::str::from_utf8(text).map_err(|_| no_conflict())?;
    let sides = sides(text).ok_or_else(no_conflict)?;
    let bytes = |text: Zeroizing<String>| Zeroizing::new(text.as_bytes().to_vec());
    Ok(Found { base: sides.base.map(bytes), ours: bytes(sides.ours), theirs: bytes(sides.theirs) })
}

fn no_conflict() -> Failure {
    Failure::new(
        Kind::General,
        "the file is not in conflict: git keeps no other version, and it has no conflict markers that fit together",
    )
}

/// Lets the user resolve the conflicts in an editor.
fn resolve(context: &Context, place: &Place, merging: &mut Merging) -> Result<(), Failure> {
    let labels = Labels { ours: "ours".to_owned(), theirs: "theirs".to_owned() };
    let asked = Asked { input_format: merging.format, output_format: merging.format };
    let shown =
        merging.merge.text(&merging.request, &labels).map_err(|error| merging::failure(error, asked))?;
    let no_scratch = |error: io::Error| {
        Failure::new(Kind::Output, format!("Could not create temporary file: {}", reason(&error)))
    };
    let editor = Editor::find()?;
    let scratch = Scratch::new().map_err(no_scratch)?;
    signals::wipe_and_exit("User canceled operation", Kind::General.status()).map_err(no_scratch)?;
    let name = place.path.file_name().map(|name| name.to_string_lossy().into_owned());
    let file = scratch.write(&name.unwrap_or_else(|| "file".to_owned()), &shown).map_err(no_scratch)?;
    loop {
        editor.edit(&file)?;
        let after = read_file(&file, &file.display().to_string())
            .map_err(|text| Failure::new(Kind::Input, format!("Could not read edited file: {text}")))?;
        let problem = match std::str::from_utf8(&after) {
            Ok(text) if has_markers(text) => "there are conflict markers left".to_owned(),
            _ => match merging.merge.take_text(&after, merging.format) {
                Ok(()) => return Ok(()),
                Err(error) => error.to_string(),
            },
        };
        context.ui.error(&Failure::new(Kind::Input, format!("{problem}\n{AGAIN}")));
        let mut line = String::new();
        match io::stdin().read_line(&mut line) {
            Ok(count) if count > 0 => {}
            // Nobody is there to correct it.
            _ => {
                return Err(Failure::new(
                    Kind::Unchanged,
                    "The conflicts are not resolved; the file is as it was.",
                ));
            }
        }
    }
}
