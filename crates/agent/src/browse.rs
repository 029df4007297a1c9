//! Looking into this server's recovery points: what a folder holds, and where a name is. Everything is done here, with the
//! server's keys; the vault sees packs being read.

pub use stateward_system_state::Pattern;

use crate::items::{StoredPath, within_point};
use crate::points::{self, ListedPoint, PointDescription};
use crate::{Agent, AgentError, RegisteredServer, platform};
use stateward_client::Manner;
use stateward_engine::browse::{
    self, FolderOutcome, FolderRequest, SearchOutcome, SearchRequest, Version, letter, list_folder,
};
use stateward_engine::points::open_point;
use stateward_engine::progress::Silent;
use stateward_engine::{CacheFolder, Cancellation, Tools, TrustedPoint};
use stateward_format::{Entry, EntryKind};
use stateward_model::{ItemId, Timestamp};
use std::path::Path;

/// So many versions are shown of what is searched for.
pub const VERSIONS_MAX: usize = 100_000;

/// Something in a folder of a recovery point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name's bytes.
    pub name: Vec<u8>,
    /// `-` for a file, `d` for a folder, and so on, as `ls` has them.
    pub kind: char,
    /// Its mode.
    pub mode: u32,
    /// Its owner's number.
    pub user: u32,
    /// Its group's number.
    pub group: u32,
    /// The size of a file, in bytes.
    pub size: Option<u64>,
    /// When it was changed.
    pub modified_at: Timestamp,
    /// Where a symbolic link leads.
    pub leads_to: Option<Vec<u8>>,
}

impl Listed {
    fn of(name: Vec<u8>, entry: &Entry) -> Self {
        let metadata = &entry.metadata;
        let size = match entry.kind {
            EntryKind::File { size, .. } => Some(size),
            _ => None,
        };
        let leads_to = match &entry.kind {
            EntryKind::SymbolicLink { target } => Some(target.clone()),
            _ => None,
        };
        Self {
            name,
            kind: letter(&entry.kind),
            mode: metadata.mode,
            user: metadata.user,
            group: metadata.group,
            size,
            modified_at: metadata.modified_at,
            leads_to,
        }
    }
}

/// What a letter of `ls` stands for.
pub fn kind_name(letter: char) -> &'static str {
    match letter {
        'd' => "folder",
        'l' => "symbolic-link",
        'b' => "block-device",
        'c' => "character-device",
        'p' => "fifo",
        's' => "socket",
        _ => "file",
    }
}

/// What a recovery point holds at a path.
#[derive(Debug)]
pub struct Folder {
    /// The recovery point.
    pub point: PointDescription,
    /// The path that was looked at, from `/`.
    pub path: StoredPath,
    /// Whether that is a folder.
    pub is_folder: bool,
    /// What a folder holds; of anything else itself.
    pub entries: Vec<Listed>,
    /// Whether there are more entries than are listed.
    pub is_cut: bool,
    /// Why entries may be missing.
    pub gaps: Vec<String>,
}

/// Looks at a path of one of this server's recovery points.
pub fn folder(agent: &Agent, text: &str, item: Option<&str>, path: &Path) -> Result<Folder, AgentError> {
    let server = RegisteredServer::load(agent.home())?;
    let vault = server.connect(agent, Manner::interactive(Cancellation::default()), None)?;
    let (keys, cache) = (server.epoch_keys(), CacheFolder::to_read(&server.registration.cache));
    let listed = points::list(&vault, &server.trust(), &[server.epoch_keys()], Some(agent.home()))?;
    let chosen = points::choose(&listed, text, item)?;
    let point = open_point(&vault, &server.trust(), &[server.epoch_keys()], chosen.summary())?;
    let path = within_point(path)?;
    let bytes = platform::point_path(&path.0);
    let request = FolderRequest {
        point: &point,
        vault: &vault,
        keys: &keys,
        cache: Some(&cache),
        path: bytes.strip_prefix(b"/").unwrap_or(&bytes),
    };
    let FolderOutcome { itself, entries, is_cut, gaps } =
        with_tools(agent, |tools| list_folder(&request, tools))?;
    let is_folder = itself.as_ref().is_none_or(|entry| entry.kind == EntryKind::Folder);
    let entries: Vec<Listed> = match &itself {
        Some(entry) if !is_folder => {
            vec![Listed::of(entry.name.as_bytes().to_vec(), entry)]
        }
        _ => entries.into_iter().map(|(name, entry)| Listed::of(name, &entry)).collect(),
    };
    if itself.is_none() && entries.is_empty() && gaps.is_empty() {
        return Err(AgentError::NothingThere { path: path.0.display().to_string() });
    }
    Ok(Folder { point: chosen.clone(), path, is_folder, entries, is_cut, gaps })
}

