//! Where a policy's clock hangs: an IANA time zone, and how a time on the wall becomes a moment.
//!
//! Azure Backup does not adjust to daylight saving (support matrix of the MARS agent); here it is defined:
//!
//! - a time that the clocks *skip* is the moment at which they skip it: 02:30 becomes 03:00, once, on that day;
//! - a time that they show *twice* is the first of the two.
//!
//! So every time of every day is one moment, moments of later times are never earlier, and times that are all skipped at
//! once are one moment. The rules of the zones are part of the program: vault and agent of one version agree, whatever
//! their systems have installed, and nothing is read.

use super::calendar::{Date, LocalTime, TimeOfDay};
use crate::{ParseError, Timestamp};
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A time zone by its IANA name, such as `Europe/Berlin`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(TimeZone);

impl Zone {
    /// Coordinated Universal Time.
    pub fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    /// Its IANA name.
    pub fn name(&self) -> &str {
        self.0.iana_name().expect("a zone is only made by its name")
    }

    /// The names of all zones, for people to choose from.
    pub fn names() -> impl Iterator<Item = String> {
        TimeZoneDatabase::bundled()
            .available()
            .map(|name| name.as_str().to_owned())
            .collect::<Vec<_>>()
            .into_iter()
    }

    /// The moment at which the clocks of this zone show that time on that day, by the rules above; held at the ends of
    /// what a [`Timestamp`] can hold.
    pub fn moment(&self, local: LocalTime) -> Timestamp {
        let LocalTime { date, time } = local;
        let time = jiff::civil::time(time.hour() as i8, time.minute() as i8, 0, 0);
        self.moment_of(date.0.to_datetime(time))
    }

    /// What calendar and clocks show at that moment, seconds left out.
    pub fn local(&self, moment: Timestamp) -> LocalTime {
        let local = self.datetime(moment);
        let time = TimeOfDay::new(local.hour().unsigned_abs(), local.minute().unsigned_abs());
        LocalTime {
            date: Date(local.date()),
            time: time.expect("a day's hours and minutes are in their ranges"),
        }
    }

    /// The moment that lies so far after `from` on the calendar of this zone: a day later is the same time of day, a month
    /// after the 31st is a shorter month's last day.
    pub(super) fn after(&self, from: Timestamp, span: jiff::Span) -> Timestamp {
        self.moment_of(self.datetime(from).saturating_add(span))
    }

    fn datetime(&self, moment: Timestamp) -> jiff::civil::DateTime {
        self.0.to_datetime(to_library(moment))
    }

    fn moment_of(&self, local: jiff::civil::DateTime) -> Timestamp {
        let (AmbiguousOffset::Unambiguous { offset: before }
        | AmbiguousOffset::Gap { before, .. }
        | AmbiguousOffset::Fold { before, .. }) = self.0.to_ambiguous_timestamp(local).offset();
        let Ok(moment) = before.to_timestamp(local) else {
            return Timestamp(if local.year() < 1970 { i64::MIN } else { i64::MAX });
        };
        match self.0.to_ambiguous_timestamp(local).offset() {
            // By the clock before the change it is already past the change.
            AmbiguousOffset::Gap { .. } => self.last_change(moment).unwrap_or(from_library(moment)),
            _ => from_library(moment),
        }
    }

    /// When the clocks of this zone were last changed, at or before `moment`.
    fn last_change(&self, moment: jiff::Timestamp) -> Option<Timestamp> {
        let just_after = moment.checked_add(jiff::SignedDuration::from_nanos(1)).ok()?;
        self.0.preceding(just_after).next().map(|change| from_library(change.timestamp()))
    }
}

fn to_library(moment: Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_nanosecond(i128::from(moment.0)).expect("the library's range is wider than ours")
}

fn from_library(moment: jiff::Timestamp) -> Timestamp {
    let nanoseconds = moment.as_nanosecond();
    Timestamp(i64::try_from(nanoseconds).unwrap_or(if nanoseconds < 0 { i64::MIN } else { i64::MAX }))
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Zone({self})")
    }
}

impl std::str::FromStr for Zone {
    type Err = ParseError;
    fn from_str(name: &str) -> Result<Self, ParseError> {
        match TimeZoneDatabase::bundled().get(name) {
            Ok(zone) if zone.iana_name().is_some() => Ok(Self(zone)),
            _ => Err(ParseError { what: "IANA time zone such as Europe/Berlin", text: name.to_owned() }),
        }
    }
}

