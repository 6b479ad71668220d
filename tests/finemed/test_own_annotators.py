"""Annotators of one's own: their labels are brought into order, and what they return is checked."""

import pytest

from doctobert_hf.errors import UsageError
from doctobert_hf.finemed.annotators.lexicon import Term
from doctobert_hf.finemed.annotators.own import OwnClassifier, OwnExtractor
from doctobert_hf.finemed.taxonomy import SUBDOMAINS

TEXTS = ["Le patient a de la fièvre.", "Une recette."]


@pytest.fixture
def own(tmp_path):
    def write(body):
        (tmp_path / "mine.py").write_text(body, encoding="utf-8")
        return f"{tmp_path / 'mine.py'}:Mine"

    return write


def test_labels_of_another_order_are_those_of_the_taxonomy(own):
    name = own(
        "from doctobert_hf.finemed.taxonomy import SUBDOMAINS\n"
        "class Mine:\n"
        "    labels = tuple(reversed(SUBDOMAINS))\n"
        "    def judge(self, texts, urls=None):\n"
        "        return [[1.0] + [0.0] * 14 for _ in texts]\n"
    )
    (shares, _) = OwnClassifier(name, SUBDOMAINS).judge(TEXTS)
    assert SUBDOMAINS[shares.index(1.0)] == SUBDOMAINS[-1]


def test_a_further_parameter_is_not_taken_for_addresses(own):
    name = own(
        "class Mine:\n    labels = ('Santé', 'Autre')\n"
        "    def judge(self, texts, batch_size=32):\n"
        "        return [[batch_size / 100, 0.0] for _ in texts]\n"
    )
    assert OwnClassifier(name, None).judge(TEXTS) == [[0.32, 0.0]] * 2
    twice = "class Mine:\n    labels = ('A', 'A')\n    def judge(self, texts): return []\n"
    with pytest.raises(UsageError, match="a label twice"):
        OwnClassifier(own(twice), None)


def test_some_of_the_labels_and_no_addresses(own):
    name = own(
        f"class Mine:\n    labels = ({SUBDOMAINS[3]!r},)\n"
        "    def judge(self, texts):\n        return [[0.7] for _ in texts]\n"
    )
    (shares, _) = OwnClassifier(name, SUBDOMAINS).judge(TEXTS, ["https://a", None])
    assert shares[3] == 0.7 and sum(shares) == 0.7


@pytest.mark.parametrize(
    ("labels", "returned", "said"),
    [
        ("('Santé', 'Autre')", "[1, 0]", "a int for a text"),
        ("('Santé', 'Autre')", "['Santé', 'Autre']", "a str for a text"),
        ("('Santé', 'Autre')", "[[0.1], [0.2]]", "1 values for a text"),
        ("('Santé', 'Autre')", "[[0.1, 0.2]]", "1 results for 2 texts"),
        ("('Santé', 'Autre')", "[[0.1, float('nan')]] * 2", "the value nan"),
        ("('Santé', 'Autre')", "[[0.1, 'x']] * 2", "'x' as a value"),
    ],
)
def test_what_else_is_returned_is_refused(own, labels, returned, said):
    name = own(
        f"class Mine:\n    labels = {labels}\n    def judge(self, texts): return {returned}\n"
    )
    with pytest.raises(UsageError, match=said):
        OwnClassifier(name, None).judge(TEXTS)


def test_classes_that_are_no_annotators(own):
    with pytest.raises(UsageError, match="no method 'judge'"):
        OwnClassifier(own("class Mine: pass\n"), None)
    without = "class Mine:\n    def judge(self, texts): return [1, 2]\n"
    with pytest.raises(UsageError, match="no labels"):
        OwnClassifier(own(without), None)
    assert OwnClassifier(own(without), ()).judge(TEXTS) == [1.0, 2.0]
    foreign = "class Mine:\n    labels = ('Cardiologie',)\n    def judge(self, texts): return []\n"
    with pytest.raises(UsageError, match="has the label 'Cardiologie'"):
        OwnClassifier(own(foreign), SUBDOMAINS)


def test_terms(own):
    body = "class Mine:\n    def find(self, texts): return {}\n"
    found = OwnExtractor(own(body.format("[[(19, 25, 'disease')], []]"))).find(TEXTS)
    assert found == [[Term(19, 25, "disease")], []]
    for wrong in ("['fièvre']", "[[(19, 25)]]", "[[(19, 99, 'disease')]]", "[[(1, 2, 'x')]]"):
        with pytest.raises(UsageError, match="start, end, kind"):
            OwnExtractor(own(body.format(f"{wrong} + [[]]"))).find(TEXTS)


def test_no_kept_domain_among_the_labels_is_an_error(own):
    pytest.importorskip("datatrove")
    from doctobert_hf.finemed.annotate import Annotators
    from doctobert_hf.finemed.config import AnnotateConfig

    body = "class Mine:\n    labels = ('Santé', 'Autre')\n    def judge(self, texts): return []\n"
    given = {"subdomain": "light", "quality": "light", "terms": "lexicon", "lexicons": ("base",)}
    with pytest.raises(UsageError, match="--keep-domains 'Santé'"):
        Annotators(AnnotateConfig(domain=own(body), **given))
    Annotators(AnnotateConfig(domain=own(body), keep_domains=("Santé",), **given))
