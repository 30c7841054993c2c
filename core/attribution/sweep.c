/* sweep.c - reverse sweeps, the heart of attribution.
 *
 * With attention patterns, normalisation scales and MLP outputs frozen, a target's value is a
 * linear function of everything written to the residual stream. Its adjoint G[p] (one vector of
 * D for each position p <= the target's) is carried from the target's layer down:
 *
 *   g      = out^T(G)                          what the output hook of layer l receives
 *   edges += g[p] . a_s W_dec[s -> l]          features s writing there, errors, rest
 *   G     += in^T(skip^T(g))                   transcoders with a skip connection
 *   G     += ln1^T(sum_h P_h^T (ln1post^T(G) W_O,h^T) W_V,h^T)
 *
 * and at the bottom the tokens read G[p] . W_E. Targets join at their own layer and position,
 * so a batch of any mixture shares one product per layer and weight, over positions 0..c only
 * (the causal cone). Decoder rows are read and decoded once a batch, so a batch holds many
 * rows: ROWS_OF_LONGEST at the last position, as far as its stream stays within
 * MAX_STREAM_BYTES. What runs between two looks at the cancel flag is smaller, a slab of rows
 * or some positions' features, so that a cancel answers within 0.2 s whatever the size of the
 * batch.
 *
 * Rejected: one sweep per target (memory-bound), forward propagation of sources (the same work,
 * but it cannot stop at max_feature_nodes), a dense position x position Jacobian per layer. */
#include "attribution/sweep.h"

#include <math.h>
#include <string.h>

#define MIN_POSITIONS    16384
#define ROWS_OF_LONGEST  128
#define MAX_STREAM_BYTES (256 << 20)
#define SLAB_POSITIONS   2048
#define FLOP_A_LOOK      2e9

struct _CwSweep {
  const CwReplacement *replacement;
  GPtrArray *logit_vectors;                                /* float *, [D] */
  GArray *logit_constants;                                 /* double */
  int64_t capacity, slab_capacity;                         /* positions */
  float *stream, *mixed, *heads, *values, *skip_in, *dots; /* G, U or g, Z, Y, ... */
  int32_t *position_of;                                    /* [capacity] */
  int64_t *list_a, *list_b, *list_out;                     /* [capacity] gathers for row dots */
  const void **decoder_rows;                               /* [K] */
  float *decoder_scales;                                   /* [K] */
  double flop;
  const CwProgress *progress;
  int64_t n_rows, n_rows_done;
};

/* A batch under way: rows sorted by falling layer; those of layers > l are live at layer l. */
typedef struct {
  CwSweep *sweep;
  CwRowStore *store;
  CwRow *rows; /* [n], in the store */
  size_t n;
  int64_t *first;  /* [n + 1] positions before row i */
  int32_t *counts; /* [n] positions of row i */
  int64_t *offset; /* [n] positions of its slab before row i */
  float *chunk;    /* values of rows[0] */
  /* Once this is up, loops end where they are: run_layers sees it too and discards the pass. */
  const CwCancel *cancel;
} Pass;

/* Rows [from, to) of a batch and their positions. */
typedef struct {
  size_t from, to;
  int64_t first, n;
} Slab;

/* ---- making and freeing --------------------------------------------------------------------
 */

