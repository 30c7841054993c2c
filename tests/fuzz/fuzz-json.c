/* fuzz-json.c - JSON of foreign files: what the scan lets through, json-glib must take. */
#include <string.h>

#include "files/json-scan.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
  g_autoptr(GError) error = NULL;
  size_t n_members = 0;
  bool is_json = cw_json_scan((const char *)data, n, 1 << 20, "f", &n_members, &error);
  if (is_json != (error == NULL))
    g_error("a result and an error at once, or neither");
  if (!is_json)
    return 0;
  g_autoptr(JsonParser) parser = json_parser_new();
  g_autoptr(GError) parse_error = NULL;
  if (!json_parser_load_from_data(parser, (const char *)data, (gssize)n, &parse_error))
    g_error("the scan passed what json-glib refuses: %s", parse_error->message);
  JsonNode *node = cw_json_parse((const char *)data, n, 1 << 20, "f", NULL);
  g_clear_pointer(&node, json_node_unref);
  return 0;
}

GPtrArray *
fuzz_make_seeds(void)
{
  static const char *const texts[] = {
    "{\"n_layers\":3,\"d_in\":1e2,\"x\":[true,false,null,-0.5e-3],\"y\":{\"z\":{}}}",
    "[[],{},\"\\u00e4\\ud83d\\ude00\\\\\\\"\\/\\b\\f\\n\\r\\t\",0,-1,12.50]",
    " { \"a\" : [ 1 , 2 ] , \"b\" : \"\xc3\xa4\" } ",
    "\"text\"",
    "[[[[[[[[[[1]]]]]]]]]]",
  };
  return fuzz_seeds_of_texts(texts, G_N_ELEMENTS(texts));
}
