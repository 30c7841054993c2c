/* dequantise-cuda.cu - stored rows as f32: one thread per element, any type, any gather.
 *
 * Elements are read byte by byte, since blocks of 18, 20, 34 or 210 bytes keep no alignment. */
#include "cuda-private.h"

#include <cuda_fp16.h>

static __device__ uint16_t
read_u16(const uint8_t *p)
{
  return (uint16_t)(p[0] | (p[1] << 8));
}

static __device__ uint32_t
read_u32(const uint8_t *p)
{
  return (uint32_t)read_u16(p) | ((uint32_t)read_u16(p + 2) << 16);
}

static __device__ float
read_half(const uint8_t *p)
{
  return __half2float(__ushort_as_half(read_u16(p)));
}

/* Element i of blocks of 32 with 4-bit values; `skip` bytes stand before them. Values 0 .. 15
 * keep the low halves, 16 .. 31 the high ones. */
static __device__ int
nibble_at(const uint8_t *values, int t)
{
  return t < 16 ? values[t] & 15 : values[t - 16] >> 4;
}

static __device__ float
block32_at(CwkDtype dtype, const uint8_t *row, int64_t i)
{
  int t = (int)(i % 32);
  int64_t block = i / 32;
  const uint8_t *p;
  switch (dtype) {
  case CWK_Q8_0:
    p = row + block * 34;
    return (float)(int8_t)p[2 + t] * read_half(p);
  case CWK_Q4_0:
    p = row + block * 18;
    return (float)(nibble_at(p + 2, t) - 8) * read_half(p);
  case CWK_Q4_1:
    p = row + block * 20;
    return (float)nibble_at(p + 4, t) * read_half(p) + read_half(p + 2);
  case CWK_Q5_0:
    p = row + block * 22;
    return (float)((nibble_at(p + 6, t) | (int)((read_u32(p + 2) >> t & 1) << 4)) - 16) *
           read_half(p);
  default: /* CWK_Q5_1 */
    p = row + block * 24;
    return (float)(nibble_at(p + 8, t) | (int)((read_u32(p + 4) >> t & 1) << 4)) *
               read_half(p) +
           read_half(p + 2);
  }
}

/* The 6-bit scale and minimum of run j of a block of 256, packed in 12 bytes. */
static __device__ void
run_scale(const uint8_t *q, int j, int *scale, int *minimum)
{
  if (j < 4) {
    *scale = q[j] & 63;
    *minimum = q[j + 4] & 63;
  } else {
    *scale = (q[j + 4] & 15) | ((q[j - 4] >> 6) << 4);
    *minimum = (q[j + 4] >> 4) | ((q[j] >> 6) << 4);
  }
}

static __device__ float
block256_at(CwkDtype dtype, const uint8_t *row, int64_t i)
{
  int at = (int)(i % 256), run = at / 32, t = at % 32;
  int64_t block = i / 256;
  if (dtype == CWK_Q6_K) {
    const uint8_t *p = row + block * 210;
    int low = p[run / 4 * 64 + (run & 1) * 32 + t] >> ((run & 2) * 2) & 15;
    int high = p[128 + run / 4 * 32 + t] >> ((run & 3) * 2) & 3;
    return read_half(p + 208) * (float)(int8_t)p[192 + 2 * run + t / 16] *
           (float)((low | (high << 4)) - 32);
  }
  bool is_q5 = dtype == CWK_Q5_K;
  const uint8_t *p = row + block * (is_q5 ? 176 : 144);
  const uint8_t *values = p + (is_q5 ? 48 : 16);
  int value = values[run / 2 * 32 + t] >> ((run & 1) * 4) & 15, scale, minimum;
  if (is_q5)
    value |= (p[16 + t] >> run & 1) << 4;
  run_scale(p + 4, run, &scale, &minimum);
  return (float)value * (read_half(p) * (float)scale) - read_half(p + 2) * (float)minimum;
}

static __device__ float
element_at(CwkDtype dtype, const uint8_t *row, int64_t i)
{
  switch (dtype) {
  case CWK_F32:
    return __uint_as_float(read_u32(row + 4 * i));
  case CWK_F16:
    return read_half(row + 2 * i);
  case CWK_BF16:
    return __uint_as_float((uint32_t)read_u16(row + 2 * i) << 16);
  case CWK_I8:
    return (float)(int8_t)row[i];
  case CWK_Q4_K:
  case CWK_Q5_K:
  case CWK_Q6_K:
    return block256_at(dtype, row, i);
  default:
    return block32_at(dtype, row, i);
  }
}

static __global__ void
decode_rows(CwkRows rows, const void *const *row_list, int64_t first, int64_t n_rows,
            float *out)
{
  int64_t step = (int64_t)gridDim.x * blockDim.x;
  for (int64_t at = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; at < n_rows * rows.n_cols;
       at += step) {
    int64_t i = first + at / rows.n_cols;
    const uint8_t *row = row_list != NULL
                             ? (const uint8_t *)row_list[i]
                             : (const uint8_t *)rows.data + (size_t)i * rows.row_bytes;
    float value = element_at(rows.dtype, row, at % rows.n_cols);
    out[at] = rows.scales != NULL ? value * rows.scales[i] : value;
  }
}

CwkStatus
cwk_cuda_decode_rows(CwkCudaState *state, const CwkRows *rows, const void *const *row_list,
                     int64_t first, int64_t n_rows, float *out)
{
  if (n_rows == 0 || rows->n_cols == 0)
    return CWK_OK;
  unsigned n_blocks = cwk_cuda_n_blocks(state, n_rows * rows->n_cols);
  CWK_CUDA_LAUNCH(decode_rows, n_blocks, state, *rows, row_list, first, n_rows, out);
  return cwk_cuda_launched();
}

CwkStatus
cwk_cuda_dequantise(CwkDevice *device, const CwkDequantiseArgs *args)
{
  CwkCudaState *state = cwk_cuda_enter(device);
  const CwkRows *rows = &args->rows;
  const void *const *row_list = NULL;
  if (rows->row_list != NULL) {
    row_list = (const void *const *)cwk_cuda_upload_list(
        state, CWK_CUDA_SLOT_LIST, rows->row_list, (size_t)rows->n_rows * sizeof(void *));
    if (row_list == NULL)
      return CWK_NO_MEMORY;
  }
  return cwk_cuda_decode_rows(state, rows, row_list, 0, rows->n_rows, args->out);
}
