//! How fast packs go in over TLS on this machine, and what the vault spends on it. Not run by itself:
//! `cargo test --release -p stateward-vault --test throughput -- --ignored --nocapture`

#![expect(clippy::unwrap_used, reason = "a test: a failure is a panic")]
#![cfg(target_os = "linux")]

#[path = "life/agent.rs"]
mod agent;

use agent::{Caller, Server, in_vault, session};
use bytes::Bytes;
use reqwest::{ClientBuilder, Method};
use serde_json::{Value, json};
use stateward_model::{PackId, SystemClock};
use stateward_vault::Initialised;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

const PACKS: usize = 100;
const PACK_BYTES: usize = 16 << 20;
const CONNECTIONS: usize = 4;

fn program(arguments: &[&str], data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stateward-vault"));
    command.args(arguments).arg("--data").arg(data);
    command
}

fn start(data: &Path) -> (Initialised, Child) {
    let output = program(&["init", "--listen", "127.0.0.1:0", "--json"], data).output().unwrap();
    let made: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |field: &str| made[field].as_str().unwrap().to_owned();
    let made = Initialised {
        url: text("url"),
        ca_file: text("ca_file").into(),
        login_endpoint: String::new(),
        tenant: text("tenant"),
        subscription: text("subscription"),
        client_id: text("client_id"),
        client_secret: text("client_secret"),
        data: text("data").into(),
    };
    let mut child = program(&["serve"], data).stderr(Stdio::piped()).spawn().unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
    while !log.next().unwrap().unwrap().starts_with("listening on") {}
    std::thread::spawn(move || log.for_each(drop));
    (made, child)
}

/// Seconds of processor time that a process has used, of its own and in the kernel, and its most resident memory in
/// MiB (proc(5)).
fn spent(process: u32) -> (f64, f64, u64) {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let seconds = |field: &str| field.parse::<f64>().unwrap() / 100.0;
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let peak: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    (seconds(fields[11]), seconds(fields[12]), peak >> 10)
}

fn packs(salt: u8) -> Vec<(PackId, Bytes)> {
    let mut noise = vec![0; PACK_BYTES];
    blake3::Hasher::new().update(&[salt]).finalize_xof().fill(&mut noise);
    (0..PACKS)
        .map(|number| {
            let mut bytes = noise.clone();
            bytes[..8].copy_from_slice(&number.to_le_bytes());
            (PackId(*blake3::hash(&bytes).as_bytes()), bytes.into())
        })
        .collect()
}

#[expect(clippy::print_stdout, reason = "the figures are what this is run for")]
async fn run(name: &str, change: fn(ClientBuilder) -> ClientBuilder, salt: u8) {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let (made, mut child) = start(&folder.path().join("vault"));
    let admin = Caller::administrator(&made).await;
    admin.json::<Value>(Method::PUT, &in_vault(&made, ""), &json!({})).await.unwrap();
    let path = in_vault(&made, "/stateward/credentials");
    let file = admin.json(Method::POST, &path, &json!({"purpose": "Register"})).await.unwrap();
    let server = Server::register(&made, &file, 1, Arc::new(SystemClock)).await.unwrap();
    server.open(1, Value::Null).await.unwrap();
    let packs = packs(salt);
    let before = spent(child.id());
    let began = Instant::now();
    let lanes: Vec<_> = packs
        .chunks(PACKS / CONNECTIONS)
        .map(|packs| {
            let (call, packs) = (server.call.reconnect(&made, change), packs.to_vec());
            tokio::spawn(async move {
                for (id, bytes) in packs {
                    let path = format!("/agent/v1/sessions/{}/packs/{id}", session(1));
                    call.bytes(Method::PUT, &path, bytes).await.unwrap();
                }
            })
        })
        .collect();
    for lane in lanes {
        lane.await.unwrap();
    }
    let seconds = began.elapsed().as_secs_f64();
    let (own, kernel, peak) = spent(child.id());
    let mib = (PACKS * PACK_BYTES) as f64 / f64::from(1 << 20);
    println!(
        "{name}: {:.0} MiB/s, vault {:.2} s of its own and {:.2} s in the kernel, peak {peak} MiB",
        mib / seconds,
        own - before.0,
        kernel - before.1
    );
    child.kill().unwrap();
    child.wait().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "writes 3 GiB and takes the machine for itself"]
async fn packs_go_in() {
    run("HTTP/2", |builder| builder, 1).await;
    run("HTTP/1.1", ClientBuilder::http1_only, 2).await;
}
