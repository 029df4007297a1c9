//! A proxy that tests put between a client and a vault: it leads through by CONNECT, asks for a sign-in if it is told to, and
//! misbehaves on demand.

use crate::lock;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// What a proxy does with those who may use it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProxyManner {
    /// Leads them where they want to go.
    Lead,
    /// Leads them to that address, wherever they want to go.
    LeadTo(SocketAddr),
    /// Answers with that status.
    Refuse(u16),
    /// Answers 200 with a page for people.
    Page,
}

struct Shared {
    manner: Mutex<ProxyManner>,
    login: Option<String>,
    heads: Mutex<Vec<String>>,
    led: Mutex<Vec<String>>,
    is_over: AtomicBool,
}

/// A running proxy; ends when it is dropped.
pub struct ConnectProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl ConnectProxy {
    /// One that anybody may use.
    pub fn start() -> Self {
        Self::begin(None)
    }

    /// One that wants this user and this password.
    pub fn with_login(user: &str, password: &str) -> Self {
        Self::begin(Some(format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))))
    }

    fn begin(login: Option<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let shared = Arc::new(Shared {
            manner: Mutex::new(ProxyManner::Lead),
            login,
            heads: Mutex::default(),
            led: Mutex::default(),
            is_over: AtomicBool::new(false),
        });
        let thread = std::thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                for stream in listener.incoming().flatten() {
                    if shared.is_over.load(Ordering::SeqCst) {
                        return;
                    }
                    let shared = Arc::clone(&shared);
                    // A client that hangs up is nobody's failure.
                    std::thread::spawn(move || drop(serve(&shared, stream)));
                }
            }
        });
        Self { address, shared, thread: Some(thread) }
    }

    /// `host:port`.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on, does so.
    pub fn set(&self, manner: ProxyManner) {
        *lock(&self.shared.manner) = manner;
    }

    /// The heads of all that was asked of it.
    pub fn heads(&self) -> Vec<String> {
        lock(&self.shared.heads).clone()
    }

    /// Where somebody was led to, or wanted to go who was: `host:port`, one for each connection.
    pub fn led(&self) -> Vec<String> {
        lock(&self.shared.led).clone()
    }
}

impl Drop for ConnectProxy {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        // Wakes it.
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            thread.join().expect("it does not panic");
        }
    }
}

fn serve(shared: &Shared, mut client: TcpStream) -> io::Result<()> {
    let head = read_head(&mut client)?;
    lock(&shared.heads).push(head.clone());
    let is_welcome = shared.login.as_ref().is_none_or(|login| {
        head.lines()
            .filter_map(|line| line.split_once(": "))
            .any(|(name, value)| name.eq_ignore_ascii_case("proxy-authorization") && value == login)
    });
    if !is_welcome {
        return client.write_all(
            b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"tests\"\r\nContent-Length: 0\r\n\r\n",
        );
    }
    let manner = lock(&shared.manner).clone();
    let Some(wanted) = head.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next()) else {
        return client.write_all(b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n");
    };
    match manner {
        ProxyManner::Refuse(status) => {
            client.write_all(format!("HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n").as_bytes())
        }
        ProxyManner::Page => client.write_all(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 24\r\n\r\n<html>Sign in here</html>",
        ),
        ProxyManner::Lead => lead(shared, client, wanted, TcpStream::connect(wanted)),
        ProxyManner::LeadTo(address) => lead(shared, client, wanted, TcpStream::connect(address)),
    }
}

fn lead(shared: &Shared, mut client: TcpStream, wanted: &str, to: io::Result<TcpStream>) -> io::Result<()> {
    let Ok(mut vault) = to else {
        return client.write_all(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n");
    };
    lock(&shared.led).push(wanted.to_owned());
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    let (mut from_client, mut to_vault) = (client.try_clone()?, vault.try_clone()?);
    let up = std::thread::spawn(move || {
        let copied = io::copy(&mut from_client, &mut to_vault);
        drop(to_vault.shutdown(Shutdown::Write));
        copied
    });
    let down = io::copy(&mut vault, &mut client);
    drop(client.shutdown(Shutdown::Write));
    drop(up.join());
    down.map(drop)
}

fn read_head(stream: &mut TcpStream) -> io::Result<String> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        head.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}
