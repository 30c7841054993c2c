/* input-kind.h - what a path holds, by its contents. */
#pragma once

#include "cw-base.h"

typedef enum {
  CWA_INPUT_MODEL_FILE,   /* GGUF */
  CWA_INPUT_MODEL_FOLDER, /* Hugging Face */
  CWA_INPUT_TRANSCODER,   /* folder of circuit-tracer or CLT-Forge */
  CWA_INPUT_CACHE,        /* of activations */
  CWA_INPUT_RUN,          /* folder of a run of cache, train or eval */
  CWA_INPUT_CHECKPOINT,   /* of a training */
  CWA_INPUT_TENSORS,      /* safetensors: plain, or a compact transcoder */
  CWA_INPUT_GRAPH         /* graph JSON or a document; not looked into */
} CwaInputKind;

/* Fails where nothing is there, where a folder holds none of these, and for pickled files,
 * which are never opened. */
bool cwa_input_detect(const char *path, CwaInputKind *kind, GError **error);
