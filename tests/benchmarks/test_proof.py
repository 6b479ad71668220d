"""The studies of `benchmarks/proof.py` are plans that `pretrain ablate` takes."""

import pytest
import yaml

import proof
from doctobert_hf.ablation.plan import AblationPlan
from doctobert_hf.config import build_config

MADE = (
    *("tokenizer/tokenizer.json", "begun.jsonl", "begun-512.jsonl"),
    *(f"annotated-{density}/manifest.json" for density in ("union", "legacy")),
    *(f"upper-{half}/manifest.json" for half in ("density-union", "density-legacy", "edu-union")),
    *(f"store{of}/manifest.json" for of in ("", "-begun", "-dense", "-512", "-begun-512")),
    *(f"store-{half}/manifest.json" for half in ("legacy-density", "quality", "density")),
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
