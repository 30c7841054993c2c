/* cache-store.c - reads a cache: index first, frames when they are wanted.
 *
 * A loaded frame is its codes; rows become f32 where a batch wants them, by the same op that
 * products use for stored weights, and escapes are put over them. The files are read, not
 * mapped: a file that another program shortens is then an error, not a signal. */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "activations/activations-private.h"
#include "activations/cache-index.h"
#include "activations/frame.h"

#define POOL_FRAMES    64
#define ORDERED_FRAMES 4

typedef struct {
  char *path;
  int fd;
  int64_t first_frame;
} OpenFile;

typedef struct {
  char *folder, *hash;
  CwManifest manifest;
  GArray *files; /* of OpenFile */
  int64_t n_frames;
  CwFrameEntry *entries; /* [n_frames] */
  CwFrameFacts *frames;  /* [n_frames] */
  CwToolbox readers;     /* of CwFrameReader */
} CacheStore;

static void
clear_file(OpenFile *file)
{
  if (file->fd >= 0)
    close(file->fd);
  g_free(file->path);
}

static void
free_store(gpointer data)
{
  CacheStore *store = data;
  cw_manifest_clear(&store->manifest);
  g_array_unref(store->files);
  cw_toolbox_clear(&store->readers);
  g_free(store->entries);
  g_free(store->frames);
  g_free(store->folder);
  g_free(store->hash);
  g_free(store);
}

/* ---- frames ----------------------------------------------------------------------------- */

static const OpenFile *
file_of_frame(const CacheStore *store, int64_t frame)
{
  guint low = 0, high = store->files->len - 1;
  while (low < high) {
    guint middle = (low + high + 1) / 2;
    if (g_array_index(store->files, OpenFile, middle).first_frame <= frame)
      low = middle;
    else
      high = middle - 1;
  }
  return &g_array_index(store->files, OpenFile, low);
}

static bool
fail_frame(const CacheStore *store, int64_t frame, const char *part, uint64_t offset,
           const char *fault, GError **error)
{
  const OpenFile *file = file_of_frame(store, frame);
  g_set_error(error, CW_ERROR, CW_ERROR_FORMAT,
              "%s: %s of frame %" G_GINT64_FORMAT " at byte %" G_GUINT64_FORMAT
              " %s; the cache is damaged there",
              file->path, part, frame - file->first_frame, offset, fault);
  return false;
}

static CwFrameReader *
take_reader(CacheStore *store, size_t n_bytes, GError **error)
{
  CwFrameReader *reader = cw_toolbox_take(&store->readers);
  if (reader == NULL)
    reader = cw_frame_reader_new();
  if (reader != NULL && cw_room_get(&reader->bytes, n_bytes) != NULL)
    return reader;
  cw_frame_reader_free(reader);
  cw_error_set_from_status(error, CWK_NO_MEMORY, "reading activations");
  return NULL;
}

static void
unload_frame(gpointer data, CwLoadedFrame *loaded)
{
  if (loaded->data != NULL)
    cw_open_frame_clear(loaded->data);
  g_clear_pointer(&loaded->data, g_free);
}

static bool
load_frame(gpointer data, CwLoadedFrame *loaded, GError **error)
{
  CacheStore *store = data;
  const CwManifest *manifest = &store->manifest;
  const CwFrameEntry *entry = &store->entries[loaded->frame];
  const OpenFile *file = file_of_frame(store, loaded->frame);
  uint64_t offset = entry->offset + entry->places_bytes;
  CwFrameReader *reader = take_reader(store, entry->body_bytes, error);
  if (reader == NULL)
    return false;
  uint8_t *body = reader->bytes.memory;
  bool is_done = cw_read_at(file->fd, file->path, offset, body, entry->body_bytes, error);
  if (is_done) {
    if (loaded->data == NULL)
      loaded->data = g_new0(CwOpenFrame, 1);
    const char *fault = cw_frame_open_body(reader, entry, manifest->codec, manifest->n_layers,
                                           manifest->width, body, loaded->data);
    is_done =
        fault == NULL || fail_frame(store, loaded->frame, "the body", offset, fault, error);
  }
  cw_toolbox_put(&store->readers, reader);
  if (!is_done)
    unload_frame(store, loaded);
  return is_done;
}

