/* cwk.h - the numeric kernels of Clew: devices, a thread pool, and the leaf operations.
 *
 * Letters, used throughout: T positions, L layers, D residual width, F features per layer,
 * V vocabulary, H query heads, G key/value heads, K head width. Row-major, last axis
 * contiguous, f32 unless a dtype is named. A "stride" counts elements, not bytes.
 *
 * Threads: a CwkDevice may be used by one thread at a time; it spreads the work of one call
 * over its own fixed pool. Results do not depend on the number of threads: work is cut into
 * tiles of a fixed size, each tile is written by one thread, and sums run in a fixed order.
 *
 * Memory: no op allocates except for its packing scratch, which the device owns and reuses.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CWK_WARN_UNUSED __attribute__((warn_unused_result))

typedef enum {
  CWK_OK = 0,
  CWK_SHAPE,       /* sizes that do not fit together, or a null pointer: a caller's mistake */
  CWK_NO_MEMORY,   /* scratch or device memory could not be had */
  CWK_UNSUPPORTED, /* this device has no such op or dtype */
  CWK_DEVICE       /* the device reported a failure */
} CwkStatus;

const char *cwk_status_text(CwkStatus status);

/* ---- element types -------------------------------------------------------------------- */

/* Block types are laid out as in GGUF; a row holds whole blocks. I8 is a row of signed bytes
 * whose scale the caller keeps (CwkRows.scales). */
typedef enum {
  CWK_F32,
  CWK_F16,
  CWK_BF16,
  CWK_Q8_0,
  CWK_Q4_0,
  CWK_Q4_1,
  CWK_Q5_0,
  CWK_Q5_1,
  CWK_Q4_K,
  CWK_Q5_K,
  CWK_Q6_K,
  CWK_I8,
  CWK_N_DTYPES
} CwkDtype;

/* Elements per block (1 for plain types), bytes per block, and the name used in messages. */
int64_t cwk_dtype_block_size(CwkDtype dtype);
size_t cwk_dtype_block_bytes(CwkDtype dtype);
const char *cwk_dtype_name(CwkDtype dtype);
/* Bytes of a row of n elements; 0 if n is no whole number of blocks or the size overflows. */
size_t cwk_dtype_row_bytes(CwkDtype dtype, int64_t n);

/* ---- devices -------------------------------------------------------------------------- */

typedef struct CwkDevice CwkDevice;

typedef enum { CWK_DEVICE_CPU, CWK_DEVICE_CUDA } CwkDeviceKind;

/* A CPU device with n_threads threads, the calling one included; 0 takes one per core the
 * process may use. NULL if memory or threads could not be had. */
CwkDevice *cwk_cpu_new(int n_threads);
/* The CUDA device `ordinal` through the module at module_path (NULL: the installed place).
 * NULL with a text in *why (static storage) if there is no module, driver or device. */
CwkDevice *cwk_cuda_new(const char *module_path, int ordinal, const char **why);
void cwk_device_free(CwkDevice *device);

CwkDeviceKind cwk_device_kind(const CwkDevice *device);
int cwk_device_n_threads(const CwkDevice *device);
/* For people: "AVX-512, 2 threads" or the GPU's name. Owned by the device. */
const char *cwk_device_name(const CwkDevice *device);

/* Device memory. On the CPU plain 64-byte aligned host memory. */
CwkStatus cwk_memory_alloc(CwkDevice *device, size_t n_bytes, void **memory) CWK_WARN_UNUSED;
void cwk_memory_free(CwkDevice *device, void *memory);
CwkStatus cwk_memory_upload(CwkDevice *device, void *to, const void *from_host,
                            size_t n_bytes) CWK_WARN_UNUSED;
CwkStatus cwk_memory_download(CwkDevice *device, void *to_host, const void *from,
                              size_t n_bytes) CWK_WARN_UNUSED;

/* Runs task(data, i) for every i in [0, n_items) on the pool of a CPU device; returns when all
 * are done. Each item must write memory of its own. Not to be nested. On a CUDA device the
 * items run on the calling thread. */
typedef void (*CwkTask)(void *data, int64_t item);
void cwk_parallel_for(CwkDevice *device, int64_t n_items, CwkTask task, void *data);

/* ---- operands ------------------------------------------------------------------------- */

/* A matrix as it is stored: n_rows rows of n_cols elements. Rows are `row_bytes` apart, or,
 * when `row_list` is given, row i starts at row_list[i] (a gather). `scales`, when given,
 * multiplies row i by scales[i] (needed by I8, allowed everywhere). */
