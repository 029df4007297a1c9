//! A staged backup as a [`Source`]: `WindowsImageBackup` at the top, whatever folder it was staged in.
//!
//! The image with all that belongs to no writer is one component; each writer that took part is another, which holds the
//! file that Windows Server Backup keeps of it. So a recovery point names the roles of the server without being opened.

use crate::server_backup::backup::{IMAGE_FOLDER, StagedBackup};
use crate::server_backup::prechecks::{PASS, precheck};
use crate::server_backup::roles::{WriterId, writer, writer_of_file};
use stateward_engine::{Found, FoundKind, Source, SourceDescription, SourceError, Visitor};
use stateward_format::FileName;
use stateward_format::manifest::{Precheck, Warning};
use stateward_model::{ComponentName, Timestamp};
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// The component that holds the image.
pub const IMAGE_COMPONENT: &str = "windows-image-backup";

/// The component of writers that aren't known here.
pub const OTHER_WRITERS: &str = "writer-other";

/// The remark that names the version, which a restore needs.
pub const VERSION_REMARK: &str = "server-backup-version";

/// How deep a writer's file lies: `WindowsImageBackup/MACHINE/Backup …/FILE`.
const WRITER_FILE_DEPTH: usize = 4;

/// The files of a staging volume, and the names on the way from the source's top to the volume's root.
pub type StagingFiles = (Box<dyn Source>, Vec<Vec<u8>>);

/// A staged backup that can be read.
pub struct StagedSource {
    inner: Box<dyn Source>,
    /// Where the staging volume's root lies in the inner source's tree.
    top: Vec<Vec<u8>>,
    machine: String,
    writers: BTreeMap<ComponentName, Vec<WriterId>>,
    remarks: Vec<Precheck>,
}

/// The component that a writer's file belongs to.
fn component_of(id: WriterId) -> ComponentName {
    let name = writer(id).map_or(OTHER_WRITERS, |writer| writer.component);
    name.parse().expect("a test holds that names of components keep their rule")
}

impl StagedSource {
    /// Reads a staged backup through a source of files. `top` are the names on the way from that source's root to the
    /// staging volume's.
    pub fn new(inner: Box<dyn Source>, top: Vec<Vec<u8>>, machine: &str, staged: &StagedBackup) -> Self {
        let mut writers: BTreeMap<ComponentName, Vec<WriterId>> = BTreeMap::new();
        for id in &staged.writers {
            writers.entry(component_of(*id)).or_default().push(*id);
        }
        let version = format!("Windows Server Backup made the version `{}` of `{machine}`", staged.version);
        let roles: Vec<&str> = staged.writers.iter().filter_map(|id| Some(writer(*id)?.purpose)).collect();
        let remarks = vec![
            precheck(VERSION_REMARK, PASS, version),
            precheck("roles", PASS, format!("These took part: {}", roles.join("; "))),
        ];
        Self { inner, top, machine: machine.to_owned(), writers, remarks }
    }
}

impl Source for StagedSource {
    fn description(&self) -> SourceDescription {
        SourceDescription { host_name: self.machine.clone(), ..self.inner.description() }
    }

    fn components(&self) -> Vec<ComponentName> {
        let image = IMAGE_COMPONENT.parse().expect("a test holds that it keeps the rule");
        [image].into_iter().chain(self.writers.keys().cloned()).collect()
    }

    fn estimate(&self) -> Option<(u64, u64)> {
        self.inner.estimate()
    }

    fn moment(&self) -> Option<Timestamp> {
        self.inner.moment()
    }

    fn remarks(&self) -> Vec<Precheck> {
        self.inner.remarks().into_iter().chain(self.remarks.clone()).collect()
    }

    fn still_there(&self) -> Result<(), SourceError> {
        self.inner.still_there()
    }

    fn walk(&self, component: &ComponentName, visitor: &mut dyn Visitor) -> Result<bool, SourceError> {
        let wanted = match component.as_str() {
            IMAGE_COMPONENT => None,
            _ => Some(
                &self
                    .writers
                    .get(component)
                    .ok_or_else(|| SourceError::NoSuchComponent(component.clone()))?[..],
            ),
        };
        let mut filter = Filter { top: &self.top, wanted, visitor, path: Vec::new(), open: Vec::new() };
        for inner in self.inner.components() {
            if !self.inner.walk(&inner, &mut filter)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Passes on what belongs to a component, with the staging volume's root as the topmost folder.
struct Filter<'a> {
    top: &'a [Vec<u8>],
    /// The writers whose files are wanted; `None` for everything else.
    wanted: Option<&'a [WriterId]>,
    visitor: &'a mut dyn Visitor,
    /// The names of the folders that are open, without the inner source's topmost.
    path: Vec<Vec<u8>>,
    /// Of each open folder, whether it was passed on.
    open: Vec<bool>,
}

impl Filter<'_> {
    /// Whether something below the staging volume's root belongs to the component, or is on the way to what does.
    fn is_wanted(&self, below: &[Vec<u8>], is_folder: bool) -> bool {
        let Some(name) = below.last() else { return true };
        if below[0] != IMAGE_FOLDER.as_bytes() {
            return false;
        }
        let writer = match below.len() == WRITER_FILE_DEPTH && !is_folder {
            true => str::from_utf8(name).ok().and_then(writer_of_file),
            false => None,
        };
        match (self.wanted, writer) {
            (None, Some(_)) => false,
            (None, None) => true,
            (Some(wanted), Some(id)) => wanted.contains(&id),
            (Some(_), None) => {
                let is_backup = below.len() < WRITER_FILE_DEPTH - 1 || name.starts_with(b"Backup ");
                is_folder && below.len() < WRITER_FILE_DEPTH && is_backup
            }
        }
    }
}

impl Visitor for Filter<'_> {
    fn entry(&mut self, mut found: Found) -> ControlFlow<()> {
        let is_folder = matches!(found.stat.kind, FoundKind::Folder);
        let name = found.name.as_bytes().to_vec();
        let is_inner_root = name.is_empty();
        if !is_inner_root {
            self.path.push(name);
        }
        let is_wanted =
            self.path.strip_prefix(self.top).is_some_and(|below| self.is_wanted(below, is_folder));
        if self.path == self.top {
            found.name = FileName::root();
        }
        if is_folder {
            self.open.push(is_wanted);
        } else if !is_inner_root {
            self.path.pop();
        }
        match is_wanted {
            true => self.visitor.entry(found),
            false => ControlFlow::Continue(()),
        }
    }

    fn leave(&mut self) -> ControlFlow<()> {
        self.path.pop();
        match self.open.pop() {
            Some(true) => self.visitor.leave(),
            _ => ControlFlow::Continue(()),
        }
    }

    /// Every component walks the same folder, so a warning is told once: with the image.
    fn warning(&mut self, warning: Warning) {
        if self.wanted.is_none() {
            self.visitor.warning(warning);
        }
    }
}
