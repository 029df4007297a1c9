//! One caller's way to one vault: where it is, whom to trust, who calls, how long to try.

use crate::body::{self, Activity};
use crate::call::{Answer, Body, Call, CallError, is_transient};
use crate::failure::Failure;
use crate::lanes::{Lanes, RoundTrip, Traffic};
use crate::probe::{self, Place as Way};
use crate::proxy::Proxy;
use crate::retry::{BackOff, Manner};
use crate::sign_in::{Identity, SignIn};
use crate::throttle::Throttle;
use crate::tls;
use crate::transfer::{self, Work};
use reqwest::StatusCode;
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, DATE, HeaderValue, RANGE};
use stateward_api::ErrorCode;
use stateward_engine::{Obstacle, VaultError};
use stateward_model::{Clock, Random, Timestamp};
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use zeroize::Zeroizing;

/// Where a vault is, and how it is known to be the right one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// `https://host:port`, no path.
    pub url: String,
    /// The certificate authority of its TLS, as PEM: the only one that is trusted.
    pub ca_pem: String,
    /// The tenant, for the token endpoint's path.
    pub tenant: String,
    /// The proxy that all calls go through, if any. None of the environment's is ever used.
    pub proxy: Option<Proxy>,
}

impl Endpoint {
    /// As an error of the vault there.
    pub(crate) fn told(&self, failure: Failure) -> VaultError {
        failure.at(&match &self.proxy {
            Some(proxy) => format!("`{}` through the proxy `{}`", self.url, proxy.place()),
            None => format!("`{}`", self.url),
        })
    }
}

/// What a program injects at its start.
#[derive(Clone)]
pub struct Surroundings {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
}

/// The longest refusal that is read, in bytes: one of a commit names each pack that is missing, some ten thousands.
const REFUSAL_BYTES_MAX: usize = 4 << 20;

/// How often a running call looks whether it should stop.
const WATCH_EVERY: Duration = Duration::from_millis(100);

/// A connection is kept for the next call this long, less than servers keep theirs.
const IDLE_CONNECTION: Duration = Duration::from_secs(30);

/// One caller's way to one vault. Making it does no I/O; connections are made when a call needs them, and kept for the
/// next.
///
/// It must be dropped outside of any other asynchronous runtime.
pub struct Connection {
    runtime: Runtime,
    http: reqwest::Client,
    lanes: Lanes,
    round_trip: RoundTrip,
    endpoint: Endpoint,
    sign_in: Option<SignIn>,
    manner: Manner,
    throttle: Option<Throttle>,
    surroundings: Surroundings,
}

impl Connection {
    /// A way to `endpoint` for `identity`; without one, only calls that need no token can be made.
    ///
    /// # Errors
    /// [`VaultError::Unreachable`] when the address is none that a vault can have; [`VaultError::NotTrusted`] when the
    /// authority's PEM can't be used; [`VaultError::Failed`] when this machine has no thread or socket left.
    pub fn new(
        mut endpoint: Endpoint,
        identity: Option<Identity>,
        manner: Manner,
        surroundings: Surroundings,
    ) -> Result<Self, VaultError> {
        endpoint.url = checked_url(&endpoint.url)?;
        let tls = tls::trusting_only(&endpoint.ca_pem).map_err(VaultError::NotTrusted)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("stateward-net")
            .enable_all()
            .build()
            .map_err(|error| VaultError::Failed(format!("no network thread can be started: {error}")))?;
        let http = built(http_builder(tls.clone(), &manner, endpoint.proxy.as_ref())?.http1_only())?;
        let lanes = Lanes::new(tls, manner.clone(), endpoint.proxy.clone());
        Ok(Self {
            runtime,
            http,
            lanes,
            round_trip: RoundTrip::default(),
            endpoint,
            sign_in: identity.map(SignIn::new),
            manner,
            throttle: None,
            surroundings,
        })
    }

