//! What is protected on this server. The vault learns id, label and kind only; paths stay here.

use crate::document::Document;
use crate::{AgentError, Home};
use serde::{Deserialize, Serialize};
use stateward_api::console::FilePath;
use stateward_model::{ComponentName, ItemId, ItemKind, Label, Random};
use stateward_system_state::Exclusion;
use std::path::{Component, Path, PathBuf};

const FILE: &str = "items.json";

/// A protected item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Its id.
    pub id: ItemId,
    /// What people call it.
    pub label: Label,
    /// What is read.
    pub selection: Selection,
}

/// What an item holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind")]
pub enum Selection {
    /// System State.
    SystemState {
        /// Only these components; `None` means all.
        components: Option<Vec<ComponentName>>,
        /// The root of the tree that is read: `/`, or another system's tree.
        root: StoredPath,
    },
    /// Files and folders.
    Files {
        /// Absolute paths.
        paths: Vec<StoredPath>,
        /// What is left out of them ([`exclusion`]).
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        exclusions: Vec<StoredPath>,
    },
}

impl Selection {
    /// Its kind, as the vault knows it.
    pub fn kind(&self) -> ItemKind {
        match self {
            Self::SystemState { .. } => ItemKind::SystemState,
            Self::Files { .. } => ItemKind::Files,
        }
    }

    /// Whether it protects the same, whatever it leaves out.
    fn is_of_the_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Files { paths, .. }, Self::Files { paths: others, .. }) => paths == others,
            _ => self == other,
        }
    }

    /// The label of an item that nobody named.
    fn usual_label(&self) -> &'static str {
        match self {
            Self::SystemState { .. } => "system-state",
            Self::Files { .. } => "files",
        }
    }
}

/// A path in a file of the home: as text, or as `{"base64url": …}` if it is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "FilePath", into = "FilePath")]
pub struct StoredPath(pub PathBuf);

impl From<StoredPath> for FilePath {
    fn from(StoredPath(path): StoredPath) -> Self {
        match path.to_str() {
            Some(text) => Self::Text(text.to_owned()),
            None => {
                let bytes = crate::platform::path_bytes(&path);
                Self::Bytes { base64url: stateward_api::credentials::encode_bytes(&bytes) }
            }
        }
    }
}

impl TryFrom<FilePath> for StoredPath {
    type Error = &'static str;
    fn try_from(form: FilePath) -> Result<Self, Self::Error> {
        match form {
            FilePath::Text(text) => Ok(Self(text.into())),
            FilePath::Bytes { base64url } => stateward_api::credentials::decode_bytes(&base64url)
                .and_then(crate::platform::path_from_bytes)
                .map(Self)
                .ok_or("no path"),
        }
    }
}

/// An item of a home that was lost: what the vault still tells of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormerItem {
    /// Its id.
    pub id: ItemId,
    /// What people called it.
    pub label: Label,
    /// Its kind.
    pub kind: ItemKind,
}

/// All items of a home, by label.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Items {
    /// The items.
    pub items: Vec<Item>,
    /// Items of which there are recovery points and that nobody has protected again since the home was lost. One of the
    /// same label and kind takes its id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former: Vec<FormerItem>,
}

impl Document for Items {
    const VERSION: u32 = 1;
}

/// What [`Items::protect`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protected {
    /// There is a new item.
    Added,
    /// The item of that name holds something else now.
    Changed,
    /// It was protected just so already.
    Unchanged,
}

impl Items {
    /// The home's items.
    pub fn load(home: &Home) -> Result<Self, AgentError> {
        Ok(home.read(FILE)?.unwrap_or_default())
    }

    /// Keeps them.
    pub fn save(&self, home: &Home) -> Result<(), AgentError> {
        home.write(FILE, self)
    }

    /// The item that people call `asked`, or whose id it is.
    ///
    /// # Errors
    /// [`AgentError::UnknownItem`] names those that there are.
    pub fn find(&self, asked: &str) -> Result<&Item, AgentError> {
        let is_meant = |item: &&Item| item.label.as_str() == asked || item.id.to_string() == asked;
        self.items.iter().find(is_meant).ok_or_else(|| self.unknown(asked))
    }

