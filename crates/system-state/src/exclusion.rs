//! What a person leaves out of chosen files and folders: a path with all below it, names in one folder, or names anywhere.
//!
//! What is left out so is no warning of a backup: it was wished. The recovery point keeps what was wished all the same.

use crate::glob::Pattern;
use crate::open_error::OpenError;
use crate::selection::Selection;
use stateward_format::manifest::Precheck;
use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};

/// Something that is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exclusion {
    /// As it was given, its path absolute.
    given: PathBuf,
    what: Excluded,
}

/// What it means.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Excluded {
    /// A path and all below it.
    Path(PathBuf),
    /// What has such a name in a folder, but not in those below it.
    NamesIn(PathBuf, Pattern),
    /// What has such a name anywhere.
    Names(Pattern),
}

/// Why something can't be left out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExclusionError {
    /// Nothing was given.
    #[error("Nothing is named that is to be left out: give a path, or a name such as `*.mp3`")]
    Empty,
    /// A wildcard stands in a folder's name.
    #[error(
        "`{}` has a wildcard in a folder's name: it may stand in the last name only; a name without a folder, such as `*.mp3`, means every folder",
        .0.display()
    )]
    WildcardInFolder(PathBuf),
    /// A path does not begin at the root.
    #[error("`{}` isn't absolute: give the whole path, or a name only", .0.display())]
    NotAbsolute(PathBuf),
    /// It is the root.
    #[error("All of it would be left out by `{}`", .0.display())]
    Everything(PathBuf),
}

impl Exclusion {
    /// Reads one. A name without a folder means what is called so anywhere, and may hold wildcards ([`Pattern`]); an absolute
    /// path means itself and all below it, or, with wildcards in its last name, what is called so in that folder. On Windows
    /// a pattern means large and small letters from A to Z alike.
    ///
    /// # Errors
    /// See [`ExclusionError`].
    pub fn new(given: &Path) -> Result<Self, ExclusionError> {
        if given.as_os_str().is_empty() {
            return Err(ExclusionError::Empty);
        }
        let made = |what| Ok(Self { given: given.to_owned(), what });
        let Some(name) = given.file_name() else { return Err(ExclusionError::Everything(given.to_owned())) };
        if given.as_os_str() == name {
            return made(Excluded::Names(pattern(name)));
        }
        let folder = given.parent().unwrap_or(Path::new("/"));
        if !given.is_absolute() {
            return Err(ExclusionError::NotAbsolute(given.to_owned()));
        }
        if has_wildcard(folder.as_os_str()) {
            return Err(ExclusionError::WildcardInFolder(given.to_owned()));
        }
        match has_wildcard(name) {
            true => made(Excluded::NamesIn(folder.to_owned(), pattern(name))),
            false => made(Excluded::Path(given.to_owned())),
        }
    }

    /// As it was given.
    pub fn given(&self) -> &Path {
        &self.given
    }

    /// Whether anything that a selection has lies at, above or below what this names. `spellings` are those of [`leave_out`].
    pub(crate) fn reaches(
        &self,
        selection: &Selection,
        spellings: impl Fn(&Path) -> Result<Vec<Vec<u8>>, OpenError>,
    ) -> Result<bool, OpenError> {
        let (Excluded::Path(path) | Excluded::NamesIn(path, _)) = &self.what else { return Ok(true) };
        Ok(spellings(path)?.iter().any(|place| selection.has(place)))
    }
}

impl fmt::Display for Exclusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.given.display())
    }
}

/// Leaves what was wished out of a selection, and finishes it. `spellings` gives the bytes of a path as it is given and as it is
/// without links, for a walk may come by either. Gives all that were left out with whatever lies below them.
pub(crate) fn leave_out(
    exclusions: &[Exclusion],
    selection: &mut Selection,
    spellings: impl Fn(&Path) -> Result<Vec<Vec<u8>>, OpenError>,
) -> Result<Vec<Vec<u8>>, OpenError> {
    let mut left_out = Vec::new();
    for exclusion in exclusions {
        match &exclusion.what {
            Excluded::Names(pattern) => selection.leave_names_out(pattern.clone()),
            Excluded::NamesIn(folder, pattern) => {
                for place in spellings(folder)? {
                    selection.leave_names_out_of(&place, pattern.clone());
                }
            }
            Excluded::Path(path) => {
                for place in spellings(path)? {
                    selection.exclude(&place);
                    left_out.push(place);
                }
            }
        }
    }
    selection.finish();
    Ok(left_out)
}

