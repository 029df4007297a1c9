//! What the registry is asked for a recording: what the prechecks ask it, which Windows this is, and the names that must not be
//! in a recording.

use super::names::NameKind;
use super::recording::{RegistryAnswer, RegistryFact};
use super::redaction::Redaction;
use crate::server_backup::machine::{Registry, RegistryValue};
use crate::server_backup::prechecks::restart::pending_restart;
use std::io;
use std::sync::{Mutex, PoisonError};

const VERSION: &str = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion";
const PRODUCT: &str = r"HKLM\SYSTEM\CurrentControlSet\Control\ProductOptions";
const LANGUAGE: &str = r"HKLM\SYSTEM\CurrentControlSet\Control\Nls\Language";
const CODE_PAGE: &str = r"HKLM\SYSTEM\CurrentControlSet\Control\Nls\CodePage";
const NETWORK: &str = r"HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters";
const SIGN_IN: &str = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon";
const PROFILES: &str = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList";

/// Facts of the product, of its languages, and of Windows Server Backup.
const FACTS: &[(&str, &[&str])] = &[
    (
        VERSION,
        &[
            "ProductName",
            "EditionID",
            "InstallationType",
            "CurrentVersion",
            "CurrentMajorVersionNumber",
            "CurrentMinorVersionNumber",
            "CurrentBuildNumber",
            "UBR",
            "DisplayVersion",
            "ReleaseId",
        ],
    ),
    (PRODUCT, &["ProductType", "ProductSuite"]),
    (LANGUAGE, &["InstallLanguage", "Default"]),
    (CODE_PAGE, &["OEMCP", "ACP"]),
    (r"HKLM\SYSTEM\Setup", &["SystemPartition"]),
    (r"HKLM\SYSTEM\CurrentControlSet\Services\wbengine", &["Start"]),
    (r"HKLM\SYSTEM\CurrentControlSet\Services\wbengine\SystemStateBackup", &["AllowSSBToAnyVolume"]),
    (r"HKLM\SYSTEM\CurrentControlSet\Services\VSS", &["Start"]),
    (r"HKLM\SYSTEM\CurrentControlSet\Services\swprv", &["Start"]),
];

/// Where the names of this machine, of people and of domains stand.
const NAMES: &[(NameKind, &str, &[&str])] = &[
    (
        NameKind::Machine,
        r"HKLM\SYSTEM\CurrentControlSet\Control\ComputerName\ActiveComputerName",
        &["ComputerName"],
    ),
    (
        NameKind::Machine,
        r"HKLM\SYSTEM\CurrentControlSet\Control\ComputerName\ComputerName",
        &["ComputerName"],
    ),
    (NameKind::Machine, NETWORK, &["Hostname", "NV Hostname"]),
    (NameKind::Domain, NETWORK, &["Domain", "NV Domain", "DhcpDomain", "SearchList"]),
    (NameKind::Domain, SIGN_IN, &["DefaultDomainName", "CachePrimaryDomain", "AltDefaultDomainName"]),
    (NameKind::User, SIGN_IN, &["DefaultUserName", "AltDefaultUserName", "LastUsedUsername"]),
    (NameKind::User, VERSION, &["RegisteredOwner", "RegisteredOrganization"]),
];

/// Passes questions on, and keeps them with their answers.
struct Listening<'a> {
    registry: &'a dyn Registry,
    facts: Mutex<Vec<RegistryFact>>,
}

impl Listening<'_> {
    fn keep(&self, key: &str, name: Option<&str>, answer: RegistryAnswer) {
        let fact = RegistryFact { key: key.to_owned(), name: name.map(str::to_owned), answer };
        let mut facts = self.facts.lock().unwrap_or_else(PoisonError::into_inner);
        if !facts.contains(&fact) {
            facts.push(fact);
        }
    }
}

fn unreadable(cause: &io::Error) -> RegistryAnswer {
    RegistryAnswer::Unreadable { cause: cause.to_string() }
}

impl Registry for Listening<'_> {
    fn subkeys(&self, key: &str) -> io::Result<Option<Vec<String>>> {
        let answer = self.registry.subkeys(key);
        let kept = match &answer {
            Ok(None) => RegistryAnswer::Absent,
            Ok(Some(names)) => RegistryAnswer::Subkeys { names: names.clone() },
            Err(cause) => unreadable(cause),
        };
        self.keep(key, None, kept);
        answer
    }

    fn value(&self, key: &str, name: &str) -> io::Result<Option<RegistryValue>> {
        let answer = self.registry.value(key, name);
        let kept = match &answer {
            Ok(value) => value.clone().into(),
            Err(cause) => unreadable(cause),
        };
        self.keep(key, Some(name), kept);
        answer
    }
}

