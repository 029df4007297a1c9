//! Whose database and whose store these are. Several processes may serve one vault, each with a data folder of its own, and
//! an owner may mistype a URL or forget to mount a store: what does not belong together is refused before it does harm. (A
//! store that is not there would look as if every pack were lost.)
//!
//! The database has a row that names the tenant and the signing key; the store has an object that names the tenant.

use super::{App, Error};
use crate::causes::chain;
use crate::db;
use crate::db::identity::Identity;
use bytes::Bytes;
use stateward_store::StoreError;

/// The object in the store that names whose it is.
const OWNER: &str = "owner";

/// How long that may be, in bytes.
const OWNER_BYTES_MAX: u64 = 256;

/// Why database, store and data folder are not of one vault.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// A vault is in the database already.
    #[error("There is a vault in the database already; give an empty database")]
    DatabaseTaken,
    /// A vault is in the store already.
    #[error("The store is another vault's; give an empty folder")]
    StoreTaken,
    /// The database is another vault's.
    #[error(
        "The database is another vault's than the data folder; see where the setting `database` leads to"
    )]
    OtherDatabase,
    /// The signing key is another than that of the vault's other processes.
    #[error("The data folder's `signing.key` is not the vault's; copy the one of its first data folder")]
    OtherKey,
    /// The store is empty or another vault's.
    #[error(
        "The store is not this vault's; see that its file system is mounted at the data folder's `store`"
    )]
    OtherStore,
    /// It can't be found out.
    #[error("Can't find out whose database and store these are: {0}")]
    Unknown(String),
}

impl From<Error> for IdentityError {
    fn from(error: Error) -> Self {
        Self::Unknown(chain(&error))
    }
}

impl From<db::Error> for IdentityError {
    fn from(error: db::Error) -> Self {
        Self::Unknown(chain(&error))
    }
}

impl App {
    /// Refuses a database that a vault is in.
    pub(crate) async fn check_unclaimed(&self) -> Result<(), IdentityError> {
        let found = db::identity::find(&mut *self.database.read().await?).await?;
        found.map_or(Ok(()), |_| Err(IdentityError::DatabaseTaken))
    }

    /// Makes a database and a store this vault's.
    pub(crate) async fn claim(&self) -> Result<(), IdentityError> {
        match self.store.create(OWNER, vec![self.owner()]).await {
            Ok(_) => {}
            Err(StoreError::AlreadyExists(_)) => return Err(IdentityError::StoreTaken),
            Err(error) => return Err(Error::from(error).into()),
        }
        let mut transaction = self.write().await?;
        if db::identity::find(&mut transaction).await?.is_some() {
            return Err(IdentityError::DatabaseTaken);
        }
        db::identity::insert(&mut transaction, &self.identity()).await?;
        Ok(transaction.commit().await?)
    }

    /// Refuses a database or a store that is not this vault's. Those of a release that knew no owner become it.
    pub(crate) async fn check_identity(&self) -> Result<(), IdentityError> {
        let found = db::identity::find(&mut *self.database.read().await?).await?;
        let Some(found) = found else { return self.claim().await };
        let own = self.identity();
        if found.tenant != own.tenant {
            return Err(IdentityError::OtherDatabase);
        }
        if found.signing_key != own.signing_key {
            return Err(IdentityError::OtherKey);
        }
        match self.store.read(OWNER, OWNER_BYTES_MAX).await {
            Ok(found) if found == self.owner() => Ok(()),
            Ok(_) | Err(StoreError::NotFound(_)) => Err(IdentityError::OtherStore),
            Err(error) => Err(Error::from(error).into()),
        }
    }

    fn identity(&self) -> Identity {
        Identity { tenant: self.config.tenant.clone(), signing_key: self.key.public() }
    }

    fn owner(&self) -> Bytes {
        format!("{}\n", self.config.tenant).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::testing::TestApp;
    use crate::keys::VaultKey;
    use stateward_store::{ByteStore as _, Objects};
    use std::sync::Arc;

    async fn changed(test: &TestApp, change: impl FnOnce(&mut App)) -> Result<(), IdentityError> {
        let mut app = test.beside().await;
        change(Arc::get_mut(&mut app).unwrap());
        app.check_identity().await
    }

    #[tokio::test]
    async fn what_belongs_together_is_served_by_several_and_what_does_not_by_none() {
        let test = TestApp::new().await;
        // As of a release that knew no owner.
        test.app.check_identity().await.unwrap();
        changed(&test, |_| {}).await.unwrap();
        let other = changed(&test, |app| app.config.tenant = "tenant-2".to_owned()).await;
        assert!(matches!(other, Err(IdentityError::OtherDatabase)), "{other:?}");
        let other = changed(&test, |app| app.key = VaultKey::from_seed(&[43; 32]).unwrap()).await;
        assert!(matches!(other, Err(IdentityError::OtherKey)), "{other:?}");
        let not_mounted = changed(&test, |app| app.store = Arc::new(Objects::in_memory())).await;
        assert!(matches!(not_mounted, Err(IdentityError::OtherStore)), "{not_mounted:?}");
        let elsewhere = Objects::in_memory();
        elsewhere.create(OWNER, vec![Bytes::from_static(b"tenant-2\n")]).await.unwrap();
        let other = changed(&test, |app| app.store = Arc::new(elsewhere)).await;
        assert!(matches!(other, Err(IdentityError::OtherStore)), "{other:?}");
        assert!(matches!(test.app.claim().await, Err(IdentityError::DatabaseTaken)));
        assert!(matches!(test.app.check_unclaimed().await, Err(IdentityError::DatabaseTaken)));
    }
}
