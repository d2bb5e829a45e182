//! One face of all stores: files of any format to documents and metadata, and back.
//!
//! YAML files that stay YAML go through `yaml` directly, a document at a time; everything else comes here.

use std::borrow::Cow;

use ksops_core::document::verify::Typing;
use ksops_core::metadata::wire::{self, WireError};
use ksops_core::secret::SecretBytes;
use ksops_core::tree::branch::{Branch, Entry, Node};
use ksops_core::value::Value;
use ksops_yaml::span::Position;
use zeroize::Zeroizing;

use crate::dotenv::emit::{DotenvEmitError, emit as emit_dotenv};
use crate::dotenv::load::{DotenvError, load as load_dotenv};
use crate::dotenv::metadata as dotenv_metadata;
use crate::dotenv::preserve::emit_like as emit_dotenv_like;
use crate::flat::error::FlattenError;
use crate::format::Format;
use crate::ini::emit::{IniEmitError, emit as emit_ini};
use crate::ini::error::IniError;
use crate::ini::load::load as load_ini;
use crate::ini::metadata as ini_metadata;
use crate::ini::preserve::emit_like as emit_ini_like;
use crate::json::emit::{self as json_emit, Indent, JsonEmitError};
use crate::json::load::{JsonError, load as load_json};
use crate::json::preserve::emit_like as emit_json_like;
use crate::misfit::Misfit;
use crate::notice::Notice;
use crate::toml::emit::emit as emit_toml;
use crate::toml::emit_like::emit_like as emit_toml_like;
use crate::toml::error::{TomlEmitError, TomlError};
use crate::toml::load::load as load_toml;
use crate::wiped::Wiped;
use crate::yaml::emit::{EmitError, YamlWriter, emit_value};
use crate::yaml::load::{LoadError, load_keeping_numbers as load_yaml};
use crate::yaml::preserve::{Faith, emit_like as emit_yaml_like, judge};

/// The key of the content of a binary file.
const BINARY_KEY: &str = "data";

/// How a text is laid out.
#[derive(Debug, Clone, Copy, Default)]
pub struct Layout<'a> {
    /// The indentation; nothing for the format's default.
    pub indent: Option<i64>,
    /// The text from which the tree was read, in the same format: its layout is kept if the format can (TOML).
    pub like: Option<&'a [u8]>,
}

