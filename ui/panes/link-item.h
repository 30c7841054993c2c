/* link-item.h - one row of a list of nodes: a node and how much it counts there. */
#pragma once

#include <gio/gio.h>

#include "cw-graph.h"

G_BEGIN_DECLS

#define CWU_TYPE_LINK_ITEM (cwu_link_item_get_type())
G_DECLARE_FINAL_TYPE(CwuLinkItem, cwu_link_item, CWU, LINK_ITEM, GObject)

typedef enum {
  CWU_LINK_SHARE,      /* signed share of a target's input: +5%, coloured by its sign */
  CWU_LINK_PROBABILITY /* of a logit: 39% */
} CwuLinkMeaning;

struct _CwuLinkItem {
  GObject parent_instance;
  int64_t node; /* of the graph */
  CwNodeKind kind;
  CwuLinkMeaning meaning;
  double value;  /* share or probability */
  double length; /* of the bar, 0..1 */
  char *name, *place;
};

/* Lists of CwuLinkItem, largest first; transfer full. Shares are of the whole file's input. */
GListModel *cwu_link_list_new_sources(CwGraph *graph, const CwPruned *pruned, int64_t node);
GListModel *cwu_link_list_new_targets(CwGraph *graph, const CwPruned *pruned, int64_t node);
GListModel *cwu_link_list_new_logits(CwGraph *graph, const CwPruned *pruned);

G_END_DECLS
