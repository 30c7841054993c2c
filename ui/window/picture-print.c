/* picture-print.c - see picture-print.h. Paper is white whatever the desktop's style is. */
#include "window/picture-print.h"

/* As on a paper's page: the smallest text, 12 px, is 8 points. */
#define POINTS_PER_PX (8.0 / 12.0)
#define FAILURE       "clew-failure"

static void
begin_cb(GtkPrintOperation *operation, GtkPrintContext *context, gpointer user_data)
{
  gtk_print_operation_set_n_pages(operation, 1);
}

static void
draw_cb(GtkPrintOperation *operation, GtkPrintContext *context, int page,
        CwuPictureSubject *subject)
{
  g_autoptr(GError) error = NULL;
  cairo_t *cr = gtk_print_context_get_cairo_context(context);
  double width = gtk_print_context_get_width(context) / POINTS_PER_PX;
  double height = gtk_print_context_get_height(context) / POINTS_PER_PX;
  CwuPictureOptions options = *cwu_picture_subject_peek_view(subject);
  options.width = width;
  options.height = height;
  options.scale = 1;
  options.theme = CWU_THEME_LIGHT;
  options.parts = CWU_PICTURE_TITLE | CWU_PICTURE_LEGEND;
  options.scope = CWU_SCOPE_GRAPH;
  cairo_save(cr);
  cairo_scale(cr, POINTS_PER_PX, POINTS_PER_PX);
  if (!cwu_picture_draw(cwu_picture_subject_peek_graph(subject),
                        cwu_picture_subject_peek_pruned(subject), &options, cr, &error)) {
    g_object_set_data_full(G_OBJECT(operation), FAILURE, g_strdup(error->message), g_free);
    gtk_print_operation_cancel(operation);
  }
  cairo_restore(cr);
}

static void
unref_cb(gpointer data, GClosure *closure)
{
  cwu_picture_subject_unref(data);
}

GtkPrintOperation *
cwu_print_operation_new(CwuPictureSubject *subject)
{
  GtkPrintOperation *operation = gtk_print_operation_new();
  g_autoptr(GtkPageSetup) page = gtk_page_setup_new();
  gtk_page_setup_set_orientation(page, GTK_PAGE_ORIENTATION_LANDSCAPE);
  gtk_print_operation_set_default_page_setup(operation, page);
  gtk_print_operation_set_unit(operation, GTK_UNIT_POINTS);
  gtk_print_operation_set_job_name(operation, cwu_picture_subject_peek_name(subject));
  gtk_print_operation_set_allow_async(operation, TRUE);
  gtk_print_operation_set_embed_page_setup(operation, TRUE);
  g_signal_connect(operation, "begin-print", G_CALLBACK(begin_cb), NULL);
  g_signal_connect_data(operation, "draw-page", G_CALLBACK(draw_cb),
                        cwu_picture_subject_ref(subject), unref_cb, 0);
  return operation;
}

char *
cwu_print_operation_dup_failure(GtkPrintOperation *operation, GtkPrintOperationResult result)
{
  g_autoptr(GError) error = NULL;
  /* Asked after any other result, GTK hands on an error that there is not. */
  if (result == GTK_PRINT_OPERATION_RESULT_ERROR)
    gtk_print_operation_get_error(operation, &error);
  return g_strdup(error != NULL ? error->message
                                : g_object_get_data(G_OBJECT(operation), FAILURE));
}