/// A text that cannot be read in its format. No message holds a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// As YAML.
    #[error(transparent)]
    Yaml(#[from] LoadError),
    /// As JSON.
    #[error("Could not unmarshal input data: {0}")]
    Json(#[from] JsonError),
    /// As dotenv.
    #[error(transparent)]
    Dotenv(#[from] DotenvError),
    /// As INI.
    #[error(transparent)]
    Ini(#[from] IniError),
    /// As TOML.
    #[error(transparent)]
    Toml(#[from] TomlError),
    /// TOML that is no text.
    #[error("not UTF-8 from byte {offset} on")]
    NotUtf8 {
        /// Where, from 0.
        offset: usize,
    },
}

impl ReadError {
    /// Where; line 0 if the place is not known.
    #[must_use]
    pub fn position(&self) -> Position {
        match self {
            Self::Yaml(error) => error.position(),
            Self::Json(error) => error.position(),
            Self::Dotenv(error) => error.position(),
            Self::Ini(error) => error.position(),
            Self::Toml(error) => error.position,
            Self::NotUtf8 { .. } => Position::default(),
        }
    }

    /// Whether the text can be read, but holds what cannot be encrypted (upstream finds that only then).
    #[must_use]
    pub fn is_unencryptable(&self) -> bool {
        matches!(self, Self::Yaml(LoadError::NonStringKey { .. } | LoadError::IntegerTooLarge { .. }))
    }
}

/// A tree that cannot be printed in a format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// As YAML.
    #[error(transparent)]
    Yaml(#[from] EmitError),
    /// As JSON.
    #[error(transparent)]
    Json(#[from] JsonEmitError),
    /// As dotenv.
    #[error(transparent)]
    Dotenv(#[from] DotenvEmitError),
    /// As INI.
    #[error(transparent)]
    Ini(#[from] IniEmitError),
    /// As TOML.
    #[error(transparent)]
    Toml(#[from] TomlEmitError),
    /// The metadata have no flat form.
    #[error(transparent)]
    Flatten(#[from] FlattenError),
    /// Only YAML has several documents.
    #[error("{0} holds one document only, but there are {1}: the others would be lost")]
    Documents(Format, usize),
    /// A file that is not one of bytes is to be printed as bytes.
    #[error("error emitting binary store: {0}")]
    NotBinary(&'static str),
    /// A part of a file cannot be printed in a format without structure.
    #[error("{0}")]
    Value(&'static str),
}

/// Why there are no metadata (exit status 1).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MetadataError {
    /// They are missing or cannot be read.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// Their flat names do not fit together.
    #[error(transparent)]
    Flatten(#[from] FlattenError),
}

impl MetadataError {
    /// Whether the file has none.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Wire(WireError::NotFound))
    }
}

/// A plain file.
#[derive(Debug, Default)]
pub struct Plain {
    /// The documents.
    pub branches: Vec<Branch>,
    /// What the store noticed.
    pub notices: Vec<Notice>,
}

/// An encrypted file.
#[derive(Debug)]
pub struct Encrypted {
    /// The documents, without metadata.
    pub branches: Vec<Branch>,
    /// The metadata as `wire` reads it; or why there is none.
    pub metadata: Result<Branch, MetadataError>,
    /// What the store noticed.
    pub notices: Vec<Notice>,
}

/// Reads a plain file. Binary takes an owned input over without a copy. With `keeps_numbers`, numbers that would be
/// printed otherwise keep their text (security.md S13).
///
/// # Errors
/// [`ReadError`].
pub fn read_plain(input: Cow<'_, [u8]>, format: Format, keeps_numbers: bool) -> Result<Plain, ReadError> {
    match format {
        Format::Binary => {
            let data = SecretBytes::new(input.into_owned());
            let entry = Entry::Item(BINARY_KEY.into(), Node::Leaf(Value::Text(data)));
            Ok(Plain { branches: vec![Branch { entries: vec![entry] }], notices: Vec::new() })
        }
        _ => read(&Wiped::new(input), format, keeps_numbers),
    }
}

/// Reads an encrypted file; `keeps_numbers` as in [`read_plain`].
///
/// # Errors
/// [`ReadError`]; faults of the metadata are told in the result.
pub fn read_encrypted(input: &[u8], format: Format, keeps_numbers: bool) -> Result<Encrypted, ReadError> {
    let Plain { mut branches, notices } = match format {
        // The envelope of a binary file is JSON.
        Format::Binary => read(input, Format::Json, keeps_numbers)?,
        format => read(input, format, keeps_numbers)?,
    };
    let metadata = branches.first_mut().map_or(Err(WireError::NotFound.into()), |first| take(first, format));
    branches.iter_mut().skip(1).for_each(wire::discard);
    Ok(Encrypted { branches, metadata, notices })
}

fn read(input: &[u8], format: Format, keeps_numbers: bool) -> Result<Plain, ReadError> {
    match format {
        Format::Yaml => Ok(Plain { branches: load_yaml(input, keeps_numbers)?, notices: Vec::new() }),
        Format::Json => {
            let loaded = load_json(input, keeps_numbers)?;
            Ok(Plain { branches: vec![loaded.branch], notices: loaded.notices })
        }
        Format::Dotenv => Ok(Plain { branches: vec![load_dotenv(input)?], notices: Vec::new() }),
        Format::Ini => {
            let loaded = load_ini(input)?;
            Ok(Plain { branches: vec![loaded.branch], notices: loaded.notices })
        }
        Format::Toml => {
            let loaded = load_toml(text_of(input)?, keeps_numbers)?;
            Ok(Plain { branches: vec![loaded.branch], notices: loaded.notices })
        }
        Format::Binary => read_plain(Cow::Borrowed(input), format, keeps_numbers),
    }
}

fn take(first: &mut Branch, format: Format) -> Result<Branch, MetadataError> {
    match format {
        Format::Dotenv => dotenv_metadata::take_metadata(first)?.ok_or(WireError::NotFound.into()),
        Format::Ini => ini_metadata::take_metadata(first)?.ok_or(WireError::NotFound.into()),
        Format::Yaml | Format::Json | Format::Toml | Format::Binary => Ok(wire::take(first)?),
    }
}

/// Prints a plain file.
///
/// # Errors
/// [`WriteError`] if the tree has no form in the format.
pub fn write_plain(
    mut branches: Vec<Branch>,
    format: Format,
    layout: Layout<'_>,
) -> Result<Zeroizing<Vec<u8>>, WriteError> {
    match format {
        Format::Yaml => {
            let mut writer = YamlWriter::new(layout.indent.unwrap_or(0))?;
            branches.iter().try_for_each(|branch| writer.branch(branch))?;
            Ok(into_bytes(writer.finish()))
        }
        Format::Json => {
            let branch = only(&mut branches, format)?;
            Ok(into_bytes(json_emit::document(&branch, json_indent(layout.indent)?)?))
        }
        Format::Binary => {
            let branch = only(&mut branches, format)?;
            let data = branch.entries.into_iter().find_map(|entry| match entry {
                Entry::Item(key, node) if key == *BINARY_KEY => Some(node),
                _ => None,
            });
            match data {
                Some(Node::Leaf(Value::Text(data))) => Ok(data.into_bytes()),
                Some(_) => Err(WriteError::NotBinary("'data' key in tree does not have a string value")),
                None => Err(WriteError::NotBinary("no binary data found in tree")),
            }
        }
        Format::Dotenv => Ok(emit_dotenv(&only(&mut branches, format)?)?),
        Format::Ini => Ok(emit_ini(&only(&mut branches, format)?)?),
        Format::Toml => {
            let branch = only(&mut branches, format)?;
            let like = layout.like.and_then(|text| std::str::from_utf8(text).ok());
            Ok(into_bytes(match like.map(|text| emit_toml_like(text, &branch)) {
                // The tree changed its shape on the way.
                None | Some(Err(TomlEmitError::Misfit { .. })) => emit_toml(&branch)?,
                Some(text) => text?,
            }))
        }
    }
}

/// Prints an encrypted file: every document with the metadata behind it.
///
/// # Errors
/// [`WriteError`] if the tree has no form in the format.
pub fn write_encrypted(
    mut branches: Vec<Branch>,
    metadata: &Branch,
    format: Format,
    layout: Layout<'_>,
) -> Result<Vec<u8>, WriteError> {
    put_metadata(&mut branches, metadata, format)?;
    let format = if format == Format::Binary { Format::Json } else { format };
    let mut text = write_plain(branches, format, layout)?;
    Ok(std::mem::take(&mut *text))
}

fn put_metadata(branches: &mut [Branch], metadata: &Branch, format: Format) -> Result<(), WriteError> {
    for branch in branches {
        match format {
            Format::Dotenv => dotenv_metadata::put_metadata(branch, metadata)?,
            Format::Ini => ini_metadata::put_metadata(branch, metadata)?,
            Format::Yaml | Format::Json | Format::Toml | Format::Binary => wire::append(branch, metadata),
        }
    }
    Ok(())
}

/// A text whose layout is kept.
#[derive(Debug, Clone, Copy)]
pub struct Like<'a> {
    /// The text, in the same format.
    pub text: &'a [u8],
    /// The encrypted file as it was before: values that stay keep the quotes that they had there.
    pub before: Option<&'a [u8]>,
}

impl<'a> Like<'a> {
    /// A text alone.
    #[must_use]
    pub fn of(text: &'a [u8]) -> Self {
        Self { text, before: None }
    }
}

/// An encrypted file whose layout cannot be kept.
pub struct NotKept {
    /// Why.
    pub misfit: Misfit,
    /// The documents, with the metadata in them.
    pub branches: Vec<Branch>,
}

/// Prints a plain file with the layout of the text that it was read from, in the same format: only what changed is
/// printed anew. What comes out was read again and compared.
///
/// # Errors
/// [`Misfit`] if the layout cannot be kept.
pub fn write_plain_like(
    branches: &[Branch],
    format: Format,
    like: Like<'_>,
    indent: Option<i64>,
) -> Result<Zeroizing<Vec<u8>>, Misfit> {
    write_like(branches, format, like, indent, Faith::Values)
}

/// As [`write_plain_like`], for an encrypted file.
///
/// # Errors
/// [`WriteError`] if the metadata have no form; in the result, why the layout cannot be kept, and the documents with the
/// metadata in them.
pub fn write_encrypted_like(
    mut branches: Vec<Branch>,
    metadata: &Branch,
    format: Format,
    like: Like<'_>,
    indent: Option<i64>,
) -> Result<Result<Vec<u8>, NotKept>, WriteError> {
    put_metadata(&mut branches, metadata, format)?;
    Ok(match write_like(&branches, format, like, indent, Faith::Tree) {
        Ok(mut text) => Ok(std::mem::take(&mut *text)),
        Err(misfit) => Err(NotKept { misfit, branches }),
    })
}

fn write_like(
    branches: &[Branch],
    format: Format,
    like: Like<'_>,
    indent: Option<i64>,
    faith: Faith,
) -> Result<Zeroizing<Vec<u8>>, Misfit> {
    let (text, fidelity) = match (format, branches) {
        (Format::Yaml, _) => return Ok(into_bytes(emit_yaml_like(like, branches, indent, faith)?)),
        (Format::Json, [branch]) => (emit_json_like(like.text, branch)?, Typing::WithoutTime),
        (Format::Dotenv, [branch]) => (emit_dotenv_like(like.text, branch)?, Typing::StringsOnly),
        (Format::Ini, [branch]) => (emit_ini_like(like.text, branch)?, Typing::StringsOnly),
        _ => return Err(Misfit::somewhere(format!("{format} files"))),
    };
    let read = read(&text, format, true).map_err(|error| Misfit::of(&error))?;
    match (read.branches.as_slice(), branches) {
        ([read], [wanted]) => judge(read, wanted, Faith::Values, fidelity)?,
        _ => return Err(Misfit::somewhere("the number of documents")),
    }
    Ok(text)
}

/// Whether a file of this format can keep its layout by [`write_plain_like`].
#[must_use]
pub fn keeps_layout(format: Format) -> bool {
    matches!(format, Format::Yaml | Format::Json | Format::Dotenv | Format::Ini)
}

/// Prints a part of a file, as `--extract` shows it.
///
/// # Errors
/// [`WriteError`] if it has no form in the format.
pub fn write_value(node: Node, format: Format, layout: Layout<'_>) -> Result<Zeroizing<Vec<u8>>, WriteError> {
    match (format, node) {
        (_, Node::Map(branch)) => write_plain(vec![branch], format, layout),
        (Format::Yaml, node) => Ok(into_bytes(emit_value(&node)?)),
        (Format::Json, node) => Ok(into_bytes(json_emit::value(&node, json_indent(layout.indent)?)?)),
        (Format::Binary, _) => Err(WriteError::Value(
            "Binary files are not structured and extracting a single value is not possible",
        )),
        (Format::Dotenv, Node::Leaf(Value::Text(text))) => Ok(text.into_bytes()),
        (Format::Dotenv, _) => Err(WriteError::Value("the dotenv store only supports emitting strings")),
        (Format::Toml, _) => {
            Err(WriteError::Value("TOML has no form for a list alone, nor for a number or truth value"))
        }
        // As upstream: a value that INI does not have is shown as JSON.
        (Format::Ini, node) => Ok(into_bytes(json_emit::value(&node, Indent::default())?)),
    }
}

fn json_indent(indent: Option<i64>) -> Result<Indent, JsonEmitError> {
    indent.map_or(Ok(Indent::default()), Indent::from_setting)
}

fn text_of(input: &[u8]) -> Result<&str, ReadError> {
    std::str::from_utf8(input).map_err(|error| ReadError::NotUtf8 { offset: error.valid_up_to() })
}

fn only(branches: &mut Vec<Branch>, format: Format) -> Result<Branch, WriteError> {
    match branches.len() {
        1 => Ok(branches.remove(0)),
        count => Err(WriteError::Documents(format, count)),
    }
}

fn into_bytes(mut text: Zeroizing<String>) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(std::mem::take(&mut *text).into_bytes())
}
