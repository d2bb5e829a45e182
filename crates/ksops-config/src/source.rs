//! From bytes to the first YAML document.

use std::borrow::Cow;

use ksops_yaml::error::SyntaxError;
use ksops_yaml::input;
use ksops_yaml::parser::{Limits, Parser};
use ksops_yaml::syntax::Document;

use crate::problem::Problem;

/// Reads the bytes as text: UTF-8, or UTF-16 with a byte-order mark.
pub(crate) fn text(input: &[u8]) -> Result<Cow<'_, str>, Problem> {
    input::decode(input).map_err(|error| problem(&error))
}

/// Parses the first document; what follows it is not looked at.
pub(crate) fn first_document(text: &str) -> Result<Option<Document<'_>>, Problem> {
    Parser::new(text, Limits::default()).next_document().transpose().map_err(|error| problem(&error))
}

fn problem(error: &SyntaxError) -> Problem {
    Problem::new(error.position(), error.problem())
}
