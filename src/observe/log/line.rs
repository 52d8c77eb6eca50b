//! A log record as one line of text.

use super::Record;
use aws_sdk_sqs::primitives::{DateTime, DateTimeFormat};

/// `2026-01-31T23:59:59.123Z WARN lambda_executor::aws: message`, with its line end.
pub(super) fn of(record: &Record) -> String {
    let Record { level, time_ms, target, message } = record;
    let mut line = format!("{} {level} {target}: ", utc(*time_ms));
    for character in message.chars() {
        // One record is one line, and a task's key cannot send control sequences to a terminal.
        if character.is_control() {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    line.push('\n');
    line
}

/// Unix ms as ISO 8601, always with three digits of milliseconds.
fn utc(unix_ms: i64) -> String {
    let (seconds, ms) = (unix_ms.div_euclid(1000), unix_ms.rem_euclid(1000));
    match DateTime::from_secs(seconds).fmt(DateTimeFormat::DateTime) {
        Ok(text) => format!("{}.{ms:03}Z", text.trim_end_matches('Z')),
        // Beyond the year 9999.
        Err(_) => format!("{seconds}.{ms:03}"),
    }
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
            (1_767_225_600_100, "2026-01-01T00:00:00.100Z"),
            (i64::MAX, "9223372036854775.807"),
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
