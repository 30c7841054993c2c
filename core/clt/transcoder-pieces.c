/* transcoder-pieces.c - see transcoder-pieces.h.
 *
 * Scales come first in a file, being wider than bytes, so rows are decoded twice: once for
 * their largest magnitude, once for their bytes. That is cheaper than keeping a matrix. */
#include "clt/transcoder-pieces.h"

#include <math.h>
#include <string.h>

#include "clt/block-rows.h"
#include "files/safetensors-writer.h"

bool
cw_row_source_init(CwRowSource *source, const CwTranscoder *transcoder, GError **error)
{
  size_t width = (size_t)transcoder->config.width;
  *source = (CwRowSource){ .transcoder = transcoder };
  source->device = cwk_cpu_new(1);
  source->row = g_try_new(float, width);
  source->bytes = g_try_new(uint8_t, width * sizeof(float));
  if (source->device != NULL && source->row != NULL && source->bytes != NULL)
    return true;
  g_set_error(error, CW_ERROR, CW_ERROR_NO_MEMORY, "%s: no memory to read its rows",
              transcoder->path);
  return false;
}

void
cw_row_source_clear(CwRowSource *source)
{
  cwk_device_free(source->device);
  g_free(source->row);
  g_free(source->bytes);
}

/* One stored row as f32 in source->row. */
static bool
decode_row(CwRowSource *source, const void *data, CwkDtype dtype, float scale, GError **error)
{
  int64_t width = source->transcoder->config.width;
  const CwkDequantiseArgs args = {
    .rows = { .data = data,
              .dtype = dtype,
              .n_rows = 1,
              .n_cols = width,
              .row_bytes = cwk_dtype_row_bytes(dtype, width),
              .scales = &scale },
    .out = source->row,
  };
  CwkStatus status = cwk_dequantise(source->device, &args);
  if (status != CWK_OK)
    cw_error_set_from_status(error, status, "decoding a row");
  return status == CWK_OK;
}

static int64_t
matrix_n_rows(const CwTranscoder *transcoder, CwMatrix matrix, int64_t l)
{
  switch (matrix) {
  case CW_MATRIX_ENCODER:
    return transcoder->config.n_features;
  case CW_MATRIX_DECODER:
    return transcoder->config.n_features * cw_transcoder_n_targets(transcoder, l);
  case CW_MATRIX_SKIP:
  default:
    return transcoder->config.width;
  }
}

static const void *
matrix_row(const CwTranscoder *transcoder, CwMatrix matrix, int64_t l, int64_t i,
           CwkDtype *dtype, float *scale)
{
  const CwTranscoderLayer *layer = &transcoder->layers[l];
  if (matrix == CW_MATRIX_DECODER) {
    int64_t n_targets = cw_transcoder_n_targets(transcoder, l);
    return cw_transcoder_peek_decoder_row(transcoder, l, i / n_targets, l + i % n_targets,
                                          dtype, scale);
  }
  const CwkRows *rows = matrix == CW_MATRIX_ENCODER ? &layer->encoder : &layer->skip.rows;
  *dtype = rows->dtype;
  *scale = rows->scales != NULL ? rows->scales[i] : 1;
  return (const uint8_t *)rows->data + (size_t)i * rows->row_bytes;
}

bool
cw_row_source_read(CwRowSource *source, CwMatrix matrix, int64_t l, int64_t i, GError **error)
{
  CwkDtype dtype;
  float scale;
  const void *data = matrix_row(source->transcoder, matrix, l, i, &dtype, &scale);
  return decode_row(source, data, dtype, scale, error);
}

int64_t
cw_row_source_find_kept(CwRowSource *source, int64_t l, uint8_t *is_kept, GError **error)
{
  int64_t n_rows = matrix_n_rows(source->transcoder, CW_MATRIX_DECODER, l), n_kept = 0;
  for (int64_t i = 0; i < n_rows; i++) {
    if (!cw_row_source_read(source, CW_MATRIX_DECODER, l, i, error))
      return -1;
    is_kept[i] = 0;
    for (int64_t d = 0; d < source->transcoder->config.width && !is_kept[i]; d++)
      is_kept[i] = source->row[d] != 0;
    n_kept += is_kept[i];
  }
  if (n_kept == 0 && n_rows > 0)
    n_kept = is_kept[0] = 1;
  return n_kept;
}

typedef enum { PIECE_VECTOR, PIECE_FLAGS, PIECE_SCALES, PIECE_BYTES, PIECE_ROWS } PieceKind;

/* A tensor to be written and where it comes from. */
typedef struct {
  PieceKind kind;
  const float *vector;
  const uint8_t *is_kept; /* flags to write, or which rows to; NULL: all */
  CwMatrix matrix;
  int64_t layer;
  CwkDtype dtype; /* of scales and bytes */
  CwTensorOut out;
} Piece;

/* ---- compact --------------------------------------------------------------------------- */

