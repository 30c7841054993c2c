/* json-number.h - numbers as JSON text: read exactly, written as short as they can be. */
#pragma once

#include "cw-base.h"

#define CW_JSON_NUMBER_BYTES 32

/* The length of the number at text, 0 if there is none. NaN, Infinity and -Infinity count. */
size_t cw_json_number_span(const char *text);
/* The same, and its value, correctly rounded. The text must go on with a byte that cannot
 * belong to a number. */
size_t cw_json_number_parse(const char *text, double *value);
/* The fewest digits that read back as the same double, laid out as Python does: "0.1", "1.0",
 * "1e-05". Not finite: "null". Returns the length. */
size_t cw_json_number_format(double value, char text[CW_JSON_NUMBER_BYTES]);