/* ---- rows ------------------------------------------------------------------------------- */

/* Puts the escapes of one row of a plane over its decoded values. */
static void
put_escapes(const CwOpenFrame *frame, int64_t plane, int64_t row, int64_t width, float *to)
{
  const CwEscape *escapes = frame->escapes[plane];
  uint32_t low = 0, n = frame->planes[plane].n_escapes, high = n;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (escapes[middle].at < row * width)
      low = middle + 1;
    else
      high = middle;
  }
  for (; low < n && escapes[low].at < (row + 1) * width; low++)
    to[escapes[low].at - row * width] = escapes[low].value;
}

/* Rows of n_planes planes from `first` on, every second one, which lie together in `to`. Planes
 * are as many as can be in one call, for waking the pool takes longer than decoding one. */
static CwkStatus
gather_planes(const CacheStore *store, CwkDevice *device, const CwRowRef *rows, int64_t n,
              int64_t first, int64_t n_planes, float *to)
{
  const int64_t width = store->manifest.width;
  const size_t row_bytes = (size_t)width * cw_codec_value_bytes(store->manifest.codec);
  g_autofree const void **list = g_try_new(const void *, (gsize)(n_planes * n));
  g_autofree float *scales = g_try_new(float, (gsize)(n_planes * n));
  if (list == NULL || scales == NULL)
    return CWK_NO_MEMORY;
  for (int64_t i = 0; i < n; i++) {
    const CwOpenFrame *frame = rows[i].loaded->data;
    const size_t plane_bytes = store->entries[rows[i].loaded->frame].n_rows * row_bytes;
    const uint8_t *codes = frame->codes + (size_t)rows[i].row * row_bytes;
    for (int64_t p = 0; p < n_planes; p++) {
      list[p * n + i] = codes + (size_t)(first + 2 * p) * plane_bytes;
      scales[p * n + i] = frame->planes[first + 2 * p].step;
    }
  }
  bool is_f16 = store->manifest.codec == CW_CODEC_NONE;
  CwkDequantiseArgs args = { .rows = { .dtype = is_f16 ? CWK_F16 : CWK_I8,
                                       .n_rows = n_planes * n,
                                       .n_cols = width,
                                       .row_bytes = row_bytes,
                                       .row_list = list,
                                       .scales = is_f16 ? NULL : scales },
                             .out = to };
  CwkStatus status = cwk_dequantise(device, &args);
  for (int64_t p = 0; status == CWK_OK && p < n_planes; p++)
    for (int64_t i = 0; i < n; i++) {
      const CwOpenFrame *frame = rows[i].loaded->data;
      if (frame->planes[first + 2 * p].n_escapes > 0)
        put_escapes(frame, first + 2 * p, rows[i].row, width, to + (p * n + i) * width);
    }
  return status;
}

static bool
gather_rows(gpointer data, CwkDevice *device, const CwRowRef *rows, int64_t n,
            const CwRowTarget *target, GError **error)
{
  const CacheStore *store = data;
  const int64_t n_layers = store->manifest.n_layers;
  bool is_together = target->layer_stride == n * store->manifest.width;
  int64_t n_at_once = is_together ? n_layers : 1;
  CwkStatus status = CWK_OK;
  for (int64_t plane = 0; plane < 2 * n_layers && status == CWK_OK && n > 0; plane++) {
    float *side = plane % 2 == 0 ? target->in : target->out;
    if (side != NULL && plane / 2 % n_at_once == 0)
      status = gather_planes(store, device, rows, n, plane, n_at_once,
                             side + plane / 2 * target->layer_stride);
  }
  if (status != CWK_OK)
    cw_error_set_from_status(error, status, "reading activations");
  return status == CWK_OK;
}

