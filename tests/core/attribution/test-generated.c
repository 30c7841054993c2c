/* test-generated.c - six graphs that need no data: weights come from a generator that any
 * language can repeat, expected numbers from a closed form in double on the same f32 weights.
 *
 * Three layers, width 16, 4 heads of 4, MLP 32, 24 tokens, 64 features; prompt 0 3 4 3 2 5 3 8.
 * They cover what the trained-looking goldens do not: learned positions beside hook_resid_mid,
 * TopK with a skip, MLP-in and raw MLP-out hooks, sliding windows shorter than the prompt. */
#include "cw-attribution.h"
#include "test-support.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

enum { L = 3, D = 16, H = 4, K = 4, MLP = 32, V = 24, F = 64, T = 8, N_POSITIONS = 64 };

typedef enum { GPT2, LLAMA, GEMMA2 } Family;

typedef struct {
  const char *name;
  Family family;
  bool is_cross, is_jump;
  int top_k;
  const char *input_hook, *output_hook;
  int n_active[L], n_nodes;
  double sum_activation, sum_edges, sum_abs, sum_square, largest;
  double last_feature_row, top_logit_row, token7, error27, feature0, last_to_first;
  double replacement, completeness, sum_influence;
  int most_influential;
  double largest_influence;
  int nodes_8, edges_98, nodes_5, edges_9;
  int64_t top_tokens[10];
  int64_t selected[20];
  double least_threshold; /* 0 save where nothing shall be active */
} Generated;

static const Generated cases[] = {
  { "g1",
    GPT2,
    true,
    true,
    0,
    "hook_resid_mid",
    "hook_mlp_out",
    { 179, 198, 176 },
    595,
    532.133265,
    240.108339,
    3016.345583,
    1093.047378,
    3.717866,
    .561609,
    1.028749,
    .217111,
    3.061427,
    .001887,
    -.006270,
    .664564,
    .894229,
    1.521810,
    165,
    .027397,
    77,
    1540,
    27,
    113,
    { 4, 6, 13, 11, 18, 22, 14, 12, 21, 17 },
    { 158, 160, 164, 165, 166, 175, 177, 348, 350, 354,
      356, 358, 360, 365, 367, 371, 374, 541, 544, 551 } },
  { "g2",
    GPT2,
    true,
    true,
    0,
    "ln2.hook_normalized",
    "hook_mlp_out",
    { 226, 180, 156 },
    604,
    480.820589,
    182.699316,
    2638.383535,
    762.730349,
    3.425177,
    .472729,
    1.028749,
    .217111,
    3.425177,
    -.005309,
    .003763,
    .745807,
    .917363,
    1.455019,
    204,
    .032086,
    76,
    1380,
    24,
    67,
    { 4, 6, 13, 11, 18, 22, 14, 12, 21, 17 },
    { 192, 193, 194, 195, 199, 201, 203, 204, 205, 213,
      218, 223, 378, 380, 389, 396, 400, 403, 550, 560 } },
  { "g3",
    LLAMA,
    false,
    false,
    6,
    "mlp.hook_in",
    "mlp.hook_out",
    { 42, 42, 42 },
    168,
    191.473558,
    190.322068,
    1154.298851,
    898.024712,
    4.045222,
    .795745,
    .452564,
    .710248,
    .359882,
    -.232209,
    .043385,
    .625725,
    .855003,
    1.147882,
    41,
    .031175,
    46,
    462,
    22,
    83,
    { 6, 4, 22, 5, 1, 2, 3, 11, 17, 18 },
    { 5, 8, 17, 18, 20, 29, 36, 37, 38, 39, 40, 41, 78, 79, 80, 81, 82, 83, 121, 124 } },
  { "g4",
    LLAMA,
    true,
    false,
    0,
    "mlp.hook_in",
    "hook_mlp_out",
    { 212, 248, 176 },
    678,
    426.727840,
    441.437041,
    5490.793365,
    2067.968809,
    3.992418,
    .410862,
    1.839460,
    .462233,
    -2.440497,
    .078516,
    .017821,
    .758611,
    .921100,
    1.494983,
    200,
    .019064,
    110,
    2532,
    27,
    122,
    { 6, 4, 22, 5, 1, 2, 3, 11, 17, 18 },
    { 183, 186, 189, 190, 192, 195, 196, 197, 200, 201,
      205, 208, 434, 435, 439, 447, 450, 456, 457, 618 } },
  { "g5",
    GEMMA2,
    true,
    true,
    0,
    "hook_resid_mid",
    "hook_mlp_out",
    { 156, 226, 170 },
    594,
    780.961090,
    795.195180,
    5546.378217,
    3075.102789,
    4.541933,
    2.019645,
    1.086711,
    -.130799,
    -.287341,
    -.027973,
    .047037,
    .713060,
    .906059,
    1.355736,
    141,
    .016530,
    85,
    1860,
    27,
    138,
    { 8, 22, 3, 5, 23, 4, 0, 6, 17, 18 },
    { 135, 141, 145, 351, 359, 362, 370, 375, 376, 378,
      379, 530, 532, 534, 538, 539, 541, 549, 550, 551 } },
  { "g6",
    GEMMA2,
    false,
    true,
    0,
    "ln2.hook_normalized",
    "hook_mlp_out",
    { 162, 174, 150 },
    528,
    413.307508,
    387.158929,
    2119.910062,
    732.781716,
    2.566798,
    .555565,
    1.038094,
    -.130799,
    -.009247,
    -.003905,
    -.001813,
    .688677,
    .885516,
    1.134589,
    149,
    .012065,
    85,
    1524,
    21,
    64,
    { 8, 22, 3, 5, 23, 4, 0, 6, 17, 18 },
    { 104, 140, 142, 144, 145, 149, 152, 153, 154, 157,
      161, 316, 317, 320, 322, 323, 470, 472, 474, 480 } },
};

