/* live-buffer.c - a thread runs the model over text into a bounded buffer.
 *
 * The buffer is made of slots, one a row. Which slot a row is in depends on timing, which rows
 * make a chunk does not: a chunk begins where the one before ended, and windows are run
 * together from its beginning on, so that its values are the same bits whenever it is made.
 *
 * Rows are kept in f32: what a trainer reads is then what the model gave, outliers included,
 * without a codec's work on either side. */
#include "activations/live-private.h"

#include <string.h>

#define CANCEL_POLL_MS 50

struct _CwLiveBuffer {
  const CwLiveStore *store;
  CwkDevice *device;
  CwTexts *texts;
  CwCapture *capture;
  CwRowBatch *staged; /* rows of one pass of the model */
  int64_t chunk_rows, row_floats;
  int64_t pass;
  float *rows; /* [n_slots, 2, L, D] */
  int64_t n_slots;
  GThread *thread;
  CwCancel *stop;
  GMutex mutex;
  GCond cond;
  /* Under the mutex. */
  int32_t *free_slots; /* [n_slots], a stack of n_free */
  int64_t n_free;
  bool is_stopping, has_ended;
  CwLiveChunk *ready; /* whole and not yet taken */
  GError *failure;
};

void
cw_live_chunk_free(CwLiveChunk *chunk)
{
  if (chunk == NULL)
    return;
  g_clear_pointer(&chunk->slots, g_array_unref);
  g_free(chunk);
}

/* ---- the text --------------------------------------------------------------------------- */

/* The next window if it belongs to a chunk that has n_rows rows; *is_end where it does not, or
 * where the text ends, which is then taken up from its beginning. */
static bool
next_window(CwLiveBuffer *buffer, int64_t n_rows, CwWindow *window, bool *is_end,
            GError **error)
{
  g_autoptr(GError) failure = NULL;
  *is_end = !cw_texts_next(buffer->texts, window, &failure);
  if (failure != NULL) {
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
  }
  if (*is_end) {
    buffer->pass++;
    return cw_texts_seek(buffer->texts, (CwTextCursor){ -1, 0 }, error);
  }
  *is_end = n_rows + cw_window_get_rows(window) > buffer->chunk_rows;
  if (*is_end)
    cw_texts_push_back(buffer->texts);
  return true;
}

static bool
go_to(CwLiveBuffer *buffer, const CwLiveChunk *chunk, GError **error)
{
  buffer->pass = chunk->pass;
  return cw_texts_seek(buffer->texts, chunk->start, error);
}

bool
cw_live_buffer_count(CwLiveBuffer *buffer, CwLiveChunk *chunk, int64_t *n_rows,
                     CwCancel *cancel, GError **error)
{
  bool is_end = false;
  *n_rows = 0;
  if (!go_to(buffer, chunk, error))
    return false;
  while (!is_end) {
    CwWindow window;
    if (cw_cancel_check(cancel, error) ||
        !next_window(buffer, *n_rows, &window, &is_end, error))
      return false;
    *n_rows += is_end ? 0 : cw_window_get_rows(&window);
  }
  chunk->pass = buffer->pass;
  chunk->start = cw_texts_get_cursor(buffer->texts);
  return true;
}

/* ---- the thread ------------------------------------------------------------------------- */

/* n slots, waiting until so many are free. */
static bool
take_slots(CwLiveBuffer *buffer, int64_t n, GArray *slots)
{
  g_mutex_lock(&buffer->mutex);
  while (buffer->n_free < n && !buffer->is_stopping)
    g_cond_wait(&buffer->cond, &buffer->mutex);
  bool is_taken = !buffer->is_stopping;
  if (is_taken) {
    buffer->n_free -= n;
    g_array_append_vals(slots, buffer->free_slots + buffer->n_free, (guint)n);
  }
  g_mutex_unlock(&buffer->mutex);
  return is_taken;
}

/* Rows of the pass that was run, into the buffer. */
static bool
store_rows(CwLiveBuffer *buffer, CwLiveChunk *chunk)
{
  CwRowBatch *staged = buffer->staged;
  int64_t n = staged->n_rows, width = staged->width, first = chunk->slots->len;
  if (n == 0)
    return true;
  if (!take_slots(buffer, n, chunk->slots))
    return false;
  for (int64_t l = 0; l < staged->n_layers; l++)
    for (int64_t r = 0; r < n; r++) {
      int32_t slot = g_array_index(chunk->slots, int32_t, first + r);
      float *in = buffer->rows + slot * buffer->row_floats + l * width;
      float *out = in + staged->n_layers * width;
      int64_t from = (l * staged->layer_rows + r) * width;
      memcpy(in, staged->in + from, (size_t)width * sizeof *in);
      memcpy(out, staged->out + from, (size_t)width * sizeof *out);
    }
  staged->n_rows = 0;
  return true;
}