static bool
read_places(gpointer data, int64_t frame, int32_t *tokens, int64_t *documents, int64_t *places,
            GError **error)
{
  CacheStore *store = data;
  const CwFrameEntry *entry = &store->entries[frame];
  const OpenFile *file = file_of_frame(store, frame);
  const size_t n = entry->n_rows;
  g_autofree int32_t *all = g_try_new(int32_t, 3 * n);
  if (all == NULL) {
    cw_error_set_from_status(error, CWK_NO_MEMORY, "reading activations");
    return false;
  }
  CwFrameReader *reader = take_reader(store, entry->places_bytes, error);
  if (reader == NULL)
    return false;
  uint8_t *bytes = reader->bytes.memory;
  bool is_done =
      cw_read_at(file->fd, file->path, entry->offset, bytes, entry->places_bytes, error);
  if (is_done) {
    const char *fault = cw_frame_open_places(reader, entry, bytes, all);
    is_done =
        fault == NULL || fail_frame(store, frame, "the places", entry->offset, fault, error);
  }
  cw_toolbox_put(&store->readers, reader);
  if (!is_done)
    return false;
  for (size_t i = 0; i < n; i++) {
    if (tokens != NULL)
      tokens[i] = all[i];
    if (documents != NULL)
      documents[i] = all[n + i];
    if (places != NULL)
      places[i] = all[2 * n + i];
  }
  return true;
}

/* ---- checking --------------------------------------------------------------------------- */

/* A batch's head fills the gap in front of its first frame exactly. */
static bool
verify_gap(const CacheStore *store, int64_t frame, GError **error)
{
  const OpenFile *file = file_of_frame(store, frame);
  const CwFrameEntry *entry = &store->entries[frame];
  uint64_t from = sizeof(CwCacheHead);
  if (frame > file->first_frame)
    from = entry[-1].offset + entry[-1].places_bytes + entry[-1].body_bytes;
  size_t n_bytes = (size_t)(entry->offset - from);
  if (n_bytes == 0)
    return true;
  g_autofree uint8_t *bytes = g_try_malloc(n_bytes);
  if (bytes == NULL || !cw_read_at(file->fd, file->path, from, bytes, n_bytes, error))
    return bytes != NULL ? false
                         : fail_frame(store, frame, "the head", from, "is too long", error);
  const CwBatchHead *head = (const CwBatchHead *)bytes;
  uint8_t digest[32];
  bool is_size =
      n_bytes >= sizeof *head &&
      n_bytes - sizeof *head == cw_batch_rest_bytes(head->n_frames, store->manifest.n_layers);
  if (is_size)
    cw_batch_head_digest(head, head + 1, store->manifest.n_layers, digest);
  if (is_size && memcmp(digest, head->sha256, sizeof digest) == 0)
    return true;
  return fail_frame(store, frame, "the batch's head in front", from,
                    "does not have the checksum that it says", error);
}

static bool
verify_frame(gpointer data, int64_t frame, GError **error)
{
  CacheStore *store = data;
  CwLoadedFrame loaded = { .frame = frame };
  if (!verify_gap(store, frame, error) || !read_places(store, frame, NULL, NULL, NULL, error) ||
      !load_frame(store, &loaded, error))
    return false;
  unload_frame(store, &loaded);
  return true;
}

static char *
dup_hash(gpointer data)
{
  const CacheStore *store = data;
  return g_strdup(store->hash);
}

static const CwStoreKind cache_kind = {
  .free = free_store,
  .load = load_frame,
  .unload = unload_frame,
  .gather = gather_rows,
  .read_places = read_places,
  .verify_frame = verify_frame,
  .dup_hash = dup_hash,
};

