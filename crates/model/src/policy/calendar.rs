//! The words of calendars and clocks on the wall: days, weekdays, months, times of day. None of them is a moment: that
//! takes a [`Zone`](super::Zone).
//!
//! Names and their order are those of the ARM API (`scheduleRunDays`, `weeksOfTheMonth`, `monthsOfYear`).

use crate::ParseError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// A day of the Gregorian calendar. Its text is `2026-11-28`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct Date(pub(super) jiff::civil::Date);

impl Date {
    /// That day; `None` where the calendar has none, or the year is not one of -9999 to 9999.
    pub fn new(year: i16, month: u8, day: u8) -> Option<Self> {
        let (month, day) = (i8::try_from(month).ok()?, i8::try_from(day).ok()?);
        jiff::civil::Date::new(year, month, day).ok().map(Self)
    }

    /// Its year.
    pub fn year(self) -> i16 {
        self.0.year()
    }

    /// Its day of the week.
    pub fn weekday(self) -> Weekday {
        Weekday::ALL[usize::from(self.0.weekday().to_sunday_zero_offset().unsigned_abs())]
    }

    /// Its month.
    pub fn month(self) -> Month {
        Month::ALL[usize::from(self.0.month().unsigned_abs()) - 1]
    }

    /// Its number in its month, from 1.
    pub fn day(self) -> u8 {
        self.0.day().unsigned_abs()
    }

    /// How many days its month has.
    pub fn days_in_month(self) -> u8 {
        self.0.days_in_month().unsigned_abs()
    }

    /// The Monday of its week: weeks begin on Monday, as in ISO 8601, so that a weekend is never torn apart.
    pub(super) fn monday(self) -> Self {
        self.plus_days(-i32::from(self.0.weekday().to_monday_zero_offset()))
    }

    /// The day so many days later or earlier, held at the ends of the calendar.
    pub(super) fn plus_days(self, days: i32) -> Self {
        Self(self.0.saturating_add(jiff::Span::new().days(days)))
    }

    /// How many days lie from `earlier` to this day.
    pub(super) fn days_since(self, earlier: Self) -> i64 {
        self.0.duration_since(earlier.0).as_hours() / 24
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Date({self})")
    }
}

impl std::str::FromStr for Date {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        // The library also takes other spellings, such as a date with a time after it.
        match text.parse::<jiff::civil::Date>() {
            Ok(date) if date.to_string() == text => Ok(Self(date)),
            _ => Err(ParseError { what: "date such as 2026-11-28", text: text.to_owned() }),
        }
    }
}

impl TryFrom<String> for Date {
    type Error = ParseError;
    fn try_from(text: String) -> Result<Self, ParseError> {
        text.parse()
    }
}

impl From<Date> for String {
    fn from(date: Date) -> String {
        date.to_string()
    }
}

/// A time on the clock on the wall, to the minute. Its text is `02:30`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct TimeOfDay {
    /// Minutes since midnight, fewer than 1440.
    minutes: u16,
}

impl TimeOfDay {
    /// That time; `None` from 24:00 on.
    pub const fn new(hour: u8, minute: u8) -> Option<Self> {
        match hour < 24 && minute < 60 {
            true => Some(Self { minutes: hour as u16 * 60 + minute as u16 }),
            false => None,
        }
    }

    /// Hours since midnight.
    pub fn hour(self) -> u8 {
        (self.minutes / 60) as u8
    }

    /// Minutes after the hour.
    pub fn minute(self) -> u8 {
        (self.minutes % 60) as u8
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.hour(), self.minute())
    }
}

impl fmt::Debug for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TimeOfDay({self})")
    }
}

impl std::str::FromStr for TimeOfDay {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let number = |two: &str| two.bytes().all(|digit| digit.is_ascii_digit()).then(|| two.parse().ok())?;
        let time = match text.split_once(':') {
            Some((hour, minute)) if hour.len() == 2 && minute.len() == 2 => {
                number(hour).zip(number(minute)).and_then(|(hour, minute)| Self::new(hour, minute))
            }
            _ => None,
        };
        time.ok_or_else(|| ParseError { what: "time of day such as 02:30", text: text.to_owned() })
    }
}

impl TryFrom<String> for TimeOfDay {
    type Error = ParseError;
    fn try_from(text: String) -> Result<Self, ParseError> {
        text.parse()
    }
}

impl From<TimeOfDay> for String {
    fn from(time: TimeOfDay) -> String {
        time.to_string()
    }
}

/// What calendar and clock on the wall show together.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub struct LocalTime {
    /// The day.
    pub date: Date,
    /// The time of day.
    pub time: TimeOfDay,
}

impl fmt::Display for LocalTime {
    /// `Sunday 2026-11-29 02:00`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.date.weekday(), self.date, self.time)
    }
}

/// A day of the week.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Weekday {
    Sunday,
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
}

impl Weekday {
    /// All of them, in order.
    pub const ALL: [Self; 7] = [
        Self::Sunday,
        Self::Monday,
        Self::Tuesday,
        Self::Wednesday,
        Self::Thursday,
        Self::Friday,
        Self::Saturday,
    ];
}

impl fmt::Display for Weekday {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// A month.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Month {
    January,
    February,
    March,
    April,
    May,
    June,
    July,
    August,
    September,
    October,
    November,
    December,
}

impl Month {
    /// All of them, in order.
    pub const ALL: [Self; 12] = [
        Self::January,
        Self::February,
        Self::March,
        Self::April,
        Self::May,
        Self::June,
        Self::July,
        Self::August,
        Self::September,
        Self::October,
        Self::November,
        Self::December,
    ];
}

