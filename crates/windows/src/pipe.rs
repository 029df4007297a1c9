//! A named pipe at which one process answers others of the same user, the administrators or the system.
//!
//! Two things keep others out: the pipe's access list, and a look at who asks, which is believed of the operating system and
//! not of who asks. Nobody of another machine is let in, and no second process can answer at the same name.

use crate::access;
use crate::descriptor::Sid;
use crate::handle::{is, last_error};
use crate::metadata::valid_descriptor;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::ptr;
use std::time::{Duration, Instant};
use windows_sys::Win32::Foundation::{
    ERROR_NO_DATA, ERROR_PIPE_CONNECTED, ERROR_PIPE_LISTENING, HANDLE, INVALID_HANDLE_VALUE,
};
use windows_sys::Win32::Security as security;
use windows_sys::Win32::Storage::FileSystem::{
    FILE_FLAG_FIRST_PIPE_INSTANCE, PIPE_ACCESS_DUPLEX, SECURITY_IDENTIFICATION,
};
use windows_sys::Win32::System::Pipes as pipes;
use windows_sys::Win32::System::Threading::{GetCurrentThread, OpenThreadToken};

/// Questions and answers are shorter.
const LINE_BYTES_MAX: usize = 64 << 10;

/// How long the other side may take for its line.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long [`Listener::answer_next`] waits for somebody.
const WAIT: Duration = Duration::from_millis(500);

/// How often it is looked whether there is somebody, or something.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// The side that answers.
#[derive(Debug)]
pub struct Listener {
    pipe: File,
}

fn wide(name: &str) -> Vec<u16> {
    name.encode_utf16().chain([0]).collect()
}

impl Listener {
    /// Makes the pipe of that name (`\\.\pipe\…`), which must not be there.
    pub fn bind(name: &str) -> io::Result<Self> {
        let name = wide(name);
        let list = access::from_words(&access::private_words(false)?)?;
        let words = valid_descriptor(&list)?;
        let attributes = security::SECURITY_ATTRIBUTES {
            nLength: size_of::<security::SECURITY_ATTRIBUTES>() as u32,
            lpSecurityDescriptor: words.as_ptr().cast_mut().cast(),
            bInheritHandle: 0,
        };
        let room = LINE_BYTES_MAX as u32;
        // It is not waited in a call, so that whoever ends this process needs no call to end.
        let manner = pipes::PIPE_TYPE_BYTE | pipes::PIPE_NOWAIT | pipes::PIPE_REJECT_REMOTE_CLIENTS;
        // SAFETY: name and attributes, with a descriptor that was checked, live until the call returns.
        let handle = unsafe {
            pipes::CreateNamedPipeW(
                name.as_ptr(),
                PIPE_ACCESS_DUPLEX | FILE_FLAG_FIRST_PIPE_INSTANCE,
                manner,
                1,
                room,
                room,
                0,
                &raw const attributes,
            )
        };
        if handle == INVALID_HANDLE_VALUE {
            return Err(last_error());
        }
        // SAFETY: the call succeeded, so this handle is open, and nobody else has it.
        Ok(Self { pipe: File::from(unsafe { OwnedHandle::from_raw_handle(handle) }) })
    }

    /// Waits half a second at most for one who asks, and answers him if he may ask and the question has an answer.
    pub fn answer_next(&self, answer: impl FnOnce(&str) -> Option<String>) -> io::Result<()> {
        if !self.is_somebody_there()? {
            return Ok(());
        }
        let answered = self.answer_this(answer);
        // What was answered is read before he is let go.
        if matches!(answered, Ok(true)) {
            self.wait_until_read();
        }
        // SAFETY: the handle is open.
        unsafe { pipes::DisconnectNamedPipe(self.pipe.as_raw_handle()) };
        answered.map(drop)
    }

    fn is_somebody_there(&self) -> io::Result<bool> {
        let begin = Instant::now();
        while begin.elapsed() < WAIT {
            // SAFETY: the handle is open.
            if unsafe { pipes::ConnectNamedPipe(self.pipe.as_raw_handle(), ptr::null_mut()) } == 0 {
                let error = last_error();
                if is(&error, ERROR_PIPE_CONNECTED) {
                    return Ok(true);
                }
                if is(&error, ERROR_NO_DATA) {
                    // He came and went.
                    // SAFETY: the handle is open.
                    unsafe { pipes::DisconnectNamedPipe(self.pipe.as_raw_handle()) };
                } else if !is(&error, ERROR_PIPE_LISTENING) {
                    return Err(error);
                }
            }
            std::thread::sleep(LOOK_EVERY);
        }
        Ok(false)
    }

