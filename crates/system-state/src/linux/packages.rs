//! What dpkg's database says, read from its files: that takes milliseconds where its tools take seconds, and works for
//! another root as well.
//!
//! `/var/lib/dpkg/status` is a list of paragraphs (deb822, see `deb-control(5)`), `/var/lib/dpkg/info/*.list` are the
//! paths that each package owns, and `/var/lib/apt/extended_states` says which packages came only because others need
//! them.

use crate::linux::tree::Tree;
use std::collections::HashSet;
use std::io;

const STATUS: &str = "/var/lib/dpkg/status";
const INFO: &str = "/var/lib/dpkg/info";
const EXTENDED_STATES: &str = "/var/lib/apt/extended_states";

/// A package as the database knows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Package {
    /// Its name, with `:architecture` where dpkg itself shows it.
    pub name: String,
    /// What the administrator wants: `install`, `hold`, `deinstall`, `purge`.
    pub wanted: String,
    /// What it is: `installed`, `config-files`, …
    pub state: String,
    /// Its version; empty if it has none.
    pub version: String,
    /// Its architecture.
    pub architecture: String,
    /// Bytes that it says it takes.
    pub installed_bytes: u64,
    /// Its bare name.
    bare_name: String,
}

/// The packages, sorted by name, or `None` where there is no dpkg.
pub(crate) fn read_packages(tree: &Tree) -> io::Result<Option<Vec<Package>>> {
    let status = match tree.read(STATUS) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        status => status?,
    };
    let paragraphs = paragraphs(&status);
    let native = native_architecture(&paragraphs);
    let mut packages: Vec<Package> =
        paragraphs.iter().filter_map(|paragraph| package(paragraph, &native)).collect();
    packages.sort_unstable();
    Ok(Some(packages))
}

/// The paths that packages own, each with a `/` at its beginning, in no order and some more than once.
pub(crate) fn owned_paths(tree: &Tree, mut each: impl FnMut(&[u8])) -> io::Result<()> {
    let names = match tree.names(INFO) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        names => names?,
    };
    for name in names.iter().filter(|name| name.ends_with(b".list")) {
        let Ok(name) = std::str::from_utf8(name) else { continue };
        let list = tree.read(&format!("{INFO}/{name}"))?;
        list.split(|byte| *byte == b'\n')
            .filter(|path| path.len() > 1 && **path != *b"/.")
            .for_each(&mut each);
    }
    Ok(())
}

/// How many paths packages own, for a guess.
pub(crate) fn count_owned_paths(tree: &Tree) -> io::Result<u64> {
    let mut count = 0;
    owned_paths(tree, |_| count += 1)?;
    Ok(count)
}

/// The names of packages that apt would remove once nothing needs them (`name:architecture`).
pub(crate) fn automatic_packages(tree: &Tree) -> io::Result<HashSet<String>> {
    let states = match tree.read(EXTENDED_STATES) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(HashSet::new()),
        states => states?,
    };
    let automatic = paragraphs(&states).into_iter().filter(|fields| field(fields, "Auto-Installed") == "1");
    Ok(automatic
        .map(|fields| format!("{}:{}", field(&fields, "Package"), field(&fields, "Architecture")))
        .collect())
}

impl Package {
    /// Whether it is among `automatic`. What every architecture shares stands there under the machine's own.
    pub fn is_automatic(&self, automatic: &HashSet<String>) -> bool {
        let is_in = |architecture: &str| automatic.contains(&format!("{}:{architecture}", self.bare_name));
        match &*self.architecture {
            "all" => automatic.iter().any(|name| name.split(':').next() == Some(&self.bare_name)),
            architecture => is_in(architecture),
        }
    }
}

type Paragraph = Vec<(String, String)>;

fn field<'a>(paragraph: &'a Paragraph, name: &str) -> &'a str {
    paragraph.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
}

/// Paragraphs with the first lines of their fields; what goes on in further lines is not needed here.
fn paragraphs(text: &[u8]) -> Vec<Paragraph> {
    let text = String::from_utf8_lossy(text);
    let mut all = vec![Paragraph::new()];
    for line in text.lines() {
        match line.split_once(':') {
            _ if line.trim().is_empty() => all.push(Paragraph::new()),
            Some((name, value)) if !line.starts_with([' ', '\t']) => {
                all.last_mut().expect("it begins with one").push((name.to_owned(), value.trim().to_owned()));
            }
            _ => {}
        }
    }
    all.retain(|paragraph| !paragraph.is_empty());
    all
}

/// dpkg itself is always of the machine's own architecture.
fn native_architecture(paragraphs: &[Paragraph]) -> String {
    let dpkg = paragraphs.iter().find(|paragraph| field(paragraph, "Package") == "dpkg");
    dpkg.map_or(String::new(), |paragraph| field(paragraph, "Architecture").to_owned())
}

fn package(paragraph: &Paragraph, native: &str) -> Option<Package> {
    let mut status = field(paragraph, "Status").split_whitespace();
    let (wanted, _, state) = (status.next()?, status.next()?, status.next()?);
    let (bare_name, architecture) = (field(paragraph, "Package"), field(paragraph, "Architecture"));
    // As dpkg does: the architecture is part of the name where several may be there at once, or it is a foreign one.
    let is_foreign =
        !native.is_empty() && !architecture.is_empty() && architecture != native && architecture != "all";
    let name = match field(paragraph, "Multi-Arch") == "same" || is_foreign {
        true => format!("{bare_name}:{architecture}"),
        false => bare_name.to_owned(),
    };
    let kibibytes: u64 = field(paragraph, "Installed-Size").parse().unwrap_or(0);
    Some(Package {
        name,
        wanted: wanted.to_owned(),
        state: state.to_owned(),
        version: field(paragraph, "Version").to_owned(),
        architecture: architecture.to_owned(),
        installed_bytes: kibibytes.saturating_mul(1024),
        bare_name: bare_name.to_owned(),
    })
}

#[cfg(test)]
mod tests;
