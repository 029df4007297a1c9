//! Numbers, sizes, times and durations as people read them.

use jiff::tz::TimeZone;
use stateward_model::Timestamp;
use std::num::NonZeroU64;

/// `1,234,567`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 file`, `2 files`.
pub fn counted(number: u64, what: &str) -> String {
    format!("{} {what}{}", count(number), if number == 1 { "" } else { "s" })
}

/// `1.5 GiB`: binary units, three digits at most before the unit.
pub fn bytes(number: u64) -> String {
    const UNITS: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let (mut value, mut unit) = (number as f64, 0);
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    match unit == 0 || value >= 99.95 {
        true => format!("{value:.0} {}", UNITS[unit]),
        false => format!("{value:.1} {}", UNITS[unit]),
    }
}

/// Units that rates are given in; the first that fits whole is the one that is printed.
const RATE_UNITS: [(&str, u64); 7] = [
    ("GB", 1_000_000_000),
    ("GiB", 1 << 30),
    ("MB", 1_000_000),
    ("MiB", 1 << 20),
    ("KB", 1000),
    ("KiB", 1 << 10),
    ("B", 1),
];

/// The slowest rate that is taken, in bytes a second: a slower one would look like a line that broke.
const SLOWEST_RATE: u64 = 1000;

/// Reads a rate in bytes a second: `500KB`, `10MB`, `1.5MiB`, `250000`; a unit may be small letters and end with `/s`.
pub fn parse_rate(text: &str) -> Result<NonZeroU64, String> {
    let wrong = || "it must be a number with a unit, such as `500KB`, `10MB` or `10MiB` a second".to_owned();
    let text = text.trim();
    let text = text.strip_suffix("/s").unwrap_or(text);
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit = if unit.is_empty() { "B" } else { unit.trim_start() };
    let factor = RATE_UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)).ok_or_else(wrong)?.1;
    let bytes = number.parse::<f64>().map_err(|_| wrong())? * factor as f64;
    if bytes >= u64::MAX as f64 {
        return Err(wrong());
    }
    let rate = NonZeroU64::new(bytes as u64).filter(|rate| rate.get() >= SLOWEST_RATE);
    rate.ok_or_else(|| "it must be at least `1KB` a second".to_owned())
}

/// Reads an amount of bytes: `500GiB`, `1.5TB`, `250000`.
pub fn parse_bytes(text: &str) -> Result<NonZeroU64, String> {
    const MORE: [(&str, u64); 2] = [("TB", 1_000_000_000_000), ("TiB", 1 << 40)];
    let wrong = || "it must be a number with a unit, such as `500GB`, `500GiB` or `2TiB`".to_owned();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit = if unit.is_empty() { "B" } else { unit.trim_start() };
    let mut units = RATE_UNITS.iter().chain(&MORE);
    let factor = units.find(|(name, _)| name.eq_ignore_ascii_case(unit)).ok_or_else(wrong)?.1;
    let bytes = number.parse::<f64>().map_err(|_| wrong())? * factor as f64;
    NonZeroU64::new(bytes as u64).filter(|_| bytes < u64::MAX as f64).ok_or_else(wrong)
}

/// `10 MB/s`, `1.5 MiB/s`: in the unit that it was most likely given in.
pub fn rate(rate: NonZeroU64) -> String {
    let whole = RATE_UNITS.iter().find(|(_, factor)| rate.get().is_multiple_of(*factor));
    match whole {
        Some((unit, factor)) if *factor > 1 => format!("{} {unit}/s", count(rate.get() / factor)),
        _ => format!("{}/s", bytes(rate.get())),
    }
}