/* ---- opening ---------------------------------------------------------------------------- */

/* The frames of a file follow each other and end where it ends. */
static bool
check_entries(CacheStore *store, const CwCacheFile *file, const CwFrameEntry *entries,
              int64_t *n_rows, const char *path, GError **error)
{
  const CwManifest *manifest = &store->manifest;
  uint64_t at = sizeof(CwCacheHead), rows = 0;
  for (int64_t i = 0; i < file->n_frames; i++) {
    const CwFrameEntry *entry = &entries[i];
    uint64_t n_bytes = (uint64_t)entry->places_bytes + entry->body_bytes;
    if (entry->offset < at || entry->offset > file->n_bytes ||
        n_bytes > file->n_bytes - entry->offset ||
        !cw_frame_entry_is_sane(entry, manifest->codec, manifest->n_layers, manifest->width)) {
      g_set_error(error, CW_ERROR, CW_ERROR_FORMAT,
                  "%s: frame %" G_GINT64_FORMAT " has sizes that cannot be", path, i);
      return false;
    }
    at = entry->offset + n_bytes;
    rows += entry->n_rows;
  }
  if (at == file->n_bytes && rows == (uint64_t)file->n_rows) {
    *n_rows += file->n_rows;
    return true;
  }
  g_set_error(error, CW_ERROR, CW_ERROR_FORMAT,
              "%s: its frames end at byte %" G_GUINT64_FORMAT " with %" G_GUINT64_FORMAT
              " rows, the manifest says %" G_GUINT64_FORMAT " and %" G_GINT64_FORMAT,
              path, at, rows, file->n_bytes, file->n_rows);
  return false;
}

static bool
read_index(CacheStore *store, const CwCacheFile *file, int64_t *n_rows, GError **error)
{
  g_autofree char *name = g_strdup(file->name);
  strcpy(name + strlen(name) - strlen(".bin"), "");
  g_autofree char *index_name = g_strconcat(name, ".index", NULL);
  g_autofree char *path = g_build_filename(store->folder, index_name, NULL);
  g_autofree char *bytes = NULL;
  gsize n_bytes;
  g_autoptr(GError) failure = NULL;
  if (!g_file_get_contents(path, &bytes, &n_bytes, &failure)) {
    g_set_error(error, CW_ERROR, CW_ERROR_IO, "%s", failure->message);
    return false;
  }
  g_autofree char *sha256 =
      g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)bytes, n_bytes);
  if (strcmp(sha256, file->index_sha256) != 0 ||
      n_bytes != sizeof(CwIndexHead) + (size_t)file->n_frames * sizeof(CwFrameEntry)) {
    g_set_error(error, CW_ERROR, CW_ERROR_FORMAT,
                "%s: does not have the checksum or size that the manifest says", path);
    return false;
  }
  CwFrameEntry *all =
      g_try_renew(CwFrameEntry, store->entries, (gsize)(store->n_frames + file->n_frames));
  if (all == NULL) {
    cw_error_set_from_status(error, CWK_NO_MEMORY, "indexing activations");
    return false;
  }
  store->entries = all;
  memcpy(all + store->n_frames, bytes + sizeof(CwIndexHead),
         (size_t)file->n_frames * sizeof(CwFrameEntry));
  return check_entries(store, file, all + store->n_frames, n_rows, path, error);
}

