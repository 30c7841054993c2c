/* graph-document.c - the .clew document: a whole graph and the view of it in one file.
 *
 * A header, a table of sections, then each section as one zstd frame with its size and
 * checksum. Arrays are stored as they lie in memory (little-endian), so opening is
 * decompressing and checking. A graph that came from JSON is stored as that text: nothing of it
 * can be lost. Format: data/schemas/clew-document.md. Rejected: JSON throughout (fourteen times
 * the size), SQLite (a document is written whole and at once, which a rename does better). */
#include "graph/graph-document.h"

#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>
#include <zstd.h>

#include "cw-tensor-file.h"
#include "files/atomic-write.h"
#include "files/json-scan.h"
#include "graph/graph-json-reader.h"
#include "graph/graph-private.h"

#define MAGIC          "CLEWDOC\n"
#define VERSION        1
#define MAX_SECTIONS   16
#define HEADER_BYTES   32
#define ENTRY_BYTES    32
#define COMPRESSION    3
#define MAX_META_BYTES (64u << 20)
#define MAX_EXPANSION  4096u /* a section may unpack to so many times its size, and a MiB */
#define NODE_BYTES     40
#define PIECE_BYTES    (1u << 20)

/* Without the view, which is one more. */
#define N_OWN_SECTIONS     6
#define N_FOREIGN_SECTIONS 2

typedef enum {
  SECTION_META = 1,
  SECTION_NODES,
  SECTION_LABELS,
  SECTION_ROW_LENGTHS,
  SECTION_SOURCES,
  SECTION_WEIGHTS,
  SECTION_TEXT,
  SECTION_VIEW
} SectionKind;

static const char *const section_names[] = {
  "", "meta", "nodes", "labels", "row lengths", "sources", "weights", "text", "view",
};

/* FNV-1a over the header and table: a flipped bit there must not go unseen. */
static uint64_t
header_hash(const uint8_t *data, size_t n)
{
  uint64_t hash = 0xcbf29ce484222325u;
  for (size_t i = 0; i < n; i++)
    hash = (hash ^ data[i]) * 0x100000001b3u;
  return hash;
}

static void
put_u32(uint8_t *to, uint32_t value)
{
  value = GUINT32_TO_LE(value);
  memcpy(to, &value, 4);
}

static void
put_u64(uint8_t *to, uint64_t value)
{
  value = GUINT64_TO_LE(value);
  memcpy(to, &value, 8);
}

static uint32_t
get_u32(const uint8_t *from)
{
  uint32_t value;
  memcpy(&value, from, 4);
  return GUINT32_FROM_LE(value);
}

static uint64_t
get_u64(const uint8_t *from)
{
  uint64_t value;
  memcpy(&value, from, 8);
  return GUINT64_FROM_LE(value);
}

/* ---- writing
 * --------------------------------------------------------------------------------- */

/* Sections go to the file as they are packed, PIECE_BYTES at a time; the header is written over
 * its place once their sizes are known. */
typedef struct {
  CwAtomicFile *file;
  uint8_t header[HEADER_BYTES + MAX_SECTIONS * ENTRY_BYTES];
  uint32_t n_sections, n_planned;
  uint64_t n_body;
  ZSTD_CCtx *zstd;
  uint8_t *packed; /* [PIECE_BYTES] */
  CwCancel *cancel;
} Writer;

/* Packs and writes one piece; `last` ends the frame. */
static bool
pack_piece(Writer *writer, SectionKind kind, const void *data, size_t n, bool is_last,
           GError **error)
{
  ZSTD_inBuffer in = { data, n, 0 };
  size_t left;
  do {
    ZSTD_outBuffer out = { writer->packed, PIECE_BYTES, 0 };
    left =
        ZSTD_compressStream2(writer->zstd, &out, &in, is_last ? ZSTD_e_end : ZSTD_e_continue);
    if (ZSTD_isError(left)) {
      g_set_error(error, CW_ERROR, CW_ERROR_IO, "Packing %s: %s", section_names[kind],
                  ZSTD_getErrorName(left));
      return false;
    }
    if (!cw_atomic_file_write(writer->file, writer->packed, out.pos, error))
      return false;
    writer->n_body += out.pos;
  } while (is_last ? left > 0 : in.pos < in.size);
  return true;
}

