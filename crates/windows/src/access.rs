//! Who may do what with something of ours: access lists for its owner, the administrators and the system only.

use crate::descriptor::{self, Sid, mask};
use crate::handle::{Handle, last_error, rights};
use crate::privileges::own_token;
use std::ffi::c_void;
use std::fs::File;
use std::io;
use std::os::windows::io::{AsRawHandle, OwnedHandle};
use std::path::Path;
use std::ptr;
use windows_sys::Win32::Foundation::LocalFree;
use windows_sys::Win32::Security as security;
use windows_sys::Win32::Security::Authorization::{
    ConvertStringSecurityDescriptorToSecurityDescriptorW, SDDL_REVISION_1,
};

/// Who runs this process.
pub fn own_user() -> io::Result<Sid> {
    user_of(&own_token(security::TOKEN_QUERY)?)
}

/// Whose token it is; it must be open for queries.
pub(crate) fn user_of(token: &OwnedHandle) -> io::Result<Sid> {
    let mut answer = [0u64; 32];
    let (room, mut length) = (size_of_val(&answer) as u32, 0);
    // SAFETY: the place for the answer is as long as is told.
    let done = unsafe {
        security::GetTokenInformation(
            token.as_raw_handle(),
            security::TokenUser,
            answer.as_mut_ptr().cast::<c_void>(),
            room,
            &raw mut length,
        )
    };
    if done == 0 {
        return Err(last_error());
    }
    // The answer is a pointer to the SID, which lies behind it in the answer itself.
    let bytes: Vec<u8> = answer.iter().flat_map(|word| word.to_le_bytes()).collect();
    let at = (answer[0] as usize).wrapping_sub(answer.as_ptr() as usize);
    bytes.get(at..).and_then(Sid::read).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// Whether the token, which must be one for acting as somebody else, has the rights of the administrators.
pub(crate) fn is_administrator(token: &OwnedHandle) -> io::Result<bool> {
    // S-1-5-32-544 as it lies in memory.
    let administrators: [u32; 4] = [0x0000_0201, 0x0500_0000, 32, 544];
    let mut answer = 0;
    // SAFETY: the SID is one, lies as it must, and is only read; the place for the answer lives until the call returns.
    let done = unsafe {
        let sid = administrators.as_ptr().cast_mut().cast::<c_void>();
        security::CheckTokenMembership(token.as_raw_handle(), sid, &raw mut answer)
    };
    if done == 0 { Err(last_error()) } else { Ok(answer != 0) }
}

/// An access list in words (MS-DTYP 2.5.1) as a self-relative descriptor.
pub fn from_words(words: &str) -> io::Result<Vec<u8>> {
    let text: Vec<u16> = words.encode_utf16().chain([0]).collect();
    let (mut made, mut length) = (ptr::null_mut(), 0);
    // SAFETY: the text ends in zero, and both places for answers live until the call returns.
    let done = unsafe {
        ConvertStringSecurityDescriptorToSecurityDescriptorW(
            text.as_ptr(),
            SDDL_REVISION_1,
            &raw mut made,
            &raw mut length,
        )
    };
    if done == 0 {
        return Err(last_error());
    }
    // SAFETY: the call succeeded: what it made is that long, is ours, and is given back once.
    unsafe {
        let bytes = std::slice::from_raw_parts(made.cast::<u8>(), length as usize).to_vec();
        LocalFree(made);
        Ok(bytes)
    }
}

/// The list in words that lets in whoever runs this process, the administrators and the system, and nobody else; with
/// `inherited` it holds for what is made below, too.
pub fn private_words(inherited: bool) -> io::Result<String> {
    let flags = if inherited { "OICI" } else { "" };
    let mut words = format!("D:P(A;{flags};FA;;;SY)(A;{flags};FA;;;BA)");
    let user = own_user()?;
    if user != Sid::system() {
        words.push_str(&format!("(A;{flags};FA;;;{user})"));
    }
    Ok(words)
}

/// Keeps a folder, and what is made in it from now on, to whoever runs this process, the administrators and the system.
/// What came of it, [`is_open_to_others`] tells: not every file system keeps access lists.
pub fn restrict(folder: &Path) -> io::Result<()> {
    let handle = Handle::open_folder(folder, rights::LOOK | rights::READ | rights::OWN)?;
    handle.set_security(&from_words(&private_words(true)?)?, false)
}

/// Whether others than whoever runs this process, the administrators and the system may do anything with it.
pub fn is_open_to_others(path: &Path) -> io::Result<bool> {
    let handle =
        Handle::open_folder(path, rights::LOOK | windows_sys::Win32::Storage::FileSystem::READ_CONTROL)?;
    is_listed_for_others(&handle.security(false)?)
}

/// Whether an access list lets the system itself do everything with a folder; `None` if the list can't be understood.
pub fn lets_system_do_all(folder: &Path) -> io::Result<Option<bool>> {
    let handle =
        Handle::open_folder(folder, rights::LOOK | windows_sys::Win32::Storage::FileSystem::READ_CONTROL)?;
    let [everybody, known] = Sid::of_everybody();
    let who = [Sid::system(), Sid::administrators(), everybody, known];
    Ok(descriptor::gives(&handle.security(false)?, descriptor::mask::ALL, &who))
}

/// Somebody who may change a thing without being whoever runs this process, an administrator, the system or what installs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stranger {
    /// He owns it, and may give himself every right.
    Owner(Sid),
    /// The access list lets him.
    Listed(Sid),
    /// Everybody, for all that the access list tells.
    Unknown,
}

