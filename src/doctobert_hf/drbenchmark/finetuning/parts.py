"""A batch computed a part at a time: loss and gradients of the whole, memory of a part.

What a forward pass keeps for the backward pass decides the memory of fine-tuning. A batch is padded
to its longest sequence, and attention with dropout keeps ``[length, length]`` numbers for every
sequence, head and layer on a processor, where no fused kernel has dropout: one long document among
fifteen short ones makes the batch as big as sixteen long ones. So rows of like length are computed
together, without the padding that only the others needed, and their gradients are summed.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from doctobert_hf.drbenchmark.families import Family
    from doctobert_hf.drbenchmark.spec import TaskSpec

PROCESSOR_TOKENS = 2_048
"""Four sequences of 512: more are no faster on a processor, and a laptop has 8 to 16 GB, which
Apple's GPU shares."""
ACCELERATOR_TOKENS = 32_768
Batch = dict[str, torch.Tensor]


def tokens_at_once(wanted: int | None, device: torch.device) -> int:
    """Return the most tokens that are computed at once: what is wanted, or the device's default.

    Example:
        >>> tokens_at_once(None, torch.device("cpu")), tokens_at_once(512, torch.device("cpu"))
        (2048, 512)
    """
    if wanted is not None:
        return wanted
    return ACCELERATOR_TOKENS if device.type == "cuda" else PROCESSOR_TOKENS


