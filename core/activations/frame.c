/* frame.c - packs rows of many contexts together and takes them apart again.
 *
 * Codes lie row by row within a layer's plane, so that a batch takes what it wants from where
 * it lies. zstd at level 1: its entropy stage does all the work, matches are hardly found;
 * level 3 is slower and no smaller, negative levels save nothing. Blocks end with the planes,
 * for each plane's codes are spread in their own way: 2 % smaller than blocks of 128 KiB. A
 * body is decompressed in one pass into a buffer whose size follows from shapes, never from
 * the compressed bytes.
 *
 * Megabytes pass by for each frame; buffers and zstd's contexts are kept from one frame to the
 * next, since new pages took as long as all the rest. */
#include "activations/frame.h"

#include <math.h>
#include <string.h>
#include <zstd.h>

#include "activations/quantise.h"

#define LEVEL 1
/* Codes are near to noise: what few matches there are lie close by, and a small table finds
 * them faster and loses nothing in size. */
#define WINDOW_LOG 17
#define HASH_LOG   8
#define ALIGNMENT  64

#define LINE_FLOATS 16 /* of the processor's cache */
#define ROWS_AHEAD  2

struct _CwFramePacker {
  ZSTD_CCtx *context;
  CwRoom codes, heads, beyond, places;
  GArray *escapes; /* of CwEscape */
};

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

CwFramePacker *
cw_frame_packer_new(void)
{
  ZSTD_CCtx *context = ZSTD_createCCtx();
  if (context == NULL)
    return NULL;
  ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, LEVEL);
  ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, WINDOW_LOG);
  ZSTD_CCtx_setParameter(context, ZSTD_c_hashLog, HASH_LOG);
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 1);
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  CwFramePacker *packer = g_new0(CwFramePacker, 1);
  packer->context = context;
  packer->escapes = g_array_new(FALSE, FALSE, sizeof(CwEscape));
  return packer;
}

void
cw_frame_packer_free(CwFramePacker *packer)
{
  if (packer == NULL)
    return;
  ZSTD_freeCCtx(packer->context);
  cw_room_clear(&packer->codes);
  cw_room_clear(&packer->heads);
  cw_room_clear(&packer->beyond);
  cw_room_clear(&packer->places);
  g_array_unref(packer->escapes);
  g_free(packer);
}

static size_t
body_bytes(CwCodec codec, int64_t n_layers, int64_t width, size_t n_rows, size_t n_escapes)
{
  size_t n_planes = 2 * (size_t)n_layers;
  return n_planes * sizeof(CwPlaneHead) + n_escapes * sizeof(CwEscape) +
         n_planes * n_rows * (size_t)width * cw_codec_value_bytes(codec);
}

static size_t
plane_bytes(const CwFrameSource *source, int64_t n_rows)
{
  return (size_t)(n_rows * source->width) * cw_codec_value_bytes(source->codec);
}

/* Rows lie anywhere in the batch: fetched while the ones before them are coded. */
static void
prefetch_row(const float *values, int64_t width)
{
  for (int64_t i = 0; i < width; i += LINE_FLOATS)
    __builtin_prefetch(values + i);
}

