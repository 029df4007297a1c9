//! The system's log: a datagram to `/dev/log`, where syslog or the journal listens (RFC 3164, as the C library writes it).

use crate::notifications::Occasion;
use crate::platform::LogAnswer;
use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::Path;

/// The facility of services.
const DAEMON: u8 = 3 << 3;

fn severity(occasion: Occasion) -> u8 {
    match occasion {
        Occasion::Failed => 3,
        Occasion::Warnings => 4,
        Occasion::Completed => 6,
    }
}

/// Writes one line. It never waits: a log that takes nothing now hears nothing.
pub fn write(occasion: Occasion, text: &str) -> io::Result<LogAnswer> {
    write_to(Path::new("/dev/log"), occasion, text).map(|()| LogAnswer::Told)
}

fn write_to(path: &Path, occasion: Occasion, text: &str) -> io::Result<()> {
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let priority = DAEMON | severity(occasion);
    socket.send_to(format!("<{priority}>stateward[{}]: {line}", std::process::id()).as_bytes(), path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_bears_how_grave_it_is_and_a_log_that_is_not_there_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        assert!(write_to(&path, Occasion::Failed, "text").is_err());
        let log = UnixDatagram::bind(&path).unwrap();
        let mut told = Vec::new();
        for occasion in Occasion::ALL {
            write_to(&path, occasion, "two\nlines").unwrap();
            let mut buffer = [0; 200];
            let length = log.recv(&mut buffer).unwrap();
            told.push(String::from_utf8(buffer[..length].to_vec()).unwrap());
        }
        let pid = std::process::id();
        let expected = [27, 28, 30].map(|priority| format!("<{priority}>stateward[{pid}]: two lines"));
        assert_eq!(told, expected);
    }
}
