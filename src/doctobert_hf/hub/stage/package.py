"""What would be published: a folder made of a run, a model, a tokenizer or data, with its card."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doctobert_hf.errors import UsageError
from doctobert_hf.files import write_json_atomic, write_text_atomic
from doctobert_hf.hub.cards.beside import told_of_others
from doctobert_hf.hub.cards.facts import CardFacts
from doctobert_hf.hub.cards.kinds import find_kind
from doctobert_hf.hub.cards.metadata import UPSTREAM, upstream_of
from doctobert_hf.hub.cards.reading import read_json
from doctobert_hf.hub.cards.records import (
    ModelFolder,
    has_vocabulary,
    locate_model,
    read_family,
    read_model,
    read_results,
)
from doctobert_hf.hub.cards.render import front_matter
from doctobert_hf.hub.cards.retrievers import read_retriever, write_retrieval_results
from doctobert_hf.hub.stage import foreign
from doctobert_hf.hub.stage.companions import stage_companions
from doctobert_hf.hub.stage.paths import without_paths
from doctobert_hf.version import __version__

if TYPE_CHECKING:
    from doctobert_hf.hub.cards.render import Card
    from doctobert_hf.hub.stage.merging import Changes, Remote

MANIFEST = "publication.json"
LONG_CONTEXT = 2048


@dataclass
class Package:
    """A staged folder and how its card is made.

    Attributes:
        repo_id: Name on the Hub.
        repo_type: ``model`` or ``dataset``.
        kind: Kind of card.
        folder: Where the files are.
        render: Renders the card, given the one that is on the Hub, or None.
        allowed: Files that may be pickles.
        warnings: What the user should know.
        kept: Files of earlier pushes that stay on the Hub, as their list had them.
        elsewhere: Configurations that stay there.
        licences: Of each configuration of a dataset.
        source: The folder that is published, for its README.
    """

    repo_id: str
    repo_type: str
    kind: str
    folder: Path
    render: Callable[[str | None], Card]
    allowed: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    kept: dict[str, Any] = field(default_factory=dict)
    elsewhere: list[str] = field(default_factory=list)
    licences: dict[str, list[str]] = field(default_factory=dict)
    source: Path | None = None
    _index: list[str] = field(default_factory=list)
    _licences: dict[str, list[str]] = field(default_factory=dict)

    def write_card(
        self, remote: Remote | None, replace: tuple[str, ...] = (), relicense: bool = True
    ) -> tuple[Card, Changes]:
        """Render the card into the folder, and the list of files with it.

        Args:
            remote: What stands on the Hub.
            replace: Configurations, or ``README.md``, that are replaced there.
            relicense: Whether the licence was said for this push.

        Raises:
            UsageError: Something of others would be lost.
        """
        from doctobert_hf.hub.stage import merging

        there = remote or merging.Remote("", None, {}, {})
        known = (
            merging.without_configs(there.card, replace) if there.card and replace else there.card
        )
        card = self.render(None if "README.md" in replace else known)
        self._index = foreign.results_in(front_matter(card.text))
        same = self._unchanged(there)
        weights = {path.name for path in self.folder.glob("*.safetensors")}
        text, changes = merging.merge_card(
            *(card.text, there, self.repo_type, replace, relicense, self.repo_id),
            bool(weights) and weights <= same,
            self.licences,
        )
        changes.told += self._local_card(card.text, relicense)
        write_text_atomic(self.folder / "README.md", text)
        names = {path.relative_to(self.folder).as_posix() for path in self.files()} | {MANIFEST}
        configs = {name.split("/")[1] for name in names if name.startswith("data/")}
        self.kept = merging.plan_files(
            names, there, self.repo_type, configs, replace, changes, same
        )
        self.elsewhere = changes.kept_configs
        before = there.manifest.get("licences") or {}
        kept = {name: before[name] for name in self.elsewhere if name in before}
        self._licences = {**kept, **self.licences}
        write_json_atomic(self.folder / MANIFEST, self.manifest())
        return dataclasses.replace(card, text=text), changes

    def _unchanged(self, remote: Remote) -> set[str]:
        """Names of the files that stand on the Hub as they are here."""
        known = {path.relative_to(self.folder).as_posix(): path for path in self.files()}
        return {
            name
            for name in known.keys() & remote.files.keys()
            if foreign.is_same(known[name], remote.files[name])
        }

    def _local_card(self, text: str, relicense: bool) -> list[str]:
        """Check the README beside what is published; return what to tell of it."""
        from doctobert_hf.hub.stage import merging

        local = (self.source or self.folder) / "README.md"
        if self.source is None or not local.is_file():
            return []
        card = local.read_text(encoding="utf-8")
        merging.check_local_license(card, text, relicense, self.source.name)
        return foreign.told_of_local(card, self.source.name)

    def files(self) -> list[Path]:
        """All files to publish, notes of a stopped run left out."""
        return sorted(
            path
            for path in self.folder.rglob("*")
            if path.is_file() and not path.name.startswith(".")
        )

    def manifest(self) -> dict[str, Any]:
        """Kind, maker and fingerprints; the card is left out, for people edit it."""
        files = {}
        for path in self.files():
            if path.name not in (MANIFEST, "README.md"):
                blob, digest = foreign.fingerprints(path)
                name = path.relative_to(self.folder).as_posix()
                files[name] = {"size": path.stat().st_size, "sha256": digest, "blob": blob}
        from doctobert_hf.hub.stage.merging import card_fingerprint, headings_of

        card = (self.folder / "README.md").read_text(encoding="utf-8")
        maker = f"doctobert-hf {__version__}"
        return {
            "format": 1,
            "repo_id": self.repo_id,
            "kind": self.kind,
            "made_with": maker,
            "card": card_fingerprint(card),
            "headings": headings_of(card),
            **({"elsewhere": self.elsewhere} if self.elsewhere else {}),
            **({"index": self._index} if self.repo_type == "model" else {}),
            **({"licences": self._licences} if self._licences else {}),
            "files": dict(sorted({**self.kept, **files}.items())),
        }


def package_model(
    path: Path,
    repo_id: str,
    folder: Path,
    facts: CardFacts,
    results: Path | None = None,
    results_model: str | None = None,
    kind: str | None = None,
    checkpoints: bool = False,
    optimizer: bool = False,
) -> Package:
    """Stage a model, or the checkpoints of a run, into ``folder``.

    Args:
        path: A run's folder or a model's.
        repo_id: Name on the Hub.
        folder: Where to stage.
        facts: What records do not know.
        results: ``--output`` of ``doctobert-hf benchmark run``.
        results_model: The model's name there, where it cannot be told.
        kind: Kind of card; default: told from the model.
        checkpoints: Publish every checkpoint instead of the final model.
        optimizer: Publish optimizer states with them.
    """
    from doctobert_hf.hub.stage import models

    if kind is not None:
        find_kind(kind, "model")  # before anything is read
    if optimizer and not checkpoints:
        raise UsageError("optimizer without checkpoints", "both")
    context, warnings = model_context(path, repo_id, facts, results, results_model)
    allowed: list[str] = []
    if checkpoints:
        kind = "checkpoints"
        context["checkpoints"] = models.stage_checkpoints(path, folder, optimizer)
        context["optimizer"] = optimizer
        allowed = [
            f.relative_to(folder).as_posix()
            for name in models.OPTIMIZER_FILES
            for f in folder.glob(f"*/{name}")
        ]
        run: Path | None = path
    else:
        place = locate_model(path)
        kind = kind or kind_of(place, facts, context["record"])
        warnings += models.stage_model(place, folder)
        stage_companions(place.model, folder)
        if place.model != place.run:  # a run in whose own folder the model lies holds much else
            warnings += models.told_of_left_out(place.model, folder)
        run = place.run
    if run is not None:
        step = None if checkpoints else place.step
        drawn = bool(context["record"].get("untrained"))  # its twin's log is not its own
        models.stage_training_records(run, folder, step, with_logs=not drawn)
    if context["scores"]:
        from doctobert_hf.hub.cards.results import write_eval_results

        write_eval_results(context["scores"], folder, facts)
    if context["record"].get("retrieval"):
        write_retrieval_results(context["record"]["retrieval"], folder, facts)
    chosen = kind
    return Package(
        repo_id,
        "model",
        chosen,
        folder,
        lambda remote: render_model(chosen, context, path, remote),
        allowed,
        warnings,
        source=path,
    )


def model_context(
    path: Path,
    repo_id: str,
    facts: CardFacts,
    results: Path | None = None,
    results_model: str | None = None,
) -> tuple[dict[str, Any], list[str]]:
    """What a model's card shows, and warnings about it."""
    try:
        place = locate_model(path)
    except UsageError:
        from doctobert_hf.pretraining.checkpoints import list_checkpoints

        if not path.is_dir() or not list_checkpoints(path):
            raise
        place = ModelFolder(list_checkpoints(path)[-1], path)
    scores, warnings = _scores(place, repo_id, results, results_model)
    if place.other is not None:
        warnings.append(
            f"The records of the run '{place.other.name}' are of other weights than "
            f"'{place.model.name}': the card is made without them"
        )
    else:
        warnings += told_of_others(place.model)
    record = without_paths(read_model(place))
    own_mask = _special(place.model, "mask_token")
    mask = own_mask or "[MASK]"
    classes = record["architecture"]["classes"]
    for row in record.get("fill_mask", ()):  # a reader copies the sentence
        row["sentence"] = row["sentence"].replace("[MASK]", mask)
    known = (record.get("finetuning") or record).get("base_model_id")
    facts = facts if facts.base_model else dataclasses.replace(facts, base_model=known)
    return {
        **shared_context(repo_id, facts),
        "record": record,
        "family": read_family(facts.family or {}),
        "scores": scores,
        "retriever": read_retriever(place.model),
        "mask_token": mask,
        "fills_masks": bool(own_mask) and any("ForMaskedLM" in name for name in classes),
        "has_run": place.run is not None,
    }, warnings


