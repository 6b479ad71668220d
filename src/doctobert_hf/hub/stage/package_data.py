"""Datasets as packages: Parquet of your own, or tasks of DrBenchmark whose licence allows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from doctobert_hf.errors import DataError, UsageError
from doctobert_hf.hub.cards.columns import meaning
from doctobert_hf.hub.cards.facts import CardFacts
from doctobert_hf.hub.cards.kinds import find_kind
from doctobert_hf.hub.cards.manifests import MadeBy, made_by
from doctobert_hf.hub.cards.metadata import SOURCE_LICENSES, license_ids
from doctobert_hf.hub.cards.records import read_results
from doctobert_hf.hub.cards.render import render_card
from doctobert_hf.hub.stage.companions import (
    licence_text_warnings,
    stage_companions,
    stage_texts,
)
from doctobert_hf.hub.stage.datasets import (
    SourceSplit,
    SplitRecord,
    check_columns,
    common_schema,
    find_splits,
    left_out_of,
    write_split,
)
from doctobert_hf.hub.stage.package import Package, earlier_cards, shared_context
from doctobert_hf.hub.stage.preflight import Finding, refuse, secret_finding
from doctobert_hf.hub.stage.secrets import Secret
from doctobert_hf.hub.stage.statistics import CLASSES, DENSITY_STEPS, EDU_STEPS
from doctobert_hf.runs.record import read_record, sha256


def package_dataset(
    path: Path,
    repo_id: str,
    folder: Path,
    facts: CardFacts,
    kind: str | None = None,
    tasks: tuple[str, ...] = (),
    protocol: str = "drbenchmark",
    max_shard_bytes: int = 500_000_000,
    tokens: tuple[str, ...] = (),
    on_shard: Callable[[str, int], None] | None = None,
    allow: tuple[str, ...] = (),
) -> Package:
    """Stage a dataset.

    Args:
        path: Parquet file or folder; with ``tasks`` the folder of raw corpora.
        repo_id: Name on the Hub.
        folder: Where to stage; shards of a stopped run there are kept.
        facts: What records do not know.
        kind: Kind of card; default: told from the columns.
        tasks: Tasks of DrBenchmark.
        protocol: Their protocol.
        max_shard_bytes: Size of a shard, compressed.
        tokens: Tokens in use, sought in the text.
        on_shard: Called with name and rows of each shard.
        allow: Fingerprints of what looks like a secret and is none.

    Raises:
        UsageError: A task's licence forbids copies, or there is no data.
        DataError: Columns differ between files, or from the declared schema.
        PreflightError: Rows hold secrets.
    """
    check_kind(kind, tasks)
    sources = drbenchmark_splits(path, tasks, protocol) if tasks else find_splits(path)
    schemas = {source.config: common_schema(source) for source in sources}
    kind = "drbenchmark" if tasks else kind or _kind_of(set(schemas[sources[0].config].names))
    absent = []
    row = find_kind(kind, "dataset")
    if row.columns:
        declared = {name: pattern for name, (pattern, _) in row.columns.items()}
        absent = check_columns(schemas, declared, "text")
    records = [write_split(s, folder, max_shard_bytes, tokens, on_shard) for s in sources]
    allowed = refuse(_secrets(records), allow)
    context = dataset_context(repo_id, facts, records, folder, kind, tasks, protocol)
    generated = not tasks and _is_generated_sample(path, sources)
    context |= _origin(context, MadeBy() if tasks else made_by(path), generated)
    context["absent_columns"] = absent
    chosen = kind

    def render(remote: str | None) -> Any:
        from doctobert_hf.hub.cards.front import dataset_metadata

        shown = _with_others(context, remote)
        metadata = dataset_metadata(chosen, context | {"categories": _categories(shown)})
        # Of tasks the folder holds raw corpora: a README there is not of this dataset.
        earlier = ([remote] if remote else []) if tasks else earlier_cards(path, remote)
        return render_card(chosen, metadata, shown, earlier)

    placed = stage_companions(path, folder, own=not tasks)
    placed += _texts_of_corpora(path, tasks, folder)
    warnings = [] if tasks else [*_licence_warnings(context), *left_out_of(path, sources)]
    warnings += [f"{line}: the card tells nothing of it" for line in context["made"].changed]
    warnings += licence_text_warnings(_licences_of(context), placed)
    if row.generated and not facts.rewriter and not context["rewriters"]:
        warnings.append("Which model generated the text is not recorded: set rewriter in card.yaml")
    warnings += [f"Allowed: {finding}" for finding in allowed]
    return Package(
        repo_id,
        "dataset",
        kind,
        folder,
        render,
        warnings=warnings,
        licences=_licences_by_config(context),
        # A stage's own README says what the card says, from the same manifest.
        source=path if path.is_dir() and not tasks and not context["made"].stages else None,
    )


def _texts_of_corpora(path: Path, tasks: tuple[str, ...], target: Path) -> list[Path]:
    """Take along the licence texts that came with the raw corpora of tasks."""
    from doctobert_hf.drbenchmark import get_task
    from doctobert_hf.drbenchmark.conversion import locate
    from doctobert_hf.drbenchmark.source.licences import licence_texts

    placed: list[Path] = []
    seen = set()
    for task in map(get_task, tasks):
        corpus = task.corpus.name
        raw = None if corpus in seen else locate(task, path)
        seen.add(corpus)
        if raw is not None:
            placed += stage_texts(licence_texts(raw), corpus, target)
    return placed


def _origin(context: dict[str, Any], made: MadeBy, generated: bool) -> dict[str, Any]:
    """Say who made the rows, and whether they are made up.

    Rows that name their rewriter are no less made up where no manifest says so.
    """
    generated = generated or context["generated"]
    synthetic = generated or made.synthetic or bool(context["rewriters"])
    return {"made": made, "generated": generated, "synthetic": synthetic}


def _licences_of(context: dict[str, Any]) -> list[str]:
    return [found for config in context["configs"] for found in config["licenses"]]


def _licences_by_config(context: dict[str, Any]) -> dict[str, list[str]]:
    return {c["name"]: list(dict.fromkeys(c["licenses"])) for c in context["configs"]}


def check_kind(kind: str | None, tasks: tuple[str, ...]) -> None:
    """Refuse a kind of card before anything is read.

    Raises:
        UsageError: It is none of a dataset, or lacks its tasks.
    """
    if kind is not None:
        find_kind(kind, "dataset")
    if kind == "drbenchmark" and not tasks:
        raise UsageError("--kind drbenchmark without tasks", "--tasks NAME ... or all")


def check_licence(path: Path, facts: CardFacts) -> None:
    """Ask for the licence before any row is read: streaming a corpus takes hours.

    Raises:
        PreflightError: None is said, neither here nor in a column, or not as the Hub writes it.
    """
    from doctobert_hf.hub.cards.metadata import metadata_errors

    found = []
    for source in find_splits(path):
        said = _licence_of(source.config, facts)
        if said is None and set(common_schema(source).names) & set(CLASSES["licence"]):
            continue
        front = {"license": said, "license_name": facts.license_name}
        found += [Finding("README.md", *told) for told in metadata_errors(front, "model")]
    refuse(list(dict.fromkeys(found)))


def _categories(context: dict[str, Any]) -> tuple[str, ...]:
    """The Hub's names of what a benchmark's tasks predict, those from before included."""
    from doctobert_hf.drbenchmark.families import family_of
    from doctobert_hf.drbenchmark.tasks import find_task

    names = [*context["tasks"], *(config["name"] for config in context["others"])]
    known = [found for found in map(find_task, names if context["tasks"] else ()) if found]
    return tuple(dict.fromkeys(family_of(task).hub_task for task in known))


def _licence_of(config: str, facts: CardFacts) -> str | None:
    given = (facts.config_licenses or {}).get(config) or SOURCE_LICENSES.get(config)
    return given or facts.license


def _with_others(context: dict[str, Any], remote: str | None) -> dict[str, Any]:
    """Add the configurations that stand on the Hub from before: the card is of all of them."""
    from doctobert_hf.hub.cards.render import front_matter
    from doctobert_hf.hub.stage.merging import other_configs

    others = other_configs(remote, {c["name"] for c in context["configs"]}) if remote else []
    counts = [split["rows"] for config in others for split in config["splits"]]
    known = sum(count for count in counts if isinstance(count, int))
    unknown = any(not config["splits"] for config in others) or None in counts
    theirs = front_matter(remote).get("license") if remote and others else None
    named = [theirs] if isinstance(theirs, str) else theirs or []
    return context | {
        "others": others,
        "their_licenses": [str(name) for name in named],
        "rows": context["rows"] + known,
        "more": unknown,
    }


def drbenchmark_splits(path: Path, tasks: tuple[str, ...], protocol: str) -> list[SourceSplit]:
    """The splits of tasks, from raw corpora.

    Raises:
        UsageError: A licence does not let others publish copies.
    """
    import datasets

    import doctobert_hf
    from doctobert_hf.drbenchmark import get_task

    doctobert_hf.register()
    specs = [get_task(name) for name in tasks]
    for spec in specs:
        if not spec.corpus.redistributable:
            raise UsageError(
                f"{spec.name} is made from {spec.corpus.title}, which may not be redistributed "
                f"({spec.corpus.license}). {spec.corpus.gate}".strip(),
                "tasks whose licence lets others publish copies",
                "Leave it out; others can build it from their own copy of the corpus with "
                f'load_dataset("doctobert_hf/drbenchmark", "{spec.name}", data_dir=FOLDER)',
            )
    found = []
    for spec in specs:
        loaded = datasets.load_dataset(
            "doctobert_hf/drbenchmark", spec.name, data_dir=str(path), protocol=protocol
        )
        found += [SourceSplit(spec.name, name, dataset=rows) for name, rows in loaded.items()]
    return found


def redistributable_tasks(path: Path) -> tuple[str, ...]:
    """All tasks that may be published and whose raw data is in ``path``."""
    from doctobert_hf.drbenchmark import list_tasks
    from doctobert_hf.drbenchmark.check import data_found

    return tuple(
        task.name
        for task in list_tasks()
        if task.corpus.redistributable
        and data_found(task, path) not in ("download", "missing", "unreadable")
    )


def _is_generated_sample(path: Path, sources: list[SourceSplit]) -> bool:
    """Return whether the run in whose folder they lie made these documents from templates.

    Its record must have these very files: that nobody in a text is real is said of no other.
    """
    start = Path.cwd() / path
    files = [Path.cwd() / file for source in sources for file in source.files]
    for run in (start, start.parent, start.parent.parent):
        if not read_results(run).get("corpus", {}).get("generated"):
            continue
        record = read_record(run)
        outputs = {} if record is None else record.outputs
        return bool(files) and all(
            file.is_relative_to(run)
            and outputs.get(file.relative_to(run).as_posix(), {}).get("sha256") == sha256(file)
            for file in files
        )
    return False


def _kind_of(columns: set[str]) -> str:
    if "rewriting_config" in columns:  # of names that others use too nothing is concluded
        return "rephrased"
    return "finemed" if "medical_entity_density" in columns else "dataset"


def _secrets(records: list[SplitRecord]) -> list[Finding]:
    found = []
    for record in records:
        for told in record.statistics.secrets.values():
            secret = Secret(told["kind"], told["masked"], told["fingerprint"])
            where = f" in column '{told['column']}', {told['rows']:,} row(s)"
            where += f", the first is row {told['first']:,}"
            found.append(secret_finding(f"{record.config}/{record.split}", secret, where))
    return found


def dataset_context(
    repo_id: str,
    facts: CardFacts,
    records: list[SplitRecord],
    folder: Path,
    kind: str,
    tasks: tuple[str, ...],
    protocol: str,
) -> dict[str, Any]:
    """What a dataset's card shows."""
    configs: dict[str, list[SplitRecord]] = {}
    for record in records:
        known = configs.setdefault(record.config, [])
        if known and known[0].features != record.features:
            raise DataError(
                f"The columns of '{record.split}' of '{record.config}' differ from those of "
                f"'{known[0].split}'",
                "one schema in a configuration",
            )
        known.append(record)
    described = [
        _config(name, found, folder, facts, bool(tasks)) for name, found in configs.items()
    ]
    return {
        **shared_context(repo_id, facts),
        "configs": described,
        "rows": sum(r.rows for r in records),
        "generated": find_kind(kind).generated,
        "fields": _fields(configs, kind),
        "thresholds": _thresholds(records),
        "classes": _classes(records),
        "rewriters": [name for name, _ in _classes(records).get("rewriter", [])],
        "tasks": tasks,
        "protocol": protocol,
        "corpora": _corpora(tasks),
        "first": described[0],
        "has_words": any(config["words"] for config in described),
        "has_tokens": any(config["tokens"] for config in described),
    }


