//! This program as a service: how Windows' service manager knows it, and the side of a service that it speaks to.

use crate::handle::{is, last_error};
use std::ffi::{OsStr, OsString, c_void};
use std::io;
use std::os::windows::ffi::{OsStrExt, OsStringExt};
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use windows_sys::Win32::Foundation::{
    ERROR_CALL_NOT_IMPLEMENTED, ERROR_INSUFFICIENT_BUFFER, ERROR_SERVICE_ALREADY_RUNNING,
    ERROR_SERVICE_DOES_NOT_EXIST, ERROR_SERVICE_NOT_ACTIVE, ERROR_SERVICE_SPECIFIC_ERROR, NO_ERROR,
    WAIT_OBJECT_0, WAIT_TIMEOUT,
};
use windows_sys::Win32::System::Services as services;
use windows_sys::Win32::System::Threading as threading;

/// How long the service manager may take until it speaks to a process that it started.
const SPOKEN_TO_WITHIN: Duration = Duration::from_secs(30);

/// How long stopping may take, in milliseconds, before the service manager asks again.
const STOP_MILLISECONDS: u32 = 30_000;

/// A service is started again this long after it broke, in milliseconds; later each time.
const RESTART_MILLISECONDS: [u32; 3] = [5_000, 60_000, 300_000];

/// After so many seconds without a break the count begins anew.
const RESET_SECONDS: u32 = 24 * 60 * 60;

/// `DELETE`.
const REMOVE: u32 = 0x0001_0000;

fn wide(text: &OsStr) -> Vec<u16> {
    text.encode_wide().chain([0]).collect()
}

/// A handle of the service manager.
pub(crate) struct ScHandle(services::SC_HANDLE);

impl ScHandle {
    fn of(handle: services::SC_HANDLE) -> io::Result<Self> {
        if handle.is_null() { Err(last_error()) } else { Ok(Self(handle)) }
    }

    /// For calls of this room.
    pub(crate) fn raw(&self) -> services::SC_HANDLE {
        self.0
    }
}

impl Drop for ScHandle {
    fn drop(&mut self) {
        // SAFETY: the handle is open, and nobody else closes it.
        unsafe { services::CloseServiceHandle(self.0) };
    }
}

fn manager(access: u32) -> io::Result<ScHandle> {
    // SAFETY: no names are given: this machine, its present services.
    ScHandle::of(unsafe { services::OpenSCManagerW(ptr::null(), ptr::null(), access) })
}

/// Opens a service by its name.
pub(crate) fn open(name: &str, access: u32) -> io::Result<ScHandle> {
    let (manager, name) = (manager(services::SC_MANAGER_CONNECT)?, wide(OsStr::new(name)));
    // SAFETY: the manager is open, and the name ends in zero.
    ScHandle::of(unsafe { services::OpenServiceW(manager.0, name.as_ptr(), access) })
}

/// Whether services can be asked for on this machine at all.
pub fn is_managed() -> bool {
    manager(services::SC_MANAGER_CONNECT).is_ok()
}

/// The command line of an installed service; `None` if there is none of that name.
pub fn command_line(name: &str) -> io::Result<Option<OsString>> {
    let service = match open(name, services::SERVICE_QUERY_CONFIG) {
        Err(error) if is(&error, ERROR_SERVICE_DOES_NOT_EXIST) => return Ok(None),
        service => service?,
    };
    config(&service, |config| {
        // SAFETY: it is an answer as `config` gives it, whose text ends in zero within it.
        let units = unsafe {
            let text = config.lpBinaryPathName;
            let length = (0..).take_while(|at| *text.add(*at) != 0).count();
            std::slice::from_raw_parts(text, length)
        };
        OsString::from_wide(units)
    })
    .map(Some)
}

