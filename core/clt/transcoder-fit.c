/* transcoder-fit.c - whether a transcoder stands in for the MLPs of a given model.
 *
 * Layers and width decide. Every hook that a description may name exists in every model read
 * here (without a post-norm both output hooks are the same place), so unknown names were
 * already refused on reading. */
#include "clt/transcoder.h"

#include "model/model-name.h"

bool
cw_transcoder_check_fits(const CwTranscoder *transcoder, const CwModel *model, GError **error)
{
  const CwTranscoderConfig *config = &transcoder->config;
  const CwModelConfig *model_config = cw_model_peek_config(model);
  if (config->n_layers == model_config->n_layers && config->width == model_config->width)
    return true;
  g_set_error(error, CW_ERROR, CW_ERROR_MISMATCH,
              "The transcoder %s has %" G_GINT64_FORMAT " layers of width %" G_GINT64_FORMAT
              "%s%s, the model %s has %" G_GINT64_FORMAT " layers of width %" G_GINT64_FORMAT
              "; choose the transcoder trained for this model",
              transcoder->path, config->n_layers, config->width,
              config->model_name[0] != '\0' ? " for " : "", config->model_name,
              model_config->name, model_config->n_layers, model_config->width);
  return false;
}

bool
cw_transcoder_is_for_another(const CwTranscoder *transcoder, const CwModel *model)
{
  const char *wanted = transcoder->config.model_name;
  const char *given = cw_model_peek_config(model)->given;
  return given != NULL && cw_model_name_has_word(wanted) && cw_model_name_has_word(given) &&
         !cw_model_names_share_word(wanted, given);
}
