//! A source in memory: components, each a tree that a test builds and then changes between runs or under a reader's
//! hands.

mod part;
mod reading;

pub use part::Part;

use crate::listing::{Listed, Listing, Segments, Thing};
use crate::lock;
use stateward_format::Attribute;
use stateward_format::entry::ExtendedAttribute;
use stateward_model::{Clock, ComponentName, Timestamp};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// The one file system that all of a tree lies on.
const FILE_SYSTEM: u64 = 1;

/// A source. Clones share one state, so a test can change the tree while a job reads it.
#[derive(Clone)]
pub struct MemoryTree {
    clock: Arc<dyn Clock>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    components: Vec<(ComponentName, Root)>,
    nodes: BTreeMap<u64, Inode>,
    last_id: u64,
    moment: Option<Timestamp>,
}

#[derive(Clone, Copy)]
enum Root {
    At(u64),
    Absent,
    Broken,
}

struct Inode {
    kind: Kind,
    mode: u32,
    user: u32,
    group: u32,
    modified_at: Timestamp,
    changed_at: Timestamp,
    /// What `stat` tells as the file's number; the tree's own number stays.
    file_id: u64,
    is_generated: bool,
    attributes: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Alternate streams.
    streams: BTreeMap<Vec<u8>, Segments>,
    /// What its kind of system has besides.
    others: Vec<Attribute>,
    names: u32,
    trouble: Trouble,
}

enum Kind {
    File { size: u64, segments: Segments },
    Folder(BTreeMap<Vec<u8>, u64>),
    SymbolicLink(Vec<u8>),
    BlockDevice(u32, u32),
    CharacterDevice(u32, u32),
    Fifo,
    Socket,
}

/// What a reader of a file meets.
#[derive(Clone, Copy, Default)]
enum Trouble {
    #[default]
    None,
    Unreadable,
    Vanishes,
    /// So many more reads each find other bytes.
    Changes(u32),
    /// The next read finds the file cut to this size.
    Shrinks(u64),
    /// Reads beyond this offset fail.
    BadSector(u64),
}

impl MemoryTree {
    /// A tree without components. Times come from the clock.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, state: Arc::default() }
    }

    /// The component of that name; one that is not there yet is added, with an empty topmost folder.
    ///
    /// # Panics
    /// If the name breaks its rule, or the component was added as absent or broken.
    pub fn component(&self, name: &str) -> Part {
        let known = lock(&self.state).components.iter().find(|(known, _)| known.as_str() == name).cloned();
        match known {
            Some((_, Root::At(root))) => return Part { tree: self.clone(), root },
            Some(_) => panic!("`{name}` holds nothing that could be changed"),
            None => {}
        }
        let root = self.add_node(Kind::Folder(BTreeMap::new()), 0o755);
        self.add_component(name, Root::At(root));
        Part { tree: self.clone(), root }
    }

    /// Adds a component that this machine does not have.
    ///
    /// # Panics
    /// If the name breaks its rule.
    pub fn absent_component(&self, name: &str) {
        self.add_component(name, Root::Absent);
    }

    /// Adds a component that can't be read at all.
    ///
    /// # Panics
    /// If the name breaks its rule.
    pub fn broken_component(&self, name: &str) {
        self.add_component(name, Root::Broken);
    }

    /// From now on the tree says that it shows that moment; what it holds stays as it is.
    pub fn freeze_at(&self, moment: Timestamp) {
        lock(&self.state).moment = Some(moment);
    }

    /// What a restore of all components should lay into an empty folder. Unreadable files are in it.
    pub fn listing(&self) -> Listing {
        let state = lock(&self.state);
        let mut paths: BTreeMap<Vec<u8>, u64> = BTreeMap::new();
        for (_, root) in &state.components {
            if let Root::At(root) = root {
                state.collect(*root, &mut paths);
            }
        }
        let mut first_names: BTreeMap<u64, (Vec<u8>, u32)> = BTreeMap::new();
        for (path, id) in &paths {
            first_names.entry(*id).or_insert_with(|| (path.clone(), 0)).1 += 1;
        }
        let listed = |(path, id): (Vec<u8>, u64)| {
            let linked_with =
                first_names.get(&id).filter(|(_, names)| *names > 1).map(|(first, _)| first.clone());
            (path, state.nodes[&id].listed(linked_with))
        };
        Listing(paths.into_iter().map(listed).collect())
    }

    fn add_component(&self, name: &str, root: Root) {
        let name = name.parse().expect("the component's name keeps its rule");
        lock(&self.state).components.push((name, root));
    }

    fn add_node(&self, kind: Kind, mode: u32) -> u64 {
        let now = self.clock.now();
        let mut state = lock(&self.state);
        state.last_id += 1;
        let id = state.last_id;
        let node = Inode {
            kind,
            mode,
            user: 1000,
            group: 1000,
            modified_at: now,
            changed_at: now,
            file_id: id,
            is_generated: false,
            attributes: BTreeMap::new(),
            streams: BTreeMap::new(),
            others: Vec::new(),
            names: 1,
            trouble: Trouble::None,
        };
        state.nodes.insert(id, node);
        id
    }
}

