//! The engine's vault store over HTTP: one registered server's things at one vault (`api::agent`).

use crate::AGENT;
use crate::call::{Answer, Body, Call, CallError};
use crate::connection::Connection;
use crate::connection_test::seconds_ahead;
use crate::download::DownloadError;
use crate::parts;
use crate::retry::Manner;
use crate::session::{HttpSession, SessionKeeper};
use bytes::Bytes;
use stateward_api::agent::{
    Command, CommandList, DeleteRequest, ItemRequest, JobAnswer, JobReport, KeepSlotRequest, ListedPoint,
    OfferedPackage, PACK_BYTES_MAX, PackageList, PointList, ServerInfo, SlotList, StopRequest,
};
use stateward_api::credentials::decode_bytes;
use stateward_engine::{PointSummary, SessionRequest, VaultError, VaultRead, VaultSession, VaultStore};
use stateward_format::point::{POINT_BYTES_MAX, PackReference};
use stateward_format::slot::{self, SLOT_BYTES_MAX};
use stateward_model::{CommandId, ItemId, ItemKind, Label, PackageStatement, SlotHash, StopKeeps, VaultId};
use std::fs::File;
use std::ops::Range;
use std::sync::Arc;

/// The longest list of packs that is taken, in bytes: two million packs.
pub(crate) const LIST_BYTES_MAX: usize = 256 << 20;

/// The longest list of recovery points that is taken, in bytes: three hundred thousand.
const POINT_LIST_BYTES_MAX: usize = 64 << 20;

/// The longest list of key slots that is taken, in bytes: some thousands. An empty one has three bytes there and many times
/// as many in memory, so that a longer list could be made to take all of it.
pub(crate) const SLOT_LIST_BYTES_MAX: usize = 4 << 20;

/// The longest list of packages that is taken, in bytes: a thousand.
const PACKAGE_LIST_BYTES_MAX: usize = 1 << 20;

/// The longest receipt that is taken, in bytes; today's have 152.
pub(crate) const RECEIPT_BYTES_MAX: usize = 4096;

/// A vault over HTTP, for one registered server.
pub struct HttpVault {
    connection: Arc<Connection>,
    keeper: Arc<dyn SessionKeeper>,
    server: ServerInfo,
    clock_ahead: Option<i64>,
}

impl HttpVault {
    /// Signs in over a connection with a server's identity, and makes sure that the vault is the one that the server
    /// is registered with. This first call is given up after five seconds, however patient those after it are.
    ///
    /// # Errors
    /// [`VaultError::WrongVault`] if it is another; [`VaultError::NotRegistered`] if it does not know the server;
    /// [`VaultError::ClockSkew`]; what any call may fail with.
    pub fn connect(
        connection: Connection,
        expected: VaultId,
        keeper: Arc<dyn SessionKeeper>,
    ) -> Result<Self, VaultError> {
        let first = connection.manner().at_first();
        Self::connect_in(connection, first, expected, keeper)
    }

