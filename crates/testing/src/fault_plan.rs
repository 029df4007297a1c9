//! What goes wrong at a vault, and when.

use stateward_engine::VaultError;
use std::collections::HashMap;
use std::sync::Arc;

/// A kind of call to a vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Call {
    /// `VaultRead::points`.
    Points,
    /// `VaultRead::point`.
    Point,
    /// `VaultRead::receipt`.
    Receipt,
    /// `VaultRead::slots`.
    Slots,
    /// `VaultRead::read_pack`.
    ReadPack,
    /// `VaultStore::open_session`.
    OpenSession,
    /// `VaultStore::put_slot`.
    PutSlot,
    /// `VaultSession::put_pack`.
    PutPack,
    /// `VaultSession::commit`.
    Commit,
    /// `VaultSession::close`.
    Close,
}

/// A call that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedCall {
    /// Its kind.
    pub call: Call,
    /// The object it is about, by its name in the store; empty if none.
    pub object: String,
    /// Bytes that it sends, or asks for.
    pub bytes: u64,
}

/// What goes wrong.
#[derive(Clone)]
pub enum Fault {
    /// Nothing is done; the caller hears this.
    Fail(VaultError),
    /// It is done, but the caller hears this instead of the answer.
    LoseReply(VaultError),
    /// This runs first (to cancel, to move a clock, to change a file), then all goes well.
    Run(Arc<dyn Fn() + Send + Sync>),
}

#[derive(Clone, Copy)]
enum When {
    /// At this one of all calls.
    Overall(u64),
    /// At this one and at all after it.
    From(u64),
    /// At this call of its kind.
    OfKind(Call, u64),
}

/// A list of faults. Calls are counted from 1, beginning when the plan is given to the vault. Where several fit, the
/// one that was named first counts.
#[derive(Clone, Default)]
pub struct FaultPlan {
    faults: Vec<(When, Fault)>,
    made: u64,
    made_of_kind: HashMap<Call, u64>,
}

impl FaultPlan {
    /// Nothing goes wrong.
    pub fn none() -> Self {
        Self::default()
    }

    /// Adds: at this one of all calls.
    #[must_use]
    pub fn at_call(mut self, number: u64, fault: Fault) -> Self {
        self.faults.push((When::Overall(number), fault));
        self
    }

    /// Adds: at this one of all calls and at every one after it.
    #[must_use]
    pub fn from_call(mut self, number: u64, fault: Fault) -> Self {
        self.faults.push((When::From(number), fault));
        self
    }

    /// Adds: at this call of its kind.
    #[must_use]
    pub fn at(mut self, call: Call, number: u64, fault: Fault) -> Self {
        self.faults.push((When::OfKind(call, number), fault));
        self
    }

    /// Counts a call and says what goes wrong with it.
    pub(crate) fn next(&mut self, call: Call) -> Option<Fault> {
        self.made += 1;
        let of_kind = self.made_of_kind.entry(call).or_default();
        *of_kind += 1;
        let (made, of_kind) = (self.made, *of_kind);
        let fits = |when: &When| match *when {
            When::Overall(number) => number == made,
            When::From(number) => number <= made,
            When::OfKind(kind, number) => kind == call && number == of_kind,
        };
        self.faults.iter().find(|(when, _)| fits(when)).map(|(_, fault)| fault.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_comes_at_its_call() {
        let fail = |text: &str| Fault::Fail(VaultError::Failed(text.to_owned()));
        let mut plan = FaultPlan::none()
            .at(Call::PutPack, 2, fail("second pack"))
            .at_call(2, fail("second call"))
            .from_call(4, fail("gone"));
        let mut heard = |call| match plan.next(call) {
            Some(Fault::Fail(VaultError::Failed(text))) => text,
            _ => String::new(),
        };
        assert_eq!(heard(Call::PutPack), "");
        assert_eq!(heard(Call::Commit), "second call");
        assert_eq!(heard(Call::PutPack), "second pack");
        assert_eq!(heard(Call::PutPack), "gone");
        assert_eq!(heard(Call::Close), "gone");
    }
}
