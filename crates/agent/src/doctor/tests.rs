//! Homes in several states, without a vault.

use super::*;
use crate::items::{Items, Selection, StoredPath};
use crate::{Home, Surroundings};
use stateward_model::{SystemClock, SystemRandom};
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

fn agent(path: &std::path::Path) -> Agent {
    let surroundings = Surroundings { clock: Arc::new(SystemClock), random: Arc::new(SystemRandom) };
    Agent::new(Home::at(Some(path)).unwrap(), surroundings, "stateward 0.1.0")
}

fn outcome(diagnosis: &Diagnosis, name: &str) -> Outcome {
    diagnosis.checks.iter().find(|check| check.name == name).unwrap_or_else(|| panic!("no {name}")).outcome
}

#[test]
fn a_home_that_is_not_there_and_one_that_is_not_registered_fail_with_a_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let agent = agent(&folder.path().join("home"));
    let none = examine(&agent);
    assert_eq!((outcome(&none, "home"), none.exit()), (Outcome::Failed, Exit::Failed));
    agent.home().prepare().unwrap();
    let empty = examine(&agent);
    assert_eq!(outcome(&empty, "home"), Outcome::Passed);
    assert_eq!(outcome(&empty, "home-rights"), Outcome::Passed);
    assert_eq!(outcome(&empty, "registration"), Outcome::Failed);
    assert_eq!(outcome(&empty, "backup"), Outcome::Warning);
    assert_eq!(outcome(&empty, "agent"), Outcome::Warning);
    for check in
        empty.checks.iter().filter(|check| matches!(check.outcome, Outcome::Failed | Outcome::Warning))
    {
        let remedy = check.remedy.as_deref().unwrap_or_default();
        assert!(!remedy.is_empty() && !check.message.ends_with('.'), "{check:?}");
    }
}

#[test]
fn a_home_that_others_may_enter_and_a_key_that_they_may_read_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let agent = agent(&folder.path().join("home"));
    agent.home().prepare().unwrap();
    let key = agent.home().keys().join("login.json");
    std::fs::write(&key, "{}").unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let told = examine(&agent);
    let rights = told.checks.iter().find(|check| check.name == "home-rights").unwrap();
    assert!(rights.outcome == Outcome::Warning && rights.message.contains("login.json"), "{rights:?}");
    std::fs::set_permissions(agent.home().path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let told = examine(&agent);
    let rights = told.checks.iter().find(|check| check.name == "home-rights").unwrap();
    assert!(rights.remedy.as_ref().unwrap().contains("chmod"), "{rights:?}");
}

#[test]
fn an_item_that_was_never_backed_up_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let agent = agent(&folder.path().join("home"));
    agent.home().prepare().unwrap();
    let mut items = Items::load(agent.home()).unwrap();
    let selection =
        Selection::Files { paths: vec![StoredPath(folder.path().to_owned())], exclusions: Vec::new() };
    items.protect(selection, None, &SystemRandom).unwrap();
    items.save(agent.home()).unwrap();
    let told = examine(&agent);
    let backup = told.checks.iter().find(|check| check.name == "backup").unwrap();
    assert!(backup.outcome == Outcome::Warning && backup.message.contains("never"), "{backup:?}");
}
