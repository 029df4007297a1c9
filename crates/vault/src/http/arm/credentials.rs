//! Vault credentials, and the form in which Azure's clients ask for them.

use super::place::Manager;
use super::vaults::id_of;
use crate::app::certificates::{Certificate, hex, sha1};
use crate::app::vaults::Vault;
use crate::app::{App, Error};
use crate::http::extract::{Json, MaybeJson, Segments};
use axum::Json as Answer;
use axum::extract::State;
use stateward_api::arm::PROVIDER;
use stateward_api::arm::clouds::AUTHORITY;
use stateward_api::arm::credentials::{
    CertificateRequest, CredentialsRequest, VaultCertificate, VaultCertificateProperties,
};
use stateward_api::credentials::{decode_base64, encode_base64};
use stateward_api::{CredentialPurpose, VaultCredentials};
use stateward_model::{Timestamp, VaultId};
use std::sync::Arc;

type AppState = State<Arc<App>>;

/// `POST {vault}/stateward/credentials`
pub(in crate::http) async fn make_credentials(
    State(app): AppState,
    manager: Manager,
    Json(request): Json<CredentialsRequest>,
) -> Result<Answer<VaultCredentials>, Error> {
    Ok(Answer(app.create_credentials(&manager.actor(), &manager.place, &request).await?))
}

/// `PUT {vault}/certificates/{name}`: vault credentials for registering one server. They end with the certificate that was
/// sent, if one was.
pub(in crate::http) async fn put_certificate(
    State(app): AppState,
    manager: Manager,
    Segments((_, _, _, name)): Segments<(String, String, String, String)>,
    MaybeJson(request): MaybeJson<CertificateRequest>,
) -> Result<Answer<VaultCertificate>, Error> {
    let sent = request.and_then(|request| request.properties?.certificate).filter(|text| !text.is_empty());
    let certificate = sent.as_deref().map(read).transpose()?;
    if let Some(certificate) = &certificate {
        certificate.check_time(app.now())?;
    }
    let request = CredentialsRequest {
        purpose: CredentialPurpose::Register,
        server: None,
        domain: None,
        valid_seconds: certificate.as_ref().map(|certificate| app.seconds_to_register(certificate)),
        uses: None,
    };
    let file = app.create_credentials(&manager.actor(), &manager.place, &request).await?;
    let vault = app.vault_at(&manager.place).await?;
    Ok(Answer(shown(&app, &vault, name, file, certificate)))
}

fn read(text: &str) -> Result<Certificate, Error> {
    let der = decode_base64(text);
    Certificate::read(&der.ok_or_else(|| Error::invalid("The certificate is no base64 of DER"))?)
}

fn shown(
    app: &App,
    vault: &Vault,
    name: String,
    file: VaultCredentials,
    sent: Option<Certificate>,
) -> VaultCertificate {
    let path = id_of(app, vault);
    let (url, id) = (&app.config.url, file.credential.to_string());
    let valid_to = whole_seconds(file.expires_at);
    let made = || Made {
        body: serde_json::to_vec(&file).expect("text and numbers always have a JSON form"),
        subject: format!("CN={}", vault.name),
        issuer: format!("CN={}", app.config.tenant),
        valid_from: app.now(),
    };
    let made = sent.map_or_else(made, Made::from);
    VaultCertificate {
        id: format!("{path}/certificates/{name}"),
        name: name.clone(),
        r#type: format!("{PROVIDER}/vaults/certificates"),
        properties: VaultCertificateProperties {
            auth_type: "AzureActiveDirectory".to_owned(),
            certificate: encode_base64(&made.body),
            friendly_name: name,
            subject: made.subject,
            issuer: made.issuer,
            thumbprint: hex(&sha1(&made.body)),
            valid_from: whole_seconds(made.valid_from),
            valid_to,
            resource_id: number_of(vault.id),
            aad_authority: format!("{url}/{AUTHORITY}"),
            aad_tenant_id: app.config.tenant.clone(),
            service_principal_client_id: id.clone(),
            service_principal_object_id: id,
            azure_management_endpoint_audience: url.clone(),
            service_resource_id: path,
            aad_audience: url.clone(),
            vault_credentials: file,
        },
    }
}

