//! The files of the golden vaults' Linux servers: everything that Linux has, in little room.

use stateward_model::Timestamp;
use stateward_testing::{FakeClock, MemoryTree, Part, SeededRandom};
use std::sync::Arc;

/// A disk image is at least 32 MiB long.
const IMAGE_BYTES: u64 = 33 << 20;

/// An access list: owner rw-, user 1000 r--, group r--, mask r--, others nothing (acl(5), version 2 of the kernel's form).
const ACCESS_LIST: &[(u16, u16, u32)] =
    &[(1, 6, u32::MAX), (2, 4, 1000), (4, 4, u32::MAX), (0x10, 4, u32::MAX), (0x20, 0, u32::MAX)];

/// Net-bind for whoever runs it (linux/capability.h, `VFS_CAP_REVISION_2`).
const CAPABILITY: &[u8] = &[1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

fn access_list() -> Vec<u8> {
    let entry = |(tag, permissions, id): &(u16, u16, u32)| {
        [&tag.to_le_bytes()[..], &permissions.to_le_bytes(), &id.to_le_bytes()].concat()
    };
    [2u32.to_le_bytes().to_vec(), ACCESS_LIST.iter().flat_map(entry).collect()].concat()
}

/// Text that compresses.
fn text(lines: u32) -> Vec<u8> {
    (0..lines).flat_map(|line| format!("line {line} of a text that compresses\n").into_bytes()).collect()
}

/// The first server's files.
pub fn tree(clock: &Arc<FakeClock>) -> MemoryTree {
    let tree = MemoryTree::new(clock.clone());
    let part = tree.component("files");
    part.set_owner("/", 0, 0).folder("etc").set_mode("etc", 0o755).set_owner("etc", 0, 0);
    part.file("etc/hosts", b"127.0.0.1 localhost\n").file("etc/empty", b"").folder("etc/nothing-in-it");
    part.file("etc/copy-of-hosts", b"127.0.0.1 localhost\n");
    part.set_modified_at("etc/hosts", Timestamp(-1_234_567_891)).set_owner("etc/hosts", 0, 42);
    part.set_modified_at("etc/copy-of-hosts", Timestamp(4_102_444_800_123_456_789));
    plant_contents(&part);
    plant_names(&part);
    plant_kinds(&part);
    plant_attributes(&part);
    plant_many(&part);
    tree
}

fn plant_contents(part: &Part) {
    part.random_file("data/cut-into-chunks", 300_000, 1).random_file("data/one-chunk", 9_000, 2);
    part.file("data/text", &text(5_000)).file("data/one-byte", b"x");
    // A boot signature makes it a raw disk; what is stored of it lies on both sides of a fixed border.
    let mut boot = vec![0; 512];
    boot[..5].copy_from_slice(b"boot\0");
    boot[510..].copy_from_slice(&[0x55, 0xaa]);
    let across = text(2_000);
    let image = [(0, &boot[..]), ((8 << 20) - 4096, &across), (IMAGE_BYTES - 1, b"\xff")];
    part.sparse_file("data/disk.raw", IMAGE_BYTES, &image);
    part.sparse_file("data/only-a-hole", 5_000_000, &[]);
    // So many runs that the list of its pieces has a list of its own.
    let runs: Vec<_> = (0..2000_u64).map(|run| (8192 * run + 4096, run.to_le_bytes())).collect();
    let runs: Vec<_> = runs.iter().map(|(at, bytes)| (*at, &bytes[..])).collect();
    part.sparse_file("data/many-runs", 8192 * 2000 + 7, &runs);
}

fn plant_names(part: &Part) {
    part.file(b"names/not-utf8-\xff\xfe", b"bytes").file("names/with\na line", b"two");
    part.file("names/\u{e9}", b"composed").file("names/e\u{301}", b"decomposed").file(r"names/a\b:c", b"3");
    part.file([b"names/".as_slice(), &[b'l'; 255]].concat(), b"long").file("names/ ", b"blank");
    let deep = (0..40).fold("names/deep".to_owned(), |path, level| format!("{path}/level-{level}"));
    part.file(format!("{deep}/file"), b"deep");
}

fn plant_kinds(part: &Part) {
    part.symbolic_link("kinds/link", "../etc/hosts").symbolic_link("kinds/dangling", b"/no\xffwhere");
    part.fifo("kinds/fifo").socket("kinds/socket").block_device("kinds/disk", 8, 300);
    part.character_device("kinds/null", 1, 3).set_owner("kinds/null", 0, 0);
    part.hard_link("data/one-chunk", "kinds/same-as-one-chunk").hard_link("kinds/fifo", "kinds/same-fifo");
    part.file("kinds/su", b"#!/bin/sh\n").set_owner("kinds/su", 0, 7).set_mode("kinds/su", 0o4755);
    part.folder("kinds/sticky").set_mode("kinds/sticky", 0o3777).folder("kinds/closed");
    part.set_mode("kinds/closed", 0o700);
}

fn plant_attributes(part: &Part) {
    part.file("attributes/list", b"an access list").set_mode("attributes/list", 0o640);
    part.set_attribute("attributes/list", "system.posix_acl_access", &access_list());
    part.folder("attributes/folder").set_mode("attributes/folder", 0o750);
    part.set_attribute("attributes/folder", "system.posix_acl_default", &access_list());
    part.file("attributes/able", b"#!").set_mode("attributes/able", 0o755);
    part.set_attribute("attributes/able", "security.capability", CAPABILITY);
    part.file("attributes/noted", b"a note").set_attribute("attributes/noted", "user.note", b"\0\xffvalue");
    part.set_attribute("attributes/noted", "user.empty", b"");
    part.set_attribute("attributes/noted", "user.long", &SeededRandom::new(3).bytes(2000));
}

/// So many that the stream of metadata has a list.
fn plant_many(part: &Part) {
    for number in 0..600 {
        part.file(format!("many/full-{number:04}"), format!("file {number}\n").as_bytes());
        part.file(format!("many/{number:04}-{}", "its-name-takes-some-room".repeat(9)), b"");
    }
}

/// What happens to the first server's files before its third recovery point.
pub fn change(tree: &MemoryTree) {
    let part = tree.component("files");
    part.write("etc/hosts", b"127.0.0.1 localhost\n::1 localhost\n").remove("etc/empty");
    part.file("etc/new", b"a new file\n").rename("data/text", "data/renamed");
    part.write_at("data/cut-into-chunks", 150_000, b"changed in the middle").set_mode("kinds/su", 0o755);
    part.write_at("data/many-runs", 8192 * 1000 + 4096, b"changed!").remove("names/deep").remove("many");
    part.set_attribute("attributes/noted", "user.note", b"another value").symbolic_link("etc/link", "new");
}

/// The first server's System State, some of which can't be read and some of which it does not have.
pub fn system_state(clock: &Arc<FakeClock>) -> MemoryTree {
    let tree = MemoryTree::new(clock.clone());
    tree.component("os-files").file("usr/bin/tool", b"\x7fELF tool").file("usr/share/doc", &text(50));
    let configuration = tree.component("configuration");
    configuration.file("etc/fstab", b"/dev/sda1 / ext4 defaults 0 1\n").file("etc/shadow", b"root:*:\n");
    configuration.make_unreadable("etc/shadow").generated_file("stateward-generated/list", b"generated\n");
    tree.absent_component("boot");
    tree
}

/// What [`system_state`] gives back: all but what could not be read.
pub fn without_what_is_unreadable(mut listing: stateward_testing::Listing) -> stateward_testing::Listing {
    listing.0.remove(&b"etc/shadow"[..]);
    listing
}

/// The files of a server in the first one's domain: some of them it has too.
pub fn members_tree(clock: &Arc<FakeClock>) -> MemoryTree {
    let tree = MemoryTree::new(clock.clone());
    let part = tree.component("files");
    part.random_file("data/cut-into-chunks", 300_000, 1).file("data/text", &text(5_000));
    part.file("etc/own", b"what the other server has not\n");
    tree
}

/// So much that two packs become full: written again by each run of the test, too large to be kept.
pub fn large_tree(clock: &Arc<FakeClock>) -> MemoryTree {
    let tree = MemoryTree::new(clock.clone());
    let part = tree.component("files");
    part.random_file("random", 30 << 20, 4).file("text", &text(300_000));
    for number in 0..3000 {
        part.random_file(format!("small/{number}"), 1500, 100 + number);
    }
    tree
}
