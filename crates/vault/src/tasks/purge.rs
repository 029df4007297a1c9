//! Purges items that were deleted and can't be had back any more, and forgets old operations. A deleted vault needs nothing
//! of the kind: all its items were deleted before it was.

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
        if let Err(error) = app.purge().await {
            tracing::error!(error = %chain(&error), "what was deleted can't be purged");
        }
    }
}
