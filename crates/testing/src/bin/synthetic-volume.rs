//! Writes one generation of a volume like NTFS' into a VHDX, and tells what it holds as a line of JSON: for
//! `scripts/measure-image-generations.sh`. See `stateward_testing::synthetic_volume`.

use stateward_testing::synthetic_volume::{SyntheticVolume, VolumeWish};
use std::env;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// The arguments: source, image, MiB of the volume, MiB of a block, seed, generation, and whether its blocks have `another` order
/// than those of the first, or the `same`.
fn main() -> io::Result<()> {
    let wrong =
        || io::Error::new(io::ErrorKind::InvalidInput, "SOURCE IMAGE MIB BLOCK_MIB SEED GENERATION ORDER");
    let words: Vec<String> = env::args().skip(1).collect();
    let [source, image, bytes, block, seed, generation, order] = &words[..] else { return Err(wrong()) };
    let number = |text: &str| text.parse::<u64>().map_err(|_| wrong());
    let wish = VolumeWish {
        source: PathBuf::from(source),
        bytes: number(bytes)? << 20,
        block_bytes: number(block)? << 20,
        changed_per_mille: 20,
        keeps_order: match &order[..] {
            "same" => true,
            "another" => false,
            _ => return Err(wrong()),
        },
        seed: number(seed)?,
    };
    let mut volume = SyntheticVolume::new(wish)?;
    for _ in 1..number(generation)? {
        volume = volume.changed();
    }
    let facts = volume.write(Path::new(image))?;
    writeln!(
        io::stdout(),
        r#"{{"image": {}, "used": {}, "changed": {}, "new": {}, "blocks": {}}}"#,
        facts.image_bytes,
        facts.used_bytes,
        facts.changed_bytes,
        facts.new_bytes,
        facts.blocks
    )
}
