"""Looks what a program imports: only what a list names, which is reviewed by people.

check-imports.py OBJDUMP PROGRAM LIST. Each line of the list is a library, or a function that begins with a space and is of the
library above it. With STATEWARD_WRITE=1 the list is written anew; whoever does that looks every new line up: a function must be
there since Windows 7 and Server 2008 R2, a library must be the system's own.
"""

import os
import re
import subprocess
import sys

# Known to be newer, whatever a list says: they have crept into programs before, through crates and standard libraries.
NEWER = {
    "CreateFile2", "DiscardVirtualMemory", "GetCurrentThreadStackLimits", "GetOverlappedResultEx",
    "GetSystemTimePreciseAsFileTime", "GetTempPath2W", "MapViewOfFile3", "NtQueryDirectoryFileEx", "PrefetchVirtualMemory",
    "ProcessPrng", "QueryInterruptTimePrecise", "RoOriginateErrorW", "SetDefaultDllDirectories", "SetProcessMitigationPolicy",
    "SetThreadDescription", "VirtualAlloc2", "WaitOnAddress", "WakeByAddressAll", "WakeByAddressSingle",
}


def imports(objdump: str, program: str) -> dict[str, set[str]]:
    text = subprocess.run([objdump, "-p", program], check=True, capture_output=True, text=True).stdout
    found: dict[str, set[str]] = {}
    names: set[str] = set()
    for line in text.splitlines():
        if library := re.match(r"\s*DLL Name: (\S+)", line):
            names = found.setdefault(library[1].lower(), set())
        elif function := re.match(r"\s+[0-9a-f]+\s+(?:<none>|\d+|[0-9a-f]{4})\s+(?:[0-9a-f]+\s+)?([A-Za-z_?@][\w?@$]*)\s*$", line):
            names.add(function[1])
    return found


def listed(path: str) -> dict[str, set[str]]:
    known: dict[str, set[str]] = {}
    names: set[str] = set()
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            if not line.strip() or line.startswith("#"):
                continue
            if line.startswith(" "):
                names.add(line.strip())
            else:
                names = known.setdefault(line.strip(), set())
    return known


def write(path: str, found: dict[str, set[str]]) -> None:
    with open(path, "w", encoding="utf-8") as out:
        out.write("# What stateward.exe imports; scripts/check-imports.py says what may stand here.\n")
        for library in sorted(found):
            out.write(f"{library}\n")
            out.writelines(f" {name}\n" for name in sorted(found[library]))


def main() -> int:
    objdump, program, path = sys.argv[1:4]
    found = imports(objdump, program)
    if not found or not all(found.values()):
        print(f"Error: The imports of {program} can't be read", file=sys.stderr)
        return 1
    if os.environ.get("STATEWARD_WRITE") == "1":
        write(path, found)
    known = listed(path)
    wrong = [
        f"{library}: {name}" + (" (newer than Server 2008 R2)" if name in NEWER else "")
        for library in sorted(found)
        for name in sorted(found[library])
        if name in NEWER or name not in known.get(library, set())
    ]
    if wrong:
        print("Error: The program imports what is not in the list:", *wrong, sep="\n  ", file=sys.stderr)
        print(f"Hint: Look up since when Windows has it; the list is {path}", file=sys.stderr)
        return 1
    print(f"{sum(map(len, found.values()))} imports of {len(found)} libraries, all of them known")
    return 0


sys.exit(main())
