"""Finishes what wixl made of packaging/windows/stateward.wxs, and tells what an MSI holds.

msi-tables.py finish RAW OUT PACKAGE-CODE SECONDS: writes OUT, with what wixl has no words for (the search path, when custom actions
run, older packages of the same version, short names) and without what differs between two builds of the same: the order of rows,
times, the code of the package. SECONDS is the time that it tells, since 1970.

msi-tables.py check FILE LIST: whether FILE holds what LIST says. What differs from build to build is told by its kind there. With
STATEWARD_WRITE=1 the list is written anew, which a person reviews.
"""

import difflib
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SUMMARY = "_SummaryInformation"

# When what is done: the numbers that Windows Installer's documentation gives its own actions, and ours between them.
SEQUENCE = {
    "FindRelatedProducts": 25, "LaunchConditions": 100, "ValidateProductID": 700, "CostInitialize": 800, "FileCost": 900,
    "CostFinalize": 1000, "MigrateFeatureStates": 1200, "InstallValidate": 1400,
    "TakePassphrase": 1410, "MakePassphrase": 1411, "TakeCode": 1412, "TakeLabel": 1413, "TakeCache": 1414,
    "TakeProxy": 1415, "TakeProxyPassword": 1416,
    "InstallInitialize": 1500, "RemoveExistingProducts": 1510, "ProcessComponents": 1600, "UnpublishFeatures": 1800,
    "Stop": 1890, "StopServices": 1900, "DeleteServices": 2000, "RemoveRegistryValues": 2600, "RemoveShortcuts": 3200,
    "RemoveEnvironmentStrings": 3300, "RemoveFiles": 3500, "InstallFiles": 4000, "CreateShortcuts": 4500,
    "WriteRegistryValues": 5000, "WriteEnvironmentStrings": 5200, "InstallServices": 5800,
    "Configure": 5810, "SetProxy": 5820, "Register": 5830,
    "StartServices": 5900, "RegisterUser": 6000, "RegisterProduct": 6100, "PublishFeatures": 6300, "PublishProduct": 6400,
    "InstallFinalize": 6600,
}

# Set at the installation and taken back at the removal (`=-`), for the whole machine (`*`), behind what is there.
ENVIRONMENT = (
    "Environment\tName\tValue\tComponent_\n"
    "s72\tl255\tL255\ts72\n"
    "Environment\tEnvironment\n"
    "Path\t=-*PATH\t[~];[INSTALLFOLDER]\tProgram\n"
)

SHORT_NAMES = {
    "File": {"stateward.exe": "STATEW~1.EXE", "LICENSE-APACHE.txt": "LICENS~1.TXT", "LICENSE-MIT.txt": "LICENS~2.TXT",
             "CHANGELOG.md": "CHANGE~1.MD"},
    "Shortcut": {"Stateward console": "STATEW~1.LNK"},
    "Directory": {"Stateward": "STATEW~1"},
}

MAXIMUM_INCLUDED = 0x200  # msidbUpgradeAttributesVersionMaxInclusive
TARGET_HIDDEN = 0x2000  # msidbCustomActionTypeHideTarget


class Table:
    """One table: what its columns are called and hold, which of them are its key, and its rows."""

    def __init__(self, text: str):
        lines = text.replace("\r\n", "\n").split("\n")
        self.columns, self.kinds = lines[0].split("\t"), lines[1].split("\t")
        self.name, *self.keys = lines[2].split("\t")
        self.rows = [dict(zip(self.columns, line.split("\t"), strict=True)) for line in lines[3:] if line]

    def text(self) -> str:
        rows = sorted("\t".join(row[column] for column in self.columns) for row in self.rows)
        head = ["\t".join(self.columns), "\t".join(self.kinds), "\t".join([self.name, *self.keys])]
        return "".join(f"{line}\r\n" for line in head + rows)


def exported(msi: str, table: str) -> Table:
    said = subprocess.run(["msiinfo", "export", msi, table], check=True, capture_output=True)
    return Table(said.stdout.decode("cp1252"))


def listed(what: str, msi: str) -> list[str]:
    said = subprocess.run(["msiinfo", what, msi], check=True, capture_output=True, text=True)
    return said.stdout.split()


def tables(msi: str) -> dict[str, Table]:
    names = [name for name in listed("tables", msi) if not name.startswith("_")]
    return {name: exported(msi, name) for name in sorted(names) + [SUMMARY]}


