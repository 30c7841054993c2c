/* cw-model.h - a language model: its description, weights, forward pass and what it leaves.
 *
 * GGUF files and Hugging Face folders of GPT-2, Llama, Gemma 2, Gemma 3 and Qwen 3. Weights
 * stay in the file's map, quantised as they are, until a product needs them. */
#pragma once

#include "cw-tokenizer.h"

G_BEGIN_DECLS

typedef enum {
  CW_ARCHITECTURE_GPT2,
  CW_ARCHITECTURE_LLAMA,
  CW_ARCHITECTURE_GEMMA2,
  CW_ARCHITECTURE_GEMMA3,
  CW_ARCHITECTURE_QWEN3
} CwArchitecture;

typedef struct {
  CwArchitecture architecture;
  const char *name;  /* for people and for metadata: the file's where it fits what it says */
  const char *given; /* what the description says: general.name, _name_or_path; NULL: nothing */
  int64_t n_layers, width, n_heads, n_kv_heads, head_width, mlp_width, n_vocabulary;
  int64_t n_context;  /* longest prompt */
  bool is_layer_norm; /* GPT-2; all others RMSNorm */
  float norm_epsilon;
  bool is_tied; /* unembedding = embedding */
  CwkActivation activation;
  bool is_gated;
  float embedding_scale;    /* Gemma: sqrt(D), else 1 */
  float attention_scale;    /* 1 / sqrt(K), or 1 / sqrt(query_pre_attn_scalar) */
  float attention_soft_cap; /* 0: none */
  float logit_soft_cap;     /* 0: none */
  bool has_post_norms;      /* Gemma 2 and 3: norms after attention and after the MLP */
  bool has_qk_norms;        /* Gemma 3, Qwen 3 */
} CwModelConfig;

/* A linear map as stored: y = x . W (+ bias). */
typedef struct {
  CwkRows rows;
  CwkBLayout layout;
  const float *bias; /* [n outputs] or NULL */
} CwLinear;

/* The parts of a layer that attribution and interventions need; norm weights are f32 and
 * "effective": Gemma's 1 + w is already added where the file keeps w. */
typedef struct {
  const float *ln1_weight, *ln1_bias;         /* [D], bias NULL for RMSNorm */
  const float *ln2_weight, *ln2_bias;         /* the norm before the MLP */
  const float *ln1_post_weight;               /* [D] or NULL */
  const float *ln2_post_weight;               /* [D] or NULL */
  CwLinear q, k, v, o;                        /* D -> H K, D -> G K, D -> G K, H K -> D */
  CwLinear gate, up, down;                    /* up only where not gated */
  const float *q_norm_weight, *k_norm_weight; /* [K] or NULL */
  int64_t window;                             /* 0: all */
} CwLayer;

typedef struct _CwModel CwModel;

/* path: a .gguf file or a Hugging Face folder (config.json, *.safetensors, tokenizer.json; a
 * folder without tokenizer.json loads, with no tokenizer). Any thread may read a model; it is
 * immutable. */
CwModel *cw_model_load(const char *path, GError **error);
CwModel *cw_model_ref(CwModel *model);
void cw_model_unref(CwModel *model);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwModel, cw_model_unref)

const char *cw_model_peek_path(const CwModel *model);
const CwModelConfig *cw_model_peek_config(const CwModel *model);
CwTokenizer *cw_model_peek_tokenizer(const CwModel *model); /* NULL if there is none */
const CwLayer *cw_model_peek_layer(const CwModel *model, int64_t l);
const CwkRows *cw_model_peek_embedding(const CwModel *model);    /* [V, D], unscaled */
const float *cw_model_peek_positions(const CwModel *model);      /* [n_context, D] or NULL */
const CwLinear *cw_model_peek_unembedding(const CwModel *model); /* D -> V, bias or NULL */
const float *cw_model_peek_final_norm_weight(const CwModel *model);
const float *cw_model_peek_final_norm_bias(const CwModel *model); /* NULL for RMSNorm */
/* SHA-256 of the weight file, lower-case hex; of several files the SHA-256 of sha256sum's
 * lines. Read once per file and remembered in the user's cache folder. NULL if they cannot be
 * read. */
