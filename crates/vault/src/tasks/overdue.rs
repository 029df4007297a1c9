//! Tells of backups that should have come and did not.

use crate::app::App;
use crate::causes::chain;
use std::sync::Arc;
use std::time::Duration;

/// How often they are looked for.
const CHECK: Duration = Duration::from_secs(300);

pub(super) async fn run(app: Arc<App>) {
    let mut checks = tokio::time::interval(CHECK);
    loop {
        checks.tick().await;
        if let Err(error) = app.look_for_overdue().await {
            tracing::error!(error = %chain(&error), "overdue backups were not looked for");
        }
    }
}