/* Pass 1 of 2 over a matrix: scales only; they lie before the bytes in the file. */
static bool
append_scales(CwRowSource *source, const Piece *piece, CwSafetensorsWriter *writer,
              GError **error)
{
  const CwTranscoder *transcoder = source->transcoder;
  CwMatrix matrix = piece->matrix;
  int64_t l = piece->layer, n_rows = matrix_n_rows(transcoder, matrix, l);
  for (int64_t i = 0; i < n_rows; i++) {
    if (piece->is_kept != NULL && !piece->is_kept[i])
      continue;
    if (!cw_row_source_read(source, matrix, l, i, error))
      return false;
    float wanted = cw_block_row_scale(piece->dtype, source->row, transcoder->config.width);
    if (!isfinite(wanted)) {
      g_set_error(error, CW_ERROR, CW_ERROR_FORMAT,
                  "%s: a row of layer %d is not finite; it cannot be written as bytes",
                  transcoder->path, (int)l);
      return false;
    }
    if (!cw_safetensors_writer_append(writer, &wanted, sizeof wanted, error))
      return false;
  }
  return true;
}

static bool
append_bytes(CwRowSource *source, const Piece *piece, CwSafetensorsWriter *writer,
             GError **error)
{
  const CwTranscoder *transcoder = source->transcoder;
  CwMatrix matrix = piece->matrix;
  int64_t l = piece->layer, width = transcoder->config.width;
  int64_t n_rows = matrix_n_rows(transcoder, matrix, l);
  for (int64_t i = 0; i < n_rows; i++) {
    if (piece->is_kept != NULL && !piece->is_kept[i])
      continue;
    if (!cw_row_source_read(source, matrix, l, i, error))
      return false;
    float scale = cw_block_row_scale(piece->dtype, source->row, width);
    cw_block_row_encode(piece->dtype, source->row, width, scale, source->bytes);
    if (!cw_safetensors_writer_append(writer, source->bytes,
                                      cwk_dtype_row_bytes(piece->dtype, width), error))
      return false;
  }
  return true;
}

/* ---- the tensors of a file ------------------------------------------------------------- */

void
cw_plan_init(CwPlan *plan)
{
  plan->pieces = g_array_new(FALSE, TRUE, sizeof(Piece));
  plan->names = g_string_chunk_new(1024);
}

void
cw_plan_clear(CwPlan *plan)
{
  g_array_unref(plan->pieces);
  g_string_chunk_free(plan->names);
}

static Piece *
plan_add(CwPlan *plan, const char *name, const char *dtype, int n_dims, const int64_t *shape)
{
  Piece piece = { 0 };
  piece.out.name = g_string_chunk_insert(plan->names, name);
  piece.out.dtype = dtype;
  piece.out.n_dims = n_dims;
  memcpy(piece.out.shape, shape, (size_t)n_dims * sizeof *shape);
  g_array_append_val(plan->pieces, piece);
  return &g_array_index(plan->pieces, Piece, plan->pieces->len - 1);
}

void
cw_plan_add_vector(CwPlan *plan, const char *name, const float *values, int64_t n)
{
  if (values == NULL)
    return;
  Piece *piece = plan_add(plan, name, "F32", 1, &n);
  piece->kind = PIECE_VECTOR;
  piece->vector = values;
}

static void
plan_matrix(CwPlan *plan, PieceKind kind, const char *name, const char *dtype, CwMatrix matrix,
            int64_t l, const CwTranscoder *transcoder, bool is_deep)
{
  int64_t n_rows = matrix_n_rows(transcoder, matrix, l), width = transcoder->config.width;
  int64_t flat[2] = { n_rows, width };
  int64_t deep[3] = { transcoder->config.n_features, cw_transcoder_n_targets(transcoder, l),
                      width };
  Piece *piece = plan_add(plan, name, dtype, is_deep ? 3 : 2, is_deep ? deep : flat);
  piece->kind = kind;
  piece->matrix = matrix;
  piece->layer = l;
  piece->dtype = CWK_I8;
}

/* The dtype a matrix is written with in a folder. */
static const char *
folder_dtype(const CwTranscoder *transcoder, CwMatrix matrix, int64_t l)
{
  CwkDtype dtype;
  float scale;
  matrix_row(transcoder, matrix, l, 0, &dtype, &scale);
  bool has_scales = dtype == CWK_I8 || cwk_dtype_block_size(dtype) > 1 ||
                    (matrix == CW_MATRIX_DECODER && transcoder->target_scales != NULL);
  if (has_scales || dtype == CWK_F32)
    return "F32";
  return dtype == CWK_BF16 ? "BF16" : "F16";
}

void
cw_plan_add_bytes(CwPlan *plan, const CwTranscoder *transcoder, const char *name,
                  CwMatrix matrix, int64_t l)
{
  g_autofree char *scale_name = g_strdup_printf("%s_scale", name);
  int64_t n_rows = matrix_n_rows(transcoder, matrix, l);
  Piece *scales = plan_add(plan, scale_name, "F32", 1, &n_rows);
  scales->kind = PIECE_SCALES;
  scales->matrix = matrix;
  scales->layer = l;
  scales->dtype = CWK_I8;
  plan_matrix(plan, PIECE_BYTES, name, "I8", matrix, l, transcoder,
              matrix == CW_MATRIX_DECODER);
}

