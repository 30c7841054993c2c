/* matmul-cpu.c - the matrix product on the CPU, and dequantisation.
 *
 * One product for every stored type: rows of B are decoded to f32 while they are packed into
 * panels, so weights stay quantised in the file's map and no f32 copy of a layer ever exists.
 * Why our own and not OpenBLAS: Debian's 0.3.21 chooses SSE3 kernels on current CPUs (5 times
 * slower) unless an environment variable is set before start, cannot decode or gather while
 * packing, and its sums depend on its thread count. tests/bench/matmul.c compares both.
 *
 * Blocking: K is cut into blocks of about 384, N into blocks of 4 register tiles, M into blocks
 * of some 240 rows: a packed block of A (370 kB) and of B (200 kB) stay in a 1 MiB L2. Every
 * tile of C belongs to one task and sums K in ascending order: same bits for any number of
 * threads. */
#include "cpu/isa-kernels.h"

#include <string.h>

#define K_BLOCK          384
#define M_BLOCK_ROWS     528
#define N_TILES          4
#define SMALL_M          4
#define MAX_TILE_ROWS    16
#define MAX_TILE_COLUMNS 32

const CwkIsaKernels *
cwk_isa_kernels(CwkIsa isa)
{
#if defined(__x86_64__)
  if (isa == CWK_ISA_AVX512)
    return &cwk_isa_avx512;
  if (isa == CWK_ISA_AVX2)
    return &cwk_isa_avx2;
#endif
  return &cwk_isa_baseline;
}

const CwkRowKernels *
cwk_row_kernels(CwkIsa isa)
{
#if defined(__x86_64__)
  if (isa == CWK_ISA_AVX512)
    return &cwk_rows_avx512;
  if (isa == CWK_ISA_AVX2)
    return &cwk_rows_avx2;
#endif
  return &cwk_rows_baseline;
}

CwkDecodeRow
cwk_cpu_decoder(CwkIsa isa, CwkDtype dtype)
{
  return cwk_isa_kernels(isa)->decode[dtype];
}

static inline float *
tile_row(const CwkTile *tile, int64_t i)
{
  return tile->data + (tile->rows != NULL ? tile->rows[i] : i) * tile->stride;
}

typedef struct {
  const CwkMatmulArgs *args;
  const CwkIsaKernels *isa;
  CwkDevice *device;
  CwkDecodeRow decode;
  int64_t block_size; /* of B's dtype */
  int64_t k_block, m_block, n_block;
  int64_t n_m_blocks, n_n_blocks, n_m_panels;
  int64_t first_panel, first_item; /* in the batch */
  float *packed_a;                 /* [n_k_blocks][n_m_panels][k_block][mr] */
} Product;

typedef struct {
  Product *products;
  int64_t n_products;
} Batch;

/* ---- packing ---------------------------------------------------------------------------- */

static void
pack_a_panel(const Product *product, int64_t panel)
{
  const CwkMatmulArgs *args = product->args;
  int64_t mr = product->isa->mr, first = panel * mr, n = cwk_min(mr, args->m - first);
  const float *rows[MAX_TILE_ROWS];
  for (int64_t k0 = 0, kb = 0; k0 < args->k; k0 += product->k_block, kb++) {
    int64_t kc = cwk_min(product->k_block, args->k - k0);
    for (int64_t i = 0; i < n; i++)
      rows[i] = tile_row(&args->a, first + i) + k0;
    product->isa->transpose_panel(rows, n, kc, mr,
                                  product->packed_a + (kb * product->n_m_panels + panel) *
                                                          product->k_block * mr);
  }
}

static inline float
row_scale(const CwkRows *rows, int64_t i)
{
  return rows->scales != NULL ? rows->scales[i] : 1.0f;
}

/* b is [n, k]: decode nr rows of kc elements, then transpose; plain f32 rows are read in place.
 */
