/* forward.c - the forward pass in f32, with what attribution keeps of it.
 *
 * Per layer: norm, one product for queries, keys and values, rotary positions, patterns,
 * mixing, output product; norm, gate and up, activation, down product. Where no post-norm or
 * tap stands between, a branch's last product adds straight into the residual stream. Patterns
 * are kept whole only when asked for; otherwise a block of queries at a time goes through one
 * scratch array. All sizes follow from the prompt; every array is had before the first layer
 * runs. */
#include "model/forward.h"

#include <math.h>
#include <string.h>

#define ELEMENTS_PER_ITEM 16384

void
cw_forward_free(CwForward *forward)
{
  if (forward == NULL)
    return;
  float *arrays[] = { forward->logits,         forward->embedding,      forward->resid_mid,
                      forward->mlp_hat,        forward->mlp_out,        forward->mlp_raw,
                      forward->pattern,        forward->ln1_scale,      forward->ln2_scale,
                      forward->ln1_post_scale, forward->ln2_post_scale, forward->final_scale,
                      forward->final_resid };
  for (size_t i = 0; i < G_N_ELEMENTS(arrays); i++)
    g_free(arrays[i]);
  g_free(forward);
}

void
cw_key_value_cache_free(CwKeyValueCache *cache)
{
  if (cache == NULL)
    return;
  g_free(cache->keys);
  g_free(cache->values);
  g_free(cache);
}

/* a * b * c floats, or NULL if there is no memory or the size overflows. */
static float *
try_floats(int64_t a, int64_t b, int64_t c)
{
  gsize n;
  if (!g_size_checked_mul(&n, (gsize)a, (gsize)b) || !g_size_checked_mul(&n, n, (gsize)c))
    return NULL;
  return g_try_new(float, MAX(n, 1));
}

CwKeyValueCache *
cw_key_value_cache_new(const CwModel *model, int64_t capacity, GError **error)
{
  const CwModelConfig *config = &model->plan->config;
  int64_t width = config->n_kv_heads * config->head_width;
  g_autoptr(CwKeyValueCache) cache = g_new0(CwKeyValueCache, 1);
  cache->capacity = capacity;
  cache->keys = try_floats(config->n_layers, capacity, width);
  cache->values = try_floats(config->n_layers, capacity, width);
  if (cache->keys == NULL || cache->values == NULL) {
    cw_error_set_from_status(error, CWK_NO_MEMORY, "making room for keys and values");
    return NULL;
  }
  return g_steal_pointer(&cache);
}

/* ---- the state of one pass -------------------------------------------------------------- */

typedef struct {
  const CwModel *model;
  const CwModelConfig *config;
  CwkDevice *device;
  CwForwardFlags flags;
  CwKeyValueCache *cache;
  const CwMlpReplacement *replacement; /* or NULL */
  int64_t n, first_position;           /* T; positions already in the cache */
  const size_t *lengths;               /* [n_windows] of the prompts that T is made of */
  size_t n_windows;
  int64_t n_q, n_kv; /* H K, G K */
  CwForward *out;
  void *arena;      /* all scratch below */
  float *resid;     /* [T, D] */
  float *normed;    /* [T, D] what a branch reads */
  float *branch;    /* [T, D] what a branch gives, where it is not added at once */
  float *qkv;       /* [T, H K + 2 G K] fused, or q, k and v one after the other */
  float *mixed;     /* [T, H K] */
  float *gate, *up; /* [T, mlp_width] */
  GError **error;
} Pass;

static bool
check(Pass *pass, CwkStatus status, const char *doing)
{
  if (status == CWK_OK)
    return true;
  cw_error_set_from_status(pass->error, status, doing);
  return false;
}

/* ---- elementwise ------------------------------------------------------------------------ */

typedef struct {
  float *to;
  const float *from;
  int64_t n, stride, n_cols;
  float cap;
} Elements;

static void
add_part(void *data, int64_t item)
{
  const Elements *job = data;
  int64_t end = MIN((item + 1) * ELEMENTS_PER_ITEM, job->n);
  for (int64_t i = item * ELEMENTS_PER_ITEM; i < end; i++)
    job->to[i] += job->from[i];
}

static void
add(Pass *pass, float *to, const float *from, int64_t n)
{
  Elements job = { .to = to, .from = from, .n = n };
  cwk_parallel_for(pass->device, (n + ELEMENTS_PER_ITEM - 1) / ELEMENTS_PER_ITEM, add_part,
                   &job);
}

