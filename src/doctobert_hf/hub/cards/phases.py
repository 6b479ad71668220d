"""What pretraining recorded: its phases, their text, and what they were begun from."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path
from typing import Any

from doctobert_hf.hub.cards.reading import read_json
from doctobert_hf.hub.cards.weights import count_parameters
from doctobert_hf.models.averaging import AVERAGED
from doctobert_hf.pretraining.objectives import ObjectiveSchedule
from doctobert_hf.runs.record import read_record, weights_of

Record = dict[str, Any]
LOG = "metrics.jsonl"
_PREDICTED = {"clm": "next", "mlm": "masked"}
_FILES = (".parquet", ".jsonl", ".json", ".csv", ".tsv", ".txt", ".gz", ".zst")


def read_pretraining(run: Path, until: int | None = None) -> Record:
    """Gather what a pretraining run recorded, and those it was begun from.

    Args:
        run: Its folder.
        until: Step of a checkpoint, behind which nothing counts; None: the whole run.

    Returns:
        ``phases``, ``corpus``, ``predicted`` (``masked`` or ``next``, in order) and, as far as
        recorded, ``begun_from`` (a folder whose training is not recorded), ``held_out`` and
        ``fill_mask``. Of a checkpoint what was measured at its very step: what was measured
        before it is of other weights.
    """
    config = read_config(run)
    phases = _chain(run, config, until)
    found: Record = {"phases": phases, "corpus": _corpus(phases)}
    told = [kind for phase in phases for kind in phase.get("predicts", ())]
    found["predicted"] = [kind for kind, _ in itertools.groupby(told)]
    if phases[0].get("begun_from"):
        found["begun_from"] = phases[0]["begun_from"]
    manifest = read_json(run / "stores" / "train" / "manifest.json")
    if manifest is not None:
        found["corpus"] |= {
            "documents_used": manifest.get("source_documents"),
            "chunks": manifest.get("documents"),
            "tokens": manifest.get("tokens"),
        }
    if "held_out" in phases[-1]:
        found["held_out"] = phases[-1]["held_out"]
    probes = run / "fill_mask.jsonl"
    rows = probes.read_text(encoding="utf-8").splitlines() if probes.is_file() else []
    asked = [row for row in map(json.loads, rows) if until is None or _is_of(row, until)]
    if asked:
        last = asked[-1]
        found["fill_mask"] = [
            {"sentence": sentence, "answers": answers}
            for sentence, answers in last["answers"].items()
        ]
    return found


def read_config(run: Path) -> Record:
    """Return a run's settings as they were used; empty where it wrote none.

    Folders in them are found from anywhere: by the path that the run's record has, or beside it.
    """
    from doctobert_hf.config import read_yaml

    path = run / "resolved_config.yaml"
    config = read_yaml(path) if path.is_file() else {}
    record = read_record(run)
    for key in _PLACES:
        if isinstance(given := config.get(key), str):
            config[key] = _found(run, given, {} if record is None else record.settings, key)
    return config


_PLACES = ("init_from", "train_store")
"""Settings that name what other runs made."""


def _found(run: Path, given: str, recorded: Record, key: str) -> str:
    """Return where a folder is now that a run's settings name: as recorded, or moved with the run.

    A path as it was given is one of the directory that the run was started in, which is not the
    one that a card is made in.
    """
    known = recorded.get(key)
    known = known if isinstance(known, str) and Path(known).is_absolute() else None
    beside = run.absolute().parent / given
    if known and Path(known).exists():
        return known
    if Path(given).is_absolute():
        return given
    around = (parent / given for parent in beside.parents)
    return next((str(place) for place in (beside, *around) if place.exists()), given)


def is_run(folder: Path) -> bool:
    """Return whether a folder is that of a run which wrote its settings."""
    return (folder / "resolved_config.yaml").is_file()


def name_of(place: Any) -> str | None:
    """Return the last part of a path; a Hub id or a phrase stays as it is.

    Example:
        >>> name_of("/data/notes.parquet"), name_of("almanach/camembert-base")
        ('notes.parquet', 'almanach/camembert-base')
    """
    if place is None:
        return None
    text = str(place)
    if "://" in text:
        return text
    is_id = text.count("/") < 2 and not text.startswith(("/", ".", "~")) and "\\" not in text
    return text if is_id and not text.endswith(_FILES) else re.split(r"[\\/]", text.rstrip("/"))[-1]


def _corpus(phases: list[Record]) -> Record:
    """Return what all phases read: one name, or one by phase; whether all of it is generated."""
    told = [phase["corpus"] for phase in phases if "corpus" in phase]
    names = list(dict.fromkeys(part["source"] for part in told))
    begun = phases[0].get("begun_from") or phases[0].get("base_model") or len(told) < len(phases)
    found: Record = {
        "source": names[0] if len(names) == 1 else None,
        "generated": not begun and all(part["generated"] for part in told),
    }
    if len(names) > 1:
        found["by_phase"] = [
            {"phase": phase["name"], **phase["corpus"]} for phase in phases if "corpus" in phase
        ]
    return found


def _corpus_of(config: Record) -> Record:
    """Return what a phase read; a store tells it where the run that made it is around it."""
    if config.get("train_store"):
        store = Path(config["train_store"])
        for folder in (store, *list(store.parents)[:2]):
            record = read_record(folder) if folder.is_dir() else None
            if record is None:
                continue
            if known := (record.results or {}).get("corpus"):
                return {key: known.get(key) for key in ("source", "generated")}
            if folder == store and record.inputs:
                names = [str(name_of(item.get("path"))) for item in record.inputs]
                return {"source": ", ".join(names), "generated": False}
        return {"source": None, "generated": False}
    generated = config.get("corpus") is None
    name = "generated sample" if generated else name_of(config["corpus"])
    return {"source": name, "generated": generated}


def _chain(run: Path, config: Record, until: int | None = None) -> list[Record]:
    """This phase and, where their folders are still there, those it was begun from."""
    wanted = ("max_length", "learning_rate", "lr_schedule", "mlm_probability", "seed")
    phase = {key: config[key] for key in wanted if key in config}
    phase["batch"] = config.get("global_batch_tokens") or config.get("micro_batch_tokens")
    phase["masked"] = _masked(config)
    phase["predicts"] = [_PREDICTED[name] for name, _ in _objective(config).parts]
    phase["corpus"] = _corpus_of(config)
    phase |= logged(run, until) | {"name": run.name}
    if (record := read_record(run)) is not None and record.killed:
        phase["killed"] = record.killed
    if until is None and config.get("average_share"):
        other = config.get("average_with") or config.get("init_from")
        phase["averaged"] = {"share": config["average_share"], "with": name_of(other)}
    before = config.get("init_from")
    if before is None:
        return [phase]
    earlier = earlier_run(run, config)
    if earlier is not None:
        step = re.fullmatch(r"checkpoint-(\d+)", Path(before).name)
        begun = None if step is None else int(step[1])
        if config.get("init_mode") == "tile":
            place = Path(before) if (Path(before) / "config.json").is_file() else earlier / "model"
            phase["tiled"] = {"name": earlier.name, "parameters": count_parameters(place)}
        return [*_chain(earlier, read_config(earlier), begun), phase]
    if (base := base_of(run)) is not None:  # others trained it
        return [phase | {"base_model": base}]
    if Path(before).is_dir():  # others trained it, or nobody
        return [phase | {"begun_from": name_of(before)}]
    return [{"name": name_of(before), "recorded": False}, phase]


def _objective(config: Record) -> ObjectiveSchedule:
    return ObjectiveSchedule.read(config.get("objective") or "mlm")


def _masked(config: Record) -> str | None:
    """Return what of the tokens was predicted, part by part; None where one share says it all."""
    first, last = config.get("mlm_probability"), config.get("mlm_probability_end")
    whole = _percent(first) if last is None else f"{_percent(first)} to {_percent(last)}"
    objective = _objective(config)
    said = [
        ("next tokens" if name == "clm" else whole if share is None else _percent(share))
        + (f" up to {end:,} tokens" if end is not None else "")
        for (name, end), share in zip(objective.parts, objective.shares, strict=True)
    ]
    return ", then ".join(said) if len(said) > 1 or said != [_percent(first)] else None


def _percent(share: float | None) -> str:
    return "an unknown share" if share is None else f"{100 * share:.0f} %"


def earlier_run(run: Path, config: Record) -> Path | None:
    """Return the run that a run was begun from, where its folder is still there."""
    if config.get("init_from") is None:
        return None
    place = Path(config["init_from"])
    earlier = next((p for p in (place, place.parent) if is_run(p) and p != run), None)
    return None if earlier is None or _was_replaced(run, place) else earlier


def _was_replaced(run: Path, place: Path) -> bool:
    """Return whether a run was begun from other weights than stand at the place now."""
    record = read_record(run)
    known = ((record.results or {}) if record is not None else {}).get("begun_from") or {}
    if not known.get("weights"):
        return False  # recorded by an earlier version
    folders = [place, place / "model", *sorted(place.glob("checkpoint-*"))]
    found = False
    for folder in folders:  # gigabytes each: no further than the one that it is
        weights = weights_of(folder)
        if weights == known["weights"]:
            return False
        found = found or weights is not None
    return found


def earlier_runs(run: Path) -> list[Path]:
    """Return all runs before a run, the latest first."""
    found: list[Path] = []
    place: Path | None = run
    while place is not None:
        place = earlier_run(place, read_config(place))
        if place is None or place in found:
            break
        found.append(place)
    return found


def base_of(run: Path) -> str | None:
    """Return the Hub id of what a run, or the first before it, was begun from; None of a folder.

    The run's record tells, whatever a name looks like: a folder stands there by its whole path.
    """
    record = read_record([run, *earlier_runs(run)][-1])
    settings = {} if record is None else record.settings
    base = settings.get("base_model") or settings.get("init_from")
    is_id = isinstance(base, str) and re.fullmatch(r"[\w.-]*\w(/[\w.-]*\w)?", base)
    return base if is_id else None


def logged(run: Path, until: int | None = None) -> Record:
    """Return what a training logged last, up to a step; empty where it logged nothing.

    Of a checkpoint only an evaluation at its very step counts.
    """
    path = run / LOG
    if not path.is_file():
        return {}
    lines = path.read_text(encoding="utf-8").splitlines()
    rows = [row for row in map(json.loads, filter(None, lines)) if _is_before(row, until)]
    if until is not None:  # the run's time is not the checkpoint's
        rows = [{k: v for k, v in row.items() if k != "train_runtime"} for row in rows]
    found: Record = {}
    for row in rows:
        for key in ("tokens", "loss"):
            if key in row:
                found[key] = row[key]
        found["steps"] = row.get("step", found.get("steps"))
        if "train_runtime" in row:  # one row a session: a resumed run has several
            found["seconds"] = found.get("seconds", 0.0) + row["train_runtime"]
        measured = AVERAGED if until is None and f"{AVERAGED}_loss" in row else "eval"
        if f"{measured}_loss" in row and until in (None, row.get("step")):
            found["held_out"] = {
                key.removeprefix(f"{measured}_"): value
                for key, value in row.items()
                if key.startswith(f"{measured}_")
            }
    speeds = [row["tokens_per_second"] for row in rows if "tokens_per_second" in row]
    if speeds:
        found["tokens_per_second"] = sorted(speeds)[len(speeds) // 2]
    return found


def _is_of(row: Record, step: int) -> bool:
    """Return whether a checkpoint's weights were asked, and not the average saved behind it."""
    return row.get("step") == step and not row.get("averaged")


def _is_before(row: Record, step: int | None) -> bool:
    return step is None or row.get("step") is None or row["step"] <= step
