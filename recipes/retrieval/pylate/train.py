# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "doctobert-hf",
#     "pylate==1.6.*",
#     "sentence-transformers==5.3.0",
#     "transformers==5.3.0",
#     "bm25s>=0.2",
#     "PyStemmer>=2.2",
# ]
#
# [tool.uv.sources]
# doctobert-hf = { path = "../../.." }
# ///
"""Train a ColBERT model with PyLate by a retrieval recipe, and search with its PLAID index.

    uv run recipes/retrieval/pylate/train.py retrieval/pylate --data-dir raw

or, in an environment with the packages above, the same as any other kind:

    doctobert-hf retrieval train retrieval/pylate --data-dir raw --output my-colbert

It reads the same recipe keys and the same pairs as the other two kinds. The run folder gets the
model (Sentence Transformers 6 opens it as late interaction), the PLAID index of the test documents
and results.json, for ``doctobert-hf retrieval evaluate ... --add my-colbert/results.json``.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from pathlib import Path
from typing import Any

from doctobert_hf.config import add_config_arguments, config_overrides, write_yaml
from doctobert_hf.environment import environment_report
from doctobert_hf.errors import DoctobertError, UsageError
from doctobert_hf.files import write_json_atomic
from doctobert_hf.reporting.tables import text_table
from doctobert_hf.retrieval.builders import load_splits
from doctobert_hf.retrieval.chunks import Passage, cut, starts_of
from doctobert_hf.retrieval.evaluation import TOP, Result, evaluate, per_query, summary, table
from doctobert_hf.retrieval.examples import negatives
from doctobert_hf.retrieval.models import USUAL_LENGTHS
from doctobert_hf.retrieval.pairs import PairSet
from doctobert_hf.retrieval.pylate import space_behind
from doctobert_hf.retrieval.recipe import RetrievalConfig, read_recipe


def make_model(config: RetrievalConfig) -> Any:
    """Make a ColBERT model: a marker in brackets is a token, any other prompt is text.

    A base that is a ColBERT already keeps its projection, markers, skip list and expansion unless
    the recipe names others.
    """
    import torch
    from pylate import models

    torch.manual_seed(config.seed)
    trained = trained_settings(config.base_model)
    prompts = config.given_prompts if trained is not None else config.new_prompts
    markers = {name: text if text[:1] == "[" else "" for name, text in prompts.items()}
    given: dict[str, Any] = {
        name: length for name, length in lengths_of(config, trained).items() if length is not None
    }
    if "query" in markers:
        given["query_prefix"] = markers["query"]
    if "document" in markers:
        given["document_prefix"] = markers["document"]
    if trained is None or config.query_expansion is not None:
        given["do_query_expansion"] = config.query_expansion == "fixed"
    if trained is None or config.skiplist is not None:
        given["skiplist_words"] = config.skipped_words
    if trained is None:
        given |= {
            "embedding_size": config.dimensions or 128,
            "attend_to_expansion_tokens": False,
        }
    model = models.ColBERT(config.base_model, model_kwargs={"dtype": torch.float32}, **given)
    if trained is None:
        torch.nn.init.orthogonal_(model[-1].linear.weight)
    else:
        width = model[-1].linear.out_features
        if config.dimensions not in (None, width):
            raise UsageError(
                f"dimensions {config.dimensions} for '{config.base_model}', whose token vectors "
                f"have {width}",
                f"null or {width}",
            )
        kept = "keeps its projection, markers, skip list and expansion where the recipe names none"
        print(f"'{config.base_model}' is a ColBERT and {kept}", file=sys.stderr)
    # Text before each query and document, which Sentence Transformers 6 reads from the model.
    own = model.prompts if trained is not None else {}
    texts = {name: "" if markers[name] else text for name, text in prompts.items()}
    model.prompts = {"query": "", "document": "", **own, **texts}
    return model


def trained_settings(place: str) -> dict[str, Any] | None:
    """Return the settings of a base that is a late-interaction model; None for an encoder."""
    import json

    folder = Path(place)
    path = folder / "config_sentence_transformers.json"
    if not (folder / "modules.json").is_file() or not path.is_file():
        return None
    settings = json.loads(path.read_text(encoding="utf-8"))
    late = settings.get("model_type") in ("ColBERT", "MultiVectorEncoder")
    return settings if late or "query_prefix" in settings else None


def lengths_of(config: RetrievalConfig, trained: Any) -> dict[str, int | None]:
    """Return the recipe's lengths; None: the base's own where it is a ColBERT, else the usual."""
    query, document = (None, None) if trained is not None else USUAL_LENGTHS
    return {
        "query_length": config.query_length or query,
        "document_length": config.max_length or document,
    }


def passages_of(texts: list[str], model: Any) -> list[Passage]:
    """Cut documents over the model's context, as the other kinds do."""
    return cut(texts, model.tokenizer, model.document_length - 1, model.prompts["document"])


def training_rows(pairs: PairSet, config: RetrievalConfig, model: Any) -> Any:
    """Return rows of question, right document and wrong ones, the prompts in front.

    Of a long document the row has its first passage with a word of the question, else its first.
    """
    from datasets import Dataset

    wrong = negatives(pairs, config) if config.hard_negatives else {}
    documents = list(pairs.documents)
    split: dict[str, list[str]] = {}
    for passage in passages_of(list(pairs.documents.values()), model):
        split.setdefault(documents[passage.document], []).append(passage.text)

    def nearest(query: str, document: str) -> str:
        words = set(pairs.queries[query].lower().split())
        return max(split[document], key=lambda text: len(words & set(text.lower().split())))

    rows = []
    for query, right in pairs.pairs():
        texts = [nearest(query, document) for document in (right, *wrong.get(query, ()))]
        row = {"query": model.prompts["query"] + pairs.queries[query]}
        names = ["positive", *(f"negative_{n}" for n in range(1, len(texts)))]
        for name, text in zip(names, texts, strict=True):
            row[name] = model.prompts["document"] + text
        rows.append(row)
    return Dataset.from_list(rows)


