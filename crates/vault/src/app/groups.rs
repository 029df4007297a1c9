//! Resource groups.

use super::audit::{Actor, Change};
use super::{App, Error};
pub(crate) use crate::db::groups::Group;
use crate::db::{self};
use serde_json::json;
use stateward_api::ErrorCode;
use stateward_api::arm::Tags;
use stateward_api::arm::groups::ResourceGroupRequest;
use stateward_model::{GroupName, counted};

/// How many tags a resource may have, how long their names may be, and their values (Azure, "Use tags to organize your Azure
/// resources", *Limitations*).
const TAGS_MAX: (usize, usize, usize) = (50, 512, 256);

/// Refuses tags that Azure would.
pub(super) fn check_tags(tags: &Tags) -> Result<(), Error> {
    let (count, name_max, value_max) = TAGS_MAX;
    if tags.len() > count {
        return Err(Error::invalid(format!("A resource has at most {count} tags")));
    }
    for (name, value) in tags {
        let too_long = name.chars().count() > name_max || value.chars().count() > value_max;
        let refused = |c: char| "<>%&\\?/".contains(c) || c.is_control();
        if name.is_empty() || too_long || name.contains(refused) || value.contains('\0') {
            return Err(Error::invalid(format!(
                "A tag's name has 1 to {name_max} characters, none of them `<>%&\\?/`, and its value at most {value_max}"
            )));
        }
    }
    Ok(())
}

fn no_group(name: &str) -> Error {
    Error::refused(ErrorCode::ResourceGroupNotFound, format!("There is no resource group `{name}`"))
}

impl App {
    /// Refuses a location that is not this vault's.
    pub(crate) fn check_location(&self, location: &str) -> Result<(), Error> {
        // Clients send `West Europe` for `westeurope`.
        let given: String = location.chars().filter(|c| !c.is_whitespace()).collect();
        match given.eq_ignore_ascii_case(&self.config.location) {
            true => Ok(()),
            false => Err(Error::refused(
                ErrorCode::LocationNotAvailable,
                format!(
                    "There is no location `{location}` here; the one that there is: `{}`",
                    self.config.location
                ),
            )),
        }
    }

    /// A resource group by its name.
    pub(crate) async fn group(&self, name: &str) -> Result<Group, Error> {
        let found = db::groups::find(&mut *self.database.read().await?, name).await?;
        found.ok_or_else(|| no_group(name))
    }

    /// All resource groups by name.
    pub(crate) async fn groups(&self) -> Result<Vec<Group>, Error> {
        Ok(db::groups::list(&mut *self.database.read().await?).await?)
    }

    /// Makes a resource group, or changes its tags; also tells whether it is new. One that is to be new must name its
    /// location.
    pub(crate) async fn put_group(
        &self,
        actor: &Actor,
        name: &str,
        request: ResourceGroupRequest,
    ) -> Result<(Group, bool), Error> {
        let tags = request.tags.unwrap_or_default();
        check_tags(&tags)?;
        if let Some(location) = &request.location {
            self.check_location(location)?;
        }
        let mut transaction = self.write().await?;
        let known = db::groups::find(&mut transaction, name).await?;
        let is_new = known.is_none();
        let group = match known {
            Some(known) => Group { tags, ..known },
            None => {
                let name: GroupName = name
                    .parse()
                    .map_err(|error: stateward_model::InvalidName| Error::invalid(error.to_string()))?;
                request
                    .location
                    .ok_or_else(|| Error::invalid("A new resource group must name its `location`"))?;
                Group { name, location: self.config.location.clone(), tags }
            }
        };
        db::groups::upsert(&mut transaction, &group, self.now()).await?;
        let act = if is_new { "group.create" } else { "group.update" };
        let change = Change {
            vault: None,
            actor,
            act,
            subject: group.name.as_str(),
            detail: json!({ "tags": group.tags }),
        };
        self.record(&mut transaction, change).await?;
        transaction.commit().await?;
        Ok((group, is_new))
    }

    /// Removes a resource group that has no vault.
    pub(crate) async fn delete_group(&self, actor: &Actor, name: &str) -> Result<(), Error> {
        let mut transaction = self.write().await?;
        let group = db::groups::find(&mut transaction, name).await?.ok_or_else(|| no_group(name))?;
        let vaults = db::vaults::count_in_group(&mut transaction, &group.name).await?;
        if vaults > 0 {
            return Err(Error::refused(
                ErrorCode::GroupNotEmpty,
                format!("The resource group `{name}` has {}; delete them first", counted(vaults, "vault")),
            ));
        }
        db::groups::delete(&mut transaction, &group.name).await?;
        db::principals::unassign_group(&mut transaction, group.name.as_str()).await?;
        let change = Change {
            vault: None,
            actor,
            act: "group.delete",
            subject: group.name.as_str(),
            detail: json!({}),
        };
        self.record(&mut transaction, change).await?;
        Ok(transaction.commit().await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::testing::TestApp;

    #[tokio::test]
    async fn a_group_is_made_found_without_regard_to_case_and_removed_when_it_is_empty() {
        let test = TestApp::new().await;
        let actor = Actor::Task("test");
        let request = || ResourceGroupRequest { location: Some("Local".to_owned()), tags: None };
        let (made, is_new) = test.app.put_group(&actor, "Web-1", request()).await.unwrap();
        assert!(is_new);
        let (again, is_new) = test.app.put_group(&actor, "web-1", request()).await.unwrap();
        assert_eq!((&again, is_new), (&made, false));
        assert_eq!(test.app.group("WEB-1").await.unwrap(), made);
        test.app.delete_group(&actor, "web-1").await.unwrap();
        assert!(matches!(test.app.group("web-1").await, Err(Error::Refused { .. })));
        let refused = test.app.delete_group(&actor, "default").await.unwrap_err();
        assert!(refused.to_string().contains("has 1 vault;"), "{refused}");
    }

    #[tokio::test]
    async fn what_azure_would_refuse_is_refused() {
        let test = TestApp::new().await;
        let actor = Actor::Task("test");
        let many: Tags = (0..51).map(|n| (format!("t{n}"), String::new())).collect();
        let long: Tags = [("a".to_owned(), "b".repeat(257))].into();
        for (name, location, tags) in [
            ("a.", Some("local"), None),
            ("ok", Some("westeurope"), None),
            ("ok", None, None),
            ("ok", Some("local"), Some(many)),
            ("ok", Some("local"), Some(long)),
        ] {
            let request = ResourceGroupRequest { location: location.map(str::to_owned), tags };
            assert!(test.app.put_group(&actor, name, request).await.is_err(), "{name}");
        }
    }
}
