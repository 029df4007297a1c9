//! Who is told of jobs that ended: a webhook on a real HTTPS server, which may be away for a while.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]
#![cfg(target_os = "linux")]

use rustix::process::{Pid, Signal, kill_process};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;
use stateward_e2e::canary::find_below;
use stateward_e2e::process::{DEADLINE, run, wait_until};
use stateward_e2e::{Dice, TestServer, TestVault, tree};
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// What was posted: the head, and the body as JSON.
type Posted = Arc<Mutex<Vec<(String, Value)>>>;

/// A server that takes whatever is posted, until it is dropped.
struct Hook {
    address: SocketAddr,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Hook {
    fn start(config: &Arc<ServerConfig>, address: SocketAddr, posted: &Posted) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let is_over = Arc::new(AtomicBool::new(false));
        let thread = std::thread::spawn({
            let (config, posted, is_over) = (config.clone(), posted.clone(), is_over.clone());
            move || {
                for stream in listener.incoming().flatten() {
                    if is_over.load(Ordering::SeqCst) {
                        return;
                    }
                    // A connection that breaks is the caller's to make again.
                    let _ = answer(stream, config.clone(), &posted);
                }
            }
        });
        Self { address, is_over, thread: Some(thread) }
    }
}

impl Drop for Hook {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        self.thread.take().unwrap().join().unwrap();
    }
}

fn answer(stream: TcpStream, config: Arc<ServerConfig>, posted: &Posted) -> std::io::Result<()> {
    let connection = ServerConnection::new(config).map_err(std::io::Error::other)?;
    let mut reader = BufReader::new(StreamOwned::new(connection, stream));
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap();
        }
        match line.trim().is_empty() {
            true => break,
            false => head.push_str(&line),
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    posted.lock().unwrap().push((head, serde_json::from_slice(&body).unwrap()));
    let stream = reader.get_mut();
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\ntaken")?;
    stream.conn.send_close_notify();
    stream.flush()
}

/// A certificate for this machine as PEM, and the settings of a server that has it.
fn certificate() -> (String, Arc<ServerConfig>) {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = builder.unwrap().with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key);
    (made.cert.pem(), Arc::new(config.unwrap()))
}

/// Waits until something was posted that is as it should be; the newest such.
fn wait_for(posted: &Posted, what: &str, is_it: impl Fn(&Value) -> bool) -> (String, Value) {
    wait_until(what, DEADLINE, || posted.lock().unwrap().iter().rev().find(|(_, body)| is_it(body)).cloned())
}

fn prepared(vault: &TestVault, hook: &Hook, pem: &str) -> TestServer {
    let server = TestServer::registered(vault);
    let source = server.path("Planted Taxes");
    tree::plant_large(&source, 12 << 20, &mut Dice::new(7));
    server.protect(&source);
    for (name, content) in
        [("url", format!("https://{}/planted-hook-7", hook.address)), ("token", "planted-word-8".to_owned())]
    {
        fs::write(server.path(name), content).unwrap();
    }
    fs::write(server.path("hook-ca.pem"), pem).unwrap();
    let mut set = server.command(["settings", "set", "--notify-on", "failed,warnings,completed"]);
    for (flag, file) in [
        ("--notify-webhook-file", "url"),
        ("--notify-webhook-token-file", "token"),
        ("--notify-webhook-ca", "hook-ca.pem"),
    ] {
        set.arg(flag).arg(server.path(file));
    }
    let shown = run(set).done();
    assert!(!shown.stdout.contains("planted"), "{}", shown.stdout);
    assert!(shown.last()["notify_webhook"]["host"].as_str().unwrap().contains("127.0.0.1"), "{shown:#?}");
    server
}

