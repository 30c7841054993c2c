/* weights.c - which tensor is which part of the model.
 *
 * Every family stores the same parts under other names, so a table of names per family is all
 * that differs; one reader walks it. Names are given without ".weight" and ".bias", those of a
 * layer without the prefix that holds its number. */
#include "model/model-private.h"

#include "model/rope.h"

#include <string.h>

/* An absent part is NULL. */
typedef struct {
  const char *layer; /* followed by its number and a dot */
  const char *embedding, *positions, *final_norm, *head;
  const char *ln1, *ln1_post, *ln2, *ln2_post;
  const char *q, *k, *v, *qkv, *o, *q_norm, *k_norm;
  const char *gate, *up, *down;
} Names;

static const Names gguf_names = {
  .layer = "blk.",
  .embedding = "token_embd",
  .positions = "position_embd",
  .final_norm = "output_norm",
  .head = "output",
  .ln1 = "attn_norm",
  .ln1_post = "post_attention_norm",
  .ln2 = "ffn_norm",
  .ln2_post = "post_ffw_norm",
  .q = "attn_q",
  .k = "attn_k",
  .v = "attn_v",
  .qkv = "attn_qkv",
  .o = "attn_output",
  .q_norm = "attn_q_norm",
  .k_norm = "attn_k_norm",
  .gate = "ffn_gate",
  .up = "ffn_up",
  .down = "ffn_down",
};

static const Names gpt2_names = {
  .layer = "h.",
  .embedding = "wte",
  .positions = "wpe",
  .final_norm = "ln_f",
  .head = "lm_head",
  .ln1 = "ln_1",
  .ln2 = "ln_2",
  .qkv = "attn.c_attn",
  .o = "attn.c_proj",
  .up = "mlp.c_fc",
  .down = "mlp.c_proj",
};

static const Names llama_names = {
  .layer = "layers.",
  .embedding = "embed_tokens",
  .final_norm = "norm",
  .head = "lm_head",
  .ln1 = "input_layernorm",
  .ln2 = "post_attention_layernorm",
  .q = "self_attn.q_proj",
  .k = "self_attn.k_proj",
  .v = "self_attn.v_proj",
  .o = "self_attn.o_proj",
  .q_norm = "self_attn.q_norm",
  .k_norm = "self_attn.k_norm",
  .gate = "mlp.gate_proj",
  .up = "mlp.up_proj",
  .down = "mlp.down_proj",
};

/* Gemma 2 and 3: the name that Llama gives to the norm before the MLP is that of the one behind
 * attention. */
static const Names gemma_names = {
  .layer = "layers.",
  .embedding = "embed_tokens",
  .final_norm = "norm",
  .head = "lm_head",
  .ln1 = "input_layernorm",
  .ln1_post = "post_attention_layernorm",
  .ln2 = "pre_feedforward_layernorm",
  .ln2_post = "post_feedforward_layernorm",
  .q = "self_attn.q_proj",
  .k = "self_attn.k_proj",
  .v = "self_attn.v_proj",
  .o = "self_attn.o_proj",
  .q_norm = "self_attn.q_norm",
  .k_norm = "self_attn.k_norm",
  .gate = "mlp.gate_proj",
  .up = "mlp.up_proj",
  .down = "mlp.down_proj",
};

/* The walk through the tables; the first error ends it. */
typedef struct {
  CwModel *model;
  const Names *names;
  const char *prefix; /* of every name, "model." for instance */
  char *layer_prefix; /* of the current layer */
  GError **error;
  bool is_ok;
} Walk;

static const Names *
choose_names(const CwModel *model)
{
  CwTensorFile *first = model->source->files->pdata[0];
  if (cw_tensor_file_is_gguf(first))
    return &gguf_names;
  switch (model->plan->config.architecture) {
  case CW_ARCHITECTURE_GPT2:
    return &gpt2_names;
  case CW_ARCHITECTURE_GEMMA2:
  case CW_ARCHITECTURE_GEMMA3:
    return &gemma_names;
  case CW_ARCHITECTURE_LLAMA:
  case CW_ARCHITECTURE_QWEN3:
  default:
    return &llama_names;
  }
}

/* Folders differ in what stands before a name: a bare base model, the model under a head, the
 * language model of one that also sees. */