def _config(
    name: str, records: list[SplitRecord], folder: Path, facts: CardFacts, is_task: bool
) -> dict[str, Any]:
    sums: Counter[str] = Counter()
    for record in records:
        sums.update(record.statistics.sums)
    files = [folder / shard for record in records for shard in record.shards]
    written: str | None = None
    if is_task:
        from doctobert_hf.drbenchmark import get_task

        written = get_task(name).corpus.license
        several = license_ids(written)
    else:
        licence = _licence_of(name, facts)
        several = [licence] if licence else []
    return {
        "name": name,
        "splits": records,
        "rows": sum(record.rows for record in records),
        "words": sums.get("words"),
        "tokens": sums.get("tokens"),
        "characters": sums.get("characters"),
        "download_size": sum(file.stat().st_size for file in files),
        "license": several[0] if several else None,
        "licenses": several + _licenses_of_rows(records),
        "license_name": written or facts.license_name,
        "other_licenses": [
            name for name in _named_by_rows(records) if "other" in license_ids(name)
        ],
    }


def _named_by_rows(records: list[SplitRecord]) -> list[str]:
    return [name for name in dict(_classes(records, most=None).get("licence", [])) if name.strip()]


def _licenses_of_rows(records: list[SplitRecord]) -> list[str]:
    """Licences that rows name, as the Hub writes them: ``other`` for what it has no name for."""
    return [found for name in _named_by_rows(records) for found in license_ids(name)]


