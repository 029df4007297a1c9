//! The flags that name a proxy. Its password never stands among them: other users of the machine may see a command's arguments.

use crate::prompt::Prompt;
use clap::Args;
use stateward_agent::{AgentError, Proxy, secrets};
use std::path::PathBuf;

/// A proxy.
#[derive(Args)]
pub struct ProxyFlags {
    /// Reach the vault through this HTTP proxy from now on, such as `http://user@proxy.example:3128`
    #[arg(long, value_name = "URL")]
    proxy: Option<String>,
    /// Take the password of the proxy's user from this file instead of asking for it
    #[arg(long, value_name = "FILE", requires = "proxy")]
    proxy_password_file: Option<PathBuf>,
}

/// Without the address: somebody may have put a password into it all the same.
impl std::fmt::Debug for ProxyFlags {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProxyFlags").finish_non_exhaustive()
    }
}

impl ProxyFlags {
    /// The proxy that was named, with its user's password: from the file, or typed once. `command` is what asks.
    pub fn get(&self, command: &'static str) -> Result<Option<Proxy>, AgentError> {
        let Some(address) = &self.proxy else { return Ok(None) };
        let proxy = Proxy::parse(address).map_err(AgentError::ProxyAddress)?;
        let password = match (&self.proxy_password_file, proxy.user()) {
            (Some(path), _) => Some(secrets::read_secret(path)?),
            (None, Some(user)) => {
                Some(Prompt::person(command)?.secret(&format!("Password of `{user}` at the proxy:"))?)
            }
            (None, None) => None,
        };
        Ok(Some(proxy.with_password(password)))
    }
}
