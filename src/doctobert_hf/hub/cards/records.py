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
from doctobert_hf.hub.cards.reading import read_json
from doctobert_hf.models.positions import max_positions
from doctobert_hf.pretraining.objectives import ObjectiveSchedule
from doctobert_hf.pretraining.probes import SENTENCES
from doctobert_hf.runs.record import IN_RESULTS, has_weights, read_record, sha256, vocabulary_of

Record = dict[str, Any]
LOG = "metrics.jsonl"


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
        run = next((p for p in places if _is_run(p) or (p != models[0] and _is_recorded(p))), None)
        found = _bound(models[0], run)
        if run is not None:
            return found
    if found is not None:
        return found
    raise UsageError(
        f"No model in '{path}'", "a folder with config.json, or a run folder with model/config.json"
    )


def _bound(model: Path, run: Path | None) -> ModelFolder:
    """Tell whether a run's records are of a model's weights."""
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
    """Tell whether a run's records are of a tokenizer in its folder."""
    record = read_record(run)
    known = {} if record is None else record.outputs.get(tokenizer.name)
    if known is None:
        return False
    return known.get("vocabulary") in (None, vocabulary_of(tokenizer))


def _is_output(model: Path, run: Path) -> bool:
    """Tell whether a run made a model of this name."""
    record = read_record(run)
    return record is not None and model.relative_to(run).as_posix() in record.outputs


def _is_checkpoint_of(model: Path, run: Path) -> bool:
    """Tell whether a run wrote a checkpoint: the state beside it logged what the run logged.

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


def _is_run(folder: Path) -> bool:
    return (folder / "resolved_config.yaml").is_file()


def read_model(place: ModelFolder) -> Record:
    """Gather what is recorded about a model and its training.

    Returns:
        ``architecture`` and, as far as recorded: ``corpus``, ``tokenizer``, ``chunks``,
        ``phases`` (one record for each phase of pretraining, in order), ``held_out``,
        ``fill_mask``, ``made_up_task``, ``retrieval``, ``environment``, ``energy``,
        ``base_model_id`` (what it was begun from, where that is on the Hub), ``checkpoint``
        (of one: where in the run it stands).
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
    config = _yaml(place.run / "resolved_config.yaml") or {}
    if retrieval is not None:
        around = place.run.parent  # what it says is of what it made, not of all that lies in it
        if _has_weights(place.model, around):
            found |= {k: v for k, v in read_results(around).items() if k == "corpus"}
    elif described:
        found |= {k: v for k, v in described.items() if k != "benchmark"}
    elif config:
        found |= read_pretraining(place.run, place.step)
    if place.step is not None and found.get("phases"):
        found["checkpoint"] = _checkpoint(place, config)
        reached = {key: found["checkpoint"][key] for key in ("steps", "tokens")}
        found["phases"][-1] |= {k: v for k, v in reached.items() if v is not None}
    if "fill_mask" in found:  # no text but our own, whoever asked it
        asked = [row for row in found.pop("fill_mask") if row["sentence"] in SENTENCES]
        found |= {"fill_mask": asked} if asked else {}
    base = _base_of(place.run)
    if base is not None:
        found["base_model_id"] = base
    environment = read_json(place.run / "environment.json")
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
        "planned_tokens": config.get("max_tokens"),
        "end_steps": end.get("steps") if (end.get("steps") or 0) > (place.step or 0) else None,
        "end_tokens": end.get("tokens"),
    }


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


def count_parameters(folder: Path, of: str = "") -> int | None:
    """Count parameters from the headers of safetensors files; None without such files.

    Args:
        folder: Of the model.
        of: Only those whose name has this part.
    """
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        return None
    total = 0
    for file in files:
        for name, entry in safetensors_header(file).items():
            if name != "__metadata__" and of in name:
                size = 1
                for length in entry["shape"]:
                    size *= length
                total += size
    return total


def safetensors_header(file: Path) -> Record:
    """Read the JSON header of a safetensors file."""
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        return json.loads(stream.read(length))


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


def read_pretraining(run: Path, until: int | None = None) -> Record:
    """Gather what a pretraining run recorded, and those it was begun from.

    Args:
        run: Its folder.
        until: Step of a checkpoint, behind which nothing counts; None: the whole run.

    Returns:
        ``phases``, ``corpus`` and, as far as recorded, ``held_out`` and ``fill_mask``.
    """
    config = _yaml(run / "resolved_config.yaml") or {}
    phases = _chain(run, config, until)
    found: Record = {"phases": phases, "corpus": {"source": _name(config.get("corpus"))}}
    found["corpus"]["generated"] = config.get("corpus") is None and not config.get("train_store")
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
    asked = [row for row in map(json.loads, rows) if _is_before(row, until)]
    if asked:
        last = asked[-1]
        found["fill_mask"] = [
            {"sentence": sentence, "answers": answers}
            for sentence, answers in last["answers"].items()
        ]
    return found


