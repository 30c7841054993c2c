/* matmul-int8-cpu.c - products of activations rounded to 8 bits with quantised weights.
 *
 * The rows of A are rounded and packed once for all products of a batch that read them; each
 * item then decodes one panel of B's rows to their codes and runs it against every panel of A
 * (of at most M_BLOCK rows: 0.8 MB of codes at k = 1536). K is not cut: a tile's sums stay in
 * registers, group by group in ascending order, hence the same bits for any number of
 * threads. */
#include "cpu/int8-kernels.h"

#include <string.h>

#define M_BLOCK 516 /* whole tiles of 6 and of 3 rows */
#define MAX_MR  6
#define MAX_NR  32

static inline size_t
round_up_64(int64_t n_bytes)
{
  return ((size_t)n_bytes + 63) / 64 * 64;
}

static inline float *
tile_row(const CwkTile *tile, int64_t i)
{
  return tile->data + (tile->rows != NULL ? tile->rows[i] : i) * tile->stride;
}

static const CwkInt8Kernels *
int8_kernels(const CwkDevice *device)
{
#if defined(__x86_64__)
  if (device->isa == CWK_ISA_AVX512 && device->has_vnni)
    return &cwk_int8_vnni;
  if (device->isa != CWK_ISA_BASELINE)
    return &cwk_int8_avx2;
#endif
  return NULL;
}

bool
cwk_cpu_has_int8(const CwkDevice *device, CwkDtype dtype)
{
  const CwkInt8Kernels *kernels = int8_kernels(device);
  return kernels != NULL && kernels->decode[dtype] != NULL;
}

typedef struct {
  const CwkMatmulArgs *args;
  const CwkInt8Kernels *kernels;
  CwkDevice *device;
  int64_t group, n_groups;
  int64_t n_m_panels, n_m_blocks, n_n_panels;
  int64_t first_panel, first_item; /* in the batch */
  int8_t *a_codes;                 /* [n_m_panels][k][mr] */
  float *a_factors;                /* [n_m_panels][n_groups][2][mr] */
} Product;

typedef struct {
  Product *products;
  int64_t n_products, n_panels, n_items;
} Batch;

/* ---- A ---------------------------------------------------------------------------------- */

typedef struct {
  int8_t *codes;        /* [k] */
  float *scales, *sums; /* [n_groups] */
} Row;

/* Scratch of a thread: a row of A; or a panel of B, decoded and then packed. */
static Row
row_in(char *scratch, const Product *product)
{
  Row row = { .codes = (int8_t *)scratch };
  row.scales = (float *)(scratch + round_up_64(product->args->k));
  row.sums = row.scales + product->n_groups;
  return row;
}

static void
pack_a_panel(const Product *product, int64_t panel)
{
  const CwkMatmulArgs *args = product->args;
  int64_t mr = product->kernels->mr, first = panel * mr, n = cwk_min(mr, args->m - first);
  Row row = row_in(product->device->scratch[cwk_pool_thread_index()], product);
  int8_t *codes = product->a_codes + panel * args->k * mr;
  float *factors = product->a_factors + panel * product->n_groups * 2 * mr;
  if (n < mr) {
    memset(codes, 0, (size_t)(args->k * mr));
    memset(factors, 0, (size_t)(product->n_groups * 2 * mr) * sizeof *factors);
  }
  for (int64_t i = 0; i < n; i++) {
    product->kernels->quantise(tile_row(&args->a, first + i), product->n_groups, product->group,
                               row.codes, row.scales, row.sums);
    for (int64_t p = 0; p < args->k; p += 4)
      memcpy(codes + p * mr + 4 * i, row.codes + p, 4);
    for (int64_t g = 0; g < product->n_groups; g++) {
      factors[g * 2 * mr + i] = row.scales[g];
      factors[(g * 2 + 1) * mr + i] = row.sums[g];
    }
  }
}

/* ---- B ---------------------------------------------------------------------------------- */

typedef struct {
  uint8_t *codes;          /* [k][nr] in runs of 4 */
  float *factors;          /* [n_groups][2][nr] */
  uint8_t *decoded;        /* [nr][k] */
  float *scales, *offsets; /* [n_groups] of one row */
} Panel;