static bool
allocate(CwSweep *sweep)
{
  const CwReplacement *replacement = sweep->replacement;
  const CwModelConfig *config = replacement->config;
  int64_t T = replacement->n_positions;
  int64_t most = MAX_STREAM_BYTES / (config->width * (int64_t)sizeof(float));
  sweep->capacity = MAX(MIN(MAX(ROWS_OF_LONGEST * T, MIN_POSITIONS), most), T);
  sweep->slab_capacity = MAX(SLAB_POSITIONS, T);
  size_t n = (size_t)sweep->capacity, n_slab = (size_t)sweep->slab_capacity;
  size_t D = (size_t)config->width, K = (size_t)MAX(replacement->n_active, 1);
  sweep->stream = g_try_new(float, n *D);
  sweep->mixed = g_try_new(float, n *D);
  sweep->heads = g_try_new(float, n_slab *(size_t)(config->n_heads * config->head_width));
  sweep->values = g_try_new(float, n_slab *(size_t)(config->n_kv_heads * config->head_width));
  sweep->skip_in = replacement->dictionary->has_skip ? g_try_new(float, n *D) : sweep->stream;
  sweep->dots = g_try_new(float, n);
  sweep->position_of = g_try_new(int32_t, n);
  sweep->list_a = g_try_new(int64_t, n);
  sweep->list_b = g_try_new(int64_t, n);
  sweep->list_out = g_try_new(int64_t, n);
  sweep->decoder_rows = g_try_new(const void *, K);
  sweep->decoder_scales = g_try_new(float, K);
  return sweep->stream != NULL && sweep->mixed != NULL && sweep->heads != NULL &&
         sweep->values != NULL && sweep->skip_in != NULL && sweep->dots != NULL &&
         sweep->position_of != NULL && sweep->list_a != NULL && sweep->list_b != NULL &&
         sweep->list_out != NULL && sweep->decoder_rows != NULL &&
         sweep->decoder_scales != NULL;
}

CwSweep *
cw_sweep_new(const CwReplacement *replacement, GError **error)
{
  g_autoptr(CwSweep) sweep = g_new0(CwSweep, 1);
  sweep->replacement = replacement;
  sweep->logit_vectors = g_ptr_array_new_with_free_func(g_free);
  sweep->logit_constants = g_array_new(FALSE, FALSE, sizeof(double));
  if (!allocate(sweep)) {
    cw_error_set_from_status(error, CWK_NO_MEMORY, "preparing attribution");
    return NULL;
  }
  return g_steal_pointer(&sweep);
}

void
cw_sweep_free(CwSweep *sweep)
{
  if (sweep == NULL)
    return;
  g_ptr_array_unref(sweep->logit_vectors);
  g_array_unref(sweep->logit_constants);
  if (sweep->skip_in != sweep->stream)
    g_free(sweep->skip_in);
  g_free(sweep->stream);
  g_free(sweep->mixed);
  g_free(sweep->heads);
  g_free(sweep->values);
  g_free(sweep->dots);
  g_free(sweep->position_of);
  g_free(sweep->list_a);
  g_free(sweep->list_b);
  g_free(sweep->list_out);
  g_free(sweep->decoder_rows);
  g_free(sweep->decoder_scales);
  g_free(sweep);
}

int64_t
cw_sweep_add_logit(CwSweep *sweep, float *u, double constant)
{
  g_ptr_array_add(sweep->logit_vectors, u);
  g_array_append_val(sweep->logit_constants, constant);
  return (int64_t)sweep->logit_vectors->len - 1;
}

void
cw_sweep_watch(CwSweep *sweep, const CwProgress *progress, int64_t n_rows)
{
  sweep->progress = progress;
  sweep->n_rows = n_rows;
  cw_progress_report(progress, "rows", (double)sweep->n_rows_done / (double)n_rows);
}

double
cw_sweep_get_flop(const CwSweep *sweep)
{
  return sweep->flop;
}

/* ---- small steps ---------------------------------------------------------------------------
 */

/* Live rows at layer l are rows[0 .. n_live); their positions are the first first[n_live]. */
static size_t
count_live(const Pass *pass, int64_t above)
{
  size_t n = 0;
  while (n < pass->n && pass->rows[n].layer > above)
    n++;
  return n;
}

static Slab
slab_of(const Pass *pass, size_t from, size_t to)
{
  return (Slab){ from, to, pass->first[from], pass->first[to] - pass->first[from] };
}

