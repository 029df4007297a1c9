//! What the running agent does between jobs, without a vault.

use super::*;
use crate::jobs::{JobFolder, JobRecord};
use crate::keys::ServerKeys;
use crate::proofs::Proofs;
use crate::{Home, Registration};
use stateward_client::Surroundings;
use stateward_model::{Clock as _, ServerId, SystemClock, SystemRandom, VaultId};
use std::net::TcpListener;
use std::sync::Arc;

/// The agent of a home that is registered with a vault that is away.
fn agent(folder: &std::path::Path) -> Agent {
    let surroundings = Surroundings { clock: Arc::new(SystemClock), random: Arc::new(SystemRandom) };
    let agent = Agent::new(Home::at(Some(folder)).unwrap(), surroundings, "stateward 0.1.0");
    let home = agent.home();
    home.prepare().unwrap();
    let vault = VaultId::new(&SystemRandom);
    ServerKeys::generate(vault, &SystemRandom).save(home).unwrap();
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let registration = Registration {
        server: ServerId::new(&SystemRandom),
        label: "www".parse().unwrap(),
        vault,
        vault_name: "vault".parse().unwrap(),
        tenant: "tenant".to_owned(),
        url: format!("https://{nobody}"),
        ca_pem: rcgen::generate_simple_self_signed(["vault".to_owned()]).unwrap().cert.pem(),
        vault_signing_key: String::new(),
        cache: home.default_cache(),
        registered_at: SystemClock.now(),
    };
    registration.save(home).unwrap();
    agent
}

fn service<'a>(agent: &'a Agent, stop: &'a Cancellation, told: &'a dyn Fn(Event<'_>)) -> Service<'a> {
    Service {
        agent,
        stop,
        told,
        timetable: KeptTimetable::load(agent.home()).unwrap(),
        vault: None,
        upgrades: Upgrades::default(),
        telling: Telling::default(),
    }
}

#[test]
fn a_trial_restore_is_not_put_off_for_a_day_because_the_vault_is_away_for_a_minute() {
    let folder = tempfile::tempdir().unwrap();
    let agent = agent(folder.path());
    let (stop, told) = (Cancellation::default(), |event: Event<'_>| panic!("nothing is told: {event:?}"));
    let mut service = service(&agent, &stop, &told);
    let item = ItemId::new(&SystemRandom);
    let error = service.prove(DueProof::Trial(item), &Settings::default()).unwrap_err();
    assert_eq!(error.code(), Code::VaultUnreachable);
    assert!(Proofs::load(agent.home()).unwrap().restores.is_empty());
    assert!(proofs::is_hindrance(&AgentError::NoItems));
}

#[test]
fn a_job_whose_process_is_gone_is_written_down_as_lost_once_and_one_that_goes_on_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let agent = agent(folder.path());
    let jobs = JobFolder::of(agent.home());
    let mut lost = JobRecord::queued(JobId([7; 16]), JobRequest::backup(None), None, agent.now());
    lost.state = JobState::Running;
    let process = lost.process.as_mut().unwrap();
    process.started += 1;
    jobs.save(&lost).unwrap();
    let goes_on =
        JobRecord { id: JobId([8; 16]), process: Some(crate::platform::this_process()), ..lost.clone() };
    jobs.save(&goes_on).unwrap();
    let mut telling = Telling::default();
    telling.look(&agent);
    let written = || std::fs::read_to_string(agent.home().jobs().join(format!("{}.json", lost.id))).unwrap();
    assert_eq!(jobs.load(goes_on.id).unwrap().state, JobState::Running);
    assert!(written().contains("job-lost"), "{}", written());
    assert_eq!(jobs.settle_lost().unwrap(), []);
}
