/* free-memory.c - what the system can still give.
 *
 * MemAvailable counts what the page cache would give back; a machine without /proc says
 * nothing, and a caller then goes on. */
#include "cw-base.h"

#include <math.h>
#include <string.h>

double
cw_free_memory_bytes(void)
{
  g_autofree char *text = NULL;
  if (!g_file_get_contents("/proc/meminfo", &text, NULL, NULL))
    return INFINITY;
  const char *line = strstr(text, "MemAvailable:");
  return line != NULL ? g_ascii_strtod(line + strlen("MemAvailable:"), NULL) * 1024 : INFINITY;
}
