//! Servers as they are managed: what is wrong with them, and the end of their registration.

use super::*;
use crate::app::testing::{TestApp, open_request};
use crate::app::tokens::Caller;

fn actor() -> Actor {
    Actor::Task("test")
}

async fn unregister(test: &TestApp, named: Named<'_>) -> Result<(), Error> {
    test.app.unregister(&actor(), &test.place(), &named).await
}

#[tokio::test]
async fn an_unregistered_server_is_out_at_once_and_keeps_its_items() {
    let test = TestApp::new().await;
    let server = test.server("web-01").await;
    let id = server.caller.server;
    let token = test.app.issue_token(&server.token_request(|_| {})).await.unwrap().access_token;
    assert_eq!(test.app.authenticate(&token).await.unwrap(), Caller::Server(server.caller));
    test.app.open_session(server.caller, &open_request(1)).await.unwrap();
    // Twice: what was unregistered stays so.
    for _ in 0..2 {
        unregister(&test, Named::Label("WEB-01")).await.unwrap();
    }
    assert!(matches!(test.app.authenticate(&token).await, Err(Error::ServerRevoked)));
    let again = test.app.issue_token(&server.token_request(|_| {})).await;
    assert!(matches!(again, Err(Error::ServerRevoked)));
    let lost = test.app.heartbeat(server.caller, open_request(1).session).await;
    assert!(matches!(lost, Err(Error::SessionLost)));
    let container = test.app.container(server.caller.vault, id).await.unwrap();
    assert!(container.managed.revoked_at.is_some());
    assert_eq!(container.items.iter().map(|item| item.id).collect::<Vec<_>>(), [server.item]);
    assert_eq!(test.app.vault_usage(server.caller.vault).await.unwrap().servers, 0);
}

#[tokio::test]
async fn a_name_that_several_servers_bear_is_refused_with_their_ids() {
    let test = TestApp::new().await;
    let (one, other) = (test.server("web").await.caller.server, test.server("web").await.caller.server);
    let refused = unregister(&test, Named::Label("web")).await.unwrap_err();
    assert!(matches!(&refused, Error::Refused { code: ErrorCode::AmbiguousName, .. }));
    for id in [one, other] {
        assert!(refused.to_string().contains(&id.to_string()), "{refused}");
    }
    unregister(&test, Named::Id(one)).await.unwrap();
    // Now the name means one only.
    unregister(&test, Named::Label("web")).await.unwrap();
    for wrong in [Named::Label("db"), Named::Id(ServerId([9; 16]))] {
        assert!(matches!(unregister(&test, wrong).await, Err(Error::NotFound(_))));
    }
    let elsewhere = Place { vault: Some("other".to_owned()), ..test.place() };
    let refused = test.app.unregister(&actor(), &elsewhere, &Named::Id(other)).await;
    assert!(matches!(refused, Err(Error::NotFound(_))));
}

#[tokio::test]
async fn a_server_that_is_silent_for_days_does_not_look_well_while_it_protects_something() {
    let test = TestApp::new().await;
    let server = test.server("web-01").await;
    let ailments = async || {
        let container = test.app.container(server.caller.vault, server.caller.server).await.unwrap();
        container.ailments(test.app.now())
    };
    assert_eq!(ailments().await, []);
    let registered = test.app.now();
    test.clock.advance(QUIET_SECONDS - 1);
    assert_eq!(ailments().await, []);
    test.clock.advance(1);
    assert_eq!(ailments().await, [Ailment::Quiet(registered)]);
    test.app.open_session(server.caller, &open_request(1)).await.unwrap();
    assert_eq!(ailments().await, []);
    test.clock.advance(QUIET_SECONDS);
    unregister(&test, Named::Id(server.caller.server)).await.unwrap();
    assert_eq!(ailments().await, []);
    let mut transaction = test.app.database.write().await.unwrap();
    db::servers::note_fork(&mut transaction, server.caller.server, registered).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(ailments().await, [Ailment::Forked(registered)]);
}
