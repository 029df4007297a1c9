//! Tests of shared deduplication domains: what members share, what stays each server's own, and that nobody else sees
//! any of it.

use super::Error;
use super::testing::{TestApp, TestServer, open_request, register_request, registration};
use bytes::Bytes;
use stateward_api::arm::credentials::CredentialsRequest;
use stateward_format::layout;
use stateward_format::point::{self, PackReference};
use stateward_model::{PackId, SessionId};
use stateward_store::ByteStore as _;

/// A founder, a member of its domain and a server of its own domain, each with its session open.
async fn three() -> (TestApp, [TestServer; 3]) {
    let test = TestApp::new().await;
    let founder = test.server("web-01").await;
    let member = test.server_in_domain("web-02", &founder).await;
    let stranger = test.server("db-01").await;
    let servers = [founder, member, stranger];
    for (server, number) in servers.iter().zip(1..) {
        test.app.open_session(server.caller, &open_request(number)).await.unwrap();
    }
    (test, servers)
}

fn session(number: u8) -> SessionId {
    SessionId([number; 16])
}

async fn commit(
    test: &TestApp,
    server: &TestServer,
    number: u8,
    packs: &[PackReference],
) -> Result<(), Error> {
    let head = test.app.points(server.caller).await?.last().copied();
    let sequence = head.map_or(1, |head| head.sequence + 1);
    let object = server.point(sequence, head.map(|head| head.hash), packs, |_| {});
    test.app.commit_point(server.caller, session(number), object).await.map(drop)
}

/// The packs that a new session of the server is told of.
async fn listed(test: &TestApp, server: &TestServer, number: u8) -> Vec<PackId> {
    let opened = test.app.open_session(server.caller, &open_request(number)).await.unwrap();
    opened.packs.unwrap().iter().map(|pack| pack.id).collect()
}

#[tokio::test]
async fn a_domain_has_its_founders_id_whichever_member_is_named() {
    let (test, [founder, member, stranger]) = three().await;
    let third = test.server_in_domain("web-03", &member).await;
    let domain = founder.caller.server;
    for server in [&founder, &member, &third] {
        assert_eq!(server.caller.domain, domain);
    }
    assert_eq!(stranger.caller.domain, stranger.caller.server);
    let known = test.servers().await;
    assert_eq!(known.iter().filter(|server| server.domain == domain).count(), 3);
}

#[tokio::test]
async fn a_committed_pack_is_every_members_and_no_strangers() {
    let (test, [founder, member, stranger]) = three().await;
    let pack = test.put_pack(&founder, session(1), b"shared").await;
    commit(&test, &founder, 1, &[pack]).await.unwrap();
    assert_eq!(listed(&test, &member, 2).await, [pack.id]);
    assert_eq!(test.app.pack(member.caller, pack.id).await.unwrap(), pack);
    commit(&test, &member, 2, &[pack]).await.unwrap();
    assert!(listed(&test, &stranger, 3).await.is_empty());
    assert!(matches!(test.app.pack(stranger.caller, pack.id).await, Err(Error::NotFound(_))));
    assert!(matches!(commit(&test, &stranger, 3, &[pack]).await, Err(Error::PacksMissing(_))));
    let vault = test.app.vault_at(&test.place()).await.unwrap();
    let totals = test.app.vault_usage(vault.id).await.unwrap();
    assert_eq!(totals.stored_bytes, 6, "a shared pack is counted once");
}

#[tokio::test]
async fn what_another_members_session_has_put_is_not_adopted() {
    let (test, [founder, member, _]) = three().await;
    let pack = test.put_pack(&founder, session(1), b"not committed").await;
    let assert_hidden = async || {
        assert!(listed(&test, &member, 2).await.is_empty());
        assert!(matches!(test.app.pack(member.caller, pack.id).await, Err(Error::NotFound(_))));
        assert!(matches!(commit(&test, &member, 2, &[pack]).await, Err(Error::PacksMissing(_))));
    };
    assert_hidden().await;
    // Also when that session is dead: the pack is its own server's next session's.
    test.app.close_session(founder.caller, session(1)).await.unwrap();
    assert_hidden().await;
    assert_eq!(listed(&test, &founder, 4).await, [pack.id]);
    commit(&test, &founder, 4, &[pack]).await.unwrap();
    assert_eq!(listed(&test, &member, 2).await, [pack.id]);
}

