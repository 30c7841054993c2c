"""The peer's side of bench-train: a step of CLT-Forge's formulas in dense torch, f32.

Features are gathered once per target, a batched product gives every pair of source and target,
and the sum over sources the prediction; norms of decoders go through autograd; the clipping and
Adam are torch's. One decoder bias per target layer, as the golden cases have it.

usage: train.py INITIAL ACTIVATIONS BATCH STEPS BANDWIDTH L0_COEFFICIENT DEAD LR THREADS
"""
import json
import sys
import time

import torch
from safetensors import safe_open

initial, activations = sys.argv[1:3]
n_batch, n_steps = int(sys.argv[3]), int(sys.argv[4])
bandwidth, l0_coefficient, dead_coefficient, lr = map(float, sys.argv[5:9])
torch.set_num_threads(int(sys.argv[9]))

with safe_open(initial + "/clt_weights.safetensors", "pt") as f:
    w_enc, w_dec = f.get_tensor("W_enc"), f.get_tensor("W_dec")
    b_enc, log_threshold, pair_bias = (f.get_tensor(k) for k in
                                       ("b_enc", "log_threshold", "b_dec"))
n_layers = w_enc.shape[0]
source, target = torch.triu_indices(n_layers, n_layers)
b_dec = torch.zeros(n_layers, w_enc.shape[1]).index_add_(0, target, pair_bias)


class JumpReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx, h, threshold):
        ctx.save_for_backward(h, threshold)
        return h * (h > threshold)

    @staticmethod
    def backward(ctx, g):
        h, threshold = ctx.saved_tensors
        near = ((h - threshold).abs() / bandwidth < 0.5).float()
        return g * (h > threshold), (-(threshold / bandwidth) * near * g).sum(0)


parameters = [torch.nn.Parameter(p.clone()) for p in (w_enc, b_enc, w_dec, b_dec, log_threshold)]
w_enc, b_enc, w_dec, b_dec, log_threshold = parameters
adam = torch.optim.Adam(parameters, lr=lr)


def step(x, y):
    h = torch.einsum("bld,ldf->blf", x, w_enc) + b_enc
    threshold = log_threshold.exp()
    a = JumpReLU.apply(h, threshold)
    gathered = a[:, source].transpose(0, 1)  # [K, B, F]
    pairs = torch.bmm(gathered, w_dec)       # [K, B, D]
    prediction = torch.zeros(n_layers, *pairs.shape[1:]).index_add(0, target, pairs)
    prediction = prediction.transpose(0, 1) + b_dec
    mse = ((y - prediction) ** 2).sum(-1).mean(0).sum()
    squares = (w_dec ** 2).sum(-1)
    norm = torch.zeros(n_layers, squares.shape[1]).index_add(0, source, squares).sqrt()
    sparsity = l0_coefficient * torch.tanh(4 * a * norm).sum(-1).mean(0).sum()
    dead = dead_coefficient * (torch.relu(threshold - h) * norm).sum(-1).mean(0).sum()
    loss = mse + sparsity + dead
    adam.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(parameters, 1.0)
    adam.step()
    return loss.item(), (a > 0).float().sum(-1).mean().item()


losses, l0s, seconds, cpu = [], [], [], []
with safe_open(activations, "pt") as f:
    act_in, act_out = f.get_slice("act_in"), f.get_slice("act_out")
    for i in range(n_steps):
        x = act_in[i * n_batch:(i + 1) * n_batch].float()
        y = act_out[i * n_batch:(i + 1) * n_batch].float()
        start, start_cpu = time.perf_counter(), time.process_time()
        loss, l0 = step(x, y)
        seconds.append(time.perf_counter() - start)
        cpu.append(time.process_time() - start_cpu)
        losses.append(loss)
        l0s.append(l0)
print(json.dumps({"losses": losses, "l0": l0s, "seconds": min(seconds[1:]),
                  "cpu_seconds": min(cpu[1:])}))
