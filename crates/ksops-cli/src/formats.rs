//! Which format a file has, by a flag or by its name (cli-and-config.md section 1.3), and how it is indented (1.5).

use std::path::Path;

use ksops::ksops_config::model::Stores;
use ksops::ksops_stores::format::Format;

use crate::args::flags::Flags;
use crate::error::{Failure, Kind};

/// The format that `flag` (`input-type` or `output-type`) names, else that of the path.
///
/// # Errors
/// If the flag names none. Upstream ignores it then, and the file may come out in another format than was asked for.
pub(crate) fn choose(flags: &Flags, flag: &str, path: &Path) -> Result<Format, Failure> {
    let Some(word) = flags.text(flag) else { return Ok(Format::from_path(&path.to_string_lossy())) };
    Format::from_name(word).ok_or_else(|| {
        let text = format!("--{flag} {word:?} is no format: it must be binary, dotenv, ini, json or yaml");
        Failure::new(Kind::General, text)
    })
}

/// The indentation of the output: the flag, else the configuration's.
pub(crate) fn indent(flags: &Flags, stores: &Stores, output: Format) -> Option<i64> {
    flags.number("indent").or(match output {
        Format::Yaml => stores.yaml_indent,
        Format::Json => stores.json_indent,
        Format::Binary => stores.json_binary_indent,
        Format::Dotenv | Format::Ini => None,
    })
}
