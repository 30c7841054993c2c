/* yaml-scalars.h - the flat part of a small YAML file. */
#pragma once

#include "cw-base.h"

/* The scalars of the top-level mapping, key -> text (both owned by the table); what a key holds
 * otherwise (lists, mappings) is passed over. Transfer full, NULL on error. */
GHashTable *cw_yaml_load_scalars(const char *path, GError **error);
/* The same of text in memory; `what` names it in errors. */
GHashTable *cw_yaml_parse_scalars(const char *text, size_t n_bytes, const char *what,
                                  GError **error);
