//! The public halves of Azure's keys that the flags and the configuration name, for encrypting without the vault.

use ksops::ksops_azure_kv::key_url::parse_key_url;
use ksops::ksops_azure_kv::offline::known::PublicKeySource;
use ksops::ksops_config::model::PublicKeyEntry;
use ksops::ksops_core::keys::master_key::AzureKvKey;

use crate::args::flags::Flags;
use crate::config::Config;
use crate::context::Context;
use crate::error::{Failure, Kind};

/// Those of `--azure-public-key [URL=]FILE`, then those of `azure_keyvault_public_keys`.
///
/// # Errors
/// If one names no file, or what is no key.
pub(crate) fn named(
    context: &Context,
    flags: &Flags,
    config: &Config,
) -> Result<Vec<PublicKeySource>, Failure> {
    let mut sources = flags
        .texts("azure-public-key")
        .into_iter()
        .map(|text| of_flag(context, text))
        .collect::<Result<Vec<_>, _>>()?;
    let Some((file, directory)) = config.file() else { return Ok(sources) };
    for entry in &file.azure_public_keys {
        let wrong = |why: String| {
            let (name, line) = (&file.name, entry.position.line);
            Failure::new(Kind::General, format!("{name}:{line}: azure_keyvault_public_keys: {why}"))
        };
        let (path, key) = (directory.join(&entry.file), key_of(entry).map_err(wrong)?);
        sources.push(PublicKeySource { path, key });
    }
    Ok(sources)
}

fn of_flag(context: &Context, text: &str) -> Result<PublicKeySource, Failure> {
    let (url, file) = match text.split_once('=') {
        Some((url, file)) if url.starts_with("https://") => (Some(url), file),
        _ => (None, text),
    };
    let key = url.map(parse_key_url).transpose();
    let key = key.map_err(|error| Failure::new(Kind::General, format!("--azure-public-key: {error}")))?;
    Ok(PublicKeySource { path: context.absolute(file)?, key })
}

fn key_of(entry: &PublicKeyEntry) -> Result<Option<AzureKvKey>, String> {
    if entry.file.is_empty() {
        return Err("an entry names no file".to_owned());
    }
    let key = (!entry.key.is_empty()).then(|| parse_key_url(&entry.key)).transpose();
    key.map_err(|error| error.to_string())
}
