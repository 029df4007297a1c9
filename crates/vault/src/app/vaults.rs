//! Vaults.

use super::{App, Error};
use crate::db;
use stateward_api::admin::Vault;
use stateward_model::{Label, VaultId};

impl App {
    /// Makes a vault; also tells whether it is new.
    pub(crate) async fn create_vault(&self, name: &Label) -> Result<(Vault, bool), Error> {
        let mut transaction = self.write().await?;
        if let Some(vault) = db::vaults::find(&mut transaction, name).await? {
            return Ok((vault, false));
        }
        db::vaults::insert(&mut transaction, VaultId::new(&*self.random), name, self.now()).await?;
        let vault = db::vaults::find(&mut transaction, name).await?;
        transaction.commit().await?;
        Ok((vault.ok_or_else(|| no_vault(name))?, true))
    }

    /// A vault by its name.
    pub(crate) async fn vault(&self, name: &Label) -> Result<Vault, Error> {
        let mut connection = self.database.read().await?;
        db::vaults::find(&mut connection, name).await?.ok_or_else(|| no_vault(name))
    }

    /// All vaults.
    pub(crate) async fn vaults(&self) -> Result<Vec<Vault>, Error> {
        Ok(db::vaults::list(&mut *self.database.read().await?).await?)
    }
}

fn no_vault(name: &Label) -> Error {
    Error::not_found(format!("vault `{name}`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::testing::TestApp;

    #[tokio::test]
    async fn making_a_vault_twice_gives_the_same_one() {
        let test = TestApp::new().await;
        let (first, is_new) = test.app.create_vault(&"Archive".parse().unwrap()).await.unwrap();
        assert!(is_new);
        let (second, is_new) = test.app.create_vault(&"archive".parse().unwrap()).await.unwrap();
        assert_eq!((second, is_new), (first.clone(), false));
        assert!(test.app.vaults().await.unwrap().contains(&first));
        assert!(matches!(test.app.vault(&"none".parse().unwrap()).await, Err(Error::NotFound(_))));
    }
}
