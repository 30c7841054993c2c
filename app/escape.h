/* escape.h - text on one line. */
#pragma once

#include <glib.h>

/* Control characters as \n, \t, \r or \xNN; everything else, UTF-8 included, as it is. Quotes
 * are escaped where `with_quotes` puts them around the text. Transfer full. */
char *cwa_escape_dup(const char *text, gboolean with_quotes);
