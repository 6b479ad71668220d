"""Configuration of FineMed's stages: one dataclass each, from YAML with the command line on top."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from doctobert_hf.config import build_config, check_bounds, option, read_yaml
from doctobert_hf.errors import UsageError
from doctobert_hf.executors import check_executor
from doctobert_hf.extension import full_name
from doctobert_hf.files import refuse_remote
from doctobert_hf.recipes import find_recipe


@dataclass
class StageConfig:
    """What every stage has: where from, where to, and on what it runs."""

    input: tuple[str, ...] = option(
        (), "corpus files, folders or patterns of them, or addresses such as hf://"
    )
    output: Path = option(Path("finemed"), "folder of the stage's result")
    text_column: str = option("text", "column that holds the text")
    id_column: str = option("id", "column that identifies a document")
    parts: int = option(
        1,
        "parts the input is split into; also the number of output shards",
        least=1,
        formerly="tasks",
        means_now="--tasks are DrBenchmark's everywhere; decontaminate takes them as --benchmark",
    )
    workers: int = option(1, "parts worked on at the same time", least=1)
    executor: Literal["local", "slurm", "ray"] = option("local", "what runs the parts")
    slurm_partition: str | None = option(None, "partition of Slurm jobs; null: the cluster's own")
    slurm_account: str | None = option(None, "account of Slurm jobs")
    slurm_qos: str | None = option(None, "quality of service of Slurm jobs")
    slurm_constraint: str | None = option(None, "features that nodes of Slurm jobs must have")
    slurm_time: str | None = option(None, "time limit of Slurm jobs, e.g. 20:00:00")
    slurm_gpus: int = option(0, "GPUs of each Slurm job", least=0)
    slurm_memory: int = option(4, "GB of memory of each Slurm job", least=1)
    slurm_setup: str | None = option(None, "shell command before each Slurm job (environment)")

    def __post_init__(self) -> None:
        check_bounds(self)
        check_executor(self)

    def check_input(self) -> None:
        """Raise an error where no input is named."""
        if not self.input:
            raise UsageError(
                "No input",
                "files, folders, patterns or addresses such as hf://",
                "Pass --input PATH ...",
            )


RUNS_ON: tuple[str, ...] = (
    *("workers", "executor", "output", "requests_at_once", "requests_per_minute"),
    *("slurm_partition", "slurm_account", "slurm_qos", "slurm_constraint", "slurm_time"),
    *("slurm_gpus", "slurm_memory", "slurm_setup"),
    *("endpoint", "endpoint_key_variable", "retries", "timeout", "give_up_after"),
    *("give_up_share", "retry_failed", "batch"),
    *("server", "server_gpus", "server_context", "server_options"),
)
"""Fields that change who does the work, not what comes out; ``parts`` sets the shards."""


@dataclass
class AnnotateConfig(StageConfig):
    """The domain prefilter and the three axes.

    Attributes are documented by their ``help``; ``light`` annotators need no model and no network.
    """

    domain: str = option(
        "nvidia/multilingual-domain-classifier",
        "classifier of 26 domains, 'light', 'none', or your own: FILE.py:Class",
    )
    keep_domains: tuple[str, ...] = option(("Health",), "domains to keep; empty: all")
    subdomain: str = option(
        "doctolib-lab/finemed-subdomain-classifier-fr",
        "classifier of 15 classes, 'light', 'none', or FILE.py:Class",
    )
    quality: str = option(
        "doctolib-lab/finemed-edu-quality-classifier-fr",
        "regression from 0 to 5, 'light', 'none', or FILE.py:Class",
    )
    terms: str = option(
        "doctolib-lab/finemed-entity-extractor-fr",
        "GLiNER2 model, 'lexicon', 'none', or FILE.py:Class",
    )
    revision: str | None = option(None, "revision of the models")
    lexicons: tuple[str, ...] = option(
        ("base", "cim10", "drugs"),
        "for terms: lexicon. base (in the package), cim10 and drugs (edsnlp's), or term files",
    )
    density: Literal["union", "legacy"] = option("union", "formula of the term density")
    url_prefix: bool = option(True, "begin the subdomain classifier's input with the url")
    max_length: int = option(
        8192, "longest window of a classifier in tokens, if its model allows", least=1
    )
    batch_size: int = option(16, "windows a classifier or extractor takes at once", least=1)
    threshold: float = option(0.5, "least score of an extracted term")

    def __post_init__(self) -> None:
        super().__post_init__()
        for axis in ("domain", "subdomain", "quality", "terms"):
            setattr(self, axis, full_name(getattr(self, axis)))
        if not 0 < self.threshold < 1:
            raise UsageError(f"threshold {self.threshold}", "between 0 and 1")
        models = [axis for axis in ("domain", "subdomain", "quality") if _is_model(self, axis)]
        entities = _is_model(self, "terms")
        unused = {
            "keep_domains": self.domain == "none" and bool(self.keep_domains) and "domain 'none'",
            "density": self.terms == "none" and "terms 'none'",
            "threshold": not entities and f"terms '{self.terms}'",
            "lexicons": self.terms != "lexicon"
            and "light" not in (self.domain, self.subdomain, self.quality)
            and f"terms '{self.terms}'",
            "url_prefix": self.subdomain in ("light", "none") and f"subdomain '{self.subdomain}'",
            "max_length": not models and "no classifier that is a model",
            "batch_size": not models and not entities and "no annotator that is a model",
            "revision": not models and not entities and "no annotator that is a model",
        }
        _refuse_unused(self, unused)


def _is_model(config: AnnotateConfig, axis: str) -> bool:
    """Return whether an annotator is a model's folder or id."""
    name = getattr(config, axis)
    return name not in ("light", "lexicon", "none") and ":" not in name


