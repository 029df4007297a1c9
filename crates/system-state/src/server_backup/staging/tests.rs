//! Scripts by their text, and which volumes are taken.

use super::*;

struct Fixed(Vec<Volume>);

impl Volumes for Fixed {
    fn list(&self) -> io::Result<Vec<Volume>> {
        Ok(self.0.clone())
    }

    fn free_bytes(&self, _: &Path) -> io::Result<u64> {
        Ok(0)
    }
}

fn disk() -> StagingDisk {
    StagingDisk {
        file: PathBuf::from(r"C:\ProgramData\Stateward\staging.vhdx"),
        mount: PathBuf::from(r"C:\ProgramData\Stateward\staging"),
        bytes: (40 << 30) + 1,
    }
}

#[test]
fn a_script_is_word_for_word_what_diskpart_takes() {
    let lines = [
        r#"create vdisk file="C:\ProgramData\Stateward\staging.vhdx" maximum=40961 type=expandable"#,
        r#"select vdisk file="C:\ProgramData\Stateward\staging.vhdx""#,
        "attach vdisk",
        "convert gpt",
        "create partition primary",
        r#"format fs=ntfs label="Stateward" quick"#,
        r#"assign mount="C:\ProgramData\Stateward\staging""#,
    ];
    assert_eq!(disk().making_script().unwrap(), lines.map(|line| format!("{line}\r\n")).concat());
    let attached = format!("{}\r\nattach vdisk\r\n", lines[1]);
    assert_eq!(disk().attaching_script().unwrap(), attached);
    assert_eq!(disk().detaching_script().unwrap(), attached.replace("attach", "detach"));
}

#[test]
fn a_path_that_could_end_a_quote_or_be_read_otherwise_never_comes_into_a_script() {
    for path in ["C:\\a\"\r\nclean", "C:\\ä", "C:\\a\nclean"] {
        let disk = StagingDisk { file: PathBuf::from(path), ..disk() };
        assert!(matches!(disk.making_script(), Err(StagingError::Path(_))), "{path}");
        assert!(matches!(disk.detaching_script(), Err(StagingError::Path(_))), "{path}");
    }
}

#[test]
fn a_given_volume_must_be_fixed_of_ntfs_and_not_windows_own() {
    let volume = |id: &str, mount: &str, file_system: &str, is_fixed| Volume {
        id: id.to_owned(),
        mounts: vec![PathBuf::from(mount)],
        file_system: file_system.to_owned(),
        is_fixed,
        bytes: 1,
        free_bytes: 1,
    };
    let volumes = Fixed(vec![
        volume("c", "/c", "NTFS", true),
        volume("d", "/d", "ReFS", true),
        volume("e", "/e", "NTFS", false),
        volume("f", "/c/Mounts/F/", "ntfs", true),
    ]);
    let windows = Path::new("/c/Windows");
    assert_eq!(given_volume(&volumes, Path::new("/C/mounts/f"), windows).unwrap().id, "f");
    for (place, words) in [
        ("/c", "Windows lies on it"),
        ("/d", "isn't NTFS"),
        ("/e", "no fixed disk"),
        ("/f", "no volume is mounted"),
        ("/c/Mounts", "no volume is mounted"),
    ] {
        let error = given_volume(&volumes, Path::new(place), windows).unwrap_err();
        assert!(error.to_string().contains(words), "{place}: {error}");
    }
}
