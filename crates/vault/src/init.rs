//! `stateward-vault init`: makes a vault's data folder and its first administrator.

use crate::app::audit::Actor;
use crate::app::principals::{Assignment, NewPrincipal, Role};
use crate::app::{App, Error, IdentityError};
use crate::causes::chain;
use crate::config::Config;
use crate::data_folder::{DataFolder, DataFolderError};
use crate::db::{self, Database, DatabaseUrl};
use crate::keys::VaultKey;
use crate::packages::Packages;
use crate::platform;
use crate::tls::{self, TlsError};
use serde::Serialize;
use stateward_api::arm::clouds::AUTHORITY;
use stateward_model::{Clock, Random, VaultId};
use stateward_store::{Objects, StoreError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The signing key's file.
pub(crate) const SIGNING_KEY: &str = "signing.key";

/// A vault that was just made. The secret is shown once and kept nowhere.
#[derive(Debug, Clone, Serialize)]
pub struct Initialised {
    /// How others reach it: `https://host:port`.
    pub url: String,
    /// The certificate authority that clients must trust, an absolute path.
    pub ca_file: PathBuf,
    /// Where clients of the Azure Resource Manager API sign in.
    pub login_endpoint: String,
    /// The tenant's id.
    pub tenant: String,
    /// The subscription's id.
    pub subscription: String,
    /// The administrator's client id.
    pub client_id: String,
    /// The administrator's secret.
    pub client_secret: String,
    /// The data folder, an absolute path.
    pub data: PathBuf,
}

/// Why no vault was made.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// The data folder.
    #[error(transparent)]
    Folder(#[from] DataFolderError),
    /// Where to listen is no `host:port`, or cannot be listened on.
    #[error("Can't listen on `{listen}`: {why}")]
    Listen {
        /// What was given.
        listen: String,
        /// What is wrong with it.
        why: String,
    },
    /// Certificates.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The byte store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The database's URL can't be understood. It is not repeated: there may be a password in it.
    #[error("Can't use the URL of the database: {0}")]
    DatabaseUrl(String),
    /// The database.
    #[error("Can't use the database {0}")]
    Database(String),
    /// Database, store and data folder are not of one vault.
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

impl From<Error> for InitError {
    fn from(error: Error) -> Self {
        Self::Database(chain(&error))
    }
}

/// Makes a vault in `data`. With port 0 a port that is free now is chosen and written down. `database` is the URL of an
/// empty database of PostgreSQL; without it a file in `data` is the database.
///
/// # Errors
/// If there is a vault already, or the folder holds something else; else whatever failed. Then nothing is left in the
/// folder, so that the same can be tried again.
pub async fn initialise(
    data: &Path,
    listen: &str,
    database: Option<&str>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
) -> Result<Initialised, InitError> {
    let (host, listen) = choose_address(listen)?;
    database.map(DatabaseUrl::parse).transpose().map_err(InitError::DatabaseUrl)?;
    let folder = DataFolder::create(data)?;
    let made = Box::pin(make(&folder, (&host, listen), database, clock, random)).await;
    if made.is_err() {
        folder.unmake();
    }
    made
}

async fn make(
    folder: &DataFolder,
    (host, listen): (&str, String),
    database: Option<&str>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
) -> Result<Initialised, InitError> {
    let port = listen.rsplit_once(':').map_or("", |(_, port)| port);
    let url = format!("https://{}:{port}", bracketed(&public_host(host)));
    // Every id of the model is a random UUID, which is what Azure's tenants and subscriptions have.
    let new_id = || VaultId::new(&*random).to_string();
    let mut config = Config::new(listen, url, new_id(), new_id());
    config.database = database.map(str::to_owned);
    tls::create(folder, &config.tenant, &public_host(host), clock.now())?;
    folder.write(SIGNING_KEY, &VaultKey::new_seed(&*random))?;
    let app = open_app(folder, config, clock, random).await?;
    app.check_unclaimed().await?;
    folder.write("vault.json", app.config.to_text().as_bytes())?;
    // What outlives the folder comes last, so that whatever fails before can be tried again with the same database.
    let NewPrincipal { client_id, client_secret } = app
        .create_principal(&Actor::Console, "administrator", &Assignment::everywhere(Role::Contributor))
        .await?;
    app.claim().await?;
    app.database.close().await;
    folder.made()?;
    Ok(Initialised {
        url: app.config.url.clone(),
        ca_file: tls::ca_file(folder),
        login_endpoint: format!("{}/{AUTHORITY}", app.config.url),
        tenant: app.config.tenant.clone(),
        subscription: app.config.subscription.clone(),
        client_id,
        client_secret,
        data: folder.root().to_owned(),
    })
}

/// Opens everything that stands in a data folder.
pub(crate) async fn open_app(
    folder: &DataFolder,
    config: Config,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
) -> Result<App, InitError> {
    let key = VaultKey::from_seed(&folder.read(SIGNING_KEY)?)
        .ok_or_else(|| folder.unreadable(SIGNING_KEY, "it does not have 32 bytes".to_owned()))?;
    let (store, removed) = Objects::open_folder(&folder.store())?;
    let reserve = folder.reserve();
    let is_full = match store.probe().await {
        Ok(guarantees) => {
            tracing::info!(?guarantees, leftovers = removed, "opened the store");
            false
        }
        // What is in it can be restored all the same.
        Err(StoreError::Full(_)) => {
            tracing::error!(folder = %folder.store().display(), "the store is full: packs will be refused");
            true
        }
        Err(error) => return Err(error.into()),
    };
    // Only by the vault that serves it, and before the database: it can't be opened where not even its shared memory has room.
    if folder.is_taken() {
        if is_full {
            reserve.let_go();
        }
        reserve.make_room();
    }
    let url = match &config.database {
        None => DatabaseUrl::file(folder.database()),
        Some(url) => DatabaseUrl::parse(url).map_err(InitError::DatabaseUrl)?,
    };
    let unusable =
        |error: db::Error| InitError::Database(format!("`{url}`: {}{}", chain(&error), remedy(&error)));
    let database = Database::open(&url).await.map_err(unusable)?;
    Ok(App {
        database,
        reserve,
        store: Arc::new(store),
        clock,
        random,
        packages: Packages::of(folder.root()),
        key,
        ca_pem: tls::ca_pem(folder)?,
        config,
        pack_memory: Default::default(),
        assemblies: Default::default(),
        is_stopping: Default::default(),
    })
}

/// What to do about a database that can't be opened, if more can be said than what is wrong.
fn remedy(error: &db::Error) -> &'static str {
    match error {
        db::Error::Lost(_) => {
            "; see that PostgreSQL runs, and that the setting `database` in `vault.json` leads to it"
        }
        db::Error::Migration(_) => "; serve it with the release that wrote it last, or a newer one",
        _ => "",
    }
}

/// The host as it was given, and `host:port` with a port that is not 0.
fn choose_address(listen: &str) -> Result<(String, String), InitError> {
    let refused = |why: &str| InitError::Listen { listen: listen.to_owned(), why: why.to_owned() };
    let (host, port) = listen.rsplit_once(':').ok_or_else(|| refused("it must be `host:port`"))?;
    let port: u16 = port.parse().map_err(|_| refused("its port is no number from 0 to 65535"))?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    if host.is_empty() {
        return Err(refused("it must be `host:port`"));
    }
    let port = match port {
        0 => {
            let free = std::net::TcpListener::bind((host, 0)).and_then(|listener| listener.local_addr());
            free.map_err(|error| refused(&error.to_string()))?.port()
        }
        port => port,
    };
    Ok((host.to_owned(), format!("{}:{port}", bracketed(host))))
}

/// The host that others reach the vault by: the machine's name where it listens everywhere.
fn public_host(host: &str) -> String {
    match host {
        "0.0.0.0" | "::" => platform::machine_name().unwrap_or_else(|| "localhost".to_owned()),
        host => host.to_owned(),
    }
}

/// An IPv6 address stands in brackets before a port (RFC 3986 §3.2.2).
fn bracketed(host: &str) -> String {
    match host.contains(':') {
        true => format!("[{host}]"),
        false => host.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stateward_model::{SystemClock, SystemRandom};

    async fn init(data: &Path, listen: &str) -> Result<Initialised, InitError> {
        initialise(data, listen, None, Arc::new(SystemClock), Arc::new(SystemRandom)).await
    }

    #[tokio::test]
    async fn a_vault_is_made_once() {
        let temp = tempfile::tempdir().unwrap();
        let data = temp.path().join("vault");
        let made = init(&data, "127.0.0.1:0").await.unwrap();
        assert!(made.url.starts_with("https://127.0.0.1:") && !made.url.ends_with(":0"), "{}", made.url);
        assert!(made.ca_file.is_absolute() && made.ca_file.is_file());
        let again = init(&data, "127.0.0.1:0").await.unwrap_err();
        assert!(again.to_string().contains("already"), "{again}");
        let secret = made.client_secret.as_bytes();
        for entry in ["vault.db", "vault.json"] {
            let bytes = std::fs::read(data.join(entry)).unwrap();
            assert!(!bytes.windows(secret.len()).any(|part| part == secret), "{entry}");
        }
    }

    #[tokio::test]
    async fn addresses_that_are_none_are_refused_before_anything_is_made() {
        let temp = tempfile::tempdir().unwrap();
        let data = temp.path().join("vault");
        for wrong in ["localhost", ":1", "localhost:x", "localhost:70000", "203.0.113.1:0"] {
            assert!(matches!(init(&data, wrong).await, Err(InitError::Listen { .. })), "{wrong}");
        }
        assert!(!data.exists());
    }

    #[test]
    fn an_address_of_ipv6_is_bracketed() {
        assert_eq!(choose_address("[::1]:7443").unwrap(), ("::1".to_owned(), "[::1]:7443".to_owned()));
        assert_eq!(choose_address("a.example:7443").unwrap().1, "a.example:7443");
    }
}
