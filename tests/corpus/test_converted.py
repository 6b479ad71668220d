"""Documents of other formats: by their own converter only, and with every letter."""

import zipfile

import pytest

pytest.importorskip("markitdown")

from doctobert_hf.corpus.converted import convert
from doctobert_hf.errors import DataError

TEXT = "Œdème aigu du poumon, fièvre élevée."


def page(text, charset=None):
    meta = f'<meta charset="{charset}">' if charset else ""
    return f"<html><head>{meta}</head><body><p>{text}</p></body></html>"


@pytest.mark.parametrize(
    "encoding, says",
    [
        ("utf-8", None),
        ("utf-8", "iso-8859-1"),
        ("utf-8-sig", None),
        ("utf-16", None),
        ("cp1252", "windows-1252"),
        ("cp1252", "iso-8859-1"),  # what French pages say, and browsers read as Windows-1252
        ("iso-8859-15", "iso-8859-15"),
    ],
)
def test_a_page_keeps_every_letter(tmp_path, encoding, says):
    path = tmp_path / "été.html"
    path.write_bytes(page(TEXT, says).encode(encoding))
    assert convert(path) == TEXT


@pytest.mark.parametrize("says", [None, "utf-8", "unheard-of"])
def test_a_page_that_does_not_say_what_it_is_is_refused(tmp_path, says):
    path = tmp_path / "été.html"
    path.write_bytes(page(TEXT, says).encode("cp1252"))
    with pytest.raises(DataError, match="byte 0x8c is not utf-8.*iconv"):
        convert(path)


def test_damaged_files_are_not_read_as_something_else(tmp_path):
    pdf = tmp_path / "a.pdf"
    pdf.write_bytes(b"%PDF-1.4 nothing of a document")
    with pytest.raises(DataError, match="a.pdf' cannot be converted"):
        convert(pdf)
    for name in ("b.docx", "b.xlsx", "b.pptx", "b.epub"):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr("notes.txt", "Un texte que personne n'a mis dans un document.")
        with pytest.raises(DataError, match=f"{name}' cannot be converted"):
            convert(tmp_path / name)
