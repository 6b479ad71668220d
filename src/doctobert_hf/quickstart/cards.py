"""The cards stage: what the Hub would show of a run's model, tokenizer and retriever.

They are the cards that ``doctobert-hf hub card`` prints and a push uploads, made of the run's own
records; what only people know (licence, authors, contact) is a gap to fill.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

FOLDER = "cards"
NAME = "OWNER/quickstart"
"""The model's name on the Hub, to be replaced; the other parts' begin with it."""


def cards_record(folder: Path) -> dict[str, Any]:
    """Render the cards of a run, and its benchmark results as the Hub reads them.

    Args:
        folder: The run; the cards go to ``cards/model``, ``cards/tokenizer`` and, where the run has
            a retriever, ``cards/retrieval``.

    Returns:
        ``parts``: by card its ``path`` in the run and ``gaps``, what was not recorded; the model's
        also has ``eval_results``, the file of its DrBenchmark scores or None.
    """
    from doctobert_hf.files import write_text_atomic
    from doctobert_hf.hub.cards.facts import read_facts
    from doctobert_hf.hub.cards.records import locate_model
    from doctobert_hf.hub.cards.results import read_scores, write_eval_results
    from doctobert_hf.hub.publish.preview import render_path

    made: dict[str, Any] = {}
    for name, path in parts(folder).items():
        card = render_path(path, repo_id(name), read_facts(path))
        target = folder / FOLDER / name / "README.md"
        write_text_atomic(target, card.text)
        made[name] = {"path": target.relative_to(folder).as_posix(), "gaps": card.gaps}
    place = locate_model(folder / "model")
    assert place.benchmark is not None
    scores = read_scores(place.benchmark, place.model, NAME)
    results = write_eval_results(scores, folder / FOLDER / "model")
    made["model"]["eval_results"] = results and results.relative_to(folder).as_posix()
    return {"parts": made}


def parts(folder: Path) -> dict[str, Path]:
    """What of a run can be published, by the name of its card."""
    found = {"model": folder / "model", "tokenizer": folder / "tokenizer"}
    if (folder / "retrieval" / "model" / "retrieval.json").is_file():
        found["retrieval"] = folder / "retrieval"
    return found


def repo_id(name: str) -> str:
    """The name on the Hub of a part of the run."""
    return NAME if name == "model" else f"{NAME}-{name}"


def push_command(folder: Path) -> str:
    """The command that shows what publishing the model would upload."""
    return f"doctobert-hf hub push-model {folder / 'model'} {NAME} --license apache-2.0 --dry-run"
