//! Every case of `fixtures/dotenv-layout`: what real sops prints of an input, byte for byte, or why it refuses it.

use std::io;

use ksops_core::tree::branch::{Branch, Entry, Node};
use ksops_core::value::Value;
use ksops_stores::dotenv::emit::emit;
use ksops_stores::dotenv::load::load;
use ksops_stores::dotenv::metadata::put_metadata;

use crate::cases::{Form, compare};

#[path = "support/cases.rs"]
mod cases;

fn printed(input: &[u8], form: Form) -> Result<Vec<u8>, String> {
    let mut branch = load(input).map_err(|error| error.to_string())?;
    if form == Form::FullLayout {
        stand_in(&mut branch);
    }
    if form != Form::Decrypted {
        let block = Branch { entries: vec![Entry::Item("mac".into(), Node::Leaf(Value::text("x\ny")))] };
        put_metadata(&mut branch, &block).map_err(|error| error.to_string())?;
    }
    let text = emit(&branch).map_err(|error| error.to_string())?;
    if form == Form::Decrypted {
        return Ok(text.to_vec());
    }
    let lines = text.split_inclusive(|byte| *byte == b'\n');
    Ok(lines.filter(|line| !line.starts_with(b"sops_")).collect::<Vec<_>>().concat())
}

fn stand_in(branch: &mut Branch) {
    for entry in &mut branch.entries {
        match entry {
            Entry::Comment(comment) if !comment.text.is_empty() => comment.text = "ENC[comment]".into(),
            Entry::Item(key, Node::Leaf(Value::Text(text)))
                if !text.is_empty() && !key.as_bytes().ends_with(b"_unencrypted") =>
            {
                *text = "ENC[str]".into();
            }
            _ => {}
        }
    }
}

#[test]
fn every_case_is_printed_as_sops_prints_it() -> io::Result<()> {
    // A key that starts with `sops_` is refused above the store.
    let outcome = compare("dotenv-layout", "env", &["031-sops-prefix"], printed)?;
    assert!(outcome.failures.is_empty(), "{:#?}", outcome.failures);
    assert_eq!((outcome.compared, outcome.refused, outcome.own), (3 * 36, 3 * 3, 0));
    Ok(())
}
