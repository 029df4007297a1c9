//! The calls of [`crate::arm`], and those of signing in.

use super::{Call, Content, delete, get, patch, post, put};
use crate::Health;
use crate::arm::agents::{AgentPackage, AgentSettings, AgentSettingsRequest};
use crate::arm::alerts::Alert;
use crate::arm::approvals::{Approval, ApprovalRequest};
use crate::arm::audit::{AuditCheck, AuditEntry};
use crate::arm::clouds::{Cloud, KeySet, OpenIdConfiguration};
use crate::arm::containers::{Container, Fabric};
use crate::arm::credentials::{CertificateRequest, CredentialsRequest, VaultCertificate};
use crate::arm::groups::{Location, ResourceGroup, ResourceGroupRequest, Subscription};
use crate::arm::guards::{Guard, GuardRequest, UnlockRequest, UnlockResponse};
use crate::arm::items::{BackupRequest, ItemRequest, ProtectedItem};
use crate::arm::jobs::Job;
use crate::arm::operations::Operation;
use crate::arm::pins::SecurityPin;
use crate::arm::policies::{Policy, PolicyRequest};
use crate::arm::previews::{PolicyPreview, PolicyPreviewRequest};
use crate::arm::principals::{Principal, PrincipalRequest};
use crate::arm::quotas::{Quotas, QuotasRequest};
use crate::arm::recovery_points::{
    ClockState, ConfirmClockRequest, ConfirmExpiryRequest, RecoveryPoint, RestoreRequest, UndeleteRequest,
};
use crate::arm::usages::{ReplicationUsage, UsageCount};
use crate::arm::vaults::{
    DeletedVault, StorageConfig, StorageConfigRequest, Vault, VaultConfig, VaultConfigRequest, VaultRequest,
};
use crate::credentials::VaultCredentials;
use crate::token::{TokenRequest, TokenResponse};
use serde_json::Value;

fn subscription(rest: &str) -> String {
    format!("/subscriptions/{{subscription}}{rest}")
}

fn group(rest: &str) -> String {
    subscription(&format!("/resourceGroups/{{group}}{rest}"))
}

fn provider(rest: &str) -> String {
    subscription(&format!("/providers/Microsoft.RecoveryServices{rest}"))
}

fn vault(rest: &str) -> String {
    group(&format!("/providers/Microsoft.RecoveryServices/vaults/{{vault}}{rest}"))
}

fn container(rest: &str) -> String {
    vault(&format!("/backupFabrics/{{fabric}}/protectionContainers/{{container}}{rest}"))
}

fn item(rest: &str) -> String {
    container(&format!("/protectedItems/{{item}}{rest}"))
}

/// The management API's calls.
pub fn calls() -> Vec<Call> {
    let mut calls = sign_in();
    calls.extend(outside_of_vaults());
    calls.extend(vaults());
    calls.extend(policies());
    calls.extend(servers());
    calls.extend(items());
    calls.extend(jobs());
    calls.extend(operations());
    calls.extend(counts());
    calls.extend(security());
    calls
}

#[rustfmt::skip]
fn sign_in() -> Vec<Call> {
    vec![
        get("/health", "getHealth", "Whether the vault is ready").open().gives::<Health>(200),
        get("/metadata/endpoints", "getCloud", "Where the cloud's parts are, and how to sign in there").open().gives::<Cloud>(200),
        get("/{tenant}/.well-known/openid-configuration", "getAuthority", "The authority's addresses").open().gives::<OpenIdConfiguration>(200),
        get("/{tenant}/discovery/v2.0/keys", "listKeys", "The keys that sign tokens, of which there are none").open().gives::<KeySet>(200),
        get("/{tenant}/v2.0/.well-known/openid-configuration", "getAuthorityV2", "The authority's addresses").open().gives::<OpenIdConfiguration>(200),
        post("/{tenant}/oauth2/v2.0/token", "getToken", "A token, for a secret or a signed assertion").open().takes_content(Content::Form(super::describe::<TokenRequest>)).gives::<TokenResponse>(200),
    ]
}

