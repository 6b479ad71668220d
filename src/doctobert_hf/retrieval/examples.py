"""Training rows: a question, a text that answers it, and texts that do not."""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING, Any

from doctobert_hf.errors import DataError
from doctobert_hf.retrieval.index import Index
from doctobert_hf.retrieval.pairs import normalized
from doctobert_hf.retrieval.sparse import SparseTable, is_sparse

if TYPE_CHECKING:
    from datasets import Dataset

    from doctobert_hf.retrieval.models import RetrievalModel
    from doctobert_hf.retrieval.pairs import PairSet
    from doctobert_hf.retrieval.recipe import RetrievalConfig

_QUERIES = 256  # questions scored at once


def training_ids(pairs: PairSet, config: RetrievalConfig) -> list[tuple[str, ...]]:
    """Return of each training row the question's id, the right document's, and wrong ones'."""
    given = sum(map(len, pairs.negatives.values()))
    if given and not config.hard_negatives:
        pairs.notes.append(
            f"{pairs.name}: {given:,} wrong documents that the data names are not trained on as "
            "such: hard_negatives is 0"
        )
    wrong = negatives(pairs, config) if config.hard_negatives else {}
    return [(query, right, *wrong.get(query, ())) for query, right in pairs.pairs()]


def training_rows(
    pairs: PairSet,
    config: RetrievalConfig,
    model: RetrievalModel,
    ids: list[tuple[str, ...]] | None = None,
) -> Dataset:
    """Return one row a (question, right document), with ``hard_negatives`` wrong ones each.

    Of a document over the model's context the row has the chunk that the untrained model finds
    nearest to the question, as a search would. Wrong documents are those the data names, then
    mined ones (``mine_negatives``), then random ones; how many of each is noted in
    ``pairs.notes``, as is the number of long documents.

    Args:
        pairs: The training pairs.
        config: The recipe.
        model: Cuts documents, and says which chunk of a long one is nearest.
        ids: The rows by ids; default: :func:`training_ids`.
    """
    from datasets import Dataset

    from doctobert_hf.retrieval.models import document_length

    rows = training_ids(pairs, config) if ids is None else ids
    texts = _Texts(pairs, model, {document for row in rows for document in row[1:]})
    names = ["positive", *(f"negative_{n + 1}" for n in range(config.hard_negatives))]
    columns: dict[str, list[str]] = {"anchor": [pairs.queries[row[0]] for row in rows]}
    for place, name in enumerate(names, start=1):
        columns[name] = texts.nearest([(row[0], row[place]) for row in rows])
    if texts.long:
        pairs.notes.append(
            f"{pairs.name}: {len(texts.long):,} documents over {document_length(model)} tokens are "
            "trained on by their chunk nearest to the question"
        )
    return Dataset.from_dict(columns)


def negatives(pairs: PairSet, config: RetrievalConfig) -> dict[str, list[str]]:
    """Choose ``hard_negatives`` wrong documents for each question.

    Returns:
        Document ids by query id, as many for each.
    """
    draw = random.Random(config.seed)
    wording = {key: normalized(text) for key, text in pairs.documents.items()}
    answers = _answers(pairs)
    _check_enough(pairs, answers, config.hard_negatives, wording)
    alike: dict[str, list[str]] = {}
    for key, said in wording.items():
        alike.setdefault(said, []).append(key)
    documents = list(pairs.documents)
    mined = mine_negatives(pairs, config) if config.mine_negatives else {}
    chosen: dict[str, list[str]] = {}
    counts: Counter[str] = Counter()
    for query in pairs.queries:
        # What says the same in other case and marks is right too.
        right = {key for d in answers[query] for key in alike[wording[d]]}
        found: list[str] = []
        for origin, offered in (
            ("given", pairs.negatives.get(query, [])),
            ("mined", mined.get(query, [])),
        ):
            fresh = [d for d in offered if d not in found and d not in right]
            taken = fresh[: config.hard_negatives - len(found)]
            counts[origin] += len(taken)
            found += taken
        while len(found) < config.hard_negatives:
            other = draw.choice(documents)
            if other not in right and other not in found:
                found.append(other)
                counts["random"] += 1
        chosen[query] = found
    told = ", ".join(f"{count:,} {origin}" for origin, count in counts.items() if count)
    if left := sum(map(len, pairs.negatives.values())) - counts["given"]:
        told += f"; {left:,} given ones are over hard_negatives {config.hard_negatives}, or right"
    pairs.notes.append(f"{pairs.name}: hard negatives: {told}")
    return chosen