def _licence_warnings(context: dict[str, Any]) -> list[str]:
    """Rows that name a licence which no configuration is published under."""
    declared = {config["license"] for config in context["configs"]}
    every = {found for config in context["configs"] for found in config["licenses"]}
    said = ", ".join(sorted(map(str, declared)))
    return [
        f"{rows:,} row(s) say their licence is '{name}'; the card says {said}"
        + (", and theirs too" if set(license_ids(name)) <= every else "")
        for name, rows in context["classes"].get("licence", [])
        if not set(license_ids(name)) <= declared
    ]


def _fields(configs: dict[str, list[SplitRecord]], kind: str) -> list[dict[str, Any]]:
    """Columns in order of first appearance, their type, meaning and the configurations."""
    found: dict[tuple[str, str], list[str]] = {}
    for name, records in configs.items():
        for column, feature in records[0].features.items():
            found.setdefault((column, _type(feature)), []).append(name)
    everywhere = len(configs)
    return [
        {
            "name": column,
            "type": kind_of,
            "meaning": meaning(column, find_kind(kind).columns),
            "configs": "" if len(names) == everywhere else ", ".join(names),
        }
        for (column, kind_of), names in found.items()
    ]


def _type(feature: Any) -> str:
    from datasets import ClassLabel, Value

    if isinstance(feature, Value):
        return str(feature.dtype)
    if isinstance(feature, ClassLabel):
        return f"class label, {feature.num_classes} names"
    inner = getattr(feature, "feature", None)
    if inner is not None:
        return f"list of {_type(inner)}"
    if isinstance(feature, dict):
        return f"struct of {', '.join(feature)}"
    return type(feature).__name__


