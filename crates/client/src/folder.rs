//! A vault without its server: recovery points read straight from a folder, for `recover`.
//!
//! The folder is a vault server's data folder, the store in it, one vault's folder in that, or a copy of any of them.
//! It is only ever read. Nothing in it is believed: hashes, signatures and seals are the engine's to check.

mod read;

use read::{names, read_file, read_range};
use stateward_engine::{PointSummary, VaultError, VaultRead};
use stateward_format::layout;
use stateward_format::point::{POINT_BYTES_MAX, PackReference};
use stateward_format::slot::{KeySlot, SLOT_BYTES_MAX};
use stateward_model::{Label, ServerId, VaultId};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Why a folder can't be recovered from.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// It, or something in it, can't be read.
    #[error("`{}` can't be read: {source}", path.display())]
    Unreadable {
        /// What.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It holds no vault.
    #[error("`{}` holds no vault: neither `store/vaults`, nor `vaults`, nor `keys` and `points`", .0.display())]
    NoVault(PathBuf),
}

/// One vault's folder.
#[derive(Debug, Clone)]
struct VaultFolder {
    /// From its name; a copy of one vault's folder may have any name, and its key slots say whose it is.
    id: Option<VaultId>,
    path: PathBuf,
}

/// A folder with vaults in it.
#[derive(Debug, Clone)]
pub struct FolderStore {
    vaults: Vec<VaultFolder>,
}

/// A server that has something in a folder.
#[derive(Debug, Clone)]
pub struct FolderServer {
    /// Its vault.
    pub vault: VaultId,
    /// Its id.
    pub server: ServerId,
    /// What it was called when its key slots were made; the newest epoch's first, each once. Empty when no slot can be
    /// read.
    pub labels: Vec<Label>,
    /// How many recovery points there are.
    pub points: usize,
    /// How many key slots can be read.
    pub slots: usize,
    /// How many can't.
    pub damaged_slots: usize,
    root: PathBuf,
}

impl FolderStore {
    /// Finds the vaults in a folder.
    ///
    /// # Errors
    /// When it can't be read or holds none.
    pub fn open(folder: &Path) -> Result<Self, FolderError> {
        names(folder).map_err(|source| unreadable(folder, source))?;
        for candidate in [folder.join("store/vaults"), folder.join("vaults")] {
            let vaults = vaults_in(&candidate)?;
            if !vaults.is_empty() {
                return Ok(Self { vaults });
            }
        }
        if folder.join("keys").is_dir() && folder.join("points").is_dir() {
            let id = folder.file_name().and_then(|name| name.to_str()?.parse().ok());
            return Ok(Self { vaults: vec![VaultFolder { id, path: folder.to_owned() }] });
        }
        Err(FolderError::NoVault(folder.to_owned()))
    }

    /// All servers of all vaults that have a key slot or a recovery point, by vault and id.
    ///
    /// # Errors
    /// When a folder can't be read. A damaged slot is counted, not an error.
    pub fn servers(&self) -> Result<Vec<FolderServer>, FolderError> {
        let mut servers = Vec::new();
        for vault in &self.vaults {
            let mut ids: Vec<ServerId> = Vec::new();
            for room in ["keys", "points"] {
                let folder = vault.path.join(room);
                let names = absent_is_empty(names(&folder)).map_err(|error| unreadable(&folder, error))?;
                ids.extend(names.iter().filter_map(|name| name.parse::<ServerId>().ok()));
            }
            ids.sort_unstable();
            ids.dedup();
            for id in ids {
                servers.extend(describe(vault, id)?);
            }
        }
        servers.sort_by_key(|server| (server.vault, server.server));
        Ok(servers)
    }
}

fn vaults_in(folder: &Path) -> Result<Vec<VaultFolder>, FolderError> {
    let names = absent_is_empty(names(folder)).map_err(|source| unreadable(folder, source))?;
    let vaults = names.iter().filter_map(|name| {
        let id = name.parse().ok()?;
        Some(VaultFolder { id: Some(id), path: folder.join(name) })
    });
    Ok(vaults.collect())
}

/// `None` when nothing says which vault it is: no name and no readable slot, so no key either.
fn describe(vault: &VaultFolder, server: ServerId) -> Result<Option<FolderServer>, FolderError> {
    let objects = slot_objects(&vault.path, server)
        .map_err(|source| unreadable(&vault.path.join(layout::slots(server)), source))?;
    let mut slots: Vec<KeySlot> = objects
        .iter()
        .filter_map(|object| KeySlot::decode(object.as_ref().ok()?).ok())
        .filter(|slot| slot.server == server && vault.id.is_none_or(|id| id == slot.vault))
        .collect();
    slots.sort_by_key(|slot| std::cmp::Reverse(slot.epoch));
    let mut labels: Vec<Label> = Vec::new();
    for slot in &slots {
        if !labels.contains(&slot.server_label) {
            labels.push(slot.server_label.clone());
        }
    }
    let Some(id) = vault.id.or_else(|| slots.first().map(|slot| slot.vault)) else { return Ok(None) };
    let points = points_of(&vault.path, server)
        .map_err(|source| unreadable(&vault.path.join(layout::points(server)), source))?
        .len();
    let damaged_slots = objects.len() - slots.len();
    let (slots, root) = (slots.len(), vault.path.clone());
    Ok(Some(FolderServer { vault: id, server, labels, points, slots, damaged_slots, root }))
}

