//! Changed documents back into the text that they came from: only the bytes of what changed are others
//! (docs/layout.md).
//!
//! Whoever uses this reads what came out and compares: nothing depends on the changes being right.

use std::borrow::Cow;
use std::collections::HashMap;

use ksops_core::document::verify::{Comments, Fidelity, Typing, compare};
use ksops_core::tree::branch::{Branch, Entry, Node};
use ksops_core::value::Value;
use ksops_yaml::input;
use ksops_yaml::parser::{Limits, Parser};
use ksops_yaml::syntax::{Content, ScalarStyle};
use zeroize::Zeroizing;

use crate::file::Like;
use crate::misfit::Misfit;
use crate::yaml::load::{LoadError, YamlReader, load_keeping_numbers};
use crate::yaml::outline::{Outline, PlaceKind};
use crate::yaml::preserve::editor::Editor;
use crate::yaml::preserve::edits::{Edits, STAND_IN};
use crate::yaml::preserve::source::Source;

mod comments;
mod editor;
mod edits;
mod entries;
mod print;
mod same;
mod scalar;
mod source;
mod style;
mod tail;

/// The mark at the start of a text that says its encoding.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Reads documents one after another, takes each one back changed, and gives the text with all changes.
pub struct Keeper<'a> {
    text: &'a str,
    /// What stands before the text: the byte-order mark.
    prefix: &'static str,
    reader: YamlReader<'a>,
    outline: Option<Outline<'a>>,
    edits: Edits,
    indent: Option<usize>,
    /// Where what changed stands, and what did not.
    marks: Vec<(usize, bool)>,
    /// The comments of the documents.
    known: Vec<usize>,
    quotes: Quotes,
}

/// How envelopes were quoted, by their text.
type Quotes = HashMap<String, ScalarStyle>;

impl<'a> Keeper<'a> {
    /// Starts with a text that was decoded from `bytes`. `indent` is for documents without any indentation.
    ///
    /// # Errors
    /// [`Misfit`] if the bytes are in another encoding than the text.
    pub fn new(bytes: &[u8], text: &'a str, indent: Option<i64>) -> Result<Self, Misfit> {
        let prefix = match bytes.len().checked_sub(text.len()) {
            Some(0) => "",
            Some(3) if bytes.starts_with(BYTE_ORDER_MARK.as_bytes()) => BYTE_ORDER_MARK,
            _ => return Err(Misfit::somewhere("a text in UTF-16")),
        };
        Ok(Self {
            text,
            prefix,
            reader: YamlReader::placing(text).keeping_numbers(true),
            outline: None,
            edits: Edits::default(),
            indent: indent.and_then(|indent| usize::try_from(indent).ok()).filter(|indent| *indent > 1),
            marks: Vec::new(),
            known: Vec::new(),
            quotes: Quotes::new(),
        })
    }

    /// Reads the next document.
    pub fn next_branch(&mut self) -> Option<Result<Branch, LoadError>> {
        Some(self.reader.next_outlined()?.map(|(branch, outline)| {
            self.outline = Some(outline);
            branch
        }))
    }

    /// Notes how the document that was read last is now.
    ///
    /// # Errors
    /// [`Misfit`] if that cannot be had without laying it out anew.
    pub fn put(&mut self, branch: &Branch) -> Result<(), Misfit> {
        let Some(outline) = self.outline.take() else { return Ok(()) };
        let source = Source { text: self.text, comments: self.reader.comment_places() };
        let printer = style::detect(source, &outline, self.indent);
        let mut editor = Editor::new(source, &outline, printer, &mut self.edits, &self.quotes);
        editor.document(branch)?;
        self.marks.append(&mut editor.marks);
        self.known.extend(outline.places.iter().filter_map(|place| match place.kind {
            PlaceKind::Comment { span } => Some(span.start as usize),
            _ => None,
        }));
        Ok(())
    }

    /// As [`Keeper::put`], for a document whose metadata are not known yet: [`Keeper::finish`] puts them.
    ///
    /// # Errors
    /// As [`Keeper::put`].
    pub fn put_without_metadata(&mut self, mut branch: Branch) -> Result<(), Misfit> {
        branch.entries.push(Entry::Item("sops".into(), Node::Leaf(Value::text(STAND_IN))));
        self.put(&branch)
    }

