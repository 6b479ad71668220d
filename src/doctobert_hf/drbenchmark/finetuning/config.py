"""What a benchmark run measures and how; loads no torch, for it is the command line's too."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from doctobert_hf.config import check_bounds, option, refuse_unless_begun
from doctobert_hf.drbenchmark.spec import TaskSpec, check_protocol, with_metric
from doctobert_hf.errors import UsageError

LongInputs = Literal["chunk", "truncate"]
EVALUATIONS = 10
"""Looks at the validation split in a run, as published: every tenth of its steps."""
SPACE = "drbenchmark/search"


@dataclass(frozen=True)
class BenchmarkConfig:
    """What to measure and how."""

    tasks: tuple[str, ...] = option(("doctobert",), "all, doctobert (the paper's seven), or names")
    protocol: str = option(
        "doctobert", "drbenchmark, doctobert or strict", shown="doctobert; with --corpus: strict"
    )
    trials: int = option(20, "tuning trials for each task; 0: the space's untuned values", least=0)
    seeds: tuple[int, ...] = option(
        (42, 43, 44, 45, 46),
        "seeds of the final runs",
        least=0,
        most=2**32 - 1,
        shown="42 43 44 45 46; with --corpus: 42 43 44",
    )
    output: Path = option(Path("benchmark-results"), "folder of the results")
    data_dir: Path | None = option(
        None, "folder of raw corpora or an archive; default: $DOCTOBERT_DATA_DIR"
    )
    corpus: Path | None = option(
        None,
        "your own documents instead of tasks: a folder with annotated entities (BRAT, JSONL, "
        "exports), or a table or folder of texts with classes (columns text and label)",
    )
    space: str = option(SPACE, "search space: recipe or path", path=True)
    metric: str | None = option(
        None, "score by this metric of a plugin (register_metric), not by each task's own"
    )
    max_length: int = option(512, "most tokens of a sequence", least=16)
    long_inputs: LongInputs = option("chunk", "what is done about longer ones")
    legacy: bool = option(
        False, "the published procedure with its bugs, for parity with printed scores"
    )
    max_train_rows: int | None = option(None, "train on at most so many rows of each task", least=1)
    evaluations: int = option(
        EVALUATIONS, "looks at the validation split in a run; the best weights are kept", least=1
    )
    save_models: Literal["none", "best", "all"] = option(
        "none", "fine-tuned models to keep: none, of each task the best seed's, or all"
    )
    bf16: bool = option(
        False, "mixed precision on a processor that has it; GPUs that have it always use it"
    )
    tokens_at_once: int | None = option(
        None,
        "most tokens, padding counted, that training computes at once: less takes less memory; a "
        "longer batch is computed in parts, with the loss of the whole",
        least=1,
        shown="2048 on a processor, 32768 on a GPU",
    )
    jobs: int = option(1, "trials at once", least=1)

    def __post_init__(self) -> None:
        check_protocol(self.protocol)
        if not self.seeds or len(set(self.seeds)) < len(self.seeds):
            raise UsageError(f"seeds {self.seeds}", "different seeds, at least one")
        check_bounds(self)
        if self.long_inputs not in ("chunk", "truncate"):
            raise UsageError(f"long_inputs '{self.long_inputs}'", "chunk or truncate")
        if self.jobs > 1 and not self.trials:
            alone = f"jobs {self.jobs} with trials 0, of which none are at once"
            refuse_unless_begun(UsageError(alone, "trials above 0, or no jobs"))

    @property
    def procedure(self) -> str:
        """Name of the procedure in results."""
        return "legacy" if self.legacy else "standard"

    def task_specs(self) -> list[TaskSpec]:
        """The tasks asked for, with the metric asked for.

        Raises:
            UsageError: An unknown name.
        """
        return [with_metric(task, self.metric) for task in self._named_tasks()]

    def _named_tasks(self) -> list[TaskSpec]:
        if self.corpus is not None and self.tasks != type(self).tasks:
            from doctobert_hf.drbenchmark.finetuning.private import list_private_tasks

            known = {task.name: task for task in list_private_tasks(str(self.corpus), True)}
            unknown = [name for name in self.tasks if name not in known]
            if unknown:
                raise UsageError(
                    f"No task '{unknown[0]}' in the corpus '{self.corpus}'",
                    f"one of {', '.join(known)}",
                    "Leave --tasks out for all of them; those of DrBenchmark go without --corpus",
                )
            return [known[name] for name in dict.fromkeys(self.tasks)]
        if self.corpus is not None:
            from doctobert_hf.drbenchmark.finetuning.private import list_private_tasks

            return list_private_tasks(str(self.corpus))
        from doctobert_hf.drbenchmark.tasks import named_tasks

        return named_tasks(self.tasks)
