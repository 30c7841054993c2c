/* run-facts.h - what is known of a run besides its curves: times, worker, command; and why it
 * failed, with the last lines it wrote. */
#pragma once

#include <gtk/gtk.h>

#include "runs/run-snapshot.h"

G_BEGIN_DECLS

#define CWU_TYPE_RUN_FACTS_VIEW (cwu_run_facts_view_get_type())
G_DECLARE_FINAL_TYPE(CwuRunFactsView, cwu_run_facts_view, CWU, RUN_FACTS_VIEW, GtkWidget)

CwuRunFactsView *cwu_run_facts_view_new(void);
/* details NULL: not read yet. */
void cwu_run_facts_view_set(CwuRunFactsView *self, const CwRunFacts *facts,
                            const CwuRunDetails *details);

G_END_DECLS
