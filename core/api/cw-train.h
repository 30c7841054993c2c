/* cw-train.h - training of transcoders: settings, the trainer, its checkpoints and metrics.
 *
 * A transcoder predicts the MLP outputs of a model from its MLP inputs through sparse features
 * (Ameisen and others, "Circuit Tracing", 2025). The objective is CLT-Forge's and Anthropic's:
 *
 *   sum over layers and columns of the mean square error
 *     + l0_coefficient   * sum over features of mean tanh(tanh_scale a n)
 *     + dead_penalty_coef * sum over features of mean max(threshold - h, 0) n
 *
 * with h the pre-activation, a = h where h > threshold and else 0, and n the norm of all that
 * the feature writes. Gradients are exact, the threshold's through a rectangle of width
 * jumprelu_bandwidth (Rajamanoharan and others, arXiv 2407.14435). */
#pragma once

#include "cw-activations.h"
#include "cw-transcoder.h"

G_BEGIN_DECLS

/* ---- settings -------------------------------------------------------------------------- */

typedef enum {
  CW_TRAIN_JUMPRELU,
  CW_TRAIN_TOPK,       /* the k largest of a token in each layer */
  CW_TRAIN_BATCH_TOPK, /* the k B largest of a batch in each layer */
  /* The k L B largest of a batch in all layers together, by what they write: activation times
   * norm of all decoder rows. Layers whose features reach further get more of them. */
  CW_TRAIN_ALL_TOPK
} CwTrainGate;
typedef enum { CW_WARM_UP_LINEAR, CW_WARM_UP_COSINE } CwWarmUp;
/* Which parameters learn through the jump of the gate. */
typedef enum { CW_THROUGH_THRESHOLD, CW_THROUGH_ALL } CwStraightThrough;
typedef enum { CW_ENCODER_UNIFORM, CW_ENCODER_TIED } CwEncoderInit;
typedef enum { CW_RECIPE_CLT_FORGE, CW_RECIPE_ANTHROPIC_2025_01 } CwRecipe;

/* One run. `clew train --help` lists every key with its default and unit. */
typedef struct {
  int recipe; /* CwRecipe */
  /* shape; 0: not said, then taken from the activations */
  int64_t n_layers, d_model;
  int64_t d_latent;
  bool cross_layer_decoders;
  int activation; /* CwTrainGate */
  int64_t k, first_layer_k;
  double first_layer_k_half;
  double jumprelu_init_threshold, jumprelu_bandwidth;
  int straight_through; /* CwStraightThrough */
  int encoder_init;     /* CwEncoderInit */
  double init_firing_rate;
  /* data */
  int64_t batch, gradient_accumulation_steps;
  bool shuffle, normalise;
  int64_t n_batches_for_norm_estimate, n_batches_for_bias_init;
  int64_t seed;
  /* length and schedules */
  int64_t total_steps, steps;
  double lr;
  int64_t lr_warm_up_steps;
  int lr_warm_up_type; /* CwWarmUp */
  int64_t lr_decay_steps;
  double final_lr_scale;
  double l0_coefficient;
  int64_t l0_waiting_steps, l0_warm_up_steps;
  int l0_warm_up_type; /* CwWarmUp */
  double tanh_scale, dead_penalty_coef;
  double outlier_norm;
  /* optimiser */
  double adam_beta1, adam_beta2, adam_eps, grad_clip_norm;
  /* what is watched */
  int64_t dead_feature_window, resample_every_steps;
  int64_t log_every_steps, eval_every_steps, eval_tokens, checkpoint_every_steps;
  double held_out_fraction;
  double optimal_l0, checkpoint_l0;
  double loss_spike_factor;
} CwTrainSettings;

void cw_train_settings_init(CwTrainSettings *settings, CwRecipe recipe);
/* Reads a JSON object over what is there; a "recipe" in it is applied first. Unknown keys,
 * wrong types, values out of range and contradictions are errors that name key and remedy.
 * `place` names the text in messages. */
bool cw_train_settings_read(CwTrainSettings *settings, const char *json, const char *place,
                            GError **error);
/* Sets one key from text, as a command line has it. */
bool cw_train_settings_set(CwTrainSettings *settings, const char *key, const char *value,
                           GError **error);