/// What stands where Azure has a certificate.
struct Made {
    body: Vec<u8>,
    subject: String,
    issuer: String,
    valid_from: Timestamp,
}

impl From<Certificate> for Made {
    fn from(sent: Certificate) -> Self {
        Self { body: sent.body, subject: sent.subject, issuer: sent.issuer, valid_from: sent.valid_from }
    }
}

/// Clients read no more than microseconds.
fn whole_seconds(moment: Timestamp) -> Timestamp {
    Timestamp::from_seconds(moment.seconds(), 0).unwrap_or(moment)
}

/// Azure's clients want a number that is not negative.
fn number_of(vault: VaultId) -> i64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&vault.0[8..]);
    i64::from_be_bytes(bytes) & i64::MAX
}

#[cfg(test)]
mod tests {
    use crate::app::certificates::testing::TestKey;
    use crate::app::testing::TestApp;
    use crate::http::testing::Client;
    use axum::http::{Method, StatusCode};
    use serde_json::{Value, json};
    use stateward_api::VaultCredentials;
    use stateward_api::arm::credentials::VaultCertificate;
    use stateward_api::credentials::{decode_base64, encode_base64};

    const CERTIFICATE: &str = "{V}/certificates/CN=prod-vaultcredentials";

    #[tokio::test]
    async fn a_call_without_a_body_gives_the_file_as_the_certificate() {
        let test = TestApp::new().await;
        let client = Client::contributor(&test).await;
        for body in ["", "null", "{}", r#"{"properties":{"authType":"AAD"}}"#] {
            let (status, made) = client.text::<VaultCertificate>(Method::PUT, CERTIFICATE, body).await;
            assert_eq!(status, StatusCode::OK, "{body}");
            let properties = made.properties;
            let file = decode_base64(&properties.certificate).unwrap();
            let file: VaultCredentials = serde_json::from_slice(&file).unwrap();
            assert_eq!(file, properties.vault_credentials);
            assert_eq!(properties.service_principal_client_id, file.credential.to_string());
            assert!(properties.resource_id > 0);
        }
    }

    #[tokio::test]
    async fn a_certificate_is_echoed_and_the_file_ends_with_it() {
        let test = TestApp::new().await;
        let client = Client::contributor(&test).await;
        let key = TestKey::rsa();
        let sent = encode_base64(&key.certificate("web-01", test.app.now()));
        let body = |text: &str| json!({ "properties": { "authType": "AAD", "certificate": text } });
        let made: VaultCertificate = client.ok(Method::PUT, CERTIFICATE, body(&sent)).await;
        let properties = made.properties;
        assert_eq!(
            (properties.certificate.as_str(), properties.subject.as_str()),
            (sent.as_str(), "CN=web-01")
        );
        let file = properties.vault_credentials;
        assert!(file.expires_at <= test.app.now().plus_seconds(2 * 86_400), "{}", file.expires_at);
        let late = encode_base64(&key.certificate("late", test.app.now().plus_seconds(-9 * 86_400)));
        for wrong in [late.as_str(), "no base64", &encode_base64(b"no certificate")] {
            let (status, refused) = client.call::<Value>(Method::PUT, CERTIFICATE, body(wrong)).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{refused}");
            assert_eq!(refused["error"]["code"], "InvalidRequest");
        }
    }

    #[tokio::test]
    async fn credentials_are_made_and_written_down() {
        let test = TestApp::new().await;
        let client = Client::contributor(&test).await;
        let path = "{V}/stateward/credentials";
        let file: VaultCredentials = client.ok(Method::POST, path, json!({ "purpose": "Register" })).await;
        assert_eq!(file.vault_name, test.vault);
        let entries = test.audit().await;
        let last = entries.last().unwrap();
        assert_eq!(
            (last.act.as_str(), last.subject.as_str()),
            ("credentials.create", &*file.credential.to_string())
        );
        assert!(!last.detail.contains(&file.secret));
        let elsewhere = path.replace("{V}", "{G}/providers/Microsoft.RecoveryServices/vaults/none");
        let (status, _) =
            client.call::<Value>(Method::POST, &elsewhere, json!({ "purpose": "Register" })).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
    }
}
