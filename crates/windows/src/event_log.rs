//! The event log: a source of ours in the log of applications.

use crate::handle::last_error;
use crate::registry::{self, Key};
use std::io;
use std::ptr;
use std::thread;
use std::time::{Duration, Instant};
use windows_sys::Win32::Foundation::HANDLE;
use windows_sys::Win32::System::EventLog as log;

/// How grave an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// All is well.
    Information,
    /// Somebody should look.
    Warning,
    /// Something failed.
    Error,
}

/// What is known of an event that Windows took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// The log has more events than before.
    Shown,
    /// It has none more so far. A slow machine may show it later.
    NotShownYet,
}

/// Where Windows looks for the sources of that log.
const SOURCES: &str = r"SYSTEM\CurrentControlSet\Services\EventLog\Application";

/// A program of Windows' own whose messages 1 to 1000 are no more than the text that comes with the event. So what shows events
/// finds our text by itself, and nothing of ours must lie where Windows finds it.
const MESSAGES: &str = r"%SystemRoot%\System32\EventCreate.exe";

/// `EVENTLOG_ERROR_TYPE`, `…WARNING…` and `…INFORMATION…`.
const TYPES: u32 = 1 | 2 | 4;

/// A longer text is refused by Windows.
const TEXT_UNITS_MAX: usize = 31_000;

/// How long it is waited for that the log shows what it took. Who waits is a job that has ended, so it is short: that nothing was
/// seen by then says nothing of later.
const PATIENCE: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(50);

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().map(|unit| if unit == 0 { u16::from(b' ') } else { unit }).chain([0]).collect()
}

fn key_of(source: &str) -> String {
    format!(r"{SOURCES}\{source}")
}

/// Makes a source known, so that what shows events finds their text. One that is known is no error.
pub fn register(source: &str) -> io::Result<()> {
    let key = Key::make(&key_of(source))?;
    key.set_expanded_text("EventMessageFile", MESSAGES)?;
    key.set_number("TypesSupported", TYPES)
}

/// Forgets a source. One that is not known is no error.
pub fn unregister(source: &str) -> io::Result<()> {
    registry::remove(&key_of(source))
}

/// Whether a source is known.
pub fn is_registered(source: &str) -> io::Result<bool> {
    Ok(Key::open(&key_of(source))?.is_some())
}

/// A source that is open for writing.
struct Source(HANDLE);

impl Drop for Source {
    fn drop(&mut self) {
        // SAFETY: the handle is open, and nobody else closes it.
        unsafe { log::DeregisterEventSource(self.0) };
    }
}

/// The log that a source writes to, open for reading.
struct Opened(HANDLE);

impl Drop for Opened {
    fn drop(&mut self) {
        // SAFETY: the handle is open, and nobody else closes it.
        unsafe { log::CloseEventLog(self.0) };
    }
}

impl Opened {
    fn of(source: &[u16]) -> io::Result<Self> {
        // SAFETY: the name ends in zero; no other machine is named.
        let handle = unsafe { log::OpenEventLogW(ptr::null(), source.as_ptr()) };
        if handle.is_null() { Err(last_error()) } else { Ok(Self(handle)) }
    }

    /// The number that the next event will have.
    fn next(&self) -> io::Result<u64> {
        let (mut count, mut oldest) = (0, 0);
        // SAFETY: the handle is open, and the places for answers live until the calls return.
        let done = unsafe {
            log::GetNumberOfEventLogRecords(self.0, &raw mut count) != 0
                && log::GetOldestEventLogRecord(self.0, &raw mut oldest) != 0
        };
        if done { Ok(u64::from(count) + u64::from(oldest)) } else { Err(last_error()) }
    }
}

/// Writes an event with that number (1 to 1000) and text, and looks whether the log has it: an answer of success is not believed.
pub fn write(source: &str, severity: Severity, number: u32, text: &str) -> io::Result<Taken> {
    write_and_look(source, severity, number, text, PATIENCE)
}

fn write_and_look(
    source: &str,
    severity: Severity,
    number: u32,
    text: &str,
    patience: Duration,
) -> io::Result<Taken> {
    let source = wide(source);
    let opened = Opened::of(&source)?;
    let before = opened.next()?;
    report(&source, severity, number, text)?;
    let begun = Instant::now();
    // Others write, too: that a new event is there says no more than that the log takes some.
    while opened.next()? <= before {
        if begun.elapsed() >= patience {
            return Ok(Taken::NotShownYet);
        }
        thread::sleep(LOOK_EVERY);
    }
    Ok(Taken::Shown)
}

fn report(source: &[u16], severity: Severity, number: u32, text: &str) -> io::Result<()> {
    // SAFETY: the name ends in zero; no other machine is named.
    let handle = unsafe { log::RegisterEventSourceW(ptr::null(), source.as_ptr()) };
    if handle.is_null() {
        return Err(last_error());
    }
    let source = Source(handle);
    let kind = match severity {
        Severity::Information => log::EVENTLOG_INFORMATION_TYPE,
        Severity::Warning => log::EVENTLOG_WARNING_TYPE,
        Severity::Error => log::EVENTLOG_ERROR_TYPE,
    };
    let mut text = wide(text);
    if text.len() > TEXT_UNITS_MAX {
        text.truncate(TEXT_UNITS_MAX - 1);
        text.push(0);
    }
    let texts = [text.as_ptr()];
    // SAFETY: the source is open; one text is told, and one that ends in zero is there; neither user nor data are given.
    let done = unsafe {
        log::ReportEventW(source.0, kind, 0, number, ptr::null_mut(), 1, 0, texts.as_ptr(), ptr::null())
    };
    if done == 0 { Err(last_error()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::RegistryData;

    #[test]
    fn a_source_is_known_with_its_messages_until_it_is_forgotten() {
        let source = format!("Stateward-test-{}", std::process::id());
        assert!(!is_registered(&source).expect("it can be asked"));
        register(&source).expect("it can be made known");
        register(&source).expect("one that is known is no error");
        let key = Key::open(&key_of(&source)).expect("it can be opened").expect("it is there");
        let value = |name: &str| key.value(name).expect("it can be read");
        assert_eq!(value("EventMessageFile"), Some(RegistryData::Text(MESSAGES.to_owned())));
        assert_eq!(value("TypesSupported"), Some(RegistryData::Number(7)));
        unregister(&source).expect("it can be forgotten");
        unregister(&source).expect("one that is not known is no error");
        assert!(!is_registered(&source).expect("it can be asked"));
    }

    #[test]
    fn an_event_is_in_the_log_or_that_it_is_not_seen_is_told() {
        // Wine takes every event, and keeps none, however long one waits.
        let is_wine = Key::open(r"SOFTWARE\Wine").expect("it can be asked").is_some();
        let (patience, expected) = match is_wine {
            true => (Duration::ZERO, Taken::NotShownYet),
            false => (Duration::from_secs(60), Taken::Shown),
        };
        let written = write_and_look("Stateward-test", Severity::Information, 1, "A test", patience);
        assert_eq!(written.expect("Windows takes it"), expected);
    }
}
