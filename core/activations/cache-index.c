/* cache-index.c - see cache-index.h. */
#include "activations/cache-index.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "cw-tensor-file.h"
#include "files/json-checksum.h"
#include "files/json-scan.h"

#define MAX_MANIFEST_BYTES (64 << 20)
#define MANIFEST_VERSION   2 /* since it ends in a checksum of its own; 1 has none */
#define MAX_FILES          65536

/* ---- heads ------------------------------------------------------------------------------ */

void
cw_cache_digest(const void *const *pieces, const size_t *sizes, size_t n, uint8_t to[32])
{
  g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
  for (size_t i = 0; i < n; i++)
    g_checksum_update(checksum, pieces[i], (gssize)sizes[i]);
  gsize length = 32;
  g_checksum_get_digest(checksum, to, &length);
}

static void
digest_head(const CwCacheHead *head, uint8_t to[32])
{
  const void *piece = head;
  size_t size = offsetof(CwCacheHead, sha256);
  cw_cache_digest(&piece, &size, 1, to);
}

void
cw_cache_head_fill(CwCacheHead *head, CwCodec codec, int64_t n_layers, int64_t width)
{
  *head = (CwCacheHead){ .version = CW_CACHE_VERSION,
                         .codec = codec,
                         .n_layers = (uint32_t)n_layers,
                         .width = (uint32_t)width };
  memcpy(head->magic, CW_CACHE_MAGIC, sizeof head->magic);
  digest_head(head, head->sha256);
}

bool
cw_cache_head_check(const CwCacheHead *head, CwCodec codec, int64_t n_layers, int64_t width,
                    const char *path, GError **error)
{
  CwCacheHead expected;
  cw_cache_head_fill(&expected, codec, n_layers, width);
  if (memcmp(head, &expected, sizeof expected) == 0)
    return true;
  uint8_t digest[32];
  digest_head(head, digest);
  if (memcmp(head->magic, expected.magic, sizeof head->magic) == 0 &&
      memcmp(digest, head->sha256, sizeof digest) == 0 && head->version > CW_CACHE_VERSION)
    g_set_error(error, CW_ERROR, CW_ERROR_UNSUPPORTED,
                "%s: a cache of version %u; this Clew reads version %d", path, head->version,
                CW_CACHE_VERSION);
  else
    g_set_error(error, CW_ERROR, CW_ERROR_FORMAT,
                "%s: its head (bytes 0 to %zu) is damaged or of another cache", path,
                sizeof *head - 1);
  return false;
}

size_t
cw_batch_rest_bytes(uint32_t n_frames, int64_t n_layers)
{
  return n_frames * sizeof(CwFrameEntry) + 4 * (size_t)n_layers * sizeof(double);
}

void
cw_batch_head_digest(const CwBatchHead *head, const void *rest, int64_t n_layers,
                     uint8_t to[32])
{
  const void *pieces[] = { head, rest };
  size_t sizes[] = { offsetof(CwBatchHead, sha256),
                     cw_batch_rest_bytes(head->n_frames, n_layers) };
  cw_cache_digest(pieces, sizes, 2, to);
}

bool
cw_read_at(int fd, const char *path, uint64_t offset, void *to, size_t n_bytes, GError **error)
{
  for (size_t done = 0; done < n_bytes;) {
    ssize_t n = pread(fd, (char *)to + done, n_bytes - done, (off_t)(offset + done));
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0) {
      g_set_error(error, CW_ERROR, n < 0 ? CW_ERROR_IO : CW_ERROR_FORMAT,
                  "%s: cannot read %zu bytes at byte %" G_GUINT64_FORMAT ": %s", path, n_bytes,
                  offset, n < 0 ? g_strerror(errno) : "the file is cut short");
      return false;
    }
    done += (size_t)n;
  }
  return true;
}

/* ---- manifest --------------------------------------------------------------------------- */

static void
clear_file(CwCacheFile *file)
{
  g_free(file->name);
  g_free(file->index_sha256);
}

