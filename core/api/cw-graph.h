/* cw-graph.h - an attribution graph: nodes and weighted edges, immutable once made.
 *
 * Edges are kept by target (CSR): the edges into node t are source[row_start[t] ..
 * row_start[t + 1]), sources ascending, weight = direct effect of source on target, signed.
 * Node order is circuit-tracer's: features by (layer, position, feature), errors by (layer,
 * position), tokens by position, logits as chosen; a foreign file keeps its own order.
 * Thresholds, masks, labels and the like live outside, so one graph serves many views. */
#pragma once

#include "cw-base.h"

G_BEGIN_DECLS

typedef enum {
  CW_NODE_FEATURE,
  CW_NODE_ERROR,
  CW_NODE_TOKEN,
  CW_NODE_LOGIT,
  CW_NODE_OTHER /* a foreign type: drawn as a circle, its text kept */
} CwNodeKind;

typedef struct {
  CwNodeKind kind;
  int32_t layer;      /* feature, error: 0..L-1; token: -1; logit: L */
  int32_t position;   /* 0..T-1 */
  int64_t feature;    /* index in its layer; token and logit: vocabulary id; error: -1 */
  float activation;   /* NaN where there is none */
  float influence;    /* as a file gives it, see cw_graph_has_ranks; NaN where there is none */
  float probability;  /* logits; else 0 */
  float value;        /* of a target: pre-activation, or the demeaned logit; NaN unknown */
  float unattributed; /* value - sum of its edges: biases, position 0; NaN unknown */
} CwNode;

typedef struct _CwGraph CwGraph;

/* Everything a new graph is made of; arrays and strings are taken over, on failure too. */
typedef struct {
  char *prompt;
  char **prompt_tokens; /* [n_positions], display pieces */
  int32_t *token_ids;   /* [n_positions] or NULL */
  int64_t n_positions, n_layers;
  size_t n_nodes;
  CwNode *nodes;
  char **labels;      /* [n_nodes], entries may be NULL; logits "Output \" Paris\" (p=0.629)" */
  int64_t *row_start; /* [n_nodes + 1] */
  uint32_t *source;   /* [E] */
  float *weight;      /* [E] */
  char *settings_json; /* run settings, model and transcoder identity, as one JSON object */
} CwGraphParts;

/* Checks every index. */
CwGraph *cw_graph_new_take(CwGraphParts *parts, CwCancel *cancel, GError **error);
CwGraph *cw_graph_ref(CwGraph *graph);
void cw_graph_unref(CwGraph *graph);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwGraph, cw_graph_unref)

size_t cw_graph_get_n_nodes(const CwGraph *graph);
size_t cw_graph_get_n_edges(const CwGraph *graph);
int64_t cw_graph_get_n_layers(const CwGraph *graph);
int64_t cw_graph_get_n_positions(const CwGraph *graph);
const CwNode *cw_graph_peek_nodes(const CwGraph *graph);
const int64_t *cw_graph_peek_row_start(const CwGraph *graph);
const uint32_t *cw_graph_peek_source(const CwGraph *graph);
const float *cw_graph_peek_weight(const CwGraph *graph);
const char *cw_graph_peek_prompt(const CwGraph *graph);
/* The same without the special token that begins it: what a person types. */
const char *cw_graph_peek_typed_prompt(const CwGraph *graph);
const char *cw_graph_peek_prompt_token(const CwGraph *graph, int64_t position);
/* The file's or the run's label (clerp); "" if there is none. */
const char *cw_graph_peek_label(const CwGraph *graph, size_t node);
/* The id links use in JSON; made on demand for graphs of our own. Transfer full. */
char *cw_graph_dup_node_id(const CwGraph *graph, size_t node);
/* JSON objects as text, "{}" if absent: how the graph was made; the file's own metadata. */
const char *cw_graph_peek_settings_json(const CwGraph *graph);
const char *cw_graph_peek_metadata_json(const CwGraph *graph);

/* Whether the graph is a whole one of our own, which thresholds may prune and give back; one
 * that came as JSON has been pruned by its maker. */
bool cw_graph_is_whole(const CwGraph *graph);
/* Whether the file's influences are cumulative shares at the node's rank, as circuit-tracer
 * writes them: small = important. Some files hold each node's own share there instead. */
bool cw_graph_has_ranks(const CwGraph *graph);