typedef struct {
  const void *data;
  CwkDtype dtype;
  int64_t n_rows, n_cols;
  size_t row_bytes;
  const void *const *row_list; /* [n_rows] or NULL */
  const float *scales;         /* [n_rows] or NULL */
} CwkRows;

/* A dense row-major matrix of f32, a gather list of its rows being optional: logical row i is
 * at data + (rows ? rows[i] : i) * stride. A stride of 1 makes `rows` plain offsets. */
typedef struct {
  float *data;
  int64_t stride;
  const int64_t *rows;
} CwkTile;

/* ---- ops ------------------------------------------------------------------------------ */

/* C[m, n] (+)= A[m, k] . B, where B is a stored matrix:
 *   CWK_B_ROWS_ARE_OUTPUTS  b is [n, k]: C = A . b^T (a linear layer's weight as PyTorch keeps
 *                           it, or a list of decoder rows);
 *   CWK_B_ROWS_ARE_INPUTS   b is [k, n]: C = A . b (its adjoint, or GPT-2's Conv1D weight). */
typedef enum { CWK_B_ROWS_ARE_OUTPUTS, CWK_B_ROWS_ARE_INPUTS } CwkBLayout;

typedef struct {
  int64_t m, n, k;
  CwkTile a; /* [m, k], read only */
  CwkRows b;
  CwkBLayout b_layout;
  CwkTile c;       /* [m, n] */
  bool accumulate; /* add to C instead of replacing it */
} CwkMatmulArgs;

/* Several products in one call; they run side by side and must write different memory. */
typedef struct {
  int64_t n_products;
  const CwkMatmulArgs *products;
} CwkMatmulBatchArgs;

/* matmul_int8 is matmul_batch with each row of A rounded to 8 bits: per group of 32 elements
 * (16 for Q6_K) to the nearest of 255 multiples of the largest magnitude / 127. B's values are
 * exact. Rows of B must be outputs, of a type that cwk_has_int8 names; else CWK_UNSUPPORTED. */
bool cwk_has_int8(const CwkDevice *device, CwkDtype dtype);

/* out[out_rows[i]] += a_i . b_i for i < n; several i may share a row of a or b, not of out. */
typedef struct {
  int64_t n, k;
  CwkTile a, b; /* read only */
  float *out;
  const int64_t *out_rows; /* [n] or NULL */
} CwkRowDotsArgs;

/* out[i, :] = rows[i, :] as f32, scale applied. */
typedef struct {
  CwkRows rows;
  float *out; /* [n_rows, n_cols] */
} CwkDequantiseArgs;

/* Normalisation over the last axis: x_hat = (x - mean) / scale for LayerNorm,
 * x / scale for RMSNorm, scale = sqrt(variance or mean square + epsilon).
 * out = x_hat * (weight) + bias; each of the outputs may be NULL. */
typedef struct {
  int64_t n_rows, n_cols;
  const float *x; /* [n_rows, n_cols] */
  bool is_layer_norm;
  float epsilon;
  const float *weight; /* [n_cols] or NULL */
  const float *bias;   /* [n_cols] or NULL */
  float *normalised;   /* [n_rows, n_cols] x_hat, or NULL */
  float *out;          /* [n_rows, n_cols] or NULL */
  float *scale;        /* [n_rows] or NULL */
} CwkNormArgs;

/* The adjoint of a norm whose scale is frozen: out_i (+)= centre(weight * x_i) /
 * scale[index[i]], centring for LayerNorm only. out may be x unless it is added to. */
typedef struct {
  int64_t n_rows, n_cols;
  const float *x; /* [n_rows, n_cols] */
  bool is_layer_norm;
  const float *weight;  /* [n_cols] or NULL */
  const float *scale;   /* by index */
  const int32_t *index; /* [n_rows] */
  float *out;           /* [n_rows, n_cols] */
  bool accumulate;
} CwkNormAdjointArgs;

/* Rotary embedding in place on the first n_rotary of K dims; position of row t is
 * first_position + t; inverse_frequency[n_rotary / 2]. Pairs are (i, i + n_rotary / 2) as in
 * Hugging Face files, or (2i, 2i + 1) where is_interleaved (GGUF of the Llama family). */
