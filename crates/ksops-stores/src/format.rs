//! The formats, and which one a file has (file-format.md section 8.4).

use std::fmt;

/// A file format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// YAML; the only format with several documents.
    Yaml,
    /// JSON.
    Json,
    /// `KEY=value` lines.
    Dotenv,
    /// INI.
    Ini,
    /// TOML, which sops does not have.
    Toml,
    /// Any bytes, in a JSON envelope.
    Binary,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 6] = [Self::Yaml, Self::Json, Self::Dotenv, Self::Ini, Self::Toml, Self::Binary];

    /// The format's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Yaml => "yaml",
            Self::Json => "json",
            Self::Dotenv => "dotenv",
            Self::Ini => "ini",
            Self::Toml => "toml",
            Self::Binary => "binary",
        }
    }

    /// Finds a format by its name; `yml` and `env` are other names of two.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "yml" => Some(Self::Yaml),
            "env" => Some(Self::Dotenv),
            _ => Self::ALL.into_iter().find(|format| format.name() == name),
        }
    }

    /// The format of a file by the end of its path, case-sensitively; binary if nothing fits.
    #[must_use]
    pub fn from_path(path: &str) -> Self {
        let suffixes = [
            (".yaml", Self::Yaml),
            (".yml", Self::Yaml),
            (".json", Self::Json),
            (".env", Self::Dotenv),
            (".ini", Self::Ini),
            (".toml", Self::Toml),
        ];
        suffixes
            .into_iter()
            .find(|(suffix, _)| path.ends_with(suffix))
            .map_or(Self::Binary, |(_, format)| format)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::Format;

    #[test]
    fn the_end_of_the_path_decides() {
        assert_eq!(Format::from_path("a/b.yml"), Format::Yaml);
        assert_eq!(Format::from_path(".env"), Format::Dotenv);
        assert_eq!(Format::from_path("a.YAML"), Format::Binary);
        assert_eq!(Format::from_path("a.env.example"), Format::Binary);
    }

    #[test]
    fn names_are_exact() {
        assert_eq!(Format::from_name("env"), Some(Format::Dotenv));
        assert_eq!(Format::from_name("YAML"), None);
    }
}
