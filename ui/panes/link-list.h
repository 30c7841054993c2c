/* link-list.h - the nodes at the other ends of a node's edges, and other short lists of nodes:
 * a list model sorted by what counts there. Rows exist only while they are seen. */
#pragma once

#include <gio/gio.h>

#include "cw-document.h"

G_BEGIN_DECLS

typedef enum {
  CWU_LINK_SHARE,        /* signed share of a target's input: +5%, coloured by its sign */
  CWU_LINK_UNATTRIBUTED, /* the same, of what comes from no node */
  CWU_LINK_PROBABILITY,  /* of a logit: 39% */
  CWU_LINK_PINNED        /* no value */
} CwuLinkMeaning;

#define CWU_TYPE_LINK_ITEM (cwu_link_item_get_type())
G_DECLARE_FINAL_TYPE(CwuLinkItem, cwu_link_item, CWU, LINK_ITEM, GObject)

struct _CwuLinkItem {
  GObject parent_instance;
  int64_t node; /* of the graph; -1: CWU_LINK_UNATTRIBUTED */
  CwuLinkMeaning meaning;
  double value;  /* share or probability */
  double length; /* of the bar, 0..1 */
};

#define CWU_TYPE_LINK_LIST (cwu_link_list_get_type())
G_DECLARE_FINAL_TYPE(CwuLinkList, cwu_link_list, CWU, LINK_LIST, GObject)

/* What goes into nodes of a graph, summed when it is asked for and then known. */
typedef struct _CwuInputs CwuInputs;
CwuInputs *cwu_inputs_new(CwGraph *graph);
void cwu_inputs_free(CwuInputs *inputs);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwuInputs, cwu_inputs_free)
CwGraph *cwu_inputs_peek_graph(const CwuInputs *inputs);
/* Sum of |weight| of all edges into the node, shown or not. O(edges into it), then O(1). */
double cwu_inputs_get(CwuInputs *inputs, size_t node);

/* Lists of CwuLinkItem, largest first; transfer full. Shares are of the whole file's input, so
 * that they do not change with a threshold; only edges and nodes that are shown are listed.
 * O(edges of the node, and of its targets at their first time). */
CwuLinkList *cwu_link_list_new_sources(CwuInputs *inputs, const CwPruned *pruned, size_t node);
CwuLinkList *cwu_link_list_new_targets(CwuInputs *inputs, const CwPruned *pruned, size_t node);
CwuLinkList *cwu_link_list_new_logits(CwGraph *graph, const CwPruned *pruned);
/* In the order of pinning. */
CwuLinkList *cwu_link_list_new_pins(const CwDocumentState *state);

/* Edges of the node, listed and in all (without those that weigh nothing). */
size_t cwu_link_list_get_n_listed(CwuLinkList *self);
size_t cwu_link_list_get_n_all(CwuLinkList *self);
/* Sum of |share| of the edges listed; of sources at most 1. */
double cwu_link_list_get_listed_share(CwuLinkList *self);

G_END_DECLS