static bool
add_section(Writer *writer, SectionKind kind, const void *data, size_t n, GError **error)
{
  uint64_t start = writer->n_body;
  size_t at = 0;
  ZSTD_CCtx_reset(writer->zstd, ZSTD_reset_session_only);
  ZSTD_CCtx_setPledgedSrcSize(writer->zstd, n);
  do {
    size_t piece = MIN(PIECE_BYTES, n - at);
    if (cw_cancel_check(writer->cancel, error) ||
        !pack_piece(writer, kind, (const char *)data + at, piece, at + piece == n, error))
      return false;
    at += piece;
  } while (at < n);
  g_assert(writer->n_sections < writer->n_planned);
  uint8_t *entry = writer->header + HEADER_BYTES + writer->n_sections * ENTRY_BYTES;
  put_u32(entry, kind);
  put_u32(entry + 4, 0);
  put_u64(entry + 8, start);
  put_u64(entry + 16, writer->n_body - start);
  put_u64(entry + 24, n);
  writer->n_sections++;
  return true;
}

static void
add_number(JsonBuilder *builder, const char *name, double value)
{
  if (isnan(value))
    return;
  json_builder_set_member_name(builder, name);
  json_builder_add_double_value(builder, value);
}

static void
add_text(JsonBuilder *builder, const char *name, const char *value)
{
  if (value == NULL)
    return;
  json_builder_set_member_name(builder, name);
  json_builder_add_string_value(builder, value);
}

static void
add_prompt(JsonBuilder *builder, const CwGraphParts *parts)
{
  json_builder_set_member_name(builder, "prompt_tokens");
  json_builder_begin_array(builder);
  for (int64_t i = 0; i < parts->n_positions; i++)
    json_builder_add_string_value(builder, parts->prompt_tokens[i]);
  json_builder_end_array(builder);
  if (parts->token_ids == NULL)
    return;
  json_builder_set_member_name(builder, "token_ids");
  json_builder_begin_array(builder);
  for (int64_t i = 0; i < parts->n_positions; i++)
    json_builder_add_int_value(builder, parts->token_ids[i]);
  json_builder_end_array(builder);
}

static char *
meta_json(const CwGraph *graph, const CwViewState *state)
{
  const CwGraphParts *parts = &graph->parts;
  g_autoptr(JsonBuilder) builder = json_builder_new();
  json_builder_begin_object(builder);
  add_text(builder, "generator", "clew " CLEW_VERSION);
  if (graph->text == NULL) {
    json_builder_set_member_name(builder, "n_layers");
    json_builder_add_int_value(builder, parts->n_layers);
    add_text(builder, "prompt", parts->prompt);
    add_prompt(builder, parts);
    add_text(builder, "settings", parts->settings_json);
  }
  if (state != NULL) {
    add_number(builder, "node_threshold", state->node_threshold);
    add_number(builder, "edge_threshold", state->edge_threshold);
  }
  json_builder_end_object(builder);
  g_autoptr(JsonNode) root = json_builder_get_root(builder);
  return json_to_string(root, FALSE);
}

static void
pack_node(const CwNode *node, uint8_t *to)
{
  put_u32(to, (uint32_t)node->kind);
  put_u32(to + 4, (uint32_t)node->layer);
  put_u32(to + 8, (uint32_t)node->position);
  put_u64(to + 12, (uint64_t)node->feature);
  const float numbers[] = { node->activation, node->influence, node->probability, node->value,
                            node->unattributed };
  for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
    uint32_t bits;
    memcpy(&bits, &numbers[i], 4);
    put_u32(to + 20 + 4 * i, bits);
  }
}