void
cw_plan_add_kept(CwPlan *plan, const CwTranscoder *transcoder, const char *name, int64_t l,
                 const uint8_t *is_kept, int64_t n_kept, CwkDtype dtype)
{
  g_autofree char *scale_name = g_strdup_printf("%s_scale", name);
  g_autofree char *flags_name = g_strdup_printf("%s_kept", name);
  int64_t rows[2] = { n_kept, (int64_t)cwk_dtype_row_bytes(dtype, transcoder->config.width) };
  int64_t flags[2] = { transcoder->config.n_features, cw_transcoder_n_targets(transcoder, l) };
  const PieceKind kinds[] = { PIECE_SCALES, PIECE_BYTES, PIECE_FLAGS };
  guint first = plan->pieces->len;
  plan_add(plan, scale_name, "F32", 1, rows);
  plan_add(plan, name, dtype == CWK_I8 ? "I8" : "U8", 2, rows);
  plan_add(plan, flags_name, "BOOL", 2, flags);
  for (guint k = 0; k < G_N_ELEMENTS(kinds); k++) {
    Piece *piece = &g_array_index(plan->pieces, Piece, first + k);
    piece->kind = kinds[k];
    piece->matrix = CW_MATRIX_DECODER;
    piece->layer = l;
    piece->dtype = dtype;
    piece->is_kept = is_kept;
  }
}

void
cw_plan_add_rows(CwPlan *plan, const CwTranscoder *transcoder, const char *name,
                 CwMatrix matrix, int64_t l)
{
  bool is_deep =
      matrix == CW_MATRIX_DECODER && transcoder->config.kind == CW_TRANSCODER_CROSS_LAYER;
  plan_matrix(plan, PIECE_ROWS, name, folder_dtype(transcoder, matrix, l), matrix, l,
              transcoder, is_deep);
}

/* Rows as stored, or decoded to f32. */
static bool
append_rows(CwRowSource *source, const Piece *piece, CwSafetensorsWriter *writer,
            GError **error)
{
  const CwTranscoder *transcoder = source->transcoder;
  int64_t n_rows = matrix_n_rows(transcoder, piece->matrix, piece->layer);
  int64_t width = transcoder->config.width;
  bool is_f32 = strcmp(piece->out.dtype, "F32") == 0;
  for (int64_t i = 0; i < n_rows; i++) {
    CwkDtype dtype;
    float scale;
    const void *data = matrix_row(transcoder, piece->matrix, piece->layer, i, &dtype, &scale);
    size_t n_bytes = cwk_dtype_row_bytes(dtype, width);
    if (is_f32) {
      if (!decode_row(source, data, dtype, scale, error))
        return false;
      data = source->row;
      n_bytes = (size_t)width * sizeof(float);
    }
    if (!cw_safetensors_writer_append(writer, data, n_bytes, error))
      return false;
  }
  return true;
}

static bool
append_piece(CwRowSource *source, const Piece *piece, CwSafetensorsWriter *writer,
             GError **error)
{
  switch (piece->kind) {
  case PIECE_VECTOR:
    return cw_safetensors_writer_append(writer, piece->vector,
                                        (size_t)piece->out.shape[0] * sizeof(float), error);
  case PIECE_FLAGS:
    return cw_safetensors_writer_append(
        writer, piece->is_kept, (size_t)(piece->out.shape[0] * piece->out.shape[1]), error);
  case PIECE_SCALES:
    return append_scales(source, piece, writer, error);
  case PIECE_BYTES:
    return append_bytes(source, piece, writer, error);
  case PIECE_ROWS:
  default:
    return append_rows(source, piece, writer, error);
  }
}

static size_t
piece_width(const Piece *piece)
{
  bool is_byte = piece->kind == PIECE_BYTES || piece->kind == PIECE_FLAGS;
  return is_byte ? 1 : strcmp(piece->out.dtype, "F32") == 0 ? 4 : 2;
}

/* By falling element size, so that every tensor is aligned. */
static int
compare_pieces(gconstpointer a, gconstpointer b)
{
  return (int)piece_width(b) - (int)piece_width(a);
}

bool
cw_plan_write(CwPlan *plan, CwRowSource *source, const char *path, const char *const *metadata,
              GError **error)
{
  g_array_sort(plan->pieces, compare_pieces); /* a stable sort */
  g_autofree CwTensorOut *tensors = g_new(CwTensorOut, plan->pieces->len);
  for (guint i = 0; i < plan->pieces->len; i++)
    tensors[i] = g_array_index(plan->pieces, Piece, i).out;
  g_autoptr(CwSafetensorsWriter) writer =
      cw_safetensors_writer_begin(path, tensors, plan->pieces->len, metadata, error);
  if (writer == NULL)
    return false;
  for (guint i = 0; i < plan->pieces->len; i++)
    if (!append_piece(source, &g_array_index(plan->pieces, Piece, i), writer, error))
      return false;
  g_array_set_size(plan->pieces, 0);
  return cw_safetensors_writer_finish(g_steal_pointer(&writer), error);
}
