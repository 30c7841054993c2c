/* cache-writer.c - batches of rows into a cache folder, which can be stopped anywhere.
 *
 * A batch's rows are permuted by (seed, number of the batch) and dealt to its frames, rows of
 * documents held out to frames of their own, so that a frame holds rows from all over the
 * batch and no second copy is ever shuffled. Frames are packed side by side, a wave at a time,
 * and written; the batch's head, whose size is known, comes last, and all of it is synced.
 * Nothing depends on the number of threads or on the time.
 *
 * A stopped run leaves whole batches and at most a part of one behind them. Taking it up again
 * reads the heads of the batches, checks the last one's frames, and cuts off the rest. */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "activations/activations-private.h"
#include "activations/cache-index.h"
#include "activations/frame.h"
#include "activations/quantise.h"
#include "base/rng.h"
#include "cw-tensor-file.h"
#include "files/atomic-write.h"

#define FRAMES_NAME     "frames-0000.bin"
#define INDEX_NAME      "frames-0000.index"
#define UNFINISHED_NAME "unfinished.json"
#define ORDER_STREAM    UINT64_C(0x6261746368000000) /* keeps clear of other uses of a seed */

/* Frames packed before they are written: enough for threads to share them evenly. */
#define WAVE_FRAMES(n_threads) MAX(4 * (n_threads), 8)

struct _CwCacheWriter {
  char *folder, *path;
  int fd;
  CwManifest manifest;
  int64_t n_batches, n_rows, rows_per_frame;
  uint64_t n_bytes; /* of whole batches, head included */
  GArray *entries;  /* of CwFrameEntry, offsets in the file */
  bool has_failed;
  /* Kept from batch to batch. */
  CwToolbox packers;     /* of CwFramePacker */
  CwPackedFrame *packed; /* [n_packed] a wave of frames */
  int64_t n_packed;
  CwRoom sizes; /* of CwRowSize */
};

static bool
fail_io(const CwCacheWriter *writer, const char *doing, GError **error)
{
  cw_file_set_error(error, writer->path, doing);
  return false;
}

static bool
write_at(CwCacheWriter *writer, uint64_t offset, const void *data, size_t n_bytes,
         GError **error)
{
  for (size_t done = 0; done < n_bytes;) {
    ssize_t n =
        pwrite(writer->fd, (const char *)data + done, n_bytes - done, (off_t)(offset + done));
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return fail_io(writer, "write", error);
    done += (size_t)n;
  }
  return true;
}

void
cw_cache_writer_discard(CwCacheWriter *writer)
{
  if (writer == NULL)
    return;
  if (writer->fd >= 0)
    close(writer->fd);
  cw_manifest_clear(&writer->manifest);
  for (int64_t i = 0; i < writer->n_packed; i++)
    cw_packed_frame_clear(&writer->packed[i]);
  g_free(writer->packed);
  cw_toolbox_clear(&writer->packers);
  cw_room_clear(&writer->sizes);
  g_array_unref(writer->entries);
  g_free(writer->folder);
  g_free(writer->path);
  g_free(writer);
}

int64_t
cw_cache_writer_get_n_batches(const CwCacheWriter *writer)
{
  return writer->n_batches;
}

/* ---- packing a batch -------------------------------------------------------------------- */

/* A batch on its way to the file. */
typedef struct {
  CwCacheWriter *writer;
  CwFrameSource source;
  float *steps;     /* [L, 2] */
  double *energies; /* [4, L] */
  int32_t *bad;     /* [L, 2] whether a value is not finite */
  int64_t *rows;    /* [n] in the order of the frames */
  CwRowSize *sizes; /* [L, 2, n], the writer's */
  int64_t n_training;
  int64_t n_frames, n_training_frames;
  size_t head_bytes;
  uint8_t *head;         /* CwBatchHead, entries, energies */
  CwFrameEntry *entries; /* in the head */
  uint64_t n_bytes;      /* so far */
  int64_t first;         /* frame of the wave */
  GError **errors;       /* [n_packed] */
} Batch;

static void
run_on(CwkDevice *device, int64_t n, CwkTask task, void *data)
{
  if (device != NULL) {
    cwk_parallel_for(device, n, task, data);
    return;
  }
  for (int64_t i = 0; i < n; i++)
    task(data, i);
}

