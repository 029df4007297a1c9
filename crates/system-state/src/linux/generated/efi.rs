//! What EFI firmware was told: its boot entries and their order, and which keys it trusts.
//!
//! Each variable is kept as the kernel shows it in `efivarfs`: four bytes of attributes, then its data; such a file
//! can be written back there. Beside them stands a list to read. Only variables that describe how the machine starts
//! are kept: others change at each start, belong to the firmware's maker, or are seeds of random numbers.

mod load_option;

use super::made::Made;
use crate::linux::tree::Tree;
use load_option::LoadOption;
use std::io;

const FIRMWARE: &str = "/sys/firmware/efi";
const VARIABLES: &str = "/sys/firmware/efi/efivars";

/// The four bytes before a variable's data.
const ATTRIBUTE_BYTES: usize = 4;

/// Who defines variables, by their ids, and which of them are kept. A `#` stands for four hexadecimal digits.
const KEPT: [(&str, &[&str]); 4] = [
    // The UEFI specification, "Globally Defined Variables".
    (
        "8be4df61-93ca-11d2-aa0d-00e098032b8c",
        &[
            "Boot#",
            "BootOrder",
            "Driver#",
            "DriverOrder",
            "KEK",
            "PK",
            "PlatformLang",
            "SecureBoot",
            "SetupMode",
            "SysPrep#",
            "SysPrepOrder",
            "Timeout",
        ],
    ),
    // The UEFI specification, image security.
    ("d719b2cb-3d3a-4596-a3bc-dad00e67656f", &["db", "dbr", "dbt", "dbx"]),
    // shim: the machine owner's keys, as copied for the running system.
    (
        "605dab50-e046-4300-abb6-3dd810dd8b23",
        &["MokListRT", "MokListTrustedRT", "MokListXRT", "MokSBStateRT"],
    ),
    // systemd-boot's settings (systemd's "Boot Loader Interface").
    (
        "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f",
        &["LoaderConfigConsoleMode", "LoaderConfigTimeout", "LoaderEntryDefault", "LoaderEntryLastBooted"],
    ),
];

/// A variable that is kept.
struct Variable {
    name: String,
    vendor: String,
    /// With the attributes before it.
    content: Vec<u8>,
}

impl Variable {
    fn data(&self) -> &[u8] {
        self.content.get(ATTRIBUTE_BYTES..).unwrap_or(&[])
    }
}

/// Whether the machine was started by EFI.
pub(super) fn is_here(tree: &Tree) -> bool {
    tree.is_running_system() && tree.has(FIRMWARE)
}

/// Keeps the variables and the list.
pub(super) fn make(tree: &Tree, made: &mut Made) {
    let names = match tree.names(VARIABLES) {
        Ok(names) if !names.is_empty() => names,
        Ok(_) => {
            let why =
                format!("the machine was started by EFI, but `{VARIABLES}` is empty: mount `efivarfs` there");
            return made.fail("efi-boot-entries", why);
        }
        Err(cause) => return made.fail("efi-boot-entries", format!("`{VARIABLES}` can't be read: {cause}")),
    };
    let mut variables = Vec::new();
    for name in names.iter().filter_map(|name| std::str::from_utf8(name).ok()) {
        let Some((name, vendor)) = kept(name) else { continue };
        let file = format!("{name}-{vendor}");
        match tree.read(&format!("{VARIABLES}/{file}")) {
            Ok(content) => variables.push(Variable { name: name.into(), vendor: vendor.into(), content }),
            // An entry may go while we look.
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
            Err(cause) => made.fail(&format!("efi-variable-{file}"), cause),
        }
    }
    made.keep("efi-boot-entries", list(&variables));
    for variable in variables {
        made.keep(format!("efi-variable-{}-{}", variable.name, variable.vendor), variable.content);
    }
}

/// A file's name in `efivarfs` as name and vendor, if the variable is kept.
fn kept(file: &str) -> Option<(&str, &str)> {
    const ID_LENGTH: usize = 36;
    let at = file.len().checked_sub(ID_LENGTH)?;
    let (name, vendor) = (file.get(..at)?.strip_suffix('-')?, file.get(at..)?);
    let (_, names) = KEPT.iter().find(|(known, _)| *known == vendor)?;
    let fits = |pattern: &&str| match pattern.strip_suffix('#') {
        Some(beginning) => number(name, beginning).is_some(),
        None => name == *pattern,
    };
    names.iter().any(fits).then_some((name, vendor))
}

