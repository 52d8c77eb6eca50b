//! A record as one line of text.

use super::Record;

/// `2026-01-31T23:59:59.123Z WARN lambda_executor::aws: message`, with its line end.
pub(super) fn of(record: &Record) -> String {
    let Record { level, time_ms, target, message } = record;
    let mut line = format!("{} {level} {target}: ", utc(*time_ms));
    for character in message.chars() {
        // One record is one line, and a task's key cannot steer a terminal.
        if character.is_control() {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    line.push('\n');
    line
}

/// Unix ms as ISO 8601.
fn utc(unix_ms: i64) -> String {
    const MS_A_DAY: i64 = 86_400_000;
    let (year, month, day) = date(unix_ms.div_euclid(MS_A_DAY));
    let ms = unix_ms.rem_euclid(MS_A_DAY);
    let (hour, minute, second, ms) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60, ms % 1000);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z")
}

/// Year, month and day of the Gregorian calendar, from days since 1970-01-01. Counts from March, so that the leap day
/// is the last of its year, and in eras of 400 years, which all have the same number of days.
fn date(days: i64) -> (i64, i64, i64) {
    const DAYS_AN_ERA: i64 = 146_097;
    const FROM_MARCH_OF_YEAR_0: i64 = 719_468;
    let days = days + FROM_MARCH_OF_YEAR_0;
    let era = days.div_euclid(DAYS_AN_ERA);
    let day_of_era = days.rem_euclid(DAYS_AN_ERA);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    // Months from March have 31 or 30 days so that the n-th starts (153 n + 2) / 5 days in.
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::Level;

    #[test]
    fn times_are_iso_8601_in_utc() {
        for (unix_ms, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (951_868_800_000, "2000-03-01T00:00:00.000Z"),
            (1_767_225_599_999, "2025-12-31T23:59:59.999Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        ] {
            assert_eq!(utc(unix_ms), text);
        }
    }

    #[test]
    fn a_record_is_one_line() {
        let record = Record {
            level: Level::WARN,
            time_ms: 0,
            target: "lambda_executor".into(),
            message: "two\nlines and \u{1b}[31m, but é".into(),
        };
        assert_eq!(of(&record), "1970-01-01T00:00:00.000Z WARN lambda_executor: two\\nlines and \\u{1b}[31m, but é\n");
    }
}
