/* backend.c - devices and the shared entry of every op.
 *
 * Shapes are checked here, once, whatever the device; bodies trust their arguments. */
#include "kernels-private.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

const char *
cwk_status_text(CwkStatus status)
{
  switch (status) {
  case CWK_OK:
    return "done";
  case CWK_SHAPE:
    return "sizes that do not fit together";
  case CWK_NO_MEMORY:
    return "not enough memory";
  case CWK_UNSUPPORTED:
    return "this device has no such operation";
  case CWK_DEVICE:
    return "the device reported a failure";
  }
  return "unknown status";
}

CwkDeviceKind
cwk_device_kind(const CwkDevice *device)
{
  return device->kind;
}

int
cwk_device_n_threads(const CwkDevice *device)
{
  return device->pool != NULL ? cwk_pool_n_threads(device->pool) : 1;
}

const char *
cwk_device_name(const CwkDevice *device)
{
  return device->name;
}

void
cwk_device_free(CwkDevice *device)
{
  if (device == NULL)
    return;
  void *module = device->module;
  device->table->close(device);
  free(device);
  if (module != NULL)
    dlclose(module);
}

CwkStatus
cwk_memory_alloc(CwkDevice *device, size_t n_bytes, void **memory)
{
  return device->table->memory_alloc(device, n_bytes, memory);
}

void
cwk_memory_free(CwkDevice *device, void *memory)
{
  if (memory != NULL)
    device->table->memory_free(device, memory);
}

CwkStatus
cwk_memory_upload(CwkDevice *device, void *to, const void *from_host, size_t n_bytes)
{
  return device->table->memory_upload(device, to, from_host, n_bytes);
}

CwkStatus
cwk_memory_download(CwkDevice *device, void *to_host, const void *from, size_t n_bytes)
{
  return device->table->memory_download(device, to_host, from, n_bytes);
}

void
cwk_parallel_for(CwkDevice *device, int64_t n_items, CwkTask task, void *data)
{
  if (device->pool != NULL)
    cwk_pool_run(device->pool, n_items, task, data);
  else
    for (int64_t i = 0; i < n_items; i++)
      task(data, i);
}

/* ---- shape checks ---------------------------------------------------------------------- */

static bool
rows_are_valid(const CwkRows *rows, int64_t n_rows, int64_t n_cols)
{
  if (rows->n_rows != n_rows || rows->n_cols != n_cols || rows->dtype >= CWK_N_DTYPES)
    return false;
  size_t row_bytes = cwk_dtype_row_bytes(rows->dtype, n_cols);
  if (row_bytes == 0 && n_cols > 0)
    return false;
  if (n_rows == 0 || rows->row_list != NULL)
    return true;
  return rows->data != NULL && rows->row_bytes >= row_bytes;
}

static bool
matmul_is_valid(const CwkMatmulArgs *args)
{
  if (args->m < 0 || args->n < 0 || args->k < 0)
    return false;
  bool outputs = args->b_layout == CWK_B_ROWS_ARE_OUTPUTS;
  if (!rows_are_valid(&args->b, outputs ? args->n : args->k, outputs ? args->k : args->n))
    return false;
  if (args->m == 0 || args->n == 0)
    return true;
  return args->c.data != NULL && (args->k == 0 || args->a.data != NULL);
}

static bool
matmul_batch_is_valid(const CwkMatmulBatchArgs *args)
{
  for (int64_t i = 0; i < args->n_products; i++)
    if (!matmul_is_valid(&args->products[i]))
      return false;
  return args->n_products >= 0;
}

bool
cwk_has_int8(const CwkDevice *device, CwkDtype dtype)
{
  return device->kind == CWK_DEVICE_CPU && dtype < CWK_N_DTYPES &&
         cwk_cpu_has_int8(device, dtype);
}

static bool
matmul_int8_is_valid(const CwkMatmulBatchArgs *args)
{
  if (!matmul_batch_is_valid(args))
    return false;
  for (int64_t i = 0; i < args->n_products; i++)
    if (args->products[i].b_layout != CWK_B_ROWS_ARE_OUTPUTS)
      return false;
  return true;
}

static bool
row_dots_is_valid(const CwkRowDotsArgs *args)
{
  return args->n >= 0 && args->k >= 0 &&
         (args->n == 0 || (args->a.data != NULL && args->b.data != NULL && args->out != NULL));
}

