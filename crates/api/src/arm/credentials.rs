//! Vault credentials: `POST {vault}/stateward/credentials` ([`CredentialsRequest`] → [`crate::VaultCredentials`]), and the call
//! by which Azure's clients get theirs, `PUT {vault}/certificates/{name}`.

use crate::credentials::{CredentialPurpose, VaultCredentials};
use serde::{Deserialize, Serialize};
use stateward_model::{ServerId, Timestamp};

/// Asks for vault credentials.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CredentialsRequest {
    /// What they allow.
    pub purpose: CredentialPurpose,
    /// For `Restore`: whose points. For `Register`: a known server that lost its home and registers again; nobody else can
    /// register with such credentials, and only once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerId>,
    /// For `Register`: a server whose deduplication domain is joined; every server has one of its own if not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<ServerId>,
    /// How long they are good, in seconds; the vault's default (10 days, 24 hours for `Restore`) is also the most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_seconds: Option<u64>,
    /// How many servers may register with them; 1 if not said, at most 1000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uses: Option<u32>,
}

/// `PUT {vault}/certificates/{name}`. The body may be left out or be `null`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CertificateRequest {
    /// What is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub properties: Option<CertificateRequestProperties>,
}

/// What is sent for a certificate.
#[derive(Debug, Clone, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CertificateRequestProperties {
    /// `AAD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_type: Option<String>,
    /// The client's certificate, DER in base64. Without one, the vault answers with what it made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
}

/// The answer: Azure's `VaultCertificateResponse`.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct VaultCertificate {
    /// Its path.
    pub id: String,
    /// The name that was given.
    pub name: String,
    /// `Microsoft.RecoveryServices/vaults/certificates`.
    pub r#type: String,
    /// What it says.
    pub properties: VaultCertificateProperties,
}

/// Azure's `ResourceCertificateAndAadDetails`, and the vault credentials.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VaultCertificateProperties {
    /// `AzureActiveDirectory`: what follows is of that kind.
    pub auth_type: String,
    /// The certificate that was sent; if none was, the vault credentials file. In base64.
    pub certificate: String,
    /// The name that was given.
    pub friendly_name: String,
    /// Whose certificate it is.
    pub subject: String,
    /// Who made it.
    pub issuer: String,
    /// SHA-1 of what `certificate` holds, in hexadecimal digits.
    pub thumbprint: String,
    /// From when on it is good.
    pub valid_from: Timestamp,
    /// Until when the vault credentials are good.
    pub valid_to: Timestamp,
    /// A number for the vault, of its id.
    pub resource_id: i64,
    /// Where one signs in.
    pub aad_authority: String,
    /// The tenant's id.
    pub aad_tenant_id: String,
    /// The id of the vault credentials.
    pub service_principal_client_id: String,
    /// The same.
    pub service_principal_object_id: String,
    /// The vault's address.
    pub azure_management_endpoint_audience: String,
    /// The vault's path.
    pub service_resource_id: String,
    /// The vault's address.
    pub aad_audience: String,
    /// The file that a server registers with. Not Azure's.
    pub vault_credentials: VaultCredentials,
}