static void
add_bias_to_row(void *data, int64_t row)
{
  const Elements *job = data;
  float *to = job->to + row * job->stride;
  for (int64_t i = 0; i < job->n_cols; i++)
    to[i] += job->from[i];
}

static void
soft_cap_part(void *data, int64_t item)
{
  const Elements *job = data;
  int64_t end = MIN((item + 1) * ELEMENTS_PER_ITEM, job->n);
  for (int64_t i = item * ELEMENTS_PER_ITEM; i < end; i++)
    job->to[i] = job->cap * tanhf(job->to[i] / job->cap);
}

/* One linear map of a branch's input and where its result goes. */
typedef struct {
  const CwLinear *linear;
  float *y;
  int64_t n_out, y_stride;
  bool accumulate;
} Map;

#define MAX_MAPS 3

static bool
has_int8(const CwkDevice *device, const CwLinear *linear)
{
  return linear->layout == CWK_B_ROWS_ARE_OUTPUTS && cwk_has_int8(device, linear->rows.dtype);
}

/* Weights that are not stored in codes are multiplied in f32 in a reduced pass too. */
static bool
is_reduced(const Pass *pass, const Map *maps, size_t n_maps)
{
  bool is_wanted = (pass->flags & CW_FORWARD_REDUCED) != 0;
  for (size_t i = 0; is_wanted && i < n_maps; i++)
    is_wanted = has_int8(pass->device, maps[i].linear);
  return is_wanted;
}

/* y (+)= x . W + bias for up to MAX_MAPS maps of one input x, which is packed once. */
static bool
apply_maps(Pass *pass, float *x, int64_t n_rows, int64_t n_in, const Map *maps, size_t n_maps)
{
  CwkMatmulArgs products[MAX_MAPS];
  for (size_t i = 0; i < n_maps; i++)
    products[i] = (CwkMatmulArgs){ .m = n_rows,
                                   .n = maps[i].n_out,
                                   .k = n_in,
                                   .a = { .data = x, .stride = n_in },
                                   .b = maps[i].linear->rows,
                                   .b_layout = maps[i].linear->layout,
                                   .c = { .data = maps[i].y, .stride = maps[i].y_stride },
                                   .accumulate = maps[i].accumulate };
  CwkMatmulBatchArgs batch = { (int64_t)n_maps, products };
  CwkStatus status = is_reduced(pass, maps, n_maps) ? cwk_matmul_int8(pass->device, &batch)
                                                    : cwk_matmul_batch(pass->device, &batch);
  if (!check(pass, status, "multiplying by a layer's weights"))
    return false;
  for (size_t i = 0; i < n_maps; i++)
    if (maps[i].linear->bias != NULL) {
      Elements job = { .to = maps[i].y,
                       .from = maps[i].linear->bias,
                       .stride = maps[i].y_stride,
                       .n_cols = maps[i].n_out };
      cwk_parallel_for(pass->device, n_rows, add_bias_to_row, &job);
    }
  return true;
}

static bool
apply_linear(Pass *pass, const CwLinear *linear, float *x, int64_t n_rows, int64_t n_in,
             float *y, int64_t n_out, bool accumulate)
{
  Map map = { linear, y, n_out, n_out, accumulate };
  return apply_maps(pass, x, n_rows, n_in, &map, 1);
}

static bool
apply_norm(Pass *pass, const float *x, int64_t n_rows, int64_t n_cols, const float *weight,
           const float *bias, float *normalised, float *out, float *scale)
{
  CwkNormArgs args = { .n_rows = n_rows,
                       .n_cols = n_cols,
                       .x = x,
                       .is_layer_norm = pass->config->is_layer_norm,
                       .epsilon = pass->config->norm_epsilon,
                       .weight = weight,
                       .bias = bias,
                       .normalised = normalised,
                       .out = out,
                       .scale = scale };
  return check(pass, cwk_norm(pass->device, &args), "normalising the residual stream");
}

/* Where layer l's part of a kept [L, n] array begins; NULL if it is not kept. */
static float *
layer_part(float *array, int64_t l, int64_t n)
{
  return array != NULL ? array + l * n : NULL;
}

/* ---- attention -------------------------------------------------------------------------- */

/* Queries, keys and values of one layer. */
typedef struct {
  float *q, *k, *v;
  int64_t q_stride, k_stride, v_stride, n_keys;
} Heads;

