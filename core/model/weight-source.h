/* weight-source.h - the tensors of one model by name, be they in one file or in many. */
#pragma once

#include "cw-model.h"

typedef struct {
  char *path;           /* of the file or folder, for messages */
  GPtrArray *files;     /* CwTensorFile, in a fixed order */
  GHashTable *file_of;  /* tensor name -> the file that has it */
  CwkDevice *converter; /* one thread, turns stored vectors into f32 */
  GPtrArray *vectors;   /* f32 copies made of them */
} CwWeightSource;

/* path: a .gguf file, or a folder with model.safetensors or model.safetensors.index.json. */
CwWeightSource *cw_weight_source_new(const char *path, GError **error);
void cw_weight_source_free(CwWeightSource *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwWeightSource, cw_weight_source_free)

/* NULL if there is none of that name. */
const CwTensor *cw_weight_source_find(const CwWeightSource *source, const char *name);
/* A floating-point tensor of exactly this shape (-1: any), or an error that names the file, the
 * tensor and both shapes. */
const CwTensor *cw_weight_source_require(const CwWeightSource *source, const char *name,
                                         int n_dims, const int64_t *shape, GError **error);
/* A stored matrix as it is, mapped. */
bool cw_weight_source_get_rows(const CwWeightSource *source, const char *name, int64_t n_rows,
                               int64_t n_cols, CwkRows *rows, GError **error);
/* A vector or matrix as f32, plus `add`; owned by the source. NULL on error. */
const float *cw_weight_source_get_floats(CwWeightSource *source, const char *name, int n_dims,
                                         const int64_t *shape, float add, GError **error);
/* n f32 that live as long as the source; NULL without memory. */
float *cw_weight_source_new_floats(CwWeightSource *source, size_t n);
