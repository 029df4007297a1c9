use super::*;
use crate::linux::recording::Recording;
use std::fs;
use std::os::unix::fs::symlink;
use tempfile::TempDir;

fn sample() -> TempDir {
    let home = tempfile::tempdir().unwrap();
    for file in ["a/1", "a/deep/2", "b/3", "c*d", "cxd"] {
        let path = home.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, file).unwrap();
    }
    home
}

/// What is given at and below the sample's own folder.
fn given(home: &TempDir, paths: &[&str], excluded: &[&str]) -> Vec<String> {
    let real = home.path().canonicalize().unwrap();
    let all = |names: &[&str]| names.iter().map(|name| home.path().join(name)).collect();
    let files = Files::open(all(paths), all(excluded)).unwrap();
    let mut recording = Recording::default();
    assert!(files.walk(&files.components()[0], &mut recording).unwrap());
    assert!(recording.is_closed());
    assert_eq!(recording.warned(), []);
    let below = format!("{}/", real.display());
    recording.paths().iter().filter_map(|path| path.strip_prefix(&below)).map(str::to_owned).collect()
}

#[test]
fn paths_within_each_other_are_given_once() {
    let home = sample();
    assert_eq!(given(&home, &["a/deep", "a", "a/1"], &[]), ["a", "a/1", "a/deep", "a/deep/2"]);
}

#[test]
fn only_what_was_chosen_is_given_and_what_is_excluded_is_not() {
    let home = sample();
    assert_eq!(given(&home, &["a", "b/3"], &["a/deep"]), ["a", "a/1", "b", "b/3"]);
    assert_eq!(given(&home, &["c*d"], &[]), ["c*d"]);
}

/// What is given at and below the sample's own folder of `paths` without `exclusions`.
fn given_without(home: &TempDir, paths: &[&str], exclusions: &[&str]) -> Vec<String> {
    let real = home.path().canonicalize().unwrap();
    let read = |given: &&str| match given.contains('/') {
        true => Exclusion::new(&home.path().join(given.trim_start_matches('/'))).unwrap(),
        false => Exclusion::new(Path::new(given)).unwrap(),
    };
    let exclusions: Vec<Exclusion> = exclusions.iter().map(read).collect();
    let chosen = paths.iter().map(|name| home.path().join(name)).collect();
    let files = Files::open(chosen, Vec::new()).unwrap().without(exclusions).unwrap();
    let mut recording = Recording::default();
    assert!(files.walk(&files.components()[0], &mut recording).unwrap());
    assert_eq!(recording.warned(), []);
    let below = format!("{}/", real.display());
    recording.paths().iter().filter_map(|path| path.strip_prefix(&below)).map(str::to_owned).collect()
}

#[test]
fn what_is_left_out_by_choice_is_not_given() {
    let home = sample();
    fs::write(home.path().join("a/deep/1"), "x").unwrap();
    assert_eq!(given_without(&home, &["a", "b"], &["1"]), ["a", "a/deep", "a/deep/2", "b", "b/3"]);
    assert_eq!(given_without(&home, &["a"], &["/a/[0-9]"]), ["a", "a/deep", "a/deep/1", "a/deep/2"]);
    assert_eq!(given_without(&home, &["a"], &["deep"]), ["a", "a/1"]);
    assert_eq!(given_without(&home, &["a", "b"], &["/a/deep", "b"]), ["a", "a/1", "b", "b/3"]);
    assert_eq!(given_without(&home, &["a", "a/deep/1"], &["deep"]), ["a", "a/1", "a/deep", "a/deep/1"]);
}

#[test]
fn what_was_left_out_by_choice_is_kept_with_the_recovery_point_and_must_lie_in_what_was_chosen() {
    let home = sample();
    let read = |name: &str| Exclusion::new(&home.path().join(name)).unwrap();
    let files = Files::open(vec![home.path().join("a")], Vec::new()).unwrap();
    for (name, is_in) in [("a/deep", true), ("a/*.txt", true), ("b", false), ("b/*", false)] {
        assert_eq!(files.reaches(&read(name)).unwrap(), is_in, "{name}");
    }
    let exclusions = vec![read("a/deep"), Exclusion::new(Path::new("*.mp3")).unwrap()];
    let remarks = files.without(exclusions).unwrap().remarks();
    let remark = remarks.iter().find(|remark| remark.code == "exclusions").unwrap();
    assert_eq!(remark.outcome, 0);
    assert!(remark.message.contains("a/deep`, `*.mp3`"), "{}", remark.message);
}

#[test]
fn a_chosen_link_is_given_with_what_it_leads_to() {
    let home = sample();
    symlink("a/deep", home.path().join("link")).unwrap();
    symlink("nowhere", home.path().join("dangling")).unwrap();
    assert_eq!(given(&home, &["link", "dangling"], &[]), ["a", "a/deep", "a/deep/2", "dangling", "link"]);
    assert_eq!(given(&home, &["link/2"], &[]), ["a", "a/deep", "a/deep/2"]);
}

#[test]
fn a_choice_that_cannot_be_kept_is_refused() {
    assert!(matches!(Files::open(vec![], vec![]), Err(OpenError::NothingGiven)));
    assert!(matches!(Files::open(vec!["relative".into()], vec![]), Err(OpenError::NotAbsolute(_))));
    assert!(matches!(Files::open(vec!["/".into()], vec!["relative".into()]), Err(OpenError::NotAbsolute(_))));
    assert!(matches!(Files::open(vec!["/no/such/thing".into()], vec![]), Err(OpenError::Unreadable { .. })));
}

#[test]
fn a_chosen_path_that_vanished_is_told() {
    let home = sample();
    let files = Files::open(vec![home.path().join("a"), home.path().join("b/3")], vec![]).unwrap();
    fs::remove_file(home.path().join("b/3")).unwrap();
    let mut recording = Recording::default();
    assert!(files.walk(&files.components()[0], &mut recording).unwrap());
    let expected = format!("{}/b/3", home.path().canonicalize().unwrap().display());
    assert_eq!(recording.warned(), [("not-found", expected)]);
    assert!(matches!(
        files.walk(&"boot".parse().unwrap(), &mut recording),
        Err(SourceError::NoSuchComponent(_))
    ));
}