/* ---- the generator --------------------------------------------------------------------------
 */

static uint64_t
fnv1a(const char *name)
{
  uint64_t hash = 0xcbf29ce484222325u;
  for (; *name != 0; name++)
    hash = (hash ^ (uint8_t)*name) * 0x100000001b3u;
  return hash;
}

/* Element i of the tensor called name: splitmix64 of seed and index, to [low, high). */
static float
element(const char *name, uint64_t i, double low, double high)
{
  uint64_t z = fnv1a(name) + (i + 1) * 0x9E3779B97F4A7C15u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  z ^= z >> 31;
  return (float)(low + (high - low) * ((double)(z >> 40) / 16777216.0));
}

typedef struct {
  GArray *tensors; /* CwTensorOut */
  GPtrArray *owned;
} TensorList;

static TensorList
tensor_list_new(void)
{
  return (TensorList){ g_array_new(FALSE, FALSE, sizeof(CwTensorOut)),
                       g_ptr_array_new_with_free_func(g_free) };
}

static float *
add_tensor(TensorList *list, const char *name, int n_dims, int64_t a, int64_t b, int64_t c)
{
  CwTensorOut out = { g_strdup(name), "F32", n_dims, { a, b, c, 0 }, NULL };
  float *data = g_new(float, a *MAX(b, 1) * MAX(c, 1));
  out.data = data;
  g_ptr_array_add(list->owned, (gpointer)out.name);
  g_ptr_array_add(list->owned, data);
  g_array_append_val(list->tensors, out);
  return data;
}

static void
write_list(TensorList *list, const char *folder, const char *file)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *path = g_build_filename(folder, file, NULL);
  cw_safetensors_write(path, (const CwTensorOut *)(void *)list->tensors->data,
                       list->tensors->len, NULL, &error);
  g_assert_no_error(error);
  g_array_unref(list->tensors);
  g_ptr_array_unref(list->owned);
}

