from pathlib import Path

import mteb
import pytest

from doctobert_hf.errors import UsageError
from doctobert_hf.retrieval import evaluate, load_splits, open_model
from doctobert_hf.retrieval.mteb_tasks import TASKS, register, run_mteb
from doctobert_hf.retrieval.recipe import RetrievalConfig

from .conftest import write_labforsims2


@pytest.fixture
def model(encoder):
    return open_model(encoder, pooling="mean")


def test_names_are_registered_once_and_their_metadata_is_whole():
    names = register()
    assert names == register()
    for name, task in zip(names, TASKS, strict=True):
        assert type(mteb.get_task(name)) is task
        assert task.metadata.is_filled()
        assert task.metadata.eval_langs == ["fra-Latn"]


def test_tasks_are_found_by_language_domain_and_type():
    register()
    found = mteb.get_tasks(languages=["fra"], domains=["Medical"], task_types=["STS"])
    names = [task.metadata.name for task in found]
    assert {"CLISTERSimilarity", "DEFT2020Similarity"} <= set(names) and len(names) == len(
        set(names)
    )
    others = mteb.get_tasks(languages=["eng"], domains=["Medical"])
    assert "CLISTERSimilarity" not in {task.metadata.name for task in others}


def test_mteb_gives_the_score_our_evaluation_gives(labforsims2, model):
    [row] = run_mteb("tiny", model, ["LabForSims2Retrieval"], labforsims2)
    pairs = load_splits(RetrievalConfig("none", data_dir=labforsims2)).test
    ours = evaluate("tiny", pairs, model)
    assert row["score"] == "ndcg_at_10"
    assert row["value"] == pytest.approx(ours.scores["ndcg@10"], abs=0.02)


@pytest.mark.long
def test_late_interaction_runs_too(frenchmedmcqa, encoder):
    late = open_model(encoder, "late-interaction")
    [row] = run_mteb("tiny", late, ["FrenchMedMCQARetrieval"], frenchmedmcqa())
    assert 0 <= row["value"] <= 1


def test_similarity_tasks_read_drbenchmark(tmp_path, model, monkeypatch):
    import json

    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "raw" / "clister"
    folder.mkdir(parents=True)
    for part in ("train", "test"):
        sentences = {f"{part}_{n}": f"Le patient numéro {n} a mal au bras." for n in range(12)}
        (folder / f"id_to_sentence_{part}.json").write_text(json.dumps(sentences))
        lines = [f"{part}_{n}_1\t{part}_{(n * 5) % 12}_2\t{n % 6}" for n in range(12)]
        (folder / f"{part}.csv").write_text("\n".join(["id_1\tid_2\tsim", *lines]) + "\n")
    [row] = run_mteb("tiny", model, ["CLISTERSimilarity"], tmp_path / "raw")
    assert row["score"] == "cosine_spearman" and -1 <= row["value"] <= 1


def test_unknown_task(model):
    with pytest.raises(UsageError, match="Did you mean 'LabForSims2Retrieval'"):
        run_mteb("tiny", model, ["LabForSim2Retrieval"])


def test_descriptive_statistics_are_of_the_data_at_hand(labforsims2, tmp_path):
    package = Path(mteb.__file__).parent / "descriptive_stats"
    before = set(package.rglob("*.json"))
    for raw, questions in ((labforsims2, 60), (write_labforsims2(tmp_path / "b", 30), 30)):
        register(raw)
        task = mteb.get_task("LabForSims2Retrieval")
        found = task.calculate_descriptive_statistics()["test"]
        pairs = load_splits(RetrievalConfig("none", data_dir=raw)).test
        assert found["num_queries"] == len(pairs.queries) == questions // 10
        assert found["num_documents"] == len(pairs.documents)
        assert found["relevant_docs_statistics"]["num_relevant_docs"] == len(pairs.pairs())
        assert task.metadata.n_samples == {"test": found["num_samples"]}
    assert set(package.rglob("*.json")) == before, "mteb's own files are left alone"
