/* fuzz-activation-cache.c - manifest, index and frames of an activation cache.
 *
 * Two kinds of input. The first is three files, one behind the other; their checksums of each
 * other are put right, so that what lies behind them is reached. The second is what a frame
 * holds before zstd, put into a cache that is otherwise right. Whatever opens must be readable
 * to its last row. */
#include <string.h>
#include <zstd.h>

#include "activations/cache-index.h"
#include "fuzz-folder.h"
#include "fuzz.h"

#define MANIFEST  "manifest.json"
#define INDEX     "frames-0000.index"
#define FRAMES    "frames-0000.bin"
#define MAX_READ  (1 << 20) /* floats */
#define WHOLE     0
#define BODY      1
#define SEED_ROWS 5

/* In front of either kind. */
typedef struct {
  uint8_t kind;
  uint8_t codec, n_layers, width, n_rows, n_escapes; /* of a body */
  uint16_t manifest_bytes, index_bytes;              /* of files; the frames have the rest */
} Head;

/* ---- what is in the folder -------------------------------------------------------------- */

static void
read_rows(CwActivations *activations)
{
  const CwActivationsConfig *config = cw_activations_peek_config(activations);
  int64_t floats = config->n_layers * config->width;
  int64_t n = MIN(config->n_rows, MAX(MAX_READ / floats, 1));
  int64_t first = config->n_rows - n;
  g_autofree float *in = g_try_new(float, (gsize)(n * floats));
  g_autofree float *out = g_try_new(float, (gsize)(n * floats));
  g_autofree int32_t *tokens = g_new(int32_t, (gsize)n);
  g_autofree int64_t *places = g_new(int64_t, (gsize)n);
  g_autoptr(GError) error = NULL;
  if (in == NULL || out == NULL)
    return;
  bool is_read = cw_activations_read(activations, first, n, in, out, tokens, &error);
  if (is_read == (error != NULL))
    g_error("a result and an error at once, or neither");
  g_clear_error(&error);
  cw_activations_read_places(activations, first, n, places, NULL, &error);
}

static void
open_folder(void)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(CwActivations) activations = cw_activations_open(fuzz_folder_peek(), &error);
  if ((activations == NULL) != (error != NULL))
    g_error("a result and an error at once, or neither");
  if (activations == NULL)
    return;
  read_rows(activations);
  if (!cw_activations_verify(activations, NULL, NULL, &error) && error == NULL)
    g_error("neither sound nor an error");
}

/* ---- files ------------------------------------------------------------------------------ */

static void
run_files(const Head *head, const uint8_t *data, size_t n)
{
  size_t n_manifest = MIN(head->manifest_bytes, n);
  size_t n_index = MIN(head->index_bytes, n - n_manifest);
  const uint8_t *index = data + n_manifest, *frames = index + n_index;
  g_autoptr(GString) manifest = g_string_new_len((const char *)data, (gssize)n_manifest);
  g_autofree char *digest = g_compute_checksum_for_data(G_CHECKSUM_SHA256, index, n_index);
  fuzz_replace_string(manifest, 0, "\"index_sha256\" :", digest);
  fuzz_repair_checksum(manifest);
  fuzz_folder_write(MANIFEST, manifest->str, manifest->len);
  fuzz_folder_write(INDEX, index, n_index);
  fuzz_folder_write(FRAMES, frames, n - n_manifest - n_index);
  open_folder();
}

/* ---- a frame's body --------------------------------------------------------------------- */

static void
append_compressed(GByteArray *to, const void *data, size_t n, uint32_t *n_bytes)
{
  g_autofree uint8_t *bytes = g_malloc(ZSTD_compressBound(n));
  ZSTD_CCtx *context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  *n_bytes = (uint32_t)ZSTD_compress2(context, bytes, ZSTD_compressBound(n), data, n);
  ZSTD_freeCCtx(context);
  g_byte_array_append(to, bytes, *n_bytes);
}

