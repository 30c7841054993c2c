/* stored-batches.c - batches of a store's rows, in stored order or globally shuffled. */
#include "activations/row-order.h"
#include "activations/stream-private.h"

typedef struct {
  CwActivations *activations;
  CwkDevice *device;
  CwRowOrder *order;
  /* The group in memory. */
  int64_t pass, group;
  CwLoadedFrame *loaded; /* [n_loaded] of [n_places], whose memory groups take over */
  int64_t n_loaded, n_places;
  CwRowRef *rows; /* in the stream's order */
  int64_t rows_room;
} StoredBatches;

static void
unload_all(StoredBatches *batches)
{
  for (int64_t i = 0; i < batches->n_places; i++)
    batches->activations->kind->unload(batches->activations->source, &batches->loaded[i]);
  g_clear_pointer(&batches->loaded, g_free);
  g_clear_pointer(&batches->rows, g_free);
  batches->n_loaded = batches->n_places = batches->rows_room = 0;
  batches->group = -1;
}

static void
free_batches(gpointer data)
{
  StoredBatches *batches = data;
  unload_all(batches);
  g_clear_pointer(&batches->order, cw_row_order_free);
  cw_activations_unref(batches->activations);
  cwk_device_free(batches->device);
  g_free(batches);
}

typedef struct {
  StoredBatches *batches;
  CwCancel *cancel;
  GError **errors; /* [n_loaded] */
} LoadJob;

static void
load_frame(void *data, int64_t i)
{
  LoadJob *job = data;
  CwActivations *activations = job->batches->activations;
  CwLoadedFrame *loaded = &job->batches->loaded[i];
  if (!cw_cancel_check(job->cancel, &job->errors[i]))
    activations->kind->load(activations->source, loaded, &job->errors[i]);
}

/* Loads the frames; the first failure by their order is the one reported. */
static bool
load_frames(StoredBatches *batches, CwCancel *cancel, GError **error)
{
  int64_t n = batches->n_loaded;
  LoadJob job = { batches, cancel, g_new0(GError *, (gsize)n) };
  cwk_parallel_for(batches->device, n, load_frame, &job);
  bool is_done = true;
  for (int64_t i = 0; i < n; i++) {
    if (job.errors[i] != NULL && is_done)
      g_propagate_error(error, g_steal_pointer(&job.errors[i]));
    else if (job.errors[i] != NULL)
      g_clear_error(&job.errors[i]);
    else
      continue;
    is_done = false;
  }
  g_free(job.errors);
  return is_done;
}

static bool
list_rows(StoredBatches *batches, GError **error)
{
  const CwRowOrder *order = batches->order;
  const CwStreamOptions *options = &order->options;
  int64_t n = 0, n_rows = order->starts[batches->group + 1] - order->starts[batches->group];
  if (n_rows > batches->rows_room) {
    g_free(batches->rows);
    batches->rows = g_try_new(CwRowRef, (gsize)n_rows);
    batches->rows_room = batches->rows != NULL ? n_rows : 0;
  }
  if (batches->rows == NULL) {
    cw_error_set_from_status(error, CWK_NO_MEMORY, "ordering activations");
    return false;
  }
  g_autoptr(GArray) numbers = g_array_new(false, false, sizeof(int32_t));
  for (int64_t i = 0; i < batches->n_loaded; i++) {
    const CwLoadedFrame *loaded = &batches->loaded[i];
    int32_t count;
    g_array_set_size(numbers, (guint)batches->activations->frames[loaded->frame].n_rows);
    if (!cw_activations_select(batches->activations, loaded->frame, options->held_out_fraction,
                               options->part, (int32_t *)numbers->data, &count, error))
      return false;
    for (int32_t k = 0; k < count; k++)
      batches->rows[n++] = (CwRowRef){ loaded, g_array_index(numbers, int32_t, k) };
  }
  cw_row_order_mix(order, batches->group, batches->rows, n);
  return true;
}