    /// The same with a first call that is as patient as those after it.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub fn connect_patiently(
        connection: Connection,
        expected: VaultId,
        keeper: Arc<dyn SessionKeeper>,
    ) -> Result<Self, VaultError> {
        let first = connection.manner().clone();
        Self::connect_in(connection, first, expected, keeper)
    }

    fn connect_in(
        connection: Connection,
        first: Manner,
        expected: VaultId,
        keeper: Arc<dyn SessionKeeper>,
    ) -> Result<Self, VaultError> {
        let call = Call::get("/agent/v1/server").in_manner(first);
        let before = connection.clock().now();
        let answer = send(&connection, &call, || "server of this id".to_owned())?;
        let after = connection.clock().now();
        let clock_ahead = answer.date.map(|vault| seconds_ahead(before, after, vault));
        let server: ServerInfo = answer.json()?;
        if server.vault != expected {
            let words = format!("this server is registered with {expected}, and {} answered", server.vault);
            return Err(VaultError::WrongVault(words));
        }
        Ok(Self { connection: Arc::new(connection), keeper, server, clock_ahead })
    }

    /// By how many seconds this machine's clock was ahead of the vault's when it signed in, if the vault told its own.
    pub fn clock_ahead_seconds(&self) -> Option<i64> {
        self.clock_ahead
    }

    /// What the vault said of this server when it signed in.
    pub fn server(&self) -> &ServerInfo {
        &self.server
    }

    /// Makes a protected item known, or changes its label.
    ///
    /// # Errors
    /// What any call may fail with.
    pub fn put_item(&self, item: ItemId, label: &Label, kind: ItemKind) -> Result<(), VaultError> {
        let call =
            Call::put(format!("/agent/v1/items/{item}")).json(&ItemRequest { label: label.clone(), kind });
        self.send(&call, || format!("item {item}")).map(drop)
    }

    /// Stops an item's backups, or changes what becomes of its recovery points then. The security PIN is good once.
    ///
    /// # Errors
    /// What any call may fail with; the vault's refusal, if the PIN is wrong or there is no such item.
    pub fn stop_item(&self, item: ItemId, keeps: StopKeeps, security_pin: String) -> Result<(), CallError> {
        let call = Call::post(format!("/agent/v1/items/{item}/stop"));
        self.connection.call(&call.json(&StopRequest { security_pin, keeps })).map(drop)
    }

    /// Deletes an item with its recovery points, which can be had back at the vault. The security PIN is good once.
    ///
    /// # Errors
    /// As [`Self::stop_item`].
    pub fn delete_item(&self, item: ItemId, security_pin: String) -> Result<(), CallError> {
        let call = Call::post(format!("/agent/v1/items/{item}/delete"));
        self.connection.call(&call.json(&DeleteRequest { security_pin })).map(drop)
    }

    /// Retires the key slots of the server's passphrases of an epoch but that one. The security PIN is good once.
    ///
    /// # Errors
    /// As [`Self::stop_item`].
    pub fn keep_slot(&self, epoch: u32, slot: SlotHash, security_pin: String) -> Result<(), CallError> {
        let call = Call::post(format!("/agent/v1/slots/{epoch}/{slot}/keep"));
        self.connection.call(&call.json(&KeepSlotRequest { security_pin })).map(drop)
    }

    /// Tells the vault how a job stands, and learns whether it is to end. Tried for five seconds at most, and also after the job was cancelled.
    ///
    /// # Errors
    /// What any call may fail with; a job does not depend on it.
    pub fn report_job(&self, report: &JobReport) -> Result<JobAnswer, VaultError> {
        let call =
            Call::put(format!("/agent/v1/jobs/{}", report.job)).json(report).in_manner(Manner::parting());
        self.send(&call, || format!("job {}", report.job))?.json()
    }

    /// What the server is asked to do and has not taken, and the timetable if it is another than the one of that version.
    /// Waits for either, at most so long. The version is letters and digits, or nothing.
    ///
    /// # Errors
    /// What any call may fail with.
    pub fn commands(&self, wait_seconds: u32, timetable: &str) -> Result<CommandList, VaultError> {
        let call = Call::get(format!(
            "/agent/v1/commands?waitSeconds={wait_seconds}&timetable={timetable}&agentVersion={}",
            AGENT.replace(' ', "%20")
        ));
        self.send(&call, || "list of commands".to_owned())?.json()
    }

    /// Takes a command, which is to be run now.
    ///
    /// # Errors
    /// [`VaultError::NotFound`] if it was taken back; what any call may fail with.
    pub fn take_command(&self, command: CommandId) -> Result<Command, VaultError> {
        let call = Call::post(format!("/agent/v1/commands/{command}/take"));
        self.send(&call, || format!("command {command}"))?.json()
    }

    /// The packages of the agent that the vault offers, the newest first.
    ///
    /// # Errors
    /// What any call may fail with.
    pub fn packages(&self) -> Result<Vec<OfferedPackage>, VaultError> {
        let call = Call::get("/agent/v1/packages").at_most(PACKAGE_LIST_BYTES_MAX);
        let list: PackageList = self.send(&call, || "list of packages".to_owned())?.json()?;
        Ok(list.packages)
    }

    /// Downloads a package into a file; tells how many bytes came, no more than the package has. They are for the caller to
    /// prove.
    ///
    /// # Errors
    /// What any call may fail with, or the file.
    pub fn download_package(&self, package: &PackageStatement, file: File) -> Result<u64, DownloadError> {
        let address = format!("/agent/v1/packages/{}", package.file);
        self.connection.download(&address, package.size_bytes, file)
    }

    fn send(&self, call: &Call, object: impl Fn() -> String) -> Result<Answer, VaultError> {
        send(&self.connection, call, object)
    }
}

/// Makes a call; `object` names what is asked for, with no article.
pub(crate) fn send(
    connection: &Connection,
    call: &Call,
    object: impl Fn() -> String,
) -> Result<Answer, VaultError> {
    connection.call(call).map_err(|error| error.into_vault_error(&object()))
}

