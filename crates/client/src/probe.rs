//! The way to a vault walked step by step by hand: name, port, proxy, certificate. The HTTP library's errors do not tell what a
//! proxy answered, so this asks once more and tells it; and a test of the connection shows each step.
//!
//! Blocks; every step but the resolving of a name, whose limit is the system's, ends by its limit.

use crate::failure::Failure;
use crate::proxy::Proxy;
use rustls::{ClientConfig, ClientConnection};
use rustls_pki_types::ServerName;
use stateward_api::credentials::encode_base64;
use stateward_engine::Obstacle;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// The head of a proxy's answer is shorter.
const HEAD_BYTES_MAX: usize = 32 << 10;

/// A host and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// As an address has it: IPv6 in brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Place {
    /// Of an address that was checked.
    pub(crate) fn of(url: &str) -> Option<Self> {
        let url = reqwest::Url::parse(url).ok()?;
        Some(Self { host: url.host_str()?.to_owned(), port: url.port_or_known_default()? })
    }

    pub(crate) fn of_proxy(proxy: &Proxy) -> Self {
        Self { host: proxy.host().to_owned(), port: proxy.port() }
    }

    fn bare_host(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }

    /// Its addresses.
    pub(crate) fn resolve(&self) -> Result<Vec<SocketAddr>, Failure> {
        let found: Vec<SocketAddr> =
            (self.bare_host(), self.port).to_socket_addrs().map(Iterator::collect).unwrap_or_default();
        match found.is_empty() {
            true => Err(Failure::away("its name can't be resolved")),
            false => Ok(found),
        }
    }
}

/// A connection to the first of these addresses that takes one.
pub(crate) fn reach(addresses: &[SocketAddr], limit: Duration) -> Result<TcpStream, Failure> {
    let mut failure = Failure::away("no connection can be made");
    for address in addresses {
        match TcpStream::connect_timeout(address, limit) {
            Ok(stream) => return prepared(stream, limit).map_err(|cause| Failure::io(&cause)),
            Err(cause) => failure = Failure::io(&cause),
        }
    }
    Err(failure)
}

fn prepared(stream: TcpStream, limit: Duration) -> io::Result<TcpStream> {
    stream.set_read_timeout(Some(limit))?;
    stream.set_write_timeout(Some(limit))?;
    Ok(stream)
}

/// What a failure on the way to the proxy comes to.
pub(crate) fn proxy_away(failure: Failure) -> Failure {
    use stateward_engine::VaultError::Unreachable;
    match failure.error {
        Unreachable(words) => Failure::blocked(Obstacle::ProxyAway, words, true),
        _ => failure,
    }
}

/// Asks the proxy at the other end for the way to `to`.
pub(crate) fn tunnel(stream: &mut TcpStream, proxy: &Proxy, to: &Place) -> Result<(), Failure> {
    let broken = |cause: &io::Error| proxy_away(Failure::io(cause));
    let address = format!("{}:{}", to.host, to.port);
    let mut head = Zeroizing::new(format!("CONNECT {address} HTTP/1.1\r\nHost: {address}\r\n"));
    if let Some((user, password)) = proxy.login() {
        let login = Zeroizing::new(format!("{user}:{password}"));
        head.push_str("Proxy-Authorization: Basic ");
        head.push_str(&Zeroizing::new(encode_base64(login.as_bytes())));
        head.push_str("\r\n");
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes()).map_err(|cause| broken(&cause))?;
    let answer = read_head(stream).map_err(|cause| broken(&cause))?;
    judge(&String::from_utf8_lossy(&answer), proxy)
}

/// Byte by byte, so that nothing behind the head is lost; it is short. One that drips has no more time than one that is silent.
fn read_head(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    let ends_at = deadline(stream)?;
    while !head.ends_with(b"\r\n\r\n") && head.len() < HEAD_BYTES_MAX {
        if Instant::now() > ends_at {
            return Err(io::ErrorKind::TimedOut.into());
        }
        if stream.read(&mut byte)? == 0 {
            break;
        }
        head.push(byte[0]);
    }
    Ok(head)
}

/// Until when whoever is at the other end may talk.
fn deadline(stream: &TcpStream) -> io::Result<Instant> {
    Ok(Instant::now() + stream.read_timeout()?.unwrap_or_default())
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let lines = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    lines
        .into_iter()
        .find_map(|(known, value)| known.trim().eq_ignore_ascii_case(name).then_some(value.trim()))
}

/// What a proxy's answer means.
fn judge(head: &str, proxy: &Proxy) -> Result<(), Failure> {
    let status =
        head.strip_prefix("HTTP/1.").and_then(|rest| rest.split(' ').nth(1)?.trim().parse::<u16>().ok());
    let Some(status) = status else {
        let words = match head.is_empty() {
            true => "it hangs up without an answer",
            false => "what listens there is no HTTP proxy",
        };
        return Err(Failure::blocked(Obstacle::ProxyRefusal, words.to_owned(), head.is_empty()));
    };
    let is_page = header(head, "content-type").is_some_and(|kind| kind.to_ascii_lowercase().contains("html"));
    let refused = |words: String, may_pass| Err(Failure::blocked(Obstacle::ProxyRefusal, words, may_pass));
    let portal = |words: &str| Err(Failure::blocked(Obstacle::Portal, words.to_owned(), false));
    match status {
        200..300 if is_page => portal("the proxy answers with a page for people"),
        200 => Ok(()),
        300..400 | 511 => portal("the proxy leads to a page where people sign in"),
        407 => Err(Failure::blocked(Obstacle::ProxyLogin, login_words(head, proxy), false)),
        502..=504 => refused(format!("it answers {status}, so it does not reach the vault itself"), true),
        403 => refused("it answers 403: it does not allow the vault's address or port".to_owned(), false),
        _ => refused(format!("it answers {status}"), false),
    }
}

