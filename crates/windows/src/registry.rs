//! The machine's part of the registry (`HKEY_LOCAL_MACHINE`), as 64-bit programs see it.

use crate::records;
use std::io;
use std::ptr;
use windows_sys::Win32::Foundation::{
    ERROR_FILE_NOT_FOUND, ERROR_KEY_DELETED, ERROR_MORE_DATA, ERROR_NO_MORE_ITEMS, ERROR_PATH_NOT_FOUND,
    WIN32_ERROR,
};
use windows_sys::Win32::System::Registry as registry;

pub use crate::records::RegistryData;

/// A name of a key has no more units than this, the zero behind it included.
const NAME_UNITS: usize = 256;

/// No value that is read here is longer, in bytes.
const VALUE_BYTES_MAX: usize = 16 << 20;

fn wide(text: &str) -> io::Result<Vec<u16>> {
    let units: Vec<u16> = text.encode_utf16().collect();
    // What stands behind a zero would be left out, and something else be meant.
    if units.contains(&0) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    Ok(units.into_iter().chain([0]).collect())
}

/// What the registry's calls answer: the error itself.
fn check(answer: WIN32_ERROR) -> io::Result<()> {
    match answer {
        0 => Ok(()),
        code => Err(io::Error::from_raw_os_error(code.cast_signed())),
    }
}

/// `None` where it isn't there.
fn if_there(answer: WIN32_ERROR) -> io::Result<Option<()>> {
    match answer {
        ERROR_FILE_NOT_FOUND | ERROR_PATH_NOT_FOUND | ERROR_KEY_DELETED => Ok(None),
        answer => check(answer).map(Some),
    }
}

/// An open key.
#[derive(Debug)]
pub struct Key(registry::HKEY);

impl Drop for Key {
    fn drop(&mut self) {
        // SAFETY: the key is open, and nobody else closes it.
        unsafe { registry::RegCloseKey(self.0) };
    }
}

impl Key {
    /// Opens a key of the machine for reading, such as `SOFTWARE\Microsoft`; `None` if there is none.
    pub fn open(path: &str) -> io::Result<Option<Self>> {
        let (path, mut key) = (wide(path)?, ptr::null_mut());
        // SAFETY: the path ends in zero, and the place for the answer lives until the call returns.
        let answer = unsafe {
            registry::RegOpenKeyExW(
                registry::HKEY_LOCAL_MACHINE,
                path.as_ptr(),
                0,
                registry::KEY_READ | registry::KEY_WOW64_64KEY,
                &raw mut key,
            )
        };
        Ok(if_there(answer)?.map(|()| Self(key)))
    }

    /// Opens a key for writing; makes it, and those above it, if it isn't there.
    pub fn make(path: &str) -> io::Result<Self> {
        let (path, mut key) = (wide(path)?, ptr::null_mut());
        // SAFETY: the path ends in zero, no class and no descriptor are given, and the place for the answer lives until the
        // call returns.
        check(unsafe {
            registry::RegCreateKeyExW(
                registry::HKEY_LOCAL_MACHINE,
                path.as_ptr(),
                0,
                ptr::null(),
                registry::REG_OPTION_NON_VOLATILE,
                registry::KEY_READ | registry::KEY_WRITE | registry::KEY_WOW64_64KEY,
                ptr::null(),
                &raw mut key,
                ptr::null_mut(),
            )
        })?;
        Ok(Self(key))
    }

