//! The whole product through a proxy that wants a sign-in, and each way in which something stands between an agent and its vault.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]
#![cfg(target_os = "linux")]

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection};
use stateward_e2e::canary::find_below;
use stateward_e2e::process::{Outcome, run};
use stateward_e2e::server::{VAULT, restored};
use stateward_e2e::{TestServer, TestVault, assert_same};
use stateward_testing::{ConnectProxy, ProxyManner};
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;

const USER: &str = "jane";
const PASSWORD: &str = "proxy-geheim-7";

fn password_file(server: &TestServer, password: &str) -> PathBuf {
    let path = server.path("proxy-password");
    fs::write(&path, format!("{password}\n")).unwrap();
    path
}

/// The flags that name a proxy, its password in a file.
fn flags(server: &TestServer, at: SocketAddr, password: &str) -> Vec<String> {
    let file = password_file(server, password).display().to_string();
    ["--proxy".to_owned(), format!("http://{USER}@{at}"), "--proxy-password-file".to_owned(), file].into()
}

fn set_proxy(server: &TestServer, at: SocketAddr, password: &str) -> Outcome {
    let mut command = server.command(["settings", "set"]);
    command.args(flags(server, at, password));
    run(command)
}

#[track_caller]
fn assert_blocked(outcome: Outcome, code: &str) {
    let outcome = outcome.expect_code(10);
    assert_eq!(outcome.error_code(), code, "{outcome:#?}");
    assert!(!outcome.stdout.contains(PASSWORD) && !outcome.stderr.contains(PASSWORD), "{outcome:#?}");
}

/// A server that is registered through the proxy, with one recovery point of a small source.
fn backed_up(vault: &TestVault, proxy: &ConnectProxy) -> (TestServer, PathBuf) {
    let server = TestServer::fresh();
    server.prepare_registration(vault);
    let flags = flags(&server, proxy.address(), PASSWORD);
    server.register("credentials", &flags.iter().map(String::as_str).collect::<Vec<_>>()).done();
    let source = server.path("source");
    fs::create_dir(&source).unwrap();
    fs::write(source.join("file"), vec![7; 3 << 20]).unwrap();
    server.protect(&source);
    server.backup();
    (server, source)
}

#[test]
fn a_server_registers_backs_up_and_restores_through_a_proxy_with_a_sign_in() {
    let vault = TestVault::start();
    let proxy = ConnectProxy::with_login(USER, PASSWORD);
    let (server, source) = backed_up(&vault, &proxy);
    let target = server.path("target");
    let point = server.points().remove(0);
    server.restore(&point, &target, &[]).done();
    assert_same(&source, &restored(&target, &source));
    server.run(["verify", "--full", "--wait"]).done();
    server.run(["vault", "list"]).done();
    assert!(proxy.led().iter().all(|to| to == vault.address()), "{:?}", proxy.led());
    // None of it went by another way: without the proxy nothing goes.
    proxy.set(ProxyManner::Refuse(403));
    assert_blocked(run(server.backup_command()), "proxy-refused");
    assert_blocked(server.restore(&point, &server.path("other"), &[]), "proxy-refused");
    assert_blocked(server.run(["recovery-point", "list"]), "proxy-refused");
    assert_blocked(server.run(["vault", "list"]), "proxy-refused");
    // The password stands where it is kept, and nowhere else.
    let shown = server.run(["settings", "show"]).done();
    assert_eq!(shown.last()["proxy"], format!("http://{USER}@{}", proxy.address()));
    assert!(!shown.stdout.contains(PASSWORD));
    assert_eq!(find_below(&server.home(), PASSWORD), [server.home().join("keys/proxy.json")]);
    server.run(["settings", "set", "--no-proxy"]).done();
    assert!(!server.home().join("keys/proxy.json").exists());
    server.backup();
}