/// `45 s`, `3 min 5 s`, `2 h 7 min`.
pub fn duration(seconds: u64) -> String {
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

/// `2026-11-23 22:30:00 CET`, in this machine's time zone.
pub fn time(moment: Timestamp) -> String {
    time_in(moment, TimeZone::system())
}

fn time_in(moment: Timestamp, zone: TimeZone) -> String {
    match jiff::Timestamp::from_second(moment.seconds()) {
        Ok(second) => second.to_zoned_datetime(zone).strftime("%Y-%m-%d %H:%M:%S %Z").to_string(),
        Err(_) => moment.to_string(),
    }
}

/// Seconds between two moments; 0 if the clock went backwards.
pub fn seconds_between(begin: Timestamp, end: Timestamp) -> f64 {
    end.0.saturating_sub(begin.0).max(0) as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        let texts: Vec<String> = [0, 999, 1000, 1_234_567, 100_000].map(count).into();
        assert_eq!(texts, ["0", "999", "1,000", "1,234,567", "100,000"]);
        assert_eq!((counted(1, "file"), counted(2, "file")), ("1 file".to_owned(), "2 files".to_owned()));
    }

    #[test]
    fn sizes_have_a_fitting_unit() {
        let cases = [(0, "0 B"), (999, "999 B"), (1000, "1.0 KiB"), (1536, "1.5 KiB"), (1 << 20, "1.0 MiB")];
        for (number, text) in cases {
            assert_eq!(bytes(number), text);
        }
        assert_eq!(bytes(200 << 30), "200 GiB");
        assert_eq!(bytes(1023 << 20), "1.0 GiB");
        assert_eq!(bytes(u64::MAX), "16.0 EiB");
    }

    #[test]
    fn a_rate_is_read_with_or_without_its_unit_and_printed_as_it_was_given() {
        let cases = [
            ("250000", 250_000, "250 KB/s"),
            ("500KB", 500_000, "500 KB/s"),
            ("500 kb", 500_000, "500 KB/s"),
            ("10MB", 10_000_000, "10 MB/s"),
            ("10MB/s", 10_000_000, "10 MB/s"),
            ("10MiB", 10 << 20, "10 MiB/s"),
            ("64KiB", 64 << 10, "64 KiB/s"),
            ("1.5MiB", 3 << 19, "1,536 KiB/s"),
            ("2GB", 2_000_000_000, "2 GB/s"),
            ("1234B", 1234, "1.2 KiB/s"),
        ];
        for (text, bytes, printed) in cases {
            let read = parse_rate(text).unwrap();
            assert_eq!((read.get(), &*rate(read)), (bytes, printed), "{text}");
        }
    }

    #[test]
    fn an_amount_is_read_with_or_without_its_unit() {
        for (text, bytes) in
            [("1", 1), ("500GiB", 500 << 30), ("1.5 TB", 1_500_000_000_000), ("2tib", 2 << 40)]
        {
            assert_eq!(parse_bytes(text).unwrap().get(), bytes, "{text}");
        }
        for wrong in ["", "0", "GiB", "-1GB", "5 PB", "99999999TiB", "NaN"] {
            assert!(parse_bytes(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_no_rate_is_refused_with_what_would_be_one() {
        for text in [
            "",
            "x",
            "MB",
            "-1MB",
            "1e9",
            "10 bananas",
            "1..5MB",
            "10Mbit",
            "NaN",
            "inf",
            ".",
            "99999999999GB",
        ] {
            assert!(parse_rate(text).unwrap_err().contains("`10MB`"), "{text}");
        }
        for text in ["0", "0MB", "999", "0.0001KB"] {
            assert!(parse_rate(text).unwrap_err().contains("`1KB`"), "{text}");
        }
    }

    #[test]
    fn durations_have_two_units_at_most() {
        let texts: Vec<String> = [0, 59, 60, 3599, 3600, 90_061].map(duration).into();
        assert_eq!(texts, ["0 s", "59 s", "1 min 0 s", "59 min 59 s", "1 h 0 min", "25 h 1 min"]);
    }

    #[test]
    fn a_time_is_told_to_the_second_with_its_zone() {
        assert_eq!(time_in(Timestamp(1_500_000_000), TimeZone::UTC), "1970-01-01 00:00:01 UTC");
    }
}
