"""Raw corpora where users have them: a folder of corpora, an archive, or an unpacked corpus."""

from doctobert_hf.drbenchmark.source.archives import open_archive, open_zip
from doctobert_hf.drbenchmark.source.folder import RawFolder, open_folder, text_lines
from doctobert_hf.drbenchmark.source.search import find_corpus, how_to_obtain

__all__ = [
    "RawFolder",
    "find_corpus",
    "how_to_obtain",
    "open_archive",
    "open_folder",
    "open_zip",
    "text_lines",
]
