/* run-private.h - a run as the folder's reader and its launcher share it. */
#pragma once

#include "runs/run-curves.h"
#include "runs/run-record.h"

struct _CwRun {
  CwRunFacts facts;
  char *folder, *name, *reason, *result;
  char *seen; /* all facts as text, to tell whether they change */
  CwRunPlan plan;
  int64_t plan_stamp; /* of the run.json that was read */
  CwRunPulse pulse;
  char page[CW_RUN_PULSE_BYTES]; /* of worker.json, as it was read */
  size_t n_page;
  CwRunAsked asked;
  CwRunCurves *curves;
  int64_t log_stamp;
};
