/* graph-json-reader.h - what the files that read graph JSON share. */
#pragma once

#include "graph/graph-private.h"
#include "graph/json-pull.h"
#include "graph/node-table.h"

#define CW_GRAPH_JSON_MAX_BYTES     ((size_t)4 << 30)
#define CW_GRAPH_JSON_MAX_LAYERS    65536
#define CW_GRAPH_JSON_MAX_POSITIONS (1 << 20)

/* How a node's layer was written. */
typedef enum {
  CW_LAYER_NUMBER,
  CW_LAYER_EMBEDDING,
  CW_LAYER_LOGIT,
  CW_LAYER_MISSING
} CwLayerForm;

typedef struct {
  CwNode node; /* layer and feature as written, until cw_graph_json_finish_nodes */
  CwLayerForm layer_form;
  bool has_feature, has_position;
} CwReadNode;

typedef struct {
  CwJsonPull pull;
  CwCancel *cancel;
  CwLoadReport report;
  GError **error;

  /* metadata */
  CwJsonSpan metadata, settings, q_params;
  int64_t schema_version, n_layers; /* -1: not given */
  char *prompt;
  GPtrArray *prompt_tokens; /* char * */

  CwReadNode *nodes;
  char **ids, **labels; /* [n_nodes] */
  size_t n_nodes, node_capacity;
  CwNodeTable table;

  uint32_t *link_source, *link_target; /* [n_links] UINT32_MAX: no such node */
  float *link_weight;
  size_t n_links, link_capacity;
} CwGraphReader;

/* Reads a graph from text (n bytes and a NUL), which becomes the graph's own, on failure too.
 */
CwGraph *cw_graph_json_read_take(char *text, size_t n, const char *path, CwLoadReport *report,
                                 CwViewState *state, CwCancel *cancel, GError **error);

/* A message for people; counted messages are left out when count is 0. */
void cw_graph_reader_note(CwGraphReader *reader, size_t count, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
bool cw_graph_reader_fail_memory(CwGraphReader *reader);

/* graph-json-nodes.c */
bool cw_graph_json_read_nodes(CwGraphReader *reader);
/* Settles layers, positions and features once everything is read. */
bool cw_graph_json_finish_nodes(CwGraphReader *reader, CwGraphParts *parts);

/* graph-json-links.c */
bool cw_graph_json_read_links(CwGraphReader *reader);
/* Makes rows of the links. link_edge [n_links]: the edge of each link, UINT32_MAX if none. */
bool cw_graph_json_finish_links(CwGraphReader *reader, CwGraphParts *parts,
                                uint32_t **link_edge);