    /// The names of the keys below it.
    pub fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        loop {
            let (mut name, mut length) = ([0u16; NAME_UNITS], NAME_UNITS as u32);
            let (at, nothing) = (names.len() as u32, ptr::null_mut());
            // SAFETY: the key is open, the place for the name is as long as is told, and nothing else is asked for.
            let answer = unsafe {
                registry::RegEnumKeyExW(
                    self.0,
                    at,
                    name.as_mut_ptr(),
                    &raw mut length,
                    ptr::null(),
                    nothing,
                    ptr::null_mut(),
                    ptr::null_mut(),
                )
            };
            if answer == ERROR_NO_MORE_ITEMS {
                return Ok(names);
            }
            check(answer)?;
            names.push(String::from_utf16_lossy(name.get(..length as usize).unwrap_or(&name)));
        }
    }

    /// A value by its name (empty: that of the key itself); `None` if there is none.
    pub fn value(&self, name: &str) -> io::Result<Option<RegistryData>> {
        let name = wide(name)?;
        let mut room = 256;
        loop {
            let (mut bytes, mut kind, mut length) = (vec![0u8; room], 0, room as u32);
            // SAFETY: the key is open, the name ends in zero, and the place for the answer is as long as is told.
            let answer = unsafe {
                registry::RegQueryValueExW(
                    self.0,
                    name.as_ptr(),
                    ptr::null(),
                    &raw mut kind,
                    bytes.as_mut_ptr(),
                    &raw mut length,
                )
            };
            let length = length as usize;
            if answer == ERROR_MORE_DATA && length > room && length <= VALUE_BYTES_MAX {
                room = length;
                continue;
            }
            return Ok(if_there(answer)?.map(|()| {
                bytes.truncate(length);
                records::registry_data(kind, bytes)
            }));
        }
    }

    /// Sets a text in which names of the environment stand between `%`.
    pub fn set_expanded_text(&self, name: &str, text: &str) -> io::Result<()> {
        self.set(name, registry::REG_EXPAND_SZ, &bytes_of(&wide(text)?))
    }

    /// Sets a text.
    pub fn set_text(&self, name: &str, text: &str) -> io::Result<()> {
        self.set(name, registry::REG_SZ, &bytes_of(&wide(text)?))
    }

    /// Sets a number of 32 bits.
    pub fn set_number(&self, name: &str, number: u32) -> io::Result<()> {
        self.set(name, registry::REG_DWORD, &number.to_le_bytes())
    }

    fn set(&self, name: &str, kind: u32, bytes: &[u8]) -> io::Result<()> {
        let name = wide(name)?;
        let length = u32::try_from(bytes.len()).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
        // SAFETY: the key is open, the name ends in zero, and the bytes are as long as is told and only read.
        check(unsafe { registry::RegSetValueExW(self.0, name.as_ptr(), 0, kind, bytes.as_ptr(), length) })
    }
}

/// Removes a key of the machine that has no keys below it; one that isn't there is no error.
pub fn remove(path: &str) -> io::Result<()> {
    let path = wide(path)?;
    // SAFETY: the path ends in zero.
    let answer = unsafe {
        registry::RegDeleteKeyExW(registry::HKEY_LOCAL_MACHINE, path.as_ptr(), registry::KEY_WOW64_64KEY, 0)
    };
    if_there(answer).map(drop)
}

fn bytes_of(units: &[u16]) -> Vec<u8> {
    units.iter().flat_map(|unit| unit.to_le_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A key of this test, gone when it ends.
    struct Made(String);

    impl Made {
        fn new(name: &str) -> (Self, Key) {
            let path = format!(r"SOFTWARE\Stateward-test-{}-{name}", std::process::id());
            let key = Key::make(&path).expect("a key can be made");
            (Self(path), key)
        }
    }

    impl Drop for Made {
        fn drop(&mut self) {
            let _ = remove(&self.0);
        }
    }

    #[test]
    fn what_was_set_is_read_as_what_it_is() {
        let (made, key) = Made::new("values");
        key.set_text("text", "Überall").expect("set");
        key.set_expanded_text("expanded", r"%SystemRoot%\x").expect("set");
        key.set_number("number", u32::MAX).expect("set");
        let texts = bytes_of(&wide("one").expect("no zero"));
        let list = [&texts[..], &bytes_of(&wide("two").expect("no zero")), &[0, 0]].concat();
        key.set("texts", registry::REG_MULTI_SZ, &list).expect("set");
        key.set("long", registry::REG_BINARY, &[7; 5000]).expect("set");
        let key = Key::open(&made.0).expect("it can be opened").expect("it is there");
        let value = |name: &str| key.value(name).expect("it can be read");
        assert_eq!(value("text"), Some(RegistryData::Text("Überall".to_owned())));
        assert_eq!(value("expanded"), Some(RegistryData::Text(r"%SystemRoot%\x".to_owned())));
        assert_eq!(value("number"), Some(RegistryData::Number(u32::MAX.into())));
        assert_eq!(value("texts"), Some(RegistryData::Texts(vec!["one".to_owned(), "two".to_owned()])));
        assert_eq!(value("long"), Some(RegistryData::Other(vec![7; 5000])));
        assert_eq!(value("none"), None);
    }

    #[test]
    fn what_is_not_there_is_no_error_and_what_is_removed_is_gone() {
        let (made, key) = Made::new("keys");
        assert_eq!(key.names().expect("it can be listed"), Vec::<String>::new());
        let below = format!(r"{}\below", made.0);
        drop(Key::make(&below).expect("a key can be made"));
        assert_eq!(key.names().expect("it can be listed"), ["below"]);
        remove(&below).expect("it can be removed");
        remove(&below).expect("what is gone is no error");
        assert!(Key::open(&below).expect("absence is no error").is_none());
        assert!(Key::open(r"SOFTWARE\none such\at all").expect("absence is no error").is_none());
        assert!(Key::open("SOFTWARE\0").is_err(), "a name that is cut off means something else");
    }
}
