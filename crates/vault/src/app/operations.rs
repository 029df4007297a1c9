//! Operations: what clients poll after a change that is answered before it is done. What takes long is a job; the operation
//! is done once the job is there, and leads to it.

use super::{App, Error};
use crate::db;
use crate::db::operations::Operation;
use stateward_model::{JobId, OperationId, VaultId};

/// For how long operations are kept, in seconds: a week.
const KEPT_SECONDS: i64 = 7 * 86_400;

impl App {
    /// Notes an operation that is done by this transaction.
    pub(super) async fn note_operation(
        &self,
        transaction: &mut db::Write,
        vault: VaultId,
        job: Option<JobId>,
    ) -> Result<OperationId, Error> {
        let operation = Operation { id: OperationId::new(&*self.random), at: self.now(), job };
        db::operations::insert(transaction, vault, &operation).await?;
        Ok(operation.id)
    }

    /// An operation of a vault.
    pub(crate) async fn operation(&self, vault: VaultId, id: OperationId) -> Result<Operation, Error> {
        let found = db::operations::find(&mut *self.database.read().await?, vault, id).await?;
        found.ok_or_else(|| Error::not_found(format!("operation `{id}`")))
    }

    /// An operation that looks for nothing: what the vault knows of its servers is always fresh.
    pub(crate) async fn refresh(&self, vault: VaultId) -> Result<OperationId, Error> {
        let mut transaction = self.write().await?;
        let id = self.note_operation(&mut transaction, vault, None).await?;
        transaction.commit().await?;
        Ok(id)
    }

    /// Forgets old operations.
    pub(crate) async fn forget_operations(&self) -> Result<(), Error> {
        let mut transaction = self.write().await?;
        db::operations::forget(&mut transaction, self.now().plus_seconds(-KEPT_SECONDS)).await?;
        Ok(transaction.commit().await?)
    }
}