typedef struct {
  int64_t n_positions, n_heads, head_width, n_rotary;
  int64_t first_position;
  const float *inverse_frequency;
  float attention_scaling; /* multiplies cos and sin, 1 for all but YaRN-like scalings */
  float *x;                /* [T, heads, K] */
  int64_t stride;          /* elements between positions */
  bool is_interleaved;
} CwkRopeArgs;

/* pattern[h, i, j] = softmax_j(scale * q_i . k_j), causal: j <= i + n_keys - n_queries, and
 * within `window` keys (0: no window; w: the query sees itself and w - 1 before it);
 * soft_cap c > 0 replaces a score s by c tanh(s / c). Entries outside are 0. Head h reads
 * key head h / (H / G). Bodies skip what lies outside. */
typedef struct {
  int64_t n_queries, n_keys, n_heads, n_kv_heads, head_width;
  const float *q; /* [n_queries, H, K], stride q_stride */
  const float *k; /* [n_keys, G, K], stride k_stride */
  int64_t q_stride, k_stride;
  float scale, soft_cap;
  int64_t window;
  float *pattern; /* [H, n_queries, n_keys] */
} CwkAttentionPatternArgs;

/* out[i, h, :] = sum_j pattern[h, i, j] v[j, h / (H / G), :]. */
typedef struct {
  int64_t n_queries, n_keys, n_heads, n_kv_heads, head_width;
  const float *pattern; /* [H, n_queries, n_keys] */
  const float *v;       /* [n_keys, G, K], stride v_stride */
  int64_t v_stride;
  float *out; /* [n_queries, H, K], stride out_stride */
  int64_t out_stride;
} CwkAttentionMixArgs;

/* attention_pattern and attention_mix in one, where the pattern itself is not wanted: it takes
 * n_keys of scratch per query in work, not [H, n_queries, n_keys]. */
typedef struct {
  int64_t n_queries, n_keys, n_heads, n_kv_heads, head_width;
  const float *q; /* [n_queries, H, K], stride q_stride */
  const float *k; /* [n_keys, G, K], stride k_stride */
  const float *v; /* [n_keys, G, K], stride v_stride */
  int64_t q_stride, k_stride, v_stride;
  float scale, soft_cap;
  int64_t window;
  float *out; /* [n_queries, H, K], stride out_stride */
  int64_t out_stride;
} CwkAttentionArgs;

/* The adjoint of attention_mix for a batch of rows, pattern frozen. Row r carries the positions
 * 0 .. n_positions[r] - 1 from element offset first[r] (in positions) on:
 *   out[r, j, g, :] = sum over h in group g, i >= j of pattern[h, i, j] z[r, i, h, :]. */
typedef struct {
  int64_t n_rows;
  const int32_t *n_positions; /* [n_rows] */
  const int64_t *first;       /* [n_rows] */
  int64_t n_heads, n_kv_heads, head_width;
  const float *pattern; /* [H, pattern_t, pattern_t] */
  int64_t pattern_t;
  const float *z; /* [sum n_positions, H, K] */
  float *out;     /* [sum n_positions, G, K] */
} CwkAttentionAdjointArgs;

/* out = act(gate) * up, or act(gate) where up is NULL. out may be gate. */
typedef enum { CWK_SILU, CWK_GELU_TANH, CWK_GELU_ERF, CWK_RELU } CwkActivation;

typedef struct {
  int64_t n;
  CwkActivation activation;
  const float *gate, *up; /* [n] */
  float *out;             /* [n] */
} CwkActivateArgs;

/* Points of a plane pushing each other away: force_i = sum over the sources j of
 * mass_j (p_i - s_j) / (|p_i - s_j|^2 + softening). A source in the same place adds nothing.
 * source_x NULL: the points push each other, with mass 1; the other sources are not read.
 * Coordinates are at most 1e15, so that no square is infinite. */
typedef struct {
  int64_t n_points, n_sources;
  const float *x, *y;                             /* [n_points] */
  const float *source_x, *source_y, *source_mass; /* [n_sources] */
  float softening;                                /* > 0 */
  float *force_x, *force_y;                       /* [n_points] */
} CwkRepulsionArgs;

/* Every op above, once. `cwk_matmul(device, &args)` and so on; the shared entry checks shapes,
 * the device's body computes. */
#define CWK_OP(name, Args) \
  CwkStatus cwk_##name(CwkDevice *device, const Args *args) CWK_WARN_UNUSED;
#include "ops.def"
#undef CWK_OP

#ifdef __cplusplus
}
#endif
