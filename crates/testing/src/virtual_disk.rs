//! Virtual disks as Windows writes them, small, and written by the specifications alone: who reads them in the product
//! shares nothing with this.

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

/// A block of a disk: its number, and what it holds (as long as a block).
pub type Block = (u64, Vec<u8>);

fn crc32c(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0x82f6_3b78 } else { crc >> 1 };
        }
    }
    !crc
}

/// An id as it lies in a file: its first three groups have their low byte first.
fn guid(text: &str) -> [u8; 16] {
    let digits: Vec<u8> = text.bytes().filter(|c| *c != b'-').collect();
    let byte =
        |at: usize| u8::from_str_radix(std::str::from_utf8(&digits[2 * at..2 * at + 2]).expect("ASCII"), 16);
    const ORDER: [usize; 16] = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
    ORDER.map(|at| byte(at).expect("hexadecimal"))
}

fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    bytes[at..at + value.len()].copy_from_slice(value);
}

/// Puts the checksum of the whole at 4, as VHDX has it in each structure.
pub fn seal(mut bytes: Vec<u8>) -> Vec<u8> {
    let crc = crc32c(&bytes);
    put(&mut bytes, 4, &crc.to_le_bytes());
    bytes
}

/// A dynamic VHDX (MS-VHDX). Blocks lie in the file in the order in which they are given.
pub fn vhdx(disk_bytes: u64, block_bytes: usize, blocks: &[Block]) -> Vec<u8> {
    let order: Vec<u64> = blocks.iter().map(|(number, _)| *number).collect();
    let mut file = vhdx_head(disk_bytes, block_bytes, &order);
    for (_, content) in blocks {
        assert_eq!(content.len(), block_bytes, "a block is whole");
        file.extend_from_slice(content);
    }
    file
}

/// All of a dynamic VHDX but its blocks, which follow it in that order.
pub fn vhdx_head(disk_bytes: u64, block_bytes: usize, order: &[u64]) -> Vec<u8> {
    let count = disk_bytes.div_ceil(block_bytes as u64);
    let ratio = (512 << 23) / block_bytes as u64;
    let entries = count + (count.max(1) - 1) / ratio;
    let table_bytes = (entries as usize * 8).next_multiple_of(MIB);
    let (table_at, metadata_at) = (2 * MIB, 2 * MIB + table_bytes);
    let first_block = metadata_at + MIB;
    let mut file = vec![0; first_block];
    put(&mut file, 0, b"vhdxfile");
    for (at, sequence) in [(64 * KIB, 1u64), (128 * KIB, 2)] {
        put(&mut file, at, &header(sequence));
    }
    for at in [192 * KIB, 256 * KIB] {
        put(&mut file, at, &regions(table_at, table_bytes, metadata_at));
    }
    put(&mut file, metadata_at, &metadata(disk_bytes, block_bytes));
    for (place, number) in order.iter().enumerate() {
        let entry = table_at + 8 * (number + number / ratio) as usize;
        let at = (first_block + place * block_bytes) as u64;
        put(&mut file, entry, &(at | 6).to_le_bytes());
    }
    file
}

fn header(sequence: u64) -> Vec<u8> {
    let mut header = vec![0; 4096];
    put(&mut header, 0, b"head");
    put(&mut header, 8, &sequence.to_le_bytes());
    put(&mut header, 66, &1u16.to_le_bytes());
    put(&mut header, 68, &(MIB as u32).to_le_bytes());
    put(&mut header, 72, &(MIB as u64).to_le_bytes());
    seal(header)
}

