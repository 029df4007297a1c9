//! Who may come in: whoever has the one-time token, once; from then on whoever has the session's cookie and its request token.
//!
//! Only hashes of the three are kept, and compared in constant time. There is one session: whoever wants another starts another
//! console.

use stateward_api::credentials::encode_bytes;
use stateward_model::{Clock, Random, Timestamp};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use zeroize::Zeroizing;

/// No session lasts longer than this, however busy it is: 12 hours.
const SESSION_SECONDS_MAX: i64 = 12 * 3600;

/// Bytes of a token.
const TOKEN_BYTES: usize = 32;

/// Why somebody may not come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Denied {
    /// There is no session that this cookie is of, or it is over.
    NotSignedIn,
    /// The cookie is right, and the request token is not there or wrong.
    TokenMissing,
}

/// What a session is known by. No `Debug`: these are secrets.
pub(super) struct Opened {
    pub(super) cookie: Zeroizing<String>,
    pub(super) request_token: Zeroizing<String>,
}

enum State {
    /// For whoever has the one-time token.
    Waiting { token: blake3::Hash, since: Timestamp },
    /// Somebody is signed in.
    Open { cookie: blake3::Hash, request_token: blake3::Hash, opened_at: Timestamp, used_at: Timestamp },
    /// Nobody can come in any more.
    Over,
}

/// The door of a console.
pub(super) struct Gate {
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    idle_seconds: u64,
    state: Mutex<State>,
}

impl Gate {
    /// A gate with a new one-time token, which is shown once.
    pub(super) fn new(
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        idle_seconds: u64,
    ) -> (Self, Zeroizing<String>) {
        let token = new_token(&*random);
        let state = State::Waiting { token: hash(&token), since: clock.now() };
        (Self { clock, random, idle_seconds, state: Mutex::new(state) }, token)
    }

    /// After so many seconds without a call nobody can come in any more.
    pub(super) fn idle_seconds(&self) -> u64 {
        self.idle_seconds
    }

    /// Opens the session for whoever has the one-time token. It opens nothing a second time.
    pub(super) fn open(&self, token: &str) -> Option<Opened> {
        let mut state = self.present();
        let State::Waiting { token: expected, .. } = &*state else { return None };
        // `blake3::Hash` compares in constant time.
        if *expected != hash(token) {
            return None;
        }
        let [cookie, request_token] = [(); 2].map(|()| new_token(&*self.random));
        let now = self.clock.now();
        *state = State::Open {
            cookie: hash(&cookie),
            request_token: hash(&request_token),
            opened_at: now,
            used_at: now,
        };
        Some(Opened { cookie, request_token })
    }

    /// Whether a call with these may be made. One that may be made counts as life.
    pub(super) fn check(&self, cookie: Option<&str>, request_token: Option<&str>) -> Result<(), Denied> {
        let mut state = self.present();
        let State::Open { cookie: of_cookie, request_token: of_request, used_at, .. } = &mut *state else {
            return Err(Denied::NotSignedIn);
        };
        if cookie.is_none_or(|cookie| *of_cookie != hash(cookie)) {
            return Err(Denied::NotSignedIn);
        }
        if request_token.is_none_or(|token| *of_request != hash(token)) {
            return Err(Denied::TokenMissing);
        }
        *used_at = self.clock.now();
        Ok(())
    }

    /// Somebody looks on.
    pub(super) fn touch(&self) {
        if let State::Open { used_at, .. } = &mut *self.present() {
            *used_at = self.clock.now();
        }
    }

    /// Nobody can come in from now on.
    pub(super) fn close(&self) {
        *self.locked() = State::Over;
    }

    /// Whether nobody can come in any more.
    pub(super) fn is_over(&self) -> bool {
        matches!(*self.present(), State::Over)
    }

    /// The state as it is now: what waited or rested for too long is over.
    fn present(&self) -> MutexGuard<'_, State> {
        let mut state = self.locked();
        let now = self.clock.now();
        let is_past = |since: Timestamp, seconds: i64| now >= since.plus_seconds(seconds);
        let idle = i64::try_from(self.idle_seconds).unwrap_or(i64::MAX);
        let is_over = match &*state {
            State::Waiting { since, .. } => is_past(*since, idle),
            State::Open { opened_at, used_at, .. } => {
                is_past(*used_at, idle) || is_past(*opened_at, SESSION_SECONDS_MAX)
            }
            State::Over => true,
        };
        if is_over {
            *state = State::Over;
        }
        state
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        // A thread that panicked while it held this left a whole state behind.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn hash(token: &str) -> blake3::Hash {
    blake3::hash(token.as_bytes())
}

fn new_token(random: &dyn Random) -> Zeroizing<String> {
    let mut bytes = Zeroizing::new([0; TOKEN_BYTES]);
    random.fill(bytes.as_mut());
    Zeroizing::new(encode_bytes(bytes.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use stateward_model::SystemRandom;
    use stateward_testing::FakeClock;

    fn gate() -> (Arc<FakeClock>, Gate, Zeroizing<String>) {
        let clock = Arc::new(FakeClock::default());
        let (gate, token) = Gate::new(clock.clone(), Arc::new(SystemRandom), 600);
        (clock, gate, token)
    }

    #[test]
    fn the_one_time_token_opens_once_and_a_wrong_one_spoils_nothing() {
        let (_clock, gate, token) = gate();
        assert!(gate.open("").is_none() && gate.open(&format!("{}x", *token)).is_none());
        let opened = gate.open(&token).unwrap();
        assert!(gate.open(&token).is_none());
        assert_ne!(*opened.cookie, *opened.request_token);
        let (cookie, request) = (Some(opened.cookie.as_str()), Some(opened.request_token.as_str()));
        assert_eq!(gate.check(cookie, request), Ok(()));
        assert_eq!(gate.check(cookie, None), Err(Denied::TokenMissing));
        assert_eq!(gate.check(cookie, cookie), Err(Denied::TokenMissing));
        assert_eq!(gate.check(None, request), Err(Denied::NotSignedIn));
        assert_eq!(gate.check(Some(token.as_str()), request), Err(Denied::NotSignedIn));
        gate.close();
        assert_eq!(gate.check(cookie, request), Err(Denied::NotSignedIn));
        assert!(gate.is_over());
    }

    #[test]
    fn who_rests_too_long_is_signed_out_and_who_is_busy_after_twelve_hours() {
        let (clock, gate, token) = gate();
        let opened = gate.open(&token).unwrap();
        let call = || gate.check(Some(&opened.cookie), Some(&opened.request_token));
        let mut calls = 0;
        while call().is_ok() {
            clock.advance_seconds(599);
            calls += 1;
            assert!(calls < 1000);
        }
        assert_eq!(calls, SESSION_SECONDS_MAX / 599 + 1);
        assert!(gate.is_over());

        let (clock, gate, token) = self::gate();
        let opened = gate.open(&token).unwrap();
        clock.advance_seconds(599);
        gate.touch();
        clock.advance_seconds(599);
        assert!(!gate.is_over());
        clock.advance_seconds(1);
        assert_eq!(gate.check(Some(&opened.cookie), Some(&opened.request_token)), Err(Denied::NotSignedIn));
    }

    #[test]
    fn a_token_that_nobody_used_in_time_opens_nothing() {
        let (clock, gate, token) = gate();
        clock.advance_seconds(600);
        assert!(gate.open(&token).is_none() && gate.is_over());
    }
}
