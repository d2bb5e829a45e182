//! Every case of `fixtures/ini-layout`: what real sops prints of an input, byte for byte, or why it refuses it.

use std::io;

use ksops_core::tree::branch::{Branch, Entry, Node};
use ksops_core::value::Value;
use ksops_stores::ini::emit::emit;
use ksops_stores::ini::load::load;
use ksops_stores::ini::metadata::put_metadata;

use crate::cases::{Form, compare};

#[path = "support/cases.rs"]
mod cases;

/// As encrypting does it by the name `sops`: what would be printed as a comment is refused, other losses are told.
fn printed(input: &[u8], form: Form) -> Result<Vec<u8>, String> {
    let loaded = load(input).map_err(|error| error.to_string())?;
    if let Some(notice) = loaded.notices.iter().find(|notice| notice.problem.contains("printed as a comment"))
    {
        return Err(notice.to_string());
    }
    let mut branch = loaded.branch;
    if form == Form::FullLayout {
        stand_in(&mut branch);
    }
    if form != Form::Decrypted {
        let block = Branch { entries: vec![Entry::Item("mac".into(), Node::Leaf(Value::text("x\ny")))] };
        put_metadata(&mut branch, &block).map_err(|error| error.to_string())?;
    }
    let mut text = emit(&branch).map_err(|error| error.to_string())?.to_vec();
    if form != Form::Decrypted {
        let block = b"[sops]\nmac = x\\ny\n";
        assert!(text.ends_with(block));
        text.truncate(text.len() - block.len());
    }
    Ok(text)
}

fn stand_in(branch: &mut Branch) {
    for entry in &mut branch.entries {
        match entry {
            Entry::Item(name, Node::Map(section)) if !name.as_bytes().ends_with(b"_unencrypted") => {
                stand_in(section);
            }
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
    // A section `sops` is refused above the store.
    let outcome = compare("ini-layout", "ini", &["046-sops-section"], printed)?;
    assert!(outcome.failures.is_empty(), "{:#?}", outcome.failures);
    assert_eq!((outcome.compared, outcome.refused, outcome.own), (3 * 51, 3 * 5, 3));
    Ok(())
}
