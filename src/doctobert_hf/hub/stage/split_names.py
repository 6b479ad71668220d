"""Which configuration and split a file belongs to, by its name, as Datasets reads names."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

from doctobert_hf.corpus.files import SPLIT_WORDS
from doctobert_hf.errors import UsageError

SPLITS = {word: split for split, words in SPLIT_WORDS.items() for word in words}
SPLITS |= {"held_out": "held_out"}
"""Names of splits, as Datasets knows them, in lower case."""
_WORDS = "|".join(sorted(SPLITS, key=len, reverse=True))
_NAME = re.compile(rf"({_WORDS})(?:[-_. ](.+))?", re.IGNORECASE)
_NAME_LAST = re.compile(rf"(.+)[-_. ]({_WORDS})", re.IGNORECASE)
_WITHIN = re.compile(
    r"(?<![a-z])(train|test|val|valid|validation|eval|dev|held[-_ ]?out|hold[-_ ]?out|"
    r"apprentissage|entra[iî]nement|[ée]valuation)(?:data|set|file|split|rows|s)?(?![a-z])",
    re.IGNORECASE,
)
"""A word in a name that may mean a split without saying it: ``testdata``, ``a_test_b``."""
_GLUED = re.compile(
    r"(.*[a-zà-ÿ])(train|test|valid(?:ation)?|eval|dev|heldout|holdout)", re.IGNORECASE
)
"""The same at the end of a longer word: ``mytest`` beside ``mytrain``, not ``latest``."""
TRAINED_ON = {"train", "apprentissage", "entrainement", "entraînement"}
_SHARD = re.compile(r"[-_.]?\d+(?:-of-\d+)?$")


def config_and_split(file: Path) -> tuple[str, str]:
    """``fineweb-2/train-00001.parquet`` -> ``("fineweb-2", "train")``."""
    folders, split = parts_of(file)
    return "-".join(folders), split or "train"


def parts_of(file: Path) -> tuple[tuple[str, ...], str | None]:
    """Return the folders that name a configuration, and the split; None where none is named."""
    folders = list(file.parts[:-1])
    stem = _SHARD.sub("", file.stem)
    found = _NAME.fullmatch(stem)
    if found:
        return (*folders, *([found[2]] if found[2] else [])), SPLITS[found[1].lower()]
    if found := _NAME_LAST.fullmatch(stem):  # Datasets reads 'notes_test' as test, too
        return (*folders, found[1]), SPLITS[found[2].lower()]
    if folders and folders[-1].lower() in SPLITS:
        split = SPLITS[folders.pop().lower()]
        return tuple(folders), split
    return tuple(folders), None


def hint(file: Path, files: list[Path]) -> str | None:
    """Return the word by which a file may be of a split that its name does not say."""
    stem = unicodedata.normalize("NFC", _SHARD.sub("", file.stem))
    if within := _WITHIN.search(stem):
        return within[1].lower()
    glued = _GLUED.fullmatch(stem)
    if glued is None:
        return None
    others = (_GLUED.fullmatch(_SHARD.sub("", other.stem)) for other in files)
    beside = {o[2].lower() for o in others if o and o[1].lower() == glued[1].lower()}
    return glued[2].lower() if len(beside) > 1 else None


def refuse_two_splits(file: Path) -> None:
    """Refuse ``dev_test``: a part of ``dev`` or of ``test``, and Datasets would read both.

    Raises:
        UsageError: With the file.
    """
    stem = _SHARD.sub("", file.stem)
    first, last = _NAME.fullmatch(stem), _NAME_LAST.fullmatch(stem)
    if first and last and SPLITS[first[1].lower()] != SPLITS[last[2].lower()]:
        raise UsageError(
            f"'{file.as_posix()}' names two splits, '{first[1]}' and '{last[2]}'",
            "every file named after its split",
            "Name it train-..., validation-... or test-..., or put it into a folder of its own",
        )
