/* transcoder-builder.h - small transcoders on disk for tests, with a hook to spoil them. */
#pragma once

#include "cw-tensor-file.h"

/* A tensor as it is about to be written. Values are f32 unless dtype is changed. */
typedef struct {
  char *name;
  const char *dtype;
  int n_dims;
  int64_t shape[CW_MAX_DIMS];
  float *values;
} BuiltTensor;

typedef struct {
  int64_t n_layers, n_features, width;
  bool is_cross_layer, has_threshold, has_skip;
  /* Called for every tensor before it is written; false leaves the tensor out. NULL: keep. */
  bool (*spoil)(BuiltTensor *tensor, gpointer data);
  gpointer data;
} BuiltTranscoder;

/* Deterministic values in -1..1, by tensor name and index. */
float built_value(const char *name, int64_t i);

/* A circuit-tracer folder; config is the text of config.yaml, NULL for a plain one. */
void build_circuit_tracer(const char *folder, const BuiltTranscoder *what, const char *config);

/* A CLT-Forge checkpoint with norm factors other than 1; n_shards 0 writes one file. config is
 * the text of clt_cfg.json, NULL for a plain one. */
void build_clt_forge(const char *folder, const BuiltTranscoder *what, int n_shards,
                     const char *config);
