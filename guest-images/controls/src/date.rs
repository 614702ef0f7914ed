//! Time of day in UTC as people write it (RFC 3339), for the years 1970 to 2199.

use core::fmt;

use crate::number;

const DAY: u64 = 86_400;
/// Last year that is understood.
const LAST_YEAR: u64 = 2199;

/// Seconds since 1970-01-01 UTC, shown as `2031-05-17T09:30:00Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date(pub u64);

const fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400)
}

const fn days_of_month(year: u64, month: u64) -> u64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

const fn days_of_year(year: u64) -> u64 {
    if is_leap(year) { 366 } else { 365 }
}

impl Date {
    /// Reads `YYYY-MM-DDTHH:MM:SSZ`, or a number of seconds since 1970-01-01 UTC.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(seconds) = number::parse(text) {
            return Some(Self(seconds)).filter(|date| date.0 < Self::LIMIT);
        }
        let bytes = text.as_bytes();
        let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'Z')];
        if bytes.len() != 20 || marks.into_iter().any(|(at, mark)| bytes.get(at) != Some(&mark)) {
            return None;
        }
        let field = |start: usize, end: usize, least, most| {
            let digits = text.get(start..end).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
            number::parse(digits).filter(|number| (least..=most).contains(number))
        };
        let (year, month) = (field(0, 4, 1970, LAST_YEAR)?, field(5, 7, 1, 12)?);
        let day = field(8, 10, 1, days_of_month(year, month))?;
        let (hour, minute, second) = (field(11, 13, 0, 23)?, field(14, 16, 0, 59)?, field(17, 19, 0, 59)?);
        let days = (1970..year).map(days_of_year).sum::<u64>()
            + (1..month).map(|month| days_of_month(year, month)).sum::<u64>()
            + (day - 1);
        Some(Self(days * DAY + hour * 3600 + minute * 60 + second))
    }

    /// The first second that is not understood: 2200-01-01.
    const LIMIT: u64 = 7_258_118_400;
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if self.0 >= Self::LIMIT {
            return write!(f, "{} s since 1970", self.0);
        }
        let (mut days, rest) = (self.0 / DAY, self.0 % DAY);
        let (mut year, mut month) = (1970, 1);
        while days >= days_of_year(year) {
            days -= days_of_year(year);
            year += 1;
        }
        while days >= days_of_month(year, month) {
            days -= days_of_month(year, month);
            month += 1;
        }
        let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
        write!(f, "{year:04}-{month:02}-{:02}T{hour:02}:{minute:02}:{second:02}Z", days + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_moments() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T12:34:56Z", 951_827_696),
            ("2001-09-09T01:46:40Z", 1_000_000_000),
            ("2100-03-01T00:00:00Z", 4_107_542_400),
            ("2199-12-31T23:59:59Z", Date::LIMIT - 1),
        ] {
            assert_eq!(Date::parse(text), Some(Date(seconds)), "{text}");
            assert_eq!(std::format!("{}", Date(seconds)), text);
        }
        assert_eq!(Date::parse("1000000000"), Some(Date(1_000_000_000)));
    }

    #[test]
    fn every_day_comes_back() {
        for day in 0..Date::LIMIT / DAY {
            let date = Date(day * DAY + day % DAY);
            assert_eq!(Date::parse(&std::format!("{date}")), Some(date));
        }
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "2001-02-29T00:00:00Z",
            "2100-02-29T00:00:00Z",
            "2001-13-01T00:00:00Z",
            "2001-00-01T00:00:00Z",
            "2001-01-01T24:00:00Z",
            "2001-01-01 00:00:00Z",
            "2001-01-01T00:00:00",
            "1969-12-31T23:59:59Z",
            "2200-01-01T00:00:00Z",
            "+001-01-01T00:00:00Z",
            "200é-01-01T00:00:0Z",
            "99999999999",
        ] {
            assert_eq!(Date::parse(text), None, "{text}");
        }
    }
}
