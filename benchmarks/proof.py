"""Whether models trained with this package get better, on real data, at a size two cores finish.

python benchmarks/proof.py STUDY --data FOLDER --work FOLDER [--half] [--json FILE]

STUDY is ``scratch`` (a small model before and after pretraining), ``parts`` (the recipe's parts one
by one: documents cut off, filtered by density, no annealing, the causal detour), ``lengths``
(documents cut along their structure or off, at 512 tokens), ``packing`` (packed rows beside padded
batches), ``filters`` (which half of the text: density of the whole document, as published, or light
quality), ``detour`` (the detour in the other family, RoBERTa) or ``adapt`` (an encoder of
``FOLDER/models`` continued on the corpus beside itself). FOLDER has ``data/corpora``, ``data/raw``
and ``models`` as this project's developers have them.

The corpus goes through the package's own pipeline (cleaned, near-duplicates dropped, the test sets
of the benchmark taken out), each study is an ablation plan, and everything under WORK goes on where
it was stopped.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from common import add_output_argument, finish

TASKS = [
    *("quaero_emea", "quaero_medline", "e3c_clinical", "e3c_temporal"),
    *("frenchmedmcqa_cls", "mantragsc_medline"),
]
SPACE = {
    "untuned": {
        "learning_rate": 5e-4,
        "weight_decay": 0.01,
        "warmup_ratio": 0.1,
        "epochs": 8,
        "batch_size": 16,
    }
}
NO_DROPOUT = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
LENGTH = 128
CORPUS = "data/corpora/e3c_layer3_fr.parquet"


def parser_of() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("study", choices=sorted(STUDIES))
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--tokens", type=int, help="of every arm; default: the study's")
    parser.add_argument("--rows", type=int, default=400, help="training rows of each task")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--tasks", nargs="+", help="default: the study's")
    parser.add_argument("--half", action="store_true", help="bf16 (AVX512-BF16 or AMX)")
    parser.add_argument("--curve", metavar="ARM", help="measure its checkpoints on the first task")
    add_output_argument(parser)
    return parser


def main() -> None:
    args = parser_of().parse_args()
    data, work = args.data.resolve(), args.work.resolve()
    plan = plan_of(args, corpus(data, work), data, work)
    place = written(work / f"{args.study}.yaml", plan)
    output = work / args.study
    command("pretrain", "ablate", place, "--output", output)
    found = json.loads((output / "ablation.json").read_text(encoding="utf-8"))
    if args.curve:
        found["learning_curve"] = learning_curve(output / "arms" / args.curve, work, plan)
    shown = {key: value for key, value in plan.items() if key not in ("data_dir", "settings")}
    finish(args, f"proof-{args.study}", {"plan": plain(shown), **plain(found)})


def plan_of(args: argparse.Namespace, text: Path, data: Path, work: Path) -> dict[str, Any]:
    """Return the study as a plan of ``pretrain ablate``."""
    plan = STUDIES[args.study](text, data, work, args)
    space = plan.pop("space", SPACE)
    plan = {
        "seeds": args.seeds,
        "data_dir": str(data / "data/raw"),
        "max_train_rows": args.rows,
        **plan,
        "tasks": args.tasks or plan.get("tasks", TASKS),
        "benchmark": {
            "space": str(written(work / f"{args.study}-space.yaml", space)),
            "evaluations": 2,
            "max_length": LENGTH,
            **({"bf16": True} if args.half else {}),
        },
    }
    plan["max_tokens"] = args.tokens or plan["max_tokens"]
    plan["settings"] |= {"bf16": args.half}
    return plan


def learning_curve(arm: Path, work: Path, plan: dict[str, Any]) -> dict[str, Any]:
    """Fine-tune every checkpoint on the study's first task; its score against tokens seen."""
    from doctobert_hf.drbenchmark.results import read_results
    from doctobert_hf.pretraining.checkpoints import list_checkpoints

    task, settings = plan["tasks"][0], plan["benchmark"]
    points = []
    for folder in list_checkpoints(arm):
        state = json.loads((folder / "data_state.json").read_text(encoding="utf-8"))
        command(
            *("benchmark", "run", folder, "--name", folder.name, "--tasks", task, "--trials", 0),
            *("--data-dir", plan["data_dir"], "--seeds", *plan["seeds"]),
            *("--space", settings["space"], "--evaluations", settings["evaluations"]),
            *("--max-length", settings["max_length"], "--max-train-rows", plan["max_train_rows"]),
            *(("--bf16",) if settings.get("bf16") else ()),
            *("--output", work / "curve"),
        )
        points.append({"name": folder.name, "tokens": state["stream"]["tokens"]})
    scores: dict[str, list[float]] = {}
    for result in read_results(work / "curve"):
        scores.setdefault(result.cell.model, []).append(100 * result.score)
    return {
        "task": task,
        "points": [point | {"scores": scores[point["name"]]} for point in points],
    }