static bool
add_nodes(Writer *writer, const CwGraphParts *parts, GError **error)
{
  g_autofree uint8_t *nodes = g_try_malloc(MAX(parts->n_nodes, 1) * NODE_BYTES);
  g_autoptr(GByteArray) labels = g_byte_array_new();
  g_autofree uint32_t *lengths = g_try_new(uint32_t, MAX(parts->n_nodes, 1));
  if (nodes == NULL || lengths == NULL) {
    g_set_error_literal(error, CW_ERROR, CW_ERROR_NO_MEMORY, "No memory to pack the nodes");
    return false;
  }
  for (size_t i = 0; i < parts->n_nodes; i++) {
    const char *label =
        parts->labels != NULL && parts->labels[i] != NULL ? parts->labels[i] : "";
    pack_node(&parts->nodes[i], nodes + i * NODE_BYTES);
    g_byte_array_append(labels, (const guint8 *)label, (guint)strlen(label) + 1);
    lengths[i] = GUINT32_TO_LE((uint32_t)(parts->row_start[i + 1] - parts->row_start[i]));
  }
  return add_section(writer, SECTION_NODES, nodes, parts->n_nodes * NODE_BYTES, error) &&
         add_section(writer, SECTION_LABELS, labels->data, labels->len, error) &&
         add_section(writer, SECTION_ROW_LENGTHS, lengths, parts->n_nodes * 4, error);
}

/* What is written must be readable, so the view is checked as a reader will check it. */
static bool
add_view(Writer *writer, const char *view, GError **error)
{
  g_autoptr(JsonNode) node =
      cw_json_parse(view, strlen(view), MAX_META_BYTES, "The state of the view", error);
  return node != NULL && add_section(writer, SECTION_VIEW, view, strlen(view), error);
}

static bool
has_view(const CwViewState *state)
{
  return state != NULL && state->view_json != NULL;
}

/* As many sections as the writer has planned. */
static bool
add_contents(Writer *writer, CwGraph *graph, const CwViewState *state, GError **error)
{
  g_autofree char *meta = meta_json(graph, state);
  if (!add_section(writer, SECTION_META, meta, strlen(meta), error))
    return false;
  if (has_view(state) && !add_view(writer, state->view_json, error))
    return false;
  if (graph->text != NULL)
    return add_section(writer, SECTION_TEXT, graph->text->text, graph->text->n_text, error);
  return add_nodes(writer, &graph->parts, error) &&
         add_section(writer, SECTION_SOURCES, graph->parts.source, graph->n_edges * 4, error) &&
         add_section(writer, SECTION_WEIGHTS, graph->parts.weight, graph->n_edges * 4, error);
}

/* Header and table, in their place before the sections. */
static bool
write_header(Writer *writer, GError **error)
{
  size_t n = HEADER_BYTES + writer->n_planned * ENTRY_BYTES;
  g_assert(writer->n_sections == writer->n_planned);
  memcpy(writer->header, MAGIC, 8);
  put_u32(writer->header + 8, VERSION);
  put_u32(writer->header + 12, writer->n_sections);
  put_u64(writer->header + 16, n + writer->n_body);
  put_u64(writer->header + 24, header_hash(writer->header, n));
  return cw_atomic_file_rewrite(writer->file, 0, writer->header, n, error);
}

static bool
write_document(Writer *writer, CwGraph *graph, const CwViewState *state, GError **error)
{
  if (writer->zstd == NULL || writer->packed == NULL) {
    g_set_error_literal(error, CW_ERROR, CW_ERROR_NO_MEMORY, "No memory to pack a document");
    return false;
  }
  ZSTD_CCtx_setParameter(writer->zstd, ZSTD_c_compressionLevel, COMPRESSION);
  ZSTD_CCtx_setParameter(writer->zstd, ZSTD_c_checksumFlag, 1);
  writer->n_planned =
      (graph->text != NULL ? N_FOREIGN_SECTIONS : N_OWN_SECTIONS) + has_view(state);
  return cw_atomic_file_write(writer->file, writer->header,
                              HEADER_BYTES + writer->n_planned * ENTRY_BYTES, error) &&
         add_contents(writer, graph, state, error) && write_header(writer, error);
}

bool
cw_graph_save_document(CwGraph *graph, const CwViewState *state, const char *path,
                       CwCancel *cancel, GError **error)
{
  g_autoptr(CwAtomicFile) file = cw_atomic_file_begin(path, error);
  if (file == NULL)
    return false;
  Writer writer = { .file = file,
                    .zstd = ZSTD_createCCtx(),
                    .packed = g_try_malloc(PIECE_BYTES),
                    .cancel = cancel };
  bool is_done = write_document(&writer, graph, state, error);
  ZSTD_freeCCtx(writer.zstd);
  g_free(writer.packed);
  return is_done && cw_atomic_file_commit(g_steal_pointer(&file), error);
}

