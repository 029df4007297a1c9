//! The rows of what keeps a server from reaching the vault that it means.

macro_rules! reaching {
    ([$($others:ident)*] $($rows:tt)*) => {
        gather! { [$($others)*] $($rows)*
            VaultUnreachable = "vault-unreachable", VaultNotFound,
                "The vault did not answer, though it was tried several times",
                "See that the vault runs and that this machine reaches its address and port (name, network, firewall)";
            VaultUnavailable = "vault-unavailable", VaultNotFound,
                "The vault answers and can't do it now, though it was tried several times: its database is away or does not answer in time, or it is starting or stopping",
                "Run the command again later: it goes on with what the vault already holds. The message says what the vault waits for, its log why; if it is the database, see that PostgreSQL runs and is reached from the vault's machine";
            VaultNotTrusted = "vault-not-trusted", VaultNotFound,
                "The vault's certificate is not from the certificate authority that is expected, or names another host",
                "Check the address; if the vault was made anew, sign in or register again with its present CA file or vault credentials";
            ProxyUnreachable = "proxy-unreachable", VaultNotFound,
                "The proxy that is set does not answer, so the vault can't be reached through it",
                "See that the proxy runs and that this machine reaches its address and port; set another one with `stateward settings set --proxy URL`, or none with `--no-proxy`";
            ProxySignInRefused = "proxy-sign-in-refused", VaultNotFound,
                "The proxy asks for a user and a password, or does not accept those that are set",
                "Set them: `stateward settings set --proxy http://USER@HOST:PORT`, which asks for the password, or takes it from `--proxy-password-file FILE`. Stateward signs in to proxies with Basic only";
            ProxyRefused = "proxy-refused", VaultNotFound,
                "The proxy answers and does not lead to the vault: it forbids it, or does not reach it itself",
                "Have whoever runs the proxy allow CONNECT to the vault's address and port; with 502, 503 or 504, see that the proxy can reach the vault";
            CaptivePortal = "captive-portal", VaultNotFound,
                "A page for people answers in the place of the vault: a network that wants a sign-in first, or an address that is no proxy",
                "Sign in to the network in a browser, or check the proxy's address: `stateward settings show`";
            TlsIntercepted = "tls-intercepted", VaultNotFound,
                "What answers shows a certificate of another authority than the vault's: something on the way opens TLS connections, or another server answers",
                "Have whoever runs the device that the message names leave the vault's address out of its inspection; Stateward trusts the vault's own authority only. If the vault's certificate was replaced on purpose, sign in or register with its present authority";
            WrongVault = "wrong-vault", VaultNotFound,
                "What answers at the vault's address is another vault than the one that is meant",
                "Check that the address leads to the right machine; a vault that was made anew needs a new registration with another `--home`";
            UnknownVault = "unknown-vault", VaultNotFound,
                "There is no vault of that name",
                "`stateward vault list` shows the vaults; `stateward vault create NAME` makes one";
            NoVaultFolder = "no-vault-folder", VaultNotFound,
                "The folder is no vault's data folder, no store and no copy of one, or can't be read",
                "Give the folder that holds `vaults/` or `store/`, and run as a user who may read it";
        }
    };
}