/// Every slot object of a server, the unreadable ones as errors.
fn slot_objects(root: &Path, server: ServerId) -> io::Result<Vec<io::Result<Vec<u8>>>> {
    let folder = root.join(layout::slots(server));
    let mut objects = Vec::new();
    for epoch in absent_is_empty(names(&folder))? {
        if epoch.parse::<u32>().is_err() {
            continue;
        }
        let folder = folder.join(epoch);
        for name in names(&folder)?.iter().filter(|name| name.parse::<stateward_model::SlotHash>().is_ok()) {
            objects.push(read_file(&folder.join(name), SLOT_BYTES_MAX));
        }
    }
    Ok(objects)
}

fn points_of(root: &Path, server: ServerId) -> io::Result<Vec<PointSummary>> {
    let names = absent_is_empty(names(&root.join(layout::points(server))))?;
    let mut points: Vec<_> = names
        .iter()
        .filter_map(|name| layout::parse_point(name))
        .map(|(sequence, hash)| PointSummary { sequence, hash })
        .collect();
    points.sort_unstable();
    Ok(points)
}

fn absent_is_empty(names: io::Result<Vec<String>>) -> io::Result<Vec<String>> {
    match names {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        names => names,
    }
}

fn unreadable(path: &Path, source: io::Error) -> FolderError {
    FolderError::Unreadable { path: path.to_owned(), source }
}

/// One server's things in a folder, to read.
#[derive(Debug, Clone)]
pub struct FolderVault {
    root: PathBuf,
    server: ServerId,
}

impl FolderVault {
    /// What that server has.
    pub fn new(server: &FolderServer) -> Self {
        Self { root: server.root.clone(), server: server.server }
    }

    fn read(&self, name: &str, most: usize, object: impl Fn() -> String) -> Result<Vec<u8>, VaultError> {
        read_file(&self.root.join(name), most).map_err(|error| vault_error(error, &object()))
    }
}

/// A file's failure as the vault's; `object` with no article.
fn vault_error(error: io::Error, object: &str) -> VaultError {
    match error.kind() {
        io::ErrorKind::NotFound => VaultError::NotFound(object.to_owned()),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData => {
            VaultError::BadAnswer(format!("{object}: {error}"))
        }
        _ => VaultError::Failed(format!("{object} can't be read: {error}")),
    }
}

impl VaultRead for FolderVault {
    fn points(&self) -> Result<Vec<PointSummary>, VaultError> {
        points_of(&self.root, self.server).map_err(|error| vault_error(error, "list of recovery points"))
    }

    fn point(&self, PointSummary { sequence, hash }: PointSummary) -> Result<Vec<u8>, VaultError> {
        let name = layout::point(self.server, sequence, hash);
        self.read(&name, POINT_BYTES_MAX, || format!("recovery point {hash}"))
    }

    fn receipt(&self, PointSummary { sequence, hash }: PointSummary) -> Result<Option<Vec<u8>>, VaultError> {
        let name = layout::receipt(self.server, sequence, hash);
        let most = crate::http_vault::RECEIPT_BYTES_MAX;
        match self.read(&name, most, || format!("receipt of recovery point {hash}")) {
            Ok(object) => Ok(Some(object)),
            Err(VaultError::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Those that can be read: one damaged slot must not stand in the way of another that opens.
    fn slots(&self) -> Result<Vec<Vec<u8>>, VaultError> {
        let objects =
            slot_objects(&self.root, self.server).map_err(|error| vault_error(error, "list of key slots"))?;
        let readable = objects.into_iter().filter_map(|object| match object {
            Ok(object) => Some(object),
            Err(error) => {
                tracing::warn!(%error, "a key slot can't be read");
                None
            }
        });
        Ok(readable.collect())
    }

    fn read_pack(&self, pack: PackReference, range: Range<u32>) -> Result<Vec<u8>, VaultError> {
        let path = self.root.join(layout::pack(pack.id));
        read_range(&path, u64::from(pack.length), range)
            .map_err(|error| vault_error(error, &format!("pack {}", pack.id)))
    }
}

#[cfg(test)]
mod tests;
