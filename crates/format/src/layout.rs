//! Which objects a vault keeps, and under which names. Names are relative to the vault's root in its store:
//! `vaults/<vault id>/`.
//!
//! | object | name | holds |
//! |---|---|---|
//! | pack | `packs/<first 2 digits>/<pack id>` | [`crate::pack`] |
//! | recovery point | `points/<server id>/<sequence, 20 digits>-<point hash>` | [`crate::point`] |
//! | receipt | `receipts/<server id>/<sequence, 20 digits>-<point hash>` | [`crate::receipt`] |
//! | tombstone | `tombstones/<server id>/<sequence, 20 digits>-<point hash>-<number, 10 digits>` | [`crate::tombstone`] |
//! | key slot | `keys/<server id>/<epoch, 10 digits>/<slot hash>` | [`crate::slot`] |
//!
//! Every object is written once and never changed; its name says what it must hash to (a receipt's and a tombstone's
//! name: which point it is for).

use stateward_model::{PackId, PointHash, Sequence, ServerId, SlotHash, VaultId};

/// Where a vault's objects begin in its store, with a `/` at its end.
pub fn vault_root(vault: VaultId) -> String {
    format!("vaults/{vault}/")
}

/// A pack's name.
pub fn pack(id: PackId) -> String {
    let text = id.to_string();
    format!("packs/{}/{text}", &text[..2])
}

/// The folder of a server's recovery points, with a `/` at its end.
pub fn points(server: ServerId) -> String {
    format!("points/{server}/")
}

/// A recovery point's name.
pub fn point(server: ServerId, sequence: Sequence, hash: PointHash) -> String {
    format!("points/{server}/{sequence:020}-{hash}")
}

/// The name of a recovery point's receipt.
pub fn receipt(server: ServerId, sequence: Sequence, hash: PointHash) -> String {
    format!("receipts/{server}/{sequence:020}-{hash}")
}

/// The name of a recovery point's tombstone of that number.
pub fn tombstone(server: ServerId, sequence: Sequence, hash: PointHash, number: u32) -> String {
    format!("tombstones/{server}/{sequence:020}-{hash}-{number:010}")
}

/// The folder of a server's key slots, with a `/` at its end.
pub fn slots(server: ServerId) -> String {
    format!("keys/{server}/")
}

/// A key slot's name.
pub fn slot(server: ServerId, epoch: u32, hash: SlotHash) -> String {
    format!("keys/{server}/{epoch:010}/{hash}")
}

/// Reads the last part of a recovery point's or receipt's name.
pub fn parse_point(file_name: &str) -> Option<(Sequence, PointHash)> {
    let (sequence, hash) = file_name.split_once('-')?;
    (sequence.len() == 20 && sequence.bytes().all(|digit| digit.is_ascii_digit())).then_some(())?;
    Some((sequence.parse().ok()?, hash.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::assert_one_spelling;

    #[test]
    fn names_of_one_point_stand_in_the_order_of_their_numbers() {
        let (server, hash) = (ServerId([2; 16]), PointHash([4; 32]));
        let name = tombstone(server, 3, hash, 7);
        let digits = "04".repeat(32);
        assert_eq!(
            name,
            format!(
                "tombstones/02020202-0202-0202-0202-020202020202/00000000000000000003-{digits}-0000000007"
            )
        );
        assert!(name < tombstone(server, 3, hash, 10));
        let point = point(server, 3, hash);
        assert_eq!(parse_point(point.rsplit('/').next().unwrap()), Some((3, hash)));
    }

    #[test]
    fn a_points_name_that_is_read_has_just_this_spelling() {
        let server = ServerId([2; 16]);
        let last = |sequence, hash| point(server, sequence, hash).rsplit('/').next().unwrap().to_owned();
        for sequence in [0, 7, 1_000_000, u64::MAX] {
            let name = last(sequence, PointHash([0xa4; 32]));
            assert_one_spelling(name.as_bytes(), |bytes| {
                let (sequence, hash) = parse_point(std::str::from_utf8(bytes).ok()?)?;
                Some(last(sequence, hash).into_bytes())
            });
        }
        let hash = "a4".repeat(32);
        for other in
            [format!("+0000000000000000007-{hash}"), format!("00000000000000000007-{}", hash.to_uppercase())]
        {
            assert_eq!(parse_point(&other), None, "{other}");
        }
    }
}