/* A cache of one batch of one frame. */
static void
write_frames(const Head *shape, CwFrameEntry *entry, GByteArray *file, const uint8_t *body,
             size_t n_body)
{
  g_autofree int32_t *places = g_new0(int32_t, 3 * (gsize)shape->n_rows);
  g_autofree double *energies = g_new0(double, 4 * (gsize)shape->n_layers);
  g_autoptr(GByteArray) frame = g_byte_array_new();
  CwCacheHead head;
  CwBatchHead batch = { .n_frames = 1, .n_rows = shape->n_rows };
  append_compressed(frame, places, 3 * (size_t)shape->n_rows * sizeof *places,
                    &entry->places_bytes);
  append_compressed(frame, body, n_body, &entry->body_bytes);
  memcpy(&entry->checksum, frame->data + frame->len - 4, 4);
  entry->offset = sizeof batch + cw_batch_rest_bytes(1, shape->n_layers);
  cw_cache_head_fill(&head, (CwCodec)shape->codec, shape->n_layers, shape->width);
  memcpy(batch.magic, CW_BATCH_MAGIC, sizeof batch.magic);
  batch.n_bytes = entry->offset + frame->len;
  g_autoptr(GByteArray) rest = g_byte_array_new();
  g_byte_array_append(rest, (const uint8_t *)entry, sizeof *entry);
  g_byte_array_append(rest, (const uint8_t *)energies,
                      4 * (guint)shape->n_layers * sizeof *energies);
  cw_batch_head_digest(&batch, rest->data, shape->n_layers, batch.sha256);
  g_byte_array_append(file, (const uint8_t *)&head, sizeof head);
  g_byte_array_append(file, (const uint8_t *)&batch, sizeof batch);
  g_byte_array_append(file, rest->data, rest->len);
  g_byte_array_append(file, frame->data, frame->len);
  entry->offset += sizeof head;
}

static void
write_manifest(const Head *shape, const GByteArray *index, uint64_t n_bytes)
{
  const CwCacheOptions options = { .n_layers = shape->n_layers,
                                   .width = shape->width,
                                   .codec = (CwCodec)shape->codec };
  g_auto(CwManifest) manifest = { 0 };
  cw_manifest_init(&manifest, &options);
  CwCacheFile file = { g_strdup(FRAMES),
                       n_bytes,
                       shape->n_rows,
                       1,
                       1,
                       g_compute_checksum_for_data(G_CHECKSUM_SHA256, index->data,
                                                   index->len) };
  g_array_append_val(manifest.files, file);
  g_autofree char *text = cw_manifest_dup_text(&manifest, true);
  fuzz_folder_write(MANIFEST, text, strlen(text));
}

static size_t
body_bytes(const Head *shape)
{
  size_t n_planes = 2 * (size_t)shape->n_layers;
  return n_planes * sizeof(CwPlaneHead) + shape->n_escapes * sizeof(CwEscape) +
         n_planes * shape->n_rows * shape->width * cw_codec_value_bytes((CwCodec)shape->codec);
}

static void
run_body(Head shape, const uint8_t *data, size_t n)
{
  shape.codec %= CW_CODEC_INT4 + 1;
  shape.n_layers = MAX(shape.n_layers % 8, 1);
  shape.width = MAX(shape.width % 32, 1);
  shape.n_rows = MAX(shape.n_rows, 1);
  size_t n_body = body_bytes(&shape);
  g_autofree uint8_t *body = g_malloc0(n_body);
  memcpy(body, data, MIN(n, n_body));
  CwFrameEntry entry = { .n_rows = shape.n_rows, .n_escapes = shape.n_escapes };
  CwIndexHead head = { .n_frames = 1 };
  memcpy(head.magic, CW_INDEX_MAGIC, sizeof head.magic);
  g_autoptr(GByteArray) frames = g_byte_array_new(), index = g_byte_array_new();
  write_frames(&shape, &entry, frames, body, n_body);
  g_byte_array_append(index, (const uint8_t *)&head, sizeof head);
  g_byte_array_append(index, (const uint8_t *)&entry, sizeof entry);
  fuzz_folder_write(INDEX, index->data, index->len);
  fuzz_folder_write(FRAMES, frames->data, frames->len);
  write_manifest(&shape, index, frames->len);
  open_folder();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
  Head head;
  if (n < sizeof head)
    return 0;
  memcpy(&head, data, sizeof head);
  if (head.kind % 2 == WHOLE)
    run_files(&head, data + sizeof head, n - sizeof head);
  else
    run_body(head, data + sizeof head, n - sizeof head);
  return 0;
}

