//! Bodies of objects: received in bounded time and memory, hashed on their way, not copied together.

use crate::app::Error;
use crate::app::pack_memory::PackMemory;
use crate::app::packs::Received;
use crate::app::parts::IncomingPart;
use axum::body::{Body, BodyDataStream, HttpBody as _};
use bytes::{Bytes, BytesMut};
use futures::StreamExt as _;
use stateward_model::ServerId;
use std::time::Duration;

/// How long the next piece of a body may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Shorter pieces are put together, so that a body in tiny pieces does not take many times its memory.
const SMALL_BYTES: usize = 8 << 10;

/// Receives a server's body of at most `most` bytes as its pieces come, once there is memory for it.
pub(super) async fn receive(
    memory: &PackMemory,
    server: ServerId,
    body: Body,
    most: u64,
) -> Result<Received, Error> {
    if body.size_hint().lower() > most {
        return Err(Error::TooLarge(most));
    }
    // A client that does not say how long its body is gets the memory of the longest.
    let memory = memory.reserve(server, body.size_hint().exact().unwrap_or(most)).await?;
    let mut stream = body.into_data_stream();
    let (mut parts, mut small) = (Vec::new(), BytesMut::new());
    let (mut length, mut hasher) = (0u64, blake3::Hasher::new());
    while let Some(piece) = next(&mut stream).await? {
        length += piece.len() as u64;
        if length > most {
            return Err(Error::TooLarge(most));
        }
        hasher.update(&piece);
        if piece.len() < SMALL_BYTES {
            small.extend_from_slice(&piece);
            if small.len() >= SMALL_BYTES {
                parts.push(small.split().freeze());
            }
            continue;
        }
        if !small.is_empty() {
            parts.push(small.split().freeze());
        }
        parts.push(piece);
    }
    parts.extend((!small.is_empty()).then(|| small.freeze()));
    Ok(Received { parts, length, hash: *hasher.finalize().as_bytes(), memory })
}

/// Receives a part of a pack into its place.
pub(super) async fn receive_part(body: Body, incoming: &mut IncomingPart) -> Result<(), Error> {
    let mut stream = body.into_data_stream();
    while let Some(piece) = next(&mut stream).await? {
        incoming.write(&piece)?;
    }
    Ok(())
}

/// Receives a body in one piece.
pub(super) async fn receive_whole(
    memory: &PackMemory,
    server: ServerId,
    body: Body,
    most: u64,
) -> Result<Bytes, Error> {
    let received = receive(memory, server, body, most).await?;
    Ok(match <[Bytes; 1]>::try_from(received.parts) {
        Ok([whole]) => whole,
        Err(parts) => parts.concat().into(),
    })
}

/// Lets a body pass by. A client of HTTP/1.1 that is refused before it sent everything may otherwise see its connection
/// break, and never read why.
pub(super) async fn drain(body: Body, most: u64) {
    let mut stream = body.into_data_stream();
    let mut length = 0u64;
    let passing = async {
        while let Ok(Some(piece)) = next(&mut stream).await {
            length += piece.len() as u64;
            if length > most {
                return;
            }
        }
    };
    // Whoever is refused may be anybody, and a byte a minute would keep the connection for years.
    let _ = tokio::time::timeout(PATIENCE, passing).await;
}

async fn next(stream: &mut BodyDataStream) -> Result<Option<Bytes>, Error> {
    match tokio::time::timeout(PATIENCE, stream.next()).await {
        Ok(None) => Ok(None),
        Ok(Some(Ok(piece))) => Ok(Some(piece)),
        Ok(Some(Err(_))) => Err(Error::invalid("The body broke off")),
        Err(_) => Err(Error::invalid("The body did not go on for a minute")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::stream;

    const SERVER: ServerId = ServerId([1; 16]);

    fn body(pieces: &[&'static [u8]]) -> Body {
        let pieces: Vec<_> =
            pieces.iter().map(|piece| Ok::<_, std::io::Error>(Bytes::from_static(piece))).collect();
        Body::from_stream(stream::iter(pieces))
    }

    #[tokio::test]
    async fn pieces_of_any_size_give_the_same_bytes_and_hash() {
        let memory = PackMemory::default();
        let large: &'static [u8] = &[7; 20_000];
        let received =
            receive(&memory, SERVER, body(&[b"ab", b"", b"c", large, b"d"]), 30_000).await.unwrap();
        let whole = [&b"abc"[..], large, b"d"].concat();
        assert_eq!(received.parts.concat(), whole);
        assert_eq!((received.length, received.hash), (20_004, *blake3::hash(&whole).as_bytes()));
        assert_eq!(received.parts.len(), 3);
    }

    #[tokio::test]
    async fn a_body_that_is_too_long_is_refused_at_once_or_on_its_way() {
        let memory = PackMemory::default();
        for long in [body(&[b"abc", b"de"]), Body::from("abcde")] {
            assert!(matches!(receive(&memory, SERVER, long, 4).await, Err(Error::TooLarge(4))));
        }
        assert_eq!(receive_whole(&memory, SERVER, body(&[b"ab", b"cd"]), 4).await.unwrap(), "abcd");
    }
}
