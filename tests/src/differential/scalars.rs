//! Scalars and keys that have been trouble, or might be.

use super::dice::Dice;

/// Plain scalars at the edges of the types (file-format.md section 7.2).
#[rustfmt::skip]
pub const TYPED: &[&str] = &[
    "1", "0", "-1", "-0", "+7", "007", "08", "0o17", "0x1F", "0X1f", "0b101", "-0b11", "1_000", "1__0", "1_", "_1",
    "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809",
    "18446744073709551615", "18446744073709551616", "0xFFFFFFFFFFFFFFFF", "0x7fffffffffffffff", "-0x8000000000000000",
    "1.0", "1.5", ".5", "-.5", "+.5", "5.", "1e3", "1E3", "1e-7", "1e21", "1e400", "1e-400", "12e03", "0.1e1_0", "-0.0",
    "+0.0", "-0e5", "999999.0", "1000000.0", "123456.789", "1234567.5", "0.0001", "0.00001", "3.0e-5", "1.7976931348623157e308",
    "5e-324", "0x1p3", "0x.8", "1e", "1e+", "1.2.3", ".", "..", "...", "-", "--", "---", "-.", "+", "._1", "1._5", "1_0.5",
    ".inf", "-.inf", "+.inf", ".Inf", ".INF", "-.INF", ".iNF", "inf", "Infinity", ".nan", ".NaN", ".NAN", "NaN", "-.nan",
    "true", "True", "TRUE", "tRUE", "false", "False", "yes", "Yes", "no", "on", "Off", "y", "Y", "n", "N",
    "null", "Null", "NULL", "nULL", "~", "", "<<", "=", "2020-01-02", "2020-1-2", "2020-13-01", "2021-02-29", "2020-02-29",
    "2020-01-02T03:04:05Z", "2020-01-02T03:04:05.123456789Z", "2020-01-02t3:4:5z", "2020-01-02 03:04:05",
    "2020-01-02 03:04:05.5", "2020-01-02T03:04:05+02:00", "2020-01-02T03:04:05-00:00", "2020-01-02T03:04:05+24:00",
    "2020-01-02T03:04:05,5Z", "2020-01-02 03:04:05 -5", "2020-01-02 03:04:05Z", "2020-01-02T24:00:00Z", "0000-01-01",
    "9999-12-31T23:59:60Z", "2020-01-02T03:04:05.1234567891Z", "12:30:45", "1:30", "-1:30.5", "190:20:30", "1:60", "0:0",
    "2001-12-14t21:59:43.10-05:00", "20200102", "2020-01", "1,000", "0x", "0b", "0o", "0o8", "0b2", "0xg", "+0x1", "1e1000",
    "1234e56", "-1e400", "0777", "-017", "+017", "00", "0_1", "0x_1", "0b_1", "1e5_0", "٣", "１",
];

/// Texts that need quotes, or look as if.
#[rustfmt::skip]
pub const AWKWARD: &[&str] = &[
    "a b", " a", "a ", "  ", "a: b", "a:", ":a", ": a", "a :b", "a #b", "a#b", "#a", "# a", "- a", "-a", "- ", "? a", "?a", "?",
    "[a]", "[", "]", "{a}", "{", "}", "{}", "[]", ",", "a, b", "&a", "*a", "!a", "!!str", "|", ">", "|-", ">+", "%a", "@a", "`a",
    "'", "''", "\"", "a'b", "a\"b", "'a'", "\"a\"", "\\", "a\\nb", "\\x", "---", "--- a", "---a", "...", "... a", "...a", "a---", "%YAML 1.1",
    "a\tb", "\ta", "a\t", "\t", "é", "日本", "\u{1F600}", "\u{feff}", "a\u{feff}b", "\u{feff}x", "\u{85}", "a\u{85}b", "\u{a0}",
    "a\u{2028}b", "\u{2029}", "a \u{2028}b", "a\u{2028} b", "\u{200b}", "\u{7f}", "\u{80}", "\u{9f}", "\u{e000}", "\u{fffd}", "\u{d7ff}",
    "\0", "\u{1}", "\u{7}", "\u{8}", "\u{b}", "\u{c}", "\u{1b}", "\r", "a\rb", "a\r\nb", "\n", "\n\n", "a\n", "a\n\n", "a\nb",
    "a\nb\n", "a\n\nb", "\na", " a\nb", "\ta\nb", "a\n b", "a \nb", "a\n ", "a\n\tb", "a\t\nb", "a\nb ", "  \na", "\n a\nb", "a\n#b\n",
    "a\n---\nb", "a\n...\nb\n", "a\u{1F600}\nb", "a\u{feff}\nb", "a\u{85}\nb", "a\u{2028}\nb\n", "x\n\n\n", " \n", "\t\n", "é\nü\n", "a\nb: c\n- d\n",
    "ENC[AES256_GCM,data:AA==,iv:AA==,tag:AA==,type:str]", "ENC[foo]", "C:\\dir", "http://x:80/y?z=1#f", "p@ss!w0rd#1", "100%", "a|b", "a>b",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb cccccccccccccccccccccccccc",
    "sops", "sops:enc", "_unencrypted", "x_unencrypted", "true ", "null\n", "1\n", "~ ", "!", "&", "*", "a&b", "a*b", "a!b", "a@b", "-\n", "?\n",
];