static bool
rotate(Pass *pass, const CwModelLayer *layer, float *x, int64_t n_heads, int64_t stride)
{
  if (layer->inverse_frequency == NULL)
    return true;
  CwkStatus status = CWK_OK;
  for (size_t i = 0; i < pass->n_windows && status == CWK_OK; i++) {
    CwkRopeArgs args = { .n_positions = (int64_t)pass->lengths[i],
                         .n_heads = n_heads,
                         .head_width = pass->config->head_width,
                         .n_rotary = pass->model->plan->n_rotary,
                         .first_position = pass->first_position,
                         .inverse_frequency = layer->inverse_frequency,
                         .attention_scaling = 1,
                         .x = x,
                         .stride = stride,
                         .is_interleaved = pass->model->plan->is_rope_interleaved };
    status = cwk_rope(pass->device, &args);
    x += args.n_positions * stride;
  }
  return check(pass, status, "rotating queries and keys");
}

static bool
project_fused(Pass *pass, const CwModelLayer *layer, Heads *heads)
{
  int64_t stride = pass->n_q + 2 * pass->n_kv;
  *heads = (Heads){ .q = pass->qkv,
                    .k = pass->qkv + pass->n_q,
                    .v = pass->qkv + pass->n_q + pass->n_kv,
                    .q_stride = stride,
                    .k_stride = stride,
                    .v_stride = stride,
                    .n_keys = pass->n };
  /* Keys follow queries within a row, so one call turns both. */
  return apply_linear(pass, &layer->qkv, pass->normed, pass->n, pass->config->width, pass->qkv,
                      stride, false) &&
         rotate(pass, layer, pass->qkv, pass->config->n_heads + pass->config->n_kv_heads,
                stride);
}

static bool
norm_heads(Pass *pass, float *x, int64_t n_heads, const float *weight)
{
  return weight == NULL || apply_norm(pass, x, pass->n * n_heads, pass->config->head_width,
                                      weight, NULL, NULL, x, NULL);
}

static bool
project_separate(Pass *pass, const CwModelLayer *layer, Heads *heads)
{
  const CwModelConfig *config = pass->config;
  const CwLayer *parts = &layer->parts;
  *heads = (Heads){ .q = pass->qkv,
                    .k = pass->qkv + pass->n * pass->n_q,
                    .v = pass->qkv + pass->n * (pass->n_q + pass->n_kv),
                    .q_stride = pass->n_q,
                    .k_stride = pass->n_kv,
                    .v_stride = pass->n_kv,
                    .n_keys = pass->n };
  const Map maps[] = {
    { &parts->q, heads->q, pass->n_q, pass->n_q, false },
    { &parts->k, heads->k, pass->n_kv, pass->n_kv, false },
    { &parts->v, heads->v, pass->n_kv, pass->n_kv, false },
  };
  return apply_maps(pass, pass->normed, pass->n, config->width, maps, G_N_ELEMENTS(maps)) &&
         norm_heads(pass, heads->q, config->n_heads, parts->q_norm_weight) &&
         norm_heads(pass, heads->k, config->n_kv_heads, parts->k_norm_weight) &&
         rotate(pass, layer, heads->q, config->n_heads, pass->n_q) &&
         rotate(pass, layer, heads->k, config->n_kv_heads, pass->n_kv);
}

/* Adds the new keys and values to the cache and lets the heads read it. */
static void
extend_cache(Pass *pass, int64_t l, Heads *heads)
{
  CwKeyValueCache *cache = pass->cache;
  if (cache == NULL)
    return;
  float *keys = cache->keys + l * cache->capacity * pass->n_kv;
  float *values = cache->values + l * cache->capacity * pass->n_kv;
  size_t n_bytes = (size_t)pass->n_kv * sizeof(float);
  for (int64_t t = 0; t < pass->n; t++) {
    int64_t at = (pass->first_position + t) * pass->n_kv;
    memcpy(keys + at, heads->k + t * heads->k_stride, n_bytes);
    memcpy(values + at, heads->v + t * heads->v_stride, n_bytes);
  }
  heads->k = keys;
  heads->v = values;
  heads->k_stride = heads->v_stride = pass->n_kv;
  heads->n_keys = pass->first_position + pass->n;
}

