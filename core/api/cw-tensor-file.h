/* cw-tensor-file.h - files of named tensors: safetensors and GGUF, memory-mapped.
 *
 * A file is validated completely before the first tensor is handed out: every count, length,
 * offset and product is checked against the file, so a view never reaches outside the map. */
#pragma once

#include "cw-base.h"

G_BEGIN_DECLS

#define CW_MAX_DIMS 4

/* Element types that safetensors knows beyond CwkDtype are given by their own code. */
typedef enum {
  CW_TYPE_FLOAT, /* see dtype: any CwkDtype */
  CW_TYPE_I64,
  CW_TYPE_I32,
  CW_TYPE_BOOL,
  CW_TYPE_F64,
  CW_TYPE_U8,
  CW_TYPE_I8,
  CW_TYPE_OTHER /* valid, kept as bytes */
} CwTensorType;

typedef struct {
  const char *name; /* owned by the file */
  CwTensorType type;
  CwkDtype dtype; /* where type is CW_TYPE_FLOAT */
  int n_dims;
  int64_t shape[CW_MAX_DIMS]; /* outermost first, as in PyTorch (GGUF's order is reversed) */
  const void *data;           /* in the map, borrowed; alignment may be 1 */
  size_t n_bytes;
} CwTensor;

typedef struct _CwTensorFile CwTensorFile;

/* Opens a .safetensors or .gguf file by its contents. Cost O(header). */
CwTensorFile *cw_tensor_file_open(const char *path, GError **error);
void cw_tensor_file_close(CwTensorFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwTensorFile, cw_tensor_file_close)

const char *cw_tensor_file_peek_path(const CwTensorFile *file);
bool cw_tensor_file_is_gguf(const CwTensorFile *file);
size_t cw_tensor_file_get_n_tensors(const CwTensorFile *file);
const CwTensor *cw_tensor_file_peek_tensor(const CwTensorFile *file, size_t i);
/* NULL if there is none of that name; O(1). */
const CwTensor *cw_tensor_file_find(const CwTensorFile *file, const char *name);
/* As find, but an absent tensor or another shape (a size of -1 accepts any) is an error that
 * names file, tensor and both shapes. */
const CwTensor *cw_tensor_file_require(const CwTensorFile *file, const char *name, int n_dims,
                                       const int64_t *shape, GError **error);
/* "[96, 576] bf16", to be freed. */
char *cw_tensor_dup_shape_text(const CwTensor *tensor);
/* All elements of an F32, F16, BF16 or F64 tensor as f32, to be freed: for biases, norm weights
 * and the like. Other types are an error. */
float *cw_tensor_dup_floats(const CwTensor *tensor, GError **error);

/* GGUF metadata (and safetensors' __metadata__, whose values are all strings). The getters
 * return false if the key is absent or of another kind. Arrays are borrowed; the strings of
 * get_strings lie in the map: lengths[i] bytes each, no NUL behind them. Integers of any width
 * and sign are one kind, f32 and f64 another. */
bool cw_tensor_file_get_string(const CwTensorFile *file, const char *key, const char **value);
bool cw_tensor_file_get_int(const CwTensorFile *file, const char *key, int64_t *value);
bool cw_tensor_file_get_double(const CwTensorFile *file, const char *key, double *value);
bool cw_tensor_file_get_bool(const CwTensorFile *file, const char *key, bool *value);
bool cw_tensor_file_get_strings(const CwTensorFile *file, const char *key,
                                const char *const **values, const uint32_t **lengths,
                                size_t *n);
bool cw_tensor_file_get_floats(const CwTensorFile *file, const char *key, const float **values,
                               size_t *n);
bool cw_tensor_file_get_ints(const CwTensorFile *file, const char *key, const int32_t **values,
                             size_t *n);

/* ---- writing safetensors --------------------------------------------------------------- */

/* One tensor to be written; `data` is borrowed until cw_safetensors_write returns. */
typedef struct {
  const char *name;
  const char *dtype; /* safetensors' own name: "F32", "I64", "BOOL", ... */
  int n_dims;
  int64_t shape[CW_MAX_DIMS];
  const void *data;
} CwTensorOut;

/* Writes path atomically: aside, synced, renamed. metadata: NULL-terminated key, value, ... */
bool cw_safetensors_write(const char *path, const CwTensorOut *tensors, size_t n,
                          const char *const *metadata, GError **error);

/* Writes n_bytes to path atomically (aside, fsync, rename, fsync of the folder). */
bool cw_file_write_atomic(const char *path, const void *data, size_t n_bytes, GError **error);

G_END_DECLS
