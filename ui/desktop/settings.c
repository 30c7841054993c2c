/* settings.c - see settings.h. GLib ends a program whose schema is missing, so the schema is
 * looked for first: in the build folder that the program runs from, in the desktop's places,
 * beside the program where it was moved to. A copy inside the program is the last resort; it
 * needs a file for a moment, since schemas are read from folders only. */
#define G_SETTINGS_ENABLE_BACKEND
#include "desktop/settings.h"

#include <gio/gsettingsbackend.h>
#include <glib/gstdio.h>

#include "clew-settings-resources.h"

#define COMPILED       "gschemas.compiled"
#define COMPILED_PLACE "/io/github/clew_circuits/Clew/settings/" COMPILED
#define MAX_LEVELS     4

static char *
program_folder(void)
{
  g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
  return program != NULL ? g_path_get_dirname(program) : g_strdup(".");
}

/* The folder of compiled schemas in the build tree that the program lies in; NULL if it lies in
 * none. */
static char *
find_build_schemas(void)
{
  char *folder = program_folder();
  for (int level = 0; level < MAX_LEVELS; level++) {
    g_autofree char *ninja = g_build_filename(folder, "build.ninja", NULL);
    g_autofree char *schemas = g_build_filename(folder, "ui", "desktop", NULL);
    g_autofree char *compiled = g_build_filename(schemas, COMPILED, NULL);
    if (g_file_test(ninja, G_FILE_TEST_EXISTS) && g_file_test(compiled, G_FILE_TEST_EXISTS)) {
      g_free(folder);
      return g_steal_pointer(&schemas);
    }
    char *parent = g_path_get_dirname(folder);
    g_free(folder);
    folder = parent;
  }
  g_free(folder);
  return NULL;
}

static GSettingsSchema *
lookup_in_folder(const char *folder)
{
  if (folder == NULL)
    return NULL;
  GSettingsSchemaSource *source = g_settings_schema_source_new_from_directory(
      folder, g_settings_schema_source_get_default(), FALSE, NULL);
  if (source == NULL)
    return NULL;
  GSettingsSchema *schema = g_settings_schema_source_lookup(source, CWU_SETTINGS_ID, FALSE);
  g_settings_schema_source_unref(source);
  return schema;
}

static GSettingsSchema *
lookup_installed(void)
{
  GSettingsSchemaSource *source = g_settings_schema_source_get_default();
  GSettingsSchema *schema =
      source != NULL ? g_settings_schema_source_lookup(source, CWU_SETTINGS_ID, TRUE) : NULL;
  if (schema != NULL)
    return schema;
  g_autofree char *program = program_folder();
  g_autofree char *beside =
      g_build_filename(program, "..", "share", "glib-2.0", "schemas", NULL);
  return lookup_in_folder(beside);
}

/* The file is gone again before the schema is used: GLib keeps it mapped. */
static GSettingsSchema *
lookup_own_copy(void)
{
  g_autofree char *folder = g_dir_make_tmp("clew-schema-XXXXXX", NULL);
  g_autoptr(GBytes) bytes = g_resource_lookup_data(clew_settings_get_resource(), COMPILED_PLACE,
                                                   G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
  if (folder == NULL || bytes == NULL)
    return NULL;
  g_autofree char *path = g_build_filename(folder, COMPILED, NULL);
  GSettingsSchema *schema = NULL;
  if (g_file_set_contents(path, g_bytes_get_data(bytes, NULL), (gssize)g_bytes_get_size(bytes),
                          NULL))
    schema = lookup_in_folder(folder);
  g_unlink(path);
  g_rmdir(folder);
  return schema;
}

GSettings *
cwu_settings_new_from(CwuSettingsOrigin origin)
{
  g_autofree char *folder = origin == CWU_SETTINGS_OF_BUILD ? find_build_schemas() : NULL;
  g_autoptr(GSettingsSchema) schema = origin == CWU_SETTINGS_OF_BUILD ? lookup_in_folder(folder)
                                      : origin == CWU_SETTINGS_INSTALLED ? lookup_installed()
                                                                         : lookup_own_copy();
  if (schema == NULL)
    return NULL;
  g_autoptr(GSettingsBackend) backend =
      origin == CWU_SETTINGS_IN_MEMORY ? g_memory_settings_backend_new() : NULL;
  return g_settings_new_full(schema, backend, NULL);
}

GSettings *
cwu_settings_peek(void)
{
  static GSettings *settings = NULL;
  for (int origin = CWU_SETTINGS_OF_BUILD; settings == NULL && origin <= CWU_SETTINGS_IN_MEMORY;
       origin++)
    settings = cwu_settings_new_from((CwuSettingsOrigin)origin);
  if (settings == NULL)
    g_error("The settings could not be set up: the folder for temporary files, %s, cannot be "
            "written. Free some room there, or let TMPDIR name another folder.",
            g_get_tmp_dir());
  return settings;
}

void
cwu_settings_add_recent_prompt(const char *prompt)
{
  g_auto(GStrv) old = g_settings_get_strv(cwu_settings_peek(), "recent-prompts");
  g_autoptr(GPtrArray) prompts = g_ptr_array_new();
  g_ptr_array_add(prompts, (gpointer)prompt);
  for (char **p = old; *p != NULL && prompts->len < CWU_RECENT_PROMPTS_LIMIT; p++)
    if (g_strcmp0(*p, prompt) != 0)
      g_ptr_array_add(prompts, *p);
  g_ptr_array_add(prompts, NULL);
  g_settings_set_strv(cwu_settings_peek(), "recent-prompts",
                      (const char *const *)prompts->pdata);
}

void
cwu_settings_restore_window(GtkWindow *window)
{
  static const struct {
    const char *key, *property;
  } rows[] = { { "window-width", "default-width" },
               { "window-height", "default-height" },
               { "window-maximized", "maximized" } };
  /* Windows take the size once: one that is resized must not resize the others. */
  for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
    g_settings_bind(cwu_settings_peek(), rows[i].key, window, rows[i].property,
                    G_SETTINGS_BIND_SET | G_SETTINGS_BIND_GET | G_SETTINGS_BIND_GET_NO_CHANGES);
}

gboolean
cwu_settings_get_reduced_motion(void)
{
  g_autofree char *choice = g_settings_get_string(cwu_settings_peek(), "reduced-motion");
  gboolean is_animated = TRUE;
  if (g_str_equal(choice, "always"))
    return TRUE;
  if (g_str_equal(choice, "never"))
    return FALSE;
  GtkSettings *desktop = gtk_settings_get_default();
  if (desktop != NULL)
    g_object_get(desktop, "gtk-enable-animations", &is_animated, NULL);
  return !is_animated;
}