/* With the patterns kept in out->pattern. */
static bool
attend_keeping(Pass *pass, const CwLayer *layer, int64_t l, const Heads *heads)
{
  const CwModelConfig *config = pass->config;
  float *pattern = layer_part(pass->out->pattern, l, config->n_heads * pass->n * pass->n);
  CwkAttentionPatternArgs scores = { .n_queries = pass->n,
                                     .n_keys = pass->n,
                                     .n_heads = config->n_heads,
                                     .n_kv_heads = config->n_kv_heads,
                                     .head_width = config->head_width,
                                     .q = heads->q,
                                     .k = heads->k,
                                     .q_stride = heads->q_stride,
                                     .k_stride = heads->k_stride,
                                     .scale = config->attention_scale,
                                     .soft_cap = config->attention_soft_cap,
                                     .window = layer->window,
                                     .pattern = pattern };
  CwkAttentionMixArgs mix = { .n_queries = pass->n,
                              .n_keys = pass->n,
                              .n_heads = config->n_heads,
                              .n_kv_heads = config->n_kv_heads,
                              .head_width = config->head_width,
                              .pattern = pattern,
                              .v = heads->v,
                              .v_stride = heads->v_stride,
                              .out = pass->mixed,
                              .out_stride = pass->n_q };
  return check(pass, cwk_attention_pattern(pass->device, &scores), "computing attention") &&
         check(pass, cwk_attention_mix(pass->device, &mix), "computing attention");
}

static bool
attend(Pass *pass, const CwLayer *layer, int64_t l, const Heads *heads)
{
  if (pass->out->pattern != NULL)
    return attend_keeping(pass, layer, l, heads);
  const CwModelConfig *config = pass->config;
  CwkStatus status = CWK_OK;
  int64_t at = 0;
  for (size_t i = 0; i < pass->n_windows && status == CWK_OK; i++) {
    int64_t n = (int64_t)pass->lengths[i];
    CwkAttentionArgs args = { .n_queries = n,
                              .n_keys = pass->cache != NULL ? heads->n_keys : n,
                              .n_heads = config->n_heads,
                              .n_kv_heads = config->n_kv_heads,
                              .head_width = config->head_width,
                              .q = heads->q + at * heads->q_stride,
                              .k = heads->k + at * heads->k_stride,
                              .v = heads->v + at * heads->v_stride,
                              .q_stride = heads->q_stride,
                              .k_stride = heads->k_stride,
                              .v_stride = heads->v_stride,
                              .scale = config->attention_scale,
                              .soft_cap = config->attention_soft_cap,
                              .window = layer->window,
                              .out = pass->mixed + at * pass->n_q,
                              .out_stride = pass->n_q };
    status = cwk_attention(pass->device, &args);
    at += n;
  }
  return check(pass, status, "computing attention");
}

static bool
run_attention(Pass *pass, int64_t l)
{
  const CwModelLayer *layer = &pass->model->layers[l];
  const CwLayer *parts = &layer->parts;
  int64_t width = pass->config->width, n = pass->n;
  Heads heads;
  if (!apply_norm(pass, pass->resid, n, width, parts->ln1_weight, parts->ln1_bias, NULL,
                  pass->normed, layer_part(pass->out->ln1_scale, l, n)) ||
      !(layer->is_fused ? project_fused(pass, layer, &heads)
                        : project_separate(pass, layer, &heads)))
    return false;
  extend_cache(pass, l, &heads);
  if (!attend(pass, parts, l, &heads))
    return false;
  if (parts->ln1_post_weight == NULL)
    return apply_linear(pass, &parts->o, pass->mixed, n, pass->n_q, pass->resid, width, true);
  if (!apply_linear(pass, &parts->o, pass->mixed, n, pass->n_q, pass->branch, width, false) ||
      !apply_norm(pass, pass->branch, n, width, parts->ln1_post_weight, NULL, NULL,
                  pass->branch, layer_part(pass->out->ln1_post_scale, l, n)))
    return false;
  add(pass, pass->resid, pass->branch, n * width);
  return true;
}

/* ---- the MLP ---------------------------------------------------------------------------- */

