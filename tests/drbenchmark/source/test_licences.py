"""Licence texts that came with a corpus."""

import zipfile

from doctobert_hf.drbenchmark.source.archives import open_archive
from doctobert_hf.drbenchmark.source.folder import RawFolder, open_folder
from doctobert_hf.drbenchmark.source.licences import licence_texts


def test_of_an_archive_the_nearest_above_the_files(tmp_path):
    with zipfile.ZipFile(tmp_path / "corpus.zip", "w") as archive:
        archive.writestr("Corpus-1/LICENSE", "GNU GENERAL PUBLIC LICENSE")
        archive.writestr("Corpus-1/README.md", "x")
        archive.writestr("Corpus-1/French/text/a.xml", "x")
    store = open_archive(tmp_path / "corpus.zip")
    texts = {"LICENSE": b"GNU GENERAL PUBLIC LICENSE"}
    assert licence_texts(RawFolder(store, "Corpus-1/French/text")) == texts
    assert licence_texts(RawFolder(store, "Corpus-1")) == texts
    assert licence_texts(RawFolder(store, "")) == {}


def test_of_a_folder_its_own_and_no_link(tmp_path):
    (tmp_path / "above").mkdir()
    (tmp_path / "LICENSE").write_text("of another thing")
    assert licence_texts(open_folder(tmp_path / "above")) == {}
    for name in ("COPYING", "license-gpl-3.0.txt", "licensed.py", "notice.pdf"):
        (tmp_path / "above" / name).write_text(name)
    (tmp_path / "above" / "LICENSE").symlink_to(tmp_path / "LICENSE")
    assert sorted(licence_texts(open_folder(tmp_path / "above"))) == [
        "COPYING",
        "license-gpl-3.0.txt",
    ]
