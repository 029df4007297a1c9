//! The agent plane: the handlers of `stateward_api::agent`.

use super::extract::{Json, Parameters, Segments};
use super::{body, objects};
use crate::app::parts::{Begun, PartOutcome};
use crate::app::tokens::ServerCaller;
use crate::app::{App, Error};
use axum::Json as Answer;
use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use stateward_api::agent::{
    Command, CommandList, CommandWait, DeleteRequest, ItemRequest, JobAnswer, JobReport, KeepSlotRequest,
    Lease, OfferedPackage, OpenSessionRequest, PACK_BYTES_MAX, PackageList, PartTaken, PointList,
    RegisterRequest, RegisterSlotsRequest, Registered, ServerInfo, SessionOpened, SlotList, StopRequest,
};
use stateward_api::credentials::encode_bytes;
use stateward_format::point::POINT_BYTES_MAX;
use stateward_format::slot::SLOT_BYTES_MAX;
use stateward_model::{CommandId, ItemId, JobId, PackId, PointHash, Sequence, SessionId, SlotHash};
use std::sync::Arc;

type AppState = State<Arc<App>>;
type Caller = Extension<ServerCaller>;

/// 201 for a new thing, 200 for one that was there.
fn created(is_new: bool) -> StatusCode {
    if is_new { StatusCode::CREATED } else { StatusCode::OK }
}

/// `POST /agent/v1/register`
pub(super) async fn register(
    State(app): AppState,
    Json(request): Json<RegisterRequest>,
) -> Result<Answer<Registered>, Error> {
    Ok(Answer(app.register(&request).await?))
}

/// `POST /agent/v1/register/slots`
pub(super) async fn register_slots(
    State(app): AppState,
    Json(request): Json<RegisterSlotsRequest>,
) -> Result<Answer<SlotList>, Error> {
    Ok(Answer(slot_list(&app.slots_for_registration(&request).await?)))
}

/// `GET /agent/v1/server`
pub(super) async fn server(
    State(app): AppState,
    Extension(caller): Caller,
) -> Result<Answer<ServerInfo>, Error> {
    Ok(Answer(app.server_info(caller).await?))
}

