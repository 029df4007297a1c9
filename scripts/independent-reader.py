#!/usr/bin/env python3
"""Restores a recovery point from a copy of a vault's objects, by docs/format.md alone.

It shares no code and no library with Stateward: it is the proof that the document says enough. It is slow, trusts
nothing (every hash, signature, commitment and tag is checked), and stops at the first thing that is wrong.

    independent-reader.py --store FOLDER --passphrase-file FILE --target FOLDER [--server LABEL] [--point HASH]

FOLDER holds `vaults/`, or `store/vaults/`. With --recovery-code-file a recovery code opens it. Without --point the newest
point is taken. Needs the packages cryptography (44 or newer), blake3 and zstandard.
"""
import argparse
import os
import stat
import sys
import unicodedata
from pathlib import Path

import blake3
import zstandard
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

FOOT, TRAILER, TAG = 128, 20, 16
LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class Wrong(Exception):
    """Something is not as docs/format.md says."""


def need(condition, what):
    if not condition:
        raise Wrong(what)


def hash_of(data, key=None):
    return blake3.blake3(data, key=key).digest()


class Reader:
    """Section 1: the spelling."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def raw(self, n):
        need(self.at + n <= len(self.data), "it ends too early")
        self.at += n
        return self.data[self.at - n:self.at]

    def number(self, n):
        return int.from_bytes(self.raw(n), "little")

    def u8(self):
        return self.number(1)

    def u32(self):
        return self.number(4)

    def u64(self):
        return self.number(8)

    def time(self):
        return int.from_bytes(self.raw(8), "little", signed=True)

    def varint(self, bits=64):
        value = shift = 0
        while True:
            byte = self.u8()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                need(byte != 0 or shift == 7, "a number is not in its shortest form")
                need(value < 1 << bits, "a number is too large")
                return value

    def count(self, most):
        value = self.varint()
        need(value <= most, "a list is longer than any may be")
        return value

    def bytes(self):
        return self.raw(self.varint())

    def text(self):
        return self.bytes().decode("utf-8")

    def left(self):
        return len(self.data) - self.at

    def end(self):
        need(self.left() == 0, "there are bytes after its end")

    def magic(self, letters):
        need(self.raw(7) == letters and self.u8() == 1, f"it does not begin with {letters.decode()} and version 1")


def id_text(data):
    digits = data.hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def padme(length):
    if length < 2:
        return length
    exponent = length.bit_length() - 1
    mask = (1 << (exponent - (exponent.bit_length()))) - 1
    return (length + mask) & ~mask


# ---- section 3: keys ----------------------------------------------------------------------------------------------

def hkdf(salt, secret, label, context):
    return HKDF(hashes.SHA256(), 32, salt, label.encode() + context).derive(secret)


def unseal(key, number, associated, sealed):
    try:
        return AESGCM(key).decrypt(number.to_bytes(12, "big"), bytes(sealed), bytes(associated))
    except InvalidTag:
        raise Wrong("sealed bytes were altered") from None


def parse_recovery_code(text):
    letters = [c for c in text.upper().replace("O", "0").replace("I", "1").replace("L", "1") if c in LETTERS]
    need(len(letters) == 56, "a recovery code has 56 letters and digits")
    bits = 0
    for letter in letters[:52]:
        bits = bits << 5 | LETTERS.index(letter)
    need(bits & 15 == 0, "the recovery code's last bits are not zero")
    code = (bits >> 4).to_bytes(32, "big")
    check = blake3.blake3(code, derive_key_context="stateward v1 recovery code check group").digest()
    first = int.from_bytes(check[:4], "big") >> 12
    need("".join(letters[52:]) == "".join(LETTERS[first >> s & 31] for s in (15, 10, 5, 0)), "the code is mistyped")
    return code


class Slot:
    def __init__(self, data):
        r = Reader(data)
        r.magic(b"SWKSLOT")
        self.vault, self.server, self.domain = r.raw(16), r.raw(16), r.raw(16)
        self.label, self.epoch = r.text(), r.u32()
        self.kind = r.u8()
        need(self.kind in (1, 2), "a slot of an unknown kind")
        self.costs = (r.u32(), r.u32(), r.u32()) if self.kind == 1 else None
        self.salt, self.public = r.raw(32), r.raw(32)
        self.associated = data[:r.at]
        self.commitment, self.data_key, self.signing_key = r.raw(32), r.bytes(), r.bytes()
        r.end()

    def open(self, passphrase, code):
        """The data key, or None if the secret is another."""
        if self.kind == 1 and passphrase is not None:
            memory, passes, lanes = self.costs
            need(64 << 10 <= memory <= 1 << 20 and 1 <= passes <= 10 and 1 <= lanes <= 4, "costs out of bounds")
            secret = Argon2id(salt=self.salt, length=32, iterations=passes, lanes=lanes,
                              memory_cost=memory).derive(passphrase)
        elif self.kind == 2 and code is not None:
            secret = code
        else:
            return None
        context = self.vault + self.server + self.epoch.to_bytes(4, "little")
        if hkdf(self.salt, secret, "stateward v1 slot commitment", context) != self.commitment:
            return None
        key = unseal(hkdf(self.salt, secret, "stateward v1 slot key", context), 0, self.associated, self.data_key)
        wrap = hkdf(self.salt, secret, "stateward v1 slot signing key", context)
        seed = unseal(wrap, 0, self.associated, self.signing_key)
        public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
        need(public == self.public, "the signing key is not the one that the slot names")
        return key


class Keys:
    def __init__(self, data_key, vault, domain, epoch):
        self.context = vault + domain + epoch.to_bytes(4, "little")
        derive = lambda label: hkdf(b"stateward v1 data key", data_key, label, self.context)  # noqa: E731
        self.chunk_ids = derive("stateward v1 chunk ids")
        self.packs = derive("stateward v1 packs")
        self.manifests = derive("stateward v1 manifests")


# ---- section 4: packs ---------------------------------------------------------------------------------------------

class Pack:
    def __init__(self, path, data, keys):
        need(hash_of(data).hex() == path.name, "a pack's bytes do not have its id")
        self.path, self.foot = path, data[-FOOT:]
        r = Reader(self.foot)
        need(r.raw(6) == b"SWPACK" and r.u8() == 1 and r.u8() == 0, "it has no pack's foot")
        need(r.raw(36) == keys.context, "it was sealed for another vault, domain or epoch")
        salt, commitment = r.raw(32), r.raw(32)
        need(not any(r.raw(r.left())), "the foot's end is not zero")
        derive = lambda label: hkdf(salt, keys.packs, f"stateward v1 pack {label}", keys.context)  # noqa: E731
        need(derive("commitment") == commitment, "it was sealed with another key")
        self.frame_key, at = derive("frames"), len(data) - FOOT - TRAILER
        trailer = unseal(derive("trailer"), 0, self.foot + b"trailer", data[at:-FOOT])
        length = int.from_bytes(trailer, "little")
        table = unseal(derive("table"), 0, self.foot + b"table", data[at - length:at])
        self.frames = self.read_table(Reader(table), at - length)

    @staticmethod
    def read_table(r, end):
        frames, at = [], 0
        for _ in range(r.varint()):
            length, codec, chunks = r.varint(), r.u8(), []
            for _ in range(r.varint()):
                size = r.varint()
                chunks.append((r.raw(32), size))
            frames.append((at, length, codec, chunks))
            at += length
        need(at == end and not any(r.raw(r.left())), "the table does not fill the pack")
        return frames

    def chunks(self, ordinal, keys):
        at, length, codec, chunks = self.frames[ordinal]
        size = sum(size for _, size in chunks)
        associated = self.foot + b"frame" + bytes([codec]) + size.to_bytes(4, "little")
        with open(self.path, "rb") as file:
            file.seek(at)
            plain = unseal(self.frame_key, ordinal, associated, file.read(length))
        if codec == 1:
            plain = zstandard.ZstdDecompressor().decompress(plain, max_output_size=size)
        need(codec in (0, 1) and len(plain) == size, "a frame is not as long as its table says")
        at = 0
        for chunk, size in chunks:
            need(hash_of(plain[at:at + size], keys.chunk_ids) == chunk, "a chunk is not what its id says")
            yield chunk, plain[at:at + size]
            at += size


class Chunks:
    """All chunks of a recovery point's packs; keeps the frames that were opened last."""

    def __init__(self, root, packs, keys):
        self.keys, self.where, self.open, self.frames = keys, {}, {}, {}
        for name, length in packs:
            path = root / "packs" / name[:2] / name
            data = path.read_bytes()
            need(len(data) == length, "a pack has another length than its recovery point says")
            pack = Pack(path, data, keys)
            for ordinal, frame in enumerate(pack.frames):
                for chunk, _ in frame[3]:
                    self.where[chunk] = (pack, ordinal)

    def get(self, chunk, length):
        need(chunk in self.where, "a chunk is in none of the point's packs")
        pack, ordinal = self.where[chunk]
        place = (id(pack), ordinal)
        if place not in self.frames:
            if len(self.frames) > 64:
                self.frames.pop(next(iter(self.frames)))
            self.frames[place] = dict(pack.chunks(ordinal, self.keys))
        data = self.frames[place][chunk]
        need(len(data) == length, "a chunk has another length than its reference says")
        return data

    def stream(self, r):
        """Section 5: the bytes of a stream, a chunk at a time."""
        depth = r.u8()
        need(depth <= 4, "a stream is nested too deep")
        chunks = []
        for _ in range(r.varint()):
            length = r.varint()
            chunks.append((r.raw(32), length))
        for _ in range(depth):
            listed, chunks = Reader(b"".join(self.get(*chunk) for chunk in chunks)), []
            while listed.left():
                length = listed.varint()
                chunks.append((listed.raw(32), length))
        for chunk in chunks:
            yield self.get(*chunk)


