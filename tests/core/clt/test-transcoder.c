/* test-transcoder.c - reading transcoders of every format, and writing them again. */
#include "cw-transcoder.h"
#include "test-support.h"

#include <math.h>
#include <unistd.h>

static CwTranscoder *
open_path(const char *path)
{
  g_autoptr(GError) error = NULL;
  CwTranscoder *transcoder = cw_transcoder_open(path, &error);
  g_assert_no_error(error);
  g_assert_nonnull(transcoder);
  return transcoder;
}

static CwTranscoder *
open_golden(const char *rest)
{
  g_autofree char *path = test_golden_path(rest);
  return open_path(path);
}

/* n stored rows as f32; transfer full. */
static float *
decode(CwkRows rows)
{
  float *out = g_new(float, rows.n_rows *rows.n_cols);
  CwkDevice *device = cwk_cpu_new(1);
  const CwkDequantiseArgs args = { .rows = rows, .out = out };
  g_assert_cmpint(cwk_dequantise(device, &args), ==, CWK_OK);
  cwk_device_free(device);
  return out;
}

static float *
decoder_row(const CwTranscoder *transcoder, int64_t from, int64_t f, int64_t to)
{
  CwkRows rows = { .n_rows = 1, .n_cols = cw_transcoder_peek_config(transcoder)->width };
  float scale;
  rows.data = cw_transcoder_peek_decoder_row(transcoder, from, f, to, &rows.dtype, &scale);
  g_assert_nonnull(rows.data);
  rows.scales = &scale;
  rows.row_bytes = cwk_dtype_row_bytes(rows.dtype, rows.n_cols);
  return decode(rows);
}

/* Largest error of a row relative to that row's largest entry, over all rows. */
static double
compare_rows(const float *a, const float *b, int64_t n_rows, int64_t width)
{
  double worst = 0;
  for (int64_t i = 0; i < n_rows; i++) {
    double largest = test_max_abs(a + i * width, (size_t)width);
    double difference = test_max_difference(a + i * width, b + i * width, (size_t)width);
    worst = MAX(worst, largest > 0 ? difference / largest : difference);
  }
  return worst;
}

/* The worst relative error of any row of b against a; sizes and vectors must be equal. */
static double
compare_transcoders(const CwTranscoder *a, const CwTranscoder *b)
{
  const CwTranscoderConfig *x = cw_transcoder_peek_config(a), *y = cw_transcoder_peek_config(b);
  double worst = 0;
  g_assert_cmpint(x->kind, ==, y->kind);
  g_assert_cmpint(x->gate, ==, y->gate);
  g_assert_cmpint(x->top_k, ==, y->top_k);
  g_assert_cmpint(x->input_hook, ==, y->input_hook);
  g_assert_cmpint(x->output_hook, ==, y->output_hook);
  g_assert_cmpint(x->n_layers, ==, y->n_layers);
  g_assert_cmpint(x->n_features, ==, y->n_features);
  g_assert_cmpint(x->width, ==, y->width);
  g_assert_true(x->has_skip == y->has_skip);
  g_assert_cmpstr(x->model_name, ==, y->model_name);
  g_assert_cmpstr(x->scan, ==, y->scan);
  size_t n = (size_t)x->n_features, d = (size_t)x->width;
  for (int64_t l = 0; l < x->n_layers; l++) {
    g_assert_cmpmem(cw_transcoder_peek_encoder_bias(a, l), n * 4,
                    cw_transcoder_peek_encoder_bias(b, l), n * 4);
    g_assert_cmpmem(cw_transcoder_peek_decoder_bias(a, l), d * 4,
                    cw_transcoder_peek_decoder_bias(b, l), d * 4);
    const float *s = cw_transcoder_peek_threshold(a, l),
                *t = cw_transcoder_peek_threshold(b, l);
    g_assert_true((s != NULL) == (x->gate == CW_GATE_JUMPRELU) && (s != NULL) == (t != NULL));
    if (s != NULL)
      g_assert_cmpmem(s, n * 4, t, n * 4);
    g_autofree float *p = decode(*cw_transcoder_peek_encoder(a, l));
    g_autofree float *q = decode(*cw_transcoder_peek_encoder(b, l));
    worst = MAX(worst, compare_rows(p, q, x->n_features, x->width));
    if (x->has_skip) {
      g_autofree float *u = decode(cw_transcoder_peek_skip(a, l)->rows);
      g_autofree float *v = decode(cw_transcoder_peek_skip(b, l)->rows);
      worst = MAX(worst, compare_rows(u, v, x->width, x->width));
    }
    int64_t end = x->kind == CW_TRANSCODER_CROSS_LAYER ? x->n_layers : l + 1;
    for (int64_t to = l; to < end; to++)
      for (int64_t f = 0; f < x->n_features; f++) {
        g_autofree float *u = decoder_row(a, l, f, to);
        g_autofree float *v = decoder_row(b, l, f, to);
        worst = MAX(worst, compare_rows(u, v, 1, x->width));
      }
  }
  return worst;
}

