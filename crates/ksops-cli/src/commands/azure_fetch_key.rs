//! `azure fetch-key`: the public half of a vault's key, for encrypting without the vault (key-services.md section 2.9).

use ksops::ksops_azure_kv::key_url::{parse_key_url, url_of};
use ksops::ksops_azure_kv::offline::cache::KeyCache;
use ksops::ksops_azure_kv::offline::key_file::KnownKey;
use ksops::ksops_azure_kv::service::AzureKvService;
use ksops::ksops_azure_kv::settings::AzureSettings;

use crate::args::parsed::Invocation;
use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::io_reason::reason;
use crate::output;

/// Asks for each key, and writes what came.
///
/// # Errors
/// If a vault cannot be asked, or a file cannot be written; what came before is written then.
pub(crate) fn run(context: &Context, call: &Invocation) -> Result<(), Failure> {
    let general = |text: String| Failure::new(Kind::General, text);
    let file = call.flags.text("output");
    if call.positionals.is_empty() {
        let hint = "as in `ksops azure fetch-key https://VAULT.vault.azure.net/keys/NAME`";
        return Err(general("no key is named".to_owned()).hints([hint]));
    }
    if file.is_some() && call.positionals.len() > 1 {
        return Err(Failure::new(Kind::Conflict, "Error: --output is about one key, not several"));
    }
    let settings = AzureSettings::from_environment();
    let cache = settings.key_cache.clone().map(KeyCache::at);
    let service = AzureKvService::new(settings);
    for url in &call.positionals {
        let key = parse_key_url(url).map_err(|error| general(error.to_string()))?;
        let known = service
            .fetch_public_key(&key)
            .map_err(|error| general(error.message.clone()).hints(error.hints))?;
        let place = match file {
            Some(name) => write(context, name, &known)?,
            None => keep(cache.as_ref(), &known)?,
        };
        let (url, fingerprint) = (url_of(&known.key), known.public.thumbprint());
        context.ui.note(&format!("{url}\n  SHA256:{fingerprint}\n  {place}"));
    }
    Ok(())
}

/// Writes the file that the user names.
fn write(context: &Context, name: &str, known: &KnownKey) -> Result<String, Failure> {
    let path = context.absolute(name)?;
    let failed = |text| Failure::new(Kind::Output, format!("Could not open output file for writing: {text}"));
    output::replace(&path, known.to_json().as_bytes()).map_err(failed)?;
    Ok(format!("written to {name}; name it in .sops.yaml:\nazure_keyvault_public_keys:\n  - {name}"))
}

/// Puts it into the user's cache.
fn keep(cache: Option<&KeyCache>, known: &KnownKey) -> Result<String, Failure> {
    let Some(cache) = cache else {
        let text = "there is no home directory for the cache";
        return Err(Failure::new(Kind::Output, text).hints(["write it to a file with `--output FILE`"]));
    };
    let path = cache.put(known).map_err(|error| {
        Failure::new(Kind::Output, format!("the cache cannot be written: {}", reason(&error)))
    })?;
    Ok(format!("kept in {}", path.display()))
}
