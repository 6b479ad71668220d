"""A few steps of two processes, as copies or sharded (FSDP2), for a test; prints the losses.

usage: run_sharded.py PRESET STORE TOKENIZER copies|sharded
"""

import json
import sys
from itertools import islice

import torch
import torch.distributed as dist
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from transformers import AutoModelForMaskedLM, AutoTokenizer, set_seed

from doctobert_hf.models import first_position, preset_config
from doctobert_hf.pretraining import PackedMLMDataset, StableAdamW, TokenStore, prepare_model
from doctobert_hf.pretraining.attention import use_attention
from doctobert_hf.pretraining.optim import parameter_groups

preset, store, tok, shard = sys.argv[1:5]
dist.init_process_group("gloo")
rank = dist.get_rank()
tokenizer = AutoTokenizer.from_pretrained(tok)
set_seed(1)
config = preset_config(preset, tokenizer)
for k in ("hidden_dropout_prob", "attention_probs_dropout_prob"):
    if hasattr(config, k):
        setattr(config, k, 0.0)
m = AutoModelForMaskedLM.from_config(config)
use_attention(m)
prepare_model(m)
if shard == "sharded":
    mesh = init_device_mesh("cpu", (2,))
    roberta = config.model_type == "roberta"
    for layer in m.base_model.encoder.layer if roberta else m.base_model.layers:
        fully_shard(layer, mesh=mesh)
    fully_shard(m, mesh=mesh)
    model = m
else:
    model = torch.nn.parallel.DistributedDataParallel(m)
opt = StableAdamW(parameter_groups(m, 1e-5), lr=1e-3)
data = PackedMLMDataset(
    *(TokenStore(store, tokenizer), tokenizer, 512, 2),
    **dict(rank=rank, world_size=2, first_position=first_position(config)),
)
losses = []
for item in islice(data, 6):
    row = item["rows"][0]
    n = torch.tensor(float((row["masked_labels"] != -100).sum()))
    dist.all_reduce(n)
    loss = model(**row, num_items=n / 2)["loss"]
    loss.backward()
    opt.step()
    opt.zero_grad()
    whole = loss.detach().clone()
    dist.all_reduce(whole)
    losses.append(float(whole) / 2)
if rank == 0:
    print(json.dumps({"kind": type(next(m.parameters())).__name__, "losses": losses}))
dist.barrier()
dist.destroy_process_group()
