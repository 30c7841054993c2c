/* graph-load.c - opens a graph file by what is in it. */
#include <math.h>
#include <string.h>

#include "files/bounded-read.h"
#include "graph/graph-document.h"
#include "graph/graph-json-reader.h"

void
cw_load_report_clear(CwLoadReport *report)
{
  if (report == NULL)
    return;
  g_clear_pointer(&report->messages, g_ptr_array_unref);
  memset(report, 0, sizeof *report);
}

CwGraph *
cw_graph_load(const char *path, CwLoadReport *report, CwViewState *state, CwCancel *cancel,
              GError **error)
{
  size_t n;
  char *text = cw_file_read_bounded(path, CW_GRAPH_JSON_MAX_BYTES, &n, error);
  if (text == NULL)
    return NULL;
  if (cw_graph_document_is(text, n)) {
    CwGraph *graph = cw_graph_document_read(text, n, path, report, state, cancel, error);
    g_free(text);
    return graph;
  }
  return cw_graph_json_read_take(text, n, path, report, state, cancel, error);
}
