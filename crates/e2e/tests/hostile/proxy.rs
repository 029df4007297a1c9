//! The vault that lies: it speaks TLS with the true vault's key on the true vault's port, passes what it is asked on to
//! the true vault, which listens elsewhere, and answers as it likes.
//!
//! It writes HTTP/1.1 byte by byte, so that an answer need not be one.

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use std::io::{self, BufReader, Read as _, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// What was asked.
#[derive(Debug, Clone)]
pub struct Asked {
    /// `GET /path`, without a query.
    pub line: String,
    head: Vec<u8>,
    /// The body.
    pub body: Vec<u8>,
}

/// What the true vault answered, or what the lying one makes of it.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Headers but those of the connection and of the body's length.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// A body of JSON.
    pub fn json(status: u16, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        Self { status, headers, body: body.into() }
    }

    /// The vault's envelope.
    pub fn refusal(status: u16, code: &str, message: &str) -> Self {
        let error = serde_json::json!({ "error": { "code": code, "message": message } });
        Self::json(status, error.to_string())
    }

    fn bytes(&self) -> Vec<u8> {
        let mut text = format!("HTTP/1.1 {} Status\r\n", self.status);
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str(&format!("content-length: {}\r\nconnection: close\r\n\r\n", self.body.len()));
        [text.into_bytes(), self.body.clone()].concat()
    }
}

/// Where bytes can be written to without end; fails when nobody reads any more.
pub type Line<'a> = &'a mut dyn Write;