static const char *
choose_prefix(const CwModel *model, const Names *names)
{
  static const char *const prefixes[] = { "", "model.", "transformer.", "language_model.model.",
                                          "model.language_model." };
  for (size_t i = 0; i < G_N_ELEMENTS(prefixes); i++) {
    g_autofree char *name = g_strdup_printf("%s%s.weight", prefixes[i], names->embedding);
    if (cw_weight_source_find(model->source, name) != NULL)
      return prefixes[i];
  }
  return names == &gguf_names ? "" : names == &gpt2_names ? "transformer." : "model.";
}

static char *
dup_name(const Walk *walk, const char *part, const char *suffix)
{
  return g_strconcat(walk->prefix, walk->layer_prefix != NULL ? walk->layer_prefix : "", part,
                     suffix, NULL);
}

static const float *
get_vector(Walk *walk, const char *part, const char *suffix, int64_t n, float add)
{
  if (!walk->is_ok || part == NULL)
    return NULL;
  g_autofree char *name = dup_name(walk, part, suffix);
  const float *vector =
      cw_weight_source_get_floats(walk->model->source, name, 1, &n, add, walk->error);
  walk->is_ok = vector != NULL;
  return vector;
}

static const float *
get_norm(Walk *walk, const char *part, int64_t n)
{
  return get_vector(walk, part, ".weight", n, walk->model->plan->adds_one_to_norms ? 1 : 0);
}

/* A bias is there or not; LayerNorm families always have theirs. */
static const float *
get_bias(Walk *walk, const char *part, int64_t n)
{
  if (!walk->is_ok)
    return NULL;
  g_autofree char *name = dup_name(walk, part, ".bias");
  bool is_needed = walk->model->plan->config.is_layer_norm && walk->layer_prefix != NULL;
  if (!is_needed && cw_weight_source_find(walk->model->source, name) == NULL)
    return NULL;
  return get_vector(walk, part, ".bias", n, 0);
}

static CwLinear
get_linear(Walk *walk, const char *part, int64_t n_in, int64_t n_out)
{
  CwLinear linear = { .layout = walk->model->plan->has_input_rows ? CWK_B_ROWS_ARE_INPUTS
                                                                  : CWK_B_ROWS_ARE_OUTPUTS };
  if (!walk->is_ok)
    return linear;
  bool has_input_rows = linear.layout == CWK_B_ROWS_ARE_INPUTS;
  g_autofree char *name = dup_name(walk, part, ".weight");
  walk->is_ok =
      cw_weight_source_get_rows(walk->model->source, name, has_input_rows ? n_in : n_out,
                                has_input_rows ? n_out : n_in, &linear.rows, walk->error);
  linear.bias = get_bias(walk, part, n_out);
  return linear;
}

/* Outputs first .. first + n - 1 of a map as a map of its own. */
static CwLinear
slice_outputs(const CwLinear *linear, int64_t first, int64_t n)
{
  CwLinear slice = *linear;
  const char *data = linear->rows.data;
  if (linear->layout == CWK_B_ROWS_ARE_OUTPUTS) {
    slice.rows.data = data + (size_t)first * linear->rows.row_bytes;
    slice.rows.n_rows = n;
  } else {
    slice.rows.data = data + cwk_dtype_row_bytes(linear->rows.dtype, first);
    slice.rows.n_cols = n;
  }
  if (slice.bias != NULL)
    slice.bias += first;
  return slice;
}

/* ---- queries, keys and values -----------------------------------------------------------
 */

static void
split_fused(Walk *walk, CwModelLayer *layer, int64_t n_q, int64_t n_kv)
{
  layer->qkv =
      get_linear(walk, walk->names->qkv, walk->model->plan->config.width, n_q + 2 * n_kv);
  if (!walk->is_ok)
    return;
  if (layer->qkv.layout == CWK_B_ROWS_ARE_INPUTS &&
      cwk_dtype_block_size(layer->qkv.rows.dtype) != 1) {
    g_set_error(walk->error, CW_ERROR, CW_ERROR_UNSUPPORTED,
                "%s: a quantised matrix of queries, keys and values, stored by inputs",
                walk->model->path);
    walk->is_ok = false;
    return;
  }
  layer->parts.q = slice_outputs(&layer->qkv, 0, n_q);
  layer->parts.k = slice_outputs(&layer->qkv, n_q, n_kv);
  layer->parts.v = slice_outputs(&layer->qkv, n_q + n_kv, n_kv);
  layer->is_fused = true;
}

static void
copy_or_zero(float *to, const float *from, int64_t n)
{
  if (from != NULL)
    memcpy(to, from, (size_t)n * sizeof *to);
}

/* Three maps of one element type become one by a list of their rows, for one product packs its
 * input once. Not with q/k norms, which want queries and keys in arrays of their own. */
