/* test-settings.c - the settings are found wherever the program lies, and keep what they are
 * told. Runs with the memory backend: the user's own settings are not touched. */
#include <glib/gstdio.h>

#include "desktop/settings.h"

static const CwuSettingsOrigin build = CWU_SETTINGS_OF_BUILD, memory = CWU_SETTINGS_IN_MEMORY;

/* Circuit-tracer's defaults, as `clew attribute` has them. */
static void
test_defaults(gconstpointer origin)
{
  g_autoptr(GSettings) settings = cwu_settings_new_from(*(const CwuSettingsOrigin *)origin);
  g_assert_nonnull(settings);
  g_assert_cmpint(g_settings_get_int(settings, "max-n-logits"), ==, 10);
  g_assert_cmpfloat(g_settings_get_double(settings, "desired-logit-prob"), ==, 0.95);
  g_assert_cmpint(g_settings_get_int(settings, "batch-size"), ==, 256);
  g_assert_cmpint(g_settings_get_int(settings, "max-feature-nodes"), ==, 7500);
  g_assert_cmpint(g_settings_get_int(settings, "update-interval"), ==, 4);
  g_assert_cmpfloat(g_settings_get_double(settings, "node-threshold"), ==, 0.8);
  g_assert_cmpfloat(g_settings_get_double(settings, "edge-threshold"), ==, 0.98);
  g_autofree char *kind = g_settings_get_string(settings, "target-kind");
  g_assert_cmpstr(kind, ==, "logits");
  g_assert_true(g_settings_set_string(settings, "target-kind", "tokens"));
  g_autoptr(GSettingsSchema) schema = NULL;
  g_object_get(settings, "settings-schema", &schema, NULL);
  g_autoptr(GSettingsSchemaKey) key = g_settings_schema_get_key(schema, "target-kind");
  g_autoptr(GVariant) sideways = g_variant_ref_sink(g_variant_new_string("sideways"));
  g_assert_false(g_settings_schema_key_range_check(key, sideways));
}

/* The folder for temporary files is the test's own. */
static void
test_own_copy_leaves_no_file(void)
{
  g_autoptr(GSettings) settings = cwu_settings_new_from(CWU_SETTINGS_IN_MEMORY);
  g_assert_nonnull(settings);
  g_autoptr(GDir) dir = g_dir_open(g_get_tmp_dir(), 0, NULL);
  g_assert_nonnull(dir);
  g_assert_null(g_dir_read_name(dir));
}

static void
test_recent_prompts(void)
{
  g_settings_reset(cwu_settings_peek(), "recent-prompts");
  for (int i = 0; i < CWU_RECENT_PROMPTS_LIMIT + 5; i++) {
    g_autofree char *prompt = g_strdup_printf("prompt %d", i);
    cwu_settings_add_recent_prompt(prompt);
  }
  cwu_settings_add_recent_prompt("prompt 10");
  g_auto(GStrv) prompts = g_settings_get_strv(cwu_settings_peek(), "recent-prompts");
  g_assert_cmpuint(g_strv_length(prompts), ==, CWU_RECENT_PROMPTS_LIMIT);
  g_assert_cmpstr(prompts[0], ==, "prompt 10");
  g_assert_cmpstr(prompts[1], ==, "prompt 24");
  g_assert_cmpstr(prompts[CWU_RECENT_PROMPTS_LIMIT - 1], ==, "prompt 5");
}

static void
test_window_keeps_its_size(void)
{
  if (!gtk_init_check()) {
    g_test_skip("no display");
    return;
  }
  int width, height;
  GSettings *settings = cwu_settings_peek();
  g_settings_set_int(settings, "window-width", 1111);
  g_settings_set_int(settings, "window-height", 666);
  GtkWindow *first = GTK_WINDOW(gtk_window_new()), *second = GTK_WINDOW(gtk_window_new());
  cwu_settings_restore_window(first);
  cwu_settings_restore_window(second);
  gtk_window_get_default_size(first, &width, &height);
  g_assert_cmpint(width, ==, 1111);
  g_assert_cmpint(height, ==, 666);
  gtk_window_set_default_size(first, 800, 600);
  g_assert_cmpint(g_settings_get_int(settings, "window-width"), ==, 800);
  gtk_window_get_default_size(second, &width, &height);
  g_assert_cmpint(width, ==, 1111);
  gtk_window_destroy(first);
  gtk_window_destroy(second);
}

static void
test_reduced_motion(void)
{
  GSettings *settings = cwu_settings_peek();
  g_settings_set_string(settings, "reduced-motion", "always");
  g_assert_true(cwu_settings_get_reduced_motion());
  g_settings_set_string(settings, "reduced-motion", "never");
  g_assert_false(cwu_settings_get_reduced_motion());
  g_settings_reset(settings, "reduced-motion");
  if (!gtk_init_check())
    return;
  g_object_set(gtk_settings_get_default(), "gtk-enable-animations", FALSE, NULL);
  g_assert_true(cwu_settings_get_reduced_motion());
  g_object_set(gtk_settings_get_default(), "gtk-enable-animations", TRUE, NULL);
  g_assert_false(cwu_settings_get_reduced_motion());
}

int
main(int argc, char **argv)
{
  char folder[] = "/tmp/clew-settings-XXXXXX";
  if (g_mkdtemp(folder) == NULL)
    g_error("no folder could be made in /tmp");
  g_setenv("TMPDIR", folder, TRUE);
  g_setenv("GSETTINGS_BACKEND", "memory", TRUE);
  g_test_init(&argc, &argv, NULL);
  g_test_add_data_func("/ui/settings/defaults-from-the-build-folder", &build, test_defaults);
  g_test_add_data_func("/ui/settings/defaults-from-own-copy", &memory, test_defaults);
  g_test_add_func("/ui/settings/own-copy-leaves-no-file", test_own_copy_leaves_no_file);
  g_test_add_func("/ui/settings/recent-prompts", test_recent_prompts);
  g_test_add_func("/ui/settings/window-keeps-its-size", test_window_keeps_its_size);
  g_test_add_func("/ui/settings/reduced-motion", test_reduced_motion);
  int status = g_test_run();
  g_rmdir(folder);
  return status;
}
