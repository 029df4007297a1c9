//! The rows of packages of the agent and the keys that sign them.

macro_rules! packages {
    ([$($others:ident)*] $($rows:tt)*) => {
        gather! { [$($others)*] $($rows)*
            NoReleaseKey = "no-release-key", Failed,
                "No release key is trusted on this server, or the file with them can't be used, so that no package can be believed",
                "Get the public release key from whoever makes your packages, by a way that you trust and not from the vault; put it into `/etc/stateward/release-keys`, or set its file: `stateward settings set --release-key FILE`. Others must not be able to write that file";
            NotPackaged = "not-packaged", Failed,
                "The agent was not installed from a package, or the system's package database can't be read",
                "Install it from a package once (`dpkg -i`, `rpm -U`, `msiexec /i`); from then on it can be upgraded";
            PackageNotOffered = "package-not-offered", Failed,
                "The vault offers no package of that version for this server",
                "`stateward vault packages NAME` shows what is offered; at the vault's machine `stateward-vault packages add FILE` offers more";
            PackageNotTrusted = "package-not-trusted", Failed,
                "The package was not signed by a release key that is trusted on this server; it was not downloaded",
                "Find out who put it there. If it is genuine: sign it (`cargo xtask sign-package`) and add it again, or trust the key that signed it";
            PackageDamaged = "package-damaged", Failed,
                "What came is not the package that it is said to be: its size or its checksum differ; nothing was installed or kept",
                "Try again; if it happens twice, add the package at the vault again, and look for who altered it";
            DowngradeRefused = "downgrade-refused", Failed,
                "The version is older than what is installed",
                "If that is what you want: `stateward agent upgrade --version VERSION --allow-downgrade`";
            InstallFailed = "install-failed", Failed,
                "The program that installs packages failed, or did something else",
                "Run as root; the message has what it said, and `logs/upgrade.log` in the agent's home all of it. `dpkg --configure -a` mends what was interrupted";
        }
    };
}
