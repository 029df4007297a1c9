//! Until when a recovery point that is made on demand is to be kept.

use clap::Args;
use stateward_model::Timestamp;
use stateward_model::policy::Date;

/// The flag.
#[derive(Debug, Clone, Copy, Args)]
pub struct RetainFlag {
    /// Keep the recovery points at least to the end of that day (UTC), or until that moment; never less than 7 days
    #[arg(long = "retain-until", value_name = "DATE", value_parser = moment)]
    pub until: Option<Timestamp>,
}

/// Reads `2027-01-31`, all of that day, or a moment as in RFC 3339.
fn moment(text: &str) -> Result<Timestamp, String> {
    if let Ok(date) = text.parse::<Date>() {
        let begins: Timestamp = format!("{date}T00:00:00Z").parse().map_err(|_| too_far(text))?;
        return Ok(begins.plus_seconds(86_400));
    }
    text.parse().map_err(|_| {
        format!("`{text}` is no date such as 2027-01-31 and no time such as 2027-01-31T18:00:00Z")
    })
}

fn too_far(text: &str) -> String {
    format!("`{text}` is further away than time is counted here; choose a year before 2262")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_meant_to_its_end_and_a_moment_as_it_is() {
        let read = |text: &str| moment(text).map(|moment| moment.to_string());
        assert_eq!(read("2027-01-31").as_deref(), Ok("2027-02-01T00:00:00Z"));
        assert_eq!(read("2027-01-31T18:00:00+01:00").as_deref(), Ok("2027-01-31T17:00:00Z"));
        for wrong in ["", "soon", "2027-02-29", "31.1.2027", "2027-01-31T18:00", "9999-01-01"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
