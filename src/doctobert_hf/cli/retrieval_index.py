"""The commands around an index: build, add, update, delete, search, serve."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from doctobert_hf.cli.options import Parser, whole_number
from doctobert_hf.errors import UsageError
from doctobert_hf.reporting.terminal import broken
from doctobert_hf.runs.commands import command_line

_METHODS = ("dense", "late", "lexical", "hybrid")


class _IndexParser(Parser):
    """``retrieval index DOCUMENTS ...`` is ``retrieval index build DOCUMENTS ...``."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:  # type: ignore[override]
        actions = ("build", "add", "update", "delete", "-h", "--help")
        if args and args[0] not in actions:
            args = ["build", *args]
        return super().parse_known_args(args, namespace)


def add_arguments(actions: Any) -> None:
    """Add the subcommands to those of ``retrieval``."""
    index = actions.add_parser(
        "index",
        help="build an index, add to it, delete from it",
        allow_abbrev=False,
        description="Without a verb it builds: 'retrieval index DOCUMENTS --output FOLDER'.",
    )
    index.__class__ = _IndexParser
    verbs = index.add_subparsers(
        dest="verb", required=True, metavar="build|add|update|delete", parser_class=Parser
    )
    build = verbs.add_parser("build", help="index documents", allow_abbrev=False)
    build.add_argument("documents", type=Path, help="file or folder: text, tables, Markdown, HTML, "
                       "PDF, office files")  # fmt: skip
    build.add_argument("--output", type=Path, required=True, help="folder of the index")
    build.add_argument("--model", help="run, model or Hub id; default: words only (BM25)")
    build.add_argument("--text-column", default="text", help="column that holds the text")
    build.add_argument("--engine", default="exact", choices=("exact", "faiss", "qdrant"),
                       help="exact (default), faiss for millions of "
                       "passages, or qdrant, a server: approximate")  # fmt: skip
    build.add_argument("--abbreviations", action="store_true", help="let clinical abbreviations "
                       "and what they stand for find each other by words (HTA, hypertension "
                       "artérielle); ambiguous ones are left alone")  # fmt: skip
    build.add_argument("--overwrite", action="store_true", help="move another index there aside")
    add = verbs.add_parser("add", help="add documents that are new", allow_abbrev=False)
    update = verbs.add_parser(
        "update", help="add documents, and replace those that have changed", allow_abbrev=False
    )
    for verb in (add, update):
        verb.add_argument("index", type=Path, help="the index")
        verb.add_argument("documents", type=Path, help="file or folder of documents")
        verb.add_argument("--model", help="where the index's model is now, if it was moved")
    delete = verbs.add_parser("delete", help="delete documents", allow_abbrev=False)
    delete.add_argument("index", type=Path, help="the index")
    delete.add_argument("ids", nargs="*", metavar="ID", help="documents' ids")
    delete.add_argument("--filter", metavar="EXPR", help="delete what this keeps, e.g. year < 2000")
    build.add_argument("--engine-url", metavar="URL", help="the engine's server, e.g. "
                       "http://localhost:6333; without it qdrant is embedded")  # fmt: skip
    for verb in (add, update, delete):
        verb.add_argument("--engine-url", metavar="URL", help="where the engine's server is now")
    for verb in (build, add, update, delete):
        verb.add_argument("--json", action="store_true", help="print JSON")

    search = actions.add_parser("search", help="answer a question", allow_abbrev=False)
    search.add_argument("documents", type=Path, help="an index, or a file or folder of documents")
    search.add_argument("question", help="what to look for")
    search.add_argument(
        "--top", type=whole_number, default=3, help="documents to show (default: 3)"
    )
    search.add_argument("--method", choices=_METHODS, help="default: vectors where there are some, "
                        "else words")  # fmt: skip
    search.add_argument("--filter", metavar="EXPR", help="over the documents' columns, e.g. "
                        "\"year >= 2020 and type == 'leaflet'\"")  # fmt: skip
    search.add_argument("--rerank", metavar="MODEL", help="a CrossEncoder that reranks the best")
    search.add_argument("--model", help="of documents: what encodes them; of an index: where its "
                        "model is now")  # fmt: skip
    search.add_argument("--abbreviations", action="store_true",
                        help="of documents: as 'index build' has it")  # fmt: skip
    search.add_argument("--engine-url", metavar="URL", help="where the index's server is now")
    search.add_argument("--text-column", default="text", help="column that holds the text")
    search.add_argument("--json", action="store_true", help="print JSON")

    serve = actions.add_parser("serve", help="answer questions over HTTP", allow_abbrev=False)
    serve.add_argument("index", type=Path, help="the index")
    serve.add_argument("--model", help="where its model is now, if it was moved")
    serve.add_argument("--engine-url", metavar="URL", help="where the index's server is now")
    serve.add_argument("--host", default="127.0.0.1", help="default: this machine only")
    serve.add_argument("--port", type=int, default=8000, help="default: 8000; 0: any free one")


def _index(args: argparse.Namespace) -> int:
    verbs = {"build": _build, "add": _add, "update": _add, "delete": _delete}
    return verbs[args.verb](args)


