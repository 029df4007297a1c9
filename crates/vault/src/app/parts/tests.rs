//! Parts in any order, twice, too many, wrong, abandoned, and of sessions that are over.

use super::*;
use crate::app::testing::{TestApp, TestServer, open_request};
use stateward_format::point::PackReference;
use stateward_store::recording::Call;

const SESSION: SessionId = SessionId([1; 16]);

/// A vault with one server whose session 1 is open.
async fn opened() -> (TestApp, TestServer) {
    let test = TestApp::new().await;
    let server = test.server("web-01").await;
    test.app.open_session(server.caller, &open_request(1)).await.unwrap();
    (test, server)
}

fn id_of(bytes: &[u8]) -> PackId {
    PackId(*blake3::hash(bytes).as_bytes())
}

fn pack(length: u32) -> Vec<u8> {
    (0..length).map(|n| (n / 7) as u8).collect()
}

fn place(range: Range<u32>, pack_length: u32) -> PartPlace {
    PartPlace { range, pack_length }
}

/// Begins a part of session 1.
async fn begin(
    test: &TestApp,
    server: &TestServer,
    id: PackId,
    place: PartPlace,
) -> Result<IncomingPart, Error> {
    match test.app.begin_part(server.caller, SESSION, id, place).await? {
        Begun::Receive(incoming) => Ok(incoming),
        Begun::Stored => panic!("the pack is there already"),
    }
}

/// Sends a range of a pack whole.
async fn send(
    test: &TestApp,
    server: &TestServer,
    bytes: &[u8],
    range: Range<u32>,
) -> Result<PartOutcome, Error> {
    let id = id_of(bytes);
    let mut incoming = begin(test, server, id, place(range.clone(), bytes.len() as u32)).await?;
    for piece in bytes[range.start as usize..range.end as usize].chunks(1000) {
        incoming.write(piece)?;
    }
    test.app.finish_part(server.caller, SESSION, id, incoming).await
}

fn free_mib(test: &TestApp) -> usize {
    test.app.pack_memory.free_mib()
}

#[tokio::test]
async fn parts_in_any_order_and_twice_make_the_pack_that_is_stored_once() {
    let (test, server) = opened().await;
    let bytes = pack(10_000);
    let first = send(&test, &server, &bytes, 6000..10_000).await.unwrap();
    assert!(first.assembly.is_some() && !first.is_new);
    for range in [0..1000, 0..1000, 500..2000] {
        let more = send(&test, &server, &bytes, range).await.unwrap();
        assert_eq!(more.assembly, first.assembly);
    }
    assert_eq!(test.store.count(Call::Create), 0);
    let last = send(&test, &server, &bytes, 2000..6000).await.unwrap();
    assert_eq!(last, PartOutcome { assembly: None, is_new: true, received_bytes: 11_500 });
    assert_eq!(test.store.count(Call::Create), 1);
    let reference = PackReference { id: id_of(&bytes), length: 10_000 };
    assert_eq!(test.app.pack(server.caller, reference.id).await.unwrap(), reference);
    let again = test.app.begin_part(server.caller, SESSION, reference.id, place(0..9, 10_000)).await;
    assert!(matches!(again, Ok(Begun::Stored)));
    assert_eq!(free_mib(&test), 128);
}

#[tokio::test]
async fn wrong_bytes_leave_nothing_behind_and_the_right_ones_can_come_again() {
    let (test, server) = opened().await;
    let bytes = pack(5000);
    let id = id_of(&bytes);
    let mut wrong = begin(&test, &server, id, place(0..5000, 5000)).await.unwrap();
    wrong.write(&[1; 5000]).unwrap();
    let refused = test.app.finish_part(server.caller, SESSION, id, wrong).await;
    assert!(matches!(refused, Err(Error::WrongContent(_))));
    assert_eq!((test.store.count(Call::Create), free_mib(&test)), (0, 128));
    assert!(send(&test, &server, &bytes, 0..5000).await.unwrap().is_new);
}

#[tokio::test]
async fn a_part_of_another_length_than_it_was_said_to_have_does_not_count() {
    let (test, server) = opened().await;
    let bytes = pack(5000);
    let id = id_of(&bytes);
    let mut long = begin(&test, &server, id, place(0..10, 5000)).await.unwrap();
    assert!(matches!(long.write(&[1; 11]), Err(Error::WrongContent(_))));
    let short = test.app.finish_part(server.caller, SESSION, id, long).await;
    assert!(matches!(short, Err(Error::WrongContent(_))));
    let rest = send(&test, &server, &bytes, 10..5000).await.unwrap();
    assert!(rest.assembly.is_some());
    let other_length = begin(&test, &server, id, place(0..10, 5001)).await.err();
    assert!(matches!(other_length, Some(Error::InvalidRequest(_))));
    assert!(send(&test, &server, &bytes, 0..10).await.unwrap().is_new);
}

#[tokio::test]
async fn bytes_that_are_coming_in_are_not_taken_from_a_second_call_until_the_first_broke_off() {
    let (test, server) = opened().await;
    let bytes = pack(5000);
    let first = begin(&test, &server, id_of(&bytes), place(0..3000, 5000)).await.unwrap();
    for range in [0..3000, 2999..3001] {
        assert!(matches!(send(&test, &server, &bytes, range).await, Err(Error::Unavailable(_))));
    }
    assert!(send(&test, &server, &bytes, 3000..5000).await.unwrap().assembly.is_some());
    drop(first);
    assert!(send(&test, &server, &bytes, 0..3000).await.unwrap().is_new);
}

