//! Tests of the commit: what it takes, what it refuses, and that a crash between any two of its steps does no harm.

use super::*;
use crate::app::testing::{TestApp, TestServer, open_request, signing_key};
use futures::StreamExt as _;
use ring::signature::KeyPair as _;
use stateward_format::point::PackReference;
use stateward_format::receipt;
use stateward_model::{ItemId, ItemKind, ServerId, VaultId};
use stateward_store::ByteStore as _;
use stateward_store::faulty::Fault;
use stateward_store::recording::Call;

const SESSION: SessionId = SessionId([1; 16]);

async fn with_session() -> (TestApp, TestServer) {
    let test = TestApp::new().await;
    let server = test.server("web-01").await;
    test.app.open_session(server.caller, &open_request(1)).await.unwrap();
    (test, server)
}

async fn commit(test: &TestApp, server: &TestServer, object: &Bytes) -> Result<Bytes, Error> {
    test.app.commit_point(server.caller, SESSION, object.clone()).await
}

/// Each pack's lifetimes as (pack, first, last), read straight from the table.
async fn lifetimes(test: &TestApp, server: &TestServer) -> Vec<(u8, i64, Option<i64>)> {
    let rows =
        db::points::lifetimes(&mut test.app.database.read().await.unwrap(), server.caller.server).await;
    rows.unwrap().into_iter().map(|(pack, first, last)| (pack.0[0], first, last)).collect()
}

#[tokio::test]
async fn a_committed_point_has_a_receipt_that_the_vaults_key_signed() {
    let (test, server) = with_session().await;
    let pack = test.put_pack(&server, SESSION, b"one").await;
    let object = server.point(1, None, &[pack], |_| {});
    let answer = commit(&test, &server, &object).await.unwrap();
    let (said, signed, signature) = receipt::decode(&answer).unwrap();
    UnparsedPublicKey::new(&ED25519, test.app.key.public()).verify(signed, &signature).unwrap();
    let hash = point::hash(&object);
    assert_eq!((said.point, said.sequence, said.received_at), (hash, 1, test.app.now()));
    assert_eq!((said.vault, said.server), (server.caller.vault, server.caller.server));
    let (length, stream) = test.app.point_object(server.caller, 1, hash).await.unwrap();
    let read: Vec<_> = stream.map(|piece| piece.unwrap()).collect().await;
    assert_eq!((read.concat(), length), (object.to_vec(), object.len() as u64));
    assert_eq!(test.app.receipt_object(server.caller, 1, hash).await.unwrap(), answer);
}

#[tokio::test]
async fn committing_again_gives_the_same_receipt_whatever_became_of_the_session() {
    let (test, server) = with_session().await;
    let object = server.point(1, None, &[], |_| {});
    let first = commit(&test, &server, &object).await.unwrap();
    test.clock.advance(100);
    test.app.close_session(server.caller, SESSION).await.unwrap();
    assert_eq!(commit(&test, &server, &object).await.unwrap(), first);
    assert_eq!(test.app.points(server.caller).await.unwrap().len(), 1);
}

#[tokio::test]
async fn points_form_one_chain() {
    let (test, server) = with_session().await;
    let first = server.point(1, None, &[], |_| {});
    commit(&test, &server, &first).await.unwrap();
    let hash = point::hash(&first);
    for (sequence, previous) in [(1, None), (2, Some(PointHash([9; 32]))), (3, Some(hash))] {
        let object = server.point(sequence, previous, &[], |header| header.epoch = 7);
        let refused = commit(&test, &server, &object).await;
        assert!(matches!(refused, Err(Error::WrongHead(_))), "{sequence}");
    }
    commit(&test, &server, &server.point(2, Some(hash), &[], |_| {})).await.unwrap();
    let listed: Vec<_> = test.app.points(server.caller).await.unwrap().iter().map(|p| p.sequence).collect();
    assert_eq!(listed, [1, 2]);
}

