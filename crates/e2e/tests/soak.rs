//! A server under a backup every few moments, with kills in between: what is taken of memory, handles, files and the cache does not
//! grow with the number of backups. A minute or so; `STATEWARD_LONG=1` makes it an hour.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]
#![cfg(target_os = "linux")]

use rustix::process::Pid;
use serde_json::Value;
use stateward_e2e::memory::anonymous_kib;
use stateward_e2e::process::{DEADLINE, wait_until};
use stateward_e2e::server::VAULT;
use stateward_e2e::{Dice, Running, TestServer, TestVault, is_long, tree};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// So many jobs a home remembers (`JobFolder`); files of jobs are counted once there can be no more of them.
const JOBS_KEPT: usize = 200;

/// What agent and vault may have more at the end than after the first backups, in KiB: the allocator's own, not a leak of each run.
const GROWTH_KIB: u64 = 24 << 10;

/// What is taken at one moment.
#[derive(Debug)]
struct Taken {
    agent_kib: u64,
    vault_kib: u64,
    agent_handles: usize,
    vault_handles: usize,
    cache_bytes: u64,
    home_files: usize,
}

fn handles(process: Pid) -> usize {
    fs::read_dir(format!("/proc/{}/fd", process.as_raw_nonzero())).unwrap().count()
}

fn taken(vault: &TestVault, server: &TestServer, agent: &Running) -> Taken {
    let [mut cache, mut home] = [Vec::new(), Vec::new()];
    stateward_e2e::vault::files_below(&server.home().join("cache"), &mut cache);
    stateward_e2e::vault::files_below(&server.home(), &mut home);
    let bytes = |path: &std::path::PathBuf| fs::metadata(path).map_or(0, |found| found.len());
    Taken {
        agent_kib: anonymous_kib(agent.pid()),
        vault_kib: anonymous_kib(vault.process().pid()),
        agent_handles: handles(agent.pid()),
        vault_handles: handles(vault.process().pid()),
        cache_bytes: cache.iter().map(bytes).sum(),
        // Of jobs there are as many as there were, up to a limit.
        home_files: home.iter().filter(|path| !path.starts_with(server.home().join("jobs"))).count(),
    }
}

/// A new content of one file of a tree that stays as large as it is.
fn change(source: &Path, dice: &mut Dice) {
    let file = source.join(format!("changes-{}", dice.below(4)));
    fs::write(file, dice.bytes(50_000)).unwrap();
}

/// The agent makes a backup that an administrator asks for at the vault.
fn back_up_by_agent(server: &TestServer) {
    let before = points(server);
    server.run(["item", "backup", "--vault", VAULT, "source"]).done();
    wait_until("the agent backs up", DEADLINE, || (points(server) > before).then_some(()));
    // The job's process holds the home until its very end.
    wait_until("the job ends", DEADLINE, || {
        let running = server.run(["status"]).done().last()["running_jobs"].clone();
        (running == Value::Array(Vec::new())).then_some(())
    });
}

fn points(server: &TestServer) -> u64 {
    server.run(["status"]).done().last()["recovery_point_sequence"].as_u64().unwrap_or(0)
}

#[test]
fn nothing_grows_with_the_number_of_backups() {
    let vault = TestVault::start();
    let server = TestServer::registered(&vault);
    let source = server.path("source");
    let mut dice = Dice::from_environment();
    tree::plant_large(&source, 2_000_000, &mut dice);
    server.run(["protect", "files", source.to_str().unwrap(), "--name", "source"]).done();
    let mut agent = server.start(["agent", "run"]);
    let (lasts, warm) = match is_long() {
        true => (Duration::from_secs(3600), JOBS_KEPT),
        false => (Duration::from_secs(45), 6),
    };
    let begin = Instant::now();
    let (mut rounds, mut first) = (0, None);
    while begin.elapsed() < lasts || rounds < 2 * warm {
        change(&source, &mut dice);
        match dice.below(4) {
            // A backup that is killed, and one that comes after it.
            0 => {
                let killed = server.start(["backup", "now", "--wait"]);
                killed.kill_after(dice.share_of(Duration::from_millis(400)));
                let own = || server.run(["backup", "now", "--wait"]);
                wait_until("the killed one's lease is over", DEADLINE, || {
                    (own().status.code() == Some(0)).then_some(())
                });
            }
            1 => {
                server.run(["backup", "now", "--wait"]).done();
            }
            _ => back_up_by_agent(&server),
        }
        rounds += 1;
        if rounds == warm {
            first = Some(taken(&vault, &server, &agent));
        }
    }
    assert!(agent.is_alive(), "{}", agent.stderr());
    let (first, last) = (first.unwrap(), taken(&vault, &server, &agent));
    let told = format!("after {warm} rounds {first:#?}, after {rounds} {last:#?}");
    assert!(last.agent_kib <= first.agent_kib + GROWTH_KIB, "{told}");
    assert!(last.vault_kib <= first.vault_kib + GROWTH_KIB, "{told}");
    assert!(last.agent_handles <= first.agent_handles + 4, "{told}");
    // Connections that are kept for the next call come and go.
    assert!(last.vault_handles <= first.vault_handles + 16, "{told}");
    assert!(last.home_files <= first.home_files + 4, "{told}");
    // What is known of packs is theirs for as long as they are there, so it grows with what was sent and with nothing else.
    assert!(last.cache_bytes <= first.cache_bytes + (rounds as u64) * 20_000, "{told}");
    server.run(["verify", "--full"]).done();
}
