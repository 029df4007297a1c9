//! Which package is chosen, and which is believed.

use super::*;
use crate::codes::Code;
use stateward_crypto::{FileHash, SigningKey};
use stateward_model::PackageKind;
use std::io::Write as _;

const NOW: &str = "0.1.0-1";

fn key() -> SigningKey {
    SigningKey::from_seed([1; 32])
}

fn keys() -> ReleaseKeys {
    ReleaseKeys::parse(&stateward_model::package::hex(&key().public_key())).unwrap()
}

fn installed() -> InstalledPackage {
    InstalledPackage {
        kind: PackageKind::Deb,
        version: NOW.parse().unwrap(),
        architecture: "amd64".to_owned(),
    }
}

fn statement(file: &str) -> PackageStatement {
    PackageStatement { file: file.parse().unwrap(), size_bytes: 3, sha256: "0".repeat(64) }
}

fn signed(file: &str) -> OfferedPackage {
    let statement = statement(file);
    let signature = Some(key().sign_package(statement.clone()).to_string());
    OfferedPackage { statement, signature }
}

fn deb(version: &str) -> OfferedPackage {
    signed(&format!("stateward_{version}_amd64.deb"))
}

fn wish(version: Option<&str>, allow_downgrade: bool) -> UpgradeWish {
    UpgradeWish { version: version.map(|version| version.parse().unwrap()), allow_downgrade }
}

/// The version that is chosen, or the code of why none is.
fn chosen(offered: &[OfferedPackage], wish: UpgradeWish) -> Result<Option<String>, Code> {
    let chosen = choose(offered, &installed(), &keys(), wish);
    chosen
        .map(|package| package.map(|package| package.file.version.to_string()))
        .map_err(|error| error.code())
}

#[test]
fn the_newest_that_fits_is_chosen_and_nothing_when_nothing_is_newer() {
    let offered = [
        deb("0.2.0-1"),
        deb("0.10.0-1"),
        signed("stateward_9.0.0-1_arm64.deb"),
        signed("stateward-9.0.0-1.x86_64.rpm"),
    ];
    assert_eq!(chosen(&offered, wish(None, false)), Ok(Some("0.10.0-1".to_owned())));
    assert_eq!(chosen(&offered, wish(Some("0.2.0"), false)), Ok(Some("0.2.0-1".to_owned())));
    assert_eq!(chosen(&offered, wish(Some("9.0.0"), false)), Err(Code::PackageNotOffered));
    for offered in [vec![], vec![deb(NOW)], vec![deb("0.0.9-1")]] {
        assert_eq!(chosen(&offered, wish(None, false)), Ok(None));
        assert_eq!(chosen(&offered, wish(None, true)), Ok(None));
    }
    assert_eq!(chosen(&[deb(NOW)], wish(Some(NOW), false)), Ok(None));
}

#[test]
fn an_older_version_must_be_wished_for_in_so_many_words() {
    let offered = [deb(NOW), deb("0.0.9-1")];
    assert_eq!(chosen(&offered, wish(Some("0.0.9-1"), false)), Err(Code::DowngradeRefused));
    assert_eq!(chosen(&offered, wish(Some("0.0.9-1"), true)), Ok(Some("0.0.9-1".to_owned())));
}

#[test]
fn what_no_trusted_key_signed_is_not_chosen() {
    let good = deb("0.2.0-1");
    let other = SigningKey::from_seed([2; 32]);
    let unsigned = OfferedPackage { signature: None, ..good.clone() };
    let nonsense = OfferedPackage { signature: Some("nonsense".to_owned()), ..good.clone() };
    let by_another = OfferedPackage {
        signature: Some(other.sign_package(good.statement.clone()).to_string()),
        ..good.clone()
    };
    // An old package under a new name, and another file under the same.
    let renamed = OfferedPackage { signature: deb("0.0.9-1").signature, ..good.clone() };
    let mut replaced = good.clone();
    replaced.statement.sha256 = "1".repeat(64);
    let text = good.signature.clone().unwrap();
    let altered =
        OfferedPackage { signature: Some(text.replace("signature ", "signature 00")), ..good.clone() };
    for wrong in [unsigned, nonsense, by_another, renamed, replaced, altered] {
        assert_eq!(
            chosen(std::slice::from_ref(&wrong), wish(None, false)),
            Err(Code::PackageNotTrusted),
            "{wrong:?}"
        );
    }
    let nobody = choose(&[good], &installed(), &ReleaseKeys::default(), wish(None, false));
    assert_eq!(nobody.unwrap_err().code(), Code::PackageNotTrusted);
}

fn receive(content: &[u8], expected: &PackageStatement) -> (Result<Vec<u8>, Code>, usize) {
    let folder = tempfile::tempdir().unwrap();
    let received = Received::begin(folder.path().join("package")).unwrap();
    received.file().unwrap().write_all(content).unwrap();
    let proved = received.prove(expected).map(|path| std::fs::read(path).unwrap());
    (proved.map_err(|error| error.code()), std::fs::read_dir(folder.path()).unwrap().count())
}

#[test]
fn what_came_has_its_name_once_it_is_proved_and_leaves_nothing_otherwise() {
    let mut hash = FileHash::default();
    hash.update(b"abc");
    let expected = PackageStatement { sha256: hash.finish(), ..statement("stateward_0.2.0-1_amd64.deb") };
    assert_eq!(receive(b"abc", &expected), (Ok(b"abc".to_vec()), 1));
    for wrong in [&b"ab"[..], b"abcd", b"abd", b""] {
        assert_eq!(receive(wrong, &expected), (Err(Code::PackageDamaged), 0));
    }
    // What is there is not overwritten, and a link beside it is not followed.
    let folder = tempfile::tempdir().unwrap();
    let (path, elsewhere) = (folder.path().join("package"), folder.path().join("elsewhere"));
    std::fs::write(&elsewhere, "kept").unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(&elsewhere, folder.path().join("package.part")).unwrap();
    let received = Received::begin(path.clone()).unwrap();
    received.file().unwrap().write_all(b"abc").unwrap();
    std::fs::write(&path, "there").unwrap();
    assert_eq!(received.prove(&expected).unwrap_err().code(), Code::OutputExists);
    assert_eq!(
        (std::fs::read(&path).unwrap(), std::fs::read(&elsewhere).unwrap()),
        (b"there".to_vec(), b"kept".to_vec())
    );
}

#[cfg(target_os = "linux")]
#[test]
fn keys_that_others_may_write_are_not_trusted() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys");
    let digits = stateward_model::package::hex(&key().public_key());
    std::fs::write(&path, format!("# ours\n{digits} the house's\n")).unwrap();
    let set = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    set(0o644);
    assert_eq!(keys_in(&path).unwrap(), keys());
    set(0o666);
    assert!(keys_in(&path).unwrap_err().to_string().contains("others may write it"));
    set(0o644);
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    assert!(keys_in(&path).unwrap_err().to_string().contains("its folder"));
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    std::fs::write(&path, "nonsense\n").unwrap();
    assert!(keys_in(&path).unwrap_err().to_string().contains("Line 1"));
    assert_eq!(keys_in(&folder.path().join("none")).unwrap_err().code(), Code::NoReleaseKey);
}
