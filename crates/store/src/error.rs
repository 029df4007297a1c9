//! Why a store did not do it.

use std::error::Error;
use std::io;

/// Why a store did not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no such object.
    #[error("The store has no object `{0}`")]
    NotFound(String),
    /// The name holds other bytes.
    #[error("The store has another object under the name `{0}`")]
    AlreadyExists(String),
    /// The object ends before what was asked for.
    #[error("The object `{0}` is shorter than it should be")]
    Short(String),
    /// There is no space left, or a quota is used up.
    #[error("The store has no space left for `{0}`")]
    Full(String),
    /// Anything else.
    #[error("The store failed at `{name}`")]
    Failed {
        /// Which object, or which folder.
        name: String,
        /// Why.
        source: Box<dyn Error + Send + Sync>,
    },
}

impl StoreError {
    /// An error of the store below, told apart by what a person can do about it.
    pub(crate) fn from_below(name: &str, error: object_store::Error) -> Self {
        let name = name.to_owned();
        match error {
            object_store::Error::NotFound { .. } => Self::NotFound(name),
            object_store::Error::AlreadyExists { .. } => Self::AlreadyExists(name),
            other if is_full(&other) => Self::Full(name),
            other => Self::Failed { name, source: other.into() },
        }
    }

    /// A failure with a reason of our own.
    pub(crate) fn failed(name: &str, why: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Failed { name: name.to_owned(), source: why.into() }
    }
}

/// `object_store` has no kind for a full disk: the operating system's error lies somewhere in the chain of causes.
fn is_full(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(io) = error.downcast_ref::<io::Error>()
            && matches!(io.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
        {
            return true;
        }
        cause = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn below(kind: io::ErrorKind) -> object_store::Error {
        object_store::Error::Generic { store: "test", source: io::Error::from(kind).into() }
    }

    #[test]
    fn a_full_disk_is_told_apart_from_other_failures() {
        for kind in [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded] {
            assert!(matches!(StoreError::from_below("a", below(kind)), StoreError::Full(_)));
        }
        let other = StoreError::from_below("a", below(io::ErrorKind::PermissionDenied));
        assert!(matches!(other, StoreError::Failed { .. }));
    }
}
