"""Retrieval beside BM25 and the untrained encoder, and beside plain Sentence Transformers.

python benchmarks/retrieval.py --encoder ENCODER --data-dir raw --runs my-dense my-colbert \
    --json benchmarks/results/retrieval.json
python benchmarks/retrieval.py --repeats 0 --sizes 10000 100000 1000000 --late 10000 \
    --json benchmarks/results/retrieval-engines.json

Scores are on test questions that no run was trained on (checked). Speeds are medians of interleaved
repeats; the ratios are of processor time, which other programs on the machine do not disturb.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from common import add_output_argument, finish, load_or_train_tokenizer
from doctobert_hf.cli.retrieval import read_result
from doctobert_hf.config import build_config, read_yaml
from doctobert_hf.reporting.tables import text_table
from doctobert_hf.retrieval import Index, RetrievalConfig, evaluate, load_splits, open_model
from doctobert_hf.retrieval.evaluation import Result, table, verdict
from doctobert_hf.retrieval.models import saved_kind
from doctobert_hf.retrieval.pairs import PairSet, refuse_leakage
from engines import late, scale


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--encoder", help="encoder the runs began from")
    parser.add_argument("--data-dir", type=Path, help="folder of raw corpora")
    parser.add_argument("--runs", nargs="*", type=Path, default=[], help="runs of its training")
    parser.add_argument("--mlm", help="masked language model, read by mean pooling")
    parser.add_argument("--mlm-runs", nargs="*", type=Path, default=[], help="runs begun from it")
    parser.add_argument("--add", nargs="*", type=Path, default=[], help="results.json of PyLate")
    parser.add_argument("--repeats", type=int, default=7, help="of speeds; 0: not measured")
    parser.add_argument("--sizes", nargs="*", type=int, default=[],
                        help="vectors that engines are measured on (10^6 take 6 GB)")  # fmt: skip
    parser.add_argument("--late", nargs="*", type=int, default=[],
                        help="numbers of passages, for late interaction")  # fmt: skip
    add_output_argument(parser)
    args = parser.parse_args()
    results: dict[str, Any] = {}
    if args.encoder and args.data_dir:
        results |= scores(args)
    if args.repeats:
        results["speed"] = speeds(args.repeats, args.encoder)
    if args.sizes:
        results["scale"] = scale(args.sizes)
    if args.late:
        results["late"] = [late(size) for size in args.late]
    finish(args, "retrieval", results)


def scores(args: argparse.Namespace) -> dict[str, Any]:
    """Measure the encoder before and after training, beside BM25, on two sets of questions."""
    systems: list[tuple[str, Any]] = [("BM25", None)]
    prompted: Any = open_model(args.encoder, pooling=None if saved_kind(args.encoder) else "mean")
    recipe = _recipe(args.runs[0])
    prompted.prompts = {"query": recipe.query_prompt, "document": recipe.document_prompt}
    tokens: Any = open_model(args.encoder, "late-interaction")
    tokens.prompts = prompted.prompts
    systems += [("encoder, before", prompted), ("encoder's tokens, before", tokens)]
    systems += [(run.name, open_model(str(run / "model"))) for run in args.runs]
    if args.mlm:
        systems.append(("masked LM, mean pooling", open_model(args.mlm, pooling="mean")))
    systems += [(run.name, open_model(str(run / "model"))) for run in args.mlm_runs]
    trained = [
        load_splits(_recipe(run, data_dir=args.data_dir)).train
        for run in (*args.runs, *args.mlm_runs)
    ]
    answers = _measured(recipe, args, systems, trained)
    answers += [read_result(path) for path in args.add]
    exam = _measured(
        RetrievalConfig("none", data="frenchmedmcqa", leaked_questions="drop"),
        args,
        systems,
        trained,
    )
    for part in (answers, exam):
        print(text_table(*table(part)))
        print("\n".join(verdict(part)), "\n")
    return {
        "scores": [result.as_json() for result in (*answers, *exam)],
        "verdict": verdict([*answers, *exam]),
        "training": {run.name: build_record(run) for run in (*args.runs, *args.mlm_runs)},
    }


def build_record(run: Path) -> dict[str, Any]:
    """Return what a run was trained with and on, from its record."""
    import json

    record = json.loads((run / "model" / "retrieval.json").read_text(encoding="utf-8"))
    return {key: record[key] for key in ("recipe", "data", "steps")}


def _recipe(run: Path, **keys: Any) -> RetrievalConfig:
    path = run / "resolved_config.yaml"
    return build_config(RetrievalConfig, read_yaml(path), keys, source=f"'{path}'")


def _measured(
    recipe: RetrievalConfig,
    args: argparse.Namespace,
    systems: list[tuple[str, Any]],
    trained: list[PairSet],
) -> list[Result]:
    import dataclasses

    test = load_splits(dataclasses.replace(recipe, data_dir=args.data_dir)).test
    for part in trained:
        refuse_leakage(part, test)
    return [evaluate(name, test, model) for name, model in systems]


def speeds(repeats: int, real: str | None) -> dict[str, Any]:
    """Training and encoding, ours beside plain Sentence Transformers on the same rows.

    The encoder is a tiny one with random weights, where what we add weighs most; encoding also with
    the real one, if there is one.
    """
    with tempfile.TemporaryDirectory() as scratch:
        encoder = _tiny_encoder(scratch)
        rows = _rows()
        config = RetrievalConfig(
            encoder,
            output=Path(scratch) / "run",
            pooling="mean",
            max_length=64,
            batch_size=32,
            max_steps=12,
            evaluations=1,
            patience=0,
        )
        training = _interleaved(
            {
                "plain": lambda: _train(config, rows, ours=False),
                "ours": lambda: _train(config, rows, ours=True),
            },
            repeats,
        )
        texts = rows.documents
        encoding = _encoding(encoder, texts, repeats)
        few = dict(list(texts.items())[:128])
        really = _encoding(real, few, min(repeats, 5)) if real else {}
    report = {}
    for what, unit, count, measured in (
        ("training", "pairs_per_second", 11 * 32, training),
        ("encoding", "documents_per_second", len(texts), encoding),
        ("encoding_real", "documents_per_second", len(few), really),
    ):
        if not measured:
            continue
        wall = {k: statistics.median(w for w, _ in v) for k, v in measured.items()}
        ratios = [o / p for (_, o), (_, p) in zip(measured["ours"], measured["plain"], strict=True)]
        report[what] = {
            **{f"{name}_{unit}": round(count / seconds, 1) for name, seconds in wall.items()},
            "processor_time_ratio": round(statistics.median(ratios), 4),
            "processor_time_ratios": [round(ratio, 4) for ratio in ratios],
        }
        print(what, report[what])
    return report


def _encoding(
    encoder: str, texts: dict[str, str], repeats: int
) -> dict[str, list[tuple[float, float]]]:
    model: Any = open_model(encoder, pooling=None if saved_kind(encoder) else "mean")
    model[0].document_length = 256  # of no text here more: ours would cut, plain would truncate
    plain = list(texts.values())
    return _interleaved(
        {
            "plain": lambda: _timed(lambda: model.encode_document(plain, show_progress_bar=False)),
            "ours": lambda: _timed(lambda: Index.build(texts, model)),
        },
        repeats,
    )


def _interleaved(
    what: dict[str, Callable[[], tuple[float, float]]], repeats: int
) -> dict[str, list[tuple[float, float]]]:
    measured: dict[str, list[tuple[float, float]]] = {name: [] for name in what}
    for repeat in range(repeats + 1):
        names = list(what) if repeat % 2 else list(what)[::-1]
        for name in names:
            seconds = what[name]()
            if repeat:  # the first warms up
                measured[name].append(seconds)
    return measured


def _timed(run: Callable[[], Any]) -> tuple[float, float]:
    begin = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - begin[0], time.process_time() - begin[1]


def _train(config: RetrievalConfig, pairs: PairSet, ours: bool) -> tuple[float, float]:
    """Train; return seconds and processor seconds from the first step's end to the last's."""
    import shutil

    import sentence_transformers as st
    from transformers import TrainerCallback, set_seed

    from doctobert_hf.retrieval.examples import training_rows
    from doctobert_hf.retrieval.models import new_model
    from doctobert_hf.retrieval.train import make_loss, make_trainer, training_arguments

    class Clock(TrainerCallback):
        ends: list[tuple[float, float]]

        def on_train_begin(self, *_: Any, **__: Any) -> None:
            self.ends = []

        def on_step_end(self, *_: Any, **__: Any) -> None:
            self.ends.append((time.perf_counter(), time.process_time()))

    shutil.rmtree(config.output, ignore_errors=True)
    set_seed(config.seed)
    model = new_model(config)
    rows = training_rows(pairs, config, model)
    few = PairSet.from_pairs("few", _few(pairs))
    if ours:
        trainer = make_trainer(model, rows, few, config)
    else:
        arguments = training_arguments(config, rows)
        arguments.eval_strategy = arguments.save_strategy = "no"
        arguments.load_best_model_at_end = False
        arguments.report_to = []
        loss = make_loss(model, config)
        trainer = st.SentenceTransformerTrainer(model, arguments, rows, loss=loss)
    clock = Clock()
    trainer.add_callback(clock)
    with contextlib.redirect_stdout(sys.stderr):  # the trainer prints what it logs
        trainer.train()
    first, last = clock.ends[0], clock.ends[-1]
    return last[0] - first[0], last[1] - first[1]


def _few(pairs: PairSet) -> list[Any]:
    from doctobert_hf.retrieval import Pair

    return [Pair(pairs.queries[q], (pairs.documents[d],)) for q, d in pairs.pairs()[:2]]


def _rows() -> PairSet:
    from doctobert_hf.corpus.sample import sample_documents
    from doctobert_hf.retrieval import Pair

    texts = [document.text for document in sample_documents(600)]
    made = [Pair(f"{text[:60]} ({n})", (text[60:260],)) for n, text in enumerate(texts)]
    return PairSet.from_pairs("sample", made)


def _tiny_encoder(scratch: str) -> str:
    from transformers import AutoModel

    from doctobert_hf.models import preset_config

    tokenizer = load_or_train_tokenizer(None, scratch)
    folder = f"{scratch}/encoder"
    AutoModel.from_config(preset_config("doctobert-tiny", tokenizer)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


if __name__ == "__main__":
    main()