static void
reads_a_cross_layer_folder(void)
{
  g_autoptr(CwTranscoder) transcoder = open_golden("attribution/gpt2-clt-residmid/transcoder");
  const CwTranscoderConfig *config = cw_transcoder_peek_config(transcoder);
  g_assert_cmpint(config->kind, ==, CW_TRANSCODER_CROSS_LAYER);
  g_assert_cmpint(config->input_hook, ==, CW_INPUT_RESID_MID);
  g_assert_cmpint(config->output_hook, ==, CW_OUTPUT_MLP_OUT);
  g_assert_cmpint(config->n_layers, ==, 3);
  g_assert_cmpstr(config->model_name, ==, "golden-gpt2");
  g_assert_cmpstr(config->format, ==, "circuit-tracer");

  g_autoptr(GError) error = NULL;
  g_autofree char *path =
      test_golden_path("attribution/gpt2-clt-residmid/transcoder/W_dec_1.safetensors");
  g_autoptr(CwTensorFile) file = cw_tensor_file_open(path, &error);
  g_assert_no_error(error);
  const float *rows = cw_tensor_file_peek_tensor(file, 0)->data; /* [F, 2, D] */
  g_autofree float *row = decoder_row(transcoder, 1, 5, 2);
  g_assert_cmpmem(row, (size_t)config->width * 4, rows + (5 * 2 + 1) * config->width,
                  (size_t)config->width * 4);
  CwkDtype dtype;
  float scale;
  g_assert_null(cw_transcoder_peek_decoder_row(transcoder, 1, 5, 0, &dtype, &scale));
  g_assert_null(cw_transcoder_peek_decoder_row(transcoder, 1, 5, 3, &dtype, &scale));
  g_assert_null(
      cw_transcoder_peek_decoder_row(transcoder, 1, config->n_features, 2, &dtype, &scale));
}

static void
reads_per_layer_sets(void)
{
  g_autoptr(CwTranscoder) plain = open_golden("attribution/llama-plt/transcoder");
  g_autoptr(CwTranscoder) skip = open_golden("attribution/llama-plt_skip/transcoder");
  g_assert_cmpint(cw_transcoder_peek_config(plain)->kind, ==, CW_TRANSCODER_PER_LAYER);
  g_assert_false(cw_transcoder_peek_config(plain)->has_skip);
  g_assert_null(cw_transcoder_peek_skip(plain, 0));
  const CwTranscoderConfig *config = cw_transcoder_peek_config(skip);
  g_assert_true(config->has_skip);
  const CwLinear *linear = cw_transcoder_peek_skip(skip, 2);
  g_assert_cmpint(linear->rows.n_rows, ==, config->width);
  g_assert_cmpint(linear->layout, ==, CWK_B_ROWS_ARE_OUTPUTS);
  CwkDtype dtype;
  float scale;
  g_assert_null(cw_transcoder_peek_decoder_row(plain, 0, 0, 1, &dtype, &scale));
}