static void
pack_b_outputs(const Product *product, int64_t n0, int64_t n, int64_t k0, int64_t kc,
               float *decoded, float *out)
{
  const CwkRows *b = &product->args->b;
  int64_t nr = product->isa->nr;
  bool in_place = b->dtype == CWK_F32 && b->scales == NULL;
  const float *rows[MAX_TILE_COLUMNS];
  for (int64_t j = 0; j < n; j += nr) {
    int64_t n_rows = cwk_min(nr, n - j);
    for (int64_t i = 0; i < n_rows; i++) {
      const void *row = cwk_rows_at(b, n0 + j + i);
      rows[i] = in_place ? (const float *)row + k0 : decoded + i * kc;
      if (!in_place)
        product->decode(row, k0, kc, row_scale(b, n0 + j + i), decoded + i * kc);
    }
    product->isa->transpose_panel(rows, n_rows, kc, nr, out + j * kc);
  }
}

/* b is [k, n]: decode the columns of one k row, then spread them over the panels. */
static void
pack_b_inputs(const Product *product, int64_t n0, int64_t n, int64_t k0, int64_t kc,
              float *decoded, float *out)
{
  const CwkRows *b = &product->args->b;
  int64_t nr = product->isa->nr;
  int64_t first = n0 / product->block_size * product->block_size;
  int64_t end = cwk_min(cwk_round_up(n0 + n, product->block_size), product->args->n);
  for (int64_t p = 0; p < kc; p++) {
    product->decode(cwk_rows_at(b, k0 + p), first, end - first, row_scale(b, k0 + p), decoded);
    for (int64_t j = 0; j < n; j += nr) {
      int64_t n_cols = cwk_min(nr, n - j);
      float *to = out + j * kc + p * nr;
      memcpy(to, decoded + (n0 - first) + j, (size_t)n_cols * sizeof *to);
      for (int64_t i = n_cols; i < nr; i++)
        to[i] = 0;
    }
  }
}

/* ---- one item: a block of C ---------------------------------------------------------------
 */

static void
write_edge_tile(const Product *product, const float *tile, int64_t m0, int64_t m, int64_t n0,
                int64_t n, bool accumulate)
{
  int64_t nr = product->isa->nr;
  for (int64_t i = 0; i < m; i++) {
    float *c = tile_row(&product->args->c, m0 + i) + n0;
    for (int64_t j = 0; j < n; j++)
      c[j] = accumulate ? c[j] + tile[i * nr + j] : tile[i * nr + j];
  }
}

static void
multiply_panels(const Product *product, const float *packed_b, int64_t kb, int64_t kc,
                int64_t m0, int64_t m, int64_t n0, int64_t n)
{
  const CwkMatmulArgs *args = product->args;
  int64_t mr = product->isa->mr, nr = product->isa->nr;
  bool accumulate = args->accumulate || kb > 0;
  float edge[MAX_TILE_ROWS * MAX_TILE_COLUMNS] __attribute__((aligned(64)));
  for (int64_t i = 0; i < m; i += mr) {
    const float *a =
        product->packed_a + (kb * product->n_m_panels + (m0 + i) / mr) * product->k_block * mr;
    for (int64_t j = 0; j < n; j += nr) {
      const float *b = packed_b + j * kc;
      if (args->c.rows == NULL && i + mr <= m && j + nr <= n) {
        product->isa->micro_tile(kc, a, b, args->c.data + (m0 + i) * args->c.stride + n0 + j,
                                 args->c.stride, accumulate);
      } else {
        product->isa->micro_tile(kc, a, b, edge, nr, false);
        write_edge_tile(product, edge, m0 + i, cwk_min(mr, m - i), n0 + j, cwk_min(nr, n - j),
                        accumulate);
      }
    }
  }
}

