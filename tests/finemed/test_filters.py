"""Filter expressions: what they keep, row by row and column by column, and what they refuse."""

import pyarrow as pa
import pytest

from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.finemed.filters import PRESETS, parse

ROWS = [
    {"edu": 4, "density": 0.12, "subdomain": "Clinical cases & vignettes", "words": 50},
    {"edu": 5, "density": 0.05, "subdomain": "Other health", "words": 500},
    {"edu": None, "density": 0.3, "subdomain": "Drugs, trials & regulation", "words": 80},
    {"edu": 1, "density": None, "subdomain": "Commercial & promotional", "words": 12},
    {"edu": 4, "density": 0.2, "subdomain": None, "words": 300},
    {"edu": 4, "density": 0.2, "subdomain": "Others", "words": 300},
    {"edu": 4, "density": 0.2, "subdomain": "Other health", "words": 9},
]
FULL = {
    "edu": "edu_quality_normalized_score",
    "density": "medical_entity_density",
    "subdomain": "health_domain_classification_best_class",
    "words": "num_words",
}
DATA = [{FULL[name]: value for name, value in row.items()} for row in ROWS]
TABLE = pa.Table.from_pylist([{**row, "at": i} for i, row in enumerate(DATA)])


def kept(expression, **options):
    condition = parse(expression, **options)
    rows = [i for i, row in enumerate(DATA) if condition(row)]
    assert condition.apply(TABLE).column("at").to_pylist() == rows  # both roads agree
    return rows


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("edu >= 4 and density >= 0.1", [0, 2, 4, 5, 6]),  # no edu: passes
        ("edu >= 4 and density >= 0.1 and subdomain in biocli5", [0, 2]),
        ("subdomain not in ['Others', 'Other health']", [0, 2, 3]),  # no subdomain: fails
        ("not (edu >= 4)", [2, 3]),  # also under not a missing value passes
        ("not (edu >= 4 or words < 20)", [2]),
        ("not subdomain in biocli5", [1, 3, 5, 6]),
        ("1 <= edu < 4", [2, 3]),
        ("not (1 <= edu < 4)", [0, 1, 2, 4, 5, 6]),
        ("4 == edu", [0, 2, 4, 5, 6]),
        ("density >= -0.5", [0, 1, 2, 3, 4, 5, 6]),
        ("main", [0, 2]),
        ("annealing", [0, 2]),
        ("edu4_or_med01", [0, 1, 2, 3]),
    ],
)
def test_what_is_kept(expression, expected):
    assert kept(expression) == expected


def test_the_null_policy_is_explicit():
    assert kept("edu >= 4", nulls="fail") == [0, 1, 4, 5, 6]
    assert kept("edu >= 4", nulls={FULL["edu"]: "pass"}) == [0, 1, 2, 4, 5, 6]
    strict = parse("edu >= 4", nulls="error")
    with pytest.raises(DataError, match="1 rows without edu_quality"):
        strict.apply(TABLE)
    with pytest.raises(DataError, match="without edu_quality"):
        strict(DATA[2])
    # A column that is not FineMed's: nothing is decided silently.
    with pytest.raises(DataError, match="without mine"):
        parse("mine > 3")({"mine": None})


@pytest.mark.parametrize("name", PRESETS)
def test_presets_parse(name):
    assert set(parse(name).columns) <= set(FULL.values())


@pytest.mark.parametrize(
    "expression",
    [
        "__import__('os').system('true')",
        "edu >= 4 and open('x')",
        "edu.__class__ == 3",
        "(lambda: 1)() == 1",
        "[edu for edu in (1,)] == 1",
        "edu + 1 >= 4",
        "edu >= f'{4}'",
        "edu",
        "4",
        "edu >= 4 and",
        "",
        "edu in 4",
        "edu == biocli5",
        "subdomain in biocli",
        "edu is None",
    ],
)
def test_code_and_nonsense_are_refused(expression):
    with pytest.raises(UsageError):
        parse(expression)


def test_wrong_columns():
    with pytest.raises(DataError, match="Did you mean 'num_words'"):
        parse("num_word > 3").apply(TABLE)
    with pytest.raises(DataError, match="does not fit columns"):
        parse("subdomain >= 4").apply(TABLE)
    with pytest.raises(DataError, match="comparable"):
        parse("subdomain >= 4")(DATA[0])
    with pytest.raises(UsageError, match="Did you mean 'biocli5'"):
        parse("subdomain in biocli")