static bool
open_file(CacheStore *store, const CwCacheFile *file, int64_t *n_rows, GError **error)
{
  OpenFile opened = { g_build_filename(store->folder, file->name, NULL), -1, store->n_frames };
  opened.fd = g_open(opened.path, O_RDONLY | O_CLOEXEC, 0);
  g_array_append_val(store->files, opened);
  struct stat info;
  if (opened.fd < 0 || fstat(opened.fd, &info) != 0) {
    g_set_error(error, CW_ERROR, CW_ERROR_IO, "%s: cannot be opened", opened.path);
    return false;
  }
  if ((uint64_t)info.st_size != file->n_bytes) {
    g_set_error(error, CW_ERROR, CW_ERROR_FORMAT,
                "%s: has %" G_GINT64_FORMAT " bytes, the manifest says %" G_GUINT64_FORMAT,
                opened.path, (int64_t)info.st_size, file->n_bytes);
    return false;
  }
  CwCacheHead head;
  if (!cw_read_at(opened.fd, opened.path, 0, &head, sizeof head, error) ||
      !cw_cache_head_check(&head, store->manifest.codec, store->manifest.n_layers,
                           store->manifest.width, opened.path, error) ||
      !read_index(store, file, n_rows, error))
    return false;
  store->n_frames += file->n_frames;
  return true;
}

static bool
list_frames(CacheStore *store, GError **error)
{
  store->frames = g_try_new(CwFrameFacts, (gsize)store->n_frames);
  if (store->frames == NULL) {
    cw_error_set_from_status(error, CWK_NO_MEMORY, "indexing activations");
    return false;
  }
  int64_t row = 0;
  for (int64_t i = 0; i < store->n_frames; i++) {
    const CwFrameEntry *entry = &store->entries[i];
    store->frames[i] = (CwFrameFacts){ row, (int32_t)entry->n_rows,
                                       (entry->flags & CW_FRAME_IS_HELD_OUT) != 0 };
    row += entry->n_rows;
  }
  return true;
}

static void
fill_config(CacheStore *store, int64_t n_rows, CwActivationsConfig *config)
{
  const CwManifest *manifest = &store->manifest;
  *config = (CwActivationsConfig){ .n_rows = n_rows,
                                   .n_layers = manifest->n_layers,
                                   .width = manifest->width,
                                   .model_name = manifest->model_name,
                                   .model_hash = manifest->model_hash,
                                   .input_hook = manifest->input_hook,
                                   .output_hook = manifest->output_hook,
                                   .context_tokens = manifest->context_tokens,
                                   .format = "clew-cache",
                                   .codec = cw_codec_name(manifest->codec),
                                   .held_out_fraction = manifest->held_out_fraction };
}

static bool
open_manifest(CacheStore *store, const char *path, GError **error)
{
  g_autofree char *text = NULL;
  gsize n_bytes;
  if (!cw_manifest_load(&store->manifest, path, error))
    return false;
  if (store->manifest.files->len == 0 || !g_file_get_contents(path, &text, &n_bytes, NULL)) {
    g_set_error(error, CW_ERROR, CW_ERROR_FORMAT, "%s: names no files of frames", path);
    return false;
  }
  store->hash = g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)text, n_bytes);
  return true;
}

bool
cw_cache_store_open(CwActivations *activations, const char *folder, GError **error)
{
  CacheStore *store = g_new0(CacheStore, 1);
  activations->kind = &cache_kind;
  activations->source = store;
  store->folder = g_strdup(folder);
  store->files = g_array_new(FALSE, TRUE, sizeof(OpenFile));
  cw_toolbox_init(&store->readers, (GDestroyNotify)cw_frame_reader_free);
  g_array_set_clear_func(store->files, (GDestroyNotify)clear_file);
  g_autofree char *path = g_build_filename(folder, "manifest.json", NULL);
  if (!open_manifest(store, path, error))
    return false;
  int64_t n_rows = 0;
  for (guint i = 0; i < store->manifest.files->len; i++)
    if (!open_file(store, &g_array_index(store->manifest.files, CwCacheFile, i), &n_rows,
                   error))
      return false;
  if (!list_frames(store, error))
    return false;
  fill_config(store, n_rows, &activations->config);
  activations->frames = store->frames;
  activations->n_frames = store->n_frames;
  activations->pool_frames = POOL_FRAMES;
  activations->ordered_frames = ORDERED_FRAMES;
  return true;
}
