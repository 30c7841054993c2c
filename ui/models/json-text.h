/* json-text.h - single values out of a small JSON object, without building a tree. */
#pragma once

#include <glib.h>

/* The string under a key of the outermost object, NULL if there is none. The text may be
 * anything at all, nested to any depth. Transfer full. O(length). */
char *cwu_json_dup_string(const char *json, const char *key);
