/* transcoder.h - the transcoder of a command: --transcoder. */
#pragma once

#include "cw-transcoder.h"
#include "run.h"

#define CWA_OPTION_ROW_TRANSCODER                                                        \
  {                                                                                      \
    "transcoder", CWA_OPTION_PATH, "T",                                                  \
        "transcoder folder or compact file, a training's folder or a checkpoint of it; " \
        "without it the one for SmolLM2-135M that comes with Clew"                       \
  }

/* The transcoder of --transcoder, or the one that comes with Clew. A model that it has to fit
 * may be NULL; a remark is made if its description names another one. */
CwTranscoder *cwa_transcoder_open(const CwaRun *run, const CwModel *model, GError **error);