static bool
load_group(StoredBatches *batches, int64_t pass, int64_t group, CwCancel *cancel,
           GError **error)
{
  if (batches->pass == pass && batches->group == group)
    return true;
  CwRowOrder *order = batches->order;
  int64_t first, end;
  cw_row_order_get_group(order, group, &first, &end);
  batches->group = -1;
  batches->n_loaded = end - first;
  if (batches->n_loaded > batches->n_places) {
    batches->loaded = g_renew(CwLoadedFrame, batches->loaded, (gsize)batches->n_loaded);
    for (; batches->n_places < batches->n_loaded; batches->n_places++)
      batches->loaded[batches->n_places] = (CwLoadedFrame){ 0 };
  }
  for (int64_t i = first; i < end; i++)
    batches->loaded[i - first].frame = order->frames[order->order[i]];
  batches->pass = pass;
  batches->group = group;
  if (load_frames(batches, cancel, error) && list_rows(batches, error))
    return true;
  unload_all(batches);
  return false;
}

static bool
fill_batch(gpointer data, int64_t position, float *in, float *out, CwCancel *cancel,
           GError **error)
{
  StoredBatches *batches = data;
  CwActivations *activations = batches->activations;
  CwRowOrder *order = batches->order;
  int64_t n = order->options.batch_tokens, width = activations->config.width;
  for (int64_t at = 0; at < n;) {
    int64_t row = position * n + at, pass = row / order->n_rows;
    row -= pass * order->n_rows;
    cw_row_order_set_pass(order, pass);
    int64_t group = cw_row_order_find_group(order, row);
    if (!load_group(batches, pass, group, cancel, error))
      return false;
    int64_t n_here = MIN(n - at, order->starts[group + 1] - row);
    CwRowTarget target = { in != NULL ? in + at * width : NULL,
                           out != NULL ? out + at * width : NULL, n * width };
    if (!activations->kind->gather(activations->source, batches->device,
                                   batches->rows + row - order->starts[group], n_here, &target,
                                   error))
      return false;
    at += n_here;
  }
  return true;
}

static const CwBatchKind stored_kind = { .fill = fill_batch, .free = free_batches };

static bool
check_options(const CwActivations *activations, const CwStreamOptions *options, GError **error)
{
  gsize floats;
  bool is_possible =
      options->batch_tokens > 0 &&
      g_size_checked_mul(&floats, (gsize)options->batch_tokens,
                         (gsize)(activations->config.n_layers * activations->config.width));
  bool is_fraction = options->held_out_fraction >= 0 && options->held_out_fraction < 1;
  if (!is_possible)
    g_set_error(error, CW_ERROR, CW_ERROR_ARGUMENT,
                "A batch of %" G_GINT64_FORMAT " tokens cannot be made", options->batch_tokens);
  else if (!is_fraction)
    g_set_error(error, CW_ERROR, CW_ERROR_ARGUMENT,
                "The held-out fraction must be at least 0 and less than 1, not %g",
                options->held_out_fraction);
  return is_possible && is_fraction;
}

CwActivationStream *
cw_activation_stream_new(CwActivations *activations, const CwStreamOptions *options,
                         GError **error)
{
  if (!check_options(activations, options, error))
    return NULL;
  if (activations->kind->open_stream != NULL)
    return activations->kind->open_stream(activations, options, error);
  StoredBatches *batches = g_new0(StoredBatches, 1);
  batches->activations = cw_activations_ref(activations);
  batches->group = -1;
  batches->device = cwk_cpu_new(MAX(options->n_threads, 1));
  if (batches->device == NULL)
    cw_error_set_from_status(error, CWK_NO_MEMORY, "starting the threads that decode");
  else
    batches->order = cw_row_order_new(activations, options, error);
  if (batches->order != NULL && batches->order->n_rows == 0) {
    g_set_error(error, CW_ERROR, CW_ERROR_ARGUMENT,
                options->part == CW_ROWS_HELD_OUT
                    ? "The held-out part is empty; hold out a larger fraction than %g"
                    : "The training part is empty; hold out a smaller fraction than %g",
                options->held_out_fraction);
    g_clear_pointer(&batches->order, cw_row_order_free);
  }
  if (batches->order == NULL) {
    free_batches(batches);
    return NULL;
  }
  size_t floats = (size_t)(options->batch_tokens * activations->config.n_layers *
                           activations->config.width);
  return cw_activation_stream_wrap(&stored_kind, batches, floats, options->has_prefetch,
                                   batches->order->n_rows, error);
}
