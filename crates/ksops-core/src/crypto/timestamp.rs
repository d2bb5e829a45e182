//! RFC 3339 as upstream reads and writes it (file-format.md sections 2.4 and 4).

use time::{Date, Month, OffsetDateTime, Time, UtcOffset};

/// Reads a moment as Go's parser does: the hour may have one digit, the fraction may begin with a comma.
///
/// Digits of the fraction behind the ninth are cut off. Gives nothing if the text is not RFC 3339.
#[must_use]
pub fn parse(text: &[u8]) -> Option<OffsetDateTime> {
    let mut rest = text;
    let year = digits(&mut rest, 4)?;
    mark(&mut rest, b'-')?;
    let month = digits(&mut rest, 2)?;
    mark(&mut rest, b'-')?;
    let day = digits(&mut rest, 2)?;
    mark(&mut rest, b'T')?;
    let hour_digits = if rest.get(1) == Some(&b':') { 1 } else { 2 };
    let hour = digits(&mut rest, hour_digits)?;
    mark(&mut rest, b':')?;
    let minute = digits(&mut rest, 2)?;
    mark(&mut rest, b':')?;
    let second = digits(&mut rest, 2)?;
    let nanosecond = fraction(&mut rest)?;
    let offset = offset(rest)?;
    let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
    let date = Date::from_calendar_date(i32::try_from(year).ok()?, month, u8::try_from(day).ok()?).ok()?;
    let time = Time::from_hms_nano(
        u8::try_from(hour).ok()?,
        u8::try_from(minute).ok()?,
        u8::try_from(second).ok()?,
        nanosecond,
    )
    .ok()?;
    Some(OffsetDateTime::new_in_offset(date, time, offset))
}

/// Appends the moment with whole seconds in its own offset; an offset of zero is `Z`.
///
/// Gives nothing, and appends nothing, if year or offset have no form in RFC 3339.
#[must_use]
pub fn write_seconds(moment: OffsetDateTime, out: &mut Vec<u8>) -> Option<()> {
    write(moment, false, out)
}

/// Appends the moment with as many digits of its fraction as it needs.
///
/// Gives nothing, and appends nothing, if year or offset have no form in RFC 3339.
#[must_use]
pub fn write_exact(moment: OffsetDateTime, out: &mut Vec<u8>) -> Option<()> {
    write(moment, true, out)
}

/// The moment with whole seconds, as `lastmodified` and `created_at` are written.
///
/// Gives nothing if year or offset have no form in RFC 3339.
#[must_use]
pub fn to_text(moment: OffsetDateTime) -> Option<String> {
    let mut out = Vec::with_capacity(25);
    write_seconds(moment, &mut out)?;
    String::from_utf8(out).ok()
}

fn write(moment: OffsetDateTime, with_fraction: bool, out: &mut Vec<u8>) -> Option<()> {
    let year = u32::try_from(moment.year()).ok().filter(|year| *year <= 9999)?;
    let offset = moment.offset();
    // Seconds of an offset are cut off; what then is zero is still written as `Z` only if it is zero.
    let minutes = offset.whole_seconds() / 60;
    if minutes.abs() >= 24 * 60 {
        return None;
    }
    push(out, year, 4);
    out.push(b'-');
    push(out, u32::from(u8::from(moment.month())), 2);
    out.push(b'-');
    push(out, u32::from(moment.day()), 2);
    out.push(b'T');
    push(out, u32::from(moment.hour()), 2);
    out.push(b':');
    push(out, u32::from(moment.minute()), 2);
    out.push(b':');
    push(out, u32::from(moment.second()), 2);
    if with_fraction && moment.nanosecond() != 0 {
        out.push(b'.');
        push(out, moment.nanosecond(), 9);
        while out.last() == Some(&b'0') {
            out.pop();
        }
    }
    if offset.whole_seconds() == 0 {
        out.push(b'Z');
    } else {
        out.push(if minutes < 0 { b'-' } else { b'+' });
        push(out, minutes.unsigned_abs() / 60, 2);
        out.push(b':');
        push(out, minutes.unsigned_abs() % 60, 2);
    }
    Some(())
}

