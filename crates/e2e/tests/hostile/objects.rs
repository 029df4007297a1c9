//! Objects in a store's folder that are not what their names say.

use crate::behaviour::Behaviour;
use crate::stage::Stage;
use rustix::fs::{CWD, FileType, Mode};
use stateward_e2e::vault::files_below;
use stateward_testing::ForgedEntry;
use stateward_testing::forge::Segment;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// All of them.
pub const ALL: &[Behaviour<Stage>] = &[SWAPPED, TAIL, ROLLED_BACK, PIPES, LINKS, FOLDERS];

/// Two points of one file each; the files' chunks are in packs of their own.
fn two_points(stage: &mut Stage) {
    let mut previous = None;
    for (sequence, name) in [(1, "a"), (2, "b")] {
        let chunk = [stage.honest()];
        let (pack, stream) = stage.pack(&[Segment::begin().with(&ForgedEntry::file(name, &chunk)).leave()]);
        let mut point = stage.forger.point(&[("files", stream)], &[pack]);
        (point.header.sequence, point.header.previous) = (sequence, previous);
        previous = Some(stage.forger.put_point(&point).1);
    }
    stage.lay_out();
}

fn objects(stage: &Stage, kind: &str) -> Vec<PathBuf> {
    let mut objects = Vec::new();
    files_below(&stage.root().join(kind), &mut objects);
    objects.sort();
    objects
}

/// Runs a restore of what lies there now.
fn restore(stage: &Stage) -> crate::stage::Restored {
    let (command, target) = stage.restore_command();
    crate::stage::Restored { outcome: stage.run(command), target }
}

/// Each object is given what another of the store holds; everything that was asked for is lost or refused.
fn swap(stage: &Stage, kinds: [&str; 2]) {
    let [to, from] = kinds.map(|kind| objects(stage, kind));
    for object in &to {
        let whole = fs::read(object).unwrap();
        for other in from.iter().filter(|other| *other != object) {
            fs::write(object, fs::read(other).unwrap()).unwrap();
            let restored = restore(stage);
            let is_latest = restored.outcome.code() == Some(0);
            // What the latest point does not need may be anything.
            if is_latest {
                assert_eq!(fs::read(restored.target.join("b")).unwrap(), crate::stage::HONEST);
            } else {
                assert!(!restored.outcome.error_code().is_empty());
            }
            let _ = fs::remove_dir_all(&restored.target);
            fs::write(object, &whole).unwrap();
            if object == to.last().unwrap() && kinds[0] == "points" {
                assert!(!is_latest, "{} taken for {}", other.display(), object.display());
            }
        }
    }
}

pub const SWAPPED: Behaviour<Stage> = Behaviour {
    name: "objects-swapped",
    does: "Each object is given the content of every other: points, packs, key slots",
    outcome: "none passes as another: the point is refused, the files are told as lost, the slot is passed over",
    play: |stage| {
        two_points(stage);
        for to in ["points", "packs", "keys"] {
            for from in ["points", "packs", "keys"] {
                swap(stage, [to, from]);
            }
        }
        restore(stage).with_code(0).holds(&["b"]).holds_honest("b");
    },
};

pub const TAIL: Behaviour<Stage> = Behaviour {
    name: "objects-longer-and-shorter",
    does: "Each object is cut short, emptied, or has a megabyte behind it",
    outcome: "the point is refused, the files are told as lost, the slot is passed over",
    play: |stage| {
        two_points(stage);
        let wrong: [fn(&mut Vec<u8>); 3] = [
            |bytes| bytes.truncate(bytes.len() - 1),
            Vec::clear,
            |bytes| bytes.resize(bytes.len() + (1 << 20), 0),
        ];
        for object in ["points", "packs", "keys"].map(|kind| objects(stage, kind).pop().unwrap()) {
            let whole = fs::read(&object).unwrap();
            for change in wrong {
                let mut bytes = whole.clone();
                change(&mut bytes);
                fs::write(&object, bytes).unwrap();
                let restored = restore(stage);
                if restored.outcome.code() == Some(0) {
                    restored.holds_honest("b");
                } else {
                    assert!(!restored.outcome.error_code().is_empty());
                }
                let _ = fs::remove_dir_all(stage.path("target"));
            }
            fs::write(&object, whole).unwrap();
        }
        restore(stage).with_code(0).holds(&["b"]).holds_honest("b");
    },
};

pub const ROLLED_BACK: Behaviour<Stage> = Behaviour {
    name: "store-rolled-back",
    does: "The newest point is taken out of a copied store",
    outcome: "`recover` has nothing to compare with and restores the one before: the point's number and time are shown, \
              and whoever noted the newest sees it",
    play: |stage| {
        two_points(stage);
        fs::remove_file(objects(stage, "points").pop().unwrap()).unwrap();
        assert_eq!(stage.run(stage.command(&["--list", "--json"])).done().json().len(), 1);
        restore(stage).with_code(0).holds(&["a"]).holds_honest("a");
    },
};

/// Puts something else in the place of each kind's last object; nothing waits, nothing is taken from it.
fn in_place_of(stage: &mut Stage, put: impl Fn(&Stage, &Path)) {
    two_points(stage);
    for object in ["points", "packs", "keys"].map(|kind| objects(stage, kind).pop().unwrap()) {
        let whole = fs::read(&object).unwrap();
        fs::remove_file(&object).unwrap();
        put(stage, &object);
        let restored = restore(stage);
        match restored.outcome.code() {
            Some(0) => drop(restored.holds(&["b"]).holds_honest("b")),
            _ => assert!(!restored.outcome.error_code().is_empty()),
        }
        let _ = fs::remove_dir_all(stage.path("target"));
        match fs::symlink_metadata(&object).unwrap().is_dir() {
            true => fs::remove_dir(&object).unwrap(),
            false => fs::remove_file(&object).unwrap(),
        }
        fs::write(&object, whole).unwrap();
    }
    restore(stage).with_code(0).holds(&["b"]).holds_honest("b");
}

pub const PIPES: Behaviour<Stage> = Behaviour {
    name: "objects-that-are-pipes",
    does: "FIFOs stand in the place of objects",
    outcome: "nobody waits for them: they count as damaged",
    play: |stage| {
        in_place_of(stage, |_, object| {
            rustix::fs::mknodat(CWD, object, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        });
    },
};

pub const LINKS: Behaviour<Stage> = Behaviour {
    name: "objects-that-are-links",
    does: "Symbolic links to a file outside, to themselves and to `/dev/zero` stand in the place of objects",
    outcome: "they count as damaged; what they lead to is not shown",
    play: |stage| {
        let targets = [stage.outside.path().join("file"), PathBuf::from("/dev/zero")];
        for target in targets {
            in_place_of(stage, |_, object| symlink(&target, object).unwrap());
        }
        in_place_of(stage, |_, object| symlink(object, object).unwrap());
    },
};

pub const FOLDERS: Behaviour<Stage> = Behaviour {
    name: "objects-that-are-folders",
    does: "Folders stand in the place of objects",
    outcome: "they count as damaged",
    play: |stage| in_place_of(stage, |_, object| fs::create_dir(object).unwrap()),
};
