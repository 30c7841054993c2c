/* run-head.h - the head of a run: its name, how it stands, and what can be done with it. */
#pragma once

#include <gtk/gtk.h>

#include "runs/run-snapshot.h"

G_BEGIN_DECLS

#define CWU_TYPE_RUN_HEAD (cwu_run_head_get_type())
G_DECLARE_FINAL_TYPE(CwuRunHead, cwu_run_head, CWU, RUN_HEAD, GtkWidget)

/* Signals: "order" (int: CwuRunsOrder); "use": its transcoder is wanted for prompts;
 * "compare" (string): folder of a run to show beside it, NULL for none. */
CwuRunHead *cwu_run_head_new(void);
void cwu_run_head_set(CwuRunHead *self, const CwRunFacts *facts);
/* Runs that it can be compared with, CwRunFacts *; other: folder of the one that is, or NULL.
 */
void cwu_run_head_set_others(CwuRunHead *self, GPtrArray *others, const char *other);

G_END_DECLS
