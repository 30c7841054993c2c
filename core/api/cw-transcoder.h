/* cw-transcoder.h - sparse dictionaries that stand in for a model's MLPs.
 *
 * A cross-layer transcoder (CLT): a feature reads at layer l and writes to the MLP outputs of
 * l .. L-1. A per-layer transcoder (PLT) writes at its own layer only and may have a linear
 * skip. Read from circuit-tracer's folders, CLT-Forge checkpoints (folded on reading, one file
 * or sharded by rank) and Clew's compact single file (codes with scales). Decoder rows
 * stay in the map; only rows of active features are touched. */
#pragma once

#include "cw-model.h"

G_BEGIN_DECLS

typedef enum { CW_TRANSCODER_CROSS_LAYER, CW_TRANSCODER_PER_LAYER } CwTranscoderKind;
typedef enum { CW_GATE_RELU, CW_GATE_JUMPRELU, CW_GATE_TOPK } CwGate;

/* Where a transcoder reads and writes; names as TransformerLens 3 uses them. */
typedef enum {
  CW_INPUT_NORMALISED,        /* ln2.hook_normalized before the gain (and bias) */
  CW_INPUT_NORMALISED_AFFINE, /* the same after gain and bias: "ln2.hook_normalized" of
                                 LayerNorm models under TransformerLens 2; the description must
                                 say so */
  CW_INPUT_RESID_MID,         /* hook_resid_mid */
  CW_INPUT_MLP_IN             /* mlp.hook_in: what the MLP reads, after gain and bias */
} CwInputHook;
typedef enum {
  CW_OUTPUT_MLP_OUT, /* hook_mlp_out: what is added to the stream, after a post-norm */
  CW_OUTPUT_MLP_RAW  /* mlp.hook_out: before a post-norm */
} CwOutputHook;

typedef struct {
  CwTranscoderKind kind;
  CwGate gate;
  int64_t top_k;
  CwInputHook input_hook;
  CwOutputHook output_hook;
  int64_t n_layers, n_features, width;
  bool has_skip;
  const char *model_name; /* as its description says; may be "" */
  const char *scan;       /* label for explorers */
  const char *format;     /* "circuit-tracer", "clt-forge", "clew-compact" */
} CwTranscoderConfig;

typedef struct _CwTranscoder CwTranscoder;

/* path: a folder or a compact .safetensors file. */
CwTranscoder *cw_transcoder_open(const char *path, GError **error);
CwTranscoder *cw_transcoder_ref(CwTranscoder *transcoder);
void cw_transcoder_unref(CwTranscoder *transcoder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwTranscoder, cw_transcoder_unref)

const char *cw_transcoder_peek_path(const CwTranscoder *transcoder);
const CwTranscoderConfig *cw_transcoder_peek_config(const CwTranscoder *transcoder);
const char *cw_transcoder_get_hash(CwTranscoder *transcoder); /* SHA-256 over its files */
/* Layers, width and hooks against a model; the error has both shapes. */
bool cw_transcoder_check_fits(const CwTranscoder *transcoder, const CwModel *model,
                              GError **error);
/* Whether the transcoder's description names a model that is clearly not this one, although
 * their shapes may agree: no word of the two names is the same ("google/gemma-2-2b" and "Gemma
 * 2 2b It" share one). False where either does not say a name. O(1), any thread. */
bool cw_transcoder_is_for_another(const CwTranscoder *transcoder, const CwModel *model);

/* Encoder of layer l as stored, [F, D]; biases and thresholds are f32 (owned). */
const CwkRows *cw_transcoder_peek_encoder(const CwTranscoder *transcoder, int64_t l);
const float *cw_transcoder_peek_encoder_bias(const CwTranscoder *transcoder,
                                             int64_t l); /* [F] */
const float *cw_transcoder_peek_threshold(const CwTranscoder *transcoder,
                                          int64_t l); /* or NULL */
const float *cw_transcoder_peek_decoder_bias(const CwTranscoder *transcoder,
                                             int64_t l); /* [D] */
/* [D, D] as circuit-tracer applies it: skip = x . W (CLT) or x . W^T (PLT); NULL without. */
const CwLinear *cw_transcoder_peek_skip(const CwTranscoder *transcoder, int64_t l);

/* One decoder row in the map: feature f of layer `from` writing to layer `to` >= from (PLT:
 * only to == from). *scale multiplies it (1 unless compact). NULL if the pair has no row. */
const void *cw_transcoder_peek_decoder_row(const CwTranscoder *transcoder, int64_t from,
                                           int64_t f, int64_t to, CwkDtype *dtype,
                                           float *scale);

/* Writes the compact form: encoder rows in 8 bits, decoder rows as `decoder` says (CWK_I8,
 * CWK_Q5_0, CWK_Q4_0), each with a scale, those that are 0 left out. Or, expanded,
 * circuit-tracer's folder. */
bool cw_transcoder_write_compact(CwTranscoder *transcoder, CwkDtype decoder, const char *path,
                                 GError **error);
bool cw_transcoder_write_folder(CwTranscoder *transcoder, const char *folder, GError **error);
/* Writes CLT-Forge's checkpoint, f32, one file. Errors: skips, ReLU, hooks it does not have. */
bool cw_transcoder_write_clt_forge(CwTranscoder *transcoder, const char *folder,
                                   GError **error);

G_END_DECLS
