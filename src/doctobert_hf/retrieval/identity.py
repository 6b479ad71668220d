"""What a model is to an index: vectors of another one compare with nothing."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doctobert_hf.errors import DataError, UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from doctobert_hf.retrieval.models import RetrievalModel


@dataclass
class ModelIdentity:
    """A model as an index records it.

    Attributes:
        place: Folder or Hub id that opens it; None for one that was only in memory.
        fingerprint: Hash of weights and tokenizer.
        revision: Commit, of a model from the Hub.
        kind: ``dense`` or ``late-interaction``.
        modules: Its modules' classes in order: encoder, pooling, projection.
        pooling: How tokens become a vector; None for late interaction.
        dimensions: Of a vector as it is stored.
        truncate_dim: Size that longer vectors are cut to; None: not cut.
        similarity: ``cosine``, ``dot`` and the like.
        prompts: What is put before queries and documents.
        query_length: Most tokens of a query.
        document_length: Most tokens of a passage.
    """

    place: str | None
    fingerprint: str
    revision: str | None
    kind: str
    modules: list[str]
    pooling: str | None
    dimensions: int | None
    truncate_dim: int | None
    similarity: str
    prompts: dict[str, str]
    query_length: int | None
    document_length: int

    @classmethod
    def of(cls, model: RetrievalModel, place: str | Path | None = None) -> ModelIdentity:
        """Describe a model that is open."""
        from doctobert_hf.retrieval.models import document_length, is_late

        opened: Any = model
        pooling = next((m for m in opened if type(m).__name__ == "Pooling"), None)
        mode = getattr(pooling, "pooling_mode", None) if pooling is not None else None
        return cls(
            place=absolute(place),
            fingerprint=fingerprint(opened),
            revision=getattr(getattr(opened[0], "config", None), "_commit_hash", None),
            kind="late-interaction" if is_late(opened) else "dense",
            modules=[type(module).__name__ for module in opened],
            pooling=str(mode) if mode is not None else None,
            dimensions=getattr(opened, "truncate_dim", None) or opened.get_embedding_dimension(),
            truncate_dim=getattr(opened, "truncate_dim", None),
            similarity=str(opened.similarity_fn_name),
            prompts={key: text for key, text in opened.prompts.items() if text},
            query_length=getattr(opened[0], "query_length", None),
            document_length=document_length(opened),
        )

    def apply(self, model: RetrievalModel, where: str) -> None:
        """Check that a model is this one, and give it the prompts and sizes it had.

        Args:
            model: The model that was opened.
            where: The index, for messages.

        Raises:
            DataError: It is another model.
        """
        from doctobert_hf.retrieval.onnx_encoder import scales_by_batch

        opened: Any = model
        if fingerprint(opened) != self.fingerprint:
            raise DataError(
                f"The index '{where}' was made with another model than the one at '{self.place}'",
                "the same weights and tokenizer: vectors of another model compare with nothing",
                "Name the right one with --model, or index the documents anew with this one",
            )
        if scales_by_batch(opened):  # too far from its own vectors to see other settings in them
            now = ModelIdentity.of(opened)
            if (now.modules, now.pooling) != (self.modules, self.pooling):
                raise _otherwise(where)
        opened.prompts = {**dict.fromkeys(opened.prompts, ""), **self.prompts}
        if self.kind == "dense":
            opened.truncate_dim = self.truncate_dim
            opened.similarity_fn_name = self.similarity
        for name in ("query_length", "document_length"):
            if hasattr(opened[0], name):
                setattr(opened[0], name, getattr(self, name))

    def as_json(self) -> dict[str, Any]:
        """Return plain types."""
        return asdict(self)


def open_identified(identity: ModelIdentity, where: str, place: str | None = None) -> Any:
    """Open the model of an index, from where it was or from another place.

    Raises:
        UsageError: It is not where it was, and no other place is named.
        DataError: Another model is there.
    """
    from doctobert_hf.retrieval.models import open_model, saved_kind

    source = place or identity.place
    if source is None or (Path(source).is_absolute() and not Path(source).exists()):
        raise UsageError(
            f"The model of the index '{where}' is not at '{source}'",
            "the model it was made with",
            "Name its place: --model FOLDER",
        )
    source = absolute(source) or ""
    plain = saved_kind(source) is None
    kind: Any = identity.kind if plain else None
    pooling = identity.pooling if plain and identity.kind == "dense" else None
    model = open_model(source, kind, pooling)
    ModelIdentity(**{**identity.as_json(), "place": source}).apply(model, where)
    return model


_ALIKE = 0.01  # of a vector's length: half precision and other processors move it less
# An int8 graph scales what it computes by all of a batch, so a passage alone is encoded otherwise
# than among others: up to 13 % away with a trained encoder, 35 % with large random weights. Its
# hash is in the fingerprint and pooling is compared by name; here only what is far off is seen.
_ALIKE_INT8 = 0.5


def check_encodes(model: Any, text: str, known: NDArray[np.floating], where: str) -> None:
    """Check that a passage of an index is still encoded to the vectors the index has.

    Weights and tokenizer may be the same and yet be read otherwise: by other pooling, with the
    prompt left out of it, by another activation. What comes out tells of all of these.

    Args:
        model: The model, with the index's prompts and sizes.
        text: The passage.
        known: Its vector, or its tokens' vectors.
        where: The index, for messages.

    Raises:
        DataError: Other vectors come out.
    """
    import numpy as np

    from doctobert_hf.retrieval.encoding import PassageEncoder
    from doctobert_hf.retrieval.onnx_encoder import scales_by_batch

    vectors = PassageEncoder(model).encode([text], told=False)
    assert vectors is not None
    now = np.asarray(vectors.blocks[0], np.float32).reshape(-1, vectors.blocks[0].shape[1])
    before = np.asarray(known, np.float32).reshape(-1, known.shape[-1])
    if now.shape == before.shape:
        away = float(np.linalg.norm(now - before))
        alike = _ALIKE_INT8 if scales_by_batch(model) else _ALIKE
        if away <= alike * float(np.linalg.norm(before)):
            return
    raise _otherwise(where)


def _otherwise(where: str) -> DataError:
    return DataError(
        f"The model encodes a passage of the index '{where}' otherwise than when it was indexed",
        "the same pooling, activation and tokens: the weights are the same, the vectors are not",
        "Put the model's settings back, or index the documents anew",
    )


def fingerprint(model: Any) -> str:
    """Return a hash of a model's weights and tokenizer, wherever it lies."""
    import torch

    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        if ".pooler." in name:
            continue  # no pooling reads it, and where a checkpoint has none it is drawn anew
        digest.update(name.encode())
        flat = tensor.detach().cpu().contiguous().flatten()
        digest.update(flat.view(torch.uint8).numpy().data)
    tokenizer = getattr(model, "tokenizer", None)
    backend: Any = getattr(tokenizer, "backend_tokenizer", tokenizer)
    if hasattr(backend, "to_str"):
        content = json.loads(backend.to_str())
        for key in ("truncation", "padding"):  # these follow the last call
            content.pop(key, None)
        digest.update(json.dumps(content, sort_keys=True).encode())
    return digest.hexdigest()[:32]


def absolute(place: str | Path | None) -> str | None:
    """Return a folder's whole path; the id of a model on the Hub as it is."""
    return (
        str(Path(place).resolve()) if place and Path(place).exists() else str(place or "") or None
    )