impl State {
    /// Adds everything beneath a component's topmost folder, by path. Where two components give the same folder, the
    /// later one counts.
    fn collect(&self, root: u64, paths: &mut BTreeMap<Vec<u8>, u64>) {
        let mut waiting = vec![(Vec::new(), root)];
        while let Some((path, id)) = waiting.pop() {
            if let Some(Kind::Folder(names)) = self.nodes.get(&id).map(|node| &node.kind) {
                waiting.extend(names.iter().map(|(name, id)| (join(&path, name), *id)));
            }
            paths.insert(path, id);
        }
    }

    fn find(&self, root: u64, path: &[u8]) -> Option<u64> {
        let mut id = root;
        for name in names_of(path) {
            match &self.nodes.get(&id)?.kind {
                Kind::Folder(names) => id = *names.get(name)?,
                _ => return None,
            }
        }
        Some(id)
    }
}

fn names_of(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|byte| *byte == b'/').filter(|name| !name.is_empty())
}

fn join(path: &[u8], name: &[u8]) -> Vec<u8> {
    let mut joined = path.to_vec();
    if !path.is_empty() {
        joined.push(b'/');
    }
    joined.extend_from_slice(name);
    joined
}

impl Inode {
    fn listed(&self, linked_with: Option<Vec<u8>>) -> Listed {
        let thing = match &self.kind {
            Kind::File { size, segments } => {
                Thing::File { size: *size, segments: segments.clone(), linked_with }
            }
            Kind::Folder(_) => Thing::Folder,
            Kind::SymbolicLink(target) => Thing::SymbolicLink(target.clone()),
            Kind::BlockDevice(major, minor) => Thing::BlockDevice(*major, *minor),
            Kind::CharacterDevice(major, minor) => Thing::CharacterDevice(*major, *minor),
            Kind::Fifo => Thing::Fifo,
            Kind::Socket => Thing::Socket,
        };
        Listed {
            thing,
            mode: self.mode,
            user: self.user,
            group: self.group,
            modified_at: self.modified_at,
            extended_attributes: self.extended_attributes(),
        }
    }

    fn extended_attributes(&self) -> Vec<ExtendedAttribute> {
        let pairs = self.attributes.iter();
        pairs.map(|(name, value)| ExtendedAttribute { name: name.clone(), value: value.clone() }).collect()
    }