static bool
fill_chunk(CwLiveBuffer *buffer, CwLiveChunk *chunk, GError **error)
{
  int64_t n_rows = 0;
  bool is_end = false;
  buffer->staged->n_rows = 0;
  chunk->pass = buffer->pass;
  chunk->start = cw_texts_get_cursor(buffer->texts);
  while (!is_end) {
    CwWindow window;
    if (cw_cancel_check(buffer->stop, error) ||
        !next_window(buffer, n_rows, &window, &is_end, error))
      return false;
    bool is_run =
        is_end ? cw_capture_flush(buffer->capture, buffer->staged, buffer->stop, error)
               : cw_capture_add(buffer->capture, buffer->staged, &window, buffer->stop, error);
    if (!is_run || !store_rows(buffer, chunk))
      return false;
    n_rows += is_end ? 0 : cw_window_get_rows(&window);
  }
  return true;
}

static gpointer
make_chunks(gpointer data)
{
  CwLiveBuffer *buffer = data;
  g_autoptr(GError) failure = NULL;
  bool is_done = true;
  while (is_done) {
    g_autoptr(CwLiveChunk) chunk = g_new0(CwLiveChunk, 1);
    chunk->slots = g_array_new(FALSE, FALSE, sizeof(int32_t));
    is_done = fill_chunk(buffer, chunk, &failure);
    g_mutex_lock(&buffer->mutex);
    while (is_done && buffer->ready != NULL && !buffer->is_stopping)
      g_cond_wait(&buffer->cond, &buffer->mutex);
    is_done = is_done && !buffer->is_stopping;
    if (is_done)
      buffer->ready = g_steal_pointer(&chunk);
    else
      buffer->failure = g_steal_pointer(&failure);
    buffer->has_ended = !is_done;
    g_cond_broadcast(&buffer->cond);
    g_mutex_unlock(&buffer->mutex);
  }
  return NULL;
}

/* ---- the other side --------------------------------------------------------------------- */

void
cw_live_buffer_stop(CwLiveBuffer *buffer)
{
  if (buffer->thread != NULL) {
    cw_cancel_trigger(buffer->stop);
    g_mutex_lock(&buffer->mutex);
    buffer->is_stopping = true;
    g_cond_broadcast(&buffer->cond);
    g_mutex_unlock(&buffer->mutex);
    g_thread_join(g_steal_pointer(&buffer->thread));
  }
  g_clear_pointer(&buffer->stop, cw_cancel_unref);
  g_clear_pointer(&buffer->ready, cw_live_chunk_free);
  g_clear_error(&buffer->failure);
  for (int64_t i = 0; i < buffer->n_slots; i++)
    buffer->free_slots[i] = (int32_t)i;
  buffer->n_free = buffer->n_slots;
}

bool
cw_live_buffer_start(CwLiveBuffer *buffer, const CwLiveChunk *first, GError **error)
{
  /* Windows of a pass that was stopped are in the old one. */
  g_clear_pointer(&buffer->capture, cw_capture_free);
  buffer->capture =
      cw_capture_new(buffer->store->model, buffer->device, buffer->store->options.is_reduced);
  if (!go_to(buffer, first, error))
    return false;
  buffer->is_stopping = buffer->has_ended = false;
  buffer->stop = cw_cancel_new();
  buffer->thread = g_thread_new("live-activations", make_chunks, buffer);
  return true;
}

CwLiveChunk *
cw_live_buffer_take(CwLiveBuffer *buffer, CwCancel *cancel, GError **error)
{
  bool is_cancelled = false;
  g_mutex_lock(&buffer->mutex);
  while (buffer->ready == NULL && !buffer->has_ended && !is_cancelled) {
    gint64 end = g_get_monotonic_time() + CANCEL_POLL_MS * G_TIME_SPAN_MILLISECOND;
    g_cond_wait_until(&buffer->cond, &buffer->mutex, end);
    is_cancelled = cw_cancel_is_triggered(cancel);
  }
  CwLiveChunk *chunk = is_cancelled ? NULL : g_steal_pointer(&buffer->ready);
  if (chunk == NULL && !is_cancelled)
    g_propagate_error(error, g_steal_pointer(&buffer->failure));
  g_cond_broadcast(&buffer->cond);
  g_mutex_unlock(&buffer->mutex);
  if (is_cancelled)
    cw_cancel_check(cancel, error);
  return chunk;
}

