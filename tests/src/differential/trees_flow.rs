//! The collections in brackets and braces of random trees.

use super::trees::{DEEPEST, Writer};

impl Writer<'_> {
    pub(super) fn flow_map(&mut self, depth: usize) {
        self.out.push('{');
        for index in 0..self.dice.below(4) {
            self.flow_gap(index);
            let key = self.key();
            let style = 4 + self.dice.below(6);
            self.scalar_in_line(&key, style);
            self.either(5, ":", ": ");
            self.flow_value(depth);
        }
        self.flow_end();
        self.out.push('}');
    }

    pub(super) fn flow_list(&mut self, depth: usize) {
        self.out.push('[');
        for index in 0..self.dice.below(4) {
            self.flow_gap(index);
            self.flow_value(depth);
        }
        self.flow_end();
        self.out.push(']');
    }

    fn flow_gap(&mut self, index: usize) {
        if index > 0 {
            self.either(10, " ,", ",");
        }
        if self.chance(10) {
            self.end_line();
            self.comments(4);
            self.pad(6);
        } else if index > 0 {
            self.out.push(' ');
        }
    }

    fn flow_end(&mut self) {
        if self.chance(5) {
            self.out.push(',');
        }
        if self.chance(5) {
            self.end_line();
            self.comments(4);
            self.pad(6);
        }
    }

    fn flow_value(&mut self, depth: usize) {
        self.nodes += 1;
        match self.dice.below(8) {
            0 if depth < DEEPEST => self.flow_map(depth + 1),
            1 if depth < DEEPEST => self.flow_list(depth + 1),
            2 if !self.anchors.is_empty() => {
                let name = self.dice.pick(&self.anchors).0.clone();
                self.out.push_str(&format!("*{name} "));
            }
            _ => {
                let text = self.string();
                let style = 4 + self.dice.below(6);
                self.scalar_in_line(&text, style);
            }
        }
    }
}
