//! The latest moment that the vault has seen.

use super::query::query;
use super::{Connection, Error};
use stateward_model::Timestamp;
use stateward_model::policy::expiry::HighWater;

/// It, if it was ever written down.
pub(crate) async fn find(connection: &mut Connection) -> Result<Option<HighWater>, Error> {
    let row: Option<(i64,)> = query("SELECT moment FROM high_water").fetch_optional(connection).await?;
    Ok(row.map(|(moment,)| HighWater(Timestamp(moment))))
}

/// Writes it down.
pub(crate) async fn put(connection: &mut Connection, high_water: HighWater) -> Result<(), Error> {
    query(
        "INSERT INTO high_water (one, moment) VALUES (1, $1) ON CONFLICT (one) DO UPDATE SET moment = excluded.moment",
    )
    .bind(high_water.0.0)
    .execute(connection)
    .await?;
    Ok(())
}
