/* fuzz-graph-document.c - the .clew document.
 *
 * Its checksums would hide the contents from a fuzzer, so an input that does not begin like a
 * document is taken as pieces of one: each a byte for the kind, three for the length, and the
 * contents; they are packed into a document whose header and frames are right. */
#include "core/graph/document-builder.h"
#include "fuzz-graph.h"
#include "fuzz.h"
#include "graph/graph-document.h"

#include <string.h>

#define MAX_PIECES 10

static GByteArray *
document_of_pieces(const uint8_t *data, size_t n)
{
  DocumentSection sections[MAX_PIECES];
  size_t n_sections = 0;
  while (n >= 4 && n_sections < MAX_PIECES) {
    size_t length = (size_t)data[1] | (size_t)data[2] << 8 | (size_t)data[3] << 16;
    length = MIN(length, n - 4);
    sections[n_sections++] = (DocumentSection){ data[0] & 15, data + 4, length };
    data += 4 + length;
    n -= 4 + length;
  }
  return document_build(sections, n_sections);
}

static void
read_document(const uint8_t *data, size_t n)
{
  g_autoptr(GError) error = NULL;
  CwLoadReport report = { 0 };
  CwViewState state = { 0 };
  g_autoptr(CwGraph) graph =
      cw_graph_document_read(data, n, "f", &report, &state, NULL, &error);
  if ((graph == NULL) != (error != NULL))
    g_error("a result and an error at once, or neither");
  if (graph == NULL)
    return;
  fuzz_use_graph(graph);
  cw_load_report_clear(&report);
  cw_view_state_clear(&state);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
  if (cw_graph_document_is(data, n)) {
    read_document(data, n);
    return 0;
  }
  g_autoptr(GByteArray) document = document_of_pieces(data, n);
  g_autofree uint8_t *exact = g_memdup2(document->data, document->len);
  read_document(exact, document->len);
  return 0;
}

/* ---- seeds ------------------------------------------------------------------------------- */

static void
append_piece(GByteArray *out, uint8_t kind, const void *data, size_t n)
{
  const uint8_t head[] = { kind, (uint8_t)n, (uint8_t)(n >> 8), (uint8_t)(n >> 16) };
  g_byte_array_append(out, head, sizeof head);
  g_byte_array_append(out, data, (guint)n);
}

/* The nodes of the format, 40 bytes each: a feature, two tokens, a logit. */
static void
append_nodes(GByteArray *out)
{
  static const int32_t heads[4][5] = {
    { 0, 0, 1, 5, 0 }, { 2, -1, 0, 0, 0 }, { 2, -1, 1, 7, 0 }, { 3, 1, 1, 9, 0 }
  };
  static const float numbers[4][5] = {
    { 2.5f, 0, 0, 2.5f, 0.25f }, { 0 }, { 0 }, { 0, 0, 0.75f, 3, 0.5f }
  };
  uint8_t nodes[4 * 40];
  for (size_t i = 0; i < 4; i++) {
    memcpy(nodes + 40 * i, heads[i], 20);
    memcpy(nodes + 40 * i + 20, numbers[i], 20);
  }
  append_piece(out, DOCUMENT_NODES, nodes, sizeof nodes);
}

static GByteArray *
own_graph_seed(void)
{
  static const char meta[] =
      "{\"n_layers\":1,\"prompt\":\"a b\",\"prompt_tokens\":[\"a\",\" b\"],\"token_ids\":[0,7],"
      "\"settings\":\"{}\",\"node_threshold\":0.5}";
  static const uint32_t lengths[] = { 2, 0, 0, 2 }, sources[] = { 1, 2, 0, 2 };
  static const float weights[] = { 1.5f, -0.5f, 2, 0.25f };
  GByteArray *out = g_byte_array_new();
  append_piece(out, DOCUMENT_META, meta, strlen(meta));
  append_nodes(out);
  append_piece(out, DOCUMENT_LABELS, "x\0\0\0y\0", 6);
  append_piece(out, DOCUMENT_ROW_LENGTHS, lengths, sizeof lengths);
  append_piece(out, DOCUMENT_SOURCES, sources, sizeof sources);
  append_piece(out, DOCUMENT_WEIGHTS, weights, sizeof weights);
  append_piece(out, DOCUMENT_VIEW, "{\"pins\":[3]}", 12);
  return out;
}

GPtrArray *
fuzz_make_seeds(void)
{
  static const char text[] = "{\"nodes\":[{\"node_id\":\"0_4_0\",\"layer\":0,\"ctx_idx\":0,"
                             "\"feature\":4,\"feature_type\":\"logit\"}],\"links\":[]}";
  GPtrArray *seeds = g_ptr_array_new_with_free_func((GDestroyNotify)g_byte_array_unref);
  GByteArray *own = own_graph_seed(), *foreign = g_byte_array_new();
  append_piece(foreign, DOCUMENT_META, "{\"edge_threshold\":0.9}", 22);
  append_piece(foreign, DOCUMENT_TEXT, text, strlen(text));
  g_ptr_array_add(seeds, own);
  g_ptr_array_add(seeds, foreign);
  g_ptr_array_add(seeds, document_of_pieces(own->data, own->len));
  g_ptr_array_add(seeds, document_of_pieces(foreign->data, foreign->len));
  return seeds;
}