/* What single values cannot show: that they go together. */
bool cw_train_settings_check(const CwTrainSettings *settings, GError **error);
/* All keys with their values as one JSON object, a line each. Transfer full. */
char *cw_train_settings_to_json(const CwTrainSettings *settings);

/* The keys for help and forms: NULL past the last. */
typedef struct {
  const char *key, *unit, *help;
  char *initial;              /* default of the recipe, as text; transfer full */
  const char *const *choices; /* or NULL */
  bool is_flag, is_integer;
  double least, most;
} CwTrainKey;
size_t cw_train_n_keys(void);
void cw_train_describe_key(size_t i, CwRecipe recipe, CwTrainKey *key);

/* The schedules, for steps 0 .. total_steps - 1. */
double cw_train_lr(const CwTrainSettings *settings, int64_t step);
double cw_train_l0_coefficient(const CwTrainSettings *settings, int64_t step);

/* ---- trainer --------------------------------------------------------------------------- */

typedef struct _CwTrainer CwTrainer;

/* One step's numbers; per-layer arrays have L values and belong to the trainer. Losses are per
 * token, summed over layers and features. */
typedef struct {
  int64_t step;
  double lr, l0_coefficient;
  double loss, mse, l0_loss, dead_loss;
  double grad_norm;
  double l0; /* active features per token and layer */
  double explained_variance;
  int64_t dead;
  int64_t resampled; /* features that began anew after this step */
  double band;       /* share of entries within the bandwidth */
  const double *layer_explained_variance, *layer_l0;
  const int64_t *layer_dead;
} CwTrainStep;

/* A trainer for activations of n_layers x width. Parameters are drawn by the seed. The device
 * is borrowed. Errors: no memory (says how much is needed), contradictory settings. */
CwTrainer *cw_trainer_new(const CwTrainSettings *settings, int64_t n_layers, int64_t width,
                          CwkDevice *device, GError **error);
void cw_trainer_free(CwTrainer *trainer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwTrainer, cw_trainer_free)

const CwTrainSettings *cw_trainer_peek_settings(const CwTrainer *trainer);
int64_t cw_trainer_get_step(const CwTrainer *trainer); /* steps done */
int64_t cw_trainer_get_batch_tokens(const CwTrainer *trainer);

/* Scales of inputs and outputs from the next batches of the stream (settings.normalise), and,
 * without an initial transcoder, encoder biases such that features fire at init_firing_rate.
 * Before the first step. */
bool cw_trainer_prepare(CwTrainer *trainer, CwActivationStream *stream, CwCancel *cancel,
                        GError **error);
/* Takes weights, biases and thresholds from a transcoder of any format, unfolded by the scales
 * that prepare has found. Errors: another shape or kind, ReLU without thresholds, skips. */
bool cw_trainer_take_transcoder(CwTrainer *trainer, const CwTranscoder *transcoder,
                                GError **error);

/* One step on a batch of settings.batch * gradient_accumulation_steps tokens, in and out
 * [L, B, D], normalised here. *result is valid until the next step. Errors: device, no memory;
 * loss that is not finite, or an unexplained share that leaps by loss_spike_factor
 * (CW_ERROR_MISMATCH), parameters then being as before the step. */
bool cw_trainer_step(CwTrainer *trainer, const float *in, const float *out, CwTrainStep *result,
                     GError **error);

/* Loss and numbers on a batch, without a step. */
bool cw_trainer_measure(CwTrainer *trainer, const float *in, const float *out,
                        CwTrainStep *result, GError **error);

/* Where a transcoder comes from; strings may be NULL. */
typedef struct {
  const char *model_name, *model_hash, *data_hash;
  const char *metrics_json; /* an object */
} CwTrainOrigin;

/* Writes the transcoder to a new folder in circuit-tracer's layout, normalisation folded, with
 * training.json beside it. TopK gates are written as JumpReLU with their mean thresholds. */
bool cw_trainer_export(const CwTrainer *trainer, const CwTrainOrigin *origin,
                       const char *folder, GError **error);

/* ---- decoders by least squares ------------------------------------------------------------
 */