def _refuse_unused(config: StageConfig, unused: Mapping[str, str | bool]) -> None:
    """Raise an error where a key that does nothing here is not as it is by default.

    Args:
        config: The stage's settings.
        unused: By key, with what it does nothing; False where it does something.
    """
    for item in fields(config):
        why = unused.get(item.name)
        value = getattr(config, item.name)
        if why and (tuple(value) if isinstance(value, list) else value) != item.default:
            raise UsageError(f"{item.name} with {why}: it would do nothing", fix="Leave it out")


@dataclass
class FilterConfig(StageConfig):
    """Documents by an expression over their columns."""

    where: str = option("main", "expression, or the name of a published mix")
    nulls: Literal["published", "pass", "fail", "error"] = option(
        "published", "what a missing value does; 'published': as in the published mixes"
    )


@dataclass
class CleanConfig(StageConfig):
    """Language, repetition, duplicates within and across sources, personal data counted."""

    repair: bool = option(
        False, "repair encodings, entities, words cut at line ends, Unicode forms; counted"
    )
    language: str | None = option("fr", "language to keep, or none")
    language_score: float = option(0.5, "least confidence in it", least=0, most=1)
    repetition: bool = option(False, "drop repetitive texts (Gopher's rules): also leaflets")
    exact: bool = option(True, "drop texts equal but for case, white space and punctuation")
    minhash: bool = option(True, "find near-duplicates by MinHash")
    mark_near_duplicates: bool = option(
        False,
        "keep them, with cluster_id, cluster_size and cluster_rank, for where: cluster_rank < 2 "
        "in later stages",
    )
    shingle_words: int = option(5, "words of a MinHash shingle", least=1)
    similarity: float = option(
        0.7, "share of shingles that near-duplicates have in common, at least", above=0, most=1
    )
    duplicates_column: bool = option(
        False, "add how many near-duplicates a document stands for (near_duplicates)"
    )
    buckets: int = option(14, "MinHash buckets", least=1)
    hashes_per_bucket: int = option(8, "hashes of a bucket", least=1)
    seed: int = option(1, "seed of the hash functions")
    pii: Literal["count", "mask", "drop"] = option(
        "count", "personal data: count it, mask it, or drop documents that hold some"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.mark_near_duplicates and not self.minhash:
            raise UsageError("mark_near_duplicates without minhash: none would be found")
        if self.mark_near_duplicates and self.duplicates_column:
            raise UsageError(
                "duplicates_column with mark_near_duplicates",
                "one of the two: cluster_size says as much",
            )
        of_pairs = ("shingle_words", "similarity", "duplicates_column", "buckets")
        unused = dict.fromkeys(
            (*of_pairs, "hashes_per_bucket", "seed"), not self.minhash and "minhash off"
        )
        _refuse_unused(
            self, {**unused, "language_score": self.language is None and "no language to keep"}
        )


@dataclass
class DeidentifyConfig(StageConfig):
    """Personal data replaced by placeholders, with a table of what was replaced."""


@dataclass
class DecontaminateConfig(StageConfig):
    """Documents that hold test units of DrBenchmark."""

    benchmark: tuple[str, ...] = option(
        (), "DrBenchmark tasks, or text files and tables of units; empty: all tasks at hand"
    )
    data_dir: Path | None = option(None, "folder of DrBenchmark's raw corpora")
    units: Literal["documents", "rows"] = option(
        "documents", "look for whole test documents, or for each row (sentence) alone"
    )
    words: int = option(8, "words of an n-gram; shorter units are looked for whole")
    least_words: int = option(8, "units under this many words are looked for as whole lines")
    near: float = option(
        0.3,
        "share of a unit's three-word grams close together that does too; 0: not looked for",
        least=0,
        most=1,
    )
    overlap: float = option(0.5, "share of a unit's n-grams that makes a document contaminated")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.overlap <= 1:
            raise UsageError(f"overlap {self.overlap}", "above 0, at most 1")
        if not 1 <= self.least_words <= self.words:
            raise UsageError(f"least_words {self.least_words}", f"from 1 to words, {self.words}")


@dataclass
class RephraseConfig(StageConfig):
    """Genre and audience reformulation by an OpenAI-compatible endpoint."""

    endpoint: str = option("http://localhost:8000", "server; '/v1/chat/completions' is added")
    endpoint_key_variable: str = option(
        "OPENAI_API_KEY", "environment variable that holds the key, where one is needed"
    )
    batch: Path | None = option(
        None, "folder of OpenAI batch files to exchange, instead of the endpoint"
    )
    server: Literal["none", "vllm", "sglang"] = option(
        "none", "start this server beside each part, on its GPUs, instead of asking the endpoint"
    )
    server_gpus: int = option(1, "GPUs of each such server", least=1)
    server_context: int = option(32768, "tokens of prompt and answer that it takes", least=1)
    server_options: tuple[str, ...] = option((), "its own options, as NAME=VALUE or NAME")
    model: str = option("Qwen/Qwen3.5-35B-A3B-FP8", "model that rewrites")
    model_revision: str | None = option(None, "its revision, for the record")
    where: str = option("edu >= 1 and density >= 0.01", "documents to rewrite")
    tokenizer: str | None = option(None, "tokenizer of chunk_tokens; none: words are counted")
    chunk_tokens: int = option(8192, "longest chunk to rewrite, in tokens (or 0.6 words)", least=1)
    temperature: float = option(0.7, "sampling temperature", least=0)
    top_p: float = option(0.8, "nucleus", above=0, most=1)
    top_k: int = option(20, "candidates (vLLM; others ignore it)", least=0)
    plan_tokens: int = option(3072, "most tokens of the plan", least=1)
    rewrite_tokens: int = option(16384, "most tokens of a rewrite", least=1)
    seed: int = option(17, "seed of the choices by document and of the sampling")
    requests_at_once: int = option(32, "requests under way", least=1)
    requests_per_minute: int | None = option(None, "limit of the endpoint", least=1)
    retries: int = option(
        5, "tries after a request that failed in passing (429, 5xx, time-out)", least=0
    )
    timeout: float = option(600.0, "seconds to wait for an answer", above=0)
    give_up_after: int = option(20, "requests failed in a row that end the run", least=1)
    give_up_share: float = option(
        0.8, "share of documents whose requests failed above which the run ends", least=0, most=1
    )
    retry_failed: bool = option(
        False, "ask again for documents whose requests failed, in a finished run too"
    )
    judge: bool = option(
        False,
        "ask the model of each rewrite whether it is faithful: one more gate, a third request",
    )
    prompts: str = option("v1", "version of the prompts, or a folder with plan.md and rewrite.md")
    price_in: float = option(0.0, "price of a million prompt tokens, for the estimate", least=0)
    price_out: float = option(0.0, "price of a million answer tokens, for the estimate", least=0)
    lexicons: tuple[str, ...] = option(("base", "cim10", "drugs"), "terms a rewrite must keep")
    keep_terms: float = option(
        0.6, "least share of the source's terms in a rewrite", least=0, most=1
    )
    length_ratio: tuple[float, ...] = option((0.3, 3.0), "words of the rewrite by the source's")
    copy_share: float = option(0.6, "largest share of 8-word sequences taken over", least=0, most=1)
    repeated_share: float = option(
        0.2, "largest share of repeated 8-word sequences", least=0, most=1
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.length_ratio) != 2 or not 0 < self.length_ratio[0] < self.length_ratio[1]:
            raise UsageError(f"length_ratio {self.length_ratio}", "two numbers, the lower first")
        self._check_server()
        if self.batch is None:
            return
        refuse_remote(self.batch, "the batch's files")
        if self.executor != "local":
            raise UsageError(
                f"batch with executor '{self.executor}'",
                "executor local: nothing is computed but the files",
            )

    def _check_server(self) -> None:
        """Refuse settings that would do nothing, and servers in each other's way."""
        plain = {item.name: item.default for item in fields(self)}
        served = self.server != "none"
        idle = ("endpoint", "batch") if served else ("server_gpus", "server_context",
                                                     "server_options")  # fmt: skip
        for name in idle:
            if getattr(self, name) != plain[name]:
                raise UsageError(f"{name} with server '{self.server}': it would do nothing")
        if served and self.executor == "local" and self.workers > 1:
            raise UsageError(
                f"workers {self.workers} with server '{self.server}' on this machine",
                "workers 1: each part starts a server, and they would share the GPUs",
            )
        if served and self.executor == "slurm" and self.slurm_gpus < self.server_gpus:
            raise UsageError(
                f"slurm_gpus {self.slurm_gpus} with server '{self.server}' on {self.server_gpus}",
                f"slurm_gpus {self.server_gpus}, or server_gpus as many as a job has",
            )


@dataclass
class MixConfig(StageConfig):
    """Documents of several sources, cut to the training length, in given shares."""

    input: tuple[str, ...] = option((), "leave empty: the sources name their own")
    sources: tuple[Any, ...] = option(
        (), "mappings with name, input, and where and share if wanted"
    )
    tokenizer: str = option("", "tokenizer of the training")
    max_length: int = option(512, "tokens of a chunk, special tokens counted")
    unit: Literal["tokens", "chunks", "documents"] = option(
        "tokens", "what the shares count; documents: whole ones are drawn"
    )
    ids: bool = option(False, "write the chunks' ids too, for 'pretrain store --ids-column'")
    total: int | None = option(None, "how many of them; none: as many as the shares allow", least=1)
    min_tokens: int = option(0, "chunks with fewer tokens are left out (128 for context)", least=0)
    long_tokens: int | None = option(
        None, "for context extension: chunks that count as long", least=1
    )
    long_share: float = option(
        0.8, "largest share of long chunks among those kept", least=0, most=1
    )
    context_share: float = option(
        0.2, "for context extension: share of chunks kept in all", least=0, most=1
    )
    seed: int = option(17, "seed of the sampling")

    def __post_init__(self) -> None:
        super().__post_init__()
        why = self.long_tokens is None and "no long_tokens"
        _refuse_unused(self, {"long_share": why, "context_share": why})


@dataclass
class StatsConfig(StageConfig):
    """Figures of annotated documents, by source."""

    source_column: str | None = option(None, "column that names the source; none: one by input")
    tokenizer: str | None = option(None, "count tokens with this tokenizer")
    calibration: int = option(500, "documents to compare the two densities on", least=0)
    plots: bool = option(True, "draw figures (extra 'plot')")


@dataclass
class DistilConfig(StageConfig):
    """An annotator trained on a large model's labels."""

    axis: Literal["subdomain", "quality"] = option("subdomain", "what is learnt")
    label_column: str = option("label", "column with the class, or the score from 0 to 5")
    model: str = option(
        "almanach/moderncamembert-base", "encoder, or an annotator to train further"
    )
    url_prefix: bool = option(True, "begin the input with the url, where there is one")
    max_length: int = option(8192, "longest input in tokens, if the model allows")
    learning_rate: float = option(2e-5, "peak rate; 1e-5 for the second step")
    epochs: int = option(3, "passes over the labels")
    batch_size: int = option(256, "documents an update")
    micro_batch_size: int = option(8, "documents at once on the device")
    eval_steps: int = option(200, "updates between evaluations")
    seed: int = option(17, "seed of split and training")


STAGES: dict[str, type[StageConfig]] = {
    "annotate": AnnotateConfig,
    "clean": CleanConfig,
    "deidentify": DeidentifyConfig,
    "filter": FilterConfig,
    "decontaminate": DecontaminateConfig,
    "rephrase": RephraseConfig,
    "mix": MixConfig,
    "stats": StatsConfig,
    "distil": DistilConfig,
}


def read_stage(stage: str, recipe: str | None, overrides: Mapping[str, Any]) -> Any:
    """Read a stage's recipe with the command line on top.

    Raises:
        UsageError: No such recipe, an unknown key or a wrong value.
    """
    cls = STAGES[stage]
    layers: list[Mapping[str, Any]] = []
    if recipe:
        layers.append(read_yaml(find_recipe(recipe, "finemed")))
    return build_config(cls, *layers, overrides, source=f"recipe '{recipe or stage}'")


def what_it_makes(config: StageConfig) -> dict[str, Any]:
    """The settings that decide what comes out, as JSON."""
    shown = {}
    for item in fields(config):
        if item.name not in RUNS_ON:
            value = getattr(config, item.name)
            shown[item.name] = list(value) if isinstance(value, tuple) else value
    return {key: str(value) if isinstance(value, Path) else value for key, value in shown.items()}