static void
multiply_block(const Product *product, int64_t item, float *packed_b)
{
  const CwkMatmulArgs *args = product->args;
  int64_t m0 = item % product->n_m_blocks * product->m_block;
  int64_t n0 = item / product->n_m_blocks * product->n_block;
  int64_t m = cwk_min(product->m_block, args->m - m0);
  int64_t n = cwk_min(product->n_block, args->n - n0);
  float *decoded = packed_b + product->n_block * product->k_block;
  for (int64_t k0 = 0, kb = 0; k0 < args->k; k0 += product->k_block, kb++) {
    int64_t kc = cwk_min(product->k_block, args->k - k0);
    if (args->b_layout == CWK_B_ROWS_ARE_OUTPUTS)
      pack_b_outputs(product, n0, n, k0, kc, decoded, packed_b);
    else
      pack_b_inputs(product, n0, n, k0, kc, decoded, packed_b);
    multiply_panels(product, packed_b, kb, kc, m0, m, n0, n);
  }
}

/* Few rows: no packing pays. */
static void
multiply_few_rows(const Product *product, int64_t item, float *decoded)
{
  const CwkMatmulArgs *args = product->args;
  int64_t n0 = item * product->n_block, n1 = cwk_min(n0 + product->n_block, args->n);
  for (int64_t j = n0; j < n1; j++) {
    product->decode(cwk_rows_at(&args->b, j), 0, args->k, row_scale(&args->b, j), decoded);
    for (int64_t i = 0; i < args->m; i++) {
      float sum = product->isa->dot(tile_row(&args->a, i), decoded, args->k);
      float *c = tile_row(&args->c, i) + j;
      *c = args->accumulate ? *c + sum : sum;
    }
  }
}

/* ---- the batch ----------------------------------------------------------------------------
 */

static const Product *
product_of_item(const Batch *batch, int64_t item, bool by_panel)
{
  int64_t low = 0, high = batch->n_products;
  while (high - low > 1) {
    int64_t middle = (low + high) / 2;
    const Product *product = &batch->products[middle];
    if ((by_panel ? product->first_panel : product->first_item) <= item)
      low = middle;
    else
      high = middle;
  }
  return &batch->products[low];
}

static void
pack_item(void *data, int64_t item)
{
  const Product *product = product_of_item(data, item, true);
  pack_a_panel(product, item - product->first_panel);
}

static void
multiply_item(void *data, int64_t item)
{
  const Product *product = product_of_item(data, item, false);
  float *scratch = product->device->scratch[cwk_pool_thread_index()];
  if (product->packed_a == NULL)
    multiply_few_rows(product, item - product->first_item, scratch);
  else
    multiply_block(product, item - product->first_item, scratch);
}

static void
clear_c(const CwkMatmulArgs *args)
{
  for (int64_t i = 0; i < args->m; i++)
    memset(tile_row(&args->c, i), 0, (size_t)args->n * sizeof(float));
}

/* Columns per item: as wide as may be, but such that the busiest thread has little more than
 * its share. Bits do not depend on it: a tile sums K in the same order whatever its neighbours.
 */
static int64_t
balanced_n_block(const Product *product)
{
  int64_t nr = product->isa->nr, n_threads = cwk_pool_n_threads(product->device->pool);
  int64_t n_panels = (product->args->n + nr - 1) / nr, best = 1, best_cost = INT64_MAX;
  for (int64_t tiles = N_TILES; tiles >= 1; tiles--) {
    int64_t items = (n_panels + tiles - 1) / tiles * product->n_m_blocks;
    int64_t cost = (items + n_threads - 1) / n_threads * tiles;
    if (cost < best_cost) {
      best = tiles;
      best_cost = cost;
    }
  }
  return best * nr;
}

