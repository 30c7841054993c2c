/* transcoder.c - see transcoder.h. */
#include "transcoder.h"

#include <stdio.h>

#include "cw-train.h"
#include "places.h"

static void
warn_of_another(const CwaRun *run, const CwTranscoder *transcoder, const CwModel *model)
{
  if (cwa_arguments_flag(run->arguments, "quiet") ||
      !cw_transcoder_is_for_another(transcoder, model))
    return;
  cwa_progress_finish(run->progress);
  fprintf(stderr,
          "%s: says it was made for %s, and this model is %s: its features may mean nothing "
          "here\n",
          cw_transcoder_peek_path(transcoder),
          cw_transcoder_peek_config(transcoder)->model_name, cw_model_peek_config(model)->name);
}

CwTranscoder *
cwa_transcoder_open(const CwaRun *run, const CwModel *model, GError **error)
{
  const char *path = cwa_arguments_text(run->arguments, "transcoder");
  g_autofree char *installed = path == NULL ? cwa_places_find_default_transcoder() : NULL;
  if (path == NULL && installed == NULL) {
    g_set_error_literal(error, CWA_USAGE_ERROR, 0,
                        "--transcoder T is missing, and none is installed");
    return NULL;
  }
  g_autoptr(CwTranscoder) transcoder =
      cw_train_open_transcoder(path != NULL ? path : installed, error);
  if (transcoder == NULL || model == NULL)
    return g_steal_pointer(&transcoder);
  if (cw_transcoder_check_fits(transcoder, model, error)) {
    warn_of_another(run, transcoder, model);
    return g_steal_pointer(&transcoder);
  }
  if (path == NULL)
    g_prefix_error(error, "without --transcoder T the one for SmolLM2-135M is taken: ");
  return NULL;
}
