//! Names in the paths of servers and items, and what answers a change that goes on by itself.

use super::query::Query;
use crate::app::items::ItemPlace;
use crate::app::{App, Error};
use axum::http::header::{LOCATION, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use stateward_model::{OperationId, ServerId};

/// Where clients poll an operation.
const ASYNC_OPERATION: HeaderName = HeaderName::from_static("azure-asyncoperation");

/// After how many seconds they may ask: all operations are done by then.
const POLL_AFTER: HeaderValue = HeaderValue::from_static("1");

/// Refuses a fabric that is not `Azure`: there is no other.
pub(super) fn check_fabric(name: &str) -> Result<(), Error> {
    match name.eq_ignore_ascii_case("Azure") {
        true => Ok(()),
        false => Err(Error::not_found(format!("backup fabric `{name}`; the one that there is: `Azure`"))),
    }
}

/// The server of a container's name, `Windows;<id>`.
pub(super) fn server_of(container: &str) -> Option<ServerId> {
    let (kind, id) = container.split_once(';')?;
    kind.eq_ignore_ascii_case("Windows").then(|| id.parse().ok()).flatten()
}

/// The same, or the refusal of what is none.
pub(super) fn server_at(fabric: &str, container: &str) -> Result<ServerId, Error> {
    check_fabric(fabric)?;
    server_of(container).ok_or_else(|| Error::not_found(format!("server `{container}`")))
}

/// The item that a path means.
pub(super) fn item_at(fabric: &str, container: &str, item: &str) -> Result<ItemPlace, Error> {
    let server = server_at(fabric, container)?;
    let item = item.parse().map_err(|_| Error::not_found(format!("protected item `{item}`")))?;
    Ok((server, item))
}

/// The headers by which clients poll an operation of a resource at this path.
pub(super) fn polled_at(app: &App, query: &Query, path: &str, operation: OperationId) -> HeaderMap {
    let address = |kind: &str| {
        let url = &app.config.url;
        HeaderValue::try_from(format!("{url}{path}/{kind}/{operation}?api-version={}", query.version))
    };
    let mut headers = HeaderMap::new();
    // Paths hold names that were parsed; what can't stand in a header was refused before.
    for (name, kind) in [(ASYNC_OPERATION, "operationsStatus"), (LOCATION, "operationResults")] {
        if let Ok(address) = address(kind) {
            headers.insert(name, address);
        }
    }
    headers.insert(RETRY_AFTER, POLL_AFTER);
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_is_named_by_its_servers_id() {
        let id = ServerId([7; 16]);
        for name in [format!("Windows;{id}"), format!("windows;{}", id.to_string().to_uppercase())] {
            assert_eq!(server_of(&name), Some(id), "{name}");
        }
        for wrong in ["", "Windows", "Windows;", "Linux;x", "Windows;web-01", &id.to_string()] {
            assert_eq!(server_of(wrong), None, "{wrong}");
        }
        assert!(check_fabric("azure").is_ok() && check_fabric("Other").is_err());
    }
}
