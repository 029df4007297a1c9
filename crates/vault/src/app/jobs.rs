//! Jobs, as agents report them.

use super::tokens::ServerCaller;
use super::{App, Error};
use crate::db::{self, Scope};
use stateward_api::admin::Job;
use stateward_api::agent::JobReport;
use stateward_model::{JobId, Label};

/// How many jobs are listed: the newest.
const LISTED_JOBS: u32 = 1000;

/// The longest error code, in bytes.
const CODE_BYTES_MAX: usize = 64;

impl App {
    /// Takes a report. Names must stay on the server, so an error's code may look like a code only.
    pub(crate) async fn put_job(
        &self,
        caller: ServerCaller,
        job: JobId,
        report: &JobReport,
    ) -> Result<(), Error> {
        if report.job != job {
            return Err(Error::invalid("The report is of another job"));
        }
        if report.error_code.as_deref().is_some_and(|code| !is_code(code)) {
            return Err(Error::invalid("An error's code has 1 to 64 letters, digits and `-`"));
        }
        let now = self.now();
        let mut transaction = self.write_in(Scope::Domain(caller.domain)).await?;
        db::jobs::upsert(&mut transaction, caller.server, report, now).await?;
        db::servers::see(&mut transaction, caller.server, now).await?;
        Ok(transaction.commit().await?)
    }

    /// The newest jobs of a vault.
    pub(crate) async fn jobs(&self, vault: &Label) -> Result<Vec<Job>, Error> {
        let vault = self.vault(vault).await?;
        Ok(db::jobs::list(&mut *self.database.read().await?, vault.id, LISTED_JOBS).await?)
    }
}

fn is_code(code: &str) -> bool {
    (1..=CODE_BYTES_MAX).contains(&code.len())
        && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::testing::TestApp;
    use stateward_model::{JobKind, JobState, Phase, Timestamp};

    fn report(number: u8, state: JobState) -> JobReport {
        JobReport {
            job: JobId([number; 16]),
            kind: JobKind::Backup,
            item: None,
            state,
            phase: Phase::Transferring,
            started_at: Timestamp(i64::from(number)),
            ended_at: None,
            files: 3,
            bytes: 4,
            moved_bytes: 5,
            warnings: 0,
            error_code: Some("disk-full".to_owned()),
            point: None,
        }
    }

    #[tokio::test]
    async fn a_job_that_ended_stays_ended_and_the_newest_comes_first() {
        let test = TestApp::new().await;
        let caller = test.server("web-01").await.caller;
        for (number, state) in
            [(1, JobState::Running), (1, JobState::Failed), (1, JobState::Running), (2, JobState::Running)]
        {
            test.app.put_job(caller, JobId([number; 16]), &report(number, state)).await.unwrap();
        }
        let jobs = test.app.jobs(&test.vault).await.unwrap();
        let states: Vec<_> = jobs.iter().map(|job| (job.report.job.0[0], job.report.state)).collect();
        assert_eq!(states, [(2, JobState::Running), (1, JobState::Failed)]);
    }

    #[tokio::test]
    async fn a_report_with_a_name_in_it_is_refused() {
        let test = TestApp::new().await;
        let caller = test.server("web-01").await.caller;
        let mut wrong = report(1, JobState::Failed);
        wrong.error_code = Some("/etc/shadow".to_owned());
        let refused = test.app.put_job(caller, wrong.job, &wrong).await;
        assert!(matches!(refused, Err(Error::InvalidRequest(_))));
        let other = test.app.put_job(caller, JobId([9; 16]), &report(1, JobState::Failed)).await;
        assert!(matches!(other, Err(Error::InvalidRequest(_))));
    }
}