impl TryFrom<String> for Zone {
    type Error = ParseError;
    fn try_from(name: String) -> Result<Self, ParseError> {
        name.parse()
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> String {
        zone.name().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Zone, time on the wall, the moment that it is.
    const MOMENTS: &[(&str, &str, &str, &str)] = &[
        // Northern summer time: 02:00 → 03:00 on 29 March 2026, 03:00 → 02:00 on 25 October.
        ("Europe/Berlin", "2026-03-29", "01:59", "2026-03-29T00:59:00Z"),
        ("Europe/Berlin", "2026-03-29", "02:00", "2026-03-29T01:00:00Z"),
        ("Europe/Berlin", "2026-03-29", "02:30", "2026-03-29T01:00:00Z"),
        ("Europe/Berlin", "2026-03-29", "03:00", "2026-03-29T01:00:00Z"),
        ("Europe/Berlin", "2026-10-25", "02:00", "2026-10-25T00:00:00Z"),
        ("Europe/Berlin", "2026-10-25", "02:30", "2026-10-25T00:30:00Z"),
        ("Europe/Berlin", "2026-10-25", "03:00", "2026-10-25T02:00:00Z"),
        ("America/New_York", "2026-03-08", "02:30", "2026-03-08T07:00:00Z"),
        ("America/New_York", "2026-11-01", "01:30", "2026-11-01T05:30:00Z"),
        // Southern summer time ends in April and begins in October.
        ("Australia/Sydney", "2026-04-05", "02:30", "2026-04-04T15:30:00Z"),
        ("Australia/Sydney", "2026-10-04", "02:30", "2026-10-03T16:00:00Z"),
        ("America/Santiago", "2026-09-06", "00:30", "2026-09-06T04:00:00Z"),
        // Half an hour, and an offset of a quarter.
        ("Australia/Lord_Howe", "2026-10-04", "02:15", "2026-10-03T15:30:00Z"),
        ("Pacific/Chatham", "2026-09-27", "03:00", "2026-09-26T14:00:00Z"),
        // At midnight: the day begins at 01:00.
        ("Africa/Cairo", "2026-04-24", "00:00", "2026-04-23T22:00:00Z"),
        // A whole day that never was.
        ("Pacific/Apia", "2011-12-30", "12:00", "2011-12-30T10:00:00Z"),
        // Years that only the rule at the end of the zone's table knows.
        ("Europe/Berlin", "2125-03-25", "02:30", "2125-03-25T01:00:00Z"),
        ("UTC", "2028-02-29", "23:59", "2028-02-29T23:59:00Z"),
    ];

    #[test]
    fn a_skipped_time_is_when_it_is_skipped_and_a_repeated_one_the_first() {
        for (zone, date, time, moment) in MOMENTS {
            let local = LocalTime { date: date.parse().unwrap(), time: time.parse().unwrap() };
            let found = zone.parse::<Zone>().unwrap().moment(local).to_string();
            assert_eq!(found, *moment, "{local} in {zone}");
        }
    }

    #[test]
    fn names_are_known_and_kept_as_the_database_spells_them() {
        assert_eq!("europe/berlin".parse::<Zone>().unwrap().name(), "Europe/Berlin");
        assert_eq!((Zone::utc().name(), "UTC".parse::<Zone>().unwrap().name()), ("UTC", "UTC"));
        for wrong in ["", "Europe/Atlantis", "../etc/localtime", "+02:00", "EST5EDT,M3.2.0,M11.1.0"] {
            assert!(wrong.parse::<Zone>().is_err(), "{wrong}");
        }
        for name in Zone::names() {
            assert_eq!(name.parse::<Zone>().map(|zone| zone.name().to_owned()), Ok(name));
        }
    }

    #[test]
    fn the_ends_of_time_are_held() {
        let at = |date: &str| {
            let time = TimeOfDay::new(0, 0).unwrap();
            Zone::utc().moment(LocalTime { date: date.parse().unwrap(), time })
        };
        assert_eq!((at("9999-12-31"), at("-009999-01-02")), (Timestamp(i64::MAX), Timestamp(i64::MIN)));
        for end in [i64::MIN, i64::MAX] {
            let zone: Zone = "Asia/Kathmandu".parse().unwrap();
            zone.after(Timestamp(end), jiff::Span::new().years(9_000));
            zone.local(Timestamp(end));
        }
    }
}
