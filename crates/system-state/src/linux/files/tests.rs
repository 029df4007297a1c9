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
