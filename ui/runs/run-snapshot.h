/* run-snapshot.h - what was known of a run at one moment, free of the thread that reads it. */
#pragma once

#include <glib-object.h>

#include "cw-runs.h"

G_BEGIN_DECLS

/* Curves and the end of the log. Never changes once made; counted references, any thread. */
typedef struct {
  char *folder;
  CwRunKind kind;
  /* CwRunCurve *, strings and numbers owned: curves over the run, and what is known of each
   * layer at last: "layer_explained_variance", "layer_l0", "layer_dead", x the layer. */
  GPtrArray *curves;
  char *log; /* its last lines, without metrics */
} CwuRunDetails;

/* A copy with strings of its own. */
CwRunFacts *cwu_run_facts_copy(const CwRunFacts *facts);
void cwu_run_facts_free(CwRunFacts *facts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwRunFacts, cwu_run_facts_free)

CwuRunDetails *cwu_run_details_new(const CwRun *run);
CwuRunDetails *cwu_run_details_ref(CwuRunDetails *details);
void cwu_run_details_unref(CwuRunDetails *details);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwuRunDetails, cwu_run_details_unref)
/* Of an owned curve, for containers. */
void cwu_run_curve_free(gpointer curve);
/* NULL if there is none of the key. */
const CwRunCurve *cwu_run_details_peek_curve(const CwuRunDetails *details, const char *key);

G_END_DECLS
