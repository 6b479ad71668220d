"""Configuration: precedence, types, unknown keys."""

import argparse
import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest

from doctobert_hf.config import (
    add_config_arguments,
    build_config,
    config_overrides,
    read_yaml,
    write_yaml,
)
from doctobert_hf.errors import UsageError
from doctobert_hf.recipes import find_recipe, list_recipes


@dataclass
class Example:
    name: str
    steps: int = 10
    rate: float = 1e-3
    kind: Literal["a", "b"] = "a"
    flag: bool = False
    path: Path | None = None
    sizes: list[int] = field(default_factory=list)


def test_later_layers_win_and_types_are_coerced():
    made = build_config(
        Example, {"name": "x", "steps": 5, "rate": "1e-4"}, {"steps": "7", "flag": "true"}
    )
    assert made == Example("x", steps=7, rate=1e-4, flag=True)


def test_a_key_that_was_renamed_is_read_and_told(caplog):
    from doctobert_hf.pretraining.recipe import PretrainConfig

    made = build_config(PretrainConfig, {"init_from": "x", "hand_over": "full"}, source="recipe")
    assert made.init_mode == "full"
    assert "'hand_over' in the recipe is called 'init_mode' now" in caplog.text


def test_yaml_round_trip(tmp_path):
    example = Example("é", path=Path("a/b"), sizes=[1, 2])
    write_yaml(example, tmp_path / "x.yaml")
    assert build_config(Example, read_yaml(tmp_path / "x.yaml")) == example


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"name": "x", "stesp": 3}, ["stesp", "Did you mean 'steps'?"]),
        ({"name": "x", "steps": 1.5}, ["1.5", "steps", "int"]),
        ({"name": "x", "steps": True}, ["steps", "int"]),
        ({"name": "x", "kind": "c"}, ["'c'", "'a', 'b'"]),
        ({"name": "x", "flag": "maybe"}, ["flag", "bool"]),
        ({"steps": 3}, ["No value for 'name'"]),
        ({"name": "x", "sizes": ["a"]}, ["sizes"]),
    ],
)
def test_wrong_values_are_named(values, words):
    with pytest.raises(UsageError) as caught:
        build_config(Example, values, source="recipe 'r.yaml'")
    for word in [*words, "recipe 'r.yaml'"]:
        assert word in str(caught.value)


def test_options_show_their_default_as_it_is_typed():
    @dataclass
    class Lists:
        seeds: tuple[int, ...] = field(default=(42, 43), metadata={"help": "runs"})
        tags: tuple[str, ...] = field(default=(), metadata={"help": "more"})

    parser = argparse.ArgumentParser()
    add_config_arguments(parser, Lists)
    text = parser.format_help()
    assert "runs (default: 42 43)" in text and "(default: ())" not in text
    given = config_overrides(parser.parse_args(["--seeds", "1"]), Lists)
    assert build_config(Lists, given) == Lists(seeds=(1,))


@pytest.mark.parametrize("content", ["- a\n- b\n", "a: [1\n", "just text"])
def test_a_file_that_is_no_mapping(tmp_path, content):
    path = tmp_path / "bad.yaml"
    path.write_text(content)
    with pytest.raises(UsageError, match=r"bad\.yaml"):
        read_yaml(path)


def test_every_recipe_builds():
    from doctobert_hf.drbenchmark.finetuning.hyperparameters import read_spaces
    from doctobert_hf.drbenchmark.tasks import list_tasks
    from doctobert_hf.finemed.config import read_stage
    from doctobert_hf.pretraining.recipe import PretrainConfig
    from doctobert_hf.quickstart.config import QuickstartConfig
    from doctobert_hf.retrieval.recipe import read_recipe
    from doctobert_hf.tokenization.train import TokenizerConfig

    kinds = {"tokenizer": TokenizerConfig, "quickstart": QuickstartConfig}
    kinds |= dict.fromkeys(("pretrain", "anneal", "context"), PretrainConfig)
    assert "doctobert-base/tokenizer" in list_recipes()
    for name in list_recipes():
        if name in ("drbenchmark/search", "tiny/benchmark"):
            assert len(read_spaces(find_recipe(name), list_tasks())) == 27
        elif name.startswith("retrieval/"):
            read_recipe(name, {"base_model": "x"})
        elif name.startswith("finemed/"):
            stages = {"light": "annotate", "published": "annotate", "context": "mix"}
            stage = name.removeprefix("finemed/").split("-")[0]
            config = read_stage(stages.get(stage, stage), name, {})
            if stages.get(stage, stage) == "mix":  # what the stage checks before it works
                from doctobert_hf.finemed.mixing import read_sources

                assert read_sources(config)
        else:
            kind = "pretrain" if name.startswith("adapt/") else name.split("/")[-1]
            build_config(kinds[kind], read_yaml(find_recipe(name)), source=name)


def test_a_recipe_that_does_not_exist():
    with pytest.raises(UsageError, match="Did you mean 'doctobert-base/tokenizer'"):
        find_recipe("doctobert-bas/tokenizer")


def test_recorded_settings_know_every_earlier_name():
    """A run begun under it is gone on with: the record has the name of then."""
    from doctobert_hf.config import FORMERLY
    from doctobert_hf.finemed.config import STAGES
    from doctobert_hf.pretraining.data.parts import StoreConfig
    from doctobert_hf.pretraining.recipe import PretrainConfig

    earlier = {
        old: field.name
        for cls in (*STAGES.values(), StoreConfig, PretrainConfig)
        for field in dataclasses.fields(cls)
        if (old := field.metadata.get("formerly"))
    }
    assert earlier == FORMERLY
