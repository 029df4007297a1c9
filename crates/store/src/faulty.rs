//! A store that fails when it is told to: for tests of what stands above it.

use crate::recording::Call;
use crate::{ByteStore, Created, StoreError, StoredObject};
use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It does nothing and fails.
    Failed,
    /// It does nothing: there is no space.
    Full,
    /// It does its work, but the answer is lost.
    LostAnswer,
}

#[derive(Debug, Clone, Copy)]
struct Rule {
    call: Call,
    /// Let through before the first failure.
    after: u32,
    /// Then fail so many times.
    times: u32,
    fault: Fault,
}

/// Fails the calls that were chosen and hands on the others.
#[derive(Debug, Clone)]
pub struct Faulty {
    below: Arc<dyn ByteStore>,
    rules: Arc<Mutex<Vec<Rule>>>,
}

impl Faulty {
    /// Around `below`, with no faults yet.
    pub fn new(below: Arc<dyn ByteStore>) -> Self {
        Self { below, rules: Arc::default() }
    }

    /// From now on: `after` calls of this kind succeed, the `times` next ones fail.
    pub fn fail(&self, call: Call, after: u32, times: u32, fault: Fault) {
        let rule = Rule { call, after, times, fault };
        self.rules.lock().unwrap_or_else(PoisonError::into_inner).push(rule);
    }

    /// Nothing fails any more.
    pub fn heal(&self) {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn next(&self, call: Call) -> Option<Fault> {
        let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        let rule = rules.iter_mut().find(|rule| rule.call == call && rule.times > 0)?;
        if rule.after > 0 {
            rule.after -= 1;
            return None;
        }
        rule.times -= 1;
        Some(rule.fault)
    }

    fn run<'a, T: Send + 'a>(
        &'a self,
        call: Call,
        name: &'a str,
        work: impl FnOnce(&'a dyn ByteStore) -> BoxFuture<'a, Result<T, StoreError>> + Send + 'a,
    ) -> BoxFuture<'a, Result<T, StoreError>> {
        async move {
            let fault = self.next(call);
            let failed = || Err(StoreError::failed(name, "a fault that the test asked for"));
            match fault {
                None => work(&*self.below).await,
                Some(Fault::Failed) => failed(),
                Some(Fault::Full) => Err(StoreError::Full(name.to_owned())),
                Some(Fault::LostAnswer) => match work(&*self.below).await {
                    Ok(_) => failed(),
                    Err(error) => Err(error),
                },
            }
        }
        .boxed()
    }
}

impl ByteStore for Faulty {
    fn create<'a>(&'a self, name: &'a str, parts: Vec<Bytes>) -> BoxFuture<'a, Result<Created, StoreError>> {
        self.run(Call::Create, name, move |below| below.create(name, parts))
    }

    fn heal<'a>(&'a self, name: &'a str, parts: Vec<Bytes>) -> BoxFuture<'a, Result<(), StoreError>> {
        self.run(Call::Heal, name, move |below| below.heal(name, parts))
    }

    fn read<'a>(&'a self, name: &'a str, most: u64) -> BoxFuture<'a, Result<Bytes, StoreError>> {
        self.run(Call::Read, name, move |below| below.read(name, most))
    }

    fn read_range<'a>(
        &'a self,
        name: &'a str,
        range: Range<u64>,
    ) -> BoxFuture<'a, Result<Bytes, StoreError>> {
        self.run(Call::ReadRange, name, move |below| below.read_range(name, range))
    }

    fn length<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<u64, StoreError>> {
        self.run(Call::Length, name, move |below| below.length(name))
    }

    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<StoredObject>, StoreError>> {
        self.run(Call::List, prefix, move |below| below.list(prefix))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Objects;

    fn faulty() -> Faulty {
        Faulty::new(Arc::new(Objects::in_memory()))
    }

    #[tokio::test]
    async fn without_faults_it_keeps_the_contract() {
        crate::contract::check(&faulty()).await;
    }

    #[tokio::test]
    async fn it_fails_just_the_calls_that_were_chosen() {
        let store = faulty();
        store.fail(Call::Create, 1, 1, Fault::Full);
        assert!(store.create("a", vec![]).await.is_ok());
        assert!(matches!(store.create("b", vec![]).await, Err(StoreError::Full(_))));
        assert_eq!(store.create("b", vec![]).await.unwrap(), Created::New);
    }

    #[tokio::test]
    async fn after_a_lost_answer_the_object_is_there() {
        let store = faulty();
        store.fail(Call::Create, 0, 1, Fault::LostAnswer);
        assert!(store.create("a", vec![Bytes::from_static(b"x")]).await.is_err());
        assert_eq!(store.create("a", vec![Bytes::from_static(b"x")]).await.unwrap(), Created::AlreadyThere);
    }
}
