//! Unicode properties: `\pN`, `\p{Name}`, `\P{Name}` and `\p{^Name}`.
//!
//! The names are those that Go 1.26 accepts, in its own canonical form (capital first, no blanks, hyphens and
//! underscores); scripts whose name has several words are therefore missing there, and here. The list is what
//! `tests/oracle/go-regexp names` prints as accepted.

use super::cursor::{Cursor, Refusal};
use super::set::Set;

/// Reads a property, if one comes next.
pub(crate) fn parse(cursor: &mut Cursor<'_>, set: &mut Set) -> Result<bool, Refusal> {
    let start = cursor.at();
    let mut negated = if cursor.eat(r"\p") {
        false
    } else if cursor.eat(r"\P") {
        true
    } else {
        return Ok(false);
    };
    let letter;
    let name = if cursor.peek() == Some('{') {
        match cursor.until("}") {
            Some(braced) => &braced[1..],
            None => {
                cursor.finish();
                return Err(cursor.refuse(PROBLEM, start).advise("close the brace"));
            }
        }
    } else {
        letter = cursor.next().map(String::from).unwrap_or_default();
        letter.as_str()
    };
    let bare = name.strip_prefix('^').unwrap_or(name);
    negated ^= bare.len() != name.len();
    match emitted(&canonical(bare)) {
        Some(Property::Range(low, high)) => set.add_ranges(&[(low, high)], negated),
        Some(Property::Nothing) => set.add_ranges(&[], negated),
        Some(Property::Named(value, inverted)) => {
            let letter = if negated ^ inverted { 'P' } else { 'p' };
            set.add_item(&format!(r"\{letter}{{{value}}}"));
        }
        None => {
            return Err(cursor
                .refuse(PROBLEM, start)
                .advise(r"write a category as `\p{Lu}` or a script of one word as `\p{Greek}`"));
        }
    }
    Ok(true)
}

const PROBLEM: &str = "invalid character class range";

enum Property {
    Range(u32, u32),
    /// Surrogates: no text has them.
    Nothing,
    /// The name as the `regex` crate knows it, and whether it means the opposite.
    Named(String, bool),
}

fn emitted(name: &str) -> Option<Property> {
    match name {
        "Any" => return Some(Property::Range(0, 0x0010_FFFF)),
        "Ascii" => return Some(Property::Range(0, 0x7F)),
        "Assigned" => return Some(Property::Named("gc=Cn".to_owned(), true)),
        "Lc" => return Some(Property::Named("gc=LC".to_owned(), false)),
        "Cs" | "Surrogate" => return Some(Property::Nothing),
        _ => {}
    }
    let short =
        CATEGORIES.iter().find(|(long, short)| *long == name || *short == name).map(|(_, short)| *short);
    if let Some(short) = short {
        return Some(Property::Named(format!("gc={short}"), false));
    }
    SCRIPTS.binary_search(&name).ok().map(|_| Property::Named(format!("sc={name}"), false))
}

/// The form in which Go looks names up.
fn canonical(name: &str) -> String {
    let mut canonical = String::with_capacity(name.len());
    for letter in name.chars().filter(|letter| !matches!(letter, '_' | '-' | ' ')) {
        if canonical.is_empty() {
            canonical.push(letter.to_ascii_uppercase());
        } else {
            canonical.push(letter.to_ascii_lowercase());
        }
    }
    canonical
}

/// Long names of the general categories, in canonical form, and their short ones.
const CATEGORIES: &[(&str, &str)] = &[
    ("Casedletter", "LC"),
    ("Closepunctuation", "Pe"),
    ("Cntrl", "Cc"),
    ("Combiningmark", "M"),
    ("Connectorpunctuation", "Pc"),
    ("Control", "Cc"),
    ("Currencysymbol", "Sc"),
    ("Dashpunctuation", "Pd"),
    ("Decimalnumber", "Nd"),
    ("Digit", "Nd"),
    ("Enclosingmark", "Me"),
    ("Finalpunctuation", "Pf"),
    ("Format", "Cf"),
    ("Initialpunctuation", "Pi"),
    ("Letter", "L"),
    ("Letternumber", "Nl"),
    ("Lineseparator", "Zl"),
    ("Lowercaseletter", "Ll"),
    ("Mark", "M"),
    ("Mathsymbol", "Sm"),
    ("Modifierletter", "Lm"),
    ("Modifiersymbol", "Sk"),
    ("Nonspacingmark", "Mn"),
    ("Number", "N"),
    ("Openpunctuation", "Ps"),
    ("Other", "C"),
    ("Otherletter", "Lo"),
    ("Othernumber", "No"),
    ("Otherpunctuation", "Po"),
    ("Othersymbol", "So"),
    ("Paragraphseparator", "Zp"),
    ("Privateuse", "Co"),
    ("Punct", "P"),
    ("Punctuation", "P"),
    ("Separator", "Z"),
    ("Spaceseparator", "Zs"),
    ("Spacingmark", "Mc"),
    ("Symbol", "S"),
    ("Titlecaseletter", "Lt"),
    ("Unassigned", "Cn"),
    ("Uppercaseletter", "Lu"),
];

/// Scripts, sorted.
const SCRIPTS: &[&str] = &[
    "Adlam",
    "Ahom",
    "Arabic",
    "Armenian",
    "Avestan",
    "Balinese",
    "Bamum",
    "Batak",
    "Bengali",
    "Bhaiksuki",
    "Bopomofo",
    "Brahmi",
    "Braille",
    "Buginese",
    "Buhid",
    "Carian",
    "Chakma",
    "Cham",
    "Cherokee",
    "Chorasmian",
    "Common",
    "Coptic",
    "Cuneiform",
    "Cypriot",
    "Cyrillic",
    "Deseret",
    "Devanagari",
    "Dogra",
    "Duployan",
    "Elbasan",
    "Elymaic",
    "Ethiopic",
    "Georgian",
    "Glagolitic",
    "Gothic",
    "Grantha",
    "Greek",
    "Gujarati",
    "Gurmukhi",
    "Han",
    "Hangul",
    "Hanunoo",
    "Hatran",
    "Hebrew",
    "Hiragana",
    "Inherited",
    "Javanese",
    "Kaithi",
    "Kannada",
    "Katakana",
    "Kawi",
    "Kharoshthi",
    "Khmer",
    "Khojki",
    "Khudawadi",
    "Lao",
    "Latin",
    "Lepcha",
    "Limbu",
    "Lisu",
    "Lycian",
    "Lydian",
    "Mahajani",
    "Makasar",
    "Malayalam",
    "Mandaic",
    "Manichaean",
    "Marchen",
    "Medefaidrin",
    "Miao",
    "Modi",
    "Mongolian",
    "Mro",
    "Multani",
    "Myanmar",
    "Nabataean",
    "Nandinagari",
    "Newa",
    "Nko",
    "Nushu",
    "Ogham",
    "Oriya",
    "Osage",
    "Osmanya",
    "Palmyrene",
    "Phoenician",
    "Rejang",
    "Runic",
    "Samaritan",
    "Saurashtra",
    "Sharada",
    "Shavian",
    "Siddham",
    "Sinhala",
    "Sogdian",
    "Soyombo",
    "Sundanese",
    "Syriac",
    "Tagalog",
    "Tagbanwa",
    "Takri",
    "Tamil",
    "Tangsa",
    "Tangut",
    "Telugu",
    "Thaana",
    "Thai",
    "Tibetan",
    "Tifinagh",
    "Tirhuta",
    "Toto",
    "Ugaritic",
    "Vai",
    "Vithkuqi",
    "Wancho",
    "Yezidi",
    "Yi",
];