/* The next rows from `from` on that a slab holds; at least one, fewer than n_rows - from. */
static Slab
next_slab(const Pass *pass, size_t from, size_t n_rows)
{
  size_t to = from + 1;
  while (to < n_rows && pass->first[to + 1] - pass->first[from] <= pass->sweep->slab_capacity)
    to++;
  return slab_of(pass, from, to);
}

/* y (+)= x . W^T for a linear map W as stored: its adjoint. */
static CwkStatus
multiply_adjoint(CwSweep *sweep, const CwLinear *linear, const float *x, int64_t n_rows,
                 float *out, bool accumulate)
{
  bool outputs = linear->layout == CWK_B_ROWS_ARE_OUTPUTS;
  int64_t n_in = outputs ? linear->rows.n_cols : linear->rows.n_rows;
  int64_t n_out = outputs ? linear->rows.n_rows : linear->rows.n_cols;
  CwkMatmulArgs product = {
    .m = n_rows,
    .n = n_in,
    .k = n_out,
    .a = { (float *)x, n_out, NULL },
    .b = linear->rows,
    .b_layout = outputs ? CWK_B_ROWS_ARE_INPUTS : CWK_B_ROWS_ARE_OUTPUTS,
    .c = { out, n_in, NULL },
    .accumulate = accumulate,
  };
  sweep->flop += 2.0 * (double)n_rows * (double)n_in * (double)n_out;
  return cwk_matmul(sweep->replacement->device, &product);
}

static CwkStatus
norm_adjoint(CwSweep *sweep, const float *x, const int32_t *positions, int64_t n_rows,
             const float *weight, const float *scale, float *out, bool accumulate)
{
  CwkNormAdjointArgs args = {
    .n_rows = n_rows,
    .n_cols = sweep->replacement->width,
    .x = x,
    .is_layer_norm = sweep->replacement->config->is_layer_norm,
    .weight = weight,
    .scale = scale,
    .index = positions,
    .out = out,
    .accumulate = accumulate,
  };
  return cwk_norm_adjoint(sweep->replacement->device, &args);
}

/* Adds to the rest of every row of a slab the dot of each of its vectors with `table`: by
 * position ([T, width]) or, with by_position false, one vector for all. */
static CwkStatus
add_rest(Pass *pass, const Slab *slab, const float *vectors, int64_t width, const float *table,
         bool by_position)
{
  CwSweep *sweep = pass->sweep;
  for (int64_t i = 0; i < slab->n; i++)
    sweep->list_b[i] = by_position ? sweep->position_of[slab->first + i] : 0;
  memset(sweep->dots, 0, (size_t)slab->n * sizeof *sweep->dots);
  CwkRowDotsArgs dots = { slab->n,
                          width,
                          { (float *)vectors, width, NULL },
                          { (float *)table, width, sweep->list_b },
                          sweep->dots,
                          NULL };
  CwkStatus status = cwk_row_dots(sweep->replacement->device, &dots);
  if (status != CWK_OK)
    return status;
  for (size_t r = slab->from; r < slab->to; r++)
    for (int64_t i = pass->first[r]; i < pass->first[r + 1]; i++)
      pass->rows[r].rest += (double)sweep->dots[i - slab->first];
  return CWK_OK;
}

/* ---- scoring at layer l
 * ---------------------------------------------------------------------- */

/* The product of the features at position c that write to layer l: every live row that reaches
 * the position against every decoder row there. *used: of the lists. */
