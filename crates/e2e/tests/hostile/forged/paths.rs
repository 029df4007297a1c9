//! Names and places that lead out, or nowhere.

use crate::behaviour::Behaviour;
use crate::stage::{HONEST, Stage};
use stateward_testing::ForgedEntry;
use stateward_testing::forge::Segment;
use std::fs;

/// A segment with a file of that name between two honest ones.
fn file_named(stage: &mut Stage, name: &[u8]) {
    let chunk = [stage.honest()];
    let entries = [&b"a"[..], name, b"z"].map(|name| ForgedEntry::file(name, &chunk));
    stage.point_of(&entries);
}

/// The name is refused with all that follows in its segment.
fn refused(stage: &mut Stage, name: &[u8]) {
    file_named(stage, name);
    let restored = stage.restore().with_losses();
    restored.tells(&[("entries-lost", "/a")]).holds(&["a"]).holds_honest("a");
}

const REFUSED: &str = "refused with the rest of its segment, which is told as lost (`entries-lost`)";

pub const PARENT: Behaviour<Stage> = Behaviour {
    name: "name-parent",
    does: "A file is called `..`",
    outcome: REFUSED,
    play: |stage| refused(stage, b".."),
};

pub const HERE: Behaviour<Stage> = Behaviour {
    name: "name-here",
    does: "A file is called `.`",
    outcome: REFUSED,
    play: |stage| refused(stage, b"."),
};

pub const ABSOLUTE: Behaviour<Stage> = Behaviour {
    name: "name-absolute",
    does: "A file's name is the absolute path of another",
    outcome: REFUSED,
    play: |stage| {
        let file = stage.outside.path().join("file");
        refused(stage, file.as_os_str().as_encoded_bytes());
    },
};

pub const NUL: Behaviour<Stage> = Behaviour {
    name: "name-nul",
    does: "A file's name holds NUL",
    outcome: REFUSED,
    play: |stage| refused(stage, b"b\0c"),
};

pub const EMPTY: Behaviour<Stage> = Behaviour {
    name: "name-empty",
    does: "A file within a folder has no name",
    outcome: REFUSED,
    play: |stage| refused(stage, b""),
};

pub const LONG: Behaviour<Stage> = Behaviour {
    name: "name-long",
    does: "A file's name has 1,000 bytes, which the format allows and Linux does not",
    outcome: "that file is told as lost, the others come back",
    play: |stage| {
        let name = "n".repeat(1000);
        file_named(stage, name.as_bytes());
        let restored = stage.restore().with_losses();
        restored.tells(&[("file-lost", &format!("/{name}"))]).holds(&["a", "z"]).holds_honest("z");
    },
};

pub const THROUGH_LINK: Behaviour<Stage> = Behaviour {
    name: "link-then-through-it",
    does: "One component makes a symbolic link that leads out, the next a file in a folder of that name",
    outcome: "the link is made and not followed; the folder and the file are told as lost",
    play: |stage| {
        let (chunk, out) = ([stage.honest()], stage.outside.path().to_owned());
        let link = ForgedEntry::link("door", out.as_os_str().as_encoded_bytes());
        // The second segment's end leaves the folder, and the point's the topmost.
        stage.point_of_components(&[
            &[link],
            &[ForgedEntry::folder("door"), ForgedEntry::file("file", &chunk)],
        ]);
        let restored = stage.restore().with_losses();
        let restored =
            restored.tells(&[("file-lost", "/door"), ("file-lost", "/door/file")]).holds(&["door"]);
        assert_eq!(fs::read_link(restored.target.join("door")).unwrap(), out);
    },
};

