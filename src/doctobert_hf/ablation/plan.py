"""The plan of an ablation: a recipe, arms that change it, tasks and seeds.

recipe: doctobert-small/pretrain
max_tokens: 2000000
settings: {tokenizer: my-tokenizer}
arms:
everything: {corpus: all.parquet}
filtered: {corpus: filtered.parquet}
tasks: [quaero_emea, quaero_medline]
seeds: [1, 2, 3]
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doctobert_hf.config import build_config, check_bounds, option, read_yaml
from doctobert_hf.errors import UsageError, nearest

if TYPE_CHECKING:
    from doctobert_hf.drbenchmark.finetuning.config import BenchmarkConfig
    from doctobert_hf.pretraining.recipe import PretrainConfig

UNTRAINED = "untrained"
"""Name of the arm that is only begun: what pretraining itself brings."""


@dataclass
class AblationPlan:
    """Arms of pretraining and how they are measured.

    Example:
        >>> arms = {"low": {"mlm_probability": 0.15}, "high": {"mlm_probability": 0.4}}
        >>> plan = AblationPlan(arms=arms, tasks=("quaero_emea",), max_tokens=1_000_000)
        >>> list(plan.arms)
        ['low', 'high']
    """

    recipe: str = option("doctobert-small/pretrain", "recipe that every arm begins with")
    arms: dict[str, Any] = option({}, "by name, the keys that an arm changes", cli=False)
    settings: dict[str, Any] = option({}, "keys of all arms", cli=False)
    max_tokens: int | None = option(
        None, "tokens of every arm, for a fair comparison; null: the recipe's", least=1
    )
    baseline: str | None = option(None, "arm the others are compared with; null: the first")
    untrained: bool = option(True, "measure the model before pretraining too")
    tasks: tuple[str, ...] = option(("doctobert",), "tasks of DrBenchmark")
    data_dir: Path | None = option(None, "folder of raw corpora; null: $DOCTOBERT_DATA_DIR")
    corpus: Path | None = option(None, "folder of your own annotated documents, instead of tasks")
    seeds: tuple[int, ...] = option((1, 2, 3), "seeds of fine-tuning", least=0)
    max_train_rows: int | None = option(None, "rows of each task to fine-tune on", least=1)
    benchmark: dict[str, Any] = option({}, "other keys of 'benchmark run'", cli=False)

    def __post_init__(self) -> None:
        """Refuse a plan that compares nothing."""
        arms = self.arms if isinstance(self.arms, dict) else {}
        if not arms or not all(isinstance(keys, (dict, type(None))) for keys in arms.values()):
            raise UsageError(
                "A plan without arms", "arms: by name, the keys that each changes, e.g. 'a: {}'"
            )
        self.arms = {str(name): dict(keys or {}) for name, keys in arms.items()}
        for name in self.arms:
            if name == UNTRAINED or not re.fullmatch(r"\w[\w.-]*", name):
                raise UsageError(
                    f"An arm called '{name}'",
                    f"letters, digits, '.', '-' and '_', and not '{UNTRAINED}'",
                )
        if len(self.arms) < 2 and not self.untrained:
            raise UsageError("One arm and nothing to compare it with", "two arms, or untrained")
        if self.baseline is None:
            self.baseline = next(iter(self.arms))
        known = [*self.arms, *([UNTRAINED] if self.untrained else [])]
        if self.baseline not in known:
            raise UsageError(f"baseline '{self.baseline}'", fix=nearest(self.baseline, known))
        self.settings, self.benchmark = dict(self.settings or {}), dict(self.benchmark or {})
        check_bounds(self)

    def phase(self, name: str, output: Path) -> PretrainConfig:
        """Return the recipe of an arm.

        Args:
            name: The arm's name.
            output: Folder of the ablation.

        Raises:
            UsageError: An unknown key, or values that do not fit.
        """
        from doctobert_hf.pretraining.recipe import PretrainConfig
        from doctobert_hf.pretraining.trainer_keys import merged, split_keys
        from doctobert_hf.recipes import find_recipe

        path = find_recipe(self.recipe)
        saved = split_keys(read_yaml(path), PretrainConfig, f"recipe '{path}'")
        budget = {} if self.max_tokens is None else {"max_tokens": self.max_tokens}
        source = f"arm '{name}'"
        given = split_keys({**budget, **self.settings, **self.arms[name]}, PretrainConfig, source)
        given = merged(saved, given)
        given["output"] = output / "arms" / name
        return build_config(PretrainConfig, saved, given, source=source)

    def measuring(self, output: Path) -> BenchmarkConfig:
        """Return how every arm is measured: untuned values, for all the same."""
        from doctobert_hf.drbenchmark.finetuning.config import BenchmarkConfig

        given = {
            "tasks": self.tasks,
            "seeds": self.seeds,
            "data_dir": self.data_dir,
            "corpus": self.corpus,
            "max_train_rows": self.max_train_rows,
            "trials": 0,
            **({"protocol": "strict"} if self.corpus is not None else {}),
            **self.benchmark,
            "output": output / "results",
        }
        given = {key: value for key, value in given.items() if value is not None}
        if self.corpus is not None and self.tasks == type(self).tasks:
            del given["tasks"]
        return build_config(BenchmarkConfig, given, source="the plan's benchmark")


def read_plan(path: str | Path) -> AblationPlan:
    """Read a plan.

    Raises:
        UsageError: No such file, an unknown key, or a plan that compares nothing.

    Example:
        >>> from pathlib import Path
        >>> plan = {"arms": {"a": {}, "b": {"mlm_probability": 0.3}}, "max_tokens": 1000}
        >>> _ = Path("plan.yaml").write_text(str(plan))
        >>> read_plan("plan.yaml").max_tokens
        1000
    """
    place = Path(path)
    if not place.is_file():
        raise UsageError(f"No plan '{path}'", "a YAML file with 'arms'")
    return build_config(AblationPlan, read_yaml(place), source=f"plan '{path}'")
