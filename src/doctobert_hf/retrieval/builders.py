"""Pairs from French medical corpora and from the user's own files."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from doctobert_hf.errors import DataError, UsageError, nearest
from doctobert_hf.retrieval.pair_files import beir_sets, is_beir, read_pairs
from doctobert_hf.retrieval.pairs import (
    Pair,
    PairSet,
    PairSplits,
    normalized,
    refuse_leakage,
    text_id,
    without_leaked,
)

if TYPE_CHECKING:
    from doctobert_hf.retrieval.recipe import RetrievalConfig

CORPORA = ("labforsims2", "frenchmedmcqa")
LABFORSIMS2_FILES = tuple(f"single/{name}.txt" for name in ("doctor", "patient", "d_p"))
_HELD_OUT = 0.1  # of the questions, each for validation and for test, where nobody split them


def load_splits(config: RetrievalConfig) -> PairSplits:
    """Load a recipe's pairs, split, with no question of a held-out part in training.

    Raises:
        UsageError: Data that is neither a known corpus nor a file.
        DataError: Pairs that cannot be used, or questions in two parts (``leaked_questions``).

    Example:
        >>> from doctobert_hf.retrieval import RetrievalConfig
        >>> train, validation, test = load_splits(RetrievalConfig("encoder", data="asked.jsonl"))
        >>> len(train.pairs()), len(validation.pairs()), len(test.pairs())
        (32, 4, 4)
    """
    if config.data == "labforsims2":
        pairs = list(labforsims2_pairs(find_pair_corpus(config.data_dir, config.data)))
        splits = split_pairs(config.data, pairs, config.split)
    elif config.data == "frenchmedmcqa":
        splits = frenchmedmcqa_splits(config.data_dir)
    elif Path(config.data).exists():
        splits = _own_splits(Path(config.data), config)
    else:
        raise UsageError(
            f"No data '{config.data}'",
            "a file or folder of pairs, or the name of a corpus",
            nearest(config.data, list(CORPORA)),
        )
    train, validation, test = splits
    if config.leaked_questions == "drop":
        train = without_leaked(without_leaked(train, test), validation)
        validation = without_leaked(validation, test)
    for held_out in (validation, test):
        refuse_leakage(train, held_out)
    return PairSplits(train, validation, test)


def load_test(config: RetrievalConfig) -> PairSet:
    """Load only what is measured: a corpus's test part, or all of a file.

    Of a file whose rows say their ``split``, the rows of ``test``.
    """
    place = Path(config.data)
    if config.data in CORPORA or not place.exists():
        return load_splits(config).test
    if is_beir(place):
        return beir_sets(place, distractors(config)).get("test") or load_splits(config).test
    if place.is_dir() and _split_files(place):
        return load_splits(config).test
    pairs = list(read_pairs(place, config.format, config.text_column))
    if any(pair.split for pair in pairs):
        return load_splits(config).test
    return PairSet.from_pairs(place.stem, pairs, distractors(config))


def distractors(config: RetrievalConfig) -> list[str]:
    """Return the further texts of a recipe that a search has to pass over."""
    from doctobert_hf.corpus import iter_texts

    if config.distractors is None:
        return []
    return [t for t in iter_texts(config.distractors, config.text_column) if t.strip()]


def _own_splits(place: Path, config: RetrievalConfig) -> PairSplits:
    """Split a user's pairs: as their files or folders say, as their rows say, or by a hash."""
    if is_beir(place):
        return beir_splits(place, distractors(config))
    files = _split_files(place) if place.is_dir() else {}
    if not files:
        pairs = list(read_pairs(place, config.format, config.text_column))
        return split_pairs(place.stem, pairs, config.split, distractors(config))
    pairs = [
        _in_split(pair, split, path.relative_to(place))
        for split, paths in files.items()
        for path in paths
        for pair in read_pairs(path, config.format, config.text_column)
    ]
    return split_pairs(place.name, pairs, config.split, distractors(config))


def _in_split(pair: Pair, split: str, path: Path) -> Pair:
    """Put a pair into the split its file is named after; ids count within the file."""
    from doctobert_hf.corpus.files import split_of

    if pair.split and split_of(pair.split) not in (None, split):
        raise DataError(
            f"'{path}', pair {pair.id}: the row's split is '{pair.split}'",
            f"'{split}', after which the file is named, or no column 'split'",
        )
    return pair._replace(split=split, id=pair.id and f"{path} {pair.id}")