#[test]
fn a_webhook_hears_of_jobs_with_codes_and_counts_and_without_a_path() {
    let vault = TestVault::start();
    let (pem, config) = certificate();
    let posted = Posted::default();
    let hook = Hook::start(&config, "127.0.0.1:0".parse().unwrap(), &posted);
    let nobody = TestServer::fresh();
    assert_eq!(nobody.run(["settings", "test-notification"]).expect_code(1).error_code(), "no-notifications");
    let server = prepared(&vault, &hook, &pem);
    let told = server.run(["settings", "test-notification"]).done();
    assert_eq!((&told.json()[0]["status"], &told.json()[0]["answer"]), (&200.into(), &"taken".into()));
    let (head, test) = wait_for(&posted, "the test comes", |body| body["event"] == "test");
    assert!(head.starts_with("POST /planted-hook-7 "), "{head}");
    assert!(head.contains("Bearer planted-word-8"), "{head}");
    assert!(test["text"].as_str().unwrap().contains("this is a test"), "{test}");
    let made = server.backup();
    let (_, ended) = wait_for(&posted, "the backup is told", |body| body["kind"] == "Backup");
    assert_eq!((&ended["state"], &ended["event"]), (&"Completed".into(), &"job-ended".into()));
    assert_eq!(ended["recovery_point"], made["recovery_point"]);
    assert!(ended["files"].as_u64().unwrap() > 0 && ended["error_code"].is_null(), "{ended}");
    assert!(!ended.to_string().contains("Planted"), "{ended}");
    // Neither the address nor the token is anywhere but with the keys.
    for secret in ["planted-hook-7", "planted-word-8"] {
        let found = find_below(&server.home(), secret);
        assert!(found.iter().all(|path| path.starts_with(server.home().join("keys"))), "{found:?}");
    }
    server.run(["settings", "set", "--notify-on", "failed"]).done();
    server.backup();
    server.run(["settings", "set", "--notify-webhook", "none"]).done();
    assert_eq!(posted.lock().unwrap().len(), 2);
    assert_eq!(server.run(["settings", "show"]).done().last()["notify_webhook"], Value::Null);
}

#[test]
fn a_webhook_that_was_away_hears_later_and_of_a_job_that_was_killed_too() {
    let mut vault = TestVault::start();
    let (pem, config) = certificate();
    let posted = Posted::default();
    let hook = Hook::start(&config, "127.0.0.1:0".parse().unwrap(), &posted);
    let server = prepared(&vault, &hook, &pem);
    let address = hook.address;
    drop(hook);
    let failed = server.run(["settings", "test-notification"]).expect_code(1);
    assert_eq!(failed.error_code(), "notification-failed");
    server.run(["settings", "set", "--precheck", "vault-reachable=block"]).done();
    vault.stop();
    run(server.backup_command()).expect_code(14);
    vault.serve();
    let waits = || fs::read_dir(server.home().join("notifications")).into_iter().flatten().flatten();
    let waits = || waits().any(|entry| entry.path().extension().is_some_and(|kind| kind == "json"));
    assert!(waits() && posted.lock().unwrap().is_empty());
    let _hook = Hook::start(&config, address, &posted);
    let (_, told) = wait_for(&posted, "the failure is told", |body| body["state"] == "Failed");
    assert_eq!(told["error_code"], "precheck-blocks");
    assert!(told["text"].as_str().unwrap().contains("[precheck-blocks]"), "{told}");
    wait_until("nothing waits any more", DEADLINE, || (!waits()).then_some(()));
    // A job that can't say itself how it ended.
    let agent = server.start(["agent", "run"]);
    let job = server.run(["backup", "now", "--limit-rate", "1MB"]).done().last()["job"].clone();
    let pid = wait_until("the job's process is known", DEADLINE, || {
        let record = server.home().join("jobs").join(format!("{}.json", job.as_str().unwrap()));
        let record: Value = serde_json::from_slice(&fs::read(record).ok()?).ok()?;
        (record["state"] == "Running").then(|| record["process"]["pid"].as_i64().unwrap())
    });
    kill_process(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(), Signal::KILL).unwrap();
    let (_, lost) = wait_for(&posted, "the loss is told", |body| body["error_code"] == "job-lost");
    assert_eq!(lost["job"], job);
    agent.kill();
}
