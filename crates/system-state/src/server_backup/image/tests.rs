//! Virtual disks that another hand wrote, whole and damaged.

use super::*;
use stateward_testing::virtual_disk::{Block, vhd, vhdx};
use std::io::Cursor;

const DISK: u64 = 40 << 20;
const BLOCK: usize = 2 << 20;

fn blocks() -> Vec<Block> {
    vec![(7, vec![1; BLOCK]), (0, vec![2; BLOCK]), (19, vec![3; BLOCK])]
}

fn look(bytes: &[u8]) -> Result<ImageFacts, ImageFault> {
    check(&mut Cursor::new(bytes), bytes.len() as u64)
}

#[test]
fn whole_disks_are_whole_and_tell_their_blocks() {
    let (x, d) = (vhdx(DISK, BLOCK, &blocks()), vhd(DISK, BLOCK, &blocks()));
    for (bytes, kind) in [(&x, ImageKind::Vhdx), (&d, ImageKind::Vhd)] {
        let facts = look(bytes).unwrap();
        let expected = ImageFacts {
            kind,
            file_bytes: bytes.len() as u64,
            disk_bytes: DISK,
            block_bytes: BLOCK as u64,
            blocks: 3,
            is_open: false,
        };
        assert_eq!(facts, expected);
    }
    assert_eq!(look(&vhdx(DISK, BLOCK, &[])).unwrap().blocks, 0);
    // Blocks of 1 MiB: after each 4096 of them comes the entry of a bitmap.
    let long = vhdx(5 << 32, 1 << 20, &[(4095, vec![1; 1 << 20]), (4096, vec![2; 1 << 20])]);
    assert_eq!(look(&long).unwrap().blocks, 2);
}

#[test]
fn one_sound_header_is_enough_and_none_is_not() {
    let mut bytes = vhdx(DISK, BLOCK, &blocks());
    bytes[(128 << 10) + 9] ^= 1;
    assert!(look(&bytes).is_ok());
    bytes[(192 << 10) + 9] ^= 1;
    assert!(look(&bytes).is_ok());
    bytes[(256 << 10) + 9] ^= 1;
    assert!(matches!(look(&bytes), Err(ImageFault::Broken(why)) if why.contains("region tables")));
    bytes[(64 << 10) + 9] ^= 1;
    assert!(matches!(look(&bytes), Err(ImageFault::Broken(why)) if why.contains("headers")));
}

#[test]
fn a_disk_that_was_cut_off_anywhere_is_not_whole() {
    for bytes in [vhdx(DISK, BLOCK, &blocks()), vhd(DISK, BLOCK, &blocks())] {
        for length in (0..bytes.len()).step_by(99_991).chain([bytes.len() - 1, bytes.len() - 512]) {
            assert!(look(&bytes[..length]).is_err(), "{length}");
        }
    }
}

#[test]
fn a_vhd_whose_foot_or_header_changed_is_not_whole() {
    let whole = vhd(DISK, BLOCK, &blocks());
    for at in [whole.len() - 512, whole.len() - 450, 512, 540] {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        assert!(matches!(look(&bytes), Err(ImageFault::Broken(_))), "{at}");
    }
    let mut far = whole;
    far[1536..1540].copy_from_slice(&0x00ff_ffffu32.to_be_bytes());
    assert!(matches!(look(&far), Err(ImageFault::CutOff { .. })));
}

#[test]
fn any_damage_to_the_tables_is_an_answer_and_no_panic() {
    let whole = vhdx(DISK, BLOCK, &blocks());
    let tables = [
        (64 << 10)..(64 << 10) + 80,
        (192 << 10)..(192 << 10) + 80,
        2 << 20..(2 << 20) + 160,
        3 << 20..(3 << 20) + 130,
    ];
    for at in tables.into_iter().flatten() {
        for value in [0, 0xff] {
            let mut bytes = whole.clone();
            bytes[at] = value;
            let _ = look(&bytes);
        }
    }
}
