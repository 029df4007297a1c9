//! Secrets sealed for this machine (DPAPI): a copy of the sealed bytes opens nowhere else. On the machine whoever may read
//! them can open them, so that their access list guards them as before.

use crate::handle::last_error;
use std::io;
use std::ptr;
use windows_sys::Win32::Foundation::LocalFree;
use windows_sys::Win32::Security::Cryptography as crypt;

/// Seals.
pub fn seal(secret: &[u8]) -> io::Result<Vec<u8>> {
    let (wish, mut made) = blobs(secret)?;
    let flags = crypt::CRYPTPROTECT_LOCAL_MACHINE | crypt::CRYPTPROTECT_UI_FORBIDDEN;
    // SAFETY: the secret is as long as is told and only read; nothing else is given but the place for the answer.
    let done = unsafe {
        crypt::CryptProtectData(
            &raw const wish,
            ptr::null(),
            ptr::null(),
            ptr::null(),
            ptr::null(),
            flags,
            &raw mut made,
        )
    };
    take(done, &made)
}

/// Opens what was sealed on this machine.
pub fn open(sealed: &[u8]) -> io::Result<Vec<u8>> {
    let (wish, mut made) = blobs(sealed)?;
    // SAFETY: as in `seal`.
    let done = unsafe {
        crypt::CryptUnprotectData(
            &raw const wish,
            ptr::null_mut(),
            ptr::null(),
            ptr::null(),
            ptr::null(),
            crypt::CRYPTPROTECT_UI_FORBIDDEN,
            &raw mut made,
        )
    };
    take(done, &made)
}

fn blobs(bytes: &[u8]) -> io::Result<(crypt::CRYPT_INTEGER_BLOB, crypt::CRYPT_INTEGER_BLOB)> {
    let length = u32::try_from(bytes.len()).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    Ok((
        crypt::CRYPT_INTEGER_BLOB { cbData: length, pbData: bytes.as_ptr().cast_mut() },
        crypt::CRYPT_INTEGER_BLOB { cbData: 0, pbData: ptr::null_mut() },
    ))
}

/// What a call made, of which nothing is left behind.
fn take(done: i32, made: &crypt::CRYPT_INTEGER_BLOB) -> io::Result<Vec<u8>> {
    if done == 0 {
        return Err(last_error());
    }
    // SAFETY: the call succeeded: what it made is that long, is ours, and is given back once, after it was overwritten.
    unsafe {
        let place = std::slice::from_raw_parts_mut(made.pbData, made.cbData as usize);
        let bytes = place.to_vec();
        place.iter_mut().for_each(|byte| ptr::write_volatile(byte, 0));
        LocalFree(made.pbData.cast());
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_opens_and_what_was_changed_does_not() {
        let secret = [7; 32];
        let mut sealed = seal(&secret).expect("it can be sealed");
        assert!(!sealed.windows(8).any(|part| part == &secret[..8]), "the secret shows");
        assert_eq!(open(&sealed).expect("it opens"), secret);
        let last = sealed.len() - 1;
        sealed[last] ^= 1;
        sealed.truncate(last);
        assert!(open(&sealed).is_err());
    }
}