    /// The item of an id.
    pub fn by_id(&self, id: ItemId) -> Option<&Item> {
        self.items.iter().find(|item| item.id == id)
    }

    /// That there is no such item; names those that there are.
    pub(crate) fn unknown(&self, asked: &str) -> AgentError {
        let known = self.items.iter().map(|item| item.label.to_string()).collect();
        AgentError::UnknownItem { name: asked.to_owned(), known }
    }

    /// Protects a selection: under `label`, changing what the item of that name holds; without a label as a new item
    /// of the usual name (`files`, `files-2` …), except that System State not named otherwise is always one item, and
    /// that the very same files are not protected twice: what is left out of them is changed.
    pub fn protect(
        &mut self,
        selection: Selection,
        label: Option<Label>,
        random: &dyn Random,
    ) -> Result<(Item, Protected), AgentError> {
        let same = self.items.iter().find(|item| item.selection.is_of_the_same(&selection));
        let label = match label.or_else(|| same.map(|item| item.label.clone())) {
            Some(label) => label,
            None if selection.kind() == ItemKind::SystemState => usual(&selection, 1)?,
            None => self.free_label(&selection)?,
        };
        let Some(item) = self.items.iter_mut().find(|item| item.label == label) else {
            let id = self.take_former(&label, selection.kind()).unwrap_or_else(|| ItemId::new(random));
            let item = Item { id, label, selection };
            self.items.push(item.clone());
            self.items.sort_by(|a, b| a.label.cmp(&b.label));
            return Ok((item, Protected::Added));
        };
        if item.selection.kind() != selection.kind() {
            return Err(AgentError::ItemExists { label, kind: item.selection.kind() });
        }
        let done = if item.selection == selection { Protected::Unchanged } else { Protected::Changed };
        item.selection = selection;
        Ok((item.clone(), done))
    }

    fn take_former(&mut self, label: &Label, kind: ItemKind) -> Option<ItemId> {
        let place = self.former.iter().position(|known| (&known.label, known.kind) == (label, kind))?;
        Some(self.former.remove(place).id)
    }

    fn free_label(&self, selection: &Selection) -> Result<Label, AgentError> {
        let mut number = 1;
        loop {
            let label = usual(selection, number)?;
            if self.items.iter().all(|item| item.label != label) {
                return Ok(label);
            }
            number += 1;
        }
    }
}

fn usual(selection: &Selection, number: u32) -> Result<Label, AgentError> {
    let name = selection.usual_label();
    let text = if number == 1 { name.to_owned() } else { format!("{name}-{number}") };
    text.parse().map_err(AgentError::InvalidName)
}

/// Makes a path absolute, without asking what it leads to.
pub fn absolute(path: &Path) -> Result<StoredPath, AgentError> {
    let cause = |cause| AgentError::PathUnusable { path: path.to_owned(), cause };
    std::path::absolute(path).map(StoredPath).map_err(cause)
}

/// Reads what is to be left out: a name, or a path that is made absolute.
///
/// # Errors
/// [`AgentError::ExclusionRefused`] if it can't be meant.
pub fn exclusion(given: &Path) -> Result<StoredPath, AgentError> {
    let is_name = given.file_name() == Some(given.as_os_str());
    let whole = if is_name { StoredPath(given.to_owned()) } else { absolute(given)? };
    Exclusion::new(&whole.0)?;
    Ok(whole)
}

/// Makes a path within a recovery point absolute and free of `.` and `..`. Links that this machine has now mean
/// nothing there, so `..` takes one name away.
pub fn within_point(path: &Path) -> Result<StoredPath, AgentError> {
    let cause = |cause| AgentError::PathUnusable { path: path.to_owned(), cause };
    let mut whole = PathBuf::new();
    for part in crate::platform::absolute_in_point(path).map_err(cause)?.components() {
        match part {
            Component::ParentDir => _ = whole.pop(),
            part => whole.push(part),
        }
    }
    Ok(StoredPath(whole))
}

#[cfg(test)]
mod tests {
    use super::*;
    use stateward_model::SystemRandom;