static void
choose_step(void *data, int64_t plane)
{
  Batch *batch = data;
  const CwFrameSource *source = &batch->source;
  const float *side = plane % 2 == 0 ? source->in : source->out;
  double energy = 0;
  batch->bad[plane] =
      !cw_quantise_choose_step(source->codec, side + plane / 2 * source->n * source->width,
                               source->n, source->width, batch->writer->manifest.target_error,
                               batch->sizes + plane * source->n, &batch->steps[plane], &energy);
  batch->energies[2 * (plane % 2) * source->n_layers + plane / 2] = energy;
}

static void
pack_frame(void *data, int64_t item)
{
  Batch *batch = data;
  CwCacheWriter *writer = batch->writer;
  int64_t per_frame = writer->rows_per_frame, i = batch->first + item;
  bool is_held_out = i >= batch->n_training_frames;
  int64_t first = is_held_out ? batch->n_training + (i - batch->n_training_frames) * per_frame
                              : i * per_frame;
  int64_t end = is_held_out ? batch->source.n : batch->n_training;
  CwFramePacker *packer = cw_toolbox_take(&writer->packers);
  if (packer == NULL)
    packer = cw_frame_packer_new();
  if (packer == NULL) {
    cw_error_set_from_status(&batch->errors[item], CWK_NO_MEMORY, "packing activations");
    return;
  }
  cw_frame_pack(packer, &batch->source, batch->rows + first, MIN(per_frame, end - first),
                &writer->packed[item], &batch->errors[item]);
  cw_toolbox_put(&writer->packers, packer);
  writer->packed[item].entry.flags = is_held_out ? CW_FRAME_IS_HELD_OUT : 0;
}

/* Training rows first, both parts in a random order. */
static void
order_rows(Batch *batch)
{
  const CwFrameSource *source = &batch->source;
  double fraction = batch->writer->manifest.held_out_fraction;
  int64_t n_training = 0, n_held_out = source->n;
  for (int64_t r = 0; r < source->n; r++)
    if (fraction > 0 && cw_document_is_held_out(source->documents[r], fraction))
      batch->rows[--n_held_out] = r;
    else
      batch->rows[n_training++] = r;
  batch->n_training = n_training;
  CwRng rng = { batch->writer->manifest.seed, ORDER_STREAM + (uint64_t)batch->writer->n_batches,
                0 };
  for (int64_t i = source->n - 1; i > 0; i--) {
    int64_t first = i >= n_training ? n_training : 0;
    uint64_t n = (uint64_t)(i - first + 1);
    int64_t j = first + (int64_t)(((unsigned __int128)cw_rng_next(&rng) * n) >> 64);
    int64_t other = batch->rows[i];
    batch->rows[i] = batch->rows[j];
    batch->rows[j] = other;
  }
}

static bool
check_finite(const Batch *batch, GError **error)
{
  for (int64_t plane = 0; plane < 2 * batch->source.n_layers; plane++)
    if (batch->bad[plane]) {
      g_set_error(error, CW_ERROR, CW_ERROR_FORMAT,
                  "Batch %" G_GINT64_FORMAT ": the %s of layer %" G_GINT64_FORMAT
                  " has values that are not finite",
                  batch->writer->n_batches, plane % 2 == 0 ? "input" : "output", plane / 2);
      return false;
    }
  return true;
}

/* The first failure in the order of the frames is the one reported. */
static bool
check_wave(Batch *batch, int64_t n, GError **error)
{
  bool is_done = true;
  for (int64_t i = 0; i < n; i++) {
    if (batch->errors[i] == NULL)
      continue;
    if (is_done)
      g_propagate_error(error, g_steal_pointer(&batch->errors[i]));
    g_clear_error(&batch->errors[i]);
    is_done = false;
  }
  return is_done;
}

/* Behind what is written of the batch; notes where it lies and what it lost. */
static bool
write_frame(Batch *batch, int64_t i, const CwPackedFrame *packed, GError **error)
{
  CwCacheWriter *writer = batch->writer;
  int64_t n_layers = batch->source.n_layers;
  batch->entries[i] = packed->entry;
  batch->entries[i].offset = batch->n_bytes;
  for (int64_t p = 0; p < 2 * n_layers; p++)
    batch->energies[(2 * (p % 2) + 1) * n_layers + p / 2] += packed->errors[p];
  if (!write_at(writer, writer->n_bytes + batch->n_bytes, packed->room.memory, packed->n_bytes,
                error))
    return false;
  batch->n_bytes += packed->n_bytes;
  return true;
}

