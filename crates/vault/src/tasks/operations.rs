//! Forgets old operations.

use crate::app::App;
use crate::causes::chain;
use std::sync::Arc;
use std::time::Duration;

/// How often they are looked for.
const CHECK: Duration = Duration::from_secs(600);

pub(super) async fn run(app: Arc<App>) {
    let mut checks = tokio::time::interval(CHECK);
    loop {
        checks.tick().await;
        if let Err(error) = app.forget_operations().await {
            tracing::error!(error = %chain(&error), "old operations can't be forgotten");
        }
    }
}