    /// Tells whether anything was said.
    fn answer_this(&self, answer: impl FnOnce(&str) -> Option<String>) -> io::Result<bool> {
        let question = line(&self.pipe)?;
        // Only who has sent something can be looked at.
        if !self.may_ask()? {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, "another user asks"));
        }
        match answer(question.trim_end()) {
            Some(answer) => writeln!(&self.pipe, "{answer}").map(|()| true),
            None => Ok(false),
        }
    }

    /// Until he has hung up, which he does once he has read it, or his time is over.
    fn wait_until_read(&self) {
        let begin = Instant::now();
        while begin.elapsed() < PATIENCE && waiting(&self.pipe).is_ok() {
            std::thread::sleep(LOOK_EVERY);
        }
    }

    /// Whether who asks is the user of this process, an administrator or the system.
    fn may_ask(&self) -> io::Result<bool> {
        // SAFETY: the handle is open. This thread is somebody else until it is itself again below, and does nothing but
        // look who that is.
        if unsafe { pipes::ImpersonateNamedPipeClient(self.pipe.as_raw_handle()) } == 0 {
            return Err(last_error());
        }
        let token = thread_token();
        // SAFETY: it takes nothing.
        let is_self_again = unsafe { security::RevertToSelf() } != 0;
        if !is_self_again {
            // Nothing may be done with the rights of somebody else.
            std::process::abort();
        }
        let token = token?;
        let user = access::user_of(&token)?;
        if user == Sid::system() || user == access::own_user()? {
            return Ok(true);
        }
        access::is_administrator(&token)
    }
}

fn thread_token() -> io::Result<OwnedHandle> {
    let mut token: HANDLE = ptr::null_mut();
    // SAFETY: the place for the answer lives until the call returns; this thread's own handle is always valid. The token is
    // asked for with this process's rights, which the other may not have.
    if unsafe { OpenThreadToken(GetCurrentThread(), security::TOKEN_QUERY, 1, &raw mut token) } == 0 {
        return Err(last_error());
    }
    // SAFETY: the call succeeded, so this handle is open, and nobody else has it.
    Ok(unsafe { OwnedHandle::from_raw_handle(token) })
}

/// Asks who listens at the pipe of that name. He can learn who asks, and nothing more with it.
pub fn ask(name: &str, question: &str) -> io::Result<String> {
    let mut options = File::options();
    options.read(true).write(true).security_qos_flags(SECURITY_IDENTIFICATION);
    let mut pipe = options.open(name)?;
    writeln!(pipe, "{question}")?;
    line(&pipe)
}

/// How many bytes can be read without waiting.
fn waiting(pipe: &File) -> io::Result<u32> {
    let mut bytes = 0;
    // SAFETY: the handle is open, and the place for the answer lives until the call returns.
    let done = unsafe {
        pipes::PeekNamedPipe(
            pipe.as_raw_handle(),
            ptr::null_mut(),
            0,
            ptr::null_mut(),
            &raw mut bytes,
            ptr::null_mut(),
        )
    };
    if done == 0 { Err(last_error()) } else { Ok(bytes) }
}

/// Reads up to a line's end, or until the other side hangs up or takes too long.
fn line(mut pipe: &File) -> io::Result<String> {
    let begin = Instant::now();
    let mut bytes = Vec::new();
    while begin.elapsed() < PATIENCE && bytes.len() < LINE_BYTES_MAX && !bytes.ends_with(b"\n") {
        match waiting(pipe) {
            Ok(0) => std::thread::sleep(LOOK_EVERY),
            Ok(more) => {
                let mut piece = vec![0; (more as usize).min(LINE_BYTES_MAX)];
                let read = pipe.read(&mut piece)?;
                bytes.extend(&piece[..read]);
            }
            // It hung up.
            Err(_) => break,
        }
    }
    String::from_utf8(bytes).map_err(|_| io::ErrorKind::InvalidData.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_answers_what_another_asks_and_goes_on_after_nonsense() {
        let name = format!(r"\\.\pipe\stateward-test-{}", std::process::id());
        assert!(ask(&name, "anybody").is_err());
        let listener = Listener::bind(&name).expect("a pipe can be made");
        std::thread::scope(|scope| {
            let asking = scope.spawn(|| {
                assert_eq!(ask(&name, "nonsense").expect("somebody listens"), "");
                loop {
                    // While one is answered there is no place for another.
                    match ask(&name, "you there") {
                        Ok(answer) if !answer.is_empty() => return answer,
                        _ => std::thread::sleep(LOOK_EVERY),
                    }
                }
            });
            let answer = |question: &str| (question == "you there").then(|| "yes".to_owned());
            while !asking.is_finished() {
                let _ = listener.answer_next(answer);
            }
            assert_eq!(asking.join().expect("it does not panic"), "yes\n");
        });
        assert!(listener.answer_next(|_| None).is_ok(), "nobody comes within its time");
    }
}
