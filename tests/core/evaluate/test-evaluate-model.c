/* test-evaluate-model.c - a model's predictions with its MLPs replaced: against a plain GPT-2
 * in double, and that replacing MLPs by themselves changes nothing in any architecture. */
#include <math.h>
#include <string.h>

#include "../attribution/golden-case.h"
#include "clt/transcoder-apply.h"
#include "cw-evaluate.h"
#include "cw-tensor-file.h"
#include "model/forward.h"
#include "plain-gpt2.h"
#include "quality-reference.h"
#include "test-support.h"

#define CONTEXT  9
#define N_TOKENS 30

/* ---- replaced passes -------------------------------------------------------------------- */

typedef struct {
  const CwForward *own;
  bool is_raw;
  int64_t width;
  int n_filled;
} Own;

static bool
fill_own(gpointer data, int64_t l, const CwForward *forward, float *output, GError **error)
{
  Own *self = data;
  int64_t width = self->width, size = self->own->n_positions * width;
  bool is_raw = self->is_raw && self->own->mlp_raw != NULL;
  const float *from = (is_raw ? self->own->mlp_raw : self->own->mlp_out) + l * size;
  /* The first row is there. */
  g_assert_cmpfloat(test_max_difference(output, from, (size_t)width), <=,
                    1e-4 * test_max_abs(from, (size_t)width));
  memcpy(output + width, from + width, (size_t)(size - width) * sizeof *output);
  self->n_filled++;
  return true;
}

static void
compare_replaced(GoldenCase *one, Own *self, uint8_t first, int64_t first_layer)
{
  g_autoptr(GError) error = NULL;
  const CwModelConfig *config = cw_model_peek_config(one->model);
  g_autofree uint8_t *is_replaced = g_new0(uint8_t, config->n_layers);
  for (int64_t l = first; l < config->n_layers; l++)
    is_replaced[l] = 1;
  int64_t size = self->own->n_positions * config->width;
  const CwMlpReplacement replacement = {
    .is_replaced = is_replaced,
    .fill = fill_own,
    .data = self,
    .is_raw = self->is_raw,
    .first_layer = first_layer,
    .resid_mid = first_layer > 0 ? self->own->resid_mid + first_layer * size : NULL,
  };
  self->n_filled = 0;
  for (int with_taps = 0; with_taps < 2; with_taps++) {
    CwForwardFlags flags = CW_FORWARD_ALL_LOGITS | (with_taps != 0 ? CW_FORWARD_TAPS : 0);
    g_autoptr(CwForward) forward = cw_forward_run_replaced(
        one->model, one->device, one->tokens, one->n_tokens, flags, &replacement, NULL, &error);
    g_assert_no_error(error);
    size_t n = one->n_tokens * (size_t)config->n_vocabulary;
    g_assert_cmpfloat(test_max_difference(forward->logits, self->own->logits, n), <=,
                      1e-5 * test_max_abs(self->own->logits, n));
  }
  g_assert_cmpint(self->n_filled, ==,
                  2 * (config->n_layers - MAX((int64_t)first, first_layer)));
}

static void
test_itself(gconstpointer name)
{
  g_autoptr(GError) error = NULL;
  GoldenCase one;
  golden_case_open(&one, name);
  g_autoptr(CwForward) own =
      cw_model_forward(one.model, one.device, one.tokens, one.n_tokens,
                       CW_FORWARD_ALL_LOGITS | CW_FORWARD_TAPS, NULL, &error);
  g_assert_no_error(error);
  for (int is_raw = 0; is_raw < 2; is_raw++) {
    Own self = { own, is_raw != 0, cw_model_peek_config(one.model)->width, 0 };
    compare_replaced(&one, &self, 0, 0);
    compare_replaced(&one, &self, 1, 0);
    compare_replaced(&one, &self, 0, 1);
  }
  golden_case_close(&one);
}

/* ---- against the plain model ------------------------------------------------------------ */

typedef enum { PLAIN, OWN_STREAM, CHANGED_STREAM, ZERO, MEAN, N_WAYS } Way;

typedef struct {
  GoldenCase one;
  char *folder, *text;
  int32_t tokens[N_TOKENS];
  int64_t n_layers, width, n_vocabulary;
  double *sums; /* [L, D] of MLP outputs behind first positions */
  int64_t n_outputs;
  bool is_mean_known;
  /* The window at work. */
  Way way;
  int64_t n, layer;        /* -1: all */
  float *inputs, *outputs; /* [L, n, D] of the model as it is */
} Fixture;