/* The MLP of the first n positions. */
static bool
run_mlp_inside(Pass *pass, const CwLayer *layer, int64_t n, float *to, bool accumulate)
{
  int64_t width = pass->config->width, mlp_width = pass->config->mlp_width;
  bool is_gated = pass->config->is_gated;
  CwkActivateArgs args = { .n = n * mlp_width,
                           .activation = pass->config->activation,
                           .gate = pass->gate,
                           .up = is_gated ? pass->up : NULL,
                           .out = pass->gate };
  const Map maps[] = {
    { is_gated ? &layer->gate : &layer->up, pass->gate, mlp_width, mlp_width, false },
    { &layer->up, pass->up, mlp_width, mlp_width, false },
  };
  return apply_maps(pass, pass->normed, n, width, maps, is_gated ? 2 : 1) &&
         check(pass, cwk_activate(pass->device, &args), "computing an activation") &&
         apply_linear(pass, &layer->down, pass->gate, n, mlp_width, to, width, accumulate);
}

static bool
is_replaced(const Pass *pass, int64_t l)
{
  return pass->replacement != NULL && pass->replacement->is_replaced[l] != 0;
}

/* What layer l's MLP adds to the stream, into `added`; before a post-norm into `raw`, which is
 * `added` where there is none. */
static bool
run_mlp_apart(Pass *pass, int64_t l, float *raw, float *added)
{
  const CwLayer *layer = &pass->model->layers[l].parts;
  const CwMlpReplacement *replacement = pass->replacement;
  int64_t n = pass->n;
  bool has_post = layer->ln2_post_weight != NULL, is_changed = is_replaced(pass, l);
  bool is_changed_raw = is_changed && (replacement->is_raw || !has_post);
  if (!run_mlp_inside(pass, layer, is_changed ? 1 : n, raw, false))
    return false;
  if (is_changed_raw && !replacement->fill(replacement->data, l, pass->out, raw, pass->error))
    return false;
  if (has_post && !apply_norm(pass, raw, is_changed && !is_changed_raw ? 1 : n,
                              pass->config->width, layer->ln2_post_weight, NULL, NULL, added,
                              layer_part(pass->out->ln2_post_scale, l, n)))
    return false;
  return !is_changed || is_changed_raw ||
         replacement->fill(replacement->data, l, pass->out, added, pass->error);
}

static bool
run_mlp(Pass *pass, int64_t l)
{
  const CwLayer *layer = &pass->model->layers[l].parts;
  CwForward *out = pass->out;
  int64_t width = pass->config->width, n = pass->n, size = n * width;
  if (out->resid_mid != NULL)
    memcpy(layer_part(out->resid_mid, l, size), pass->resid, (size_t)size * sizeof(float));
  if (!apply_norm(pass, pass->resid, n, width, layer->ln2_weight, layer->ln2_bias,
                  layer_part(out->mlp_hat, l, size), pass->normed,
                  layer_part(out->ln2_scale, l, n)))
    return false;
  bool is_direct =
      layer->ln2_post_weight == NULL && out->mlp_out == NULL && !is_replaced(pass, l);
  if (is_direct)
    return run_mlp_inside(pass, layer, n, pass->resid, true);
  float *added = out->mlp_out != NULL ? layer_part(out->mlp_out, l, size) : pass->branch;
  float *raw = out->mlp_raw != NULL ? layer_part(out->mlp_raw, l, size) : added;
  if (!run_mlp_apart(pass, l, raw, added))
    return false;
  add(pass, pass->resid, added, size);
  return true;
}

/* ---- both ends -------------------------------------------------------------------------- */

static bool
embed(Pass *pass, const int32_t *tokens)
{
  const CwkRows *embedding = &pass->model->embedding;
  int64_t n = pass->n, width = pass->config->width;
  g_autofree const void **rows = g_try_new(const void *, (size_t)n);
  g_autofree float *scales = try_floats(n, 1, 1);
  if (rows == NULL || scales == NULL)
    return check(pass, CWK_NO_MEMORY, "looking up tokens");
  for (int64_t t = 0; t < n; t++) {
    rows[t] = (const char *)embedding->data + (size_t)tokens[t] * embedding->row_bytes;
    scales[t] = pass->config->embedding_scale;
  }
  CwkDequantiseArgs args = { .rows = { .dtype = embedding->dtype,
                                       .n_rows = n,
                                       .n_cols = width,
                                       .row_list = rows,
                                       .scales = scales },
                             .out = pass->resid };
  if (!check(pass, cwk_dequantise(pass->device, &args), "looking up tokens"))
    return false;
  if (pass->out->embedding != NULL)
    memcpy(pass->out->embedding, pass->resid, (size_t)(n * width) * sizeof(float));
  float *resid = pass->resid;
  for (size_t i = 0; i < pass->n_windows && pass->model->positions != NULL; i++) {
    int64_t size = (int64_t)pass->lengths[i] * width;
    add(pass, resid, pass->model->positions + pass->first_position * width, size);
    resid += size;
  }
  return true;
}