/* ---- seeds ------------------------------------------------------------------------------ */

/* A small cache with outliers, of two batches. */
static void
add_cache(GPtrArray *seeds, CwCodec codec)
{
  enum { L = 2, D = 3, N = SEED_ROWS };
  const CwCacheOptions options = {
    .n_layers = L, .width = D, .codec = codec, .model_name = "m", .held_out_fraction = 0.4
  };
  float in[L * N * D], out[L * N * D];
  int32_t places[N];
  for (int i = 0; i < L * N * D; i++) {
    in[i] = (float)(i * 7 % 11 - 5);
    out[i] = i % 13 == 5 ? 1e6f : 0.1f * (float)(i % 5);
  }
  for (int i = 0; i < N; i++)
    places[i] = i;
  g_autoptr(GError) error = NULL;
  fuzz_folder_empty();
  CwCacheWriter *writer = cw_cache_writer_begin(fuzz_folder_peek(), &options, false, &error);
  g_assert_no_error(error);
  for (int i = 0; i < 2; i++)
    cw_cache_writer_append(writer, NULL, in, out, places, places, places, N, &error);
  g_assert_no_error(error);
  cw_cache_writer_finish(writer, &error);
  g_assert_no_error(error);
  GByteArray *seed = g_byte_array_new();
  Head head = { .kind = WHOLE };
  g_byte_array_append(seed, (const uint8_t *)&head, sizeof head);
  head.manifest_bytes = (uint16_t)fuzz_file_append(fuzz_folder_peek(), MANIFEST, seed);
  head.index_bytes = (uint16_t)fuzz_file_append(fuzz_folder_peek(), INDEX, seed);
  fuzz_file_append(fuzz_folder_peek(), FRAMES, seed);
  memcpy(seed->data, &head, sizeof head);
  g_ptr_array_add(seeds, seed);
}

static void
add_body(GPtrArray *seeds, CwCodec codec)
{
  const Head head = { .kind = BODY,
                      .codec = (uint8_t)codec,
                      .n_layers = 1,
                      .width = 3,
                      .n_rows = 2,
                      .n_escapes = 2 };
  const CwPlaneHead planes[2] = { { 0.5f, 1 }, { 2, 1 } };
  const CwEscape escapes[2] = { { 4, 1e6f }, { 5, -3 } };
  GByteArray *seed = g_byte_array_new();
  g_byte_array_append(seed, (const uint8_t *)&head, sizeof head);
  g_byte_array_append(seed, (const uint8_t *)planes, sizeof planes);
  g_byte_array_append(seed, (const uint8_t *)escapes, sizeof escapes);
  for (int i = 0; i < 24; i++)
    g_byte_array_append(seed, (const uint8_t[]){ (uint8_t)(i * 37) }, 1);
  g_ptr_array_add(seeds, seed);
}

GPtrArray *
fuzz_make_seeds(void)
{
  GPtrArray *seeds = g_ptr_array_new_with_free_func((GDestroyNotify)g_byte_array_unref);
  for (CwCodec codec = CW_CODEC_NONE; codec <= CW_CODEC_INT4; codec++) {
    add_cache(seeds, codec);
    add_body(seeds, codec);
  }
  return seeds;
}
