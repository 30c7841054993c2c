"""The peer's side of bench-attribute: circuit-tracer 0.5.0 on TransformerLens, f32.

usage: attribute.py MODEL.gguf TRANSCODER_FOLDER TOKENS THREADS MAX_NODES BATCH INTERVAL OUT

The weights are those of the GGUF file, dequantised; TOKENS are ids with commas between. Writes
the graph's tensors to OUT (safetensors) and prints what the attribute() call alone took.
"""
import json
import logging
import os
import re
import sys
import tempfile
import time
import warnings

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
logging.disable(logging.WARNING)
warnings.simplefilter("ignore")

import numpy as np
import torch
import yaml
from gguf import GGUFReader, dequantize
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models
from transformer_lens import HookedTransformerConfig
from transformers import AutoTokenizer, PreTrainedTokenizerFast
from circuit_tracer.attribution.attribute import attribute
from circuit_tracer.replacement_model.replacement_model_transformerlens import (
    TransformerLensReplacementModel)
from circuit_tracer.transcoder.cross_layer_transcoder import load_clt

model_path, transcoder_path, tokens, n_threads, n_nodes, n_batch, n_interval, out = sys.argv[1:9]
tokens = [int(token) for token in tokens.split(",")]
torch.set_num_threads(int(n_threads))


reader = GGUFReader(model_path)
field = lambda name: reader.fields["llama." + name].contents()
n_heads, n_kv_heads = field("attention.head_count"), field("attention.head_count_kv")
width, n_layers = field("embedding_length"), field("block_count")
head_width = width // n_heads
config = HookedTransformerConfig.from_dict(dict(
    model_name="SmolLM2-135M-Instruct", original_architecture="LlamaForCausalLM",
    d_model=width, d_head=head_width, n_heads=n_heads, n_key_value_heads=n_kv_heads,
    d_mlp=field("feed_forward_length"), n_layers=n_layers, n_ctx=max(1024, len(tokens)),
    eps=field("attention.layer_norm_rms_epsilon"), d_vocab=field("vocab_size"), act_fn="silu",
    normalization_type="RMS", positional_embedding_type="rotary", rotary_adjacent_pairs=False,
    rotary_dim=head_width, rotary_base=field("rope.freq_base"), final_rms=True, gated_mlp=True,
    init_weights=False, dtype=torch.float32, device="cpu", default_prepend_bos=False))


def heads(rows, n, is_rotated):
    """[n * K, D] to [n, D, K]; GGUF keeps the two halves of a rotated head interleaved."""
    rows = rows.reshape(n, head_width, width)
    if is_rotated:
        rows = rows.reshape(n, head_width // 2, 2, width).swapaxes(1, 2)
        rows = rows.reshape(n, head_width, width)
    return rows.swapaxes(1, 2)


def parameters():
    """Name in TransformerLens and value, tensor by tensor."""
    plain = {"attn_norm": "ln1.w", "ffn_norm": "ln2.w", "ffn_gate": "mlp.W_gate",
             "ffn_up": "mlp.W_in", "ffn_down": "mlp.W_out"}
    for tensor in reader.tensors:
        value = dequantize(tensor.data, tensor.tensor_type)
        match = re.fullmatch(r"blk\.(\d+)\.(\w+)\.weight", tensor.name)
        if match is None:
            if tensor.name == "token_embd.weight":
                yield "embed.W_E", value
                yield "unembed.W_U", value.T
            else:
                yield "ln_final.w", value
            continue
        block, kind = f"blocks.{match[1]}.", match[2]
        if kind in plain:
            yield block + plain[kind], value.T
        elif kind == "attn_output":
            yield block + "attn.W_O", value.T.reshape(n_heads, head_width, width)
        else:
            n = n_heads if kind == "attn_q" else n_kv_heads
            name = {"attn_q": "W_Q", "attn_k": "_W_K", "attn_v": "_W_V"}[kind]
            yield block + "attn." + name, heads(value, n, kind != "attn_v")


def tokenizer():
    """Ids are given, so the tokenizer needs no more than a special token of id 1."""
    vocabulary = models.WordLevel({"<unk>": 0, "<bos>": 1}, unk_token="<unk>")
    made = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(vocabulary), bos_token="<bos>",
                                   eos_token="<bos>", pad_token="<bos>", unk_token="<unk>")
    folder = tempfile.mkdtemp()
    made.save_pretrained(folder)
    return AutoTokenizer.from_pretrained(folder)


with open(os.path.join(transcoder_path, "config.yaml")) as file:
    description = yaml.safe_load(file)
transcoder = load_clt(transcoder_path, description["feature_input_hook"],
                      description["feature_output_hook"], description["scan"],
                      device=torch.device("cpu"), dtype=torch.float32)
model = TransformerLensReplacementModel.from_config(config, transcoder, tokenizer=tokenizer())
named = dict(model.named_parameters())
with torch.no_grad():
    for name, value in parameters():
        wrapped = name.replace("mlp.", "mlp.old_mlp.").replace("unembed.", "unembed.old_unembed.")
        named[wrapped].copy_(torch.from_numpy(np.array(value)))
del reader
for name, parameter in named.items():
    if not name.startswith("transcoders.") and ".b_" in name.replace("._b_", ".b_"):
        parameter.data.zero_()



def resident(name):
    """A line of /proc/self/status in MiB."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith(name))


with open("/proc/self/clear_refs", "w") as clear:
    clear.write("5")
before = resident("VmRSS:")
start, cpu_start = time.perf_counter(), time.process_time()
graph = attribute(
    torch.tensor(tokens), model, max_n_logits=10, desired_logit_prob=0.95,
    batch_size=int(n_batch), max_feature_nodes=int(n_nodes) or None,
    update_interval=int(n_interval))
seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu_start
peak = resident("VmHWM:")

array = lambda tensor: np.ascontiguousarray(tensor.numpy())
save_file({
    "input_tokens": np.array(tokens, np.int64),
    "active_features": array(graph.active_features.long()),
    "activation_values": array(graph.activation_values.float()),
    "selected_features": array(graph.selected_features.long()),
    "adjacency": array(graph.adjacency_matrix.float()),
    "logit_tokens": np.array([target.vocab_idx for target in graph.logit_targets], np.int64),
    "logit_probabilities": array(graph.logit_probabilities.float()),
}, out)
print(json.dumps({"seconds": seconds, "cpu_seconds": cpu_seconds,
                  "call_peak_mib": peak, "call_growth_mib": peak - before,
                  "active": len(graph.active_features),
                  "selected": len(graph.selected_features)}), flush=True)
os._exit(0)  # TransformerLens complains while Python takes it apart
