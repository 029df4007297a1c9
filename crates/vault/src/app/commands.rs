//! What agents are asked to do: an administrator asks, the agent waits for it, takes it and runs it as the job that was
//! noted when it was asked for.

use super::audit::{Actor, Change};
use super::items::{self, ItemPlace};
use super::principals::Place;
use super::tokens::ServerCaller;
use super::{App, Error, vaults};
use crate::db::{self, Scope};
use serde_json::json;
use stateward_api::ErrorCode;
use stateward_api::agent::{COMMAND_WAIT_SECONDS_MAX, Command, CommandRequest};
use stateward_model::{CommandId, JobKind, OperationId, ServerId, Timestamp};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// How long a command may be taken, in seconds: a day.
const TAKEABLE_SECONDS: i64 = 86_400;

/// How often the database is asked while an agent waits: another process may have the command that it waits for.
const LOOK_EVERY: Duration = Duration::from_secs(1);

impl App {
    /// Asks a server for a backup of an item, to be kept until a time.
    pub(crate) async fn ask_for_backup(
        &self,
        actor: &Actor,
        place: &Place,
        of: ItemPlace,
        retain_until: Option<Timestamp>,
    ) -> Result<OperationId, Error> {
        let (server, id) = of;
        let now = self.now();
        if retain_until.is_some_and(|until| until <= now) {
            return Err(Error::invalid(
                "`recoveryPointExpiryTimeInUTC` must be a time that is still to come",
            ));
        }
        let mut transaction = self.write().await?;
        let vault = vaults::find(&mut transaction, place).await?;
        let item = self.find_item(&mut transaction, vault.id, of).await?;
        items::check_takes_backups(&mut transaction, server, id).await?;
        check_registered(&mut transaction, server).await?;
        let request = CommandRequest::Backup { item: id, retain_until };
        self.check_not_waiting(&mut transaction, server, &request).await?;
        let job = self.queue_job(&mut transaction, server, id, JobKind::Backup).await?;
        let expires_at = now.plus_seconds(TAKEABLE_SECONDS);
        let command = Command { id: CommandId::new(&*self.random), job, made_at: now, expires_at, request };
        db::commands::insert(&mut transaction, server, &command).await?;
        let subject = id.to_string();
        let detail =
            json!({ "server": server, "label": item.label, "job": job, "retainUntil": retain_until });
        let change = Change { vault: Some(vault.id), actor, act: "item.backup", subject: &subject, detail };
        self.record(&mut transaction, change).await?;
        let operation = self.note_operation(&mut transaction, vault.id, Some(job)).await?;
        transaction.commit().await?;
        Ok(operation)
    }

    /// Refuses what its agent is asked for already: it would do it twice.
    async fn check_not_waiting(
        &self,
        connection: &mut db::Connection,
        server: ServerId,
        request: &CommandRequest,
    ) -> Result<(), Error> {
        let CommandRequest::Backup { item: asked, .. } = request;
        for command in db::commands::waiting(connection, server, self.now()).await? {
            let CommandRequest::Backup { item, .. } = command.request;
            if item == *asked {
                let why = format!(
                    "A backup of this item waits for its agent already, as job `{}`; cancel that first to ask for another",
                    command.job
                );
                return Err(Error::refused(ErrorCode::InvalidState, why));
            }
        }
        Ok(())
    }

    /// What the calling server is asked to do and has not taken. Waits up to so many seconds for the first.
    pub(crate) async fn commands(
        &self,
        caller: ServerCaller,
        wait_seconds: u32,
    ) -> Result<Vec<Command>, Error> {
        let mut transaction = self.write_in(Scope::Domain(caller.domain)).await?;
        db::servers::see(&mut transaction, caller.server, self.now()).await?;
        transaction.commit().await?;
        let mut looks_left = wait_seconds.min(COMMAND_WAIT_SECONDS_MAX);
        loop {
            let mut connection = self.database.read().await?;
            let waiting = db::commands::waiting(&mut connection, caller.server, self.now()).await?;
            drop(connection);
            let is_over = looks_left == 0 || self.is_stopping.load(Ordering::Relaxed);
            if !waiting.is_empty() || is_over {
                return Ok(waiting);
            }
            looks_left -= 1;
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Gives a command to the calling server, which is to run it now.
    pub(crate) async fn take_command(&self, caller: ServerCaller, id: CommandId) -> Result<Command, Error> {
        let now = self.now();
        let mut transaction = self.write_in(Scope::Domain(caller.domain)).await?;
        let found = db::commands::find(&mut transaction, caller.server, id).await?;
        let kept = found.ok_or_else(|| Error::not_found(format!("command `{id}`")))?;
        if kept.is_taken {
            return Ok(kept.command);
        }
        if kept.command.expires_at <= now {
            let why = format!("The command `{id}` was to be taken until {}", kept.command.expires_at);
            return Err(Error::refused(ErrorCode::InvalidState, why));
        }
        db::commands::take(&mut transaction, id, now).await?;
        db::jobs::see(&mut transaction, (caller.server, kept.command.job), now).await?;
        transaction.commit().await?;
        Ok(kept.command)
    }
}

/// Refuses a server that is not registered any more: nobody would come for the command.
async fn check_registered(connection: &mut db::Connection, server: ServerId) -> Result<(), Error> {
    match db::servers::find(connection, server).await?.is_some_and(|known| !known.is_revoked) {
        true => Ok(()),
        false => Err(Error::refused(
            ErrorCode::InvalidState,
            "The server of this item was unregistered, so that nothing can be asked of it",
        )),
    }
}

#[cfg(test)]
mod tests;