fn login_words(head: &str, proxy: &Proxy) -> String {
    let asked: Vec<&str> = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .filter(|(name, _)| name.trim().eq_ignore_ascii_case("proxy-authenticate"))
        .filter_map(|(_, value)| value.split_ascii_whitespace().next())
        .filter(|scheme| scheme.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-'))
        .collect();
    let takes_basic = asked.is_empty() || asked.iter().any(|scheme| scheme.eq_ignore_ascii_case("basic"));
    match proxy.user() {
        _ if !takes_basic => {
            format!("it takes {} only, and Stateward signs in with Basic", asked.join(" and "))
        }
        Some(user) => format!("user `{user}` or the password is wrong"),
        None => "it asks for a user and a password, and none are set".to_owned(),
    }
}

/// Why there is no way through a proxy; `None` if there is one.
pub(crate) fn why_no_way(proxy: &Proxy, to: &Place, limit: Duration) -> Option<Failure> {
    let place = Place::of_proxy(proxy);
    let reached = place.resolve().and_then(|addresses| reach(&addresses, limit)).map_err(proxy_away);
    reached.and_then(|mut stream| tunnel(&mut stream, proxy, to)).err()
}

/// Makes sure by TLS that the vault is at the other end. Gives the protocol's version.
pub(crate) fn secure(stream: TcpStream, to: &Place, tls: ClientConfig) -> Result<String, Failure> {
    let name = ServerName::try_from(to.bare_host().to_owned())
        .map_err(|_| Failure::away("its name can't be one of a host"))?;
    let mut connection = ClientConnection::new(Arc::new(tls), name).map_err(|error| Failure::tls(&error))?;
    shake_hands(&mut connection, stream).map_err(|cause| Failure::io(&cause))?;
    let version = connection.protocol_version().map(|version| format!("{version:?}"));
    Ok(version.unwrap_or_default().replace("TLSv1_", "TLS 1."))
}

fn shake_hands(connection: &mut ClientConnection, mut stream: TcpStream) -> io::Result<()> {
    let ends_at = deadline(&stream)?;
    while connection.is_handshaking() {
        if Instant::now() > ends_at {
            return Err(io::ErrorKind::TimedOut.into());
        }
        if connection.wants_write() {
            connection.write_tls(&mut stream)?;
            continue;
        }
        if connection.read_tls(&mut stream)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Err(error) = connection.process_new_packets() {
            // So that the other end learns why, as far as it listens.
            let _ = connection.write_tls(&mut stream);
            return Err(io::Error::other(error));
        }
    }
    while connection.wants_write() {
        connection.write_tls(&mut stream)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use stateward_engine::VaultError;

    fn judged(head: &str, address: &str) -> Option<(Obstacle, String, bool)> {
        let failure = judge(head, &Proxy::parse(address).unwrap()).err()?;
        match failure.error {
            VaultError::Blocked(obstacle, words) => Some((obstacle, words, failure.is_transient)),
            other => panic!("{other}"),
        }
    }

    #[test]
    fn a_proxys_answer_is_told_as_what_it_means() {
        use Obstacle::{Portal, ProxyLogin, ProxyRefusal};
        let proxy = "http://jane@p:1";
        assert_eq!(judged("HTTP/1.1 200 Connection established\r\n\r\n", proxy), None);
        assert_eq!(judged("HTTP/1.0 200 OK\r\n\r\n", proxy), None);
        let cases = [
            ("HTTP/1.1 407 X\r\nProxy-Authenticate: Basic realm=\"a\"\r\n\r\n", ProxyLogin, "`jane`", false),
            ("HTTP/1.1 407 X\r\nProxy-Authenticate: NTLM\r\n\r\n", ProxyLogin, "NTLM only", false),
            ("HTTP/1.1 403 Forbidden\r\n\r\n", ProxyRefusal, "403", false),
            ("HTTP/1.1 502 Bad Gateway\r\n\r\n", ProxyRefusal, "502", true),
            ("HTTP/1.1 405 No\r\n\r\n", ProxyRefusal, "405", false),
            ("SSH-2.0-x\r\n", ProxyRefusal, "no HTTP proxy", false),
            ("", ProxyRefusal, "hangs up", true),
            ("HTTP/1.1 200 OK\r\nContent-Type: Text/HTML; charset=utf-8\r\n\r\n", Portal, "page", false),
            ("HTTP/1.1 302 Found\r\nLocation: http://login/\r\n\r\n", Portal, "sign in", false),
            ("HTTP/1.1 511 X\r\n\r\n", Portal, "sign in", false),
        ];
        for (head, obstacle, words, may_pass) in cases {
            let told = judged(head, proxy).unwrap();
            assert!((told.0, told.2) == (obstacle, may_pass) && told.1.contains(words), "{head}: {told:?}");
        }
        let told = judged("HTTP/1.1 407 X\r\n\r\n", "http://p:1").unwrap();
        assert!(told.1.contains("none are set"), "{told:?}");
    }
}
