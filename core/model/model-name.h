/* model-name.h - what a model is called before people.
 *
 * A GGUF file's general.name comes from whatever folder was converted: a converter makes
 * "Smollm2 135M 8k Lc100K Mix1 Ep2" of a training run's. The file itself bears the name under
 * which the model was published, so it is believed wherever the two speak of one family. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* "SmolLM2-135M-Instruct" of ".../SmolLM2-135M-Instruct.Q4_1.gguf": the file's name without its
 * suffix, the number of its part and how it is quantised. Transfer full. */
char *cw_model_dup_stem(const char *path);
/* A file's stem where it shares a word with what the description says, or where that is NULL or
 * empty (`given`); else `given`. Transfer full. */
char *cw_model_dup_name(const char *path, const char *given);
/* Whether a word of three or more letters stands in both names, whatever its case; folders
 * before the last "/" are no part of a name. */
bool cw_model_names_share_word(const char *a, const char *b);
/* Whether a name has such a word at all. */
bool cw_model_name_has_word(const char *name);
