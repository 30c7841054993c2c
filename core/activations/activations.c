/* activations.c - a store of rows, whatever lies behind it. */
#include "activations/activations-private.h"

#include <string.h>

#include "base/rng.h"

#define HELD_OUT_STREAM 0x68656c64 /* "held" */

CwActivations *
cw_activations_alloc(void)
{
  CwActivations *activations = g_new0(CwActivations, 1);
  g_atomic_ref_count_init(&activations->ref_count);
  g_mutex_init(&activations->hash_mutex);
  return activations;
}

CwActivations *
cw_activations_open(const char *path, GError **error)
{
  g_autoptr(CwActivations) activations = cw_activations_alloc();
  g_autofree char *manifest = g_build_filename(path, "manifest.json", NULL);
  g_autofree char *unfinished = g_build_filename(path, "unfinished.json", NULL);
  if (g_file_test(manifest, G_FILE_TEST_EXISTS))
    return cw_cache_store_open(activations, path, error) ? g_steal_pointer(&activations) : NULL;
  if (g_file_test(unfinished, G_FILE_TEST_EXISTS)) {
    g_set_error(error, CW_ERROR, CW_ERROR_FORMAT,
                "%s: an unfinished cache; run what writes it again to finish it", path);
    return NULL;
  }
  if (!cw_split_store_open(activations, path, error))
    return NULL;
  return g_steal_pointer(&activations);
}

CwActivations *
cw_activations_ref(CwActivations *activations)
{
  g_atomic_ref_count_inc(&activations->ref_count);
  return activations;
}

void
cw_activations_unref(CwActivations *activations)
{
  if (activations == NULL || !g_atomic_ref_count_dec(&activations->ref_count))
    return;
  if (activations->source != NULL)
    activations->kind->free(activations->source);
  g_mutex_clear(&activations->hash_mutex);
  g_free(activations->hash);
  g_free(activations);
}

const CwActivationsConfig *
cw_activations_peek_config(const CwActivations *activations)
{
  return &activations->config;
}

const char *
cw_activations_get_hash(CwActivations *activations)
{
  g_mutex_lock(&activations->hash_mutex);
  if (activations->hash == NULL)
    activations->hash = activations->kind->dup_hash(activations->source);
  const char *hash = activations->hash;
  g_mutex_unlock(&activations->hash_mutex);
  return hash;
}

bool
cw_activations_verify(CwActivations *activations, const CwProgress *progress, CwCancel *cancel,
                      GError **error)
{
  for (int64_t i = 0; i < activations->n_frames; i++) {
    if (cw_cancel_check(cancel, error) ||
        !activations->kind->verify_frame(activations->source, i, error))
      return false;
    cw_progress_report(progress, "verify", (double)(i + 1) / (double)activations->n_frames);
  }
  return true;
}

/* The frame that holds a row. */
static int64_t
find_frame(const CwActivations *activations, int64_t row)
{
  int64_t low = 0, high = activations->n_frames - 1;
  while (low < high) {
    int64_t middle = (low + high + 1) / 2;
    if (activations->frames[middle].first_row <= row)
      low = middle;
    else
      high = middle - 1;
  }
  return low;
}

static bool
check_range(const CwActivations *activations, int64_t first, int64_t n, GError **error)
{
  int64_t n_rows = activations->config.n_rows;
  if (first >= 0 && n >= 0 && first <= n_rows && n <= n_rows - first)
    return true;
  g_set_error(error, CW_ERROR, CW_ERROR_ARGUMENT,
              "Rows %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT
              " are asked for; the store holds %" G_GINT64_FORMAT,
              first, first + n - 1, n_rows);
  return false;
}

/* The rows of one frame into their places in the caller's arrays. */
static bool
read_part(CwActivations *activations, CwkDevice *device, int64_t frame, int32_t first,
          int32_t n, const CwRowTarget *target, GError **error)
{
  CwLoadedFrame loaded = { .frame = frame };
  if (!activations->kind->load(activations->source, &loaded, error))
    return false;
  g_autofree CwRowRef *rows = g_new(CwRowRef, (gsize)n);
  for (int32_t i = 0; i < n; i++)
    rows[i] = (CwRowRef){ &loaded, first + i };
  bool is_done = activations->kind->gather(activations->source, device, rows, n, target, error);
  activations->kind->unload(activations->source, &loaded);
  return is_done;
}