@dataclass(frozen=True)
class PartwiseLoss:
    """A loss whose gradients are found with few tokens computed at once.

    The gradients are those of the whole batch but for rounding. Dropout draws other noise than for
    the whole batch, so what :meth:`fits` is better computed as a whole.

    Attributes:
        model: Encoder with a head, in training mode.
        family: The task's; its ``loss_weight`` says what a part counts in the whole.
        task: The task.
        most: Most tokens at once, padding counted; a longer sequence is computed alone.
        autocast: Context in which the model computes.
    """

    model: Any
    family: Family
    task: TaskSpec
    most: int
    autocast: Callable[[], Any] = contextlib.nullcontext

    def fits(self, batch: Batch) -> bool:
        """Return whether a batch has at most so many tokens, or is one sequence."""
        sequences, length = batch["input_ids"].shape
        return _fits(sequences, length, self.most)

    def backward(self, batch: Batch, scale: float = 1.0) -> torch.Tensor:
        """Add the gradients of a batch's loss to the model's.

        Args:
            batch: What ``family.collate`` gives, on the model's device.
            scale: Factor of the loss.

        Returns:
            The loss, without a graph.
        """
        rows = _Rows.of(batch)
        if not self._is_mean():
            return self._part_backward(rows, scale)
        whole = max(1, self.family.loss_weight(rows.labels))
        total = torch.zeros((), device=rows.labels.device)
        for chosen in rows.cut(self.most):
            part = rows.take(chosen)
            share = self.family.loss_weight(part.labels) / whole
            total += self._part_backward(part, scale * share)
        return total

    def _is_mean(self) -> bool:
        """Return whether the class that has the family's loss says what a part of it counts.

        A loss that was overridden without ``loss_weight`` is not known to be a mean over rows.
        """
        for kind in type(self.family).__mro__:
            if "loss_weight" in vars(kind):
                return True
            if "loss" in vars(kind):
                return False
        return False

    def _part_backward(self, part: _Rows, scale: float) -> torch.Tensor:
        if not _fits(len(part.owner), int(part.ends.max()), self.most):
            return self._backward_twice(part, scale)
        with self.autocast():
            loss = self._loss(part, self._logits(part.inputs, part.length), scale)
        loss.backward()
        return loss.detach()

    def _loss(self, part: _Rows, logits: torch.Tensor, scale: float) -> torch.Tensor:
        outputs = self.family.outputs(self.task, logits, part.owner)
        return scale * self.family.loss(self.task, outputs, part.labels)

    def _logits(self, inputs: Batch, length: int) -> torch.Tensor:
        """Logits of sequences without their common padding; those of tokens are padded again."""
        end = int(_ends(inputs).max())
        logits = self.model(**{name: value[:, :end] for name, value in inputs.items()}).logits
        if logits.ndim == 3:  # places without a label: what stands there counts in no loss
            logits = torch.nn.functional.pad(logits, (0, 0, 0, length - end))
        return logits.float()

    def _backward_twice(self, part: _Rows, scale: float) -> torch.Tensor:
        """The same where the loss needs more sequences than may be computed at once.

        A document of many chunks is one row. The loss's gradient by the logits is found first,
        without keeping anything; then each piece is computed again and takes its share (GradCache:
        Gao et al., "Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup",
        2021).
        """
        step = max(1, self.most // int(part.ends.max()))
        pieces = [
            {name: value[at : at + step] for name, value in part.inputs.items()}
            for at in range(0, len(part.owner), step)
        ]
        states, found = [], []
        with torch.no_grad(), self.autocast():
            for piece in pieces:
                states.append(_random_state())
                found.append(self._logits(piece, part.length))
        logits = torch.cat(found).requires_grad_()
        loss = self._loss(part, logits, scale)
        (gradient,) = torch.autograd.grad(loss, logits)
        after = _random_state()
        for piece, state, share in zip(pieces, states, gradient.split(step), strict=True):
            _set_random_state(state)  # the same dropout
            with self.autocast():
                again = self._logits(piece, part.length)
            again.backward(share)
        _set_random_state(after)
        return loss.detach()


@dataclass(frozen=True)
class _Rows:
    """Some rows of a batch.

    Attributes:
        inputs: What the model takes, ``[sequences, length]`` each.
        owner: Row of each sequence, ascending from 0.
        labels: Right answers, ``[rows, ...]``.
        ends: Tokens of each sequence up to its last that is no padding.
    """

    inputs: Batch
    owner: torch.Tensor
    labels: torch.Tensor
    ends: torch.Tensor

    @classmethod
    def of(cls, batch: Batch) -> _Rows:
        inputs = {name: value for name, value in batch.items() if name not in ("labels", "owner")}
        owner, labels = batch["owner"], batch["labels"]
        if len(labels) == len(owner):  # labels of tokens: every sequence stands for itself
            owner = torch.arange(len(owner), device=owner.device)
        return cls(inputs, owner, labels, _ends(inputs))

    @property
    def length(self) -> int:
        """Tokens of the padded sequences, and of labels that are of tokens."""
        return self.inputs["input_ids"].shape[1]

    def take(self, rows: list[int]) -> _Rows:
        """Return some of the rows, in their order."""
        chosen = torch.tensor(sorted(rows), device=self.owner.device)
        kept = torch.isin(self.owner, chosen)
        owner = torch.unique(self.owner[kept], return_inverse=True)[1]
        inputs = {name: value[kept] for name, value in self.inputs.items()}
        return _Rows(inputs, owner, self.labels[chosen], self.ends[kept])

    def cut(self, most: int) -> list[list[int]]:
        """Return the rows of each part, those of like length together, the longest first.

        A row that is too long for a part is one of its own.
        """
        count = int(self.owner[-1]) + 1
        longest, sequences = [0] * count, [0] * count
        for row, end in zip(self.owner.tolist(), self.ends.tolist(), strict=True):
            longest[row], sequences[row] = max(longest[row], end), sequences[row] + 1
        parts: list[list[int]] = []
        inside = 0
        for row in sorted(range(count), key=lambda row: -longest[row]):
            if not parts or (inside + sequences[row]) * longest[parts[-1][0]] > most:
                parts.append([])
                inside = 0
            parts[-1].append(row)
            inside += sequences[row]
        return parts


def _fits(sequences: int, length: int, most: int) -> bool:
    return sequences <= max(1, most // length)


def _ends(inputs: Batch) -> torch.Tensor:
    """Tokens of each sequence up to its last that is no padding; padding at the left counts."""
    ids = inputs["input_ids"]
    mask = inputs.get("attention_mask")
    if mask is None:  # a tokenizer that makes none
        mask = torch.ones_like(ids)
    places = torch.arange(1, ids.shape[1] + 1, device=ids.device)
    return (mask * places).amax(dim=1).clamp(min=1)


def _random_state() -> tuple[torch.Tensor, Any]:
    """State of the processor's generator and of the accelerators', if there are any."""
    module = _accelerator()
    if module is None:
        return torch.get_rng_state(), None
    several = getattr(module, "get_rng_state_all", module.get_rng_state)  # Apple's is one
    return torch.get_rng_state(), several()


def _set_random_state(state: tuple[torch.Tensor, Any]) -> None:
    torch.set_rng_state(state[0])
    if state[1] is not None:
        module = _accelerator()
        getattr(module, "set_rng_state_all", module.set_rng_state)(state[1])


def _accelerator() -> Any:
    """The module of this machine's accelerator (``torch.cuda``, ``torch.mps``); None without."""
    device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    return None if device is None else torch.get_device_module(device)