static void
fuse_separate(Walk *walk, CwModelLayer *layer, int64_t n_q, int64_t n_kv)
{
  CwModel *model = walk->model;
  const CwLinear *parts[] = { &layer->parts.q, &layer->parts.k, &layer->parts.v };
  const CwkRows *first = &parts[0]->rows;
  bool has_bias = false, is_alike = !model->plan->config.has_qk_norms;
  for (int i = 0; i < 3; i++) {
    is_alike = is_alike && parts[i]->rows.dtype == first->dtype;
    has_bias = has_bias || parts[i]->bias != NULL;
  }
  if (!walk->is_ok || !is_alike)
    return;
  const void **rows = g_try_new(const void *, (size_t)(n_q + 2 * n_kv));
  if (rows == NULL)
    return; /* three products do as well */
  g_ptr_array_add(model->row_lists, rows);
  int64_t n = 0;
  for (int i = 0; i < 3; i++)
    for (int64_t j = 0; j < parts[i]->rows.n_rows; j++)
      rows[n++] = (const char *)parts[i]->rows.data + (size_t)j * parts[i]->rows.row_bytes;
  layer->qkv = (CwLinear){ .rows = { .dtype = first->dtype,
                                     .n_rows = n,
                                     .n_cols = first->n_cols,
                                     .row_bytes = first->row_bytes,
                                     .row_list = rows },
                           .layout = CWK_B_ROWS_ARE_OUTPUTS };
  if (has_bias) {
    float *bias = cw_weight_source_new_floats(model->source, (size_t)n);
    if (bias == NULL)
      return;
    copy_or_zero(bias, parts[0]->bias, n_q);
    copy_or_zero(bias + n_q, parts[1]->bias, n_kv);
    copy_or_zero(bias + n_q + n_kv, parts[2]->bias, n_kv);
    layer->qkv.bias = bias;
  }
  layer->is_fused = true;
}

/* ---- layers ----------------------------------------------------------------------------- */

static void
read_layer(Walk *walk, int64_t l)
{
  const CwModelConfig *config = &walk->model->plan->config;
  const Names *names = walk->names;
  CwModelLayer *layer = &walk->model->layers[l];
  CwLayer *parts = &layer->parts;
  int64_t width = config->width, n_q = config->n_heads * config->head_width;
  int64_t n_kv = config->n_kv_heads * config->head_width;
  g_autofree char *prefix = g_strdup_printf("%s%d.", names->layer, (int)l);
  walk->layer_prefix = prefix;
  parts->ln1_weight = get_norm(walk, names->ln1, width);
  parts->ln2_weight = get_norm(walk, names->ln2, width);
  parts->ln1_bias = get_bias(walk, names->ln1, width);
  parts->ln2_bias = get_bias(walk, names->ln2, width);
  if (config->has_post_norms) {
    parts->ln1_post_weight = get_norm(walk, names->ln1_post, width);
    parts->ln2_post_weight = get_norm(walk, names->ln2_post, width);
  }
  if (walk->model->plan->is_fused_qkv) {
    split_fused(walk, layer, n_q, n_kv);
  } else {
    parts->q = get_linear(walk, names->q, width, n_q);
    parts->k = get_linear(walk, names->k, width, n_kv);
    parts->v = get_linear(walk, names->v, width, n_kv);
    fuse_separate(walk, layer, n_q, n_kv);
  }
  if (config->has_qk_norms) {
    parts->q_norm_weight = get_norm(walk, names->q_norm, config->head_width);
    parts->k_norm_weight = get_norm(walk, names->k_norm, config->head_width);
  }
  parts->o = get_linear(walk, names->o, n_q, width);
  if (config->is_gated)
    parts->gate = get_linear(walk, names->gate, width, config->mlp_width);
  parts->up = get_linear(walk, names->up, width, config->mlp_width);
  parts->down = get_linear(walk, names->down, config->mlp_width, width);
  parts->window = walk->model->plan->windows[l];
  walk->layer_prefix = NULL;
}

/* ---- around the layers ------------------------------------------------------------------ */

static void
read_embedding(Walk *walk)
{
  CwModelConfig *config = &walk->model->plan->config;
  g_autofree char *name = dup_name(walk, walk->names->embedding, ".weight");
  int64_t n_vocabulary = config->n_vocabulary > 0 ? config->n_vocabulary : -1;
  walk->is_ok = cw_weight_source_get_rows(walk->model->source, name, n_vocabulary,
                                          config->width, &walk->model->embedding, walk->error);
  if (!walk->is_ok)
    return;
  config->n_vocabulary = walk->model->embedding.n_rows;
  if (config->n_vocabulary < 1 || config->n_vocabulary > G_MAXINT32) {
    g_set_error(walk->error, CW_ERROR, CW_ERROR_FORMAT,
                "%s: tensor \"%s\" has %" G_GINT64_FORMAT " rows, no vocabulary",
                walk->model->path, name, config->n_vocabulary);
    walk->is_ok = false;
  }
}

