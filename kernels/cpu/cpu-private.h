/* cpu-private.h - what the CPU bodies share. */
#pragma once

#include "kernels-private.h"

#define CWK_OP(name, Args) CwkStatus cwk_cpu_##name(CwkDevice *device, const Args *args);
#include "ops.def"
#undef CWK_OP

#define CWK_LINE_BYTES 64 /* of the processor's cache */

static inline int64_t
cwk_min(int64_t a, int64_t b)
{
  return a < b ? a : b;
}

/* x or the next multiple of `to`. */
static inline int64_t
cwk_round_up(int64_t x, int64_t to)
{
  return (x + to - 1) / to * to;
}

/* The start of row i of a stored matrix. */
static inline const void *
cwk_rows_at(const CwkRows *rows, int64_t i)
{
  return rows->row_list != NULL ? rows->row_list[i]
                                : (const char *)rows->data + (size_t)i * rows->row_bytes;
}

/* Elements first .. first + n - 1 of one stored row as f32, times scale; first and n are whole
 * blocks. The bodies are compiled once per instruction set. */
typedef void (*CwkDecodeRow)(const void *row, int64_t first, int64_t n, float scale,
                             float *out);
CwkDecodeRow cwk_cpu_decoder(CwkIsa isa, CwkDtype dtype);

/* Of code-kernels.c. */
extern const CwkCodeKernels cwk_codes_baseline, cwk_codes_avx2, cwk_codes_avx512;
