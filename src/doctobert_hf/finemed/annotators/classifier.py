"""Annotation by Transformers classifiers, over the whole of each document.

A document longer than the model's context is cut along its structure, each piece is judged, and
the judgements are averaged by length. The published annotators saw the first 8,192 tokens.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doctobert_hf.errors import DataError, UsageError

if TYPE_CHECKING:
    import torch

_URL_TOKENS = 64


class TextClassifier:
    """A sequence classifier or regressor by path or Hub id.

    Args:
        name: Model; the NVIDIA domain classifier's own layout (encoder, dropout, linear over the
            first token) is read too.
        labels: The taxonomy its labels must be, or ``None`` for its own; empty for a regression.
        revision: Revision of the model.
        max_length: Longest window in tokens; the model's positions if they are fewer.
        batch_size: Windows at once.

    Raises:
        UsageError: The model cannot be loaded, or its labels are others.
    """

    def __init__(
        self,
        name: str,
        labels: Sequence[str] | None,
        revision: str | None = None,
        max_length: int = 8192,
        batch_size: int = 16,
    ) -> None:
        import torch

        from doctobert_hf.chunking import HierarchicalChunker

        self.name, self.batch_size = name, batch_size
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.model, self.tokenizer, found, positions = _load(name, revision)
        self.model.to(self.device).eval()
        self.labels, self._order = _order(name, found, labels)
        self.length = min(max_length, positions, self.tokenizer.model_max_length)
        self.chunker = HierarchicalChunker(self.tokenizer, self.length)
        self.short_chunker = HierarchicalChunker(self.tokenizer, max(8, self.length - _URL_TOKENS))

    def judge(self, texts: Sequence[str], urls: Sequence[str | None] | None = None) -> list[Any]:
        """Judge whole texts.

        Args:
            texts: Documents.
            urls: Addresses to begin each window with; the published subdomain classifier's input
                is address, blank line, text.

        Returns:
            By text a list of probabilities in the taxonomy's order, or the regression's value.
        """
        windows: list[str] = []
        owners: list[int] = []
        for index, text in enumerate(texts):
            url = urls[index] if urls else None
            chunker = self.short_chunker if url else self.chunker
            prefix = f"{self._clipped(url)}\n\n" if url else ""
            for piece in chunker.split(text):
                windows.append(prefix + piece)
                owners.append(index)
        return self._averaged(windows, owners, len(texts))

    def _averaged(self, windows: list[str], owners: list[int], count: int) -> list[Any]:
        import torch

        sums: list[Any] = [0.0] * count
        weights = [0.0] * count
        order = sorted(range(len(windows)), key=lambda i: len(windows[i]))
        for first in range(0, len(order), self.batch_size):
            chosen = order[first : first + self.batch_size]
            batch = self.tokenizer(
                [windows[i] for i in chosen],
                truncation=True,
                max_length=self.length,
                padding=True,
                return_tensors="pt",
            ).to(self.device)
            with torch.inference_mode():
                logits = self.model(**batch).logits.float()
            found = logits[:, 0] if not self.labels else logits.softmax(-1)[:, self._order]
            for place, values in zip(chosen, found.cpu(), strict=True):
                sums[owners[place]] = sums[owners[place]] + values * len(windows[place])
                weights[owners[place]] += len(windows[place])
        return [
            (total / weight).tolist() if weight else None
            for total, weight in zip(sums, weights, strict=True)
        ]

    def _clipped(self, url: str) -> str:
        ids = self.tokenizer(url, add_special_tokens=False)["input_ids"]
        if len(ids) <= _URL_TOKENS - 4:
            return url
        return str(self.tokenizer.decode(ids[: _URL_TOKENS - 4]))


def _order(
    name: str, found: list[str], wanted: Sequence[str] | None
) -> tuple[tuple[str, ...], list[int]]:
    """The taxonomy and, for each of its labels, the model's output."""
    if wanted is not None and not wanted:
        if len(found) != 1:
            raise UsageError(
                f"'{name}' gives {len(found)} values", "one: the quality is a regression"
            )
        return (), [0]
    labels = tuple(found if wanted is None else wanted)
    places = {_plain(label): index for index, label in enumerate(found)}
    unknown = [label for label in labels if _plain(label) not in places]
    if unknown or len(found) != len(labels):
        strange = [label for label in found if _plain(label) not in map(_plain, labels)]
        raise UsageError(
            f"The labels of '{name}' are not the taxonomy's: {', '.join(strange[:5])}",
            f"{len(labels)} labels such as {', '.join(labels[:3])}",
            "Set id2label in its config.json, or choose another model",
        )
    return labels, [places[_plain(label)] for label in labels]


def _plain(label: str) -> str:
    bare = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode()
    return " ".join(bare.lower().replace(" and ", " & ").split())


def _load(name: str, revision: str | None) -> tuple[Any, Any, list[str], int]:
    """Model, tokenizer, labels in the order of the outputs, and positions."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    from doctobert_hf.models.positions import max_positions

    try:
        config = _raw_config(name, revision)
        if "base_model" in config and "fc_dropout" in config:
            model: Any = _first_token_model(name, revision, config)
        else:
            model = AutoModelForSequenceClassification.from_pretrained(
                name, revision=revision, trust_remote_code=False
            )
        tokenizer = AutoTokenizer.from_pretrained(name, revision=revision, trust_remote_code=False)
    except (OSError, ValueError, KeyError) as error:
        raise UsageError(
            f"The annotator '{name}' cannot be loaded ({str(error).splitlines()[0]})",
            "a classifier by path or Hub id",
            "Check the name and the network, or choose 'light'",
        ) from error
    labels = model.config.id2label
    names = [labels[index] for index in range(len(labels))]
    return model, tokenizer, names, max_positions(model.config) or 10**9


def _raw_config(name: str, revision: str | None) -> dict[str, Any]:
    from huggingface_hub import hf_hub_download

    path = Path(name) / "config.json"
    if not path.is_file():
        path = Path(hf_hub_download(name, "config.json", revision=revision))
    return json.loads(path.read_text(encoding="utf-8"))


def _first_token_model(name: str, revision: str | None, raw: dict[str, Any]) -> torch.nn.Module:
    """The NVIDIA domain classifier: encoder, linear layer over the first token."""
    import torch
    from huggingface_hub import hf_hub_download
    from safetensors.torch import load_file
    from transformers import AutoConfig, AutoModel
    from transformers.modeling_outputs import SequenceClassifierOutput

    labels = {int(index): label for index, label in raw["id2label"].items()}
    config = AutoConfig.from_pretrained(raw["base_model"], trust_remote_code=False)
    config.id2label = labels

    class FirstTokenClassifier(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.config = config
            self.model = AutoModel.from_config(config)
            self.fc = torch.nn.Linear(config.hidden_size, len(labels))

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor, **_: Any) -> Any:
            states = self.model(input_ids=input_ids, attention_mask=attention_mask)
            return SequenceClassifierOutput(logits=self.fc(states.last_hidden_state[:, 0]))

    model = FirstTokenClassifier()
    path = Path(name) / "model.safetensors"
    if not path.is_file():
        path = Path(hf_hub_download(name, "model.safetensors", revision=revision))
    missing, unexpected = model.load_state_dict(load_file(path), strict=False)
    if missing or unexpected:
        raise DataError(
            f"The weights of '{name}' are of another layout ({(missing + unexpected)[:3]})",
            "an encoder 'model' and a linear layer 'fc'",
        )
    return model
