//! No object passes as another's: in a vault with three servers, two of them in one domain, and two epochs, every object
//! is put in the place of every other, and whoever reads sees it or is not misled.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]

mod reading;
mod world;

use reading::Report;
use world::{Kind, World};

/// Which of a pair is written over: by each other, or the second by the first.
#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    Exchange,
    Replace,
}

#[test]
fn every_object_in_every_others_place_is_noticed() {
    let world = World::build();
    world.assert_that_lengths_meet();
    let sound: Vec<Report> = world.servers.iter().map(|server| server.read(&world, true)).collect();
    for (server, report) in world.servers.iter().zip(&sound) {
        assert!(report.is_sound(server), "{report:#?}");
    }
    let is_long = stateward_testing::is_long();
    let names = world.names();
    for (i, one) in names.iter().enumerate() {
        for (j, other) in names.iter().enumerate().filter(|(j, _)| *j != i) {
            if i < j {
                assert_noticed(&world, &sound, one, other, How::Exchange);
            }
            // The short form exchanges every pair, and puts one of each kind in the place of all others.
            let is_first_of_its_kind = !names[..i].iter().any(|before| Kind::of(before) == Kind::of(one));
            if is_long || is_first_of_its_kind {
                assert_noticed(&world, &sound, one, other, How::Replace);
            }
        }
    }
}

/// Every server whose object is not its own any more tells of it, and no other server is touched.
fn assert_noticed(world: &World, sound: &[Report], one: &str, other: &str, how: How) {
    let victims: &[&str] = if how == How::Exchange { &[one, other] } else { &[other] };
    world.write(other, one);
    if how == How::Exchange {
        world.write(one, other);
    }
    let with_passphrase = victims.iter().any(|name| world.is_passphrase_slot(name));
    for (server, sound) in world.servers.iter().zip(sound) {
        if !victims.iter().any(|name| server.owns(name)) {
            continue;
        }
        let report = server.read(world, with_passphrase);
        let is_noticed = report.differs_from(sound);
        // Which of its own slots lies under which of their names misleads nobody: each says what it is of, and opens.
        let is_harmless = how == How::Exchange
            && [one, other].iter().all(|name| Kind::of(name) == Kind::Slot && server.owns(name));
        assert!(is_noticed != is_harmless, "`{other}` holds `{one}`: {report:#?}");
    }
    victims.iter().for_each(|name| world.write(name, name));
}
