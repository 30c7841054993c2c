"""load-in-circuit-tracer.py - a transcoder's folder, read by circuit-tracer itself.

    clew convert TRANSCODER FOLDER
    clew logits --prompt TEXT --taps --output taps.safetensors
    clew attribute --transcoder TRANSCODER --prompt TEXT --output graph.safetensors
    python3 load-in-circuit-tracer.py FOLDER taps.safetensors graph.safetensors

FOLDER goes through the package's own loader (0.5.0, `load_transcoders` with the folder's
config.yaml), which then encodes what each MLP read. Its active features must be Clew's, but for
those within rounding of their threshold, and their activations the same. Exits with 1 if not.
"""

import sys

import circuit_tracer.utils.hf_utils as loader
import torch
import yaml
from safetensors.torch import load_file

# Both sides sum D products in f32, in different orders.
TOLERANCE = 1e-4


def load(folder):
    with open(f"{folder}/config.yaml") as file:
        config = yaml.safe_load(file)
    # The only step that is left out is the download: the folder is here.
    loader.snapshot_download = lambda *_, **__: folder
    config["repo_id"] = folder
    return loader.load_transcoders(config, torch.device("cpu"), torch.float32), config


def read_inputs(taps, config):
    """[L, T, D] of what the features read."""
    names = {
        "hook_resid_mid": "resid_mid",
        "ln2.hook_normalized": "mlp_hat",
        "mlp.hook_in": "mlp_in",
    }
    name = names[config["feature_input_hook"]]
    n_layers = sum(key.startswith(name + ".") for key in taps)
    return torch.stack([taps[f"{name}.{layer}"] for layer in range(n_layers)])


def main(folder, taps, graph):
    transcoder, config = load(folder)
    taps, graph = load_file(taps), load_file(graph)
    inputs = read_inputs(taps, config)
    with torch.no_grad():
        theirs = transcoder.encode(inputs)  # [L, T, F]
        parts = transcoder.compute_attribution_components(inputs)
    ours = torch.zeros_like(theirs)
    layer, position, feature = graph["active_features"].T
    ours[layer, position, feature] = graph["activation_values"]
    ours[:, 0] = theirs[:, 0] = 0  # circuit-tracer leaves the first position out of graphs
    only_one = (ours > 0) != (theirs > 0)
    both = (ours > 0) & (theirs > 0)
    size = theirs.abs().max()
    difference = ((ours - theirs).abs() * both).max() / size
    print(f"{type(transcoder).__name__}: {tuple(theirs.shape)} layers, positions, features")
    print(f"active for both: {int(both.sum())}, for one alone: {int(only_one.sum())}")
    print(f"largest difference of activations: {difference:.2g} of the largest, {size:.4g}")
    reconstruction = parts["reconstruction"]
    outputs = torch.stack([taps[f"mlp_out.{l}"] for l in range(len(inputs))])
    errors = outputs - reconstruction
    errors[:, 0] = 0
    error = (errors - graph["error_vectors"]).norm() / errors.norm()
    print(f"error vectors: {error:.2g} apart, of their norm")
    is_same = int(only_one.sum()) == 0 and difference < TOLERANCE and error < TOLERANCE
    return 0 if is_same and int(both.sum()) > 0 else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
