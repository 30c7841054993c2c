"""The peer's side of bench-cache: CLT-Forge's compressed cache, stored and read, in torch.

Written from its formats: int8, one symmetric scale for each layer over all tokens and
dimensions (largest magnitude / 127), zstd at level 3, each array one frame; a header of JSON, then
the arrays by name. Read whole; buffers of rows are permuted and cut into batches.

usage: cache.py ROWS.safetensors FOLDER BATCH THREADS ROUNDS
ROWS: act_in, act_out [N, L, D] f32 and tokens [N].
"""
import json
import os
import struct
import sys
import time

import numpy as np
import torch
import zstandard
from safetensors.torch import load_file

path, folder = sys.argv[1:3]
n_batch, n_threads, n_rounds = map(int, sys.argv[3:6])
torch.set_num_threads(n_threads)
rows = load_file(path)
n_tokens = rows["act_in"].shape[0]


def quantise(x):
    scale = x.abs().amax(dim=(0, 2)) / 127
    codes = torch.clamp(torch.round(x / scale.view(1, -1, 1)), -127, 127).to(torch.int8)
    return codes, scale


def save(to):
    pack = zstandard.ZstdCompressor(level=3).compress
    items = {}
    for name in ("act_in", "act_out"):
        codes, scale = quantise(rows[name])
        items[name + "_data"] = pack(codes.numpy().tobytes())
        items[name + "_scale"] = pack(scale.numpy().tobytes())
    items["tokens"] = pack(rows["tokens"].to(torch.int64).numpy().tobytes())
    meta = json.dumps({"quantization": "int8", "compression": "zstd", "compression_level": 3,
                       "per_layer_scale": True, "symmetric": True,
                       "original_shape_in": list(rows["act_in"].shape),
                       "original_shape_out": list(rows["act_out"].shape)}).encode()
    with open(to, "wb") as f:
        f.write(struct.pack("<I", len(meta)) + meta + struct.pack("<I", len(items)))
        for key, value in items.items():
            f.write(struct.pack("<I", len(key)) + key.encode())
            f.write(struct.pack("<Q", len(value)))
            f.write(value)


def load(of):
    unpack = zstandard.ZstdDecompressor().decompress
    items = {}
    with open(of, "rb") as f:
        meta = json.loads(f.read(struct.unpack("<I", f.read(4))[0]))
        for _ in range(struct.unpack("<I", f.read(4))[0]):
            key = f.read(struct.unpack("<I", f.read(4))[0]).decode()
            items[key] = unpack(f.read(struct.unpack("<Q", f.read(8))[0]))
    sides = []
    for name, shape in (("act_in", "original_shape_in"), ("act_out", "original_shape_out")):
        codes = np.frombuffer(items[name + "_data"], np.int8).reshape(meta[shape])
        scale = np.frombuffer(items[name + "_scale"], np.float32)
        sides.append(torch.from_numpy(codes).float() * torch.from_numpy(scale).view(1, -1, 1))
    return sides


def timed(run, *args):
    start = time.process_time()
    result = run(*args)
    return time.process_time() - start, result


def read_batches(sides):
    order = torch.randperm(n_tokens, generator=torch.Generator().manual_seed(42))
    for at in range(0, n_tokens // n_batch * n_batch, n_batch):
        chosen = order[at:at + n_batch]
        for side in sides:
            side[chosen]


def worst_errors(sides):
    errors = []
    for name, read in zip(("act_in", "act_out"), sides):
        x = rows[name].double()
        errors.append((((x - read) ** 2).sum((0, 2)) / (x ** 2).sum((0, 2))).tolist())
    return errors


cache = os.path.join(folder, "activations_ctx_128_split_0.bin")
best = {"save": float("inf"), "load": float("inf"), "read": float("inf")}
for _ in range(n_rounds):
    saving, _ = timed(save, cache)
    loading, sides = timed(load, cache)
    batching, _ = timed(read_batches, sides)
    for name, seconds in (("save", saving), ("load", loading), ("read", loading + batching)):
        best[name] = min(best[name], seconds)
errors = worst_errors(sides)
size = os.path.getsize(cache)
print(json.dumps({
    "errors": errors[0] + errors[1], "share_of_f16": size / (4 * rows["act_in"].numel()),
    **{name + "_tokens_per_cpu_second": n_tokens / seconds for name, seconds in best.items()}}))
