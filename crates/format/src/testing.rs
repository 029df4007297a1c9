//! What this room's tests share: encodings that are a little wrong, and pieces that are right.

use crate::content::Piece;

/// Decodes whatever is close to an encoding (a bit, a byte, a number spelled longer, two bytes changed over, an end too
/// early or too late) and checks that what is accepted has just the spelling that was read. `again` decodes and encodes;
/// `None` where the decoder refuses.
#[track_caller]
pub(crate) fn assert_one_spelling(encoding: &[u8], again: impl Fn(&[u8]) -> Option<Vec<u8>>) {
    assert_eq!(again(encoding).as_deref(), Some(encoding), "an encoding is refused or has two spellings");
    for close in close_to(encoding) {
        if let Some(spelled) = again(&close) {
            assert_eq!(spelled, close, "a second spelling is accepted");
        }
    }
}

/// Pieces as a writer gives them: no hole follows a hole.
pub(crate) fn without_double_holes(mut pieces: Vec<Piece>) -> Vec<Piece> {
    pieces.dedup_by(|next, last| matches!((next, last), (Piece::Hole(_), Piece::Hole(_))));
    pieces
}

fn close_to(encoding: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let at_places = (0..encoding.len()).flat_map(move |at| close_at(encoding, at));
    at_places.chain([0, 1, 0x80, 0xff].map(|byte| [encoding, &[byte]].concat()))
}

fn close_at(encoding: &[u8], at: usize) -> impl Iterator<Item = Vec<u8>> {
    let byte = encoding[at];
    let next = encoding.get(at + 1).copied();
    let replaced = move |with: &[u8], taken: usize| {
        let mut close = encoding.to_vec();
        close.splice(at..at + taken, with.iter().copied());
        close
    };
    let flipped = (0..8).map(move |bit| replaced(&[byte ^ (1 << bit)], 1));
    let set = [0, 1, 0x7f, 0x80, 0xff].into_iter().map(move |value| replaced(&[value], 1));
    let put = [0, 0x80].into_iter().map(move |value| replaced(&[value, byte], 1));
    // LEB128 with a byte that it does not need, a byte left out, one doubled, two changed over, the rest cut off.
    let spelled = [replaced(&[byte | 0x80, 0], 1), replaced(&[], 1), replaced(&[byte, byte], 1)].into_iter();
    let swapped = next.into_iter().map(move |next| replaced(&[next, byte], 2));
    flipped.chain(set).chain(put).chain(spelled).chain(swapped).chain([encoding[..at].to_vec()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Reader;

    /// LEB128 that does not mind a longer form.
    fn lax(bytes: &[u8]) -> Option<u64> {
        let value = bytes.iter().enumerate().take(9).map(|(i, byte)| u64::from(byte & 0x7f) << (7 * i)).sum();
        let is_whole = bytes.last().is_some_and(|last| last & 0x80 == 0);
        (is_whole && bytes[..bytes.len() - 1].iter().all(|byte| byte & 0x80 != 0)).then_some(value)
    }

    fn spelled(value: u64) -> Vec<u8> {
        let mut writer = crate::wire::Writer::default();
        writer.varint(value);
        writer.0
    }

    #[test]
    fn a_strict_decoder_passes() {
        assert_one_spelling(&spelled(300), |bytes| {
            let mut reader = Reader::new("number", bytes);
            let value = reader.varint().ok()?;
            reader.finish().ok().map(|()| spelled(value))
        });
    }

    #[test]
    #[should_panic(expected = "a second spelling is accepted")]
    fn a_lax_decoder_is_caught() {
        assert_one_spelling(&spelled(300), |bytes| lax(bytes).map(spelled));
    }
}
