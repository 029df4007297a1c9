//! The certificate authorities that this machine trusts.
//!
//! These are those that the machine's store holds now. Windows fetches others of Microsoft's list only when one of its own
//! programs meets a certificate of theirs.

use crate::handle::last_error;
use std::collections::BTreeSet;
use std::ffi::CStr;
use std::io;
use std::ptr;
use windows_sys::Win32::Foundation::{CRYPT_E_NOT_FOUND, GetLastError, SetLastError};
use windows_sys::Win32::Security::Cryptography as crypt;

/// What a certificate for servers is for: `id-kp-serverAuth`.
const FOR_SERVERS: &CStr = c"1.3.6.1.5.5.7.3.1";

/// A store of certificates that is open for reading.
struct Store(crypt::HCERTSTORE);

impl Drop for Store {
    fn drop(&mut self) {
        // SAFETY: the store is open, and nobody else closes it; what was taken out of it was copied.
        unsafe { crypt::CertCloseStore(self.0, 0) };
    }
}

impl Store {
    /// A store of the machine.
    fn open(name: &str) -> io::Result<Self> {
        let name: Vec<u16> = name.encode_utf16().chain([0]).collect();
        let flags = crypt::CERT_SYSTEM_STORE_LOCAL_MACHINE
            | crypt::CERT_STORE_READONLY_FLAG
            | crypt::CERT_STORE_OPEN_EXISTING_FLAG;
        // SAFETY: this provider takes a name that ends in zero.
        let store = unsafe {
            crypt::CertOpenStore(crypt::CERT_STORE_PROV_SYSTEM_W, 0, 0, flags, name.as_ptr().cast())
        };
        if store.is_null() { Err(last_error()) } else { Ok(Self(store)) }
    }

    /// The certificates (DER) for which `is_meant` holds.
    fn certificates(&self, is_meant: impl Fn(*const crypt::CERT_CONTEXT) -> bool) -> Vec<Vec<u8>> {
        let (mut found, mut at) = (Vec::new(), ptr::null_mut::<crypt::CERT_CONTEXT>());
        loop {
            // SAFETY: the store is open; the one before is its own or none, and is given back by this call.
            at = unsafe { crypt::CertEnumCertificatesInStore(self.0, at) };
            if at.is_null() {
                return found;
            }
            if is_meant(at) {
                // SAFETY: the certificate is there until the next call, and as long as it says.
                let bytes =
                    unsafe { std::slice::from_raw_parts((*at).pbCertEncoded, (*at).cbCertEncoded as usize) };
                found.push(bytes.to_vec());
            }
        }
    }
}

/// The certificates (DER) of all authorities that the machine trusts for servers, without those that it distrusts.
pub fn trusted() -> io::Result<Vec<Vec<u8>>> {
    let roots = Store::open("ROOT")?.certificates(is_for_servers);
    // There need be no such store.
    let distrusted: BTreeSet<Vec<u8>> = Store::open("Disallowed")
        .map(|store| store.certificates(|_| true))
        .unwrap_or_default()
        .into_iter()
        .collect();
    Ok(roots.into_iter().filter(|root| !distrusted.contains(root)).collect())
}

/// Whether the machine takes a certificate for servers: nothing says for what it is, or that is among it.
fn is_for_servers(certificate: *const crypt::CERT_CONTEXT) -> bool {
    let flags = crypt::CERT_FIND_PROP_ONLY_ENHKEY_USAGE_FLAG;
    let mut room = 0;
    // SAFETY: the certificate is there; only how long the answer is is asked for.
    let is_told = unsafe {
        SetLastError(0);
        crypt::CertGetEnhancedKeyUsage(certificate, flags, ptr::null_mut(), &raw mut room) != 0
    };
    // SAFETY: it only reads a number of this thread.
    let is_for_all = || unsafe { GetLastError() } == CRYPT_E_NOT_FOUND.cast_unsigned();
    if !is_told {
        return is_for_all();
    }
    let mut answer = vec![0u64; (room as usize).div_ceil(8).max(2)];
    let place = answer.as_mut_ptr().cast::<crypt::CTL_USAGE>();
    // SAFETY: the certificate is there, the place for the answer is as long as is told and lies as it must; it then holds as
    // many texts that end in zero as it says, all within it.
    unsafe {
        SetLastError(0);
        if crypt::CertGetEnhancedKeyUsage(certificate, flags, place, &raw mut room) == 0 {
            return is_for_all();
        }
        let count = (*place).cUsageIdentifier as usize;
        if count == 0 {
            return is_for_all();
        }
        let uses = std::slice::from_raw_parts((*place).rgpszUsageIdentifier, count);
        uses.iter().any(|one| CStr::from_ptr((*one).cast()) == FOR_SERVERS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_machine_trusts_are_certificates() {
        let all = trusted().expect("the store can be read");
        // Each is a sequence of DER with a length of two bytes, and all there.
        for one in &all {
            assert!(one.starts_with(&[0x30, 0x82]), "{:?}", &one[..4]);
            assert_eq!(usize::from(u16::from_be_bytes([one[2], one[3]])) + 4, one.len());
        }
    }
}
