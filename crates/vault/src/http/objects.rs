//! Answers that are objects: as they are stored, whole or a range.

use crate::app::Error;
use crate::app::parts::PartPlace;
use axum::body::Body;
use axum::http::header::{ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, RANGE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::stream::BoxStream;
use std::ops::Range;

/// How objects travel.
const OCTETS: &str = "application/octet-stream";

/// The bytes that a request asks for, of an object of `length` bytes: `None` for all of them. One range with both ends,
/// which is all that the contract has.
pub(super) fn range(headers: &HeaderMap, length: u64) -> Result<Option<Range<u64>>, Error> {
    let Some(value) = headers.get(RANGE) else { return Ok(None) };
    let ends = value.to_str().ok().and_then(|text| text.strip_prefix("bytes=")?.split_once('-'));
    let range = ends.and_then(|(first, last)| {
        let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
        // HTTP's ranges name their last byte (RFC 9110 §14.1.2).
        (first <= last && last < length).then_some(first..last + 1)
    });
    let why =
        || Error::invalid(format!("The range must be `bytes=a-b` within the {length} bytes of the object"));
    range.ok_or_else(why).map(Some)
}

/// Where a body belongs in a pack: `Content-Range: bytes a-b/length` (RFC 9110 §14.4).
pub(super) fn content_range(headers: &HeaderMap) -> Result<PartPlace, Error> {
    let text = headers.get(CONTENT_RANGE).and_then(|value| value.to_str().ok());
    let place = text.and_then(|text| {
        let (ends, length) = text.strip_prefix("bytes ")?.split_once('/')?;
        let (first, last) = ends.split_once('-')?;
        let (first, last, length): (u32, u32, u32) =
            (first.parse().ok()?, last.parse().ok()?, length.parse().ok()?);
        (first <= last && last < length).then(|| PartPlace { range: first..last + 1, pack_length: length })
    });
    let why = || Error::invalid("A part needs `Content-Range: bytes a-b/length`, within the pack's length");
    place.ok_or_else(why)
}

/// A small object in one piece.
pub(super) fn whole(object: Bytes) -> Response {
    ([(CONTENT_TYPE, OCTETS)], object).into_response()
}

/// An object in pieces, or the range of it that was asked for.
pub(super) fn pieces(
    stream: BoxStream<'static, Result<Bytes, Error>>,
    length: u64,
    range: Option<Range<u64>>,
) -> Response {
    let body = Body::from_stream(stream);
    let octets = [(CONTENT_TYPE, OCTETS), (ACCEPT_RANGES, "bytes")];
    match range {
        None => (octets, [(CONTENT_LENGTH, length.to_string())], body).into_response(),
        Some(range) => {
            let part = format!("bytes {}-{}/{length}", range.start, range.end - 1);
            let headers = [(CONTENT_RANGE, part), (CONTENT_LENGTH, (range.end - range.start).to_string())];
            (StatusCode::PARTIAL_CONTENT, octets, headers, body).into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(value: &str) -> Result<Option<Range<u64>>, Error> {
        let mut headers = HeaderMap::new();
        headers.insert(RANGE, value.parse().unwrap());
        range(&headers, 10)
    }

    #[test]
    fn a_range_within_the_object_is_read_and_any_other_refused() {
        assert_eq!(asked("bytes=0-9").unwrap(), Some(0..10));
        assert_eq!(asked("bytes=3-3").unwrap(), Some(3..4));
        assert_eq!(range(&HeaderMap::new(), 10).unwrap(), None);
        for wrong in ["bytes=0-10", "bytes=4-3", "bytes=-3", "bytes=3-", "bytes=0-1,3-4", "items=0-1", "x"] {
            assert!(asked(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_parts_place_is_read_and_any_other_text_refused() {
        let read = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_RANGE, value.parse().unwrap());
            content_range(&headers)
        };
        assert_eq!(read("bytes 3-9/10").unwrap(), PartPlace { range: 3..10, pack_length: 10 });
        for wrong in ["bytes 0-10/10", "bytes 4-3/10", "bytes 0-3/*", "bytes */10", "0-3/10", "bytes 0-3", ""]
        {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        assert!(read(&format!("bytes 0-3/{}", u64::MAX)).is_err());
        assert!(content_range(&HeaderMap::new()).is_err());
    }
}