/// What a recovery point keeps of what was left out by choice, if anything was.
pub(crate) fn remark(exclusions: &[Exclusion]) -> Option<Precheck> {
    let all: Vec<String> = exclusions.iter().map(ToString::to_string).collect();
    let message = format!("Left out by choice: {}", all.join(", "));
    (!all.is_empty()).then(|| Precheck { code: "exclusions".to_owned(), outcome: 0, message })
}

fn pattern(name: &OsStr) -> Pattern {
    let pattern = Pattern::new(name.as_encoded_bytes());
    if cfg!(windows) { pattern.ignoring_case() } else { pattern }
}

fn has_wildcard(text: &OsStr) -> bool {
    // On Windows `\\?\` begins a path; a `?` that stands for a character comes after it.
    let bytes = text.as_encoded_bytes();
    Pattern::has_wildcard(bytes.strip_prefix(br"\\?\").unwrap_or(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::Part;
    use crate::selection::Claim;

    fn root(path: &str) -> PathBuf {
        if cfg!(windows) { PathBuf::from(format!("C:{}", path.replace('/', "\\"))) } else { path.into() }
    }

    #[test]
    fn names_folders_and_paths_are_told_apart() {
        let what = |given: PathBuf| Exclusion::new(&given).unwrap().what;
        assert!(matches!(what("*.mp3".into()), Excluded::Names(_)));
        assert!(matches!(what("node_modules".into()), Excluded::Names(_)));
        assert!(matches!(what(root("/srv/*.mp3")), Excluded::NamesIn(folder, _) if folder == root("/srv")));
        assert!(matches!(what(root("/srv/cache")), Excluded::Path(path) if path == root("/srv/cache")));
    }

    #[test]
    fn what_is_left_out_is_so_under_each_spelling_and_reaches_only_what_is_selected() {
        let spellings = |path: &Path| -> Result<Vec<Vec<u8>>, OpenError> {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            Ok(vec![format!("/srv/{name}").into_bytes(), format!("/link/{name}").into_bytes()])
        };
        let mut selection = Selection::new();
        for top in [b"/srv".as_slice(), b"/link"] {
            selection.claim(top, Claim::Part { part: Part(0), enters_file_systems: false });
        }
        selection.finish();
        let exclusion = |given: PathBuf| Exclusion::new(&given).unwrap();
        let all = [exclusion(root("/a/cache")), exclusion(root("/a/music/*.mp3")), exclusion("*.bak".into())];
        let reaches = |exclusion: &Exclusion| exclusion.reaches(&selection, spellings).unwrap();
        assert!(all.iter().all(reaches));
        let elsewhere = |_: &Path| Ok(vec![b"/elsewhere".to_vec()]);
        assert!(!all[0].reaches(&selection, elsewhere).unwrap());
        assert!(all[2].reaches(&selection, elsewhere).unwrap(), "a name may be anywhere");

        let left_out = leave_out(&all, &mut selection, spellings).unwrap();
        assert_eq!(left_out, [b"/srv/cache".to_vec(), b"/link/cache".to_vec()]);
        for top in ["/srv", "/link"] {
            for (below, has) in [
                ("cache/x", false),
                ("music/a.mp3", false),
                ("a.bak", false),
                ("a.mp3", true),
                ("music", true),
            ] {
                assert_eq!(selection.has(format!("{top}/{below}").as_bytes()), has, "{top}/{below}");
            }
        }
    }

    #[test]
    fn what_can_not_be_meant_is_refused_with_the_reason() {
        let why = |given: PathBuf| Exclusion::new(&given).unwrap_err().to_string();
        assert!(why(PathBuf::new()).contains("Nothing is named"));
        assert!(why("a/b".into()).contains("isn't absolute"));
        assert!(why(root("/srv/*/cache")).contains("last name only"));
        assert!(why(root("/")).contains("All of it"));
    }
}
