/* block-rows.h - rows as 8-bit, 5-bit or 4-bit codes. */
#pragma once

#include "cwk.h"
#include <stdbool.h>

/* Whether rows of n numbers can be written as `dtype`: I8, Q5_0 or Q4_0, the latter two in
 * whole blocks. */
bool cw_block_row_fits(CwkDtype dtype, int64_t n);
/* The row's own scale, in f32 beside the codes: 1/127 of the largest magnitude for I8, that
 * magnitude for blocks, whose f16 scales then keep their precision. */
float cw_block_row_scale(CwkDtype dtype, const float *row, int64_t n);
/* row / scale as codes; scale > 0, or all are zeros. bytes: cwk_dtype_row_bytes(dtype, n). */
void cw_block_row_encode(CwkDtype dtype, const float *row, int64_t n, float scale,
                         uint8_t *bytes);
