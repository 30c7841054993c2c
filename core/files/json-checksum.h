/* json-checksum.h - a JSON object whose last member is a checksum of all that stands before. */
#pragma once

#include "cw-base.h"

#define CW_JSON_CHECKSUM_KEY "  \"manifest_checksum\": \""

/* json: an object that lacks its end, its last line ending in ",\n". Ends it. */
void cw_json_checksum_append(GString *json);
/* Whether the file is as it was written; else an error that names it and says what to do. */
bool cw_json_checksum_check(const char *path, const char *remedy, GError **error);
