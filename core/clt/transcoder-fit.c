/* transcoder-fit.c - whether a transcoder stands in for the MLPs of a given model.
 *
 * Layers and width decide. Every hook that a description may name exists in every model read
 * here (without a post-norm both output hooks are the same place), so unknown names were
 * already refused on reading. */
#include "clt/transcoder.h"

#include <string.h>

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

/* Letters in a row; shorter runs ("it", the b of 2b) say nothing of a family. */
#define SHORTEST_WORD 3

/* The words of a name's last part, in small letters. */
static char **
dup_words(const char *name)
{
  const char *slash = strrchr(name, '/');
  char *words = g_ascii_strdown(slash != NULL ? slash + 1 : name, -1);
  for (char *p = words; *p != '\0'; p++)
    if (!g_ascii_isalpha(*p))
      *p = ' ';
  char **list = g_strsplit(words, " ", -1);
  g_free(words);
  return list;
}

static bool
has_words(char **words)
{
  for (; *words != NULL; words++)
    if (strlen(*words) >= SHORTEST_WORD)
      return true;
  return false;
}

bool
cw_transcoder_is_for_another(const CwTranscoder *transcoder, const CwModel *model)
{
  const CwModelConfig *config = cw_model_peek_config(model);
  if (!config->is_named)
    return false;
  g_auto(GStrv) wanted = dup_words(transcoder->config.model_name);
  g_auto(GStrv) own = dup_words(config->name);
  if (!has_words(wanted) || !has_words(own))
    return false;
  for (char **word = wanted; *word != NULL; word++)
    if (strlen(*word) >= SHORTEST_WORD && g_strv_contains((const char *const *)own, *word))
      return false;
  return true;
}
