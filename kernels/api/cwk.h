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

/* ---- codes of 8 bits --------------------------------------------------------------------- */

/* Rows of f32 to codes, on the calling thread: for tasks that share rows out among themselves.
 * The same bits on every instruction set. Values are finite but where it says otherwise. */
typedef struct {
  /* The squares of the values no larger than limit, summed; *largest is the largest magnitude
   * of all n, infinite or NaN if one of them is. */
  double (*sum_squares)(const float *x, int64_t n, float limit, float *largest);
  /* codes[i] = x[i] * inverse to nearest, ties to even; 0 where that has no code within -limit
   * .. limit (at most 127), and then i is listed in beyond [n]. Returns the sum of the squares
   * that rounding lost, in units of (1 / inverse)^2. */
  double (*round_row)(const float *x, int64_t n, float inverse, float limit, int8_t *codes,
                      uint32_t *beyond, int64_t *n_beyond);
} CwkCodeKernels;
/* For the CPU that this runs on, whatever device does the rest. */
const CwkCodeKernels *cwk_code_kernels(void);

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

/* ---- ops of sparse dictionaries --------------------------------------------------------- */

/* What a step of training a transcoder is made of. A part is one source layer: F features that
 * are active on few of B tokens and write rows into the residual stream. Columns are cut into
 * tiles of CWK_TILE, the last one padded with zeros, and matrices that pass by in whole are
 * kept tile by tile: decoder rows as [n_tiles, F, CWK_TILE], vectors of tokens as [n_tiles, B,
 * CWK_TILE]. A feature's sums belong to one thread and run over tokens in ascending order, so
 * no atomics are needed and bits do not depend on threads. Sets of tokens are bits: token b of
 * feature i is bit b % 64 of word i * n_words + b / 64, n_words = ceil(B / 64). */
#define CWK_TILE 64

/* Entries by owner (feature or token): those of owner i are first[i] .. first[i + 1] - 1, their
 * indices (token or feature) ascending. */
typedef struct {
  const int64_t *first;
  const int32_t *index;
} CwkEntries;

/* JumpReLU of one part: h = pre + bias, active where h > threshold, in the band where
 * |h - threshold| < half_band. Replaces pre by h. */
typedef struct {
  int64_t n_features, n_tokens;
  float *pre;                    /* [F, B] */
  const float *bias, *threshold; /* [F] */
  float half_band;
  uint64_t *active;  /* [F, n_words] */
  uint64_t *band;    /* the same, or NULL */
  int64_t *n_active; /* [F] */
  int64_t *n_band;   /* [F] or NULL */
  double *shortfall; /* [F] sum over tokens of max(threshold - h, 0) */
} CwkGatePart;

typedef struct {
  int64_t n_parts;
  const CwkGatePart *parts;
} CwkGateArgs;

/* The active entries of one part as lists, by feature and by token. */
typedef struct {
  int64_t n_features, n_tokens;
  const float *pre;       /* [F, B], h */
  const uint64_t *active; /* [F, n_words] */
  const int64_t *first;   /* [F + 1] running sum of n_active */
  int32_t *token;         /* [n_entries] by feature */
  float *value;           /* [n_entries] by feature */
  int64_t *token_first;   /* [B + 1] */
  int32_t *feature;       /* [n_entries] by token */
  float *token_value;     /* [n_entries] by token */
} CwkActiveListsPart;

typedef struct {
  int64_t n_parts;
  const CwkActiveListsPart *parts;
} CwkActiveListsArgs;

/* tanh(scale norm a) over the active entries of each feature, and its derivatives. */
typedef struct {
  int64_t n_features;
  CwkEntries entries;     /* by feature */
  const float *value;     /* activations a */
  const float *norm;      /* [F] */
  const float *threshold; /* [F] */
  float half_band;        /* entries with a - threshold below it count as in the band */
  float scale;
  double *sum;       /* [F] of tanh */
  double *norm_sum;  /* [F] of scale a (1 - tanh^2) */
  double *band_sum;  /* [F] of scale norm (1 - tanh^2) over active entries in the band */
  float *derivative; /* [n_entries] scale norm (1 - tanh^2) */
} CwkTanhPenaltyPart;

typedef struct {
  int64_t n_parts;
  const CwkTanhPenaltyPart *parts;
} CwkTanhPenaltyArgs;

/* What the features of one source write: entries by token. */
typedef struct {
  int64_t n_features;
  CwkEntries entries; /* by token */
  const float *value;
  const float *weight; /* [n_targets * n_tiles, F, CWK_TILE]: the nearest target first */
} CwkDecodeSource;

/* out[k] = bias[k] + sum over the sources l that write to target k (l <= k for a cross-layer
 * dictionary, l = k else) of value . weight. n_tiles is the number of tiles of one target. */
typedef struct {
  int64_t n_targets, n_tokens, n_tiles;
  bool is_cross_layer;
  const CwkDecodeSource *sources; /* [n_targets] */
  const float *bias;              /* [n_targets, n_tiles * CWK_TILE] */
  float *out;                     /* [n_targets, n_tiles, B, CWK_TILE] */
} CwkSparseDecodeArgs;

