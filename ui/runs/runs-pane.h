/* runs-pane.h - all runs: the list, the one that is chosen, a form for a new one. */
#pragma once

#include <adwaita.h>

#include "runs/run-form.h"
#include "runs/runs-watch.h"

G_BEGIN_DECLS

#define CWU_TYPE_RUNS_PANE (cwu_runs_pane_get_type())
G_DECLARE_FINAL_TYPE(CwuRunsPane, cwu_runs_pane, CWU, RUNS_PANE, AdwBin)

/* Signals: "told" (string): something to be told in passing; "use" (string): path of a
 * transcoder that prompts are to be traced with. Runs are read while it is seen. */
CwuRunsPane *cwu_runs_pane_new(CwuRunsWatch *watch);
/* Opens an empty form, or shows the one that is open. */
void cwu_runs_pane_begin(CwuRunsPane *self, CwRunKind kind);
/* Shows a run of the list. */
void cwu_runs_pane_select(CwuRunsPane *self, const char *folder);
/* The form that is open, or NULL. */
CwuRunForm *cwu_runs_pane_peek_form(CwuRunsPane *self);

G_END_DECLS
