/* activation-stream.c - batches one after the other, the next one made on a thread if wanted.
 *
 * What batch number i holds is the source's matter; the thread only changes when it is made. */
#include "activations/stream-private.h"

#include <stdlib.h>
#include <string.h>

#include "base/room.h"

#define CANCEL_POLL_MS 50

struct _CwActivationStream {
  const CwBatchKind *kind;
  gpointer source;
  size_t floats; /* of one side of a batch */
  int64_t position, pass_rows;
  bool has_prefetch;
  /* The rest only with prefetching; under the mutex but for the buffers, which are the
   * thread's until is_ready, then the caller's until it is false again. */
  GThread *thread;
  GMutex mutex;
  GCond cond;
  bool is_ready, is_stopping;
  int64_t ahead; /* number of the batch in the buffers */
  float *in, *out;
  GError *failure;
  CwCancel *stop;
};

CwActivationStream *
cw_activation_stream_wrap(const CwBatchKind *kind, gpointer source, size_t floats,
                          bool has_prefetch, int64_t pass_rows, GError **error)
{
  CwActivationStream *stream = g_new0(CwActivationStream, 1);
  *stream = (CwActivationStream){ .kind = kind,
                                  .source = source,
                                  .floats = floats,
                                  .pass_rows = pass_rows,
                                  .has_prefetch = has_prefetch };
  g_mutex_init(&stream->mutex);
  g_cond_init(&stream->cond);
  if (has_prefetch) {
    stream->in = cw_pages_new(floats * sizeof(float));
    stream->out = cw_pages_new(floats * sizeof(float));
    if (stream->in == NULL || stream->out == NULL) {
      cw_activation_stream_free(stream);
      cw_error_set_from_status(error, CWK_NO_MEMORY, "making room for the next batch");
      return NULL;
    }
  }
  return stream;
}

/* ---- the thread ------------------------------------------------------------------------- */

static gpointer
prefetch(gpointer data)
{
  CwActivationStream *stream = data;
  g_mutex_lock(&stream->mutex);
  while (!stream->is_stopping) {
    if (stream->is_ready) {
      g_cond_wait(&stream->cond, &stream->mutex);
      continue;
    }
    int64_t position = stream->ahead;
    g_mutex_unlock(&stream->mutex);
    GError *failure = NULL;
    stream->kind->fill(stream->source, position, stream->in, stream->out, stream->stop,
                       &failure);
    g_mutex_lock(&stream->mutex);
    stream->failure = failure;
    stream->is_ready = true;
    g_cond_broadcast(&stream->cond);
  }
  g_mutex_unlock(&stream->mutex);
  return NULL;
}

static void
start_thread(CwActivationStream *stream)
{
  if (stream->thread != NULL)
    return;
  stream->ahead = stream->position;
  stream->is_ready = stream->is_stopping = false;
  stream->stop = cw_cancel_new();
  stream->thread = g_thread_new("activations", prefetch, stream);
}

static void
stop_thread(CwActivationStream *stream)
{
  if (stream->thread == NULL)
    return;
  cw_cancel_trigger(stream->stop);
  g_mutex_lock(&stream->mutex);
  stream->is_stopping = true;
  g_cond_broadcast(&stream->cond);
  g_mutex_unlock(&stream->mutex);
  g_thread_join(stream->thread);
  stream->thread = NULL;
  g_clear_pointer(&stream->stop, cw_cancel_unref);
  g_clear_error(&stream->failure);
}

void
cw_activation_stream_free(CwActivationStream *stream)
{
  if (stream == NULL)
    return;
  stop_thread(stream);
  stream->kind->free(stream->source);
  g_mutex_clear(&stream->mutex);
  g_cond_clear(&stream->cond);
  free(stream->in);
  free(stream->out);
  g_free(stream);
}

/* Waits for the batch that the thread is at. */
static bool
await_batch(CwActivationStream *stream, CwCancel *cancel, GError **error)
{
  bool is_cancelled = false;
  g_mutex_lock(&stream->mutex);
  while (!stream->is_ready && !is_cancelled) {
    gint64 end = g_get_monotonic_time() + CANCEL_POLL_MS * G_TIME_SPAN_MILLISECOND;
    g_cond_wait_until(&stream->cond, &stream->mutex, end);
    is_cancelled = cw_cancel_is_triggered(cancel);
  }
  g_mutex_unlock(&stream->mutex);
  if (is_cancelled)
    return !cw_cancel_check(cancel, error);
  if (stream->failure == NULL)
    return true;
  g_propagate_error(error, g_steal_pointer(&stream->failure));
  stop_thread(stream); /* the next call tries again */
  return false;
}

static bool
take_batch(CwActivationStream *stream, float *in, float *out, CwCancel *cancel, GError **error)
{
  start_thread(stream);
  if (!await_batch(stream, cancel, error))
    return false;
  size_t n_bytes = stream->floats * sizeof(float);
  if (in != NULL)
    memcpy(in, stream->in, n_bytes);
  if (out != NULL)
    memcpy(out, stream->out, n_bytes);
  g_mutex_lock(&stream->mutex);
  stream->is_ready = false;
  stream->ahead = stream->position + 1;
  g_cond_broadcast(&stream->cond);
  g_mutex_unlock(&stream->mutex);
  return true;
}

bool
cw_activation_stream_next(CwActivationStream *stream, float *in, float *out, CwCancel *cancel,
                          GError **error)
{
  if (cw_cancel_check(cancel, error))
    return false;
  bool is_done = stream->has_prefetch ? take_batch(stream, in, out, cancel, error)
                                      : stream->kind->fill(stream->source, stream->position, in,
                                                           out, cancel, error);
  if (is_done)
    stream->position++;
  return is_done;
}

int64_t
cw_activation_stream_get_position(const CwActivationStream *stream)
{
  return stream->position;
}

int64_t
cw_activation_stream_get_pass_rows(const CwActivationStream *stream)
{
  return stream->pass_rows;
}

bool
cw_activation_stream_seek(CwActivationStream *stream, int64_t position, GError **error)
{
  if (position < 0) {
    g_set_error(error, CW_ERROR, CW_ERROR_ARGUMENT,
                "There is no batch %" G_GINT64_FORMAT "; the first is 0", position);
    return false;
  }
  if (position != stream->position)
    stop_thread(stream);
  stream->position = position;
  return true;
}

char *
cw_activation_stream_dup_cursor(const CwActivationStream *stream)
{
  return stream->kind->dup_cursor != NULL
             ? stream->kind->dup_cursor(stream->source, stream->position)
             : g_strdup("");
}

bool
cw_activation_stream_seek_cursor(CwActivationStream *stream, int64_t position,
                                 const char *cursor, GError **error)
{
  if (!cw_activation_stream_seek(stream, position, error))
    return false;
  return *cursor == '\0' || stream->kind->take_cursor == NULL ||
         stream->kind->take_cursor(stream->source, position, cursor, error);
}
