"""The package itself: light import, public names, errors that cross processes."""

import pickle
import subprocess
import sys

import pytest

import doctobert_hf
from doctobert_hf.errors import DataError, UsageError

HEAVY = [
    "torch",
    "transformers",
    "datasets",
    "sentencepiece",
    "tokenizers",
    "pyarrow",
    "numpy",
    "pandas",
]


@pytest.mark.parametrize(
    "code",
    [
        "import doctobert_hf",
        "import doctobert_hf.cli as c; c.main(['--help'])",
        "import doctobert_hf.cli as c; c.main(['quickstart', '--help'])",
        "import doctobert_hf.cli as c; c.main(['tokenizer', 'train', '--help'])",
        "import doctobert_hf.cli as c; c.main(['env', '--help'])",
        "import doctobert_hf.cli as c; c.main(['benchmark', 'check', '--help'])",
        "import doctobert_hf.cli as c; c.main(['benchmark', 'tasks'])",
        "import doctobert_hf; doctobert_hf.list_tasks()",
        "import doctobert_hf.cli as c; c.main(['--version'])",
    ],
)
def test_nothing_heavy_is_imported(code):
    check = f"{code}\nimport sys; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.rstrip().endswith("[]")


def test_public_names_resolve():
    for name in doctobert_hf.__all__:
        assert getattr(doctobert_hf, name) is not None
        assert name in dir(doctobert_hf)
    with pytest.raises(AttributeError, match="nothing_here"):
        _ = doctobert_hf.nothing_here


def test_errors_say_got_expected_fix_and_pickle():
    error = UsageError("Got this", "that", "Do so")
    assert str(error) == "Got this. Expected that. Do so."
    assert isinstance(error, ValueError)
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), type(copy), copy.exit_code) == (str(error), UsageError, 2)
    assert DataError("x").exit_code == 1