#[rustfmt::skip]
fn outside_of_vaults() -> Vec<Call> {
    vec![
        get("/subscriptions", "listSubscriptions", "The subscriptions, of which there is one").lists::<Subscription>(),
        get(subscription(""), "getSubscription", "The subscription").gives::<Subscription>(200),
        get(subscription("/locations"), "listLocations", "The locations, of which there is one").lists::<Location>(),
        get(subscription("/providers"), "listProviders", "The resource providers, of which there is one").lists::<Value>(),
        get(provider(""), "getProvider", "The resource provider").gives::<Value>(200),
        post(provider("/register"), "registerProvider", "The resource provider, which is registered always").gives::<Value>(200),
        get(subscription("/resources"), "listResources", "The vaults, as resources").lists::<Value>().filtered("resourceType, resourceGroup, name, location"),
        get(subscription("/resourceGroups"), "listGroups", "The resource groups").lists::<ResourceGroup>(),
        Call::new("HEAD", group(""), "headGroup", "Whether there is such a resource group").answers(204),
        get(group(""), "getGroup", "A resource group").gives::<ResourceGroup>(200),
        put(group(""), "putGroup", "Makes a resource group, or changes its tags").takes::<ResourceGroupRequest>().gives::<ResourceGroup>(200).gives::<ResourceGroup>(201),
        patch(group(""), "patchGroup", "Changes a resource group's tags").takes::<ResourceGroupRequest>().gives::<ResourceGroup>(200),
        delete(group(""), "deleteGroup", "Removes a resource group that has no vault").answers(200),
        get(provider("/vaults"), "listVaults", "The vaults of the subscription").lists::<Vault>(),
        get(group("/providers/Microsoft.RecoveryServices/vaults"), "listVaultsOfGroup", "The vaults of a resource group").lists::<Vault>(),
        get(provider("/locations/{location}/deletedVaults"), "listDeletedVaults", "The vaults that were deleted and can be had back").lists::<DeletedVault>(),
        get(provider("/locations/{location}/deletedVaults/{name}"), "getDeletedVault", "A deleted vault").gives::<DeletedVault>(200),
        post(provider("/locations/{location}/deletedVaults/{name}/undelete"), "undeleteVault", "Has a deleted vault back").gives::<Vault>(200),
    ]
}

#[rustfmt::skip]
fn vaults() -> Vec<Call> {
    vec![
        get(vault(""), "getVault", "A vault").gives::<Vault>(200),
        put(vault(""), "putVault", "Makes a vault, or changes one").takes::<VaultRequest>().gives::<Vault>(200).gives::<Vault>(201),
        patch(vault(""), "patchVault", "Changes a vault").takes::<VaultRequest>().gives::<Vault>(200),
        delete(vault(""), "deleteVault", "Deletes a vault that holds nothing; it can be had back").answers(200).answers(204),
        get(vault("/backupstorageconfig/vaultstorageconfig"), "getStorageConfig", "A vault's redundancy").gives::<StorageConfig>(200),
        put(vault("/backupstorageconfig/vaultstorageconfig"), "putStorageConfig", "Changes a vault's redundancy").takes::<StorageConfigRequest>().gives::<StorageConfig>(200),
        patch(vault("/backupstorageconfig/vaultstorageconfig"), "patchStorageConfig", "Changes a vault's redundancy").takes::<StorageConfigRequest>().answers(204),
        get(vault("/backupconfig/vaultconfig"), "getVaultConfig", "A vault's soft delete and security").gives::<VaultConfig>(200),
        put(vault("/backupconfig/vaultconfig"), "putVaultConfig", "Changes a vault's soft delete").takes::<VaultConfigRequest>().gives::<VaultConfig>(200),
        patch(vault("/backupconfig/vaultconfig"), "patchVaultConfig", "Changes a vault's soft delete").takes::<VaultConfigRequest>().gives::<VaultConfig>(200),
    ]
}

#[rustfmt::skip]
fn policies() -> Vec<Call> {
    vec![
        get(vault("/backupPolicies"), "listPolicies", "The policies").lists::<Policy>().filtered("backupManagementType, workloadType"),
        get(vault("/backupPolicies/{policy}"), "getPolicy", "A policy").gives::<Policy>(200),
        put(vault("/backupPolicies/{policy}"), "putPolicy", "Makes a policy, or puts another in its place").takes::<PolicyRequest>().gives::<Policy>(200),
        delete(vault("/backupPolicies/{policy}"), "deletePolicy", "Deletes a policy that no item has").answers(200).answers(204),
        post(vault("/stateward/policyPreview"), "previewPolicy", "What a policy would come to keep").takes::<PolicyPreviewRequest>().gives::<PolicyPreview>(200),
        get(item("/recoveryPoints"), "listRecoveryPoints", "An item's recovery points, newest first").lists::<RecoveryPoint>().filtered("startDate, endDate"),
        get(item("/recoveryPoints/{point}"), "getRecoveryPoint", "A recovery point").gives::<RecoveryPoint>(200),
        post(vault("/stateward/restoreRequests"), "requestRestore", "Asks a server to restore a recovery point into a new folder of its own").takes::<RestoreRequest>().answers(202),
        post(vault("/stateward/recoveryPoints/{point}/undelete"), "undeleteRecoveryPoint", "Has an expired recovery point back").takes::<UndeleteRequest>().answers(204),
        post(vault("/stateward/recoveryPoints/{point}/confirmExpiry"), "confirmExpiryOfOne", "Agrees that a recovery point expires").answers(204),
        post(vault("/stateward/confirmExpiry"), "confirmExpiry", "Agrees that recovery points expire, though unusually many would at once").takes::<ConfirmExpiryRequest>().answers(204),
        post(provider("/stateward/confirmClock"), "confirmClock", "Says that the vault's clock is right, though it jumped").takes::<ConfirmClockRequest>().gives::<ClockState>(200),
    ]
}

