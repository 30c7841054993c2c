/* capture.c - runs windows through the model, several in one pass, and keeps what its MLPs read
 * and write.
 *
 * A pass of 512 tokens reads the weights once where four of 128 read them four times; more than
 * that gains nothing and leaves the cache. */
#include "activations/capture.h"

#include <stdlib.h>
#include <string.h>

#include "base/room.h"
#include "model/forward.h"

struct _CwCapture {
  CwModel *model;
  CwkDevice *device;
  CwForwardFlags flags;
  GArray *tokens;  /* of int32_t: windows not yet run */
  GArray *windows; /* of CwWindow; their tokens are in the array above */
  GArray *lengths; /* of size_t */
};

CwRowBatch *
cw_row_batch_new(const CwModel *model, int64_t capacity, GError **error)
{
  const CwModelConfig *config = cw_model_peek_config(model);
  g_autoptr(CwRowBatch) batch = g_new0(CwRowBatch, 1);
  batch->capacity = batch->layer_rows = capacity;
  batch->n_layers = config->n_layers;
  batch->width = config->width;
  gsize n;
  bool is_possible = capacity > 0 &&
                     g_size_checked_mul(&n, (gsize)capacity, (gsize)batch->n_layers) &&
                     g_size_checked_mul(&n, n, (gsize)batch->width);
  is_possible = is_possible && g_size_checked_mul(&n, n, sizeof(float));
  batch->in = is_possible ? cw_pages_new(n) : NULL;
  batch->out = is_possible ? cw_pages_new(n) : NULL;
  batch->documents = g_try_new(int32_t, (gsize)MAX(capacity, 1));
  batch->places = g_try_new(int32_t, (gsize)MAX(capacity, 1));
  batch->tokens = g_try_new(int32_t, (gsize)MAX(capacity, 1));
  if (batch->in == NULL || batch->out == NULL || batch->documents == NULL ||
      batch->places == NULL || batch->tokens == NULL) {
    g_set_error(error, CW_ERROR, CW_ERROR_NO_MEMORY,
                "There is no memory for %" G_GINT64_FORMAT
                " rows of activations; choose a smaller batch",
                capacity);
    return NULL;
  }
  return g_steal_pointer(&batch);
}

void
cw_row_batch_close_up(CwRowBatch *batch)
{
  int64_t from = batch->layer_rows * batch->width, to = batch->n_rows * batch->width;
  size_t n_bytes = (size_t)to * sizeof(float);
  for (int64_t l = 1; l < batch->n_layers && from != to; l++) {
    memmove(batch->in + l * to, batch->in + l * from, n_bytes);
    memmove(batch->out + l * to, batch->out + l * from, n_bytes);
  }
  batch->layer_rows = batch->n_rows;
}

void
cw_row_batch_free(CwRowBatch *batch)
{
  if (batch == NULL)
    return;
  free(batch->in);
  free(batch->out);
  g_free(batch->documents);
  g_free(batch->places);
  g_free(batch->tokens);
  g_free(batch);
}

CwCapture *
cw_capture_new(CwModel *model, CwkDevice *device, bool is_reduced)
{
  CwCapture *capture = g_new0(CwCapture, 1);
  capture->model = model;
  capture->device = device;
  capture->flags = CW_FORWARD_MLP | (is_reduced ? CW_FORWARD_REDUCED : 0);
  capture->tokens = g_array_new(false, false, sizeof(int32_t));
  capture->windows = g_array_new(false, false, sizeof(CwWindow));
  capture->lengths = g_array_new(false, false, sizeof(size_t));
  return capture;
}

void
cw_capture_free(CwCapture *capture)
{
  if (capture == NULL)
    return;
  g_array_unref(capture->tokens);
  g_array_unref(capture->windows);
  g_array_unref(capture->lengths);
  g_free(capture);
}

int64_t
cw_window_get_rows(const CwWindow *window)
{
  return window->n - 1;
}

/* Rows of one window, which begins at position `at` of the pass; its first position is left
 * out. */
static void
take_window(CwRowBatch *batch, const CwForward *forward, const CwWindow *window, int64_t at,
            const int32_t *tokens, bool has_start)
{
  int64_t width = batch->width, n = cw_window_get_rows(window), row = batch->n_rows;
  size_t n_bytes = (size_t)(n * width) * sizeof(float);
  if (row == 0)
    batch->layer_rows = batch->capacity;
  for (int64_t l = 0; l < batch->n_layers; l++) {
    int64_t from = (l * forward->n_positions + at + 1) * width;
    int64_t to = (l * batch->layer_rows + row) * width;
    memcpy(batch->in + to, forward->mlp_hat + from, n_bytes);
    memcpy(batch->out + to, forward->mlp_out + from, n_bytes);
  }
  for (int64_t i = 0; i < n; i++) {
    batch->documents[row + i] = (int32_t)window->document;
    batch->places[row + i] = (int32_t)(window->place + i) + (has_start ? 0 : 1);
    batch->tokens[row + i] = tokens[at + i + 1];
  }
  batch->n_rows += n;
}

bool
cw_capture_flush(CwCapture *capture, CwRowBatch *batch, CwCancel *cancel, GError **error)
{
  if (capture->windows->len == 0)
    return true;
  const int32_t *tokens = (const int32_t *)(void *)capture->tokens->data;
  g_autoptr(CwForward) forward = cw_forward_run_windows(
      capture->model, capture->device, tokens, (const size_t *)(void *)capture->lengths->data,
      capture->lengths->len, capture->flags, cancel, error);
  int64_t at = 0;
  for (guint i = 0; forward != NULL && i < capture->windows->len; i++) {
    const CwWindow *window = &g_array_index(capture->windows, CwWindow, i);
    CwTokenizer *tokenizer = cw_model_peek_tokenizer(capture->model);
    bool has_start = tokenizer != NULL && cw_tokenizer_get_prompt_start(tokenizer) >= 0;
    take_window(batch, forward, window, at, tokens, has_start);
    at += window->n;
  }
  g_array_set_size(capture->tokens, 0);
  g_array_set_size(capture->windows, 0);
  g_array_set_size(capture->lengths, 0);
  return forward != NULL;
}

bool
cw_capture_add(CwCapture *capture, CwRowBatch *batch, const CwWindow *window, CwCancel *cancel,
               GError **error)
{
  if (capture->tokens->len > 0 && capture->tokens->len + window->n > CW_CAPTURE_PASS_TOKENS &&
      !cw_capture_flush(capture, batch, cancel, error))
    return false;
  size_t n = (size_t)window->n;
  g_array_append_vals(capture->tokens, window->tokens, (guint)n);
  g_array_append_val(capture->lengths, n);
  g_array_append_vals(capture->windows, window, 1);
  return true;
}