#[tokio::test]
async fn a_point_for_another_place_or_with_another_signature_is_refused() {
    let (test, server) = with_session().await;
    let changes: [fn(&mut PointHeader); 4] = [
        |header| header.vault = VaultId([0; 16]),
        |header| header.server = ServerId([0; 16]),
        |header| header.item = ItemId([0; 16]),
        |header| header.kind = ItemKind::Files,
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let refused = commit(&test, &server, &server.point(1, None, &[], change)).await;
        assert!(matches!(refused, Err(Error::InvalidRequest(_))), "change {number}");
    }
    let mut bytes = server.point(1, None, &[], |_| {}).to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    assert!(matches!(commit(&test, &server, &bytes.into()).await, Err(Error::InvalidRequest(_))));
    assert!(matches!(commit(&test, &server, &Bytes::from_static(b"x")).await, Err(Error::InvalidRequest(_))));
    assert_eq!(test.store.count(Call::Create), 0);
    assert_ne!(signing_key(server.seed).public_key().as_ref(), test.app.key.public());
}

#[tokio::test]
async fn packs_that_are_missing_or_of_another_length_are_listed() {
    let (test, server) = with_session().await;
    let good = test.put_pack(&server, SESSION, b"one").await;
    let unknown = PackReference { id: PackId([0; 32]), length: 3 };
    let longer = PackReference { length: 4, ..good };
    for (packs, expected) in [(vec![good, unknown], unknown.id), (vec![longer], good.id)] {
        let refused = commit(&test, &server, &server.point(1, None, &packs, |_| {})).await.unwrap_err();
        assert!(matches!(&refused, Error::PacksMissing(missing) if *missing == [expected]), "{refused:?}");
    }
    let other = test.server("web-02").await;
    test.app.open_session(other.caller, &open_request(2)).await.unwrap();
    let foreign = other.point(1, None, &[good], |_| {});
    let refused = test.app.commit_point(other.caller, SessionId([2; 16]), foreign).await;
    assert!(matches!(refused, Err(Error::PacksMissing(_))), "another server's pack can't be referred to");
}

#[tokio::test]
async fn a_pack_that_is_gone_from_the_store_is_found_and_healed() {
    let (test, server) = with_session().await;
    let pack = test.put_pack(&server, SESSION, b"whole pack").await;
    let first = server.point(1, None, &[pack], |_| {});
    commit(&test, &server, &first).await.unwrap();
    let name = App::object(server.caller.vault, &layout::pack(pack.id));
    test.store.heal(&name, vec![Bytes::from_static(b"who")]).await.unwrap();
    let second = server.point(2, Some(point::hash(&first)), &[pack], |_| {});
    let refused = commit(&test, &server, &second).await;
    assert!(matches!(refused, Err(Error::PacksMissing(missing)) if missing == [pack.id]));
    let opened = test.app.open_session(server.caller, &open_request(1)).await.unwrap();
    assert_eq!(opened.packs, Some(vec![]), "agents must not count on it any more");
    test.put_pack(&server, SESSION, b"whole pack").await;
    commit(&test, &server, &second).await.unwrap();
}

#[tokio::test]
async fn packs_are_referred_to_by_lifetimes_of_each_item() {
    let (test, server) = with_session().await;
    let mut packs = Vec::new();
    for bytes in [&b"one"[..], b"two", b"three"] {
        packs.push(test.put_pack(&server, SESSION, bytes).await);
    }
    let [a, b, c] = packs[..] else { unreachable!("three packs were put") };
    let other_item = ItemId([77; 16]);
    let request = stateward_api::agent::ItemRequest { label: "etc".parse().unwrap(), kind: ItemKind::Files };
    test.app.put_item(server.caller, other_item, &request).await.unwrap();
    let mut previous = None;
    for (sequence, packs, is_other) in [
        (1, vec![a, b], false),
        (2, vec![b], true),
        (3, vec![a, b], false),
        (4, vec![b, c], false),
        (5, vec![a], false),
    ] {
        let object = server.point(sequence, previous, &packs, |header| {
            if is_other {
                (header.item, header.kind) = (other_item, ItemKind::Files);
            }
        });
        commit(&test, &server, &object).await.unwrap();
        previous = Some(point::hash(&object));
    }
    let mut expected = [
        (a.id.0[0], 1, Some(3)),
        (a.id.0[0], 5, None),
        (b.id.0[0], 1, Some(4)),
        (b.id.0[0], 2, None),
        (c.id.0[0], 4, Some(4)),
    ];
    expected.sort();
    assert_eq!(lifetimes(&test, &server).await, expected);
    let mut connection = test.app.database.read().await.unwrap();
    let held = crate::db::points::bytes_held(&mut connection, server.caller.server).await.unwrap();
    assert_eq!(held, [6, 3, 6, 8, 3]);
}

