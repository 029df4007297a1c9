//! Addresses of the management API: paths whose parts are names that people chose, and what the vault says where to go on.

use reqwest::Url;
use stateward_api::arm::VERSION;
use stateward_engine::VaultError;

/// Stands before paths while they are put together; it is never asked.
const NOWHERE: &str = "https://vault.invalid";

/// The address of what stands below `id`, which is a path as the vault writes it, with these parts of its own and this query.
pub(super) fn address(id: &str, parts: &[&str], query: &[(&str, &str)]) -> String {
    let mut url = Url::parse(NOWHERE).expect("it is an address");
    url.set_path(id);
    if let Ok(mut path) = url.path_segments_mut() {
        path.extend(parts);
    }
    url.query_pairs_mut().append_pair("api-version", VERSION).extend_pairs(query);
    path_of(&url)
}

/// The path and query of an address that the vault gave.
pub(super) fn followed(link: &str) -> Result<String, VaultError> {
    match Url::parse(link) {
        Ok(url) if url.scheme() == "https" => Ok(path_of(&url)),
        _ => Err(VaultError::BadAnswer("it leads to where no vault is".to_owned())),
    }
}

fn path_of(url: &Url) -> String {
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    format!("{}{query}", url.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_can_not_leave_their_place_in_a_path() {
        let plain = address("/subscriptions/s/resourceGroups/g", &["backupPolicies", "Daily 02:00"], &[]);
        let version = format!("?api-version={VERSION}");
        assert_eq!(plain, format!("/subscriptions/s/resourceGroups/g/backupPolicies/Daily%2002:00{version}"));
        let hostile = address("/a?b#c", &["../x", "d?e=f&g#h%2f"], &[("$filter", "a eq 'b&c'")]);
        assert_eq!(
            hostile,
            format!("/a%3Fb%23c/..%2Fx/d%3Fe=f&g%23h%252f{version}&%24filter=a+eq+%27b%26c%27")
        );
    }

    #[test]
    fn of_a_link_only_path_and_query_are_followed() {
        let link = "https://elsewhere:1/subscriptions/s/x?api-version=1&$skipToken=200";
        assert_eq!(followed(link).unwrap(), "/subscriptions/s/x?api-version=1&$skipToken=200");
        for wrong in ["", "/x", "http://a/b", "file:///etc/passwd"] {
            assert!(followed(wrong).is_err(), "{wrong}");
        }
    }
}
