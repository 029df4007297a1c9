//! The table of error codes: for each its exit code, what it means and what to do. `stateward explain CODE` prints it.
//!
//! A code is stable: once it was shipped it keeps its name and its meaning. Warnings' codes stand in [`warnings`].

pub mod warnings;

use crate::Exit;
use stateward_system_state::server_backup::wbadmin::failure::Failure;
use std::fmt;

macro_rules! codes {
    ($($name:ident = $text:literal, $exit:ident, $meaning:literal, $remedy:literal;)*) => {
        /// A kind of failure, with a stable name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code {
            $(#[doc = $meaning] $name,)*
            /// Windows Server Backup failed, for a reason that has a code of its own.
            ServerBackup(Failure),
        }

        impl Code {
            /// All codes, as the table has them; those of Windows Server Backup's failures come last.
            pub fn all() -> impl Iterator<Item = Self> {
                [$(Self::$name,)*].into_iter().chain(Failure::all().map(Self::ServerBackup))
            }

            /// The stable name.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* Self::ServerBackup(failure) => failure.code() }
            }

            /// How the program ends with it.
            pub fn exit(self) -> Exit {
                match self { $(Self::$name => Exit::$exit,)* Self::ServerBackup(_) => Exit::Failed }
            }

            /// What it means, as a sentence.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning,)* Self::ServerBackup(failure) => failure.cause() }
            }

            /// What to do about it, as a sentence.
            pub fn remedy(self) -> &'static str {
                match self { $(Self::$name => $remedy,)* Self::ServerBackup(failure) => failure.remedy() }
            }
        }
    };
}

