// VSS, which isn't here, played: what each function answers, and a list of what was called in which order.
//
// The layout of the interfaces is that of mingw's own vsbackup.h, which this is compiled against: so the tables of functions that
// crates/windows writes by hand are shown to be the same as an independent source's. What the functions *do* is made up after
// Microsoft's documentation, and was never compared with Windows. No snapshot is made: what is read in place of a volume is a folder that
// the test has filled.
//
// The variable STATEWARD_VSS_SCENE names a folder. Its file `scene` says what is played, one rule a line:
//
//   answer FUNCTION CODE…       what calls of that function answer, one after the other; behind the last, what is in order
//   outcome FUNCTION CODE       what the operation that it begins comes to
//   pending COUNT               how often an operation is asked how it stands before it has ended
//   shadow DRIVE FOLDER         what is read in place of a drive
//   unsupported DRIVE           a drive of which no snapshot can be made
//   writer STATE CODE NAME      a writer, and how it stands after the snapshot
//
// Its file `calls` gets a line for each call. Without the variable nothing is built, as under Wine.

#include <initguid.h>
#include <windows.h>
#include <vss.h>
#include <vswriter.h>
#include <vsbackup.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

namespace {

constexpr int LINES_MAX = 64;
constexpr int LINE_BYTES = 1024;

// The provider of whoever wants none in particular.
constexpr GUID ANY_PROVIDER{};

// The stages of a backup, each of which needs the one before.
enum Stage { CREATED, INITIALIZED, IN_CONTEXT, STATE_SET, GATHERED, SET_STARTED, PREPARED, MADE, COMPLETED, ABORTED };

wchar_t scene_folder[MAX_PATH];
char lines[LINES_MAX][LINE_BYTES];
int line_count = 0;
int answered[LINES_MAX];
LONG properties = 0;
LONG operations = 0;

void tell(const char *format, ...) {
    char text[LINE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text - 2, format, arguments);
    va_end(arguments);
    strcat(text, "\n");
    wchar_t path[MAX_PATH + 8];
    swprintf(path, MAX_PATH + 8, L"%ls\\calls", scene_folder);
    HANDLE file = CreateFileW(path, FILE_APPEND_DATA, FILE_SHARE_READ, nullptr, OPEN_ALWAYS, 0, nullptr);
    DWORD written;
    WriteFile(file, text, static_cast<DWORD>(strlen(text)), &written, nullptr);
    CloseHandle(file);
}

bool read_scene() {
    DWORD length = GetEnvironmentVariableW(L"STATEWARD_VSS_SCENE", scene_folder, MAX_PATH);
    if (length == 0 || length >= MAX_PATH) return false;
    wchar_t path[MAX_PATH + 8];
    swprintf(path, MAX_PATH + 8, L"%ls\\scene", scene_folder);
    FILE *file = _wfopen(path, L"rb");
    if (!file) return false;
    line_count = 0;
    while (line_count < LINES_MAX && fgets(lines[line_count], LINE_BYTES, file)) {
        lines[line_count][strcspn(lines[line_count], "\r\n")] = 0;
        answered[line_count++] = 0;
    }
    fclose(file);
    return true;
}

// What stands behind a rule's first words; null if there is no such rule. `from` says where to go on looking.
const char *rule(const char *words, int &from) {
    size_t length = strlen(words);
    for (; from < line_count; from++)
        if (!strncmp(lines[from], words, length) && (lines[from][length] == ' ' || lines[from][length] == 0))
            return lines[from][length] ? lines[from] + length + 1 : lines[from] + length;
    return nullptr;
}

HRESULT code(const char *text) { return static_cast<HRESULT>(strtoul(text, nullptr, 16)); }

// Whether the scene has another answer than what is in order.
bool has_answer(const char *function, HRESULT &answer) {
    char words[128];
    snprintf(words, sizeof words, "answer %s", function);
    int at = 0;
    const char *rest = rule(words, at);
    if (!rest) return false;
    for (int skip = answered[at]++; rest && skip > 0; skip--) {
        rest = strchr(rest, ' ');
        if (rest) rest++;
    }
    if (!rest || !*rest) return false;
    answer = code(rest);
    return true;
}

HRESULT outcome(const char *function) {
    char words[128];
    snprintf(words, sizeof words, "outcome %s", function);
    int at = 0;
    const char *rest = rule(words, at);
    return rest ? code(rest) : VSS_S_ASYNC_FINISHED;
}

// The letter of the drive of a volume's id.
char drive(const wchar_t *volume) {
    wchar_t names[512];
    DWORD length;
    if (!GetVolumePathNamesForVolumeNameW(volume, names, 512, &length)) return 0;
    return static_cast<char>(towupper(names[0]));
}

const char *of_drive(const char *word, char letter) {
    char words[32];
    snprintf(words, sizeof words, "%s %c", word, letter);
    int at = 0;
    return rule(words, at);
}

class Operation final : public IVssAsync {
    LONG count = 1;
    const char *function;
    int pending;
    HRESULT end;

public:
    explicit Operation(const char *name) : function(name), pending(0), end(outcome(name)) {
        int at = 0;
        if (const char *rest = rule("pending", at)) pending = atoi(rest);
        InterlockedIncrement(&operations);
    }

