//! The proxy that this home reaches its vault through, if any: `keys/proxy.json`, for its owner only, because of the password.
//!
//! It is what was set, and nothing else: a service has another environment than the person who tries it out, so variables
//! such as `HTTPS_PROXY` are not looked at.

use crate::document::Document;
use crate::{AgentError, Home};
use serde::{Deserialize, Serialize};
use stateward_client::Proxy;
use zeroize::Zeroizing;

const FILE: &str = "keys/proxy.json";

/// What is kept. No `Debug`: it holds the password.
#[derive(Serialize, Deserialize)]
struct Kept {
    /// With the user, without the password.
    address: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    password: Option<String>,
}

impl Document for Kept {
    const VERSION: u32 = 1;
}

/// The home's proxy.
pub fn find(home: &Home) -> Result<Option<Proxy>, AgentError> {
    let Some(kept) = home.read::<Kept>(FILE)? else { return Ok(None) };
    let proxy = Proxy::parse(&kept.address).map_err(AgentError::ProxyAddress)?;
    Ok(Some(proxy.with_password(kept.password.map(Zeroizing::new))))
}

/// Sets the home's proxy, or that it has none, for one who has the settings' lock. Jobs that run already keep what they began with.
pub(crate) fn put(home: &Home, proxy: Option<&Proxy>) -> Result<(), AgentError> {
    match proxy {
        Some(proxy) => keep(home, proxy),
        None => home.remove(FILE),
    }
}

/// The same for a proxy that there is.
pub(crate) fn keep(home: &Home, proxy: &Proxy) -> Result<(), AgentError> {
    home.write(FILE, &Kept { address: proxy.to_string(), password: proxy.password().map(str::to_owned) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_proxy_is_kept_with_its_password_for_the_owner_only_and_taken_away_again() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(Some(folder.path())).unwrap();
        assert!(find(&home).unwrap().is_none());
        let proxy = Proxy::parse("http://jane@proxy.example:3128").unwrap();
        let proxy = proxy.with_password(Some("geheim-7".to_owned().into()));
        home.prepare().unwrap();
        put(&home, Some(&proxy)).unwrap();
        assert_eq!(find(&home).unwrap(), Some(proxy));
        let mode = std::fs::metadata(folder.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        put(&home, None).unwrap();
        assert!(find(&home).unwrap().is_none() && !folder.path().join(FILE).exists());
    }
}