    fn files(path: &str) -> Selection {
        Selection::Files { paths: vec![StoredPath(path.into())], exclusions: Vec::new() }
    }

    fn system_state(components: Option<Vec<ComponentName>>) -> Selection {
        Selection::SystemState { components, root: StoredPath("/".into()) }
    }

    #[test]
    fn protecting_the_same_again_changes_nothing() {
        let mut items = Items::default();
        for selection in [files("/a"), system_state(None)] {
            let (first, done) = items.protect(selection.clone(), None, &SystemRandom).unwrap();
            assert_eq!(done, Protected::Added);
            assert_eq!(items.protect(selection, None, &SystemRandom).unwrap(), (first, Protected::Unchanged));
        }
        assert_eq!(items.items.len(), 2);
    }

    #[test]
    fn other_files_are_another_item_but_system_state_stays_one() {
        let mut items = Items::default();
        items.protect(files("/a"), None, &SystemRandom).unwrap();
        let (second, _) = items.protect(files("/b"), None, &SystemRandom).unwrap();
        assert_eq!(second.label.as_str(), "files-2");
        let (whole, _) = items.protect(system_state(None), None, &SystemRandom).unwrap();
        let part = system_state(Some(vec!["boot".parse().unwrap()]));
        let (changed, done) = items.protect(part, None, &SystemRandom).unwrap();
        assert_eq!((changed.id, done), (whole.id, Protected::Changed));
    }

    #[test]
    fn the_same_files_with_something_else_left_out_are_the_same_item() {
        let mut items = Items::default();
        let (first, _) = items.protect(files("/a"), None, &SystemRandom).unwrap();
        let exclusions = vec![exclusion(Path::new("*.mp3")).unwrap()];
        let less = Selection::Files { paths: vec![StoredPath("/a".into())], exclusions };
        let (changed, done) = items.protect(less.clone(), None, &SystemRandom).unwrap();
        assert_eq!((changed.id, changed.selection, done), (first.id, less, Protected::Changed));
        let text = serde_json::to_string(&items).unwrap();
        assert_eq!(serde_json::from_str::<Items>(&text).unwrap(), items);
        assert!(matches!(exclusion(Path::new("/a/*/b")), Err(AgentError::ExclusionRefused(_))));
    }

    #[test]
    fn what_is_protected_again_under_its_old_label_is_the_old_item_and_only_once() {
        let mut items = Items::default();
        let (id, label): (ItemId, Label) = (ItemId([9; 16]), "files".parse().unwrap());
        items.former.push(FormerItem { id, label: label.clone(), kind: ItemKind::Files });
        let other_kind = items.protect(system_state(None), None, &SystemRandom).unwrap();
        assert_ne!(other_kind.0.id, id);
        assert_eq!(items.protect(files("/a"), None, &SystemRandom).unwrap().0.id, id);
        assert_ne!(items.protect(files("/b"), None, &SystemRandom).unwrap().0.id, id);
        assert!(items.former.is_empty());
    }

    #[test]
    fn a_name_of_another_kind_of_item_is_refused() {
        let mut items = Items::default();
        let label: Label = "data".parse().unwrap();
        items.protect(files("/a"), Some(label.clone()), &SystemRandom).unwrap();
        let refused = items.protect(system_state(None), Some(label), &SystemRandom).unwrap_err();
        assert!(matches!(refused, AgentError::ItemExists { .. }));
    }

    #[test]
    fn a_path_within_a_recovery_point_has_no_steps_back() {
        for (given, whole) in [("/a/../b/./c/", "/b/c"), ("/../..", "/"), ("/etc", "/etc")] {
            assert_eq!(within_point(Path::new(given)).unwrap(), StoredPath(whole.into()));
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_path_that_is_no_text_survives_its_file() {
        use std::os::unix::ffi::OsStringExt;
        for bytes in [b"/plain".to_vec(), b"/\xff\xfe/x".to_vec()] {
            let path = StoredPath(PathBuf::from(std::ffi::OsString::from_vec(bytes)));
            let text = serde_json::to_string(&path).unwrap();
            assert_eq!(serde_json::from_str::<StoredPath>(&text).unwrap(), path, "{text}");
        }
    }
}
