/* node-facts.h - what is known of the selected node: activation, influence, what of its input
 * is unexplained, what it promotes. */
#pragma once

#include <gtk/gtk.h>

#include "models/document.h"

G_BEGIN_DECLS

#define CWU_TYPE_NODE_FACTS (cwu_node_facts_get_type())
G_DECLARE_FINAL_TYPE(CwuNodeFacts, cwu_node_facts, CWU, NODE_FACTS, GtkGrid)

GtkWidget *cwu_node_facts_new(CwuDocument *document);

/* The tokens of a label that names a feature by what it promotes ("~ water, ice"); NULL for
 * another label. Transfer full. */
char **cwu_promoted_dup(const char *label);

typedef struct {
  double share;  /* of all influence; NaN where the file has pruned some of it away */
  size_t rank;   /* from 1 */
  size_t n;      /* nodes that have a rank */
  double within; /* cumulative share at that rank */
} CwuInfluence;

/* Where a node stands among all by its influence; rank 0: it has none. O(N). */
CwuInfluence cwu_influence_of(const CwGraph *graph, const CwPruned *pruned, size_t node);

/* Share of a node's input that comes from what the transcoder does not explain; NaN: no input.
 * O(edges into it). */
double cwu_error_share(const CwGraph *graph, size_t node);

G_END_DECLS
