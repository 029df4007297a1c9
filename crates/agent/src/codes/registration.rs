//! The rows of registering, vault credentials, signing in, and what is in use.

macro_rules! registration {
    ([$($others:ident)*] $($rows:tt)*) => {
        gather! { [$($others)*] $($rows)*
            NotRegistered = "not-registered", NotRegistered,
                "This home is not registered with a vault",
                "Have vault credentials made (`stateward vault credentials NAME --out FILE`), then run `stateward register --credentials FILE`";
            AlreadyRegistered = "already-registered", Failed,
                "This home is registered with a vault already",
                "Go on with `stateward protect` and `stateward backup now`; to register this machine a second time give another `--home`";
            ServerRefused = "server-refused", NotRegistered,
                "The vault does not know this server any more, or its registration was revoked",
                "Ask the vault's administrator; a new registration needs new vault credentials and another `--home`";
            ClockSkew = "clock-skew", NotRegistered,
                "This machine's clock and the vault's differ by more than five minutes, so signing in is refused",
                "Set the clock right on the machine that is wrong (for example with `timedatectl set-ntp true`), then try again";
            CredentialsUnreadable = "credentials-unreadable", NotRegistered,
                "The vault credentials file can't be read",
                "Check the path and run as a user who may read it";
            CredentialsDamaged = "credentials-damaged", NotRegistered,
                "The file is not a vault credentials file, or only a part of one",
                "Download the vault credentials again and copy the file as it is";
            CredentialsTampered = "credentials-tampered", NotRegistered,
                "The vault credentials were altered after the vault signed them",
                "Don't use this file; have new vault credentials made and find out who changed it";
            CredentialsExpired = "credentials-expired", NotRegistered,
                "The vault credentials' time is over",
                "Have new ones made: `stateward vault credentials NAME --out FILE`";
            CredentialsUsedUp = "credentials-used-up", NotRegistered,
                "As many servers as the vault credentials allow have registered with them",
                "Have new ones made: `stateward vault credentials NAME --out FILE`";
            CredentialsRefused = "credentials-refused", NotRegistered,
                "The vault does not know these vault credentials: they are another vault's, or not genuine",
                "Have new ones made by the vault that is meant: `stateward vault credentials NAME --out FILE`";
            CredentialsForRestore = "credentials-for-restore", NotRegistered,
                "The vault credentials allow restoring, not registering",
                "Have some made for registering: `stateward vault credentials NAME --out FILE`";
            CredentialsForRegistering = "credentials-for-registering", NotRegistered,
                "The vault credentials allow registering, not restoring",
                "Have some made for restoring: `stateward vault credentials NAME --purpose restore --server SERVER --out FILE`";
            DomainOfAnotherVault = "domain-of-another-vault", NotRegistered,
                "The domain file is for another vault than the vault credentials",
                "A domain is within one vault: have vault credentials made by the vault of the domain";
            DomainMismatch = "domain-mismatch", NotRegistered,
                "The vault credentials and the domain file do not belong together, or one of them is missing",
                "Have vault credentials made for the domain (`stateward vault credentials NAME --out FILE --domain ID`) and give the file of `stateward domain share` with `--domain FILE`";
            DomainFileDamaged = "domain-file-damaged", Failed,
                "The file is no domain file, or was altered or cut short",
                "Copy it again as it is, or have a new one made on a server of the domain: `stateward domain share --out FILE`";
            NotSignedIn = "not-signed-in", NotRegistered,
                "This home has no administrator's sign-in",
                "Run `stateward login --url URL --ca-file FILE --client-id ID --client-secret-file FILE`";
            SignInRefused = "sign-in-refused", NotRegistered,
                "The vault does not accept the administrator's client id or secret",
                "Run `stateward login` again with the client id and secret that the vault's `init` printed";
            Forbidden = "forbidden", Failed,
                "The administrator's role does not allow this",
                "Sign in as one whose role does";

            Busy = "busy", Busy,
                "Another job runs with this home",
                "Wait for it (`stateward job list`) or stop it (`stateward job cancel ID`)";
            ServiceRuns = "service-runs", Busy,
                "Another process of `stateward agent run` serves this home",
                "Leave it running, for it does all that is planned and asked for; to run another one, stop it first";
            VaultBusy = "vault-busy", Busy,
                "The vault holds an open session of this server",
                "Wait until the other job ends; the session of a machine that died ends by itself after about a minute";
        }
    };
}