static size_t
factor_bytes(const Product *product)
{
  return round_up_64(product->n_groups * 2 * product->kernels->nr * (int64_t)sizeof(float));
}

static size_t
thread_bytes(const Product *product)
{
  return 2 * round_up_64(product->args->k * product->kernels->nr) + factor_bytes(product) +
         (size_t)(2 * product->n_groups) * sizeof(float);
}

static Panel
panel_in(char *scratch, const Product *product)
{
  Panel panel;
  size_t codes = round_up_64(product->args->k * product->kernels->nr);
  size_t factors = factor_bytes(product);
  panel.codes = (uint8_t *)scratch;
  panel.factors = (float *)(scratch + codes);
  panel.decoded = (uint8_t *)(scratch + codes + factors);
  panel.scales = (float *)(scratch + 2 * codes + factors);
  panel.offsets = panel.scales + product->n_groups;
  return panel;
}

static void
pack_b_panel(const Product *product, int64_t n0, int64_t n, const Panel *panel)
{
  const CwkInt8Kernels *kernels = product->kernels;
  const CwkRows *b = &product->args->b;
  int64_t nr = kernels->nr, k = product->args->k;
  const float *rows[MAX_NR]; /* runs of 4 codes, moved as one element */
  if (n < nr)
    memset(panel->factors, 0, (size_t)(product->n_groups * 2 * nr) * sizeof(float));
  for (int64_t j = 0; j < n; j++) {
    uint8_t *codes = panel->decoded + j * k;
    float scale = b->scales != NULL ? b->scales[n0 + j] : 1.0f;
    kernels->decode[b->dtype](cwk_rows_at(b, n0 + j), k, scale, codes, panel->scales,
                              panel->offsets);
    for (int64_t g = 0; g < product->n_groups; g++) {
      panel->factors[g * 2 * nr + j] = panel->scales[g];
      panel->factors[(g * 2 + 1) * nr + j] = panel->offsets[g];
    }
    rows[j] = (const float *)(const void *)codes;
  }
  kernels->isa->transpose_panel(rows, n, k / 4, nr, (float *)(void *)panel->codes);
}

/* ---- an item: one panel of B against a block of A --------------------------------------- */

static void
multiply_panel(const Product *product, int64_t item)
{
  const CwkMatmulArgs *args = product->args;
  const CwkInt8Kernels *kernels = product->kernels;
  int64_t mr = kernels->mr, nr = kernels->nr;
  int64_t m0 = item % product->n_m_blocks * M_BLOCK, n0 = item / product->n_m_blocks * nr;
  int64_t m1 = cwk_min(m0 + M_BLOCK, args->m), n = cwk_min(nr, args->n - n0);
  float edge[MAX_MR * MAX_NR] __attribute__((aligned(64)));
  Panel panel = panel_in(product->device->scratch[cwk_pool_thread_index()], product);
  pack_b_panel(product, n0, n, &panel);
  for (int64_t i = m0; i < m1; i += mr) {
    CwkInt8Tile tile = { .n_groups = product->n_groups,
                         .n_steps = product->group / 4,
                         .a_codes = product->a_codes + i * args->k,
                         .a_factors = product->a_factors + i * product->n_groups * 2,
                         .b_codes = panel.codes,
                         .b_factors = panel.factors };
    if (n == nr && i + mr <= m1 && args->c.rows == NULL) {
      kernels->tile(&tile, tile_row(&args->c, i) + n0, args->c.stride, args->accumulate);
      continue;
    }
    kernels->tile(&tile, edge, nr, false);
    for (int64_t r = 0; r < cwk_min(mr, m1 - i); r++) {
      float *c = tile_row(&args->c, i + r) + n0;
      for (int64_t j = 0; j < n; j++)
        c[j] = args->accumulate ? c[j] + edge[r * nr + j] : edge[r * nr + j];
    }
  }
}

/* ---- the batch -------------------------------------------------------------------------- */

static const Product *
product_of(const Batch *batch, int64_t item, bool by_panel)
{
  int64_t i = batch->n_products - 1;
  while (i > 0 &&
         (by_panel ? batch->products[i].first_panel : batch->products[i].first_item) > item)
    i--;
  return &batch->products[i];
}

