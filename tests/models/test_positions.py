"""Positions: what the helper says is what each architecture of Transformers really takes."""

import subprocess
import sys

import pytest
import torch
from transformers import AutoConfig, AutoModel

from doctobert_hf.models.positions import OFFSET, first_position, max_positions

SMALL = {
    "vocab_size": 60,
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "max_position_embeddings": 24,
}
MORE = {
    "longformer": {"attention_window": [4]},
    "xmod": {"languages": ["fr"], "default_language": "fr"},
    "luke": {"entity_vocab_size": 4, "entity_emb_size": 4},
}


def config_of(kind, **values):
    return AutoConfig.for_model(kind, **{**SMALL, **MORE.get(kind, {}), **values})


@pytest.mark.parametrize(
    ("kind", "pad"),
    [
        *((kind, 1) for kind in ["bert", "electra", *sorted(OFFSET)]),
        *((kind, 5) for kind in ["bert", "electra", *sorted(OFFSET - {"mpnet"})]),
    ],
)
def test_the_longest_text_fits_and_one_token_more_does_not(kind, pad):
    config = config_of(kind, pad_token_id=pad)
    model, most = AutoModel.from_config(config).eval(), max_positions(config)
    assert most == (24 - pad - 1 if kind in OFFSET else 24)
    with torch.no_grad():
        model(input_ids=torch.full((1, most), 9))
        with pytest.raises((IndexError, RuntimeError)):
            model(input_ids=torch.full((1, most + 1), 9))


def test_first_positions_are_those_that_the_model_looks_up():
    model = AutoModel.from_config(config_of("camembert", pad_token_id=3))
    seen = []
    table = model.embeddings.position_embeddings
    table.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0]))
    model(input_ids=torch.full((1, 4), 9))
    first = first_position(model.config)
    assert seen[0].tolist() == [[first + place for place in range(4)]]


def test_the_content_of_a_file_serves_too():
    config = {"model_type": "xlm-roberta", "max_position_embeddings": 514}
    assert max_positions(config) == 512 and first_position(config) == 2
    assert max_positions({**config, "pad_token_id": 0}) == 513
    assert max_positions({"model_type": "modernbert", "max_position_embeddings": 8192}) == 8192
    assert max_positions({"model_type": "t5"}) is None


def test_it_needs_no_torch():
    code = "import sys, doctobert_hf.models.positions; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
