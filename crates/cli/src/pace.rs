//! The flags that say how much of the machine and of the line a job may take.

use crate::units;
use clap::Args;
use serde_json::{Value, json};
use stateward_agent::jobs::Pace;
use stateward_agent::settings::{Limit, PaceWish};
use std::num::NonZeroU64;

/// The value of a flag that switches something on or off.
pub fn switch(text: &str) -> Result<bool, String> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("it must be `on` or `off`".to_owned()),
    }
}

/// The value of a flag that sets a rate: `off` for no limit.
pub fn limit(text: &str) -> Result<Limit, String> {
    match text {
        "off" => Ok(Limit::Off),
        text => units::parse_rate(text).map(Limit::BytesPerSecond),
    }
}

/// For jobs that talk to a vault.
#[derive(Debug, Clone, Copy, Args)]
pub struct PaceFlags {
    /// Let everything else on this machine go first [default: as in `stateward settings show`]
    #[arg(
        long,
        value_name = "on|off",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "on",
        value_parser = switch
    )]
    low_priority: Option<bool>,
    /// Move at most so many bytes a second to or from the vault, such as `500KB`, `10MB` or `10MiB`; `off` for no limit
    /// [default: as in `stateward settings show`]
    #[arg(long, value_name = "RATE", value_parser = limit)]
    limit_rate: Option<Limit>,
}

impl PaceFlags {
    /// What the flags ask for.
    pub fn wish(&self) -> PaceWish {
        PaceWish { low_priority: self.low_priority, bytes_per_second: self.limit_rate.map(Limit::rate) }
    }
}

/// A pace as an object; `kind` is what the line is.
pub fn object(kind: &str, pace: &Pace) -> Value {
    json!({ "type": kind, "low_priority": pace.low_priority, "limit_rate": pace.bytes_per_second })
}

/// A pace as facts for people, whether or not it limits anything.
pub fn facts(pace: &Pace) -> [(&'static str, String); 2] {
    [
        ("Low priority", switch_text(pace.low_priority)),
        ("Rate", pace.bytes_per_second.map_or_else(|| "no limit".to_owned(), limit_text)),
    ]
}

/// `on` or `off`.
pub fn switch_text(is_on: bool) -> String {
    if is_on { "on" } else { "off" }.to_owned()
}

/// `at most 10 MB/s`.
pub fn limit_text(rate: NonZeroU64) -> String {
    format!("at most {}", units::rate(rate))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        pace: PaceFlags,
    }

    fn wish(flags: &[&str]) -> Option<PaceWish> {
        let line = Line::try_parse_from([&["stateward"], flags].concat());
        line.ok().map(|line| line.pace.wish())
    }

    #[test]
    fn a_flag_switches_on_or_off_and_says_nothing_when_it_is_absent() {
        let of = |low_priority, bytes_per_second| Some(PaceWish { low_priority, bytes_per_second });
        let rate = NonZeroU64::new(10_000_000);
        assert_eq!(wish(&[]), of(None, None));
        assert_eq!(wish(&["--low-priority"]), of(Some(true), None));
        assert_eq!(wish(&["--low-priority=off", "--limit-rate", "10MB"]), of(Some(false), Some(rate)));
        assert_eq!(wish(&["--limit-rate=off"]), of(None, Some(None)));
        assert_eq!(wish(&["--low-priority=maybe"]), None);
        assert_eq!(wish(&["--limit-rate=0"]), None);
    }
}