def complete(found: dict[str, Table]) -> None:
    """What wixl has no words for, or leaves out."""
    for row in found["Upgrade"].rows:
        if row["ActionProperty"] == "OLDERFOUND":
            row["Attributes"] = str(int(row["Attributes"]) | MAXIMUM_INCLUDED)
    for row in found["CustomAction"].rows:
        if row["Action"] == "SetProxy":
            row["Type"] = str(int(row["Type"]) | TARGET_HIDDEN)
    for table, names in SHORT_NAMES.items():
        column = {"File": "FileName", "Shortcut": "Name", "Directory": "DefaultDir"}[table]
        for row in found[table].rows:
            if row[column] in names:
                row[column] = f"{names[row[column]]}|{row[column]}"
    found["Environment"] = Table(ENVIRONMENT)
    sequence = found["InstallExecuteSequence"]
    for action in ["WriteEnvironmentStrings", "RemoveEnvironmentStrings"]:
        sequence.rows.append({"Action": action, "Condition": "", "Sequence": ""})
    for row in sequence.rows:
        row["Sequence"] = str(SEQUENCE[row["Action"]])


def settle(found: dict[str, Table], package: str, seconds: int) -> None:
    """What wixl takes from the clock and from chance."""
    now = time.strftime("%Y/%m/%d %H:%M:%S", time.gmtime(seconds))
    settled = {"9": package, "12": now, "13": now}
    for row in found[SUMMARY].rows:
        row["Value"] = settled.get(row["PropertyId"], row["Value"])


def finish(raw: str, out: str, package: str, seconds: str) -> None:
    found = tables(raw)
    complete(found)
    settle(found, package, int(seconds))
    Path(out).unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "file")
        for name in sorted(found):
            file.write_bytes(found[name].text().encode("cp1252"))
            subprocess.run(["msibuild", out, "-i", file], check=True)
        for cabinet in sorted(name for name in listed("streams", raw) if name.endswith(".cab")):
            with open(file, "wb") as into:
                subprocess.run(["msiinfo", "extract", raw, cabinet], check=True, stdout=into)
            subprocess.run(["msibuild", out, "-a", cabinet, file], check=True)


def shown(msi: str) -> str:
    """All that it holds, with the kind of whatever each build makes anew."""
    version = next(row["Value"] for row in exported(msi, "Property").rows if row["Property"] == "ProductVersion")
    varying = {("File", "FileSize"): "SIZE", **{("MsiFileHash", f"HashPart{part}"): "HASH" for part in range(1, 5)}}
    told = {("Property", "ProductCode"): "CODE", (SUMMARY, "9"): "CODE", (SUMMARY, "12"): "TIME", (SUMMARY, "13"): "TIME",
            (SUMMARY, "18"): "PROGRAM"}
    lines = []
    for name, table in tables(msi).items():
        if not table.rows:
            continue
        for row in table.rows:
            for column in table.columns:
                row[column] = varying.get((name, column), row[column])
            key, value = table.columns[0], table.columns[1]
            row[value] = told.get((name, row[key]), row[value])
        rows = table.rows
        if "Sequence" in table.columns:
            rows = sorted(rows, key=lambda row: int(row["Sequence"]))
        else:
            rows = sorted(rows, key=lambda row: list(row.values()))
        lines.append(name)
        lines += [" " + " | ".join(row[column] for column in table.columns).rstrip(" |") for row in rows]
    text = "".join(f"{line}\n" for line in lines)
    return re.sub(rf"(?<![\d.]){re.escape(version)}(?![\d.])", "VERSION", text)


def check(msi: str, path: str) -> int:
    head = "# What the agent's MSI holds; scripts/msi-tables.py says what may stand here.\n"
    found = head + shown(msi)
    if os.environ.get("STATEWARD_WRITE") == "1":
        Path(path).write_text(found, encoding="utf-8")
    expected = Path(path).read_text(encoding="utf-8")
    if found == expected:
        print(f"{len(listed('tables', msi))} tables of {Path(msi).name}, all as they are to be")
        return 0
    print(f"Error: {msi} doesn't hold what {path} says:", file=sys.stderr)
    sys.stderr.writelines(difflib.unified_diff(expected.splitlines(True), found.splitlines(True), "to be", "is", n=1))
    return 1


def main() -> int:
    match sys.argv[1:]:
        case ["finish", raw, out, package, seconds]:
            finish(raw, out, package, seconds)
            return 0
        case ["check", msi, path]:
            return check(msi, path)
    print(__doc__, file=sys.stderr)
    return 2


sys.exit(main())