static void
set_up(Fixture *self, gconstpointer name)
{
  g_autoptr(GError) error = NULL;
  golden_case_open(&self->one, name);
  const CwModelConfig *config = cw_model_peek_config(self->one.model);
  self->n_layers = config->n_layers;
  self->width = config->width;
  self->n_vocabulary = config->n_vocabulary;
  self->sums = g_new0(double, self->n_layers * self->width);
  for (int i = 0; i < N_TOKENS; i++)
    self->tokens[i] = 7 + i * 37 % 200;
  self->folder = test_temp_dir();
  self->text = g_build_filename(self->folder, "tokens.safetensors", NULL);
  const CwTensorOut tensor = { "tokens", "I32", 2, { 1, N_TOKENS }, self->tokens };
  g_assert_true(cw_safetensors_write(self->text, &tensor, 1, NULL, &error));
}

static void
tear_down(Fixture *self, gconstpointer name)
{
  golden_case_close(&self->one);
  test_remove_tree(self->folder);
  g_free(self->folder);
  g_free(self->text);
  g_free(self->sums);
  g_free(self->inputs);
  g_free(self->outputs);
}

/* What the transcoder reads, out of a plain pass, at one layer. */
static void
take_input(const Fixture *self, int64_t l, const double *mid, const double *hat, float *in)
{
  int64_t size = self->n * self->width;
  CwInputHook hook = cw_transcoder_peek_config(self->one.transcoder)->input_hook;
  const CwLayer *layer = cw_model_peek_layer(self->one.model, l);
  for (int64_t i = 0; i < size; i++) {
    int64_t d = i % self->width;
    double x = hat[l * size + i];
    if (hook == CW_INPUT_RESID_MID)
      x = mid[l * size + i];
    else if (hook != CW_INPUT_NORMALISED)
      x = x * (double)layer->ln2_weight[d] + (double)layer->ln2_bias[d];
    in[i] = (float)x;
  }
}

static void
replace(gpointer data, int64_t l, const double *mid, const double *hat, double *output)
{
  Fixture *self = data;
  int64_t width = self->width, size = self->n * width;
  if (self->layer >= 0 && self->layer != l)
    return;
  g_autofree double *p = g_new0(double, size);
  g_autofree float *changed = g_new0(float, self->n_layers *size);
  for (int64_t from = 0; from <= l; from++)
    take_input(self, from, mid, hat, changed + from * size);
  if (self->way == PLAIN) {
    memcpy(self->inputs + l * size, changed + l * size, (size_t)size * sizeof(float));
    for (int64_t i = 0; i < size; i++)
      self->outputs[l * size + i] = (float)output[i];
    for (int64_t i = width; i < size && !self->is_mean_known; i++)
      self->sums[l * width + i % width] += output[i];
    return;
  }
  if (self->way == OWN_STREAM || self->way == CHANGED_STREAM)
    quality_reference_predict(self->one.transcoder,
                              self->way == OWN_STREAM ? self->inputs : changed, self->n, l, p);
  for (int64_t i = width; i < size; i++)
    output[i] =
        self->way == MEAN ? self->sums[l * width + i % width] / (double)self->n_outputs : p[i];
}

/* Softmax in place, row by row. */
static void
to_probabilities(const Fixture *self, double *logits)
{
  for (int64_t t = 0; t < self->n; t++) {
    double sum = 0, *row = logits + t * self->n_vocabulary;
    for (int64_t v = 0; v < self->n_vocabulary; v++)
      sum += row[v] = exp(row[v]);
    for (int64_t v = 0; v < self->n_vocabulary; v++)
      row[v] /= sum;
  }
}

static int64_t
best(const double *row, int64_t n)
{
  int64_t at = 0;
  for (int64_t v = 1; v < n; v++)
    at = row[v] > row[at] ? v : at;
  return at;
}

typedef struct {
  double cross_entropy, kl, n_agreeing;
} Sums;

static void
add_shift(const Fixture *self, const int32_t *tokens, const double *own, const double *other,
          Sums *sums)
{
  int64_t n = self->n_vocabulary;
  for (int64_t t = 1; t + 1 < self->n; t++) {
    const double *p = own + t * n, *q = other + t * n;
    sums->cross_entropy -= log(q[tokens[t + 1]]);
    for (int64_t v = 0; v < n; v++)
      sums->kl += p[v] * log(p[v] / q[v]);
    sums->n_agreeing += best(p, n) == best(q, n);
  }
}

