//! The local console as its page sees it: a process of its own, asked over a plain socket.
//!
//! Requests are of HTTP/1.0, so that an answer is over when the connection is, and nothing of it comes in chunks.

use crate::process::{Outcome, Running, wait_until};
use crate::server::TestServer;
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// How long a console may take to listen.
const DEADLINE: Duration = Duration::from_secs(60);

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its head, as it came.
    pub head: String,
    /// Its body.
    pub bytes: Vec<u8>,
}

impl Answer {
    /// Its body as JSON; null if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or(Value::Null)
    }

    /// Its JSON, if the call was done.
    #[track_caller]
    pub fn done(self) -> Value {
        assert!((200..300).contains(&self.status), "{self:#?}\n{}", String::from_utf8_lossy(&self.bytes));
        self.json()
    }

    /// The code of a refusal, which must be whole.
    #[track_caller]
    pub fn refused(&self) -> String {
        assert!(self.status >= 400, "{self:#?}");
        let error = &self.json()["error"];
        for field in ["code", "message", "meaning", "recommendation"] {
            assert!(error[field].as_str().is_some_and(|text| !text.is_empty()), "no `{field}`: {error}");
        }
        error["code"].as_str().unwrap_or_default().to_owned()
    }
}

/// A console that somebody signed in to; killed when it is dropped.
pub struct TestConsole {
    process: Running,
    /// `127.0.0.1:PORT`.
    pub address: String,
    /// The one-time token, which is used up.
    pub one_time_token: String,
    /// The session's cookie.
    pub cookie: String,
    /// The session's request token.
    pub request_token: String,
}

impl TestConsole {
    /// Starts a server's console and signs in.
    #[track_caller]
    pub fn start(server: &TestServer) -> Self {
        let mut console = Self::start_only(server);
        let body = format!("{{\"token\": \"{}\"}}", console.one_time_token);
        let answer = console.send("POST", "/console/v1/session", &console.page_headers(), body.as_bytes());
        let cookie = answer.head.lines().find_map(|line| line.strip_prefix("set-cookie: "));
        let cookie = cookie.unwrap_or_else(|| panic!("no cookie: {answer:#?}"));
        console.cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        let token = answer.done()["requestToken"].as_str().map(str::to_owned);
        console.request_token = token.expect("the answer has a request token");
        console
    }

    /// Starts a server's console.
    #[track_caller]
    pub fn start_only(server: &TestServer) -> Self {
        let mut process = server.start(["console"]);
        let url = wait_until("the console listens", DEADLINE, || {
            assert!(process.is_alive(), "the console ended: {}{}", process.stdout(), process.stderr());
            let line: Value = serde_json::from_str(process.stdout().lines().next()?).ok()?;
            assert_eq!(line["type"], "listening");
            line["url"].as_str().map(str::to_owned)
        });
        let (address, token) =
            url.trim_start_matches("http://").split_once("/#token=").expect("the address holds a token");
        let (address, one_time_token) = (address.to_owned(), token.to_owned());
        assert!(address.starts_with("127.0.0.1:"), "{address}");
        Self { process, address, one_time_token, cookie: String::new(), request_token: String::new() }
    }

    /// Its process.
    pub fn process(&mut self) -> &mut Running {
        &mut self.process
    }

    /// Ends it with SIGKILL.
    #[track_caller]
    pub fn kill(self) -> Outcome {
        self.process.kill()
    }

    /// Waits for its end.
    #[track_caller]
    pub fn wait(self) -> Outcome {
        self.process.wait()
    }

    /// What a page of the console's own says before it has signed in.
    pub fn page_headers(&self) -> Vec<(&'static str, String)> {
        vec![
            ("Host", self.address.clone()),
            ("Origin", format!("http://{}", self.address)),
            ("Sec-Fetch-Site", "same-origin".to_owned()),
            ("Content-Type", "application/json".to_owned()),
        ]
    }

    /// What it says from then on.
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        let mut headers = self.page_headers();
        headers.push(("Cookie", self.cookie.clone()));
        headers.push(("X-Stateward-Token", self.request_token.clone()));
        headers
    }

    /// Makes a call as the page.
    #[track_caller]
    pub fn call(&self, method: &str, path: &str, body: Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.send(method, path, &self.headers(), body.as_bytes())
    }

    /// Makes a call of the page's that gives something.
    #[track_caller]
    pub fn get(&self, path: &str) -> Value {
        self.call("GET", path, Value::Null).done()
    }

    /// Makes a call of the page's that changes something.
    #[track_caller]
    pub fn post(&self, path: &str, body: Value) -> Value {
        self.call("POST", path, body).done()
    }

    fn connect(&self, method: &str, path: &str, headers: &[(&str, String)], body: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).expect("the console listens");
        stream.set_read_timeout(Some(crate::process::DEADLINE)).expect("a socket has a time-out");
        let mut head = format!("{method} {path} HTTP/1.0\r\n");
        headers.iter().for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
        if !body.is_empty() {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        head.push_str("\r\n");
        stream.write_all(head.as_bytes()).expect("the console reads");
        // It need not read a body that it refuses.
        let _ = stream.write_all(body);
        stream
    }

    /// Sends a request as it is given.
    #[track_caller]
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, String)], body: &[u8]) -> Answer {
        let mut stream = self.connect(method, path, headers, body);
        let mut bytes = Vec::new();
        // A connection that is cut after the answer, because more was sent than was read, has said all.
        let _ = stream.read_to_end(&mut bytes);
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        let end = end.unwrap_or_else(|| panic!("{method} {path}: no answer: {bytes:?}"));
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let status = head.split(' ').nth(1).and_then(|text| text.parse().ok()).expect("a status");
        Answer { status, head, bytes: bytes.split_off(end + 4) }
    }

    /// Watches a job to its end; all that was told of it.
    #[track_caller]
    pub fn watch(&self, job: &str) -> Vec<Value> {
        let path = format!("/console/v1/jobs/{job}/events");
        let mut told = Vec::new();
        let mut event = String::new();
        for line in BufReader::new(self.connect("GET", &path, &self.headers(), b"")).lines() {
            let line = line.expect("the console goes on telling");
            if let Some(name) = line.strip_prefix("event: ") {
                event = name.to_owned();
            }
            if let Some(data) = line.strip_prefix("data: ") {
                told.push(serde_json::from_str(data).expect("events are JSON"));
            }
        }
        assert_eq!(event, "end", "{told:?}");
        told
    }
}
