"""Shared fixtures: everything offline, on tiny models and data made here."""

import os

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
if "PYTEST_XDIST_WORKER" in os.environ:  # one thread a worker: the machine may have two cores
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("RAYON_NUM_THREADS", "1")

from pathlib import Path

import pytest
import warm

REPOSITORY = Path(__file__).resolve().parent.parent

LONGEST_FIRST = (
    *("corpus/test_sample_notes", "test_readme", "test_notebooks", "test_examples"),
    *("quickstart/test_run", "pretraining/test_trainer", "finemed/test_rephrase"),
    *("drbenchmark/finetuning/test_runner", "finemed/test_executors", "cli/test_printed_commands"),
    *("test_public_names", "retrieval/test_onnx_export", "drbenchmark/finetuning/test_finetune"),
)
"""Files that keep one process busy for minutes: begun last, they leave the other one idle."""


def pytest_collection_modifyitems(items):
    """Order files: those that take long, then the others as they stand."""
    rank = {f"tests/{name}.py": number for number, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: rank.get(item.nodeid.split("::")[0], len(rank)))


@pytest.fixture(autouse=True)
def nothing_is_left_behind():
    """Fail a test that writes into the folder that the tests are started from."""
    before = _here()
    yield
    assert not (left := _here() - before), f"left in the working folder: {', '.join(left)}"


def _here() -> set[str]:
    """Return what stands in the working folder, caches and what packaging makes apart."""
    try:
        names = os.listdir()
    except OSError:  # a test that changed into a folder that is gone
        return set()
    return {name for name in names if not name.startswith(".")} - {"build", "dist", "site"}


def _find_data() -> Path | None:
    named = os.environ.get("DOCTOBERT_DATA_DIR")
    candidates = [Path(named)] if named else []
    candidates.append(REPOSITORY.parent / "shared" / "data" / "raw")
    return next((path for path in candidates if path.is_dir()), None)


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder with the real raw corpora; its sibling ``corpora`` has the Parquet files."""
    found = _find_data()
    if found is None:
        pytest.skip("real corpora are not here: set DOCTOBERT_DATA_DIR to their folder")
    return found


@pytest.fixture(scope="session")
def corpora(data_dir) -> Path:
    folder = data_dir.parent / "corpora"
    if not folder.is_dir():
        pytest.skip(f"no folder 'corpora' beside {data_dir.name}")
    return folder


@pytest.fixture(scope="session")
def sample_texts() -> list[str]:
    from doctobert_hf.corpus.sample import sample_documents

    return [document.text for document in sample_documents(150)]


@pytest.fixture(scope="session")
def tokenizer_dir(sample_texts, tmp_path_factory) -> Path:
    from doctobert_hf.tokenization import train_tokenizer

    folder = tmp_path_factory.mktemp("tokenizer")
    train_tokenizer(sample_texts, folder, vocab_size=1500)
    return folder


@pytest.fixture(scope="session")
def tokenizer(tokenizer_dir):
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(tokenizer_dir)


@pytest.fixture(scope="session")
def other_tokenizers(sample_texts):
    """Small tokenizers of the other kinds: byte-level BPE, WordPiece, Unigram, unsplit BPE."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    special = ["[UNK]", "[PAD]", "[CLS]", "[SEP]", "[MASK]"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    kinds = {
        "byte-level": (
            models.BPE(unk_token="[UNK]"),
            None,
            pre_tokenizers.ByteLevel(add_prefix_space=False),
            trainers.BpeTrainer(vocab_size=900, special_tokens=special, initial_alphabet=alphabet),
        ),
        "wordpiece": (
            models.WordPiece(unk_token="[UNK]"),
            normalizers.BertNormalizer(lowercase=True),
            pre_tokenizers.BertPreTokenizer(),
            trainers.WordPieceTrainer(vocab_size=900, special_tokens=special),
        ),
        "unigram": (
            models.Unigram(),
            normalizers.NFKC(),
            pre_tokenizers.Metaspace(),
            trainers.UnigramTrainer(vocab_size=900, special_tokens=special, unk_token="[UNK]"),
        ),
        "unsplit": (
            models.BPE(unk_token="[UNK]"),
            None,
            pre_tokenizers.Metaspace(split=False),
            trainers.BpeTrainer(vocab_size=600, special_tokens=special, max_token_length=12),
        ),
    }
    made = {}
    for name, (model, normalizer, splitter, trainer) in kinds.items():
        backend = Tokenizer(model)
        if normalizer is not None:
            backend.normalizer = normalizer
        backend.pre_tokenizer = splitter
        texts = sample_texts if name != "unsplit" else [t[:400] for t in sample_texts[:40]]
        backend.train_from_iterator(texts, trainer)
        backend.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
        )
        made[name] = PreTrainedTokenizerFast(
            tokenizer_object=backend,
            unk_token="[UNK]",
            pad_token="[PAD]",
            cls_token="[CLS]",
            sep_token="[SEP]",
            mask_token="[MASK]",
        )
    return made


@pytest.fixture
def two_processes():
    """Run one Python command line in two processes that speak through gloo, as torchrun does.

    Returns their exit codes, what they printed and what they said on stderr.
    """
    import socket
    import subprocess
    import sys

    def run(*words):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = str(free.getsockname()[1])
        common = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
        common |= {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
        ranks = [
            warm.Popen(
                [sys.executable, *words],
                env={**os.environ, **common, "RANK": str(rank), "LOCAL_RANK": str(rank)},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for rank in range(2)
        ]
        told = [ranks[0].communicate(timeout=240)]
        if ranks[0].returncode:
            ranks[1].kill()  # it waits for the first
        told.append(ranks[1].communicate(timeout=240))
        codes = [rank.returncode for rank in ranks]
        return codes, [out for out, _ in told], [err for _, err in told]

    return run
