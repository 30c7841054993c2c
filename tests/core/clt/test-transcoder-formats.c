/* test-transcoder-formats.c - what descriptions and shards mean, and what is refused. */
#include "cw-transcoder.h"
#include "test-support.h"
#include "transcoder-builder.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

static const BuiltTranscoder cross_layer = {
  .n_layers = 3, .n_features = 8, .width = 5, .is_cross_layer = true, .has_threshold = true
};
static const BuiltTranscoder per_layer = {
  .n_layers = 2, .n_features = 6, .width = 4, .has_skip = true
};

static CwTranscoder *
open_good(const char *path)
{
  g_autoptr(GError) error = NULL;
  CwTranscoder *transcoder = cw_transcoder_open(path, &error);
  g_assert_no_error(error);
  return transcoder;
}

static void
expect_refusal(const char *path, int code, const char *expected)
{
  g_autoptr(GError) error = NULL;
  if (cw_transcoder_open(path, &error) != NULL)
    g_error("opened where \"%s\" was expected", expected);
  if (!g_error_matches(error, CW_ERROR, code) || strstr(error->message, expected) == NULL ||
      !g_str_has_prefix(error->message, path))
    g_error("\"%s\" (%d) does not say \"%s\"", error->message, error->code, expected);
}

/* ---- descriptions ---------------------------------------------------------------------- */

#define CROSS  "model_kind: cross_layer_transcoder\n"
#define INPUT  "feature_input_hook: ln2.hook_normalized\n"
#define OUTPUT "feature_output_hook: hook_mlp_out\n"

static void
reads_descriptions(void)
{
  static const struct {
    const char *config;
    CwInputHook input;
    CwOutputHook output;
    CwGate gate;
    int64_t k;
  } cases[] = {
    { CROSS INPUT OUTPUT, CW_INPUT_NORMALISED, CW_OUTPUT_MLP_OUT, CW_GATE_JUMPRELU, 0 },
    { CROSS INPUT OUTPUT "feature_input_hook_is_affine: true\n", CW_INPUT_NORMALISED_AFFINE,
      CW_OUTPUT_MLP_OUT, CW_GATE_JUMPRELU, 0 },
    { CROSS INPUT OUTPUT "feature_input_hook_is_affine: False\n", CW_INPUT_NORMALISED,
      CW_OUTPUT_MLP_OUT, CW_GATE_JUMPRELU, 0 },
    { CROSS "feature_input_hook: 'mlp.hook_in'\nfeature_output_hook: \"mlp.hook_out\"\n",
      CW_INPUT_MLP_IN, CW_OUTPUT_MLP_RAW, CW_GATE_JUMPRELU, 0 },
    { CROSS "feature_input_hook: hook_resid_mid\n" OUTPUT "activation: topk\nk: 4\n",
      CW_INPUT_RESID_MID, CW_OUTPUT_MLP_OUT, CW_GATE_TOPK, 4 },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *folder = test_temp_dir();
    build_circuit_tracer(folder, &cross_layer, cases[i].config);
    g_autoptr(CwTranscoder) transcoder = open_good(folder);
    const CwTranscoderConfig *config = cw_transcoder_peek_config(transcoder);
    g_assert_cmpint(config->input_hook, ==, cases[i].input);
    g_assert_cmpint(config->output_hook, ==, cases[i].output);
    g_assert_cmpint(config->gate, ==, cases[i].gate);
    g_assert_cmpint(config->top_k, ==, cases[i].k);
    g_assert_true((cw_transcoder_peek_threshold(transcoder, 1) != NULL) ==
                  (cases[i].gate == CW_GATE_JUMPRELU));
    g_autofree char *base = g_path_get_basename(folder);
    g_assert_cmpstr(config->scan, ==, base); /* named after its folder */

    /* and through the other forms and back */
    g_autofree char *compact = g_build_filename(folder, "compact.safetensors", NULL);
    g_autofree char *again = g_build_filename(folder, "again", NULL);
    g_autoptr(GError) error = NULL;
    g_assert_true(cw_transcoder_write_compact(transcoder, CWK_I8, compact, &error));
    g_autoptr(CwTranscoder) middle = open_good(compact);
    g_assert_true(cw_transcoder_write_folder(middle, again, &error));
    g_assert_no_error(error);
    g_autoptr(CwTranscoder) last = open_good(again);
    g_assert_cmpint(cw_transcoder_peek_config(last)->input_hook, ==, cases[i].input);
    g_assert_cmpint(cw_transcoder_peek_config(last)->output_hook, ==, cases[i].output);
    g_assert_cmpint(cw_transcoder_peek_config(last)->gate, ==, cases[i].gate);
    g_assert_cmpint(cw_transcoder_peek_config(last)->top_k, ==, cases[i].k);
    test_remove_tree(folder);
  }
}

