//! Lets go of packs whose other parts do not come.

use crate::app::App;
use std::sync::Arc;
use std::time::Duration;

/// How often they are looked for.
const CHECK: Duration = Duration::from_secs(15);

pub(super) async fn run(app: Arc<App>) {
    let mut checks = tokio::time::interval(CHECK);
    loop {
        checks.tick().await;
        app.assemblies.sweep(app.now());
    }
}
