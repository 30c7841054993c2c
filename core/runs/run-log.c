/* run-log.c - see run-log.h. */
#include "runs/run-log.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TAIL_BYTES ((off_t)64 << 10)

/* The last bytes from a line's beginning on; NULL where there are none. */
static char *
read_tail(const char *path)
{
  struct stat info;
  int fd = g_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
  if (fd < 0)
    return NULL;
  bool is_file = fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
  off_t from = is_file ? MAX(info.st_size - TAIL_BYTES, 0) : 0;
  g_autofree char *text = g_malloc((size_t)TAIL_BYTES + 1);
  ssize_t n = is_file ? pread(fd, text, (size_t)TAIL_BYTES, from) : -1;
  close(fd);
  if (n <= 0)
    return NULL;
  text[n] = '\0';
  const char *newline = from > 0 ? memchr(text, '\n', (size_t)n) : NULL;
  const char *start = newline != NULL ? newline + 1 : text;
  return g_utf8_make_valid(start, (gssize)(text + n - start));
}

/* Behind "\033[" and its numbers comes the letter that ends an escape. */
static const char *
skip_escape(const char *p)
{
  if (p[1] != '[')
    return p + 1;
  for (p += 2; *p != '\0' && *p != '\n' && !g_ascii_isalpha(*p); p++)
    ;
  return g_ascii_isalpha(*p) ? p + 1 : p;
}

static char *
as_shown(const char *text)
{
  GString *shown = g_string_sized_new(strlen(text));
  gsize line = 0;
  for (const char *p = text; *p != '\0';) {
    if (*p == '\033') {
      p = skip_escape(p);
      continue;
    }
    if (*p == '\r' && p[1] != '\n')
      g_string_truncate(shown, line);
    else if (*p == '\n' || *p == '\t' || !g_ascii_iscntrl(*p))
      g_string_append_c(shown, *p);
    if (*p == '\n')
      line = shown->len;
    p++;
  }
  return g_string_free(shown, FALSE);
}

char *
cw_run_log_dup_tail(const char *path, size_t n_lines)
{
  g_autofree char *text = read_tail(path);
  if (text == NULL || n_lines == 0)
    return g_strdup("");
  g_autofree char *shown = g_strchomp(as_shown(text));
  char *start = shown + strlen(shown);
  for (size_t n = 0; start > shown; start--)
    if (start[-1] == '\n' && ++n == n_lines)
      break;
  return g_strdup(start);
}
