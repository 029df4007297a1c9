//! The calls of [`crate::console`].

use super::{Call, Content, delete, get, patch, post};
use crate::console::*;

/// The local console's calls.
#[rustfmt::skip]
pub fn calls() -> Vec<Call> {
    vec![
        post("/console/v1/session", "openSession", "Signs in with the one-time token of the printed address; the cookie comes in a header").open().takes::<SessionRequest>().gives::<SessionOpened>(200),
        delete("/console/v1/session", "closeSession", "Signs out, and ends the console; jobs go on").answers(204),
        get("/console/v1/overview", "getOverview", "This server at a glance, as `stateward status` shows it").gives::<Overview>(200),
        post("/console/v1/credentials/check", "checkCredentials", "What vault credentials are for; nothing is sent to the vault").takes::<CredentialsCheckRequest>().gives::<CredentialsCheck>(200),
        post("/console/v1/connection/test", "testConnection", "Tests the way to a vault step by step").takes::<ConnectionTestRequest>().gives::<ConnectionTest>(200),
        post("/console/v1/registration", "register", "Registers this server; what was made of secrets is in the answer, and never told again").takes::<RegistrationRequest>().gives::<Registered>(200),
        post("/console/v1/passphrase", "changePassphrase", "Changes the passphrase, with a security PIN").takes::<PassphraseRequest>().gives::<PassphraseChanged>(200),
        post("/console/v1/recoveryCodes", "createRecoveryCode", "Makes a recovery code").gives::<RecoveryCodeMade>(200),
        get("/console/v1/items", "listItems", "What is protected").gives::<ItemList>(200),
        post("/console/v1/items/files", "protectFiles", "Protects files and folders").takes::<ProtectFilesRequest>().gives::<ItemProtected>(200),
        post("/console/v1/items/systemState", "protectSystemState", "Protects System State").takes::<ProtectSystemStateRequest>().gives::<ItemProtected>(200),
        post("/console/v1/items/{item}/stop", "stopItem", "Stops an item's backups and keeps its recovery points, with a security PIN").takes::<StopItemRequest>().gives::<Item>(200),
        post("/console/v1/items/{item}/delete", "deleteItem", "Stops an item's backups and deletes its recovery points, with a security PIN; they can be had back").takes::<DeleteItemRequest>().gives::<Item>(200),
        post("/console/v1/items/{item}/resume", "resumeItem", "Resumes a stopped item's backups, as an administrator").takes::<ResumeItemRequest>().gives::<Item>(200),
        post("/console/v1/items/{item}/undelete", "undeleteItem", "Has a deleted item back, as an administrator; its backups are stopped").takes::<AdministratorRequest>().gives::<Item>(200),
        get("/console/v1/systemState", "getSystemState", "What System State is on this machine; walks all of it to count").gives::<SystemState>(200),
        post("/console/v1/policies", "listPolicies", "The policies of this server's vault, as an administrator").takes::<AdministratorRequest>().gives::<PolicyList>(200),
        post("/console/v1/schedule/preview", "previewSchedule", "What a policy would come to keep").takes::<SchedulePreviewRequest>().gives::<SchedulePreview>(200),
        post("/console/v1/schedule", "setSchedule", "Gives an item a policy, which is made first if it is described, as an administrator").takes::<ScheduleRequest>().gives::<Scheduled>(200),
        post("/console/v1/backups", "backUpNow", "Backs up now, in the background").takes::<BackupRequest>().gives::<JobList>(200),
        post("/console/v1/restores", "restore", "Restores, in the background").takes::<RestoreRequest>().gives::<JobList>(200),
        post("/console/v1/verifies", "verify", "Proves that what the vault holds can be restored, in the background").takes::<VerifyRequest>().gives::<JobList>(200),
        get("/console/v1/jobs", "listJobs", "All jobs of this server, newest first").gives::<JobList>(200),
        get("/console/v1/jobs/{job}", "getJob", "A job, with what was left out").gives::<JobDetail>(200),
        get("/console/v1/jobs/{job}/events", "watchJob", "A job each time it is further, until it has ended: server-sent events named `job`, each with a `Job`; the last one is named `end`").gives_content(200, Content::Events),
        post("/console/v1/jobs/{job}/pause", "pauseJob", "Makes a job wait before its next file or pack").gives::<Job>(200),
        post("/console/v1/jobs/{job}/resume", "resumeJob", "Lets a paused job go on").gives::<Job>(200),
        post("/console/v1/jobs/{job}/cancel", "cancelJob", "Asks a job to stop").gives::<Job>(200),
        get("/console/v1/recoveryPoints", "listRecoveryPoints", "This server's recovery points, newest first").asks("item", "Only those of the item of that name or id").gives::<PointList>(200),
        get("/console/v1/recoveryPoints/calendar", "getCalendar", "A month of recovery points, by day").asks("month", "The month, such as `2026-11`; left out: the present one").asks("item", "Only those of the item of that name or id").gives::<PointCalendar>(200),
        get("/console/v1/recoveryPoints/{point}", "getRecoveryPoint", "A recovery point: by its id, the beginning of one, `latest`, a day or a moment").asks("item", "The item, where that does not say which is meant").gives::<PointDetail>(200),
        get("/console/v1/recoveryPoints/{point}/entries", "browse", "What a recovery point holds at a path").asks("path", "The path, from the root").asks("pathBase64", "Its bytes in base64url instead, if it is no text").asks("item", "The item, where the recovery point's name does not say which is meant").gives::<FolderContent>(200),
        get("/console/v1/find", "find", "Searches names in the recovery points").asks("name", "A name, or one with wildcards; with a `/` in it, a whole path").asks("item", "Only in those of the item of that name or id").asks("since", "Only in those since this day or moment").asks("allVersions", "`true` for all versions of each path").gives::<FoundList>(200),
        get("/console/v1/settings", "getSettings", "What holds for all jobs").gives::<Settings>(200),
        patch("/console/v1/settings", "changeSettings", "Changes what holds for all jobs").takes::<SettingsRequest>().gives::<Settings>(200),
        get("/console/v1/doctor", "examine", "Looks at everything that backups of this server need").gives::<Diagnosis>(200),
        get("/console/v1/codes", "listCodes", "All codes of errors and warnings").gives::<CodeList>(200),
        get("/console/v1/codes/{code}", "explainCode", "What a code means, and what to do about it").gives::<ExplainedCode>(200),
        post("/console/v1/supportBundle", "makeSupportBundle", "A file with what a helper needs to know, as tar.gz").takes::<SupportBundleRequest>().gives_content(200, Content::Bytes),
    ]
}
