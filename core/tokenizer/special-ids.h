/* special-ids.h - which tokens begin and end a text, from a model folder's settings. */
#pragma once

#include "tokenizer/tokenizer-private.h"

/* Fills bos, eos and pad from tokenizer_config.json (by name) and, for what that does not speak
 * of, config.json (by id) beside tokenizer_path. Absent files and members give -1. */
bool cw_special_ids_read(CwTokenizerParts *parts, const char *tokenizer_path, GError **error);
