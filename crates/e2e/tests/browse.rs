//! Looking into recovery points, searching them, and choosing one by time.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]
#![cfg(target_os = "linux")]

use serde_json::Value;
use stateward_e2e::server::restored;
use stateward_e2e::{TestServer, TestVault};
use std::fs;
use std::path::PathBuf;

/// A server with three recovery points: a file that changes in the last, one that never does, one that goes.
fn rig() -> (TestVault, TestServer, PathBuf, Vec<String>) {
    let vault = TestVault::start();
    let server = TestServer::registered(&vault);
    let source = server.path("source");
    fs::create_dir_all(source.join("conf")).unwrap();
    fs::write(source.join("conf/main.conf"), "first").unwrap();
    fs::write(source.join("conf/other.conf"), "never changes").unwrap();
    fs::write(source.join("gone"), "for a while").unwrap();
    fs::write(source.join("a\u{1b}[31m\nb"), "hostile").unwrap();
    server.protect(&source);
    let mut points = Vec::new();
    for step in 0..3 {
        match step {
            0 => {}
            1 => fs::remove_file(source.join("gone")).unwrap(),
            _ => fs::write(source.join("conf/main.conf"), "second version").unwrap(),
        }
        let result = server.backup();
        points.push(result["recovery_point"].as_str().unwrap().to_owned());
    }
    (vault, server, source, points)
}

fn of_type<'a>(lines: &'a [Value], kind: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["type"] == kind).collect()
}

#[test]
fn a_folder_of_a_recovery_point_is_listed() {
    let (_vault, server, source, points) = rig();
    let path = source.to_str().unwrap();
    let browse = |point: &str, path: &str| server.run(["recovery-point", "browse", point, path]);
    let lines = browse(&points[0], path).done().json();
    let entries = of_type(&lines, "entry");
    let names: Vec<&str> = entries.iter().map(|entry| entry["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["a\u{1b}[31m\nb", "conf", "gone"]);
    assert_eq!((&entries[1]["kind"], &entries[2]["bytes"]), (&"folder".into(), &11.into()), "{lines:?}");
    let lines = browse("latest", path).done().json();
    assert_eq!(of_type(&lines, "entry").len(), 2, "{lines:?}");
    let lines = browse("latest", &format!("{path}/conf/main.conf")).done().json();
    assert_eq!(of_type(&lines, "entry")[0]["bytes"], 14, "{lines:?}");
    let nothing = browse("latest", &format!("{path}/gone")).expect_code(1);
    assert_eq!(nothing.error_code(), "nothing-at-paths");
    let shown = server.as_person(["recovery-point", "browse", "latest", path]).done().stdout;
    assert!(!shown.contains('\u{1b}') && shown.contains("a\\u{1b}[31m\\nb"), "{shown:?}");
    // From the top down to there.
    let lines = browse("latest", "/").done().json();
    let top = path.split('/').nth(1).unwrap();
    assert_eq!(of_type(&lines, "entry")[0]["name"], top, "{lines:?}");
}

#[test]
fn names_are_found_with_the_points_that_each_version_is_in() {
    let (_vault, server, source, points) = rig();
    let find = |args: &[&str]| {
        let lines = server.run([&["find"][..], args].concat()).done().json();
        of_type(&lines, "version").into_iter().cloned().collect::<Vec<Value>>()
    };
    let range = |version: &Value| {
        let range = &version["ranges"][0];
        let place = |end: &str| points.iter().position(|point| range[end] == **point).unwrap();
        (version["recovery_points"].as_u64().unwrap(), place("from"), place("to"))
    };
    let found = find(&["other.conf"]);
    assert_eq!((found.len(), range(&found[0])), (1, (3, 0, 2)), "{found:?}");
    let found = find(&["main.conf", "--all-versions"]);
    let ranges: Vec<_> = found.iter().map(range).collect();
    assert_eq!(ranges, [(2, 0, 1), (1, 2, 2)], "{found:?}");
    let found = find(&["*.conf"]);
    assert_eq!((found.len(), &found[0]["bytes"]), (2, &14.into()), "the newest of each: {found:?}");
    assert_eq!(range(&find(&["gone"])[0]), (1, 0, 0));
    let whole = format!("{}/*/main.conf", source.to_str().unwrap());
    assert_eq!(find(&[&whole, "--item", "files", "--since", "2020-01-01"]).len(), 1);
    assert!(find(&["no-such-name"]).is_empty());
    let future = server.run(["find", "gone", "--since", "2400-01-01"]).expect_code(1);
    assert_eq!(future.error_code(), "unknown-recovery-point");

    // What was found is brought back by its path.
    let path = source.join("gone");
    let target = server.path("restored");
    server.restore(&points[0], &target, &["--path", path.to_str().unwrap()]).done();
    assert_eq!(fs::read_to_string(restored(&target, &path)).unwrap(), "for a while");
}

#[test]
fn a_point_is_chosen_by_day_and_by_moment() {
    let (_vault, server, source, points) = rig();
    let listed = server.run(["recovery-point", "list"]).done().json();
    let times: Vec<&str> = listed.iter().map(|line| line["time"].as_str().unwrap()).collect();
    let shown = |text: &str| server.run(["recovery-point", "show", text]);
    // Newest first: the second of three, as its list shows it.
    let (moment, day) = (times[1], &times[0][..10]);
    let by_moment = shown(moment).done().last();
    assert!(points.contains(&by_moment["recovery_point"].as_str().unwrap().to_owned()));
    assert_eq!(shown(&format!("{}T23:59:59Z", day)).done().last()["recovery_point"], *points[2]);
    let target = server.path("by-time");
    let path = source.join("conf/main.conf");
    server.restore(&format!("{day}T23:59:59Z"), &target, &["--path", path.to_str().unwrap()]).done();
    assert_eq!(fs::read_to_string(restored(&target, &path)).unwrap(), "second version");
    let none = shown("2001-01-01").expect_code(1);
    assert_eq!(none.error_code(), "unknown-recovery-point");
    assert!(none.last()["message"].as_str().unwrap().contains("the nearest is"), "{none:#?}");
    assert_eq!(shown("2001-02-30").expect_code(2).error_code(), "wrong-moment");
}

#[test]
fn a_month_is_shown_as_a_calendar() {
    let (_vault, server, _source, _points) = rig();
    let listed = server.run(["recovery-point", "list"]).done().json();
    let mut command =
        server.command(["recovery-point", "list", "--month", &listed[0]["time"].as_str().unwrap()[..7]]);
    command.env("TZ", "UTC");
    let told = stateward_e2e::process::run(command).done().last();
    let counted: u64 =
        told["days"].as_array().unwrap().iter().map(|day| day["recovery_points"].as_u64().unwrap()).sum();
    assert!(counted > 0 && counted == told["recovery_points"].as_u64().unwrap(), "{told}");
    let shown = server.as_person(["recovery-point", "list", "--month", "2026-11"]).done().stdout;
    assert!(shown.starts_with("November 2026\n Mon"), "{shown}");
    assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
}
