//! Which boot loaders are installed: their files are kept as files; this list says which they are, so that whoever
//! restores them knows what has to be installed again and how.

use super::made::Made;
use crate::linux::tree::Tree;
use serde_json::{Map, Value, json};

/// Where GRUB keeps what it reads: Debian and SUSE by the first or second name, Fedora by the second.
const GRUB_FOLDERS: [&str; 2] = ["/boot/grub", "/boot/grub2"];

/// Where an EFI system partition is mounted, if it is.
const EFI_FOLDERS: [&str; 4] = ["/boot/efi", "/boot/EFI", "/efi", "/boot"];

/// Makes the list; nothing if there is no loader.
pub(super) fn make(tree: &Tree, made: &mut Made) {
    let mut loaders = Map::new();
    let grubs: Vec<Value> = GRUB_FOLDERS.iter().filter_map(|folder| grub(tree, folder)).collect();
    let efi: Vec<Value> = EFI_FOLDERS.iter().filter_map(|folder| efi_folder(tree, folder)).collect();
    for (name, found) in [("grub", grubs), ("efi_system_partitions", efi)] {
        if !found.is_empty() {
            loaders.insert(name.to_owned(), Value::Array(found));
        }
    }
    if !loaders.is_empty() {
        made.keep("boot-loaders.json", format!("{:#}\n", Value::Object(loaders)));
    }
}

fn names(tree: &Tree, folder: &str) -> Vec<String> {
    let names = tree.names(folder).unwrap_or_default();
    names.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect()
}

/// GRUB as far as it is installed in `folder`: for which platforms, and with which settings that it keeps itself.
fn grub(tree: &Tree, folder: &str) -> Option<Value> {
    let found = names(tree, folder);
    if found.is_empty() {
        return None;
    }
    // Named `<processor>-<firmware>`, each with GRUB's own modules.
    let platforms: Vec<&String> =
        found.iter().filter(|name| tree.has(&format!("{folder}/{name}/normal.mod"))).collect();
    let environment = tree.text(&format!("{folder}/grubenv")).unwrap_or_default();
    // A block of a fixed size, filled up with `#`.
    let environment: Vec<&str> =
        environment.lines().filter(|line| !line.starts_with('#') && line.contains('=')).collect();
    Some(json!({
        "folder": folder,
        "platforms": platforms,
        "has_configuration": found.iter().any(|name| name == "grub.cfg"),
        "environment": environment,
    }))
}

/// What an EFI system partition holds: programs for the firmware to start, and systemd-boot's entries.
fn efi_folder(tree: &Tree, folder: &str) -> Option<Value> {
    let mut programs = Vec::new();
    for vendor in names(tree, &format!("{folder}/EFI")) {
        let found = names(tree, &format!("{folder}/EFI/{vendor}"));
        let is_program = |name: &&String| name.to_ascii_lowercase().ends_with(".efi");
        programs.extend(found.iter().filter(is_program).map(|name| format!("EFI/{vendor}/{name}")));
    }
    let is_entry = |name: &String| name.ends_with(".conf");
    let mut entries = names(tree, &format!("{folder}/loader/entries"));
    entries.retain(is_entry);
    let settings = tree.text(&format!("{folder}/loader/loader.conf")).unwrap_or_default();
    let settings: Vec<&str> =
        settings.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    if programs.is_empty() && entries.is_empty() && settings.is_empty() {
        return None;
    }
    Some(json!({
        "folder": folder,
        "programs": programs,
        "systemd_boot": programs.iter().any(|path| path.to_ascii_lowercase().contains("/systemd-boot")),
        "loader_settings": settings,
        "loader_entries": entries,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::BOOT;
    use std::fs;

    fn told(files: &[(&str, &str)]) -> Option<Value> {
        let home = tempfile::tempdir().unwrap();
        for (path, content) in files {
            let path = home.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        let mut made = Made::nothing(BOOT);
        make(&Tree::open(home.path()).unwrap(), &mut made);
        made.bytes("boot-loaders.json").map(|list| serde_json::from_slice(list).unwrap())
    }

    #[test]
    fn grub_is_told_with_its_platforms_and_what_it_remembers() {
        let told = told(&[
            ("boot/grub/grub.cfg", "menuentry"),
            ("boot/grub/grubenv", "# GRUB Environment Block\nsaved_entry=debian\n######"),
            ("boot/grub/i386-pc/normal.mod", ""),
            ("boot/grub/x86_64-efi/normal.mod", ""),
            ("boot/grub/fonts/unicode.pf2", ""),
            ("boot/efi/EFI/debian/shimx64.efi", ""),
            ("boot/efi/EFI/debian/grub.cfg", ""),
        ])
        .unwrap();
        assert_eq!(told["grub"][0]["platforms"], json!(["i386-pc", "x86_64-efi"]));
        assert_eq!(told["grub"][0]["environment"], json!(["saved_entry=debian"]));
        assert_eq!(told["grub"][0]["has_configuration"], true);
        assert_eq!(told["efi_system_partitions"][0]["programs"], json!(["EFI/debian/shimx64.efi"]));
        assert_eq!(told["efi_system_partitions"][0]["systemd_boot"], false);
    }

    #[test]
    fn systemd_boot_is_told_with_its_entries() {
        let told = told(&[
            ("efi/EFI/systemd/systemd-bootx64.efi", ""),
            ("efi/EFI/Linux/debian-6.1.efi", ""),
            ("efi/loader/loader.conf", "# by hand\ntimeout 3\n"),
            ("efi/loader/entries/a.conf", "title A"),
            ("efi/loader/random-seed", "x"),
        ])
        .unwrap();
        let found = &told["efi_system_partitions"][0];
        assert_eq!(found["systemd_boot"], true);
        assert_eq!(found["programs"], json!(["EFI/Linux/debian-6.1.efi", "EFI/systemd/systemd-bootx64.efi"]));
        assert_eq!(
            (&found["loader_settings"], &found["loader_entries"]),
            (&json!(["timeout 3"]), &json!(["a.conf"]))
        );
        assert_eq!(told.get("grub"), None);
    }

    #[test]
    fn a_tree_without_a_loader_says_nothing() {
        assert_eq!(told(&[("boot/vmlinuz", "")]), None);
    }
}
