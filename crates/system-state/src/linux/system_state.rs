//! This machine's System State as a [`Source`]: the rules of [`crate::rules`] over a tree, and the generated lists.

use crate::components::{ComponentDescription, OS_FILES, Part};
use crate::linux::counting::Counting;
use crate::linux::generated::{GeneratedFolder, Purpose};
use crate::linux::moments::Moments;
use crate::linux::packages::{count_owned_paths, owned_paths, read_packages};
use crate::linux::rpm;
use crate::linux::snapshots::{self, Top};
use crate::linux::tree::Tree;
use crate::linux::walk::Walk;
use crate::open_error::OpenError;
use crate::rules::{self, RULES};
use crate::selection::Selection;
use crate::snapshots::{HeldSnapshots, SnapshotLedger, SnapshotWish};
use stateward_engine::{Source, SourceDescription, SourceError, Visitor};
use stateward_format::NameKind;
use stateward_format::manifest::Precheck;
use stateward_model::{ComponentName, Timestamp};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The System State of the tree below a root.
///
/// If the root is another folder than `/`, it is read as a system that does not run: for the generated lists only its
/// files are asked, and its rpm database by this machine's rpm.
#[derive(Debug)]
pub struct SystemState {
    root: PathBuf,
    tree: Tree,
    selection: Selection,
    parts: Vec<Part>,
    excluded: Vec<PathBuf>,
    moments: Arc<Moments>,
}

impl SystemState {
    /// Opens the system below `root` (`/` for this machine). `excluded` are absolute paths of this machine that are
    /// left out whatever the rules say: the agent's own home and cache. `components` are the wanted ones; `None` means
    /// all.
    pub fn open(
        root: &Path,
        excluded: Vec<PathBuf>,
        components: Option<Vec<ComponentName>>,
    ) -> Result<Self, OpenError> {
        let unreadable = |cause| OpenError::Unreadable { path: root.to_owned(), cause };
        let root = root.canonicalize().map_err(unreadable)?;
        let tree = Tree::open(&root).map_err(unreadable)?;
        let mut parts = match components {
            None => Part::all().collect(),
            Some(names) => names.into_iter().map(known_part).collect::<Result<Vec<_>, _>>()?,
        };
        parts.sort_unstable();
        parts.dedup();
        let (mut selection, mut left_out) = (rules::selection(), Vec::new());
        for path in excluded.into_iter().chain(swap_files(&tree)) {
            for path in spellings(path)? {
                if let Ok(within) = path.strip_prefix(&root) {
                    selection.exclude(within.as_os_str().as_bytes());
                }
                left_out.push(path);
            }
        }
        selection.finish();
        let moments = Arc::new(Moments::live(&root));
        Ok(Self { root, tree, selection, parts, excluded: left_out, moments })
    }

    /// Reads from snapshots from now on, as far as they can be made. Lists that the system makes are of no file system
    /// and made while the walk goes on.
    pub fn freeze<'a>(
        &mut self,
        wish: &SnapshotWish<'_>,
        ledger: &'a dyn SnapshotLedger,
    ) -> HeldSnapshots<'a> {
        let rules = RULES.iter().filter(|rule| self.parts.contains(&rule.part));
        let tops: Vec<Top> = rules
            .flat_map(|rule| rule.paths.iter().map(|path| (path, rule.enters_file_systems)))
            .map(|(path, enters_file_systems)| Top {
                path: self.root.join(before_pattern(path).trim_start_matches('/')),
                enters_file_systems,
            })
            .collect();
        let (moments, held) = snapshots::freeze(&self.root, &tops, &self.excluded, wish, ledger);
        self.moments = Arc::new(moments);
        held
    }

    /// Each wanted component with its size; walks all of them.
    pub fn describe(&self) -> Result<Vec<ComponentDescription>, SourceError> {
        self.parts.iter().map(|part| self.describe_one(*part)).collect()
    }

    fn describe_one(&self, part: Part) -> Result<ComponentDescription, SourceError> {
        let mut counting = Counting::default();
        let present = self.walk_part(part, Purpose::Description, &mut counting)?;
        let rules = RULES.iter().filter(|rule| rule.part == part);
        Ok(ComponentDescription {
            name: part.name(),
            purpose: part.info().purpose,
            present,
            files: counting.files,
            bytes: counting.bytes,
            paths: rules.flat_map(|rule| rule.paths).map(|path| (*path).to_owned()).collect(),
        })
    }

    fn walk_part(
        &self,
        part: Part,
        purpose: Purpose,
        visitor: &mut dyn Visitor,
    ) -> Result<bool, SourceError> {
        let with_packages = match part {
            OS_FILES => Some(self.with_packages_paths()?),
            _ => None,
        };
        Walk {
            root: &self.root,
            selection: with_packages.as_ref().unwrap_or(&self.selection),
            part,
            is_asked_for: false,
            generated: Some(GeneratedFolder::make(part, &self.tree, purpose)),
            moments: &self.moments,
        }
        .run(visitor)
    }

    /// The rules and the paths that packages own and no component has.
    fn with_packages_paths(&self) -> Result<Selection, SourceError> {
        let mut selection = self.selection.clone();
        owned_paths(&self.tree, |path| selection.own(path, OS_FILES))
            .map_err(|cause| SourceError::Unreadable { path: "/var/lib/dpkg/info".into(), cause })?;
        // That rpm can't be asked is a warning of the component that holds its lists; what is found without it is kept.
        if let Ok(Some(database)) = rpm::Database::find(&self.tree)
            && let Err(error) = database.owned_paths(|path| selection.own(path, OS_FILES))
        {
            tracing::debug!(%error, "rpm does not tell which paths packages own");
        }
        selection.finish();
        Ok(selection)
    }

    fn operating_system(&self) -> Option<String> {
        let release =
            ["/etc/os-release", "/usr/lib/os-release"].iter().find_map(|path| self.tree.read(path).ok())?;
        let release = String::from_utf8_lossy(&release).into_owned();
        let name = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
        Some(name.trim_matches(['"', '\'']).to_owned())
    }

    fn host_name(&self) -> Option<String> {
        if self.tree.is_running_system() {
            return Some(rustix::system::uname().nodename().to_string_lossy().into_owned());
        }
        let name = self.tree.read("/etc/hostname").ok()?;
        Some(String::from_utf8_lossy(&name).trim().to_owned())
    }
}