/* out[a, b] (row-major) = generated [b, a] or [a, b]. */
static void
fill_matrix(float *out, const char *name, int64_t n_rows, int64_t n_cols, bool is_transposed,
            double factor)
{
  for (int64_t i = 0; i < n_rows; i++)
    for (int64_t j = 0; j < n_cols; j++) {
      int64_t at = is_transposed ? j * n_rows + i : i * n_cols + j;
      out[i * n_cols + j] = (float)((double)element(name, (uint64_t)at, -.35, .35) * factor);
    }
}

static void
add_matrix(TensorList *list, const char *hf_name, const char *name, int64_t n_rows,
           int64_t n_cols, bool is_transposed, double factor)
{
  fill_matrix(add_tensor(list, hf_name, 2, n_rows, n_cols, 0), name, n_rows, n_cols,
              is_transposed, factor);
}

static void
add_vector(TensorList *list, const char *hf_name, const char *name, int64_t n, double low,
           double high, double shift)
{
  float *data = add_tensor(list, hf_name, 1, n, 0, 0);
  for (int64_t i = 0; i < n; i++)
    data[i] = element(name, (uint64_t)i, low, high) + (float)shift;
}

/* ---- models
 * ------------------------------------------------------------------------------------ */

/* The generator's [heads, D, K] as PyTorch's [heads K, D]. */
static void
add_heads(TensorList *list, const char *hf_name, const char *name, int n_heads)
{
  float *data = add_tensor(list, hf_name, 2, n_heads * K, D, 0);
  for (int h = 0; h < n_heads; h++)
    for (int d = 0; d < D; d++)
      for (int k = 0; k < K; k++)
        data[(h * K + k) * D + d] = element(name, (uint64_t)((h * D + d) * K + k), -.35, .35);
}

#define NAME(format, l)    (g_snprintf(name, sizeof name, format, l), name)
#define HF_NAME(format, l) (g_snprintf(hf_name, sizeof hf_name, format, l), hf_name)

static void
add_gpt2_layer(TensorList *list, int l)
{
  char name[64], hf_name[96];
  add_vector(list, HF_NAME("transformer.h.%d.ln_1.weight", l), NAME("blocks.%d.ln1.w", l), D,
             .5, 1.5, 0);
  add_vector(list, HF_NAME("transformer.h.%d.ln_1.bias", l), NAME("blocks.%d.ln1.b", l), D,
             -.35, .35, 0);
  add_vector(list, HF_NAME("transformer.h.%d.ln_2.weight", l), NAME("blocks.%d.ln2.w", l), D,
             .5, 1.5, 0);
  add_vector(list, HF_NAME("transformer.h.%d.ln_2.bias", l), NAME("blocks.%d.ln2.b", l), D,
             -.35, .35, 0);
  float *qkv =
      add_tensor(list, HF_NAME("transformer.h.%d.attn.c_attn.weight", l), 2, D, 3 * D, 0);
  float *bias =
      add_tensor(list, HF_NAME("transformer.h.%d.attn.c_attn.bias", l), 1, 3 * D, 0, 0);
  static const char letters[] = "QKV";
  for (int part = 0; part < 3; part++)
    for (int h = 0; h < H; h++)
      for (int k = 0; k < K; k++) {
        int column = part * D + h * K + k;
        g_snprintf(name, sizeof name, "blocks.%d.attn.W_%c", l, letters[part]);
        for (int d = 0; d < D; d++)
          qkv[d * 3 * D + column] = element(name, (uint64_t)((h * D + d) * K + k), -.35, .35);
        g_snprintf(name, sizeof name, "blocks.%d.attn.b_%c", l, letters[part]);
        bias[column] = element(name, (uint64_t)(h * K + k), -.35, .35);
      }
  add_matrix(list, HF_NAME("transformer.h.%d.attn.c_proj.weight", l),
             NAME("blocks.%d.attn.W_O", l), D, D, false, 1);
  add_vector(list, HF_NAME("transformer.h.%d.attn.c_proj.bias", l),
             NAME("blocks.%d.attn.b_O", l), D, -.35, .35, 0);
  add_matrix(list, HF_NAME("transformer.h.%d.mlp.c_fc.weight", l),
             NAME("blocks.%d.mlp.W_in", l), D, MLP, false, 1);
  add_vector(list, HF_NAME("transformer.h.%d.mlp.c_fc.bias", l), NAME("blocks.%d.mlp.b_in", l),
             MLP, -.35, .35, 0);
  add_matrix(list, HF_NAME("transformer.h.%d.mlp.c_proj.weight", l),
             NAME("blocks.%d.mlp.W_out", l), MLP, D, false, 1);
  add_vector(list, HF_NAME("transformer.h.%d.mlp.c_proj.bias", l),
             NAME("blocks.%d.mlp.b_out", l), D, -.35, .35, 0);
}

