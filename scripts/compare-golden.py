#!/usr/bin/env python3
"""Compares a folder with the description of a recovery point in testdata/vaults (entries/*.jsonl), by its own look.

    compare-golden.py DESCRIPTION FOLDER

What only Windows has is not looked for, but a file whose content EFS encrypted must not be there. As an ordinary user owners,
devices and attributes that only root can set are left out.
"""
import json
import os
import stat
import sys

import blake3

KINDS = {stat.S_IFREG: "file", stat.S_IFDIR: "folder", stat.S_IFLNK: "symbolic link", stat.S_IFBLK: "block device",
         stat.S_IFCHR: "character device", stat.S_IFIFO: "fifo", stat.S_IFSOCK: "socket"}
IS_ROOT = os.geteuid() == 0


def escaped(name):
    return "".join(chr(c) if 32 <= c < 127 and c != 92 else f"\\x{c:02x}" for c in name)


def line_of(path, found, first_names):
    kind = KINDS[stat.S_IFMT(found.st_mode)]
    line = {"kind": kind, "mode": f"{stat.S_IMODE(found.st_mode):04o}", "modified": found.st_mtime_ns,
            "owner": [found.st_uid, found.st_gid]}
    if kind == "file":
        hasher = blake3.blake3()
        with open(path, "rb") as file:
            while data := file.read(1 << 20):
                hasher.update(data)
        line |= {"size": found.st_size, "blake3": hasher.hexdigest()}
        if found.st_nlink > 1:
            line["linked_with"] = first_names[found.st_dev, found.st_ino]
    elif kind == "symbolic link":
        line["target"] = escaped(os.readlink(path))
    elif kind.endswith("device"):
        line["device"] = [os.major(found.st_rdev), os.minor(found.st_rdev)]
    xattrs = {name: os.getxattr(path, name, follow_symlinks=False).hex()
              for name in os.listxattr(path, follow_symlinks=False) if name != "security.selinux"}
    return line | ({"xattrs": xattrs} if xattrs else {})


def look(top):
    top, found = os.fsencode(top), {}
    for folder, folders, files in os.walk(top):
        for name in folders + files:
            path = os.path.join(folder, name)
            found[path[len(top) + 1:]] = (path, os.lstat(path))
    first_names = {}
    for name, (_, stats) in sorted(found.items()):
        first_names.setdefault((stats.st_dev, stats.st_ino), escaped(name))
    return {escaped(name): line_of(path, stats, first_names) for name, (path, stats) in found.items()}


def comparable(line):
    line = {field: value for field, value in line.items() if field not in ("path", "stored", "attributes")}
    if line["kind"] == "symbolic link":
        del line["mode"]  # Linux has none
    if not IS_ROOT:
        line.pop("owner", None)
        line |= {"mode": f"{int(line['mode'], 8) & 0o1777:04o}"} if "mode" in line else {}
        xattrs = {name: value for name, value in line.pop("xattrs", {}).items() if name.startswith(("user.", "system."))}
        line |= {"xattrs": xattrs} if xattrs else {}
    return line


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        described = {line["path"]: line for line in map(json.loads, file) if "path" in line}
    expected = {path: comparable(line) for path, line in described.items()
                if "efs" not in line.get("attributes", {}) and (IS_ROOT or "device" not in line)}
    found = {path: comparable(line) for path, line in look(sys.argv[2]).items()}
    differing = [path for path in sorted(expected.keys() | found.keys()) if expected.get(path) != found.get(path)]
    for path in differing[:5]:
        print(f"{path}: described {expected.get(path)}, found {found.get(path)}", file=sys.stderr)
    sys.exit(f"{len(differing)} of {len(expected)} entries differ" if differing else 0)


if __name__ == "__main__":
    main()