fn regions(table_at: usize, table_bytes: usize, metadata_at: usize) -> Vec<u8> {
    let mut regions = vec![0; 64 * KIB];
    put(&mut regions, 0, b"regi");
    put(&mut regions, 8, &2u32.to_le_bytes());
    let named = [
        (guid("2DC27766-F623-4200-9D64-115E9BFD4A08"), table_at, table_bytes),
        (guid("8B7CA206-4790-4B9A-B8FE-575F050F886E"), metadata_at, MIB),
    ];
    for (at, (id, begin, length)) in (16..).step_by(32).zip(named) {
        put(&mut regions, at, &id);
        put(&mut regions, at + 16, &(begin as u64).to_le_bytes());
        put(&mut regions, at + 24, &(length as u32).to_le_bytes());
        put(&mut regions, at + 28, &1u32.to_le_bytes());
    }
    seal(regions)
}

fn metadata(disk_bytes: u64, block_bytes: usize) -> Vec<u8> {
    let mut metadata = vec![0; 65 * KIB];
    put(&mut metadata, 0, b"metadata");
    put(&mut metadata, 10, &3u16.to_le_bytes());
    let items: [(&str, Vec<u8>); 3] = [
        ("CAA16737-FA36-4D43-B3B6-33F0AA44E76B", [(block_bytes as u32).to_le_bytes(), [0; 4]].concat()),
        ("2FA54224-CD1B-4876-B211-5DBED83BF4B8", disk_bytes.to_le_bytes().to_vec()),
        ("8141BF1D-A96F-4709-BA47-F233A8FAAB5F", 512u32.to_le_bytes().to_vec()),
    ];
    for (place, (id, value)) in items.iter().enumerate() {
        let (entry, at) = (32 + 32 * place, 64 * KIB + 16 * place);
        put(&mut metadata, entry, &guid(id));
        put(&mut metadata, entry + 16, &(at as u32).to_le_bytes());
        put(&mut metadata, entry + 20, &(value.len() as u32).to_le_bytes());
        put(&mut metadata, at, value);
    }
    metadata
}

/// The complement of the sum of all bytes, at `at`.
fn sum(mut bytes: Vec<u8>, at: usize) -> Vec<u8> {
    let sum = bytes.iter().fold(0u32, |sum, byte| sum.wrapping_add(u32::from(*byte)));
    put(&mut bytes, at, &(!sum).to_be_bytes());
    bytes
}

/// A dynamic VHD ("Virtual Hard Disk Image Format Specification"). Blocks lie in the order in which they are given.
pub fn vhd(disk_bytes: u64, block_bytes: usize, blocks: &[Block]) -> Vec<u8> {
    let count = disk_bytes.div_ceil(block_bytes as u64) as usize;
    let mut foot = vec![0; 512];
    put(&mut foot, 0, b"conectix");
    put(&mut foot, 12, &0x0001_0000u32.to_be_bytes());
    put(&mut foot, 16, &512u64.to_be_bytes());
    put(&mut foot, 40, &disk_bytes.to_be_bytes());
    put(&mut foot, 48, &disk_bytes.to_be_bytes());
    put(&mut foot, 60, &3u32.to_be_bytes());
    let foot = sum(foot, 64);
    let mut header = vec![0; 1024];
    put(&mut header, 0, b"cxsparse");
    put(&mut header, 8, &u64::MAX.to_be_bytes());
    put(&mut header, 16, &1536u64.to_be_bytes());
    put(&mut header, 24, &0x0001_0000u32.to_be_bytes());
    put(&mut header, 28, &(count as u32).to_be_bytes());
    put(&mut header, 32, &(block_bytes as u32).to_be_bytes());
    let mut file = [&foot[..], &sum(header, 36)].concat();
    let bitmap = vec![0xff; (block_bytes / 512).div_ceil(8).next_multiple_of(512)];
    file.resize(file.len() + (4 * count).next_multiple_of(512), 0xff);
    for (number, content) in blocks {
        assert_eq!(content.len(), block_bytes, "a block is whole");
        let sector = (file.len() / 512) as u32;
        put(&mut file, 1536 + 4 * *number as usize, &sector.to_be_bytes());
        file.extend_from_slice(&bitmap);
        file.extend_from_slice(content);
    }
    file.extend_from_slice(&foot);
    file
}
