//! Bundles of homes with planted secrets and names.

use super::*;
use crate::items::{Selection, StoredPath};
use crate::keys::ServerKeys;
use crate::logs::LogFile;
use crate::{Home, Proxy, Surroundings, proxy};
use flate2::read::GzDecoder;
use stateward_api::credentials::encode_bytes;
use stateward_model::{SystemClock, SystemRandom, VaultId};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

fn unpacked(path: &Path) -> String {
    let mut all = String::new();
    let mut archive = tar::Archive::new(GzDecoder::new(File::open(path).unwrap()));
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        all.push_str(&format!("== {}\n", entry.path().unwrap().display()));
        entry.read_to_string(&mut all).unwrap();
    }
    all
}

#[test]
fn a_bundle_holds_no_secret_of_the_home_and_names_only_where_they_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let surroundings = Surroundings { clock: Arc::new(SystemClock), random: Arc::new(SystemRandom) };
    let home = Home::at(Some(&folder.path().join("home"))).unwrap();
    home.prepare().unwrap();
    let agent = Agent::new(home.clone(), surroundings, "stateward 0.1.0");
    let keys = ServerKeys::generate(VaultId::new(&SystemRandom), &SystemRandom);
    keys.save(&home).unwrap();
    let through = Proxy::parse("http://jane@127.0.0.1:1").unwrap();
    proxy::put(&home, Some(&through.with_password(Some("proxy-geheim-7".to_owned().into())))).unwrap();
    let admin = r#"{"version":1,"url":"https://127.0.0.1:1","ca_pem":"","tenant":"t","client_id":"c","client_secret":"admin-geheim-8"}"#;
    fs::write(home.path().join("admin.json"), admin).unwrap();
    fs::write(
        home.path().join("session.json"),
        r#"{"version":1,"sessions":[{"session":"x","secret":"session-geheim-9"}]}"#,
    )
    .unwrap();
    let mut items = Items::load(&home).unwrap();
    let selection =
        Selection::Files { paths: vec![StoredPath("/srv/Planted Taxes".into())], exclusions: Vec::new() };
    items.protect(selection, None, &SystemRandom).unwrap();
    items.save(&home).unwrap();
    let secrets = [
        encode_bytes(keys.data.as_bytes()),
        encode_bytes(keys.login.seed()),
        encode_bytes(keys.signing.seed()),
        "proxy-geheim-7".to_owned(),
        "admin-geheim-8".to_owned(),
        "session-geheim-9".to_owned(),
        stateward_api::credentials::encode_base64(b"jane:proxy-geheim-7"),
    ];
    // As a mistake would write them.
    let mut log = LogFile::open(&home).unwrap();
    for secret in &secrets {
        writeln!(log, "2026-11-29T03:00:00Z  INFO somebody said {secret}").unwrap();
    }
    writeln!(log, "2026-11-29T03:00:00Z  WARN `/srv/Planted Taxes/2026.ods` can't be read: denied").unwrap();
    for (with_names, file) in [(false, "plain.tar.gz"), (true, "named.tar.gz")] {
        let path = folder.path().join(file);
        let bundle = make(&agent, &path, with_names).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let text = unpacked(&path);
        for secret in &secrets {
            assert!(!text.contains(secret.as_str()), "{secret} in {text}");
        }
        assert_eq!(text.contains("Planted"), with_names, "{text}");
        assert!(text.contains("can't be read: denied") && text.contains("<secret>"), "{text}");
        for name in ["about.json", "settings.json", "doctor.json", "items.json", "logs/agent.log"] {
            assert!(bundle.entries.iter().any(|entry| entry == name), "{name}: {:?}", bundle.entries);
        }
        assert_eq!(make(&agent, &path, with_names).unwrap_err().code().as_str(), "output-exists");
    }
}
