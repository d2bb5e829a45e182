//! Tests of the types of plain scalars.

use super::{Scalar, resolve_plain};

/// A value as a short text.
fn shown(text: &str) -> String {
    match resolve_plain(text) {
        Scalar::Null => "null".into(),
        Scalar::Bool(truth) => truth.to_string(),
        Scalar::Int(int) => format!("int {int}"),
        Scalar::UInt(int) => format!("uint {int}"),
        Scalar::Float(float) => format!("float {float}"),
        Scalar::Timestamp(moment) => format!("time {moment}"),
        Scalar::Merge => "merge".into(),
        Scalar::Text(text) => format!("text {text}"),
        Scalar::Bytes(_) => "bytes".into(),
    }
}

#[test]
fn reads_integers_with_go_prefixes() {
    for (text, value) in [
        ("1_000", "int 1000"),
        ("0x1F", "int 31"),
        ("0O17", "int 15"),
        ("017", "int 15"),
        ("0123456", "int 42798"),
        ("0b101", "int 5"),
        ("0b-101", "int -5"),
        ("-0x1F", "int -31"),
        ("-0b11", "int -3"),
        ("1_", "int 1"),
        ("-0", "int 0"),
        ("+7", "int 7"),
        ("9223372036854775808", "uint 9223372036854775808"),
        ("-9223372036854775808", "int -9223372036854775808"),
        ("+9223372036854775808", "float 9223372036854776000"),
    ] {
        assert_eq!(shown(text), value, "{text}");
    }
}

#[test]
fn reads_floats_and_leaves_what_is_too_large() {
    for (text, value) in [
        ("08", "float 8"),
        ("1.", "float 1"),
        (".5", "float 0.5"),
        ("12e03", "float 12000"),
        ("0.1e1_0", "float 1000000000"),
        ("1e-400", "float 0"),
        ("18446744073709551616", "float 18446744073709552000"),
        ("1e400", "text 1e400"),
        ("1e", "text 1e"),
        (".", "text ."),
        ("._5", "text ._5"),
        (".1_0", "float 0.1"),
        (".1__0", "text .1__0"),
        (".1_", "text .1_"),
        (".5e1_0", "float 5000000000"),
        ("0xZZ", "text 0xZZ"),
        ("1:30", "text 1:30"),
        ("-.INF", "float -inf"),
        ("NaN", "text NaN"),
        ("+-1", "text +-1"),
        ("0x", "text 0x"),
    ] {
        assert_eq!(shown(text), value, "{text}");
    }
}

#[test]
fn reads_timestamps() {
    for (text, value) in [
        ("2020-01-02", "time 2020-01-02 0:00:00.0 +00:00:00"),
        ("2020-1-2", "time 2020-01-02 0:00:00.0 +00:00:00"),
        ("2020-01-02T3:4:5,5Z", "time 2020-01-02 3:04:05.5 +00:00:00"),
        ("2020-01-02t03:04:05.1234567899+02:00", "time 2020-01-02 3:04:05.123456789 +02:00:00"),
        ("2020-01-02 03:04:05", "time 2020-01-02 3:04:05.0 +00:00:00"),
        ("2020-13-01", "text 2020-13-01"),
        ("2020-02-30", "text 2020-02-30"),
        ("2001-12-14 21:59:43.10 -5", "text 2001-12-14 21:59:43.10 -5"),
        ("2020-01-02T03:04:05", "text 2020-01-02T03:04:05"),
        ("2020-01-02T03:04:05z", "text 2020-01-02T03:04:05z"),
    ] {
        assert_eq!(shown(text), value, "{text}");
    }
}

#[test]
fn words_of_yaml_1_1_are_strings() {
    for text in ["yes", "on", "y", "=", "nUll", "tRUE", "Nil"] {
        assert_eq!(shown(text), format!("text {text}"));
    }
    assert_eq!(shown("<<"), "merge");
    assert_eq!(shown("~"), "null");
}