def _build(args: argparse.Namespace) -> int:
    from doctobert_hf.retrieval.search import build_index

    place = model_folder(args.model) if args.model else None
    with contextlib.redirect_stdout(sys.stderr):
        index = build_index(
            *(args.documents, args.output, place, args.text_column, args.overwrite, args.engine),
            abbreviations=args.abbreviations,
            engine_place=args.engine_url,
        )
    print(f"{len(index.ids):,} documents, {len(index.passages):,} passages, {index.size:,} bytes",
          file=sys.stderr)  # fmt: skip
    words = " ".join(index.passages[0].text.split()[:4])
    print(f"next: {command_line('retrieval', 'search', args.output, words)}", file=sys.stderr)
    told = {"index": str(args.output), "documents": len(index), "passages": len(index.passages)}
    print(json.dumps(told) if args.json else args.output)
    return 0


def _add(args: argparse.Namespace) -> int:
    from doctobert_hf.retrieval.search import add_documents

    place = model_folder(args.model) if args.model else None
    with contextlib.redirect_stdout(sys.stderr):
        change = add_documents(
            *(args.index, args.documents, place, args.verb == "update"),
            engine_place=args.engine_url,
        )
    return _told(args, change)


def _delete(args: argparse.Namespace) -> int:
    from doctobert_hf.retrieval.search import delete_documents

    return _told(args, delete_documents(args.index, args.ids, args.filter, args.engine_url))


def _told(args: argparse.Namespace, change: Any) -> int:
    counts = asdict(change)
    parts = [f"{counts[name]:,} {name}" for name in counts if name != "documents" and counts[name]]
    print(f"{', '.join(parts) or 'nothing changed'}; {change.documents:,} documents",
          file=sys.stderr)  # fmt: skip
    print(json.dumps({"index": str(args.index), **counts}) if args.json else args.index)
    return 0


def _search(args: argparse.Namespace) -> int:
    with contextlib.redirect_stdout(sys.stderr):
        index = _opened(args)
        rerank = _cross_encoder(args.rerank) if args.rerank else None
        hits = index.search(args.question, args.top, args.method, args.filter, rerank)
    _tell_unknown_words(index, args, bool(hits))
    if args.json:
        print(json.dumps([asdict(hit) for hit in hits], ensure_ascii=False, indent=2))
        return 0
    bold = ("\033[1m", "\033[0m") if sys.stdout.isatty() else ("**", "**")
    for number, hit in enumerate(hits, start=1):
        source = "" if hit.source == hit.document else f"  {hit.source}"
        print(f"{number}. {hit.score:.3f}  {hit.document}{source}  [{hit.start}:{hit.end}]")
        begin, end = hit.sentence_start - hit.start, hit.sentence_end - hit.start
        parts = (hit.text[:begin], hit.text[begin:end], hit.text[end:])
        before, marked, after = (" ".join(part.split()) for part in parts)
        shown = f"{before} {bold[0]}{marked}{bold[1]} {after}".strip()
        print(broken(f"   {shown}") + "\n")
    return 0


def _opened(args: argparse.Namespace) -> Any:
    from doctobert_hf.retrieval.index import Index
    from doctobert_hf.retrieval.index_folder import is_begun
    from doctobert_hf.retrieval.search import index_documents

    place = model_folder(args.model) if args.model else None
    if (args.documents / "index.json").is_file() or is_begun(args.documents):
        if args.abbreviations:
            raise UsageError(
                "--abbreviations for an index",
                "documents: an index has them or not, as it was built",
                "Build it with them: retrieval index build DOCUMENTS --abbreviations",
            )
        return Index.load(args.documents, place, args.engine_url)
    if args.engine_url:
        raise UsageError("--engine-url for documents", "an index that was built with a server")
    model = None
    if place is not None:
        from doctobert_hf.retrieval.models import open_model

        model = open_model(place)
    return index_documents(args.documents, model, args.text_column, args.abbreviations)


def _tell_unknown_words(index: Any, args: argparse.Namespace, found: bool) -> None:
    known, unknown = index.bm25.words(args.question)
    if unknown:
        print(f"In no document: {', '.join(unknown)}", file=sys.stderr)
    if (args.method or index.default_method) not in ("lexical", "hybrid"):
        if not found:  # vectors are near to anything
            print("Nothing found: the filter keeps no document", file=sys.stderr)
        return
    if not found and args.filter and known:
        print("Nothing found: perhaps the filter keeps no document", file=sys.stderr)
    elif not found and not known and not unknown:
        print("Nothing found: the question has only words such as 'le' and 'pour'", file=sys.stderr)


def _cross_encoder(place: str) -> Any:
    from doctobert_hf.retrieval.models import require_sentence_transformers

    require_sentence_transformers()
    from doctobert_hf.retrieval.other_kinds import open_reranker

    return open_reranker(place)


def _serve(args: argparse.Namespace) -> int:
    from doctobert_hf.retrieval.serve import serve

    place = model_folder(args.model) if args.model else None
    serve(args.index, args.host, args.port, place, args.engine_url)
    return 0


def model_folder(name: str) -> str:
    """Return the model's folder of a run, or the name itself."""
    inside = Path(name) / "model"
    there = (inside / "config.json").is_file() or (inside / "modules.json").is_file()
    return str(inside) if there else name


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "index": _index,
    "search": _search,
    "serve": _serve,
}
"""Subcommands by name."""