/* Llama, or Gemma 2 whose files keep norm weights less 1. */
static void
add_gated_layer(TensorList *list, int l, bool is_gemma)
{
  char name[64], hf_name[96];
  double shift = is_gemma ? -1 : 0;
  add_vector(list, HF_NAME("model.layers.%d.input_layernorm.weight", l),
             NAME("blocks.%d.ln1.w", l), D, .5, 1.5, shift);
  add_vector(list,
             is_gemma ? HF_NAME("model.layers.%d.pre_feedforward_layernorm.weight", l)
                      : HF_NAME("model.layers.%d.post_attention_layernorm.weight", l),
             NAME("blocks.%d.ln2.w", l), D, .5, 1.5, shift);
  if (is_gemma) {
    add_vector(list, HF_NAME("model.layers.%d.post_attention_layernorm.weight", l),
               NAME("blocks.%d.ln1_post.w", l), D, .5, 1.5, shift);
    add_vector(list, HF_NAME("model.layers.%d.post_feedforward_layernorm.weight", l),
               NAME("blocks.%d.ln2_post.w", l), D, .5, 1.5, shift);
  }
  add_heads(list, HF_NAME("model.layers.%d.self_attn.q_proj.weight", l),
            NAME("blocks.%d.attn.W_Q", l), H);
  add_heads(list, HF_NAME("model.layers.%d.self_attn.k_proj.weight", l),
            NAME("blocks.%d.attn.W_K", l), 2);
  add_heads(list, HF_NAME("model.layers.%d.self_attn.v_proj.weight", l),
            NAME("blocks.%d.attn.W_V", l), 2);
  add_matrix(list, HF_NAME("model.layers.%d.self_attn.o_proj.weight", l),
             NAME("blocks.%d.attn.W_O", l), D, D, true, 1);
  add_matrix(list, HF_NAME("model.layers.%d.mlp.gate_proj.weight", l),
             NAME("blocks.%d.mlp.W_gate", l), MLP, D, true, 1);
  add_matrix(list, HF_NAME("model.layers.%d.mlp.up_proj.weight", l),
             NAME("blocks.%d.mlp.W_in", l), MLP, D, true, 1);
  add_matrix(list, HF_NAME("model.layers.%d.mlp.down_proj.weight", l),
             NAME("blocks.%d.mlp.W_out", l), D, MLP, true, 1);
}