def _scores(
    place: ModelFolder, repo_id: str, results: Path | None, results_model: str | None
) -> tuple[dict[str, Any] | None, list[str]]:
    """Read the results that are named, else those the run measured itself, if of these weights."""
    from doctobert_hf.hub.cards.results import read_scores

    if results is not None:
        scores = read_scores(results, place.model, repo_id, results_model)
        return scores, scores["warnings"]
    if place.benchmark is None:
        return None, []
    try:
        scores = read_scores(place.benchmark, place.model, repo_id, results_model)
    except UsageError as error:
        return None, [f"The run's benchmark results are left out: {error.got}"]
    return scores, scores["warnings"]


def kind_of(place: ModelFolder, facts: CardFacts, record: dict[str, Any]) -> str:
    """Tell the kind of card from a model's class, its modules and its length."""
    if (place.model / "modules.json").is_file():
        return "retrieval"
    classes = record["architecture"]["classes"]
    if any("Classification" in name or "MultipleChoice" in name for name in classes):
        # What annotates a corpus describes itself; a head on a benchmark task has a base model.
        return "head" if facts.base_model or record.get("finetuning") else "classifier"
    architecture = record["architecture"]
    length = architecture.get("max_length") or architecture.get("positions") or 0
    return "long-context" if length >= LONG_CONTEXT else "encoder"