    STDMETHODIMP QueryInterface(REFIID, void **made) override {
        *made = nullptr;
        return E_NOINTERFACE;
    }
    STDMETHODIMP_(ULONG) AddRef() override { return InterlockedIncrement(&count); }
    STDMETHODIMP_(ULONG) Release() override {
        ULONG left = InterlockedDecrement(&count);
        if (!left) {
            if (pending > 0) tell("%s was let go while it went on", function);
            InterlockedDecrement(&operations);
            delete this;
        }
        return left;
    }
    STDMETHODIMP Cancel() override {
        tell("Cancel %s", function);
        pending = 0;
        end = VSS_S_ASYNC_CANCELLED;
        return S_OK;
    }
    STDMETHODIMP Wait(DWORD) override { return E_NOTIMPL; }
    STDMETHODIMP QueryStatus(HRESULT *result, INT *reserved) override {
        if (!result || reserved) return E_INVALIDARG;
        *result = pending > 0 ? VSS_S_ASYNC_PENDING : end;
        if (pending > 0) pending--;
        return S_OK;
    }
};

class Components final : public IVssBackupComponents {
    LONG count = 1;
    Stage stage = CREATED;
    DWORD thread = GetCurrentThreadId();
    char drives[32] = {};
    int drive_count = 0;
    bool has_status = false;

    // Tells of a call, and what it answers: what the scene says, else whether it is in order.
    HRESULT called(const char *function, const char *with, bool is_in_order) {
        tell("%s%s%s", function, *with ? " " : "", with);
        if (GetCurrentThreadId() != thread) {
            tell("%s came from another thread", function);
            return RPC_E_WRONG_THREAD;
        }
        HRESULT answer = S_OK;
        if (has_answer(function, answer)) return answer;
        if (!is_in_order || operations > 0) {
            tell("%s is out of order", function);
            return VSS_E_BAD_STATE;
        }
        return S_OK;
    }

    HRESULT step(const char *function, const char *with, bool is_in_order, Stage next) {
        HRESULT answer = called(function, with, is_in_order);
        if (SUCCEEDED(answer)) stage = next;
        return answer;
    }

    HRESULT begin(const char *function, bool is_in_order, Stage next, IVssAsync **operation) {
        if (!operation) return E_INVALIDARG;
        *operation = nullptr;
        HRESULT answer = step(function, "", is_in_order, next);
        if (SUCCEEDED(answer)) *operation = new Operation(function);
        return answer;
    }

    HRESULT not_called(const char *function) {
        tell("%s, which nothing here should call", function);
        return E_NOTIMPL;
    }

public:
    STDMETHODIMP QueryInterface(REFIID, void **made) override {
        *made = nullptr;
        return E_NOINTERFACE;
    }
    STDMETHODIMP_(ULONG) AddRef() override { return InterlockedIncrement(&count); }
    STDMETHODIMP_(ULONG) Release() override {
        ULONG left = InterlockedDecrement(&count);
        if (!left) {
            tell("Release, of %ld operations and %ld properties that are left", operations, properties);
            delete this;
        }
        return left;
    }