static bool
write_frames(Batch *batch, CwkDevice *device, GError **error)
{
  CwCacheWriter *writer = batch->writer;
  bool is_done = true;
  batch->errors = g_new0(GError *, (gsize)writer->n_packed);
  for (; is_done && batch->first < batch->n_frames; batch->first += writer->n_packed) {
    int64_t n = MIN(writer->n_packed, batch->n_frames - batch->first);
    run_on(device, n, pack_frame, batch);
    is_done = check_wave(batch, n, error);
    for (int64_t i = 0; is_done && i < n; i++)
      is_done = write_frame(batch, batch->first + i, &writer->packed[i], error);
  }
  return is_done;
}

/* Steps, and the order of the rows. */
static bool
plan_batch(Batch *batch, CwkDevice *device, GError **error)
{
  const CwFrameSource *source = &batch->source;
  CwCacheWriter *writer = batch->writer;
  int64_t per_frame = writer->rows_per_frame, n_layers = source->n_layers;
  run_on(device, 2 * n_layers, choose_step, batch);
  if (!check_finite(batch, error))
    return false;
  order_rows(batch);
  batch->n_training_frames = (batch->n_training + per_frame - 1) / per_frame;
  batch->n_frames =
      batch->n_training_frames + (source->n - batch->n_training + per_frame - 1) / per_frame;
  batch->head_bytes =
      sizeof(CwBatchHead) + cw_batch_rest_bytes((uint32_t)batch->n_frames, n_layers);
  batch->head = g_malloc0(batch->head_bytes);
  batch->entries = (CwFrameEntry *)(batch->head + sizeof(CwBatchHead));
  batch->n_bytes = batch->head_bytes;
  int64_t n_packed = WAVE_FRAMES(device != NULL ? cwk_device_n_threads(device) : 1);
  if (n_packed > writer->n_packed) {
    writer->packed = g_renew(CwPackedFrame, writer->packed, n_packed);
    memset(writer->packed + writer->n_packed, 0,
           (size_t)(n_packed - writer->n_packed) * sizeof *writer->packed);
    writer->n_packed = n_packed;
  }
  return true;
}

static void
batch_clear(Batch *batch)
{
  g_free(batch->head);
  g_free(batch->errors);
  g_free(batch->steps);
  g_free(batch->energies);
  g_free(batch->bad);
  g_free(batch->rows);
}

/* ---- writing a batch -------------------------------------------------------------------- */

/* What the frames in front of it say. */
static void
fill_head(Batch *batch)
{
  int64_t n_layers = batch->source.n_layers;
  memcpy(batch->entries + batch->n_frames, batch->energies,
         4 * (size_t)n_layers * sizeof(double));
  CwBatchHead *head = (CwBatchHead *)batch->head;
  memcpy(head->magic, CW_BATCH_MAGIC, sizeof head->magic);
  head->number = (uint64_t)batch->writer->n_batches;
  head->n_bytes = batch->n_bytes;
  head->n_frames = (uint32_t)batch->n_frames;
  head->n_rows = (uint32_t)batch->source.n;
  cw_batch_head_digest(head, batch->entries, n_layers, head->sha256);
}

/* The batch whose head lies in bytes is on disk: counts it. */
static void
note_batch(CwCacheWriter *writer, const uint8_t *bytes)
{
  const CwBatchHead *head = (const CwBatchHead *)bytes;
  const CwFrameEntry *entries = (const CwFrameEntry *)(head + 1);
  for (uint32_t i = 0; i < head->n_frames; i++) {
    CwFrameEntry entry = entries[i];
    entry.offset += writer->n_bytes;
    g_array_append_val(writer->entries, entry);
  }
  const double *energies = (const double *)(entries + head->n_frames);
  for (guint i = 0; i < writer->manifest.energies->len; i++)
    g_array_index(writer->manifest.energies, double, i) += energies[i];
  writer->n_rows += head->n_rows;
  writer->n_bytes += head->n_bytes;
  writer->n_batches++;
}

static bool
write_batch(Batch *batch, CwkDevice *device, GError **error)
{
  CwCacheWriter *writer = batch->writer;
  bool is_done = write_frames(batch, device, error);
  if (is_done) {
    fill_head(batch);
    is_done = write_at(writer, writer->n_bytes, batch->head, batch->head_bytes, error);
  }
  if (is_done && fdatasync(writer->fd) != 0)
    is_done = fail_io(writer, "sync", error);
  if (is_done) {
    note_batch(writer, batch->head);
    return true;
  }
  /* Gives room back to a full disk; if that fails too, resuming cuts it off. */
  writer->has_failed = true;
  if (ftruncate(writer->fd, (off_t)writer->n_bytes) != 0)
    errno = 0;
  return false;
}

