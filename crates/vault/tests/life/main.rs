//! The vault as its callers meet it: over TLS on a real socket, in one process with the test, with a clock that the
//! test moves. Bodies are written by hand from the contract.

#![expect(clippy::unwrap_used, reason = "a test: a failure is a panic")]

mod agent;
mod database;

use agent::{Caller, Server, in_vault, registration, session};
use reqwest::Method;
use ring::signature::{ED25519, UnparsedPublicKey};
use serde_json::{Value, json};
use stateward_api::arm::List;
use stateward_api::arm::containers::Container;
use stateward_api::arm::jobs::Job;
use stateward_api::arm::vaults::Vault;
use stateward_api::credentials::{decode_bytes, encode_bytes};
use stateward_api::{ErrorCode, VaultCredentials};
use stateward_format::slot::{self, KeySlot, SlotSecret};
use stateward_format::{point, receipt};
use stateward_model::{Clock, PackId, SystemRandom, Timestamp};
use stateward_vault::{Initialised, Running, initialise};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tempfile::TempDir;

/// A clock that the test moves; each look at it is a nanosecond later.
struct MovedClock(AtomicI64);

impl MovedClock {
    fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000_000_000, Ordering::Relaxed);
    }
}

impl Clock for MovedClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

struct TestVault {
    made: Initialised,
    running: Option<Running>,
    clock: Arc<MovedClock>,
    admin: Caller,
    _folder: TempDir,
}

impl TestVault {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(MovedClock(AtomicI64::new(1_795_000_000_000_000_000)));
        let data: PathBuf = folder.path().join("vault");
        let (database, random) = (database::url(), Arc::new(SystemRandom));
        let made =
            initialise(&data, "127.0.0.1:0", database.as_deref(), clock.clone(), random).await.unwrap();
        let running = Running::start(&data, None, clock.clone(), Arc::new(SystemRandom)).await.unwrap();
        let admin = Caller::administrator(&made).await;
        let vault = admin.json::<Vault>(Method::PUT, &in_vault(&made, ""), &json!({})).await.unwrap();
        assert_eq!(vault.name, "prod");
        Self { made, running: Some(running), clock, admin, _folder: folder }
    }

    async fn stop(&mut self) {
        self.running.take().unwrap().stop().await.unwrap();
    }

    async fn restart(&mut self) {
        self.stop().await;
        let random = Arc::new(SystemRandom);
        self.running = Some(Running::start(&self.made.data, None, self.clock.clone(), random).await.unwrap());
    }

    async fn credentials(&self, more: Value) -> VaultCredentials {
        let mut body = json!({"purpose": "Register"});
        body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        self.admin.json(Method::POST, &self.address("/stateward/credentials"), &body).await.unwrap()
    }

    /// The address of what stands in its vault.
    fn address(&self, rest: &str) -> String {
        in_vault(&self.made, rest)
    }

    async fn server(&self, number: u8) -> Server {
        let file = self.credentials(Value::Null).await;
        Server::register(&self.made, &file, number, self.clock.clone()).await.unwrap()
    }
}

fn code<T>(result: Result<T, agent::Refused>) -> ErrorCode {
    result.err().map(|(code, _)| code).unwrap()
}