/* ---- reading
 * ----------------------------------------------------------------------------------- */

typedef struct {
  const char *path;
  const uint8_t *data; /* the file */
  size_t n, body;      /* where the sections begin */
  uint32_t n_sections;
  CwCancel *cancel;
  GError **error;
} Reader;

static bool fail(const Reader *reader, CwErrorCode code, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

static bool
fail(const Reader *reader, CwErrorCode code, const char *format, ...)
{
  va_list args;
  va_start(args, format);
  g_autofree char *what = g_strdup_vprintf(format, args);
  va_end(args);
  g_set_error(reader->error, CW_ERROR, code, "%s: %s", reader->path, what);
  return false;
}

bool
cw_graph_document_is(const void *data, size_t n)
{
  return n >= 8 && memcmp(data, MAGIC, 8) == 0;
}

static bool
read_header(Reader *reader)
{
  if (reader->n < HEADER_BYTES)
    return fail(reader, CW_ERROR_FORMAT, "the document ends in its header (%zu bytes)",
                reader->n);
  uint32_t version = get_u32(reader->data + 8);
  if (version != VERSION)
    return fail(reader, CW_ERROR_UNSUPPORTED,
                "a document of version %u; this Clew reads version %d", version, VERSION);
  reader->n_sections = get_u32(reader->data + 12);
  reader->body = HEADER_BYTES + (size_t)reader->n_sections * ENTRY_BYTES;
  if (reader->n_sections == 0 || reader->n_sections > MAX_SECTIONS || reader->body > reader->n)
    return fail(reader, CW_ERROR_FORMAT, "a table of %u sections in %zu bytes",
                reader->n_sections, reader->n);
  g_autofree uint8_t *header = g_memdup2(reader->data, reader->body);
  put_u64(header + 24, 0);
  if (header_hash(header, reader->body) != get_u64(reader->data + 24))
    return fail(reader, CW_ERROR_FORMAT,
                "the header is damaged (its checksum differs); open a backup");
  if (get_u64(reader->data + 16) != reader->n)
    return fail(reader, CW_ERROR_FORMAT,
                "the file has %zu bytes, its header says %" G_GUINT64_FORMAT
                "; it was cut short or has something behind it",
                reader->n, get_u64(reader->data + 16));
  return true;
}

static const uint8_t *
find_section(const Reader *reader, SectionKind kind)
{
  for (uint32_t i = 0; i < reader->n_sections; i++) {
    const uint8_t *entry = reader->data + HEADER_BYTES + i * ENTRY_BYTES;
    if (get_u32(entry) == (uint32_t)kind)
      return entry;
  }
  return NULL;
}

/* One frame, a piece of its output at a time. */
static bool
unpack_frame(const Reader *reader, const char *name, const uint8_t *packed, size_t n_packed,
             char *data, size_t n)
{
  ZSTD_DCtx *zstd = ZSTD_createDCtx();
  ZSTD_inBuffer in = { packed, n_packed, 0 };
  ZSTD_outBuffer out = { data, 0, 0 };
  size_t left = 1;
  bool is_stuck = false, is_cancelled = false;
  if (zstd == NULL)
    return fail(reader, CW_ERROR_NO_MEMORY, "no memory to unpack %s", name);
  while (left > 0 && !ZSTD_isError(left) && !is_stuck && !is_cancelled) {
    size_t before_in = in.pos, before_out = out.pos;
    out.size = MIN(n, out.pos + PIECE_BYTES);
    left = ZSTD_decompressStream(zstd, &out, &in);
    is_stuck = in.pos == before_in && out.pos == before_out;
    is_cancelled = cw_cancel_check(reader->cancel, reader->error);
  }
  ZSTD_freeDCtx(zstd);
  if (is_cancelled)
    return false;
  if (left == 0 && out.pos == n && in.pos == n_packed)
    return true;
  return fail(reader, CW_ERROR_FORMAT, "section \"%s\" is damaged (%s)", name,
              ZSTD_isError(left) ? ZSTD_getErrorName(left) : "another size");
}

/* Unpacks a section into new memory, a NUL behind it; element: what its size must be a multiple
 * of. */
static void *
unpack(const Reader *reader, SectionKind kind, size_t element, size_t *n)
{
  const char *name = section_names[kind];
  const uint8_t *entry = find_section(reader, kind);
  if (entry == NULL) {
    fail(reader, CW_ERROR_FORMAT, "section \"%s\" is missing", name);
    return NULL;
  }
  uint64_t offset = get_u64(entry + 8), stored = get_u64(entry + 16),
           size = get_u64(entry + 24);
  size_t available = reader->n - reader->body;
  if (offset > available || stored > available - offset) {
    fail(reader, CW_ERROR_FORMAT, "section \"%s\" reaches beyond the end of the file", name);
    return NULL;
  }
  const uint8_t *packed = reader->data + reader->body + offset;
  if (size % element != 0 || size > stored * MAX_EXPANSION + (1u << 20) ||
      ZSTD_getFrameContentSize(packed, stored) != size) {
    fail(reader, CW_ERROR_FORMAT,
         "section \"%s\" claims %" G_GUINT64_FORMAT " bytes, its frame does not", name, size);
    return NULL;
  }
  char *data = g_try_malloc(size + 1);
  if (data == NULL) {
    fail(reader, CW_ERROR_NO_MEMORY, "no memory for %" G_GUINT64_FORMAT " bytes of %s", size,
         name);
    return NULL;
  }
  if (!unpack_frame(reader, name, packed, stored, data, size)) {
    g_free(data);
    return NULL;
  }
  data[size] = 0;
  *n = size / element;
  return data;
}

static const char *
get_string(JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member(object, name);
  return node != NULL && JSON_NODE_HOLDS_VALUE(node) &&
                 json_node_get_value_type(node) == G_TYPE_STRING
             ? json_node_get_string(node)
             : NULL;
}

/* Whether the node is a whole number from 0 to most; json-glib makes 0 of what is none. */
static bool
get_count(JsonNode *node, int64_t most, int64_t *value)
{
  if (node == NULL || !JSON_NODE_HOLDS_VALUE(node) ||
      json_node_get_value_type(node) != G_TYPE_INT64)
    return false;
  *value = json_node_get_int(node);
  return *value >= 0 && *value <= most;
}

/* NaN unless it is a number from 0 to 1. */
static double
get_threshold(JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member(object, name);
  if (node == NULL || !JSON_NODE_HOLDS_VALUE(node) ||
      (json_node_get_value_type(node) != G_TYPE_DOUBLE &&
       json_node_get_value_type(node) != G_TYPE_INT64))
    return NAN;
  double value = json_node_get_double(node);
  return value >= 0 && value <= 1 ? value : NAN;
}

static JsonArray *
get_array(JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member(object, name);
  return node != NULL && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
}

static JsonNode *
read_meta(const Reader *reader)
{
  size_t n;
  g_autofree char *text = unpack(reader, SECTION_META, 1, &n);
  if (text == NULL)
    return NULL;
  return cw_json_parse(text, n, MAX_META_BYTES, reader->path, reader->error);
}

/* The run settings: an object as text inside the metadata, absent or whole. */
static bool
fill_settings(const Reader *reader, JsonObject *meta, CwGraphParts *parts)
{
  const char *settings = get_string(meta, "settings");
  if (settings == NULL)
    return true;
  g_autofree char *what = g_strdup_printf("%s: settings", reader->path);
  g_autoptr(JsonNode) node =
      cw_json_parse(settings, strlen(settings), MAX_META_BYTES, what, reader->error);
  if (node == NULL)
    return false;
  parts->settings_json = g_strdup(settings);
  return true;
}

static bool
fill_prompt_token(const Reader *reader, JsonArray *tokens, JsonArray *ids, guint i,
                  CwGraphParts *parts)
{
  JsonNode *token = json_array_get_element(tokens, i);
  if (!JSON_NODE_HOLDS_VALUE(token) || json_node_get_string(token) == NULL)
    return fail(reader, CW_ERROR_FORMAT, "prompt_tokens[%u] is no text", i);
  parts->prompt_tokens[i] = g_strdup(json_node_get_string(token));
  int64_t id;
  if (ids == NULL)
    return true;
  if (!get_count(json_array_get_element(ids, i), INT32_MAX, &id))
    return fail(reader, CW_ERROR_FORMAT, "token_ids[%u] is no token id", i);
  parts->token_ids[i] = (int32_t)id;
  return true;
}

static bool
fill_prompt(const Reader *reader, JsonObject *meta, CwGraphParts *parts)
{
  JsonArray *tokens = get_array(meta, "prompt_tokens"), *ids = get_array(meta, "token_ids");
  if (tokens == NULL ||
      (ids != NULL && json_array_get_length(ids) != json_array_get_length(tokens)))
    return fail(reader, CW_ERROR_FORMAT, "prompt_tokens and token_ids do not fit together");
  if (!get_count(json_object_get_member(meta, "n_layers"), CW_GRAPH_JSON_MAX_LAYERS,
                 &parts->n_layers))
    return fail(reader, CW_ERROR_FORMAT, "n_layers is no number of layers (0 to %d)",
                CW_GRAPH_JSON_MAX_LAYERS);
  guint n = json_array_get_length(tokens);
  parts->n_positions = n;
  parts->prompt = g_strdup(get_string(meta, "prompt"));
  parts->prompt_tokens = g_new0(char *, n + 1);
  parts->token_ids = ids != NULL ? g_new0(int32_t, n + 1) : NULL;
  for (guint i = 0; i < n; i++)
    if (!fill_prompt_token(reader, tokens, ids, i, parts))
      return false;
  return fill_settings(reader, meta, parts);
}

static void
unpack_node(const uint8_t *from, CwNode *node)
{
  float numbers[5];
  for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
    uint32_t bits = get_u32(from + 20 + 4 * i);
    memcpy(&numbers[i], &bits, 4);
  }
  *node = (CwNode){ .kind = (CwNodeKind)get_u32(from),
                    .layer = (int32_t)get_u32(from + 4),
                    .position = (int32_t)get_u32(from + 8),
                    .feature = (int64_t)get_u64(from + 12),
                    .activation = numbers[0],
                    .influence = numbers[1],
                    .probability = numbers[2],
                    .value = numbers[3],
                    .unattributed = numbers[4] };
}