def _answers(pairs: PairSet) -> dict[str, set[str]]:
    """Return the right documents by query id, those of the same question in other case too."""
    asked: dict[str, set[str]] = {}
    said = {query: normalized(text) for query, text in pairs.queries.items()}
    for query, right in pairs.relevant.items():
        asked.setdefault(said[query], set()).update(right)
    return {query: asked[said[query]] for query in pairs.relevant}


def _check_enough(
    pairs: PairSet, answers: dict[str, set[str]], wanted: int, wording: dict[str, str]
) -> None:
    """Raise where a question has fewer wrong documents than are wanted.

    Raises:
        DataError: With the question.
    """
    counts = Counter(wording.values())
    for query, right in answers.items():
        wrong = len(wording) - sum(counts[said] for said in {wording[d] for d in right})
        if wrong < wanted:
            raise DataError(
                f"{pairs.name}: the question '{pairs.queries[query]:.60}' has {wrong:,} wrong "
                f"documents, and hard_negatives is {wanted}",
                f"at least {wanted} documents that do not answer it",
                "Lower hard_negatives, or give further documents (distractors)",
            )


def mine_negatives(pairs: PairSet, config: RetrievalConfig) -> dict[str, list[str]]:
    """Mine wrong documents with Sentence Transformers: near the question, but less than the right.

    The base model mines, read as a dense one; a plain encoder by mean pooling.
    """
    from datasets import Dataset
    from sentence_transformers.util import mine_hard_negatives

    from doctobert_hf.retrieval.models import open_model, saved_kind

    dense = saved_kind(config.base_model) == "dense"
    model: Any = open_model(config.base_model, "dense", None if dense else config.pooling or "mean")
    prompts = {**model.prompts, **config.given_prompts}
    by_text = {text: key for key, text in pairs.documents.items()}
    query_of = {text: key for key, text in pairs.queries.items()}
    rows = Dataset.from_dict(
        {
            "anchor": [pairs.queries[query] for query, _ in pairs.pairs()],
            "positive": [pairs.documents[document] for _, document in pairs.pairs()],
        }
    )
    found = mine_hard_negatives(
        rows,
        model,
        corpus=list(by_text),
        num_negatives=config.hard_negatives,
        relative_margin=config.mining_margin,
        query_prompt=prompts.get("query") or None,
        corpus_prompt=prompts.get("document") or None,
        output_format="triplet",
        verbose=False,
    )
    mined: dict[str, list[str]] = {}
    for row in found:
        mined.setdefault(query_of[row["anchor"]], []).append(by_text[row["negative"]])
    return {query: list(dict.fromkeys(documents)) for query, documents in mined.items()}


class _Texts:
    """What of each document a row has: the whole, or its chunk nearest to the question."""

    def __init__(self, pairs: PairSet, model: RetrievalModel, used: set[str]) -> None:
        from doctobert_hf.retrieval.chunks import cut, long_documents
        from doctobert_hf.retrieval.models import document_length, tokenizer_of

        self.pairs = pairs
        documents = {key: pairs.documents[key] for key in sorted(used)}
        prompt = model.prompts.get("document") or ""
        passages = cut(documents.values(), tokenizer_of(model), document_length(model), prompt)
        self.long = long_documents(documents, passages)
        self.index: Index | SparseTable | None = None
        if self.long:
            self.place = {key: number for number, key in enumerate(self.long)}
            texts = {key: documents[key] for key in self.long}
            self.index = (
                SparseTable(texts, model) if is_sparse(model) else Index.build(texts, model)
            )

    def nearest(self, wanted: list[tuple[str, str]]) -> list[str]:
        """Return the text for each (query, document)."""
        texts = [self.pairs.documents[document] for _, document in wanted]
        if self.index is None:
            return texts
        cut_ones = [n for n, (_, document) in enumerate(wanted) if document in self.place]
        bounds = [*self.index.starts, len(self.index.passages)]
        for first in range(0, len(cut_ones), _QUERIES):
            numbers = cut_ones[first : first + _QUERIES]
            scores = self.index.scores([self.pairs.queries[wanted[n][0]] for n in numbers])
            for row, number in zip(scores, numbers, strict=True):
                place = self.place[wanted[number][1]]
                begin, end = bounds[place], bounds[place + 1]
                texts[number] = self.index.passages[begin + int(row[begin:end].argmax())].text
        return texts
