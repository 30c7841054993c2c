/* frame.c - packs rows of many contexts together and takes them apart again.
 *
 * Codes lie row by row within a layer's plane, so that a batch takes what it wants from where
 * it lies. zstd at level 1: its entropy stage does all the work, matches are hardly found;
 * level 3 is slower and no smaller, negative levels save nothing. A body is decompressed in
 * one pass into a buffer whose size follows from shapes, never from the compressed bytes. */
#include "activations/frame.h"

#include <math.h>
#include <string.h>
#include <zstd.h>

#include "activations/quantise.h"

#define LEVEL 1

const char *
cw_codec_name(CwCodec codec)
{
  static const char *const names[] = { "none", "int8", "int4" };
  return names[codec];
}

bool
cw_codec_from_name(const char *name, CwCodec *codec)
{
  for (CwCodec i = CW_CODEC_NONE; i <= CW_CODEC_INT4; i++)
    if (g_strcmp0(name, cw_codec_name(i)) == 0) {
      *codec = i;
      return true;
    }
  return false;
}

double
cw_codec_default_error(CwCodec codec)
{
  static const double errors[] = { 0, 0.0028, 0.02 };
  return errors[codec];
}

/* ---- packing ---------------------------------------------------------------------------- */

static size_t
body_bytes(CwCodec codec, int64_t n_layers, int64_t width, size_t n_rows, size_t n_escapes)
{
  size_t n_planes = 2 * (size_t)n_layers;
  return n_planes * sizeof(CwPlaneHead) + n_escapes * sizeof(CwEscape) +
         n_planes * n_rows * (size_t)width * cw_codec_value_bytes(codec);
}

/* Codes of all planes, and their heads and escapes. */
static void
encode_planes(const CwFrameSource *source, const int64_t *rows, int64_t n_rows,
              CwPlaneHead *heads, GArray *escapes, uint8_t *codes, double *errors)
{
  size_t row_bytes = (size_t)source->width * cw_codec_value_bytes(source->codec);
  for (int64_t plane = 0; plane < 2 * source->n_layers; plane++) {
    const float *side = plane % 2 == 0 ? source->in : source->out;
    const float *values = side + plane / 2 * source->n * source->width;
    guint n_before = escapes->len;
    double error = 0;
    for (int64_t r = 0; r < n_rows; r++, codes += row_bytes)
      error +=
          cw_quantise_row(source->codec, values + rows[r] * source->width, source->width,
                          source->steps[plane], codes, (uint32_t)(r * source->width), escapes);
    heads[plane] = (CwPlaneHead){ source->steps[plane], escapes->len - n_before };
    errors[plane] = error;
  }
}

static size_t
compress(ZSTD_CCtx *context, uint8_t *to, size_t room, const void *from, size_t n_bytes)
{
  ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, LEVEL);
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 1);
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  return ZSTD_compress2(context, to, room, from, n_bytes);
}

static void
copy_places(const CwFrameSource *source, const int64_t *rows, int64_t n_rows, int32_t *places)
{
  for (int64_t r = 0; r < n_rows; r++) {
    places[r] = source->tokens[rows[r]];
    places[n_rows + r] = source->documents[rows[r]];
    places[2 * n_rows + r] = source->positions[rows[r]];
  }
}

/* The body before compression. Transfer full; NULL if there is no memory. */
static uint8_t *
build_body(const CwFrameSource *source, const int64_t *rows, int64_t n_rows,
           CwPackedFrame *packed, size_t *n_bytes)
{
  size_t n_planes = 2 * (size_t)source->n_layers;
  size_t codes_bytes =
      n_planes * (size_t)(n_rows * source->width) * cw_codec_value_bytes(source->codec);
  g_autoptr(GArray) escapes = g_array_new(FALSE, FALSE, sizeof(CwEscape));
  g_autofree CwPlaneHead *heads = g_new(CwPlaneHead, n_planes);
  g_autofree uint8_t *codes = g_try_malloc(codes_bytes);
  if (codes == NULL)
    return NULL;
  encode_planes(source, rows, n_rows, heads, escapes, codes, packed->errors);
  *n_bytes =
      body_bytes(source->codec, source->n_layers, source->width, (size_t)n_rows, escapes->len);
  uint8_t *body = g_try_malloc(*n_bytes), *to = body;
  if (body == NULL)
    return NULL;
  memcpy(to, heads, n_planes * sizeof *heads);
  to += n_planes * sizeof *heads;
  if (escapes->len > 0)
    memcpy(to, escapes->data, escapes->len * sizeof(CwEscape));
  to += escapes->len * sizeof(CwEscape);
  memcpy(to, codes, codes_bytes);
  packed->entry.n_escapes = escapes->len;
  return body;
}

static bool
compress_parts(CwPackedFrame *packed, const int32_t *places, size_t places_bytes,
               const uint8_t *body, size_t n_body)
{
  size_t places_room = ZSTD_compressBound(places_bytes), room = ZSTD_compressBound(n_body);
  ZSTD_CCtx *context = ZSTD_createCCtx();
  packed->bytes = g_try_malloc(places_room + room);
  bool is_done = context != NULL && packed->bytes != NULL;
  size_t n_places = 0, n = 0;
  if (is_done) {
    n_places = compress(context, packed->bytes, places_room, places, places_bytes);
    is_done = !ZSTD_isError(n_places);
  }
  if (is_done) {
    n = compress(context, packed->bytes + n_places, room, body, n_body);
    is_done = !ZSTD_isError(n) && n <= UINT32_MAX;
  }
  ZSTD_freeCCtx(context);
  if (!is_done)
    return false;
  packed->entry.places_bytes = (uint32_t)n_places;
  packed->entry.body_bytes = (uint32_t)n;
  memcpy(&packed->entry.checksum, packed->bytes + n_places + n - 4, 4);
  uint8_t *fitting = g_try_realloc(packed->bytes, n_places + n);
  packed->bytes = fitting != NULL ? fitting : packed->bytes;
  return true;
}

