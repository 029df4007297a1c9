//! A terminal that nobody sits at: a program runs in it as at one of 80 columns and 24 lines, keys are pressed by the test, and
//! what a person would see is looked at.

use crate::process::{DEADLINE, wait_until};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// What most programs may count on.
const COLUMNS: u16 = 80;
const ROWS: u16 = 24;

/// Keys that are no characters.
pub mod keys {
    /// Takes what is there.
    pub const ENTER: &str = "\r";
    /// One line down.
    pub const DOWN: &str = "\x1b[B";
    /// Takes a character back.
    pub const BACKSPACE: &str = "\x7f";
    /// Leaves.
    pub const ESCAPE: &str = "\x1b";
    /// Interrupts.
    pub const CTRL_C: &str = "\x03";
}

/// A program in a terminal.
pub struct Terminal {
    keyboard: File,
    seen: Arc<Mutex<vt100::Parser>>,
    child: Child,
    /// Reads what the program says, until it and whatever it started have ended.
    watcher: Option<JoinHandle<()>>,
}

impl Terminal {
    /// Starts a command in a new terminal, which is its controlling one.
    #[track_caller]
    pub fn start(command: &Command) -> Self {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal can be made");
        grantpt(&ours).and_then(|()| unlockpt(&ours)).expect("it can be opened");
        let size = Winsize { ws_row: ROWS, ws_col: COLUMNS, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&ours, size).expect("its size can be set");
        let name = ptsname(&ours, Vec::new()).expect("it has a name").into_string().expect("names are ASCII");
        let theirs = || -> File {
            File::options().read(true).write(true).open(&name).expect("the other side can be opened")
        };
        // Makes it the controlling terminal, as a login does (setsid(1)).
        let mut inside = Command::new("setsid");
        inside.arg("--ctty").arg("--wait").arg(command.get_program()).args(command.get_args());
        inside.envs(command.get_envs().filter_map(|(key, value)| Some((key, value?))));
        inside.env_remove("RUST_LOG").env("TERM", "xterm").env("NO_COLOR", "1");
        inside.stdin(theirs()).stdout(theirs()).stderr(theirs());
        let child = inside.spawn().expect("setsid is there (util-linux)");
        let seen = Arc::new(Mutex::new(vt100::Parser::new(ROWS, COLUMNS, 0)));
        let keyboard = File::from(ours.try_clone().expect("a handle can be copied"));
        let screen = Arc::clone(&seen);
        let watcher = Some(std::thread::spawn(move || watch(ours, &screen)));
        Self { keyboard, seen, child, watcher }
    }

    /// What stands on the screen, without the spaces at the ends of lines.
    pub fn screen(&self) -> String {
        let text = self.seen.lock().expect("nobody panics with it").screen().contents();
        text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
    }

    /// Waits until `text` stands on the screen.
    #[track_caller]
    pub fn wait_for(&self, text: &str) {
        let begin = std::time::Instant::now();
        while !self.screen().contains(text) {
            assert!(begin.elapsed() < DEADLINE, "`{text}` never stood on the screen:\n{}", self.screen());
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }

    /// Presses keys.
    #[track_caller]
    pub fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).expect("the terminal is there");
    }

    /// Waits for a question, and answers it.
    #[track_caller]
    pub fn answer(&mut self, question: &str, keys: &str) {
        self.wait_for(question);
        self.press(keys);
        self.press(keys::ENTER);
    }

    /// Waits for the program's end; its exit code, and what stands on the screen.
    #[track_caller]
    pub fn end(mut self) -> (Option<i32>, String) {
        let status = wait_until("the program in the terminal ends", DEADLINE, || {
            self.child.try_wait().expect("a child can be waited for")
        });
        let watcher = self.watcher.take().expect("a terminal ends once");
        wait_until("all that it said is read", DEADLINE, || watcher.is_finished().then_some(()));
        (status.code(), self.screen())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Fails only when it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads until the other side is closed, which a terminal tells by an error.
fn watch(ours: OwnedFd, seen: &Mutex<vt100::Parser>) {
    let mut ours = File::from(ours);
    let mut bytes = [0; 4096];
    while let Ok(length @ 1..) = ours.read(&mut bytes) {
        seen.lock().expect("nobody panics with it").process(&bytes[..length]);
    }
}
