//! The vault in memory keeps its contract, and breaks as it was told to.

use super::session::pack_id;
use super::*;
use crate::{FakeClock, SeededRandom};
use stateward_crypto::verify_signature;
use stateward_format::point::{self, PointHeader};
use stateward_format::receipt;
use stateward_model::{ItemId, ItemKind, JobKind, PackId, PointHash};

struct Bench {
    vault: MemoryVault,
    key: SigningKey,
    clock: Arc<FakeClock>,
}

fn bench() -> Bench {
    let (clock, random) = (Arc::new(FakeClock::default()), Arc::new(SeededRandom::new(1)));
    let key = SigningKey::generate(&*random);
    let (vault, server) = (VaultId([1; 16]), ServerId([2; 16]));
    let vault = MemoryVault::new(vault, server, key.public_key(), clock.clone(), random);
    Bench { vault, key, clock }
}

const REQUEST: SessionRequest =
    SessionRequest { kind: JobKind::Backup, item: None, packs_digest: None, on_demand: None };

impl Bench {
    fn open(&self) -> Box<dyn VaultSession> {
        self.vault.open_session(&REQUEST).unwrap()
    }

    fn point(&self, previous: Option<PointSummary>, packs: &[&[u8]]) -> Vec<u8> {
        let mut packs: Vec<_> = packs
            .iter()
            .map(|bytes| PackReference { id: pack_id(bytes), length: bytes.len() as u32 })
            .collect();
        packs.sort();
        let header = PointHeader {
            vault: self.vault.vault,
            server: self.vault.server,
            item: ItemId([3; 16]),
            kind: ItemKind::Files,
            sequence: previous.map_or(1, |head| head.sequence + 1),
            previous: previous.map(|head| head.hash),
            epoch: 1,
            agent_time: Timestamp(0),
            slots: Vec::new(),
            packs,
        };
        let unsigned = point::encode_unsigned(&header, b"sealed");
        let signature = self.key.sign(&point::signed_message(&unsigned));
        point::finish(unsigned, signature)
    }
}

#[test]
fn a_point_is_committed_once_and_its_receipt_is_signed() {
    let bench = bench();
    let session = bench.open();
    session.put_pack(pack_id(b"pack"), b"pack".to_vec().into()).unwrap();
    let object = bench.point(None, &[b"pack"]);
    let receipt = session.commit(&object).unwrap();
    bench.clock.advance_seconds(5);
    assert_eq!(session.commit(&object).unwrap(), receipt);
    let (read, signed, signature) = receipt::decode(&receipt).unwrap();
    verify_signature(&bench.vault.public_key(), signed, &signature).unwrap();
    let summary = PointSummary { sequence: 1, hash: point::hash(&object) };
    assert_eq!((read.sequence, read.point), (summary.sequence, summary.hash));
    assert_eq!(bench.vault.points().unwrap(), [summary]);
    assert_eq!(bench.vault.point(summary).unwrap(), object);
    assert_eq!(bench.vault.receipt(summary).unwrap(), Some(receipt));
    assert_eq!(bench.vault.count(Call::Commit), 2);
}

#[test]
fn a_commit_that_the_vault_must_refuse_is_refused() {
    let bench = bench();
    let session = bench.open();
    let lacking = session.commit(&bench.point(None, &[b"pack"]));
    assert_eq!(lacking, Err(VaultError::PacksMissing(vec![pack_id(b"pack")])));
    let head = PointSummary { sequence: 1, hash: PointHash([9; 32]) };
    assert_eq!(session.commit(&bench.point(Some(head), &[])), Err(VaultError::WrongHead));
    let mut forged = bench.point(None, &[]);
    *forged.last_mut().unwrap() ^= 1;
    assert!(matches!(session.commit(&forged), Err(VaultError::Failed(_))));
    assert!(matches!(
        session.put_pack(PackId([0; 32]), b"other".to_vec().into()),
        Err(VaultError::Failed(_))
    ));
    assert_eq!(bench.vault.points().unwrap(), []);
}

#[test]
fn one_session_at_a_time_and_a_dropped_one_holds_for_its_lease() {
    let bench = bench();
    let session = bench.open();
    bench.clock.advance_seconds(3600);
    assert!(matches!(bench.vault.open_session(&REQUEST).err(), Some(VaultError::Busy(_))));
    drop(session);
    bench.clock.advance_seconds(LEASE_SECONDS - 1);
    assert!(matches!(bench.vault.open_session(&REQUEST).err(), Some(VaultError::Busy(_))));
    bench.clock.advance_seconds(1);
    let second = bench.open();
    bench.vault.end_session();
    let third = bench.open();
    assert!(matches!(second.put_pack(pack_id(b""), b"".to_vec().into()), Err(VaultError::SessionLost(_))));
    drop(second);
    third.close().unwrap();
    bench.open().put_pack(pack_id(b""), b"".to_vec().into()).unwrap();
}

#[test]
fn packs_are_listed_unless_the_agent_knows_them() {
    let bench = bench();
    let session = bench.open();
    session.put_pack(pack_id(b"pack"), b"pack".to_vec().into()).unwrap();
    session.close().unwrap();
    let listed = vec![PackReference { id: pack_id(b"pack"), length: 4 }];
    let session = bench.open();
    assert_eq!(session.opened().packs, PacksKnown::Listed(listed));
    session.close().unwrap();
    let packs_digest = Some(packs_digest([pack_id(b"pack")].into_iter()));
    let session = bench.vault.open_session(&SessionRequest { packs_digest, ..REQUEST }).unwrap();
    assert_eq!(session.opened().packs, PacksKnown::AsDigested);
}

#[test]
fn planned_faults_happen_and_a_lost_reply_is_done_all_the_same() {
    let bench = bench();
    let session = bench.open();
    let lost = VaultError::Unreachable("the reply was lost".into());
    bench.vault.set_faults(
        FaultPlan::none().at(Call::PutPack, 1, Fault::Fail(VaultError::Full("planned".into()))).at(
            Call::PutPack,
            2,
            Fault::LoseReply(lost.clone()),
        ),
    );
    let put = || session.put_pack(pack_id(b"pack"), b"pack".to_vec().into());
    assert_eq!(put(), Err(VaultError::Full("planned".into())));
    assert!(bench.vault.names("packs/").is_empty());
    assert_eq!(put(), Err(lost));
    assert_eq!(bench.vault.names("packs/"), [layout::pack(pack_id(b"pack"))]);
    assert_eq!(put(), Ok(()));
}

#[test]
fn damage_shows_when_it_is_read() {
    let bench = bench();
    let session = bench.open();
    session.put_pack(pack_id(b"pack"), b"pack".to_vec().into()).unwrap();
    let name = layout::pack(pack_id(b"pack"));
    let reference = PackReference { id: pack_id(b"pack"), length: 4 };
    bench.vault.corrupt(&name, 3);
    assert_eq!(bench.vault.read_pack(reference, 0..4).unwrap(), b"pacj");
    bench.vault.truncate(&name, 3);
    assert!(matches!(bench.vault.read_pack(reference, 0..4), Err(VaultError::BadAnswer(_))));
    bench.vault.delete(&name);
    assert!(matches!(bench.vault.read_pack(reference, 0..4), Err(VaultError::NotFound(_))));
}

#[test]
#[should_panic(expected = "shows the vault its frames")]
fn a_read_that_would_show_frames_fails_the_test() {
    let reference = PackReference { id: PackId([0; 32]), length: 4 << 20 };
    let _ = bench().vault.read_pack(reference, 5..1 << 20);
}
