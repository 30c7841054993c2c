/* test-export-dialog.c - the export dialog writes what is chosen and tells what fails; printing
 * draws the same picture. */
#include <string.h>

#include "small-graph.h"
#include "test-support.h"
#include "widget-test.h"
#include "window/export-dialog.h"
#include "window/picture-print.h"

/* Runs the main loop until the condition holds, at most 20 s. */
#define WAIT_FOR(condition)                                    \
  G_STMT_START                                                 \
  {                                                            \
    gint64 end = g_get_monotonic_time() + 20 * G_USEC_PER_SEC; \
    while (!(condition) && g_get_monotonic_time() < end)       \
      g_main_context_iteration(NULL, FALSE);                   \
    g_assert_true(condition);                                  \
  }                                                            \
  G_STMT_END

static CwuPictureSubject *
subject_new(int64_t selected)
{
  g_autoptr(CwGraph) graph = small_graph_new();
  CwuPictureOptions view;
  cwu_picture_options_init(&view);
  view.selected = selected;
  return cwu_picture_subject_new(graph, NULL, &view, "oak");
}

static void
exported_cb(CwuExportDialog *dialog, GFile *file, GFile **exported)
{
  g_set_object(exported, file);
}

static void
test_saves_what_is_chosen(void)
{
  g_autoptr(CwuPictureSubject) subject = subject_new(1);
  g_autoptr(GFile) exported = NULL;
  g_autofree char *folder = test_temp_dir(), *svg = NULL;
  g_autoptr(GFile) file = g_file_new_build_filename(folder, "a.svg", NULL);
  CwuExportDialog *dialog = g_object_ref(cwu_export_dialog_new(NULL, subject));
  g_signal_connect(dialog, "exported", G_CALLBACK(exported_cb), &exported);
  cwu_export_dialog_set_format(dialog, CWU_FORMAT_SVG);
  cwu_export_dialog_set_size(dialog, CWU_SIZE_PAGE);
  cwu_export_dialog_set_scope(dialog, CWU_SCOPE_SELECTION);
  cwu_export_dialog_save(dialog, file);
  WAIT_FOR(exported != NULL);
  g_assert_true(g_file_equal(exported, file));
  g_assert_true(g_file_load_contents(file, NULL, &svg, NULL, NULL, NULL));
  g_assert_nonnull(strstr(svg, "3 nodes"));
  g_assert_nonnull(strstr(svg, "width=\"496.06"));
  g_object_unref(dialog);
  test_remove_tree(folder);
}

static void
test_sizes_follow_the_format(void)
{
  g_autoptr(CwuPictureSubject) subject = subject_new(1);
  CwuExportDialog *dialog = cwu_export_dialog_new(NULL, subject);
  CwuPictureOptions points, pixels, own;
  cwu_export_dialog_set_size(dialog, CWU_SIZE_SLIDE);
  cwu_export_dialog_get_options(dialog, &points);
  cwu_export_dialog_set_format(dialog, CWU_FORMAT_PNG);
  cwu_export_dialog_get_options(dialog, &pixels);
  g_assert_cmpfloat(points.width * points.scale, ==, 960);
  g_assert_cmpfloat(pixels.width * pixels.scale, ==, 1920);
  /* One's own size begins with the numbers of the last usual one. */
  cwu_export_dialog_set_size(dialog, CWU_N_SIZES);
  cwu_export_dialog_get_options(dialog, &own);
  g_assert_cmpfloat(own.width, ==, 1280);
  g_assert_cmpfloat(own.scale, ==, 1.5);
  gtk_window_destroy(GTK_WINDOW(dialog));
}

static void
test_tells_a_failure(void)
{
  g_autoptr(CwuPictureSubject) subject = subject_new(-1);
  g_autoptr(GFile) nowhere = g_file_new_for_path("/nowhere/at/all/a.pdf");
  CwuExportDialog *dialog = cwu_export_dialog_new(NULL, subject);
  WAIT_FOR(cwu_export_dialog_is_current(dialog));
  g_assert_null(cwu_export_dialog_peek_failure(dialog));
  cwu_export_dialog_save(dialog, nowhere);
  WAIT_FOR(cwu_export_dialog_peek_failure(dialog) != NULL);
  g_assert_nonnull(strstr(cwu_export_dialog_peek_failure(dialog), "/nowhere"));
  gtk_window_destroy(GTK_WINDOW(dialog));
}

/* Closed while its small picture is being made. */
static void
test_closes_early(void)
{
  for (int i = 0; i < 5; i++) {
    g_autoptr(CwuPictureSubject) subject = subject_new(1);
    CwuExportDialog *dialog = cwu_export_dialog_new(NULL, subject);
    gtk_window_present(GTK_WINDOW(dialog));
    gint64 end = g_get_monotonic_time() + (100 + 20 * i) * 1000;
    while (g_get_monotonic_time() < end)
      g_main_context_iteration(NULL, FALSE);
    gtk_window_destroy(GTK_WINDOW(dialog));
  }
}

static void
test_prints(void)
{
  g_autoptr(CwuPictureSubject) subject = subject_new(1);
  g_autoptr(GtkPrintOperation) operation = cwu_print_operation_new(subject);
  g_autoptr(GError) error = NULL;
  g_autofree char *folder = test_temp_dir(), *text = NULL;
  g_autofree char *path = g_build_filename(folder, "page.pdf", NULL);
  const char *arguments[] = { "pdftotext", path, "-", NULL };
  gtk_print_operation_set_export_filename(operation, path);
  gtk_print_operation_set_allow_async(operation, FALSE);
  GtkPrintOperationResult result =
      gtk_print_operation_run(operation, GTK_PRINT_OPERATION_ACTION_EXPORT, NULL, &error);
  g_assert_no_error(error);
  g_assert_cmpint(result, ==, GTK_PRINT_OPERATION_RESULT_APPLY);
  for (int i = 0; i < 2; i++) {
    g_autofree char *failure = cwu_print_operation_dup_failure(
        operation, i == 0 ? result : GTK_PRINT_OPERATION_RESULT_CANCEL);
    g_assert_null(failure);
  }
  if (g_spawn_sync(NULL, (char **)arguments, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &text, NULL,
                   NULL, NULL)) {
    g_assert_nonnull(strstr(text, "one two three"));
    g_assert_nonnull(strstr(text, "4 nodes"));
    g_assert_nonnull(strstr(text, "takes away"));
  } else {
    g_test_skip("pdftotext is not installed");
  }
  test_remove_tree(folder);
}

int
main(int argc, char **argv)
{
  if (!widget_test_init(&argc, &argv))
    return 0;
  g_test_add_func("/ui/export-dialog/saves-what-is-chosen", test_saves_what_is_chosen);
  g_test_add_func("/ui/export-dialog/sizes-follow-the-format", test_sizes_follow_the_format);
  g_test_add_func("/ui/export-dialog/tells-a-failure", test_tells_a_failure);
  g_test_add_func("/ui/export-dialog/closes-early", test_closes_early);
  g_test_add_func("/ui/print/prints", test_prints);
  return g_test_run();
}
