/* graph-private.h - the inside of a CwGraph, for the files of this folder only. */
#pragma once

#include "cw-graph.h"

/* The text a graph was read from, kept so that saving gives back what nobody changed. */
typedef struct {
  char *text; /* [n_text + 1], UTF-8, NUL-terminated */
  size_t n_text;
  char *metadata_json;
  char **node_ids;     /* [n_nodes]; those of other nodes are in the text */
  uint32_t *link_edge; /* [n_links], in file order: its edge, or UINT32_MAX if dropped */
  size_t n_links;
} CwGraphText;

struct _CwGraph {
  gatomicrefcount ref_count;
  CwGraphParts parts;
  size_t n_edges;
  uint32_t *order; /* [n_nodes] edges go from earlier to later, but for those of a cycle */
  bool has_cycle, has_ranks;
  CwGraphText *text; /* NULL for graphs of our own */

  GMutex lock; /* guards what is made on first use */
  int64_t *outgoing_start;
  uint32_t *outgoing_edge, *outgoing_target;
};

void cw_graph_text_free(CwGraphText *text);
void cw_graph_parts_clear(CwGraphParts *parts);