def render_model(kind: str, context: dict[str, Any], path: Path, remote: str | None) -> Card:
    """Render a model's card, with the human edits of the local card and of the Hub's."""
    from doctobert_hf.hub.cards.front import model_metadata
    from doctobert_hf.hub.cards.render import render_card

    if kind == "retrieval" and context["retriever"] is None:
        raise UsageError(f"'{path}' is no retrieval model", "a folder with modules.json")
    metadata = model_metadata(kind, context)
    earlier = earlier_cards(path, remote)
    tuned = context["record"].get("finetuning") or {}
    if tuned.get("base_model") and not tuned.get("base_model_id"):
        # Version 0.1 wrote the folder that was fine-tuned as if it were an id on the Hub.
        line = f"base_model: {tuned['base_model']}\n"
        earlier = [text.replace(line, "", 1) for text in earlier]
    return render_card(kind, metadata, context, earlier)


def package_tokenizer(path: Path, repo_id: str, folder: Path, facts: CardFacts) -> Package:
    """Stage a tokenizer; figures come from ``evaluation.json`` or the run that made it."""
    from doctobert_hf.hub.cards.front import tokenizer_metadata
    from doctobert_hf.hub.cards.render import render_card
    from doctobert_hf.hub.stage.models import stage_tokenizer

    source = path / "tokenizer" if (path / "tokenizer" / "tokenizer.json").is_file() else path
    tokenizer = stage_tokenizer(source, folder)
    stage_companions(source, folder)
    context = tokenizer_context(source, repo_id, facts, tokenizer)
    metadata = tokenizer_metadata(context)
    return Package(
        repo_id,
        "model",
        "tokenizer",
        folder,
        lambda remote: render_card("tokenizer", metadata, context, earlier_cards(source, remote)),
        source=source,
    )


