//! Takes the reserve back when there is space again.

use crate::app::App;
use std::sync::Arc;
use std::time::Duration;

/// How often it is tried.
const CHECK: Duration = Duration::from_secs(15);

pub(super) async fn run(app: Arc<App>) {
    let mut checks = tokio::time::interval(CHECK);
    loop {
        checks.tick().await;
        let reserve = Arc::clone(&app.reserve);
        // A panic in it was told where it happened.
        let _ = tokio::task::spawn_blocking(move || reserve.keep()).await;
    }
}