    fn set_content(&mut self, content: &[u8]) {
        let mut new = Segments::default();
        new.write(0, content);
        match &mut self.kind {
            Kind::File { size, segments } => (*size, *segments) = (content.len() as u64, new),
            _ => panic!("only a file has content"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FakeClock;
    use stateward_engine::{Extent, Found, FoundKind, Node, Source, SourceError, Stat, Visitor};
    use stateward_format::manifest::Warning;
    use std::io;
    use std::ops::ControlFlow;

    fn tree() -> (MemoryTree, Part, Arc<FakeClock>) {
        let clock = Arc::new(FakeClock::default());
        let tree = MemoryTree::new(clock.clone());
        let part = tree.component("files");
        (tree, part, clock)
    }

    /// Writes down what a walk gives: `(` for a folder, `)` for its end.
    #[derive(Default)]
    struct Scribe {
        text: String,
        nodes: BTreeMap<Vec<u8>, (Stat, Box<dyn Node>)>,
        warnings: Vec<Warning>,
        stop_at: Option<&'static str>,
    }

    impl Visitor for Scribe {
        fn entry(&mut self, found: Found) -> ControlFlow<()> {
            let name = String::from_utf8_lossy(found.name.as_bytes()).into_owned();
            self.text += &name;
            self.text += if found.stat.kind == FoundKind::Folder { "(" } else { " " };
            self.nodes.insert(found.node.path(), (found.stat, found.node));
            match self.stop_at == Some(&name) {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        }

        fn leave(&mut self) -> ControlFlow<()> {
            self.text.push(')');
            ControlFlow::Continue(())
        }

        fn warning(&mut self, warning: Warning) {
            self.warnings.push(warning);
        }
    }

    fn walked(tree: &MemoryTree) -> Scribe {
        let mut scribe = Scribe::default();
        assert!(tree.walk(&"files".parse().unwrap(), &mut scribe).unwrap());
        scribe
    }

    fn content(node: &dyn Node) -> io::Result<Vec<u8>> {
        let (file, _) = node.open()?;
        let mut bytes = vec![0; 1 << 16];
        let length = file.read_at(0, &mut bytes)?;
        bytes.truncate(length);
        Ok(bytes)
    }

    #[test]
    fn a_walk_goes_depth_first_in_the_order_of_names() {
        let (tree, part, _) = tree();
        part.file("/b/z", b"").file(b"/b/\xff", b"").file("/a", b"").folder("/c").file("/b-a", b"");
        part.symbolic_link("/b/l", "../a");
        assert_eq!(walked(&tree).text, "(a b(l z \u{fffd} )b-a c())");
        let mut stopped = Scribe { stop_at: Some("z"), ..Scribe::default() };
        assert!(tree.walk(&"files".parse().unwrap(), &mut stopped).unwrap());
        assert_eq!(stopped.text, "(a b(l z ");
    }

    #[test]
    fn absent_broken_and_unknown_components_answer_each_in_their_way() {
        let (tree, ..) = tree();
        tree.absent_component("absent");
        tree.broken_component("broken");
        let walk = |name: &str| tree.walk(&name.parse().unwrap(), &mut Scribe::default());
        assert!(!walk("absent").unwrap());
        assert!(matches!(walk("broken"), Err(SourceError::Unreadable { .. })));
        assert!(matches!(walk("other"), Err(SourceError::NoSuchComponent(_))));
        assert_eq!(tree.components().len(), 3);
    }

    #[test]
    fn times_show_what_a_change_does_to_a_file() {
        let (tree, part, clock) = tree();
        part.file("/a", b"one");
        let look = || walked(&tree).nodes[b"/a".as_slice()].0.clone();
        let first = look();
        clock.advance_seconds(9);
        part.write_unseen("/a", b"two");
        assert_eq!(look(), first);
        part.write_with_old_time("/a", b"six");
        assert_eq!(look().modified_at, first.modified_at);
        assert_eq!(look().identity.unwrap().changed_at, clock.now());
        part.write("/a", b"ten");
        assert_eq!(look().modified_at, clock.now());
        part.set_file_id("/a", 99);
        assert_eq!(look().identity.unwrap().file_id, 99);
        part.generated_file("/b", b"");
        assert_eq!(walked(&tree).nodes[b"/b".as_slice()].0.identity, None);
    }

    #[test]
    fn a_file_with_troubles_gives_them_to_its_reader() {
        let (tree, part, _) = tree();
        for name in ["/closed", "/gone", "/busy", "/short", "/bad", "/folder/in"] {
            part.file(name, b"content");
        }
        part.make_unreadable("/closed").vanish_before_open("/gone").change_while_read("/busy", 1);
        part.shrink_while_read("/short", 3).break_at("/bad", 5).make_unreadable("/folder");
        let scribe = walked(&tree);
        let read = |name: &str| content(&*scribe.nodes[name.as_bytes()].1);
        assert_eq!(read("/closed").unwrap_err().kind(), io::ErrorKind::PermissionDenied);
        assert_eq!(read("/gone").unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(read("/short").unwrap(), b"con");
        assert!(read("/bad").is_err());
        let busy = || scribe.nodes[b"/busy".as_slice()].1.open().unwrap().1;
        let before = busy();
        assert_eq!(read("/busy").unwrap(), b"dontent");
        assert_ne!((busy().modified_at, busy().identity), (before.modified_at, before.identity));
        assert_eq!(read("/busy").unwrap(), b"dontent");
        assert_eq!(scribe.warnings[0].path, b"/folder");
        assert!(!scribe.nodes.contains_key(b"/folder/in".as_slice()));
    }

    #[test]
    fn holes_are_told_and_read_as_zeros() {
        let (tree, part, _) = tree();
        part.sparse_file("/s", 100, &[(10, b"abc"), (50, b"d")]);
        let (file, _) = walked(&tree).nodes[b"/s".as_slice()].1.open().unwrap();
        assert_eq!(file.next_extent(0).unwrap(), Some(Extent { start: 10, end: 13 }));
        assert_eq!(file.next_extent(11).unwrap(), Some(Extent { start: 11, end: 13 }));
        assert_eq!(file.next_extent(13).unwrap(), Some(Extent { start: 50, end: 51 }));
        assert_eq!(file.next_extent(51).unwrap(), None);
        let mut bytes = [1; 20];
        assert_eq!(file.read_at(90, &mut bytes).unwrap(), 10);
        assert_eq!(bytes[..10], [0; 10]);
    }

    #[test]
    fn hard_links_come_and_go() {
        let (tree, part, _) = tree();
        part.file("/a", b"x").hard_link("/a", "/b");
        let stats = walked(&tree);
        let ids = |name: &str| stats.nodes[name.as_bytes()].0.identity.unwrap().file_id;
        assert_eq!(ids("/a"), ids("/b"));
        assert!(stats.nodes[b"/a".as_slice()].0.is_hard_linked);
        let linked = tree.listing().0[b"b".as_slice()].thing.clone();
        assert!(matches!(linked, Thing::File { linked_with: Some(first), .. } if first == b"a"));
        part.remove("/a");
        assert!(!walked(&tree).nodes[b"/b".as_slice()].0.is_hard_linked);
        part.rename("/b", "/c/d").remove("/c");
        assert_eq!(walked(&tree).text, "()");
    }
}
