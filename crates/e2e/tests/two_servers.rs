//! Servers with the same data in one vault: with domains of their own they share nothing, in one deduplication domain
//! the second costs next to nothing and loses nothing.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]
#![cfg(target_os = "linux")]

use stateward_e2e::process::{Outcome, run};
use stateward_e2e::server::restored;
use stateward_e2e::vault::ObjectKind;
use stateward_e2e::{Dice, TestServer, TestVault, assert_same, tree};
use std::fs;
use std::path::{Path, PathBuf};

/// Plants the one tree below a server's folder and protects it.
fn plant(server: &TestServer) -> PathBuf {
    let source = server.path("source");
    tree::plant(&source, tree::Size::PACKS, &mut Dice::new(21));
    server.protect(&source);
    source
}

/// Backs up; the bytes that were sent, which must be those that the store grew by.
fn back_up(vault: &TestVault, server: &TestServer) -> u64 {
    let stored = vault.bytes_of(ObjectKind::Pack);
    let sent = server.backup()["bytes_uploaded"].as_u64().unwrap();
    assert_eq!(vault.bytes_of(ObjectKind::Pack) - stored, sent, "what is sent is stored, and no more");
    sent
}

fn ratio(second: u64, first: u64) -> f64 {
    second as f64 / first as f64
}

/// Recovers from the vault's folder with nothing but that server's passphrase.
fn recover(vault: &TestVault, server: &TestServer, label: &str, target: &Path) -> Outcome {
    let mut recover =
        TestServer::fresh().command(["recover", "--recovery-point", "latest", "--server", label]);
    recover.arg("--store").arg(vault.data()).arg("--passphrase-file").arg(server.passphrase_file());
    recover.arg("--target").arg(target).current_dir("/");
    run(recover)
}

#[test]
fn the_second_of_two_equal_servers_costs_what_the_first_did() {
    let vault = TestVault::start();
    let uploaded = [(); 2].map(|()| {
        let server = TestServer::registered(&vault);
        plant(&server);
        back_up(&vault, &server)
    });
    println!("two servers, own domains: first {} bytes, second {} bytes", uploaded[0], uploaded[1]);
    // Each has its own keys: no pack of the one could be read, or even be recognised, with those of the other.
    assert!((0.98..=1.02).contains(&ratio(uploaded[1], uploaded[0])), "{uploaded:?}");
}

#[test]
fn in_one_domain_the_second_costs_next_to_nothing_and_comes_back_by_itself() {
    let vault = TestVault::start();
    let founder = TestServer::registered(&vault);
    plant(&founder);
    let first = back_up(&vault, &founder);
    let member = TestServer::registered_in_domain(&vault, &founder, "web-02");
    let source = plant(&member);
    let second = back_up(&vault, &member);
    println!("two servers, one domain: first {first} bytes, second {second} bytes");
    assert!(ratio(second, first) < 0.05, "{first} then {second}");

    let stranger = TestServer::registered(&vault);
    plant(&stranger);
    assert!(
        ratio(back_up(&vault, &stranger), first) > 0.98,
        "another domain's server gets nothing of theirs"
    );

    // The founder's machine is lost, with its keys.
    fs::remove_dir_all(founder.home()).unwrap();
    let target = member.path("restored");
    member.restore("latest", &target, &[]).done();
    assert_same(&source, &restored(&target, &source));
    let recovered = member.path("recovered");
    recover(&vault, &member, "web-02", &recovered).done();
    assert_same(&source, &restored(&recovered, &source));
    let wrong = recover(&vault, &founder, "web-02", &member.path("nothing")).expect_code(12);
    assert_eq!(wrong.error_code(), "wrong-passphrase");

    // A lost cache is made again from the packs of the domain, whoever put them.
    fs::remove_dir_all(member.home().join("cache")).unwrap();
    assert!(ratio(back_up(&vault, &member), first) < 0.01);
    member.run(["verify", "--full"]).done();

    // Any member can let another one in.
    let third = TestServer::registered_in_domain(&vault, &member, "web-03");
    plant(&third);
    assert!(ratio(back_up(&vault, &third), first) < 0.05);
}

#[test]
fn what_does_not_belong_together_is_refused_each_with_its_own_error() {
    let (vault, elsewhere) = (TestVault::start(), TestVault::start());
    let founder = TestServer::registered(&vault);
    let share = |name: &str| {
        let mut share = founder.command(["domain", "share", "--out"]);
        share.arg(founder.path(name)).arg("--passphrase-file").arg(founder.passphrase_file());
        run(share).done().last()["domain"].as_str().unwrap().to_owned()
    };
    let domain = share("domain");
    founder.credentials("shared", &["--domain", &domain]).done();
    founder.credentials("own", &[]).done();
    let other = TestServer::registered(&elsewhere);
    other.credentials("own", &[]).done();

    let good = fs::read_to_string(founder.path("domain")).unwrap();
    fs::write(founder.path("damaged"), &good[..100]).unwrap();
    fs::write(founder.path("wrong"), "not the passphrase of the domain").unwrap();
    let refused = |credentials: PathBuf, more: &[&str], code: i32, error: &str| {
        let newcomer = TestServer::fresh();
        fs::copy(credentials, newcomer.path("credentials")).unwrap();
        let outcome = newcomer.register("credentials", more).expect_code(code);
        assert_eq!(outcome.error_code(), error);
        assert!(!newcomer.home().join("registration.json").exists());
    };
    let at = |name: &str| founder.path(name).to_str().unwrap().to_owned();
    let (file, damaged, wrong, right) = (at("domain"), at("damaged"), at("wrong"), at("passphrase"));
    let with = |file, passphrase| ["--domain", file, "--domain-passphrase-file", passphrase];
    refused(founder.path("shared"), &[], 13, "domain-mismatch");
    refused(founder.path("own"), &with(&file, &right), 13, "domain-mismatch");
    refused(other.path("own"), &with(&file, &right), 13, "domain-of-another-vault");
    refused(founder.path("shared"), &with(&damaged, &right), 1, "domain-file-damaged");
    refused(founder.path("shared"), &with(&file, &wrong), 12, "wrong-domain-passphrase");
}