void
cw_manifest_init(CwManifest *manifest, const CwCacheOptions *options)
{
  double target = options->target_error;
  *manifest = (CwManifest){
    .n_layers = options->n_layers,
    .width = options->width,
    .context_tokens = options->context_tokens,
    .model_name = g_strdup(options->model_name != NULL ? options->model_name : ""),
    .model_hash = g_strdup(options->model_hash != NULL ? options->model_hash : ""),
    .input_hook = g_strdup(options->input_hook != NULL ? options->input_hook : ""),
    .output_hook = g_strdup(options->output_hook != NULL ? options->output_hook : ""),
    .codec = options->codec,
    .target_error = options->codec == CW_CODEC_NONE ? 0
                    : target > 0                    ? target
                                                    : cw_codec_default_error(options->codec),
    .held_out_fraction = options->held_out_fraction,
    .seed = options->seed,
    .settings_json = g_strdup(options->settings_json),
  };
  manifest->files = g_array_new(FALSE, TRUE, sizeof(CwCacheFile));
  g_array_set_clear_func(manifest->files, (GDestroyNotify)clear_file);
  manifest->energies = g_array_new(FALSE, TRUE, sizeof(double));
  g_array_set_size(manifest->energies, (guint)(4 * MAX(options->n_layers, 0)));
}

void
cw_manifest_clear(CwManifest *manifest)
{
  g_free(manifest->model_name);
  g_free(manifest->model_hash);
  g_free(manifest->input_hook);
  g_free(manifest->output_hook);
  g_free(manifest->settings_json);
  g_clear_pointer(&manifest->files, g_array_unref);
  g_clear_pointer(&manifest->energies, g_array_unref);
}

const char *
cw_manifest_find_difference(const CwManifest *a, const CwManifest *b)
{
  if (a->n_layers != b->n_layers || a->width != b->width)
    return "shape";
  bool has_hashes = *a->model_hash != '\0' && *b->model_hash != '\0';
  if (has_hashes ? strcmp(a->model_hash, b->model_hash) != 0
                 : strcmp(a->model_name, b->model_name) != 0)
    return "model";
  if (strcmp(a->input_hook, b->input_hook) != 0)
    return "input_hook";
  if (strcmp(a->output_hook, b->output_hook) != 0)
    return "output_hook";
  if (a->context_tokens != b->context_tokens)
    return "context_tokens";
  if (a->codec != b->codec)
    return "codec";
  if (a->target_error != b->target_error)
    return "target_error";
  return a->held_out_fraction != b->held_out_fraction ? "held_out_fraction" : NULL;
}

/* ---- manifest to JSON ------------------------------------------------------------------- */

static void
add_string(JsonBuilder *builder, const char *name, const char *value)
{
  json_builder_set_member_name(builder, name);
  json_builder_add_string_value(builder, value);
}

static void
add_int(JsonBuilder *builder, const char *name, int64_t value)
{
  json_builder_set_member_name(builder, name);
  json_builder_add_int_value(builder, value);
}

static void
add_double(JsonBuilder *builder, const char *name, double value)
{
  json_builder_set_member_name(builder, name);
  json_builder_add_double_value(builder, value);
}

static void
add_files(JsonBuilder *builder, const CwManifest *manifest)
{
  json_builder_set_member_name(builder, "files");
  json_builder_begin_array(builder);
  for (guint i = 0; i < manifest->files->len; i++) {
    const CwCacheFile *file = &g_array_index(manifest->files, CwCacheFile, i);
    json_builder_begin_object(builder);
    add_string(builder, "name", file->name);
    add_int(builder, "bytes", (int64_t)file->n_bytes);
    add_int(builder, "rows", file->n_rows);
    add_int(builder, "frames", file->n_frames);
    add_int(builder, "batches", file->n_batches);
    add_string(builder, "index_sha256", file->index_sha256);
    json_builder_end_object(builder);
  }
  json_builder_end_array(builder);
}

/* The energies as measured, and what they say: the share that was lost. */
static void
add_errors(JsonBuilder *builder, const CwManifest *manifest)
{
  static const char *const names[] = { "input_energy", "input_error", "output_energy",
                                       "output_error" };
  const double *sums = (const double *)manifest->energies->data;
  json_builder_set_member_name(builder, "layers");
  json_builder_begin_array(builder);
  for (int64_t l = 0; l < manifest->n_layers; l++) {
    json_builder_begin_object(builder);
    for (int k = 0; k < 4; k++)
      add_double(builder, names[k], sums[k * manifest->n_layers + l]);
    for (int side = 0; side < 2; side++) {
      double energy = sums[2 * side * manifest->n_layers + l];
      double error = sums[(2 * side + 1) * manifest->n_layers + l];
      add_double(builder, side == 0 ? "input_relative_error" : "output_relative_error",
                 energy > 0 ? error / energy : 0);
    }
    json_builder_end_object(builder);
  }
  json_builder_end_array(builder);
}

