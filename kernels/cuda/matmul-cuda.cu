/* matmul-cuda.cu - matrix products and dots of rows: cuBLAS in f32, gathers and stored types
 * around it.
 *
 * cuBLAS counts columns first: our row-major C [m, n] is its C [n, m], so C = A . b^T asks it
 * for op(b) . A. Stored rows of b are decoded into a scratch of at most 128 MiB at a time: for
 * a linear layer a piece of the outputs, for its adjoint a piece of the sum, added up in
 * ascending order. Plain f32 rows are multiplied where they lie. */
#include "cuda-private.h"

#define DECODED_FLOATS ((int64_t)1 << 25)

static __global__ void
gather_rows(const float *from, int64_t stride, const int64_t *rows, int64_t n_rows,
            int64_t n_cols, float *to)
{
  int64_t step = (int64_t)gridDim.x * blockDim.x;
  for (int64_t at = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; at < n_rows * n_cols;
       at += step) {
    int64_t i = at / n_cols;
    to[at] = from[(rows != NULL ? rows[i] : i) * stride + at % n_cols];
  }
}

/* from NULL stands for zeros. */
static __global__ void
scatter_rows(const float *from, int64_t stride, const int64_t *rows, int64_t n_rows,
             int64_t n_cols, bool accumulate, float *to)
{
  int64_t step = (int64_t)gridDim.x * blockDim.x;
  for (int64_t at = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; at < n_rows * n_cols;
       at += step) {
    int64_t i = at / n_cols;
    float *c = to + (rows != NULL ? rows[i] : i) * stride + at % n_cols;
    float value = from != NULL ? from[at] : 0.0f;
    *c = accumulate ? *c + value : value;
  }
}

typedef struct {
  CwkCudaState *state;
  const CwkMatmulArgs *args;
  const float *a; /* [m, k], lda apart */
  float *c;       /* [m, n], ldc apart */
  int64_t lda, ldc;
  const void *const *b_list; /* on the device, or NULL */
  const int64_t *c_rows;     /* on the device, or NULL; then c is scratch */
  bool c_is_scratch;
} Product;

/* cuBLAS wants rows that do not overlap. */
static bool
is_plain(const CwkTile *tile, int64_t n_rows, int64_t n_cols)
{
  return tile->rows == NULL && (tile->stride >= n_cols || n_rows == 1);
}

static const int64_t *
upload_rows(CwkCudaState *state, CwkCudaSlot slot, const int64_t *rows, int64_t n)
{
  return (const int64_t *)cwk_cuda_upload_list(state, slot, rows, (size_t)n * sizeof *rows);
}

static CwkStatus
prepare_a(Product *product)
{
  const CwkMatmulArgs *args = product->args;
  CwkCudaState *state = product->state;
  product->a = args->a.data;
  product->lda = args->a.stride > args->k ? args->a.stride : args->k;
  if (is_plain(&args->a, args->m, args->k))
    return CWK_OK;
  float *packed = (float *)cwk_cuda_scratch(state, CWK_CUDA_SLOT_A,
                                            (size_t)(args->m * args->k) * sizeof *packed);
  const int64_t *rows = NULL;
  if (args->a.rows != NULL)
    rows = upload_rows(state, CWK_CUDA_SLOT_LIST, args->a.rows, args->m);
  if (packed == NULL || (args->a.rows != NULL && rows == NULL))
    return CWK_NO_MEMORY;
  unsigned n_blocks = cwk_cuda_n_blocks(state, args->m * args->k);
  CWK_CUDA_LAUNCH(gather_rows, n_blocks, state, args->a.data, args->a.stride, rows, args->m,
                  args->k, packed);
  product->a = packed;
  product->lda = args->k;
  return cwk_cuda_launched();
}

static CwkStatus
prepare_c(Product *product)
{
  const CwkMatmulArgs *args = product->args;
  product->c = args->c.data;
  product->ldc = args->c.stride > args->n ? args->c.stride : args->n;
  product->c_is_scratch = !is_plain(&args->c, args->m, args->n);
  if (!product->c_is_scratch)
    return CWK_OK;
  product->c = (float *)cwk_cuda_scratch(product->state, CWK_CUDA_SLOT_C,
                                         (size_t)(args->m * args->n) * sizeof *product->c);
  product->ldc = args->n;
  if (args->c.rows != NULL)
    product->c_rows =
        upload_rows(product->state, CWK_CUDA_SLOT_SECOND_LIST, args->c.rows, args->m);
  return product->c == NULL || (args->c.rows != NULL && product->c_rows == NULL) ? CWK_NO_MEMORY
                                                                                 : CWK_OK;
}

static bool
b_is_plain(const CwkRows *b)
{
  return b->dtype == CWK_F32 && b->row_list == NULL && b->scales == NULL &&
         b->row_bytes % sizeof(float) == 0 && (uintptr_t)b->data % sizeof(float) == 0;
}

/* Rows first .. first + n - 1 of b, ldb floats apart. */
static CwkStatus
multiply_part(const Product *product, const float *b, int64_t ldb, int64_t first, int64_t n)
{
  const CwkMatmulArgs *args = product->args;
  const CwkCublas *cublas = &product->state->cublas;
  bool outputs = args->b_layout == CWK_B_ROWS_ARE_OUTPUTS;
  bool adds = (args->accumulate && !product->c_is_scratch) || (!outputs && first > 0);
  const float one = 1.0f, beta = adds ? 1.0f : 0.0f;
  cublasStatus_t status =
      outputs ? cublas->sgemm(cublas->handle, CUBLAS_OP_T, CUBLAS_OP_N, n, args->m, args->k,
                              &one, b, ldb, product->a, product->lda, &beta, product->c + first,
                              product->ldc)
              : cublas->sgemm(cublas->handle, CUBLAS_OP_N, CUBLAS_OP_N, args->n, args->m, n,
                              &one, b, ldb, product->a + first, product->lda, &beta, product->c,
                              product->ldc);
  if (status == CUBLAS_STATUS_ALLOC_FAILED)
    return CWK_NO_MEMORY;
  return status == CUBLAS_STATUS_SUCCESS ? CWK_OK : CWK_DEVICE;
}

