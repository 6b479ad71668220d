"""What runs have recorded about themselves, gathered for a card. Nothing is estimated here.

A record that is not there is simply absent from the result: the card shows a gap in its place.
Paths of the machine are reduced to names.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from doctobert_hf.drbenchmark.report.annotations import account_rows
from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.hub.cards.beside import RETRIEVAL, TASK, read_beside
from doctobert_hf.hub.cards.phases import (
    LOG,
    base_of,
    earlier_runs,
    is_run,
    logged,
    read_config,
    read_pretraining,
)
from doctobert_hf.hub.cards.reading import read_json
from doctobert_hf.hub.cards.weights import count_parameters
from doctobert_hf.models.positions import max_positions
from doctobert_hf.pretraining.probes import SENTENCES
from doctobert_hf.runs.record import IN_RESULTS, has_weights, read_record, sha256, vocabulary_of

Record = dict[str, Any]
_OF_THE_RUN = ("benchmark", "untrained")
"""What a run says of other folders in it."""


@dataclass(frozen=True)
class ModelFolder:
    """Where a model lies and where the run that made it was recorded.

    Attributes:
        model: Folder with ``config.json`` and weights.
        run: Folder of the run; None for a model that comes alone.
        step: Of a checkpoint: its step. Only what was logged up to there is true of it.
        other: A run in whose folder it lies, but whose records are of other weights.
    """

    model: Path
    run: Path | None
    step: int | None = None
    other: Path | None = None

    @property
    def benchmark(self) -> Path | None:
        """Results that the run measured itself."""
        if self.run is None or self.step is not None:
            return None
        name = Path(read_results(self.run).get("benchmark") or "").name  # in the run, nowhere else
        return self.run / name if name and (self.run / name).is_dir() else None


def locate_model(path: Path) -> ModelFolder:
    """Find the model of a run folder, or in a model's own folder.

    Raises:
        UsageError: There is no ``config.json``, or an adapter alone.
    """
    if (path / "adapter_config.json").is_file():  # beside a tokenizer it would pass for one
        raise UsageError(
            f"'{path}' is an adapter (LoRA), not a model",
            "whole weights",
            "Merge it first: PeftModel.merge_and_unload(), then save_pretrained",
        )
    # The run around '.' or a link is that of the folder meant; a run's own 'model' may be a link.
    found = None
    for start in dict.fromkeys((Path.cwd() / path, path.resolve())):
        models = [m for m in (start / "model", start) if (m / "config.json").is_file()]
        if not models:
            continue
        places = (start, start.parent, start.parent.parent)
        run = next((p for p in places if is_run(p) or (p != models[0] and _is_recorded(p))), None)
        found = _bound(models[0], run)
        if run is not None:
            return found
    if found is not None:
        return found
    raise UsageError(
        f"No model in '{path}'", "a folder with config.json, or a run folder with model/config.json"
    )


def _bound(model: Path, run: Path | None) -> ModelFolder:
    """Return whether a run's records are of a model's weights."""
    if run is None:
        return ModelFolder(model, None)
    step = re.fullmatch(r"checkpoint-(\d+)", model.name)
    if step and model.parent == run:
        if _is_checkpoint_of(model, run):
            return ModelFolder(model, run, int(step[1]))
        return ModelFolder(model, None, other=run)
    own = model == run or _has_weights(model, run)
    return ModelFolder(model, run) if own else ModelFolder(model, None, other=run)


def _has_weights(model: Path, run: Path) -> bool:
    record = read_record(run)
    name = model.relative_to(run).as_posix()
    outputs = record.outputs if record is not None else {}
    known = outputs.get(name, {}).get("weights")
    if known is not None:
        return has_weights(model, known)
    files = {f"{name}/{file.name}": file for file in model.glob("*.safetensors")}
    if recorded := {path: outputs[path] for path in files if "sha256" in outputs.get(path, {})}:
        return len(recorded) == len(files) and all(
            entry["sha256"] == sha256(files[path]) for path, entry in recorded.items()
        )
    return name == "model"  # a run that kept no hash: by its place


def has_vocabulary(tokenizer: Path, run: Path) -> bool:
    """Return whether a run's records are of a tokenizer in its folder."""
    record = read_record(run)
    known = {} if record is None else record.outputs.get(tokenizer.name)
    if known is None:
        return False
    return known.get("vocabulary") in (None, vocabulary_of(tokenizer))