static void
add_settings(JsonBuilder *builder, const CwManifest *manifest)
{
  if (manifest->settings_json == NULL)
    return;
  g_autoptr(JsonNode) settings = json_from_string(manifest->settings_json, NULL);
  if (settings == NULL)
    return;
  json_builder_set_member_name(builder, "settings");
  json_builder_add_value(builder, g_steal_pointer(&settings));
}

char *
cw_manifest_dup_text(const CwManifest *manifest, bool is_finished)
{
  g_autoptr(JsonBuilder) builder = json_builder_new();
  g_autofree char *seed = g_strdup_printf("%" G_GUINT64_FORMAT, manifest->seed);
  json_builder_begin_object(builder);
  add_string(builder, "format", "clew-cache");
  add_int(builder, "version", MANIFEST_VERSION);
  add_string(builder, "model", manifest->model_name);
  add_string(builder, "model_sha256", manifest->model_hash);
  add_string(builder, "input_hook", manifest->input_hook);
  add_string(builder, "output_hook", manifest->output_hook);
  add_int(builder, "context_tokens", manifest->context_tokens);
  add_int(builder, "n_layers", manifest->n_layers);
  add_int(builder, "width", manifest->width);
  add_string(builder, "codec", cw_codec_name(manifest->codec));
  add_string(builder, "dtype", manifest->codec == CW_CODEC_NONE ? "f16" : "i8");
  add_double(builder, "target_error", manifest->target_error);
  add_double(builder, "held_out_fraction", manifest->held_out_fraction);
  add_string(builder, "seed", seed); /* 64 bits, which JSON's numbers cannot hold */
  add_settings(builder, manifest);
  if (is_finished) {
    add_files(builder, manifest);
    add_errors(builder, manifest);
  }
  json_builder_end_object(builder);
  g_autoptr(JsonNode) root = json_builder_get_root(builder);
  g_autofree char *text = json_to_string(root, TRUE);
  /* In place of the brace at the end. */
  g_autoptr(GString) sealed = g_string_new_len(text, (gssize)strlen(text) - 2);
  g_string_append(sealed, ",\n");
  cw_json_checksum_append(sealed);
  return g_string_free(g_steal_pointer(&sealed), FALSE);
}

bool
cw_manifest_write(const CwManifest *manifest, const char *folder, GError **error)
{
  g_autofree char *text = cw_manifest_dup_text(manifest, true);
  g_autofree char *path = g_build_filename(folder, "manifest.json", NULL);
  return cw_file_write_atomic(path, text, strlen(text), error);
}

/* ---- manifest from JSON ----------------------------------------------------------------- */

/* NULL or -1 where the member is missing or of another kind. */
static const char *
get_string(JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member(object, name);
  if (node == NULL || json_node_get_value_type(node) != G_TYPE_STRING)
    return NULL;
  return json_node_get_string(node);
}

static double
get_number(JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member(object, name);
  if (node == NULL || !JSON_NODE_HOLDS_VALUE(node) ||
      json_node_get_value_type(node) == G_TYPE_STRING)
    return -1;
  return json_node_get_double(node);
}

static int64_t
get_int(JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member(object, name);
  if (node == NULL || json_node_get_value_type(node) != G_TYPE_INT64)
    return -1;
  return json_node_get_int(node);
}

static const char *
load_files(CwManifest *manifest, JsonObject *object)
{
  JsonNode *node = json_object_get_member(object, "files");
  if (node == NULL)
    return NULL; /* unfinished */
  if (!JSON_NODE_HOLDS_ARRAY(node))
    return "files";
  JsonArray *array = json_node_get_array(node);
  for (guint i = 0; i < MIN(json_array_get_length(array), MAX_FILES); i++) {
    JsonNode *element = json_array_get_element(array, i);
    if (!JSON_NODE_HOLDS_OBJECT(element))
      return "files";
    JsonObject *entry = json_node_get_object(element);
    CwCacheFile file = { g_strdup(get_string(entry, "name")),
                         (uint64_t)get_int(entry, "bytes"),
                         get_int(entry, "rows"),
                         get_int(entry, "frames"),
                         get_int(entry, "batches"),
                         g_strdup(get_string(entry, "index_sha256")) };
    g_array_append_val(manifest->files, file);
    if (file.name == NULL || strchr(file.name, '/') != NULL || file.name[0] == '.' ||
        !g_str_has_suffix(file.name, ".bin") || file.index_sha256 == NULL ||
        (int64_t)file.n_bytes < 0 || file.n_rows < 1 || file.n_frames < 1 ||
        file.n_frames > file.n_rows || file.n_batches < 1)
      return "files";
  }
  return NULL;
}

