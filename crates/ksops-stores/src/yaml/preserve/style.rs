//! Finds out how a document is indented, so that what is new in it looks like what is there.

use ksops_yaml::syntax::{CollectionStyle, Content, NodeId};

use crate::yaml::outline::{Outline, PlaceKind};
use crate::yaml::preserve::print::Printer;
use crate::yaml::preserve::source::Source;

/// The indentation where the document has none that could be followed, as upstream has it.
const DEFAULT_STEP: usize = 4;

/// A collection that the search is in.
struct Around {
    end: usize,
    /// The column of its keys, if it is a mapping by indentation.
    keys: Option<usize>,
}

/// Finds the forms of a document; `asked` is the indentation that was asked for, for a document without any.
pub(crate) fn detect(source: Source<'_>, outline: &Outline<'_>, asked: Option<usize>) -> Printer {
    let (mut step, mut list_offset, mut in_list) = (None, None, None);
    let mut around: Vec<Around> = Vec::new();
    let mut at = 0;
    while let Some(place) = outline.places.get(at) {
        while around.last().is_some_and(|around| around.end <= at) {
            around.pop();
        }
        let above = around.last().and_then(|around| around.keys);
        let is_block = |node: NodeId| {
            matches!(
                outline.document.node(node).content,
                Content::Mapping(_, CollectionStyle::Block) | Content::Sequence(_, CollectionStyle::Block)
            )
        };
        let mut keys = None;
        match (place.kind, place.node) {
            (PlaceKind::Alias, _) => {
                at += place.size.max(1);
                continue;
            }
            (PlaceKind::Map, Some(node)) if is_block(node) => {
                keys = first_key(outline, at).map(|start| source.column(start));
                if let (Some(above), Some(keys)) = (above, keys)
                    && keys > above
                    && at > 0
                {
                    step.get_or_insert(keys - above);
                }
            }
            (PlaceKind::List, Some(node)) if is_block(node) => {
                let dash = source.column(outline.document.node(node).span.start as usize);
                if let Some(above) = above
                    && dash >= above
                {
                    list_offset.get_or_insert(dash - above);
                }
                in_list.get_or_insert(2);
            }
            _ => {}
        }
        if matches!(place.kind, PlaceKind::Map | PlaceKind::List) {
            around.push(Around { end: at + place.size, keys });
        }
        if step.is_some() && list_offset.is_some() {
            break;
        }
        at += 1;
    }
    let step =
        step.or(list_offset.filter(|offset| *offset > 1)).or(in_list.filter(|_| list_offset == Some(0)));
    let step = step.or(asked).unwrap_or(DEFAULT_STEP);
    Printer { step, list_offset: list_offset.unwrap_or(step), line_break: source.line_break() }
}

/// Where the first key of a mapping starts.
pub(crate) fn first_key(outline: &Outline<'_>, at: usize) -> Option<usize> {
    let node = outline.places.get(at)?.node?;
    match &outline.document.node(node).content {
        Content::Mapping(children, _) => {
            children.first().map(|key| outline.document.node(*key).start as usize)
        }
        _ => None,
    }
}
