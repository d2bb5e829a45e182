//! The table of cli-and-config.md section 5.6, row by row.

use super::Pattern;

/// Patterns that Go accepts, a text that it matches and one that it does not match ("" in both: any).
const ACCEPTED: &[(&str, &str, &str)] = &[
    (r"\B|s\x{AD}", "s\u{ad}2", "s"),
    (r"^\w$", "a", "é"),
    (r"^\d$", "7", "٣"),
    (r"^\s$", " ", "\u{a0}"),
    (r"^\s$", "\t", "\u{b}"),
    (r"^[[:word:]]$", "_", "ä"),
    (r"^[[:space:]]$", "\u{b}", "a"),
    (r"é\b", "éa", "é"),
    (r"^\Q.*[\E+$", ".*[[[", "aaa"),
    (r"^a\Q.$", "a.$", "ab"),
    (r"^{$", "{", "}"),
    (r"^a{,2}$", "a{,2}", "a"),
    (r"^a{2$", "a{2", "aa"),
    (r"^a{01}$", "a{01}", "a"),
    (r"^\101\07\0$", "A\u{7}\0", "A"),
    (r"^\<a\b{start}$", "<a{start}", "<a"),
    (r"^[a&&b]$", "&", "c"),
    (r"^[~~]$", "~", "a"),
    (r"^[[a]]$", "[]", "a"),
    (r"^[\w-a]$", "-", "!"),
    (r"^[\d-]$", "-", "!"),
    (r"^\p{^Greek}$", "a", "α"),
    (r"^\P{^Greek}$", "α", "a"),
    (r"^(?P<n>a)(?P<n>b)$", "ab", "a"),
    (r"^(?<n>a)(?<n>b)$", "ab", "a"),
    (r"^[]a]$", "]", "b"),
    (r"^[^]a]$", "b", "]"),
    (r"^\pL\p{Greek}\p{greek}\p{Letter}\p{uppercase letter}$", "xααxX", "1ααxX"),
    (r"^*a", "a", "b"),
    (r"a$", "a", "a\n"),
    (r"(?m)a$", "a\nb", "ab"),
    (r"(?i)^s$", "ſ", "t"),
    (r"(?i)^k$", "\u{212a}", "t"),
    (r"^(?i)s(?-i)s$", "Ss", "SS"),
    (r"^((?i)s)s$", "Ss", "SS"),
    (r"^(?i:a|b)c$", "Bc", "BC"),
    (r"(?i)^[^a]$", "b", "A"),
    (r"(?i)^\W$", "!", "\u{212a}"),
    (r"(?U)^a*?$", "aa", "b"),
    (r"^\x{61}\x62$", "ab", "a"),
    (r"^\_\/\-\@\%\'$", "_/-@%'", "_"),
    (r"^a*(?i)*$", "aaa", "A"),
    (r"^a|(?:)|b{0}c{0,0}$", "a", "\0unused"),
    (r"^(?:a{2}){3}$", "aaaaaa", "aaaaa"),
    (r"^.$", "é", "\n"),
    (r"(?s)^.$", "\n", "ab"),
    (r"^\p{Cs}?$", "", "a"),
    (r"^[^\x{D800}-\x{DFFF}]$", "\u{fffd}", ""),
    (r"]}", "]}", "]"),
    (r"^a -#~&$", "a -#~&", "a"),
];

