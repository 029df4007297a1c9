//! Release keys: `cargo xtask make-release-key FILE` and `cargo xtask sign-package KEYFILE PACKAGE…`.

use crate::tidy::Failure;
use stateward_crypto::{FileHash, SigningKey};
use stateward_model::package::hex;
use stateward_model::{PackageFile, PackageStatement, SystemRandom};
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Makes a release key: its secret half in a new file for its owner only, its public half in `FILE.pub`. Gives the path of that.
pub fn make(path: &Path) -> Result<PathBuf, Failure> {
    let key = SigningKey::generate(&SystemRandom);
    let public = beside(path, "pub");
    write_new(path, key.release_file().as_bytes()).map_err(unusable(path))?;
    let text = format!("{}\n", hex(&key.public_key()));
    write_new(&public, text.as_bytes()).map_err(unusable(&public))?;
    Ok(public)
}

/// Signs packages: each signature goes to `PACKAGE.sig`, in place of one that was there.
pub fn sign(key: &Path, packages: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let text = zeroize::Zeroizing::new(std::fs::read_to_string(key).map_err(unusable(key))?);
    let wrong = || unusable(key)(io::Error::other("it holds no release key; `make-release-key` makes one"));
    let key = SigningKey::of_release_file(&text).ok_or_else(wrong)?;
    packages.iter().map(|package| sign_one(&key, package)).collect()
}

fn sign_one(key: &SigningKey, package: &Path) -> Result<PathBuf, Failure> {
    let name = package.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let file: PackageFile = name.parse().map_err(|wrong| unusable(package)(io::Error::other(wrong)))?;
    let bytes = std::fs::read(package).map_err(unusable(package))?;
    if !bytes.starts_with(file.kind.magic()) {
        let why = format!("it does not begin as a {} package does", file.kind);
        return Err(unusable(package)(io::Error::other(why)));
    }
    let mut hash = FileHash::default();
    hash.update(&bytes);
    let statement = PackageStatement { file, size_bytes: bytes.len() as u64, sha256: hash.finish() };
    let path = beside(package, "sig");
    std::fs::write(&path, key.sign_package(statement).to_string()).map_err(unusable(&path))?;
    Ok(path)
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}

/// Writes a file that is not there yet, for its owner only.
fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn unusable(path: &Path) -> impl Fn(io::Error) -> Failure {
    let path = path.display().to_string();
    move |source| Failure::Access { path: path.clone(), source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stateward_crypto::ReleaseKeys;
    use stateward_model::PackageSignature;

    #[test]
    fn what_is_signed_is_believed_by_whoever_has_the_public_half() {
        let folder = tempfile::tempdir().unwrap();
        let (key, package) = (folder.path().join("key"), folder.path().join("stateward_0.1.0-1_amd64.deb"));
        let public = make(&key).unwrap();
        assert!(make(&key).is_err(), "a key that is there is not overwritten");
        std::fs::write(&package, "!<arch>\ndebian-binary").unwrap();
        let signed = sign(&key, std::slice::from_ref(&package)).unwrap();
        let signature: PackageSignature = std::fs::read_to_string(&signed[0]).unwrap().parse().unwrap();
        let keys = ReleaseKeys::parse(&std::fs::read_to_string(public).unwrap()).unwrap();
        assert_eq!(keys.check(&signature), Ok(()));
        std::fs::write(&package, "something else").unwrap();
        assert!(sign(&key, &[package]).is_err());
        assert!(sign(&folder.path().join("key.pub"), &[]).is_err());
    }
}