# ---- section 6: metadata ------------------------------------------------------------------------------------------

OTHERS = {24: "file attributes", 26: "creation time", 28: "access time", 30: "security descriptor",
          32: "extended attributes of NTFS", 34: "short name", 36: "object id", 38: "case sensitivity",
          40: "inode flags", 42: "project id", 46: "alternate stream", 49: "reparse point"}


class Entry:
    def __init__(self, body):
        r = Reader(body)
        self.kind, self.more = r.u8(), 0
        if self.kind == 0:
            r.end()
            return
        self.name, self.xattrs, self.hard_linked, self.identity = r.bytes(), [], False, None
        self.streams, self.left_off, self.refused = [], [], None
        try:
            need(len(body) <= 4 << 20, "it is longer than a record may be")
            need(self.kind <= 7, "it is of an unknown kind")
            last = 0
            while r.left():
                kind, value = r.varint(), r.bytes()
                need(kind > last or kind == last and kind in (14, 46), "attributes are not in order")
                self.attribute(kind, Reader(value))
                self.more += kind == 14 or kind > 23
                need(self.more <= 65536, "it has more attributes than an entry may have")
                last = kind
        except Wrong as why:
            self.refused = str(why)

    def attribute(self, kind, v):
        if kind == 3:
            self.mode = v.varint()
        elif kind == 4:
            self.user = v.varint()
        elif kind == 6:
            self.group = v.varint()
        elif kind == 8:
            self.modified_at = v.time()
        elif kind == 10:
            self.identity = (v.varint(), v.varint(128), v.time())
        elif kind == 12:
            self.hard_linked = True
        elif kind == 14:
            self.xattrs.append((v.bytes(), v.raw(v.left())))
        elif kind == 17:
            self.size = v.varint()
        elif kind == 19:
            self.content = v.raw(v.left())
        elif kind == 21:
            self.link = v.raw(v.left())
        elif kind == 23:
            self.device = (v.varint(), v.varint())
        elif kind == 44:
            block, _, stride = v.varint(), v.varint(), v.varint()
            need(1 <= block <= 8 << 20 and stride >= block, "a disk image's borders break their rule")
        elif kind == 46:
            name = windows_name(v.bytes())
            self.streams.append((name, v.varint(), v.raw(v.left())))
            self.left_off.append(f"alternate stream {name!r}")
        elif kind == 51:
            raise Wrong("its content is encrypted by EFS and can be restored on Windows only")
        else:
            need(kind % 2 == 0 or kind in OTHERS, f"the critical attribute {kind} is not known")
            value = v.raw(v.left())
            if kind == 34:
                windows_name(value)
            self.left_off.append(OTHERS.get(kind, f"attribute of the unknown type {kind}"))
        v.end()


