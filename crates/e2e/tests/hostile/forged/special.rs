//! Links, devices, owners, modes, attributes and times that mean harm.

use crate::behaviour::Behaviour;
use crate::stage::Stage;
use stateward_e2e::is_root;
use stateward_testing::ForgedEntry;
use stateward_testing::forge::{attributes, kinds};
use std::fs;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};

pub const HARD_LINK_TO_LINK: Behaviour<Stage> = Behaviour {
    name: "hard-link-to-a-link-out",
    does: "A symbolic link to a file outside and a plain file are said to be names of one file",
    outcome: "harmless: both become names of the symbolic link itself",
    play: |stage| {
        let (chunk, out) = ([stage.honest()], stage.outside.path().join("file"));
        stage.point_of(&[
            ForgedEntry::link("a", out.as_os_str().as_encoded_bytes()).hard_linked(7),
            ForgedEntry::file("b", &chunk).hard_linked(7),
        ]);
        let restored = stage.restore().with_code(0).holds(&["a", "b"]);
        let seen = ["a", "b"].map(|name| fs::symlink_metadata(restored.target.join(name)).unwrap());
        assert!(seen[1].is_symlink());
        assert_eq!(seen[0].ino(), seen[1].ino());
    },
};

pub const FILE_OVER_FIFO: Behaviour<Stage> = Behaviour {
    name: "file-over-a-fifo",
    does: "One component makes a FIFO, the next writes a file of its name",
    outcome: "the FIFO is not opened, nobody waits for it; the file is told as lost",
    play: |stage| {
        let chunk = [stage.honest()];
        stage.point_of_components(&[
            &[ForgedEntry::new(kinds::FIFO, "pipe")],
            &[ForgedEntry::file("pipe", &chunk)],
        ]);
        let restored = stage.restore().with_losses().tells(&[("file-lost", "/pipe")]).holds(&["pipe"]);
        assert!(fs::symlink_metadata(restored.target.join("pipe")).unwrap().file_type().is_fifo());
    },
};

pub const DEVICE: Behaviour<Stage> = Behaviour {
    name: "device-for-everybody",
    does: "A device node that anybody may write, and a file of its name in the next component",
    outcome: "as root it is made as it was, in a target that only its owner can enter, and not opened; otherwise it is \
              left out with a warning",
    play: |stage| {
        let chunk = [stage.honest()];
        stage.point_of_components(&[
            &[ForgedEntry::device(kinds::CHARACTER_DEVICE, "full", 1, 7).mode(0o666)],
            &[ForgedEntry::file("full", &chunk)],
        ]);
        let restored = stage.restore().private().holds(&["full"]);
        if is_root() {
            let restored = restored.with_losses().tells(&[("file-lost", "/full")]);
            let found = fs::symlink_metadata(restored.target.join("full")).unwrap();
            assert!(found.file_type().is_char_device() && found.rdev() == rustix::fs::makedev(1, 7));
        } else {
            restored.with_code(3).tells_of("device-not-restored");
        }
    },
};

pub const SETUID: Behaviour<Stage> = Behaviour {
    name: "setuid-root",
    does: "A program that is root's and runs as root for everybody",
    outcome: "as root it is made as it was, in a target that only its owner can enter; otherwise without these bits, with \
              a warning",
    play: |stage| {
        let chunk = [stage.honest()];
        stage.point_of(&[ForgedEntry::file("su", &chunk).mode(0o6755)]);
        let restored = stage.restore().private().holds(&["su"]);
        let mode = fs::metadata(restored.target.join("su")).unwrap().mode() & 0o7777;
        match is_root() {
            true => assert_eq!((restored.outcome.code(), mode), (Some(0), 0o6755)),
            false => assert_eq!((restored.outcome.code(), mode), (Some(3), 0o755)),
        }
    },
};

pub const NOBODY: Behaviour<Stage> = Behaviour {
    name: "owner-that-means-unchanged",
    does: "A program with the setuid bit is owned by 4294967295, which to `chown` means `leave it`",
    outcome: "the owner is told as not set, and the bit is left off",
    play: |stage| {
        let chunk = [stage.honest()];
        let all = u64::from(u32::MAX);
        stage.point_of(&[ForgedEntry::file("su", &chunk).mode(0o4755).owner(all, all)]);
        let restored = stage.restore().with_code(3).tells(&[("owner-not-restored", "/su")]);
        assert_eq!(fs::metadata(restored.target.join("su")).unwrap().mode() & 0o7777, 0o755);
    },
};