static const char *const configs[] = {
  "{\"model_type\": \"gpt2\", \"architectures\": [\"GPT2LMHeadModel\"], \"n_layer\": 3, "
  "\"n_embd\": 16, \"n_head\": 4, \"n_inner\": 32, \"n_positions\": 64, \"vocab_size\": 24, "
  "\"activation_function\": \"gelu_new\", \"layer_norm_epsilon\": 1e-05, "
  "\"tie_word_embeddings\": false}",
  "{\"model_type\": \"llama\", \"architectures\": [\"LlamaForCausalLM\"], "
  "\"num_hidden_layers\": 3, \"hidden_size\": 16, \"num_attention_heads\": 4, "
  "\"num_key_value_heads\": 2, \"head_dim\": 4, \"intermediate_size\": 32, "
  "\"max_position_embeddings\": 64, \"vocab_size\": 24, \"hidden_act\": \"silu\", "
  "\"rms_norm_eps\": 1e-05, \"rope_theta\": 500000.0, \"tie_word_embeddings\": false}",
  "{\"model_type\": \"gemma2\", \"architectures\": [\"Gemma2ForCausalLM\"], "
  "\"num_hidden_layers\": 3, \"hidden_size\": 16, \"num_attention_heads\": 4, "
  "\"num_key_value_heads\": 2, \"head_dim\": 4, \"intermediate_size\": 32, "
  "\"max_position_embeddings\": 64, \"vocab_size\": 24, "
  "\"hidden_activation\": \"gelu_pytorch_tanh\", \"rms_norm_eps\": 1e-06, "
  "\"rope_theta\": 10000.0, \"query_pre_attn_scalar\": 8, \"attn_logit_softcapping\": 50.0, "
  "\"final_logit_softcapping\": 30.0, \"sliding_window\": 4, \"layer_types\": "
  "[\"full_attention\", \"sliding_attention\", \"full_attention\"], "
  "\"tie_word_embeddings\": false}",
};

static char *
write_model(Family family, const char *folder)
{
  char *model = g_build_filename(folder, "model", NULL);
  g_assert_cmpint(g_mkdir(model, 0700), ==, 0);
  g_autofree char *config = g_build_filename(model, "config.json", NULL);
  g_assert_true(g_file_set_contents(config, configs[family], -1, NULL));
  TensorList list = tensor_list_new();
  bool is_gpt2 = family == GPT2;
  /* Gemma multiplies embeddings by sqrt(16), which is exact to undo. */
  add_matrix(&list, is_gpt2 ? "transformer.wte.weight" : "model.embed_tokens.weight",
             "embed.W_E", V, D, false, family == GEMMA2 ? .25 : 1);
  add_matrix(&list, "lm_head.weight", "unembed.W_U", V, D, true, 1);
  add_vector(&list, is_gpt2 ? "transformer.ln_f.weight" : "model.norm.weight", "ln_final.w", D,
             .5, 1.5, family == GEMMA2 ? -1 : 0);
  if (is_gpt2) {
    add_matrix(&list, "transformer.wpe.weight", "pos_embed.W_pos", N_POSITIONS, D, false, 1);
    add_vector(&list, "transformer.ln_f.bias", "ln_final.b", D, -.35, .35, 0);
  }
  for (int l = 0; l < L; l++)
    is_gpt2 ? add_gpt2_layer(&list, l) : add_gated_layer(&list, l, family == GEMMA2);
  write_list(&list, model, "model.safetensors");
  return model;
}

/* ---- transcoders
 * --------------------------------------------------------------------------------- */

static void
fill_part(float *out, const char *name, int64_t first, int64_t n, double low, double high)
{
  for (int64_t i = 0; i < n; i++)
    out[i] = element(name, (uint64_t)(first + i), low, high);
}

static void
write_cross_layer(const Generated *one, const char *folder, int l)
{
  char name[64], hf_name[96], file[64];
  TensorList encoder = tensor_list_new(), decoder = tensor_list_new();
  fill_part(add_tensor(&encoder, HF_NAME("W_enc_%d", l), 2, F, D, 0), "clt.W_enc", l * F * D,
            F * D, -.35, .35);
  fill_part(add_tensor(&encoder, HF_NAME("b_enc_%d", l), 1, F, 0, 0), "clt.b_enc", l * F, F,
            -.35, .35);
  fill_part(add_tensor(&encoder, HF_NAME("b_dec_%d", l), 1, D, 0, 0), "clt.b_dec", l * D, D,
            -.35, .35);
  if (one->is_jump)
    fill_part(add_tensor(&encoder, HF_NAME("threshold_%d", l), 1, F, 0, 0), "clt.threshold",
              l * F, F, one->least_threshold, one->least_threshold + .5);
  fill_part(add_tensor(&decoder, HF_NAME("W_dec_%d", l), 3, F, L - l, D),
            NAME("clt.W_dec.%d", l), 0, F * (L - l) * D, -.35, .35);
  g_snprintf(file, sizeof file, "W_enc_%d.safetensors", l);
  write_list(&encoder, folder, file);
  g_snprintf(file, sizeof file, "W_dec_%d.safetensors", l);
  write_list(&decoder, folder, file);
}