def plain(value: Any) -> Any:
    """Leave machine paths out of what is committed: of a path only the last part."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return Path(value).name if isinstance(value, str) and value.startswith("/") else value


def written(path: Path, content: dict[str, Any]) -> Path:
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return path


def command(*words: Any) -> None:
    print("$ doctobert-hf", *words, file=sys.stderr)
    subprocess.run([sys.executable, "-m", "doctobert_hf", *map(str, words)], check=True)


def corpus(data: Path, work: Path) -> Path:
    """Clean the corpus, drop near-duplicates, and take the benchmark's test sets out, once."""
    work.mkdir(parents=True, exist_ok=True)
    clean, done = work / "clean", work / "decontaminated"
    if not (clean / "manifest.json").is_file():
        command("finemed", "clean", "--input", data / CORPUS, "--output", clean)
    if not (done / "manifest.json").is_file():
        raw = data / "data/raw"
        command("finemed", "decontaminate", "--input", clean, "--data-dir", raw, "--output", done)
    return done


def ground(text: Path, work: Path) -> dict[str, Any]:
    """Train the small models' tokenizer and tokenise the corpus, once; return the arms' keys."""
    tokenizer, store = work / "tokenizer", work / "store"
    if not (tokenizer / "tokenizer.json").is_file():
        recipe, lines = "doctobert-small/tokenizer", ("--input-sentence-size", 200_000)
        command("tokenizer", "train", recipe, text, *lines, "--output", tokenizer)
    if not (store / "manifest.json").is_file():
        keys = ("--tokenizer", tokenizer, "--max-length", LENGTH, "--eval-documents", 200)
        command("pretrain", "store", text, *keys, "--output", store)
    return {"train_store": str(store), "tokenizer": str(tokenizer), "max_length": LENGTH}


def small_steps(tokens: int) -> dict[str, Any]:
    """Many small steps: at 8,192 tokens a step ten million tokens are too few of them."""
    return {
        "attention_out_dropout": 0.0,
        "micro_batch_tokens": 2048,
        "global_batch_tokens": 2048,
        "warmup_tokens": tokens // 50,
        "decay_tokens": tokens // 4,
        "eval_tokens": tokens // 5,
    }


def scratch(text: Path, data: Path, work: Path, args: argparse.Namespace) -> dict[str, Any]:
    tokens = args.tokens or 10_000_000
    return {
        "recipe": "doctomodernbert-small/pretrain",
        "settings": {
            **ground(text, work),
            **small_steps(tokens),
            "save_tokens": tokens // 5,
        },
        "max_tokens": tokens,
        "arms": {"pretrained": {}},
        "baseline": "untrained",
    }


def proxy(text: Path, work: Path, args: argparse.Namespace) -> dict[str, Any]:
    """A fifth of the small model's matrices, so that five arms fit three hours of one core."""
    tokens = args.tokens or 2_500_000
    return {
        "recipe": "doctomodernbert-small/pretrain",
        "settings": {
            **ground(text, work),
            **{"num_hidden_layers": 4, "hidden_size": 192},
            **{"intermediate_size": 384, "num_attention_heads": 3},
            **small_steps(tokens),
            "save_tokens": tokens,
        },
        "max_tokens": tokens,
        "untrained": False,
        "tasks": TASKS[:3],
    }


def parts(text: Path, data: Path, work: Path, args: argparse.Namespace) -> dict[str, Any]:
    """Take one part of the recipe away, or change it, at a time; tokens and updates are equal."""
    plan = proxy(text, work, args)
    keys = plan["settings"]
    begun = stored(beginnings(text, keys["tokenizer"], work), keys, work / "store-begun")
    dense = stored(filtered(text, work, "density"), keys, work / "store-dense")
    return plan | {
        "arms": {
            "whole": {},
            "truncated": {"train_store": str(begun)},
            "dense": {"train_store": str(dense)},
            "no-annealing": {"lr_schedule": "constant", "decay_tokens": 0},
            "detour": around(plan["max_tokens"]),
        }
    }


def lengths(text: Path, data: Path, work: Path, args: argparse.Namespace) -> dict[str, Any]:
    """Documents of journals and leaflets in chunks of 512 tokens, or cut off behind the first."""
    plan = proxy(text, work, args)
    keys = plan["settings"] | {"max_length": 512}
    del keys["eval_tokens"]
    cut = beginnings(text, keys["tokenizer"], work, 512)
    return plan | {
        "settings": keys | {"train_store": str(stored(text, keys, work / "store-512"))},
        "arms": {
            "whole": {},
            "truncated": {"train_store": str(stored(cut, keys, work / "store-begun-512"))},
        },
    }


def filters(text: Path, data: Path, work: Path, args: argparse.Namespace) -> dict[str, Any]:
    """Half of the documents by one axis or another, beside all of them."""
    plan = proxy(text, work, args)
    keys = plan["settings"]
    del keys["eval_tokens"]
    halves = {
        "legacy-density": filtered(text, work, "density", "legacy"),
        "quality": filtered(text, work, "edu"),
        "density": filtered(text, work, "density"),
    }
    stores = {name: stored(half, keys, work / f"store-{name}") for name, half in halves.items()}
    arms = {name: {"train_store": str(store)} for name, store in stores.items()}
    return plan | {"arms": {"all": {}, **arms}}


