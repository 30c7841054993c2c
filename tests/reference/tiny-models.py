"""Writes tests/golden/model: tiny random models of every family with the logits that
transformers computes, as Hugging Face folders and as GGUF files.

    python3 tiny-models.py FOLDER        (torch, transformers 4.57, safetensors, gguf)

Weights are drawn wide enough that attention, norms and gates are far from trivial. The GGUF
files hold what their family's converters write: rows of q and k permuted for Llama, 1 + w in
the norms of Gemma, Conv1D transposed for GPT-2, Llama 3's rope scaling as rope_freqs.weight.
"""

import copy
import math
import os
import shutil
import sys

import gguf
import numpy as np
import torch
import transformers as tf
from safetensors.numpy import save_file

N_TOKENS, N_VOCABULARY = 40, 64
COMMON = dict(vocab_size=N_VOCABULARY, attn_implementation="eager")
ROTARY = dict(hidden_size=32, intermediate_size=48, num_attention_heads=4,
              num_key_value_heads=2, max_position_embeddings=256, **COMMON)
NARROW = dict(ROTARY, hidden_size=16, intermediate_size=24, num_attention_heads=2,
              num_key_value_heads=1)
LLAMA3 = dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
              original_max_position_embeddings=64)
MODELS = {
    "gpt2": tf.GPT2Config(n_embd=16, n_layer=2, n_head=2, n_positions=64, **COMMON),
    "llama3": tf.LlamaConfig(num_hidden_layers=2, rope_scaling=LLAMA3, rope_theta=10000.0,
                             attention_bias=True, tie_word_embeddings=False, **ROTARY),
    "gemma2": tf.Gemma2Config(num_hidden_layers=2, head_dim=10, query_pre_attn_scalar=10,
                              sliding_window=5, **NARROW),
    "gemma3": tf.Gemma3TextConfig(num_hidden_layers=7, head_dim=10, query_pre_attn_scalar=10,
                                  sliding_window=5, rope_theta=1000000.0,
                                  rope_local_base_freq=10000.0,
                                  rope_scaling=dict(rope_type="linear", factor=8.0), **NARROW),
    "qwen3": tf.Qwen3Config(num_hidden_layers=2, head_dim=10, tie_word_embeddings=True,
                            rope_theta=1000000.0, **NARROW),
}
ROTARY_NAMES = {
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output", "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down", "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm", "model.embed_tokens": "token_embd",
    "model.norm": "output_norm", "lm_head": "output",
}
GEMMA_NAMES = dict(ROTARY_NAMES, **{
    "post_attention_layernorm": "post_attention_norm",
    "pre_feedforward_layernorm": "ffn_norm", "post_feedforward_layernorm": "post_ffw_norm"})
GPT2_NAMES = {
    "ln_1": "attn_norm", "ln_2": "ffn_norm", "attn.c_attn": "attn_qkv",
    "attn.c_proj": "attn_output", "mlp.c_fc": "ffn_up", "mlp.c_proj": "ffn_down",
    "transformer.wte": "token_embd", "transformer.wpe": "position_embd",
    "transformer.ln_f": "output_norm",
}


def randomise(model):
    generator = torch.Generator().manual_seed(7)
    for name, p in sorted(model.named_parameters()):
        is_norm = "norm" in name or "ln_" in name
        width = 0.3 if p.dim() == 1 else 1.2 / math.sqrt(p.shape[-1])
        offset = 1.0 if is_norm and name.endswith("weight") and "Gemma" not in type(model).__name__ else 0.0
        p.data = offset + width * torch.randn(p.shape, generator=generator)


def gguf_name(name, names):
    stem, suffix = name.rsplit(".", 1)
    for prefix in ("model.layers.", "transformer.h."):
        if stem.startswith(prefix):
            number, part = stem[len(prefix):].split(".", 1)
            return f"blk.{number}.{names[part]}.{suffix}"
    return f"{names[stem]}.{suffix}"


