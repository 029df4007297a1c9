//! The page for people, held against the table. `STATEWARD_WRITE=1` writes it anew.

use crate::behaviour::Behaviour;
use crate::{answers, forged, objects};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const HEAD: &str = "\
# What a vault may try, and what comes of it

Written from the table of a test (`STATEWARD_WRITE=1 cargo test -p stateward-e2e --test hostile page`); do not edit.
`crates/e2e/tests/hostile` plays every line against the real programs, and holds besides that the agent ends within two
minutes or when it is told to, takes at most 256 MiB of memory of its own, and leaves a folder beside the restore's target
as it was, down to the time of its inodes' last change.

Packs that travel in parts have tests of their own (`crates/client/src/parts/tests.rs`): a vault that loses what it took,
says that a pack is whole when it is not, counts wrongly, or gives another range than was asked for.

A vault can always refuse, delete, or answer nothing. What it cannot do is make an agent believe what is not true, write
where it was not told to, or take its machine.
";

fn section<S>(title: &str, behaviours: &[Behaviour<S>], page: &mut String) {
    page.push_str(&format!(
        "\n## {title}\n\n| behaviour | what is done | what comes of it |\n|---|---|---|\n"
    ));
    for Behaviour { name, does, outcome, .. } in behaviours {
        page.push_str(&format!("| {name} | {does} | {outcome} |\n"));
    }
}

fn page() -> String {
    let mut page = HEAD.to_owned();
    section("A vault that answers falsely", answers::ALL, &mut page);
    section("A store whose objects were exchanged", objects::ALL, &mut page);
    section("Recovery points forged by a holder of the keys", forged::ALL, &mut page);
    page
}

fn names() -> Vec<&'static str> {
    let answers = answers::ALL.iter().map(|behaviour| behaviour.name);
    let objects = objects::ALL.iter().map(|behaviour| behaviour.name);
    let forged = forged::ALL.iter().map(|behaviour| behaviour.name);
    answers.chain(objects).chain(forged).collect()
}

#[test]
fn the_page_for_people_says_what_is_played() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/hostile-vaults.md");
    if std::env::var_os("STATEWARD_WRITE").is_some_and(|value| value == "1") {
        fs::write(&path, page()).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page(),
        "it drifted: STATEWARD_WRITE=1 cargo test -p stateward-e2e --test hostile page"
    );
}

#[test]
fn no_behaviour_is_told_twice_and_there_are_enough_of_them() {
    let names = names();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    assert!(names.len() >= 60, "{}", names.len());
}