static CwkMatmulArgs
position_product(Pass *pass, int64_t l, int64_t c, size_t n_live, const float *g, int64_t *used)
{
  CwSweep *sweep = pass->sweep;
  const CwReplacement *replacement = sweep->replacement;
  int64_t column, D = replacement->width;
  int64_t end = cw_replacement_writers(replacement, c, l, &column);
  int64_t in_block = column - replacement->cell_start[c * replacement->n_layers];
  int64_t m = 0, *a = sweep->list_a + *used, *out = sweep->list_out + *used;
  for (size_t r = 0; end > column && r < n_live; r++)
    if (pass->rows[r].position >= c) {
      a[m] = pass->first[r] + c;
      out[m] = pass->rows[r].values - pass->chunk +
               cw_row_store_block(pass->store, pass->rows[r].layer, c) + in_block;
      m++;
    }
  *used += m;
  return (CwkMatmulArgs){
    .m = m,
    .n = end - column,
    .k = D,
    .a = { (float *)g, D, a },
    .b = { NULL, replacement->decoder_dtype, end - column, D, 0, sweep->decoder_rows + column,
           sweep->decoder_scales + column },
    .b_layout = CWK_B_ROWS_ARE_OUTPUTS,
    .c = { pass->chunk, 1, out },
    .accumulate = true,
  };
}

/* Features that write to layer l, some positions at a time. */
static CwkStatus
score_features(Pass *pass, int64_t l, size_t n_live, const float *g)
{
  CwSweep *sweep = pass->sweep;
  const CwReplacement *replacement = sweep->replacement;
  int64_t T = replacement->n_positions;
  g_autofree CwkMatmulArgs *products = g_try_new(CwkMatmulArgs, (gsize)T);
  if (products == NULL)
    return CWK_NO_MEMORY;
  CwkStatus status = CWK_OK;
  cw_replacement_decoder_rows(replacement, l, sweep->decoder_rows, sweep->decoder_scales);
  for (int64_t c = 0; c < T && status == CWK_OK && !cw_cancel_is_triggered(pass->cancel);) {
    int64_t n_products = 0, used = 0;
    double flop = 0;
    for (; c < T && flop < FLOP_A_LOOK; c++) {
      CwkMatmulArgs product = position_product(pass, l, c, n_live, g, &used);
      flop += 2.0 * (double)product.m * (double)product.n * (double)product.k;
      if (product.m > 0 && product.n > 0)
        products[n_products++] = product;
    }
    CwkMatmulBatchArgs batch = { n_products, products };
    sweep->flop += flop;
    status = cwk_matmul_batch(replacement->device, &batch);
  }
  return status;
}

static CwkStatus
score_errors(Pass *pass, int64_t l, size_t n_live, const float *g)
{
  CwSweep *sweep = pass->sweep;
  const CwReplacement *replacement = sweep->replacement;
  int64_t D = replacement->width, n = 0;
  for (size_t r = 0; r < n_live; r++)
    for (int64_t c = 0; c <= pass->rows[r].position; c++) {
      if (replacement->is_zeroed[c])
        continue;
      sweep->list_a[n] = pass->first[r] + c;
      sweep->list_b[n] = c;
      sweep->list_out[n] = pass->rows[r].values - pass->chunk +
                           cw_row_store_error(pass->store, pass->rows[r].layer, l, c);
      n++;
    }
  float *error = replacement->error + l * replacement->n_positions * D;
  CwkRowDotsArgs dots = { n,
                          D,
                          { (float *)g, D, sweep->list_a },
                          { error, D, sweep->list_b },
                          pass->chunk,
                          sweep->list_out };
  return cwk_row_dots(replacement->device, &dots);
}

static CwkStatus
score_tokens(Pass *pass)
{
  CwSweep *sweep = pass->sweep;
  const CwReplacement *replacement = sweep->replacement;
  int64_t D = replacement->width, n = pass->first[pass->n];
  for (size_t r = 0; r < pass->n; r++)
    for (int64_t c = 0; c <= pass->rows[r].position; c++) {
      int64_t i = pass->first[r] + c;
      sweep->list_b[i] = c;
      sweep->list_out[i] = pass->rows[r].values - pass->chunk +
                           cw_row_store_token(pass->store, pass->rows[r].layer, c);
    }
  CwkRowDotsArgs dots = { n,
                          D,
                          { sweep->stream, D, NULL },
                          { replacement->forward->embedding, D, sweep->list_b },
                          pass->chunk,
                          sweep->list_out };
  CwkStatus status = cwk_row_dots(replacement->device, &dots);
  const float *positions = cw_model_peek_positions(replacement->model);
  Slab all = slab_of(pass, 0, pass->n);
  if (status == CWK_OK && positions != NULL)
    status = add_rest(pass, &all, sweep->stream, D, positions, true);
  return status;
}