/* Codes of all planes, and their heads and escapes. */
static void
encode_planes(CwFramePacker *packer, const CwFrameSource *source, const int64_t *rows,
              int64_t n_rows, double *errors)
{
  size_t row_bytes = (size_t)source->width * cw_codec_value_bytes(source->codec);
  uint8_t *codes = packer->codes.memory;
  CwPlaneHead *heads = packer->heads.memory;
  CwRowCoder coder = { .kernels = cwk_code_kernels(),
                       .codec = source->codec,
                       .width = source->width,
                       .beyond = packer->beyond.memory,
                       .escapes = packer->escapes };
  g_array_set_size(packer->escapes, 0);
  for (int64_t plane = 0; plane < 2 * source->n_layers; plane++) {
    const float *side = plane % 2 == 0 ? source->in : source->out;
    const float *values = side + plane / 2 * source->n * source->width;
    guint n_before = packer->escapes->len;
    double error = 0;
    coder.step = source->steps[plane];
    for (int64_t r = 0; r < n_rows; r++, codes += row_bytes) {
      if (r + ROWS_AHEAD < n_rows)
        prefetch_row(values + rows[r + ROWS_AHEAD] * source->width, source->width);
      error += cw_quantise_row(&coder, values + rows[r] * source->width, codes,
                               (uint32_t)(r * source->width));
    }
    heads[plane] = (CwPlaneHead){ coder.step, packer->escapes->len - n_before };
    errors[plane] = error;
  }
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

static bool
feed(ZSTD_CCtx *context, ZSTD_outBuffer *to, const void *from, size_t n_bytes,
     ZSTD_EndDirective how)
{
  ZSTD_inBuffer piece = { from, n_bytes, 0 };
  size_t rest = ZSTD_compressStream2(context, to, &piece, how);
  return !ZSTD_isError(rest) && piece.pos == n_bytes && (how == ZSTD_e_continue || rest == 0);
}

/* Heads, escapes, and plane by plane the codes, as one frame of zstd. */
static bool
compress_body(CwFramePacker *packer, const CwFrameSource *source, size_t n_rows, size_t n_body,
              ZSTD_outBuffer *to)
{
  size_t n_planes = 2 * (size_t)source->n_layers;
  size_t n_plane = plane_bytes(source, (int64_t)n_rows);
  const uint8_t *codes = packer->codes.memory;
  bool is_done = !ZSTD_isError(ZSTD_CCtx_setPledgedSrcSize(packer->context, n_body)) &&
                 feed(packer->context, to, packer->heads.memory, n_planes * sizeof(CwPlaneHead),
                      ZSTD_e_continue) &&
                 feed(packer->context, to, packer->escapes->data,
                      packer->escapes->len * sizeof(CwEscape), ZSTD_e_flush);
  for (size_t p = 0; is_done && p < n_planes; p++)
    is_done = feed(packer->context, to, codes + p * n_plane, n_plane,
                   p + 1 < n_planes ? ZSTD_e_flush : ZSTD_e_end);
  return is_done;
}

/* A flush may begin a block of its own: 3 bytes and what does not shrink. */
static size_t
body_bound(size_t n_planes, size_t n_body)
{
  return ZSTD_compressBound(n_body) + 64 * (n_planes + 1);
}

static bool
compress_parts(CwFramePacker *packer, const CwFrameSource *source, CwPackedFrame *packed,
               size_t n_rows)
{
  size_t places_bytes = 3 * n_rows * sizeof(int32_t);
  size_t n_body =
      body_bytes(source->codec, source->n_layers, source->width, n_rows, packer->escapes->len);
  size_t places_room = ZSTD_compressBound(places_bytes);
  size_t room = places_room + body_bound(2 * (size_t)source->n_layers, n_body);
  uint8_t *bytes = cw_room_get(&packed->room, room);
  ZSTD_CCtx_reset(packer->context, ZSTD_reset_session_only);
  size_t n = bytes != NULL ? ZSTD_compress2(packer->context, bytes, places_room,
                                            packer->places.memory, places_bytes)
                           : 0;
  if (n == 0 || ZSTD_isError(n))
    return false;
  ZSTD_outBuffer to = { bytes, room, n };
  if (!compress_body(packer, source, n_rows, n_body, &to) || to.pos - n > UINT32_MAX)
    return false;
  packed->n_bytes = to.pos;
  packed->entry.places_bytes = (uint32_t)n;
  packed->entry.body_bytes = (uint32_t)(to.pos - n);
  packed->entry.n_escapes = packer->escapes->len;
  memcpy(&packed->entry.checksum, bytes + to.pos - 4, 4);
  return true;
}

bool
cw_frame_pack(CwFramePacker *packer, const CwFrameSource *source, const int64_t *rows,
              int64_t n_rows, CwPackedFrame *packed, GError **error)
{
  size_t n_planes = 2 * (size_t)source->n_layers;
  bool has_room =
      cw_room_get(&packer->codes, n_planes * plane_bytes(source, n_rows)) != NULL &&
      cw_room_get(&packer->heads, n_planes * sizeof(CwPlaneHead)) != NULL &&
      cw_room_get(&packer->beyond, (size_t)source->width * sizeof(uint32_t)) != NULL &&
      cw_room_get(&packer->places, 3 * (size_t)n_rows * sizeof(int32_t)) != NULL;
  if (packed->errors == NULL)
    packed->errors = g_new0(double, n_planes);
  packed->entry = (CwFrameEntry){ .n_rows = (uint32_t)n_rows };
  if (has_room) {
    encode_planes(packer, source, rows, n_rows, packed->errors);
    copy_places(source, rows, n_rows, packer->places.memory);
    has_room = compress_parts(packer, source, packed, (size_t)n_rows);
  }
  if (!has_room)
    cw_error_set_from_status(error, CWK_NO_MEMORY, "packing activations");
  return has_room;
}

void
cw_packed_frame_clear(CwPackedFrame *packed)
{
  cw_room_clear(&packed->room);
  g_clear_pointer(&packed->errors, g_free);
}

/* ---- unpacking -------------------------------------------------------------------------- */

CwFrameReader *
cw_frame_reader_new(void)
{
  ZSTD_DCtx *context = ZSTD_createDCtx();
  if (context == NULL)
    return NULL;
  CwFrameReader *reader = g_new0(CwFrameReader, 1);
  reader->context = context;
  return reader;
}

void
cw_frame_reader_free(CwFrameReader *reader)
{
  if (reader == NULL)
    return;
  ZSTD_freeDCtx(reader->context);
  cw_room_clear(&reader->bytes);
  g_free(reader);
}

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
decompress(CwFrameReader *reader, const void *from, size_t n_from, void *to, size_t n_bytes)
{
  if (ZSTD_findFrameCompressedSize(from, n_from) != n_from)
    return "is no whole frame of zstd";
  if (ZSTD_getFrameContentSize(from, n_from) != n_bytes)
    return "does not have the size that its shape asks for";
  size_t n = ZSTD_decompressDCtx(reader->context, to, n_bytes, from, n_from);
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
cw_frame_open_body(CwFrameReader *reader, const CwFrameEntry *entry, CwCodec codec,
                   int64_t n_layers, int64_t width, const void *body, CwOpenFrame *frame)
{
  size_t n_bytes = body_bytes(codec, n_layers, width, entry->n_rows, entry->n_escapes);
  size_t before_codes = body_bytes(codec, n_layers, width, 0, entry->n_escapes);
  uint32_t checksum;
  if (entry->body_bytes < sizeof checksum)
    return "is cut short";
  memcpy(&checksum, (const uint8_t *)body + entry->body_bytes - sizeof checksum,
         sizeof checksum);
  if (checksum != entry->checksum)
    return "does not have the checksum that the index says";
  uint8_t *bytes = cw_room_get(&frame->room, n_bytes + ALIGNMENT);
  if (bytes == NULL)
    return "does not fit into memory";
  bytes += -before_codes % ALIGNMENT;
  const char *fault = decompress(reader, body, entry->body_bytes, bytes, n_bytes);
  if (fault != NULL)
    return fault;
  frame->planes = (const CwPlaneHead *)bytes;
  if (frame->escapes == NULL)
    frame->escapes = g_new(const CwEscape *, 2 * n_layers);
  return check_body(entry, 2 * n_layers, width, frame);
}

const char *
cw_frame_open_places(CwFrameReader *reader, const CwFrameEntry *entry, const void *bytes,
                     int32_t *places)
{
  return decompress(reader, bytes, entry->places_bytes, places,
                    3 * (size_t)entry->n_rows * sizeof *places);
}

void
cw_open_frame_clear(CwOpenFrame *frame)
{
  cw_room_clear(&frame->room);
  g_clear_pointer(&frame->escapes, g_free);
}