static void
write_per_layer(const Generated *one, const char *folder, int l)
{
  char name[64], file[64];
  TensorList list = tensor_list_new();
  fill_part(add_tensor(&list, "W_enc", 2, F, D, 0), NAME("plt.%d.W_enc", l), 0, F * D, -.35,
            .35);
  fill_part(add_tensor(&list, "b_enc", 1, F, 0, 0), NAME("plt.%d.b_enc", l), 0, F, -.35, .35);
  fill_part(add_tensor(&list, "W_dec", 2, F, D, 0), NAME("plt.%d.W_dec", l), 0, F * D, -.35,
            .35);
  fill_part(add_tensor(&list, "b_dec", 1, D, 0, 0), NAME("plt.%d.b_dec", l), 0, D, -.35, .35);
  if (one->is_jump)
    fill_part(add_tensor(&list, "activation_function.threshold", 1, F, 0, 0),
              NAME("plt.%d.threshold", l), 0, F, one->least_threshold,
              one->least_threshold + .5);
  if (one->top_k > 0)
    fill_part(add_tensor(&list, "W_skip", 2, D, D, 0), NAME("plt.%d.W_skip", l), 0, D * D, -.35,
              .35);
  g_snprintf(file, sizeof file, "layer_%d.safetensors", l);
  write_list(&list, folder, file);
}

static char *
write_transcoder(const Generated *one, const char *folder)
{
  char *path = g_build_filename(folder, "transcoder", NULL);
  g_assert_cmpint(g_mkdir(path, 0700), ==, 0);
  for (int l = 0; l < L; l++)
    one->is_cross ? write_cross_layer(one, path, l) : write_per_layer(one, path, l);
  g_autofree char *top_k =
      one->top_k > 0 ? g_strdup_printf("activation: topk\nk: %d\n", one->top_k) : g_strdup("");
  g_autofree char *text = g_strdup_printf(
      "model_name: generated\nmodel_kind: %s\nfeature_input_hook: %s\nfeature_output_hook: %s\n"
      "scan: generated\n%s",
      one->is_cross ? "cross_layer_transcoder" : "transcoder_set", one->input_hook,
      one->output_hook, top_k);
  g_autofree char *config = g_build_filename(path, "config.yaml", NULL);
  g_assert_true(g_file_set_contents(config, text, -1, NULL));
  return path;
}

/* ---- checks
 * --------------------------------------------------------------------------------------- */

static float
edge(const CwGraph *graph, size_t target, size_t source)
{
  const int64_t *start = cw_graph_peek_row_start(graph);
  for (int64_t e = start[target]; e < start[target + 1]; e++)
    if (cw_graph_peek_source(graph)[e] == source)
      return cw_graph_peek_weight(graph)[e];
  return 0;
}

static double
row_sum(const CwGraph *graph, size_t target)
{
  const int64_t *start = cw_graph_peek_row_start(graph);
  double sum = 0;
  for (int64_t e = start[target]; e < start[target + 1]; e++)
    sum += (double)cw_graph_peek_weight(graph)[e];
  return sum;
}

/* Printed to six places; f32 sums of up to 60,000 edges. */
static void
assert_near(double got, double want, double limit)
{
  if (!(fabs(got - want) <= limit))
    g_test_message("got %.7f, want %.7f", got, want);
  g_assert_cmpfloat(fabs(got - want), <=, limit);
}