#[rustfmt::skip]
fn servers() -> Vec<Call> {
    vec![
        get(vault("/backupProtectionContainers"), "listContainers", "The registered servers").lists::<Container>().filtered("backupManagementType, status, friendlyName"),
        get(vault("/backupDeletedProtectionContainers"), "listDeletedContainers", "Servers that were unregistered").lists::<Container>().filtered("backupManagementType, status, friendlyName"),
        get(vault("/backupFabrics"), "listFabrics", "The fabrics, of which there is one").lists::<Fabric>(),
        get(vault("/backupFabrics/{fabric}/protectionContainers"), "listContainersOfFabric", "The registered servers").lists::<Container>().filtered("backupManagementType, status, friendlyName"),
        post(vault("/backupFabrics/{fabric}/refreshContainers"), "refreshContainers", "Does nothing: servers tell of themselves").answers(202),
        get(container(""), "getContainer", "A server").gives::<Container>(200),
        delete(container(""), "deleteContainer", "Ends a server's registration").answers(204),
        delete(vault("/registeredIdentities/{name}"), "deleteIdentity", "Ends a server's registration").answers(204),
    ]
}

#[rustfmt::skip]
fn items() -> Vec<Call> {
    vec![
        get(vault("/backupProtectedItems"), "listItems", "The protected items").lists::<ProtectedItem>().filtered("backupManagementType, itemType, policyName"),
        get(item(""), "getItem", "A protected item").gives::<ProtectedItem>(200),
        put(item(""), "putItem", "Stops an item, resumes it, has it back, or gives it a policy").takes::<ItemRequest>().gives::<ProtectedItem>(200),
        delete(item(""), "deleteItem", "Deletes an item with its recovery points, which can be had back").answers(202).answers(204),
        post(item("/backup"), "backUpItem", "Asks the item's server for a backup").takes::<BackupRequest>().answers(202),
    ]
}

#[rustfmt::skip]
fn jobs() -> Vec<Call> {
    vec![
        get(vault("/backupJobs"), "listJobs", "The jobs, newest first").lists::<Job>().filtered("status, operation, backupManagementType, startTime, endTime, jobId"),
        get(vault("/backupJobs/{job}"), "getJob", "A job with its phases and errors").gives::<Job>(200),
        post(vault("/backupJobs/{job}/cancel"), "cancelJob", "Asks for a job's end").answers(202),
    ]
}

#[rustfmt::skip]
fn operations() -> Vec<Call> {
    let status = |path, name| get(path, name, "How what was asked for goes on").gives::<Operation>(200);
    let result = |path, name| get(path, name, "Whether what was asked for is done").answers(200).answers(202).answers(204);
    vec![
        status(vault("/backupOperations/{operation}"), "getOperation"),
        result(vault("/backupOperationResults/{operation}"), "getOperationResult"),
        status(vault("/operationStatus/{operation}"), "getVaultOperation"),
        result(vault("/operationResults/{operation}"), "getVaultOperationResult"),
        status(vault("/backupFabrics/{fabric}/operationsStatus/{operation}"), "getFabricOperation"),
        result(vault("/backupFabrics/{fabric}/operationResults/{operation}"), "getFabricOperationResult"),
        status(container("/operationsStatus/{operation}"), "getContainerOperation"),
        result(container("/operationResults/{operation}"), "getContainerOperationResult"),
        status(item("/operationsStatus/{operation}"), "getItemOperation"),
        result(item("/operationResults/{operation}"), "getItemOperationResult"),
    ]
}