const float *
cw_live_buffer_peek(const CwLiveBuffer *buffer, int32_t slot)
{
  return buffer->rows + slot * buffer->row_floats;
}

void
cw_live_buffer_release(CwLiveBuffer *buffer, const int32_t *slots, int64_t n)
{
  g_mutex_lock(&buffer->mutex);
  memcpy(buffer->free_slots + buffer->n_free, slots, (size_t)n * sizeof *slots);
  buffer->n_free += n;
  g_cond_broadcast(&buffer->cond);
  g_mutex_unlock(&buffer->mutex);
}

/* ---- lifetime --------------------------------------------------------------------------- */

/* Whether the part has a row shows before the first chunk is made. */
static bool
check_part(CwLiveBuffer *buffer, CwRowsPart part, double fraction, GError **error)
{
  CwWindow window;
  g_autoptr(GError) failure = NULL;
  if (cw_texts_next(buffer->texts, &window, &failure))
    return cw_texts_seek(buffer->texts, (CwTextCursor){ -1, 0 }, error);
  if (failure == NULL)
    g_set_error(&failure, CW_ERROR, CW_ERROR_ARGUMENT,
                fraction <= 0 ? "The text gives no tokens"
                : part == CW_ROWS_HELD_OUT
                    ? "The held-out part of the text is empty; hold out a larger fraction of "
                      "the documents than %g"
                    : "The training part of the text is empty; hold out a smaller fraction of "
                      "the documents than %g",
                fraction);
  g_propagate_error(error, g_steal_pointer(&failure));
  return false;
}

static bool
take_memory(CwLiveBuffer *buffer, GError **error)
{
  double wanted = (double)buffer->n_slots * (double)buffer->row_floats * sizeof(float);
  double available = cw_free_memory_bytes();
  if (wanted < available) {
    buffer->rows = g_try_new(float, (gsize)(buffer->n_slots * buffer->row_floats));
    buffer->free_slots = g_try_new(int32_t, (gsize)buffer->n_slots);
  }
  if (buffer->rows != NULL && buffer->free_slots != NULL)
    return true;
  g_set_error(error, CW_ERROR, CW_ERROR_NO_MEMORY,
              "A buffer of %.0f MB of activations is asked for, and %.0f MB of memory are "
              "free; take a smaller buffer",
              wanted / 1e6, available / 1e6);
  return false;
}

CwLiveBuffer *
cw_live_buffer_new(const CwLiveStore *store, double held_out_fraction, CwRowsPart part,
                   int64_t n_slots, int64_t chunk_rows, GError **error)
{
  const CwModelConfig *config = cw_model_peek_config(store->model);
  g_autoptr(CwLiveBuffer) buffer = g_new0(CwLiveBuffer, 1);
  g_mutex_init(&buffer->mutex);
  g_cond_init(&buffer->cond);
  buffer->store = store;
  buffer->chunk_rows = chunk_rows;
  buffer->row_floats = 2 * config->n_layers * config->width;
  buffer->n_slots = n_slots;
  buffer->texts = cw_texts_new(store->model, &store->options.text, error);
  if (buffer->texts == NULL)
    return NULL;
  cw_texts_set_part(buffer->texts, held_out_fraction, part);
  int64_t pass_rows = MAX(CW_CAPTURE_PASS_TOKENS, cw_texts_get_context(buffer->texts));
  buffer->device = cwk_cpu_new(store->options.n_threads);
  if (buffer->device == NULL)
    cw_error_set_from_status(error, CWK_NO_MEMORY, "starting the threads that run the model");
  if (buffer->device == NULL || !check_part(buffer, part, held_out_fraction, error) ||
      !take_memory(buffer, error))
    return NULL;
  buffer->staged = cw_row_batch_new(store->model, pass_rows, error);
  if (buffer->staged == NULL)
    return NULL;
  cw_live_buffer_stop(buffer);
  return g_steal_pointer(&buffer);
}

void
cw_live_buffer_free(CwLiveBuffer *buffer)
{
  if (buffer == NULL)
    return;
  if (buffer->thread != NULL)
    cw_live_buffer_stop(buffer);
  g_clear_pointer(&buffer->capture, cw_capture_free);
  g_clear_pointer(&buffer->texts, cw_texts_free);
  g_clear_pointer(&buffer->staged, cw_row_batch_free);
  cwk_device_free(buffer->device);
  g_mutex_clear(&buffer->mutex);
  g_cond_clear(&buffer->cond);
  g_free(buffer->rows);
  g_free(buffer->free_slots);
  g_free(buffer);
}
