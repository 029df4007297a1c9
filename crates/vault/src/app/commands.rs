//! What agents are asked to do: an administrator asks, the agent waits for it, takes it and runs it as the job that was
//! noted when it was asked for. And what it is to do by itself: when its items are backed up.

use super::audit::{Actor, Change};
use super::items::{self, ItemPlace};
use super::principals::Place;
use super::recovery_points::check_retain_until;
use super::tokens::ServerCaller;
use super::{App, Error, vaults};
use crate::db::{self, Scope};
use serde_json::json;
use stateward_api::ErrorCode;
use stateward_api::agent::{
    COMMAND_WAIT_SECONDS_MAX, Command, CommandList, CommandRequest, CommandWait, Timetable,
};
use stateward_model::{CommandId, ComponentName, JobId, OperationId, PointHash, ServerId, Timestamp};
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
        if retain_until.is_some_and(|until| until <= self.now()) {
            return Err(Error::invalid(
                "`recoveryPointExpiryTimeInUTC` must be a time that is still to come",
            ));
        }
        check_retain_until(retain_until, self.now())?;
        let mut transaction = self.write().await?;
        let vault = vaults::find(&mut transaction, place).await?;
        let item = self.find_item(&mut transaction, vault.id, of).await?;
        items::check_takes_backups(&mut transaction, of.0, of.1).await?;
        let request = CommandRequest::Backup { item: of.1, retain_until };
        let job = self.ask(&mut transaction, of.0, request).await?;
        let subject = of.1.to_string();
        let detail = json!({ "server": of.0, "label": item.label, "job": job, "retainUntil": retain_until });
        let change = Change { vault: Some(vault.id), actor, act: "item.backup", subject: &subject, detail };
        self.record(&mut transaction, change).await?;
        let operation = self.note_operation(&mut transaction, vault.id, Some(job)).await?;
        transaction.commit().await?;
        Ok(operation)
    }

    /// Asks a server to lay one of its recovery points, or some components of it, into a new folder below its restore root.
    pub(crate) async fn ask_for_restore(
        &self,
        actor: &Actor,
        place: &Place,
        of: ItemPlace,
        point: PointHash,
        components: Vec<ComponentName>,
    ) -> Result<OperationId, Error> {
        let (server, item) = of;
        let mut transaction = self.write().await?;
        let vault = vaults::find(&mut transaction, place).await?;
        let found = self.find_item(&mut transaction, vault.id, of).await?;
        if found.deleted.is_some() {
            let why = "The item of this recovery point was deleted; have it back first (`isRehydrate`)";
            return Err(Error::refused(ErrorCode::InvalidState, why));
        }
        check_restorable(&mut transaction, of, point).await?;
        let detail = json!({ "server": server, "item": item, "components": components });
        let request = CommandRequest::Restore { item, point, components };
        let job = self.ask(&mut transaction, server, request).await?;
        let detail = json!({ "job": job, "of": detail });
        let subject = point.to_string();
        let act = "recovery-point.restore";
        let change = Change { vault: Some(vault.id), actor, act, subject: &subject, detail };
        self.record(&mut transaction, change).await?;
        let operation = self.note_operation(&mut transaction, vault.id, Some(job)).await?;
        transaction.commit().await?;
        Ok(operation)
    }

    /// Queues a command for a registered server, with the job that is to do it.
    async fn ask(
        &self,
        transaction: &mut db::Write,
        server: ServerId,
        request: CommandRequest,
    ) -> Result<JobId, Error> {
        check_registered(transaction, server).await?;
        self.check_not_waiting(transaction, server, &request).await?;
        let job = self.queue_job(transaction, server, request.item(), request.kind()).await?;
        let made_at = self.now();
        let expires_at = made_at.plus_seconds(TAKEABLE_SECONDS);
        let command = Command { id: CommandId::new(&*self.random), job, made_at, expires_at, request };
        db::commands::insert(transaction, server, &command).await?;
        Ok(job)
    }

    /// Refuses what its agent is asked for already: it would do it twice.
    async fn check_not_waiting(
        &self,
        connection: &mut db::Connection,
        server: ServerId,
        request: &CommandRequest,
    ) -> Result<(), Error> {
        for command in db::commands::waiting(connection, server, self.now()).await? {
            if is_same(&command.request, request) {
                let why = format!(
                    "A {} of this waits for its agent already, as job `{}`; cancel that first to ask for another",
                    request.kind().to_string().to_lowercase(),
                    command.job
                );
                return Err(Error::refused(ErrorCode::InvalidState, why));
            }
        }
        Ok(())
    }

    /// What the calling server is asked to do and has not taken; with the timetable, if it says that it has another. Waits
    /// up to so many seconds for either.
    pub(crate) async fn commands(
        &self,
        caller: ServerCaller,
        wait: &CommandWait,
    ) -> Result<CommandList, Error> {
        let mut transaction = self.write_in(Scope::Domain(caller.domain)).await?;
        db::servers::see(&mut transaction, caller.server, self.now()).await?;
        self.note_agent(&mut transaction, caller, wait.agent_version.as_deref()).await?;
        transaction.commit().await?;
        let mut looks_left = wait.wait_seconds.min(COMMAND_WAIT_SECONDS_MAX);
        loop {
            let mut connection = self.database.read().await?;
            let commands = db::commands::waiting(&mut connection, caller.server, self.now()).await?;
            let timetable = match &wait.timetable {
                Some(known) => {
                    let timetable = timetable(&mut connection, caller.server).await?;
                    Some(timetable).filter(|timetable| timetable.version != *known)
                }
                None => None,
            };
            drop(connection);
            let is_over = looks_left == 0 || self.is_stopping.load(Ordering::Relaxed);
            if !commands.is_empty() || timetable.is_some() || is_over {
                return Ok(CommandList { commands, timetable });
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

/// Whether doing both would do the same thing twice. Until when a backup is kept makes no other backup of it.
fn is_same(one: &CommandRequest, other: &CommandRequest) -> bool {
    use CommandRequest::Backup;
    match (one, other) {
        (Backup { item: one, .. }, Backup { item: other, .. }) => one == other,
        (one, other) => one == other,
    }
}

/// Refuses a recovery point that is not the item's, or can't be restored from any more.
async fn check_restorable(
    connection: &mut db::Connection,
    (server, item): ItemPlace,
    hash: PointHash,
) -> Result<(), Error> {
    let points = db::recovery_points::of_item(connection, server, item).await?;
    let point = points.iter().find(|point| point.hash == hash && !point.is_purged);
    match point.ok_or_else(|| Error::not_found(format!("recovery point `{hash}`")))?.expired {
        None => Ok(()),
        Some(_) => {
            let why = format!("The recovery point `{hash}` has expired; have it back first (`undelete`)");
            Err(Error::refused(ErrorCode::InvalidState, why))
        }
    }
}

/// When a server's items are backed up by themselves.
async fn timetable(connection: &mut db::Connection, server: ServerId) -> Result<Timetable, Error> {
    let items = db::timetables::of_server(connection, server).await?;
    let text = serde_json::to_vec(&items).unwrap_or_default();
    let version = blake3::hash(&text).to_hex()[..32].to_owned();
    Ok(Timetable { version, items })
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
