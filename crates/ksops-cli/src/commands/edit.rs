//! `edit` and the legacy form without a mode (cli-and-config.md section 7).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ksops::create::{CreateRequest, create};
use ksops::edit::Shown;
use ksops::ksops_stores::format::Format;
use zeroize::Zeroizing;

use crate::args::flags::Flags;
use crate::args::parsed::Invocation;
use crate::audit::log;
use crate::commands::encrypt;
use crate::config::{Config, Purpose};
use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::input::read_file;
use crate::io_reason::reason;
use crate::opening::{Opening, open_at};
use crate::outside::editor::Editor;
use crate::outside::scratch::Scratch;
use crate::outside::signals;
use crate::place::{self, Place};
use crate::{formats, guard, output, services, settings};

const AGAIN: &str = "Press enter to return to the editor, or Ctrl+C to exit.";

/// Runs the command.
///
/// # Errors
/// With the statuses of section 7; the file is then as it was.
pub(crate) fn run(context: &Context, call: &Invocation) -> Result<(), Failure> {
    let flags = &call.flags;
    let name = call.positionals.first().ok_or_else(place::no_file)?;
    let place = Place::in_place(context, name)?;
    let is_new = place.path.metadata().is_err();
    if is_new {
        place::refuse_key_changes(flags, &place.path)?;
        require_folder(&place.path)?;
    }
    let config = Config::load(context, flags, if is_new { Purpose::Write } else { Purpose::Read })?;
    let mut opening = match is_new {
        true => new(context, flags, &place, &config)?,
        false => open_at(context, flags, &place, &config)?,
    };
    if !is_new {
        guard::selector(context, flags, &config, &place.path, &opening.opened.metadata)?;
        opening.opened.raise_version().map_err(|error| Failure::new(Kind::Version, error.to_string()))?;
    }
    let shown = if flags.is_set("show-master-keys") { Shown::WithMetadata } else { Shown::Documents };
    let session = Session { context, flags, place: &place, editor: Editor::find()?, shown, is_new };
    session.run(opening)
}

/// A file that does not exist yet.
fn new(context: &Context, flags: &Flags, place: &Place, config: &Config) -> Result<Opening, Failure> {
    log::ready(context)?;
    let input_format = formats::choose(context.program, flags, "input-type", &place.path)?;
    let output_format = formats::choose(context.program, flags, "output-type", &place.path)?;
    let services = services::services(context, flags, config)?;
    let settings = settings::merge(flags, config.rule(&place.path)?)?;
    let request = CreateRequest {
        format: input_format,
        selection: settings.selection,
        mac_only_encrypted: settings.mac_only_encrypted,
        groups: settings.groups,
        threshold: settings.threshold,
    };
    let opened = create(&request, &services).map_err(|error| {
        let failure = encrypt::failure(&error);
        let words = "Error encrypting the data key with one or more master keys";
        let text = failure.text.replacen("Could not generate data key", words, 1);
        Failure { kind: Kind::DataKey, text, ..failure }
    })?;
    let indent = formats::indent(flags, &config.stores(), output_format);
    let layout = formats::layout(context.program, flags, &config.stores(), output_format)?;
    Ok(Opening::of_new(opened, place, services, output_format, (indent, layout)))
}

/// A folder that is missing is told before anything is typed.
fn require_folder(path: &Path) -> Result<(), Failure> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    match folder.map(Path::metadata) {
        Some(Err(error)) => {
            let text = format!(
                "Could not open in-place file for writing: open {}: {}",
                path.display(),
                reason(&error)
            );
            Err(Failure::new(Kind::Output, text))
        }
        _ => Ok(()),
    }
}

struct Session<'a> {
    context: &'a Context,
    flags: &'a Flags,
    place: &'a Place,
    editor: Editor,
    shown: Shown,
    is_new: bool,
}