/// Reads how a service is set up; it must be open for that.
pub(crate) fn config<T>(
    service: &ScHandle,
    read: impl Fn(&services::QUERY_SERVICE_CONFIGW) -> T,
) -> io::Result<T> {
    let mut room = 1024;
    loop {
        let mut answer = vec![0u64; room / 8];
        let mut needed = 0;
        let place = answer.as_mut_ptr().cast::<services::QUERY_SERVICE_CONFIGW>();
        // SAFETY: the service is open, and the place for the answer is as long as is told and lies as it must.
        let done = unsafe { services::QueryServiceConfigW(service.0, place, room as u32, &raw mut needed) };
        if done != 0 {
            // SAFETY: the call succeeded, so the answer is one, and what it points at lies in it.
            return Ok(read(unsafe { &*place }));
        }
        let error = last_error();
        if !is(&error, ERROR_INSUFFICIENT_BUFFER) || needed as usize <= room {
            return Err(error);
        }
        room = (needed as usize).next_multiple_of(8);
    }
}

/// Makes a service of a command line: started with the machine, as the system, and again when it breaks.
pub fn install(name: &str, shown: &str, description: &str, command_line: &OsStr) -> io::Result<()> {
    let manager = manager(services::SC_MANAGER_CONNECT | services::SC_MANAGER_CREATE_SERVICE)?;
    let texts = [OsStr::new(name), OsStr::new(shown), command_line].map(wide);
    let access = services::SERVICE_CHANGE_CONFIG | services::SERVICE_START;
    // SAFETY: the manager is open, the three texts end in zero, and nothing else is given: no account, which means the
    // system's.
    let service = ScHandle::of(unsafe {
        services::CreateServiceW(
            manager.0,
            texts[0].as_ptr(),
            texts[1].as_ptr(),
            access,
            services::SERVICE_WIN32_OWN_PROCESS,
            services::SERVICE_AUTO_START,
            services::SERVICE_ERROR_NORMAL,
            texts[2].as_ptr(),
            ptr::null(),
            ptr::null_mut(),
            ptr::null(),
            ptr::null(),
            ptr::null(),
        )
    })?;
    describe(&service, description)?;
    restart_when_broken(&service)
}

/// Gives a service that is there what [`install`] gives a new one besides its command line.
pub fn configure_again(name: &str, description: &str) -> io::Result<()> {
    // To be started again is a right of its own.
    let service = open(name, services::SERVICE_CHANGE_CONFIG | services::SERVICE_START)?;
    describe(&service, description)?;
    restart_when_broken(&service)
}

fn describe(service: &ScHandle, description: &str) -> io::Result<()> {
    let mut text = wide(OsStr::new(description));
    let wish = services::SERVICE_DESCRIPTIONW { lpDescription: text.as_mut_ptr() };
    configure(service, services::SERVICE_CONFIG_DESCRIPTION, &wish)
}

fn restart_when_broken(service: &ScHandle) -> io::Result<()> {
    let mut actions = RESTART_MILLISECONDS
        .map(|delay| services::SC_ACTION { Type: services::SC_ACTION_RESTART, Delay: delay });
    let wish = services::SERVICE_FAILURE_ACTIONSW {
        dwResetPeriod: RESET_SECONDS,
        lpRebootMsg: ptr::null_mut(),
        lpCommand: ptr::null_mut(),
        cActions: actions.len() as u32,
        lpsaActions: actions.as_mut_ptr(),
    };
    configure(service, services::SERVICE_CONFIG_FAILURE_ACTIONS, &wish)
}

fn configure<T>(service: &ScHandle, what: u32, wish: &T) -> io::Result<()> {
    // SAFETY: the service is open, and the wish, with what it leads to, is what goes with `what` and lives until the call
    // returns.
    let done =
        unsafe { services::ChangeServiceConfig2W(service.0, what, ptr::from_ref(wish).cast::<c_void>()) };
    if done == 0 { Err(last_error()) } else { Ok(()) }
}

/// Takes a service away; it is gone once it has stopped.
pub fn uninstall(name: &str) -> io::Result<()> {
    let service = open(name, REMOVE)?;
    // SAFETY: the service is open.
    if unsafe { services::DeleteService(service.0) } == 0 { Err(last_error()) } else { Ok(()) }
}

/// Starts a service; one that runs is no error.
pub fn start(name: &str) -> io::Result<()> {
    let service = open(name, services::SERVICE_START)?;
    // SAFETY: the service is open, and no arguments are given.
    if unsafe { services::StartServiceW(service.0, 0, ptr::null()) } != 0 {
        return Ok(());
    }
    match last_error() {
        error if is(&error, ERROR_SERVICE_ALREADY_RUNNING) => Ok(()),
        error => Err(error),
    }
}