def _split_files(folder: Path) -> dict[str, list[Path]]:
    """Return a folder's files by the split each is named after; none where none is.

    They may lie in one folder more, as on the Hub: ``data/train-00000-of-00002.parquet``.

    Raises:
        DataError: Some are named after splits and others are not, or a split is missing.
    """
    from doctobert_hf.corpus import list_files
    from doctobert_hf.corpus.files import split_of

    found: dict[str, list[Path]] = {}
    loose = []
    files = list_files(folder)
    parts = [path.relative_to(folder).parts for path in files]
    while len({names[0] for names in parts}) == 1 and len(parts[0]) > 1:
        if split_of(parts[0][0]):
            break
        parts = [names[1:] for names in parts]
    for path, names in zip(files, parts, strict=True):
        split = split_of(names[0].split(".")[0])
        if split is None:
            loose.append(path.relative_to(folder))
        else:
            found.setdefault(split, []).append(path)
    if not found:
        return {}
    lacking = [name for name in ("train", "validation", "test") if name not in found]
    if loose or lacking:
        what = f"beside its splits '{loose[0]}'" if loose else f"no {' and no '.join(lacking)}"
        raise DataError(
            f"'{folder}' has {what}",
            "files or folders named train, validation (or dev) and test, or none of these",
            "Move what is no split elsewhere, or put all pairs into one file to have them split",
        )
    return found


def labforsims2_pairs(source: Path) -> Iterator[Pair]:
    """Yield the doctor's question and the virtual patient's answer of LabForSims2.

    Args:
        source: The archive of the corpus, or its folder, with ``single/doctor.txt``,
            ``single/patient.txt`` and ``single/d_p.txt``.

    Raises:
        DataError: A file is missing, or a line is not ``ID +++ text``.
    """
    questions, answers, both = (_labelled(source, name) for name in LABFORSIMS2_FILES)
    for asked, answered in both.items():
        if asked not in questions or answered not in answers:
            raise DataError(
                f"single/d_p.txt pairs '{asked}' with '{answered}'",
                "ids of doctor.txt and patient.txt",
            )
        yield Pair(questions[asked], (answers[answered],))


def frenchmedmcqa_splits(data_dir: Path | None) -> PairSplits:
    """FrenchMedMCQA: from the question to its right options, the wrong ones as hard negatives.

    The official split; each part is searched among its own options. Questions without a right
    option are left out and counted.
    """
    from datasets import load_dataset

    import doctobert_hf

    doctobert_hf.register()
    place = str(data_dir) if data_dir else None
    dataset = load_dataset("doctobert_hf/drbenchmark", "frenchmedmcqa_mcqa", data_dir=place)
    made = []
    for split in ("train", "validation", "test"):
        rows = [row for row in dataset[split] if row["correct_answers"]]
        parts = PairSet.from_pairs(f"frenchmedmcqa {split}", map(_options, rows))
        left = len(dataset[split]) - len(rows)
        if left:
            parts.notes.append(f"{parts.name}: {left:,} questions without a right option left out")
        made.append(parts)
    return PairSplits(*made)


def _options(row: dict[str, Any]) -> Pair:
    texts = [row[f"answer_{letter}"] for letter in "abcde"]
    right = set(row["correct_answers"])
    return Pair(
        row["question"],
        tuple(text for number, text in enumerate(texts) if number in right and text),
        tuple(text for number, text in enumerate(texts) if number not in right and text),
    )


def beir_splits(place: Path, further: Iterable[str] = ()) -> PairSplits:
    """Return the splits of a folder in BEIR's layout.

    Where there is no ``dev``, a tenth of the training questions is held out for validation.

    Args:
        place: The folder.
        further: Texts beside its corpus to search among.

    Raises:
        DataError: No ``train``, or no ``test``.
    """
    sets = beir_sets(place, further)
    if lacking := [name for name in ("train", "test") if name not in sets]:
        raise DataError(
            f"'{place}' has no qrels/{lacking[0]}.tsv", "qrels of train and test, perhaps of dev"
        )
    train = sets["train"]
    if "validation" not in sets:
        groups = _by_text(train)
        parts = _dealt_split(len(train.queries), groups)
        name = f"{place.name} validation"
        sets["validation"] = train.subset([*parts["validation"], *parts["test"]], name, True)
        train = train.subset(parts["train"], train.name, False)
    own = train.subset(train.queries, train.name, False)
    return PairSplits(own, sets["validation"], sets["test"])


