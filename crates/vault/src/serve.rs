//! `stateward-vault serve`: opens a data folder and answers on its port until it is told to stop.

use crate::app::Error;
use crate::causes::chain;
use crate::data_folder::{DataFolder, DataFolderError};
use crate::http;
use crate::init::{InitError, open_app};
use crate::tasks::Tasks;
use crate::tls::{self, TlsError};
use axum_server::Handle;
use axum_server::accept::NoDelayAcceptor;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use stateward_model::{Clock, Random};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::task::JoinHandle;

/// How long requests that are under way may take after the vault was told to stop.
const STOP_PATIENCE: Duration = Duration::from_secs(30);

/// How long a client may take to say what it wants.
const FIRST_REQUEST: Duration = Duration::from_secs(30);

/// How often it is looked whether the certificate ends soon.
const CERTIFICATE_CHECK: Duration = Duration::from_secs(24 * 3600);

/// What a client may send on one stream before the vault took it, in bytes. The protocol's 64 KiB would hold a 16 MiB
/// pack to one window a round trip; this is 320 Mbit/s at 100 ms.
const STREAM_WINDOW: u32 = 4 << 20;

/// The same for one connection: four streams at full speed.
const CONNECTION_WINDOW: u32 = 16 << 20;

/// The longest piece of a body in HTTP/2, in bytes: fewer, larger pieces take less time to handle.
const FRAME_BYTES: u32 = 1 << 20;

/// Requests that one connection may have under way.
const STREAMS: u32 = 64;

/// Why the vault does not serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The data folder.
    #[error(transparent)]
    Folder(#[from] DataFolderError),
    /// Something in it cannot be opened.
    #[error(transparent)]
    Open(#[from] InitError),
    /// Certificates.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Receipts that a crash left unmade cannot be made.
    #[error("Can't make the receipts that are missing: {0}")]
    Receipts(String),
    /// The port cannot be had.
    #[error("Can't listen on `{listen}`: {source}")]
    Listen {
        /// Where.
        listen: String,
        /// Why.
        source: io::Error,
    },
    /// The server failed while it ran.
    #[error("The server failed: {0}")]
    Server(#[source] io::Error),
}

impl From<Error> for ServeError {
    fn from(error: Error) -> Self {
        Self::Receipts(chain(&error))
    }
}

/// A vault that answers.
pub struct Running {
    url: String,
    address: SocketAddr,
    handle: Handle<SocketAddr>,
    server: JoinHandle<io::Result<()>>,
    renewal: JoinHandle<()>,
    tasks: Tasks,
    app: Arc<crate::app::App>,
    folder: Arc<DataFolder>,
}

impl Running {
    /// Opens the vault in `data` and begins to answer, on `listen` instead of what its settings say if that is given.
    ///
    /// # Errors
    /// If there is no vault, another process has it, or something of it cannot be opened.
    pub async fn start(
        data: &Path,
        listen: Option<&str>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Self, ServeError> {
        let folder = Arc::new(DataFolder::open(data)?);
        let config = folder.config()?;
        let listen = listen.unwrap_or(&config.listen).to_owned();
        tls::renew(&folder, &config.tenant, host_of(&config.url), clock.now())?;
        let app = Arc::new(Box::pin(open_app(&folder, config, clock, random)).await?);
        app.check_identity().await.map_err(InitError::from)?;
        match app.store_missing_receipts().await {
            Ok(0) => {}
            Ok(made) => tracing::info!(receipts = made, "made the receipts that a crash had left unmade"),
            // Each is made when it is asked for; a vault that is full still gives out what it has.
            Err(Error::NoSpace(why)) => {
                tracing::error!(why, "receipts that a crash left unmade can't be made now");
            }
            Err(error) => return Err(error.into()),
        }
        let listener = TcpListener::bind(&listen);
        let listener = listener.map_err(|source| ServeError::Listen { listen: listen.clone(), source })?;
        let address = listener.local_addr().map_err(|source| ServeError::Listen { listen, source })?;
        let certificate = RustlsConfig::from_config(tls::server_config(&folder)?);
        let handle = Handle::new();
        let server = tokio::spawn(answer(listener, certificate.clone(), handle.clone(), Arc::clone(&app))?);
        let renewal = tokio::spawn(renew_daily(Arc::clone(&folder), certificate, Arc::clone(&app)));
        let tasks = Tasks::start(&app);
        let url = app.config.url.clone();
        Ok(Self { url, address, handle, server, renewal, tasks, app, folder })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How others reach it, as its settings say.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Finishes the requests that are under way, closes everything and gives the data folder free.
    ///
    /// # Errors
    /// If the server had failed.
    pub async fn stop(self) -> Result<(), ServeError> {
        self.app.is_stopping.store(true, Ordering::Relaxed);
        self.handle.graceful_shutdown(Some(STOP_PATIENCE));
        self.renewal.abort();
        self.tasks.stop();
        let ended = self.server.await.unwrap_or_else(|error| Err(io::Error::other(error)));
        self.app.database.close().await;
        drop(self.folder);
        ended.map_err(ServeError::Server)
    }
}

/// The server as a future.
fn answer(
    listener: TcpListener,
    certificate: RustlsConfig,
    handle: Handle<SocketAddr>,
    app: Arc<crate::app::App>,
) -> Result<impl Future<Output = io::Result<()>>, ServeError> {
    // Without this a small answer waits for the acknowledgement of the packet before it.
    let acceptor = RustlsAcceptor::new(certificate).acceptor(NoDelayAcceptor::new());
    let mut server = axum_server::from_tcp(listener)
        .map_err(ServeError::Server)?
        .acceptor(acceptor)
        .handle(handle)
        .first_request_timeout(FIRST_REQUEST)
        .accept_error_handler(|peer, error| tracing::debug!(?peer, %error, "a connection failed"));
    server
        .http_builder()
        .http2()
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_frame_size(FRAME_BYTES)
        .max_concurrent_streams(STREAMS)
        .keep_alive_interval(Duration::from_secs(30));
    server.http_builder().http1().header_read_timeout(FIRST_REQUEST);
    Ok(server.serve(http::router(app).into_make_service()))
}

/// Puts a new certificate in before the old one ends, while the vault serves.
async fn renew_daily(folder: Arc<DataFolder>, certificate: RustlsConfig, app: Arc<crate::app::App>) {
    let mut days = tokio::time::interval(CERTIFICATE_CHECK);
    loop {
        days.tick().await;
        let renewed = tls::renew(&folder, &app.config.tenant, host_of(&app.config.url), app.now());
        match renewed.and_then(|is_new| is_new.then(|| tls::server_config(&folder)).transpose()) {
            Ok(Some(config)) => {
                tracing::info!("made a new certificate");
                certificate.reload_from_config(config);
            }
            Ok(None) => {}
            Err(error) => tracing::error!(%error, "can't make a new certificate"),
        }
    }
}

/// The host of `https://host:port`, without an IPv6 address's brackets.
fn host_of(url: &str) -> &str {
    let authority = url.strip_prefix("https://").unwrap_or(url);
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    host.trim_start_matches('[').trim_end_matches(']')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_read_from_the_url() {
        assert_eq!(host_of("https://vault.example:7443"), "vault.example");
        assert_eq!(host_of("https://[::1]:7443"), "::1");
    }
}