static void
refuses_descriptions(void)
{
  static const struct {
    const char *config;
    int code;
    const char *expected;
  } cases[] = {
    { INPUT OUTPUT, CW_ERROR_NOT_FOUND, "config.yaml: model_kind is absent; known are" },
    { "model_kind: sae\n" INPUT OUTPUT, CW_ERROR_UNSUPPORTED, "model_kind is sae" },
    { CROSS OUTPUT, CW_ERROR_NOT_FOUND,
      "config.yaml: has no feature_input_hook; known are ln2.hook_normalized, hook_resid_mid, "
      "mlp.hook_in" },
    { CROSS INPUT, CW_ERROR_NOT_FOUND,
      "has no feature_output_hook; known are hook_mlp_out, mlp.hook_out" },
    { CROSS "feature_input_hook: hook_resid_pre\n" OUTPUT, CW_ERROR_UNSUPPORTED,
      "feature_input_hook is the unsupported hook_resid_pre" },
    { CROSS INPUT "feature_output_hook: hook_resid_post\n", CW_ERROR_UNSUPPORTED,
      "feature_output_hook is the unsupported hook_resid_post" },
    { CROSS INPUT OUTPUT "feature_input_hook_is_affine: maybe\n", CW_ERROR_FORMAT,
      "feature_input_hook_is_affine is maybe, neither true nor false" },
    { CROSS "feature_input_hook: mlp.hook_in\n" OUTPUT "feature_input_hook_is_affine: true\n",
      CW_ERROR_FORMAT, "says something of ln2.hook_normalized only" },
    { CROSS INPUT OUTPUT "activation: gelu\n", CW_ERROR_UNSUPPORTED,
      "activation is the unsupported gelu" },
    { CROSS INPUT OUTPUT "activation: topk\n", CW_ERROR_FORMAT, "k is absent" },
    { CROSS INPUT OUTPUT "activation: topk\nk: 0\n", CW_ERROR_FORMAT, "k is 0, no number" },
    { CROSS INPUT OUTPUT "activation: topk\nk: -1\n", CW_ERROR_FORMAT, "k is -1, no number" },
    { CROSS INPUT OUTPUT "activation: topk\nk: 9\n", CW_ERROR_MISMATCH,
      "k is 9, more than the 8 features of a layer" },
    { "model_kind: transcoder_set\n" INPUT OUTPUT, CW_ERROR_NOT_FOUND, "layer_0.safetensors" },
    { CROSS CROSS INPUT OUTPUT, CW_ERROR_FORMAT, "line 2: a key for the second time" },
    { "a: &x 1\nb: *x\n", CW_ERROR_FORMAT, "line 2: aliases are not read" },
    { "- a\n- b\n", CW_ERROR_FORMAT, "a mapping of keys to values was expected" },
    { "", CW_ERROR_NOT_FOUND, "model_kind is absent" },
    { "a: [1, 2\n", CW_ERROR_FORMAT, "config.yaml: line" },
    { CROSS INPUT OUTPUT "---\na: 1\n", CW_ERROR_FORMAT, "a second document" },
    { "? [a]\n: 1\n", CW_ERROR_FORMAT, "a key that is no text" },
    { "a: \"x\\0y\"\n", CW_ERROR_FORMAT, "a NUL in a value" },
    { "a: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n",
      CW_ERROR_FORMAT, "nested too deeply" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *folder = test_temp_dir();
    build_circuit_tracer(folder, &cross_layer, cases[i].config);
    expect_refusal(folder, cases[i].code, cases[i].expected);
    test_remove_tree(folder);
  }
}

/* ---- spoiled tensors ------------------------------------------------------------------- */

typedef enum { LEAVE_OUT, RESHAPE, FLATTEN, AS_INTEGERS, NOT_A_NUMBER, HALF_SIZE } Defect;

typedef struct {
  const char *tensor;
  Defect defect;
  int code;
  const char *expected;
} Spoiled;

static bool
spoil(BuiltTensor *tensor, gpointer data)
{
  const Spoiled *spoiled = data;
  if (strcmp(tensor->name, spoiled->tensor) != 0)
    return true;
  switch (spoiled->defect) {
  case LEAVE_OUT:
    return false;
  case RESHAPE:
    tensor->shape[tensor->n_dims - 1]++;
    break;
  case FLATTEN:
    for (; tensor->n_dims > 1; tensor->n_dims--)
      tensor->shape[tensor->n_dims - 2] *= tensor->shape[tensor->n_dims - 1];
    break;
  case AS_INTEGERS:
    tensor->dtype = "I32";
    break;
  case NOT_A_NUMBER:
    tensor->values[2] = NAN;
    break;
  case HALF_SIZE:
    tensor->shape[0] /= 2;
    break;
  }
  return true;
}

typedef void (*Build)(const char *folder, const BuiltTranscoder *what);

static void
build_folder(const char *folder, const BuiltTranscoder *what)
{
  build_circuit_tracer(folder, what, NULL);
}

static void
build_checkpoint(const char *folder, const BuiltTranscoder *what)
{
  build_clt_forge(folder, what, 0, NULL);
}

static void
build_shards(const char *folder, const BuiltTranscoder *what)
{
  build_clt_forge(folder, what, 2, NULL);
}

static void
expect_spoiled(const Spoiled *cases, size_t n, const BuiltTranscoder *what, Build build)
{
  for (size_t i = 0; i < n; i++) {
    g_autofree char *folder = test_temp_dir();
    BuiltTranscoder spoiled = *what;
    spoiled.spoil = spoil;
    spoiled.data = (gpointer)&cases[i];
    build(folder, &spoiled);
    expect_refusal(folder, cases[i].code, cases[i].expected);
    test_remove_tree(folder);
  }
}

static void
refuses_spoiled_cross_layer_folders(void)
{
  static const Spoiled cases[] = {
    { "W_enc_0", LEAVE_OUT, CW_ERROR_NOT_FOUND, "W_enc_0.safetensors: has no tensor W_enc_0" },
    { "W_enc_1", LEAVE_OUT, CW_ERROR_NOT_FOUND, "W_enc_1.safetensors: has no tensor W_enc_1" },
    { "W_enc_1", RESHAPE, CW_ERROR_MISMATCH, "W_enc_1 has the shape [8, 6], expected [8, 5]" },
    { "W_enc_0", RESHAPE, CW_ERROR_MISMATCH, "b_dec_0 has the shape [5], expected [6]" },
    { "W_enc_0", FLATTEN, CW_ERROR_MISMATCH, "W_enc_0 has the shape [40], expected [*, *]" },
    { "W_enc_2", AS_INTEGERS, CW_ERROR_UNSUPPORTED,
      "W_enc_2 [8, 5] i32: f32, f16 or bf16 is needed here" },
    { "W_dec_1", LEAVE_OUT, CW_ERROR_NOT_FOUND, "W_dec_1.safetensors: has no tensor W_dec_1" },
    { "W_dec_1", RESHAPE, CW_ERROR_MISMATCH,
      "W_dec_1 has the shape [8, 2, 6], expected [8, 2, 5]" },
    { "W_dec_1", FLATTEN, CW_ERROR_MISMATCH, "W_dec_1 has the shape [80], expected [8, 2, 5]" },
    { "W_dec_0", HALF_SIZE, CW_ERROR_MISMATCH,
      "W_dec_0 has the shape [4, 3, 5], expected [8, 3, 5]" },
    { "W_dec_2", AS_INTEGERS, CW_ERROR_UNSUPPORTED, "f32, f16 or bf16 is needed here" },
    { "b_enc_2", LEAVE_OUT, CW_ERROR_NOT_FOUND, "has no tensor b_enc_2" },
    { "b_enc_0", RESHAPE, CW_ERROR_MISMATCH, "b_enc_0 has the shape [9], expected [8]" },
    { "b_enc_1", NOT_A_NUMBER, CW_ERROR_FORMAT, "b_enc_1[2] is no number" },
    { "b_dec_0", LEAVE_OUT, CW_ERROR_NOT_FOUND, "has no tensor b_dec_0" },
    { "b_dec_0", AS_INTEGERS, CW_ERROR_UNSUPPORTED, "f32, f16, bf16 or f64 is needed here" },
    { "threshold_1", LEAVE_OUT, CW_ERROR_FORMAT, "2 of its 3 layers have thresholds" },
    { "threshold_1", HALF_SIZE, CW_ERROR_MISMATCH,
      "threshold_1 has the shape [4], expected [8]" },
    { "threshold_0", NOT_A_NUMBER, CW_ERROR_FORMAT, "threshold_0[2] is no number" },
  };
  expect_spoiled(cases, G_N_ELEMENTS(cases), &cross_layer, build_folder);
}

static void
refuses_spoiled_per_layer_folders(void)
{
  static const Spoiled cases[] = {
    { "W_enc", LEAVE_OUT, CW_ERROR_NOT_FOUND, "layer_0.safetensors: has no tensor W_enc" },
    { "W_dec", RESHAPE, CW_ERROR_MISMATCH, "W_dec has the shape [6, 5], expected [6, 4]" },
    { "b_dec", LEAVE_OUT, CW_ERROR_NOT_FOUND, "has no tensor b_dec" },
    { "W_skip", HALF_SIZE, CW_ERROR_MISMATCH, "W_skip has the shape [2, 4], expected [4, 4]" },
  };
  expect_spoiled(cases, G_N_ELEMENTS(cases), &per_layer, build_folder);
}

static void
refuses_spoiled_checkpoints(void)
{
  static const Spoiled cases[] = {
    { "W_enc", LEAVE_OUT, CW_ERROR_NOT_FOUND, "has no tensor W_enc" },
    { "W_enc", HALF_SIZE, CW_ERROR_MISMATCH,
      "W_enc has the shape [1, 5, 8], expected [3, 5, 8]" },
    { "W_dec", RESHAPE, CW_ERROR_MISMATCH,
      "W_dec has the shape [6, 8, 6], expected [6, 8, 5]" },
    { "W_dec", LEAVE_OUT, CW_ERROR_NOT_FOUND, "has no tensor W_dec" },
    { "b_enc", RESHAPE, CW_ERROR_MISMATCH, "b_enc has the shape [3, 9], expected [3, 8]" },
    { "b_enc", NOT_A_NUMBER, CW_ERROR_FORMAT, "b_enc[0, 2] is no number" },
    { "b_dec", RESHAPE, CW_ERROR_MISMATCH, "b_dec has the shape [6, 6], expected [6, 5]" },
    { "b_dec", LEAVE_OUT, CW_ERROR_NOT_FOUND, "has no tensor b_dec" },
    { "log_threshold", LEAVE_OUT, CW_ERROR_NOT_FOUND, "has no tensor log_threshold" },
    { "estimated_norm_scaling_factor_in", NOT_A_NUMBER, CW_ERROR_FORMAT,
      "estimated_norm_scaling_factor_in[2] is no number" },
    { "estimated_norm_scaling_factor_out", HALF_SIZE, CW_ERROR_MISMATCH,
      "estimated_norm_scaling_factor_out has the shape [1], expected [3]" },
  };
  expect_spoiled(cases, G_N_ELEMENTS(cases), &cross_layer, build_checkpoint);
  static const Spoiled shards[] = {
    { "W_enc", RESHAPE, CW_ERROR_MISMATCH,
      "rank0_clt_weights.safetensors: W_enc has the shape [3, 5, 5], expected [3, 5, 4]" },
  };
  expect_spoiled(shards, G_N_ELEMENTS(shards), &cross_layer, build_shards);
}

static bool
zero_scale(BuiltTensor *tensor, gpointer data)
{
  if (strcmp(tensor->name, "estimated_norm_scaling_factor_out") == 0)
    tensor->values[1] = *(const float *)data;
  return true;
}

static void
refuses_scaling_by_nothing(void)
{
  float bad[] = { 0, -1, INFINITY };
  for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
    g_autofree char *folder = test_temp_dir();
    BuiltTranscoder what = cross_layer;
    what.spoil = zero_scale;
    what.data = &bad[i];
    build_clt_forge(folder, &what, 0, NULL);
    expect_refusal(folder, CW_ERROR_FORMAT, "no scaling factor");
    test_remove_tree(folder);
  }
}