#[tokio::test]
async fn a_server_registers_backs_up_and_everything_is_there_after_a_restart() {
    let mut vault = TestVault::start().await;
    let file = vault.credentials(Value::Null).await;
    let server = Server::register(&vault.made, &file, 1, vault.clock.clone()).await.unwrap();
    let opened = server.open(1, Value::Null).await.unwrap();
    assert_eq!((&opened["head"], &opened["packs"]), (&Value::Null, &json!([])));
    assert_eq!(opened["lease"]["leaseSeconds"], 60);
    let bytes: Vec<u8> = (0..5_000_000u32).map(|n| (n / 7) as u8).collect();
    let pack = server.put(1, &bytes).await.unwrap();
    let object = server.point(1, None, &[pack]);
    let answer = server.commit(1, &object).await.unwrap();
    let (said, signed, signature) = receipt::decode(&answer).unwrap();
    let key = decode_bytes(&file.signing_public_key).unwrap();
    UnparsedPublicKey::new(&ED25519, key).verify(signed, &signature).unwrap();
    assert_eq!((said.point, said.server), (point::hash(&object), server.registered.server));

    vault.restart().await;
    let hash = said.point;
    assert_eq!(server.commit(1, &object).await.unwrap(), answer);
    assert_eq!(server.call.get_bytes(&format!("/agent/v1/points/1/{hash}"), None).await.unwrap(), object);
    assert_eq!(server.call.get_bytes(&format!("/agent/v1/receipts/1/{hash}"), None).await.unwrap(), answer);
    let path = format!("/agent/v1/packs/{}", pack.id);
    assert_eq!(server.call.get_bytes(&path, None).await.unwrap(), bytes);
    let part = server.call.get_bytes(&path, Some("bytes=1048576-3145727")).await.unwrap();
    assert_eq!(part, bytes[1 << 20..3 << 20]);
    assert_eq!(code(server.call.get_bytes(&path, Some("bytes=0-5000000")).await), ErrorCode::InvalidRequest);
    let points: Value = server.call.get("/agent/v1/points").await.unwrap();
    assert_eq!(points["points"][0]["hash"], hash.to_string());
    let totals = vault.admin.get::<Vault>(&vault.address("")).await.unwrap().properties.usage.unwrap();
    assert_eq!((totals.servers, totals.recovery_points, totals.stored_bytes), (1, 1, 5_000_000));
    let opened = server.open(1, Value::Null).await.unwrap();
    assert_eq!(opened["head"]["sequence"], 1);
    assert_eq!(opened["packs"], json!([{"id": pack.id, "length": 5_000_000}]));
    vault.stop().await;
}

#[tokio::test]
async fn sessions_are_busy_leased_replaced_and_fenced() {
    let mut vault = TestVault::start().await;
    let server = vault.server(1).await;
    server.open(1, Value::Null).await.unwrap();
    assert_eq!(code(server.open(2, Value::Null).await), ErrorCode::SessionBusy);
    let replaces = json!({"replaces": {"session": session(1), "secret": encode_bytes(&[1; 32])}});
    server.open(2, replaces).await.unwrap();
    assert_eq!(code(server.put(1, b"late").await), ErrorCode::SessionLost);
    assert_eq!(code(server.commit(1, &server.point(1, None, &[])).await), ErrorCode::SessionLost);
    vault.clock.advance(61);
    server.open(3, Value::Null).await.unwrap();
    let beat = format!("/agent/v1/sessions/{}/heartbeat", session(2));
    assert_eq!(
        code(server.call.json::<Value>(Method::POST, &beat, &Value::Null).await),
        ErrorCode::SessionLost
    );
    let pack = server.put(3, b"from a session that dies").await.unwrap();
    let digest = blake3::hash(&pack.id.0).to_hex().to_string();
    vault.clock.advance(61);
    let opened = server.open(4, json!({ "packsDigest": digest })).await.unwrap();
    assert_eq!(opened["packs"], Value::Null, "a pack of a dead session can be used");
    let close = format!("/agent/v1/sessions/{}/close", session(4));
    server.call.json::<Value>(Method::POST, &close, &Value::Null).await.unwrap();
    let other = vault.server(2).await;
    assert_eq!(code(other.put(4, b"x").await), ErrorCode::NotFound);
    let path = format!("/agent/v1/packs/{}", pack.id);
    assert_eq!(code(other.call.get_bytes(&path, None).await), ErrorCode::NotFound);
    vault.stop().await;
}

