/* run-facts.h - a run's folder and a training's checkpoint, as `clew info` describes them. */
#pragma once

#include "facts.h"
#include "run.h"

/* A folder that cannot be understood is an error that names file and cause. */
bool cwa_run_facts_add(CwaFacts *facts, const char *folder, GError **error);
/* All tensors are compared with their checksums unless --no-hash says to believe the file. */
bool cwa_checkpoint_facts_add(CwaFacts *facts, const char *folder, CwaRun *run, GError **error);
