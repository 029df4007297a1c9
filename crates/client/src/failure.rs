//! Every way in which a call fails, told as the engine's [`VaultError`]: what the network and TLS do, in plain words,
//! and the one table from the vault's error codes.

use crate::call::CallError;
use crate::tls::Stranger;
use stateward_api::ErrorCode;
use stateward_api::error::ErrorDetail;
use stateward_engine::{Obstacle, VaultError};
use std::error::Error as StdError;
use std::io;

/// One try of a call that gave no answer.
#[derive(Debug)]
pub(crate) struct Failure {
    /// What it comes to when it is not tried again.
    pub(crate) error: VaultError,
    /// Whether it may pass by itself.
    pub(crate) is_transient: bool,
    /// Whether the other side may speak another protocol than this call did.
    pub(crate) is_of_protocol: bool,
}

impl Failure {
    fn new(error: VaultError, is_transient: bool) -> Self {
        Self { error, is_transient, is_of_protocol: false }
    }

    /// From what the HTTP library says. Its own texts are not passed on: they name addresses and layers that tell a
    /// person nothing.
    pub(crate) fn transport(error: &reqwest::Error) -> Self {
        if let Some(tls) = cause::<rustls::Error>(error) {
            return Self::tls(tls);
        }
        Self::away(match cause::<io::Error>(error) {
            _ if error.is_dns() => "its name can't be resolved",
            _ if error.is_timeout() => "it does not answer in time",
            Some(io) => io_words(io),
            None if error.is_connect() => "no connection can be made",
            None => return Self { is_of_protocol: true, ..Self::away("the connection broke") },
        })
    }

    /// From what the operating system says, or TLS through it.
    pub(crate) fn io(error: &io::Error) -> Self {
        match cause::<rustls::Error>(error) {
            Some(tls) => Self::tls(tls),
            None => Self::away(io_words(error)),
        }
    }

    /// Whether the HTTP library came to no connection, and a certificate is not why.
    pub(crate) fn may_be_the_way(error: &reqwest::Error) -> bool {
        use rustls::Error::InvalidCertificate;
        error.is_connect() && !matches!(cause::<rustls::Error>(error), Some(InvalidCertificate(_)))
    }

    /// It can't be reached now.
    pub(crate) fn away(words: &str) -> Self {
        Self::new(VaultError::Unreachable(words.to_owned()), true)
    }

    /// Something stands between.
    pub(crate) fn blocked(obstacle: Obstacle, words: String, is_transient: bool) -> Self {
        Self::new(VaultError::Blocked(obstacle, words), is_transient)
    }

    pub(crate) fn tls(error: &rustls::Error) -> Self {
        use rustls::{CertificateError as C, Error as E};
        let words = match error {
            E::InvalidCertificate(C::Other(other)) => match other.0.downcast_ref::<Stranger>() {
                Some(stranger) => return Self::stranger(stranger),
                None => "it can't be used",
            },
            E::InvalidCertificate(C::UnknownIssuer | C::BadSignature) => {
                "it was not issued by the authority that this machine was told to trust"
            }
            E::InvalidCertificate(C::NotValidForName | C::NotValidForNameContext { .. }) => {
                "it is not for the host that the address names"
            }
            E::InvalidCertificate(C::Expired | C::ExpiredContext { .. }) => {
                "it has expired, or this machine's clock is ahead"
            }
            E::InvalidCertificate(C::NotValidYet | C::NotValidYetContext { .. }) => {
                "it is not valid yet, or this machine's clock is behind"
            }
            E::InvalidCertificate(_) => "it can't be used",
            // What a server that does not speak TLS at all sends cannot be read as a record.
            E::InvalidMessage(_) => {
                let error = VaultError::WrongVault("what listens there does not speak TLS".to_owned());
                return Self::new(error, false);
            }
            other => {
                use rustls::AlertDescription::NoApplicationProtocol;
                let is_of_protocol = matches!(other, E::AlertReceived(NoApplicationProtocol));
                let error = VaultError::Unreachable(format!("the secure connection broke: {error}"));
                return Self { is_of_protocol, ..Self::new(error, true) };
            }
        };
        Self::new(VaultError::NotTrusted(words.to_owned()), false)
    }

    /// A certificate of another authority: a vault's, or one that opens connections on their way.
    fn stranger(stranger: &Stranger) -> Self {
        let issuer = &stranger.issuer;
        match stranger.is_vault {
            true => {
                let words = format!(
                    "it was issued by another vault's authority, `{issuer}`, and not by the one that this machine was told to trust"
                );
                Self::new(VaultError::NotTrusted(words), false)
            }
            false => {
                let words =
                    format!("the certificate was issued by `{issuer}`, and not by the vault's own authority");
                Self::blocked(Obstacle::Interception, words, false)
            }
        }
    }

    /// As an error of the vault at that address.
    pub(crate) fn at(self, url: &str) -> VaultError {
        match self.error {
            VaultError::Unreachable(words) => VaultError::Unreachable(format!("{words} ({url})")),
            VaultError::NotTrusted(words) => VaultError::NotTrusted(format!("{words} ({url})")),
            VaultError::WrongVault(words) => VaultError::WrongVault(format!("{words} ({url})")),
            VaultError::Blocked(obstacle, words) => VaultError::Blocked(obstacle, format!("{words} ({url})")),
            other => other,
        }
    }