#[tokio::test]
async fn a_point_beside_the_newest_begins_a_branch_and_both_keep_their_packs() {
    let (test, server) = with_session().await;
    let [a, b, c] = [
        test.put_pack(&server, SESSION, b"one").await,
        test.put_pack(&server, SESSION, b"two").await,
        test.put_pack(&server, SESSION, b"three").await,
    ];
    let mut made: Vec<(u64, PointHash, Vec<PackReference>)> = Vec::new();
    // Each follows the one of that place in the list; the last two branch off at the first.
    for (sequence, after, packs) in [
        (1, None, vec![a]),
        (2, Some(0), vec![a, b]),
        (3, Some(1), vec![a, b, c]),
        (2, Some(0), vec![c]),
        (4, Some(2), vec![a]),
        (3, Some(3), vec![b, c]),
    ] {
        let previous = after.map(|place: usize| made[place].1);
        let object = server.point(sequence, previous, &packs, |_| {});
        commit(&test, &server, &object).await.unwrap();
        made.push((sequence, point::hash(&object), packs));
        let opened = test.app.open_session(server.caller, &open_request(1)).await.unwrap();
        assert_eq!(opened.head.unwrap().hash, point::hash(&object), "the head is what was committed last");
        let forked_at = test.servers().await[0].forked_at;
        assert_eq!(forked_at.is_some(), made.len() > 3);
    }
    let lifetimes = lifetimes(&test, &server).await;
    for (sequence, _, packs) in &made {
        for pack in packs {
            let holds = |(id, first, last): &(u8, i64, Option<i64>)| {
                *id == pack.id.0[0]
                    && *first <= *sequence as i64
                    && last.is_none_or(|last| *sequence as i64 <= last)
            };
            assert!(lifetimes.iter().any(holds), "{sequence} needs {}: {lifetimes:?}", pack.id);
        }
    }
    for (sequence, hash, _) in &made {
        assert!(test.app.receipt_object(server.caller, *sequence, *hash).await.is_ok());
    }
    // What is of no branch is refused all the same.
    let nowhere = server.point(9, Some(made[0].1), &[], |_| {});
    assert!(matches!(commit(&test, &server, &nowhere).await, Err(Error::WrongHead(_))));
}

#[tokio::test]
async fn a_failure_at_any_object_leaves_a_commit_that_can_be_repeated() {
    // The pack is the first object that is created, then the point's, then the receipt's.
    for (after, fault) in [
        (1, Fault::Failed),
        (1, Fault::Full),
        (1, Fault::LostAnswer),
        (2, Fault::Failed),
        (2, Fault::LostAnswer),
    ] {
        let (mut test, server) = with_session().await;
        test.faults.fail(Call::Create, after, 1, fault);
        let pack = test.put_pack(&server, SESSION, b"one").await;
        let object = server.point(1, None, &[pack], |_| {});
        let began = test.app.now();
        assert!(commit(&test, &server, &object).await.is_err());
        let is_committed = !test.app.points(server.caller).await.unwrap().is_empty();
        assert_eq!(is_committed, after == 2, "a point is there once its transaction is");
        test.clock.advance(5);
        test.restart().await;
        assert_eq!(test.app.store_missing_receipts().await.unwrap(), usize::from(is_committed));
        assert_eq!(test.app.store_missing_receipts().await.unwrap(), 0);
        let answer = commit(&test, &server, &object).await.unwrap();
        let received_at = receipt::decode(&answer).unwrap().0.received_at;
        assert_eq!(received_at == began, is_committed, "{after} {fault:?}");
        let kept = test.app.receipt_object(server.caller, 1, point::hash(&object)).await.unwrap();
        assert_eq!(kept, answer);
    }
}