static void
check_edges(const Generated *one, const CwGraph *graph, int64_t n_active)
{
  size_t N = cw_graph_get_n_nodes(graph), n_edges = cw_graph_get_n_edges(graph);
  size_t top = N - 10, last = (size_t)n_active - 1;
  double sum = 0, sum_abs = 0, square = 0, largest = 0;
  for (size_t e = 0; e < n_edges; e++) {
    double w = (double)cw_graph_peek_weight(graph)[e];
    sum += w;
    sum_abs += fabs(w);
    square += w * w;
    largest = MAX(largest, fabs(w));
  }
  g_assert_cmpuint(N, ==, (size_t)one->n_nodes);
  assert_near(sum, one->sum_edges, 2e-3);
  assert_near(sum_abs, one->sum_abs, 1e-2);
  assert_near(square, one->sum_square, 1e-2);
  assert_near(largest, one->largest, 1e-5);
  assert_near(row_sum(graph, last), one->last_feature_row, 2e-5);
  assert_near(row_sum(graph, top), one->top_logit_row, 2e-5);
  assert_near((double)edge(graph, top, (size_t)n_active + L * T + 7), one->token7, 1e-5);
  assert_near((double)edge(graph, top, (size_t)n_active + 2 * T + 7), one->error27, 1e-5);
  assert_near((double)edge(graph, top, 0), one->feature0, 1e-5);
  assert_near((double)edge(graph, last, 0), one->last_to_first, 1e-5);
}

static void
check_prune(const Generated *one, CwGraph *graph)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(CwPruner) pruner = cw_pruner_new(graph, NULL, &error);
  g_assert_no_error(error);
  CwPruneOptions options = { .8, .98, NULL };
  g_autoptr(CwPruned) pruned = cw_pruner_run(pruner, &options, NULL, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(pruned->n_kept_nodes, ==, (size_t)one->nodes_8);
  g_assert_cmpuint(pruned->n_kept_edges, ==, (size_t)one->edges_98);
  double sum = 0;
  for (size_t i = 0; i < pruned->n_nodes; i++)
    sum += (double)pruned->influence[i];
  assert_near(sum, one->sum_influence, 1e-5);
  assert_near((double)pruned->influence[one->most_influential], one->largest_influence, 2e-6);
  options = (CwPruneOptions){ .5, .9, NULL };
  g_autoptr(CwPruned) smaller = cw_pruner_run(pruner, &options, NULL, &error);
  g_assert_cmpuint(smaller->n_kept_nodes, ==, (size_t)one->nodes_5);
  g_assert_cmpuint(smaller->n_kept_edges, ==, (size_t)one->edges_9);
  CwScores scores;
  cw_scores_compute(graph, NULL, &scores);
  assert_near(scores.replacement, one->replacement, 2e-6);
  assert_near(scores.completeness, one->completeness, 2e-6);
}

static void
check_features(const Generated *one, const CwAttributionDetail *detail)
{
  int n_active[L] = { 0 };
  double sum = 0;
  for (int64_t i = 0; i < detail->n_active; i++) {
    n_active[detail->active_layer[i]]++;
    sum += (double)detail->activation[i];
  }
  for (int l = 0; l < L; l++)
    g_assert_cmpint(n_active[l], ==, one->n_active[l]);
  assert_near(sum, one->sum_activation, 2e-4);
  g_assert_cmpint(detail->n_logits, ==, 10);
  for (int i = 0; i < 10; i++)
    g_assert_cmpint(detail->logit_tokens[i], ==, one->top_tokens[i]);
}

/* Writes both files of a case and opens them. */
static CwModel *
open_case(const Generated *one, const char *folder, CwTranscoder **transcoder)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *model_path = write_model(one->family, folder);
  g_autofree char *transcoder_path = write_transcoder(one, folder);
  CwModel *model = cw_model_load(model_path, &error);
  g_assert_no_error(error);
  *transcoder = cw_transcoder_open(transcoder_path, &error);
  g_assert_no_error(error);
  return model;
}

