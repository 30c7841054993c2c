/* dtype.c - element types: names and block geometry (GGUF's layouts). */
#include "cwk.h"

typedef struct {
  const char *name;
  int block_size, block_bytes;
} DtypeInfo;

static const DtypeInfo infos[CWK_N_DTYPES] = {
  [CWK_F32] = { "f32", 1, 4 },       [CWK_F16] = { "f16", 1, 2 },
  [CWK_BF16] = { "bf16", 1, 2 },     [CWK_Q8_0] = { "q8_0", 32, 34 },
  [CWK_Q4_0] = { "q4_0", 32, 18 },   [CWK_Q4_1] = { "q4_1", 32, 20 },
  [CWK_Q5_0] = { "q5_0", 32, 22 },   [CWK_Q5_1] = { "q5_1", 32, 24 },
  [CWK_Q4_K] = { "q4_k", 256, 144 }, [CWK_Q5_K] = { "q5_k", 256, 176 },
  [CWK_Q6_K] = { "q6_k", 256, 210 }, [CWK_I8] = { "i8", 1, 1 },
};

int64_t
cwk_dtype_block_size(CwkDtype dtype)
{
  return infos[dtype].block_size;
}

size_t
cwk_dtype_block_bytes(CwkDtype dtype)
{
  return (size_t)infos[dtype].block_bytes;
}

const char *
cwk_dtype_name(CwkDtype dtype)
{
  return dtype < CWK_N_DTYPES ? infos[dtype].name : "unknown";
}

size_t
cwk_dtype_row_bytes(CwkDtype dtype, int64_t n)
{
  if (dtype >= CWK_N_DTYPES || n < 0 || n % infos[dtype].block_size != 0)
    return 0;
  size_t bytes;
  if (__builtin_mul_overflow((size_t)(n / infos[dtype].block_size),
                             (size_t)infos[dtype].block_bytes, &bytes))
    return 0;
  return bytes;
}
