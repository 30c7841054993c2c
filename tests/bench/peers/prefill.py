"""The peer's side of bench-prefill: transformers on torch, f32, the decoder without its head.

usage: prefill.py MODEL.gguf TOKENS THREADS PASSES CHECK_FILE
"""
import json
import os
import sys
import time

import torch
from transformers import AutoModelForCausalLM

path, n_tokens, n_threads, n_passes, check = sys.argv[1], *map(int, sys.argv[2:5]), sys.argv[5]
torch.set_num_threads(n_threads)
model = AutoModelForCausalLM.from_pretrained(
    os.path.dirname(path), gguf_file=os.path.basename(path), dtype=torch.float32)
model.eval()
tokens = torch.tensor([[1] + [100 + (i * 7919) % 40000 for i in range(1, n_tokens)]])
with torch.inference_mode():
    hidden = model.model(tokens, use_cache=False).last_hidden_state
    model.lm_head(hidden[:, -1]).float().numpy().tofile(check)
    seconds = []
    for _ in range(n_passes):
        start = time.perf_counter()
        model.model(tokens, use_cache=False)
        seconds.append(time.perf_counter() - start)
print(json.dumps({"seconds": min(seconds), "median_seconds": sorted(seconds)[len(seconds) // 2]}))