static void
read_positions(Walk *walk)
{
  CwModelConfig *config = &walk->model->plan->config;
  if (!walk->is_ok || config->architecture != CW_ARCHITECTURE_GPT2)
    return;
  const int64_t shape[] = { config->n_context, config->width };
  g_autofree char *name = dup_name(walk, walk->names->positions, ".weight");
  walk->model->positions =
      cw_weight_source_get_floats(walk->model->source, name, 2, shape, 0, walk->error);
  walk->is_ok = walk->model->positions != NULL;
}

/* A head stands outside the prefix of the layers, save in models that also see. */
static void
read_unembedding(Walk *walk)
{
  CwModel *model = walk->model;
  CwModelConfig *config = &model->plan->config;
  if (!walk->is_ok)
    return;
  g_autofree char *outside = g_strconcat(walk->names->head, ".weight", NULL);
  if (model->plan->is_head_optional)
    config->is_tied = cw_weight_source_find(model->source, outside) == NULL;
  if (config->is_tied) {
    model->unembedding =
        (CwLinear){ .rows = model->embedding, .layout = CWK_B_ROWS_ARE_OUTPUTS };
    return;
  }
  const char *inner_prefix = walk->prefix;
  walk->prefix = g_str_has_prefix(inner_prefix, "language_model.") ? "language_model." : "";
  bool has_input_rows = model->plan->has_input_rows;
  model->plan->has_input_rows = false; /* true of GPT-2's layers only */
  model->unembedding = get_linear(walk, walk->names->head, config->width, config->n_vocabulary);
  model->plan->has_input_rows = has_input_rows;
  walk->prefix = inner_prefix;
}

/* Local layers have frequencies of their own; GGUF's divisors belong to the global ones. */
static void
read_frequencies(Walk *walk)
{
  CwModel *model = walk->model;
  CwModelPlan *plan = model->plan;
  int64_t n = plan->n_rotary / 2;
  if (!walk->is_ok || plan->rope.base == 0 || n == 0)
    return;
  const float *divisors = NULL;
  if (cw_weight_source_find(model->source, "rope_freqs.weight") != NULL)
    divisors = get_vector(walk, "rope_freqs", ".weight", n, 0);
  float *global = cw_weight_source_new_floats(model->source, (size_t)n);
  float *local = cw_weight_source_new_floats(model->source, (size_t)n);
  if (!walk->is_ok)
    return;
  if (global == NULL || local == NULL) {
    cw_error_set_from_status(walk->error, CWK_NO_MEMORY, "preparing rotary positions");
    walk->is_ok = false;
    return;
  }
  bool has_local = plan->config.architecture == CW_ARCHITECTURE_GEMMA3;
  cw_rope_fill_frequencies(&plan->rope, plan->n_rotary, divisors, global);
  cw_rope_fill_frequencies(&plan->local_rope, plan->n_rotary, NULL, local);
  for (int64_t l = 0; l < plan->config.n_layers; l++)
    model->layers[l].inverse_frequency =
        has_local && model->layers[l].parts.window > 0 ? local : global;
}

bool
cw_model_read_weights(CwModel *model, GError **error)
{
  const CwModelConfig *config = &model->plan->config;
  Walk walk = { .model = model, .error = error, .is_ok = true };
  walk.names = choose_names(model);
  walk.prefix = choose_prefix(model, walk.names);
  model->layers = g_try_new0(CwModelLayer, (size_t)config->n_layers);
  if (model->layers == NULL) {
    cw_error_set_from_status(error, CWK_NO_MEMORY, "loading a model's layers");
    return false;
  }
  read_embedding(&walk);
  read_positions(&walk);
  for (int64_t l = 0; walk.is_ok && l < config->n_layers; l++)
    read_layer(&walk, l);
  model->final_norm_weight = get_norm(&walk, walk.names->final_norm, config->width);
  if (config->is_layer_norm)
    model->final_norm_bias =
        get_vector(&walk, walk.names->final_norm, ".bias", config->width, 0);
  read_unembedding(&walk);
  read_frequencies(&walk);
  return walk.is_ok;
}