    STDMETHODIMP InitializeForBackup(BSTR document) override {
        return step("InitializeForBackup", document ? "with a document" : "", stage == CREATED, INITIALIZED);
    }
    STDMETHODIMP SetContext(LONG context) override {
        char with[32];
        snprintf(with, sizeof with, "%#lx", context);
        return step("SetContext", with, stage == INITIALIZED, IN_CONTEXT);
    }
    STDMETHODIMP SetBackupState(boolean components, boolean bootable, VSS_BACKUP_TYPE type, boolean partial) override {
        char with[32];
        snprintf(with, sizeof with, "%d %d %d %d", components, bootable, type, partial);
        return step("SetBackupState", with, stage == IN_CONTEXT, STATE_SET);
    }
    STDMETHODIMP GatherWriterMetadata(IVssAsync **operation) override {
        return begin("GatherWriterMetadata", stage == STATE_SET, GATHERED, operation);
    }
    STDMETHODIMP StartSnapshotSet(VSS_ID *set) override {
        *set = VSS_ID{0x5e7, 0, 0, {0}};
        return step("StartSnapshotSet", "", stage == GATHERED, SET_STARTED);
    }
    STDMETHODIMP IsVolumeSupported(VSS_ID provider, VSS_PWSZ volume, WINBOOL *is_supported) override {
        char with[2] = {drive(volume), 0};
        *is_supported = !of_drive("unsupported", with[0]);
        return called("IsVolumeSupported", with, IsEqualGUID(provider, ANY_PROVIDER));
    }
    STDMETHODIMP AddToSnapshotSet(VSS_PWSZ volume, VSS_ID provider, VSS_ID *snapshot) override {
        char with[2] = {drive(volume), 0};
        HRESULT answer = called("AddToSnapshotSet", with, stage == SET_STARTED && IsEqualGUID(provider, ANY_PROVIDER));
        if (FAILED(answer)) return answer;
        if (!of_drive("shadow", with[0])) return VSS_E_OBJECT_NOT_FOUND;
        drives[drive_count++] = with[0];
        // Its id is known by the drive's letter.
        *snapshot = VSS_ID{0x5ade, 0, 0, {static_cast<unsigned char>(with[0])}};
        return S_OK;
    }
    STDMETHODIMP PrepareForBackup(IVssAsync **operation) override {
        return begin("PrepareForBackup", stage == SET_STARTED && drive_count > 0, PREPARED, operation);
    }
    STDMETHODIMP DoSnapshotSet(IVssAsync **operation) override {
        return begin("DoSnapshotSet", stage == PREPARED, MADE, operation);
    }
    STDMETHODIMP GatherWriterStatus(IVssAsync **operation) override {
        HRESULT answer = begin("GatherWriterStatus", stage >= PREPARED && !has_status, stage, operation);
        has_status = SUCCEEDED(answer);
        return answer;
    }
    STDMETHODIMP GetWriterStatusCount(UINT *writers) override {
        *writers = 0;
        for (int at = 0; rule("writer", at); at++) ++*writers;
        return called("GetWriterStatusCount", "", has_status);
    }
    STDMETHODIMP GetWriterStatus(UINT number, VSS_ID *instance, VSS_ID *writer, BSTR *name, VSS_WRITER_STATE *state, HRESULT *failure) override {
        int at = 0;
        const char *rest = rule("writer", at);
        for (UINT skip = number; rest && skip > 0; skip--) rest = rule("writer", ++at);
        HRESULT answer = called("GetWriterStatus", "", has_status && rest);
        if (FAILED(answer)) return answer;
        char *next;
        *state = static_cast<VSS_WRITER_STATE>(strtol(rest, &next, 10));
        *failure = static_cast<HRESULT>(strtoul(next, &next, 16));
        wchar_t wide[256];
        MultiByteToWideChar(CP_UTF8, 0, next + 1, -1, wide, 256);
        *name = SysAllocString(wide);
        *instance = *writer = VSS_ID{number, 0, 0, {0}};
        return S_OK;
    }
    STDMETHODIMP FreeWriterStatus() override {
        HRESULT answer = called("FreeWriterStatus", "", has_status);
        has_status = false;
        return answer;
    }
    STDMETHODIMP GetSnapshotProperties(VSS_ID snapshot, VSS_SNAPSHOT_PROP *found) override {
        char with[2] = {static_cast<char>(snapshot.Data4[0]), 0};
        HRESULT answer = called("GetSnapshotProperties", with, stage == MADE && snapshot.Data1 == 0x5ade);
        if (FAILED(answer)) return answer;
        memset(found, 0, sizeof *found);
        const char *folder = of_drive("shadow", with[0]);
        if (!folder) return VSS_E_OBJECT_NOT_FOUND;
        auto *device = static_cast<wchar_t *>(CoTaskMemAlloc(LINE_BYTES * sizeof(wchar_t)));
        MultiByteToWideChar(CP_UTF8, 0, folder, -1, device, LINE_BYTES);
        found->m_SnapshotId = snapshot;
        found->m_lSnapshotsCount = drive_count;
        found->m_pwszSnapshotDeviceObject = device;
        found->m_eStatus = VSS_SS_CREATED;
        InterlockedIncrement(&properties);
        return S_OK;
    }
    STDMETHODIMP BackupComplete(IVssAsync **operation) override {
        return begin("BackupComplete", stage == MADE, COMPLETED, operation);
    }
    STDMETHODIMP AbortBackup() override { return step("AbortBackup", "", stage != CREATED, ABORTED); }