def fit(model: Any, config: RetrievalConfig, rows: Any) -> None:
    """Train with PyLate's contrastive loss; its temperature is one over the recipe's scale."""
    from pylate import losses, utils
    from sentence_transformers import (
        SentenceTransformerTrainer,
        SentenceTransformerTrainingArguments,
    )

    from doctobert_hf.pretraining.callbacks import JsonLinesCallback

    temperature = 1 / config.loss_scale
    loss: Any = losses.Contrastive(model=model, temperature=temperature)
    if config.mini_batch_size:
        loss = losses.CachedContrastive(
            model=model, mini_batch_size=config.mini_batch_size, temperature=temperature
        )
    trainer = SentenceTransformerTrainer(
        model=model,
        args=SentenceTransformerTrainingArguments(
            output_dir=str(config.output),
            num_train_epochs=config.epochs,
            max_steps=config.max_steps,
            per_device_train_batch_size=config.batch_size,
            learning_rate=config.learning_rate,
            warmup_steps=config.warmup,
            weight_decay=config.weight_decay,
            batch_sampler="no_duplicates",
            bf16=config.bf16,
            seed=config.seed,
            save_strategy="no",
            logging_steps=10,
            report_to="none",
        ),
        train_dataset=rows,
        loss=loss,
        data_collator=utils.ColBERTCollator(model.tokenize),
        callbacks=[JsonLinesCallback()],
    )
    trainer.train()


def plaid(name: str, model: Any, config: RetrievalConfig, pairs: PairSet, folder: Path) -> Result:
    """Build a PLAID index of the documents, search the questions and measure."""
    from pylate import indexes, retrieve

    begin = time.perf_counter()
    passages = passages_of(list(pairs.documents.values()), model)
    index = indexes.PLAID(
        index_folder=str(folder), index_name=name, override=True, device="cpu", show_progress=False
    )
    vectors = model.encode(
        [model.prompts["document"] + passage.text for passage in passages],
        is_query=False,
        show_progress_bar=False,
    )
    index.add_documents([str(n) for n in range(len(passages))], vectors)
    built = time.perf_counter()
    queries = list(pairs.relevant)
    encoded = model.encode(
        [model.prompts["query"] + pairs.queries[query] for query in queries],
        is_query=True,
        show_progress_bar=False,
    )
    longest = max(starts_of(passages)[1:] - starts_of(passages)[:-1], default=1)
    found = retrieve.ColBERT(index=index).retrieve(
        encoded, k=min(len(passages), TOP * int(longest)), device="cpu"
    )
    searched = time.perf_counter()
    documents = list(pairs.documents)
    ranked = {}
    for query, hits in zip(queries, found, strict=True):
        best: dict[str, float] = {}
        for hit in hits:  # best first: a document's score is that of its best passage
            best.setdefault(documents[passages[int(hit["id"])].document], float(hit["score"]))
        ranked[query] = list(best.items())[:TOP]
    return summary(
        (name, "plaid", pairs),
        per_query(ranked, pairs.relevant, pairs.gains),
        passages=len(passages),
        index_bytes=sum(f.stat().st_size for f in (folder / name).rglob("*") if f.is_file()),
        documents_per_second=len(documents) / (built - begin),
        queries_per_second=len(queries) / (searched - built),
    )


def save(model: Any, target: Path) -> None:
    """Save, with prompts that give the same tokens in Sentence Transformers 6."""
    for name, marker in (("query", model.query_prefix), ("document", model.document_prefix)):
        if marker:
            model.prompts[name] = space_behind(marker, model.tokenizer)
    # Its card would hold training text; the Hub commands make one that does not.
    model.save_pretrained(str(target), create_model_card=False)


def train(config: RetrievalConfig) -> int:
    """Train, index, measure before and after beside BM25, save; return the exit code."""
    folder = Path(config.output)
    if (folder / "resolved_config.yaml").exists():
        raise UsageError(f"The folder '{folder}' holds a run", "a new folder", "Pass --output")
    with contextlib.redirect_stdout(sys.stderr):
        splits = load_splits(config)
        model = make_model(config)
        rows = training_rows(splits.train, config, model)
        folder.mkdir(parents=True, exist_ok=True)
        write_yaml(config, folder / "resolved_config.yaml")
        write_json_atomic(folder / "environment.json", environment_report(with_torch=True))
        results = [
            evaluate("BM25", splits.test),
            plaid("before", model, config, splits.test, folder / "plaid"),
        ]
        fit(model, config, rows)
        results.append(plaid(folder.name, model, config, splits.test, folder / "plaid"))
        save(model, folder / "model")
        write_json_atomic(folder / "results.json", results[-1].as_json())
        write_json_atomic(
            folder / "model" / "retrieval.json",
            {"results": [result.as_json() for result in results]},
        )
    print(text_table(*table(results)))
    print(f"model: {folder / 'model'}", file=sys.stderr)
    return 0


def main() -> int:
    """Read the command line, as ``doctobert-hf retrieval train`` does."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("recipe", help="recipe by name or path")
    add_config_arguments(parser, RetrievalConfig)
    args = parser.parse_args()
    try:
        given = {"kind": "pylate", **config_overrides(args, RetrievalConfig)}
        return train(read_recipe(args.recipe, given))
    except DoctobertError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