impl Session<'_> {
    fn run(&self, mut opening: Opening) -> Result<(), Failure> {
        let format = opening.output_format;
        let before = opening.text(self.shown)?;
        let no_scratch = |error: io::Error| {
            Failure::new(Kind::Output, format!("Could not create temporary file: {}", reason(&error)))
        };
        let scratch = Scratch::new().map_err(no_scratch)?;
        signals::wipe_and_exit("User canceled operation", Kind::General.status()).map_err(no_scratch)?;
        let name = self.place.path.file_name().map(|name| name.to_string_lossy().into_owned());
        let file = scratch.write(&name.unwrap_or_else(|| "file".to_owned()), &before).map_err(no_scratch)?;
        loop {
            self.editor.edit(&file)?;
            let shown = file.display().to_string();
            let after = read_file(&file, &shown)
                .map_err(|text| Failure::new(Kind::Input, format!("Could not read edited file: {text}")))?;
            if *after == *before {
                return Err(Failure::new(Kind::Unchanged, "File has not changed, exiting."));
            }
            match self.saved(&mut opening, after, format) {
                Ok(text) => return self.write(&opening, &text),
                Err(failure) => self.back_to_editor(failure)?,
            }
        }
    }

    /// Encrypts an edited text.
    fn saved(
        &self,
        opening: &mut Opening,
        after: Zeroizing<Vec<u8>>,
        format: Format,
    ) -> Result<Vec<u8>, Failure> {
        use ksops::edit::EditError;

        let keys = opening.opened.take_text(&after, self.shown, format).map_err(|error| {
            let words = match &error {
                EditError::Read(_) => "Could not load tree, probably due to invalid syntax.",
                EditError::Metadata(_) => "SOPS metadata is invalid.",
                EditError::NoDocument | EditError::ReservedKey => "Tree not valid for encryption.",
                _ => "No master keys were provided, so sops can't encrypt the file.",
            };
            let kind = match error {
                EditError::Read(_) => Kind::Input,
                EditError::NoDocument => Kind::NoDocument,
                EditError::ReservedKey => Kind::AlreadyEncrypted,
                _ => Kind::General,
            };
            Failure::new(kind, format!("{words} {AGAIN}\n{error}"))
        })?;
        opening.save_edited(self.context, self.flags, keys, &after).map_err(|failure| {
            let text = format!("{}\n{AGAIN}", failure.text);
            Failure { text, ..failure }
        })
    }

    /// Shows what is wrong and waits for the user.
    fn back_to_editor(&self, failure: Failure) -> Result<(), Failure> {
        self.context.ui.error(&failure);
        let mut line = String::new();
        match io::stdin().read_line(&mut line) {
            Ok(count) if count > 0 => Ok(()),
            // Nobody is there to correct it. It was told already.
            _ => Err(Failure { text: String::new(), kind: Kind::General, ..failure }),
        }
    }

    /// Writes the result. What cannot be written is kept beside.
    fn write(&self, opening: &Opening, text: &[u8]) -> Result<(), Failure> {
        let path = &self.place.path;
        let is_as_before = match fs::read(path) {
            Ok(now) => !self.is_new && now == *opening.original,
            Err(_) => self.is_new,
        };
        let result = match is_as_before {
            true => self.place.write(self.context, self.flags, text),
            false => {
                let text = format!("{} was changed by somebody else meanwhile", path.display());
                Err(Failure::new(Kind::Output, text))
            }
        };
        result.map_err(|failure| match rescue(path, text) {
            Some(kept) => {
                let hint = format!("the edited file, encrypted, is kept as {}", kept.display());
                failure.hints([hint])
            }
            None => failure,
        })
    }
}

/// Keeps an encrypted result that could not be written, beside its target or where temporary files go.
fn rescue(path: &Path, text: &[u8]) -> Option<PathBuf> {
    let name = path.file_name()?.to_string_lossy().into_owned();
    let folders =
        [path.parent().map(Path::to_owned), Some(std::env::temp_dir()), std::env::current_dir().ok()];
    folders.into_iter().flatten().find_map(|folder| {
        (0..100).find_map(|number| {
            let kept = folder.join(format!("{name}.edited-{number}"));
            let free = kept.symlink_metadata().is_err();
            (free && output::replace(&kept, text).is_ok()).then_some(kept)
        })
    })
}
