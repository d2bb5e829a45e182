//! Which format a file has, by a flag or by its name (cli-and-config.md section 1.3), and how it is indented (1.5).

use std::path::Path;

use ksops::ksops_config::model::Stores;
use ksops::ksops_stores::format::Format;
use ksops::layout::Layout;

use crate::args::flags::Flags;
use crate::args::program::Program;
use crate::error::{Failure, Kind};

/// What to do when the name of the input tells another format than it has.
pub(crate) const NAME_THE_FORMAT: &str = "without a known suffix, or from standard input, a file counts as binary: name its format, as in `--input-type yaml --output-type yaml`";

/// The format that `flag` (`input-type` or `output-type`) names, else that of the path.
///
/// # Errors
/// If the flag names none. Upstream ignores it then, and the file may come out in another format than was asked for.
pub(crate) fn choose(program: Program, flags: &Flags, flag: &str, path: &Path) -> Result<Format, Failure> {
    let Some(word) = flags.text(flag) else {
        return Ok(match (Format::from_path(&path.to_string_lossy()), program) {
            // sops has no TOML: to it such a file is just bytes.
            (Format::Toml, Program::Sops) => Format::Binary,
            (format, _) => format,
        });
    };
    Format::from_name(word).ok_or_else(|| {
        let text =
            format!("--{flag} {word:?} is no format: it must be binary, dotenv, ini, json, toml or yaml");
        Failure::new(Kind::General, text)
    })
}

/// The format of an encrypted file that was called TOML for its name only: sops puts such a file into JSON, as bytes.
pub(crate) fn as_made(format: Format, flags: &Flags, flag: &str, input: &[u8]) -> Format {
    let is_json = input.trim_ascii_start().starts_with(b"{");
    if format == Format::Toml && is_json && flags.text(flag).is_none() { Format::Binary } else { format }
}

/// The indentation of the output: the flag, else the configuration's.
pub(crate) fn indent(flags: &Flags, stores: &Stores, output: Format) -> Option<i64> {
    flags.number("indent").or(match output {
        Format::Yaml => stores.yaml_indent,
        Format::Json => stores.json_indent,
        Format::Binary => stores.json_binary_indent,
        Format::Dotenv | Format::Ini | Format::Toml => None,
    })
}

/// Whether the layout of a file is kept: by the flag or its variable, else by the configuration, else by the program.
/// Whoever asks for an indentation asks for a new layout.
///
/// # Errors
/// If there is no such layout.
pub(crate) fn layout(
    program: Program,
    flags: &Flags,
    stores: &Stores,
    output: Format,
) -> Result<Layout, Failure> {
    let kept = if flags.is_set("strict-layout") { Layout::PreserveStrictly } else { Layout::Preserve };
    let configured = stores.layouts.get(&output.to_string());
    let (word, origin) = match (flags.text("layout"), configured) {
        (Some(word), _) => (word, "--layout (or KSOPS_LAYOUT)"),
        (None, _) if flags.number("indent").is_some() => ("upstream", ""),
        (None, Some(word)) => (word.as_str(), "the `layout` of a store in the configuration"),
        (None, None) if program == Program::Sops => ("upstream", ""),
        (None, None) => ("preserve", ""),
    };
    match word {
        "preserve" => Ok(kept),
        "upstream" => Ok(Layout::Upstream),
        other => {
            let text = format!("{origin} is {other:?}: it must be preserve or upstream");
            Err(Failure::new(Kind::General, text))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use ksops::ksops_config::model::Stores;
    use ksops::ksops_stores::format::Format;

    use super::{choose, indent};
    use crate::args::flags::Flags;
    use crate::args::program::Program;

    fn flags(values: &[(&'static str, &str)]) -> Flags {
        let mut flags = Flags::default();
        for (name, value) in values {
            flags.push(name, value);
        }
        flags
    }

    #[test]
    fn toml_is_known_to_ksops_only() {
        let by = |program| choose(program, &flags(&[]), "input-type", Path::new("f.toml")).ok();
        assert_eq!((by(Program::Ksops), by(Program::Sops)), (Some(Format::Toml), Some(Format::Binary)));
    }

    #[test]
    fn the_flag_beats_the_indentation_of_the_configuration() {
        let stores = Stores { yaml_indent: Some(2), ..Stores::default() };
        assert_eq!(indent(&flags(&[]), &stores, Format::Yaml), Some(2));
        assert_eq!(indent(&flags(&[("indent", "0")]), &stores, Format::Yaml), Some(0));
        assert_eq!(indent(&flags(&[]), &stores, Format::Json), None);
    }
}