pub const LINK_OVER_FOLDER: Behaviour<Stage> = Behaviour {
    name: "folder-then-link-over-it",
    does: "One component makes a folder, the next a link that leads out in its place, the third a file in the folder",
    outcome: "the folder stays, the link is told as lost, the file lands in the folder",
    play: |stage| {
        let (chunk, out) = ([stage.honest()], stage.outside.path().to_owned());
        stage.point_of_components(&[
            &[ForgedEntry::folder("door")],
            &[ForgedEntry::link("door", out.as_os_str().as_encoded_bytes())],
            &[ForgedEntry::folder("door"), ForgedEntry::file("file", &chunk)],
        ]);
        let restored = stage.restore().with_losses();
        restored.tells(&[("file-lost", "/door")]).holds(&["door", "door/file"]).holds_honest("door/file");
    },
};

const ORDER: &str =
    "what comes out of order is refused with the rest of its segment and told as lost (`entries-lost`)";

pub const OUT_OF_ORDER: Behaviour<Stage> = Behaviour {
    name: "names-out-of-order",
    does: "Names in a folder do not ascend",
    outcome: ORDER,
    play: |stage| {
        let chunk = [stage.honest()];
        stage.point_of(&["b", "a", "c"].map(|name| ForgedEntry::file(name, &chunk)));
        let restored = stage.restore().with_losses();
        restored.tells(&[("entries-lost", "/b")]).holds(&["b"]).holds_honest("b");
    },
};

pub const TWICE: Behaviour<Stage> = Behaviour {
    name: "name-twice",
    does: "A link that leads out and a folder have one name in one folder",
    outcome: ORDER,
    play: |stage| {
        let (chunk, out) = ([stage.honest()], stage.outside.path().to_owned());
        stage.point_of(&[
            ForgedEntry::link("door", out.as_os_str().as_encoded_bytes()),
            ForgedEntry::folder("door"),
            ForgedEntry::file("file", &chunk),
        ]);
        stage.restore().with_losses().tells(&[("entries-lost", "/door")]).holds(&["door"]);
    },
};

pub const LEFT_TOO_OFTEN: Behaviour<Stage> = Behaviour {
    name: "folders-left-too-often",
    does: "More folders are left than were entered, then a file follows",
    outcome: "refused with the rest of its segment (`entries-lost`)",
    play: |stage| {
        let chunk = [stage.honest()];
        let first = Segment::begin().with(&ForgedEntry::file("a", &chunk)).leave().leave().leave();
        let (pack, stream) = stage.pack(&[first.with(&ForgedEntry::file("z", &chunk))]);
        stage.point(stream, &[pack]);
        stage.restore().with_losses().tells_of("entries-lost").holds(&["a"]);
    },
};

pub const FOLDERS_OPEN: Behaviour<Stage> = Behaviour {
    name: "open-folders-lead-out",
    does: "A segment says that folders called `..` are open where it begins",
    outcome: "the segment is refused (`entries-lost`)",
    play: |stage| {
        let chunk = [stage.honest()];
        let first = Segment::begin().with(&ForgedEntry::file("a", &chunk));
        let out = Segment::within(&["", "..", "..", "outside"]).with(&ForgedEntry::file("file", &chunk));
        let (pack, stream) = stage.pack(&[first, out]);
        stage.point(stream, &[pack]);
        let restored = stage.restore().with_losses().tells(&[("entries-lost", "/a")]).holds(&["a"]);
        assert_eq!(fs::read(restored.target.join("a")).unwrap(), HONEST);
    },
};

pub const MARKER: Behaviour<Stage> = Behaviour {
    name: "name-of-the-marker",
    does: "A file and a folder have the name of the file that marks a running restore",
    outcome: "told as lost; the restore's own mark stays what it is",
    play: |stage| {
        let chunk = [stage.honest()];
        stage.point_of_components(&[
            &[ForgedEntry::file(".stateward-restore", &chunk), ForgedEntry::file("a", &chunk)],
            &[ForgedEntry::folder(".stateward-restore"), ForgedEntry::file("b", &chunk)],
        ]);
        let restored = stage.restore().with_losses().tells_of("file-lost");
        restored.holds(&["a"]).holds_honest("a");
    },
};