#[tokio::test]
async fn packs_and_parts_without_number_are_refused() {
    let (test, server) = opened().await;
    let (one, two, three) = (pack(5000), pack(5001), pack(5002));
    send(&test, &server, &one, 0..1).await.unwrap();
    send(&test, &server, &two, 0..1).await.unwrap();
    assert!(matches!(send(&test, &server, &three, 0..1).await, Err(Error::Unavailable(_))));
    for at in 1..RANGES_MAX as u32 {
        send(&test, &server, &one, 2 * at..2 * at + 1).await.unwrap();
    }
    let too_many = send(&test, &server, &one, 4000..4001).await;
    assert!(matches!(too_many, Err(Error::InvalidRequest(_))));
    let too_long = place(0..1, ASSEMBLED_BYTES_MAX as u32 + 1);
    assert!(matches!(begin(&test, &server, PackId([9; 32]), too_long).await.err(), Some(Error::TooLarge(_))));
}

#[tokio::test]
async fn what_is_abandoned_is_let_go_after_a_minute_and_what_goes_on_is_not() {
    let (test, server) = opened().await;
    let (abandoned, slow) = (pack(2 << 20), pack((2 << 20) + 1));
    let first = send(&test, &server, &abandoned, 0..9).await.unwrap();
    let under_way = begin(&test, &server, id_of(&slow), place(0..9, slow.len() as u32)).await.unwrap();
    test.clock.advance(59);
    test.app.assemblies.sweep(test.app.now());
    assert_eq!(free_mib(&test), 128 - 2 - 3);
    test.clock.advance(1);
    test.app.assemblies.sweep(test.app.now());
    assert_eq!(free_mib(&test), 128 - 3);
    let anew = send(&test, &server, &abandoned, 9..20).await.unwrap();
    assert!(anew.assembly.is_some() && anew.assembly != first.assembly);
    drop(under_way);
    test.clock.advance(61);
    test.app.assemblies.sweep(test.app.now());
    assert_eq!(free_mib(&test), 128);
}

#[tokio::test]
async fn a_session_that_ends_frees_its_memory_and_a_part_under_way_can_not_go_on() {
    let (test, server) = opened().await;
    let bytes = pack(5000);
    let mut under_way = begin(&test, &server, id_of(&bytes), place(0..3000, 5000)).await.unwrap();
    under_way.write(&bytes[..10]).unwrap();
    test.app.close_session(server.caller, SESSION).await.unwrap();
    assert_eq!(free_mib(&test), 128);
    assert!(matches!(under_way.write(&bytes[10..20]), Err(Error::Unavailable(_))));
    assert!(matches!(send(&test, &server, &bytes, 0..9).await, Err(Error::SessionLost)));
}

#[tokio::test]
async fn a_session_that_is_replaced_leaves_nothing_to_the_next() {
    let (test, server) = opened().await;
    let bytes = pack(5000);
    send(&test, &server, &bytes, 0..4000).await.unwrap();
    test.clock.advance(61);
    test.app.open_session(server.caller, &open_request(2)).await.unwrap();
    assert_eq!(free_mib(&test), 128);
    let id = id_of(&bytes);
    let next = SessionId([2; 16]);
    let Begun::Receive(mut rest) =
        test.app.begin_part(server.caller, next, id, place(4000..5000, 5000)).await.unwrap()
    else {
        panic!("the pack is there already");
    };
    rest.write(&bytes[4000..]).unwrap();
    let outcome = test.app.finish_part(server.caller, next, id, rest).await.unwrap();
    assert!(outcome.assembly.is_some(), "two sessions' parts made one pack");
}

#[tokio::test]
async fn another_servers_session_takes_no_parts_and_a_fenced_one_stores_none() {
    let (test, server) = opened().await;
    let other = test.server("web-02").await;
    let refused = test.app.begin_part(other.caller, SESSION, PackId([9; 32]), place(0..1, 2)).await;
    assert!(matches!(refused, Err(Error::NotFound(_))));
    let bytes = pack(5000);
    let id = id_of(&bytes);
    let mut last = begin(&test, &server, id, place(0..5000, 5000)).await.unwrap();
    last.write(&bytes).unwrap();
    test.clock.advance(61);
    test.app.open_session(server.caller, &open_request(2)).await.unwrap();
    assert!(test.app.finish_part(server.caller, SESSION, id, last).await.is_err());
    assert_eq!((test.store.count(Call::Create), free_mib(&test)), (0, 128));
}

#[tokio::test]
async fn parts_leave_room_for_whole_packs() {
    let test = TestApp::new().await;
    let mut held = Vec::new();
    for number in 1..=3 {
        let server = test.server(&format!("web-0{number}")).await;
        let session = SessionId([number; 16]);
        test.app.open_session(server.caller, &open_request(number)).await.unwrap();
        let longest = place(0..1, ASSEMBLED_BYTES_MAX as u32);
        held.push(test.app.begin_part(server.caller, session, PackId([number; 32]), longest).await.unwrap());
    }
    assert!(test.app.pack_memory.reserve(ServerId([9; 16]), 32 << 20).await.is_ok());
    assert_eq!(free_mib(&test), 32);
}