    /// Takes away the comments that belong to no value, where what stands beside them is encrypted: upstream drops
    /// them, and nobody would expect them in plaintext.
    pub fn drop_stray_comments(&mut self) {
        self.known.sort_unstable();
        self.marks.sort_unstable();
        let comments = self.reader.comment_places();
        let source = Source { text: self.text, comments };
        let mut edits = std::mem::take(&mut self.edits);
        for span in comments {
            let at = span.start as usize;
            if self.known.binary_search(&at).is_ok() {
                continue;
            }
            let next = self.marks.partition_point(|(place, _)| *place < at);
            let is_secret = |mark: Option<&(usize, bool)>| mark.is_some_and(|(_, changed)| *changed);
            let beside = [next.checked_sub(1).and_then(|mark| self.marks.get(mark)), self.marks.get(next)];
            // Beside nothing it might be anything.
            let is_lonely = beside == [None; 2];
            if (is_lonely || beside.into_iter().any(is_secret)) && !edits.touches(at, span.end as usize) {
                match source.is_first_on_line(at) {
                    true => edits.delete(source.line_start(at), source.next_line(at)),
                    false => edits.delete(source.before_blanks(at), span.end as usize),
                }
            }
        }
        self.edits = edits;
    }

    /// Gives the text with all changes.
    ///
    /// # Errors
    /// [`Misfit`] if changes meet, or the metadata cannot be printed.
    pub fn finish(self, metadata: Option<&Branch>) -> Result<Zeroizing<String>, Misfit> {
        self.edits.apply(self.text, metadata, self.prefix)
    }
}

/// A number that tells documents apart: the same for two that are the same for everybody who reads them.
#[must_use]
pub fn digest(branch: &Branch) -> u64 {
    same::digest(branch)
}

/// The quotes of the envelopes of an encrypted text.
fn quotes_of(encrypted: &[u8]) -> Quotes {
    let mut quotes = Quotes::new();
    let Ok(text) = input::decode(encrypted) else { return quotes };
    for document in Parser::new(&text, Limits::default()).map_while(Result::ok) {
        for node in document.nodes() {
            if let Content::Scalar(text, style) = &node.content
                && text.starts_with("ENC[")
            {
                quotes.insert(text.clone().into_owned(), *style);
            }
        }
    }
    quotes
}

/// What must be the same in a text whose layout was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Faith {
    /// The trees, comments included.
    Tree,
    /// The values; comments may be read elsewhere.
    Values,
}

/// Prints documents with the layout of the text that they were read from, after changes, and makes sure that it reads as
/// the documents do.
///
/// # Errors
/// [`Misfit`] if the layout cannot be kept.
pub fn emit_like(
    like: Like<'_>,
    branches: &[Branch],
    indent: Option<i64>,
    faith: Faith,
) -> Result<Zeroizing<String>, Misfit> {
    let unreadable = |_| Misfit::somewhere("a text that cannot be read");
    let text = input::decode(like.text).map_err(|error| Misfit::somewhere(error.to_string()))?;
    let text = match &text {
        Cow::Borrowed(text) => *text,
        Cow::Owned(_) => return Err(Misfit::somewhere("a text in UTF-16")),
    };
    let mut keeper = Keeper::new(like.text, text, indent)?;
    keeper.quotes = like.before.map(quotes_of).unwrap_or_default();
    let mut targets = branches.iter();
    while let Some(document) = keeper.next_branch() {
        document.map_err(unreadable)?;
        let target = targets.next().ok_or_else(|| Misfit::somewhere("a document that is gone"))?;
        keeper.put(target)?;
    }
    if targets.next().is_some() {
        return Err(Misfit::somewhere("a new document"));
    }
    let out = keeper.finish(None)?;
    let read = load_keeping_numbers(out.as_bytes(), true).map_err(unreadable)?;
    if read.len() != branches.len() {
        return Err(Misfit::somewhere("the number of documents"));
    }
    for (read, branch) in read.iter().zip(branches) {
        judge(read, branch, faith, Typing::Full)?;
    }
    Ok(out)
}

/// Says whether a document that was read is the one that was to be written.
///
/// # Errors
/// [`Misfit`] that names the first difference.
pub fn judge(read: &Branch, wanted: &Branch, faith: Faith, typing: Typing) -> Result<(), Misfit> {
    if same::are_same(read, wanted) {
        return Ok(());
    }
    let comments = if typing == Typing::WithoutTime { Comments::Dropped } else { Comments::Kept };
    match compare(wanted, read, Fidelity { typing, comments }) {
        Ok(()) if faith == Faith::Values => Ok(()),
        Ok(()) => Err(Misfit::somewhere("a comment that would belong to something else")),
        Err(difference) => Err(Misfit::somewhere(format!("{} (at {})", difference.problem, difference.path))),
    }
}
