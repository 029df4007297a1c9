//! The image of a system volume, as Windows Server Backup makes it anew for each backup of System State: the next one sends what
//! changed on the volume, though its blocks lie in another order. The long form is `scripts/measure-image-generations.sh`.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]
#![cfg(target_os = "linux")]

use stateward_e2e::{TestServer, TestVault};
use stateward_testing::SeededRandom;
use stateward_testing::synthetic_volume::{SyntheticVolume, VolumeWish};
use std::fs;
use std::path::Path;

const MIB: u64 = 1 << 20;

/// Of what is in use, in hundredths, no more may be sent. Two of them were written; but a chunk of some 32 KiB goes up for each place
/// that changed, however short it is, and for each end of a block that has another neighbour.
const HUNDREDTHS_MOST: u64 = 15;

/// Files of all sizes whose bytes can't be compressed: what is sent is what is new.
fn plant(folder: &Path) {
    fs::create_dir(folder).unwrap();
    let random = SeededRandom::new(3);
    let mut planted = 0;
    while planted < 80 * MIB {
        let length = 1 << (8 + random.below(13));
        let bytes = random.bytes(length as usize + random.below(length) as usize);
        planted += bytes.len() as u64;
        fs::write(folder.join(planted.to_string()), bytes).unwrap();
    }
}

#[test]
fn of_the_next_image_of_a_volume_what_changed_is_sent_though_its_blocks_moved() {
    let vault = TestVault::start();
    let server = TestServer::registered(&vault);
    let (source, data) = (server.path("files"), server.path("data"));
    plant(&source);
    fs::create_dir(&data).unwrap();
    let image = data.join("volume.vhdx");
    let wish = VolumeWish {
        source,
        bytes: 64 * MIB,
        block_bytes: 2 * MIB,
        changed_per_mille: 20,
        keeps_order: false,
        seed: 1,
    };
    let volume = SyntheticVolume::new(wish).unwrap();
    let first = volume.write(&image).unwrap();
    server.protect(&data);
    server.backup();
    let before = fs::read(&image).unwrap();

    let second = volume.changed().write(&image).unwrap();
    assert!(second.changed_bytes * 1000 >= first.used_bytes * 19 && second.new_bytes <= second.changed_bytes);
    let after = fs::read(&image).unwrap();
    assert_eq!(after.len() as u64, second.image_bytes);
    let places = before.chunks(2 << 20).zip(after.chunks(2 << 20));
    assert!(places.filter(|(one, other)| one != other).count() > 16, "most blocks lie elsewhere");
    let sent = server.backup()["bytes_uploaded"].as_u64().unwrap();
    println!(
        "{} KiB written, {} KiB new, {} KiB sent",
        second.changed_bytes >> 10,
        second.new_bytes >> 10,
        sent >> 10
    );
    assert!(sent > second.new_bytes, "what is new must go up: {sent}");
    assert!(sent * 100 < first.used_bytes * HUNDREDTHS_MOST, "{sent} of {} bytes", first.used_bytes);
    let restored = server.path("restored");
    server.restore("latest", &restored, &[]).done();
    assert!(fs::read(stateward_e2e::server::restored(&restored, &image)).unwrap() == after);
}