static bool
norm_adjoint_is_valid(const CwkNormAdjointArgs *args)
{
  if (args->accumulate && args->out == args->x)
    return false;
  return args->n_rows >= 0 && args->n_cols > 0 &&
         (args->n_rows == 0 ||
          (args->x != NULL && args->out != NULL && args->scale != NULL && args->index != NULL));
}

static bool
dequantise_is_valid(const CwkDequantiseArgs *args)
{
  return rows_are_valid(&args->rows, args->rows.n_rows, args->rows.n_cols) &&
         (args->rows.n_rows == 0 || args->out != NULL);
}

static bool
norm_is_valid(const CwkNormArgs *args)
{
  return args->n_rows >= 0 && args->n_cols > 0 && (args->n_rows == 0 || args->x != NULL);
}

static bool
rope_is_valid(const CwkRopeArgs *args)
{
  return args->n_positions >= 0 && args->n_rotary % 2 == 0 &&
         args->n_rotary <= args->head_width && args->inverse_frequency != NULL &&
         args->x != NULL;
}

static bool
heads_are_valid(int64_t n_heads, int64_t n_kv_heads, int64_t head_width)
{
  return n_heads > 0 && n_kv_heads > 0 && head_width > 0 && n_heads % n_kv_heads == 0;
}

static bool
attention_is_valid(const CwkAttentionArgs *args)
{
  return heads_are_valid(args->n_heads, args->n_kv_heads, args->head_width) &&
         args->n_queries >= 0 && args->n_keys >= args->n_queries && args->window >= 0 &&
         args->q != NULL && args->k != NULL && args->v != NULL && args->out != NULL;
}

static bool
attention_pattern_is_valid(const CwkAttentionPatternArgs *args)
{
  return heads_are_valid(args->n_heads, args->n_kv_heads, args->head_width) &&
         args->n_keys >= args->n_queries && args->q != NULL && args->k != NULL &&
         args->pattern != NULL;
}

static bool
attention_mix_is_valid(const CwkAttentionMixArgs *args)
{
  return heads_are_valid(args->n_heads, args->n_kv_heads, args->head_width) &&
         args->n_keys >= args->n_queries && args->pattern != NULL && args->v != NULL &&
         args->out != NULL;
}

static bool
attention_adjoint_is_valid(const CwkAttentionAdjointArgs *args)
{
  if (!heads_are_valid(args->n_heads, args->n_kv_heads, args->head_width) || args->n_rows < 0)
    return false;
  for (int64_t r = 0; r < args->n_rows; r++)
    if (args->n_positions[r] < 0 || args->n_positions[r] > args->pattern_t)
      return false;
  return args->n_rows == 0 || (args->z != NULL && args->out != NULL && args->pattern != NULL);
}

static bool
activate_is_valid(const CwkActivateArgs *args)
{
  return args->n >= 0 && (args->n == 0 || (args->gate != NULL && args->out != NULL));
}

static bool
repulsion_is_valid(const CwkRepulsionArgs *args)
{
  if (args->n_points < 0 || args->n_sources < 0 || !(args->softening > 0))
    return false;
  if (args->n_points == 0)
    return true;
  if (args->x == NULL || args->y == NULL || args->force_x == NULL || args->force_y == NULL)
    return false;
  return args->source_x == NULL || args->n_sources == 0 ||
         (args->source_y != NULL && args->source_mass != NULL);
}

/* ---- sparse dictionaries ---------------------------------------------------------------- */

static bool
entries_are_valid(const CwkEntries *entries, int64_t n_owners)
{
  return n_owners == 0 ||
         (entries->first != NULL && (entries->first[n_owners] == 0 || entries->index != NULL));
}

static bool
gate_is_valid(const CwkGateArgs *args)
{
  for (int64_t p = 0; p < args->n_parts; p++) {
    const CwkGatePart *part = &args->parts[p];
    if (part->n_features < 0 || part->n_tokens < 0)
      return false;
    if (part->n_features > 0 &&
        (part->pre == NULL || part->bias == NULL || part->threshold == NULL ||
         part->active == NULL || part->n_active == NULL || part->shortfall == NULL))
      return false;
  }
  return args->n_parts >= 0;
}

static bool
active_lists_is_valid(const CwkActiveListsArgs *args)
{
  for (int64_t p = 0; p < args->n_parts; p++) {
    const CwkActiveListsPart *part = &args->parts[p];
    if (part->n_features < 0 || part->n_tokens < 0 || part->n_tokens > INT32_MAX ||
        part->n_features > INT32_MAX || part->first == NULL || part->token_first == NULL)
      return false;
    if (part->first[part->n_features] > 0 &&
        (part->pre == NULL || part->active == NULL || part->token == NULL ||
         part->value == NULL || part->feature == NULL || part->token_value == NULL))
      return false;
  }
  return args->n_parts >= 0;
}