const char *cw_model_get_hash(CwModel *model);

/* ---- forward --------------------------------------------------------------------------- */

typedef enum {
  CW_FORWARD_LAST_LOGITS = 1 << 0, /* logits of the last position only (else none) */
  CW_FORWARD_ALL_LOGITS = 1 << 1,
  CW_FORWARD_TAPS = 1 << 2,   /* residual mid, normalised MLP input, MLP output of each layer */
  CW_FORWARD_FROZEN = 1 << 3, /* patterns and normalisation scales, for attribution */
  /* Activations rounded to 8 bits in front of every product with quantised weights: faster, and
   * MLP outputs are off by 1 to 5 % (tests/bench/RESULTS.md). Refused with CW_ERROR_UNSUPPORTED
   * where weights or CPU have no such product, and together with CW_FORWARD_FROZEN. */
  CW_FORWARD_REDUCED = 1 << 4,
  CW_FORWARD_MLP = 1 << 5 /* normalised MLP input and MLP output of each layer, no more */
} CwForwardFlags;

/* What a pass leaves, all f32, owned. Absent parts are NULL. */
typedef struct {
  int64_t n_positions;
  float *logits; /* [T or 1, V], after the soft cap */
  int64_t n_logit_rows;
  float *embedding; /* [T, D] token vectors: embedding rows with the model's scale */
  float *resid_mid; /* [L, T, D] residual stream before the norm of the MLP */
  float *mlp_hat;   /* [L, T, D] that norm's output before its gain and bias */
  float *mlp_out;   /* [L, T, D] what the MLP adds to the stream (after a post-norm) */
  float *mlp_raw;   /* [L, T, D] MLP output before a post-norm; NULL without post-norms */
  float *pattern;   /* [L, H, T, T] */
  float *ln1_scale; /* [L, T] */
  float *ln2_scale; /* [L, T] */
  float *ln1_post_scale, *ln2_post_scale; /* [L, T] or NULL */
  float *final_scale;                     /* [T] */
  float *final_resid;                     /* [T, D] residual stream before the final norm */
} CwForward;

void cw_forward_free(CwForward *forward);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwForward, cw_forward_free)

/* Runs n_tokens ids. Errors: empty prompt, id out of range, longer than the context, no memory,
 * cancelled (checked once a layer). */
CwForward *cw_model_forward(CwModel *model, CwkDevice *device, const int32_t *tokens,
                            size_t n_tokens, CwForwardFlags flags, CwCancel *cancel,
                            GError **error);

/* log(sum(exp(logits))) of one row, in double, without overflow. */
double cw_logits_log_sum(const float *logits, int64_t n);
/* Indices of the n_top largest of a row, largest first, the smaller index first among equals.
 * O(n n_top) at worst, about O(n) for real rows. */
void cw_logits_top(const float *logits, int64_t n, int64_t n_top, int64_t *top);

/* ---- generation ------------------------------------------------------------------------ */

typedef struct {
  float temperature; /* 0: the most likely token */
  int64_t top_k;     /* 0: all */
  float top_p;       /* 1: all */
  uint64_t seed;
  size_t n_tokens; /* at most */
  bool is_reduced; /* passes with CW_FORWARD_REDUCED */
} CwSampling;

/* Continues the prompt with a key/value cache; stops after an end-of-text token. Returns ids of
 * the new tokens only (transfer full). */
int32_t *cw_model_generate(CwModel *model, CwkDevice *device, const int32_t *tokens,
                           size_t n_tokens, const CwSampling *sampling, size_t *n_new,
                           CwCancel *cancel, GError **error);

G_END_DECLS
