//! A case: a text, and how it is encrypted.

use super::dice::Dice;
use super::rules::RuleChoice;
use super::{grammar, mutate, trees};

/// Where a case's text comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A random tree, written in random styles.
    Tree,
    /// Random lines.
    Grammar,
    /// A changed fixture.
    Mutation,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Tree, Self::Grammar, Self::Mutation];

    /// The name used in options and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Tree => "tree",
            Self::Grammar => "grammar",
            Self::Mutation => "mutation",
        }
    }
}

/// A case.
#[derive(Debug, Clone)]
pub struct Case {
    /// Where the text comes from.
    pub kind: Kind,
    /// The plain text.
    pub text: Vec<u8>,
    /// The indentation of the output; 0 for the default.
    pub indent: i64,
    /// Which leaves are encrypted.
    pub rule: RuleChoice,
    /// Whether the MAC runs over encrypted leaves only.
    pub mac_only_encrypted: bool,
    /// The moment of encryption, in seconds since 1970.
    pub last_modified: i64,
    /// The seed of data key and nonces; below 2⁶².
    pub stream: u64,
    /// The seed of the changes to the encrypted text; `None` for no changed one.
    pub damage: Option<u64>,
}

impl Case {
    /// The case number `number` of a run with `seed`.
    #[must_use]
    pub fn random(seed: u64, number: u64, kind: Option<Kind>) -> Self {
        let mut dice = Dice::new(seed ^ number.wrapping_mul(0xd134_2543_de82_ef95));
        let kind = kind.unwrap_or_else(|| *dice.pick(&Kind::ALL));
        let mut text = match kind {
            Kind::Tree => trees::text(&mut dice),
            Kind::Grammar => grammar::text(&mut dice),
            Kind::Mutation => mutate::fixture(&mut dice),
        };
        if kind != Kind::Mutation && dice.chance(15) {
            let rounds = 1 + dice.below(3);
            text = mutate::changed(&mut dice, text, rounds);
        }
        if dice.chance(1) {
            text = in_utf16(&mut dice, &text);
        }
        Self {
            kind,
            text,
            indent: *dice.pick(&[0, 0, 0, 0, 0, 2, 2, 3, 1, 8, 9, 12]),
            rule: RuleChoice::random(&mut dice),
            mac_only_encrypted: dice.chance(20),
            last_modified: 1_000_000_000 + (dice.below(1_000_000_000) as i64),
            stream: dice.word() >> 2,
            damage: dice.chance(30).then(|| dice.word()),
        }
    }
}

/// The text in UTF-16 with a byte order mark, of either order.
fn in_utf16(dice: &mut Dice, text: &[u8]) -> Vec<u8> {
    let big = dice.chance(50);
    let text = format!("\u{feff}{}", String::from_utf8_lossy(text));
    text.encode_utf16().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
}