/* A checkpoint against the formulas of folding, from the tensors of its file. */
static void
folds_a_clt_forge_checkpoint(void)
{
  g_autoptr(CwTranscoder) transcoder = open_golden("training/clt/initial");
  const CwTranscoderConfig *config = cw_transcoder_peek_config(transcoder);
  int64_t n_layers = config->n_layers, n = config->n_features, width = config->width;
  g_assert_cmpint(n_layers, ==, 4);
  g_assert_cmpint(n, ==, 40);
  g_assert_cmpint(width, ==, 16);
  g_assert_cmpint(config->gate, ==, CW_GATE_JUMPRELU);
  g_autoptr(GError) error = NULL;
  g_autofree char *path = test_golden_path("training/clt/initial/clt_weights.safetensors");
  g_autoptr(CwTensorFile) file = cw_tensor_file_open(path, &error);
  g_assert_no_error(error);
  const float *w_enc = cw_tensor_file_find(file, "W_enc")->data; /* [L, D, F] */
  const float *w_dec = cw_tensor_file_find(file, "W_dec")->data; /* [K, F, D] */
  const float *log_threshold = cw_tensor_file_find(file, "log_threshold")->data;
  int64_t block = 0;
  for (int64_t l = 0; l < n_layers; l++) {
    const float *rows = cw_transcoder_peek_encoder(transcoder, l)->data;
    for (int64_t f = 0; f < n; f++) {
      g_assert_cmpfloat(rows[f * width + 3], ==, w_enc[(l * width + 3) * n + f]);
      g_assert_cmpfloat_with_epsilon(cw_transcoder_peek_threshold(transcoder, l)[f],
                                     exp(log_threshold[l * n + f]), 1e-7);
    }
    for (int64_t to = l; to < n_layers; to++, block++) {
      g_autofree float *row = decoder_row(transcoder, l, 7, to);
      g_assert_cmpmem(row, (size_t)width * 4, w_dec + (block * n + 7) * width,
                      (size_t)width * 4);
    }
  }
}

/* Written as a folder and read again, everything is equal; as bytes, rows are within half a
 * step of 1/127 of their largest entry and all else is equal. */
static void
writes_every_format(gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(CwTranscoder) transcoder = open_golden(data);
  g_autofree char *folder = test_temp_dir();
  g_autofree char *compact = g_build_filename(folder, "t.safetensors", NULL);
  g_autofree char *expanded = g_build_filename(folder, "expanded", NULL);
  g_assert_true(cw_transcoder_write_folder(transcoder, expanded, &error));
  g_assert_no_error(error);
  g_assert_true(cw_transcoder_write_compact(transcoder, CWK_I8, compact, &error));
  g_assert_no_error(error);
  g_autoptr(CwTranscoder) from_folder = open_path(expanded);
  g_autoptr(CwTranscoder) from_compact = open_path(compact);
  g_assert_cmpfloat(compare_transcoders(transcoder, from_folder), <=, 0x1p-23);
  double worst = compare_transcoders(transcoder, from_compact);
  g_assert_cmpfloat(worst, <=, 0.5 / 127 * 1.001);
  g_assert_cmpfloat(worst, >, 0);

  g_autofree char *again = g_build_filename(folder, "again", NULL);
  g_assert_true(cw_transcoder_write_folder(from_compact, again, &error));
  g_assert_no_error(error);
  g_autoptr(CwTranscoder) from_again = open_path(again);
  g_assert_cmpfloat(compare_transcoders(from_compact, from_again), ==, 0);
  g_assert_false(cw_transcoder_write_folder(from_compact, again, &error));
  g_assert_error(error, CW_ERROR, CW_ERROR_IO);
  test_remove_tree(folder);
}

