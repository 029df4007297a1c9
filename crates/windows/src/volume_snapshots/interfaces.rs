//! The interfaces of VSS, by their tables of functions: `IVssBackupComponents` and `IVssAsync`, as far as they are called here.
//!
//! Neither `windows-sys` nor Windows' metadata has them. The order is that of Microsoft's header `vsbackup.h` as mingw ships it; the
//! stand-in of the tests is compiled from that very header, so that a slot at the wrong place shows there. What isn't called is a number
//! of its size.

use super::{Cause, Failure};
use std::ffi::c_void;
use std::ptr::{self, NonNull};
use windows_sys::Win32::Foundation::{SysFreeString, SysStringLen};
use windows_sys::core::{BOOL, GUID, HRESULT};

/// An object, as its own functions are given it.
type This = *mut c_void;

/// What an operation that goes on is asked by.
type OutAsync = *mut Option<NonNull<Object<AsyncTable>>>;

/// An object of COM: all that is known of it is where its functions are.
#[repr(C)]
struct Object<T> {
    table: *const T,
}

/// `IVssAsync`.
#[repr(C)]
#[allow(dead_code, reason = "what isn't called keeps its place")]
struct AsyncTable {
    unknown: UnknownTable,
    cancel: unsafe extern "system" fn(This) -> HRESULT,
    wait: usize,
    query_status: unsafe extern "system" fn(This, *mut HRESULT, *mut i32) -> HRESULT,
}

/// `IUnknown`, with which all begin.
#[repr(C)]
#[allow(dead_code, reason = "what isn't called keeps its place")]
struct UnknownTable {
    query_interface: usize,
    add_ref: usize,
    release: unsafe extern "system" fn(This) -> u32,
}

/// `IVssBackupComponents`.
#[repr(C)]
#[allow(dead_code, reason = "what isn't called keeps its place")]
struct ComponentsTable {
    unknown: UnknownTable,
    writer_components: [usize; 2],
    initialize_for_backup: unsafe extern "system" fn(This, *const u16) -> HRESULT,
    set_backup_state: unsafe extern "system" fn(This, u8, u8, i32, u8) -> HRESULT,
    restore_state: [usize; 2],
    gather_writer_metadata: unsafe extern "system" fn(This, OutAsync) -> HRESULT,
    writer_metadata: [usize; 3],
    add_component: usize,
    prepare_for_backup: unsafe extern "system" fn(This, OutAsync) -> HRESULT,
    abort_backup: unsafe extern "system" fn(This) -> HRESULT,
    gather_writer_status: unsafe extern "system" fn(This, OutAsync) -> HRESULT,
    get_writer_status_count: unsafe extern "system" fn(This, *mut u32) -> HRESULT,
    free_writer_status: unsafe extern "system" fn(This) -> HRESULT,
    get_writer_status: unsafe extern "system" fn(
        This,
        u32,
        *mut GUID,
        *mut GUID,
        *mut *const u16,
        *mut i32,
        *mut HRESULT,
    ) -> HRESULT,
    of_components: [usize; 7],
    backup_complete: unsafe extern "system" fn(This, OutAsync) -> HRESULT,
    of_restores: [usize; 7],
    set_context: unsafe extern "system" fn(This, i32) -> HRESULT,
    start_snapshot_set: unsafe extern "system" fn(This, *mut GUID) -> HRESULT,
    add_to_snapshot_set: unsafe extern "system" fn(This, *const u16, GUID, *mut GUID) -> HRESULT,
    do_snapshot_set: unsafe extern "system" fn(This, OutAsync) -> HRESULT,
    of_other_sets: [usize; 3],
    get_snapshot_properties: unsafe extern "system" fn(This, GUID, *mut Properties) -> HRESULT,
    query: usize,
    is_volume_supported: unsafe extern "system" fn(This, GUID, *const u16, *mut BOOL) -> HRESULT,
}

