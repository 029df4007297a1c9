//! What is left out of protected files by choice, from the command to the recovery point.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]
#![cfg(target_os = "linux")]

use serde_json::json;
use stateward_e2e::server::restored;
use stateward_e2e::{TestServer, TestVault};
use std::fs;

#[test]
fn what_is_left_out_by_choice_is_in_no_recovery_point_and_is_no_warning() {
    let vault = TestVault::start();
    let server = TestServer::registered(&vault);
    let (source, wanted) = (server.path("source"), server.path("wanted"));
    for folder in [&source, &wanted] {
        fs::create_dir_all(folder.join("music")).unwrap();
        fs::write(folder.join("kept.txt"), "kept").unwrap();
        fs::write(folder.join("music/list.txt"), "kept too").unwrap();
    }
    for name in ["music/song.mp3", "cache/page", "music/deep.log", "top.log"] {
        let path = source.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "not wanted").unwrap();
    }
    fs::write(wanted.join("music/deep.log"), "not wanted").unwrap();
    let place = |name: &str| source.join(name).into_os_string().into_string().unwrap();
    let [chosen, cache, logs] = [place(""), place("cache"), place("*.log")];
    let protect =
        ["protect", "files", &chosen, "--exclude", "*.mp3", "--exclude", &cache, "--exclude", &logs];
    server.run(protect).done();
    // Exit code 0: a wish is no warning.
    server.backup();
    let target = server.path("restored");
    server.restore("latest", &target, &[]).done();
    let back = restored(&target, &source);
    let (held, expected) = (names(&back), names(&wanted));
    assert_eq!(held, expected);
    for name in &held {
        assert_eq!(fs::read(back.join(name)).unwrap(), fs::read(source.join(name)).unwrap(), "{name}");
    }

    let shown = server.run(["recovery-point", "show", "latest"]).done().last();
    let told =
        shown["prechecks"].as_array().unwrap().iter().find(|check| check["code"] == "exclusions").unwrap();
    assert_eq!(told["message"], format!("Left out by choice: `*.mp3`, `{cache}`, `{logs}`"));
    let said = server.as_person(["recovery-point", "show", "latest"]);
    assert!(said.stdout.contains("Left out by choice: `*.mp3`"), "{}", said.stdout);

    // The same files again: what is left out is changed, and there is no second item.
    let changed = server.run(["protect", "files", &chosen, "--exclude", "*.mp3"]).done().last();
    assert_eq!((&changed["change"], &changed["exclusions"]), (&json!("Changed"), &json!(["*.mp3"])));
    for (given, why) in [("/etc/passwd", "lies in nothing that is protected"), ("/srv/*/x", "last name only")]
    {
        let refused = server.run(["protect", "files", &chosen, "--exclude", given]).expect_code(2);
        assert_eq!(refused.error_code(), "exclusion-refused");
        let message = refused.last()["message"].to_string();
        assert!(message.contains(why), "{given}: {message}");
    }
}

fn names(folder: &std::path::Path) -> Vec<String> {
    let mut files = Vec::new();
    stateward_e2e::vault::files_below(folder, &mut files);
    let below = |path: &std::path::PathBuf| path.strip_prefix(folder).unwrap().display().to_string();
    let mut names: Vec<String> = files.iter().map(below).collect();
    names.sort();
    names
}
