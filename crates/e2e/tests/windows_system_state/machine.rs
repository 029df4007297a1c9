//! What lies below Wine besides the agent: the folder of the system's programs, its registry, and a second drive.
//!
//! `wbadmin`, `sfc`, `diskpart`, `vssadmin` and `bcdedit` aren't Wine's. Stand-ins that play transcripts lie where Windows has
//! them, so the program that is tested is the one that is shipped, and knows nothing of them.

use stateward_e2e::process::{Outcome, run};
use stateward_e2e::wine::{told, windows_path, wine};
use stateward_testing::stand_in::{StandIns, transcripts};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// There is one, so tests that change it come one after the other.
static ONE: Mutex<()> = Mutex::new(());

/// What lay on the second drive: files with what they hold, and folders.
#[derive(Debug)]
pub struct KeptDrive(BTreeMap<PathBuf, Option<Vec<u8>>>);

/// The machine, as long as a test has it.
pub struct WindowsMachine {
    prefix: PathBuf,
    name: String,
    _one: MutexGuard<'static, ()>,
}

const PRODUCT: &str = r"HKLM\SYSTEM\CurrentControlSet\Control\ProductOptions";

impl WindowsMachine {
    /// A server with Windows Server Backup, and nothing on its second drive.
    #[track_caller]
    pub fn server() -> Self {
        let one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        let mut machine = Self { prefix: told("STATEWARD_WINE_PREFIX"), name: String::new(), _one: one };
        StandIns::lay(&machine.programs(), &told("STATEWARD_WINDOWS_STAND_IN"), ".exe");
        fs::create_dir_all(machine.prefix.join("drive_c/windows/Logs/CBS")).expect("a folder can be made");
        machine.clear_drive();
        machine.be("ServerNT");
        machine.add_engine();
        let said = machine.run("cmd.exe", &["/c", "echo %COMPUTERNAME%"]).done();
        said.stdout.trim().clone_into(&mut machine.name);
        machine
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where the system's programs lie.
    pub fn programs(&self) -> PathBuf {
        self.prefix.join("drive_c/windows/system32")
    }

    /// The drive `E:`, as this machine names it.
    pub fn drive(&self) -> PathBuf {
        self.prefix.join("drive_e")
    }

    /// Removes whatever lies on it.
    pub fn clear_drive(&self) {
        let _ = fs::remove_dir_all(self.drive());
        fs::create_dir_all(self.drive()).expect("a folder can be made");
    }

    /// What lies on it now.
    pub fn keep_drive(&self) -> KeptDrive {
        let (root, mut kept, mut waiting) = (self.drive(), BTreeMap::new(), vec![self.drive()]);
        while let Some(folder) = waiting.pop() {
            for entry in fs::read_dir(folder).expect("a folder can be read") {
                let path = entry.expect("a folder can be read").path();
                let name = path.strip_prefix(&root).expect("it lies below").to_owned();
                let bytes = (!path.is_dir()).then(|| fs::read(&path).expect("a file can be read"));
                if bytes.is_none() {
                    waiting.push(path);
                }
                kept.insert(name, bytes);
            }
        }
        KeptDrive(kept)
    }

    /// Lets nothing lie on it but what was kept.
    pub fn lay_drive(&self, KeptDrive(kept): &KeptDrive) {
        self.clear_drive();
        // A folder comes before what lies in it.
        for (name, bytes) in kept {
            let path = self.drive().join(name);
            match bytes {
                Some(bytes) => fs::write(path, bytes).expect("a file can be written"),
                None => fs::create_dir(path).expect("a folder can be made"),
            }
        }
    }

    /// What the stand-ins play from now on.
    #[track_caller]
    pub fn play(&self, steps: &[&str]) -> StandIns {
        let values =
            [("target", "E:"), ("root", "E:"), ("machine", &self.name[..]), ("windows", r"C:\windows")];
        let seen = PathBuf::from(windows_path(&transcripts().canonicalize().expect("it lies in the tree")));
        StandIns::of_scene(&self.programs(), seen, &values, steps)
    }

    /// How many steps were played.
    pub fn played(&self) -> usize {
        let text = fs::read_to_string(self.programs().join("position")).unwrap_or_default();
        text.parse().unwrap_or_default()
    }

    /// Lets the machine be of an edition: `ServerNT`, `LanmanNT` or `WinNT`.
    #[track_caller]
    pub fn be(&self, edition: &str) {
        self.set(PRODUCT, "ProductType", edition);
    }

    /// Makes the service of Windows Server Backup, which doesn't run.
    #[track_caller]
    pub fn add_engine(&self) {
        // It may be there already.
        self.run("sc.exe", &["create", "wbengine", "binPath=", r"C:\windows\system32\wbengine.exe"]);
    }

    /// Takes it away.
    #[track_caller]
    pub fn remove_engine(&self) {
        self.run("sc.exe", &["delete", "wbengine"]).done();
    }

    /// Sets a text in the registry.
    #[track_caller]
    pub fn set(&self, key: &str, name: &str, text: &str) {
        self.run("reg.exe", &["add", key, "/v", name, "/d", text, "/f"]).done();
    }

    /// Sets a number in the registry.
    #[track_caller]
    pub fn set_number(&self, key: &str, name: &str, number: &str) {
        self.run("reg.exe", &["add", key, "/v", name, "/t", "REG_DWORD", "/d", number, "/f"]).done();
    }

    /// Makes a key in the registry.
    #[track_caller]
    pub fn add_key(&self, key: &str) {
        self.run("reg.exe", &["add", key, "/f"]).done();
    }

    /// Removes a key from the registry.
    #[track_caller]
    pub fn remove_key(&self, key: &str) {
        self.run("reg.exe", &["delete", key, "/f"]).done();
    }

    /// Ends all programs of a name, as the task manager does.
    pub fn end(&self, program: &str) {
        self.run("taskkill.exe", &["/f", "/im", program]);
    }

    /// Runs a program that Wine brings along.
    #[track_caller]
    pub fn run(&self, program: &str, arguments: &[&str]) -> Outcome {
        let mut command = wine(Path::new(program));
        command.args(arguments).current_dir(&self.prefix);
        run(command)
    }
}
