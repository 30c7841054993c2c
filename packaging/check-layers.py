"""check-layers.py - kernels <- core <- ui <- app: who may include whom.

An include in quotes must be a file of the same layer, or lie in an api/ folder of a lower one.
The build enforces this by its include paths; this check also sees files that a build leaves out
(CUDA) and libraries that a layer must not know (no GTK below ui, no GLib in the kernels, no GTK
in ui/picture). Prints each violation as FILE:LINE and exits with status 1 if there are any.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LAYERS = ["kernels", "core", "ui", "app"]
# What each layer's folder must not include from the system; the longest matching folder counts.
FORBIDDEN = {
    "kernels": r"(glib|gio|gtk|gdk|adwaita|cairo|pango|json-glib|zstd|sqlite)",
    "core": r"(gtk|gdk|adwaita|cairo|pango)",
    "ui": r"(cuda|cublas|nccl|mpi)",
    "ui/picture": r"(gtk|gdk/|adwaita|cuda|cublas|nccl|mpi)",
    "app": r"(cuda|cublas|nccl|mpi)",
}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
SOURCES = (".c", ".h", ".cu", ".def")


def sources(layer):
    return [p for p in (ROOT / layer).rglob("*") if p.suffix in SOURCES]


def own_and_api_names():
    """For each layer, the relative paths its files and its api/ files can be included by."""
    names = {}
    for layer in LAYERS:
        own, api = set(), set()
        for path in sources(layer):
            parts = path.relative_to(ROOT / layer).parts
            tails = {"/".join(parts[i:]) for i in range(len(parts))}
            own |= tails
            if "api" in parts:
                api |= tails
        names[layer] = (own, api)
    return names


def quoted_is_allowed(names, layer, include):
    if include in names[layer][0]:
        return True
    lower = LAYERS[: LAYERS.index(layer)]
    if any(include in names[other][1] for other in lower):
        return True
    # Generated headers have no source; anything else is another layer's private header.
    return not any(include in own for own, _ in names.values())


def forbidden_for(path):
    folders = [f for f in FORBIDDEN if path.is_relative_to(ROOT / f)]
    return re.compile(FORBIDDEN[max(folders, key=len)])


def main():
    names = own_and_api_names()
    violations = []
    n_files = 0
    for layer in LAYERS:
        for path in sources(layer):
            n_files += 1
            for number, line in enumerate(path.read_text().splitlines(), 1):
                match = INCLUDE.match(line)
                if not match:
                    continue
                kind, include = match.groups()
                where = f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
                if kind == '"' and not quoted_is_allowed(names, layer, include):
                    violations.append(f"{where}\n  is private to another layer")
                is_cuda = layer == "kernels" and "cuda" in path.parts
                if kind == "<" and not is_cuda and forbidden_for(path).match(include):
                    violations.append(f"{where}\n  is not for this layer")
    print("\n".join(violations) or f"{n_files} files keep to their layers")
    return 1 if violations or n_files == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
