/* run-layers.h - what a run says of each layer: in its newest line of metrics, or its report.
 */
#pragma once

#include "runs/run-snapshot.h"

/* Appends CwRunCurve * to curves. Reads a file for an evaluation: not for the main thread. */
void cwu_run_layers_add(GPtrArray *curves, const CwRun *run);