static bool
unembed(Pass *pass)
{
  const CwModelConfig *config = pass->config;
  CwForward *out = pass->out;
  int64_t width = config->width, n_rows = out->n_logit_rows;
  int64_t first = out->final_scale != NULL ? 0 : pass->n - n_rows;
  if (out->final_resid != NULL)
    memcpy(out->final_resid, pass->resid, (size_t)(pass->n * width) * sizeof(float));
  if (first == pass->n)
    return true;
  if (!apply_norm(pass, pass->resid + first * width, pass->n - first, width,
                  pass->model->final_norm_weight, pass->model->final_norm_bias, NULL,
                  pass->normed + first * width, out->final_scale))
    return false;
  if (n_rows == 0)
    return true;
  if (!apply_linear(pass, &pass->model->unembedding, pass->normed + (pass->n - n_rows) * width,
                    n_rows, width, out->logits, config->n_vocabulary, false))
    return false;
  if (config->logit_soft_cap > 0) {
    Elements job = { .to = out->logits,
                     .n = n_rows * config->n_vocabulary,
                     .cap = config->logit_soft_cap };
    cwk_parallel_for(pass->device, (job.n + ELEMENTS_PER_ITEM - 1) / ELEMENTS_PER_ITEM,
                     soft_cap_part, &job);
  }
  return true;
}

/* ---- memory ----------------------------------------------------------------------------- */

/* One array of the result, with its size: n_rows * T * n_cols. */
typedef struct {
  float **array;
  bool is_wanted;
  int64_t n_rows, n_cols;
} Kept;

static bool
reserve_kept(Pass *pass)
{
  const CwModelConfig *config = pass->config;
  CwForward *out = pass->out;
  bool has_taps = (pass->flags & CW_FORWARD_TAPS) != 0;
  bool has_mlp = has_taps || (pass->flags & CW_FORWARD_MLP) != 0;
  bool is_frozen = (pass->flags & CW_FORWARD_FROZEN) != 0;
  bool has_post = config->has_post_norms;
  int64_t n_layers = config->n_layers, width = config->width;
  const Kept kept[] = {
    { &out->embedding, has_taps || is_frozen, 1, width },
    { &out->resid_mid, has_taps, n_layers, width },
    { &out->mlp_hat, has_mlp, n_layers, width },
    { &out->mlp_out, has_mlp, n_layers, width },
    { &out->mlp_raw, has_taps && has_post, n_layers, width },
    { &out->pattern, is_frozen, n_layers * config->n_heads, pass->n },
    { &out->ln1_scale, is_frozen, n_layers, 1 },
    { &out->ln2_scale, is_frozen, n_layers, 1 },
    { &out->ln1_post_scale, is_frozen && has_post, n_layers, 1 },
    { &out->ln2_post_scale, is_frozen && has_post, n_layers, 1 },
    { &out->final_scale, is_frozen, 1, 1 },
    { &out->final_resid, has_taps || is_frozen, 1, width },
  };
  bool is_had = true;
  for (size_t i = 0; i < G_N_ELEMENTS(kept); i++)
    if (kept[i].is_wanted) {
      *kept[i].array = try_floats(kept[i].n_rows, pass->n, kept[i].n_cols);
      is_had = is_had && *kept[i].array != NULL;
    }
  if (out->n_logit_rows > 0) {
    out->logits = try_floats(out->n_logit_rows, config->n_vocabulary, 1);
    is_had = is_had && out->logits != NULL;
  }
  return is_had || check(pass, CWK_NO_MEMORY, "making room for the result of a pass");
}

