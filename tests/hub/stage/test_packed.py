"""What is packed is searched, or told of; nothing leaves unsearched in silence."""

import bz2
import gzip
import io
import lzma
import struct
import zipfile
import zlib

import pyarrow as pa
import pytest

from doctobert_hf.hub.stage.packed import PackedError, is_packed, unpacked
from doctobert_hf.hub.stage.preflight import check_folder
from doctobert_hf.hub.stage.statistics import Statistics

# Put together here, so that no scanner takes this file for a leak.
TOKEN = "ghp_" + "a1B2c3D4e5F6g7H8i9J0" + "k1L2m3N4o5P6q7R8"
LINE = f"accès : {TOKEN}\n".encode()


def zipped(*members):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, content in enumerate(members):
            archive.writestr(f"{number}.txt", content)
    return stream.getvalue()


def pdf(drawn):
    stream = zlib.compress(drawn)
    return b"%PDF-1.4\n1 0 obj\n<</Filter/FlateDecode>>\nstream\n" + stream + b"\nendstream\n"


def png(text):
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + b"\0\0\0\0"

    return b"\x89PNG\r\n\x1a\n" + chunk(b"zTXt", b"Comment\0\0" + zlib.compress(text))


half = len(TOKEN) // 2
PACKED = {
    "notes.gz": gzip.compress(LINE),
    "NOTICE": gzip.compress(LINE),
    "notes.bz2": bz2.compress(LINE),
    "notes.xz": lzma.compress(LINE),
    "archive": zipped(b"rien", LINE),
    "twice.zip": zipped(gzip.compress(LINE)),
    "figure.png": png(LINE),
    "paper.pdf": pdf(b"BT (" + TOKEN.encode() + b") Tj ET"),
    "kerned.pdf": pdf(f"BT [({TOKEN[:half]}) -20 ({TOKEN[half:]})] TJ ET".encode()),
    "hex.pdf": pdf(b"BT <" + TOKEN.encode().hex().encode() + b"> Tj ET"),
    "windows.txt": LINE.decode().encode("utf-16-le"),
    "wide.txt": LINE.decode().encode("utf-16-be"),
}


@pytest.mark.parametrize("name", PACKED)
def test_a_secret_in_what_is_packed(tmp_path, name):
    (tmp_path / "README.md").write_text("---\nlicense: mit\n---\n\n# It\n")
    (tmp_path / name).write_bytes(PACKED[name])
    found = check_folder(tmp_path, "model")
    assert [finding.file for finding in found] == [name], found
    assert "GitHub" in found[0].what and TOKEN not in str(found[0])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"7z\xbc\xaf\x27\x1c" + bytes(80), "7z"),
        (b"\x28\xb5\x2f\xfd" + bytes(80), "zstd"),
        (gzip.compress(LINE * 9)[:-9], "EOFError"),
        (zipped(LINE)[:-30], "BadZipFile"),
    ],
    ids=["7z", "zstd", "gz", "zip"],
)
def test_what_cannot_be_unpacked_is_told_of(tmp_path, content, said):
    (tmp_path / "README.md").write_text("---\nlicense: mit\n---\n\n# It\n")
    (tmp_path / "more").write_bytes(content)
    (finding,) = check_folder(tmp_path, "model")
    assert "cannot be searched" in finding.what and said in finding.what


def test_a_bomb_is_not_unpacked():
    from doctobert_hf.hub.stage import packed

    with pytest.raises(PackedError, match="more than"):
        list(unpacked(gzip.compress(bytes(packed.MOST + 1))))


@pytest.mark.parametrize(
    "content",
    [b"plain text", b"", b"\x00\x01\x02\x03" * 30, "été\n".encode() * 40],
    ids=["text", "nothing", "numbers", "accents"],
)
def test_what_is_not_packed(content):
    assert not is_packed(content[:64]) and list(unpacked(content)) == []


@pytest.mark.parametrize("name", ["notes.gz", "paper.pdf", "windows.txt"])
def test_packed_values_of_a_column(name):
    plain = {"id": "a", "file": {"bytes": b"rien"}}
    table = pa.Table.from_pylist([plain, {"id": "b", "file": {"bytes": PACKED[name]}}])
    counts = Statistics()
    counts.add(table)
    (found,) = counts.secrets.values()
    assert (found["column"], found["first"], "GitHub" in found["kind"]) == ("file", 1, True)


def test_what_is_packed_too_often_is_told_of():
    content = LINE
    for _ in range(5):
        content = gzip.compress(content)
    with pytest.raises(PackedError, match="more than 3 times"):
        list(unpacked(content))


def test_digests_that_begin_as_gzip_does_are_no_packed_values():
    table = pa.table({"digest": [b"\x1f\x8b" + bytes(range(30)), bytes(32)]})
    counts = Statistics()
    counts.add(table)
    assert not counts.secrets