def permute(x, n_heads):
    rows = x.reshape(n_heads, 2, x.shape[0] // n_heads // 2, *x.shape[1:])
    return rows.swapaxes(1, 2).reshape(x.shape)


def llama3_divisors(config):
    base, n = config.rope_theta, config.head_dim
    plain = 1.0 / base ** (torch.arange(0, n, 2, dtype=torch.float64) / n)
    scaled, _ = tf.modeling_rope_utils.ROPE_INIT_FUNCTIONS["llama3"](config, "cpu")
    return (plain / scaled.double()).float().numpy()


def write_gguf(path, family, model, as_bf16):
    config, is_gemma = model.config, family.startswith("gemma")
    writer = gguf.GGUFWriter(path, "llama" if family == "llama3" else family)
    writer.add_name(f"tiny {family}")
    is_gpt2 = family == "gpt2"
    writer.add_block_count(config.n_layer if is_gpt2 else config.num_hidden_layers)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(4 * config.n_embd if is_gpt2 else config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_context_length(config.max_position_embeddings)
    if is_gpt2:
        writer.add_layer_norm_eps(config.layer_norm_epsilon)
    else:
        writer.add_layer_norm_rms_eps(config.rms_norm_eps)
        writer.add_head_count_kv(config.num_key_value_heads)
        writer.add_key_length(config.head_dim)
        writer.add_value_length(config.head_dim)
        writer.add_rope_freq_base(config.rope_theta)
        if family == "gemma3":
            writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
            writer.add_rope_scaling_factor(config.rope_scaling["factor"])
        if is_gemma:
            writer.add_sliding_window(config.sliding_window)
        if family == "gemma2":
            writer.add_attn_logit_softcapping(config.attn_logit_softcapping)
            writer.add_final_logit_softcapping(config.final_logit_softcapping)
        if family == "llama3":
            writer.add_tensor("rope_freqs.weight", llama3_divisors(config))
    names = GPT2_NAMES if is_gpt2 else GEMMA_NAMES if is_gemma else ROTARY_NAMES
    for name, p in model.named_parameters():
        x = p.detach().float().numpy()
        if is_gpt2 and (".c_" in name) and x.ndim == 2:
            x = x.T
        if family == "llama3" and ("q_proj" in name or "k_proj" in name):
            x = permute(x, config.num_attention_heads if "q_proj" in name
                        else config.num_key_value_heads)
        if is_gemma and "norm" in name:
            x = x + 1
        x = np.ascontiguousarray(x)
        if as_bf16 and x.ndim == 2:
            x = gguf.quants.quantize(x, gguf.GGMLQuantizationType.BF16)
            writer.add_tensor(gguf_name(name, names), x, raw_dtype=gguf.GGMLQuantizationType.BF16)
        else:
            writer.add_tensor(gguf_name(name, names), x)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main(folder):
    for family, config in MODELS.items():
        target = os.path.join(folder, family)
        shutil.rmtree(target, ignore_errors=True)
        os.makedirs(target)
        model = tf.AutoModelForCausalLM.from_config(config).eval()
        randomise(model)
        is_sharded = family == "llama3"
        if is_sharded: # parameters alone: the frequencies of the rope must stay f32
            for p in model.parameters():
                p.data = p.data.bfloat16().float()
        if family in ("llama3", "gemma3"):
            stored = copy.deepcopy(model).bfloat16() if is_sharded else model
            stored.save_pretrained(os.path.join(target, "hf"),
                                  max_shard_size="24KB" if is_sharded else "5GB")
            extra = os.path.join(target, "hf", "generation_config.json")
            if os.path.exists(extra):
                os.remove(extra)
        write_gguf(os.path.join(target, "model.gguf"), family, model, is_sharded)
        tokens = torch.randint(0, N_VOCABULARY, (N_TOKENS,),
                               generator=torch.Generator().manual_seed(3))
        with torch.no_grad():
            logits = model(tokens[None]).logits[0]
        save_file({"tokens": tokens.numpy(), "logits": logits.numpy().copy()},
                  os.path.join(target, "expected.safetensors"))
        print(family, f"{logits.abs().max():.3f}")


main(sys.argv[1])