/* Scratch in one piece, each part at a multiple of 64 bytes. */
static bool
reserve_scratch(Pass *pass)
{
  const CwModelConfig *config = pass->config;
  int64_t n = pass->n;
  const struct {
    float **array;
    int64_t n_rows, n_cols;
  } parts[] = {
    { &pass->resid, n, config->width },
    { &pass->normed, n, config->width },
    { &pass->branch, config->has_post_norms || pass->replacement != NULL ? n : 0,
      config->width },
    { &pass->qkv, n, pass->n_q + 2 * pass->n_kv },
    { &pass->mixed, n, pass->n_q },
    { &pass->gate, n, config->mlp_width },
    { &pass->up, config->is_gated ? n : 0, config->mlp_width },
  };
  gsize total = 0, at[G_N_ELEMENTS(parts)];
  bool is_possible = true;
  for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
    gsize size;
    at[i] = total;
    is_possible = is_possible &&
                  g_size_checked_mul(&size, (gsize)parts[i].n_rows, (gsize)parts[i].n_cols) &&
                  g_size_checked_mul(&size, size, sizeof(float)) &&
                  g_size_checked_add(&size, size, 63) &&
                  g_size_checked_add(&total, total, size / 64 * 64);
  }
  CwkStatus status =
      is_possible ? cwk_memory_alloc(pass->device, total, &pass->arena) : CWK_NO_MEMORY;
  if (!check(pass, status, "making room for a pass"))
    return false;
  for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
    *parts[i].array = (float *)((char *)pass->arena + at[i]);
  return true;
}

/* ---- the pass --------------------------------------------------------------------------- */

bool
cw_forward_check_tokens(const CwModel *model, const int32_t *tokens, size_t n_tokens,
                        int64_t n_before, GError **error)
{
  const CwModelConfig *config = &model->plan->config;
  if (n_tokens == 0) {
    g_set_error_literal(error, CW_ERROR, CW_ERROR_ARGUMENT,
                        "The prompt is empty; give at least one token");
    return false;
  }
  if (n_tokens > (size_t)(config->n_context - n_before)) {
    g_set_error(error, CW_ERROR, CW_ERROR_ARGUMENT,
                "The prompt has %zu tokens, more than the %" G_GINT64_FORMAT
                " of the context of %s",
                n_tokens + (size_t)n_before, config->n_context, config->name);
    return false;
  }
  for (size_t t = 0; t < n_tokens; t++)
    if (tokens[t] < 0 || tokens[t] >= config->n_vocabulary) {
      g_set_error(error, CW_ERROR, CW_ERROR_ARGUMENT,
                  "Token id %d at position %zu is out of range; %s has ids 0 to "
                  "%" G_GINT64_FORMAT,
                  tokens[t], (size_t)n_before + t, config->name, config->n_vocabulary - 1);
      return false;
    }
  return true;
}

static bool
run_layers(Pass *pass, const int32_t *tokens, CwCancel *cancel)
{
  const CwMlpReplacement *replacement = pass->replacement;
  bool is_begun = replacement != NULL && replacement->resid_mid != NULL;
  int64_t first = is_begun ? replacement->first_layer : 0;
  if (!reserve_kept(pass) || !reserve_scratch(pass))
    return false;
  if (is_begun)
    memcpy(pass->resid, replacement->resid_mid,
           (size_t)(pass->n * pass->config->width) * sizeof(float));
  else if (!embed(pass, tokens))
    return false;
  for (int64_t l = first; l < pass->config->n_layers; l++)
    if (cw_cancel_check(cancel, pass->error) ||
        !((is_begun && l == first) || run_attention(pass, l)) || !run_mlp(pass, l))
      return false;
  return !cw_cancel_check(cancel, pass->error) && unembed(pass);
}

/* A reduced pass needs a layer to reduce, and is no base for attribution. */
static bool
check_reduced(const CwModel *model, const CwkDevice *device, CwForwardFlags flags,
              GError **error)
{
  if ((flags & CW_FORWARD_FROZEN) != 0) {
    g_set_error_literal(error, CW_ERROR, CW_ERROR_ARGUMENT,
                        "Attribution needs a pass in f32, not one with int8 activations");
    return false;
  }
  const CwLayer *layer = &model->layers[0].parts;
  const CwLinear *linears[] = { &layer->q, &layer->o, &layer->up, &layer->down };
  for (size_t i = 0; i < G_N_ELEMENTS(linears); i++)
    if (has_int8(device, linears[i]))
      return true;
  g_set_error(error, CW_ERROR, CW_ERROR_UNSUPPORTED,
              "%s stores %s weights, for which %s has no products with int8 activations; they "
              "need quantised weights, and AVX-512 with VNNI, or AVX2 for 4-bit weights. Run "
              "the model in f32",
              model->plan->config.name, cwk_dtype_name(layer->up.rows.dtype),
              cwk_device_name(device));
  return false;
}

