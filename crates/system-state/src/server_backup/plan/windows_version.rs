//! Which Windows: the three numbers that order them.

use std::fmt;

/// Such as 10.0.20348 for Server 2022.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WindowsVersion {
    /// First number.
    pub major: u32,
    /// Second.
    pub minor: u32,
    /// Third.
    pub build: u32,
}

/// Servers by their build: the newest that isn't newer names it.
const SERVERS: [(u32, &str); 8] = [
    (7600, "Server 2008 R2"),
    (9200, "Server 2012"),
    (9600, "Server 2012 R2"),
    (14_393, "Server 2016"),
    (17_763, "Server 2019"),
    (20_348, "Server 2022"),
    (25_398, "Server, version 23H2"),
    (26_100, "Server 2025"),
];

impl WindowsVersion {
    /// The first three numbers with dots between them.
    pub fn in_text(text: &str) -> Option<Self> {
        text.split(|c: char| !c.is_ascii_digit() && c != '.').find_map(|word| {
            let mut numbers = word.split('.').map(str::parse::<u32>);
            match (numbers.next(), numbers.next(), numbers.next()) {
                (Some(Ok(major)), Some(Ok(minor)), Some(Ok(build))) => Some(Self { major, minor, build }),
                _ => None,
            }
        })
    }
}

impl fmt::Display for WindowsVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { major, minor, build } = self;
        match SERVERS.iter().rev().find(|(first, _)| build >= first) {
            Some((_, name)) => write!(f, "{name} ({major}.{minor}.{build})"),
            None => write!(f, "{major}.{minor}.{build}"),
        }
    }
}
