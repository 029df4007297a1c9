//! Version identifiers: the one value in `wbadmin`'s answers that is written alike in every language.

use stateward_model::Timestamp;
use std::collections::BTreeSet;
use std::fmt;

/// When a backup was begun, to the minute, in UTC: its name for `wbadmin`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VersionId {
    year: u16,
    month: u8,
    day: u8,
    hour: u8,
    minute: u8,
}

/// `06/30/2026-19:26`.
const SHAPE: &[u8; 16] = b"dd/dd/dddd-dd:dd";

impl VersionId {
    /// Reads `MM/DD/YYYY-HH:MM`, and nothing else.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let fits =
            |(byte, shape): (&u8, &u8)| if *shape == b'd' { byte.is_ascii_digit() } else { byte == shape };
        if bytes.len() != SHAPE.len() || !bytes.iter().zip(SHAPE).all(fits) {
            return None;
        }
        let number = |from: usize, to: usize| text[from..to].parse::<u16>().ok();
        let small = |from| number(from, from + 2).and_then(|number| u8::try_from(number).ok());
        let version = Self {
            year: number(6, 10)?,
            month: small(0)?,
            day: small(3)?,
            hour: small(11)?,
            minute: small(14)?,
        };
        version.is_a_time().then_some(version)
    }

    fn is_a_time(&self) -> bool {
        let is_leap =
            self.year.is_multiple_of(4) && (!self.year.is_multiple_of(100) || self.year.is_multiple_of(400));
        let days = match self.month {
            4 | 6 | 9 | 11 => 30,
            2 if is_leap => 29,
            2 => 28,
            _ => 31,
        };
        (1601..=9999).contains(&self.year)
            && (1..=12).contains(&self.month)
            && (1..=days).contains(&self.day)
            && self.hour < 24
            && self.minute < 60
    }

    /// Minutes since 1970.
    fn minutes(self) -> i64 {
        // Years begin in March, so that a leap day is a year's last.
        let (month, day) = (i64::from(self.month), i64::from(self.day));
        let year = i64::from(self.year) - i64::from(month <= 2);
        let days_of_months = (153 * ((month + 9) % 12) + 2) / 5;
        let days = 365 * year + year / 4 - year / 100 + year / 400 + days_of_months + day - 1 - 719_468;
        (days * 24 + i64::from(self.hour)) * 60 + i64::from(self.minute)
    }

    /// How many whole days it was before a time; negative if it comes after it.
    pub fn days_before(self, now: Timestamp) -> i64 {
        (now.0.div_euclid(60_000_000_000) - self.minutes()).div_euclid(24 * 60)
    }
}

impl fmt::Display for VersionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { year, month, day, hour, minute } = self;
        write!(f, "{month:02}/{day:02}/{year:04}-{hour:02}:{minute:02}")
    }
}

/// All version identifiers in a text, by their shape.
pub fn parse_versions(text: &str) -> BTreeSet<VersionId> {
    let bytes = text.as_bytes();
    let is_in_a_number = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let at = |begin: usize| {
        let end = begin + SHAPE.len();
        let stands_alone =
            begin.checked_sub(1).is_none_or(|before| !is_in_a_number(before)) && !is_in_a_number(end);
        text.get(begin..end).filter(|_| stands_alone).and_then(VersionId::parse)
    };
    (0..bytes.len()).filter(|begin| bytes[*begin].is_ascii_digit()).filter_map(at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_what_has_its_shape_and_is_a_time() {
        let version = VersionId::parse("06/30/2026-19:26").unwrap();
        assert_eq!(version.to_string(), "06/30/2026-19:26");
        assert!(VersionId::parse("02/29/2024-00:00").is_some());
        for wrong in [
            "02/29/2023-00:00",
            "13/01/2023-00:00",
            "12/32/2023-00:00",
            "12/01/2023-24:00",
            "12/01/2023-00:60",
            "12-01-2023-00:00",
            "1/01/2023-00:00",
            "12/01/2023-00:0ä",
            "",
        ] {
            assert_eq!(VersionId::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn versions_are_found_whatever_the_words_around_them_say() {
        let text = "Backup time: 6/30/2026 12:26 PM\r\nVersion identifier: 06/30/2026-19:26\r\n\
                    Sicherungszeit: 29.06.2026 21:00\r\nVersionsbezeichner:06/29/2026-19:00\r\n\
                    identifiant : 06/29/2026-19:00. 106/28/2026-19:00 06/27/2026-19:001";
        let found: Vec<String> = parse_versions(text).iter().map(VersionId::to_string).collect();
        assert_eq!(found, ["06/29/2026-19:00", "06/30/2026-19:26"]);
        assert!(parse_versions("ERROR - No backup was found.").is_empty());
        assert!(parse_versions("ä1ä").is_empty());
    }

    #[test]
    fn days_are_counted_across_years_and_leap_days() {
        // 2026-11-29T00:00:00Z is 1,795,910,400 s after 1970.
        let now = Timestamp(1_795_910_400 * 1_000_000_000);
        for (version, days) in [
            ("11/29/2026-00:00", 0),
            ("11/28/2026-23:59", 0),
            ("11/28/2026-00:00", 1),
            ("11/29/2026-00:01", -1),
            ("11/29/2025-00:00", 365),
            ("02/28/2024-00:00", 1005),
            ("02/29/2024-00:00", 1004),
            ("01/01/1970-00:00", 20_786),
        ] {
            assert_eq!(VersionId::parse(version).unwrap().days_before(now), days, "{version}");
        }
    }
}