/* ---- the layers
 * --------------------------------------------------------------------------------- */

static bool
is_raw_output(const CwReplacement *replacement)
{
  return replacement->dictionary->output_hook == CW_OUTPUT_MLP_RAW &&
         replacement->config->has_post_norms;
}

/* The feature input's adjoint: from a vector there to the residual stream before the MLP. */
static CwkStatus
input_adjoint(CwSweep *sweep, int64_t l, const float *x, const int32_t *positions,
              int64_t n_rows, float *out, bool accumulate)
{
  const CwReplacement *replacement = sweep->replacement;
  const CwLayer *layer = cw_model_peek_layer(replacement->model, l);
  const float *scale = replacement->forward->ln2_scale + l * replacement->n_positions;
  switch (replacement->dictionary->input_hook) {
  case CW_INPUT_RESID_MID:
    for (int64_t i = 0; i < n_rows * replacement->width; i++)
      out[i] = accumulate ? out[i] + x[i] : x[i];
    return CWK_OK;
  case CW_INPUT_NORMALISED:
    return norm_adjoint(sweep, x, positions, n_rows, NULL, scale, out, accumulate);
  case CW_INPUT_NORMALISED_AFFINE:
  case CW_INPUT_MLP_IN:
  default:
    return norm_adjoint(sweep, x, positions, n_rows, layer->ln2_weight, scale, out, accumulate);
  }
}

/* Rows above layer l read its MLP output: features, errors, rest, and the skip path. */
static CwkStatus
pass_mlp(Pass *pass, int64_t l, size_t n_live)
{
  CwSweep *sweep = pass->sweep;
  const CwReplacement *replacement = sweep->replacement;
  int64_t T = replacement->n_positions, D = replacement->width;
  Slab live = slab_of(pass, 0, n_live);
  const CwLayer *layer = cw_model_peek_layer(replacement->model, l);
  const float *g = sweep->stream;
  CwkStatus status = CWK_OK;
  if (is_raw_output(replacement)) {
    status =
        norm_adjoint(sweep, sweep->stream, sweep->position_of, live.n, layer->ln2_post_weight,
                     replacement->forward->ln2_post_scale + l * T, sweep->mixed, false);
    g = sweep->mixed;
  }
  if (status == CWK_OK)
    status = score_features(pass, l, n_live, g);
  if (status == CWK_OK && !cw_cancel_is_triggered(pass->cancel))
    status = score_errors(pass, l, n_live, g);
  if (status == CWK_OK && !cw_cancel_is_triggered(pass->cancel))
    status = add_rest(pass, &live, g, D, replacement->rest + l * T * D, true);
  const CwLinear *skip = cw_transcoder_peek_skip(replacement->transcoder, l);
  if (status == CWK_OK && skip != NULL)
    status = multiply_adjoint(sweep, skip, g, live.n, sweep->skip_in, false);
  if (status == CWK_OK && skip != NULL)
    status = input_adjoint(sweep, l, sweep->skip_in, sweep->position_of, live.n, sweep->stream,
                           true);
  return status;
}

/* Constant parts of what attention reads: the value bias, and the norm's bias through W_V. */
static CwkStatus
add_value_biases(Pass *pass, const CwLayer *layer, const Slab *slab)
{
  CwSweep *sweep = pass->sweep;
  const CwModelConfig *config = sweep->replacement->config;
  CwkStatus status = CWK_OK;
  if (layer->v.bias != NULL)
    status = add_rest(pass, slab, sweep->values, config->n_kv_heads * config->head_width,
                      layer->v.bias, false);
  if (status == CWK_OK && layer->ln1_bias != NULL)
    status = add_rest(pass, slab, sweep->mixed, config->width, layer->ln1_bias, false);
  return status;
}