impl Source for SystemState {
    fn description(&self) -> SourceDescription {
        SourceDescription {
            host_name: self.host_name().unwrap_or_default(),
            operating_system: self.operating_system().unwrap_or_else(|| "Linux".to_owned()),
            names: NameKind::Bytes,
        }
    }

    fn components(&self) -> Vec<ComponentName> {
        self.parts.iter().map(|part| part.name()).collect()
    }

    /// What packages say of themselves. Software that no package owns comes on top.
    fn estimate(&self) -> Option<(u64, u64)> {
        if !self.parts.contains(&OS_FILES) {
            return None;
        }
        let known = read_packages(&self.tree).ok()?;
        let by_rpm =
            rpm::Database::find(&self.tree).ok().flatten().and_then(|database| database.packages().ok());
        if known.is_none() && by_rpm.is_none() {
            return None;
        }
        let (known, by_rpm) = (known.unwrap_or_default(), by_rpm.unwrap_or_default());
        let paths =
            count_owned_paths(&self.tree).ok()? + by_rpm.iter().map(|package| package.paths).sum::<u64>();
        let bytes = known.iter().map(|package| package.installed_bytes).sum::<u64>()
            + by_rpm.iter().map(|package| package.bytes).sum::<u64>();
        Some((paths, bytes))
    }

    fn walk(&self, component: &ComponentName, visitor: &mut dyn Visitor) -> Result<bool, SourceError> {
        let part = Part::named(component).filter(|part| self.parts.contains(part));
        let part = part.ok_or_else(|| SourceError::NoSuchComponent(component.clone()))?;
        self.walk_part(part, Purpose::Backup, visitor)
    }

    fn moment(&self) -> Option<Timestamp> {
        self.moments.oldest()
    }

    fn remarks(&self) -> Vec<Precheck> {
        self.moments.remarks()
    }
}

/// The folder that holds what a rule's path means, if that has a `*`; else the path.
fn before_pattern(path: &str) -> &str {
    match path.find('*').and_then(|star| path[..star].rfind('/')) {
        Some(end) => &path[..end],
        None => path,
    }
}

fn known_part(name: ComponentName) -> Result<Part, OpenError> {
    Part::named(&name).ok_or(OpenError::NoSuchComponent(name))
}

/// A path as it was given and as it is without links.
pub(crate) fn spellings(path: PathBuf) -> Result<Vec<PathBuf>, OpenError> {
    if !path.is_absolute() {
        return Err(OpenError::NotAbsolute(path));
    }
    let real = match path.canonicalize() {
        Ok(real) => vec![real],
        // It need not be there yet.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(cause) => return Err(OpenError::Unreadable { path, cause }),
    };
    Ok([real, vec![path]].concat())
}

/// Files that the running system swaps to.
fn swap_files(tree: &Tree) -> Vec<PathBuf> {
    if !tree.is_running_system() {
        return Vec::new();
    }
    let swaps = tree.read("/proc/swaps").unwrap_or_default();
    let text = String::from_utf8_lossy(&swaps).into_owned();
    let mut files = Vec::new();
    for line in text.lines().skip(1) {
        let mut words = line.split_whitespace();
        if let (Some(path), Some("file")) = (words.next(), words.next()) {
            files.push(PathBuf::from(path.replace("\\040", " ")));
        }
    }
    files
}

#[cfg(test)]
mod tests;