static CwkStatus
multiply_decoded(Product *product)
{
  const CwkRows *b = &product->args->b;
  CwkCudaState *state = product->state;
  int64_t part = DECODED_FLOATS / b->n_cols > 1 ? DECODED_FLOATS / b->n_cols : 1;
  part = part < b->n_rows ? part : b->n_rows;
  float *decoded = (float *)cwk_cuda_scratch(state, CWK_CUDA_SLOT_B,
                                             (size_t)(part * b->n_cols) * sizeof *decoded);
  if (b->row_list != NULL)
    /* The list of A's rows has been read by then: the stream keeps the order. */
    product->b_list = (const void *const *)cwk_cuda_upload_list(
        state, CWK_CUDA_SLOT_LIST, b->row_list, (size_t)b->n_rows * sizeof(void *));
  if (decoded == NULL || (b->row_list != NULL && product->b_list == NULL))
    return CWK_NO_MEMORY;
  for (int64_t first = 0; first < b->n_rows; first += part) {
    int64_t n = b->n_rows - first < part ? b->n_rows - first : part;
    CwkStatus status = cwk_cuda_decode_rows(state, b, product->b_list, first, n, decoded);
    if (status == CWK_OK)
      status = multiply_part(product, decoded, b->n_cols, first, n);
    if (status != CWK_OK)
      return status;
  }
  return CWK_OK;
}

static CwkStatus
write_c(const Product *product, const float *from)
{
  const CwkMatmulArgs *args = product->args;
  unsigned n_blocks = cwk_cuda_n_blocks(product->state, args->m * args->n);
  CWK_CUDA_LAUNCH(scatter_rows, n_blocks, product->state, from, args->c.stride, product->c_rows,
                  args->m, args->n, args->accumulate, args->c.data);
  return cwk_cuda_launched();
}

CwkStatus
cwk_cuda_matmul(CwkDevice *device, const CwkMatmulArgs *args)
{
  Product product = {};
  product.state = cwk_cuda_enter(device);
  product.args = args;
  if (args->m == 0 || args->n == 0)
    return CWK_OK;
  CwkStatus status = prepare_c(&product);
  if (status == CWK_OK && args->k == 0)
    return write_c(&product, NULL);
  if (status == CWK_OK)
    status = prepare_a(&product);
  if (status == CWK_OK && b_is_plain(&args->b))
    status = multiply_part(&product, (const float *)args->b.data,
                           (int64_t)(args->b.row_bytes / sizeof(float)), 0, args->b.n_rows);
  else if (status == CWK_OK)
    status = multiply_decoded(&product);
  return status == CWK_OK && product.c_is_scratch ? write_c(&product, product.c) : status;
}

CwkStatus
cwk_cuda_matmul_batch(CwkDevice *device, const CwkMatmulBatchArgs *args)
{
  CwkStatus status = CWK_OK;
  for (int64_t i = 0; i < args->n_products && status == CWK_OK; i++)
    status = cwk_cuda_matmul(device, &args->products[i]);
  return status;
}

/* ---- row dots --------------------------------------------------------------------------- */

/* A block per dot; the lists are the device's copies. */
static __global__ void
dot_rows(CwkRowDotsArgs args)
{
  for (int64_t i = blockIdx.x; i < args.n; i += gridDim.x) {
    const float *a = args.a.data + (args.a.rows != NULL ? args.a.rows[i] : i) * args.a.stride;
    const float *b = args.b.data + (args.b.rows != NULL ? args.b.rows[i] : i) * args.b.stride;
    float sum = 0;
    for (int64_t p = threadIdx.x; p < args.k; p += blockDim.x)
      sum += a[p] * b[p];
    sum = cwk_cuda_block_sum(sum);
    if (threadIdx.x == 0)
      args.out[args.out_rows != NULL ? args.out_rows[i] : i] += sum;
  }
}

/* Replaces a host list by its copy on the device; false without memory. */
static bool
move_list(CwkCudaState *state, CwkCudaSlot slot, const int64_t **list, int64_t n)
{
  if (*list == NULL)
    return true;
  *list = upload_rows(state, slot, *list, n);
  return *list != NULL;
}

CwkStatus
cwk_cuda_row_dots(CwkDevice *device, const CwkRowDotsArgs *args)
{
  CwkCudaState *state = cwk_cuda_enter(device);
  if (args->n == 0)
    return CWK_OK;
  CwkRowDotsArgs copy = *args;
  if (!move_list(state, CWK_CUDA_SLOT_LIST, &copy.a.rows, args->n) ||
      !move_list(state, CWK_CUDA_SLOT_SECOND_LIST, &copy.b.rows, args->n) ||
      !move_list(state, CWK_CUDA_SLOT_THIRD_LIST, &copy.out_rows, args->n))
    return CWK_NO_MEMORY;
  unsigned n_blocks = cwk_cuda_n_blocks(state, args->n * CWK_CUDA_THREADS);
  CWK_CUDA_LAUNCH(dot_rows, n_blocks, state, copy);
  return cwk_cuda_launched();
}
