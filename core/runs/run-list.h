/* run-list.h - the list of runs as its reader and the launcher share it. */
#pragma once

#include "runs/run-private.h"

struct _CwRuns {
  char *root, *program;
  GPtrArray *list; /* CwRun, newest first */
};

/* Opens the run of that name in the root and lists it. */
CwRun *cw_runs_insert(CwRuns *runs, const char *name);