#[tokio::test]
async fn wrong_bytes_long_bodies_and_wrong_chains_are_refused() {
    let mut vault = TestVault::start().await;
    let server = vault.server(1).await;
    server.open(1, Value::Null).await.unwrap();
    let packs = format!("/agent/v1/sessions/{}/packs", session(1));
    let wrong = server.call.bytes(Method::PUT, &format!("{packs}/{}", "0".repeat(64)), vec![1; 100]).await;
    assert_eq!(code(wrong), ErrorCode::WrongContent);
    let long =
        server.call.bytes(Method::PUT, &format!("{packs}/{}", "0".repeat(64)), vec![1; (64 << 20) + 1]).await;
    assert_eq!(code(long), ErrorCode::TooLarge);
    let none = server.call.bytes(Method::PUT, &format!("{packs}/xyz"), vec![1]).await;
    assert_eq!(code(none), ErrorCode::InvalidRequest);
    let head = server.point(2, Some(stateward_model::PointHash([1; 32])), &[]);
    assert_eq!(code(server.commit(1, &head).await), ErrorCode::WrongHead);
    let unknown = point::PackReference { id: stateward_model::PackId([5; 32]), length: 1 };
    let missing = server.commit(1, &server.point(1, None, &[unknown])).await;
    assert_eq!(code(missing), ErrorCode::PacksMissing);
    vault.stop().await;
}

#[tokio::test]
async fn parts_make_a_pack_and_a_restart_between_them_is_told_by_another_assembly() {
    let mut vault = TestVault::start().await;
    let server = vault.server(1).await;
    server.open(1, Value::Null).await.unwrap();
    let bytes: Vec<u8> = (0..300_000_u32).map(|n| (n / 11) as u8).collect();
    let id = PackId(*blake3::hash(&bytes).as_bytes());
    let path = format!("/agent/v1/sessions/{}/packs/{id}/parts", session(1));
    let (first, last) =
        (("bytes 0-99999/300000", 0..100_000), ("bytes 100000-299999/300000", 100_000..300_000));
    let part = |(place, range): &(&'static str, std::ops::Range<usize>)| {
        server.call.part(&path, place, bytes[range.clone()].to_vec())
    };
    let before = part(&first).await.unwrap();
    assert!(before.assembly.is_some());
    assert_eq!(before.received_bytes, 100_000);
    vault.restart().await;
    let after = part(&last).await.unwrap();
    assert!(after.assembly.is_some() && after.assembly != before.assembly);
    assert_eq!(part(&first).await.unwrap().assembly, None);
    let read = server.call.get_bytes(&format!("/agent/v1/packs/{id}"), None).await.unwrap();
    assert_eq!(read, bytes);
    assert_eq!(part(&last).await.unwrap().assembly, None, "a part that comes late finds the pack");
    let other = path.replace(&id.to_string(), &PackId([9; 32]).to_string());
    for wrong in ["bytes 0-99999/400000000", "bytes 0-9/10", "bytes 9-0/10", "items 0-1/2", ""] {
        assert!(server.call.part(&other, wrong, vec![1; 9]).await.is_err(), "{wrong}");
    }
}

#[tokio::test]
async fn vault_credentials_fail_each_in_its_own_way() {
    let mut vault = TestVault::start().await;
    let anyone = Caller::new(&vault.made);
    let register = async |file: &VaultCredentials, number: u8| {
        anyone.json::<Value>(Method::POST, "/agent/v1/register", &registration(file, "web", number)).await
    };
    let file = vault.credentials(json!({"validSeconds": 3600})).await;
    let first = register(&file, 1).await.unwrap();
    assert_eq!(register(&file, 1).await.unwrap()["server"], first["server"]);
    assert_eq!(code(register(&file, 2).await), ErrorCode::CredentialsUsedUp);
    let altered = VaultCredentials { secret: encode_bytes(&[0; 32]), ..file.clone() };
    assert_eq!(code(register(&altered, 3).await), ErrorCode::CredentialsInvalid);
    let foreign = VaultCredentials { credential: stateward_model::CredentialId([9; 16]), ..file.clone() };
    assert_eq!(code(register(&foreign, 3).await), ErrorCode::CredentialsInvalid);
    vault.clock.advance(3601);
    assert_eq!(code(register(&file, 3).await), ErrorCode::CredentialsExpired);
    vault.stop().await;
}