def _thresholds(records: list[SplitRecord]) -> list[dict[str, Any]]:
    """Rows and words by least quality and least density, summed over everything.

    Of what has no score of quality (``edu`` None then), or no document so good, nothing is said.
    """
    totals: dict[str, list[int]] = {}
    for record in records:
        for key, (rows, words) in record.statistics.thresholds.items():
            entry = totals.setdefault(key, [0, 0])
            entry[0], entry[1] = entry[0] + rows, entry[1] + words
    scored = any(totals.get(f"{edu}:{DENSITY_STEPS[0]}", [0])[0] for edu in EDU_STEPS[1:])
    return [
        {"edu": edu if scored else None, "density": density, "rows": found[0], "words": found[1]}
        for edu in EDU_STEPS
        for density in DENSITY_STEPS
        if (found := totals.get(f"{edu}:{density}")) and found[0]
    ]


def _classes(records: list[SplitRecord], most: int | None = 20) -> dict[str, list[tuple[str, int]]]:
    totals: dict[str, Counter[str]] = {}
    for record in records:
        for kind, counts in record.statistics.classes.items():
            totals.setdefault(kind, Counter()).update(counts)
    return {kind: counts.most_common(most) for kind, counts in totals.items()}


def _corpora(tasks: tuple[str, ...]) -> list[Any]:
    from doctobert_hf.drbenchmark import get_task

    return list({get_task(name).corpus.name: get_task(name).corpus for name in tasks}.values())