def windows_name(name):
    """Well-formed WTF-8: surrogates pass, but two that mean one character must be its four bytes."""
    try:
        text = name.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        raise Wrong("a name of Windows is not WTF-8") from None
    paired = any(0xD800 <= ord(a) < 0xDC00 <= ord(b) < 0xE000 for a, b in zip(text, text[1:]))
    need(text and not paired and not set(text) & set("/\\:\0"), "a name of Windows breaks its rule")
    return text


def pieces(content, chunks):
    """(length, bytes or None for a hole), in order."""
    r = Reader(content)
    inline = r.u8() == 0
    if inline:
        count = r.count(256)
    else:
        r, count = Reader(b"".join(chunks.stream(r))), None
    after_hole = False
    while r.left() if count is None else count > 0:
        count = None if count is None else count - 1
        length = r.varint()
        need(not (inline and after_hole and length == 0), "a hole follows a hole")
        after_hole = length == 0
        if length == 0:
            yield r.varint(), None
        else:
            yield length, chunks.get(r.raw(32), length)
    r.end()


class Restore:
    def __init__(self, target, chunks):
        self.target, self.chunks, self.links, self.count = os.fsencode(target), chunks, {}, 0

    def component(self, stream):
        path, folders = [], []
        for segment in stream:
            r = Reader(segment)
            opened = [r.bytes() for _ in range(r.count(5000))]
            begin = r.at
            need(opened == [f.name for f, _ in folders], "a segment begins in another folder than the last one ended")
            while r.left():
                need(r.at - begin <= 1 << 20, "a segment is longer than any may be")
                entry = Entry(r.bytes())
                if entry.kind == 0:
                    self.finish(*folders.pop())
                    path.pop()
                    continue
                if entry.refused is not None:
                    self.tell("refused", path, entry, entry.refused)
                    if entry.kind != 2:
                        continue
                else:
                    self.check_streams(entry)
                if entry.refused is None and entry.left_off:
                    self.tell("left off", path, entry, ", ".join(entry.left_off))
                need(entry.name not in (b".", b"..") and not set(entry.name) & {0, 47}, "a name that leads elsewhere")
                need(bool(entry.name) == bool(folders), "only the topmost folder has no name")
                where = b"/".join([self.target, *path[1:], *([entry.name] if folders else [])])
                if entry.kind == 2:
                    if not os.path.isdir(where):
                        os.mkdir(where, 0o700)
                    folders.append((entry, where))
                    path.append(entry.name)
                else:
                    self.make(entry, where)
                    self.count += 1
        need(not folders, "a stream ends inside a folder")

    def tell(self, what, path, entry, why):
        print(f"{what}: {b'/'.join([*path, entry.name])!r}: {why}")

    def check_streams(self, entry):
        """Alternate streams have no place here, but what they hold must be there."""
        for name, size, content in entry.streams:
            need(sum(length for length, _ in pieces(content, self.chunks)) == size, f"stream {name!r} is not whole")

    def make(self, entry, where):
        if entry.hard_linked and entry.identity[:2] in self.links:
            os.link(self.links[entry.identity[:2]], where, follow_symlinks=False)
            return
        if entry.hard_linked:
            self.links[entry.identity[:2]] = where
        if entry.kind == 1:
            with open(where, "xb") as file:
                for length, data in pieces(entry.content, self.chunks):
                    file.seek(length, os.SEEK_CUR) if data is None else file.write(data)
                need(file.tell() == entry.size, "pieces do not add up to the size")
                file.truncate(entry.size)
        elif entry.kind == 3:
            os.symlink(entry.link, where)
        elif entry.kind in (4, 5):
            if os.geteuid() != 0:
                return
            os.mknod(where, 0o600 | (stat.S_IFBLK if entry.kind == 4 else stat.S_IFCHR), os.makedev(*entry.device))
        elif entry.kind == 6:
            os.mkfifo(where)
        else:
            os.mknod(where, 0o600 | stat.S_IFSOCK)
        self.finish(entry, where)

    def finish(self, entry, where):
        if entry.refused is not None:
            return
        if os.geteuid() == 0:
            os.chown(where, entry.user, entry.group, follow_symlinks=False)
        if entry.kind != 3:
            os.chmod(where, entry.mode)
        for name, value in entry.xattrs:
            if os.geteuid() == 0 or name.startswith(b"user."):
                os.setxattr(where, name, value, follow_symlinks=False)
        os.utime(where, ns=(entry.modified_at, entry.modified_at), follow_symlinks=False)


