//! `stateward login`

use crate::context::Context;
use crate::proxy_flags::ProxyFlags;
use clap::{ArgGroup, Args};
use stateward_agent::admin::{self, LoginRequest};
use stateward_agent::secrets;
use stateward_agent::{AgentError, Exit};
use std::path::PathBuf;
use zeroize::Zeroizing;

/// The command's flags.
#[derive(Args)]
#[command(group = ArgGroup::new("secret").required(true).args(["client_secret", "client_secret_file"]))]
pub struct Arguments {
    /// Where the vault listens, such as `https://vault.example:7443`
    #[arg(long, value_name = "URL")]
    url: String,
    /// The file with the certificate authority that `stateward-vault init` made
    #[arg(long, value_name = "FILE")]
    ca_file: PathBuf,
    /// The administrator's client id
    #[arg(long, value_name = "ID")]
    client_id: String,
    /// The administrator's client secret; other users of this machine may see it while the command runs
    #[arg(long, value_name = "SECRET", allow_hyphen_values = true)]
    client_secret: Option<String>,
    /// Take the client secret from this file
    #[arg(long, value_name = "FILE")]
    client_secret_file: Option<PathBuf>,
    #[command(flatten)]
    proxy: ProxyFlags,
}

impl std::fmt::Debug for Arguments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Arguments").field("url", &self.url).finish_non_exhaustive()
    }
}

/// Signs in, proves that it works, and keeps it in the home.
pub fn run(context: &Context, arguments: Arguments) -> Result<Exit, AgentError> {
    let client_secret = match (&arguments.client_secret, &arguments.client_secret_file) {
        (_, Some(path)) => secrets::read_secret(path)?,
        (Some(secret), None) => Zeroizing::new(secret.clone()),
        (None, None) => Zeroizing::default(),
    };
    let agent = context.agent().through(arguments.proxy.get("stateward login")?);
    let Arguments { url, ca_file, client_id, .. } = arguments;
    let health = admin::login(&agent, LoginRequest { url: url.clone(), ca_file, client_id, client_secret })?;
    let output = context.output();
    output.object(&serde_json::json!({
        "type": "result", "url": url, "tenant": health.tenant, "vault_version": health.version,
    }));
    output.line(format_args!("Signed in at {url} (stateward-vault {})", health.version));
    output.hint("Next: `stateward vault create NAME`, or `stateward vault list`");
    Ok(Exit::Done)
}
