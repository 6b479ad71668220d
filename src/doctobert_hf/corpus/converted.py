"""Text of documents that are not plain text: Markdown, HTML, PDF and office files.

Markdown is text already. The others go through Microsoft's ``markitdown``, which keeps headings,
lists and tables as Markdown; a page that is only a picture has no text, and is told of.
"""

from __future__ import annotations

import importlib.util
import zipfile
from pathlib import Path

from doctobert_hf.errors import DataError, UsageError


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

    from markitdown import MarkItDown

    logging.getLogger("pdfminer").setLevel(logging.ERROR)  # it tells of every odd font
    try:
        text = MarkItDown(enable_plugins=False).convert_local(str(path)).text_content
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


def _check_kind(path: Path) -> None:
    """Refuse a file whose content is not what its ending says: it would be read as plain text."""
    ending = path.suffix.lower()
    with path.open("rb") as file:
        begins = file.read(1024)
    if ending == ".pdf":
        right = b"%PDF" in begins
    else:
        right = ending in (".html", ".htm") or zipfile.is_zipfile(path)
    if not right:
        raise DataError(
            f"'{path}' cannot be converted: it is no {ending} file",
            "a whole file of its kind",
            "Convert it to .txt by other means, or move it away",
        )
