//! The dates of signatures: `20150830T123600Z`.

/// Unix seconds of such a date.
pub(super) fn unix_seconds(amz_date: &str) -> Option<i64> {
    let bytes = amz_date.as_bytes();
    if bytes.len() != 16 || bytes[8] != b'T' || bytes[15] != b'Z' {
        return None;
    }
    let number = |from: usize, to: usize| -> Option<i64> {
        let digits = amz_date.get(from..to).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
        digits.parse().ok()
    };
    let (year, month, day) = (number(0, 4)?, number(4, 6)?, number(6, 8)?);
    let (hour, minute, second) = (number(9, 11)?, number(11, 13)?, number(13, 15)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    // Days since 1970 in the calendar whose years start in March, so that leap days come last.
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    Some(days * 86_400 + hour * 3600 + minute * 60 + second)
}

/// Year, month, day, hour, minute and second of a Unix time, in UTC.
pub(crate) fn civil(unix_seconds: i64) -> [i64; 6] {
    let days = unix_seconds.div_euclid(86_400) + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    let second = unix_seconds.rem_euclid(86_400);
    [year, month, day, second / 3600, second / 60 % 60, second % 60]
}

/// The date of a signature at this Unix time.
pub fn amz_date(unix_seconds: i64) -> String {
    let [year, month, day, hour, minute, second] = civil(unix_seconds);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

/// A time in the format of records and descriptions: `2015-08-30T12:36:00.000Z`.
pub(crate) fn utc_timestamp(unix_ms: u64) -> String {
    let [year, month, day, hour, minute, second] = civil(i64::try_from(unix_ms / 1000).unwrap_or(0));
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z", unix_ms % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_unix_seconds_convert_both_ways() {
        for (date, seconds) in [
            ("19700101T000000Z", 0),
            ("20150830T123600Z", 1_440_938_160),
            ("20240229T235959Z", 1_709_251_199),
            ("21000301T000000Z", 4_107_542_400),
        ] {
            assert_eq!(unix_seconds(date), Some(seconds), "{date}");
            assert_eq!(amz_date(seconds), date);
        }
    }

    #[test]
    fn invalid_dates_are_refused() {
        for text in
            ["", "20150830T123600", "20151330T123600Z", "2015083XT123600Z", "+0150830T123600Z", "é0150830T12360Z"]
        {
            assert_eq!(unix_seconds(text), None, "{text}");
        }
    }
}
