//! Packages in a folder: what is offered, and what is refused.

use super::*;
use tempfile::TempDir;

const NAME: &str = "stateward_0.1.0-1_amd64.deb";
const NOW: Timestamp = Timestamp(1_795_000_000_000_000_000);

struct Scene {
    folder: TempDir,
    packages: Packages,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let packages = Packages::of(&folder.path().join("data"));
        std::fs::create_dir(folder.path().join("data")).unwrap();
        Self { folder, packages }
    }

    /// A file that begins as a Debian package does.
    fn deb(&self, name: &str, rest: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, format!("!<arch>\ndebian-binary{rest}")).unwrap();
        path
    }

    fn add(&self, path: &Path) -> Result<Offered, PackageError> {
        self.packages.add(path, NOW)
    }

    /// What is wrong with a file that can't be offered.
    fn why(&self, path: &Path) -> String {
        let error = self.add(path).unwrap_err().to_string();
        assert!(self.packages.list().unwrap().is_empty(), "{error}");
        error
    }

    fn sign(&self, package: &Path, of: &PackageStatement) {
        let signature = PackageSignature { statement: of.clone(), key: [1; 32], signature: [2; 64] };
        std::fs::write(format!("{}.sig", package.display()), signature.to_string()).unwrap();
    }
}

#[test]
fn what_is_added_is_listed_newest_first_opened_and_removed() {
    let scene = Scene::new();
    assert!(scene.packages.list().unwrap().is_empty() && scene.packages.newest().unwrap().is_none());
    let path = scene.deb(NAME, "one");
    let first = scene.add(&path).unwrap();
    assert_eq!((first.statement.size_bytes, first.signature.as_deref()), (24, None));
    let newer = scene.add(&scene.deb("stateward_0.10.0-1_amd64.deb", "two")).unwrap();
    scene.add(&scene.deb("stateward_0.9.0-1_amd64.deb", "three")).unwrap();
    let listed = scene.packages.list().unwrap();
    assert_eq!((listed.len(), &listed[0], &listed[2]), (3, &newer, &first));
    assert_eq!(scene.packages.newest().unwrap(), Some("0.10.0-1".parse().unwrap()));
    let (offered, mut file) = scene.packages.open(NAME).unwrap();
    let mut text = String::new();
    file.read_to_string(&mut text).unwrap();
    assert_eq!((offered, text.as_str()), (first.clone(), "!<arch>\ndebian-binaryone"));
    assert_eq!(scene.packages.remove(NAME).unwrap(), first);
    assert!(matches!(scene.packages.open(NAME), Err(PackageError::Unknown(_))));
    assert!(matches!(scene.packages.remove(NAME), Err(PackageError::Unknown(_))));
    assert!(!scene.folder.path().join("data/packages").join(NAME).exists());
}

#[test]
fn packages_for_windows_are_offered_beside_those_for_linux_and_nothing_else_goes_by_their_name() {
    let scene = Scene::new();
    let path = scene.folder.path().join("stateward-0.1.0-1.x64.msi");
    std::fs::write(&path, "MZ a program").unwrap();
    assert!(scene.why(&path).contains("msi"));
    let magic = [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];
    std::fs::write(&path, [&magic[..], b"tables"].concat()).unwrap();
    let added = scene.add(&path).unwrap();
    scene.add(&scene.deb(NAME, "one")).unwrap();
    assert_eq!(added.statement.file.kind, stateward_model::PackageKind::Msi);
    assert_eq!(added.statement.size_bytes, 14);
    let listed = scene.packages.list().unwrap();
    assert_eq!(listed.len(), 2);
    assert!(listed.contains(&added));
}

#[test]
fn the_same_can_be_added_again_with_a_signature_and_another_of_its_name_can_not() {
    let scene = Scene::new();
    let path = scene.deb(NAME, "one");
    let first = scene.add(&path).unwrap();
    scene.sign(&path, &first.statement);
    let signed = scene.add(&path).unwrap();
    assert!(signed.signature.as_deref().unwrap().contains(NAME));
    assert_eq!(scene.packages.list().unwrap(), std::slice::from_ref(&signed));
    std::fs::remove_file(format!("{}.sig", path.display())).unwrap();
    assert!(matches!(scene.add(&scene.deb(NAME, "other")), Err(PackageError::Exists(_))));
    assert_eq!(scene.packages.list().unwrap(), [signed]);
    let (_, file) = scene.packages.open(NAME).unwrap();
    assert_eq!(file.metadata().unwrap().len(), first.statement.size_bytes);
}

#[test]
fn what_is_no_package_or_not_what_is_said_of_it_is_not_offered() {
    let scene = Scene::new();
    let other_name = scene.deb("stateward-vault_0.1.0-1_amd64.deb", "");
    assert!(scene.why(&other_name).contains("stateward_VERSION_ARCHITECTURE.deb"));
    let path = scene.folder.path().join(NAME);
    assert!(scene.why(&path).contains("Can't use"));
    std::fs::write(&path, "").unwrap();
    assert!(scene.why(&path).contains("as a deb package"));
    std::fs::write(&path, "#!/bin/sh\n").unwrap();
    assert!(scene.why(&path).contains("as a deb package"));
    let path = scene.deb(NAME, "one");
    let statement = |file: &str, size_bytes| PackageStatement {
        file: file.parse().unwrap(),
        size_bytes,
        sha256: hex(&[0; 32]),
    };
    scene.sign(&path, &statement("stateward_0.2.0-1_amd64.deb", 24));
    assert!(scene.why(&path).contains("the signature of `stateward_0.2.0"));
    scene.sign(&path, &statement(NAME, 24));
    assert!(scene.why(&path).contains("size or hash differ"));
    std::fs::write(format!("{}.sig", path.display()), "x".repeat(5000)).unwrap();
    assert!(scene.why(&path).contains("no signature of a package"));
}

#[test]
fn no_name_leads_out_of_the_folder() {
    let scene = Scene::new();
    scene.add(&scene.deb(NAME, "one")).unwrap();
    for name in
        ["../vault.json", "index.json", "lock", "..", "", &format!("../packages/{NAME}"), &format!("{NAME}/")]
    {
        assert!(matches!(scene.packages.open(name), Err(PackageError::Unknown(_))), "{name}");
        assert!(matches!(scene.packages.remove(name), Err(PackageError::Unknown(_))), "{name}");
    }
}

#[test]
fn a_damaged_file_or_index_is_told() {
    let scene = Scene::new();
    scene.add(&scene.deb(NAME, "one")).unwrap();
    let data = scene.folder.path().join("data/packages");
    std::fs::write(data.join(NAME), "short").unwrap();
    assert!(matches!(scene.packages.open(NAME), Err(PackageError::Wrong { .. })));
    std::fs::write(data.join("index.json"), "{").unwrap();
    assert!(scene.packages.list().unwrap_err().to_string().contains("add the packages again"));
    std::fs::write(data.join("index.json"), "{\"version\":2,\"packages\":[]}").unwrap();
    assert!(scene.packages.list().unwrap_err().to_string().contains("form 2"));
}