static bool
fill_nodes(const Reader *reader, CwGraphParts *parts)
{
  size_t n, n_label_bytes, n_rows;
  g_autofree uint8_t *packed = unpack(reader, SECTION_NODES, NODE_BYTES, &n);
  g_autofree char *labels =
      packed != NULL ? unpack(reader, SECTION_LABELS, 1, &n_label_bytes) : NULL;
  g_autofree uint32_t *lengths =
      labels != NULL ? unpack(reader, SECTION_ROW_LENGTHS, 4, &n_rows) : NULL;
  if (lengths == NULL)
    return false;
  if (n_rows != n)
    return fail(reader, CW_ERROR_FORMAT, "%zu nodes, but %zu rows of edges", n, n_rows);
  parts->n_nodes = n;
  parts->nodes = g_try_new(CwNode, MAX(n, 1));
  parts->labels = g_try_new0(char *, MAX(n, 1));
  parts->row_start = g_try_new0(int64_t, n + 1);
  if (parts->nodes == NULL || parts->labels == NULL || parts->row_start == NULL)
    return fail(reader, CW_ERROR_NO_MEMORY, "no memory for %zu nodes", n);
  const char *label = labels, *end = labels + n_label_bytes;
  for (size_t i = 0; i < n; i++) {
    if (label >= end)
      return fail(reader, CW_ERROR_FORMAT, "%zu labels for %zu nodes", i, n);
    unpack_node(packed + i * NODE_BYTES, &parts->nodes[i]);
    if (label[0] != 0)
      parts->labels[i] = g_utf8_make_valid(label, -1);
    label += strlen(label) + 1;
    parts->row_start[i + 1] = parts->row_start[i] + GUINT32_FROM_LE(lengths[i]);
  }
  return true;
}

