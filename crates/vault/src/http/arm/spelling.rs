//! The fixed parts of paths in the spelling of the table of calls: clients write `resourcegroups` and `resourceGroups`,
//! `Subscriptions` and `subscriptions`. Names and ids between them stay as they are, unless one reads like a fixed part;
//! those are told apart without regard to case anyway.

use axum::extract::Request;
use axum::http::Uri;
use axum::http::uri::PathAndQuery;
use std::collections::HashMap;

/// The spelling of each fixed part, by the part in small letters.
#[derive(Debug, Clone)]
pub(crate) struct Spelling(HashMap<String, &'static str>);

impl Spelling {
    /// Of the fixed parts of these paths, of which those under `/subscriptions` and `/metadata` count.
    pub(crate) fn of(paths: impl Iterator<Item = &'static str>) -> Self {
        let of_management =
            |path: &&'static str| path.starts_with("/subscriptions") || path.starts_with("/metadata");
        let parts = paths.filter(of_management).flat_map(|path| path.split('/'));
        let fixed = parts.filter(|part| !part.is_empty() && !part.starts_with('{'));
        Self(fixed.map(|part| (part.to_ascii_lowercase(), part)).collect())
    }

    /// The request with its path in this spelling, without a slash at its end.
    pub(crate) fn correct(&self, mut request: Request) -> Request {
        if let Some(uri) = self.corrected(request.uri()) {
            *request.uri_mut() = uri;
        }
        request
    }

    fn corrected(&self, uri: &Uri) -> Option<Uri> {
        let mut parts = uri.path().trim_end_matches('/').split('/').skip(1);
        let first = parts.next()?.to_ascii_lowercase();
        if first != "subscriptions" && first != "metadata" {
            return None;
        }
        let mut path = format!("/{first}");
        for part in parts {
            path.push('/');
            path.push_str(self.0.get(&part.to_ascii_lowercase()).copied().unwrap_or(part));
        }
        if let Some(query) = uri.query() {
            path.push('?');
            path.push_str(query);
        }
        let mut corrected = uri.clone().into_parts();
        corrected.path_and_query = Some(PathAndQuery::try_from(path).ok()?);
        Uri::from_parts(corrected).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixed_parts_are_corrected_and_names_stay() {
        let paths = ["/subscriptions/{s}/resourceGroups/{g}/providers/Microsoft.RecoveryServices/vaults/{v}"];
        let spelling = Spelling::of(paths.into_iter());
        for (given, corrected) in [
            (
                "/Subscriptions/X/resourcegroups/Web/PROVIDERS/microsoft.recoveryservices/Vaults/Main/?a=B&$filter=C",
                "/subscriptions/X/resourceGroups/Web/providers/Microsoft.RecoveryServices/vaults/Main?a=B&$filter=C",
            ),
            ("/subscriptions", "/subscriptions"),
            ("/SUBSCRIPTIONS/Windows%3Bsrv/", "/subscriptions/Windows%3Bsrv"),
        ] {
            let corrected_to = spelling.corrected(&given.parse().unwrap()).unwrap();
            assert_eq!(corrected_to.to_string(), corrected);
        }
        for other in ["/agent/V1/Subscriptions", "/", "/health"] {
            assert!(spelling.corrected(&other.parse().unwrap()).is_none(), "{other}");
        }
    }
}
