"""StableAdamW: AdamW whose step is clipped per tensor by the root mean square of its update.

Wortsman et al. 2023 (arXiv 2304.13013), in the variant of torch-optimi that the published models
were trained with: debiased betas, decoupled weight decay. No value is ever read back from the
device, and all tensors of a group are updated together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch

from doctobert_hf.errors import UsageError


class StableAdamW(torch.optim.Optimizer):
    """AdamW with update clipping.

    At step t, per tensor: ``b = B (1 - B^(t-1)) / (1 - B^t)`` for both betas; ``m`` and ``v`` are
    running means of gradient and squared gradient; ``eta = lr / max(1, rms)`` with
    ``rms = sqrt(mean(g^2 / max(v, eps^2)))``; the weights shrink by ``(eta / max_lr) wd``
    (decoupled) and move by ``-eta m / (sqrt(v) + eps)``.

    Args:
        params: Parameters or groups.
        lr: Learning rate.
        betas: Decay of the two means.
        eps: Added to the root.
        weight_decay: Decay; with ``decouple_lr`` it does not scale with ``lr`` (use about 1e-5),
            else it does, as in AdamW.
        decouple_lr: Decay relative to ``max_lr``.
        max_lr: The rate at which the decay is exactly ``weight_decay``; default ``lr``. It is
            saved with the state, so that a later phase with another ``lr`` keeps it.

    Raises:
        UsageError: A value out of range.

    Example:
        >>> import torch
        >>> layer = torch.nn.Linear(4, 2)
        >>> optimizer = StableAdamW(layer.parameters(), lr=1e-3)
        >>> layer(torch.ones(1, 4)).sum().backward()
        >>> optimizer.step()
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.98),
        eps: float = 1e-6,
        weight_decay: float = 1e-5,
        decouple_lr: bool = True,
        max_lr: float | None = None,
    ) -> None:
        if lr <= 0 or eps <= 0 or weight_decay < 0 or not all(0 <= b < 1 for b in betas):
            raise UsageError(
                f"lr {lr}, betas {betas}, eps {eps}, weight_decay {weight_decay}",
                "lr and eps above 0, betas in [0, 1), weight_decay at least 0",
            )
        defaults = {
            "lr": lr,
            "betas": tuple(betas),
            "eps": eps,
            "weight_decay": weight_decay,
            "decouple_lr": decouple_lr,
            "max_lr": max_lr or lr,
        }
        super().__init__(params, defaults)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update all parameters that have a gradient."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            group["step"] = group.get("step", 0) + 1
            params = [p for p in group["params"] if p.grad is not None]
            if params:
                self._update(group, params)
        return loss

    def _update(self, group: dict[str, Any], params: list[torch.Tensor]) -> None:
        for p in params:
            if not self.state[p]:
                self.state[p]["exp_avg"] = torch.zeros_like(p)
                self.state[p]["exp_avg_sq"] = torch.zeros_like(p)
        grads = [p.grad for p in params if p.grad is not None]
        means = [self.state[p]["exp_avg"] for p in params]
        squares = [self.state[p]["exp_avg_sq"] for p in params]
        beta1, beta2 = (_debiased(beta, group["step"]) for beta in group["betas"])
        eps, lr, decay = group["eps"], group["lr"], group["weight_decay"]
        torch._foreach_lerp_(means, grads, 1.0 - beta1)
        torch._foreach_mul_(squares, beta2)
        torch._foreach_addcmul_(squares, grads, grads, 1.0 - beta2)
        # One rate per tensor, kept on the device.
        floors = torch._foreach_clamp_min(squares, eps * eps)
        ratios = torch._foreach_mul(grads, grads)  # type: ignore[arg-type]
        torch._foreach_div_(ratios, floors)
        rates = [lr / ratio.mean().sqrt().clamp_(min=1.0) for ratio in ratios]
        if decay:
            scale = decay / group["max_lr"] if group["decouple_lr"] else decay
            torch._foreach_mul_(params, [1.0 - rate * scale for rate in rates])
        denominators = torch._foreach_sqrt(squares)
        torch._foreach_add_(denominators, eps)
        updates = torch._foreach_div(means, denominators)
        torch._foreach_mul_(updates, rates)
        torch._foreach_sub_(params, updates)


def _debiased(beta: float, step: int) -> float:
    return beta * (1.0 - beta ** (step - 1)) / (1.0 - beta**step)


def parameter_groups(
    model: torch.nn.Module, weight_decay: float, no_decay_names: Iterable[str] = ()
) -> list[dict[str, Any]]:
    """Split parameters into those that decay and those that do not.

    Biases and everything with one dimension (norms) do not decay, nor does what
    ``no_decay_names`` names.
    """
    spared = set(no_decay_names)
    decays: list[torch.nn.Parameter] = []
    stays: list[torch.nn.Parameter] = []
    for name, p in model.named_parameters():
        if p.requires_grad:
            plain = p.ndim <= 1 or name.endswith(".bias") or name in spared
            (stays if plain else decays).append(p)
    groups = [
        {"params": decays, "weight_decay": weight_decay},
        {"params": stays, "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]


def head_apart(groups: list[dict[str, Any]], encoder: torch.nn.Module) -> list[dict[str, Any]]:
    """Split groups once more: what is not the encoder's own is marked ``"is_head"``.

    An output matrix that is tied to the embeddings belongs to the encoder.
    """
    own = {id(p) for p in encoder.parameters()}
    split = [
        {**group, "params": [p for p in group["params"] if (id(p) in own) != is_head]}
        | {"is_head": is_head}
        for group in groups
        for is_head in (False, True)
    ]
    return [group for group in split if group["params"]]


def take_over(optimizer: torch.optim.Optimizer, checkpoint: Path) -> None:
    """Begin with another run's means; rates and decay stay this run's, ``max_lr`` comes along.

    Raises:
        UsageError: The checkpoint has no optimizer, or one of other weights.
    """
    path = checkpoint / "optimizer.pt"
    if not path.is_file():
        raise UsageError(f"No optimizer.pt in '{checkpoint}'", "a checkpoint with its optimizer")
    saved = torch.load(path, map_location="cpu", weights_only=True)
    own = [
        {k: group[k] for k in ("lr", "weight_decay", "betas", "eps")}
        for group in optimizer.param_groups
    ]
    sizes = [[len(g["params"]) for g in s] for s in (saved["param_groups"], optimizer.param_groups)]
    if sizes[0] != sizes[1]:
        raise UsageError(
            f"The optimizer in '{checkpoint}' is of {sum(sizes[0])} weights, this run's of "
            f"{sum(sizes[1])}: some were frozen, or a new head learned alone, in one of the two",
            "the same weights trained in both",
            "Take the weights alone: init_mode weights",
        )
    optimizer.load_state_dict(saved)
    for group, kept in zip(optimizer.param_groups, own, strict=True):
        group.update(kept)
        group["initial_lr"] = kept["lr"]
