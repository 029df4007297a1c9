//! A whole vault for unit tests: database in a temporary folder, store in memory, clock and randomness of its own.

use super::audit::Actor;
use super::pack_memory::PackMemory;
use super::packs::Received;
use super::principals::Place;
use super::tokens::ServerCaller;
use super::vaults::VaultChange;
use super::{App, Error};
use crate::config::Config;
use crate::db::testing::TestDatabase;
use crate::db::vaults::Vault;
use crate::db::{Database, DatabaseUrl};
use crate::keys::VaultKey;
use crate::packages::Packages;
use crate::reserve::Reserve;
use bytes::Bytes;
use ring::signature::{Ed25519KeyPair, KeyPair};
use stateward_api::agent::{ItemRequest, OpenSessionRequest, RegisterRequest};
use stateward_api::arm::credentials::CredentialsRequest;
use stateward_api::credentials::encode_bytes;
use stateward_api::token::{ASSERTION_TYPE, AssertionClaims, TokenRequest};
use stateward_api::{CredentialPurpose, VaultCredentials};
use stateward_format::point::{self, PackReference, PointHeader};
use stateward_model::policy::{Daily, Policy, Retention, Rhythm, Schedule, TimeOfDay, Weekday, Weekly, Zone};
use stateward_model::{
    Clock, ItemId, ItemKind, JobKind, Label, PackId, PointHash, Random, Sequence, ServerId, SessionId,
    SlotHash, Timestamp,
};
use stateward_store::faulty::Faulty;
use stateward_store::recording::Recording;
use stateward_store::{ByteStore, Objects};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use tempfile::TempDir;

/// A clock that moves only when it is told to.
pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(1_795_000_000_000_000_000)))
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000_000_000, Ordering::Relaxed);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }
}

/// A counter, hashed: different bytes each time, the same in each run.
#[derive(Default)]
pub(crate) struct TestRandom(AtomicU64);

impl Random for TestRandom {
    fn fill(&self, bytes: &mut [u8]) {
        let count = self.0.fetch_add(1, Ordering::Relaxed);
        let mut hasher = blake3::Hasher::new();
        hasher.update(&count.to_le_bytes()).finalize_xof().fill(bytes);
    }
}

/// A vault, with what stands below it.
pub(crate) struct TestApp {
    pub(crate) app: Arc<App>,
    pub(crate) clock: Arc<TestClock>,
    random: Arc<TestRandom>,
    pub(crate) store: Recording,
    pub(crate) faults: Faulty,
    /// The name of the one vault in it.
    pub(crate) vault: Label,
    keys: AtomicU64,
    folder: TempDir,
    database: TestDatabase,
}

impl TestApp {
    pub(crate) async fn new() -> Self {
        Self::over(TestDatabase::new().await).await
    }

