//! Quotas: how many bytes of packs each server of a vault may hold, and send within a day. They keep one server from filling
//! the vault for the others.
//!
//! A pack is counted when it is announced, once, in the transaction that announces it; what is counted is refused if a quota
//! would be passed. Nothing else is: what was sent can always be committed, and all of it restored.

use super::audit::{Actor, Change};
use super::principals::Place;
use super::tokens::ServerCaller;
use super::{App, Error, vaults};
pub(crate) use crate::db::quotas::Quotas;
use crate::db::quotas::ServerUsage;
use crate::db::{self, Write};
use serde_json::json;
use stateward_api::ErrorCode;
use stateward_model::Timestamp;

const DAY_SECONDS: i64 = 86_400;

/// The largest quota that a database can hold, in bytes.
const QUOTA_MAX: u64 = i64::MAX.unsigned_abs();

/// Days since 1970, in UTC.
fn day_of(moment: Timestamp) -> i64 {
    moment.seconds().div_euclid(DAY_SECONDS)
}

impl App {
    /// The quotas of a vault, and what its servers hold and sent today.
    pub(crate) async fn quotas(&self, place: &Place) -> Result<(Quotas, Vec<ServerUsage>), Error> {
        let mut connection = self.database.read().await?;
        let vault = vaults::find(&mut connection, place).await?;
        let quotas = db::quotas::find(&mut connection, vault.id).await?;
        Ok((quotas, db::quotas::usage(&mut connection, vault.id, day_of(self.now())).await?))
    }

    /// Sets the quotas of a vault.
    pub(crate) async fn set_quotas(&self, actor: &Actor, place: &Place, quotas: Quotas) -> Result<(), Error> {
        for quota in [quotas.held_max, quotas.daily_max].into_iter().flatten() {
            if !(1..=QUOTA_MAX).contains(&quota) {
                return Err(Error::invalid("A quota is a count of bytes above 0, or `null` for none"));
            }
        }
        let mut transaction = self.write().await?;
        let vault = vaults::find(&mut transaction, place).await?;
        let before = db::quotas::find(&mut transaction, vault.id).await?;
        if before == quotas {
            return Ok(());
        }
        db::quotas::set(&mut transaction, vault.id, quotas).await?;
        let shown = |quotas: Quotas| json!({ "serverQuotaBytes": quotas.held_max, "serverDailyBytes": quotas.daily_max });
        let detail = json!({ "before": shown(before), "after": shown(quotas) });
        let subject = vault.name.as_str();
        self.record(
            &mut transaction,
            Change { vault: Some(vault.id), actor, act: "quotas.set", subject, detail },
        )
        .await?;
        Ok(transaction.commit().await?)
    }

