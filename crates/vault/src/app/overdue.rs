//! Backups that should have come and did not: told by the vault, since an agent that is gone tells nothing.

use super::alerts::{NewAlert, Severity};
use super::{App, Error};
use crate::db;
use crate::db::overdue::Scheduled;
use stateward_model::policy::Run;
use stateward_model::{Timestamp, VaultId};
use std::collections::{BTreeMap, BTreeSet};

/// The alert's kind. Its subject is the item's id.
const KIND: &str = "backup-overdue";

/// So long after its time a backup may end, in seconds: it may wait for another item's, and take its time.
const GRACE_SECONDS: i64 = 4 * 3600;

/// An agent that reports that a backup goes on is waited for, as long as its last word is no older than this, in seconds.
const SIGN_SECONDS: i64 = 120;

impl App {
    /// Raises an alert for each item whose backup is overdue, and closes those of items whose is not any more.
    pub(crate) async fn look_for_overdue(&self) -> Result<(), Error> {
        let now = self.now();
        let mut connection = self.database.read().await?;
        let scheduled = db::overdue::scheduled(&mut connection).await?;
        let told = db::alerts::open_subjects(&mut connection, KIND).await?;
        drop(connection);
        let overdue: BTreeMap<(VaultId, String), (&Scheduled, Run)> = scheduled
            .iter()
            .filter_map(|item| Some(((item.vault, item.item.to_string()), (item, missed(item, now)?))))
            .collect();
        let is_told = |of: &(VaultId, String)| told.contains(of);
        let over: BTreeSet<_> = told.iter().filter(|of| !overdue.contains_key(*of)).collect();
        if over.is_empty() && overdue.keys().all(is_told) {
            return Ok(());
        }
        let mut transaction = self.write().await?;
        for (vault, subject) in over {
            self.resolve(&mut transaction, *vault, KIND, subject).await?;
        }
        for ((vault, subject), (item, run)) in overdue.iter().filter(|(of, _)| !is_told(of)) {
            let (vault, severity) = (*vault, Severity::Error);
            let new = NewAlert { vault, severity, kind: KIND, subject, message: message(item, run) };
            self.raise(&mut transaction, new).await?;
        }
        Ok(transaction.commit().await?)
    }
}

/// The last run of an item of which nothing came, though it had its time.
fn missed(item: &Scheduled, now: Timestamp) -> Option<Run> {
    let goes_on = item.last_sign.is_some_and(|sign| now <= sign.plus_seconds(SIGN_SECONDS));
    let run = item.policy.schedule().last_until(now.plus_seconds(-GRACE_SECONDS))?;
    let is_done = item.last_point.is_some_and(|point| point >= run.at);
    (!goes_on && !is_done && run.at > item.since).then_some(run)
}

fn message(item: &Scheduled, run: &Run) -> String {
    let last = match item.last_point {
        Some(at) => format!("its last recovery point is of {at}"),
        None => "it has no recovery point".to_owned(),
    };
    format!(
        "The item `{}` of the server `{}` was to be backed up at {}, and nothing came: {last}. See that the server runs, that \
         `stateward agent run` runs there, and what `stateward job list` says there",
        item.label, item.server_label, run.at
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::audit::Actor;
    use crate::app::jobs::report_of;
    use crate::app::testing::{TestApp, TestServer, open_request, policy};
    use stateward_model::{JobId, JobState, PointHash, SessionId};

    const DAY: i64 = 86_400;

    async fn protected(test: &TestApp) -> TestServer {
        let server = test.server("web-01").await;
        test.app.put_policy(&Actor::Console, &test.place(), "daily", policy(30, None), None).await.unwrap();
        test.give_policy(&server, "daily").await;
        server
    }

    /// Whether each alert is open, the newest first.
    async fn alerts(test: &TestApp) -> Vec<bool> {
        test.app.look_for_overdue().await.unwrap();
        test.alerts().await.iter().filter(|a| a.kind == KIND).map(|a| a.resolved_at.is_none()).collect()
    }

    async fn back_up(
        test: &TestApp,
        server: &TestServer,
        number: u8,
        before: Option<PointHash>,
    ) -> PointHash {
        test.app.open_session(server.caller, &open_request(number)).await.unwrap();
        let point = server.point(u64::from(number), before, &[], |_| {});
        let hash = stateward_format::point::hash(&point);
        let session = SessionId([number; 16]);
        test.app.commit_point(server.caller, session, point).await.unwrap();
        test.app.close_session(server.caller, session).await.unwrap();
        hash
    }

    #[tokio::test]
    async fn a_backup_that_does_not_come_is_told_once_and_closed_when_it_comes() {
        let test = TestApp::new().await;
        let server = protected(&test).await;
        // Its first run is still to come, and then still within its time.
        assert!(alerts(&test).await.is_empty());
        test.clock.advance(DAY + GRACE_SECONDS);
        assert_eq!(alerts(&test).await, [true]);
        assert_eq!(alerts(&test).await, [true]);
        let told = test.alerts().await;
        assert!(
            told[0].message.contains("web-01") && told[0].message.contains("no recovery point"),
            "{told:?}"
        );
        let first = back_up(&test, &server, 1, None).await;
        assert_eq!(alerts(&test).await, [false]);
        // It stays so until the next one does not come.
        test.clock.advance(2 * DAY + GRACE_SECONDS);
        assert_eq!(alerts(&test).await, [true, false]);
        back_up(&test, &server, 2, Some(first)).await;
        assert_eq!(alerts(&test).await, [false, false]);
    }

    #[tokio::test]
    async fn nobody_is_told_of_what_goes_on_or_is_not_to_come() {
        let test = TestApp::new().await;
        let server = protected(&test).await;
        test.clock.advance(DAY + GRACE_SECONDS);
        let report = report_of(JobId([7; 16]), server.item, JobState::Running, test.app.now());
        test.app.put_job(server.caller, report.job, &report).await.unwrap();
        assert!(alerts(&test).await.is_empty());
        test.clock.advance(SIGN_SECONDS + 1);
        assert_eq!(alerts(&test).await, [true], "its agent fell silent");
        let of = (server.caller.server, server.item);
        test.app.delete_item(&Actor::Console, &test.place(), of).await.unwrap();
        assert_eq!(alerts(&test).await, [false]);
    }
}
