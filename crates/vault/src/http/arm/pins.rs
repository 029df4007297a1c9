//! Security PINs.

use super::place::Manager;
use crate::app::{App, Error};
use axum::Json as Answer;
use axum::extract::State;
use stateward_api::arm::pins::SecurityPin;
use stateward_model::Timestamp;
use std::sync::Arc;

/// Ticks of 100 nanoseconds from the beginning of year 1 to that of 1970.
const TICKS_TO_1970: i64 = 621_355_968_000_000_000;

fn ticks(moment: Timestamp) -> i64 {
    TICKS_TO_1970 + moment.0.div_euclid(100)
}

/// `POST {vault}/backupSecurityPIN`
pub(in crate::http) async fn make_pin(
    State(app): State<Arc<App>>,
    manager: Manager,
) -> Result<Answer<SecurityPin>, Error> {
    let made = app.create_pin(&manager.actor(), &manager.place).await?;
    Ok(Answer(SecurityPin {
        token: made.name,
        expiry_time_in_utc_ticks: ticks(made.expires_at),
        security_pin: made.digits,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_those_of_dotnet() {
        // `[DateTime]::Parse("2026-11-03T00:00:00Z").ToUniversalTime().Ticks`
        let moment: Timestamp = "2026-11-03T00:00:00Z".parse().unwrap();
        assert_eq!(ticks(moment), 639_292_608_000_000_000);
    }
}