    pub(crate) async fn over(database: TestDatabase) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let faults = Faulty::new(Arc::new(Objects::in_memory()));
        let store = Recording::new(Arc::new(faults.clone()));
        let clock = TestClock::new();
        let random = Arc::new(TestRandom::default());
        let app =
            open(&folder, database.url(), Arc::new(store.clone()), (clock.clone(), random.clone())).await;
        let vault: Label = "prod".parse().unwrap();
        create_vault(&app, vault.as_str()).await.unwrap();
        Self { app, clock, random, store, faults, vault, keys: AtomicU64::new(100), folder, database }
    }

    /// The vault as it is after its process died and was started again.
    pub(crate) async fn restart(&mut self) {
        self.app.database.close().await;
        self.app = self.beside().await;
    }

    /// Another process of the same vault, over the same database and the same store.
    pub(crate) async fn beside(&self) -> Arc<App> {
        let surroundings = (self.clock.clone(), self.random.clone());
        open(&self.folder, self.database.url(), Arc::new(self.store.clone()), surroundings).await
    }

    /// Where its one vault is.
    pub(crate) fn place(&self) -> Place {
        Place { group: Some("default".to_owned()), vault: Some(self.vault.to_string()) }
    }

    /// All servers of its vault, by label.
    pub(crate) async fn servers(&self) -> Vec<crate::db::servers::Server> {
        let vault = self.app.vault_at(&self.place()).await.unwrap();
        let servers = self.app.containers(vault.id).await.unwrap();
        servers.into_iter().map(|container| container.managed.server).collect()
    }

    /// All of the audit log.
    pub(crate) async fn audit(&self) -> Vec<crate::db::audit::Entry> {
        crate::db::audit::list(&mut self.app.database.read().await.unwrap(), None, 0, 10_000).await.unwrap()
    }

    /// All alerts of its one vault.
    pub(crate) async fn alerts(&self) -> Vec<crate::db::alerts::Alert> {
        self.app.alerts(self.app.vault_at(&self.place()).await.unwrap().id).await.unwrap()
    }

    /// Where its database lies.
    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// The same with another reserve. Nobody else may hold the vault.
    pub(crate) fn with_reserve(mut self, reserve: Reserve) -> Self {
        Arc::get_mut(&mut self.app).unwrap().reserve = Arc::new(reserve);
        self
    }

    pub(crate) async fn credentials(&self, request: &CredentialsRequest) -> Result<VaultCredentials, Error> {
        self.app.create_credentials(&Actor::Task("test"), &self.place(), request).await
    }

    /// Registers a server with an item of its own.
    pub(crate) async fn server(&self, label: &str) -> TestServer {
        self.server_by(label, &register_request()).await
    }

    /// The same in the domain of another server.
    pub(crate) async fn server_in_domain(&self, label: &str, member: &TestServer) -> TestServer {
        let request = CredentialsRequest { domain: Some(member.caller.server), ..register_request() };
        self.server_by(label, &request).await
    }

    async fn server_by(&self, label: &str, request: &CredentialsRequest) -> TestServer {
        let file = self.credentials(request).await.unwrap();
        let seed = self.keys.fetch_add(1, Ordering::Relaxed) as u8;
        let registered = self.app.register(&registration(&file, label, seed)).await.unwrap();
        let server = TestServer {
            caller: ServerCaller {
                server: registered.server,
                vault: registered.vault,
                domain: registered.domain,
            },
            seed,
            item: ItemId([seed; 16]),
            now: self.clock.clone(),
            audience: format!("https://vault.example{}", stateward_api::token::path(&self.app.config.tenant)),
        };
        let item = ItemRequest { label: "System".parse().unwrap(), kind: ItemKind::SystemState };
        self.app.put_item(server.caller, server.item, &item).await.unwrap();
        server
    }

    /// Gives a server's item a policy.
    pub(crate) async fn give_policy(&self, server: &TestServer, name: &str) {
        let mut transaction = self.app.write().await.unwrap();
        let policy = super::policies::find(&mut transaction, server.caller.vault, name).await.unwrap();
        let item = (server.caller.server, server.item);
        crate::db::policies::give(&mut transaction, item, policy.id).await.unwrap();
        transaction.commit().await.unwrap();
    }

    pub(crate) async fn received(&self, bytes: &[u8]) -> Received {
        Received {
            parts: vec![Bytes::copy_from_slice(bytes)],
            length: bytes.len() as u64,
            hash: *blake3::hash(bytes).as_bytes(),
            memory: PackMemory::default().reserve(ServerId([0; 16]), bytes.len() as u64).await.unwrap(),
        }
    }

    pub(crate) async fn try_put(
        &self,
        server: &TestServer,
        session: SessionId,
        bytes: &[u8],
    ) -> Result<bool, Error> {
        let id = PackId(*blake3::hash(bytes).as_bytes());
        self.app.put_pack(server.caller, session, id, self.received(bytes).await).await
    }

    pub(crate) async fn put_pack(
        &self,
        server: &TestServer,
        session: SessionId,
        bytes: &[u8],
    ) -> PackReference {
        self.try_put(server, session, bytes).await.unwrap();
        PackReference { id: PackId(*blake3::hash(bytes).as_bytes()), length: bytes.len() as u32 }
    }
}

/// Makes a vault in the group `default`; also tells whether it is new.
pub(crate) async fn create_vault(app: &App, name: &str) -> Result<(Vault, bool), Error> {
    let place = Place { group: Some("default".to_owned()), vault: Some(name.to_owned()) };
    app.put_vault(&Actor::Task("test"), &place, VaultChange::default(), None).await
}

async fn open(
    folder: &TempDir,
    database: &DatabaseUrl,
    store: Arc<dyn ByteStore>,
    (clock, random): (Arc<TestClock>, Arc<TestRandom>),
) -> Arc<App> {
    let config =
        Config::new("".into(), "https://vault.example:7443".into(), "tenant-1".into(), "sub-1".into());
    Arc::new(App {
        database: Database::open(database).await.unwrap(),
        reserve: Arc::new(Reserve::of(folder.path())),
        store,
        clock,
        random,
        packages: Packages::of(folder.path()),
        key: VaultKey::from_seed(&[42; 32]).unwrap(),
        config,
        ca_pem: "ca".to_owned(),
        pack_memory: Default::default(),
        assemblies: Default::default(),
        is_stopping: Default::default(),
    })
}

/// A registered server, with its keys.
pub(crate) struct TestServer {
    pub(crate) caller: ServerCaller,
    pub(crate) seed: u8,
    pub(crate) item: ItemId,
    now: Arc<TestClock>,
    audience: String,
}