/// What somebody might do with a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Write to it, or put something into it; take it away, or put another in its place.
    Any,
    /// Take it, or what lies in it, away, or put another in its place: making new things in it counts for nothing.
    Exchange,
}

/// Who else may change what lies at a path, itself and not what it leads to.
pub fn stranger_at(path: &Path, change: Change) -> io::Result<Option<Stranger>> {
    let handle =
        Handle::open_folder(path, rights::LOOK | windows_sys::Win32::Storage::FileSystem::READ_CONTROL)?;
    stranger(&handle.security(false)?, change)
}

/// The same of a file that is open for reading.
pub fn stranger_of(file: &File, change: Change) -> io::Result<Option<Stranger>> {
    stranger(&Handle::of(file.try_clone()?).security(false)?, change)
}

fn stranger(found: &[u8], change: Change) -> io::Result<Option<Stranger>> {
    let [of_owner, of_maker] = Sid::of_owners();
    let ours = [Sid::system(), Sid::administrators(), Sid::installer(), own_user()?, of_owner, of_maker];
    let exchange = mask::DELETE | mask::DELETE_CHILD | mask::OWN;
    let rights = match change {
        Change::Any => exchange | mask::WRITE,
        Change::Exchange => exchange,
    };
    match descriptor::owner(found) {
        Some(owner) if !ours.contains(&owner) => return Ok(Some(Stranger::Owner(owner))),
        Some(_) => {}
        None => return Ok(Some(Stranger::Unknown)),
    }
    let Some(let_in) = descriptor::let_in_to(found, rights) else { return Ok(Some(Stranger::Unknown)) };
    Ok(let_in.into_iter().find(|sid| !ours.contains(sid)).map(Stranger::Listed))
}

/// [`is_open_to_others`] of a file that is open for reading.
pub fn is_file_open_to_others(file: &File) -> io::Result<bool> {
    is_listed_for_others(&Handle::of(file.try_clone()?).security(false)?)
}

/// The same of what has that security descriptor.
fn is_listed_for_others(found: &[u8]) -> io::Result<bool> {
    let Some(let_in) = descriptor::let_in(found) else { return Ok(true) };
    let [of_owner, of_maker] = Sid::of_owners();
    let mut ours = vec![Sid::system(), Sid::administrators(), own_user()?, of_owner, of_maker];
    // Whoever owns it may give himself every right: he counts, whatever stands in the list.
    let owner = descriptor::owner(found);
    let is_owned_by_other = owner.is_some_and(|owner| !ours.contains(&owner));
    ours.dedup();
    Ok(is_owned_by_other || let_in.iter().any(|sid| !ours.contains(sid)))
}