#[rustfmt::skip]
fn counts() -> Vec<Call> {
    vec![
        get(vault("/usages"), "listUsages", "How much of the vault is used").lists::<UsageCount>(),
        get(vault("/replicationUsages"), "listReplicationUsages", "How many jobs and servers there are").lists::<ReplicationUsage>(),
        get(vault("/backupUsageSummaries"), "listUsageSummaries", "How many servers or items there are").lists::<UsageCount>().filtered("type"),
        get(vault("/backupEngines"), "listEngines", "Nothing: there are no backup servers here").lists::<Value>(),
        get(vault("/backupProtectionIntents"), "listIntents", "Nothing: items are made at their servers").lists::<Value>(),
        get(vault("/backupProtectableItems"), "listProtectableItems", "Nothing: items are made at their servers").lists::<Value>(),
        get(vault("/extendedInformation/vaultExtendedInfo"), "getExtendedInfo", "What Azure keeps for replication").gives::<Value>(200),
        get(vault("/backupEncryptionConfigs/backupResourceEncryptionConfig"), "getEncryption", "Who holds the keys: the servers").gives::<Value>(200),
    ]
}

#[rustfmt::skip]
fn security() -> Vec<Call> {
    vec![
        post(vault("/stateward/credentials"), "makeCredentials", "Makes vault credentials").takes::<CredentialsRequest>().gives::<VaultCredentials>(200),
        put(vault("/certificates/{name}"), "putCertificate", "Makes vault credentials, as Azure's clients ask for them").takes::<CertificateRequest>().gives::<VaultCertificate>(200),
        post(vault("/backupSecurityPIN"), "makePin", "Makes a security PIN, good for one act within five minutes").gives::<SecurityPin>(200),
        get(vault("/backupResourceGuardProxies"), "listGuards", "The vault's resource guard, if it has one").lists::<Guard>(),
        get(vault("/backupResourceGuardProxies/{name}"), "getGuard", "A resource guard").gives::<Guard>(200),
        put(vault("/backupResourceGuardProxies/{name}"), "putGuard", "Has critical acts need a second person").takes::<GuardRequest>().gives::<Guard>(200),
        delete(vault("/backupResourceGuardProxies/{name}"), "deleteGuard", "Removes a resource guard, which takes a second person").answers(200).answers(204),
        post(vault("/backupResourceGuardProxies/{name}/unlockDelete"), "unlockDelete", "Asks for a second person's consent to a critical act").takes::<UnlockRequest>().gives::<UnlockResponse>(200),
        get(vault("/stateward/approvals"), "listApprovals", "Acts that wait for a second person, or have their consent").lists::<Approval>(),
        post(vault("/stateward/approvals"), "askForApproval", "Asks a second person for consent").takes::<ApprovalRequest>().gives::<Approval>(201),
        post(vault("/stateward/approvals/{id}/approve"), "approve", "Agrees to what another asked for").gives::<Approval>(200),
        get(vault("/stateward/principals"), "listPrincipals", "Who has a role in the vault").lists::<Principal>(),
        put(vault("/stateward/principals/{name}"), "putPrincipal", "Makes a principal, or gives one another role in the vault").takes::<PrincipalRequest>().gives::<Principal>(200).gives::<Principal>(201),
        delete(vault("/stateward/principals/{name}"), "deletePrincipal", "Takes a principal's role in the vault").answers(200).answers(204),
        get(vault("/stateward/quotas"), "getQuotas", "What one server may hold and send").gives::<Quotas>(200),
        put(vault("/stateward/quotas"), "putQuotas", "Changes what one server may hold and send").takes::<QuotasRequest>().gives::<Quotas>(200),
        get(vault("/stateward/agentPackages"), "listAgentPackages", "The packages of the agent that are offered, each with its checksum").lists::<AgentPackage>(),
        get(vault("/stateward/agentPackages/{name}"), "getAgentPackage", "A package of the agent").gives::<AgentPackage>(200),
        get(vault("/stateward/agentPackages/{name}/content"), "getAgentPackageContent", "A package's bytes").gives_content(200, Content::Bytes),
        get(vault("/stateward/agentSettings"), "getAgentSettings", "What the vault asks of agents").gives::<AgentSettings>(200),
        put(vault("/stateward/agentSettings"), "putAgentSettings", "Changes what the vault asks of agents").takes::<AgentSettingsRequest>().gives::<AgentSettings>(200),
        get(vault("/stateward/auditLog"), "listAuditLog", "Every change of the vault, each with its hash").lists::<AuditEntry>(),
        get(vault("/stateward/auditLog/verify"), "checkAuditLog", "Whether the audit log was altered").gives::<AuditCheck>(200),
        get(vault("/stateward/alerts"), "listAlerts", "What people should know, newest first").lists::<Alert>().filtered("state, severity"),
        post(vault("/stateward/alerts/{id}/resolve"), "resolveAlert", "Says that an alert is dealt with").gives::<Alert>(200),
    ]
}