/* Compares predictions with what was to be predicted and leaves the gradient of the mean square
 * error in their place: prediction = factor weight (prediction - actual). */
typedef struct {
  int64_t n_targets, n_tokens, n_tiles;
  int64_t width;       /* columns of actual, <= n_tiles * CWK_TILE */
  float *prediction;   /* [n_targets, n_tiles, B, CWK_TILE] */
  const float *actual; /* [n_targets, B, width] */
  const float *weight; /* [n_targets, B], or NULL: 1 */
  float factor;
  float *column_sums; /* [n_targets, n_tiles * CWK_TILE] of the gradient, over tokens */
  /* [n_targets, n_tiles] of the columns of a tile: (prediction - actual)^2, the same by weight,
   * and (actual - mean over tokens)^2 */
  double *square_errors, *weighted_errors, *square_deviations;
} CwkResidualArgs;

/* The adjoint of a decoder at the active entries and what else its rows are needed for:
 *   adjoint[e] += upstream[token e] . weight[feature of e]
 *   band_sum[i] = sum over the tokens of band i of upstream . weight[i]
 *   gradient_norm2[i] = |sum over e of value[e] upstream[token e] + weight_scale[i]
 * weight[i]|^2 band_sum is summed before it is multiplied: sets of tokens are looked up, four
 * at a time, among the sixteen sums of their rows (Arlazarov and others' "four Russians"), so
 * that its cost does not depend on how wide the band is and is a quarter of a dense product's.
 */
typedef struct {
  int64_t n_features, n_tokens, n_tiles;
  const float *upstream; /* [n_tiles, B, CWK_TILE] */
  const float *weight;   /* [n_tiles, F, CWK_TILE] */
  CwkEntries entries;    /* by feature */
  const float *value;
  float *adjoint;            /* [n_entries] */
  const float *weight_scale; /* [F] */
  double *gradient_norm2;    /* [F] */
  const uint64_t *band;      /* [F, n_words] or NULL: no band_sum */
  const int64_t *n_band;     /* [F] */
  double *band_sum;          /* [F] */
} CwkSparseAdjointPart;

typedef struct {
  int64_t n_parts;
  const CwkSparseAdjointPart *parts;
} CwkSparseAdjointArgs;

/* Rows and their gradients, never stored: row i, columns of tile t, has the gradient
 *   sum over e of coefficient[e] source[token e, t] + weight_scale[i] weight[i, t]
 *     + shift_scale[i] shift[t].
 * weight, m and v are addressed alike: tile t of row i begins at t * tile_stride + i *
 * row_stride. */
typedef struct {
  int64_t n_features, n_tiles;
  CwkEntries entries; /* by feature */
  const float *coefficient;
  const float *source;
  int64_t source_tile_stride, source_token_stride;
  float *weight, *m, *v;
  int64_t tile_stride, row_stride;
  const float *weight_scale; /* [F] or NULL */
  const float *shift;        /* [n_tiles * CWK_TILE] or NULL */
  const float *shift_scale;  /* [F] */
  double *norm2;             /* [F], or NULL: of the gradient (sparse_gradient_norm), or of the
                                new weights (sparse_adam) */
} CwkSparseRowsPart;

/* sparse_gradient_sum adds the sum over e of coefficient[e] source[token e, t] to m and reads
 * no weight; its source has rows of CWK_TILE. */

typedef struct {
  int64_t n_parts;
  const CwkSparseRowsPart *parts;
} CwkSparseRowsArgs;

/* Adam (Kingma and Ba, arXiv 1412.6980) as PyTorch computes it, in f32:
 *   m += (1 - beta1) (g - m), v = beta2 v + (1 - beta2) g^2,
 *   w -= step_size m / (sqrt(v) * inverse_root_correction + epsilon)
 * with step_size = lr / (1 - beta1^t) and inverse_root_correction = 1 / sqrt(1 - beta2^t). */
typedef struct {
  float beta1, beta2, step_size, inverse_root_correction, epsilon;
} CwkAdam;

typedef struct {
  int64_t n_parts;
  const CwkSparseRowsPart *parts;
  float gradient_factor; /* from clipping by the global norm */
  CwkAdam adam;
} CwkSparseAdamArgs;

/* Adam on n plain values. */
typedef struct {
  int64_t n;
  const float *gradient;
  float *weight, *m, *v;
  float gradient_factor;
  CwkAdam adam;
} CwkAdamArgs;

/* Every op above, once. `cwk_matmul(device, &args)` and so on; the shared entry checks shapes,
 * the device's body computes. */
#define CWK_OP(name, Args) \
  CwkStatus cwk_##name(CwkDevice *device, const Args *args) CWK_WARN_UNUSED;
#include "ops.def"
#undef CWK_OP

#ifdef __cplusplus
}
#endif
