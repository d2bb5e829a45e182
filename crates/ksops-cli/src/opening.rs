//! Opening a file to change it, and encrypting it again; what `set`, `unset`, `rotate` and `edit` share.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ksops::decrypt::DecryptError;
use ksops::edit::Shown;
use ksops::encrypt::{EncryptError, Encrypted};
use ksops::ksops_stores::format::Format;
use ksops::layout::Layout;
use ksops::open::{OpenRequest, Opened, open};
use ksops::save::{Keys, SaveRequest, save};
use ksops::services::Services;
use zeroize::Zeroizing;

use crate::args::flags::Flags;
use crate::audit::log::{self, Action};
use crate::commands::decrypt::{self, Asked};
use crate::commands::encrypt;
use crate::config::Config;
use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::place::Place;
use crate::{formats, services};

/// A file that was opened.
pub(crate) struct Opening {
    /// What is in it.
    pub opened: Opened,
    /// The file as it is.
    pub original: Zeroizing<Vec<u8>>,
    /// The key services of the run.
    pub services: Arc<Services>,
    /// The format of the output.
    pub output_format: Format,
    indent: Option<i64>,
    layout: Layout,
    /// What is read, for the audit.
    file: Option<PathBuf>,
}

/// Reads and decrypts what is at `place`.
///
/// # Errors
/// With the statuses of decrypting; nothing was written then.
pub(crate) fn open_at(
    context: &Context,
    flags: &Flags,
    place: &Place,
    config: &Config,
) -> Result<Opening, Failure> {
    log::ready(context)?;
    let input_format = formats::choose(context.program, flags, "input-type", &place.path)?;
    let output_format = formats::choose(context.program, flags, "output-type", &place.path)?;
    let services = services::services(context, flags, config)?;
    let decryption_order = services::decryption_order(flags)?;
    let original = place.source.read()?;
    let input_format = formats::as_made(input_format, flags, "input-type", &original);
    let output_format = formats::as_made(output_format, flags, "output-type", &original);
    let ignore_mac = flags.is_set("ignore-mac");
    if ignore_mac && flags.is_set("verbose") {
        context.ui.warning("the integrity of the file is not checked");
    }
    let policy = context.program.policy();
    let request = OpenRequest { format: input_format, ignore_mac, policy, decryption_order };
    let asked = Asked { input_format, output_format };
    let mut opened = open(&original, &request, &services).map_err(|error| failure(&error, asked))?;
    for warning in std::mem::take(&mut opened.warnings) {
        context.ui.warning(&warning);
    }
    let indent = formats::indent(flags, &config.stores(), output_format);
    let layout = formats::layout(context.program, flags, &config.stores(), output_format)?;
    let file = place.source.file().map(Path::to_owned);
    log::record(context, Action::Decrypt, file.as_deref())?;
    Ok(Opening { opened, original, services, output_format, indent, layout, file })
}

/// Reads and decrypts a file in the format that its name tells; it is not going to be changed.
///
/// # Errors
/// As [`open_at`].
pub(crate) fn open_file(
    context: &Context,
    flags: &Flags,
    name: &str,
    config: &Config,
) -> Result<Opened, Failure> {
    let place = Place::to_read(context, name)?;
    Ok(open_at(context, flags, &place, config)?.opened)
}

fn failure(error: &DecryptError, asked: Asked) -> Failure {
    decrypt::failure(error, asked)
}

impl Opening {
    /// A file that is not written yet.
    pub(crate) fn of_new(
        opened: Opened,
        place: &Place,
        services: Arc<Services>,
        output_format: Format,
        (indent, layout): (Option<i64>, Layout),
    ) -> Self {
        let (original, file) = (Zeroizing::new(Vec::new()), place.source.file().map(Path::to_owned));
        Self { opened, original, services, output_format, indent, layout, file }
    }

    /// The text for an editor.
    ///
    /// # Errors
    /// [`Kind::Print`] if the format cannot hold it.
    pub(crate) fn text(&self, shown: Shown) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let text = self.opened.text(shown, self.output_format, self.indent, &self.original, self.layout);
        text.map_err(|error| Failure::new(Kind::Print, format!("Could not marshal tree: {error}")))
    }

    /// Encrypts an edited file, which stays open for another attempt.
    ///
    /// # Errors
    /// As [`Self::save`].
    pub(crate) fn save_edited(
        &self,
        context: &Context,
        flags: &Flags,
        keys: Keys,
        edited: &[u8],
    ) -> Result<Vec<u8>, Failure> {
        let request = self.request(context, flags);
        let saved = save(&self.opened, edited, keys, &request, &self.services);
        self.written(context, saved)
    }

    fn request(&self, context: &Context, flags: &Flags) -> SaveRequest {
        SaveRequest {
            output_format: self.output_format,
            indent: self.indent,
            policy: context.program.policy(),
            as_string: flags.is_set("as-string"),
            allow_unencrypted: flags.is_set("allow-unencrypted"),
            layout: self.layout,
        }
    }

    /// Encrypts the file again, and checks what came out.
    ///
    /// # Errors
    /// With the statuses of encrypting.
    pub(crate) fn save(&self, context: &Context, flags: &Flags, keys: Keys) -> Result<Vec<u8>, Failure> {
        let request = self.request(context, flags);
        let saved = save(&self.opened, &self.original, keys, &request, &self.services);
        self.written(context, saved)
    }

    fn written(&self, context: &Context, saved: Result<Encrypted, EncryptError>) -> Result<Vec<u8>, Failure> {
        let saved = saved.map_err(|error| encrypt::failure(&error))?;
        for warning in &saved.warnings {
            context.ui.warning(warning);
        }
        services::tell(context, &self.services);
        log::record(context, Action::Encrypt, self.file.as_deref())?;
        Ok(saved.text)
    }
}