static void
make_window(Fixture *self, int64_t n)
{
  self->n = n;
  g_free(self->inputs);
  g_free(self->outputs);
  self->inputs = g_new0(float, self->n_layers *n * self->width);
  self->outputs = g_new0(float, self->n_layers *n * self->width);
}

/* sums [L + 1, N_WAYS]: all layers at once, then each. */
static void
run_plain(Fixture *self, Sums *sums)
{
  for (int64_t first = 0; first < N_TOKENS; first += CONTEXT) {
    const int32_t *tokens = self->tokens + first;
    make_window(self, MIN(CONTEXT, N_TOKENS - first));
    g_autofree double *own = g_new(double, self->n * self->n_vocabulary);
    g_autofree double *other = g_new(double, self->n * self->n_vocabulary);
    self->way = PLAIN;
    self->layer = -1;
    plain_gpt2_run(self->one.model, tokens, self->n, replace, self, own);
    to_probabilities(self, own);
    if (!self->is_mean_known) {
      self->n_outputs += self->n - 1;
      continue;
    }
    for (self->layer = -1; self->layer < self->n_layers; self->layer++)
      for (int way = PLAIN + 1; way < N_WAYS; way++) {
        self->way = (Way)way;
        plain_gpt2_run(self->one.model, tokens, self->n, replace, self, other);
        to_probabilities(self, other);
        add_shift(self, tokens, own, other, &sums[(self->layer + 1) * N_WAYS + way]);
      }
    add_shift(self, tokens, own, own, &sums[PLAIN]);
  }
}

static void
assert_near(double actual, double expected, const char *what)
{
  if (!(fabs(actual - expected) <= 1e-5 * fmax(fabs(expected), 1)))
    g_error("%s is %.9g, expected %.9g", what, actual, expected);
}

static void
compare(const CwReplacedQuality *actual, const Sums *sums, Way way, double own, double n)
{
  const Sums *mine = &sums[way];
  assert_near(actual->cross_entropy, mine->cross_entropy / n, "cross-entropy");
  assert_near(actual->kl, mine->kl / n, "kl");
  assert_near(actual->agreement, mine->n_agreeing / n, "agreement");
  const double ablated[] = { sums[ZERO].cross_entropy / n, sums[MEAN].cross_entropy / n };
  const double recovered[] = { actual->recovered_zero, actual->recovered_mean };
  /* A quotient of differences: what rounding does to those decides. */
  for (int i = 0; i < 2; i++) {
    double expected = (ablated[i] - mine->cross_entropy / n) / (ablated[i] - own);
    double limit = 3e-5 * (1 + fabs(expected)) / fabs(ablated[i] - own);
    if (!(fabs(recovered[i] - expected) <= limit))
      g_error("recovered is %.9g, expected %.9g", recovered[i], expected);
  }
}

static void
test_plain(Fixture *self, gconstpointer name)
{
  g_autoptr(GError) error = NULL;
  g_autofree Sums *sums = g_new0(Sums, (self->n_layers + 1) * N_WAYS);
  run_plain(self, sums);
  self->is_mean_known = true;
  run_plain(self, sums);
  const char *const paths[] = { self->text, NULL };
  const CwTextOptions text = { .paths = paths, .context_tokens = CONTEXT };
  const CwEvaluateModel options = { .has_layers = true };
  g_autoptr(CwModelQuality) quality = cw_evaluate_model(
      self->one.transcoder, self->one.model, self->one.device, &text, &options, &error);
  g_assert_no_error(error);
  int64_t n_windows = (N_TOKENS + CONTEXT - 1) / CONTEXT;
  g_assert_cmpint(quality->n_windows, ==, n_windows);
  g_assert_cmpint(quality->n_tokens, ==, N_TOKENS - 2 * n_windows);
  double n = (double)quality->n_tokens, own = sums[PLAIN].cross_entropy / n;
  assert_near(quality->cross_entropy, own, "the model's cross-entropy");
  compare(&quality->own_stream, sums, OWN_STREAM, own, n);
  compare(&quality->changed_stream, sums, CHANGED_STREAM, own, n);
  compare(&quality->zero, sums, ZERO, own, n);
  compare(&quality->mean, sums, MEAN, own, n);
  for (int64_t l = 0; l < self->n_layers; l++) {
    const Sums *layer = sums + (l + 1) * N_WAYS;
    compare(&quality->layers[l].replaced, layer, OWN_STREAM, own, n);
    compare(&quality->layers[l].zero, layer, ZERO, own, n);
    compare(&quality->layers[l].mean, layer, MEAN, own, n);
  }
}