/// All that is asked, as it was answered.
pub(super) fn facts(registry: &dyn Registry) -> Vec<RegistryFact> {
    let listening = Listening { registry, facts: Mutex::default() };
    for (key, names) in FACTS {
        for name in *names {
            // What was answered is kept, whatever it was.
            let _ = listening.value(key, name);
        }
    }
    let _ = pending_restart(&listening);
    listening.facts.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn text(registry: &dyn Registry, key: &str, name: &str) -> Option<String> {
    match registry.value(key, name) {
        Ok(Some(RegistryValue::Text(text))) if !text.trim().is_empty() => Some(text),
        _ => None,
    }
}

/// The names in a value: a list of domains is divided by commas.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty())
}

/// Learns all names that the registry knows. What can't be read can't be learned.
pub(super) fn learn_names(registry: &dyn Registry, redaction: &mut Redaction) {
    for (kind, key, values) in NAMES {
        for value in *values {
            for part in text(registry, key, value).iter().flat_map(|text| parts(text)) {
                // `DOMAIN\name`, as the last person to sign in is kept.
                let (domain, name) = part.split_once('\\').unwrap_or(("", part));
                redaction.learn(NameKind::Domain, domain);
                redaction.learn(*kind, name);
                let first =
                    name.split('.').next().filter(|_| *kind == NameKind::Domain && name.contains('.'));
                redaction.learn(NameKind::Domain, first.unwrap_or_default());
            }
        }
    }
    for id in registry.subkeys(PROFILES).ok().flatten().unwrap_or_default() {
        let folder = text(registry, &format!("{PROFILES}\\{id}"), "ProfileImagePath").unwrap_or_default();
        if let Some((_, name)) = folder.rsplit_once('\\') {
            let is_services = folder.to_lowercase().contains(r"\windows\");
            redaction.learn(NameKind::User, if is_services { "" } else { name });
            // `jane.ACME` and `jane.FS01.001`: a profile that came second.
            let own = name.split('.').next().filter(|_| !is_services);
            redaction.learn(NameKind::User, own.unwrap_or_default());
        }
    }
}

/// Which Windows this is, in one line: the product, its version, its language and its code page.
pub(super) fn system(registry: &dyn Registry) -> String {
    let value = |key: &str, name: &str| match registry.value(key, name) {
        Ok(Some(RegistryValue::Text(text))) => text,
        Ok(Some(RegistryValue::Number(number))) => number.to_string(),
        _ => "?".to_owned(),
    };
    let of_product = |name: &str| value(VERSION, name);
    let version = match of_product("CurrentMajorVersionNumber") {
        // Before Windows 10 there was one value for both.
        unknown if unknown == "?" => of_product("CurrentVersion"),
        major => format!("{major}.{}", of_product("CurrentMinorVersionNumber")),
    };
    format!(
        "{} ({}) {version}.{}.{}, language {}, code page {}",
        of_product("ProductName"),
        of_product("InstallationType"),
        of_product("CurrentBuildNumber"),
        of_product("UBR"),
        value(LANGUAGE, "InstallLanguage"),
        value(CODE_PAGE, "OEMCP"),
    )
}

/// A fact without what must not leave the server.
pub(super) fn redacted(fact: RegistryFact, redaction: &mut Redaction) -> RegistryFact {
    let mut without = |text: String| redaction.text(&text, false);
    let answer = match fact.answer {
        RegistryAnswer::Subkeys { names } => {
            RegistryAnswer::Subkeys { names: names.into_iter().map(&mut without).collect() }
        }
        RegistryAnswer::Text { text } => RegistryAnswer::Text { text: without(text) },
        RegistryAnswer::Texts { texts } => {
            RegistryAnswer::Texts { texts: texts.into_iter().map(&mut without).collect() }
        }
        RegistryAnswer::Unreadable { cause } => RegistryAnswer::Unreadable { cause: without(cause) },
        other @ (RegistryAnswer::Absent | RegistryAnswer::Number { .. } | RegistryAnswer::Other { .. }) => {
            other
        }
    };
    RegistryFact { answer, ..fact }
}
