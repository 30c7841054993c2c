/* model-name.c - see model-name.h. */
#include "model/model-name.h"

#include <string.h>

/* Letters in a row; shorter runs ("it", the b of 2b) say nothing of a family. */
#define SHORTEST_WORD 3

/* The words of a name's last part, in small letters. */
static char **
dup_words(const char *name)
{
  const char *slash = strrchr(name, '/');
  g_autofree char *words = g_ascii_strdown(slash != NULL ? slash + 1 : name, -1);
  for (char *p = words; *p != '\0'; p++)
    if (!g_ascii_isalpha(*p))
      *p = ' ';
  return g_strsplit(words, " ", -1);
}

bool
cw_model_name_has_word(const char *name)
{
  g_auto(GStrv) words = dup_words(name);
  for (char **word = words; *word != NULL; word++)
    if (strlen(*word) >= SHORTEST_WORD)
      return true;
  return false;
}

bool
cw_model_names_share_word(const char *a, const char *b)
{
  g_auto(GStrv) words = dup_words(a);
  g_auto(GStrv) others = dup_words(b);
  for (char **word = words; *word != NULL; word++)
    if (strlen(*word) >= SHORTEST_WORD && g_strv_contains((const char *const *)others, *word))
      return true;
  return false;
}

/* Cuts what the pattern finds at the end, unless nothing would be left. */
static void
cut_end(char **name, const char *pattern)
{
  g_autoptr(GRegex) regex = g_regex_new(pattern, G_REGEX_CASELESS, 0, NULL);
  g_autofree char *shorter = g_regex_replace_literal(regex, *name, -1, 0, "", 0, NULL);
  if (shorter == NULL || *shorter == '\0')
    return;
  g_free(*name);
  *name = g_steal_pointer(&shorter);
}

char *
cw_model_dup_stem(const char *path)
{
  g_autofree char *base = g_path_get_basename(path);
  char *stem = g_utf8_make_valid(base, -1);
  cut_end(&stem, "\\.gguf$");
  cut_end(&stem, "-\\d{5}-of-\\d{5}$");
  cut_end(&stem,
          "[._-](ud-)?(i?q\\d[a-z0-9_]*|tq\\d[a-z0-9_]*|mxfp4[a-z_]*|b?f16|fp16|fp?32)$");
  return stem;
}

char *
cw_model_dup_name(const char *path, const char *given)
{
  g_autofree char *stem = cw_model_dup_stem(path);
  if (given == NULL || *given == '\0' || cw_model_names_share_word(stem, given))
    return g_steal_pointer(&stem);
  return g_strdup(given);
}
