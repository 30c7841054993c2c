/* cache-join.c - one cache of several, without writing their frames again.
 *
 * Files of frames do not name the cache they belong to, so joining is linking them under new
 * numbers and writing one manifest over all. Parts stay as they are. */
#include <errno.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "activations/cache-index.h"

/* A second name for the file, or a copy on file systems that have no such thing. */
static bool
link_or_copy(const char *from, const char *to, GError **error)
{
  if (link(from, to) == 0)
    return true;
  g_autoptr(GFile) source = g_file_new_for_path(from);
  g_autoptr(GFile) target = g_file_new_for_path(to);
  g_autoptr(GError) failure = NULL;
  if (g_file_copy(source, target, G_FILE_COPY_NONE, NULL, NULL, NULL, &failure))
    return true;
  g_set_error(error, CW_ERROR, CW_ERROR_IO, "%s: cannot copy to %s: %s", from, to,
              failure->message);
  return false;
}

static char *
index_name(const char *frames_name)
{
  g_autofree char *stem = g_strndup(frames_name, strlen(frames_name) - strlen(".bin"));
  return g_strconcat(stem, ".index", NULL);
}

static bool
take_file(const char *part, const CwCacheFile *file, const char *folder, CwManifest *joined,
          GError **error)
{
  char *name = g_strdup_printf("frames-%04u.bin", joined->files->len);
  CwCacheFile copy = { name,           file->n_bytes,   file->n_rows,
                       file->n_frames, file->n_batches, g_strdup(file->index_sha256) };
  g_array_append_val(joined->files, copy);
  g_autofree char *old_index = index_name(file->name), *new_index = index_name(name);
  g_autofree char *from = g_build_filename(part, file->name, NULL);
  g_autofree char *to = g_build_filename(folder, name, NULL);
  g_autofree char *index_from = g_build_filename(part, old_index, NULL);
  g_autofree char *index_to = g_build_filename(folder, new_index, NULL);
  return link_or_copy(from, to, error) && link_or_copy(index_from, index_to, error);
}

static bool
take_part(const char *part, const char *folder, CwManifest *joined, GError **error)
{
  g_autofree char *path = g_build_filename(part, "manifest.json", NULL);
  g_auto(CwManifest) manifest = { 0 };
  if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
    g_set_error(error, CW_ERROR, CW_ERROR_NOT_FOUND,
                "%s: no finished cache (it has no manifest.json)", part);
    return false;
  }
  if (!cw_manifest_load(&manifest, path, error))
    return false;
  bool is_first = joined->files == NULL;
  if (is_first) {
    CwCacheOptions options = { manifest.n_layers,          manifest.width,
                               manifest.model_name,        manifest.model_hash,
                               manifest.input_hook,        manifest.output_hook,
                               manifest.context_tokens,    manifest.codec,
                               manifest.target_error,      manifest.seed,
                               manifest.held_out_fraction, manifest.settings_json };
    cw_manifest_init(joined, &options);
  }
  const char *difference = cw_manifest_find_difference(joined, &manifest);
  if (difference != NULL) {
    g_set_error(error, CW_ERROR, CW_ERROR_MISMATCH,
                "%s: differs from the first part in its %s; they make no cache together", part,
                difference);
    return false;
  }
  for (guint i = 0; i < manifest.energies->len; i++)
    g_array_index(joined->energies, double, i) += g_array_index(manifest.energies, double, i);
  for (guint i = 0; i < manifest.files->len; i++)
    if (!take_file(part, &g_array_index(manifest.files, CwCacheFile, i), folder, joined, error))
      return false;
  return true;
}

/* After a failure: what was linked so far. */
static void
drop_files(const CwManifest *joined, const char *folder)
{
  for (guint i = 0; joined->files != NULL && i < joined->files->len; i++) {
    const CwCacheFile *file = &g_array_index(joined->files, CwCacheFile, i);
    g_autofree char *index = index_name(file->name);
    g_autofree char *frames_path = g_build_filename(folder, file->name, NULL);
    g_autofree char *index_path = g_build_filename(folder, index, NULL);
    g_unlink(frames_path);
    g_unlink(index_path);
  }
  g_rmdir(folder); /* only if nothing else is in it */
}

bool
cw_cache_join(const char *const *parts, size_t n, const char *folder, GError **error)
{
  g_auto(CwManifest) joined = { 0 };
  if (n == 0) {
    g_set_error(error, CW_ERROR, CW_ERROR_ARGUMENT, "%s: there are no parts to join", folder);
    return false;
  }
  g_autoptr(GDir) present = g_dir_open(folder, 0, NULL);
  if ((present != NULL && g_dir_read_name(present) != NULL) ||
      g_mkdir_with_parents(folder, 0777) != 0) {
    g_set_error(error, CW_ERROR, CW_ERROR_ARGUMENT, "%s: must be a new or an empty folder",
                folder);
    return false;
  }
  for (size_t i = 0; i < n; i++)
    if (!take_part(parts[i], folder, &joined, error)) {
      drop_files(&joined, folder);
      return false;
    }
  if (cw_manifest_write(&joined, folder, error))
    return true;
  drop_files(&joined, folder);
  return false;
}
