//! Bodies that are read in one piece: how long they may take, and what of JSON an object is.

use crate::app::Error;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

/// How long a JSON body or a form may take as a whole.
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits for a body that is read in one piece, but not for one that comes a byte now and then.
pub(super) async fn in_time<F: Future>(reading: F) -> Result<F::Output, Error> {
    within(PATIENCE, reading).await
}

async fn within<F: Future>(patience: Duration, reading: F) -> Result<F::Output, Error> {
    let late = |_| Error::invalid(format!("The body did not come within {} seconds", patience.as_secs()));
    tokio::time::timeout(patience, reading).await.map_err(late)
}

/// What is an object in JSON. Derived code would take a list for one too, with its fields in their order in the source.
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::extract::{Json, MaybeJson};
    use axum::body::Body;
    use axum::extract::{FromRequest as _, Request};
    use axum::http::header::CONTENT_TYPE;
    use futures::stream;

    #[derive(Debug, serde::Deserialize)]
    struct Wish {
        #[serde(default)]
        what: String,
    }

    async fn read<T: serde::de::DeserializeOwned>(body: Body) -> Result<T, Error> {
        let request = Request::builder().header(CONTENT_TYPE, "application/json").body(body).unwrap();
        Json::from_request(request, &()).await.map(|json| json.0)
    }

    #[tokio::test]
    async fn only_an_object_is_an_object() {
        assert_eq!(read::<Wish>(Body::from(r#"{"what": "rest", "more": [1]}"#)).await.unwrap().what, "rest");
        for wrong in ["", "null", "[]", r#"["rest"]"#, r#""rest""#, "1", "{}{}", r#"{"what": 1}"#] {
            let refused = read::<Wish>(Body::from(wrong)).await.unwrap_err();
            assert!(matches!(refused, Error::InvalidRequest(_)), "{wrong}: {refused}");
        }
    }

    #[tokio::test]
    async fn a_body_that_may_be_left_out_is_an_object_else() {
        let read = async |body: &'static str| {
            let request = Request::builder().body(Body::from(body)).unwrap();
            MaybeJson::<Wish>::from_request(request, &()).await.map(|json| json.0.map(|wish| wish.what))
        };
        for nothing in ["", " ", "null"] {
            assert_eq!(read(nothing).await.unwrap(), None);
        }
        assert_eq!(read(r#"{"what": "rest"}"#).await.unwrap().as_deref(), Some("rest"));
        for wrong in ["[]", r#"["rest"]"#, "1", "{"] {
            assert!(read(wrong).await.is_err(), "{wrong}");
        }
    }

    #[tokio::test]
    async fn a_body_that_does_not_end_is_not_waited_for() {
        let body = Body::from_stream(stream::pending::<Result<bytes::Bytes, std::io::Error>>());
        let refused = within(Duration::from_millis(1), read::<Wish>(body)).await.unwrap_err();
        assert!(refused.to_string().starts_with("The body did not come"), "{refused}");
    }
}