/* What all passes check that do not look at the tokens. */
static bool
check_pass(const CwModel *model, const CwkDevice *device, CwForwardFlags flags, GError **error)
{
  if (cwk_device_kind(device) != CWK_DEVICE_CPU) {
    g_set_error(error, CW_ERROR, CW_ERROR_UNSUPPORTED,
                "%s: a forward pass runs on the CPU only; choose the CPU device",
                cwk_device_name(device));
    return false;
  }
  return (flags & CW_FORWARD_REDUCED) == 0 || check_reduced(model, device, flags, error);
}

/* Fills in the pass and runs it. */
static CwForward *
run_pass(Pass *pass, const int32_t *tokens, CwCancel *cancel)
{
  const CwModelConfig *config = pass->config;
  g_autoptr(CwForward) out = g_new0(CwForward, 1);
  out->n_positions = pass->n;
  if ((pass->flags & CW_FORWARD_ALL_LOGITS) != 0)
    out->n_logit_rows = out->n_positions;
  else if ((pass->flags & CW_FORWARD_LAST_LOGITS) != 0)
    out->n_logit_rows = 1;
  pass->n_q = config->n_heads * config->head_width;
  pass->n_kv = config->n_kv_heads * config->head_width;
  pass->out = out;
  bool is_done = run_layers(pass, tokens, cancel);
  cwk_memory_free(pass->device, pass->arena);
  return is_done ? g_steal_pointer(&out) : NULL;
}

/* One prompt, behind what the cache (may be NULL) holds. */
static CwForward *
run_prompt(Pass *pass, CwModel *model, const int32_t *tokens, size_t n_tokens, CwCancel *cancel)
{
  int64_t n_before = pass->cache != NULL ? pass->cache->n_positions : 0;
  if (!cw_forward_check_tokens(model, tokens, n_tokens, n_before, pass->error) ||
      !check_pass(model, pass->device, pass->flags, pass->error))
    return NULL;
  pass->model = model;
  pass->config = &model->plan->config;
  pass->n = (int64_t)n_tokens;
  pass->first_position = n_before;
  pass->lengths = &n_tokens;
  pass->n_windows = 1;
  return run_pass(pass, tokens, cancel);
}

CwForward *
cw_forward_run(CwModel *model, CwkDevice *device, const int32_t *tokens, size_t n_tokens,
               CwForwardFlags flags, CwKeyValueCache *cache, CwCancel *cancel, GError **error)
{
  Pass pass = { .device = device, .flags = flags, .cache = cache, .error = error };
  CwForward *out = run_prompt(&pass, model, tokens, n_tokens, cancel);
  if (out != NULL && cache != NULL)
    cache->n_positions += (int64_t)n_tokens;
  return out;
}

CwForward *
cw_forward_run_windows(CwModel *model, CwkDevice *device, const int32_t *tokens,
                       const size_t *lengths, size_t n_windows, CwForwardFlags flags,
                       CwCancel *cancel, GError **error)
{
  size_t n_tokens = 0;
  for (size_t i = 0; i < n_windows; n_tokens += lengths[i++])
    if (!cw_forward_check_tokens(model, tokens + n_tokens, lengths[i], 0, error))
      return NULL;
  if (!check_pass(model, device, flags, error))
    return NULL;
  Pass pass = { .model = model,
                .config = &model->plan->config,
                .device = device,
                .flags = flags &
                         ~(CW_FORWARD_FROZEN | CW_FORWARD_LAST_LOGITS | CW_FORWARD_ALL_LOGITS),
                .n = (int64_t)n_tokens,
                .lengths = lengths,
                .n_windows = n_windows,
                .error = error };
  return run_pass(&pass, tokens, cancel);
}

CwForward *
cw_forward_run_replaced(CwModel *model, CwkDevice *device, const int32_t *tokens,
                        size_t n_tokens, CwForwardFlags flags,
                        const CwMlpReplacement *replacement, CwCancel *cancel, GError **error)
{
  Pass pass = { .device = device, .flags = flags, .replacement = replacement, .error = error };
  return run_prompt(&pass, model, tokens, n_tokens, cancel);
}

CwForward *
cw_model_forward(CwModel *model, CwkDevice *device, const int32_t *tokens, size_t n_tokens,
                 CwForwardFlags flags, CwCancel *cancel, GError **error)
{
  return cw_forward_run(model, device, tokens, n_tokens, flags, NULL, cancel, error);
}