def _is_output(model: Path, run: Path) -> bool:
    """Return whether a run made a model of this name."""
    record = read_record(run)
    return record is not None and model.relative_to(run).as_posix() in record.outputs


def _is_checkpoint_of(model: Path, run: Path) -> bool:
    """Return whether a run wrote a checkpoint: the state beside it logged what the run logged.

    A name is no proof: another's model, copied to ``checkpoint-N``, has no part in the figures.
    """
    from doctobert_hf.pretraining.checkpoints import MANIFEST, problem

    state = read_json(model / "trainer_state.json")
    if state is None or ((model / MANIFEST).is_file() and problem(model)):
        return False
    told = [row for row in state.get("log_history", []) if "loss" in row]
    log = run / LOG
    if not told or not log.is_file():
        return True
    lines = filter(None, log.read_text(encoding="utf-8").splitlines())
    known = {(row.get("step"), row.get("loss")) for row in map(json.loads, lines)}
    return (told[-1]["step"], told[-1]["loss"]) in known


def _is_recorded(folder: Path) -> bool:
    """Return whether a folder is a run's by its record alone, as those of ``finetune`` are."""
    try:
        record = read_record(folder)
    except DataError:  # told of where it is read
        return True
    return record is not None and "model" in record.outputs


def read_model(place: ModelFolder) -> Record:
    """Gather what is recorded about a model and its training.

    Returns:
        ``architecture`` and, as far as recorded: ``corpus``, ``tokenizer``, ``chunks``,
        ``phases`` (one record for each phase of pretraining, in order), ``held_out``,
        ``fill_mask``, ``made_up_task``, ``retrieval``, ``environment``, ``energy``,
        ``base_model_id`` (what it was begun from, where that is on the Hub), ``begun_from`` (a
        folder it was begun from, whose training is not recorded), ``checkpoint`` (of one: where
        in the run it stands), ``untrained`` (random weights: a trained model's twin).
    """
    found: Record = {"architecture": _architecture(place.model)}
    if place.other is not None and _is_output(place.model, place.other):
        return found  # what lies beside the weights was written of those before
    tuned = read_beside(place.model, TASK)
    if tuned is not None:
        found["finetuning"] = tuned
        accounts = (tuned.get("result") or {}).get("annotations") or {}
        found["annotation_rows"] = account_rows(accounts)
    retrieval = read_beside(place.model, RETRIEVAL)
    if retrieval is not None:
        found["retrieval"] = retrieval
    if place.run is None:
        return found
    described = read_results(place.run)
    if described.get("untrained") == place.model.name and place.model != place.run:
        made_up = {k: v for k, v in described.items() if k == "made_up_task"}
        return found | {"untrained": True} | made_up
    config = read_config(place.run)
    if retrieval is not None or tuned is not None:
        found |= _said_around(place.model, place.run.parent)
    if retrieval is None and described:
        found |= {k: v for k, v in described.items() if k not in _OF_THE_RUN}
    elif retrieval is None and config:
        found |= read_pretraining(place.run, place.step)
    if place.step is not None and found.get("phases"):
        found["checkpoint"] = _checkpoint(place, config)
        reached = {key: found["checkpoint"][key] for key in ("steps", "tokens")}
        found["phases"][-1] |= {k: v for k, v in reached.items() if v is not None}
    if "fill_mask" in found:  # no text but our own, whoever asked it
        asked = [row for row in found.pop("fill_mask") if row["sentence"] in SENTENCES]
        found |= {"fill_mask": asked} if asked else {}
    base = base_of(place.run)
    if base is not None:
        found["base_model_id"] = base
    environment = read_json(place.run / "environment.json") or _environment_of(place.run)
    if environment is not None:
        found["environment"] = environment
    energy = _energy(place.run) if place.step is None else None
    if energy is not None:
        found["energy"] = energy
    return found


def _checkpoint(place: ModelFolder, config: Record) -> Record:
    """Return where a checkpoint stands in its run: what it had seen, and what the run came to.

    What was logged last lies some steps before it.
    """
    assert place.run is not None
    state = read_json(place.model / "data_state.json") or {}
    end = logged(place.run)
    return {
        "steps": place.step,
        "tokens": state.get("stream", {}).get("tokens"),
        "finished": _is_finished(place.run),
        "planned_tokens": config.get("max_tokens"),
        "end_steps": end.get("steps") if (end.get("steps") or 0) > (place.step or 0) else None,
        "end_tokens": end.get("tokens"),
    }


