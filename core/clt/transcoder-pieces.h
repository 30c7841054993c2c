/* transcoder-pieces.h - a safetensors file planned from parts of a transcoder, then written row
 * by row without holding a matrix in memory. */
#pragma once

#include "clt/transcoder.h"

/* A matrix of a layer. */
typedef enum { CW_MATRIX_ENCODER, CW_MATRIX_DECODER, CW_MATRIX_SKIP } CwMatrix;

/* Decodes rows of one transcoder. */
typedef struct {
  const CwTranscoder *transcoder;
  CwkDevice *device;
  float *row;     /* [D] */
  uint8_t *bytes; /* [4 D], a row as it is to be written */
} CwRowSource;

bool cw_row_source_init(CwRowSource *source, const CwTranscoder *transcoder, GError **error);
void cw_row_source_clear(CwRowSource *source);
/* Row i of a matrix of layer l as f32 in source->row; of a decoder [F * n_targets, D] row
 * f * n_targets + to - l. */
bool cw_row_source_read(CwRowSource *source, CwMatrix matrix, int64_t l, int64_t i,
                        GError **error);

/* Flags a decoder's rows that are not 0, at least one; returns their number, -1 on failure. */
int64_t cw_row_source_find_kept(CwRowSource *source, int64_t l,
                                uint8_t *is_kept /* [F * n_targets] */, GError **error);

/* The tensors of a file to be written; cw_plan_write empties it. */
typedef struct {
  GArray *pieces;
  GStringChunk *names;
} CwPlan;

void cw_plan_init(CwPlan *plan);
void cw_plan_clear(CwPlan *plan);
/* n floats, borrowed until the plan is written; values NULL adds nothing. */
void cw_plan_add_vector(CwPlan *plan, const char *name, const float *values, int64_t n);
/* Rows as they are stored where they carry no scale, else as f32. */
void cw_plan_add_rows(CwPlan *plan, const CwTranscoder *transcoder, const char *name,
                      CwMatrix matrix, int64_t l);
/* <name> as signed bytes and <name>_scale. */
void cw_plan_add_bytes(CwPlan *plan, const CwTranscoder *transcoder, const char *name,
                       CwMatrix matrix, int64_t l);
/* A decoder of which only the rows are written whose flag is set, [F * n_targets], n_kept of
 * them, as codes of a dtype that fits (block-rows.h); with <name>_scale and <name>_kept, the
 * flags, which are borrowed until the plan is written. */
void cw_plan_add_kept(CwPlan *plan, const CwTranscoder *transcoder, const char *name, int64_t l,
                      const uint8_t *is_kept, int64_t n_kept, CwkDtype dtype);
/* metadata: key, value, ..., NULL. */
bool cw_plan_write(CwPlan *plan, CwRowSource *source, const char *path,
                   const char *const *metadata, GError **error);
