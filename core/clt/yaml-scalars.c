/* yaml-scalars.c - see yaml-scalars.h.
 *
 * A transcoder's config.yaml has a dozen lines. libyaml gives events, which cost nothing to
 * skip; the document tree it could build, and aliases, which let a kilobyte stand for
 * gigabytes, are not used. */
#include "clt/yaml-scalars.h"

#include <string.h>
#include <yaml.h>

#include "files/bounded-read.h"

#define MAX_BYTES  ((size_t)256 << 10)
#define MAX_EVENTS 20000
#define MAX_DEPTH  32

typedef struct {
  const char *path;
  yaml_parser_t parser;
  GHashTable *scalars;
  char *key; /* waiting for its value, at depth 1 */
  int depth;
  int n_documents;
} Reader;

static bool
fail(const Reader *reader, size_t line, const char *problem, GError **error)
{
  g_set_error(error, CW_ERROR, CW_ERROR_FORMAT, "%s: line %zu: %s", reader->path, line + 1,
              problem);
  return false;
}

static bool
take_scalar(Reader *reader, const yaml_event_t *event, GError **error)
{
  const char *text = (const char *)event->data.scalar.value;
  if (reader->depth != 1)
    return true;
  if (strlen(text) != event->data.scalar.length)
    return fail(reader, event->start_mark.line, "a NUL in a value", error);
  if (reader->key == NULL) {
    reader->key = g_strdup(text);
    if (g_hash_table_contains(reader->scalars, text))
      return fail(reader, event->start_mark.line, "a key for the second time", error);
    return true;
  }
  g_hash_table_insert(reader->scalars, g_steal_pointer(&reader->key), g_strdup(text));
  return true;
}

static bool
take_event(Reader *reader, const yaml_event_t *event, GError **error)
{
  size_t line = event->start_mark.line;
  switch (event->type) {
  case YAML_ALIAS_EVENT:
    return fail(reader, line, "aliases are not read; write the value out", error);
  case YAML_SCALAR_EVENT:
    if (reader->depth == 0)
      return fail(reader, line, "a mapping of keys to values was expected", error);
    return take_scalar(reader, event, error);
  case YAML_SEQUENCE_START_EVENT:
  case YAML_MAPPING_START_EVENT:
    if (reader->depth == 0 && event->type == YAML_SEQUENCE_START_EVENT)
      return fail(reader, line, "a mapping of keys to values was expected", error);
    if (reader->depth == 1 && reader->key == NULL)
      return fail(reader, line, "a key that is no text", error);
    if (++reader->depth > MAX_DEPTH)
      return fail(reader, line, "nested too deeply", error);
    return true;
  case YAML_SEQUENCE_END_EVENT:
  case YAML_MAPPING_END_EVENT:
    if (--reader->depth == 1)
      g_clear_pointer(&reader->key, g_free);
    return true;
  case YAML_DOCUMENT_START_EVENT:
    return ++reader->n_documents == 1 || fail(reader, line, "a second document", error);
  default:
    return true;
  }
}

static bool
read_events(Reader *reader, GError **error)
{
  for (int i = 0; i < MAX_EVENTS; i++) {
    yaml_event_t event;
    if (!yaml_parser_parse(&reader->parser, &event))
      return fail(reader, reader->parser.problem_mark.line,
                  reader->parser.problem != NULL ? reader->parser.problem : "no memory", error);
    bool is_end = event.type == YAML_STREAM_END_EVENT;
    bool is_good = take_event(reader, &event, error);
    yaml_event_delete(&event);
    if (is_end || !is_good)
      return is_good;
  }
  return fail(reader, reader->parser.mark.line, "more than a description needs", error);
}

GHashTable *
cw_yaml_parse_scalars(const char *text, size_t n_bytes, const char *what, GError **error)
{
  Reader reader = { .path = what };
  if (!yaml_parser_initialize(&reader.parser)) {
    g_set_error(error, CW_ERROR, CW_ERROR_NO_MEMORY, "%s: no memory for a parser", what);
    return NULL;
  }
  g_autoptr(GHashTable) scalars =
      g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  reader.scalars = scalars;
  yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, n_bytes);
  bool is_read = read_events(&reader, error);
  yaml_parser_delete(&reader.parser);
  g_free(reader.key);
  return is_read ? g_steal_pointer(&scalars) : NULL;
}

GHashTable *
cw_yaml_load_scalars(const char *path, GError **error)
{
  size_t n;
  g_autofree char *text = cw_file_read_bounded(path, MAX_BYTES, &n, error);
  return text != NULL ? cw_yaml_parse_scalars(text, n, path, error) : NULL;
}