/* Nodes in an order in which every edge goes from earlier to later; NULL if the graph has a
 * cycle (foreign files). Computed once, kept. [n_nodes] */
const uint32_t *cw_graph_peek_topological_order(const CwGraph *graph);
/* Outgoing edges: edge indices by source, made on first use. [n_nodes + 1], [E] */
void cw_graph_peek_outgoing(CwGraph *graph, const int64_t **start, const uint32_t **edge,
                            const uint32_t **target);

/* ---- influence, pruning, scores (circuit-tracer's definitions) ----------------------------
 */

/* Indirect influence of every node on the logits: w (A^ + A^^2 + ...), A^ = |A| by rows, w the
 * logits' probabilities. One sweep in topological order, O(E); with a cycle a capped iteration,
 * and *has_cycle is set. out: [n_nodes]. Sums in double. */
void cw_influence_compute(const CwGraph *graph, float *out, bool *has_cycle);

typedef struct {
  double node_threshold; /* 0..1: share of influence kept, 0.8 */
  double edge_threshold; /* 0..1: 0.98; 1 keeps every edge that is not zero */
  const uint8_t *pinned; /* [n_nodes] nodes that stay whatever their influence, or NULL */
  /* For a graph that its maker pruned: nodes are ranked by the influence the file gives (one
   * without stays), nothing is dropped for being stranded, and 1 keeps all there is, as the
   * other programs' pages do. */
  bool ranks_as_file;
} CwPruneOptions;

typedef struct {
  size_t n_nodes, n_edges;
  uint8_t *node_mask; /* [n_nodes] */
  uint8_t *edge_mask; /* [E] */
  size_t n_kept_nodes, n_kept_edges;
  float *influence;        /* [n_nodes] of the unpruned graph */
  float *cumulative_share; /* [n_nodes] of influence at the node's rank: small = important */
  bool has_cycle;
} CwPruned;

void cw_pruned_free(CwPruned *pruned);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwPruned, cw_pruned_free)

/* A pruner keeps what does not depend on the thresholds (normalised weights, influence, ranks),
 * so that a slider step only touches what is kept. One thread at a time. */
typedef struct _CwPruner CwPruner;
CwPruner *cw_pruner_new(CwGraph *graph, CwCancel *cancel, GError **error);
void cw_pruner_free(CwPruner *pruner);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwPruner, cw_pruner_free)
CwPruned *cw_pruner_run(CwPruner *pruner, const CwPruneOptions *options, CwCancel *cancel,
                        GError **error);

typedef struct {
  double replacement, completeness;
} CwScores;
/* Of the whole graph, or, with a pruned result, of what is kept (its edges only). */
void cw_scores_compute(const CwGraph *graph, const CwPruned *pruned, CwScores *scores);

/* ---- files ------------------------------------------------------------------------------ */

/* What a reader met. */
typedef struct {
  size_t n_nodes, n_links;
  size_t n_dropped_links;   /* an end that is no node */
  size_t n_duplicate_nodes; /* the same node_id again: kept apart, links go to the first */
  size_t n_duplicate_links; /* summed */
  size_t n_backward_links, n_zero_links, n_missing_fields;
  GPtrArray *messages; /* char *, for people */
} CwLoadReport;
void cw_load_report_clear(CwLoadReport *report);

/* The state of a view of a graph, saved with it: all of it optional. */
typedef struct {
  double node_threshold, edge_threshold; /* NaN: the default */
  char *view_json; /* one JSON object: pins, labels, notes, groups, camera */
} CwViewState;
void cw_view_state_clear(CwViewState *state);

/* Opens graph JSON of circuit-tracer, Neuronpedia or Anthropic, or a .clew document, by
 * contents. report and state may be NULL. */
CwGraph *cw_graph_load(const char *path, CwLoadReport *report, CwViewState *state,
                       CwCancel *cancel, GError **error);
/* circuit-tracer's schema; pruned NULL: everything. A loaded file's unknown keys, key order and
 * number text survive. */
bool cw_graph_save_json(CwGraph *graph, const CwPruned *pruned, const CwViewState *state,
                        const char *path, CwCancel *cancel, GError **error);
/* The .clew document: the whole unpruned graph and the view; atomic. */
bool cw_graph_save_document(CwGraph *graph, const CwViewState *state, const char *path,
                            CwCancel *cancel, GError **error);

G_END_DECLS
