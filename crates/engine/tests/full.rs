//! The nth thing that is written fails, for every n: of what goes to the vault, and of what is laid at the target.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]

mod server;

use server::{Server, varied_tree};
use stateward_engine::{EngineError, TargetError, VaultError};
use stateward_testing::{Fault, FaultPlan, MemoryTarget, TargetFault};

fn full() -> VaultError {
    VaultError::Full("planned".to_owned())
}

#[test]
fn a_vault_that_is_full_from_any_call_on_keeps_what_it_has_and_takes_the_rest_later() {
    let faults: [fn() -> Fault; 2] = [|| Fault::Fail(full()), || Fault::LoseReply(full())];
    for fault in faults {
        let mut server = Server::new(50);
        varied_tree(&server);
        server.backup();
        let kept = server.tree.listing();
        let first = server.latest();
        let tree = server.tree.component("files");
        let mut number = 0;
        loop {
            number += 1;
            tree.random_file(format!("new-{number}"), 20 << 20, number);
            server.vault.forget_calls();
            server.vault.set_faults(FaultPlan::none().from_call(number, fault()));
            let made = server.try_backup();
            let calls = server.vault.calls().len() as u64;
            server.vault.set_faults(FaultPlan::none());
            match made {
                Ok(_) if calls < number => break,
                // A session that could not be closed is no failure.
                Ok(_) => {}
                Err(EngineError::Vault(VaultError::Full(why))) => assert_eq!(why, "planned"),
                Err(error) => panic!("call {number}: {error}"),
            }
            server.vault.end_session();
            let target = MemoryTarget::new();
            server.try_restore(&first, &[], &[], &target, None).unwrap();
            let differences =
                server::without_root(kept.clone()).differences(&server::without_root(target.listing()));
            assert_eq!(differences, Vec::<String>::new(), "call {number}");
            server.backup();
            server.assert_comes_back();
        }
        assert!(number > 4, "{number} calls");
    }
}

#[test]
fn a_target_that_is_full_or_fails_at_any_change_ends_the_restore() {
    let mut server = Server::new(51);
    varied_tree(&server);
    server.backup();
    let point = server.latest();
    let whole = MemoryTarget::new();
    server.try_restore(&point, &[], &[], &whole, None).unwrap();
    let changes = whole.changes();
    assert!(changes > 600, "{changes} changes");
    // Many files are alike: each change of the first ones, then one of a few.
    let chosen = (0..changes).filter(|number| *number < 100 || number % 13 == 0 || *number + 20 > changes);
    for after in chosen {
        for fault in [TargetFault::Full, TargetFault::Broken] {
            let target = MemoryTarget::new();
            target.fail_after(after, fault);
            let done = server.try_restore(&point, &[], &[], &target, None);
            let Err(EngineError::Target(error)) = done else { panic!("{fault:?} after {after}: {done:?}") };
            assert_eq!(
                matches!(error, TargetError::Full),
                fault == TargetFault::Full,
                "after {after}: {error}"
            );
        }
    }
}

#[test]
fn a_write_to_disk_that_failed_once_is_never_forgotten_by_a_later_one_that_succeeds() {
    let mut server = Server::new(52);
    // More than is written before the target is first asked to bring it to the disk.
    server.tree.component("files").random_file("large", 70 << 20, 1);
    server.backup();
    let target = MemoryTarget::new();
    target.fail_sync(1);
    let done = server.try_restore(&server.latest(), &[], &[], &target, None);
    assert!(matches!(done, Err(EngineError::Target(TargetError::Broken { .. }))), "{done:?}");
    server.assert_comes_back();
}