def packing(text: Path, data: Path, work: Path, args: argparse.Namespace) -> dict[str, Any]:
    """The same chunks and masks in packed rows and in padded batches: the same loss, other time."""
    plan = proxy(text, work, args)
    return plan | {"arms": {"packed": {}, "padded": {"packing": False}}}


def around(tokens: int) -> dict[str, Any]:
    """Nine tenths of the tokens with the causal objective, the rest masked again."""
    return {"objective": [f"clm:{tokens * 9 // 10}", "mlm"]}


def detour(text: Path, data: Path, work: Path, args: argparse.Namespace) -> dict[str, Any]:
    """The detour beside masked tokens alone in RoBERTa; ModernBERT's is an arm of the parts."""
    plan = proxy(text, work, args)
    keys = {**plan["settings"], **NO_DROPOUT, "lr_schedule": "warmup_stable_decay"}
    keys["mlm_probability"] = 0.3
    del keys["attention_out_dropout"]
    return plan | {
        "recipe": "doctobert-small/pretrain",
        "settings": keys,
        "arms": {"masked": {}, "detour": around(plan["max_tokens"])},
    }


def filtered(text: Path, work: Path, axis: str, density: str = "union") -> Path:
    """Keep the half of the documents that an axis puts above its middle, once.

    Args:
        text: The corpus.
        work: Where to.
        axis: ``density`` (share of characters in medical terms) or ``edu`` (light quality).
        density: Its formula: ``union``, each character once, or ``legacy``, as published.
    """
    import pyarrow.parquet

    from doctobert_hf.finemed.filters import ALIASES

    rated, kept = work / f"annotated-{density}", work / f"upper-{axis}-{density}"
    if not (rated / "manifest.json").is_file():
        keys = ("--input", text, "--density", density, "--output", rated)
        command("finemed", "annotate", "finemed/light", *keys)
    if not (kept / "manifest.json").is_file():
        column = pyarrow.parquet.read_table(rated / "data", columns=[ALIASES[axis]])[0]
        middle = sorted(column.to_pylist())[len(column) // 2]
        where = ("--where", f"{axis} >= {middle:.4f}")
        command("finemed", "filter", "--input", rated, *where, "--output", kept)
    return kept


def beginnings(text: Path, tokenizer: str, work: Path, length: int = LENGTH) -> Path:
    """Cut every document off where its first chunk would be full, as truncation does, once."""
    from transformers import AutoTokenizer

    from doctobert_hf.corpus import iter_texts

    cut = work / ("begun.jsonl" if length == LENGTH else f"begun-{length}.jsonl")
    if not cut.is_file():
        encode = AutoTokenizer.from_pretrained(tokenizer)
        whole = {"return_offsets_mapping": True, "add_special_tokens": False}
        with cut.with_suffix(".part").open("w", encoding="utf-8") as lines:
            for document in iter_texts(str(text)):
                begin = document[: 32 * length]
                ends = encode(begin, **whole)["offset_mapping"][: length - 2]
                if ends:
                    begun = {"text": document[: ends[-1][1]]}
                    lines.write(json.dumps(begun, ensure_ascii=False) + "\n")
        cut.with_suffix(".part").rename(cut)
    return cut


def stored(text: Path, keys: dict[str, Any], output: Path) -> Path:
    """Tokenise a text for an arm, once."""
    if not (output / "manifest.json").is_file():
        length = ("--max-length", keys["max_length"])
        of = ("--tokenizer", keys["tokenizer"], *length, "--eval-documents", 0)
        command("pretrain", "store", text, *of, "--output", output)
    return output


def adapt(text: Path, data: Path, work: Path, args: argparse.Namespace) -> dict[str, Any]:
    tokens = args.tokens or 6_000_000
    return {
        "recipe": "adapt/any",
        "settings": {
            "init_from": str(data / "models/multilingual-e5-small-fr"),
            "corpus": str(text),
            "max_length": LENGTH,
            "mlm_probability": 0.3,
            "learning_rate": 2e-4,
            "warmup_tokens": tokens // 25,
            "decay_tokens": tokens * 3 // 10,
            "new_head_tokens": tokens * 6 // 100,
            "micro_batch_tokens": 4096,
            "global_batch_tokens": 4096,
            "eval_tokens": tokens // 4,
            "average_share": 0.0,  # what the training alone brings
            **NO_DROPOUT,
        },
        "max_tokens": tokens,
        "arms": {"adapted": {}},
        "baseline": "untrained",
        "space": {"untuned": {**SPACE["untuned"], "learning_rate": 2e-4}},
    }


STUDIES = {
    "scratch": scratch,
    "parts": parts,
    "lengths": lengths,
    "packing": packing,
    "filters": filters,
    "detour": detour,
    "adapt": adapt,
}

if __name__ == "__main__":
    main()
