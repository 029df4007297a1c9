//! Which subscription, resource group and vault a call is about: read from its path, before anything else of it.

use crate::app::audit::Actor;
use crate::app::principals::{Place, Principal};
use crate::app::{App, Error};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use stateward_api::ErrorCode;

/// The place that a path names. The path is in the table's spelling.
pub(in crate::http) fn place_of(path: &str) -> Place {
    let mut place = Place::default();
    let parts: Vec<&str> = path.split('/').collect();
    for pair in parts.windows(2) {
        let name = || Some(decode(pair[1]));
        match pair[0] {
            "resourceGroups" if place.group.is_none() => place.group = name(),
            "vaults" if place.group.is_some() && place.vault.is_none() => place.vault = name(),
            _ => {}
        }
    }
    place
}

/// Refuses a subscription that is not this one.
pub(in crate::http) fn check_subscription(app: &App, path: &str) -> Result<(), Error> {
    let Some(asked) = path.strip_prefix("/subscriptions/").and_then(|rest| rest.split('/').next()) else {
        return Ok(());
    };
    match asked.eq_ignore_ascii_case(&app.config.subscription) {
        true => Ok(()),
        false => Err(Error::refused(
            ErrorCode::SubscriptionNotFound,
            format!("There is no subscription `{}`", decode(asked)),
        )),
    }
}

/// A part of a path without its percent signs; as it is, if they are wrong.
fn decode(part: &str) -> String {
    let bytes = percent_encoding::percent_decode_str(part);
    bytes.decode_utf8().map_or_else(|_| part.to_owned(), |text| text.into_owned())
}

/// Whoever calls the management API, and the place that the call is about.
#[derive(Debug, Clone)]
pub(in crate::http) struct Manager {
    /// Who.
    pub(in crate::http) principal: Principal,
    /// Where.
    pub(in crate::http) place: Place,
}

impl Manager {
    /// The same, for the audit log.
    pub(in crate::http) fn actor(&self) -> Actor {
        Actor::Principal(self.principal.client_id.clone())
    }
}

impl<S: Sync> FromRequestParts<S> for Manager {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        // `auth` puts it there for every row that principals alone may call.
        parts.extensions.get::<Self>().cloned().ok_or(Error::InvalidToken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_from_the_path() {
        let of = |path: &str| {
            let place = place_of(path);
            (place.group.unwrap_or_default(), place.vault.unwrap_or_default())
        };
        let expect = |group: &str, vault: &str| (group.to_owned(), vault.to_owned());
        assert_eq!(
            of("/subscriptions/s/resourceGroups/a%2Db/providers/P/vaults/main/x"),
            expect("a-b", "main")
        );
        assert_eq!(of("/subscriptions/s/providers/P/vaults"), expect("", ""));
        // What comes later changes nothing.
        let path = "/subscriptions/s/resourceGroups/a/providers/P/vaults/v/backupPolicies/resourceGroups/b";
        assert_eq!(of(path), expect("a", "v"));
    }
}