/* Fills in the blocking; *a_floats and *thread_floats are what it needs of scratch. */
static void
plan_product(Product *product, size_t *a_floats, size_t *thread_floats)
{
  const CwkMatmulArgs *args = product->args;
  int64_t mr = product->isa->mr, nr = product->isa->nr;
  if (args->m <= SMALL_M && args->b_layout == CWK_B_ROWS_ARE_OUTPUTS) {
    product->n_block = 64;
    product->n_m_blocks = 1;
    product->n_n_blocks = (args->n + product->n_block - 1) / product->n_block;
    product->n_m_panels = 0;
    *a_floats = 0;
    *thread_floats = (size_t)args->k;
    return;
  }
  int64_t n_k_blocks = (args->k + K_BLOCK - 1) / K_BLOCK;
  int64_t k_grain = args->b_layout == CWK_B_ROWS_ARE_OUTPUTS ? product->block_size : 8;
  product->k_block = cwk_round_up((args->k + n_k_blocks - 1) / n_k_blocks, k_grain);
  n_k_blocks = (args->k + product->k_block - 1) / product->k_block;
  product->n_m_blocks = (args->m + M_BLOCK_ROWS - 1) / M_BLOCK_ROWS;
  product->m_block =
      cwk_round_up((args->m + product->n_m_blocks - 1) / product->n_m_blocks, mr);
  product->n_m_blocks = (args->m + product->m_block - 1) / product->m_block;
  product->n_m_panels = (args->m + mr - 1) / mr;
  product->n_block = balanced_n_block(product);
  product->n_n_blocks = (args->n + product->n_block - 1) / product->n_block;
  *a_floats =
      (size_t)cwk_round_up(n_k_blocks * product->n_m_panels * product->k_block * mr, 16);
  /* Decoded rows: nr of k_block elements, or a row of n_block columns on block borders. */
  *thread_floats = (size_t)(product->n_block * product->k_block + nr * product->k_block +
                            product->n_block + 512);
}

/* Products of one input, one behind the other, share its packed panels. */
static bool
has_same_a(const Product *product, const Product *previous)
{
  const CwkMatmulArgs *a = product->args, *b = previous->args;
  return product->n_m_panels > 0 && product->n_m_panels == previous->n_m_panels &&
         product->k_block == previous->k_block && a->m == b->m && a->k == b->k &&
         a->a.data == b->a.data && a->a.stride == b->a.stride && a->a.rows == b->a.rows;
}

/* Plans every product that is not empty; sizes are summed before memory is taken. */
static CwkStatus
plan_batch(CwkDevice *device, const CwkMatmulBatchArgs *args, Batch *batch, int64_t *n_panels,
           int64_t *n_items)
{
  const CwkIsaKernels *isa = cwk_isa_kernels(device->isa);
  size_t table = (size_t)cwk_round_up(args->n_products * (int64_t)sizeof(Product), 64);
  size_t a_total = 0, thread_total = 0;
  for (int pass = 0; pass < 2; pass++) {
    char *shared = NULL;
    if (pass == 1) {
      shared = cwk_cpu_scratch(device, device->n_scratch - 1, table + a_total * sizeof(float));
      if (shared == NULL ||
          cwk_cpu_reserve_threads(device, thread_total * sizeof(float)) != CWK_OK)
        return CWK_NO_MEMORY;
      batch->products = (Product *)shared;
    }
    size_t a_used = 0;
    Product previous = { 0 };
    batch->n_products = *n_panels = *n_items = 0;
    for (int64_t i = 0; i < args->n_products; i++) {
      const CwkMatmulArgs *one = &args->products[i];
      if (one->m == 0 || one->n == 0 || one->k == 0)
        continue;
      Product product = { .args = one, .device = device, .isa = isa };
      size_t a_floats, thread_floats;
      product.decode = isa->decode[one->b.dtype];
      product.block_size = cwk_dtype_block_size(one->b.dtype);
      plan_product(&product, &a_floats, &thread_floats);
      product.first_panel = *n_panels;
      product.first_item = *n_items;
      bool is_shared = batch->n_products > 0 && has_same_a(&product, &previous);
      if (pass == 1 && a_floats > 0)
        product.packed_a = is_shared ? previous.packed_a : (float *)(shared + table) + a_used;
      if (pass == 1)
        batch->products[batch->n_products] = product;
      previous = product;
      a_used += is_shared ? 0 : a_floats;
      thread_total = thread_floats > thread_total ? thread_floats : thread_total;
      *n_panels += is_shared ? 0 : product.n_m_panels;
      *n_items += product.n_m_blocks * product.n_n_blocks;
      batch->n_products++;
    }
    a_total = a_used;
  }
  return CWK_OK;
}