    pub(crate) fn too_long(most: usize) -> Self {
        let error = VaultError::BadAnswer(format!("it is longer than {most} bytes"));
        Self::new(error, false)
    }

    /// A file here can't take what comes; the file's own error says why.
    pub(crate) fn unwritable() -> Self {
        let error = VaultError::Failed("what comes from the vault can't be written".to_owned());
        Self::new(error, false)
    }

    pub(crate) fn stalled(seconds: u64) -> Self {
        let error = VaultError::Unreachable(format!("nothing moved for {seconds} seconds"));
        Self::new(error, true)
    }

    pub(crate) fn cancelled() -> Self {
        Self::new(VaultError::Cancelled, false)
    }
}

fn io_words(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "the connection is refused",
        // What a socket with a limit on its waiting says on one system and another.
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => "it does not answer in time",
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => "there is no way to it",
        io::ErrorKind::PermissionDenied => "this machine does not allow the connection",
        _ => "the connection broke",
    }
}

/// The first cause of that type behind an error. An `io::Error` that only wraps another error is looked into.
fn cause<'a, E: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found);
        }
        // `io::Error::source` skips the error that it wraps and gives that error's own source.
        next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped as &(dyn StdError + 'static)),
            None => error.source(),
        };
    }
    None
}

/// The one table from the vault's codes to what the engine and the agent understand. `object` names what was asked
/// for, for [`VaultError::NotFound`].
pub(crate) fn from_detail(detail: ErrorDetail, object: &str) -> VaultError {
    let ErrorDetail { code, message, packs, .. } = detail;
    match code {
        ErrorCode::InvalidToken
        | ErrorCode::InvalidClient
        | ErrorCode::Forbidden
        | ErrorCode::CredentialsExpired
        | ErrorCode::CredentialsUsedUp
        | ErrorCode::CredentialsInvalid
        | ErrorCode::ServerRevoked => VaultError::NotRegistered(message),
        // Sign-in turns it into `VaultError::ClockSkew`, with the seconds; no other call answers with it.
        ErrorCode::ClockSkew => VaultError::Failed(message),
        ErrorCode::NotFound => VaultError::NotFound(object.to_owned()),
        ErrorCode::SessionBusy => VaultError::Busy(message),
        ErrorCode::ProtectionStopped => VaultError::ProtectionStopped(message),
        ErrorCode::AgentTooOld => VaultError::AgentTooOld(message),
        ErrorCode::RedundancyNotMet => VaultError::RedundancyNotMet(message),
        ErrorCode::SessionLost => VaultError::SessionLost(message),
        ErrorCode::PacksMissing => VaultError::PacksMissing(packs),
        ErrorCode::WrongHead => VaultError::WrongHead,
        ErrorCode::InsufficientStorage => VaultError::Full(message),
        ErrorCode::QuotaExceeded => VaultError::OverQuota(message),
        ErrorCode::Unavailable => VaultError::Unavailable(message),
        // The vault's own words tell it best.
        _ => VaultError::Failed(message),
    }
}

impl CallError {
    /// As the engine's error; `object` names what was asked for.
    pub(crate) fn into_vault_error(self, object: &str) -> VaultError {
        match self {
            Self::NoAnswer(error) => error,
            Self::Refused(detail) => from_detail(*detail, object),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_io_error_is_found_behind_another_that_wraps_it() {
        let inner = io::Error::other(rustls::Error::HandshakeNotComplete);
        let outer = io::Error::other(inner);
        assert_eq!(cause::<rustls::Error>(&outer), Some(&rustls::Error::HandshakeNotComplete));
        assert!(cause::<std::fmt::Error>(&outer).is_none());
    }

    #[test]
    fn a_broken_secure_connection_is_told_with_what_tls_says_of_it() {
        let failure = Failure::tls(&rustls::Error::AlertReceived(rustls::AlertDescription::HandshakeFailure));
        assert!(
            failure.is_transient && failure.error.to_string().contains("HandshakeFailure"),
            "{failure:?}"
        );
    }

    #[test]
    fn the_vaults_words_are_kept_and_packs_are_listed() {
        let packs = vec![stateward_model::PackId([1; 32])];
        let detail =
            |code| ErrorDetail { packs: packs.clone(), ..ErrorDetail::new(code, "Words".to_owned()) };
        let told = |code| from_detail(detail(code), "pack `x`");
        assert_eq!(told(ErrorCode::SessionBusy), VaultError::Busy("Words".to_owned()));
        assert_eq!(told(ErrorCode::NotFound), VaultError::NotFound("pack `x`".to_owned()));
        let packs = vec![stateward_model::PackId([1; 32])];
        assert_eq!(told(ErrorCode::PacksMissing), VaultError::PacksMissing(packs));
        assert_eq!(told(ErrorCode::InsufficientStorage), VaultError::Full("Words".to_owned()));
        assert_eq!(told(ErrorCode::QuotaExceeded), VaultError::OverQuota("Words".to_owned()));
    }
}
