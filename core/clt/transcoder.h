/* transcoder.h - what the readers of each transcoder format fill in, and what they share. */
#pragma once

#include "cw-transcoder.h"

/* Layers beyond any model; a bound before arrays are made. */
#define CW_MAX_TRANSCODER_LAYERS 1024

/* One source layer. Decoder rows stay where the file has them: the row of feature f writing to
 * layer to lies at parts[f / F'] + (f % F') * feature_stride + (to - from) * target_stride,
 * with F' = features_per_part (the features of one shard; F where there is one file). */
typedef struct {
  CwkRows encoder;      /* [F, D] */
  float *encoder_owned; /* where the rows had to be transposed or scaled; else NULL */
  float *encoder_scales;
  float *encoder_bias; /* [F] */
  float *threshold;    /* [F] or NULL */
  float *decoder_bias; /* [D] */
  CwLinear skip;       /* where config.has_skip */
  float *skip_scales;
  const uint8_t **decoder_parts; /* [n_parts] */
  float *decoder_owned;          /* where rows had to be put together; else NULL */
  CwkDtype decoder_dtype;
  size_t feature_stride, target_stride; /* bytes */
  float *decoder_scales;                /* [F, n_targets], or [n_kept], or NULL */
  /* Where rows that are 0 are left out: [F, n_targets] each row's number among the kept ones,
   * or -1; else NULL. */
  int32_t *decoder_place;
} CwTranscoderLayer;

struct _CwTranscoder {
  gatomicrefcount ref_count;
  char *path;
  CwTranscoderConfig config;
  char *model_name, *scan;   /* config's strings */
  CwTranscoderLayer *layers; /* [L] */
  int64_t n_parts, features_per_part;
  float *target_scales;  /* [L] or NULL: multiplies rows writing to a layer */
  int8_t *blank_row;     /* [D] zeros that a left out row is; NULL where none is */
  GPtrArray *files;      /* of CwTensorFile, kept open for their maps */
  GPtrArray *side_files; /* of char *: descriptions that belong to the hash */
  GMutex hash_lock;
  char *hash;
};

/* ---- for the readers ------------------------------------------------------------------- */

CwTranscoder *cw_transcoder_new(const char *path, const char *format);
/* Sets L, F and D, once, and makes the layers. */
bool cw_transcoder_set_shape(CwTranscoder *transcoder, int64_t n_layers, int64_t n_features,
                             int64_t width, int64_t n_parts, GError **error);
/* Opens folder/name (name NULL: folder itself) and keeps it. Borrowed. */
const CwTensorFile *cw_transcoder_add_file(CwTranscoder *transcoder, const char *folder,
                                           const char *name, GError **error);
/* Takes model_name, scan, hooks and activation from string values; a NULL hook is an error that
 * names `place` and the key. */
typedef struct {
  const char *place; /* file, for messages */
  const char *model_name, *scan;
  const char *input_hook, *is_input_affine, *output_hook;
  const char *activation, *k;
} CwTranscoderDescription;
bool cw_transcoder_describe(CwTranscoder *transcoder,
                            const CwTranscoderDescription *description, GError **error);

/* Layers that a source layer writes to: L - l, or 1. */
int64_t cw_transcoder_n_targets(const CwTranscoder *transcoder, int64_t l);

/* cw_tensor_dup_floats with the file's path in the error. */
float *cw_transcoder_load_floats(const CwTensorFile *file, const CwTensor *tensor,
                                 GError **error);
/* A tensor of n numbers, [n] or [1, n], as f32 without NaN. Transfer full. */
float *cw_transcoder_load_vector(const CwTensorFile *file, const char *name, int64_t n,
                                 GError **error);
/* A matrix to be read in place: f32, f16 or bf16 rows, aligned. shape as cw_tensor_file_require
 * takes it; the rows are its last axis. */
bool cw_transcoder_map_rows(const CwTensorFile *file, const char *name, int n_dims,
                            const int64_t *shape, CwkRows *rows, GError **error);
/* Sets the decoder of a layer held in one piece as [F, n_targets, D]. */
void cw_transcoder_set_decoder(CwTranscoder *transcoder, int64_t l, const CwkRows *rows);
/* What must hold when a reader is done: the gate against the thresholds that were there. */
bool cw_transcoder_finish(CwTranscoder *transcoder, GError **error);

/* ---- the readers ----------------------------------------------------------------------- */

CwTranscoder *cw_transcoder_open_circuit_tracer(const char *folder, GError **error);
CwTranscoder *cw_transcoder_open_clt_forge(const char *folder, GError **error);
/* path: the .safetensors file. */
CwTranscoder *cw_transcoder_open_compact(const char *path, GError **error);

/* The name a compact transcoder has when a folder is opened. */
#define CW_COMPACT_FILE_NAME "transcoder.safetensors"

/* Hooks by name, as config.yaml has them. */
const char *cw_input_hook_name(CwInputHook hook);
const char *cw_output_hook_name(CwOutputHook hook);
