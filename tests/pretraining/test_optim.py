"""StableAdamW against torch-optimi's."""

import copy

import pytest
import torch

from doctobert_hf.errors import UsageError
from doctobert_hf.pretraining import StableAdamW
from doctobert_hf.pretraining.optim import parameter_groups


@pytest.mark.parametrize("decouple", [True, False])
def test_equal_to_optimi_over_200_steps(decouple):
    import optimi

    torch.manual_seed(0)
    shapes = [(20, 30), (30,), (4, 5, 6)]
    start = [torch.randn(shape) for shape in shapes]
    ours = [torch.nn.Parameter(p.clone()) for p in start]
    theirs = [torch.nn.Parameter(p.clone()) for p in start]
    options = {"lr": 1e-2, "betas": (0.9, 0.98), "eps": 1e-6, "weight_decay": 1e-3}
    a = StableAdamW(ours, decouple_lr=decouple, **options)
    b = optimi.StableAdamW(theirs, decouple_lr=decouple, **options)
    for step in range(200):
        for p, q in zip(ours, theirs, strict=True):
            p.grad = torch.randn_like(p) * (30 if step % 50 == 49 else 1)
            q.grad = p.grad.clone()
        for optimizer in (a, b):
            for group in optimizer.param_groups:
                group["lr"] = 1e-2 * (1 - step / 400)
            optimizer.step()
    for p, q in zip(ours, theirs, strict=True):
        assert (p - q).abs().max() < 2e-6


def test_state_is_saved_and_loaded():
    torch.manual_seed(0)
    weights = [torch.nn.Parameter(torch.randn(5, 5)) for _ in range(2)]
    a, b = (StableAdamW([w], lr=1e-2) for w in weights)
    weights[1].data.copy_(weights[0].data)
    for _ in range(3):
        weights[0].grad = torch.ones(5, 5)
        a.step()
    weights[1].data.copy_(weights[0].data)
    b.load_state_dict(copy.deepcopy(a.state_dict()))
    for w, optimizer in zip(weights, (a, b), strict=True):
        w.grad = torch.full((5, 5), 0.5)
        optimizer.step()
    assert torch.equal(*weights)


def test_no_value_is_read_from_the_device(monkeypatch):
    weight = torch.nn.Parameter(torch.randn(3, 3))
    optimizer = StableAdamW([weight])
    weight.grad = torch.randn(3, 3)

    def refuse(*_):
        raise AssertionError("a value was read back")

    for name in ("item", "__float__", "__bool__", "tolist"):
        monkeypatch.setattr(torch.Tensor, name, refuse)
    optimizer.step()


def test_decay_filter(make_model):
    for family in ("doctobert-tiny", "doctomodernbert-tiny"):
        model = make_model(family)
        decays, stays = parameter_groups(model, 1e-5)
        assert all(p.ndim > 1 for p in decays["params"])
        assert all(p.ndim <= 1 for p in stays["params"]) and stays["weight_decay"] == 0.0
        count = sum(len(g["params"]) for g in (decays, stays))
        assert count == len(list(model.parameters()))


def test_values_out_of_range():
    weight = [torch.nn.Parameter(torch.zeros(1))]
    for options in ({"lr": 0}, {"betas": (1.0, 0.9)}, {"eps": 0}, {"weight_decay": -1}):
        with pytest.raises(UsageError, match="betas in"):
            StableAdamW(weight, **options)
