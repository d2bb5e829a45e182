//! What the encrypted documents of a YAML file are written on: the text that they came from, or a new one.

use ksops_core::tree::branch::Branch;
use ksops_stores::misfit::Misfit;
use ksops_stores::yaml::emit::EmitError;
use ksops_stores::yaml::load::{LoadError, YamlReader};
use ksops_stores::yaml::preserve::{self, Keeper};

use crate::encrypt::EncryptError;
use crate::layout::Layout;
use crate::output::Pages;

/// Gives the documents of a text one after another, and takes them back encrypted.
pub(crate) struct Sheet<'a> {
    kind: Kind<'a>,
    /// Why it is not the old text, although it should be.
    refused: Option<Misfit>,
}

enum Kind<'a> {
    /// Laid out as upstream does it.
    New(Box<(YamlReader<'a>, Pages)>),
    /// The old text, of which only what changes is written anew; what each document is now.
    Old(Box<Keeper<'a>>, Result<Vec<u64>, Misfit>),
}

/// Why there is no text.
pub(crate) enum Unwritable {
    /// The layout cannot be kept.
    Misfit(Misfit),
    /// Another reason.
    Other(EncryptError),
}

impl From<Unwritable> for EncryptError {
    fn from(error: Unwritable) -> Self {
        match error {
            Unwritable::Misfit(misfit) => Self::Layout(misfit),
            Unwritable::Other(error) => error,
        }
    }
}

impl<'a> Sheet<'a> {
    /// Starts with a text that was decoded from `input`.
    pub(crate) fn new(
        input: &[u8],
        text: &'a str,
        indent: Option<i64>,
        layout: Layout,
    ) -> Result<Self, EmitError> {
        // A wrong indentation is told in every layout.
        let mut pages = Pages::new(indent.unwrap_or(0))?;
        let mut refused = None;
        if layout.is_kept() {
            match Keeper::new(input, text, indent) {
                Ok(keeper) => return Ok(Self { kind: Kind::Old(Box::new(keeper), Ok(Vec::new())), refused }),
                Err(misfit) => refused = Some(misfit),
            }
        }
        // Address space only; the text then never has to be copied while it grows.
        pages.reserve(text.len() * 6);
        Ok(Self { kind: Kind::New(Box::new((YamlReader::new(text).keeping_numbers(true), pages))), refused })
    }

    /// Reads the next document.
    pub(crate) fn next_branch(&mut self) -> Option<Result<Branch, LoadError>> {
        match &mut self.kind {
            Kind::New(new) => new.0.next_branch(),
            Kind::Old(keeper, _) => keeper.next_branch(),
        }
    }

    /// Takes the document back that was read last.
    pub(crate) fn add(&mut self, branch: Branch) -> Result<(), EmitError> {
        match &mut self.kind {
            Kind::New(new) => new.1.add(branch),
            Kind::Old(keeper, known) => {
                if let Ok(digests) = known {
                    digests.push(preserve::digest(&branch));
                    if let Err(misfit) = keeper.put_without_metadata(branch) {
                        *known = Err(misfit);
                    }
                }
                Ok(())
            }
        }
    }

    /// Why the layout cannot be kept, as far as that is known before the text is made.
    pub(crate) fn misfit(&self) -> Option<Misfit> {
        match &self.kind {
            Kind::Old(_, Err(misfit)) => Some(misfit.clone()),
            _ => self.refused.clone(),
        }
    }

    /// What each document must be when it is read again; nothing for a text that is laid out anew.
    pub(crate) fn digests(&self) -> Option<Vec<u64>> {
        match &self.kind {
            Kind::Old(_, Ok(digests)) => Some(digests.clone()),
            _ => None,
        }
    }

    /// Gives the finished text.
    pub(crate) fn finish(self, metadata: Branch) -> Result<String, Unwritable> {
        match self.kind {
            Kind::New(new) => {
                new.1.finish(metadata).map_err(|error| Unwritable::Other(EncryptError::from(error)))
            }
            Kind::Old(mut keeper, _) => {
                keeper.drop_stray_comments();
                let mut text = keeper.finish(Some(&metadata)).map_err(Unwritable::Misfit)?;
                Ok(std::mem::take(&mut *text))
            }
        }
    }
}