    /// The same, with packs held to a rate in both directions.
    #[must_use]
    pub fn throttled(mut self, throttle: Option<Throttle>) -> Self {
        self.throttle = throttle;
        self
    }

    /// The connections for packs that travel in parts.
    pub(crate) fn lanes(&self) -> &Lanes {
        &self.lanes
    }

    /// How far the vault is.
    pub(crate) fn round_trip(&self) -> &RoundTrip {
        &self.round_trip
    }

    pub(crate) fn manner(&self) -> &Manner {
        &self.manner
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.surroundings.clock
    }

    pub(crate) fn random(&self) -> &dyn Random {
        &*self.surroundings.random
    }

    pub(crate) fn address(&self, path: &str) -> String {
        format!("{}{path}", self.endpoint.url)
    }

    pub(crate) fn token_path(&self) -> String {
        stateward_api::token::path(&self.endpoint.tenant)
    }

    /// Makes a call and gives its answer, which is a success. A token that the vault does not know any more is
    /// renewed once.
    pub(crate) fn call(&self, call: &Call) -> Result<Answer, CallError> {
        let manner = call.manner.as_ref().unwrap_or(&self.manner);
        if !call.is_signed_in {
            return succeeded(self.exchange(manner, || call.clone())?);
        }
        self.signed_in(manner, |token| {
            succeeded(self.exchange(manner, || match token {
                Some(token) => call.with_token(token),
                None => call.clone(),
            })?)
        })
    }

    /// Does `work` with the caller's token; once more with a new one, if the vault does not know it any more.
    fn signed_in<T>(
        &self,
        manner: &Manner,
        mut work: impl FnMut(Option<&Zeroizing<String>>) -> Result<T, CallError>,
    ) -> Result<T, CallError> {
        let Some(sign_in) = &self.sign_in else { return work(None) };
        let token = sign_in.token(self, manner)?;
        let refusal = match work(Some(&token)) {
            Err(CallError::Refused(detail)) if detail.code == ErrorCode::InvalidToken => detail,
            done => return done,
        };
        tracing::debug!(code = ?refusal.code, "the vault does not know the token any more; signing in again");
        sign_in.forget(&token);
        let token = sign_in.token(self, manner)?;
        work(Some(&token))
    }

    /// Makes a call over one lane.
    #[cfg(test)]
    pub(crate) fn over(&self, lane: &reqwest::Client, call: &Call) -> Result<Answer, VaultError> {
        let answer = self.runtime.block_on(self.attempt(lane, &self.manner, call.clone()));
        answer.map_err(|failure| self.told(failure))
    }

    /// Moves a pack in parts.
    pub(crate) fn transfer(&self, traffic: &Traffic, work: &mut dyn Work) -> Result<(), CallError> {
        self.signed_in(&self.manner, |token| {
            self.runtime.block_on(transfer::drive(self, traffic, token, &mut *work))
        })
    }

    /// Sends what `build` makes, again and again while it fails in a way that may pass and the patience lasts. Gives
    /// any answer, good or bad.
    pub(crate) fn exchange(&self, manner: &Manner, build: impl Fn() -> Call) -> Result<Answer, VaultError> {
        self.runtime.block_on(async {
            let mut back_off = BackOff::new(manner.patience);
            loop {
                let outcome = self.attempt(&self.http, manner, build()).await;
                let may_pass = match &outcome {
                    Ok(answer) => is_transient(answer.status),
                    Err(failure) => failure.is_transient,
                };
                let next = may_pass.then(|| back_off.wait(Instant::now(), self.random())).flatten();
                let Some(wait) = next else {
                    return outcome.map_err(|failure| self.told(failure));
                };
                if let Err(failure) = &outcome {
                    tracing::debug!(error = %failure.error, ?wait, "a call failed and is tried again");
                }
                self.rest(manner, wait).await?;
            }
        })
    }

    /// Waits between two calls, unless somebody cancels.
    pub(crate) fn pause(&self, wait: Duration) -> Result<(), VaultError> {
        self.runtime.block_on(self.rest(&self.manner, wait))
    }