bool
cw_cache_writer_append(CwCacheWriter *writer, CwkDevice *device, const float *in,
                       const float *out, const int32_t *tokens, const int32_t *documents,
                       const int32_t *positions, int64_t n, GError **error)
{
  int64_t n_layers = writer->manifest.n_layers;
  if (n < 1 || n > G_MAXINT32 || writer->has_failed) {
    g_set_error(error, CW_ERROR, CW_ERROR_ARGUMENT, "%s: %s", writer->path,
                writer->has_failed ? "an earlier batch could not be written"
                                   : "a batch has between 1 and 2^31 - 1 rows");
    return false;
  }
  Batch batch = { .writer = writer,
                  .source = { writer->manifest.codec, n_layers, writer->manifest.width, n, in,
                              out, tokens, documents, positions } };
  batch.source.steps = batch.steps = g_new0(float, 2 * n_layers);
  batch.energies = g_new0(double, 4 * n_layers);
  batch.bad = g_new0(int32_t, 2 * n_layers);
  batch.rows = g_try_new(int64_t, n);
  batch.sizes = cw_room_get(&writer->sizes, 2 * (size_t)(n_layers * n) * sizeof(CwRowSize));
  bool is_done = batch.rows != NULL && batch.sizes != NULL;
  if (!is_done)
    cw_error_set_from_status(error, CWK_NO_MEMORY, "packing activations");
  is_done = is_done && plan_batch(&batch, device, error) && write_batch(&batch, device, error);
  batch_clear(&batch);
  return is_done;
}

/* ---- beginning and taking up again ------------------------------------------------------ */

static bool
check_options(const CwCacheOptions *options, GError **error)
{
  bool is_shape = options->n_layers > 0 && options->n_layers <= CW_MAX_CACHE_LAYERS &&
                  options->width > 0 && options->width <= CW_MAX_CACHE_WIDTH;
  bool is_error = options->target_error >= 0 && options->target_error < 1;
  bool is_fraction = options->held_out_fraction >= 0 && options->held_out_fraction < 1;
  if (is_shape && is_error && is_fraction && options->codec <= CW_CODEC_INT4)
    return true;
  g_set_error(error, CW_ERROR, CW_ERROR_ARGUMENT,
              "A cache of %" G_GINT64_FORMAT " layers of width %" G_GINT64_FORMAT
              " with an error of %g and a share of %g held out cannot be made",
              options->n_layers, options->width, options->target_error,
              options->held_out_fraction);
  return false;
}