bool
cw_frame_pack(const CwFrameSource *source, const int64_t *rows, int64_t n_rows,
              CwPackedFrame *packed, GError **error)
{
  *packed = (CwPackedFrame){ .entry.n_rows = (uint32_t)n_rows };
  packed->errors = g_new0(double, 2 * source->n_layers);
  size_t n_body, places_bytes = 3 * (size_t)n_rows * sizeof(int32_t);
  g_autofree int32_t *places = g_try_malloc(places_bytes);
  g_autofree uint8_t *body = build_body(source, rows, n_rows, packed, &n_body);
  if (places != NULL)
    copy_places(source, rows, n_rows, places);
  if (places != NULL && body != NULL &&
      compress_parts(packed, places, places_bytes, body, n_body))
    return true;
  cw_packed_frame_clear(packed);
  cw_error_set_from_status(error, CWK_NO_MEMORY, "packing activations");
  return false;
}

void
cw_packed_frame_clear(CwPackedFrame *packed)
{
  g_clear_pointer(&packed->bytes, g_free);
  g_clear_pointer(&packed->errors, g_free);
}

/* ---- unpacking -------------------------------------------------------------------------- */

bool
cw_frame_entry_is_sane(const CwFrameEntry *entry, CwCodec codec, int64_t n_layers,
                       int64_t width)
{
  uint64_t values = 2 * (uint64_t)n_layers * (uint64_t)width; /* of a row: below 2^33 */
  if (entry->n_rows == 0 || entry->n_rows > CW_FRAME_MAX_BYTES / values ||
      entry->n_escapes > entry->n_rows * values || entry->places_bytes == 0)
    return false;
  return body_bytes(codec, n_layers, width, entry->n_rows, entry->n_escapes) <=
             9 * (uint64_t)CW_FRAME_MAX_BYTES &&
         entry->body_bytes > 0;
}

/* Exactly one frame of zstd that holds exactly n_bytes. */
static const char *
decompress(const void *from, size_t n_from, void *to, size_t n_bytes)
{
  if (ZSTD_findFrameCompressedSize(from, n_from) != n_from)
    return "is no whole frame of zstd";
  if (ZSTD_getFrameContentSize(from, n_from) != n_bytes)
    return "does not have the size that its shape asks for";
  size_t n = ZSTD_decompress(to, n_bytes, from, n_from);
  if (ZSTD_isError(n))
    return ZSTD_getErrorName(n);
  return n == n_bytes ? NULL : "is cut short";
}

static const char *
check_body(const CwFrameEntry *entry, int64_t n_planes, int64_t width, CwOpenFrame *frame)
{
  uint64_t n_escapes = 0, plane_values = (uint64_t)entry->n_rows * (uint64_t)width;
  const CwEscape *escape = (const CwEscape *)(frame->planes + n_planes);
  for (int64_t p = 0; p < n_planes; p++) {
    const CwPlaneHead *plane = &frame->planes[p];
    if (!isfinite(plane->step) || plane->step <= 0)
      return "has a step that is no positive number";
    n_escapes += plane->n_escapes;
    if (n_escapes > entry->n_escapes)
      return "has more escapes than it says";
    frame->escapes[p] = escape;
    for (uint32_t i = 0; i < plane->n_escapes; i++, escape++)
      if (escape->at >= plane_values || (i > 0 && escape->at <= escape[-1].at))
        return "has escapes outside its rows or out of order";
  }
  frame->codes = (const uint8_t *)escape;
  return n_escapes == entry->n_escapes ? NULL : "has fewer escapes than it says";
}

const char *
cw_frame_open_body(const CwFrameEntry *entry, CwCodec codec, int64_t n_layers, int64_t width,
                   const void *body, CwOpenFrame *frame)
{
  size_t n_bytes = body_bytes(codec, n_layers, width, entry->n_rows, entry->n_escapes);
  uint32_t checksum;
  *frame = (CwOpenFrame){ 0 };
  if (entry->body_bytes < sizeof checksum)
    return "is cut short";
  memcpy(&checksum, (const uint8_t *)body + entry->body_bytes - sizeof checksum,
         sizeof checksum);
  if (checksum != entry->checksum)
    return "does not have the checksum that the index says";
  frame->bytes = g_try_malloc(n_bytes);
  if (frame->bytes == NULL)
    return "does not fit into memory";
  const char *fault = decompress(body, entry->body_bytes, frame->bytes, n_bytes);
  if (fault == NULL) {
    frame->planes = (const CwPlaneHead *)frame->bytes;
    frame->escapes = g_new(const CwEscape *, 2 * n_layers);
    fault = check_body(entry, 2 * n_layers, width, frame);
  }
  if (fault != NULL)
    cw_open_frame_clear(frame);
  return fault;
}

const char *
cw_frame_open_places(const CwFrameEntry *entry, const void *bytes, int32_t *places)
{
  return decompress(bytes, entry->places_bytes, places,
                    3 * (size_t)entry->n_rows * sizeof *places);
}

void
cw_open_frame_clear(CwOpenFrame *frame)
{
  g_clear_pointer(&frame->bytes, g_free);
  g_clear_pointer(&frame->escapes, g_free);
}
