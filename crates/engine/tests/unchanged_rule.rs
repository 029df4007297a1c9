//! What is taken for unchanged is unchanged.

mod server;

use server::Server;
use stateward_engine::BackupOptions;
use stateward_model::Clock;

fn server() -> Server {
    let mut server = Server::new(21);
    server.tree.component("files").file("a", b"before").file("b", b"other");
    server.backup();
    server
}

#[test]
fn the_same_size_with_the_time_set_back_is_caught() {
    let mut server = server();
    server.tree.component("files").write_with_old_time("a", b"after!");
    assert_eq!(server.backup().unchanged_files, 1);
    server.assert_comes_back();
}

#[test]
fn a_write_within_the_clocks_tick_is_caught() {
    let mut server = Server::new(22);
    // Written just before the run began to read, and again just after it was read, with every time the same.
    server.clock.advance_seconds(3600 - 1);
    server.tree.component("files").file("a", b"before");
    server.clock.advance_seconds(1 - 3600);
    server.backup();
    server.tree.component("files").write_unseen("a", b"after!");
    assert_eq!(server.backup().unchanged_files, 0);
    server.assert_comes_back();
    assert_eq!(server.backup().unchanged_files, 1);
}

#[test]
fn a_frozen_source_counts_from_its_moment_and_not_from_when_it_was_read() {
    let mut server = Server::new(23);
    server.tree.component("files").file("a", b"before");
    // Frozen within the tick of the first write, read an hour later; the second write is of the same tick.
    let moment = server.clock.now();
    server.tree.freeze_at(moment);
    server.backup();
    server.tree.component("files").write_unseen("a", b"after!");
    assert_eq!(server.backup().unchanged_files, 0);
    server.assert_comes_back();
}

#[test]
fn another_file_at_the_same_name_is_caught() {
    let mut server = server();
    let tree = server.tree.component("files");
    tree.file("c", b"after!").remove("a").rename("c", "a");
    assert_eq!(server.backup().unchanged_files, 1);
    server.assert_comes_back();
}

#[test]
fn a_changed_attribute_is_caught() {
    let mut server = server();
    server.tree.component("files").set_attribute("a", "user.note", b"1");
    server.backup();
    server.assert_comes_back();
}

#[test]
fn each_file_is_read_again_once_in_so_many_runs() {
    let mut server = server();
    server.options = BackupOptions { reread_every: 4, ..server.options };
    let unchanged: u64 = (0..4).map(|_| server.backup().unchanged_files).sum();
    assert_eq!(unchanged, 4 * 2 - 2);
}

#[test]
fn a_file_that_changes_while_it_is_read_is_named_and_read_again_next_time() {
    let mut server = server();
    server.tree.component("files").write("a", b"moving").change_while_read("a", 99);
    let outcome = server.backup();
    let named: Vec<_> =
        outcome.warnings.iter().map(|warning| (warning.code.as_str(), &warning.path[..])).collect();
    assert_eq!(named, [("file-changed-while-read", &b"/a"[..])]);
    server.tree.component("files").change_while_read("a", 0);
    assert_eq!(server.backup().unchanged_files, 1);
    server.assert_comes_back();
}

#[test]
fn a_file_that_changes_once_while_it_is_read_is_read_again_without_a_word() {
    let mut server = server();
    server.tree.component("files").write("a", b"moving").change_while_read("a", 1);
    assert_eq!(server.backup().warnings, []);
    server.assert_comes_back();
}

#[test]
fn what_cannot_be_read_is_left_out_and_named_and_what_vanishes_is_not() {
    let mut server = server();
    let tree = server.tree.component("files");
    tree.file("secret", b"x").make_unreadable("secret").file("gone", b"y").vanish_before_open("gone");
    let outcome = server.backup();
    let named: Vec<_> =
        outcome.warnings.iter().map(|warning| (warning.code.as_str(), &warning.path[..])).collect();
    assert_eq!(named, [("unreadable", &b"/secret"[..])]);
    assert_eq!(outcome.files, 2);
}

#[test]
fn a_file_that_shrinks_while_it_is_read_is_stored_as_long_as_it_is() {
    let mut server = server();
    let tree = server.tree.component("files");
    tree.random_file("log", 3 << 20, 1).shrink_while_read("log", 1 << 20);
    server.backup();
    server.assert_comes_back();
}