/// `PUT /agent/v1/items/{item}`
pub(super) async fn put_item(
    State(app): AppState,
    Extension(caller): Caller,
    Segments(item): Segments<ItemId>,
    Json(request): Json<ItemRequest>,
) -> Result<StatusCode, Error> {
    app.put_item(caller, item, &request).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /agent/v1/items/{item}/stop`
pub(super) async fn stop_item(
    State(app): AppState,
    Extension(caller): Caller,
    Segments(item): Segments<ItemId>,
    Json(request): Json<StopRequest>,
) -> Result<StatusCode, Error> {
    app.stop_own_item(caller, item, request.keeps, &request.security_pin).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /agent/v1/items/{item}/delete`
pub(super) async fn delete_item(
    State(app): AppState,
    Extension(caller): Caller,
    Segments(item): Segments<ItemId>,
    Json(request): Json<DeleteRequest>,
) -> Result<StatusCode, Error> {
    app.delete_own_item(caller, item, &request.security_pin).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /agent/v1/sessions`
pub(super) async fn open_session(
    State(app): AppState,
    Extension(caller): Caller,
    Json(request): Json<OpenSessionRequest>,
) -> Result<Answer<SessionOpened>, Error> {
    Ok(Answer(app.open_session(caller, &request).await?))
}

/// `POST /agent/v1/sessions/{session}/heartbeat`
pub(super) async fn heartbeat(
    State(app): AppState,
    Extension(caller): Caller,
    Segments(session): Segments<SessionId>,
) -> Result<Answer<Lease>, Error> {
    Ok(Answer(app.heartbeat(caller, session).await?))
}

/// `POST /agent/v1/sessions/{session}/close`
pub(super) async fn close_session(
    State(app): AppState,
    Extension(caller): Caller,
    Segments(session): Segments<SessionId>,
) -> Result<StatusCode, Error> {
    app.close_session(caller, session).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `PUT /agent/v1/sessions/{session}/packs/{pack}`
pub(super) async fn put_pack(
    State(app): AppState,
    Extension(caller): Caller,
    Segments((session, pack)): Segments<(SessionId, PackId)>,
    body: Body,
) -> Result<StatusCode, Error> {
    // Refused before it is received, if it will be refused.
    let refused = async {
        app.check_session(caller, session).await?;
        app.check_space().await
    };
    if let Err(error) = refused.await {
        body::drain(body, PACK_BYTES_MAX as u64).await;
        return Err(error);
    }
    let received = body::receive(&app.pack_memory, caller.server, body, PACK_BYTES_MAX as u64).await?;
    Ok(created(app.put_pack(caller, session, pack, received).await?))
}

/// `PUT /agent/v1/sessions/{session}/packs/{pack}/parts`
pub(super) async fn put_part(
    State(app): AppState,
    Extension(caller): Caller,
    Segments((session, pack)): Segments<(SessionId, PackId)>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Answer<PartTaken>), Error> {
    let begun = async {
        let place = objects::content_range(&headers)?;
        app.begin_part(caller, session, pack, place).await
    };
    let mut incoming = match begun.await {
        Ok(Begun::Receive(incoming)) => incoming,
        refused => {
            body::drain(body, PACK_BYTES_MAX as u64).await;
            return refused.map(|_| taken(PartOutcome { assembly: None, is_new: false, received_bytes: 0 }));
        }
    };
    body::receive_part(body, &mut incoming).await?;
    Ok(taken(app.finish_part(caller, session, pack, incoming).await?))
}

fn taken(outcome: PartOutcome) -> (StatusCode, Answer<PartTaken>) {
    let status = match outcome.assembly {
        Some(_) => StatusCode::ACCEPTED,
        None => created(outcome.is_new),
    };
    let assembly = outcome.assembly.map(|id| format!("{id:016x}"));
    (status, Answer(PartTaken { assembly, received_bytes: outcome.received_bytes }))
}

/// `POST /agent/v1/sessions/{session}/commit`
pub(super) async fn commit(
    State(app): AppState,
    Extension(caller): Caller,
    Segments(session): Segments<SessionId>,
    body: Body,
) -> Result<Response, Error> {
    let object = body::receive_whole(&app.pack_memory, caller.server, body, POINT_BYTES_MAX as u64).await?;
    Ok(objects::whole(app.commit_point(caller, session, object).await?))
}

/// `GET /agent/v1/packs/{pack}`
pub(super) async fn get_pack(
    State(app): AppState,
    Extension(caller): Caller,
    Segments(pack): Segments<PackId>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let pack = app.pack(caller, pack).await?;
    let length = u64::from(pack.length);
    let range = objects::range(&headers, length)?;
    let stream = app.read_pack(caller, pack, range.clone().unwrap_or(0..length)).await?;
    Ok(objects::pieces(stream, length, range))
}

/// `GET /agent/v1/points`
pub(super) async fn list_points(
    State(app): AppState,
    Extension(caller): Caller,
) -> Result<Answer<PointList>, Error> {
    Ok(Answer(PointList { points: app.points(caller).await? }))
}

/// `GET /agent/v1/points/{sequence}/{hash}`
pub(super) async fn get_point(
    State(app): AppState,
    Extension(caller): Caller,
    Segments((sequence, hash)): Segments<(Sequence, PointHash)>,
) -> Result<Response, Error> {
    let (length, stream) = app.point_object(caller, sequence, hash).await?;
    Ok(objects::pieces(stream, length, None))
}

/// `GET /agent/v1/receipts/{sequence}/{hash}`
pub(super) async fn get_receipt(
    State(app): AppState,
    Extension(caller): Caller,
    Segments((sequence, hash)): Segments<(Sequence, PointHash)>,
) -> Result<Response, Error> {
    Ok(objects::whole(app.receipt_object(caller, sequence, hash).await?))
}

/// `GET /agent/v1/slots`
pub(super) async fn list_slots(
    State(app): AppState,
    Extension(caller): Caller,
) -> Result<Answer<SlotList>, Error> {
    Ok(Answer(slot_list(&app.slots(caller).await?)))
}

fn slot_list(objects: &[Bytes]) -> SlotList {
    SlotList { slots: objects.iter().map(|object| encode_bytes(object)).collect() }
}

/// `PUT /agent/v1/slots/{epoch}/{hash}`
pub(super) async fn put_slot(
    State(app): AppState,
    Extension(caller): Caller,
    Segments((epoch, hash)): Segments<(u32, SlotHash)>,
    body: Body,
) -> Result<StatusCode, Error> {
    let object = body::receive_whole(&app.pack_memory, caller.server, body, SLOT_BYTES_MAX as u64).await?;
    Ok(created(app.put_slot(caller, epoch, hash, object).await?))
}

/// `POST /agent/v1/slots/{epoch}/{hash}/keep`
pub(super) async fn keep_slot(
    State(app): AppState,
    Extension(caller): Caller,
    Segments(of): Segments<(u32, SlotHash)>,
    Json(request): Json<KeepSlotRequest>,
) -> Result<StatusCode, Error> {
    app.retire_slots(caller, of, &request.security_pin).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `PUT /agent/v1/jobs/{job}`
pub(super) async fn put_job(
    State(app): AppState,
    Extension(caller): Caller,
    Segments(job): Segments<JobId>,
    Json(report): Json<JobReport>,
) -> Result<Answer<JobAnswer>, Error> {
    Ok(Answer(app.put_job(caller, job, &report).await?))
}

/// `GET /agent/v1/commands`
pub(super) async fn list_commands(
    State(app): AppState,
    Extension(caller): Caller,
    Parameters(wait): Parameters<CommandWait>,
) -> Result<Answer<CommandList>, Error> {
    Ok(Answer(app.commands(caller, &wait).await?))
}

/// `POST /agent/v1/commands/{command}/take`
pub(super) async fn take_command(
    State(app): AppState,
    Extension(caller): Caller,
    Segments(command): Segments<CommandId>,
) -> Result<Answer<Command>, Error> {
    Ok(Answer(app.take_command(caller, command).await?))
}

/// `GET /agent/v1/packages`
pub(super) async fn list_packages(State(app): AppState) -> Result<Answer<PackageList>, Error> {
    let all = app.packages().await?.into_iter();
    let packages =
        all.map(|offered| OfferedPackage { statement: offered.statement, signature: offered.signature });
    Ok(Answer(PackageList { packages: packages.collect() }))
}

/// `GET /agent/v1/packages/{name}`
pub(super) async fn get_package(
    State(app): AppState,
    Segments(name): Segments<String>,
) -> Result<Response, Error> {
    let (offered, pieces) = app.package(&name).await?;
    Ok(objects::pieces(pieces, offered.statement.size_bytes, None))
}