bool
cw_activations_read(CwActivations *activations, int64_t first, int64_t n, float *in, float *out,
                    int32_t *tokens, GError **error)
{
  if (!check_range(activations, first, n, error))
    return false;
  CwkDevice *device = cwk_cpu_new(1);
  if (device == NULL) {
    cw_error_set_from_status(error, CWK_NO_MEMORY, "reading activations");
    return false;
  }
  bool is_done = true;
  int64_t width = activations->config.width;
  for (int64_t row = first; is_done && row < first + n;) {
    int64_t frame = find_frame(activations, row);
    const CwFrameFacts *facts = &activations->frames[frame];
    int32_t from = (int32_t)(row - facts->first_row);
    int32_t n_here = (int32_t)MIN(facts->n_rows - from, first + n - row);
    int64_t at = row - first;
    CwRowTarget target = { in != NULL ? in + at * width : NULL,
                           out != NULL ? out + at * width : NULL, n * width };
    if (in != NULL || out != NULL)
      is_done = read_part(activations, device, frame, from, n_here, &target, error);
    if (is_done && tokens != NULL) {
      g_autofree int32_t *all = g_new(int32_t, (gsize)facts->n_rows);
      is_done =
          activations->kind->read_places(activations->source, frame, all, NULL, NULL, error);
      if (is_done)
        memcpy(tokens + at, all + from, (size_t)n_here * sizeof *tokens);
    }
    row += n_here;
  }
  cwk_device_free(device);
  return is_done;
}

bool
cw_activations_read_places(CwActivations *activations, int64_t first, int64_t n,
                           int64_t *documents, int64_t *places, GError **error)
{
  if (!check_range(activations, first, n, error))
    return false;
  for (int64_t row = first; row < first + n;) {
    int64_t frame = find_frame(activations, row);
    const CwFrameFacts *facts = &activations->frames[frame];
    int64_t from = row - facts->first_row, n_here = MIN(facts->n_rows - from, first + n - row);
    g_autofree int64_t *all = g_new(int64_t, 2 * (gsize)facts->n_rows);
    int64_t *all_places = all + facts->n_rows;
    if (!activations->kind->read_places(activations->source, frame, NULL, all, all_places,
                                        error))
      return false;
    if (documents != NULL)
      memcpy(documents + row - first, all + from, (size_t)n_here * sizeof *documents);
    if (places != NULL)
      memcpy(places + row - first, all_places + from, (size_t)n_here * sizeof *places);
    row += n_here;
  }
  return true;
}

/* ---- the held-out part ------------------------------------------------------------------ */

bool
cw_document_is_held_out(int64_t document, double fraction)
{
  CwRng rng = { .seed = 0, .stream = HELD_OUT_STREAM, .index = (uint64_t)document };
  return cw_rng_next_uniform(&rng) < fraction;
}

bool
cw_activations_select(const CwActivations *activations, int64_t frame, double fraction,
                      CwRowsPart part, int32_t *rows, int32_t *n, GError **error)
{
  const CwFrameFacts *facts = &activations->frames[frame];
  bool is_held_out = part == CW_ROWS_HELD_OUT;
  double own = activations->config.held_out_fraction;
  bool is_whole = fraction <= 0 || (own > 0 && fraction == own);
  bool has_all = fraction <= 0 ? !is_held_out : facts->is_held_out == is_held_out;
  g_autofree int64_t *documents = NULL;
  *n = 0;
  if (is_whole && !has_all)
    return true;
  if (!is_whole) {
    documents = g_new(int64_t, (gsize)facts->n_rows);
    if (!activations->kind->read_places(activations->source, frame, NULL, documents, NULL,
                                        error))
      return false;
  }
  for (int32_t i = 0; i < facts->n_rows; i++)
    if (is_whole || cw_document_is_held_out(documents[i], fraction) == is_held_out) {
      if (rows != NULL)
        rows[*n] = i;
      *n += 1;
    }
  return true;
}