#[tokio::test]
async fn sign_in_refuses_wrong_secrets_clocks_and_old_tokens() {
    let mut vault = TestVault::start().await;
    let form = format!("grant_type=client_credentials&client_id={}&client_secret=x", vault.made.client_id);
    let wrong = Caller::new(&vault.made).sign_in(&vault.made.tenant, &form).await;
    assert_eq!(code(wrong.map(drop)), ErrorCode::InvalidClient);
    let other = Caller::new(&vault.made).sign_in("other", &form).await;
    assert_eq!(code(other.map(drop)), ErrorCode::NotFound);
    let file = vault.credentials(Value::Null).await;
    let ahead = Arc::new(MovedClock(AtomicI64::new(vault.clock.now().plus_seconds(400).0)));
    let (refused, message) = Server::register(&vault.made, &file, 1, ahead).await.err().unwrap();
    assert_eq!(refused, ErrorCode::ClockSkew);
    assert!(message.contains("2026-"), "{message}");
    let server = vault.server(2).await;
    vault.clock.advance(3600);
    assert_eq!(code(server.call.get::<Value>("/agent/v1/server").await), ErrorCode::InvalidToken);
    vault.stop().await;
}

#[tokio::test]
async fn slots_items_jobs_and_servers_are_listed_to_whom_they_belong() {
    let mut vault = TestVault::start().await;
    let (server, other) = (vault.server(1).await, vault.server(2).await);
    let object = KeySlot {
        vault: server.registered.vault,
        server: server.registered.server,
        domain: server.registered.domain,
        server_label: "web-1".parse().unwrap(),
        epoch: 1,
        secret: SlotSecret::RecoveryCode,
        salt: [1; 32],
        commitment: [2; 32],
        wrapped_data_key: vec![3; 48],
        wrapped_signing_key: vec![4; 48],
        signing_public_key: [5; 32],
    }
    .encode();
    let path = format!("/agent/v1/slots/1/{}", slot::hash(&object));
    server.call.bytes(Method::PUT, &path, object.clone()).await.unwrap();
    let slots: Value = server.call.get("/agent/v1/slots").await.unwrap();
    assert_eq!(slots["slots"], json!([encode_bytes(&object)]));
    assert_eq!(code(other.call.bytes(Method::PUT, &path, object).await), ErrorCode::InvalidRequest);
    let job = stateward_model::JobId([1; 16]);
    let report = json!({
        "job": job, "kind": "Backup", "item": server.item, "state": "Running", "phase": "Transferring",
        "startedAt": "2026-11-23T00:00:00Z", "endedAt": null, "files": 1, "bytes": 2, "movedBytes": 3,
        "warnings": 0, "errorCode": null, "point": null,
    });
    server.call.json::<Value>(Method::PUT, &format!("/agent/v1/jobs/{job}"), &report).await.unwrap();
    let jobs: List<Job> = vault.admin.get(&vault.address("/backupJobs")).await.unwrap();
    assert_eq!((jobs.value.len(), jobs.value[0].properties.activity_id), (1, job));
    let path = vault.address("/backupProtectionContainers");
    let servers: List<Container> = vault.admin.get(&path).await.unwrap();
    let labels: Vec<_> =
        servers.value.iter().map(|server| server.properties.friendly_name.as_str()).collect();
    assert_eq!(labels, ["web-1", "web-2"]);
    assert!(servers.value[0].properties.extended_info.last_seen.is_some());
    assert_eq!(code(server.call.get::<Value>(&path).await), ErrorCode::Forbidden);
    assert_eq!(code(vault.admin.get::<Value>("/agent/v1/points").await), ErrorCode::Forbidden);
    vault.stop().await;
}
