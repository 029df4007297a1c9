//! A socket of the file system at which one process answers others of the same user, or root.

use rustix::net::sockopt::{Timeout, set_socket_timeout, socket_peercred};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::Duration;

/// Questions and answers are shorter.
const LINE_BYTES_MAX: u64 = 64 << 10;

/// How long the other side may take for its line.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long [`Listener::answer_next`] waits for somebody.
const WAIT: Duration = Duration::from_millis(500);

/// The side that answers.
#[derive(Debug)]
pub struct Listener {
    socket: UnixListener,
}

impl Listener {
    /// Listens at `path`; a socket that an ended process left there is replaced. The folder must be the owner's only.
    pub fn bind(path: &Path) -> io::Result<Self> {
        match std::fs::remove_file(path) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(cause),
            _ => (),
        }
        let socket = UnixListener::bind(path)?;
        // accept(2) keeps to the time-out for receiving (socket(7), SO_RCVTIMEO).
        set_socket_timeout(&socket, Timeout::Recv, Some(WAIT))?;
        Ok(Self { socket })
    }

    /// Waits half a second at most for one who asks, and answers him if he may ask and the question has an answer.
    pub fn answer_next(&self, answer: impl FnOnce(&str) -> Option<String>) -> io::Result<()> {
        let mut stream = match self.socket.accept() {
            Ok((stream, _)) => stream,
            Err(cause) if cause.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(cause) => return Err(cause),
        };
        let asks = socket_peercred(&stream)?.uid;
        if !asks.is_root() && asks != rustix::process::geteuid() {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, "another user asks"));
        }
        let question = line(&stream)?;
        match answer(question.trim_end()) {
            Some(answer) => writeln!(stream, "{answer}"),
            None => Ok(()),
        }
    }
}

/// Asks who listens at `path`.
pub fn ask(path: &Path, question: &str) -> io::Result<String> {
    let mut stream = UnixStream::connect(path)?;
    stream.set_write_timeout(Some(PATIENCE))?;
    writeln!(stream, "{question}")?;
    line(&stream)
}

fn line(stream: &UnixStream) -> io::Result<String> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut line = String::new();
    BufReader::new(stream.take(LINE_BYTES_MAX)).read_line(&mut line)?;
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_answers_what_another_asks_and_goes_on_after_nonsense() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        assert!(ask(&path, "anybody").is_err());
        // What a process leaves that was killed.
        drop(UnixListener::bind(&path).unwrap());
        let listener = Listener::bind(&path).unwrap();
        std::thread::scope(|scope| {
            let asking = scope.spawn(|| {
                drop(UnixStream::connect(&path).unwrap());
                assert_eq!(ask(&path, "nonsense").unwrap(), "");
                ask(&path, "you there").unwrap()
            });
            let answer = |question: &str| (question == "you there").then(|| "yes".to_owned());
            for _ in 0..3 {
                listener.answer_next(answer).unwrap();
            }
            assert_eq!(asking.join().unwrap(), "yes\n");
        });
        assert!(listener.answer_next(|_| None).is_ok(), "nobody comes within its time");
    }
}
