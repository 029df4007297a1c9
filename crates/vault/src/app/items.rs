//! Protected items.

use super::tokens::ServerCaller;
use super::{App, Error};
use crate::db::{self, Scope};
use stateward_api::agent::ItemRequest;
use stateward_model::ItemId;

impl App {
    /// Makes an item known, or changes its label. Its kind never changes: its points would tell two stories.
    pub(crate) async fn put_item(
        &self,
        caller: ServerCaller,
        id: ItemId,
        request: &ItemRequest,
    ) -> Result<(), Error> {
        let mut transaction = self.write_in(Scope::Domain(caller.domain)).await?;
        let known = db::items::kind(&mut transaction, caller.server, id).await?;
        if known.is_some_and(|kind| kind != request.kind) {
            return Err(Error::invalid("The kind of a protected item can't change"));
        }
        db::items::upsert(&mut transaction, caller.server, id, &request.label, request.kind).await?;
        Ok(transaction.commit().await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::testing::TestApp;
    use stateward_model::ItemKind;

    #[tokio::test]
    async fn a_label_changes_but_a_kind_does_not() {
        let test = TestApp::new().await;
        let server = test.server("web-01").await;
        let request = |label: &str, kind| ItemRequest { label: label.parse().unwrap(), kind };
        let id = ItemId([1; 16]);
        for label in ["etc", "etc-2"] {
            test.app.put_item(server.caller, id, &request(label, ItemKind::Files)).await.unwrap();
        }
        let other = test.app.put_item(server.caller, id, &request("etc", ItemKind::SystemState)).await;
        assert!(matches!(other, Err(Error::InvalidRequest(_))));
    }
}