def tokenizer_context(
    source: Path, repo_id: str, facts: CardFacts, tokenizer: Any
) -> dict[str, Any]:
    """What a tokenizer's card shows."""
    special = {
        name: (token, tokenizer.convert_tokens_to_ids(token))
        for name, token in tokenizer.special_tokens_map.items()
        if isinstance(token, str)
    }
    backend = read_json(source / "tokenizer.json") or {}
    blanks = "a  b\n\n\tc"
    digits = tokenizer.tokenize("2026")
    measured = read_json(source / "evaluation.json")
    run = read_results(source.parent) if has_vocabulary(source, source.parent) else {}
    if measured is None:
        measured = run.get("tokenizer")
    return {
        **shared_context(repo_id, facts),
        "vocab_size": len(tokenizer),
        "max_length": tokenizer.model_max_length if tokenizer.model_max_length < 10**9 else None,
        "special": special,
        "model": backend.get("model", {}).get("type"),
        "byte_fallback": backend.get("model", {}).get("byte_fallback", False),
        "single_digits": sum(any(c.isdigit() for c in token) for token in digits) == 4,
        "keeps_blanks": tokenizer.decode(
            tokenizer(blanks, add_special_tokens=False)["input_ids"]
        ).strip()
        == blanks,
        "sentencepiece": (source / "sentencepiece.model").is_file(),
        "measured": measured if measured is not None else {},
        "record": run,
    }


def shared_context(repo_id: str, facts: CardFacts) -> dict[str, Any]:
    """Return what every card shows, whatever it is of."""
    owner, _, name = repo_id.rpartition("/")
    title = facts.title or name
    return {
        "repo_id": repo_id,
        "owner": owner,
        "name": name,
        "title": title,
        "facts": facts,
        "upstream": [*facts.attribution, *upstream_of(facts.datasets)],
        "unknown_datasets": [n for n in facts.datasets if n not in UPSTREAM],
        "citation": facts.citation or _citation(repo_id, title, facts),
        "version": __version__,
    }


def _citation(repo_id: str, title: str, facts: CardFacts) -> str | None:
    if not facts.authors:
        return None
    key = "".join(c for c in repo_id.rpartition("/")[2].lower() if c.isalnum())
    lines = [
        f"  title  = {{{title}}}",
        f"  author = {{{' and '.join(facts.authors)}}}",
        *([f"  year   = {{{facts.year}}}"] if facts.year else []),
        f"  url    = {{https://huggingface.co/{repo_id}}}",
    ]
    return f"@misc{{{key},\n" + ",\n".join(lines) + "\n}"


def _special(folder: Path, name: str) -> str | None:
    value = (read_json(folder / "tokenizer_config.json") or {}).get(name)
    return value.get("content") if isinstance(value, dict) else value


def _folder(path: Path) -> Path:
    return path if path.is_dir() else path.parent


def earlier_cards(path: Path, remote: str | None) -> list[str]:
    """Return the cards whose parts written by people are kept: the local one, the Hub's."""
    local = _folder(path) / "README.md"
    texts = [local.read_text(encoding="utf-8")] if local.is_file() else []
    return texts + ([remote] if remote else [])
