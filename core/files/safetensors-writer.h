/* safetensors-writer.h - writes a safetensors file piece by piece, for tensors that are
 * computed row by row and never lie in memory as a whole. */
#pragma once

#include "cw-tensor-file.h"

typedef struct _CwSafetensorsWriter CwSafetensorsWriter;

/* The tensors' data (their `data` is not looked at) must then be appended in this order, which
 * should be by falling element size so that each is aligned. */
CwSafetensorsWriter *cw_safetensors_writer_begin(const char *path, const CwTensorOut *tensors,
                                                 size_t n, const char *const *metadata,
                                                 GError **error);
bool cw_safetensors_writer_append(CwSafetensorsWriter *writer, const void *data, size_t n_bytes,
                                  GError **error);
/* Puts the file in its place. Frees the writer in any case. */
bool cw_safetensors_writer_finish(CwSafetensorsWriter *writer, GError **error);
void cw_safetensors_writer_discard(CwSafetensorsWriter *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwSafetensorsWriter, cw_safetensors_writer_discard)
