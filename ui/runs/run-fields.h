/* run-fields.h - what can be set of a cache, a training, an evaluation. */
#pragma once

#include "runs/run-draft.h"

/* Of the kind, in the order of a form. Elements CwuField, transfer full. */
GArray *cwu_run_fields_new(CwRunKind kind);
