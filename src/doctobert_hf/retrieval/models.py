"""Making retrieval models of an encoder, and opening the ones there are.

Dense: one vector a text. Late interaction: one vector a token, compared by MaxSim.
"""

from __future__ import annotations

import importlib.metadata
import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from doctobert_hf.errors import UsageError
from doctobert_hf.models.positions import max_positions
from doctobert_hf.retrieval.portable import set_saved_lengths

if TYPE_CHECKING:
    from sentence_transformers import MultiVectorEncoder, SentenceTransformer
    from transformers import PreTrainedTokenizerBase

    from doctobert_hf.retrieval.recipe import RetrievalConfig

    RetrievalModel = SentenceTransformer | MultiVectorEncoder

logger = logging.getLogger(__name__)
Kind = Literal["dense", "late-interaction"]
_UNBOUNDED = 512  # tokens of a passage where the model itself has no bound


_OTHER_KINDS = {
    "CrossEncoder": "It reads a question and a passage together: it reranks (retrieval search "
    "--rerank) and is measured as that (retrieval evaluate)",
    "SparseEncoder": "Its vectors are sparse: it is measured (retrieval evaluate) and trained "
    "further (kind sparse), not indexed here",
}
"""Kinds that Sentence Transformers would turn into dense models without a word."""


def require_sentence_transformers() -> None:
    """Raise where Sentence Transformers 6, which has late interaction, is not installed.

    Raises:
        UsageError: It is absent or older, with the command that installs it.
    """
    try:
        version = importlib.metadata.version("sentence-transformers")
    except importlib.metadata.PackageNotFoundError:
        version = "none"
    if version == "none" or int(version.split(".")[0]) < 6:
        fix = "Install it: pip install 'doctobert-hf[retrieval]'"
        if _installed("pylate"):
            fix = (
                "PyLate pins an older one: this environment is for kind 'pylate' only. For the "
                "other kinds use another: python -m venv retrieval-env && retrieval-env/bin/pip "
                "install 'doctobert-hf[retrieval]'"
            )
        raise UsageError(f"sentence-transformers {version}", "sentence-transformers 6", fix)