impl HttpVault {
    /// Those of the listed points, in order.
    fn list(&self, is_meant: impl Fn(&ListedPoint) -> bool) -> Result<Vec<PointSummary>, VaultError> {
        let call = Call::get("/agent/v1/points").at_most(POINT_LIST_BYTES_MAX);
        let list: PointList = self.send(&call, || "list of recovery points".to_owned())?.json()?;
        let meant = list.points.iter().filter(|point| is_meant(point));
        let mut points: Vec<_> =
            meant.map(|point| PointSummary { sequence: point.sequence, hash: point.hash }).collect();
        points.sort_unstable();
        points.dedup();
        Ok(points)
    }
}

impl VaultRead for HttpVault {
    fn points(&self) -> Result<Vec<PointSummary>, VaultError> {
        self.list(|point| point.gone_at.is_none())
    }

    fn chain(&self) -> Result<Vec<PointSummary>, VaultError> {
        self.list(|_| true)
    }

    fn point(&self, PointSummary { sequence, hash }: PointSummary) -> Result<Vec<u8>, VaultError> {
        let call = Call::get(format!("/agent/v1/points/{sequence}/{hash}")).at_most(POINT_BYTES_MAX);
        Ok(self.send(&call, || format!("recovery point {hash}"))?.body)
    }

    fn receipt(&self, PointSummary { sequence, hash }: PointSummary) -> Result<Option<Vec<u8>>, VaultError> {
        let call = Call::get(format!("/agent/v1/receipts/{sequence}/{hash}")).at_most(RECEIPT_BYTES_MAX);
        match self.send(&call, || format!("receipt of recovery point {hash}")) {
            Ok(answer) => Ok(Some(answer.body)),
            Err(VaultError::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn slots(&self) -> Result<Vec<Vec<u8>>, VaultError> {
        let call = Call::get("/agent/v1/slots").at_most(SLOT_LIST_BYTES_MAX);
        let list: SlotList = self.send(&call, || "list of key slots".to_owned())?.json()?;
        let wrong = || VaultError::BadAnswer("a key slot in it is none".to_owned());
        list.slots
            .iter()
            .map(|text| decode_bytes(text).filter(|slot| slot.len() <= SLOT_BYTES_MAX).ok_or_else(wrong))
            .collect()
    }

    fn read_pack(&self, pack: PackReference, range: Range<u32>) -> Result<Vec<u8>, VaultError> {
        let id = pack.id;
        let (start, end) = (range.start, range.end);
        if start >= end || end > pack.length || end - start > PACK_BYTES_MAX as u32 {
            return Err(VaultError::Failed(format!(
                "bytes {start} to {end} of pack {id} can't be asked for"
            )));
        }
        let length = (end - start) as usize;
        if parts::is_worth_it(&self.connection, length) {
            let read = parts::read(&self.connection, format!("/agent/v1/packs/{id}"), range.clone());
            if let Some(bytes) = read.map_err(|error| error.into_vault_error(&format!("pack {id}")))? {
                return Ok(bytes);
            }
        }
        let call = Call::get(format!("/agent/v1/packs/{id}")).in_range(range).at_most(length).in_bulk();
        let answer = self.send(&call, || format!("pack {id}"))?;
        let is_part = answer.status == reqwest::StatusCode::PARTIAL_CONTENT;
        if answer.body.len() != length || !is_part && (start > 0 || end < pack.length) {
            let found = answer.body.len();
            let words = format!("{found} bytes came for bytes {start} to {end} of pack {id}");
            return Err(VaultError::BadAnswer(words));
        }
        Ok(answer.body)
    }
}

impl VaultStore for HttpVault {
    fn open_session(&self, request: &SessionRequest) -> Result<Box<dyn VaultSession>, VaultError> {
        HttpSession::open(self.connection.clone(), self.keeper.clone(), request)
            .map(|session| Box::new(session) as Box<dyn VaultSession>)
    }

    fn put_slot(&self, epoch: u32, object: &[u8]) -> Result<SlotHash, VaultError> {
        let hash = slot::hash(object);
        let call = Call::put(format!("/agent/v1/slots/{epoch}/{hash}"))
            .body(Body::Object(Bytes::copy_from_slice(object)));
        self.send(&call, || format!("key slot {hash}"))?;
        Ok(hash)
    }
}
