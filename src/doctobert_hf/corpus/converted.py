"""Text of documents that are not plain text: Markdown, HTML, PDF and office files.

Markdown is text already. The others go through Microsoft's ``markitdown``, which keeps headings,
lists and tables as Markdown; a page that is only a picture has no text, and is reported.
"""

from __future__ import annotations

import codecs
import importlib.util
import io
import zipfile
from pathlib import Path

from doctobert_hf.errors import DataError, UsageError

_HTML = (".html", ".htm")
_CONVERTERS = {
    ".html": "HtmlConverter",
    ".htm": "HtmlConverter",
    ".pdf": "PdfConverter",
    ".docx": "DocxConverter",
    ".pptx": "PptxConverter",
    ".xlsx": "XlsxConverter",
    ".epub": "EpubConverter",
}


def is_markdown(path: Path) -> bool:
    """Return whether a file is Markdown, which needs no conversion."""
    return path.suffix.lower() in (".md", ".markdown")


def convert(path: Path) -> str:
    """Return the text of an HTML, PDF or office file as Markdown.

    Raises:
        UsageError: ``markitdown`` is not installed.
        DataError: The file cannot be read, or holds no text (a scanned page, say).
    """
    if importlib.util.find_spec("markitdown") is None:
        raise UsageError(
            f"'{path}' needs markitdown to be read",
            "it installed",
            "Install it: pip install 'doctobert-hf[documents]', or convert the file to .txt",
        )
    _check_kind(path)
    import logging

    logging.getLogger("pdfminer").setLevel(logging.ERROR)  # it tells of every odd font
    html = _html(path) if path.suffix.lower() in _HTML else None
    try:
        text = _converted(path, html)
    except Exception as error:  # each format's library has errors of its own
        reason = " ".join(str(error).split())
        raise DataError(
            f"'{path}' cannot be converted ({type(error).__name__}: {reason:.200})",
            "a whole file of its kind",
            "Convert it to .txt by other means, or move it away",
        ) from error
    if not text.strip():
        raise DataError(
            f"'{path}' holds no text", "text", "A scan needs optical character recognition first"
        )
    return text


def _converted(path: Path, html: str | None) -> str:
    """Convert by the one converter of the ending.

    With the others, a damaged file would be read as plain text, or as the archive that it is.
    """
    from markitdown import MarkItDown, StreamInfo, converters

    ending = path.suffix.lower()
    reader = MarkItDown(enable_builtins=False, enable_plugins=False)
    reader.register_converter(getattr(converters, _CONVERTERS[ending])())
    content = path.read_bytes() if html is None else html.encode("utf-8")
    about = StreamInfo(extension=ending, charset="utf-8" if html is not None else None)
    return reader.convert_stream(io.BytesIO(content), stream_info=about).text_content


def _html(path: Path) -> str:
    """Decode a page: UTF-8 if it is that, else as it says, as browsers understand it.

    They read ISO-8859-1 as Windows-1252, which has the letter œ.

    Raises:
        DataError: It is not what it says, or says nothing.
    """
    from bs4.dammit import EncodingDetector

    content = path.read_bytes()
    marks = {
        codecs.BOM_UTF8: "utf-8-sig",
        codecs.BOM_UTF16_LE: "utf-16",
        codecs.BOM_UTF16_BE: "utf-16",
    }
    encoding = next((name for mark, name in marks.items() if content.startswith(mark)), "utf-8")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        reason = f"byte 0x{content[error.start]:02x} is not {encoding}"
    declared = EncodingDetector.find_declared_encoding(content, is_html=True)
    try:
        name = codecs.lookup(declared).name if declared else None
        if name is not None and name != "utf-8":
            return content.decode("cp1252" if name in ("iso8859-1", "ascii") else name)
    except (LookupError, UnicodeDecodeError):
        reason += f", and it is not {declared} either, as it says"
    raise DataError(
        f"'{path}': {reason}",
        "a page in UTF-8, or in what it says",
        f"Convert it: iconv -f windows-1252 -t utf-8 '{path.name}' > fixed",
    )


def _check_kind(path: Path) -> None:
    """Refuse a file whose content is not what its ending says: it would be read as plain text."""
    ending = path.suffix.lower()
    with path.open("rb") as file:
        begins = file.read(1024)
    if ending == ".pdf":
        right = b"%PDF" in begins
    else:
        right = ending in _HTML or zipfile.is_zipfile(path)
    if not right:
        raise DataError(
            f"'{path}' cannot be converted: it is no {ending} file",
            "a whole file of its kind",
            "Convert it to .txt by other means, or move it away",
        )