/// Which of a weekday's days in a month. A month has four or five of each, so the fifth is always `Last` and `Last` may be
/// `Fourth` (the ARM API has no fifth).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[expect(missing_docs, reason = "the names say it")]
pub enum WeekOfMonth {
    First,
    Second,
    Third,
    Fourth,
    Last,
}

/// A day of every month.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
pub enum MonthDay {
    /// Its number, 1 to 31. In a month that is too short for it, the last day: no month goes without its recovery point.
    Day(u8),
    /// The month's last day, whichever it is.
    Last,
}

/// Days of a month, in one of the two ways of the ARM API's `retentionScheduleFormatType`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub enum DaysOfMonth {
    /// By number (`Daily`).
    Numbered(BTreeSet<MonthDay>),
    /// By weekday (`Weekly`): each of the weekdays in each of the weeks.
    #[serde(rename_all = "camelCase")]
    Weekdays {
        /// The weekdays.
        days: BTreeSet<Weekday>,
        /// Which of them in the month.
        weeks: BTreeSet<WeekOfMonth>,
    },
}

impl DaysOfMonth {
    /// Whether the day is one of them.
    pub fn contain(&self, date: Date) -> bool {
        let (day, last) = (date.day(), date.days_in_month());
        match self {
            Self::Numbered(days) => days.iter().any(|wanted| match wanted {
                MonthDay::Day(number) => day == (*number).min(last),
                MonthDay::Last => day == last,
            }),
            Self::Weekdays { days, weeks } => {
                days.contains(&date.weekday())
                    && weeks.iter().any(|week| match week {
                        WeekOfMonth::Last => day + 7 > last,
                        nth => (day - 1) / 7 == *nth as u8,
                    })
            }
        }
    }

    /// How many days of a month these are at most.
    pub(super) fn count(&self) -> usize {
        match self {
            Self::Numbered(days) => days.len(),
            Self::Weekdays { days, weeks } => days.len() * weeks.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days_of(month: &str, days: &DaysOfMonth) -> Vec<u8> {
        let first: Date = format!("{month}-01").parse().unwrap();
        let all = (0..i32::from(first.days_in_month())).map(|n| first.plus_days(n));
        all.filter(|date| days.contain(*date)).map(Date::day).collect()
    }

    fn weekdays(day: Weekday, weeks: &[WeekOfMonth]) -> DaysOfMonth {
        DaysOfMonth::Weekdays { days: [day].into(), weeks: weeks.iter().copied().collect() }
    }

    #[test]
    fn a_day_that_a_month_does_not_have_is_its_last() {
        let last_by_number = DaysOfMonth::Numbered([MonthDay::Day(31)].into());
        let last = DaysOfMonth::Numbered([MonthDay::Last].into());
        let both = DaysOfMonth::Numbered([MonthDay::Day(30), MonthDay::Day(31)].into());
        for (month, day) in [("2026-02", 28), ("2028-02", 29), ("2026-04", 30), ("2026-12", 31)] {
            assert_eq!(
                (days_of(month, &last_by_number), days_of(month, &last)),
                (vec![day], vec![day]),
                "{month}"
            );
        }
        assert_eq!((days_of("2026-02", &both), days_of("2026-03", &both)), (vec![28], vec![30, 31]));
        // The century that is no leap year, and the one that is.
        assert_eq!((days_of("2100-02", &last), days_of("2000-02", &last)), (vec![28], vec![29]));
    }

    #[test]
    fn the_last_weekday_is_the_fifth_where_there_is_one_and_else_the_fourth() {
        use WeekOfMonth::{First, Fourth, Last};
        // November 2026 has five Sundays and four Saturdays.
        assert_eq!(days_of("2026-11", &weekdays(Weekday::Sunday, &[First, Fourth, Last])), [1, 22, 29]);
        assert_eq!(days_of("2026-11", &weekdays(Weekday::Saturday, &[First, Fourth, Last])), [7, 28]);
        // February 2026 begins on a Sunday and has four of every weekday.
        for weekday in Weekday::ALL {
            assert_eq!(
                days_of("2026-02", &weekdays(weekday, &[Fourth])),
                days_of("2026-02", &weekdays(weekday, &[Last]))
            );
        }
    }

    #[test]
    fn texts_have_one_spelling() {
        for time in ["00:00", "02:30", "23:59"] {
            assert_eq!(time.parse::<TimeOfDay>().unwrap().to_string(), time);
        }
        for wrong in ["", "2:30", "24:00", "12:60", "02:30:00", "+2:30", "0２:30", "02.30", " 02:30"] {
            assert!(wrong.parse::<TimeOfDay>().is_err(), "{wrong}");
        }
        assert_eq!("2028-02-29".parse::<Date>().unwrap().to_string(), "2028-02-29");
        for wrong in
            ["", "2026-02-29", "20261128", "2026-11-28T02:00", "2026-11-28 ", "2026-13-01", "2026-W48-6"]
        {
            assert!(wrong.parse::<Date>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn weeks_begin_on_monday() {
        let date = |text: &str| text.parse::<Date>().unwrap();
        assert_eq!(date("2026-11-28").weekday(), Weekday::Saturday);
        for day in ["2026-11-23", "2026-11-28", "2026-11-29"] {
            assert_eq!(date(day).monday(), date("2026-11-23"));
        }
        assert_eq!(date("2026-11-30").days_since(date("2026-10-31")), 30);
    }
}