    /// Counts a pack that was just announced, or refuses it; then the transaction must be dropped.
    pub(super) async fn count_pack(
        &self,
        transaction: &mut Write,
        caller: ServerCaller,
        bytes: u32,
    ) -> Result<(), Error> {
        let day = day_of(self.now());
        if db::quotas::count(transaction, caller.server, day, bytes).await? {
            return Ok(());
        }
        let quotas = db::quotas::find(transaction, caller.vault).await?;
        let usage = db::quotas::usage(transaction, caller.vault, day).await?;
        let used = usage.into_iter().find(|usage| usage.server == caller.server);
        let (held, sent) = used.map_or((0, 0), |used| (used.held, used.sent));
        let bytes = u64::from(bytes);
        let passed = [
            (quotas.held_max, held, "may hold", "holds"),
            (quotas.daily_max, sent, "may send within a day (UTC)", "has sent"),
        ];
        let why = passed.into_iter().find_map(|(most, used, may, does)| {
            let most = most.filter(|most| used.saturating_add(bytes) > *most)?;
            Some(format!(
                "Each server of this vault {may} {most} bytes in packs, and this one {does} {used} and would need {bytes} more; \
                 a Backup Contributor can change it (`PUT …/stateward/quotas`)"
            ))
        });
        let why = why.ok_or(Error::Internal("a pack was not counted, and no quota forbids it".into()))?;
        tracing::warn!(server = %caller.server, why, "refused a pack");
        Err(Error::refused(ErrorCode::QuotaExceeded, why))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::testing::{TestApp, TestServer, open_request};
    use futures::future::join_all;
    use stateward_model::{PackId, SessionId};
    use std::sync::Arc;

    const SESSION: SessionId = SessionId([1; 16]);

    async fn server(test: &TestApp) -> TestServer {
        let server = test.server("web-01").await;
        test.app.open_session(server.caller, &open_request(1)).await.unwrap();
        server
    }

    async fn set(test: &TestApp, held_max: Option<u64>, daily_max: Option<u64>) {
        let quotas = Quotas { held_max, daily_max };
        test.app.set_quotas(&Actor::Task("test"), &test.place(), quotas).await.unwrap();
    }

    /// Why a pack was refused for a quota, if it was.
    fn is_over(result: &Result<bool, Error>) -> Option<&str> {
        match result {
            Ok(_) => None,
            Err(Error::Refused { code: ErrorCode::QuotaExceeded, message }) => Some(message),
            Err(other) => panic!("{other}"),
        }
    }

    #[tokio::test]
    async fn a_server_holds_no_more_than_it_may_and_others_are_not_held_back() {
        let test = TestApp::new().await;
        let server = server(&test).await;
        set(&test, Some(25), None).await;
        let first = test.put_pack(&server, SESSION, b"ten bytes.").await;
        test.put_pack(&server, SESSION, b"ten more..").await;
        let refused = test.try_put(&server, SESSION, b"six...").await;
        let why = is_over(&refused).unwrap();
        for part in ["may hold 25 bytes", "holds 20", "6 more", "Backup Contributor"] {
            assert!(why.contains(part), "{why}");
        }
        // What is there can be put again and counts once, what fits can be put, and what was put can be committed.
        assert!(!test.try_put(&server, SESSION, b"ten bytes.").await.unwrap());
        test.put_pack(&server, SESSION, b"five.").await;
        assert!(is_over(&test.try_put(&server, SESSION, b"1").await).is_some());
        let point = server.point(1, None, &[first], |_| {});
        test.app.commit_point(server.caller, SESSION, point).await.unwrap();
        let other = test.server("web-02").await;
        test.app.open_session(other.caller, &open_request(2)).await.unwrap();
        test.try_put(&other, SessionId([2; 16]), b"of another server").await.unwrap();
        let (_, usage) = test.app.quotas(&test.place()).await.unwrap();
        assert_eq!(usage.iter().map(|usage| usage.held).collect::<Vec<_>>(), [25, 17]);
        set(&test, None, None).await;
        assert!(is_over(&test.try_put(&server, SESSION, b"1").await).is_none());
    }

    #[tokio::test]
    async fn each_day_has_its_own_count() {
        let test = TestApp::new().await;
        let server = server(&test).await;
        set(&test, None, Some(10)).await;
        test.put_pack(&server, SESSION, b"ten bytes.").await;
        let refused = test.try_put(&server, SESSION, b"next").await;
        let why = is_over(&refused).unwrap();
        assert!(why.contains("within a day") && why.contains("has sent 10"), "{why}");
        test.clock.advance(DAY_SECONDS);
        // Its lease ran out with the day.
        test.app.open_session(server.caller, &open_request(3)).await.unwrap();
        assert!(is_over(&test.try_put(&server, SessionId([3; 16]), b"next").await).is_none());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn two_processes_count_as_one() {
        let test = TestApp::new().await;
        let other = test.beside().await;
        let server = server(&test).await;
        set(&test, Some(100), None).await;
        let mut puts = Vec::new();
        for number in 0..20u8 {
            let app = if number % 2 == 0 { Arc::clone(&test.app) } else { Arc::clone(&other) };
            let bytes = [number; 10];
            let (received, caller) = (test.received(&bytes).await, server.caller);
            let id = PackId(*blake3::hash(&bytes).as_bytes());
            puts.push(tokio::spawn(async move { app.put_pack(caller, SESSION, id, received).await }));
        }
        let results = join_all(puts).await;
        let taken = results.into_iter().filter(|result| is_over(result.as_ref().unwrap()).is_none()).count();
        assert_eq!(taken, 10);
        let (_, usage) = test.app.quotas(&test.place()).await.unwrap();
        assert_eq!(usage[0].held, 100);
    }

    #[tokio::test]
    async fn quotas_that_cannot_be_are_refused() {
        let test = TestApp::new().await;
        for wrong in [0, QUOTA_MAX + 1] {
            let quotas = Quotas { held_max: Some(wrong), daily_max: None };
            let refused = test.app.set_quotas(&Actor::Task("test"), &test.place(), quotas).await;
            assert!(matches!(refused, Err(Error::InvalidRequest(_))), "{wrong}");
        }
    }
}
