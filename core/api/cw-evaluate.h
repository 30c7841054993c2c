/* cw-evaluate.h - how good a transcoder is: on activations, inside the model, on prompts.
 *
 * Sums run in f64 and in the order of the rows. Letters: N rows, L layers, D width, F features
 * per layer. Means over layers weigh every layer alike, as the trainer's metrics do. */
#pragma once

#include "cw-activations.h"
#include "cw-transcoder.h"

G_BEGIN_DECLS

/* ---- on activations --------------------------------------------------------------------- */

/* The firing rates of features are counted in bins of a quarter of a decade, from 1e-6 on; bin
 * i holds rates of 10^(-6 + i / 4) up to that of bin i + 1, the last one 1 itself too. Rates
 * below 1e-6 are in the first. Features that never fired are in none. */
#define CW_RATE_BINS            24
#define CW_RATE_BINS_PER_DECADE 4
#define CW_RATE_LEAST_LOG10     (-6)
/* A feature is dense if it fires on more than this share of the rows. */
#define CW_DENSE_RATE 0.1

/* One layer. y: its MLP outputs, p: their predictions. */
typedef struct {
  /* 1 - mean |y - p|^2 / (mean |y - mean y|^2 + 1e-6): CLT-Forge's definition and the
   * trainer's, over all rows at once. */
  double explained_variance;
  double normalised_mse;          /* 1 - explained_variance */
  double error_energy;            /* sum |y - p|^2 / sum |y|^2 */
  double error_share;             /* of the error energy of all layers */
  double error_median, error_p95; /* over rows, of |y - p| / |y| */
  double slope;       /* of the least-squares line of p over y, both less their means; 1
                         where predictions do not shrink */
  double output_norm; /* mean |y| */
  double l0;          /* mean number of active features */
  int64_t l0_median, l0_p95, l0_most;
  int64_t n_dead, n_dense;
  int64_t rates[CW_RATE_BINS];
  /* Norms of all that a feature writes, over features: least, 5 %, 25 %, median, 75 %, 95 %,
   * largest. */
  double decoder_norms[7];
} CwLayerQuality;

typedef struct {
  int64_t n_rows, n_layers, n_features;
  CwLayerQuality *layers;           /* [L] */
  double explained_variance, l0;    /* means over layers */
  double pooled_explained_variance; /* over the sums of all layers: those with large outputs
                                       weigh more */
  double slope;                     /* mean over layers */
  int64_t n_dead, n_dense;
  int64_t *n_fired; /* [L, F] rows on which a feature was active */
} CwActivationQuality;

void cw_activation_quality_free(CwActivationQuality *quality);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwActivationQuality, cw_activation_quality_free)

/* Takes rows in batches. One thread. */
typedef struct _CwQualityMeter CwQualityMeter;

/* most_rows: of a batch. Borrows the device. */
CwQualityMeter *cw_quality_meter_new(CwTranscoder *transcoder, CwkDevice *device,
                                     int64_t most_rows, GError **error);
void cw_quality_meter_free(CwQualityMeter *meter);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwQualityMeter, cw_quality_meter_free)
/* n rows; layer l's begin at l * layer_rows * D. in: what the transcoder's features read. */
bool cw_quality_meter_add(CwQualityMeter *meter, const float *in, const float *out, int64_t n,
                          int64_t layer_rows, GError **error);
/* The numbers of all rows so far; reads every decoder row. An error without any row. */
CwActivationQuality *cw_quality_meter_finish(CwQualityMeter *meter, GError **error);

typedef enum {
  CW_EVALUATE_HELD_OUT, /* what the store holds apart */
  CW_EVALUATE_TRAINING, /* the rest */
  CW_EVALUATE_ALL
} CwEvaluatePart;

typedef struct {
  int64_t n_rows; /* at most; 0: all */
  /* Of stores, where n_rows are drawn at random from the part by the seed. */
  CwEvaluatePart part;
  uint64_t seed;
  int n_threads; /* that decode the store; 0: one */
  const CwProgress *progress;
  CwCancel *cancel;
} CwEvaluateRows;

/* Rows of a store. Errors: shapes or hooks of store and transcoder that do not go together, an
 * empty part, damaged frames. */
CwActivationQuality *cw_evaluate_activations(CwTranscoder *transcoder,
                                             CwActivations *activations, CwkDevice *device,
                                             const CwEvaluateRows *options, GError **error);
/* The first rows that the model makes of a text, whatever the transcoder's hooks are. The first
 * position of a window gives none. */
CwActivationQuality *cw_evaluate_text(CwTranscoder *transcoder, CwModel *model,
                                      CwkDevice *device, const CwTextOptions *text,
                                      const CwEvaluateRows *options, GError **error);

/* ---- inside the model ------------------------------------------------------------------- */

/* The model's next-token predictions with MLP outputs replaced, against its own. Means over
 * tokens. */
typedef struct {
  double cross_entropy; /* nats */
  double kl;            /* of this from the model's own distribution, nats */
  double agreement;     /* share of tokens whose most likely next token is the model's */
  /* (CE_ablated - CE) / (CE_ablated - CE_model), the same MLPs giving 0, or their means. 1: as
   * good as the model's own outputs; NaN where ablation makes no difference. */
  double recovered_zero, recovered_mean;
} CwReplacedQuality;

typedef struct {
  CwReplacedQuality replaced, zero, mean;
} CwReplacedLayer;

/* The first position of a window, which transcoders are not trained on, keeps the model's own
 * MLP output everywhere, and its prediction counts nowhere. */
typedef struct {
  int64_t n_tokens, n_windows;  /* predictions; windows of text */
  double cross_entropy;         /* of the model as it is */
  CwReplacedQuality zero, mean; /* all MLPs give 0, or their mean over these tokens */
  /* All MLPs replaced by predictions whose features read the residual stream of the model as it
   * is, or the changed stream ("replacement model"). */
  CwReplacedQuality own_stream, changed_stream;
  int64_t n_layers;
  CwReplacedLayer *layers; /* [L] one MLP at a time; NULL unless asked for */
} CwModelQuality;

void cw_model_quality_free(CwModelQuality *quality);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwModelQuality, cw_model_quality_free)

typedef struct {
  int64_t n_tokens; /* predictions at most; 0: all of the text. Whole windows are run */
  bool has_layers;
  const CwProgress *progress;
  CwCancel *cancel;
} CwEvaluateModel;

/* Costs six passes over the text, with has_layers about 1.5 L more. */
CwModelQuality *cw_evaluate_model(CwTranscoder *transcoder, CwModel *model, CwkDevice *device,
                                  const CwTextOptions *text, const CwEvaluateModel *options,
                                  GError **error);

/* ---- on prompts ------------------------------------------------------------------------- */

/* The attribution graph of a prompt, unpruned, with circuit-tracer's settings. */
typedef struct {
  int64_t n_tokens;             /* start token included */
  int64_t n_active, n_selected; /* active features, and those that the graph has */
  /* Of the influence on the logits: what comes from tokens rather than errors; and the share of
   * inputs, weighed by influence, that are no errors. */
  double replacement, completeness;
  int32_t top_token; /* the model's most likely next one */
  double top_probability;
} CwPromptQuality;

/* Errors of attribution; a model without a tokenizer. On failure *quality is as it was. */
bool cw_evaluate_prompt(CwTranscoder *transcoder, CwModel *model, CwkDevice *device,
                        const char *prompt, CwPromptQuality *quality,
                        const CwProgress *progress, CwCancel *cancel, GError **error);

G_END_DECLS