fn with_tools<T>(
    agent: &Agent,
    work: impl FnOnce(&Tools<'_>) -> Result<T, stateward_engine::EngineError>,
) -> Result<T, AgentError> {
    let (surroundings, cancellation) = (agent.surroundings(), Cancellation::default());
    let tools = Tools {
        clock: &*surroundings.clock,
        random: &*surroundings.random,
        progress: &Silent,
        cancellation: &cancellation,
    };
    Ok(work(&tools)?)
}

/// What is searched for, and where.
pub struct Search<'a> {
    /// The names.
    pub pattern: &'a Pattern,
    /// Only in this item's recovery points.
    pub item: Option<&'a str>,
    /// Only in recovery points from this moment on.
    pub since: Option<Timestamp>,
}

/// One version of something, and where it is.
#[derive(Debug, Clone)]
pub struct FoundVersion {
    /// What it is.
    pub version: Version,
    /// The recovery points that it is in: from … to, both included, by their places in [`Found::points`].
    pub ranges: Vec<(usize, usize)>,
}

/// What was found in the recovery points of one item.
#[derive(Debug)]
pub struct Found {
    /// The recovery points that were searched, the oldest first.
    pub points: Vec<PointDescription>,
    /// The versions, by path and time.
    pub versions: Vec<FoundVersion>,
    /// Whether there are more.
    pub is_cut: bool,
    /// How many parts of recovery points could not be read, or whole ones used.
    pub parts_lost: u64,
}

impl Found {
    /// All versions, or of each path that of the newest recovery point. They come by path.
    pub fn chosen(&self, all: bool) -> Vec<&FoundVersion> {
        let newest = |version: &&FoundVersion| version.ranges.last().map(|(_, last)| *last);
        match all {
            true => self.versions.iter().collect(),
            false => self
                .versions
                .chunk_by(|a, b| a.version.path == b.version.path)
                .filter_map(|same| same.iter().max_by_key(newest))
                .collect(),
        }
    }
}

/// Searches the recovery points of this server, item by item.
pub fn find(agent: &Agent, asked: &Search<'_>) -> Result<Vec<Found>, AgentError> {
    let server = RegisteredServer::load(agent.home())?;
    let vault = server.connect(agent, Manner::interactive(Cancellation::default()), None)?;
    let (keys, cache) = (server.epoch_keys(), CacheFolder::to_read(&server.registration.cache));
    let listed = points::list(&vault, &server.trust(), &[server.epoch_keys()], Some(agent.home()))?;
    let mut found = Vec::new();
    for points in by_item(&listed, asked)? {
        let mut opened: Vec<TrustedPoint> = Vec::new();
        for point in &points {
            opened.push(open_point(&vault, &server.trust(), &[server.epoch_keys()], point.summary())?);
        }
        let request = SearchRequest {
            points: &opened,
            vault: &vault,
            keys: &keys,
            cache: Some(&cache),
            is_meant: &|path: &[u8]| asked.pattern.matches(path),
            versions_max: VERSIONS_MAX,
        };
        let SearchOutcome { versions, is_cut, parts_lost } =
            with_tools(agent, |tools| browse::search(&request, tools))?;
        let versions =
            versions.into_iter().map(|(version, ranges)| FoundVersion { version, ranges }).collect();
        found.push(Found { points: points.into_iter().cloned().collect(), versions, is_cut, parts_lost });
    }
    Ok(found)
}

/// The recovery points that are searched, of each item, the oldest first. One that can't be used is said so by
/// `recovery-point list`; here it would hide the rest.
fn by_item<'a>(
    listed: &'a [ListedPoint],
    asked: &Search<'_>,
) -> Result<Vec<Vec<&'a PointDescription>>, AgentError> {
    let mut items: Vec<(ItemId, Vec<&PointDescription>)> = Vec::new();
    for point in listed.iter().rev() {
        let ListedPoint::Usable(point) = point else { continue };
        let is_meant =
            asked.item.is_none_or(|item| point.item_label.as_str() == item || point.item.to_string() == item);
        if !is_meant || asked.since.is_some_and(|since| points::time(point) < since) {
            continue;
        }
        match items.iter_mut().find(|(item, _)| *item == point.item) {
            Some((_, points)) => points.push(point),
            None => items.push((point.item, vec![point])),
        }
    }
    match items.is_empty() {
        true => Err(AgentError::NoPoints { item: asked.item.map(str::to_owned) }),
        false => Ok(items.into_iter().map(|(_, points)| points).collect()),
    }
}