CwkStatus
cwk_cpu_matmul_batch(CwkDevice *device, const CwkMatmulBatchArgs *args)
{
  for (int64_t i = 0; i < args->n_products; i++)
    if (args->products[i].k == 0 && !args->products[i].accumulate)
      clear_c(&args->products[i]);
  Batch batch;
  int64_t n_panels, n_items;
  CwkStatus status = plan_batch(device, args, &batch, &n_panels, &n_items);
  if (status != CWK_OK)
    return status;
  cwk_pool_run(device->pool, n_panels, pack_item, &batch);
  cwk_pool_run(device->pool, n_items, multiply_item, &batch);
  return CWK_OK;
}

CwkStatus
cwk_cpu_matmul(CwkDevice *device, const CwkMatmulArgs *args)
{
  CwkMatmulBatchArgs batch = { 1, args };
  return cwk_cpu_matmul_batch(device, &batch);
}

/* ---- row dots ------------------------------------------------------------------------------
 */

#define DOTS_PER_ITEM 64

typedef struct {
  const CwkRowDotsArgs *args;
  const CwkIsaKernels *isa;
} RowDots;

static void
dot_rows(void *data, int64_t item)
{
  const RowDots *job = data;
  const CwkRowDotsArgs *args = job->args;
  int64_t end = cwk_min((item + 1) * DOTS_PER_ITEM, args->n);
  for (int64_t i = item * DOTS_PER_ITEM; i < end; i++)
    args->out[args->out_rows != NULL ? args->out_rows[i] : i] +=
        job->isa->dot(tile_row(&args->a, i), tile_row(&args->b, i), args->k);
}

CwkStatus
cwk_cpu_row_dots(CwkDevice *device, const CwkRowDotsArgs *args)
{
  RowDots job = { args, cwk_isa_kernels(device->isa) };
  cwk_pool_run(device->pool, (args->n + DOTS_PER_ITEM - 1) / DOTS_PER_ITEM, dot_rows, &job);
  return CWK_OK;
}

/* ---- dequantise ---------------------------------------------------------------------------
 */

typedef struct {
  const CwkDequantiseArgs *args;
  CwkDecodeRow decode;
} Dequantise;

#define ROWS_PER_ITEM 64
#define ROWS_AHEAD    3

/* Short rows from anywhere: none is long enough for the processor to see where it leads. */
static void
prefetch_row(const CwkRows *rows, int64_t i)
{
  const char *row = cwk_rows_at(rows, i);
  for (size_t at = 0; at < rows->row_bytes; at += CWK_LINE_BYTES)
    __builtin_prefetch(row + at);
}

static void
dequantise_rows(void *data, int64_t item)
{
  const Dequantise *job = data;
  const CwkRows *rows = &job->args->rows;
  int64_t end = cwk_min((item + 1) * ROWS_PER_ITEM, rows->n_rows);
  for (int64_t i = item * ROWS_PER_ITEM; i < end; i++) {
    if (rows->row_list != NULL && i + ROWS_AHEAD < end)
      prefetch_row(rows, i + ROWS_AHEAD);
    job->decode(cwk_rows_at(rows, i), 0, rows->n_cols, row_scale(rows, i),
                job->args->out + i * rows->n_cols);
  }
}

CwkStatus
cwk_cpu_dequantise(CwkDevice *device, const CwkDequantiseArgs *args)
{
  Dequantise job = { args, cwk_cpu_decoder(device->isa, args->rows.dtype) };
  int64_t n_items = (args->rows.n_rows + ROWS_PER_ITEM - 1) / ROWS_PER_ITEM;
  cwk_pool_run(device->pool, n_items, dequantise_rows, &job);
  return CWK_OK;
}