    /// Waits, unless somebody cancels.
    pub(crate) async fn rest(&self, manner: &Manner, wait: Duration) -> Result<(), VaultError> {
        let rested = watched(manner, &Activity::start(manner.stall()), tokio::time::sleep(wait)).await;
        rested.map_err(|failure| self.told(failure))
    }

    /// What a failure comes to when it is not tried again.
    pub(crate) fn told(&self, failure: Failure) -> VaultError {
        self.endpoint.told(failure)
    }

    /// Gets a token.
    pub(crate) fn sign_in(&self) -> Result<(), CallError> {
        self.signed_in(&self.manner, |_| Ok(()))
    }

    /// Why a call came to no answer. What a proxy says of it, only the proxy can tell.
    async fn why(&self, error: &reqwest::Error, manner: &Manner) -> Failure {
        let way = self.endpoint.proxy.clone().zip(Way::of(&self.endpoint.url));
        if let Some((proxy, to)) = way.filter(|_| Failure::may_be_the_way(error)) {
            let limit = manner.connect_timeout();
            let asked = tokio::task::spawn_blocking(move || probe::why_no_way(&proxy, &to, limit));
            if let Ok(Some(failure)) = asked.await {
                return failure;
            }
        }
        Failure::transport(error)
    }

    /// Sends a call once, over the connections of `http`.
    pub(crate) async fn attempt(
        &self,
        http: &reqwest::Client,
        manner: &Manner,
        call: Call,
    ) -> Result<Answer, Failure> {
        let activity = Activity::start(manner.stall());
        let (most, place, sink) = (call.most, call.place.clone(), call.sink.clone());
        let is_small = !matches!(call.body, Body::Object(_)) && place.is_none() && sink.is_none();
        let throttle = self.throttle.clone().filter(|_| call.is_bulk);
        let request = self.request(http, call, &activity, throttle.clone());
        let exchange = async {
            let begin = Instant::now();
            let response = match request.send().await {
                Ok(response) => response,
                Err(error) => {
                    activity.note();
                    return Err(self.why(&error, manner).await);
                }
            };
            activity.note();
            if is_small {
                self.round_trip.note(begin.elapsed());
            }
            let status = response.status();
            let date = response.headers().get(DATE).and_then(read_date);
            let operation = response.headers().get("azure-asyncoperation");
            let operation = operation.and_then(|value| value.to_str().ok()).map(str::to_owned);
            if let Some(place) = place.filter(|_| status == StatusCode::PARTIAL_CONTENT) {
                let placed = body::into_place(response, &place, &activity, throttle.as_ref()).await?;
                return Ok(Answer { status, date, body: Vec::new(), placed, operation });
            }
            if let Some(sink) = sink.filter(|_| status == StatusCode::OK) {
                let placed = body::into_file(response, &sink, most, &activity).await?;
                return Ok(Answer { status, date, body: Vec::new(), placed, operation });
            }
            let most = if status.is_success() { most } else { most.max(REFUSAL_BYTES_MAX) };
            let body = body::incoming(response, most, &activity, throttle.as_ref()).await?;
            Ok(Answer { status, date, body, placed: 0, operation })
        };
        watched(manner, &activity, exchange).await?
    }

    fn request(
        &self,
        http: &reqwest::Client,
        call: Call,
        activity: &Activity,
        throttle: Option<Throttle>,
    ) -> reqwest::RequestBuilder {
        let mut request = http.request(call.method, self.address(&call.path));
        if let Some(token) = call.token {
            // `Bearer` and visible ASCII are always a header's value: sign-in checked the token.
            if let Ok(mut value) = HeaderValue::from_str(&format!("Bearer {}", *token)) {
                value.set_sensitive(true);
                request = request.header(AUTHORIZATION, value);
            }
        }
        if let Some(range) = call.range {
            request = request.header(RANGE, format!("bytes={}-{}", range.start, range.end.saturating_sub(1)));
        }
        if let Some((range, length)) = call.part {
            let last = range.end.saturating_sub(1);
            request = request.header(CONTENT_RANGE, format!("bytes {}-{last}/{length}", range.start));
        }
        match call.body {
            Body::Empty => request,
            Body::Form(form) => request.form(&form),
            Body::Json(bytes) => request.header(CONTENT_TYPE, "application/json").body(bytes),
            Body::Object(bytes) => request
                .header(CONTENT_TYPE, "application/octet-stream")
                .header(CONTENT_LENGTH, bytes.len())
                .body(body::outgoing(bytes, activity.clone(), throttle)),
        }
    }
}

