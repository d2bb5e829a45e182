//! Versions of a file merged in memory; what the merge driver and `mergetool` share.

use std::path::Path;
use std::sync::Arc;

use ksops::ksops_stores::format::Format;
use ksops::layout::Layout;
use ksops::merge::{Merge, MergeError, Versions, merge};
use ksops::open::OpenRequest;
use ksops::save::SaveRequest;
use ksops::services::Services;

use crate::args::flags::Flags;
use crate::audit::log::{self, Action};
use crate::commands::decrypt::{self, Asked};
use crate::commands::encrypt;
use crate::config::Config;
use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::{formats, services};

/// A merge, and what writing it needs.
pub(crate) struct Merging {
    /// The merge.
    pub merge: Merge,
    /// How it is written.
    pub request: SaveRequest,
    /// The format of the file.
    pub format: Format,
    /// The key services of the run.
    pub services: Arc<Services>,
}

/// Decrypts the versions and merges them. `path` decides on the format.
///
/// # Errors
/// With the statuses of decrypting.
pub(crate) fn merged(
    context: &Context,
    flags: &Flags,
    config: &Config,
    path: &Path,
    versions: Versions<'_>,
) -> Result<Merging, Failure> {
    log::ready(context)?;
    let format = formats::choose(context.program, flags, "input-type", path)?;
    let format = formats::as_made(format, flags, "input-type", versions.ours);
    let services = services::services(context, flags, config)?;
    let request = OpenRequest {
        format,
        ignore_mac: false,
        policy: context.program.policy(),
        decryption_order: services::decryption_order(flags)?,
    };
    let asked = Asked { input_format: format, output_format: format };
    let merge = merge(versions, &request, &services).map_err(|error| failure(error, asked))?;
    log::record(context, Action::Decrypt, Some(path))?;
    let request = SaveRequest {
        output_format: format,
        indent: formats::indent(flags, &config.stores(), format),
        policy: context.program.policy(),
        as_string: false,
        allow_unencrypted: true,
        // A warning is enough, and nobody asks for the layout of sops in the middle of a merge.
        layout: match formats::layout(context.program, flags, &config.stores(), format)? {
            Layout::Upstream => Layout::Upstream,
            _ => Layout::Preserve,
        },
    };
    Ok(Merging { merge, request, format, services })
}

impl Merging {
    /// Encrypts the merged file.
    ///
    /// # Errors
    /// With the statuses of encrypting.
    pub(crate) fn save(&self, context: &Context, path: &Path) -> Result<Vec<u8>, Failure> {
        let saved =
            self.merge.save(&self.request, &self.services).map_err(|error| encrypt::failure(&error))?;
        for warning in &saved.warnings {
            context.ui.warning(warning);
        }
        services::tell(context, &self.services);
        log::record(context, Action::Encrypt, Some(path))?;
        Ok(saved.text)
    }
}

/// What an error of merging means for the caller.
pub(crate) fn failure(error: MergeError, asked: Asked) -> Failure {
    match error {
        MergeError::Open { side, error } => {
            let failure = decrypt::failure(&error, asked);
            Failure { text: format!("{side} of the file: {}", failure.text), ..failure }
        }
        MergeError::Encrypt(error) => encrypt::failure(&error),
        other => Failure::new(Kind::General, other.to_string()),
    }
}