    STDMETHODIMP GetWriterComponentsCount(UINT *) override { return not_called("GetWriterComponentsCount"); }
    STDMETHODIMP GetWriterComponents(UINT, IVssWriterComponentsExt **) override { return not_called("GetWriterComponents"); }
    STDMETHODIMP InitializeForRestore(BSTR) override { return not_called("InitializeForRestore"); }
    STDMETHODIMP SetRestoreState(VSS_RESTORE_TYPE) override { return not_called("SetRestoreState"); }
    STDMETHODIMP GetWriterMetadataCount(UINT *) override { return not_called("GetWriterMetadataCount"); }
    STDMETHODIMP GetWriterMetadata(UINT, VSS_ID *, IVssExamineWriterMetadata **) override { return not_called("GetWriterMetadata"); }
    STDMETHODIMP FreeWriterMetadata() override { return not_called("FreeWriterMetadata"); }
    STDMETHODIMP AddComponent(VSS_ID, VSS_ID, VSS_COMPONENT_TYPE, LPCWSTR, LPCWSTR) override { return not_called("AddComponent"); }
    STDMETHODIMP SetBackupSucceeded(VSS_ID, VSS_ID, VSS_COMPONENT_TYPE, LPCWSTR, LPCWSTR, boolean) override { return not_called("SetBackupSucceeded"); }
    STDMETHODIMP SetBackupOptions(VSS_ID, VSS_COMPONENT_TYPE, LPCWSTR, LPCWSTR, LPCWSTR) override { return not_called("SetBackupOptions"); }
    STDMETHODIMP SetSelectedForRestore(VSS_ID, VSS_COMPONENT_TYPE, LPCWSTR, LPCWSTR, boolean) override { return not_called("SetSelectedForRestore"); }
    STDMETHODIMP SetRestoreOptions(VSS_ID, VSS_COMPONENT_TYPE, LPCWSTR, LPCWSTR, LPCWSTR) override { return not_called("SetRestoreOptions"); }
    STDMETHODIMP SetAdditionalRestores(VSS_ID, VSS_COMPONENT_TYPE, LPCWSTR, LPCWSTR, boolean) override { return not_called("SetAdditionalRestores"); }
    STDMETHODIMP SetPreviousBackupStamp(VSS_ID, VSS_COMPONENT_TYPE, LPCWSTR, LPCWSTR, LPCWSTR) override { return not_called("SetPreviousBackupStamp"); }
    STDMETHODIMP SaveAsXML(BSTR *) override { return not_called("SaveAsXML"); }
    STDMETHODIMP AddAlternativeLocationMapping(VSS_ID, VSS_COMPONENT_TYPE, LPCWSTR, LPCWSTR, LPCWSTR, LPCWSTR, boolean, LPCWSTR) override { return not_called("AddAlternativeLocationMapping"); }
    STDMETHODIMP AddRestoreSubcomponent(VSS_ID, VSS_COMPONENT_TYPE, LPCWSTR, LPCWSTR, LPCWSTR, LPCWSTR, boolean) override { return not_called("AddRestoreSubcomponent"); }
    STDMETHODIMP SetFileRestoreStatus(VSS_ID, VSS_COMPONENT_TYPE, LPCWSTR, LPCWSTR, VSS_FILE_RESTORE_STATUS) override { return not_called("SetFileRestoreStatus"); }
    STDMETHODIMP AddNewTarget(VSS_ID, VSS_COMPONENT_TYPE, LPCWSTR, LPCWSTR, LPCWSTR, LPCWSTR, boolean, LPCWSTR) override { return not_called("AddNewTarget"); }
    STDMETHODIMP SetRangesFilePath(VSS_ID, VSS_COMPONENT_TYPE, LPCWSTR, LPCWSTR, UINT, LPCWSTR) override { return not_called("SetRangesFilePath"); }
    STDMETHODIMP PreRestore(IVssAsync **) override { return not_called("PreRestore"); }
    STDMETHODIMP PostRestore(IVssAsync **) override { return not_called("PostRestore"); }
    STDMETHODIMP DeleteSnapshots(VSS_ID, VSS_OBJECT_TYPE, WINBOOL, LONG *, VSS_ID *) override { return not_called("DeleteSnapshots"); }
    STDMETHODIMP ImportSnapshots(IVssAsync **) override { return not_called("ImportSnapshots"); }
    STDMETHODIMP BreakSnapshotSet(VSS_ID) override { return not_called("BreakSnapshotSet"); }
    STDMETHODIMP Query(VSS_ID, VSS_OBJECT_TYPE, VSS_OBJECT_TYPE, IVssEnumObject **) override { return not_called("Query"); }
    STDMETHODIMP DisableWriterClasses(const VSS_ID *, UINT) override { return not_called("DisableWriterClasses"); }
    STDMETHODIMP EnableWriterClasses(const VSS_ID *, UINT) override { return not_called("EnableWriterClasses"); }
    STDMETHODIMP DisableWriterInstances(const VSS_ID *, UINT) override { return not_called("DisableWriterInstances"); }
    STDMETHODIMP ExposeSnapshot(VSS_ID, VSS_PWSZ, LONG, VSS_PWSZ, VSS_PWSZ *) override { return not_called("ExposeSnapshot"); }
    STDMETHODIMP RevertToSnapshot(VSS_ID, WINBOOL) override { return not_called("RevertToSnapshot"); }
    STDMETHODIMP QueryRevertStatus(VSS_PWSZ, IVssAsync **) override { return not_called("QueryRevertStatus"); }
};

}  // namespace

extern "C" __declspec(dllexport) HRESULT STDAPICALLTYPE CreateVssBackupComponentsInternal(IVssBackupComponents **made) {
    *made = nullptr;
    if (!read_scene()) return E_NOTIMPL;
    tell("CreateVssBackupComponents");
    HRESULT answer = S_OK;
    if (has_answer("CreateVssBackupComponents", answer) && FAILED(answer)) return answer;
    *made = new Components;
    return S_OK;
}

extern "C" __declspec(dllexport) void APIENTRY VssFreeSnapshotPropertiesInternal(VSS_SNAPSHOT_PROP *found) {
    CoTaskMemFree(found->m_pwszSnapshotDeviceObject);
    InterlockedDecrement(&properties);
}