#[tokio::test]
async fn two_members_back_up_at_the_same_time() {
    let (test, [founder, member, _]) = three().await;
    let ours = test.put_pack(&founder, session(1), b"the founder's").await;
    let theirs = test.put_pack(&member, session(2), b"the member's").await;
    commit(&test, &founder, 1, &[ours]).await.unwrap();
    commit(&test, &member, 2, &[ours, theirs]).await.unwrap();
    commit(&test, &founder, 1, &[ours, theirs]).await.unwrap();
}

#[tokio::test]
async fn a_pack_that_is_lost_is_every_members_loss_and_any_heals_it() {
    let (test, [founder, member, stranger]) = three().await;
    let pack = test.put_pack(&founder, session(1), b"whole pack").await;
    commit(&test, &founder, 1, &[pack]).await.unwrap();
    let name = super::App::object(member.caller.vault, &layout::pack(pack.id));
    test.store.heal(&name, vec![Bytes::from_static(b"who")]).await.unwrap();
    assert!(matches!(commit(&test, &stranger, 3, &[pack]).await, Err(Error::PacksMissing(_))));
    assert_eq!(listed(&test, &founder, 1).await, [pack.id], "a stranger's commit says nothing of it");
    assert!(matches!(commit(&test, &member, 2, &[pack]).await, Err(Error::PacksMissing(_))));
    assert!(listed(&test, &founder, 1).await.is_empty());
    test.put_pack(&member, session(2), b"whole pack").await;
    commit(&test, &founder, 1, &[pack]).await.unwrap();
}

#[tokio::test]
async fn points_sessions_and_slots_stay_each_servers_own() {
    let (test, [founder, member, _]) = three().await;
    commit(&test, &founder, 1, &[]).await.unwrap();
    assert!(test.app.points(member.caller).await.unwrap().is_empty());
    let listed = test.app.points(founder.caller).await.unwrap()[0];
    let hidden = test.app.point_object(member.caller, listed.sequence, listed.hash).await;
    assert!(matches!(hidden, Err(Error::NotFound(_))));
    assert!(matches!(test.app.heartbeat(member.caller, session(1)).await, Err(Error::NotFound(_))));
    let forged = founder.point(2, Some(listed.hash), &[], |_| {});
    assert_ne!(point::hash(&forged), listed.hash);
    let refused = test.app.commit_point(member.caller, session(2), forged).await;
    assert!(matches!(refused, Err(Error::InvalidRequest(_))));
}

#[tokio::test]
async fn references_say_domain_server_and_pack() {
    let (test, [founder, member, _]) = three().await;
    let pack = test.put_pack(&founder, session(1), b"shared").await;
    commit(&test, &founder, 1, &[pack]).await.unwrap();
    commit(&test, &member, 2, &[pack]).await.unwrap();
    commit(&test, &founder, 1, &[]).await.unwrap();
    let mut connection = test.app.database.read().await.unwrap();
    for (server, last) in [(&founder, Some(1)), (&member, None)] {
        let found = crate::db::points::lifetimes(&mut connection, server.caller.server).await.unwrap();
        assert_eq!(found, [(pack.id, 1, last)]);
    }
}

#[tokio::test]
async fn a_known_login_key_does_not_change_its_domain_and_a_revoked_server_lets_nobody_in() {
    let (test, [founder, ..]) = three().await;
    let own = test.credentials(&CredentialsRequest { uses: Some(2), ..register_request() }).await.unwrap();
    test.app.register(&registration(&own, "web-09", 9)).await.unwrap();
    let domain = Some(founder.caller.server);
    let shared = test.credentials(&CredentialsRequest { domain, ..register_request() }).await.unwrap();
    assert_eq!(shared.domain, domain);
    let moved = test.app.register(&registration(&shared, "web-09", 9)).await;
    assert!(matches!(moved, Err(Error::AlreadyExists(_))));
    let mut transaction = test.app.database.write().await.unwrap();
    crate::db::servers::revoke(&mut transaction, founder.caller.server, test.app.now()).await.unwrap();
    transaction.commit().await.unwrap();
    let refused = test.credentials(&CredentialsRequest { domain, ..register_request() }).await;
    assert!(matches!(refused, Err(Error::InvalidRequest(_))));
}
