/* capture.h - rows out of windows of text: the model's part. */
#pragma once

#include "activations/texts.h"

/* Where a batch of rows is gathered, in f32. */
typedef struct {
  int64_t capacity, n_rows;
  int64_t n_layers, width;
  int64_t layer_rows; /* rows from one layer to the next: capacity until close_up */
  float *in, *out;    /* [L, layer_rows, D] */
  int32_t *documents; /* [capacity] */
  int32_t *places, *tokens;
} CwRowBatch;

CwRowBatch *cw_row_batch_new(const CwModel *model, int64_t capacity, GError **error);
/* Moves the layers together, [L, n_rows, D], until rows are added to it anew. */
void cw_row_batch_close_up(CwRowBatch *batch);
void cw_row_batch_free(CwRowBatch *batch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwRowBatch, cw_row_batch_free)

/* Windows are run together until they have as many tokens, or one alone that has more. */
#define CW_CAPTURE_PASS_TOKENS 512

typedef struct _CwCapture CwCapture;

/* Windows are run several at a time. The model must outlive it. */
CwCapture *cw_capture_new(CwModel *model, CwkDevice *device, bool is_reduced);
void cw_capture_free(CwCapture *capture);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwCapture, cw_capture_free)
/* Rows that a window gives. */
int64_t cw_window_get_rows(const CwWindow *window);
/* The window's rows are in the batch once flush has returned, or before. They must fit. */
bool cw_capture_add(CwCapture *capture, CwRowBatch *batch, const CwWindow *window,
                    CwCancel *cancel, GError **error);
bool cw_capture_flush(CwCapture *capture, CwRowBatch *batch, CwCancel *cancel, GError **error);