/* ---- files ----------------------------------------------------------------------------- */

static void
remove_file(const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename(folder, name, NULL);
  g_assert_cmpint(g_remove(path), ==, 0);
}

static void
refuses_missing_files(void)
{
  static const struct {
    const char *name;
    Build build;
    const BuiltTranscoder *what;
    int code;
    const char *expected;
  } cases[] = {
    { "W_enc_1.safetensors", build_folder, &cross_layer, CW_ERROR_NOT_FOUND,
      "W_enc_1.safetensors: " },
    { "W_enc_0.safetensors", build_folder, &cross_layer, CW_ERROR_NOT_FOUND,
      "W_enc_0.safetensors: " },
    { "W_dec_2.safetensors", build_folder, &cross_layer, CW_ERROR_NOT_FOUND,
      "W_dec_2.safetensors: " },
    /* The last encoder gone: the decoders still know of three layers. */
    { "W_enc_2.safetensors", build_folder, &cross_layer, CW_ERROR_MISMATCH,
      "W_dec_0 has the shape [8, 3, 5], expected [8, 2, 5]" },
    { "layer_0.safetensors", build_folder, &per_layer, CW_ERROR_NOT_FOUND,
      "layer_0.safetensors: " },
    { "config.yaml", build_folder, &cross_layer, CW_ERROR_NOT_FOUND, "is no transcoder" },
    { "clt_weights.safetensors", build_checkpoint, &cross_layer, CW_ERROR_NOT_FOUND,
      "clt_weights.safetensors: " },
    { "clt_cfg.json", build_checkpoint, &cross_layer, CW_ERROR_NOT_FOUND, "is no transcoder" },
    { "rank0_clt_weights.safetensors", build_shards, &cross_layer, CW_ERROR_NOT_FOUND,
      "has no rank0_clt_weights.safetensors, though ranks up to 1 are there" },
    { "rank1_clt_weights.safetensors", build_shards, &cross_layer, CW_ERROR_MISMATCH,
      "W_enc has the shape [3, 5, 4], expected [3, 5, 8]" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *folder = test_temp_dir();
    cases[i].build(folder, cases[i].what);
    remove_file(folder, cases[i].name);
    expect_refusal(folder, cases[i].code, cases[i].expected);
    test_remove_tree(folder);
  }
}

static void
refuses_what_is_no_transcoder(void)
{
  g_autofree char *folder = test_temp_dir();
  g_autofree char *pickle = g_build_filename(folder, "clt.pt", NULL);
  expect_refusal(folder, CW_ERROR_NOT_FOUND, "has neither config.yaml (circuit-tracer)");
  g_assert_true(g_file_set_contents(pickle, "\x80\x02", 2, NULL));
  expect_refusal(folder, CW_ERROR_UNSUPPORTED, "opening one can run code");
  expect_refusal(pickle, CW_ERROR_UNSUPPORTED, "opening one can run code");
  g_autofree char *absent = g_build_filename(folder, "absent", NULL);
  expect_refusal(absent, CW_ERROR_NOT_FOUND, "there is no such file or folder");
  build_circuit_tracer(folder, &cross_layer, NULL);
  g_autofree char *part = g_build_filename(folder, "W_enc_0.safetensors", NULL);
  expect_refusal(part, CW_ERROR_UNSUPPORTED, "is no compact transcoder");
  test_remove_tree(folder);
}

static void
refuses_checkpoint_descriptions(void)
{
  static const struct {
    const char *config;
    int code;
    const char *expected;
  } cases[] = {
    { "{\"d_latent\":8,\"d_in\":5}", CW_ERROR_NOT_FOUND, "clt_cfg.json: has no n_layers" },
    { "{\"n_layers\":3,\"d_in\":5}", CW_ERROR_NOT_FOUND, "clt_cfg.json: has no d_latent" },
    { "{\"n_layers\":0,\"d_latent\":8,\"d_in\":5}", CW_ERROR_FORMAT, "n_layers is no count" },
    { "{\"n_layers\":3.5,\"d_latent\":8,\"d_in\":5}", CW_ERROR_FORMAT, "n_layers is no count" },
    { "{\"n_layers\":3,\"d_latent\":-8,\"d_in\":5}", CW_ERROR_FORMAT, "d_latent is no count" },
    { "{\"n_layers\":3,\"d_latent\":8,\"d_in\":\"5\"}", CW_ERROR_FORMAT, "d_in is no count" },
    { "{\"n_layers\":3,\"d_latent\":8,\"d_in\":5,\"cross_layer_decoders\":1}", CW_ERROR_FORMAT,
      "cross_layer_decoders is neither true nor false" },
    { "{\"n_layers\":2000,\"d_latent\":8,\"d_in\":5}", CW_ERROR_FORMAT, "make no transcoder" },
    { "{\"n_layers\":3,\"d_latent\":2000000000,\"d_in\":2000000000}", CW_ERROR_MISMATCH,
      "expected [3, 2000000000, 2000000000]" },
    { "{\"n_layers\":4,\"d_latent\":8,\"d_in\":5,\"cross_layer_decoders\":true}",
      CW_ERROR_MISMATCH, "W_enc has the shape [3, 5, 8], expected [4, 5, 8]" },
    { "{\"n_layers\":3,\"d_latent\":8,\"d_in\":5,\"cross_layer_decoders\":false}",
      CW_ERROR_MISMATCH, "W_dec has the shape [6, 8, 5], expected [3, 8, 5]" },
    { "{\"n_layers\":3,", CW_ERROR_FORMAT, "clt_cfg.json: bad JSON" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *folder = test_temp_dir();
    build_clt_forge(folder, &cross_layer, 0, cases[i].config);
    expect_refusal(folder, cases[i].code, cases[i].expected);
    test_remove_tree(folder);
  }
}

/* ---- folding --------------------------------------------------------------------------- */

static float
stored_decoder(const CwTranscoder *transcoder, int64_t from, int64_t f, int64_t to, int64_t d,
               float *scale)
{
  CwkDtype dtype;
  const float *row = cw_transcoder_peek_decoder_row(transcoder, from, f, to, &dtype, scale);
  g_assert_cmpint(dtype, ==, CWK_F32);
  return row[d];
}

/* The formulas, element by element, from the builder's values. */
static void
check_folding(const CwTranscoder *transcoder, const BuiltTranscoder *what)
{
  int64_t n = what->n_features, width = what->width, block = 0;
  g_autofree double *bias = g_new0(double, what->n_layers *width);
  for (int64_t l = 0; l < what->n_layers; l++) {
    const float *encoder = cw_transcoder_peek_encoder(transcoder, l)->data;
    double s_in = 1 + 0.25 * (double)l;
    for (int64_t f = 0; f < n; f++) {
      for (int64_t d = 0; d < width; d++)
        g_assert_cmpfloat_with_epsilon(
            encoder[f * width + d], s_in * built_value("W_enc", (l * width + d) * n + f), 1e-6);
      g_assert_cmpfloat(cw_transcoder_peek_encoder_bias(transcoder, l)[f], ==,
                        built_value("b_enc", l * n + f));
      g_assert_cmpfloat_with_epsilon(cw_transcoder_peek_threshold(transcoder, l)[f],
                                     exp(built_value("log_threshold", l * n + f)), 1e-6);
    }
    int64_t end = what->is_cross_layer ? what->n_layers : l + 1;
    for (int64_t to = l; to < end; to++, block++) {
      double s_out = 2 + 0.5 * (double)to;
      for (int64_t f = 0; f < n; f++)
        for (int64_t d = 0; d < width; d++) {
          float scale;
          g_assert_cmpfloat(stored_decoder(transcoder, l, f, to, d, &scale), ==,
                            built_value("W_dec", (block * n + f) * width + d));
          g_assert_cmpfloat_with_epsilon(scale, 1 / s_out, 1e-7);
        }
      for (int64_t d = 0; d < width; d++)
        bias[to * width + d] += built_value("b_dec", block * width + d) / s_out;
    }
  }
  for (int64_t i = 0; i < what->n_layers * width; i++)
    g_assert_cmpfloat_with_epsilon(
        cw_transcoder_peek_decoder_bias(transcoder, i / width)[i % width], bias[i], 1e-6);
}

static void
folds_checkpoints_whole_and_in_shards(void)
{
  BuiltTranscoder separate = cross_layer;
  separate.is_cross_layer = false;
  const BuiltTranscoder *kinds[] = { &cross_layer, &separate };
  static const int shards[] = { 0, 1, 2, 4 };
  for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
    for (size_t j = 0; j < G_N_ELEMENTS(shards); j++) {
      g_autofree char *folder = test_temp_dir();
      build_clt_forge(folder, kinds[i], shards[j], NULL);
      g_autoptr(CwTranscoder) transcoder = open_good(folder);
      check_folding(transcoder, kinds[i]);
      test_remove_tree(folder);
    }
}

/* ---- compact files --------------------------------------------------------------------- */

/* Every header byte changed: refused, or read without leaving the file. */
static void
survives_changed_compact_files(void)
{
  g_autofree char *folder = test_temp_dir();
  g_autofree char *compact = g_build_filename(folder, "transcoder.safetensors", NULL);
  g_autofree char *source = g_build_filename(folder, "source", NULL);
  g_assert_cmpint(g_mkdir(source, 0700), ==, 0);
  BuiltTranscoder tiny = per_layer;
  tiny.n_layers = 1;
  build_circuit_tracer(source, &tiny, NULL);
  g_autoptr(CwTranscoder) transcoder = open_good(source);
  g_autoptr(GError) error = NULL;
  g_assert_true(cw_transcoder_write_compact(transcoder, CWK_I8, compact, &error));
  remove_file(source, "config.yaml");

  g_autofree char *bytes = NULL;
  gsize n;
  uint64_t n_header;
  g_assert_true(g_file_get_contents(compact, &bytes, &n, NULL));
  memcpy(&n_header, bytes, 8);
  guint n_refused = 0;
  for (gsize i = 0; i < n_header + 8; i++) {
    bytes[i] ^= 1;
    g_assert_true(g_file_set_contents_full(compact, bytes, (gssize)n, G_FILE_SET_CONTENTS_NONE,
                                           0600, NULL));
    bytes[i] ^= 1;
    g_autoptr(GError) problem = NULL;
    CwTranscoder *changed = cw_transcoder_open(compact, &problem);
    g_assert_true((changed == NULL) == (problem != NULL));
    n_refused += changed == NULL;
    cw_transcoder_unref(changed);
  }
  g_assert_cmpuint(n_refused, >, n_header / 2);
  test_remove_tree(folder);
}

static void
opens_a_folder_with_a_compact_file(void)
{
  g_autofree char *folder = test_temp_dir();
  g_autofree char *source = g_build_filename(folder, "source", NULL);
  g_autofree char *compact = g_build_filename(folder, "transcoder.safetensors", NULL);
  g_autoptr(GError) error = NULL;
  g_assert_cmpint(g_mkdir(source, 0700), ==, 0);
  build_circuit_tracer(source, &per_layer, NULL);
  g_autoptr(CwTranscoder) transcoder = open_good(source);
  g_assert_true(cw_transcoder_write_compact(transcoder, CWK_I8, compact, &error));
  g_autoptr(CwTranscoder) from_folder = open_good(folder);
  g_autoptr(CwTranscoder) from_file = open_good(compact);
  g_assert_cmpstr(cw_transcoder_peek_config(from_folder)->format, ==, "clew-compact");
  g_assert_cmpstr(cw_transcoder_get_hash(from_folder), ==, cw_transcoder_get_hash(from_file));
  test_remove_tree(folder);
}

/* Blanks two rows of three. */
static bool
blank_rows(BuiltTensor *tensor, gpointer data)
{
  if (strstr(tensor->name, "W_dec") == NULL)
    return true;
  int64_t n_rows = tensor->shape[0] * tensor->shape[1], width = tensor->shape[2];
  for (int64_t i = 0; i < n_rows; i++)
    for (int64_t d = 0; i % 3 != 1 && d < width; d++)
      tensor->values[i * width + d] = 0;
  return true;
}

/* Rows that are 0 take no room, and are 0 again when they are asked for or written out. */
static void
leaves_out_blank_rows(void)
{
  g_autofree char *folder = test_temp_dir();
  g_autofree char *source = g_build_filename(folder, "source", NULL);
  g_autofree char *compact = g_build_filename(folder, "compact.safetensors", NULL);
  g_autofree char *again = g_build_filename(folder, "again", NULL);
  g_autoptr(GError) error = NULL;
  BuiltTranscoder blanked = cross_layer;
  blanked.spoil = blank_rows;
  g_assert_cmpint(g_mkdir(source, 0700), ==, 0);
  build_circuit_tracer(source, &blanked, NULL);
  g_autoptr(CwTranscoder) transcoder = open_good(source);
  g_assert_true(cw_transcoder_write_compact(transcoder, CWK_I8, compact, &error));
  g_assert_no_error(error);
  g_autoptr(CwTensorFile) file = cw_tensor_file_open(compact, &error);
  g_assert_no_error(error);
  g_assert_cmpint(cw_tensor_file_find(file, "W_dec_1")->shape[0], ==, 5); /* of 8 x 2 */
  g_autoptr(CwTranscoder) sparse = open_good(compact);
  g_assert_true(cw_transcoder_write_folder(sparse, again, &error));
  g_assert_no_error(error);
  g_autoptr(CwTranscoder) expanded = open_good(again);
  for (int64_t l = 0; l < cross_layer.n_layers; l++)
    for (int64_t f = 0; f < cross_layer.n_features; f++)
      for (int64_t to = l; to < cross_layer.n_layers; to++) {
        bool is_blank = (f * (cross_layer.n_layers - l) + to - l) % 3 != 1;
        CwkDtype dtype;
        float scale, step, one;
        const int8_t *bytes = cw_transcoder_peek_decoder_row(sparse, l, f, to, &dtype, &step);
        g_assert_cmpint(dtype, ==, CWK_I8);
        for (int64_t d = 0; d < cross_layer.width; d++) {
          float value = stored_decoder(transcoder, l, f, to, d, &scale);
          g_assert_true(is_blank == (bytes[d] == 0 && step == 0));
          g_assert_cmpfloat_with_epsilon((double)value, (double)bytes[d] * (double)step,
                                         0.5 / 127 * 1.001);
          g_assert_cmpfloat(stored_decoder(expanded, l, f, to, d, &one), ==,
                            (float)bytes[d] * step);
        }
      }
  test_remove_tree(folder);
}

/* One decoder row as f32, to be freed. */
static float *
dup_row(const CwTranscoder *transcoder, int64_t from, int64_t f, int64_t to)
{
  int64_t width = cw_transcoder_peek_config(transcoder)->width;
  float *row = g_new(float, width), scale;
  CwkRows rows = { .n_rows = 1, .n_cols = width, .scales = &scale };
  rows.data = cw_transcoder_peek_decoder_row(transcoder, from, f, to, &rows.dtype, &scale);
  rows.row_bytes = cwk_dtype_row_bytes(rows.dtype, width);
  CwkDevice *device = cwk_cpu_new(1);
  const CwkDequantiseArgs args = { rows, row };
  g_assert_cmpint(cwk_dequantise(device, &args), ==, CWK_OK);
  cwk_device_free(device);
  return row;
}

/* Blocks of 32 uniform numbers: steps of 1/8 and 1/16 of the largest leave 1/12 of a step's
 * square, 0.4 % and 0.1 % of the energy, and the end whose last half step has no code a quarter
 * more. */
static void
writes_blocks(void)
{
  static const struct {
    CwkDtype dtype;
    double most;
  } kinds[] = { { CWK_Q4_0, 0.005 }, { CWK_Q5_0, 0.00125 } };
  g_autofree char *folder = test_temp_dir();
  g_autoptr(GError) error = NULL;
  BuiltTranscoder blanked = cross_layer;
  blanked.width = 64;
  blanked.spoil = blank_rows;
  build_circuit_tracer(folder, &blanked, NULL);
  g_autoptr(CwTranscoder) transcoder = open_good(folder);
  for (size_t k = 0; k < G_N_ELEMENTS(kinds); k++) {
    g_autofree char *path = g_build_filename(folder, "blocks.safetensors", NULL);
    g_assert_true(cw_transcoder_write_compact(transcoder, kinds[k].dtype, path, &error));
    g_assert_no_error(error);
    g_autoptr(CwTranscoder) blocks = open_good(path);
    double energy = 0, errors = 0;
    for (int64_t l = 0; l < blanked.n_layers; l++)
      for (int64_t f = 0; f < blanked.n_features; f++)
        for (int64_t to = l; to < blanked.n_layers; to++) {
          g_autofree float *row = dup_row(transcoder, l, f, to);
          g_autofree float *read = dup_row(blocks, l, f, to);
          for (int64_t d = 0; d < blanked.width; d++) {
            energy += (double)row[d] * (double)row[d];
            errors += (double)(row[d] - read[d]) * (double)(row[d] - read[d]);
          }
        }
    g_assert_cmpfloat(errors, >, 0);
    g_assert_cmpfloat(errors, <, kinds[k].most * energy);
  }
  test_remove_tree(folder);
}

static void
refuses_blocks_of_odd_width(void)
{
  g_autofree char *folder = test_temp_dir();
  g_autofree char *path = g_build_filename(folder, "blocks.safetensors", NULL);
  g_autoptr(GError) error = NULL;
  build_circuit_tracer(folder, &cross_layer, NULL);
  g_autoptr(CwTranscoder) transcoder = open_good(folder);
  g_assert_false(cw_transcoder_write_compact(transcoder, CWK_Q4_0, path, &error));
  g_assert_error(error, CW_ERROR, CW_ERROR_UNSUPPORTED);
  g_assert_nonnull(strstr(error->message, "multiples of 32"));
  test_remove_tree(folder);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/core/transcoder-formats/reads-descriptions", reads_descriptions);
  g_test_add_func("/core/transcoder-formats/refuses-descriptions", refuses_descriptions);
  g_test_add_func("/core/transcoder-formats/refuses-spoiled-cross-layer-folders",
                  refuses_spoiled_cross_layer_folders);
  g_test_add_func("/core/transcoder-formats/refuses-spoiled-per-layer-folders",
                  refuses_spoiled_per_layer_folders);
  g_test_add_func("/core/transcoder-formats/refuses-spoiled-checkpoints",
                  refuses_spoiled_checkpoints);
  g_test_add_func("/core/transcoder-formats/refuses-scaling-by-nothing",
                  refuses_scaling_by_nothing);
  g_test_add_func("/core/transcoder-formats/refuses-missing-files", refuses_missing_files);
  g_test_add_func("/core/transcoder-formats/refuses-what-is-no-transcoder",
                  refuses_what_is_no_transcoder);
  g_test_add_func("/core/transcoder-formats/refuses-checkpoint-descriptions",
                  refuses_checkpoint_descriptions);
  g_test_add_func("/core/transcoder-formats/folds-checkpoints-whole-and-in-shards",
                  folds_checkpoints_whole_and_in_shards);
  g_test_add_func("/core/transcoder-formats/survives-changed-compact-files",
                  survives_changed_compact_files);
  g_test_add_func("/core/transcoder-formats/leaves-out-blank-rows", leaves_out_blank_rows);
  g_test_add_func("/core/transcoder-formats/writes-blocks", writes_blocks);
  g_test_add_func("/core/transcoder-formats/refuses-blocks-of-odd-width",
                  refuses_blocks_of_odd_width);
  g_test_add_func("/core/transcoder-formats/opens-a-folder-with-a-compact-file",
                  opens_a_folder_with_a_compact_file);
  return g_test_run();
}