/* heads to values: the patterns' adjoint. */
static CwkStatus
mix_adjoint(Pass *pass, int64_t l, const Slab *slab)
{
  CwSweep *sweep = pass->sweep;
  const CwReplacement *replacement = sweep->replacement;
  const CwModelConfig *config = replacement->config;
  int64_t T = replacement->n_positions;
  for (size_t r = slab->from; r < slab->to; r++)
    pass->offset[r] = pass->first[r] - slab->first;
  CwkAttentionAdjointArgs mix = {
    .n_rows = (int64_t)(slab->to - slab->from),
    .n_positions = pass->counts + slab->from,
    .first = pass->offset + slab->from,
    .n_heads = config->n_heads,
    .n_kv_heads = config->n_kv_heads,
    .head_width = config->head_width,
    .pattern = replacement->forward->pattern + l * config->n_heads * T * T,
    .pattern_t = T,
    .z = sweep->heads,
    .out = sweep->values,
  };
  return cwk_attention_adjoint(replacement->device, &mix);
}

static CwkStatus
pass_attention_slab(Pass *pass, int64_t l, const Slab *slab)
{
  CwSweep *sweep = pass->sweep;
  const CwReplacement *replacement = sweep->replacement;
  const CwLayer *layer = cw_model_peek_layer(replacement->model, l);
  int64_t T = replacement->n_positions, D = replacement->width;
  float *stream = sweep->stream + slab->first * D;
  const float *into = stream;
  const int32_t *positions = sweep->position_of + slab->first;
  CwkStatus status = CWK_OK;
  if (layer->ln1_post_weight != NULL) {
    status = norm_adjoint(sweep, stream, positions, slab->n, layer->ln1_post_weight,
                          replacement->forward->ln1_post_scale + l * T, sweep->mixed, false);
    into = sweep->mixed;
  }
  if (status == CWK_OK)
    status = multiply_adjoint(sweep, &layer->o, into, slab->n, sweep->heads, false);
  if (status == CWK_OK && layer->o.bias != NULL)
    status = add_rest(pass, slab, into, D, layer->o.bias, false);
  if (status == CWK_OK)
    status = mix_adjoint(pass, l, slab);
  if (status == CWK_OK)
    status = multiply_adjoint(sweep, &layer->v, sweep->values, slab->n, sweep->mixed, false);
  if (status == CWK_OK)
    status = add_value_biases(pass, layer, slab);
  if (status == CWK_OK)
    status = norm_adjoint(sweep, sweep->mixed, positions, slab->n, layer->ln1_weight,
                          replacement->forward->ln1_scale + l * T, stream, true);
  return status;
}

static CwkStatus
pass_attention(Pass *pass, int64_t l, size_t n_rows)
{
  CwkStatus status = CWK_OK;
  for (size_t from = 0;
       from < n_rows && status == CWK_OK && !cw_cancel_is_triggered(pass->cancel);) {
    Slab slab = next_slab(pass, from, n_rows);
    status = pass_attention_slab(pass, l, &slab);
    from = slab.to;
  }
  return status;
}

/* Features of layer l join: their encoder rows, pulled back to the residual stream, stand at
 * their position; all other positions are 0. Logits have l = L and join above the last layer.
 */
