/* runs-watch.h - the runs of the user, read on a thread of their own twice a second, so that no
 * file keeps the window waiting. What is handed over does not change. Main thread. */
#pragma once

#include "runs/run-snapshot.h"

#include <gio/gio.h>

G_BEGIN_DECLS

#define CWU_TYPE_RUNS_WATCH (cwu_runs_watch_get_type())
G_DECLARE_FINAL_TYPE(CwuRunsWatch, cwu_runs_watch, CWU, RUNS_WATCH, GObject)

/* Signals: "list-changed": runs came, went or are in another state; "details-changed" (string:
 * folder). root and program as for cw_runs_new(). Nothing is read before it is held. */
CwuRunsWatch *cwu_runs_watch_new(const char *root, const char *program);
const char *cwu_runs_watch_peek_root(CwuRunsWatch *self);
/* While somebody looks. Holds are counted. */
void cwu_runs_watch_hold(CwuRunsWatch *self);
void cwu_runs_watch_release(CwuRunsWatch *self);

/* CwRunFacts *, newest first; NULL before they were read for the first time. */
GPtrArray *cwu_runs_watch_peek_list(CwuRunsWatch *self);
/* NULL: is not in the list. */
const CwRunFacts *cwu_runs_watch_find(CwuRunsWatch *self, const char *folder);
/* Asks for details of a run from now on; counted as well. */
void cwu_runs_watch_want(CwuRunsWatch *self, const char *folder);
void cwu_runs_watch_unwant(CwuRunsWatch *self, const char *folder);
/* NULL: not wanted, or not yet read. */
const CwuRunDetails *cwu_runs_watch_peek_details(CwuRunsWatch *self, const char *folder);

typedef enum {
  CWU_RUNS_PAUSE,
  CWU_RUNS_STOP,
  CWU_RUNS_KILL,
  CWU_RUNS_RESUME,
  CWU_RUNS_DELETE, /* to the trash */
  CWU_RUNS_DELETE_FOR_GOOD,
  CWU_RUNS_ADD /* of a run elsewhere */
} CwuRunsOrder;

/* Errors as those of cw_runs_pause() and its like; none such run. */
void cwu_runs_watch_order_async(CwuRunsWatch *self, CwuRunsOrder order, const char *folder,
                                GAsyncReadyCallback callback, gpointer user_data);
gboolean cwu_runs_watch_order_finish(GAsyncResult *result, GError **error);
/* Starts a run; arguments as CwRunRequest has them. */
void cwu_runs_watch_start_async(CwuRunsWatch *self, CwRunKind kind, const char *name,
                                const char *const *arguments, GAsyncReadyCallback callback,
                                gpointer user_data);
/* Its folder, transfer full; NULL with an error. The run is in the list by then. */
char *cwu_runs_watch_start_finish(GAsyncResult *result, GError **error);

G_END_DECLS