# ---- section 7: recovery points -----------------------------------------------------------------------------------

class Point:
    def __init__(self, data, name):
        need(hash_of(data).hex() == name.split("-")[1], "a point's bytes do not have its hash")
        r = Reader(data)
        r.magic(b"SWPOINT")
        self.vault, self.server, self.item, self.kind = r.raw(16), r.raw(16), r.raw(16), r.u8()
        self.sequence, self.previous, self.epoch, self.agent_time = r.u64(), r.raw(32), r.u32(), r.time()
        need(self.sequence == int(name.split("-")[0]), "a point's name says another place in the chain")
        self.slots = [r.raw(32).hex() for _ in range(r.varint())]
        self.packs = [(r.raw(32).hex(), r.u32()) for _ in range(r.varint())]
        self.header = data[:r.at]
        self.manifest = r.bytes()
        self.message = b"stateward recovery point v1\0" + hash_of(data[:r.at])
        self.signature = r.raw(64)
        r.end()

    def open_manifest(self, keys):
        salt, commitment, sealed = self.manifest[:32], self.manifest[32:64], self.manifest[64:]
        derive = lambda label: hkdf(salt, keys.manifests, f"stateward v1 manifest {label}", keys.context)  # noqa: E731
        need(derive("commitment") == commitment, "the manifest was sealed with another key")
        padded = unseal(derive("key"), 0, self.header, sealed)
        length = int.from_bytes(padded[:8], "little")
        need(padme(8 + length) == len(padded) and not any(padded[8 + length:]), "the manifest's padding is wrong")
        return padded[8:8 + length]


