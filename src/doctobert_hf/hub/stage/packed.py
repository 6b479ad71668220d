"""What is packed inside a file: archives, compressed streams of PDF and PNG, text in UTF-16.

A search of the raw bytes finds nothing there. What can be unpacked is searched; what cannot is told
of, so that nobody takes it for searched.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator

MOST = 1 << 28
"""Bytes that one file may unpack to: beyond, it is not searched, and said so."""
_DEPTH = 3
_PNG = b"\x89PNG\r\n\x1a\n"
_UNREAD = {
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!\x1a\x07": "rar",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x04\x22\x4d\x18": "lz4",
}


class PackedError(ValueError):
    """Raised where packed content cannot be read: it says what it is."""


def is_packed(head: bytes) -> bool:
    """Return whether what begins so is packed, or text of two bytes a letter."""
    return head.startswith((*_READERS, *_UNREAD)) or _utf16(head) is not None


def unpacked(content: bytes, depth: int = _DEPTH) -> Iterator[bytes]:
    """Yield what is packed in some bytes, and what is packed in that.

    Args:
        content: A whole file, or a value.
        depth: How many times.

    Raises:
        PackedError: It is a format that is not read here, damaged, encrypted or too large.

    Example:
        >>> [part for part in unpacked(gzip.compress(b"mot de passe"))]
        [b'mot de passe']
    """
    for mark, name in _UNREAD.items():
        if content.startswith(mark):
            raise PackedError(name)
    encoding = _utf16(content)
    if encoding is not None:
        yield content.decode(encoding, "replace").encode()
        return
    for magic, parts in _READERS.items():
        if content.startswith(magic):
            try:
                for part in parts(content):
                    yield part
                    if is_packed(part[:64]):
                        if depth < 2:
                            raise PackedError(f"packed more than {_DEPTH} times")
                        yield from unpacked(part, depth - 1)
            except (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile,
                    RuntimeError, NotImplementedError) as error:  # fmt: skip
                raise PackedError(f"{type(error).__name__}: {error}") from error
            return


def _utf16(head: bytes) -> str | None:
    """Return the order of bytes of a text in UTF-16 that does not say so; its letters are Latin."""
    head = head[:64]
    if len(head) < 8 or head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return None
    even, odd = head[0::2], head[1::2]
    pairs = len(odd)
    for zeros, letters, name in ((odd, even, "utf-16-le"), (even, odd, "utf-16-be")):
        if zeros.count(0) >= 0.9 * pairs and sum(31 < c < 127 for c in letters) >= 0.8 * pairs:
            return name
    return None


def _whole(open_packed: Callable[[io.BytesIO], io.IOBase]) -> Callable[[bytes], Iterator[bytes]]:
    def parts(content: bytes) -> Iterator[bytes]:
        found = open_packed(io.BytesIO(content)).read(MOST + 1)  # type: ignore[attr-defined]
        if len(found) > MOST:
            raise PackedError(f"more than {MOST >> 20} MB")
        yield found

    return parts


def _members(content: bytes) -> Iterator[bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if sum(member.file_size for member in archive.infolist()) > MOST:
            raise PackedError(f"more than {MOST >> 20} MB")
        for member in archive.infolist():
            yield member.filename.encode("utf-8", "replace")
            if not member.is_dir():
                yield archive.read(member)


_STREAM = re.compile(rb"stream\r?\n")
_SHOWN = re.compile(rb"\(((?:[^()\\]|\\.)*)\)|<([0-9a-fA-F\s]+)>")


def _streams(content: bytes) -> Iterator[bytes]:
    """Yield the streams of a PDF, each as it is and as the text that it draws."""
    whole, total = memoryview(content), 0
    for match in _STREAM.finditer(content):
        unpack = zlib.decompressobj()
        try:
            found = unpack.decompress(whole[match.end() :], MOST)
        except zlib.error:  # a picture, or not packed: it was searched as it is
            continue
        total += len(found)
        if total >= MOST:
            raise PackedError(f"more than {MOST >> 20} MB")
        yield found
        yield b"".join(_drawn(found))


def _drawn(stream: bytes) -> Iterator[bytes]:
    """Yield the pieces of text that a stream draws: "[(gh) -20 (p_)] TJ" is one word."""
    last = 0
    for match in _SHOWN.finditer(stream):
        if b"T" in stream[last : match.start()]:  # another line begins
            yield b"\n"
        digits = b"".join((match[2] or b"").split())
        letters = bytes.fromhex(digits[: len(digits) // 2 * 2].decode()) if digits else match[1]
        yield (letters or b"").replace(b"\x00", b"")
        last = match.end()


def _chunks(content: bytes) -> Iterator[bytes]:
    """Yield the compressed texts of a PNG."""
    at = len(_PNG)
    while at + 8 <= len(content):
        size, kind = int.from_bytes(content[at : at + 4], "big"), content[at + 4 : at + 8]
        body = content[at + 8 : at + 8 + size]
        if kind in (b"zTXt", b"iTXt"):
            for place in range(len(body)):
                if body[place : place + 1] == b"x":  # zlib's first byte
                    try:
                        unpack = zlib.decompressobj()
                        found = unpack.decompress(body[place:], MOST)
                    except zlib.error:
                        continue
                    if unpack.unconsumed_tail:
                        raise PackedError(f"more than {MOST >> 20} MB")
                    yield found
                    break
        at += 12 + size


_READERS: dict[bytes, Callable[[bytes], Iterator[bytes]]] = {
    b"\x1f\x8b\x08": _whole(lambda raw: gzip.GzipFile(fileobj=raw)),
    b"BZh": _whole(bz2.BZ2File),
    b"\xfd7zXZ\x00": _whole(lzma.LZMAFile),
    b"PK\x03\x04": _members,
    b"%PDF": _streams,
    _PNG: _chunks,
}
