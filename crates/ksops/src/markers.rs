//! Conflict markers: two texts as one, and one as two.

use ksops_stores::align::align;
use zeroize::Zeroizing;

/// What the two sides are called in the markers.
#[derive(Debug, Clone)]
pub struct Labels {
    /// Behind `<<<<<<<`.
    pub ours: String,
    /// Behind `>>>>>>>`.
    pub theirs: String,
}

const START: &str = "<<<<<<<";
const BASE: &str = "|||||||";
const MIDDLE: &str = "=======";
const END: &str = ">>>>>>>";

/// Puts two versions of a text into one, with markers around the lines that differ.
#[must_use]
pub fn marked(ours: &str, theirs: &str, labels: &Labels) -> Zeroizing<String> {
    let lines = |text| -> Vec<&str> { str::split_inclusive(text, '\n').collect() };
    let (ours, theirs) = (lines(ours), lines(theirs));
    let same = |at: usize, place: usize| ours[at] == theirs[place];
    let length: usize = ours.iter().chain(&theirs).map(|line| line.len()).sum();
    let mut out = Zeroizing::new(String::with_capacity(length * 2 + 256));
    let (mut left, mut right): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
    let flush = |out: &mut String, left: &mut Vec<&str>, right: &mut Vec<&str>| {
        if left.is_empty() && right.is_empty() {
            return;
        }
        let part = |out: &mut String, lines: &mut Vec<&str>| {
            lines.drain(..).for_each(|line| out.push_str(line));
            if !out.ends_with('\n') {
                out.push('\n');
            }
        };
        out.push_str(&format!("{START} {}\n", labels.ours));
        part(out, left);
        out.push_str(&format!("{MIDDLE}\n"));
        part(out, right);
        out.push_str(&format!("{END} {}\n", labels.theirs));
    };
    for pair in align(ours.len(), theirs.len(), same, same) {
        match pair {
            (Some(at), Some(_)) => {
                flush(&mut out, &mut left, &mut right);
                out.push_str(ours[at]);
            }
            (Some(at), None) => left.push(ours[at]),
            (None, Some(at)) => right.push(theirs[at]),
            (None, None) => {}
        }
    }
    flush(&mut out, &mut left, &mut right);
    out
}

/// Whether a text has conflict markers.
#[must_use]
pub fn has_markers(text: &str) -> bool {
    text.lines().any(|line| is_marker(line, START)) && text.lines().any(|line| is_marker(line, END))
}

/// The two versions of a text with conflict markers, and the common one if the markers tell it.
#[derive(Debug, Default)]
pub struct Sides {
    /// Behind `<<<<<<<`.
    pub ours: Zeroizing<String>,
    /// Behind `|||||||`, if every conflict has it.
    pub base: Option<Zeroizing<String>>,
    /// Behind `=======`.
    pub theirs: Zeroizing<String>,
}

/// Takes a text with conflict markers apart, wherever these stand; `None` if they do not fit together.
#[must_use]
pub fn sides(text: &str) -> Option<Sides> {
    #[derive(PartialEq)]
    enum At {
        Common,
        Ours,
        Base,
        Theirs,
    }
    let room = || Zeroizing::new(String::with_capacity(text.len()));
    let (mut ours, mut base, mut theirs) = (room(), room(), room());
    let (mut at, mut conflicts, mut bases) = (At::Common, 0, 0);
    for line in text.split_inclusive('\n') {
        let bare = line.trim_end_matches(['\n', '\r']);
        at = match at {
            At::Common if is_marker(bare, START) => {
                conflicts += 1;
                At::Ours
            }
            At::Ours if is_marker(bare, BASE) => {
                bases += 1;
                At::Base
            }
            At::Ours | At::Base if bare == MIDDLE => At::Theirs,
            At::Theirs if is_marker(bare, END) => At::Common,
            at => {
                match at {
                    At::Common => {
                        [&mut ours, &mut base, &mut theirs].into_iter().for_each(|text| text.push_str(line))
                    }
                    At::Ours => ours.push_str(line),
                    At::Base => base.push_str(line),
                    At::Theirs => theirs.push_str(line),
                }
                at
            }
        };
    }
    (at == At::Common && conflicts > 0).then(|| Sides {
        ours,
        base: (bases == conflicts).then_some(base),
        theirs,
    })
}

fn is_marker(line: &str, marker: &str) -> bool {
    line.strip_prefix(marker).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
}

#[cfg(test)]
mod tests {
    use super::{Labels, has_markers, marked, sides};

    #[test]
    fn what_is_put_together_comes_apart() {
        let labels = Labels { ours: "HEAD".into(), theirs: "other".into() };
        let (ours, theirs) = ("a\nb\nc\nd\n", "a\nx\ny\nc\n");
        let text = marked(ours, theirs, &labels);
        assert_eq!(
            *text,
            "a\n<<<<<<< HEAD\nb\n=======\nx\ny\n>>>>>>> other\nc\n<<<<<<< HEAD\nd\n=======\n>>>>>>> other\n"
        );
        assert!(has_markers(&text) && !has_markers(ours));
        let found = sides(&text).expect("markers");
        assert_eq!((&**found.ours, &**found.theirs, found.base.is_none()), (ours, theirs, true));
    }

    #[test]
    fn the_common_version_is_taken_if_it_is_there() {
        let text = "<<<<<<< a\n1\n||||||| base\n0\n=======\n2\n>>>>>>> b\n";
        let found = sides(text).expect("markers");
        assert_eq!(found.base.as_deref().map(String::as_str), Some("0\n"));
        assert!(sides("a\n").is_none() && sides("<<<<<<< a\n1\n").is_none());
    }
}