/// How a question is answered.
pub enum Reply {
    /// As the true vault does.
    Truth,
    /// With this instead; the true vault hears nothing.
    Instead(Answer),
    /// With what this makes of the true answer.
    Twisted(Box<dyn FnOnce(Answer) -> Answer>),
    /// With these bytes, which need be no answer, until they end or nobody reads them.
    Bytes(Box<dyn FnOnce(Line<'_>) -> io::Result<()>>),
}

type Lie = dyn Fn(&Asked) -> Reply + Send;

struct Shared {
    lie: Mutex<Box<Lie>>,
    upstream: SocketAddr,
    client: Arc<ClientConfig>,
    is_over: AtomicBool,
}

/// The lying vault, until it is dropped.
pub struct Proxy {
    shared: Arc<Shared>,
    address: SocketAddr,
    thread: Option<JoinHandle<()>>,
}

impl Proxy {
    /// Listens at `address` with the key in a vault's data folder; the true vault listens at `upstream`.
    pub fn start(data: &Path, address: SocketAddr, upstream: SocketAddr) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let pem = std::fs::read(data.join("tls/server.pem")).unwrap();
        let chain = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>().unwrap();
        let key = PrivateKeyDer::from_pem_slice(&pem).unwrap();
        let versions =
            ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions();
        let mut server = versions.unwrap().with_no_client_auth().with_single_cert(chain, key).unwrap();
        server.alpn_protocols = vec![b"http/1.1".to_vec()];
        let mut roots = RootCertStore::empty();
        let authority = std::fs::read(data.join("tls/ca.pem")).unwrap();
        roots.add(CertificateDer::from_pem_slice(&authority).unwrap()).unwrap();
        let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let mut client = versions.unwrap().with_root_certificates(roots).with_no_client_auth();
        client.alpn_protocols = vec![b"http/1.1".to_vec()];
        let shared = Arc::new(Shared {
            lie: Mutex::new(Box::new(|_| Reply::Truth)),
            upstream,
            client: Arc::new(client),
            is_over: AtomicBool::new(false),
        });
        let listener = TcpListener::bind(address).unwrap();
        let thread = std::thread::spawn({
            let (shared, server) = (shared.clone(), Arc::new(server));
            move || {
                for stream in listener.incoming().flatten() {
                    if shared.is_over.load(Ordering::SeqCst) {
                        return;
                    }
                    let (shared, server) = (shared.clone(), server.clone());
                    // A caller that hangs up, or that does not trust what it sees, is nobody's failure.
                    std::thread::spawn(move || drop(serve(&shared, server, stream)));
                }
            }
        });
        Self { shared, address, thread: Some(thread) }
    }

    /// From now on, answers so.
    pub fn lie(&self, lie: impl Fn(&Asked) -> Reply + Send + 'static) {
        *self.shared.lie.lock().unwrap_or_else(PoisonError::into_inner) = Box::new(lie);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        // Wakes it.
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

/// Answers the questions of one connection: one, or as many as are told the truth.
fn serve(shared: &Shared, config: Arc<ServerConfig>, stream: TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let connection = ServerConnection::new(config).map_err(io::Error::other)?;
    let mut reader = BufReader::new(StreamOwned::new(connection, stream));
    let asked = read_question(&mut reader)?;
    let reply = {
        let lie = shared.lie.lock().unwrap_or_else(PoisonError::into_inner);
        lie(&asked)
    };
    let line = reader.get_mut();
    match reply {
        Reply::Truth => line.write_all(&ask(shared, &asked)?.bytes())?,
        Reply::Instead(answer) => line.write_all(&answer.bytes())?,
        Reply::Twisted(twist) => line.write_all(&twist(ask(shared, &asked)?).bytes())?,
        Reply::Bytes(write) => write(line)?,
    }
    line.conn.send_close_notify();
    line.flush()
}

fn read_head(reader: &mut impl io::BufRead) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if reader.read_until(b'\n', &mut head)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(head)
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines()
        .filter_map(|line| line.split_once(':'))
        .find_map(|(known, value)| known.eq_ignore_ascii_case(name).then_some(value.trim()))
}

fn read_question(reader: &mut impl io::BufRead) -> io::Result<Asked> {
    let head = read_head(reader)?;
    let text = String::from_utf8_lossy(&head).into_owned();
    let line = text.lines().next().unwrap_or_default().trim_end_matches(" HTTP/1.1").to_owned();
    let length = header(&text, "content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Asked { line, head, body })
}

/// Asks the true vault, over a connection of its own.
fn ask(shared: &Shared, asked: &Asked) -> io::Result<Answer> {
    let name = ServerName::try_from("127.0.0.1").map_err(io::Error::other)?;
    let connection = ClientConnection::new(shared.client.clone(), name).map_err(io::Error::other)?;
    let mut line = StreamOwned::new(connection, TcpStream::connect(shared.upstream)?);
    let head = &asked.head[..asked.head.len() - 2];
    line.write_all(&[head, b"connection: close\r\n\r\n", &asked.body].concat())?;
    line.flush()?;
    let mut reader = BufReader::new(line);
    let text = String::from_utf8_lossy(&read_head(&mut reader)?).into_owned();
    let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(502);
    let mut body = Vec::new();
    match header(&text, "content-length").and_then(|length| length.parse().ok()) {
        Some(length) => {
            body.resize(length, 0);
            reader.read_exact(&mut body)?;
        }
        None if header(&text, "transfer-encoding").is_some() => read_chunked(&mut reader, &mut body)?,
        None => {}
    }
    let of_connection = ["content-length", "transfer-encoding", "connection"];
    let headers = text.lines().skip(1).filter_map(|line| line.split_once(':'));
    let headers = headers.filter(|(name, _)| !of_connection.contains(&name.to_lowercase().as_str()));
    let headers = headers.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect();
    Ok(Answer { status, headers, body })
}

fn read_chunked(reader: &mut impl io::BufRead, body: &mut Vec<u8>) -> io::Result<()> {
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let length = usize::from_str_radix(line.trim(), 16).map_err(io::Error::other)?;
        let from = body.len();
        body.resize(from + length, 0);
        reader.read_exact(&mut body[from..])?;
        reader.read_line(&mut String::new())?;
        if length == 0 {
            return Ok(());
        }
    }
}
