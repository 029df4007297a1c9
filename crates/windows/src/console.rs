//! What a person tells a running program by its console.

use std::io;
use std::sync::OnceLock;
use std::sync::mpsc::{self, Sender};
use windows_sys::Win32::System::Console::{
    CTRL_BREAK_EVENT, CTRL_C_EVENT, CTRL_CLOSE_EVENT, SetConsoleCtrlHandler,
};
use windows_sys::core::BOOL;

/// What was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// Ctrl-C or Ctrl-Break.
    Stop,
    /// The console's window is closed, its user signs out, or the machine stops.
    Closed,
}

/// Where what is told goes.
static LISTENER: OnceLock<Sender<Told>> = OnceLock::new();

/// Called by the operating system, in a thread that it makes for that.
unsafe extern "system" fn told(event: u32) -> BOOL {
    let told = match event {
        CTRL_C_EVENT | CTRL_BREAK_EVENT => Told::Stop,
        CTRL_CLOSE_EVENT => Told::Closed,
        _ => Told::Closed,
    };
    // 1: nobody else need do anything about it.
    BOOL::from(LISTENER.get().is_some_and(|listener| listener.send(told).is_ok()))
}

/// Gives what is told from now on to who receives it. Once in a process.
pub fn listen() -> io::Result<mpsc::Receiver<Told>> {
    let (sender, receiver) = mpsc::channel();
    if LISTENER.set(sender).is_err() {
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, "the console is listened to already"));
    }
    // SAFETY: the function is there as long as the process.
    if unsafe { SetConsoleCtrlHandler(Some(told), 1) } == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(receiver)
}