def split_pairs(
    name: str,
    pairs: list[Pair],
    how: Literal["question", "document"] = "question",
    documents: Iterable[str] = (),
) -> PairSplits:
    """Split pairs into train, validation and test, the same way on every machine.

    Pairs that say their ``split`` (train, validation, test) are taken at their word. Others are
    dealt by a hash: a tenth of the questions each to validation and test.

    Args:
        name: Name of the source.
        pairs: All pairs.
        how: ``question``: held-out questions are new, the documents they lead to may be known from
            training, as in a bank of answers. ``document``: neither is known: questions that share
            a document, directly or through others, stay together.
        documents: Further texts to search among, in validation and test.

    Returns:
        The splits; validation and test search all documents.

    Example:
        >>> pairs = [Pair(f"question {i}", (f"réponse {i}",)) for i in range(30)]
        >>> splits = split_pairs("mine", pairs)
        >>> len(splits.train.queries) + len(splits.validation.queries) + len(splits.test.queries)
        30
    """
    whole = PairSet.from_pairs(name, pairs, documents)
    if any(pair.split for pair in pairs):
        parts = _told_split(name, whole, pairs)
    else:
        groups: Iterable[list[str]] = _by_text(whole) if how == "question" else _connected(whole)
        parts = _dealt_split(len(whole.queries), groups)
    splits = PairSplits(
        *(
            whole.subset(parts[split], f"{name} {split}", split != "train")
            for split in ("train", "validation", "test")
        )
    )
    for part in splits:
        if not part.queries:
            raise DataError(
                f"{name} has {len(whole.queries):,} questions, none of them for {part.name}",
                "some for training, validation and test",
                "Give more pairs, or a column 'split' that names each part (or none at all)",
            )
    splits.train.notes = whole.notes
    return splits


def _told_split(name: str, whole: PairSet, pairs: list[Pair]) -> dict[str, list[str]]:
    parts: dict[str, list[str]] = {"train": [], "validation": [], "test": []}
    for pair in pairs:
        if pair.split not in parts:
            raise DataError(
                f"{name}: a pair's split is {pair.split!r}",
                "train, validation or test on every row",
            )
        parts[pair.split].append(text_id("q", pair.query))
    return parts


def _dealt_split(total: int, groups: Iterable[list[str]]) -> dict[str, list[str]]:
    """Deal whole groups, in the order of their hashes, until validation and test are full."""
    parts: dict[str, list[str]] = {"test": [], "validation": [], "train": []}
    wanted = max(1, round(total * _HELD_OUT))
    ordered = sorted(groups, key=lambda group: hashlib.sha256(min(group).encode()).digest())
    for group in ordered:
        for split in ("test", "validation"):
            if len(parts[split]) < wanted and len(group) <= wanted - len(parts[split]):
                parts[split] += group
                break
        else:
            parts["train"] += group
    return parts


def _by_text(whole: PairSet) -> list[list[str]]:
    """Questions that are the same but for case and punctuation, together."""
    groups: dict[str, list[str]] = {}
    for key, text in whole.queries.items():
        groups.setdefault(normalized(text), []).append(key)
    return list(groups.values())


def _connected(whole: PairSet) -> list[list[str]]:
    """Questions that share a document or a wording, directly or through others, together."""
    parent: dict[str, str] = {}

    def root(node: str) -> str:
        while parent.setdefault(node, node) != node:
            parent[node] = node = parent[parent[node]]
        return node

    for query, text in whole.queries.items():
        parent[root(query)] = root(f"text {normalized(text)}")
        for document in whole.relevant[query]:
            parent[root(query)] = root(document)
    groups: dict[str, list[str]] = {}
    for query in whole.queries:
        groups.setdefault(root(query), []).append(query)
    return list(groups.values())


def find_pair_corpus(data_dir: Path | None, name: str) -> Path:
    """Return the archive or folder of a corpus in ``data_dir`` (default ``$DOCTOBERT_DATA_DIR``).

    Raises:
        UsageError: No folder was named, or it has no such corpus.
    """
    import os

    place = data_dir or os.environ.get("DOCTOBERT_DATA_DIR")
    if place is None:
        raise UsageError(
            f"The data '{name}' needs its raw files, and data_dir is not set",
            "a folder that holds the corpus",
            "Pass --data-dir FOLDER or set DOCTOBERT_DATA_DIR",
        )
    root = Path(place)
    for found in (root / f"{name}.zip", root / name, root):
        if found.suffix == ".zip" and found.is_file():
            return found
        if (found / "single" / "d_p.txt").is_file():
            return found
    raise UsageError(
        f"No corpus '{name}' in '{root}'",
        f"{name}.zip, or a folder with single/d_p.txt",
        "Fetch it: https://github.com/kleag/labforsims2-corpus",
    )


def _labelled(source: Path, name: str) -> dict[str, str]:
    try:
        if source.is_dir():
            content = (source / name).read_bytes()
        else:
            with zipfile.ZipFile(source) as archive:
                content = archive.read(name)
        lines = content.decode("utf-8").splitlines()
    except (OSError, KeyError, zipfile.BadZipFile, UnicodeDecodeError) as error:
        raise DataError(f"'{source}' has no readable {name} ({error})") from error
    found = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        key, mark, text = line.partition(" +++ ")
        if not mark or not text.strip():
            raise DataError(f"{name}, line {number}: {line!r:.60}", "'ID +++ text'")
        if key in found:
            raise DataError(f"{name}, line {number}: the id '{key}' occurs twice", "it once")
        found[key.strip()] = text.strip()
    return found
