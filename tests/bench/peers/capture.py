"""The peer's side of bench-cache: MLP inputs and outputs of all layers by TransformerLens's
run_with_cache, without folding, f32, over windows of 128 tokens; nothing is computed behind the
last layer's norm.

usage: capture.py MODEL.gguf WINDOWS WINDOW PER_PASS THREADS PASSES CHECK_FILE
Writes the first window's inputs, then its outputs, [L, WINDOW - 1, D] f32, to CHECK_FILE.
"""
import json
import os
import sys
import time

import torch
from transformer_lens import HookedTransformer, HookedTransformerConfig
from transformer_lens.pretrained.weight_conversions import convert_llama_weights
from transformers import AutoModelForCausalLM

path = sys.argv[1]
n_windows, window, per_pass, n_threads, n_passes = map(int, sys.argv[2:7])
check = sys.argv[7]
torch.set_num_threads(n_threads)
original = AutoModelForCausalLM.from_pretrained(
    os.path.dirname(path), gguf_file=os.path.basename(path), dtype=torch.float32)
c = original.config
head_width = c.hidden_size // c.num_attention_heads
config = HookedTransformerConfig(
    d_model=c.hidden_size, n_layers=c.num_hidden_layers, n_heads=c.num_attention_heads,
    d_head=head_width, d_mlp=c.intermediate_size, n_ctx=c.max_position_embeddings,
    d_vocab=c.vocab_size, act_fn="silu", gated_mlp=True, normalization_type="RMS",
    eps=c.rms_norm_eps, n_key_value_heads=c.num_key_value_heads, final_rms=True,
    positional_embedding_type="rotary", rotary_adjacent_pairs=False, rotary_dim=head_width,
    rotary_base=int(c.rope_parameters["rope_theta"]), device="cpu", dtype=torch.float32,
    original_architecture="LlamaForCausalLM")
model = HookedTransformer(config)
model.load_and_process_state_dict(
    convert_llama_weights(original, config), fold_ln=False, center_writing_weights=False,
    center_unembed=False, fold_value_biases=False, refactor_factored_attn_matrices=False)
del original

sides = [[f"blocks.{layer}.{hook}" for layer in range(c.num_hidden_layers)]
         for hook in ("ln2.hook_normalized", "hook_mlp_out")]
numbers = torch.arange(n_windows * window).view(n_windows, window)
tokens = 100 + (numbers * 7919) % 40000
tokens[:, 0] = 1


def capture():
    for at in range(0, n_windows, per_pass):
        _, cache = model.run_with_cache(tokens[at:at + per_pass], return_type=None,
                                        names_filter=sides[0] + sides[1])
        # [N, L, D] without the first position, as they are stored.
        yield [torch.stack([cache[name][:, 1:].flatten(0, 1) for name in side], 1)
               for side in sides]


best_wall = best_cpu = float("inf")
with torch.inference_mode():
    first = next(capture())
    torch.stack([side[:window - 1].transpose(0, 1) for side in first]).numpy().tofile(check)
    for _ in range(n_passes):
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in capture():
            pass
        best_wall = min(best_wall, time.perf_counter() - wall)
        best_cpu = min(best_cpu, time.process_time() - cpu)
n_rows = n_windows * (window - 1)
print(json.dumps({"tokens_per_second": n_rows / best_wall,
                  "tokens_per_cpu_second": n_rows / best_cpu}))