/// Ordinary words.
#[rustfmt::skip]
pub const WORDS: &[&str] =
    &["a", "b", "c", "foo", "bar", "value", "x1", "data", "stringData", "kind", "Secret", "hello world", "secret", "k8s.io/x", "it's"];

/// Keys, apart from the scalars above that serve as keys, too.
#[rustfmt::skip]
pub const KEYS: &[&str] = &[
    "a", "b", "c", "d", "e", "k", "l", "m", "x", "y", "n", "data", "stringData", "metadata", "name", "a.b", "a/b", "a b", "a_unencrypted",
    "b_enc", "secret", "x:y", "a:b", "key-1", "é", "yes", "on", "no", "",
];

/// Tags of nodes.
#[rustfmt::skip]
pub const TAGS: &[&str] = &[
    "!!str", "!!int", "!!float", "!!bool", "!!null", "!!map", "!!seq", "!custom", "!", "!!binary", "!!timestamp", "!!set", "!Ref",
    "!!merge", "!<tag:yaml.org,2002:str>", "!e!x",
];

/// Comment texts, without the `#`.
#[rustfmt::skip]
pub const COMMENTS: &[&str] = &[
    " c", " comment", "", "x", " ", "#", "# x", " sops:enc", " plain", " a: b", " - x", "\tt", " é 日本", " x  ", "!", "ENC[AES256_GCM,data:x]",
    " ENC[AES256_GCM", " \u{1F600}", "---", " |", " k: v # w", " sops:noenc",
];

/// A comment's text.
pub fn comment(dice: &mut Dice) -> String {
    if dice.chance(60) {
        return format!(" c{}", dice.below(100));
    }
    dice.text(COMMENTS).to_owned()
}

/// A string that is a value or key in a tree.
pub fn string(dice: &mut Dice) -> String {
    match dice.below(10) {
        0..=3 => dice.text(WORDS).to_owned(),
        4..=5 => dice.text(AWKWARD).to_owned(),
        6 => dice.text(TYPED).to_owned(),
        7 => format!("{}{}", dice.text(AWKWARD), dice.text(AWKWARD)),
        8 => format!("{}\n{}", dice.text(AWKWARD), dice.text(WORDS)),
        _ => noise(dice),
    }
}

/// Characters that mean something in YAML, at random.
pub fn noise(dice: &mut Dice) -> String {
    #[rustfmt::skip]
    const ALPHABET: &[char] = &[
        'a', 'b', 'z', '0', '1', '9', ' ', ' ', '\t', '\n', '\r', ':', '#', '-', '?', ',', '[', ']', '{', '}', '&', '*', '!', '|', '>',
        '\'', '"', '%', '@', '`', '\\', '/', '.', '_', '+', 'e', 'x', '~', '=', '<', 'é', '日', '\u{85}', '\u{a0}', '\u{2028}', '\u{2029}',
        '\u{feff}', '\u{1F600}', '\u{7f}', '\u{0}', '\u{1b}',
    ];
    (0..1 + dice.below(7)).map(|_| *dice.pick(ALPHABET)).collect()
}