static void
test_case(gconstpointer data)
{
  const Generated *one = data;
  static const int32_t tokens[T] = { 0, 3, 4, 3, 2, 5, 3, 8 };
  g_autoptr(GError) error = NULL;
  g_autofree char *folder = test_temp_dir();
  g_autoptr(CwTranscoder) transcoder = NULL;
  g_autoptr(CwModel) model = open_case(one, folder, &transcoder);
  CwkDevice *device = cwk_cpu_new(1);
  CwAttributionOptions options;
  cw_attribution_options_init(&options);
  g_autoptr(CwAttributionDetail) detail = NULL;
  g_autoptr(CwGraph) graph =
      cw_attribute(model, transcoder, device, tokens, T, &options, NULL, NULL, &detail, &error);
  g_assert_no_error(error);
  check_features(one, detail);
  check_edges(one, graph, detail->n_active);
  check_prune(one, graph);
  g_assert_cmpfloat(detail->largest_rest_error, <=, 1e-5);

  options.max_feature_nodes = 20;
  options.batch_size = 4;
  options.update_interval = 1;
  g_autoptr(CwAttributionDetail) limited = NULL;
  g_autoptr(CwGraph) small = cw_attribute(model, transcoder, device, tokens, T, &options, NULL,
                                          NULL, &limited, &error);
  g_assert_no_error(error);
  g_assert_cmpint(limited->n_selected, ==, 20);
  for (int i = 0; i < 20; i++)
    g_assert_cmpint(limited->selected[i], ==, one->selected[i]);
  cwk_device_free(device);
  test_remove_tree(folder);
}

/* Thresholds that nothing reaches, which stops the peer for cross-layer sets: a graph of tokens
 * and errors that still adds up. */
static void
test_no_active_feature(gconstpointer data)
{
  static const int32_t tokens[T] = { 0, 3, 4, 3, 2, 5, 3, 8 };
  Generated silent = *(const Generated *)data;
  silent.least_threshold = 1e6;
  g_autoptr(GError) error = NULL;
  g_autofree char *folder = test_temp_dir();
  g_autoptr(CwTranscoder) transcoder = NULL;
  g_autoptr(CwModel) model = open_case(&silent, folder, &transcoder);
  CwkDevice *device = cwk_cpu_new(1);
  CwAttributionOptions options;
  cw_attribution_options_init(&options);
  g_autoptr(CwAttributionDetail) detail = NULL;
  g_autoptr(CwGraph) graph =
      cw_attribute(model, transcoder, device, tokens, T, &options, NULL, NULL, &detail, &error);
  g_assert_no_error(error);
  g_assert_cmpint(detail->n_active, ==, 0);
  g_assert_cmpuint(cw_graph_get_n_nodes(graph), ==, L * T + T + 10);
  g_assert_cmpfloat(detail->largest_rest_error, <=, 1e-5);
  CwPruneOptions prune = { .8, .98, NULL };
  g_autoptr(CwPruner) pruner = cw_pruner_new(graph, NULL, &error);
  g_autoptr(CwPruned) pruned = cw_pruner_run(pruner, &prune, NULL, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(pruned->n_kept_edges, >, 0);
  cwk_device_free(device);
  test_remove_tree(folder);
}

static void
test_generator(void)
{
  g_assert_true(fnv1a("embed.W_E") == 0x218d9afe35083401u);
  static const double first[] = { .19153121, -.14320162, -.07034775, -.03865534 };
  for (uint64_t i = 0; i < 4; i++)
    assert_near((double)element("embed.W_E", i, -.35, .35), first[i], 1e-8);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/core/attribute/generated/generator", test_generator);
  for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *path = g_strdup_printf("/core/attribute/generated/%s", cases[i].name);
    g_test_add_data_func(path, &cases[i], test_case);
    if (!cases[i].is_jump)
      continue;
    g_autofree char *silent =
        g_strdup_printf("/core/attribute/generated/no-active-feature/%s", cases[i].name);
    g_test_add_data_func(silent, &cases[i], test_no_active_feature);
  }
  return g_test_run();
}