pub const LINK_TARGETS: Behaviour<Stage> = Behaviour {
    name: "link-targets-that-are-none",
    does: "Symbolic links to nothing, to a text with NUL, to a megabyte of text",
    outcome: "those that the system refuses are told as lost, the rest comes back",
    play: |stage| {
        let chunk = [stage.honest()];
        stage.point_of(&[
            ForgedEntry::link("a", ""),
            ForgedEntry::link("b", "x\0y"),
            ForgedEntry::link("c", "x".repeat(1_000_000)),
            ForgedEntry::file("d", &chunk),
        ]);
        let restored = stage.restore().with_losses();
        let lost = ["/a", "/b", "/c"].map(|path| ("file-lost", path));
        restored.tells(&lost).holds(&["d"]).holds_honest("d");
    },
};

pub const ATTRIBUTES: Behaviour<Stage> = Behaviour {
    name: "attributes-that-are-none",
    does: "Extended attributes without a name, with NUL in it, of a namespace that is none, and a megabyte long",
    outcome: "each is told as not set (`attribute-not-restored`), the file comes back",
    play: |stage| {
        let chunk = [stage.honest()];
        let file = ForgedEntry::file("a", &chunk)
            .extended_attribute(b"", b"x")
            .extended_attribute(b"nowhere.at-all", b"x")
            .extended_attribute(b"system.posix_acl_access", &[0xff; 1000])
            .extended_attribute(b"user.\0nul", b"x")
            .extended_attribute(b"user.long", &vec![0; 1_000_000]);
        stage.point_of(&[file]);
        let restored =
            stage.restore().with_code(3).tells(&[("attribute-not-restored", "/a")]).holds_honest("a");
        assert_eq!(restored.outcome.last()["warnings"], 5, "{:#?}", restored.outcome);
    },
};

pub const CRITICAL: Behaviour<Stage> = Behaviour {
    name: "attribute-critical-and-unknown",
    does: "A file and a folder have an attribute that nobody knows and that is said to be critical",
    outcome: "both are told as refused (`entry-refused`); the folder's files come back in a plain one",
    play: |stage| {
        let chunk = [stage.honest()];
        let critical = |entry: ForgedEntry| entry.with(attributes::UNKNOWN_CRITICAL, vec![1; 99]);
        stage.point_of(&[
            critical(ForgedEntry::file("a", &chunk)),
            critical(ForgedEntry::folder("b")),
            ForgedEntry::file("c", &chunk),
        ]);
        let restored = stage.restore().with_losses();
        let told = [("entry-refused", "/a"), ("entry-refused", "/b")];
        restored.tells(&told).holds(&["b", "b/c"]).holds_honest("b/c");
    },
};

pub const UNKNOWN: Behaviour<Stage> = Behaviour {
    name: "kind-and-attribute-unknown",
    does: "An entry is of a kind that nobody knows; a file has an optional attribute that nobody knows",
    outcome: "the entry is told as refused; the file comes back, and what it lacks is told",
    play: |stage| {
        let chunk = [stage.honest()];
        stage.point_of(&[
            ForgedEntry::new(kinds::UNKNOWN, "a"),
            ForgedEntry::file("b", &chunk).with(attributes::UNKNOWN_OPTIONAL, vec![1; 99]),
        ]);
        let restored = stage.restore().with_losses();
        let told = [("entry-refused", "/a"), ("attribute-not-restored", "/b")];
        restored.tells(&told).holds(&["b"]).holds_honest("b");
    },
};

pub const TIMES: Behaviour<Stage> = Behaviour {
    name: "times-at-the-ends",
    does: "Files were last changed in 1677 and in 2262",
    outcome: "harmless: set as far as the file system has such times",
    play: |stage| {
        let chunk = [stage.honest()];
        let at = |name, time: i64| {
            ForgedEntry::file(name, &chunk).with(attributes::MODIFIED_AT, time.to_le_bytes().to_vec())
        };
        stage.point_of(&[at("a", i64::MIN), at("b", i64::MAX)]);
        let restored = stage.restore().holds(&["a", "b"]).holds_honest("a").holds_honest("b");
        assert!(matches!(restored.outcome.code(), Some(0 | 3)), "{:#?}", restored.outcome);
    },
};

pub const TERMINAL: Behaviour<Stage> = Behaviour {
    name: "names-that-steer-a-terminal",
    does: "The name of a lost file holds the codes that clear a screen",
    outcome: "harmless: they are written out, in tables, warnings and errors",
    play: |stage| {
        let absent = stage.forger.chunk(b"absent");
        stage.point_of(&[ForgedEntry::file("a\x1b[2Jb", &[absent])]);
        stage.lay_out();
        let (target, mut all) = (stage.path("target"), String::new());
        let mut restore = stage.command(&["--recovery-point", "latest", "--target"]);
        restore.arg(&target);
        for command in [restore, stage.command(&["--list"])] {
            let outcome = stage.run(command);
            all.extend([outcome.stdout, outcome.stderr]);
        }
        assert!(all.contains("[2Jb") && !all.contains('\x1b'), "{all:?}");
    },
};
