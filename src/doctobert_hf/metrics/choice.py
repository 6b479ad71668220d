"""Scores of questions with several right answers: Hamming score and exact match ratio.

Source: FrenchMedMCQA (Labrak et al., LOUHI 2022).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from doctobert_hf.errors import DataError

Answers = Sequence[Sequence[Hashable]]


def hamming_score(predictions: Answers, references: Answers) -> dict[str, float]:
    """Mean over questions of ``|predicted and right| / |predicted or right|``.

    Args:
        predictions: Chosen answers of each question, letters or numbers, in any order.
        references: Right answers of each question.

    Returns:
        ``hamming_score``. A question without chosen and without right answers counts 1.

    Raises:
        DataError: Not as many predictions as references, or none.

    Example:
        >>> hamming_score([[0, 1]], [[0, 2]])["hamming_score"]
        0.3333333333333333
    """
    pairs = _pairs(predictions, references)
    total = sum(len(a & b) / len(a | b) if a | b else 1.0 for a, b in pairs)
    return {"hamming_score": total / len(pairs)}


def exact_match_ratio(predictions: Answers, references: Answers) -> dict[str, float]:
    """Share of questions whose chosen answers are exactly the right ones.

    Args:
        predictions: Chosen answers of each question, in any order.
        references: Right answers of each question.

    Returns:
        ``exact_match_ratio``.

    Raises:
        DataError: Not as many predictions as references, or none.

    Example:
        >>> exact_match_ratio([[0, 1], [2]], [[0, 1], [3]])["exact_match_ratio"]
        0.5
    """
    pairs = _pairs(predictions, references)
    return {"exact_match_ratio": sum(a == b for a, b in pairs) / len(pairs)}


def _pairs(predictions: Answers, references: Answers) -> list[tuple[set, set]]:
    if len(predictions) != len(references) or not len(references):
        raise DataError(
            f"{len(predictions)} predictions and {len(references)} references",
            "as many of each, at least one",
        )
    for number, row in enumerate([*predictions, *references]):
        if isinstance(row, str) or len(set(row)) < len(row):
            raise DataError(
                f"Answers {row!r:.60} in row {number % len(predictions)}",
                "a list of different answers, such as ['a', 'c']",
                "Give the chosen answers themselves, not 0 and 1 for each",
            )
    return [(set(a), set(b)) for a, b in zip(predictions, references, strict=True)]