fn push(out: &mut Vec<u8>, number: u32, width: u32) {
    for place in (0..width).rev() {
        let digit = number / 10_u32.pow(place) % 10;
        out.push(b'0' + u8::try_from(digit).unwrap_or(0));
    }
}

fn digits(rest: &mut &[u8], count: usize) -> Option<u32> {
    let (head, tail) = rest.split_at_checked(count)?;
    *rest = tail;
    head.iter().try_fold(0, |number: u32, digit| {
        digit.is_ascii_digit().then(|| number * 10 + u32::from(digit - b'0'))
    })
}

fn mark(rest: &mut &[u8], mark: u8) -> Option<()> {
    let (first, tail) = rest.split_first()?;
    *rest = tail;
    (*first == mark).then_some(())
}

fn fraction(rest: &mut &[u8]) -> Option<u32> {
    if !matches!(rest.first(), Some(b'.' | b',')) {
        return Some(0);
    }
    *rest = &rest[1..];
    let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if length == 0 {
        return None;
    }
    let (head, tail) = rest.split_at(length);
    *rest = tail;
    let digit = |place: usize| head.get(place).map_or(0, |digit| u32::from(digit - b'0'));
    Some((0..9).fold(0, |number, place| number * 10 + digit(place)))
}

fn offset(mut rest: &[u8]) -> Option<UtcOffset> {
    if rest == b"Z" {
        return Some(UtcOffset::UTC);
    }
    let (sign, tail) = rest.split_first()?;
    let sign = match sign {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    rest = tail;
    let hours = digits(&mut rest, 2).filter(|hours| *hours <= 24)?;
    mark(&mut rest, b':')?;
    let minutes = digits(&mut rest, 2).filter(|minutes| *minutes <= 60)?;
    let seconds = i32::try_from((hours * 60 + minutes) * 60).ok()?;
    rest.is_empty().then_some(())?;
    UtcOffset::from_whole_seconds(sign * seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::{parse, to_text, write_exact};

    fn exact(text: &str) -> Option<String> {
        let mut out = Vec::new();
        write_exact(parse(text.as_bytes())?, &mut out)?;
        String::from_utf8(out).ok()
    }

    #[test]
    fn writes_the_canonical_form() {
        for (text, canonical) in [
            ("2020-01-02T03:04:05+02:00", "2020-01-02T03:04:05+02:00"),
            ("2020-01-02T03:04:05.120Z", "2020-01-02T03:04:05.12Z"),
            ("2020-01-02T03:04:05,5-07:30", "2020-01-02T03:04:05.5-07:30"),
            ("2020-01-02T03:04:05.1234567899Z", "2020-01-02T03:04:05.123456789Z"),
            ("2020-01-02T03:04:05-00:00", "2020-01-02T03:04:05Z"),
            ("0000-02-29T00:00:00Z", "0000-02-29T00:00:00Z"),
        ] {
            assert_eq!(exact(text).as_deref(), Some(canonical), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_not_rfc_3339() {
        for text in [
            "",
            "2020-01-02",
            "2020-01-02 03:04:05Z",
            "2020-01-02T03:04:05",
            "2020-02-30T03:04:05Z",
            "2020-01-02T24:04:05Z",
            "2020-01-02T03:04:60Z",
            "2020-01-02T03:04:05.Z",
            "2020-01-02T03:04:05z",
            "2020-01-02T03:04:05+0200",
            "2020-01-02T03:04:05+02:00x",
            "+020-01-02T03:04:05Z",
        ] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn whole_seconds_keep_the_offset() {
        let moment = parse(b"2020-01-02T03:04:05.9-07:00").expect("a moment");
        assert_eq!(to_text(moment).as_deref(), Some("2020-01-02T03:04:05-07:00"));
    }
}