/// Patterns that Go refuses, and what the message must name.
const REFUSED: &[(&str, &str)] = &[
    ("[a--b]", "`a--` at character 2"),
    ("a++", "`++` at character 2"),
    ("a**", "`**`"),
    ("a{2}{3}", "`{2}{3}`"),
    ("a???", "`???`"),
    ("a{1001}", "`{1001}`"),
    ("a{2,1}", "`{2,1}`"),
    ("a{99999999999}", "invalid repeat count"),
    ("(?:a{100}){11}", "`{11}`"),
    (r"\u0061", r"`\u` at character 1; write `\x{…}`"),
    (r"é\p{Script=Greek}", "at character 2"),
    (r"\p{IsGreek}", r"`\p{IsGreek}`"),
    (r"\p{Old_Italic}", r"`\p{Old_Italic}`"),
    (r"\p{Greek", "close the brace"),
    ("(?x)", "`(?x`"),
    ("(?R)", "`(?R`"),
    ("(?u)", "`(?u`"),
    ("(?-u)", "`(?-u`"),
    ("(?-)", "`(?-)`"),
    (r"\Z", r"write `\z` or `$`"),
    (r"\h", r"`[ \t]`"),
    (r"\R", r"`\r?\n`"),
    (r"\X", r"`\X`"),
    (r"\K", r"`\K`"),
    (r"\G", r"`\G`"),
    (r"\C", r"`\C`"),
    (r"\1", "no backreferences"),
    (r"\9", "no backreferences"),
    (r"\18", "no backreferences"),
    (r"\é", r"`\é`"),
    (r"\x{110000}", r"`\x{110000`"),
    (r"\x{}", r"`\x{}`"),
    (r"\x4", r"`\x4`"),
    ("(?=a)", "no look-around"),
    ("(?<=a)", "no look-around"),
    ("(?<!a)", "no look-around"),
    ("(?>a)", "no atomic groups"),
    ("(?#a)", "no comments"),
    ("(?P<1 >a)", "invalid named capture"),
    ("(?P=n)", "`(?P`"),
    ("(?P<n", "invalid named capture"),
    ("a|*", "missing argument"),
    ("(*)", "missing argument"),
    ("*", "missing argument"),
    ("(?i)*", "missing argument"),
    ("a(b", "missing closing ): `(b` at character 2"),
    ("a)", "unexpected )"),
    ("[a", "missing closing ]"),
    ("[]", "missing closing ]"),
    ("[z-a]", "`z-a`"),
    (r"[a-\d]", "cannot end a range"),
    ("[[:foo:]]", "`[:foo:]`"),
    (r"a\", "trailing backslash"),
];

#[test]
fn accepts_what_go_accepts_and_keeps_its_meaning() {
    for (pattern, yes, no) in ACCEPTED {
        let compiled = Pattern::new(pattern).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(compiled.as_str(), *pattern);
        assert!(compiled.is_match(yes.as_bytes()), "{pattern} must match {yes:?}");
        if *no != "\0unused" && !(no.is_empty() && yes.is_empty()) {
            assert!(!compiled.is_match(no.as_bytes()), "{pattern} must not match {no:?}");
        }
    }
}

#[test]
fn refuses_what_go_refuses_and_names_the_construct() {
    for (pattern, expected) in REFUSED {
        match Pattern::new(pattern) {
            Ok(_) => panic!("{pattern} was accepted"),
            Err(error) => assert!(error.reason.contains(expected), "{pattern}: {}", error.reason),
        }
    }
}

#[test]
fn refuses_patterns_that_are_too_long_deep_or_large() {
    let cases = ["a".repeat(70_000), "(".repeat(5_000) + &")".repeat(5_000), r"\pL{1000}".repeat(40)];
    for pattern in cases {
        let error = Pattern::new(&pattern).expect_err("too large");
        assert!(
            error.reason.contains("too large") || error.reason.contains("too deeply"),
            "{}",
            error.reason
        );
    }
}

#[test]
fn compiles_patterns_at_the_limit_of_nesting() {
    let deep = "(a|".repeat(99) + "b*" + &")+".repeat(99);
    assert!(Pattern::new(&deep).is_ok_and(|pattern| pattern.is_match(b"b")));
}

#[test]
fn reads_stray_bytes_as_replacement_characters() {
    let two = Pattern::new("^..$").expect("valid");
    assert!(two.is_match(b"\xe2\x82"));
    assert!(Pattern::new(r"^\x{FFFD}a$").expect("valid").is_match(b"\xffa"));
}
