//! Numbers, sizes, times and durations as people read them.

use jiff::tz::TimeZone;
use stateward_model::Timestamp;

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
    fn durations_have_two_units_at_most() {
        let texts: Vec<String> = [0, 59, 60, 3599, 3600, 90_061].map(duration).into();
        assert_eq!(texts, ["0 s", "59 s", "1 min 0 s", "59 min 59 s", "1 h 0 min", "25 h 1 min"]);
    }

    #[test]
    fn a_time_is_told_to_the_second_with_its_zone() {
        assert_eq!(time_in(Timestamp(1_500_000_000), TimeZone::UTC), "1970-01-01 00:00:01 UTC");
    }
}