#[tokio::test]
async fn a_session_that_was_replaced_commits_nothing() {
    let (test, server) = with_session().await;
    test.clock.advance(61);
    test.app.open_session(server.caller, &open_request(2)).await.unwrap();
    let refused = commit(&test, &server, &server.point(1, None, &[], |_| {})).await;
    assert!(matches!(refused, Err(Error::SessionLost)));
    assert!(test.app.points(server.caller).await.unwrap().is_empty());
}

#[tokio::test]
async fn of_two_commits_at_once_one_wins() {
    let (test, server) = with_session().await;
    let one = server.point(1, None, &[], |_| {});
    let other = server.point(1, None, &[], |header| header.epoch = 2);
    let (first, second) = tokio::join!(commit(&test, &server, &one), commit(&test, &server, &other));
    assert_eq!(u8::from(first.is_ok()) + u8::from(second.is_ok()), 1);
    let lost = first.err().or(second.err());
    assert!(matches!(lost, Some(Error::WrongHead(_))));
}

#[tokio::test]
async fn another_servers_points_are_not_found() {
    let (test, server) = with_session().await;
    let other = test.server("web-02").await;
    let object = server.point(1, None, &[], |_| {});
    commit(&test, &server, &object).await.unwrap();
    let hash = point::hash(&object);
    assert!(test.app.points(other.caller).await.unwrap().is_empty());
    assert!(matches!(test.app.point_object(other.caller, 1, hash).await, Err(Error::NotFound(_))));
    assert!(matches!(test.app.receipt_object(other.caller, 1, hash).await, Err(Error::NotFound(_))));
    assert!(matches!(test.app.point_object(server.caller, 2, hash).await, Err(Error::NotFound(_))));
}

#[tokio::test]
async fn an_unchanged_commit_writes_no_references() {
    let (test, server) = with_session().await;
    let pack = test.put_pack(&server, SESSION, b"one").await;
    let first = server.point(1, None, &[pack], |_| {});
    commit(&test, &server, &first).await.unwrap();
    let before = lifetimes(&test, &server).await;
    commit(&test, &server, &server.point(2, Some(point::hash(&first)), &[pack], |_| {})).await.unwrap();
    assert_eq!(lifetimes(&test, &server).await, before);
}

#[tokio::test]
async fn a_point_may_need_more_packs_than_one_statement_takes() {
    const PACKS: usize = 10_001;
    let (test, server) = with_session().await;
    let caller = server.caller;
    let mut transaction = test.app.database.write().await.unwrap();
    let mut packs = Vec::new();
    for number in 0..PACKS {
        let bytes = Bytes::copy_from_slice(&number.to_le_bytes());
        let pack = PackReference { id: PackId(*blake3::hash(&bytes).as_bytes()), length: 8 };
        test.store.create(&App::object(caller.vault, &layout::pack(pack.id)), vec![bytes]).await.unwrap();
        db::packs::announce(&mut transaction, caller.domain, caller.server, pack).await.unwrap();
        db::packs::mark_stored(&mut transaction, caller.domain, pack.id).await.unwrap();
        packs.push(pack);
    }
    transaction.commit().await.unwrap();
    let first = server.point(1, None, &packs, |_| {});
    commit(&test, &server, &first).await.unwrap();
    let mut connection = test.app.database.read().await.unwrap();
    let known = db::packs::list(&mut connection, caller.domain).await.unwrap();
    assert_eq!(known.iter().filter(|pack| pack.state == db::packs::PackState::Live).count(), PACKS);
    drop(connection);
    let kept = packs[0];
    commit(&test, &server, &server.point(2, Some(point::hash(&first)), &[kept], |_| {})).await.unwrap();
    let mut connection = test.app.database.read().await.unwrap();
    let lifetimes = db::points::lifetimes(&mut connection, caller.server).await.unwrap();
    assert_eq!(lifetimes.len(), PACKS);
    for (pack, first, last) in lifetimes {
        assert_eq!((first, last), (1, (pack != kept.id).then_some(1)));
    }
}
