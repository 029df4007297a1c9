//! Reading from a folder.

use super::*;
use stateward_format::slot::{SlotSecret, hash as slot_hash};
use stateward_model::{PackId, PointHash};
use std::fs;

const VAULT: VaultId = VaultId([1; 16]);
const SERVER: ServerId = ServerId([2; 16]);

fn slot(epoch: u32, label: &str) -> Vec<u8> {
    let slot = KeySlot {
        vault: VAULT,
        server: SERVER,
        domain: SERVER,
        server_label: label.parse().unwrap(),
        epoch,
        secret: SlotSecret::RecoveryCode,
        salt: [4; 32],
        commitment: [5; 32],
        wrapped_data_key: vec![6; 48],
        wrapped_signing_key: vec![7; 48],
        signing_public_key: [8; 32],
    };
    slot.encode()
}

fn write(root: &Path, name: &str, bytes: &[u8]) {
    let path = root.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

const PACK: PackReference = PackReference { id: PackId([3; 32]), length: 100 };
const POINT: PointSummary = PointSummary { sequence: 7, hash: PointHash([9; 32]) };

/// A data folder with one server: two slots, one damaged slot, one point, one pack.
fn data_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("store").join(layout::vault_root(VAULT));
    for (epoch, label) in [(1, "old-name"), (2, "new-name")] {
        let object = slot(epoch, label);
        write(&root, &layout::slot(SERVER, epoch, slot_hash(&object)), &object);
    }
    write(&root, &layout::slot(SERVER, 2, slot_hash(b"damaged")), b"damaged");
    write(&root, &layout::point(SERVER, POINT.sequence, POINT.hash), b"point");
    write(&root, &format!("{}half-written#1", layout::points(SERVER)), b"");
    write(&root, &layout::pack(PACK.id), &(0..100).collect::<Vec<u8>>());
    folder
}

fn only_server(folder: &Path) -> FolderServer {
    let mut servers = FolderStore::open(folder).unwrap().servers().unwrap();
    assert_eq!(servers.len(), 1);
    servers.remove(0)
}

#[test]
fn a_data_folder_its_store_and_one_vaults_folder_show_the_same_server() {
    let folder = data_folder();
    let copy = folder.path().join("any-name");
    fs::rename(folder.path().join("store").join(layout::vault_root(VAULT)), &copy).unwrap();
    let from_copy = only_server(&copy);
    fs::rename(&copy, folder.path().join("store").join(layout::vault_root(VAULT))).unwrap();
    for server in [only_server(folder.path()), only_server(&folder.path().join("store")), from_copy] {
        assert_eq!((server.vault, server.server), (VAULT, SERVER));
        let labels: Vec<_> = server.labels.iter().map(Label::as_str).collect();
        assert_eq!(labels, ["new-name", "old-name"]);
        assert_eq!((server.points, server.slots, server.damaged_slots), (1, 2, 1));
    }
}

#[test]
fn points_slots_and_ranges_of_packs_are_read() {
    let folder = data_folder();
    let vault = FolderVault::new(&only_server(folder.path()));
    assert_eq!(vault.points().unwrap(), [POINT]);
    assert_eq!(vault.point(POINT).unwrap(), b"point");
    assert_eq!(vault.receipt(POINT).unwrap(), None);
    assert_eq!(vault.slots().unwrap().len(), 3);
    assert_eq!(vault.read_pack(PACK, 10..13).unwrap(), [10, 11, 12]);
    assert_eq!(vault.read_pack(PACK, 0..100).unwrap().len(), 100);
}

#[test]
fn what_is_missing_and_what_has_another_length_are_told_apart() {
    let folder = data_folder();
    let vault = FolderVault::new(&only_server(folder.path()));
    let missing = PackReference { id: PackId([4; 32]), length: 100 };
    assert!(matches!(vault.read_pack(missing, 0..10), Err(VaultError::NotFound(_))));
    let longer = PackReference { length: 101, ..PACK };
    assert!(matches!(vault.read_pack(longer, 0..10), Err(VaultError::BadAnswer(_))));
    assert!(matches!(vault.read_pack(PACK, 90..101), Err(VaultError::Failed(_))));
    let other = PointSummary { sequence: 8, ..POINT };
    assert!(matches!(vault.point(other), Err(VaultError::NotFound(_))));
}

#[test]
fn objects_longer_than_they_may_be_are_not_read() {
    let folder = data_folder();
    let vault = FolderVault::new(&only_server(folder.path()));
    let object = vec![0; SLOT_BYTES_MAX + 1];
    write(&vault.root, &layout::slot(SERVER, 2, slot_hash(&object)), &object);
    assert_eq!(vault.slots().unwrap().len(), 3);
}

#[test]
fn a_folder_without_a_vault_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(FolderStore::open(folder.path()), Err(FolderError::NoVault(_))));
    assert!(matches!(FolderStore::open(&folder.path().join("absent")), Err(FolderError::Unreadable { .. })));
}
