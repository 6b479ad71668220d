"""The studies of `benchmarks/proof.py` are plans that `pretrain ablate` takes."""

import pytest
import yaml

import proof
from doctobert_hf.ablation.plan import AblationPlan
from doctobert_hf.config import build_config

MADE = (
    *("tokenizer/tokenizer.json", "store/manifest.json", "begun.jsonl", "annotated/manifest.json"),
    *("dense/manifest.json", "store-begun/manifest.json", "store-dense/manifest.json"),
)
"""What the studies make once, and take as it is where it is there."""


@pytest.mark.parametrize("study", sorted(proof.STUDIES))
def test_a_study_is_a_plan(study, tmp_path):
    for name in MADE:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}")
    words = [study, "--data", str(tmp_path), "--work", str(tmp_path), "--half", "--tokens", "1000"]
    args = proof.parser_of().parse_args(words)
    made = yaml.safe_load(yaml.safe_dump(proof.plan_of(args, tmp_path, tmp_path, tmp_path)))
    plan = build_config(AblationPlan, {}, made, source="the study")
    assert plan.max_tokens == 1000 and plan.max_train_rows == 400
    measured = plan.measuring(tmp_path)
    assert measured.tasks == tuple(plan.tasks) and measured.bf16
    for arm in plan.arms:
        phase = plan.phase(arm, tmp_path)
        assert phase.max_tokens == 1000, arm
