//! Three versions of a document made one: by path, and lists by content.

use ksops_core::tree::branch::{Branch, Entry, Key, Node};
use ksops_stores::align::align;

/// Which version counts where both changed the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Ours,
    Theirs,
}

/// Merges, and notes where that cannot be done.
pub(super) struct Merger {
    side: Side,
    /// The keys and positions around the place.
    path: Vec<String>,
    /// The paths that both versions changed.
    pub(super) conflicts: Vec<String>,
}

impl Merger {
    pub(super) fn new(side: Side) -> Self {
        Self { side, path: Vec::new(), conflicts: Vec::new() }
    }

    /// Merges all documents.
    pub(super) fn documents(&mut self, base: &[Branch], ours: &[Branch], theirs: &[Branch]) -> Vec<Branch> {
        if ours == theirs || base == theirs {
            return ours.to_vec();
        }
        if base == ours {
            return theirs.to_vec();
        }
        if ours.len() == theirs.len() {
            let none = Branch::default();
            let pairs = ours.iter().zip(theirs).enumerate();
            return pairs
                .map(|(at, (ours, theirs))| self.map(base.get(at).unwrap_or(&none), ours, theirs))
                .collect();
        }
        self.conflict();
        self.pick(ours, theirs).to_vec()
    }

    fn pick<'n, T: ?Sized>(&self, ours: &'n T, theirs: &'n T) -> &'n T {
        match self.side {
            Side::Ours => ours,
            Side::Theirs => theirs,
        }
    }

    fn conflict(&mut self) {
        self.conflicts.push(if self.path.is_empty() {
            "the whole file".to_owned()
        } else {
            self.path.concat()
        });
    }

    /// Merges what stands at a path; `None` where there is nothing.
    fn node(&mut self, base: Option<&Node>, ours: Option<&Node>, theirs: Option<&Node>) -> Option<Node> {
        if ours == theirs || base == theirs {
            return ours.cloned();
        }
        if base == ours {
            return theirs.cloned();
        }
        match (base, ours, theirs) {
            (base, Some(Node::Map(ours)), Some(Node::Map(theirs))) => {
                let none = Branch::default();
                let base = if let Some(Node::Map(base)) = base { base } else { &none };
                Some(Node::Map(self.map(base, ours, theirs)))
            }
            (Some(Node::List(base)), Some(Node::List(ours)), Some(Node::List(theirs))) => {
                Some(Node::List(self.list(base, ours, theirs)))
            }
            (None, Some(Node::List(ours)), Some(Node::List(theirs))) => {
                Some(Node::List(self.list(&[], ours, theirs)))
            }
            _ => {
                self.conflict();
                self.pick(&ours, &theirs).cloned()
            }
        }
    }

    fn map(&mut self, base: &Branch, ours: &Branch, theirs: &Branch) -> Branch {
        if [base, ours, theirs].into_iter().any(has_repeated_keys) {
            if ours == theirs || base == theirs {
                return ours.clone();
            }
            if base != ours {
                self.conflict();
                return self.pick(ours, theirs).clone();
            }
            return theirs.clone();
        }
        let mut merged: Vec<Entry> = Vec::with_capacity(ours.entries.len());
        for entry in &ours.entries {
            match entry {
                Entry::Item(key, node) => {
                    self.path.push(format!("[{:?}]", key.to_string()));
                    let node = self.node(find(base, key), Some(node), find(theirs, key));
                    self.path.pop();
                    merged.extend(node.map(|node| Entry::Item(key.clone(), node)));
                }
                // One that they took away goes.
                Entry::Comment(_) if base.entries.contains(entry) && !theirs.entries.contains(entry) => {}
                Entry::Comment(_) => merged.push(entry.clone()),
            }
        }
        // What they added goes behind what it stands behind there.
        let mut previous: Option<&Entry> = None;
        for entry in &theirs.entries {
            let new = match entry {
                Entry::Item(key, node) if find(ours, key).is_none() => {
                    self.path.push(format!("[{:?}]", key.to_string()));
                    let node = self.node(find(base, key), None, Some(node));
                    self.path.pop();
                    node.map(|node| Entry::Item(key.clone(), node))
                }
                Entry::Comment(_) if !base.entries.contains(entry) && !ours.entries.contains(entry) => {
                    Some(entry.clone())
                }
                _ => None,
            };
            if let Some(new) = new {
                let place =
                    previous.and_then(|previous| merged.iter().rposition(|entry| is_same(entry, previous)));
                merged.insert(place.map_or(0, |place| place + 1), new);
            }
            if merged.iter().any(|other| is_same(other, entry)) {
                previous = Some(entry);
            }
        }
        Branch { entries: merged }
    }

    /// Merges lists by content: what one side added, took away or changed, where the other did nothing.
    fn list(&mut self, base: &[Node], ours: &[Node], theirs: &[Node]) -> Vec<Node> {
        let (to_ours, to_theirs) = (matches(base, ours), matches(base, theirs));
        let mut merged = Vec::with_capacity(ours.len().max(theirs.len()));
        let (mut base_at, mut ours_at, mut theirs_at) = (0, 0, 0);
        loop {
            // The next element of the base that both have, and what stands before it.
            let stable = (base_at..base.len())
                .find_map(|at| Some((at, to_ours.get(at).copied()??, to_theirs.get(at).copied()??)));
            let (base_end, ours_end, theirs_end) = stable.unwrap_or((base.len(), ours.len(), theirs.len()));
            let part = self.part(
                &base[base_at..base_end],
                &ours[ours_at..ours_end],
                &theirs[theirs_at..theirs_end],
                merged.len(),
            );
            merged.extend(part);
            let Some((at, in_ours, in_theirs)) = stable else { return merged };
            merged.push(ours[in_ours].clone());
            (base_at, ours_at, theirs_at) = (at + 1, in_ours + 1, in_theirs + 1);
        }
    }