static const char *
load_errors(CwManifest *manifest, JsonObject *object)
{
  static const char *const names[] = { "input_energy", "input_error", "output_energy",
                                       "output_error" };
  JsonNode *node = json_object_get_member(object, "layers");
  if (node == NULL)
    return NULL;
  if (!JSON_NODE_HOLDS_ARRAY(node) ||
      json_array_get_length(json_node_get_array(node)) != manifest->n_layers)
    return "layers";
  for (int64_t l = 0; l < manifest->n_layers; l++) {
    JsonNode *element = json_array_get_element(json_node_get_array(node), (guint)l);
    if (!JSON_NODE_HOLDS_OBJECT(element))
      return "layers";
    for (int k = 0; k < 4; k++)
      g_array_index(manifest->energies, double, k * manifest->n_layers + l) =
          get_number(json_node_get_object(element), names[k]);
  }
  return NULL;
}

/* Fills manifest in; returns the name of what is missing or impossible. */
static const char *
load_members(CwManifest *manifest, JsonObject *object)
{
  const char *seed = get_string(object, "seed");
  CwCacheOptions options = { .n_layers = get_int(object, "n_layers"),
                             .width = get_int(object, "width"),
                             .model_name = get_string(object, "model"),
                             .model_hash = get_string(object, "model_sha256"),
                             .input_hook = get_string(object, "input_hook"),
                             .output_hook = get_string(object, "output_hook"),
                             .context_tokens = get_int(object, "context_tokens"),
                             .target_error = get_number(object, "target_error"),
                             .held_out_fraction = get_number(object, "held_out_fraction") };
  bool is_known = cw_codec_from_name(get_string(object, "codec"), &options.codec);
  bool is_shape = options.n_layers > 0 && options.n_layers <= CW_MAX_CACHE_LAYERS &&
                  options.width > 0 && options.width <= CW_MAX_CACHE_WIDTH;
  options.n_layers = is_shape ? options.n_layers : 0;
  options.seed = seed != NULL ? g_ascii_strtoull(seed, NULL, 10) : 0;
  JsonNode *settings = json_object_get_member(object, "settings");
  options.settings_json = settings != NULL ? json_to_string(settings, FALSE) : NULL;
  cw_manifest_init(manifest, &options);
  g_free(options.settings_json);
  if (!is_known)
    return "codec";
  if (!is_shape)
    return "n_layers or width";
  if (options.context_tokens < 0)
    return "context_tokens";
  if (!(options.held_out_fraction >= 0 && options.held_out_fraction < 1))
    return "held_out_fraction";
  if (!(options.target_error >= 0 && options.target_error < 1))
    return "target_error";
  const char *fault = load_files(manifest, object);
  return fault != NULL ? fault : load_errors(manifest, object);
}

bool
cw_manifest_load(CwManifest *manifest, const char *path, GError **error)
{
  *manifest = (CwManifest){ 0 };
  g_autoptr(JsonNode) root = cw_json_load(path, MAX_MANIFEST_BYTES, error);
  if (root == NULL)
    return false;
  JsonObject *object = json_node_get_object(root);
  if (g_strcmp0(get_string(object, "format"), "clew-cache") != 0) {
    g_set_error(error, CW_ERROR, CW_ERROR_FORMAT, "%s: is not that of an activation cache",
                path);
    return false;
  }
  int64_t version = get_int(object, "version");
  if (version < 1 || version > MANIFEST_VERSION) {
    g_set_error(error, CW_ERROR, CW_ERROR_UNSUPPORTED,
                "%s: version %" G_GINT64_FORMAT "; this Clew reads up to version %d", path,
                version, MANIFEST_VERSION);
    return false;
  }
  if (version == MANIFEST_VERSION &&
      !cw_json_checksum_check(path, "make the cache again", error))
    return false;
  const char *fault = load_members(manifest, object);
  if (fault == NULL)
    return true;
  g_set_error(error, CW_ERROR, CW_ERROR_FORMAT, "%s: %s is missing or impossible", path, fault);
  cw_manifest_clear(manifest);
  *manifest = (CwManifest){ 0 };
  return false;
}