/// `VSS_SNAPSHOT_PROP`.
#[repr(C)]
#[allow(dead_code, reason = "what isn't asked for keeps its place")]
pub(super) struct Properties {
    snapshot: GUID,
    set: GUID,
    count: i32,
    device: *mut u16,
    /// Original volume, two machines, two names by which it was exposed.
    others: [*mut u16; 5],
    provider: GUID,
    attributes: i32,
    created: i64,
    state: i32,
}

/// The two functions of `vssapi.dll`.
#[derive(Clone, Copy)]
pub(super) struct Entrances {
    /// `CreateVssBackupComponentsInternal`.
    pub create: unsafe extern "system" fn(*mut Option<NonNull<c_void>>) -> HRESULT,
    /// `VssFreeSnapshotPropertiesInternal`.
    pub free: unsafe extern "system" fn(*mut Properties),
}

/// How a writer stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WriterStatus {
    pub name: String,
    pub state: i32,
    pub failure: HRESULT,
}

fn check(step: &'static str, answer: HRESULT) -> Result<(), Failure> {
    match answer < 0 {
        true => Err(Failure { step, cause: Cause::Code(answer.cast_unsigned()) }),
        false => Ok(()),
    }
}

/// One object of COM, which is let go when this is dropped. It stays on the thread that made it.
struct Held<T>(NonNull<Object<T>>);

impl<T> Held<T> {
    fn this(&self) -> This {
        self.0.as_ptr().cast()
    }

    fn table(&self) -> &T {
        // SAFETY: the object is held, so both it and its table are there; nobody writes to a table.
        unsafe { &*self.0.as_ref().table }
    }
}

impl<T> Drop for Held<T> {
    fn drop(&mut self) {
        // SAFETY: it is held, its table begins with `IUnknown`, and it is let go once.
        unsafe {
            let table = self.0.as_ref().table.cast::<UnknownTable>();
            ((*table).release)(self.this());
        }
    }
}

/// An operation that goes on.
pub(super) struct Operation {
    step: &'static str,
    held: Held<AsyncTable>,
}

impl Operation {
    /// Has it begun by `begin`.
    fn begin(step: &'static str, begin: impl FnOnce(OutAsync) -> HRESULT) -> Result<Self, Failure> {
        let mut made = None;
        check(step, begin(&raw mut made))?;
        match made {
            Some(object) => Ok(Self { step, held: Held(object) }),
            None => Err(Failure { step, cause: Cause::Ended }),
        }
    }

    /// Which it is.
    pub fn step(&self) -> &'static str {
        self.step
    }

    /// What it has come to: a code, which is one of those of operations or an error.
    pub fn status(&self) -> Result<HRESULT, Failure> {
        let mut status = 0;
        // SAFETY: the object is held, and the place for the answer lives until the call returns. The second must be null.
        let answer =
            unsafe { (self.held.table().query_status)(self.held.this(), &raw mut status, ptr::null_mut()) };
        check(self.step, answer)?;
        check(self.step, status)?;
        Ok(status)
    }

    /// Asks it to end.
    pub fn cancel(&self) {
        // SAFETY: the object is held. Whether it does shows in its status.
        unsafe { (self.held.table().cancel)(self.held.this()) };
    }
}

/// What VSS does for one backup.
pub(super) struct Components {
    held: Held<ComponentsTable>,
    entrances: Entrances,
}

impl Components {
    /// Begins one.
    pub fn create(entrances: Entrances) -> Result<Self, Failure> {
        let step = "CreateVssBackupComponents";
        let mut made = None;
        // SAFETY: the function is that of its name, the place for the answer lives until it returns, and COM is there on this thread.
        check(step, unsafe { (entrances.create)(&raw mut made) })?;
        match made {
            Some(object) => Ok(Self { held: Held(object.cast()), entrances }),
            None => Err(Failure { step, cause: Cause::Ended }),
        }
    }

    /// `InitializeForBackup`, of a backup that is new.
    pub fn initialize_for_backup(&self) -> Result<(), Failure> {
        let table = self.held.table();
        // SAFETY: the object is held. No text is documented for a new backup.
        check("InitializeForBackup", unsafe { (table.initialize_for_backup)(self.held.this(), ptr::null()) })
    }

