"""What a benchmark run measures and how; loads no torch, for it is the command line's too."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from doctobert_hf.drbenchmark.spec import TaskSpec, check_protocol
from doctobert_hf.errors import UsageError

LongInputs = Literal["chunk", "truncate"]
EVALUATIONS = 10
"""Looks at the validation split in a run, as published: every tenth of its steps."""
SPACE = "drbenchmark/search"


def _key(default: Any, text: str) -> Any:
    return field(default=default, metadata={"help": text})


@dataclass(frozen=True)
class BenchmarkConfig:
    """What to measure and how."""

    tasks: tuple[str, ...] = _key(("doctobert",), "all, doctobert (the paper's seven), or names")
    protocol: str = _key("doctobert", "drbenchmark, doctobert or strict")
    trials: int = _key(20, "tuning trials for each task; 0: the space's untuned values")
    seeds: tuple[int, ...] = _key((42, 43, 44, 45, 46), "seeds of the final runs")
    output: Path = _key(Path("benchmark-results"), "folder of the results")
    data_dir: Path | None = _key(
        None, "folder of raw corpora or an archive; default: $DOCTOBERT_DATA_DIR"
    )
    corpus: Path | None = _key(
        None, "folder of your own annotated documents (BRAT or JSONL), instead of tasks"
    )
    space: str = _key(SPACE, "search space: recipe or path")
    max_length: int = _key(512, "most tokens of a sequence")
    long_inputs: LongInputs = _key("chunk", "what is done about longer ones")
    legacy: bool = _key(
        False, "the published procedure with its bugs, for parity with printed scores"
    )
    max_train_rows: int | None = _key(None, "train on at most so many rows of each task")
    evaluations: int = _key(
        EVALUATIONS, "looks at the validation split in a run; the best weights are kept"
    )
    jobs: int = _key(1, "trials at once")

    def __post_init__(self) -> None:
        check_protocol(self.protocol)
        if not self.seeds or len(set(self.seeds)) < len(self.seeds):
            raise UsageError(f"seeds {self.seeds}", "different seeds, at least one")
        for name, least in (
            *(("trials", 0), ("jobs", 1), ("max_length", 16), ("max_train_rows", 1)),
            ("evaluations", 1),
        ):
            value = getattr(self, name)
            if value is not None and value < least:
                raise UsageError(f"{name} {value}", f"at least {least}")
        if self.long_inputs not in ("chunk", "truncate"):
            raise UsageError(f"long_inputs '{self.long_inputs}'", "chunk or truncate")

    @property
    def procedure(self) -> str:
        """Name of the procedure in results."""
        return "legacy" if self.legacy else "standard"

    def task_specs(self) -> list[TaskSpec]:
        """The tasks asked for.

        Raises:
            UsageError: An unknown name.
        """
        if self.corpus is not None:
            from doctobert_hf.drbenchmark.finetuning.private import list_private_tasks

            return list_private_tasks(str(self.corpus))
        from doctobert_hf.drbenchmark.tasks import get_task, list_tasks

        names: list[str] = []
        for name in self.tasks:
            group = [t.name for t in list_tasks() if name == "all" or t.doctobert]
            names += group if name in ("all", "doctobert") else [get_task(name).name]
        return [get_task(name) for name in dict.fromkeys(names)]