impl TestServer {
    /// A fresh assertion, changed before it is signed.
    fn assertion(&self, change: impl FnOnce(&mut AssertionClaims)) -> String {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let now = self.now.now().seconds();
        let mut claims = AssertionClaims {
            iss: self.caller.server.to_string(),
            sub: self.caller.server.to_string(),
            aud: self.audience.clone(),
            iat: now,
            exp: now + 300,
            jti: format!("id-{}", COUNT.fetch_add(1, Ordering::Relaxed)),
        };
        change(&mut claims);
        sign_jwt(&login_key(self.seed), &claims)
    }

    /// What asks for a token by an assertion, changed before that is signed.
    pub(crate) fn token_request(&self, change: impl FnOnce(&mut AssertionClaims)) -> TokenRequest {
        TokenRequest {
            grant_type: "client_credentials".to_owned(),
            client_id: self.caller.server.to_string(),
            client_secret: None,
            client_assertion_type: Some(ASSERTION_TYPE.to_owned()),
            client_assertion: Some(self.assertion(change)),
        }
    }

    /// A point object with these packs, changed before it is signed.
    pub(crate) fn point(
        &self,
        sequence: Sequence,
        previous: Option<PointHash>,
        packs: &[PackReference],
        change: impl FnOnce(&mut PointHeader),
    ) -> Bytes {
        let mut packs = packs.to_vec();
        packs.sort();
        let mut header = PointHeader {
            vault: self.caller.vault,
            server: self.caller.server,
            item: self.item,
            kind: ItemKind::SystemState,
            sequence,
            previous,
            epoch: 1,
            agent_time: self.now.now(),
            slots: vec![SlotHash([1; 32])],
            packs,
        };
        change(&mut header);
        let unsigned = point::encode_unsigned(&header, b"sealed");
        let mut signature = [0; 64];
        signature.copy_from_slice(signing_key(self.seed).sign(&point::signed_message(&unsigned)).as_ref());
        point::finish(unsigned, signature).into()
    }
}

fn key(seed: u8, which: u8) -> Ed25519KeyPair {
    let mut bytes = [seed; 32];
    bytes[0] = which;
    Ed25519KeyPair::from_seed_unchecked(&bytes).unwrap()
}

fn login_key(seed: u8) -> Ed25519KeyPair {
    key(seed, 1)
}

pub(crate) fn signing_key(seed: u8) -> Ed25519KeyPair {
    key(seed, 2)
}

/// A JWT by EdDSA (RFC 8037), made by hand: three parts of base64url.
pub(crate) fn sign_jwt(key: &Ed25519KeyPair, claims: &AssertionClaims) -> String {
    let header = encode_bytes(br#"{"alg":"EdDSA","typ":"JWT"}"#);
    let body = format!("{header}.{}", encode_bytes(&serde_json::to_vec(claims).unwrap()));
    let signature = encode_bytes(key.sign(body.as_bytes()).as_ref());
    format!("{body}.{signature}")
}

pub(crate) fn register_request() -> CredentialsRequest {
    CredentialsRequest {
        purpose: CredentialPurpose::Register,
        server: None,
        domain: None,
        valid_seconds: None,
        uses: None,
    }
}

pub(crate) fn registration(file: &VaultCredentials, label: &str, seed: u8) -> RegisterRequest {
    RegisterRequest {
        credential: file.credential,
        secret: file.secret.clone(),
        label: label.parse().unwrap(),
        login_public_key: encode_bytes(login_key(seed).public_key().as_ref()),
        signing_public_key: encode_bytes(signing_key(seed).public_key().as_ref()),
        operating_system: "Debian GNU/Linux 12 (bookworm)".to_owned(),
        agent_version: "0.1.0".to_owned(),
        proof: None,
    }
}

/// Opens session number so and so, with a secret of its own.
pub(crate) fn open_request(number: u8) -> OpenSessionRequest {
    OpenSessionRequest {
        session: SessionId([number; 16]),
        secret: encode_bytes(&[number; 32]),
        kind: JobKind::Backup,
        item: None,
        packs_digest: None,
        replaces: None,
        on_demand: None,
        agent_version: None,
    }
}

/// The place of the one vault.
pub(crate) fn prod() -> Place {
    Place { group: Some("default".to_owned()), vault: Some("prod".to_owned()) }
}

/// Every day at 02:00 UTC, kept for so many days, and the points of Sundays for so many weeks.
pub(crate) fn policy(keep_days: u32, keep_weeks: Option<u32>) -> Policy {
    let times: BTreeSet<TimeOfDay> = TimeOfDay::new(2, 0).into_iter().collect();
    let schedule = Schedule { zone: Zone::utc(), rhythm: Rhythm::Daily, times: times.clone() };
    let weekly = keep_weeks.map(|keep_weeks| Weekly {
        days: [Weekday::Sunday].into(),
        times: times.clone(),
        keep_weeks,
    });
    let retention = Retention { daily: Some(Daily { times, keep_days }), weekly, ..Retention::default() };
    Policy::new(schedule, retention).unwrap()
}
