/* run-curves.h - metrics.jsonl as curves, read as it grows. */
#pragma once

#include "cw-runs.h"

typedef struct _CwRunCurves CwRunCurves;

CwRunCurves *cw_run_curves_new(const char *folder);
void cw_run_curves_free(CwRunCurves *curves);

/* Reads what is new, at most 256 KiB, up to the last whole line. A file that was cut, as by a
 * run that is resumed, is read anew. Returns of CwRunChanges those of the curves. */
unsigned cw_run_curves_read(CwRunCurves *curves);
const CwRunCurve *cw_run_curves_peek(const CwRunCurves *curves, size_t *n);
/* The newest line that has `key` at its top level, NULL: none. */
const char *cw_run_curves_peek_line(const CwRunCurves *curves, const char *key);
