//! The console's process: listens, serves, ends.

use super::gate::Gate;
use super::{Console, routes};
use crate::{Agent, AgentError};
use stateward_engine::Cancellation;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use zeroize::Zeroizing;

/// How often it is looked at whether it is to end.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How long answers that are on their way may take then.
const GRACE: Duration = Duration::from_secs(2);

/// How long calls that go on may take then. What is cut off can be done again.
const GRACE_OF_CALLS: Duration = Duration::from_secs(10);

/// How a console is served.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// At which port; 0: any that is free.
    pub port: u16,
    /// After so many seconds without a call it ends.
    pub idle_seconds: u64,
}

/// It listens.
pub struct Listening {
    /// The port.
    pub port: u16,
    /// The address of the page, with the one-time token behind the `#`, which browsers send to nobody.
    pub url: Zeroizing<String>,
}

/// Why it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It was stopped.
    Stopped,
    /// Somebody signed out, or nobody made a call for too long.
    SignedOut,
}

/// Serves a home's console until it is stopped, or nobody can come in any more. `told` is called once it listens.
///
/// # Errors
/// If the home or the port can't be used.
pub fn serve(
    agent: &Agent,
    options: Options,
    stop: &Cancellation,
    told: impl FnOnce(&Listening),
) -> Result<Ended, AgentError> {
    agent.home().prepare()?;
    let unusable = |cause| AgentError::ConsoleUnusable { port: options.port, cause };
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(2).thread_name("stateward-console").enable_all().build();
    let runtime = runtime.map_err(unusable)?;
    let ended = runtime.block_on(run(agent, options, stop, told)).map_err(unusable);
    runtime.shutdown_timeout(GRACE_OF_CALLS);
    ended
}

async fn run(
    agent: &Agent,
    options: Options,
    stop: &Cancellation,
    told: impl FnOnce(&Listening),
) -> io::Result<Ended> {
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, options.port))).await?;
    let address = listener.local_addr()?;
    let surroundings = agent.surroundings();
    let (clock, random) = (Arc::clone(&surroundings.clock), Arc::clone(&surroundings.random));
    let (gate, token) = Gate::new(clock, random, options.idle_seconds);
    let console = Arc::new(Console {
        agent: agent.through(None),
        gate,
        authority: address.to_string(),
        port: address.port(),
        ending: Cancellation::default(),
    });
    let router = routes::router(Arc::clone(&console));
    let url = Zeroizing::new(format!("http://{address}/#token={}", *token));
    told(&Listening { port: address.port(), url });
    drop(token);
    tracing::info!(port = address.port(), "the console listens");
    let ends = over(Arc::clone(&console), stop.clone());
    let served = axum::serve(listener, router).with_graceful_shutdown(ends);
    let patience = async {
        over(Arc::clone(&console), stop.clone()).await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        served = async { served.await } => served?,
        () = patience => (),
    }
    tracing::info!("the console ends");
    Ok(if stop.is_cancelled() { Ended::Stopped } else { Ended::SignedOut })
}

/// Waits until it is to end.
async fn over(console: Arc<Console>, stop: Cancellation) {
    while !stop.is_cancelled() && !console.gate.is_over() {
        tokio::time::sleep(LOOK_EVERY).await;
    }
    console.ending.cancel();
}