static CwkStatus
inject(Pass *pass, int64_t l, size_t from, size_t to)
{
  CwSweep *sweep = pass->sweep;
  const CwReplacement *replacement = sweep->replacement;
  int64_t D = replacement->width, n = (int64_t)(to - from);
  if (n == 0)
    return CWK_OK;
  const CwkRows *encoder = cw_transcoder_peek_encoder(replacement->transcoder, l);
  g_autofree const void **rows = g_try_new(const void *, (gsize)n);
  g_autofree float *scales = g_try_new(float, (gsize)n);
  g_autofree int32_t *positions = g_try_new(int32_t, (gsize)n);
  if (rows == NULL || scales == NULL || positions == NULL)
    return CWK_NO_MEMORY;
  memset(sweep->stream + pass->first[from] * D, 0,
         (size_t)((pass->first[to] - pass->first[from]) * D) * sizeof(float));
  const float *encoder_bias = cw_transcoder_peek_encoder_bias(replacement->transcoder, l);
  for (int64_t i = 0; i < n; i++) {
    CwRow *row = &pass->rows[from + (size_t)i];
    int64_t f = replacement->active_feature[row->active];
    rows[i] = encoder->row_list != NULL
                  ? encoder->row_list[f]
                  : (const char *)encoder->data + (size_t)f * encoder->row_bytes;
    scales[i] = encoder->scales != NULL ? encoder->scales[f] : 1;
    positions[i] = row->position;
    row->rest += (double)encoder_bias[f];
  }
  CwkDequantiseArgs decode = { { NULL, encoder->dtype, n, D, 0, rows, scales }, sweep->mixed };
  CwkStatus status = cwk_dequantise(replacement->device, &decode);
  const CwLayer *layer = cw_model_peek_layer(replacement->model, l);
  bool is_affine = replacement->dictionary->input_hook == CW_INPUT_MLP_IN ||
                   replacement->dictionary->input_hook == CW_INPUT_NORMALISED_AFFINE;
  if (status == CWK_OK && is_affine && layer->ln2_bias != NULL)
    for (int64_t i = 0; i < n; i++)
      for (int64_t d = 0; d < D; d++)
        pass->rows[from + (size_t)i].rest +=
            (double)sweep->mixed[i * D + d] * (double)layer->ln2_bias[d];
  if (status == CWK_OK)
    status = input_adjoint(sweep, l, sweep->mixed, positions, n, sweep->mixed, false);
  for (int64_t i = 0; status == CWK_OK && i < n; i++)
    memcpy(sweep->stream + (pass->first[from + (size_t)i + 1] - 1) * D, sweep->mixed + i * D,
           (size_t)D * sizeof(float));
  return status;
}

static CwkStatus
inject_logits(Pass *pass, size_t n)
{
  CwSweep *sweep = pass->sweep;
  const CwReplacement *replacement = sweep->replacement;
  int64_t D = replacement->width;
  const float *bias = cw_model_peek_final_norm_bias(replacement->model);
  memset(sweep->stream, 0, (size_t)(pass->first[n] * D) * sizeof(float));
  CwkStatus status = CWK_OK;
  for (size_t r = 0; r < n && status == CWK_OK; r++) {
    int64_t number = -1 - pass->rows[r].active;
    const float *u = g_ptr_array_index(sweep->logit_vectors, number);
    pass->rows[r].rest += g_array_index(sweep->logit_constants, double, number);
    for (int64_t d = 0; bias != NULL && d < D; d++)
      pass->rows[r].rest += (double)u[d] * (double)bias[d];
    status = norm_adjoint(sweep, u, &pass->rows[r].position, 1,
                          cw_model_peek_final_norm_weight(replacement->model),
                          replacement->forward->final_scale,
                          sweep->stream + (pass->first[r + 1] - 1) * D, false);
  }
  return status;
}

/* ---- a batch
 * -------------------------------------------------------------------------------------- */