typedef struct {
  int64_t n_tokens; /* to fit to, of the training part; 0: one pass */
  double keep_rows; /* share of decoder rows that stay, (0, 1]; the others become 0 */
  /* Decoder biases become 0: what they said of every token is for the active features to say,
   * and so becomes part of an attribution graph instead of its unattributed rest. */
  bool drops_biases;
  double prior_tokens;  /* activations of each feature that want its row as it was; >= 0 */
  int64_t n_iterations; /* of conjugate gradients, at most, for a target layer */
  int64_t batch, eval_tokens;
  uint64_t seed; /* of the order of tokens */
  CwkDevice *device;
  CwCancel *cancel;
  CwProgress progress;
} CwRefitOptions;

typedef struct {
  double before,
      after; /* held-out explained variance, a mean over layers; NaN: none held out */
  double l0; /* features per token and layer, held out */
  int64_t n_tokens, n_rows, n_kept;
} CwRefitResult;

/* Replaces decoder rows and biases by those that explain the outputs best in least squares,
 * encoders and thresholds staying as they are, and writes the transcoder to `folder` in
 * circuit-tracer's layout. Needs 2 L^2 F^2 bytes (cross-layer) beside a trainer's memory; time
 * grows with tokens, with the pairs of features active on a token, and with (rows of a
 * target)^2 D n_iterations. Errors: gates without thresholds or skips, shapes that do not
 * agree, memory, files. */
bool cw_transcoder_refit(const CwTranscoder *transcoder, CwActivations *activations,
                         const CwRefitOptions *options, const char *folder,
                         CwRefitResult *result, GError **error);

/* ---- runs ------------------------------------------------------------------------------ */

/* A run in a folder: settings.json, metrics.jsonl, checkpoint-<step>/, and at its end
 * transcoder/ in circuit-tracer's layout. */
typedef struct {
  CwTrainSettings settings;
  const char *output;  /* the folder */
  const char *initial; /* transcoder of any format, run or checkpoint to start from; or NULL */
  bool is_resumed;     /* go on from the newest whole checkpoint in `output` */
  CwkDevice *device;
  CwCancel *cancel; /* stops after the step at work, with a checkpoint */
  CwProgress progress;
  /* Every line of metrics as it is written, without its newline; may be NULL. */
  void (*line)(const char *json, gpointer user_data);
  gpointer line_data;
} CwTrainRun;

typedef enum {
  CW_TRAIN_DONE,   /* all steps */
  CW_TRAIN_AT_L0,  /* optimal_l0 was reached */
  CW_TRAIN_STOPPED /* cancelled; a checkpoint is there to go on from */
} CwTrainEnd;

/* Trains on a store. Errors as those of the trainer and the store; when loss or store fail in
 * the middle, a checkpoint of the last sound step has been written. */
bool cw_train_run(const CwTrainRun *run, CwActivations *activations, CwTrainEnd *end,
                  GError **error);

/* A transcoder to evaluate or attribute with: all that cw_transcoder_open takes, a checkpoint
 * of a run, or the run's folder, which stands for its newest whole checkpoint, or for its
 * transcoder/ where it has none. A checkpoint's tensors are compared with their
 * checksums and its decoders copied into memory. */
CwTranscoder *cw_train_open_transcoder(const char *path, GError **error);

/* What a checkpoint-<step> says of itself. */
typedef struct {
  int64_t step, stream_position;
  double l0_mean, unexplained_mean; /* running means at that step */
  char *data_hash;                  /* of the activations trained on */
  char *settings_json;              /* one object */
} CwCheckpointFacts;

void cw_checkpoint_facts_clear(CwCheckpointFacts *facts);
/* Whether a folder has a checkpoint's manifest. */
bool cw_checkpoint_is_folder(const char *path);
/* Reads the manifest, whose own checksum is compared. */
bool cw_checkpoint_describe(const char *path, CwCheckpointFacts *facts, GError **error);
/* Compares every tensor with its checksum; the error names the first that is damaged or is not
 * there. Cost O(bytes). */
bool cw_checkpoint_verify(const char *path, const CwProgress *progress, CwCancel *cancel,
                          GError **error);

G_END_DECLS
