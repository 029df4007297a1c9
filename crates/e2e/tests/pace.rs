//! What a job takes of the machine and of the line: at a limited rate it takes its time, at low priority each of its
//! threads gives way.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]
#![cfg(target_os = "linux")]

use serde_json::Value;
use stateward_e2e::process::{DEADLINE, run, wait_until};
use stateward_e2e::server::restored;
use stateward_e2e::{Dice, TestServer, TestVault, assert_same, is_root, tree};
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

/// What of a job may come at once beyond its rate, in bytes: the burst of a quarter of a second, and the last piece.
const AT_ONCE: u64 = 1_000_000;

/// Bytes of a source that does not compress.
const SOURCE_BYTES: usize = 4_000_000;

fn rig() -> (TestVault, TestServer, PathBuf) {
    let vault = TestVault::start();
    let server = TestServer::registered(&vault);
    let source = server.path("source");
    tree::plant_large(&source, SOURCE_BYTES, &mut Dice::new(7));
    server.protect(&source);
    (vault, server, source)
}

/// The least time that so many bytes take at 1 MB/s.
fn least(bytes: &Value) -> Duration {
    let bytes = bytes.as_u64().unwrap();
    assert!(bytes >= SOURCE_BYTES as u64, "{bytes} bytes were moved");
    Duration::from_micros(bytes - AT_ONCE)
}

#[test]
fn a_job_at_a_limited_rate_takes_its_time_and_brings_everything_back() {
    let (_vault, server, source) = rig();
    let backup = run(server.command(["backup", "now", "--wait", "--limit-rate", "1MB"])).done();
    let told = backup.last();
    assert!(backup.took >= least(&told["bytes_uploaded"]), "{backup:#?}");
    assert_eq!((&told["status"], &told["limit_rate"]), (&"Completed".into(), &1_000_000.into()));
    let shown = server.run(["job", "show", told["job"].as_str().unwrap()]).done().last();
    assert_eq!((&shown["limit_rate"], &shown["low_priority"]), (&1_000_000.into(), &Value::Null));
    let target = server.path("restored");
    let restore = server.restore("latest", &target, &["--limit-rate", "1MB"]).done();
    assert!(restore.took >= least(&restore.last()["bytes_downloaded"]), "{restore:#?}");
    assert_same(&source, &restored(&target, &source));
    server.run(["settings", "set", "--limit-rate", "1MB"]).done();
    let verify = server.run(["verify", "--full"]).done();
    assert!(verify.took >= least(&verify.last()["bytes"]), "{verify:#?}");
    let unlimited = server.run(["verify", "--full", "--limit-rate", "off"]).done().last();
    assert_eq!(unlimited["limit_rate"], Value::Null);
}

/// Waits until a backup moves packs, so that it has all of its threads; its process.
fn wait_for_transfer(server: &TestServer) -> u64 {
    wait_until("the backup transfers", DEADLINE, || {
        let file = fs::read_dir(server.home().join("jobs"))
            .ok()?
            .flatten()
            .find(|entry| entry.path().extension().is_some_and(|extension| extension == "json"))?;
        let record: Value = serde_json::from_slice(&fs::read(file.path()).ok()?).ok()?;
        let process = record["process"]["pid"].as_u64()?;
        let has_network = names_of_threads(process).iter().any(|name| name.starts_with("stateward-net"));
        (record["phase"] == "Transferring" && has_network).then_some(process)
    })
}

fn threads(process: u64) -> Vec<PathBuf> {
    let entries = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

fn names_of_threads(process: u64) -> Vec<String> {
    threads(process).iter().filter_map(|thread| fs::read_to_string(thread.join("comm")).ok()).collect()
}

/// The nice value of each thread: the 19th field of proc(5)'s `stat`. A thread that ends meanwhile has none.
fn nice_values(process: u64) -> Vec<i32> {
    let nice = |thread: PathBuf| {
        let stat = fs::read_to_string(thread.join("stat")).ok()?;
        stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(16)?.parse().ok()
    };
    threads(process).into_iter().filter_map(nice).collect()
}

/// What is asked for, how often: a backup slow enough to be looked at.
const SLOW: [&str; 4] = ["backup", "now", "--limit-rate", "100KB"];

#[test]
fn every_thread_of_a_job_at_low_priority_gives_way_and_no_thread_of_another_does() {
    let (_vault, server, _source) = rig();
    let ours = rustix::process::getpriority_process(None).unwrap();
    for (flags, expected) in [(&["--wait", "--low-priority"][..], 19), (&["--wait"], ours)] {
        let backup = server.start([&SLOW, flags].concat());
        let process = wait_for_transfer(&server);
        assert_eq!(process, u64::try_from(backup.pid().as_raw_nonzero().get()).unwrap());
        let values = nice_values(process);
        assert!(values.len() > 4 && values.iter().all(|value| *value == expected), "{values:?}");
        backup.kill();
        fs::remove_dir_all(server.home().join("jobs")).unwrap();
    }
}

#[test]
fn a_job_at_low_priority_in_the_background_gives_way_with_its_whole_session() {
    let (_vault, server, _source) = rig();
    let told = server.run([&SLOW[..], &["--low-priority"]].concat()).done().last();
    let process = wait_for_transfer(&server);
    let values = nice_values(process);
    assert!(values.len() > 4 && values.iter().all(|value| *value == 19), "{values:?}");
    // Others than root may be refused when another session was changed within the last tenth of a second.
    if let Ok(group) = fs::read_to_string(format!("/proc/{process}/autogroup"))
        && is_root()
    {
        assert!(group.trim_end().ends_with(" nice 19"), "{group}");
    }
    let job = told["job"].as_str().unwrap();
    let shown = server.run(["job", "show", job]).done().last();
    assert_eq!((&shown["low_priority"], &shown["limit_rate"]), (&true.into(), &100_000.into()));
    server.run(["job", "cancel", job]).done();
    wait_until("the job is cancelled", DEADLINE, || {
        let shown = server.run(["job", "show", job]).done().last();
        (shown["status"] == "Cancelled").then_some(())
    });
}