static void
pack_item(void *data, int64_t item)
{
  const Product *product = product_of(data, item, true);
  pack_a_panel(product, item - product->first_panel);
}

static void
multiply_item(void *data, int64_t item)
{
  const Product *product = product_of(data, item, false);
  multiply_panel(product, item - product->first_item);
}

/* Products of one input, one behind the other, share its packed rows. */
static bool
has_same_a(const Product *product, const Product *previous)
{
  const CwkMatmulArgs *a = product->args, *b = previous->args;
  return product->group == previous->group && a->m == b->m && a->k == b->k &&
         a->a.data == b->a.data && a->a.stride == b->a.stride && a->a.rows == b->a.rows;
}

static Product
plan_product(CwkDevice *device, const CwkMatmulArgs *args)
{
  Product product = { .args = args, .device = device, .kernels = int8_kernels(device) };
  int64_t mr = product.kernels->mr, nr = product.kernels->nr;
  product.group = args->b.dtype == CWK_Q6_K ? 16 : 32;
  product.n_groups = args->k / product.group;
  product.n_m_panels = (args->m + mr - 1) / mr;
  product.n_m_blocks = (args->m + M_BLOCK - 1) / M_BLOCK;
  product.n_n_panels = (args->n + nr - 1) / nr;
  return product;
}

/* Lays the products out in `shared`; where that is NULL only counts bytes. */
static void
plan_batch(CwkDevice *device, const CwkMatmulBatchArgs *args, Batch *batch, char *shared,
           size_t *n_shared, size_t *n_thread)
{
  size_t used = round_up_64(args->n_products * (int64_t)sizeof(Product));
  Product previous = { 0 };
  *batch = (Batch){ .products = (Product *)(void *)shared };
  *n_thread = 0;
  for (int64_t i = 0; i < args->n_products; i++) {
    const CwkMatmulArgs *one = &args->products[i];
    if (one->m == 0 || one->n == 0)
      continue;
    Product product = plan_product(device, one);
    int64_t mr = product.kernels->mr, n_rows = product.n_m_panels * mr;
    bool is_shared = batch->n_products > 0 && has_same_a(&product, &previous);
    product.first_panel = batch->n_panels;
    product.first_item = batch->n_items;
    if (is_shared) {
      product.a_codes = previous.a_codes;
      product.a_factors = previous.a_factors;
    } else {
      if (shared != NULL)
        product.a_codes = (int8_t *)(shared + used);
      used += round_up_64(n_rows * one->k);
      if (shared != NULL)
        product.a_factors = (float *)(void *)(shared + used);
      used += round_up_64(n_rows * product.n_groups * 2 * (int64_t)sizeof(float));
      batch->n_panels += product.n_m_panels;
    }
    batch->n_items += product.n_m_blocks * product.n_n_panels;
    if (shared != NULL)
      batch->products[batch->n_products] = product;
    batch->n_products++;
    size_t n_bytes = thread_bytes(&product);
    *n_thread = n_bytes > *n_thread ? n_bytes : *n_thread;
    previous = product;
  }
  *n_shared = used;
}

CwkStatus
cwk_cpu_matmul_int8(CwkDevice *device, const CwkMatmulBatchArgs *args)
{
  for (int64_t i = 0; i < args->n_products; i++)
    if (!cwk_cpu_has_int8(device, args->products[i].b.dtype))
      return CWK_UNSUPPORTED;
  Batch batch;
  size_t n_shared, n_thread;
  plan_batch(device, args, &batch, NULL, &n_shared, &n_thread);
  char *shared = cwk_cpu_scratch(device, device->n_scratch - 1, n_shared);
  if (shared == NULL || cwk_cpu_reserve_threads(device, n_thread) != CWK_OK)
    return CWK_NO_MEMORY;
  plan_batch(device, args, &batch, shared, &n_shared, &n_thread);
  cwk_pool_run(device->pool, batch.n_panels, pack_item, &batch);
  cwk_pool_run(device->pool, batch.n_items, multiply_item, &batch);
  return CWK_OK;
}
