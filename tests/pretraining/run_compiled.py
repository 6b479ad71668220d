"""Twenty packings of two processes through one compiled model, for a test; prints the graphs.

usage: run_compiled.py PRESET STORE TOKENIZER

The attention is the plain formula with a mask: the per-document reference is not for compiling, and
the fused kernel is a GPU's.
"""

import json
import sys
from itertools import islice

import torch
import torch.distributed as dist
from transformers import AutoModelForMaskedLM, AutoTokenizer, set_seed

from doctobert_hf.models import first_position, preset_config
from doctobert_hf.pretraining import PackedMLMDataset, TokenStore, attention, prepare_model


def traced(query, key, value, borders, dropout, scale, window, past_only=False):
    """Attend within documents by a mask."""
    places = torch.arange(query.shape[2])
    document = torch.searchsorted(borders.long(), places, right=True)
    allowed = document[:, None] == document[None, :]
    if window is not None:
        allowed = allowed & ((places[:, None] - places[None, :]).abs() <= window)
    return attention._attend(query, key, value, allowed, dropout, scale).transpose(1, 2)


preset, store, tok = sys.argv[1:4]
attention._by_document = traced
dist.init_process_group("gloo")
rank = dist.get_rank()
tokenizer = AutoTokenizer.from_pretrained(tok)
set_seed(1)
config = preset_config(preset, tokenizer)
model = AutoModelForMaskedLM.from_config(config)
attention.use_attention(model)
prepare_model(model, chunk=32).train()
model.compile(dynamic=False, fullgraph=True, backend="eager")  # a break is an error
copies = torch.nn.parallel.DistributedDataParallel(model)
rows = PackedMLMDataset(
    *(TokenStore(store, tokenizer), tokenizer, 512, 2),
    **dict(rank=rank, world_size=2, first_position=first_position(config), pad_rows=True),
)
for item in islice(rows, 20):
    copies(**item["rows"][0], num_items=torch.tensor(70.0))["loss"].backward()
weight = next(p for p in model.parameters() if p.grad is not None)
other = weight.grad.clone()
dist.broadcast(other, 0)
if rank == 0:
    counters = torch._dynamo.utils.counters
    told = {"graphs": counters["stats"]["unique_graphs"], "breaks": len(counters["graph_break"])}
    print(json.dumps(told))
elif not torch.equal(other, weight.grad):
    raise SystemExit("the processes' gradients differ")
dist.barrier()
dist.destroy_process_group()
