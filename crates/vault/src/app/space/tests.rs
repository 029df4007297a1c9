//! The nth thing that is written fails, for every n: nothing that was acknowledged is lost, and the same calls go through
//! when there is space again.

use super::*;
use crate::app::testing::{TestApp, TestServer, open_request};
use bytes::Bytes;
use futures::StreamExt as _;
use stateward_format::point;
use stateward_format::point::PackReference;
use stateward_format::slot::{self, KeySlot, SlotSecret};
use stateward_model::SessionId;
use stateward_store::faulty::Fault;
use stateward_store::recording::Call;

/// How many recovery points an agent makes; each takes over all packs of the one before but one.
const POINTS: usize = 3;

/// What an agent knows of its own run, and does again as it was after a failure.
struct Agent {
    server: TestServer,
    slot: Bytes,
    /// What the packs hold.
    packs: Vec<String>,
    /// Whether the vault has them before.
    has_packs: bool,
    /// The points, and the receipt of each that was acknowledged.
    points: Vec<(Bytes, Option<Bytes>)>,
}

impl Agent {
    fn new(server: TestServer, packs_of_point: usize) -> Self {
        let slot = KeySlot {
            vault: server.caller.vault,
            server: server.caller.server,
            domain: server.caller.domain,
            server_label: "web-01".parse().unwrap(),
            epoch: 1,
            secret: SlotSecret::RecoveryCode,
            salt: [1; 32],
            commitment: [2; 32],
            wrapped_data_key: vec![3; 48],
            wrapped_signing_key: vec![4; 48],
            signing_public_key: [5; 32],
        };
        let mut points: Vec<(Bytes, Option<Bytes>)> = Vec::new();
        let packs: Vec<_> = (1..POINTS + packs_of_point).map(|number| format!("pack {number}")).collect();
        for (number, needed) in packs.windows(packs_of_point).enumerate() {
            let needed: Vec<_> = needed.iter().map(|bytes| reference(bytes)).collect();
            let previous = points.last().map(|(object, _)| point::hash(object));
            points.push((server.point(number as u64 + 1, previous, &needed, |_| {}), None));
        }
        Self { server, slot: slot.encode().into(), packs, has_packs: false, points }
    }

    /// Gives the vault all packs in one transaction.
    async fn bring_packs(&mut self, test: &TestApp) {
        let caller = self.server.caller;
        let mut transaction = test.app.database.write().await.unwrap();
        for bytes in &self.packs {
            let pack = reference(bytes);
            let name = App::object(caller.vault, &stateward_format::layout::pack(pack.id));
            test.app.store.create(&name, vec![bytes.clone().into()]).await.unwrap();
            db::packs::announce(&mut transaction, caller.domain, caller.server, pack).await.unwrap();
            db::packs::mark_stored(&mut transaction, caller.domain, pack.id).await.unwrap();
        }
        transaction.commit().await.unwrap();
        self.has_packs = true;
    }

    /// The packs of a point that are still to be put.
    fn to_put(&self, number: usize) -> Vec<String> {
        if self.has_packs { Vec::new() } else { self.of_point(number).to_vec() }
    }

    fn of_point(&self, number: usize) -> &[String] {
        &self.packs[number..self.packs.len() + 1 - POINTS + number]
    }

    /// A slot, and for each point a session, its packs and its commit.
    async fn run(&mut self, test: &TestApp) -> Result<(), Error> {
        let caller = self.server.caller;
        test.app.put_slot(caller, 1, slot::hash(&self.slot), self.slot.clone()).await?;
        for number in 0..POINTS {
            let session = SessionId([number as u8 + 1; 16]);
            test.app.open_session(caller, &open_request(number as u8 + 1)).await?;
            for bytes in self.to_put(number) {
                test.try_put(&self.server, session, bytes.as_bytes()).await?;
            }
            let object = self.points[number].0.clone();
            self.points[number].1 = Some(test.app.commit_point(caller, session, object).await?);
            test.app.close_session(caller, session).await?;
        }
        Ok(())
    }

    /// Everything that was acknowledged is there and the same.
    async fn check(&self, test: &TestApp, context: &str) {
        let caller = self.server.caller;
        let listed = test.app.points(caller).await.unwrap();
        for (number, (object, receipt)) in self.points.iter().enumerate() {
            let Some(receipt) = receipt else { continue };
            let (sequence, hash) = (number as u64 + 1, point::hash(object));
            assert!(listed.iter().any(|point| point.hash == hash), "{context}: point {sequence}");
            assert_eq!(test.app.receipt_object(caller, sequence, hash).await.unwrap(), receipt, "{context}");
            let (_, stream) = test.app.point_object(caller, sequence, hash).await.unwrap();
            assert_eq!(read(stream).await, object[..], "{context}");
            for bytes in self.of_point(number) {
                let pack = test.app.pack(caller, reference(bytes).id).await.unwrap();
                let stream = test.app.read_pack(caller, pack, 0..bytes.len() as u64).await.unwrap();
                assert_eq!(read(stream).await, bytes.as_bytes(), "{context}");
            }
        }
    }