    /// `SetContext`.
    pub fn set_context(&self, context: i32) -> Result<(), Failure> {
        // SAFETY: the object is held; the rest is a number.
        check("SetContext", unsafe { (self.held.table().set_context)(self.held.this(), context) })
    }

    /// `SetBackupState`, without components, a bootable system or parts of files.
    pub fn set_backup_state(&self, kind: i32) -> Result<(), Failure> {
        let table = self.held.table();
        // SAFETY: the object is held; the rest are numbers.
        check("SetBackupState", unsafe { (table.set_backup_state)(self.held.this(), 0, 0, kind, 0) })
    }

    /// `GatherWriterMetadata`.
    pub fn gather_writer_metadata(&self) -> Result<Operation, Failure> {
        self.operation("GatherWriterMetadata", self.held.table().gather_writer_metadata)
    }

    /// `StartSnapshotSet`.
    pub fn start_snapshot_set(&self) -> Result<(), Failure> {
        let mut set = GUID::from_u128(0);
        // SAFETY: the object is held, and the place for the answer lives until the call returns.
        check("StartSnapshotSet", unsafe {
            (self.held.table().start_snapshot_set)(self.held.this(), &raw mut set)
        })
    }

    /// `IsVolumeSupported`, by whatever provider.
    pub fn is_volume_supported(&self, volume: &str) -> Result<bool, Failure> {
        let (volume, mut answer) = (terminated(volume), 0);
        let table = self.held.table();
        // SAFETY: the object is held, the text ends in zero, and the place for the answer lives until the call returns.
        check("IsVolumeSupported", unsafe {
            (table.is_volume_supported)(self.held.this(), ANY_PROVIDER, volume.as_ptr(), &raw mut answer)
        })?;
        Ok(answer != 0)
    }

    /// `AddToSnapshotSet`, by whatever provider; gives the id of what will be its snapshot.
    pub fn add_to_snapshot_set(&self, volume: &str) -> Result<GUID, Failure> {
        let (volume, mut id) = (terminated(volume), GUID::from_u128(0));
        let table = self.held.table();
        // SAFETY: as above.
        check("AddToSnapshotSet", unsafe {
            (table.add_to_snapshot_set)(self.held.this(), volume.as_ptr(), ANY_PROVIDER, &raw mut id)
        })?;
        Ok(id)
    }

    /// `PrepareForBackup`.
    pub fn prepare_for_backup(&self) -> Result<Operation, Failure> {
        self.operation("PrepareForBackup", self.held.table().prepare_for_backup)
    }

    /// `DoSnapshotSet`.
    pub fn do_snapshot_set(&self) -> Result<Operation, Failure> {
        self.operation("DoSnapshotSet", self.held.table().do_snapshot_set)
    }

    /// `GatherWriterStatus`.
    pub fn gather_writer_status(&self) -> Result<Operation, Failure> {
        self.operation("GatherWriterStatus", self.held.table().gather_writer_status)
    }

    /// How all writers stand, after that was gathered; it is forgotten then.
    pub fn take_writer_status(&self) -> Result<Vec<WriterStatus>, Failure> {
        let (table, mut count) = (self.held.table(), 0);
        // SAFETY: the object is held, and the place for the answer lives until the call returns.
        check("GetWriterStatusCount", unsafe {
            (table.get_writer_status_count)(self.held.this(), &raw mut count)
        })?;
        let found = (0..count).map(|number| self.writer_status(number)).collect();
        // SAFETY: the object is held. What was asked for was copied.
        check("FreeWriterStatus", unsafe { (table.free_writer_status)(self.held.this()) })?;
        found
    }

    fn writer_status(&self, number: u32) -> Result<WriterStatus, Failure> {
        let (mut instance, mut writer) = (GUID::from_u128(0), GUID::from_u128(0));
        let (mut name, mut state, mut failure) = (ptr::null(), 0, 0);
        // SAFETY: the object is held, and all places for answers live until the call returns.
        check("GetWriterStatus", unsafe {
            (self.held.table().get_writer_status)(
                self.held.this(),
                number,
                &raw mut instance,
                &raw mut writer,
                &raw mut name,
                &raw mut state,
                &raw mut failure,
            )
        })?;
        // SAFETY: the name is a `BSTR` that is now ours, or null; it is given back once.
        let name = unsafe { taken_text(name) };
        Ok(WriterStatus { name, state, failure })
    }