    fn part(&mut self, base: &[Node], ours: &[Node], theirs: &[Node], place: usize) -> Vec<Node> {
        if ours == theirs || base == theirs {
            return ours.to_vec();
        }
        if base == ours {
            return theirs.to_vec();
        }
        if base.is_empty() {
            let new = theirs.iter().filter(|node| !ours.contains(node));
            return ours.iter().chain(new).cloned().collect();
        }
        if base.len() == ours.len() && base.len() == theirs.len() {
            let mut merged = Vec::with_capacity(base.len());
            for (at, ((base, ours), theirs)) in base.iter().zip(ours).zip(theirs).enumerate() {
                self.path.push(format!("[{}]", place + at));
                merged.extend(self.node(Some(base), Some(ours), Some(theirs)));
                self.path.pop();
            }
            return merged;
        }
        self.conflict();
        self.pick(ours, theirs).to_vec()
    }
}

/// For each element of the base, where it is in the other list.
fn matches(base: &[Node], other: &[Node]) -> Vec<Option<usize>> {
    let mut found = vec![None; base.len()];
    let same = |at: usize, place: usize| base[at] == other[place];
    for pair in align(base.len(), other.len(), same, same) {
        if let (Some(at), Some(place)) = pair {
            found[at] = Some(place);
        }
    }
    found
}

fn find<'b>(branch: &'b Branch, key: &Key) -> Option<&'b Node> {
    branch.entries.iter().find_map(|entry| match entry {
        Entry::Item(name, node) if name == key => Some(node),
        _ => None,
    })
}

fn is_same(one: &Entry, other: &Entry) -> bool {
    match (one, other) {
        (Entry::Item(one, _), Entry::Item(other, _)) => one == other,
        (Entry::Comment(one), Entry::Comment(other)) => one.text == other.text,
        _ => false,
    }
}

fn has_repeated_keys(branch: &Branch) -> bool {
    let mut found = std::collections::HashSet::new();
    branch.entries.iter().any(|entry| matches!(entry, Entry::Item(key, _) if !found.insert(key)))
}

#[cfg(test)]
mod tests {
    use ksops_core::tree::branch::Branch;
    use ksops_stores::yaml::load::load;

    use super::{Merger, Side};

    fn merged(base: &str, ours: &str, theirs: &str) -> (Vec<Branch>, Vec<String>) {
        let read = |text: &str| load(text.as_bytes()).expect("YAML");
        let mut merger = Merger::new(Side::Ours);
        let merged = merger.documents(&read(base), &read(ours), &read(theirs));
        (merged, merger.conflicts)
    }

    fn agrees(base: &str, ours: &str, theirs: &str, wanted: &str) {
        assert_eq!(
            merged(base, ours, theirs),
            (load(wanted.as_bytes()).expect("YAML"), Vec::new()),
            "{ours} {theirs}"
        );
    }

    #[test]
    fn what_one_side_did_is_done() {
        let base = "a: 1\nb: 2\nc: {d: 3, e: 4}\n";
        agrees(
            base,
            "a: 9\nb: 2\nc: {d: 3, e: 4}\n",
            "a: 1\nb: 2\nc: {d: 3, e: 5}\n",
            "a: 9\nb: 2\nc: {d: 3, e: 5}\n",
        );
        agrees(
            base,
            "a: 1\nc: {d: 3, e: 4}\nx: 1\n",
            "a: 1\nb: 2\nn: 0\nc: {e: 4}\n",
            "a: 1\nn: 0\nc: {e: 4}\nx: 1\n",
        );
        agrees(base, base, "a: 1\n", "a: 1\n");
    }

    #[test]
    fn lists_are_merged_by_content() {
        let base = "l: [a, b, c]\n";
        agrees(base, "l: [a, c]\n", "l: [a, b, c, d]\n", "l: [a, c, d]\n");
        agrees(base, "l: [x, a, b, c]\n", "l: [a, b, y, c]\n", "l: [x, a, b, y, c]\n");
        agrees(base, "l: [a, b, c, d]\n", "l: [a, b, c, e]\n", "l: [a, b, c, d, e]\n");
        agrees("l: [{a: 1, b: 1}]\n", "l: [{a: 2, b: 1}]\n", "l: [{a: 1, b: 2}]\n", "l: [{a: 2, b: 2}]\n");
    }

    #[test]
    fn real_conflicts_are_named() {
        let conflicts = |base, ours, theirs| merged(base, ours, theirs).1;
        assert_eq!(conflicts("a: {b: 1}\n", "a: {b: 2}\n", "a: {b: 3}\n"), [r#"["a"]["b"]"#]);
        assert_eq!(conflicts("a: 1\nb: 1\n", "b: 1\n", "a: 2\nb: 1\n"), [r#"["a"]"#]);
        assert_eq!(conflicts("x: 1\n", "a: 1\nx: 1\n", "a: 2\nx: 1\n"), [r#"["a"]"#]);
    }
}