def _is_before(row: Record, step: int | None) -> bool:
    return step is None or row.get("step") is None or row["step"] <= step


def _chain(run: Path, config: Record, until: int | None = None) -> list[Record]:
    """This phase and, where their folders are still there, those it was begun from."""
    wanted = ("max_length", "learning_rate", "lr_schedule", "mlm_probability", "seed")
    phase = {key: config[key] for key in wanted if key in config}
    phase["masked"] = _masked(config)
    phase |= logged(run, until) | {"name": run.name}
    before = config.get("init_from")
    if before is None:
        return [phase]
    earlier = _earlier_run(run, config)
    if earlier is not None:
        step = re.fullmatch(r"checkpoint-(\d+)", Path(before).name)
        begun = None if step is None else int(step[1])
        return [*_chain(earlier, _yaml(earlier / "resolved_config.yaml") or {}, begun), phase]
    if _base_of(run) is not None or Path(before).is_dir():  # others trained it, or nobody
        return [phase]
    return [{"name": _name(before), "recorded": False}, phase]


def _masked(config: Record) -> str | None:
    """Return what of the tokens was predicted, part by part; None where one share says it all."""
    first, last = config.get("mlm_probability"), config.get("mlm_probability_end")
    whole = _percent(first) if last is None else f"{_percent(first)} to {_percent(last)}"
    objective = ObjectiveSchedule.read(config.get("objective") or "mlm")
    said = [
        "next tokens" if name == "clm" else whole if share is None else _percent(share)
        for (name, _), share in zip(objective.parts, objective.shares, strict=True)
    ]
    return ", then ".join(said) if len(said) > 1 or said != [_percent(first)] else None


def _percent(share: float | None) -> str:
    return "an unknown share" if share is None else f"{100 * share:.0f} %"


def _earlier_run(run: Path, config: Record) -> Path | None:
    """The run that a run was begun from, where its folder is still there."""
    if config.get("init_from") is None:
        return None
    place = Path(config["init_from"])
    return next((p for p in (place, place.parent) if _is_run(p) and p != run), None)


def _earlier_runs(run: Path) -> list[Path]:
    """All runs before a run, the latest first."""
    found: list[Path] = []
    place: Path | None = run
    while place is not None:
        place = _earlier_run(place, _yaml(place / "resolved_config.yaml") or {})
        if place is None or place in found:
            break
        found.append(place)
    return found


def _base_of(run: Path) -> str | None:
    """The Hub id of what a run, or the first before it, was begun from; None of a folder.

    The run's record tells, whatever a name looks like: a folder stands there by its whole path.
    """
    record = read_record([run, *_earlier_runs(run)][-1])
    settings = {} if record is None else record.settings
    base = settings.get("base_model") or settings.get("init_from")
    is_id = isinstance(base, str) and re.fullmatch(r"[\w.-]*\w(/[\w.-]*\w)?", base)
    return base if is_id else None


def logged(run: Path, until: int | None = None) -> Record:
    """Return what a training logged last, up to a step; empty where it logged nothing."""
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
        if "eval_loss" in row:
            found["held_out"] = {
                key.removeprefix("eval_"): row[key] for key in row if key.startswith("eval_")
            }
    speeds = [row["tokens_per_second"] for row in rows if "tokens_per_second" in row]
    if speeds:
        found["tokens_per_second"] = sorted(speeds)[len(speeds) // 2]
    return found


def _energy(run: Path) -> Record | None:
    """Sum what was measured of a run, its parts and the runs it was begun from."""
    parts = [run / "pretraining" / f"phase{number}" for number in (1, 2)]
    places = [run, *(p for p in parts if _is_run(p)), *_earlier_runs(run)]
    measured = {place: read_json(place / "energy.json") or [] for place in dict.fromkeys(places)}
    sessions = [session for found in measured.values() for session in found]
    if not sessions:
        return None
    # A folder of several stages measures nothing itself.
    missing = [p.name for p, found in measured.items() if not found and (p / LOG).is_file()]
    hardware = sorted({f"{s.get('gpu') or s.get('cpu')}" for s in sessions})
    return {
        "sessions": len(sessions),
        "kwh": sum(session["energy_kwh"] for session in sessions),
        "missing": missing,
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


def _yaml(path: Path) -> Record | None:
    from doctobert_hf.config import read_yaml

    return read_yaml(path) if path.is_file() else None


def _name(place: Any) -> str | None:
    """The last part of a path; a Hub id or a phrase stays as it is."""
    if place is None:
        return None
    text = str(place)
    return Path(text).name if text.startswith(("/", ".", "~")) or "\\" in text else text
