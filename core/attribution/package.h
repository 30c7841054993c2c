/* package.h - from rows to a graph in circuit-tracer's node order. Private to core/attribution.
 */
#pragma once

#include "attribution/row-store.h"
#include "attribution/targets.h"

typedef struct {
  CwReplacement *replacement; /* its tensors move into the detail */
  CwRowStore *store;          /* its rows are given back as they become edges */
  const CwTargetSet *targets;
  const CwAttributionOptions *options;
  const GPtrArray *names; /* char *, by active index; NULL: no name */
  CwCancel *cancel;
  double largest_rest_error; /* filled by cw_package_graph */
} CwPackage;

/* Nodes: selected features by active index, errors by (layer, position), tokens, logits. Edges
 * of weight exactly 0 are none. */
CwGraph *cw_package_graph(CwPackage *package, GError **error);
/* Takes the tensors that options->keeps_tensors asks for out of the replacement model. */
CwAttributionDetail *cw_package_detail(const CwPackage *package, GError **error);