/// The four hexadecimal digits behind `beginning`.
fn number<'a>(name: &'a str, beginning: &str) -> Option<&'a str> {
    let number = name.strip_prefix(beginning)?;
    (number.len() == 4 && number.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(number)
}

/// The list: orders, settings, then each entry with what it starts.
fn list(variables: &[Variable]) -> String {
    let mut list = String::new();
    for variable in variables.iter().filter(|variable| variable.vendor == KEPT[0].0) {
        let data = variable.data();
        let name = variable.name.as_str();
        match name {
            "BootOrder" | "DriverOrder" | "SysPrepOrder" => {
                let numbers =
                    data.chunks_exact(2).map(|two| format!("{:04X}", u16::from_le_bytes([two[0], two[1]])));
                let numbers = numbers.collect::<Vec<_>>().join(",");
                list.extend([name, ": ", &numbers, "\n"]);
            }
            "Timeout" if data.len() == 2 => {
                list.extend([name, ": ", &u16::from_le_bytes([data[0], data[1]]).to_string(), " seconds\n"]);
            }
            "SecureBoot" | "SetupMode" if data.len() == 1 => {
                list.extend([name, ": ", if data[0] == 1 { "on" } else { "off" }, "\n"]);
            }
            _ => {
                let is_entry = ["Boot", "Driver", "SysPrep"].iter().any(|kind| number(name, kind).is_some());
                if is_entry {
                    let told =
                        LoadOption::decode(data).map_or("not understood".to_owned(), |o| o.to_string());
                    list.extend([name, ": ", &told, "\n"]);
                }
            }
        }
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::BOOT;
    use std::fs;

    const GLOBAL: &str = "8be4df61-93ca-11d2-aa0d-00e098032b8c";

    fn tree(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir_all(home.path().join(&VARIABLES[1..])).unwrap();
        for (name, content) in files {
            fs::write(home.path().join(&VARIABLES[1..]).join(name), content).unwrap();
        }
        home
    }

    #[test]
    fn what_describes_the_start_is_kept_and_what_each_start_changes_is_not() {
        let order = format!("BootOrder-{GLOBAL}");
        let entry = format!("Boot000A-{GLOBAL}");
        let current = format!("BootCurrent-{GLOBAL}");
        let token = "LoaderSystemToken-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";
        let secure = format!("SecureBoot-{GLOBAL}");
        let home = tree(&[
            (&order, b"\x07\0\0\0\x0a\0\x01\0"),
            (&entry, include_bytes!("efi/testdata/efibootmgr-entry")),
            (&current, b"\x06\0\0\0\x01\0"),
            (token, b"\x07\0\0\0seed"),
            (&secure, b"\x06\0\0\0\x01"),
            ("db-d719b2cb-3d3a-4596-a3bc-dad00e67656f", b"\x27\0\0\0keys"),
            ("Setup-11111111-2222-3333-4444-555555555555", b"\x07\0\0\0x"),
        ]);
        let mut made = Made::nothing(BOOT);
        make(&Tree::open(home.path()).unwrap(), &mut made);
        assert!(made.warnings.is_empty());
        let names: Vec<&str> = made.files.iter().map(|(name, _)| &**name).collect();
        assert_eq!(
            names,
            [
                "efi-boot-entries",
                &format!("efi-variable-{entry}"),
                &format!("efi-variable-{order}"),
                &format!("efi-variable-{secure}"),
                "efi-variable-db-d719b2cb-3d3a-4596-a3bc-dad00e67656f",
            ]
        );
        let list = String::from_utf8(made.bytes("efi-boot-entries").unwrap().to_vec()).unwrap();
        assert_eq!(
            list,
            "Boot000A: * debian\tHD(1,GPT,62519c0c-38f2-dd45-b360-ebe8d2fa0383,0x800,0x8000)/File(\\EFI\\debian\\shimx64.efi)\nBootOrder: 000A,0001\nSecureBoot: on\n"
        );
    }

    #[test]
    fn firmware_whose_variables_are_not_shown_is_a_warning() {
        let home = tree(&[]);
        let mut made = Made::nothing(BOOT);
        make(&Tree::open(home.path()).unwrap(), &mut made);
        assert!(made.warnings[0].message.contains("efivarfs"));
        assert!(made.files.is_empty());
    }
}