static void
hashes_contents(void)
{
  g_autoptr(CwTranscoder) one = open_golden("attribution/llama-clt/transcoder");
  g_autoptr(CwTranscoder) same = open_golden("attribution/llama-clt/transcoder");
  g_autoptr(CwTranscoder) other = open_golden("attribution/gpt2-clt/transcoder");
  g_assert_cmpuint(strlen(cw_transcoder_get_hash(one)), ==, 64);
  g_assert_cmpstr(cw_transcoder_get_hash(one), ==, cw_transcoder_get_hash(same));
  g_assert_cmpstr(cw_transcoder_get_hash(one), !=, cw_transcoder_get_hash(other));
}

/* The golden model under another name in its description; NULL: without one. */
static CwModel *
model_named(const char *name)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *golden = test_golden_path("attribution/llama-clt/model");
  g_autofree char *folder = test_temp_dir();
  g_autofree char *weights = g_build_filename(golden, "model.safetensors", NULL);
  g_autofree char *linked = g_build_filename(folder, "model.safetensors", NULL);
  g_autofree char *config = g_build_filename(golden, "config.json", NULL);
  g_autofree char *changed = g_build_filename(folder, "config.json", NULL);
  g_autofree char *text = NULL;
  g_assert_true(g_file_get_contents(config, &text, NULL, &error));
  g_autofree char *own = name != NULL
                             ? g_strdup_printf("{\"_name_or_path\": \"%s\",%s", name, text + 1)
                             : g_strdup(text);
  g_assert_true(g_file_set_contents(changed, own, -1, &error));
  g_assert_cmpint(symlink(weights, linked), ==, 0);
  CwModel *model = cw_model_load(folder, &error);
  g_assert_no_error(error);
  test_remove_tree(folder);
  return model;
}

/* The transcoder says "golden-llama". Without a name in the model's description only that of
 * its folder is known, which says nothing. */
static void
knows_another_model_by_name(void)
{
  static const struct {
    const char *name;
    bool is_another;
  } rows[] = {
    { NULL, false },
    { "golden-llama", false },
    { "acme/Llama-3.2-1B-Instruct", false },
    { "GOLDEN_llama v2", false },
    { "acme/pythia-70m", true },
    { "golden-llama/gpt2", true },
    { "/home/me/checkpoint", false },
    { "7b-it", false },
  };
  g_autoptr(CwTranscoder) transcoder = open_golden("attribution/llama-clt/transcoder");
  g_assert_cmpstr(cw_transcoder_peek_config(transcoder)->model_name, ==, "golden-llama");
  for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(GError) error = NULL;
    g_autoptr(CwModel) model = model_named(rows[i].name);
    g_assert_true(cw_transcoder_check_fits(transcoder, model, &error));
    g_assert_cmpint(cw_transcoder_is_for_another(transcoder, model), ==, rows[i].is_another);
  }
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/core/transcoder/reads-a-cross-layer-folder", reads_a_cross_layer_folder);
  g_test_add_func("/core/transcoder/reads-per-layer-sets", reads_per_layer_sets);
  g_test_add_func("/core/transcoder/folds-a-clt-forge-checkpoint",
                  folds_a_clt_forge_checkpoint);
  g_test_add_data_func("/core/transcoder/writes-a-cross-layer-set",
                       "attribution/gpt2-clt-residmid/transcoder", writes_every_format);
  g_test_add_data_func("/core/transcoder/writes-a-per-layer-set",
                       "attribution/qwen3-plt_skip/transcoder", writes_every_format);
  g_test_add_data_func("/core/transcoder/writes-a-clt-forge-checkpoint",
                       "training/clt-narrow-bandwidth/initial", writes_every_format);
  g_test_add_data_func("/core/transcoder/writes-a-per-layer-checkpoint", "training/plt/initial",
                       writes_every_format);
  g_test_add_func("/core/transcoder/hashes-contents", hashes_contents);
  g_test_add_func("/core/transcoder/knows-another-model-by-name", knows_another_model_by_name);
  return g_test_run();
}