/// Asks a service to stop; one that does not run is no error.
pub fn stop(name: &str) -> io::Result<()> {
    let service = open(name, services::SERVICE_STOP)?;
    let mut status = services::SERVICE_STATUS::default();
    // SAFETY: the service is open, and the place for the answer lives until the call returns.
    if unsafe { services::ControlService(service.0, services::SERVICE_CONTROL_STOP, &raw mut status) } != 0 {
        return Ok(());
    }
    match last_error() {
        error if is(&error, ERROR_SERVICE_NOT_ACTIVE) => Ok(()),
        error => Err(error),
    }
}

/// Stops a service and waits until its process is gone, for it says before that it has stopped, and its program can't be
/// replaced as long. One that is not there, or does not run, is no error.
pub fn stop_process(name: &str, within: Duration) -> io::Result<()> {
    let service = match open(name, services::SERVICE_QUERY_STATUS) {
        Err(error) if is(&error, ERROR_SERVICE_DOES_NOT_EXIST) => return Ok(()),
        service => service?,
    };
    // Opened before it is stopped: the number may be another process's afterwards.
    let process = process_of(&service)?;
    stop(name)?;
    let Some(process) = process else { return Ok(()) };
    let milliseconds = u32::try_from(within.as_millis()).unwrap_or(u32::MAX - 1);
    // SAFETY: the handle is open.
    match unsafe { threading::WaitForSingleObject(process.as_raw_handle(), milliseconds) } {
        WAIT_OBJECT_0 => Ok(()),
        WAIT_TIMEOUT => Err(io::ErrorKind::TimedOut.into()),
        _ => Err(last_error()),
    }
}

/// The process of a service, to be waited for; `None` if it has none.
fn process_of(service: &ScHandle) -> io::Result<Option<OwnedHandle>> {
    let mut status = services::SERVICE_STATUS_PROCESS::default();
    let (place, room) = ((&raw mut status).cast::<u8>(), size_of_val(&status) as u32);
    let mut needed = 0;
    // SAFETY: the service is open for that, and the place for the answer is as long as is told.
    let done = unsafe {
        services::QueryServiceStatusEx(
            service.0,
            services::SC_STATUS_PROCESS_INFO,
            place,
            room,
            &raw mut needed,
        )
    };
    if done == 0 {
        return Err(last_error());
    }
    if status.dwProcessId == 0 {
        return Ok(None);
    }
    // SAFETY: it takes numbers only.
    let process = unsafe { threading::OpenProcess(threading::PROCESS_SYNCHRONIZE, 0, status.dwProcessId) };
    if process.is_null() {
        // It may have ended by now.
        return Ok(None);
    }
    // SAFETY: the call succeeded, so this handle is open, and nobody else has it.
    Ok(Some(unsafe { OwnedHandle::from_raw_handle(process) }))
}

/// What the service manager tells this process, and what it is to be told.
static SPOKEN: OnceLock<Spoken> = OnceLock::new();

/// How this process is known to the service manager.
static STATUS: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());

struct Spoken {
    began: Sender<()>,
    stop: Sender<()>,
    /// Whether the service failed, once it has ended.
    ended: Mutex<Option<Receiver<bool>>>,
}

/// A process that the service manager has started.
pub struct RunningService {
    ended: Sender<bool>,
    dispatcher: JoinHandle<io::Result<()>>,
    /// Gives something when the service is to stop.
    pub stop: Option<Receiver<()>>,
}