def components(manifest, chunks, domain):
    r = Reader(manifest)
    r.magic(b"SWMANIF")
    label, kind, names = r.text(), r.u8(), r.u8()
    need(names in (0, 1), "names of an unknown kind")
    need(r.raw(16) == domain, "its packs are of another deduplication domain")
    print(f"item {label}, kind {kind}, names {('bytes', 'WTF-8')[names]}, host {r.text()}, {r.text()}, made by {r.text()}")
    r.time(), r.time()
    for _ in range(r.count(1024)):
        name, _, files, others, size = r.text(), r.u8(), r.varint(), r.varint(), r.varint()
        begin = r.at
        r.u8()
        for _ in range(r.varint()):
            r.varint(), r.raw(32)
        print(f"component {name}: {files} files, {others} others, {size} bytes")
        yield chunks.stream(Reader(manifest[begin:r.at]))
    for _ in range(r.count(65536)):
        print(f"warning {r.text()}: {r.bytes()!r}: {r.text()}")
    for _ in range(r.count(1024)):
        print(f"precheck {r.text()}: {r.u8()}: {r.text()}")
    r.end()


# ---- sections 8 and 9: the vault's word -----------------------------------------------------------------------------

STATES, ACTS = ("live", "expired", "soft-deleted", "collected"), {1: (0,), 2: (0, 1), 3: (1, 2), 4: (1, 2)}


def signed(r, key):
    body, signature = r.data[:r.at], r.raw(64)
    r.end()
    if key is not None:
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(signature, body)
        except InvalidSignature:
            raise Wrong("the vault did not sign this") from None