def _environment_of(run: Path) -> Record | None:
    """Return where a run ran, by its record; None where that does not say what a card shows."""
    record = read_record(run)
    found = {} if record is None else dict(record.environment or {})
    shown = ("processor", "accelerator", "python", "packages")
    return found if all(found.get(key) for key in shown) else None


def _said_around(model: Path, around: Path) -> Record:
    """Return what the run around a fine-tuning says of its text, where it made the model."""
    if not _has_weights(model, around):
        return {}
    keys = ("corpus", "made_up_task")
    return {key: value for key, value in read_results(around).items() if key in keys}


def _is_finished(run: Path) -> bool:
    """Return whether a run came to its end; one without a record has if its model is there."""
    record = read_record(run)
    if record is None:
        return (run / "model" / "config.json").is_file()
    return record.status == "finished"


def _architecture(folder: Path) -> Record:
    config = read_json(folder / "config.json") or {}
    keys = ("model_type", "num_hidden_layers", "hidden_size", "num_attention_heads")
    found = {
        key: config[key] for key in (*keys, "vocab_size", "intermediate_size") if key in config
    }
    found["classes"] = config.get("architectures", [])
    found["labels"] = list(config.get("id2label", {}).values())
    found["problem_type"] = config.get("problem_type")
    positions = max_positions(config)
    if positions is not None:
        found["positions"] = positions
    parameters = count_parameters(folder)
    if parameters is not None:
        found["parameters"] = parameters
        found["embedding_parameters"] = count_parameters(folder, of="embed")
    length = (read_json(folder / "tokenizer_config.json") or {}).get("model_max_length")
    if length is not None and length < 10**9:
        found["max_length"] = length
    return found


def read_family(places: dict[str, str]) -> list[Record]:
    """Return the architecture of each other size of a model's family, smallest first.

    Args:
        places: Hub id, and the folder (or run) that the model lies in here.

    Raises:
        UsageError: No model in one of them.
    """
    found = [
        {"name": name, **_architecture(locate_model(Path(place)).model)}
        for name, place in places.items()
    ]
    return sorted(found, key=lambda size: size.get("parameters") or 0)


def read_results(run: Path) -> Record:
    """Read what a run of several stages says of itself; empty where it says nothing.

    Raises:
        UsageError: It is of a kind that says so, begun by a version that did not write it.
    """
    record = read_record(run)
    if record is None:
        return {}
    if record.results is None and record.kind in IN_RESULTS:
        raise UsageError(
            f"The run '{run.name}' of kind {record.kind} was made by an earlier version, which did "
            "not record for cards what it measured",
            "its record",
            "Start it once more with --resume: what is done is not done again",
        )
    return dict(record.results or {})


def _energy(run: Path) -> Record | None:
    """Sum what was measured of a run, its parts and the runs it was begun from."""
    parts = [run / "pretraining" / f"phase{number}" for number in (1, 2)]
    places = [run, *(p for p in parts if is_run(p)), *earlier_runs(run)]
    measured = {place: read_json(place / "energy.json") or [] for place in dict.fromkeys(places)}
    sessions = [session for found in measured.values() for session in found]
    if not sessions:
        return None
    # A folder of several stages measures nothing itself.
    missing = [p.name for p, found in measured.items() if not found and (p / LOG).is_file()]
    killed = sum(record.killed for p in measured if (record := read_record(p)) is not None)
    hardware = sorted({f"{s.get('gpu') or s.get('cpu')}" for s in sessions})
    return {
        "sessions": len(sessions),
        "kwh": sum(session["energy_kwh"] for session in sessions),
        "missing": missing,
        "killed": killed,
        **(_emissions(sessions) if not missing else {"kg": None, "country": None}),
        "hardware": ", ".join(hardware),
        "codecarbon": sessions[-1].get("codecarbon"),
    }


def _emissions(sessions: list[Record]) -> Record:
    """Return emissions and country; None where it was not told where a machine stood."""
    countries = {session.get("country") for session in sessions}
    kilograms = [session.get("emissions_kg") for session in sessions]
    if None in countries or None in kilograms:
        return {"kg": None, "country": None}
    return {
        "kg": sum(kg for kg in kilograms if kg is not None),
        "country": ", ".join(sorted(str(country) for country in countries)),
    }