static bool
run_layers(Pass *pass, GError **error)
{
  int64_t L = pass->sweep->replacement->n_layers;
  size_t n_live = count_live(pass, L - 1);
  CwkStatus status = inject_logits(pass, n_live);
  for (int64_t l = L - 1; l >= 0 && status == CWK_OK; l--) {
    if (cw_cancel_check(pass->cancel, error))
      return false;
    if (n_live > 0)
      status = pass_mlp(pass, l, n_live);
    size_t n_joined = count_live(pass, l - 1);
    if (cw_cancel_check(pass->cancel, error))
      return false;
    if (status == CWK_OK)
      status = inject(pass, l, n_live, n_joined);
    n_live = n_joined;
    if (status == CWK_OK && n_live > 0)
      status = pass_attention(pass, l, n_live);
  }
  if (status == CWK_OK)
    status = score_tokens(pass);
  if (cw_cancel_check(pass->cancel, error))
    return false;
  if (status == CWK_OK)
    return true;
  cw_error_set_from_status(error, status, "computing attribution rows");
  return false;
}

static void
sum_magnitudes(Pass *pass)
{
  for (size_t r = 0; r < pass->n; r++) {
    CwRow *row = &pass->rows[r];
    int64_t n = cw_row_store_length(pass->store, row->layer, row->position);
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
      sum += fabs((double)row->values[i]);
    row->sum_abs = sum;
  }
}

static bool
run_batch(CwSweep *sweep, CwRowStore *store, const CwRow *rows, size_t n, CwCancel *cancel,
          GError **error)
{
  size_t first_row;
  g_autofree int64_t *first = g_try_new(int64_t, n + 1), *offset = g_try_new(int64_t, n);
  g_autofree int32_t *counts = g_try_new(int32_t, n);
  if (first == NULL || offset == NULL || counts == NULL) {
    cw_error_set_from_status(error, CWK_NO_MEMORY, "tracing rows");
    return false;
  }
  if (!cw_row_store_append(store, rows, n, &first_row, error))
    return false;
  Pass pass = {
    .sweep = sweep,
    .store = store,
    .rows = &g_array_index(store->rows, CwRow, first_row),
    .n = n,
    .first = first,
    .counts = counts,
    .offset = offset,
    .cancel = cancel,
  };
  pass.chunk = pass.rows[0].values;
  first[0] = 0;
  for (size_t r = 0; r < n; r++) {
    counts[r] = rows[r].position + 1;
    first[r + 1] = first[r] + counts[r];
    for (int32_t c = 0; c < counts[r]; c++)
      sweep->position_of[first[r] + c] = c;
  }
  if (!run_layers(&pass, error))
    return false;
  sum_magnitudes(&pass);
  sweep->n_rows_done += (int64_t)n;
  cw_progress_report(sweep->progress, "rows",
                     (double)sweep->n_rows_done / (double)MAX(sweep->n_rows, 1));
  return true;
}

static int
compare_rows(const void *a, const void *b)
{
  const CwRow *x = a, *y = b;
  if (x->layer != y->layer)
    return x->layer < y->layer ? 1 : -1;
  if (x->position != y->position)
    return x->position < y->position ? 1 : -1;
  return (x->active > y->active) - (x->active < y->active);
}

bool
cw_sweep_run(CwSweep *sweep, CwRowStore *store, const CwRow *rows, size_t n, CwCancel *cancel,
             GError **error)
{
  if (n == 0)
    return true;
  g_autofree CwRow *sorted = g_try_new(CwRow, n);
  if (sorted == NULL) {
    cw_error_set_from_status(error, CWK_NO_MEMORY, "tracing rows");
    return false;
  }
  memcpy(sorted, rows, n * sizeof *rows);
  qsort(sorted, n, sizeof *sorted, compare_rows);
  for (size_t from = 0; from < n;) {
    int64_t positions = 0;
    size_t to = from;
    while (to < n && (to == from || positions + sorted[to].position + 1 <= sweep->capacity))
      positions += sorted[to++].position + 1;
    if (!run_batch(sweep, store, sorted + from, to - from, cancel, error))
      return false;
    from = to;
  }
  return true;
}
