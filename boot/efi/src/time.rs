//! The time of day as the firmware's clock shows it, and as the hypervisor counts it.

use uefi_raw::time::Time;

/// A time of day, and when it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Nanoseconds since 1970-01-01 UTC.
    pub nanoseconds: u64,
    /// The physical counter just then.
    pub count: u64,
}

/// Seconds of a minute.
const MINUTE: i64 = 60;
/// Seconds of a day.
const DAY: i64 = 86_400;
/// Nanoseconds of a second.
const SECOND: u64 = 1_000_000_000;

/// A time of the firmware's (UEFI 8.3, EFI_TIME) in nanoseconds since 1970-01-01 UTC. One that does not say its time zone is taken
/// for UTC. None before 1970, after 2262, or if a field of it means nothing: a clock whose battery is empty.
pub fn nanoseconds(time: &Time) -> Option<u64> {
    if !time.is_valid() || time.day > days_of_month(time.year, time.month) {
        return None;
    }
    let zone = if time.time_zone == Time::UNSPECIFIED_TIMEZONE { 0 } else { i64::from(time.time_zone) };
    let minutes = i64::from(time.hour) * 60 + i64::from(time.minute) + zone;
    let seconds = days(time.year, time.month, time.day) * DAY + minutes * MINUTE + i64::from(time.second);
    let whole = u64::try_from(seconds).ok()?.checked_mul(SECOND)?;
    whole.checked_add(time.nanosecond.into()).filter(|nanoseconds| i64::try_from(*nanoseconds).is_ok())
}

/// Days of the Gregorian calendar from 1970-01-01 to a date, before 1970 negative.
fn days(year: u16, month: u8, day: u8) -> i64 {
    let before = |year: i64| 365 * year + year / 4 - year / 100 + year / 400;
    let months: i64 = (1..month).map(|month| i64::from(days_of_month(year, month))).sum();
    before(i64::from(year) - 1) - before(1969) + months + i64::from(day) - 1
}

const fn days_of_month(year: u16, month: u8) -> u8 {
    let leap = year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(date: (u16, u8, u8), clock: (u8, u8, u8), time_zone: i16) -> Time {
        let ((year, month, day), (hour, minute, second)) = (date, clock);
        Time { year, month, day, hour, minute, second, time_zone, ..Time::invalid() }
    }

    #[test]
    fn known_times_are_right() {
        let seconds =
            |date, clock| nanoseconds(&time(date, clock, Time::UNSPECIFIED_TIMEZONE)).map(|time| time / SECOND);
        assert_eq!(seconds((1970, 1, 1), (0, 0, 0)), Some(0));
        assert_eq!(seconds((2000, 2, 29), (23, 59, 59)), Some(951_868_799));
        assert_eq!(seconds((2001, 9, 9), (1, 46, 40)), Some(1_000_000_000));
        assert_eq!(seconds((2031, 5, 17), (9, 30, 0)), Some(1_936_776_600));
        assert_eq!(seconds((2200, 1, 1), (0, 0, 0)), Some(7_258_118_400));
    }

    #[test]
    fn each_day_follows_the_one_before() {
        let mut expected = 0;
        for year in 1970..2263 {
            for (month, day) in (1..=12).flat_map(|month| (1..=days_of_month(year, month)).map(move |day| (month, day)))
            {
                assert_eq!(days(year, month, day), expected, "{year}-{month}-{day}");
                expected += 1;
            }
        }
        // 293 years, of which every fourth has a day more, but 2100 and 2200.
        assert_eq!(expected, 293 * 365 + 73 - 2);
    }

    #[test]
    fn a_zone_is_taken_off_and_parts_of_a_second_count() {
        // Local time is UTC less the zone (UEFI 8.3): 60 minutes before UTC.
        let local = time((2026, 1, 1), (0, 30, 0), -60);
        let utc = time((2025, 12, 31), (23, 30, 0), 0);
        assert_eq!(nanoseconds(&local), nanoseconds(&utc));
        let later = Time { nanosecond: 999_999_999, ..utc };
        assert_eq!(nanoseconds(&later), nanoseconds(&utc).map(|time| time + 999_999_999));
    }

    #[test]
    fn what_is_no_time_is_none() {
        let at = |date, clock, zone| nanoseconds(&time(date, clock, zone));
        for date in
            [(1969, 12, 31), (2026, 0, 1), (2026, 13, 1), (2026, 4, 31), (2026, 2, 29), (2100, 2, 29), (2026, 1, 0)]
        {
            assert_eq!(at(date, (0, 0, 0), 0), None, "{date:?}");
        }
        for clock in [(24, 0, 0), (0, 60, 0), (0, 0, 60)] {
            assert_eq!(at((2026, 1, 1), clock, 0), None, "{clock:?}");
        }
        assert_eq!(at((2026, 1, 1), (0, 0, 0), 1441), None);
        assert_eq!(at((1970, 1, 1), (0, 0, 0), -1), None);
        assert_eq!(at((2263, 1, 1), (0, 0, 0), 0), None);
        assert_eq!(at((9999, 12, 31), (23, 59, 59), 0), None);
        let long = Time { nanosecond: SECOND as u32, ..time((2026, 1, 1), (0, 0, 0), 0) };
        assert_eq!(nanoseconds(&long), None);
    }
}