    /// The device of a snapshot by its id, which has no `\` at its end.
    pub fn device(&self, id: GUID) -> Result<String, Failure> {
        // SAFETY: numbers and pointers, which may be zero.
        let mut found: Properties = unsafe { std::mem::zeroed() };
        let table = self.held.table();
        // SAFETY: the object is held, and the place for the answer lives until the call returns.
        check("GetSnapshotProperties", unsafe {
            (table.get_snapshot_properties)(self.held.this(), id, &raw mut found)
        })?;
        // SAFETY: the call succeeded, so the text ends in zero or is null.
        let device = unsafe { text(found.device) };
        // SAFETY: the call has filled it, and its texts are given back once.
        unsafe { (self.entrances.free)(&raw mut found) };
        Ok(device)
    }

    /// `BackupComplete`.
    pub fn backup_complete(&self) -> Result<Operation, Failure> {
        self.operation("BackupComplete", self.held.table().backup_complete)
    }

    /// `AbortBackup`. Where there is nothing to abort it says so, which is no failure.
    pub fn abort_backup(&self) {
        // SAFETY: the object is held.
        unsafe { (self.held.table().abort_backup)(self.held.this()) };
    }

    fn operation(
        &self,
        step: &'static str,
        function: unsafe extern "system" fn(This, OutAsync) -> HRESULT,
    ) -> Result<Operation, Failure> {
        // SAFETY: the function is one of the table of the object, which is held; the place for the answer lives until it returns.
        Operation::begin(step, |made| unsafe { function(self.held.this(), made) })
    }
}

/// Windows chooses among those that can.
const ANY_PROVIDER: GUID = GUID::from_u128(0);

fn terminated(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

/// # Safety
/// It must be a text that ends in zero, or null.
unsafe fn text(units: *const u16) -> String {
    if units.is_null() {
        return String::new();
    }
    let mut length = 0;
    // SAFETY: so the caller promises.
    while unsafe { *units.add(length) } != 0 {
        length += 1;
    }
    // SAFETY: as long it is.
    String::from_utf16_lossy(unsafe { std::slice::from_raw_parts(units, length) })
}

/// # Safety
/// It must be a `BSTR` that nobody else frees, or null.
unsafe fn taken_text(units: *const u16) -> String {
    if units.is_null() {
        return String::new();
    }
    // SAFETY: so the caller promises; it is as long as it says itself.
    let text = unsafe {
        let length = SysStringLen(units) as usize;
        String::from_utf16_lossy(std::slice::from_raw_parts(units, length))
    };
    // SAFETY: as the caller promises.
    unsafe { SysFreeString(units) };
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::mem::offset_of;

    /// The stand-in shows the same by calls; this shows it where no stand-in is.
    #[test]
    fn functions_stand_where_the_header_has_them() {
        let slot = |offset: usize| offset / size_of::<usize>();
        for (found, expected) in [
            (offset_of!(ComponentsTable, initialize_for_backup), 5),
            (offset_of!(ComponentsTable, gather_writer_metadata), 9),
            (offset_of!(ComponentsTable, prepare_for_backup), 14),
            (offset_of!(ComponentsTable, get_writer_status), 19),
            (offset_of!(ComponentsTable, backup_complete), 27),
            (offset_of!(ComponentsTable, set_context), 35),
            (offset_of!(ComponentsTable, get_snapshot_properties), 42),
            (offset_of!(ComponentsTable, is_volume_supported), 44),
            (offset_of!(AsyncTable, query_status), 5),
        ] {
            assert_eq!(slot(found), expected);
        }
        assert_eq!(offset_of!(Properties, device), 40);
        assert_eq!(size_of::<Properties>(), 128);
    }
}