    /// After a failure: what was acknowledged is there, at once and after a restart, and the rest goes through.
    async fn recover(&mut self, test: &mut TestApp, context: &str) {
        self.check(test, context).await;
        test.restart().await;
        test.app.store_missing_receipts().await.unwrap();
        self.check(test, context).await;
        // The session of the run that failed is replaced as its lease runs out.
        test.clock.advance(61);
        let rest = self.again(test).await;
        assert!(rest.is_ok(), "{context}: {rest:?}");
        self.check(test, context).await;
        assert!(self.points.iter().all(|(_, receipt)| receipt.is_some()));
    }

    /// The same calls; sessions that were closed are over, and so new ones are opened in their stead.
    async fn again(&mut self, test: &TestApp) -> Result<(), Error> {
        let caller = self.server.caller;
        test.app.put_slot(caller, 1, slot::hash(&self.slot), self.slot.clone()).await?;
        let session = SessionId([99; 16]);
        test.app.open_session(caller, &open_request(99)).await?;
        for number in 0..POINTS {
            for bytes in self.to_put(number) {
                test.try_put(&self.server, session, bytes.as_bytes()).await?;
            }
            let (object, receipt) = &mut self.points[number];
            let again = test.app.commit_point(caller, session, object.clone()).await?;
            assert!(receipt.as_ref().is_none_or(|receipt| *receipt == again), "the receipt is the same");
            *receipt = Some(again);
        }
        test.app.close_session(caller, session).await
    }
}

fn reference(bytes: &str) -> PackReference {
    PackReference {
        id: stateward_model::PackId(*blake3::hash(bytes.as_bytes()).as_bytes()),
        length: bytes.len() as u32,
    }
}

async fn read(stream: impl futures::Stream<Item = Result<Bytes, Error>>) -> Vec<u8> {
    let pieces: Vec<_> = stream.map(|piece| piece.unwrap()).collect().await;
    pieces.concat()
}

#[tokio::test]
async fn any_call_of_the_store_may_fail() {
    let mut failed = 0;
    for call in [Call::Create, Call::Length, Call::Read, Call::ReadRange, Call::Heal] {
        for fault in [Fault::Full, Fault::Failed, Fault::LostAnswer] {
            for after in 0.. {
                let mut test = TestApp::new().await;
                let mut agent = Agent::new(test.server("web-01").await, 2);
                test.faults.fail(call, after, 1, fault);
                let Err(error) = agent.run(&test).await else { break };
                let context = format!("{fault:?} at {call:?} number {after}: {error}");
                assert_eq!(matches!(error, Error::NoSpace(_)), fault == Fault::Full, "{context}");
                test.faults.heal();
                agent.recover(&mut test, &context).await;
                failed += 1;
            }
        }
    }
    // A slot, four packs, three points and three receipts are created, and each pack is looked at by a commit.
    assert!(failed >= 3 * (11 + 6), "{failed} calls failed");
}

#[tokio::test]
async fn the_database_may_be_full_at_any_page() {
    let mut failed = 0;
    for pages in 0.. {
        let mut test = TestApp::over(crate::db::testing::TestDatabase::file()).await;
        let mut agent = Agent::new(test.server("web-01").await, 150);
        agent.bring_packs(&test).await;
        // A connection whose transaction failed is closed, and the limit is gone with it: then there is space again.
        let mut connection = test.app.database.write().await.unwrap();
        crate::db::limit_pages(&mut connection, pages).await;
        connection.commit().await.unwrap();
        let Err(error) = agent.run(&test).await else { break };
        let context = format!("{pages} more pages: {error}");
        assert!(matches!(error, Error::NoSpace(_)), "{context}");
        agent.recover(&mut test, &context).await;
        failed += 1;
    }
    assert!(failed >= 3, "the database grew by {failed} pages only");
}

#[tokio::test]
async fn without_the_reserve_packs_are_refused_and_all_else_goes_on() {
    let test = TestApp::new().await;
    let mut agent = Agent::new(test.server("web-01").await, 2);
    agent.run(&test).await.unwrap();
    let caller = agent.server.caller;
    // Something is in the way of it, as a full disk would be.
    test.app.reserve.remove();
    std::fs::remove_dir(test.folder().join("reserve")).unwrap();
    std::fs::write(test.folder().join("reserve"), "").unwrap();
    let reserve = crate::reserve::Reserve::of(test.folder());
    assert!(!reserve.keep());
    let test = test.with_reserve(reserve);
    test.app.open_session(caller, &open_request(50)).await.unwrap();
    let session = SessionId([50; 16]);
    let refused = test.try_put(&agent.server, session, b"another pack").await;
    let Err(Error::NoSpace(why)) = refused else { panic!("{refused:?}") };
    assert!(why.contains("bytes are needed") && why.contains("free"), "{why}");
    // What is there already is no longer needed to be stored, and can be committed and read.
    assert!(!test.try_put(&agent.server, session, b"pack 4").await.unwrap());
    let previous = point::hash(&agent.points[2].0);
    let object = agent.server.point(4, Some(previous), &[reference("pack 4")], |_| {});
    test.app.commit_point(caller, session, object).await.unwrap();
    agent.check(&test, "without the reserve").await;
}