impl RunningService {
    /// Begins to be a service: the service manager hears that this process runs. Once in a process, and only in one that
    /// it started.
    pub fn begin(name: &str) -> io::Result<Self> {
        let ((began, has_begun), (stop, is_stopped), (ended, has_ended)) =
            (mpsc::channel(), mpsc::channel(), mpsc::channel());
        if SPOKEN.set(Spoken { began, stop, ended: Mutex::new(Some(has_ended)) }).is_err() {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, "this process is a service already"));
        }
        let name = wide(OsStr::new(name));
        let dispatcher =
            std::thread::Builder::new().name("services".to_owned()).spawn(move || dispatch(name))?;
        match has_begun.recv_timeout(SPOKEN_TO_WITHIN) {
            Ok(()) => Ok(Self { ended, dispatcher, stop: Some(is_stopped) }),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) if !dispatcher.is_finished() => {
                Err(io::ErrorKind::TimedOut.into())
            }
            Err(_) => match dispatcher.join() {
                Ok(Err(error)) => Err(error),
                _ => Err(io::Error::other("the service manager let this process go")),
            },
        }
    }

    /// Tells the service manager that it has ended. After that it may end this process at any moment.
    pub fn end(self, failed: bool) {
        if self.ended.send(failed).is_ok() {
            // It returns once all services of this process have ended.
            let _ = self.dispatcher.join();
        }
    }
}

fn dispatch(mut name: Vec<u16>) -> io::Result<()> {
    let table = [
        services::SERVICE_TABLE_ENTRYW {
            lpServiceName: name.as_mut_ptr(),
            lpServiceProc: Some(service_main),
        },
        services::SERVICE_TABLE_ENTRYW { lpServiceName: ptr::null_mut(), lpServiceProc: None },
    ];
    // SAFETY: the table ends in an empty entry, and lives with its name until the call returns, which is when the service
    // has ended.
    if unsafe { services::StartServiceCtrlDispatcherW(table.as_ptr()) } == 0 {
        Err(last_error())
    } else {
        Ok(())
    }
}

fn tell(state: u32, failed: bool) {
    let accepted = match state {
        services::SERVICE_RUNNING => services::SERVICE_ACCEPT_STOP | services::SERVICE_ACCEPT_SHUTDOWN,
        _ => 0,
    };
    let status = services::SERVICE_STATUS {
        dwServiceType: services::SERVICE_WIN32_OWN_PROCESS,
        dwCurrentState: state,
        dwControlsAccepted: accepted,
        dwWin32ExitCode: if failed { ERROR_SERVICE_SPECIFIC_ERROR } else { NO_ERROR },
        dwServiceSpecificExitCode: u32::from(failed),
        dwCheckPoint: 0,
        dwWaitHint: if state == services::SERVICE_STOP_PENDING { STOP_MILLISECONDS } else { 0 },
    };
    let handle = STATUS.load(Ordering::Acquire);
    if !handle.is_null() {
        // SAFETY: the handle is what the service manager gave, which need not be closed; the status is only read.
        unsafe { services::SetServiceStatus(handle, &raw const status) };
    }
}

/// Called by the service manager's library in a thread that it makes for that.
unsafe extern "system" fn service_main(_count: u32, _arguments: *mut windows_sys::core::PWSTR) {
    let Some(spoken) = SPOKEN.get() else { return };
    let empty = [0u16];
    // SAFETY: the name ends in zero; it means nothing for a process with one service. The handler is there as long as the
    // process.
    let handle =
        unsafe { services::RegisterServiceCtrlHandlerExW(empty.as_ptr(), Some(control), ptr::null()) };
    STATUS.store(handle, Ordering::Release);
    tell(services::SERVICE_RUNNING, false);
    let ended = spoken.ended.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let (Ok(()), Some(ended)) = (spoken.began.send(()), ended) {
        // Hung up without a word: whoever did the work is gone.
        let failed = ended.recv().unwrap_or(true);
        tell(services::SERVICE_STOPPED, failed);
    }
}

/// Called by the service manager's library.
unsafe extern "system" fn control(what: u32, _kind: u32, _event: *mut c_void, _context: *mut c_void) -> u32 {
    match what {
        services::SERVICE_CONTROL_STOP | services::SERVICE_CONTROL_SHUTDOWN => {
            tell(services::SERVICE_STOP_PENDING, false);
            if let Some(spoken) = SPOKEN.get() {
                // Nobody may listen any more: then it ends already.
                let _ = spoken.stop.send(());
            }
            NO_ERROR
        }
        services::SERVICE_CONTROL_INTERROGATE => NO_ERROR,
        _ => ERROR_CALL_NOT_IMPLEMENTED,
    }
}
