/* cw-attribution.h - attribution graphs of prompts: circuit-tracer's graph, exactly. */
#pragma once

#include "cw-graph.h"
#include "cw-transcoder.h"

G_BEGIN_DECLS

typedef enum {
  CW_TARGETS_TOP_LOGITS, /* the most probable, until desired_logit_prob is reached */
  CW_TARGETS_TOKENS,     /* target_tokens, in their order */
  CW_TARGETS_DIFFERENCE  /* target_tokens[0] minus target_tokens[1], one node */
} CwTargets;

/* Names and defaults are circuit-tracer's. */
typedef struct {
  CwTargets targets;
  const int32_t *target_tokens;
  size_t n_target_tokens;
  int64_t max_n_logits;      /* 10; more than the vocabulary counts as the vocabulary */
  double desired_logit_prob; /* 0.95 */
  int64_t batch_size;        /* 256: rows between two looks at the influence are
                                batch_size * update_interval */
  int64_t update_interval;   /* 4 */
  int64_t max_feature_nodes; /* 7500; 0: all */
  bool keeps_tensors;        /* fill error_vectors, token_vectors and logits of the detail */
  int64_t n_named_features;  /* 256: the most influential get a label (\"~ water, ice\") */
} CwAttributionOptions;

void cw_attribution_options_init(CwAttributionOptions *options);

/* What a run computes beside the graph, for --output *.safetensors and for tests. */
typedef struct {
  int64_t n_active;
  int32_t *active_layer, *active_position; /* [n_active], by (layer, position, feature) */
  int64_t *active_feature;
  float *activation; /* [n_active] */
  int64_t n_selected;
  int64_t *selected; /* [n_selected] ascending indices into the active features */
  int64_t n_logits;
  int64_t *logit_tokens; /* [n_logits]; a difference has V + its position */
  float *logit_probabilities;
  float *error_vectors; /* [L, T, D] */
  float *token_vectors; /* [T, D] */
  float *logits;        /* [T, V] */
  double seconds_forward, seconds_rows, seconds_select;
  double flop_rows; /* multiply-adds times two spent in matrix products of the sweeps */
  double largest_rest_error; /* the identity's rounding error: |value - sum of edges - rest| of
                                any target over the sum of its row's magnitudes */
} CwAttributionDetail;

void cw_attribution_detail_free(CwAttributionDetail *detail);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwAttributionDetail, cw_attribution_detail_free)

/* tokens as the model will see them (BOS already in front: see cw_attribution_prompt). Phases
 * reported: "forward", "features", "rows", "graph". Cancelled within 0.2 s. detail may be NULL.
 * Memory: weights + one causal-cone row per selected feature; an estimate is checked first and
 * a run that cannot fit is refused with the number of nodes that would. */
CwGraph *cw_attribute(CwModel *model, CwTranscoder *transcoder, CwkDevice *device,
                      const int32_t *tokens, size_t n_tokens,
                      const CwAttributionOptions *options, const CwProgress *progress,
                      CwCancel *cancel, CwAttributionDetail **detail, GError **error);

/* The tokens that features promote: decoder rows summed over their output layers, times the
 * final norm's gain (its scale is one number and orders nothing), through the unembedding less
 * the vocabulary's mean. tokens: [n, n_top] ids, the most promoted first, -1 beyond the
 * vocabulary. Cost 2 n D V operations. */
bool cw_feature_promotes(CwModel *model, CwTranscoder *transcoder, CwkDevice *device,
                         const int32_t *layers, const int64_t *features, size_t n, size_t n_top,
                         int32_t *tokens, CwCancel *cancel, GError **error);
/* A name made of promoted tokens: "~ water, ice, snow". Blank and repeated ones are left out;
 * NULL if nothing is left. Transfer full. */
char *cw_feature_dup_name(const CwTokenizer *tokenizer, const int32_t *tokens, size_t n_top);

/* A prompt as attribution wants it: encoded, a special token put in front unless there is one.
 * n_bytes: -1 if the text ends with a NUL. */
int32_t *cw_attribution_prompt(const CwTokenizer *tokenizer, const char *text, gssize n_bytes,
                               size_t *n, GError **error);
/* Whether a prompt of so many tokens fits the model's context (CW_ERROR_ARGUMENT) and the free
 * memory with what attribution keeps of the clean pass: patterns [L, H, T, T] and taps
 * (CW_ERROR_NO_MEMORY). The message has both numbers and how many tokens would fit. O(1). */
bool cw_attribution_check_prompt(const CwModel *model, size_t n_tokens, GError **error);

/* A target as people write it: the text of exactly one token (" Paris", the space counts),
 * id:504, or, where the model has no tokenizer, a plain number. CW_ERROR_ARGUMENT names what a
 * longer text splits into, and the text with a space in front if that is one token. */
bool cw_attribution_parse_target(const CwModel *model, const char *text, int32_t *id,
                                 GError **error);

G_END_DECLS