pub(crate) fn succeeded(answer: Answer) -> Result<Answer, CallError> {
    match answer.status.is_success() {
        true => Ok(answer),
        false => Err(answer.refusal()),
    }
}

/// Runs `work` until it is done, somebody cancels, or nothing moved for the stall time.
async fn watched<T>(
    manner: &Manner,
    activity: &Activity,
    work: impl Future<Output = T>,
) -> Result<T, Failure> {
    let mut work = std::pin::pin!(work);
    let mut ticks = tokio::time::interval(WATCH_EVERY);
    let stall = manner.stall();
    loop {
        tokio::select! {
            biased;
            _ = ticks.tick() => match () {
                () if manner.cancellation.is_cancelled() => return Err(Failure::cancelled()),
                () if activity.idle_for() >= stall => return Err(Failure::stalled(stall.as_secs())),
                () => {}
            },
            done = &mut work => return Ok(done),
        }
    }
}

/// What all clients have in common. That for whole calls speaks HTTP/1.1, with a connection for each call under way,
/// though the vault speaks HTTP/2 too: sending packs of 16 MiB over TLS on loopback took 0.9 to 1.0 CPU seconds for 512
/// MiB, against 1.1 to 1.5 over one HTTP/2 connection with windows of 32 MiB (both ends counted, 2 cores), and one
/// connection's records are all sealed by one thread.
pub(crate) fn http_builder(
    tls: rustls::ClientConfig,
    manner: &Manner,
    proxy: Option<&Proxy>,
) -> Result<reqwest::ClientBuilder, VaultError> {
    // Without the environment's proxies, whether there is one or not.
    let builder = reqwest::Client::builder().no_proxy();
    let builder = match proxy.map(Proxy::for_client).transpose() {
        Ok(None) => builder,
        Ok(Some(proxy)) => builder.proxy(proxy),
        Err(_) => {
            let words = "its address can't be used".to_owned();
            return Err(VaultError::Blocked(Obstacle::ProxyAway, words));
        }
    };
    Ok(builder
        .tls_backend_preconfigured(tls)
        .https_only(true)
        .tcp_nodelay(true)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .user_agent(concat!("stateward/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(manner.connect_timeout())
        .pool_idle_timeout(IDLE_CONNECTION))
}

pub(crate) fn built(builder: reqwest::ClientBuilder) -> Result<reqwest::Client, VaultError> {
    builder.build().map_err(|error| VaultError::Failed(format!("no connection can be prepared: {error}")))
}

/// `https://host[:port]`, without the `/` that people put at its end.
pub(crate) fn checked_url(text: &str) -> Result<String, VaultError> {
    let wrong = || VaultError::Unreachable(format!("`{text}` is no address of the form `https://host:port`"));
    let url = reqwest::Url::parse(text).map_err(|_| wrong())?;
    let is_plain = url.scheme() == "https"
        && url.host_str().is_some_and(|host| !host.is_empty())
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    is_plain.then(|| text.trim().trim_end_matches('/').to_owned()).ok_or_else(wrong)
}

fn read_date(value: &HeaderValue) -> Option<Timestamp> {
    let moment = jiff::fmt::rfc2822::parse(value.to_str().ok()?).ok()?.timestamp();
    Timestamp::from_seconds(moment.as_second(), 0)
}

#[cfg(test)]
mod tests;
