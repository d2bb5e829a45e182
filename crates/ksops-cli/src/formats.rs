//! Which format a file has, by a flag or by its name (cli-and-config.md section 1.3), and how it is indented (1.5).

use std::path::Path;

use ksops::ksops_config::model::Stores;
use ksops::ksops_stores::format::Format;

use crate::args::flags::Flags;
use crate::error::{Failure, Kind};

/// What to do when the name of the input tells another format than it has.
pub(crate) const NAME_THE_FORMAT: &str = "without a known suffix, or from standard input, a file counts as binary: name its format, as in `--input-type yaml --output-type yaml`";

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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use ksops::ksops_config::model::Stores;
    use ksops::ksops_stores::format::Format;

    use super::{choose, indent};
    use crate::args::flags::Flags;

    fn flags(values: &[(&'static str, &str)]) -> Flags {
        let mut flags = Flags::default();
        for (name, value) in values {
            flags.push(name, value);
        }
        flags
    }

    #[test]
    fn the_flag_beats_the_name_and_must_be_a_format() {
        let by = |word: &str| choose(&flags(&[("input-type", word)]), "input-type", Path::new("/a/f.json"));
        assert_eq!(by("").ok(), Some(Format::Json));
        assert_eq!(by("env").ok(), Some(Format::Dotenv));
        let refused = by("toml").expect_err("no format");
        assert!(
            refused.text.contains("\"toml\"") && refused.text.contains("binary, dotenv, ini, json or yaml")
        );
    }

    #[test]
    fn the_flag_beats_the_indentation_of_the_configuration() {
        let stores = Stores { yaml_indent: Some(2), ..Stores::default() };
        assert_eq!(indent(&flags(&[]), &stores, Format::Yaml), Some(2));
        assert_eq!(indent(&flags(&[("indent", "0")]), &stores, Format::Yaml), Some(0));
        assert_eq!(indent(&flags(&[]), &stores, Format::Json), None);
    }
}