/* Rows out of the text, whatever the hooks, are those of the plain model. */
static void
test_rows_of_text(Fixture *self, gconstpointer name)
{
  g_autoptr(GError) error = NULL;
  const char *const paths[] = { self->text, NULL };
  const CwTextOptions text = { .paths = paths, .context_tokens = CONTEXT };
  CwEvaluateRows options = { 0 };
  g_autoptr(CwActivationQuality) all = cw_evaluate_text(
      self->one.transcoder, self->one.model, self->one.device, &text, &options, &error);
  g_assert_no_error(error);
  g_assert_cmpint(all->n_rows, ==, N_TOKENS - (N_TOKENS + CONTEXT - 1) / CONTEXT);
  make_window(self, CONTEXT);
  self->layer = -1;
  g_autofree double *logits = g_new(double, self->n * self->n_vocabulary);
  plain_gpt2_run(self->one.model, self->tokens, self->n, replace, self, logits);
  /* The first window alone, whose rows the plain pass left. */
  options.n_rows = CONTEXT - 1;
  g_autoptr(CwActivationQuality) first = cw_evaluate_text(
      self->one.transcoder, self->one.model, self->one.device, &text, &options, &error);
  g_assert_no_error(error);
  int64_t size = (CONTEXT - 1) * self->width;
  g_autofree float *in = g_new(float, self->n_layers *size);
  g_autofree float *out = g_new(float, self->n_layers *size);
  for (int64_t l = 0; l < self->n_layers; l++) {
    int64_t from = (l * CONTEXT + 1) * self->width;
    memcpy(in + l * size, self->inputs + from, (size_t)size * sizeof *in);
    memcpy(out + l * size, self->outputs + from, (size_t)size * sizeof *out);
  }
  g_autofree ReferenceLayer *expected = g_new0(ReferenceLayer, self->n_layers);
  quality_reference_measure(self->one.transcoder, in, out, CONTEXT - 1, expected);
  for (int64_t l = 0; l < self->n_layers; l++) {
    assert_near(first->layers[l].l0, expected[l].l0, "l0");
    assert_near(first->layers[l].error_energy, expected[l].error_energy, "error energy");
    assert_near(first->layers[l].slope, expected[l].slope, "slope");
    g_assert_cmpint(first->layers[l].n_dead, ==, expected[l].n_dead);
  }
}

static void
test_refusals(Fixture *self, gconstpointer name)
{
  g_autoptr(GError) error = NULL;
  const char *const paths[] = { self->text, NULL };
  CwTextOptions text = { .paths = paths, .context_tokens = 2 };
  CwEvaluateModel options = { 0 };
  g_assert_null(cw_evaluate_model(self->one.transcoder, self->one.model, self->one.device,
                                  &text, &options, &error));
  g_assert_error(error, CW_ERROR, CW_ERROR_ARGUMENT);
  g_clear_error(&error);
  g_autofree char *path = test_golden_path("training/clt/initial");
  g_autoptr(CwTranscoder) other = cw_transcoder_open(path, &error);
  g_assert_no_error(error);
  g_assert_null(
      cw_evaluate_model(other, self->one.model, self->one.device, &text, &options, &error));
  g_assert_error(error, CW_ERROR, CW_ERROR_MISMATCH);
  g_assert_nonnull(strstr(error->message, "4 layers of width 16"));
}

int
main(int argc, char **argv)
{
  static const char *const models[] = { "gpt2-clt", "llama-plt_skip", "gemma2-plt",
                                        "qwen3-clt" };
  static const char *const plain[] = { "gpt2-clt", "gpt2-clt-residmid", "gpt2-plt_skip" };
  g_test_init(&argc, &argv, NULL);
  for (size_t i = 0; i < G_N_ELEMENTS(models); i++) {
    g_autofree char *name = g_strdup_printf("/core/evaluate-model/itself/%s", models[i]);
    g_test_add_data_func(name, models[i], test_itself);
  }
  for (size_t i = 0; i < G_N_ELEMENTS(plain); i++) {
    g_autofree char *inside = g_strdup_printf("/core/evaluate-model/plain/%s", plain[i]);
    g_autofree char *rows = g_strdup_printf("/core/evaluate-model/rows-of-text/%s", plain[i]);
    g_test_add(inside, Fixture, plain[i], set_up, test_plain, tear_down);
    g_test_add(rows, Fixture, plain[i], set_up, test_rows_of_text, tear_down);
  }
  g_test_add("/core/evaluate-model/refusals", Fixture, plain[0], set_up, test_refusals,
             tear_down);
  return g_test_run();
}