static CwGraph *
read_own_graph(const Reader *reader, JsonObject *meta)
{
  CwGraphParts parts = { 0 };
  size_t n_sources = 0, n_weights = 0;
  bool is_good = fill_prompt(reader, meta, &parts) && fill_nodes(reader, &parts);
  if (is_good)
    parts.source = unpack(reader, SECTION_SOURCES, 4, &n_sources);
  if (is_good && parts.source != NULL)
    parts.weight = unpack(reader, SECTION_WEIGHTS, 4, &n_weights);
  is_good = is_good && parts.weight != NULL;
  if (is_good &&
      (n_sources != (size_t)parts.row_start[parts.n_nodes] || n_weights != n_sources))
    is_good = fail(reader, CW_ERROR_FORMAT,
                   "rows of %" G_GINT64_FORMAT " edges, %zu sources and %zu weights",
                   parts.row_start[parts.n_nodes], n_sources, n_weights);
  if (is_good) {
    CwGraph *graph = cw_graph_new_take(&parts, reader->cancel, reader->error);
    if (graph == NULL)
      g_prefix_error(reader->error, "%s: ", reader->path);
    return graph;
  }
  cw_graph_parts_clear(&parts);
  return NULL;
}

static CwGraph *
read_foreign_graph(const Reader *reader, CwLoadReport *report, CwViewState *state,
                   CwCancel *cancel)
{
  size_t n;
  char *text = unpack(reader, SECTION_TEXT, 1, &n);
  if (text == NULL)
    return NULL;
  return cw_graph_json_read_take(text, n, reader->path, report, state, cancel, reader->error);
}

