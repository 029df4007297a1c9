//! A visitor for tests: keeps what it is given, and holds the walk to its promises.

use stateward_engine::{Found, FoundKind, Node, OpenFile, Stat, Visitor};
use stateward_format::manifest::Warning;
use std::ops::ControlFlow;

/// One entry.
pub(crate) struct Recorded {
    pub path: String,
    pub stat: Stat,
    pub node: Box<dyn Node>,
}

/// What a walk gave.
#[derive(Default)]
pub(crate) struct Recording {
    pub entries: Vec<Recorded>,
    pub warnings: Vec<Warning>,
    /// The open folders, each with the name given last in it.
    open: Vec<(Vec<u8>, Vec<u8>)>,
    /// Ends the walk after so many entries.
    pub enough: Option<usize>,
}

impl Recording {
    /// The paths, in order.
    pub fn paths(&self) -> Vec<&str> {
        self.entries.iter().map(|entry| &*entry.path).collect()
    }

    /// The codes and paths of warnings.
    pub fn warned(&self) -> Vec<(&str, String)> {
        let shown = |warning: &Warning| String::from_utf8_lossy(&warning.path).into_owned();
        self.warnings.iter().map(|warning| (&*warning.code, shown(warning))).collect()
    }

    /// The entry at a path.
    pub fn at(&self, path: &str) -> &Recorded {
        self.entries
            .iter()
            .find(|entry| entry.path == path)
            .unwrap_or_else(|| panic!("`{path}` was not given"))
    }

    /// Whether every folder that was entered was left.
    pub fn is_closed(&self) -> bool {
        self.open.is_empty()
    }
}

impl Visitor for Recording {
    fn entry(&mut self, found: Found) -> ControlFlow<()> {
        let name = found.name.as_bytes().to_vec();
        let path = match self.open.last_mut() {
            None => {
                assert!(
                    self.entries.is_empty() && name.is_empty(),
                    "the topmost folder comes first and once"
                );
                Vec::new()
            }
            Some((folder, last)) => {
                assert!(*last < name, "names are sorted: {last:?} {name:?}");
                last.clone_from(&name);
                [folder.as_slice(), b"/", &name].concat()
            }
        };
        let shown = if path.is_empty() { b"/".to_vec() } else { path.clone() };
        assert_eq!(found.node.path(), shown);
        let path_text = String::from_utf8_lossy(&shown).into_owned();
        if found.stat.kind == FoundKind::Folder {
            self.open.push((path, Vec::new()));
        }
        self.entries.push(Recorded { path: path_text, stat: found.stat, node: found.node });
        match self.enough {
            Some(enough) if self.entries.len() >= enough => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    }

    fn leave(&mut self) -> ControlFlow<()> {
        assert!(self.open.pop().is_some(), "only an entered folder is left");
        ControlFlow::Continue(())
    }

    fn warning(&mut self, warning: Warning) {
        assert!(warning.message.starts_with(char::is_uppercase) && !warning.message.ends_with('.'));
        self.warnings.push(warning);
    }
}

/// All that a file holds, with zeros for its holes, and its extents.
pub(crate) fn read_all(node: &dyn Node) -> (Vec<u8>, Vec<(u64, u64)>) {
    let (file, now) = node.open().unwrap();
    let FoundKind::File { size } = now.kind else { panic!("it is no file") };
    let mut content = vec![0; usize::try_from(size).unwrap()];
    let extents = extents(&*file);
    for (start, end) in &extents {
        let place = &mut content[*start as usize..*end as usize];
        assert_eq!(file.read_at(*start, place).unwrap(), place.len());
    }
    assert_eq!(file.read_at(size, &mut [0; 1]).unwrap(), 0);
    (content, extents)
}

/// A file's extents.
pub(crate) fn extents(file: &dyn OpenFile) -> Vec<(u64, u64)> {
    let mut extents = Vec::new();
    let mut offset = 0;
    while let Some(extent) = file.next_extent(offset).unwrap() {
        assert!(extent.start >= offset && extent.end > extent.start);
        offset = extent.end;
        extents.push((extent.start, extent.end));
    }
    extents
}