static bool
begin_folder(CwCacheWriter *writer, GError **error)
{
  g_autoptr(GDir) folder = NULL;
  if (g_mkdir_with_parents(writer->folder, 0777) != 0)
    return fail_io(writer, "make its folder", error);
  folder = g_dir_open(writer->folder, 0, NULL);
  const char *other = folder != NULL ? g_dir_read_name(folder) : NULL;
  if (other != NULL) {
    g_set_error(error, CW_ERROR, CW_ERROR_ARGUMENT,
                "%s: the folder is not empty (it holds %s); name a new one or resume",
                writer->folder, other);
    return false;
  }
  writer->fd = g_open(writer->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (writer->fd < 0)
    return fail_io(writer, "create it", error);
  CwCacheHead head;
  cw_cache_head_fill(&head, writer->manifest.codec, writer->manifest.n_layers,
                     writer->manifest.width);
  writer->n_bytes = sizeof head;
  g_autofree char *text = cw_manifest_dup_text(&writer->manifest, false);
  g_autofree char *path = g_build_filename(writer->folder, UNFINISHED_NAME, NULL);
  return write_at(writer, 0, &head, sizeof head, error) &&
         cw_file_write_atomic(path, text, strlen(text), error);
}

static bool
check_same_options(CwCacheWriter *writer, GError **error)
{
  g_autofree char *path = g_build_filename(writer->folder, UNFINISHED_NAME, NULL);
  g_auto(CwManifest) stored = { 0 };
  if (!cw_manifest_load(&stored, path, error))
    return false;
  const char *difference = cw_manifest_find_difference(&stored, &writer->manifest);
  if (difference == NULL) { /* The same model by its hash keeps the name it had here. */
    g_free(writer->manifest.model_name);
    writer->manifest.model_name = g_strdup(stored.model_name);
  }
  g_autofree char *old_text = cw_manifest_dup_text(&stored, false);
  g_autofree char *new_text = cw_manifest_dup_text(&writer->manifest, false);
  if (difference == NULL && strcmp(old_text, new_text) != 0)
    difference = stored.seed != writer->manifest.seed ? "seed" : "settings";
  if (difference == NULL)
    return true;
  g_set_error(error, CW_ERROR, CW_ERROR_MISMATCH,
              "%s: was begun with another %s; resume it with the same options or name a new "
              "folder",
              writer->folder, difference);
  return false;
}

/* The next batch's head, entries and energies if all of the batch is there. Transfer full. */
static uint8_t *
read_batch_head(CwCacheWriter *writer, uint64_t n_file)
{
  CwBatchHead head;
  if (n_file - writer->n_bytes < sizeof head ||
      !cw_read_at(writer->fd, writer->path, writer->n_bytes, &head, sizeof head, NULL) ||
      memcmp(head.magic, CW_BATCH_MAGIC, sizeof head.magic) != 0 ||
      head.number != (uint64_t)writer->n_batches || head.n_bytes > n_file - writer->n_bytes)
    return NULL;
  size_t rest = cw_batch_rest_bytes(head.n_frames, writer->manifest.n_layers);
  if (rest > head.n_bytes - sizeof head)
    return NULL;
  g_autofree uint8_t *bytes = g_try_malloc(sizeof head + rest);
  uint8_t digest[32];
  if (bytes == NULL ||
      !cw_read_at(writer->fd, writer->path, writer->n_bytes, bytes, sizeof head + rest, NULL))
    return NULL;
  cw_batch_head_digest(&head, bytes + sizeof head, writer->manifest.n_layers, digest);
  return memcmp(digest, head.sha256, sizeof digest) == 0 ? g_steal_pointer(&bytes) : NULL;
}

static bool
is_whole_frame(CwCacheWriter *writer, const CwFrameEntry *entry)
{
  const CwManifest *manifest = &writer->manifest;
  size_t n_bytes = (size_t)entry->places_bytes + entry->body_bytes;
  g_autoptr(CwFrameReader) reader = cw_frame_reader_new();
  if (reader == NULL ||
      !cw_frame_entry_is_sane(entry, manifest->codec, manifest->n_layers, manifest->width))
    return false;
  uint8_t *bytes = cw_room_get(&reader->bytes, n_bytes);
  if (bytes == NULL || !cw_read_at(writer->fd, writer->path, writer->n_bytes + entry->offset,
                                   bytes, n_bytes, NULL))
    return false;
  CwOpenFrame frame = { 0 };
  bool is_whole =
      cw_frame_open_body(reader, entry, manifest->codec, manifest->n_layers, manifest->width,
                         bytes + entry->places_bytes, &frame) == NULL;
  cw_open_frame_clear(&frame);
  g_autofree int32_t *places = g_new(int32_t, 3 * (gsize)entry->n_rows);
  return is_whole && cw_frame_open_places(reader, entry, bytes, places) == NULL;
}

/* All batches are synced before the next is begun, so that only the last can be torn. */
static bool
take_up_batches(CwCacheWriter *writer, uint64_t n_file)
{
  for (uint8_t *bytes; (bytes = read_batch_head(writer, n_file)) != NULL; g_free(bytes)) {
    const CwBatchHead *head = (const CwBatchHead *)bytes;
    const CwFrameEntry *entries = (const CwFrameEntry *)(head + 1);
    bool is_last = writer->n_bytes + head->n_bytes + sizeof *head > n_file;
    for (uint32_t i = 0; is_last && i < head->n_frames; i++)
      if (!is_whole_frame(writer, &entries[i])) {
        g_free(bytes);
        return ftruncate(writer->fd, (off_t)writer->n_bytes) == 0;
      }
    note_batch(writer, bytes);
  }
  return ftruncate(writer->fd, (off_t)writer->n_bytes) == 0;
}

static bool
resume_folder(CwCacheWriter *writer, GError **error)
{
  g_autofree char *manifest = g_build_filename(writer->folder, "manifest.json", NULL);
  g_autofree char *unfinished = g_build_filename(writer->folder, UNFINISHED_NAME, NULL);
  g_autofree char *index = g_build_filename(writer->folder, INDEX_NAME, NULL);
  cw_atomic_file_clean(manifest);
  cw_atomic_file_clean(unfinished);
  cw_atomic_file_clean(index);
  if (g_file_test(manifest, G_FILE_TEST_EXISTS)) {
    g_unlink(unfinished); /* killed in between */
    g_set_error(error, CW_ERROR, CW_ERROR_ARGUMENT, "%s: this cache is finished",
                writer->folder);
    return false;
  }
  if (!g_file_test(unfinished, G_FILE_TEST_EXISTS)) { /* stopped before it had begun */
    g_unlink(writer->path);
    return begin_folder(writer, error);
  }
  if (!check_same_options(writer, error))
    return false;
  writer->fd = g_open(writer->path, O_RDWR | O_CLOEXEC, 0);
  if (writer->fd < 0)
    return fail_io(writer, "open it", error);
  off_t n_file = lseek(writer->fd, 0, SEEK_END);
  CwCacheHead head;
  if (!cw_read_at(writer->fd, writer->path, 0, &head, sizeof head, error) ||
      !cw_cache_head_check(&head, writer->manifest.codec, writer->manifest.n_layers,
                           writer->manifest.width, writer->path, error))
    return false;
  writer->n_bytes = sizeof head;
  return take_up_batches(writer, (uint64_t)n_file) || fail_io(writer, "shorten it", error);
}

CwCacheWriter *
cw_cache_writer_begin(const char *folder, const CwCacheOptions *options, bool is_resumed,
                      GError **error)
{
  if (!check_options(options, error))
    return NULL;
  g_autoptr(CwCacheWriter) writer = g_new0(CwCacheWriter, 1);
  cw_toolbox_init(&writer->packers, (GDestroyNotify)cw_frame_packer_free);
  writer->folder = g_strdup(folder);
  writer->path = g_build_filename(folder, FRAMES_NAME, NULL);
  writer->fd = -1;
  writer->entries = g_array_new(FALSE, FALSE, sizeof(CwFrameEntry));
  cw_manifest_init(&writer->manifest, options);
  int64_t row_bytes =
      2 * options->n_layers * options->width * (int64_t)cw_codec_value_bytes(options->codec);
  writer->rows_per_frame = MAX(CW_FRAME_TARGET_BYTES / row_bytes, 1);
  if (!(is_resumed ? resume_folder(writer, error) : begin_folder(writer, error)))
    return NULL;
  return g_steal_pointer(&writer);
}

/* ---- finishing -------------------------------------------------------------------------- */

static bool
write_index(CwCacheWriter *writer, GError **error)
{
  CwIndexHead head = { .n_frames = writer->entries->len };
  memcpy(head.magic, CW_INDEX_MAGIC, sizeof head.magic);
  g_autoptr(GByteArray) bytes = g_byte_array_new();
  g_byte_array_append(bytes, (const guint8 *)&head, sizeof head);
  g_byte_array_append(bytes, (const guint8 *)writer->entries->data,
                      writer->entries->len * (guint)sizeof(CwFrameEntry));
  CwCacheFile file = {
    g_strdup(FRAMES_NAME),
    writer->n_bytes,
    writer->n_rows,
    writer->entries->len,
    writer->n_batches,
    g_compute_checksum_for_data(G_CHECKSUM_SHA256, bytes->data, bytes->len)
  };
  g_array_append_val(writer->manifest.files, file);
  g_autofree char *path = g_build_filename(writer->folder, INDEX_NAME, NULL);
  return cw_file_write_atomic(path, bytes->data, bytes->len, error);
}

bool
cw_cache_writer_finish(CwCacheWriter *writer, GError **error)
{
  g_autoptr(CwCacheWriter) owned = writer;
  if (writer->n_batches == 0 || writer->has_failed) {
    g_set_error(error, CW_ERROR, CW_ERROR_ARGUMENT, "%s: %s", writer->folder,
                writer->has_failed ? "a batch could not be written"
                                   : "no batch was written, so there is no cache");
    return false;
  }
  if (!write_index(writer, error) ||
      !cw_manifest_write(&writer->manifest, writer->folder, error))
    return false;
  g_autofree char *unfinished = g_build_filename(writer->folder, UNFINISHED_NAME, NULL);
  g_unlink(unfinished); /* only says what the manifest says too */
  return true;
}
