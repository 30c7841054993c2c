/* tensor-floats.c - a small tensor of plain numbers as f32: norm weights, biases, thresholds.
 *
 * Element by element, without a device and without asking for alignment. Matrices are not
 * converted; products read them as they are stored (cwk_matmul, cwk_dequantise). */
#include <string.h>

#include "cw-tensor-file.h"

static float
float_of_bf16(uint16_t bits)
{
  uint32_t wide = (uint32_t)bits << 16;
  float value;
  memcpy(&value, &wide, sizeof value);
  return value;
}

/* Exponent and mantissa shifted into place, then scaled by 2^(127 - 15); infinities and NaNs
 * keep their exponent of ones. Subnormals come out right since the product is exact. */
static float
float_of_f16(uint16_t bits)
{
  uint32_t wide = (uint32_t)(bits & 0x7fff) << 13;
  float value;
  if ((bits & 0x7c00) == 0x7c00)
    wide |= 0x7f800000;
  memcpy(&value, &wide, sizeof value);
  if ((bits & 0x7c00) != 0x7c00)
    value *= 0x1p112f;
  return bits & 0x8000 ? -value : value;
}

static float
element(const CwTensor *tensor, const uint8_t *from)
{
  uint16_t half;
  float single;
  double wide;
  if (tensor->type == CW_TYPE_F64) {
    memcpy(&wide, from, sizeof wide);
    return (float)wide;
  }
  if (tensor->dtype == CWK_F32) {
    memcpy(&single, from, sizeof single);
    return single;
  }
  memcpy(&half, from, sizeof half);
  return tensor->dtype == CWK_BF16 ? float_of_bf16(half) : float_of_f16(half);
}

float *
cw_tensor_dup_floats(const CwTensor *tensor, GError **error)
{
  size_t width = 0;
  if (tensor->type == CW_TYPE_F64)
    width = 8;
  else if (tensor->type == CW_TYPE_FLOAT && cwk_dtype_block_size(tensor->dtype) == 1 &&
           tensor->dtype != CWK_I8)
    width = cwk_dtype_block_bytes(tensor->dtype);
  if (width == 0) {
    g_autofree char *shape = cw_tensor_dup_shape_text(tensor);
    g_set_error(error, CW_ERROR, CW_ERROR_UNSUPPORTED,
                "Tensor %s %s: f32, f16, bf16 or f64 is needed here", tensor->name, shape);
    return NULL;
  }
  size_t n = tensor->n_bytes / width;
  float *values = g_try_new(float, MAX(n, 1));
  if (values == NULL) {
    g_set_error(error, CW_ERROR, CW_ERROR_NO_MEMORY, "Tensor %s: no memory for %zu floats",
                tensor->name, n);
    return NULL;
  }
  for (size_t i = 0; i < n; i++)
    values[i] = element(tensor, (const uint8_t *)tensor->data + i * width);
  return values;
}