static bool
tanh_penalty_is_valid(const CwkTanhPenaltyArgs *args)
{
  for (int64_t p = 0; p < args->n_parts; p++) {
    const CwkTanhPenaltyPart *part = &args->parts[p];
    if (!entries_are_valid(&part->entries, part->n_features))
      return false;
    if (part->n_features > 0 &&
        (part->norm == NULL || part->threshold == NULL || part->sum == NULL ||
         part->norm_sum == NULL || part->band_sum == NULL))
      return false;
  }
  return args->n_parts >= 0;
}

static bool
sparse_decode_is_valid(const CwkSparseDecodeArgs *args)
{
  if (args->n_targets < 0 || args->n_tokens < 0 || args->n_tiles < 0)
    return false;
  for (int64_t l = 0; l < args->n_targets; l++)
    if (!entries_are_valid(&args->sources[l].entries, args->n_tokens))
      return false;
  return args->n_targets == 0 || args->n_tokens == 0 ||
         (args->bias != NULL && args->out != NULL);
}

static bool
residual_is_valid(const CwkResidualArgs *args)
{
  return args->n_targets >= 0 && args->n_tokens > 0 &&
         args->width > (args->n_tiles - 1) * CWK_TILE &&
         args->width <= args->n_tiles * CWK_TILE && args->prediction != NULL &&
         args->actual != NULL && args->column_sums != NULL && args->square_errors != NULL &&
         args->weighted_errors != NULL && args->square_deviations != NULL;
}

static bool
sparse_adjoint_is_valid(const CwkSparseAdjointArgs *args)
{
  for (int64_t p = 0; p < args->n_parts; p++) {
    const CwkSparseAdjointPart *part = &args->parts[p];
    if (part->n_tiles < 0 || part->n_tokens < 0 ||
        !entries_are_valid(&part->entries, part->n_features))
      return false;
    if (part->n_features > 0 && (part->upstream == NULL || part->weight == NULL ||
                                 part->weight_scale == NULL || part->gradient_norm2 == NULL))
      return false;
    if (part->n_features > 0 && part->band != NULL &&
        (part->n_band == NULL || part->band_sum == NULL))
      return false;
  }
  return args->n_parts >= 0;
}

static bool
sparse_rows_are_valid(const CwkSparseRowsPart *parts, int64_t n_parts, bool is_update)
{
  for (int64_t p = 0; p < n_parts; p++) {
    const CwkSparseRowsPart *part = &parts[p];
    if (part->n_tiles < 0 || !entries_are_valid(&part->entries, part->n_features))
      return false;
    if (part->n_features > 0 &&
        (part->weight == NULL || (part->shift != NULL && part->shift_scale == NULL)))
      return false;
    if (is_update ? part->n_features > 0 && (part->m == NULL || part->v == NULL)
                  : part->norm2 == NULL)
      return false;
  }
  return n_parts >= 0;
}

static bool
sparse_gradient_norm_is_valid(const CwkSparseRowsArgs *args)
{
  return sparse_rows_are_valid(args->parts, args->n_parts, false);
}

static bool
sparse_gradient_sum_is_valid(const CwkSparseRowsArgs *args)
{
  for (int64_t p = 0; p < args->n_parts; p++) {
    const CwkSparseRowsPart *part = &args->parts[p];
    if (part->n_tiles < 0 || !entries_are_valid(&part->entries, part->n_features) ||
        part->source_token_stride != CWK_TILE || (part->n_features > 0 && part->m == NULL))
      return false;
  }
  return args->n_parts >= 0;
}

static bool
sparse_adam_is_valid(const CwkSparseAdamArgs *args)
{
  return sparse_rows_are_valid(args->parts, args->n_parts, true);
}

static bool
adam_is_valid(const CwkAdamArgs *args)
{
  return args->n >= 0 && (args->n == 0 || (args->gradient != NULL && args->weight != NULL &&
                                           args->m != NULL && args->v != NULL));
}

#define CWK_OP(name, Args)                                                                    \
  CwkStatus cwk_##name(CwkDevice *device, const Args *args)                                   \
  {                                                                                           \
    if (!name##_is_valid(args))                                                               \
      return CWK_SHAPE;                                                                       \
    return device->table->name != NULL ? device->table->name(device, args) : CWK_UNSUPPORTED; \
  }
#include "ops.def"
#undef CWK_OP
