/* run-view.h - one run: its head, facts, curves and the end of its log, as they change. */
#pragma once

#include <adwaita.h>

#include "runs/runs-watch.h"

G_BEGIN_DECLS

#define CWU_TYPE_RUN_VIEW (cwu_run_view_get_type())
G_DECLARE_FINAL_TYPE(CwuRunView, cwu_run_view, CWU, RUN_VIEW, AdwBin)

/* Signals: "told" (string): something to be told in passing; "use" (string): path of a
 * transcoder that prompts are to be traced with. */
CwuRunView *cwu_run_view_new(CwuRunsWatch *watch);
/* NULL: none. */
void cwu_run_view_set_folder(CwuRunView *self, const char *folder);
const char *cwu_run_view_peek_folder(CwuRunView *self);
/* Another run whose curves are drawn beside; NULL: none. */
void cwu_run_view_compare(CwuRunView *self, const char *folder);

G_END_DECLS