codes! {
    Usage = "usage", Usage,
        "The command was used wrongly; nothing was done",
        "Run the command with `--help` to see what it takes";
    Cancelled = "cancelled", Cancelled,
        "A person stopped the job; what the vault had acknowledged stays",
        "Run the command again when it suits: it goes on with what the vault already holds";

    NoTerminal = "no-terminal", Usage,
        "Something would have to be asked, and there is no terminal to ask at; nothing was done",
        "Say everything by flags: `--help` lists them; or run the command at a terminal (with ssh: `ssh -t`)";

    PrecheckBlocks = "precheck-blocks", Blocked,
        "A check before the backup found something that blocks it, as this server's settings say",
        "Put right what the message names. To back up all the same: `stateward backup now --despite-prechecks`; to be warned only: `stateward settings set --precheck CODE=warn`";

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

    WrongPassphrase = "wrong-passphrase", WrongPassphrase,
        "The passphrase opens none of the server's key slots",
        "Check the passphrase (capital letters, spaces, keyboard layout); a recovery code works too";
    WrongDomainPassphrase = "wrong-domain-passphrase", WrongPassphrase,
        "The passphrase does not open the domain file",
        "Give the one that `stateward domain share` was run with; a new file with a new one can be made at any time";
    WrongRecoveryCode = "wrong-recovery-code", WrongPassphrase,
        "The recovery code opens none of the server's key slots",
        "Check the code against the paper and see that it is this server's; the passphrase works too";
    RecoveryCodeMistyped = "recovery-code-mistyped", WrongPassphrase,
        "The recovery code has a typing error: its check group does not fit",
        "Compare it group by group with the paper";
    PassphraseUnfit = "passphrase-unfit", Usage,
        "The passphrase is too short or too long",
        "Use 16 characters or more, or let one be made with `--generate-passphrase`";
    PassphrasesDiffer = "passphrases-differ", Usage,
        "The passphrase was not typed the same twice",
        "Run the command again";
    PassphraseNeeded = "passphrase-needed", Usage,
        "A passphrase is needed, and there is no terminal to ask for it",
        "Give `--passphrase-file FILE`, or `--generate-passphrase --passphrase-out FILE`";
    RecoveryCodeNowhere = "recovery-code-nowhere", Usage,
        "There is no terminal to show the recovery code on",
        "Give `--recovery-code-file FILE`";
    InputUnreadable = "input-unreadable", Failed,
        "A file that was given to the command can't be read",
        "Check the path and run as a user who may read it";
    NoKeySlot = "no-key-slot", Failed,
        "The vault holds no key slot of this server that such a secret could open",
        "Use the other kind of secret (passphrase or recovery code), or another copy of the vault";
    KeySlotUnusable = "key-slot-unusable", Failed,
        "A key slot is damaged, or asks for costs outside of what is safe",
        "Use the other kind of secret, or another copy of the vault; the vault may be damaged or hostile";

    SessionLost = "session-lost", Failed,
        "The vault ended the session: its lease ran out, or another session replaced it",
        "Run the command again: it goes on with what the vault already holds";
    ProtectionStopped = "protection-stopped", Failed,
        "An administrator stopped the backups of this item in the vault, or deleted it there",
        "Ask the vault's administrator: a stopped item can be resumed (`stateward item resume`), a deleted one had back; a deleted one can also be protected anew under another name (`--name`)";
    AgentTooOld = "agent-too-old", Failed,
        "This server's agent is older than the oldest that may make backups in its vault; restores and verify go on",
        "Upgrade it: `stateward agent upgrade`, or install a newer package; or ask a Backup Contributor to lower the minimum (`stateward vault update NAME --minimum-agent-version none`)";
    CommandExpired = "command-expired", Failed,
        "What an administrator asked of this server was not taken by its agent within a day",
        "See that `stateward agent run` runs on the server and reaches the vault, then ask for it again";
    VaultFull = "vault-full", Failed,
        "The vault has no space left",
        "Make space at the vault; what was acknowledged is safe, and the next run goes on";
    QuotaExceeded = "quota-exceeded", Failed,
        "This server holds in the vault, or has sent to it today, as much as an administrator allows each server",
        "The message says which limit it is and how much is used: wait until tomorrow (UTC) if it is the daily one, back up less, or ask a Backup Contributor of the vault to raise it. What was acknowledged is safe and can be restored";
    PacksMissing = "packs-missing", Failed,
        "The vault lacks packs that the recovery point needs",
        "Run the backup again: it sends them again; if it happens twice, tell the vault's administrator";
    WrongHead = "wrong-head", Failed,
        "The vault's newest recovery point is not the one that this server knows: the vault was rolled back, or a copy of this home made backups",
        "Don't ignore it: ask the vault's administrator whether the vault was restored from an older copy, and see that no cloned machine uses this home";
    VaultAnswer = "vault-answer", Failed,
        "The vault's answer breaks the contract",
        "See that vault and agent have fitting versions; the vault's log tells more";
    VaultFailed = "vault-failed", Failed,
        "The vault had a failure of its own",
        "The vault's log tells the reason; try again after it is mended";
    VaultRefused = "vault-refused", Failed,
        "The vault refused the request",
        "The message says why";
    AlreadyExists = "already-exists", Failed,
        "There is such a thing already",
        "Choose another name";

    NotFound = "no-such-thing", Failed,
        "The vault has no such thing, or not any more",
        "The message names it; the noun's own `list` shows what there is";
    UnknownGroup = "unknown-resource-group", Failed,
        "There is no resource group of that name",
        "`stateward group list` shows them; `stateward group create NAME` makes one";
    UnknownLocation = "unknown-location", Failed,
        "Vaults can't be made in that location",
        "Leave `--location` out: what runs the vaults has one location";
    NotSupportedHere = "not-supported-here", Failed,
        "Azure's vaults have this and the vaults of this product do not",
        "The message names it; leave it out";
    GroupNotEmpty = "group-not-empty", Failed,
        "The resource group holds vaults, so it can't be deleted",
        "Delete its vaults first: `stateward vault list --resource-group NAME` shows them";
    VaultNotEmpty = "vault-not-empty", Failed,
        "The vault holds servers or protected items, so it can't be deleted",
        "Delete what the message names: `stateward item delete` for items, then `stateward server unregister` for servers";
    RedundancyLocked = "redundancy-locked", Failed,
        "The vault's redundancy can't be changed any more, for something was protected in it",
        "Make another vault with the redundancy that is wanted, and register the servers with it";
    RedundancyNotMet = "redundancy-not-met", Failed,
        "The vault's stores can't give the redundancy that it is set to, so nothing can be protected in it",
        "Set a redundancy that they can give (`stateward vault update NAME --redundancy LocallyRedundant`), or give the vault the stores that it needs";
    VaultImmutable = "vault-immutable", Failed,
        "The vault is immutable: nothing that reduces what is kept is done",
        "If its immutability is not locked, a Backup Contributor can disable it: `stateward vault update NAME --immutability Disabled`";
    LimitReached = "limit-reached", Failed,
        "There are as many of these as there may be",
        "The message names the limit; delete what is not needed any more";
    PolicyInUse = "policy-in-use", Failed,
        "Protected items have this policy, so it can't be deleted",
        "Give the items another one first: `stateward item set-policy`";
    UnknownPolicy = "unknown-policy", Failed,
        "The vault has no policy of that name",
        "`stateward policy list` shows them; `stateward policy create NAME` makes one";
    WrongPolicy = "wrong-policy", Usage,
        "What was given is no policy, or breaks a limit of policies",
        "The message names the rule; `stateward policy create --help` shows what can be given";
    SecurityPinWrong = "security-pin-wrong", Failed,
        "The security PIN is wrong, was used already, or ended: it is good for five minutes, one act and five tries",
        "Ask a Backup Contributor of the vault for a new one";
    ApprovalRequired = "approval-required", Failed,
        "The vault has a resource guard, so this needs the consent of a second administrator; it was asked for, and nothing was done",
        "Have another Backup Contributor agree to the approval that the message names, then do the same again within a day";
    InvalidState = "invalid-state", Failed,
        "The thing is in a state in which that can't be done",
        "The message says which state that is and what leads out of it";
    AuditAltered = "audit-altered", Failed,
        "The vault's log of changes was altered after it was written",
        "Trust none of it from the named entry on; find out who had access to the vault's database, and compare with hashes or copies that were kept elsewhere";
    ChangedMeanwhile = "changed-meanwhile", Failed,
        "Somebody else changed it since it was read; nothing was done",
        "Look at how it is now, then run the command again";

    NoItems = "no-items", Failed,
        "Nothing is protected yet",
        "Run `stateward protect system-state` or `stateward protect files PATH…`";
    UnknownItem = "unknown-item", Failed,
        "There is no protected item of that name",
        "`stateward item list` shows them; with `--vault NAME` those of a vault";
    ItemNeeded = "item-needed", Usage,
        "Several items have recovery points, so `latest` or a time alone does not say which is meant",
        "Give `--item NAME` too";
    AmbiguousItem = "ambiguous-item", Usage,
        "Several protected items of the vault are meant by what was given",
        "Say which server's is meant with `--server NAME`, or give one of the ids that the message lists";
    ItemExists = "item-exists", Failed,
        "Another kind of item has that name",
        "Choose another one with `--name`";
    ExclusionRefused = "exclusion-refused", Usage,
        "What was to be left out of protected files can't be meant, or lies in none of them",
        "Give a path below one of the protected ones, or a name such as `*.mp3`; a wildcard may stand in the last name only";
    UnknownServer = "unknown-server", Failed,
        "There is no such server, or several are meant by what was given",
        "Give one of the names or ids that the message lists";
    UnknownRecoveryPoint = "unknown-recovery-point", Failed,
        "There is no such recovery point",
        "`stateward recovery-point list` shows them";
    WrongMoment = "wrong-moment", Usage,
        "What was given as a time is none, or not one that can be told for sure",
        "Give a day as `2026-11-20`, or a moment as `2026-11-20T02:00`, which is read in this machine's time zone, or with its offset as `2026-11-20T02:00:00+01:00`";
    NothingAtPaths = "nothing-at-paths", Failed,
        "The recovery point holds nothing at the paths that were asked for, so nothing was restored",
        "Give each path whole, from `/`, as it was on the server; `stateward recovery-point browse ID` shows what the point holds, `stateward find NAME` in which points something is";
    UnknownCode = "unknown-code", Usage,
        "There is no such code",
        "`stateward explain` without a code shows all of them";
    UnknownJob = "unknown-job", Failed,
        "There is no such job",
        "`stateward job list` shows them";
    JobEnded = "job-ended", Failed,
        "The job has ended already",
        "`stateward job show ID` tells how";
    JobLost = "job-lost", Failed,
        "The job's process ended without a word: it was killed, or the machine stopped",
        "Run it again: it goes on with what the vault already holds";
    JobNotStarted = "job-not-started", Failed,
        "The job's own process could not be started",
        "Run the command with `--wait`, so that the job runs inside it";

    HookBlocked = "hook-blocked", Blocked,
        "A hook before the backup failed, and the settings say that no backup is made then",
        "Mend the hook: the job's log (`stateward job show ID`) has what it said; or let backups go on with `stateward settings set --hook-failure warn`";
    ClientEdition = "client-edition", Failed,
        "This is a client edition of Windows, and System State is backed up of servers",
        "Protect files and folders instead: `stateward protect files`. To try it all the same: `stateward settings set --precheck windows-edition=warn`";
    ServerBackupTimedOut = "server-backup-timed-out", Failed,
        "A program of Windows did not end in the time that it had, and was stopped",
        "See the newest log in `C:\\Windows\\Logs\\WindowsServerBackup` and the event log; if the server only needs longer: `stateward settings set --server-backup-time-out SECONDS`";
    ServerBackupWithoutVersion = "server-backup-without-version", Failed,
        "Windows Server Backup ended without an error and made no backup",
        "See its newest log in `C:\\Windows\\Logs\\WindowsServerBackup`, and run the backup again";
    StagedImageDamaged = "staged-image-damaged", Failed,
        "Windows Server Backup said that it made a backup, and its image is missing or not whole; nothing of it was sent",
        "See that the staging place has room and a disk without errors, and run the backup again";
    StagedDocumentDamaged = "staged-document-damaged", Failed,
        "Windows Server Backup said that it made a backup, and what it wrote beside the image is missing or not whole; nothing of it was sent",
        "See that the staging place has room and a disk without errors, and run the backup again";
    WriterMissing = "writer-missing", Failed,
        "A part of Windows without which it is no System State took no part in the backup; nothing of it was sent",
        "See `vssadmin list writers`; restart the service of the writer that is missing, or the server, and run the backup again";
    StagingUnreadable = "staging-unreadable", Failed,
        "The staging place can't be read or written",
        "See that its disk has no errors and that SYSTEM may write there, or choose another place: `stateward settings set --staging PLACE`";
    StagingDiskFailed = "staging-disk-failed", Failed,
        "The virtual disk for staging can't be made or attached",
        "See that its volume has room, isn't compressed and takes virtual disks, or give a volume of its own: `stateward settings set --staging E:\\`";
    NoSystemState = "no-system-state", Failed,
        "The recovery point holds no System State of Windows, so there is no plan for it",
        "Choose another one: `stateward recovery-point list`; one of Linux is put back by `stateward restore`";
    OlderWindows = "older-windows", Failed,
        "The recovery point is of a newer Windows than runs here",
        "Install the Windows that the message names, or a later one, and put it back there";
    PointTombstoned = "recovery-point-tombstoned", Failed,
        "The recovery point of a domain controller is older than the domain remembers deleted objects",
        "Promote a new domain controller instead, or choose a newer recovery point. If deleted objects are remembered for longer: `--tombstone-days DAYS`";
    PointOfTheFuture = "recovery-point-of-the-future", Failed,
        "The recovery point was made later than this machine's clock says",
        "Set the clock right";
    CriticalVolume = "critical-volume", Failed,
        "Windows lies on the volume that its System State was to be restored to, and Windows Server Backup puts none back from there",
        "Give the root of another volume (`--target E:\\`) or of a share, or a folder to copy `WindowsImageBackup` from";
    LineFailed = "plan-line-failed", Failed,
        "A line of the plan failed; those after it were not run",
        "See what it said; mend that, and go on from that line by hand or run the plan again";

    SourceUnreadable = "source-unreadable", Failed,
        "What is to be protected can't be read at all",
        "Check that it is there and run as a user who may read it";
    UnknownComponent = "unknown-component", Usage,
        "There is no such component",
        "`stateward system-state list` shows the components";
    NoRestoreRoot = "no-restore-root", Failed,
        "An administrator asked for a restore at the vault, and the server has no folder that such restores may go to",
        "On the server run `stateward settings set --restore-root DIR` and ask again, or restore there: `stateward restore`";
    OtherSystemRefused = "other-system-refused", Failed,
        "The recovery point is of another distribution or another processor architecture than this machine, and was to go back in place: its programs would not run here, and this machine's would be lost",
        "Restore it into a folder (`--target DIR`) and take from there what is needed; or restore it in place all the same with `--despite-other-system`";
    TargetUnusable = "target-unusable", Failed,
        "The target can't be written",
        "Check the path, its file system and your rights, or choose another target";
    TargetNotEmpty = "target-not-empty", Failed,
        "The target folder holds something already",
        "Give a folder that does not exist yet, or an empty one; or say what becomes of what is there with `--conflict copy`, `overwrite` or `skip`";
    TargetInUse = "target-in-use", Busy,
        "Another restore into the same folder is running",
        "Wait for it, or give another folder";
    TargetInTheWay = "target-in-the-way", Failed,
        "Something at the target is in the way of what is put back",
        "See that nobody else writes to the target; restore to a new folder";
    TargetFull = "target-full", Failed,
        "There is no space left at the target",
        "Make space or choose another target; restore again into the same folder to go on";
    ServiceNotRunning = "service-not-running", Failed,
        "No agent runs for this home, so nothing is backed up by itself",
        "Start it: `stateward agent start`";
    ServiceStays = "service-stays", Failed,
        "The running agent does not end, though it was asked to",
        "The agent's log in the home tells what it waits for; if systemd started it: `systemctl stop stateward`";
    NeedsRoot = "needs-root", Failed,
        "Only root may do this",
        "Run the command as root (`sudo`). Without root an agent runs until the machine ends: `stateward agent start`";
    NoServiceManager = "no-service-manager", Failed,
        "This machine does not start its services with systemd",
        "Have what starts them run `stateward agent run` as root, and start it anew when it ends with another code than 0, 11 or 13";
    ServiceNotInstalled = "service-not-installed", Failed,
        "The agent is not installed as a service",
        "Install it: `stateward agent install`";
    ServiceOfAnotherHome = "service-of-another-home", Failed,
        "The agent of another home is this machine's service",
        "Uninstall that one first: `stateward agent uninstall --home HOME` with the home that the unit names";
    ServiceFailed = "service-failed", Failed,
        "What starts services on this machine did not do what it was asked",
        "The message has what it said; `systemctl status stateward` and `journalctl --unit stateward` tell more";
    NoNotifications = "no-notifications", Failed,
        "Nobody is told of this server's jobs, or the webhook is missing that something was to be set for",
        "Set one: `stateward settings set --notify-system-log on`, or `--notify-webhook URL`";
    NotificationFailed = "notification-failed", Failed,
        "Somebody was to be told of a job, and could not be",
        "Mend what the message names and try it: `stateward settings test-notification`; what a webhook was to hear is tried again for a day";
    AuthoritiesUnreadable = "authorities-unreadable", Failed,
        "The list of certificate authorities that this machine trusts is not where it usually lies",
        "Install it (the package `ca-certificates`), or name the webhook's own authority: `stateward settings set --notify-webhook-ca FILE`";
    ConsoleUnusable = "console-unusable", Failed,
        "The local console can't listen on this machine's loopback address",
        "Give another port with `--port`, or none, so that any free one is taken";
    ConsoleForeignRequest = "console-foreign-request", Failed,
        "The request to the local console names another host than its address, or comes from another page",
        "Open the address that `stateward console` printed, as it was printed. If you did not call the console yourself, a page in your browser did: close it";
    ConsoleNotSignedIn = "console-not-signed-in", NotRegistered,
        "Nobody is signed in to the local console, or nobody made a call for so long that the session is over, or the one-time token was used",
        "Run `stateward console` again and open the address that it prints";
    ConsoleTokenMissing = "console-token-missing", NotRegistered,
        "The request to the local console does not bear the session's request token, which its own page sends with every call",
        "Open the address that `stateward console` printed. Programs send what they were given when they signed in as `x-stateward-token`";
    ConsoleRequestInvalid = "console-request-invalid", Usage,
        "The request to the local console is not of the form that it must have; nothing was done",
        "The message says what is wrong; `openapi/console.json` has the form of each call";
    ConsoleCallUnknown = "console-call-unknown", Usage,
        "The local console has no such call",
        "`openapi/console.json` lists all calls; a page of another version than the agent's may know others: load it again";
    TrialNoRoom = "trial-no-room", Failed,
        "There is not enough space for a trial restore; 1 GiB is to stay free beside it",
        "Give a folder on a disk that has it: `stateward settings set --trial-folder DIR`; or have no trial restores: `--trial-restore-every never`";
    TargetFailed = "target-failed", Failed,
        "Something at the target could not be written",
        "Check the target's file system and your rights; restore again into the same folder to go on, or choose another target";
    OutputExists = "output-exists", Failed,
        "The file exists already and is not overwritten",
        "Give another path, or move the file away";
    OutputUnwritable = "output-unwritable", Failed,
        "The file can't be written",
        "Check the path and your rights";
    OutputFull = "output-full", Failed,
        "There is no space left where the file is to be written",
        "Make space there, or give another path; nothing was left of the file";

    FilesLost = "files-lost", Failed,
        "Some files could not be restored whole; each is listed, and nothing of them was left at the target",
        "Restore them from another recovery point; run `stateward verify --full` to see what else is affected";
    DamageFound = "damage-found", Failed,
        "Verify found objects in the vault that are damaged or missing; what is affected is listed",
        "Restore the vault's objects from a copy, or make a new backup of what is affected; keep the other recovery points";
    PointDamaged = "recovery-point-damaged", Failed,
        "The recovery point's object is damaged",
        "Use another recovery point, or another copy of the vault";
    PointNotGenuine = "recovery-point-not-genuine", Failed,
        "The recovery point was not signed by this server, or belongs to another one",
        "Don't use it; ask the vault's administrator where it comes from";
    PointOtherKey = "recovery-point-other-key", Failed,
        "The recovery point was sealed with a key that this home does not have",
        "Use `stateward recover` with the passphrase or recovery code of that time";
    PointIncomplete = "recovery-point-incomplete", Failed,
        "The recovery point lacks something that it needs",
        "Use another recovery point, or another copy of the vault";
    SelfCheckFailed = "self-check-failed", Failed,
        "What was encoded could not be decoded to the same bytes; nothing of it was sent",
        "Test this machine's memory and processor before trusting anything that it makes";

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

    CacheUnusable = "cache-unusable", Failed,
        "The cache folder can't be used",
        "Mend its rights; it may be deleted at any time, the next run makes it again";
    CacheFull = "cache-full", Failed,
        "There is no space left on the cache folder's file system",
        "Make space there, or move the cache folder away; what the vault acknowledged is safe, and the next run goes on";
    HomeUnusable = "home-unusable", Failed,
        "The agent's home folder can't be used",
        "Run as the user who owns it (usually root), or give another one with `--home`";
    HomeFull = "home-full", Failed,
        "There is no space left on the file system of the agent's home",
        "Make space there and run the command again; keys, settings and what the vault acknowledged are safe";
    DiskFailed = "disk-failed", Failed,
        "A disk gave an input/output error, or its file system is damaged or was made read-only",
        "See the kernel's log (`dmesg`), mend or replace the disk that the message names, then run the command again; what the vault acknowledged is safe";
    HomeDamaged = "home-damaged", Failed,
        "A file in the agent's home is damaged",
        "Restore the file from a copy; if there is none, see `docs/guides` for registering again";
    HomeNewer = "home-newer", Failed,
        "A file in the agent's home was written by a newer version",
        "Install that version of stateward again";
    Unsupported = "unsupported", Failed,
        "This is not possible on this operating system",
        "Run it on one where it is";
    Internal = "internal", Failed,
        "A mistake in stateward itself",
        "Please report it with the agent's log";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Code {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        Self::all().find(|code| code.as_str() == text).ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_code_has_a_name_of_its_own_and_words_without_a_full_stop() {
        let names: HashSet<&str> = Code::all().map(Code::as_str).collect();
        assert_eq!(names.len(), Code::all().count());
        for code in Code::all() {
            assert!(code.as_str().bytes().all(|c| c.is_ascii_lowercase() || c == b'-'), "{code}");
            for words in [code.meaning(), code.remedy()] {
                assert!(!words.ends_with('.') && !words.is_empty(), "{code}: {words}");
            }
            assert_eq!(code.as_str().parse::<Code>(), Ok(code));
        }
    }

    #[test]
    fn every_failure_of_windows_server_backup_has_a_row() {
        let rows: Vec<Code> = Code::all().collect();
        for failure in Failure::all() {
            assert!(rows.contains(&Code::ServerBackup(failure)), "{failure:?}");
        }
    }
}