/* What the document says of the view stands above what its JSON text says. */
static bool
fill_state(const Reader *reader, JsonObject *meta, bool is_foreign, CwViewState *state)
{
  double node = get_threshold(meta, "node_threshold");
  double edge = get_threshold(meta, "edge_threshold");
  if (!is_foreign)
    *state = (CwViewState){ NAN, NAN, NULL };
  if (!isnan(node))
    state->node_threshold = node;
  if (!isnan(edge))
    state->edge_threshold = edge;
  if (find_section(reader, SECTION_VIEW) == NULL)
    return true;
  size_t n;
  g_autofree char *view = unpack(reader, SECTION_VIEW, 1, &n);
  g_autofree char *what = g_strdup_printf("%s: view", reader->path);
  g_autoptr(JsonNode) root =
      view != NULL ? cw_json_parse(view, n, MAX_META_BYTES, what, reader->error) : NULL;
  if (root == NULL)
    return false;
  g_free(state->view_json);
  state->view_json = g_steal_pointer(&view);
  return true;
}

static CwGraph *
read_graph(const Reader *reader, JsonObject *meta, CwLoadReport *report, CwViewState *state,
           CwCancel *cancel)
{
  bool is_foreign = find_section(reader, SECTION_TEXT) != NULL;
  CwViewState found = { NAN, NAN, NULL };
  CwGraph *graph = is_foreign ? read_foreign_graph(reader, report, &found, cancel)
                              : read_own_graph(reader, meta);
  if (graph == NULL)
    return NULL;
  if (!fill_state(reader, meta, is_foreign, &found)) {
    cw_view_state_clear(&found);
    cw_graph_unref(graph);
    if (is_foreign)
      cw_load_report_clear(report);
    return NULL;
  }
  if (report != NULL && !is_foreign) {
    memset(report, 0, sizeof *report);
    report->n_nodes = cw_graph_get_n_nodes(graph);
    report->n_links = cw_graph_get_n_edges(graph);
    report->messages = g_ptr_array_new_with_free_func(g_free);
  }
  if (state != NULL)
    *state = found;
  else
    cw_view_state_clear(&found);
  return graph;
}

CwGraph *
cw_graph_document_read(const void *data, size_t n, const char *path, CwLoadReport *report,
                       CwViewState *state, CwCancel *cancel, GError **error)
{
  g_autoptr(GError) local = NULL;
  Reader reader = { .path = path, .data = data, .n = n, .cancel = cancel, .error = &local };
  g_autoptr(JsonNode) meta = read_header(&reader) ? read_meta(&reader) : NULL;
  CwGraph *graph = NULL;
  if (meta != NULL)
    graph = read_graph(&reader, json_node_get_object(meta), report, state, cancel);
  if (graph == NULL)
    g_propagate_error(error, g_steal_pointer(&local));
  return graph;
}
