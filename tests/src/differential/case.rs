//! A case: a text, and how it is encrypted.

use ksops_stores::format::Format;

use super::dice::Dice;
use super::formats::{dotenv, ini, json, mutations};
use super::rules::RuleChoice;
use super::{grammar, mutate, trees};

/// Where a case's text comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A random YAML tree, written in random styles.
    Tree,
    /// Random lines of YAML.
    Grammar,
    /// A changed YAML fixture.
    Mutation,
    /// JSON, at random or a changed fixture; the others likewise.
    Json,
    /// Dotenv.
    Dotenv,
    /// INI.
    Ini,
    /// Any bytes.
    Binary,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Tree, Self::Grammar, Self::Mutation, Self::Json, Self::Dotenv, Self::Ini, Self::Binary];

    /// The name used in options and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Tree => "tree",
            Self::Grammar => "grammar",
            Self::Mutation => "mutation",
            Self::Json => "json",
            Self::Dotenv => "dotenv",
            Self::Ini => "ini",
            Self::Binary => "binary",
        }
    }

    /// The format of its texts.
    #[must_use]
    pub fn format(self) -> Format {
        match self {
            Self::Tree | Self::Grammar | Self::Mutation => Format::Yaml,
            Self::Json => Format::Json,
            Self::Dotenv => Format::Dotenv,
            Self::Ini => Format::Ini,
            Self::Binary => Format::Binary,
        }
    }

    fn text(self, dice: &mut Dice) -> Vec<u8> {
        match self {
            Self::Tree => trees::text(dice),
            Self::Grammar => grammar::text(dice),
            Self::Mutation => mutate::fixture(dice),
            _ if dice.chance(30) => mutations::fixture(dice, self.format()),
            Self::Json => json::text(dice),
            Self::Dotenv => dotenv::text(dice),
            Self::Ini => ini::text(dice),
            Self::Binary => (0..dice.below(80)).map(|_| (dice.word() & 0xff) as u8).collect(),
        }
    }
}

/// Which format stands where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Formats {
    /// Of the plain text.
    pub plain: Format,
    /// Of the encrypted text.
    pub encrypted: Format,
    /// Of what is made of it when it is decrypted.
    pub decrypted: Format,
}

impl Formats {
    /// The formats of sops.
    const SOPS: [Format; 5] = [Format::Yaml, Format::Json, Format::Dotenv, Format::Ini, Format::Binary];

    /// One format everywhere.
    #[must_use]
    pub fn all(format: Format) -> Self {
        Self { plain: format, encrypted: format, decrypted: format }
    }

    /// Whether it is one format everywhere.
    #[must_use]
    pub fn are(self, format: Format) -> bool {
        self == Self::all(format)
    }

    fn random(dice: &mut Dice, plain: Format) -> Self {
        let mut formats = Self::all(plain);
        let percent = if plain == Format::Yaml { 8 } else { 35 };
        if dice.chance(percent) {
            formats.encrypted = *dice.pick(&Self::SOPS);
            let other = *dice.pick(&Self::SOPS);
            formats.decrypted = *dice.pick(&[formats.encrypted, plain, other]);
        }
        formats
    }
}

/// A case.
#[derive(Debug, Clone)]
pub struct Case {
    /// Where the text comes from.
    pub kind: Kind,
    /// The plain text.
    pub text: Vec<u8>,
    /// The formats.
    pub formats: Formats,
    /// The indentation of the output; 0 for YAML's default, below 0 for that of the others.
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
        let kind = kind.unwrap_or_else(|| match dice.below(50) {
            0 => Kind::Binary,
            _ => *dice.pick(&Kind::ALL[..6]),
        });
        let mut text = kind.text(&mut dice);
        if kind != Kind::Mutation && dice.chance(15) {
            let rounds = 1 + dice.below(3);
            text = mutate::changed(&mut dice, text, rounds);
        }
        if dice.chance(1) {
            text = in_utf16(&mut dice, &text);
        }
        let formats = Formats::random(&mut dice, kind.format());
        let indents: &[i64] = match formats.are(Format::Yaml) {
            true => &[0, 0, 0, 0, 0, 2, 2, 3, 1, 8, 9, 12],
            false => &[-1, -1, -1, -1, 0, 2, 4],
        };
        Self {
            kind,
            text,
            formats,
            indent: *dice.pick(indents),
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
