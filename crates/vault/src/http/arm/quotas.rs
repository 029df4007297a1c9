//! Quotas.

use super::place::Manager;
use super::vaults::id_at;
use crate::app::quotas::Quotas;
use crate::app::{App, Error};
use crate::http::extract::Json;
use axum::Json as Answer;
use axum::extract::State;
use stateward_api::arm::PROVIDER;
use stateward_api::arm::quotas as arm;
use std::sync::Arc;

type AppState = State<Arc<App>>;

/// `GET {vault}/stateward/quotas`
pub(in crate::http) async fn get_quotas(
    State(app): AppState,
    manager: Manager,
) -> Result<Answer<arm::Quotas>, Error> {
    let (quotas, usage) = app.quotas(&manager.place).await?;
    let vault = id_at(&app, &manager).await?;
    let servers = usage.into_iter().map(|usage| arm::ServerBytes {
        server: usage.server,
        label: usage.label,
        held_bytes: usage.held,
        sent_today_bytes: usage.sent,
    });
    Ok(Answer(arm::Quotas {
        id: format!("{vault}/stateward/quotas"),
        name: "quotas".to_owned(),
        r#type: format!("{PROVIDER}/vaults/stateward/quotas"),
        properties: arm::QuotasProperties {
            server_quota_bytes: quotas.held_max,
            server_daily_bytes: quotas.daily_max,
            servers: servers.collect(),
        },
    }))
}

/// `PUT {vault}/stateward/quotas`
pub(in crate::http) async fn put_quotas(
    app: AppState,
    manager: Manager,
    Json(request): Json<arm::QuotasRequest>,
) -> Result<Answer<arm::Quotas>, Error> {
    let arm::QuotasProperties { server_quota_bytes, server_daily_bytes, .. } = request.properties;
    let quotas = Quotas { held_max: server_quota_bytes, daily_max: server_daily_bytes };
    app.set_quotas(&manager.actor(), &manager.place, quotas).await?;
    get_quotas(app, manager).await
}

#[cfg(test)]
mod tests {
    use crate::app::testing::TestApp;
    use crate::http::testing::Client;
    use axum::http::Method;
    use serde_json::{Value, json};

    #[tokio::test]
    async fn quotas_are_set_and_shown_and_written_down() {
        let test = TestApp::new().await;
        let client = Client::contributor(&test).await;
        test.server("web-01").await;
        let path = "{V}/stateward/quotas";
        let body = json!({ "properties": { "serverQuotaBytes": 1u64 << 40, "serverDailyBytes": null } });
        let set: Value = client.ok(Method::PUT, path, body).await;
        let properties = &set["properties"];
        assert_eq!(
            (&properties["serverQuotaBytes"], &properties["serverDailyBytes"]),
            (&json!(1u64 << 40), &json!(null))
        );
        assert_eq!(
            (&properties["servers"][0]["label"], &properties["servers"][0]["heldBytes"]),
            (&json!("web-01"), &json!(0))
        );
        let shown: Value = client.ok(Method::GET, path, json!(null)).await;
        assert_eq!(shown, set);
        assert_eq!(test.audit().await.last().unwrap().act, "quotas.set");
        let none: Value = client.ok(Method::PUT, path, json!({ "properties": {} })).await;
        assert_eq!(none["properties"]["serverQuotaBytes"], json!(null));
    }
}
