/* special-ids.c - see special-ids.h. */
#include "tokenizer/special-ids.h"

#include <string.h>

#include "files/json-scan.h"

#define MAX_CONFIG_BYTES (16 << 20)

typedef struct {
  const char *name_key, *id_key;
  int32_t *id;
  bool must_exist; /* a padding token may be one that is added for training only */
  bool is_settled;
} Wanted;

static JsonNode *
load_beside(const char *tokenizer_path, const char *name, char **path, GError **error)
{
  g_autofree char *folder = g_path_get_dirname(tokenizer_path);
  *path = g_build_filename(folder, name, NULL);
  return g_file_test(*path, G_FILE_TEST_EXISTS) ? cw_json_load(*path, MAX_CONFIG_BYTES, error)
                                                : NULL;
}

static int32_t
find_token(const CwTokenizerParts *parts, const char *text)
{
  CwSpecialMatch match;
  size_t n = strlen(text);
  if (n > 0 && cw_special_tokens_find(parts->specials, text, n, 0, &match) &&
      match.start == 0 && match.end == n)
    return match.id;
  return cw_vocabulary_find(parts->vocabulary, text, n);
}

/* "bos_token": "<s>", {"content": "<s>", ...} or null. */
static bool
read_name(const CwTokenizerParts *parts, JsonObject *config, Wanted *wanted, const char *path,
          GError **error)
{
  JsonNode *node = json_object_get_member(config, wanted->name_key);
  if (node == NULL)
    return true;
  wanted->is_settled = true;
  if (JSON_NODE_HOLDS_OBJECT(node))
    node = json_object_get_member(json_node_get_object(node), "content");
  if (node == NULL || !JSON_NODE_HOLDS_VALUE(node) ||
      json_node_get_value_type(node) != G_TYPE_STRING)
    return true;
  *wanted->id = find_token(parts, json_node_get_string(node));
  if (*wanted->id >= 0 || !wanted->must_exist)
    return true;
  g_set_error(error, CW_ERROR, CW_ERROR_MISMATCH,
              "%s: %s is \"%s\", which is not in the vocabulary of tokenizer.json", path,
              wanted->name_key, json_node_get_string(node));
  return false;
}

/* "eos_token_id": 2, [2, 3] or null. */
static bool
read_id(const CwTokenizerParts *parts, JsonObject *config, Wanted *wanted, const char *path,
        GError **error)
{
  JsonNode *node = json_object_get_member(config, wanted->id_key);
  if (node != NULL && JSON_NODE_HOLDS_ARRAY(node) &&
      json_array_get_length(json_node_get_array(node)) > 0)
    node = json_array_get_element(json_node_get_array(node), 0);
  if (node == NULL || !JSON_NODE_HOLDS_VALUE(node) ||
      json_node_get_value_type(node) != G_TYPE_INT64 || json_node_get_int(node) == -1)
    return true;
  int64_t id = json_node_get_int(node);
  int32_t n = cw_vocabulary_get_n_pieces(parts->vocabulary);
  if (id < 0 || (id >= n && wanted->must_exist)) {
    g_set_error(error, CW_ERROR, CW_ERROR_MISMATCH,
                "%s: %s is %" G_GINT64_FORMAT ", and tokenizer.json has %d tokens", path,
                wanted->id_key, id, n);
    return false;
  }
  *wanted->id = id < n ? (int32_t)id : -1;
  return true;
}

bool
cw_special_ids_read(CwTokenizerParts *parts, const char *tokenizer_path, GError **error)
{
  g_autoptr(GError) failure = NULL;
  g_autofree char *names_path = NULL, *ids_path = NULL;
  Wanted all[] = { { "bos_token", "bos_token_id", &parts->bos, true },
                   { "eos_token", "eos_token_id", &parts->eos, true },
                   { "pad_token", "pad_token_id", &parts->pad, false } };
  g_autoptr(JsonNode) names =
      load_beside(tokenizer_path, "tokenizer_config.json", &names_path, &failure);
  g_autoptr(JsonNode) ids =
      failure == NULL ? load_beside(tokenizer_path, "config.json", &ids_path, &failure) : NULL;
  if (failure != NULL) {
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
  }
  for (size_t i = 0; i < G_N_ELEMENTS(all); i++) {
    *all[i].id = -1;
    if (names != NULL &&
        !read_name(parts, json_node_get_object(names), &all[i], names_path, error))
      return false;
    if (ids != NULL && !all[i].is_settled &&
        !read_id(parts, json_node_get_object(ids), &all[i], ids_path, error))
      return false;
  }
  return true;
}