def state_of(root, server, name, key):
    """How the point stands: by its receipt and the tombstone with the highest number."""
    path, state, last = root / "receipts" / id_text(server) / name, "unconfirmed", 0
    expected = (server, int(name.split("-")[0]), name.split("-")[1])
    if path.exists():
        r = Reader(path.read_bytes())
        r.magic(b"SWRECPT")
        r.raw(16)
        need((r.raw(16), r.u64(), r.raw(32).hex()) == expected, "a receipt is another point's")
        r.time()
        signed(r, key)
        state = STATES[0]
    for path in sorted((root / "tombstones" / id_text(server)).glob(name + "-*")):
        r = Reader(path.read_bytes())
        r.magic(b"SWTOMBS")
        r.raw(16)
        need((r.raw(16), r.u64(), r.raw(32).hex()) == expected, "a tombstone is another point's")
        last, (number, act, before) = last + 1, (r.u32(), r.u8(), r.u8())
        need(number == last == int(path.name.rsplit("-", 1)[1]), "a point's tombstones are not numbered one by one")
        need(before in ACTS.get(act, ()), "a tombstone's act cannot follow the state before")
        r.time()
        if act in (1, 2):
            r.time()
        signed(r, key)
        state = STATES[{1: 1, 2: 2, 3: 0, 4: 3}[act]]
    return state


def find_slots(root, server):
    """All slots of one server, whatever it was called when each was made."""
    slots = list(read_slots(root))
    meant = {slot.server for slot in slots if server in (None, slot.label, id_text(slot.server))}
    need(len(meant) == 1, "there is no such server, or there are several")
    return [slot for slot in slots if slot.server in meant]


def read_slots(root):
    for path in sorted((root / "keys").glob("*/*/*")):
        data = path.read_bytes()
        need(hash_of(data).hex() == path.name, "a slot's bytes do not have its hash")
        yield Slot(data)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--store", type=Path, required=True)
    ap.add_argument("--passphrase-file", type=Path)
    ap.add_argument("--recovery-code-file", type=Path)
    ap.add_argument("--server")
    ap.add_argument("--point")
    ap.add_argument("--vault-key", type=bytes.fromhex, help="the vault's public key, to check what it signed")
    ap.add_argument("--target", type=Path, required=True)
    args = ap.parse_args()
    passphrase = code = None
    if args.passphrase_file:
        text = args.passphrase_file.read_text("utf-8").removesuffix("\n")
        passphrase = unicodedata.normalize("NFC", text).encode()
    if args.recovery_code_file:
        code = parse_recovery_code(args.recovery_code_file.read_text("utf-8"))
    store = args.store / "store" if (args.store / "store").is_dir() else args.store
    root, = (store / "vaults").iterdir()
    opened = [(slot, slot.open(passphrase, code)) for slot in find_slots(root, args.server)]
    opened = [(slot, key) for slot, key in opened if key is not None]
    need(opened, "no key slot opens with this secret")
    points = root / "points" / id_text(opened[0][0].server)
    names = sorted(p.name for p in points.iterdir())
    names = [n for n in names if args.point is None or n.split("-")[1].startswith(args.point)]
    need(names, "there is no such recovery point")
    point = Point((points / names[-1]).read_bytes(), names[-1])
    opened = [(slot, key) for slot, key in opened if slot.epoch == point.epoch]
    need(opened, "the secret opens no key slot of the point's epoch")
    slot, data_key = opened[0]
    need((point.vault, point.server) == (slot.vault, slot.server), "the point is another's")
    try:
        Ed25519PublicKey.from_public_bytes(slot.public).verify(point.signature, point.message)
    except InvalidSignature:
        raise Wrong("the point was not signed by this server") from None
    print(f"point {names[-1]} is {state_of(root, slot.server, names[-1], args.vault_key)}")
    keys = Keys(data_key, slot.vault, slot.domain, slot.epoch)
    chunks = Chunks(root, point.packs, keys)
    args.target.mkdir(parents=True, exist_ok=True)
    restore = Restore(args.target, chunks)
    for stream in components(point.open_manifest(keys), chunks, slot.domain):
        restore.component(stream)
    print(f"{restore.count} entries restored from {len(point.packs)} packs")


if __name__ == "__main__":
    try:
        main()
    except Wrong as error:
        sys.exit(f"Error: {error}")
