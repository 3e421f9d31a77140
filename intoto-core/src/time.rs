//! A point in time, as layouts write it.
//!
//! Specification: in-toto 1.0, 4.3 (`expires`, RFC 3339 in UTC). There is no clock here: whoever verifies brings the reference time.
//!
//! ```
//! use intoto_core::time::Timestamp;
//!
//! let expires: Timestamp = "2027-11-22T00:00:00Z".parse().unwrap();
//! assert!(Timestamp::from_unix(1_700_000_000) < expires);
//! assert_eq!(expires.to_string(), "2027-11-22T00:00:00Z");
//! ```

use core::fmt;
use core::str::FromStr;

/// Seconds since 1970-01-01T00:00:00Z, without leap seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The time that many seconds after 1970-01-01T00:00:00Z.
    pub const fn from_unix(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    pub const fn as_unix(self) -> i64 {
        self.0
    }
}

impl FromStr for Timestamp {
    type Err = TimeError;

    /// Reads `YYYY-MM-DDThh:mm:ssZ`, also with a fraction of a second, which Go accepts.
    ///
    /// The fraction is cut off, so a layout expires early rather than late. Other offsets than `Z`, lower-case letters, leap seconds and
    /// dates that do not exist are refused, as the reference implementation refuses them.
    fn from_str(text: &str) -> Result<Self, TimeError> {
        let bytes = text.as_bytes();
        let body = bytes.strip_suffix(b"Z").ok_or(TimeError::Form)?;
        let (whole, fraction) = match body.iter().position(|&byte| byte == b'.') {
            Some(dot) => (&body[..dot], Some(&body[dot + 1..])),
            None => (body, None),
        };
        let fraction_is_good =
            fraction.is_none_or(|digits| matches!(digits.len(), 1..=9) && digits.iter().all(u8::is_ascii_digit));
        let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
        if !fraction_is_good || whole.len() != 19 || marks.iter().any(|&(at, mark)| whole[at] != mark) {
            return Err(TimeError::Form);
        }
        let number = |from: usize, to: usize| {
            whole[from..to].iter().try_fold(0_i64, |sum, byte| {
                byte.is_ascii_digit()
                    .then(|| sum * 10 + i64::from(byte - b'0'))
                    .ok_or(TimeError::Form)
            })
        };
        let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
        let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
        let date_exists = year >= 1 && (1..=12).contains(&month) && (1..=days_in_month(year, month)).contains(&day);
        if !date_exists || hour > 23 || minute > 59 || second > 59 {
            return Err(TimeError::Range);
        }
        Ok(Self(
            days_from_civil(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second,
        ))
    }
}

impl fmt::Display for Timestamp {
    /// Writes `YYYY-MM-DDThh:mm:ssZ`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, seconds) = (self.0.div_euclid(86_400), self.0.rem_euclid(86_400));
        let (year, month, day) = civil_from_days(days);
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

/// Why a text is not a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TimeError {
    /// The text does not have the form `YYYY-MM-DDThh:mm:ssZ`.
    #[error("expected a time in UTC of the form YYYY-MM-DDThh:mm:ssZ")]
    Form,
    /// The form is right, but there is no such day or time of day.
    #[error("there is no such date or time of day")]
    Range,
}

fn days_in_month(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

// Days since 1970-01-01 of a date in the Gregorian calendar. Years begin in March here, so that the leap day is the last one;
// an era is 400 years or 146,097 days.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 {
        march_month + 3
    } else {
        march_month - 9
    };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_times() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1969-12-31T23:59:59Z", -1),
            ("2000-02-29T12:34:56Z", 951_827_696),
            ("2027-11-22T00:00:00Z", 1_826_841_600),
            ("9999-12-31T23:59:59Z", 253_402_300_799),
            ("0001-01-01T00:00:00Z", -62_135_596_800),
        ] {
            assert_eq!(text.parse(), Ok(Timestamp::from_unix(seconds)), "{text}");
            assert_eq!(Timestamp::from_unix(seconds).to_string(), text);
        }
        assert_eq!("1970-01-01T00:00:00.999999999Z".parse(), Ok(Timestamp::from_unix(0)));
    }

    #[test]
    fn refuses() {
        for text in [
            "",
            "Z",
            "2027-11-22",
            "2027-11-22T00:00:00",
            "2027-11-22T00:00:00+00:00",
            "2027-11-22t00:00:00Z",
            "2027-11-22T00:00:00z",
            "2027-11-22 00:00:00Z",
            "+027-11-22T00:00:00Z",
            "2027-11-22T00:00:00.Z",
            "2027-11-22T00:00:00.0123456789Z",
            "2027-11-22T00:00:00.1.2Z",
            "12027-11-22T00:00:00Z",
            "2027-1-22T00:00:00Z",
            "２027-11-22T00:00Z",
        ] {
            assert_eq!(text.parse::<Timestamp>(), Err(TimeError::Form), "{text}");
        }
        for text in [
            "2027-13-01T00:00:00Z",
            "2027-00-01T00:00:00Z",
            "2027-02-29T00:00:00Z",
            "1900-02-29T00:00:00Z",
            "2027-01-00T00:00:00Z",
            "2027-01-01T24:00:00Z",
            "2027-01-01T00:60:00Z",
            "2027-01-01T00:00:60Z",
            "0000-01-01T00:00:00Z",
        ] {
            assert_eq!(text.parse::<Timestamp>(), Err(TimeError::Range), "{text}");
        }
    }

    #[test]
    fn display_never_panics() {
        for seconds in [i64::MIN, i64::MAX] {
            assert!(Timestamp::from_unix(seconds).to_string().ends_with('Z'));
        }
    }

    proptest! {
        #[test]
        fn round_trip(seconds in -62_135_596_800_i64..253_402_300_800) {
            let time = Timestamp::from_unix(seconds);
            prop_assert_eq!(time.to_string().parse(), Ok(time));
        }
    }
}