#[test]
fn whatever_stands_between_has_its_code() {
    let vault = TestVault::start();
    let proxy = ConnectProxy::with_login(USER, PASSWORD);
    let (server, _) = backed_up(&vault, &proxy);
    let list = || server.run(["recovery-point", "list"]);
    set_proxy(&server, proxy.address(), "proxy-geheim-8").done();
    assert_blocked(list(), "proxy-sign-in-refused");
    server.run(["settings", "set", "--proxy", &format!("http://{}", proxy.address())]).done();
    assert_blocked(list(), "proxy-sign-in-refused");
    set_proxy(&server, proxy.address(), PASSWORD).done();
    list().done();
    proxy.set(ProxyManner::Page);
    assert_blocked(list(), "captive-portal");
    proxy.set(ProxyManner::LeadTo(inspecting("Corp Inspection CA")));
    let outcome = list();
    assert!(outcome.stdout.contains("Corp Inspection CA"), "{outcome:#?}");
    assert_blocked(outcome, "tls-intercepted");
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    set_proxy(&server, free, PASSWORD).done();
    assert_blocked(list(), "proxy-unreachable");
    server.run(["settings", "set", "--no-proxy"]).done();
    // The environment's proxies are not used.
    let mut command = server.command(["recovery-point", "list"]);
    ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"].iter().for_each(|name| {
        command.env(name, format!("http://{free}"));
    });
    run(command).done();
}

#[test]
fn a_registration_that_the_way_fails_tells_each_step_and_keeps_no_proxy() {
    let vault = TestVault::start();
    let proxy = ConnectProxy::with_login(USER, PASSWORD);
    let server = TestServer::fresh();
    server.prepare_registration(&vault);
    let flags = flags(&server, proxy.address(), "proxy-geheim-8");
    let outcome = server.register("credentials", &flags.iter().map(String::as_str).collect::<Vec<_>>());
    let lines = outcome.json();
    let step = |name: &str| lines.iter().find(|line| line["name"] == name).unwrap()["outcome"].clone();
    assert_eq!(step("connection-port"), "passed");
    assert_eq!(step("connection-proxy"), "failed");
    assert_eq!(step("connection-certificate"), "skipped");
    assert_blocked(outcome, "proxy-sign-in-refused");
    assert!(!server.home().join("keys/proxy.json").exists());
    // The same for an administrator's sign-in; one that works is kept with its proxy.
    let admin = TestServer::fresh();
    let login = |password: &str| {
        let access = &vault.access;
        let mut command = admin.command(["login", "--url", &access.url, "--client-id", &access.client_id]);
        command.args(["--client-secret", &access.client_secret, "--ca-file"]).arg(&access.ca_file);
        command.args(self::flags(&admin, proxy.address(), password));
        run(command)
    };
    assert_blocked(login("proxy-geheim-8"), "proxy-sign-in-refused");
    login(PASSWORD).done();
    let before = proxy.led().len();
    admin.run(["vault", "show", VAULT]).done();
    assert!(proxy.led().len() > before);
}

#[test]
fn an_address_with_a_password_is_refused_and_not_repeated() {
    let server = TestServer::fresh();
    let outcome = server.run(["settings", "set", "--proxy", &format!("http://jane:{PASSWORD}@127.0.0.1:1")]);
    let outcome = outcome.expect_code(2);
    assert_eq!(outcome.error_code(), "usage");
    assert!(!outcome.stdout.contains(PASSWORD) && !outcome.stderr.contains(PASSWORD), "{outcome:#?}");
    // Nobody is there to be asked for the password of a user.
    let outcome = server.run(["settings", "set", "--proxy", "http://jane@127.0.0.1:1"]).expect_code(2);
    assert_eq!(outcome.error_code(), "no-terminal");
    assert!(find_below(server.folder(), PASSWORD).is_empty());
}

/// A device that opens TLS with certificates of an authority of that name. It runs as long as the test's process.
fn inspecting(authority: &str) -> SocketAddr {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, authority);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(["127.0.0.1".to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let chain = vec![certificate.der().clone()];
    let config = Arc::new(versions.unwrap().with_no_client_auth().with_single_cert(chain, key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let config = Arc::clone(&config);
            std::thread::spawn(move || {
                let mut connection = ServerConnection::new(config).unwrap();
                // Whoever does not trust it hangs up.
                while connection.complete_io(&mut stream).is_ok_and(|(read, written)| read + written > 0) {}
            });
        }
    });
    address
}