def _installed(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def saved_kind(place: str) -> Kind | None:
    """Tell what a saved retrieval model is; None for an encoder without pooling configuration.

    Raises:
        UsageError: Neither a folder with a model nor a model the Hub or its cache has.
    """
    require_sentence_transformers()
    from sentence_transformers.util import load_file_path

    offline = Path(place).is_dir()
    if offline and not any((Path(place) / f).is_file() for f in ("config.json", "modules.json")):
        raise UsageError(
            f"The folder '{place}' holds no model",
            "a folder with config.json or modules.json",
            f"Did you mean '{place}/model'?" if (Path(place) / "model").is_dir() else "",
        )
    if load_file_path(place, "modules.json", local_files_only=offline) is None:
        if not offline and load_file_path(place, "config.json") is None:
            raise UsageError(
                f"No model '{place}'", "a folder, or the id of a model on the Hub", "Check the name"
            )
        return None
    settings = load_file_path(place, "config_sentence_transformers.json", local_files_only=offline)
    content = json.loads(Path(settings).read_text(encoding="utf-8")) if settings else {}
    kind = content.get("model_type", "SentenceTransformer")
    if kind in _OTHER_KINDS:
        raise UsageError(
            f"'{place}' is a {kind}", "a dense or late-interaction model", _OTHER_KINDS[kind]
        )
    late = kind in ("MultiVectorEncoder", "ColBERT")
    return "late-interaction" if late else "dense"


def open_model(place: str, kind: Kind | None = None, pooling: str | None = None) -> RetrievalModel:
    """Open a retrieval model, or read a plain encoder as one.

    Args:
        place: Folder or Hub id. PyLate's models open as late interaction.
        kind: What to read a plain encoder as; ``late-interaction`` takes its token vectors as they
            are. Needed for nothing else.
        pooling: How a plain encoder's tokens become a vector, e.g. ``mean``.

    Raises:
        UsageError: A plain encoder, and nobody said how to pool.

    Example:
        >>> model = open_model("encoder", pooling="mean")
        >>> model.encode(["Pas de fièvre."]).shape
        (1, 64)
    """
    from doctobert_hf.retrieval.onnx_encoder import is_export, with_graph

    saved = saved_kind(place)
    if saved is not None and pooling is None and kind in (None, saved):
        made = _open_saved(place, saved)
        return with_graph(made, place) if is_export(place) else made
    if kind == "late-interaction":
        return _late_interaction(place, None, [], {})
    if pooling is None:
        raise UsageError(
            f"'{place}' has no pooling configuration (modules.json)",
            "a Sentence Transformers model, or a plain encoder and how to pool it",
            "Pass --pooling mean to read it so, or train it: doctobert-hf retrieval train",
        )
    return _dense(place, pooling, None)


def _open_saved(place: str, kind: Kind) -> RetrievalModel:
    from sentence_transformers.util import load_file_path

    settings = load_file_path(place, "config_sentence_transformers.json")
    content = json.loads(Path(settings).read_text(encoding="utf-8")) if settings else {}
    if kind == "dense":
        from sentence_transformers import SentenceTransformer

        dense = SentenceTransformer(place, model_kwargs=_FLOAT)
        set_saved_lengths(dense, content)
        return dense
    from sentence_transformers import MultiVectorEncoder

    model = MultiVectorEncoder(place, model_kwargs=_FLOAT)
    _mend_pylate_markers(model, content)
    return model


def _mend_pylate_markers(model: Any, content: dict[str, Any]) -> None:
    """Let a PyLate model see the tokens it was trained on (:func:`~.pylate.space_behind`)."""
    from doctobert_hf.retrieval.pylate import space_behind

    if content.get("model_type") == "ColBERT":
        for name in ("query", "document"):
            marker = content.get(f"{name}_prefix")
            if marker and model.prompts.get(name) == marker:
                model.prompts[name] = marker + space_behind(marker, model.tokenizer)


# Half-precision weights are slow on a CPU and too coarse to train.
_FLOAT = {"dtype": "float32"}


def new_model(config: RetrievalConfig) -> RetrievalModel:
    """Make the model a recipe trains.

    A base that is a retriever of the kind keeps its pooling, projection, prompts, skip list and
    expansion unless the recipe names others; what is kept and what is changed is told.

    Raises:
        UsageError: A size that the base's vectors do not have.
    """
    from doctobert_hf.retrieval.onnx_encoder import is_export

    if is_export(config.base_model):
        raise UsageError(
            f"base_model '{config.base_model}' is an export, which cannot be trained",
            "the model it was made of",
        )
    saved = saved_kind(config.base_model)
    wanted: Kind = "dense" if config.kind == "dense" else "late-interaction"
    model: Any
    if saved == wanted:
        model = open_model(config.base_model)
        told = _changed(model, config)
        kept = ", ".join(f"{name} {value!r}" for name, value in _described(model).items())
        logger.info("'%s' is a %s retriever and keeps: %s", config.base_model, saved, kept)
        for line in told:
            logger.warning("the recipe changes the base's %s", line)
        model.prompts = {**model.prompts, **config.given_prompts}
    else:
        if saved is not None:
            logger.warning(
                "'%s' is a %s retriever: of it only the encoder is used for kind %s",
                config.base_model,
                saved,
                config.kind,
            )
        from doctobert_hf.retrieval.saved_kinds import other_kind

        if other_kind(config.base_model) == "CrossEncoder":
            logger.warning(
                "'%s' is a CrossEncoder: its encoder is used, not what it scores with",
                config.base_model,
            )
        model = _of_encoder(config)
        model.prompts = config.new_prompts
    _add_markers(model, list(model.prompts.values()))
    if (config.query_length or config.max_length) and not hasattr(model[0], "document_length"):
        logger.warning(
            "the model reads texts of any length: query_length and max_length are unused"
        )
    set_lengths(model, *lengths_of(model, config, trained=saved == wanted))
    return model


def _of_encoder(config: RetrievalConfig) -> RetrievalModel:
    if config.kind == "dense":
        if config.pooling is None:
            logger.info("'%s' has no pooling of its own: mean", config.base_model)
        return _dense(config.base_model, config.pooling or "mean", config.dimensions)
    return _late_interaction(
        config.base_model,
        config.dimensions or LATE_DIMENSIONS,
        config.skipped_words,
        {"query_expansion": _expansion(config, USUAL_LENGTHS[0])},
    )


LATE_DIMENSIONS = 128
"""Of a token's vector in a new late-interaction model (ColBERT's)."""


def _expansion(config: RetrievalConfig, own: int) -> dict[str, Any] | None:
    if config.query_expansion in (None, "none"):
        return None
    fixed = config.query_expansion == "fixed"
    length = (config.query_length or own) if fixed else config.expansion_length
    return {"strategy": config.query_expansion, "length": length}


def _changed(model: Any, config: RetrievalConfig) -> list[str]:
    """Change of a trained retriever what the recipe names; return what, one a line."""
    told = []
    before = _described(model)
    dimensions = model.get_embedding_dimension()
    if config.dimensions not in (None, dimensions):
        if config.kind != "dense":
            raise UsageError(
                f"dimensions {config.dimensions} for '{config.base_model}', whose token vectors "
                f"have {dimensions}",
                f"null or {dimensions}",
            )
        model.truncate_dim = None  # a projection reads the whole vector
        projected = _projected(model, config.dimensions)
        model._modules = projected._modules
        told.append(f"dimensions: {config.dimensions} by a new projection, instead of {dimensions}")
    if config.pooling not in (None, before.get("pooling")):
        [pooling] = [module for module in model if type(module).__name__ == "Pooling"]
        pooling.pooling_mode = config.pooling
        told.append(f"pooling: {config.pooling} instead of {before['pooling']}")
    if config.kind != "dense" and config.query_expansion is not None:
        own = model[0].query_length or model.max_seq_length or USUAL_LENGTHS[0]
        model[0].query_expansion = _expansion(config, own)
    if config.kind != "dense" and config.skiplist is not None:
        for mask in model:
            if hasattr(mask, "skiplist_words"):
                mask.skiplist_words = config.skipped_words
                mask.resolve_with_tokenizer(model.tokenizer)
    told += told_changes(model, config)
    after = _described(model)
    told += [
        f"{name}: {after[name]!r} instead of {before[name]!r}"
        for name in ("skiplist", "expansion")
        if before.get(name) != after.get(name)
    ]
    return told


def told_changes(model: Any, config: RetrievalConfig) -> list[str]:
    """Return what a recipe changes of a base's prompts and lengths, one a line."""
    told = [
        f"prompt of a {name}: {text!r} instead of {model.prompts.get(name, '')!r}"
        for name, text in config.given_prompts.items()
        if model.prompts.get(name, "") != text
    ]
    for name, own, now in _lengths(model, config):
        if own is not None and now not in (None, own):
            told.append(f"{name}: {now} tokens instead of {own}")
    return told


USUAL_LENGTHS = 64, 128
"""Most tokens of queries and documents of a new model, where a recipe says nothing."""


def lengths_of(model: Any, config: RetrievalConfig, trained: bool) -> tuple[int, int]:
    """Return the most tokens of queries and documents: the recipe's, the base's or the usual.

    Args:
        model: The model as it was opened.
        config: The recipe.
        trained: Whether the base is a retriever, whose lengths are kept.
    """
    read = getattr(model[0], "config", None)
    limit = max_positions(read) if read is not None else None
    found = []
    own = {name: length for name, length, _ in _lengths(model, config)} if trained else {}
    given = {"query_length": config.query_length, "max_length": config.max_length}
    for usual, (name, length) in zip(USUAL_LENGTHS, given.items(), strict=True):
        kept = own.get(name) or usual  # a base may name more than its positions hold
        found.append(length or (kept if limit is None else min(kept, limit)))
    return found[0], found[1]


def _lengths(model: Any, config: RetrievalConfig) -> list[tuple[str, int | None, int | None]]:
    """Return the names of lengths with the model's own and the recipe's; static ones have none."""
    if not hasattr(model[0], "document_length"):
        return []
    longest = model[0].document_length or model.max_seq_length
    return [
        ("query_length", model[0].query_length or model.max_seq_length, config.query_length),
        ("max_length", longest, config.max_length),
    ]


def _described(model: Any) -> dict[str, Any]:
    """Return what of a retriever a recipe may name."""
    found: dict[str, Any] = {"modules": " + ".join(type(module).__name__ for module in model)}
    found["dimensions"] = model.get_embedding_dimension()
    for module in model:
        if hasattr(module, "pooling_mode"):
            found["pooling"] = module.pooling_mode
        if hasattr(module, "skiplist_words"):
            found["skiplist"] = len(module.skiplist_words)
    if is_late(model):
        found["expansion"] = getattr(model[0], "query_expansion", None)
    found["prompts"] = {name: text for name, text in model.prompts.items() if text}
    return found


def set_lengths(model: RetrievalModel, query_length: int, max_length: int) -> None:
    """Set the most tokens of queries and documents; both are saved with the model.

    Static embeddings read any number of tokens: there nothing is set.

    Raises:
        UsageError: More than the encoder has positions for.
    """
    transformer: Any = model[0]
    if not hasattr(transformer, "document_length"):
        return
    limit = max_positions(transformer.config)
    if limit and max(query_length, max_length) > limit:
        raise UsageError(
            f"max_length {max_length} and query_length {query_length}",
            f"at most {limit} tokens, which the encoder has positions for",
            "Documents longer than max_length are cut into chunks, not truncated",
        )
    transformer.max_seq_length = max(query_length, max_length)
    transformer.query_length = query_length
    transformer.document_length = max_length


def document_length(model: RetrievalModel) -> int:
    """Return the most tokens of a passage: the model's document length, else its positions."""
    transformer: Any = model[0]
    own = getattr(transformer, "document_length", None) or model.max_seq_length or 512
    if not isinstance(own, int):  # a model of averaged word vectors reads without end
        own = _UNBOUNDED
    config = getattr(transformer, "config", None)
    return min(own, (max_positions(config) if config is not None else None) or own)


def tokenizer_of(model: Any) -> PreTrainedTokenizerBase:
    """Return a model's tokenizer as Transformers has it; static embeddings have a bare one."""
    from tokenizers import Tokenizer

    if not isinstance(model.tokenizer, Tokenizer):
        return model.tokenizer
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast(tokenizer_object=model.tokenizer)


def is_late(model: Any) -> bool:
    """Return whether a model has a vector for each token."""
    return type(model).__name__ == "MultiVectorEncoder"


def _transformer(place: str, settings: dict[str, Any]) -> Any:
    from sentence_transformers.base.modules import Transformer
    from transformers.utils import logging

    # The report on weights that an encoder's own head had, and on a pooler nobody uses.
    verbosity = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        return Transformer(place, model_kwargs=_FLOAT, **settings)
    finally:
        logging.set_verbosity(verbosity)


def _dense(place: str, pooling: str, dimensions: int | None) -> SentenceTransformer:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Normalize
    from sentence_transformers.sentence_transformer.modules import Pooling

    transformer = _transformer(place, {})
    width = transformer.get_embedding_dimension()
    made = SentenceTransformer(modules=[transformer, Pooling(width, pooling), Normalize()])
    return _projected(made, dimensions)


def _projected(model: Any, dimensions: int | None) -> SentenceTransformer:
    """Put a projection to ``dimensions`` before the model's normalisation."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Normalize

    if dimensions is None or dimensions == model.get_embedding_dimension():
        return model
    parts = [module for module in model if not isinstance(module, Normalize)]
    dense = _projection(model.get_embedding_dimension(), dimensions)
    return SentenceTransformer(modules=[*parts, dense, Normalize()])


def _late_interaction(
    place: str, dimensions: int | None, skiplist: list[str], settings: dict[str, Any]
) -> MultiVectorEncoder:
    from sentence_transformers import MultiVectorEncoder
    from sentence_transformers.base.modules import Normalize
    from sentence_transformers.multi_vector_encoder.modules import MultiVectorMask

    transformer = _transformer(place, settings)
    width = transformer.get_embedding_dimension()
    modules = [transformer]
    if dimensions is not None and dimensions != width:
        modules.append(_projection(width, dimensions, "token_embeddings"))
    modules += [MultiVectorMask(skiplist), Normalize(module_input_name="token_embeddings")]
    return MultiVectorEncoder(modules=modules)


def _projection(width: int, dimensions: int, column: str = "sentence_embedding") -> Any:
    """A linear map that begins orthogonal: it keeps most of what the encoder already knows."""
    import torch
    from sentence_transformers.base.modules import Dense

    dense = Dense(
        width,
        dimensions,
        bias=False,
        activation_function=torch.nn.Identity(),
        module_input_name=column,
    )
    torch.nn.init.orthogonal_(dense.linear.weight)
    return dense


def _add_markers(model: Any, prompts: list[str]) -> None:
    """Make tokens of prompts in brackets, such as ``[Q]``, that the tokenizer does not know."""
    known = model.tokenizer.get_vocab()
    markers = [word for prompt in prompts for word in prompt.split()[:1] if word[:1] == "["]
    new = [marker for marker in dict.fromkeys(markers) if marker not in known]
    if new:
        from transformers import AddedToken

        tokens = [AddedToken(marker, normalized=False, special=True) for marker in new]
        model.tokenizer.add_tokens(tokens, special_tokens=True)
        encoder = model[0].auto_model
        if len(model.tokenizer) > encoder.get_input_embeddings().num_embeddings:
            encoder.resize_token_embeddings(len(model.tokenizer))
