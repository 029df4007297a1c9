//! What follows the `?` of a management call: the version, a filter, and which page of a list.

use super::filter::Filter;
use crate::app::{App, Error};
use axum::extract::FromRequestParts;
use axum::http::Uri;
use axum::http::request::Parts;
use stateward_api::ErrorCode;
use stateward_api::arm::List;

/// How many things one page of a list has.
pub(super) const PAGE: usize = 200;

/// Names and values, decoded as a form's. Clients write `$filter` and `%24filter`, spaces as `+` and `%20`.
fn pairs(uri: &Uri) -> impl Iterator<Item = (String, String)> {
    form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
}

fn value_of(uri: &Uri, asked: &str) -> Option<String> {
    pairs(uri).find(|(name, _)| name.eq_ignore_ascii_case(asked)).map(|(_, value)| value)
}

/// Refuses a call without a version, or with one that is no date; any date will do. Clients move on some times a year.
pub(in crate::http) fn check_version(uri: &Uri) -> Result<(), Error> {
    let Some(version) = value_of(uri, "api-version") else {
        let why = "The query has no `api-version`, such as `api-version=2024-04-01`";
        return Err(Error::refused(ErrorCode::MissingApiVersionParameter, why));
    };
    let date = version.strip_suffix("-preview").unwrap_or(&version);
    let is_date = date.len() == 10
        && date
            .bytes()
            .enumerate()
            .all(|(at, c)| if at == 4 || at == 7 { c == b'-' } else { c.is_ascii_digit() });
    match is_date {
        true => Ok(()),
        false => Err(Error::refused(
            ErrorCode::InvalidApiVersionParameter,
            "The `api-version` must be a date such as `2024-04-01`, or `2024-04-01-preview`",
        )),
    }
}

/// The query of a management call.
pub(in crate::http) struct Query {
    /// Its version.
    pub(in crate::http) version: String,
    filter: Option<String>,
    skip: usize,
    uri: Uri,
}

impl Query {
    /// The filter, of which only these keys are known.
    pub(in crate::http) fn filter(&self, keys: &[&str]) -> Result<Filter, Error> {
        self.filter.as_deref().map_or_else(|| Ok(Filter::default()), |text| Filter::parse(text, keys))
    }

    /// Where the page is that begins after what a token says.
    pub(super) fn next_link(&self, app: &App, token: &str) -> String {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(pairs(&self.uri).filter(|(name, _)| !name.eq_ignore_ascii_case("$skipToken")));
        form.append_pair("$skipToken", token);
        format!("{}{}?{}", app.config.url, self.uri.path(), form.finish())
    }

    /// What the token of the page that was asked for says: the number after which it begins.
    pub(super) fn after(&self) -> u64 {
        self.skip as u64
    }

    /// The page of a list that was asked for.
    pub(in crate::http) fn page<T>(&self, app: &App, all: Vec<T>) -> List<T> {
        let end = self.skip.saturating_add(PAGE);
        let next_link = (end < all.len()).then(|| self.next_link(app, &end.to_string()));
        List { value: all.into_iter().skip(self.skip).take(PAGE).collect(), next_link }
    }
}

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let uri = parts.uri.clone();
        let skip = value_of(&uri, "$skipToken").map_or(Ok(0), |token| token.parse());
        Ok(Self {
            version: value_of(&uri, "api-version").unwrap_or_default(),
            filter: value_of(&uri, "$filter").filter(|text| !text.trim().is_empty()),
            skip: skip.map_err(|_| Error::invalid("The `$skipToken` is none that was given out here"))?,
            uri,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn query(uri: &str) -> Query {
        let (mut parts, ()) = axum::http::Request::builder().uri(uri).body(()).unwrap().into_parts();
        Query::from_request_parts(&mut parts, &()).await.unwrap()
    }

    #[tokio::test]
    async fn a_long_list_comes_in_pages_that_lead_to_each_other() {
        let app = crate::app::testing::TestApp::new().await.app;
        let all: Vec<usize> = (0..450).collect();
        let mut address = "/subscriptions/s/things?%24filter=a+eq+'b+c'&api-version=2024-04-01".to_owned();
        let mut seen = Vec::new();
        loop {
            let asked = query(&address).await;
            assert_eq!(asked.version, "2024-04-01");
            assert_eq!(asked.filter(&["a"]).unwrap().get("a"), Some("b c"));
            let page = asked.page(&app, all.clone());
            assert!(page.value.len() <= PAGE);
            seen.extend(page.value);
            let Some(next) = page.next_link else { break };
            address = next;
        }
        assert_eq!(seen, all);
    }

    #[test]
    fn any_date_is_a_version() {
        let check = |query: &str| check_version(&format!("/subscriptions{query}").parse().unwrap());
        for right in ["?api-version=2099-01-01", "?a=b&API-Version=2015-01-01-preview"] {
            assert!(check(right).is_ok(), "{right}");
        }
        for wrong in [
            "",
            "?",
            "?api-version=",
            "?api-version=1",
            "?api-version=2024-04-01-beta",
            "?api-version=2024/04/01",
        ] {
            assert!(check(wrong).is_err(), "{wrong}");
        }
    }
}
