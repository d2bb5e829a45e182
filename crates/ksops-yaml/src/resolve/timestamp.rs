//! The forms of a timestamp that go-yaml knows, read as Go's `time.Parse` does.

use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time, UtcOffset};

/// Reads a date, or a date with a time: `T`, `t` and a zone, or a blank and none.
pub(super) fn parse(text: &str) -> Option<OffsetDateTime> {
    let mut rest = Rest(text.as_bytes());
    let year = rest.digits(4, 4)?;
    rest.literal(b'-')?;
    let month = rest.digits(1, 2)?;
    rest.literal(b'-')?;
    let day = rest.digits(1, 2)?;
    let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
    let date = Date::from_calendar_date(i32::try_from(year).ok()?, month, u8::try_from(day).ok()?).ok()?;
    let separator = match rest.0 {
        [] => return Some(date.midnight().assume_utc()),
        [first @ (b'T' | b't' | b' '), ..] => *first,
        _ => return None,
    };
    rest.0 = &rest.0[1..];
    let time = rest.time()?;
    let offset = if separator == b' ' { UtcOffset::UTC } else { rest.zone()? };
    let moment = PrimitiveDateTime::new(date, time).assume_offset(offset);
    rest.0.is_empty().then_some(moment)
}

struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn literal(&mut self, byte: u8) -> Option<()> {
        let (first, rest) = self.0.split_first()?;
        (*first == byte).then(|| self.0 = rest)
    }

    /// Takes as many digits as there are, between `least` and `most`.
    fn digits(&mut self, least: usize, most: usize) -> Option<u32> {
        let count = self.0.iter().take(most).take_while(|byte| byte.is_ascii_digit()).count();
        if count < least {
            return None;
        }
        let (digits, rest) = self.0.split_at(count);
        self.0 = rest;
        Some(digits.iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0')))
    }

    fn time(&mut self) -> Option<Time> {
        let hour = self.digits(1, 2)?;
        self.literal(b':')?;
        let minute = self.digits(1, 2)?;
        self.literal(b':')?;
        let second = self.digits(1, 2)?;
        let mut nanosecond = 0;
        if let [b'.' | b',', b'0'..=b'9', ..] = self.0 {
            self.0 = &self.0[1..];
            let count = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let (digits, rest) = self.0.split_at(count);
            self.0 = rest;
            // Nine digits; the rest is cut off.
            let digits = digits.iter().map(|digit| u32::from(digit - b'0')).chain(std::iter::repeat(0));
            nanosecond = digits.take(9).fold(0, |number, digit| number * 10 + digit);
        }
        let byte = |number: u32| u8::try_from(number).ok();
        Time::from_hms_nano(byte(hour)?, byte(minute)?, byte(second)?, nanosecond).ok()
    }

    fn zone(&mut self) -> Option<UtcOffset> {
        let (sign, rest) = self.0.split_first()?;
        self.0 = rest;
        let sign = match sign {
            b'Z' => return Some(UtcOffset::UTC),
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        let hours = self.digits(2, 2).filter(|hours| *hours <= 24)?;
        self.literal(b':')?;
        let minutes = self.digits(2, 2).filter(|minutes| *minutes <= 60)?;
        // Go takes 24 hours and 60 minutes, too.
        let seconds = i32::try_from(hours * 3600 + minutes * 60).ok()?;
        UtcOffset::from_whole_seconds(sign * seconds).ok()
    }
}
