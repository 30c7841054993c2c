/* json-scan.h - JSON from outside, checked before a tree is built of it. */
#pragma once

#include <json-glib/json-glib.h>

#include "cw-base.h"

#define CW_JSON_MAX_DEPTH        64
#define CW_JSON_MAX_STRING_BYTES (1 << 20)

/* One strict pass over text: at most max_bytes, depth <= CW_JSON_MAX_DEPTH, valid UTF-8, no NUL
 * (escaped or not), finite numbers, nothing after the value. *n_members (may be NULL) counts
 * the members of all objects. `what` names the text in errors: a path. O(n), no allocation. */
bool cw_json_scan(const char *text, size_t n_bytes, size_t max_bytes, const char *what,
                  size_t *n_members, GError **error);

/* Scans, then parses. The root is an object and no object has a key twice. Transfer full. */
JsonNode *cw_json_parse(const char *text, size_t n_bytes, size_t max_bytes, const char *what,
                        GError **error);

/* The same of a file. */
JsonNode *cw_json_load(const char *path, size_t max_bytes, GError **error);
