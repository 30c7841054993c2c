/* window-close.c - the one question that Clew asks: what to do with what is in no file. */
#include <glib/gi18n-lib.h>

#include "window/page-files.h"

typedef struct {
  CwuWindow *window;
  AdwTabPage *tab; /* NULL: all tabs */
  CwuMayCloseCb done;
  guint n_waiting; /* pages being saved */
  gboolean all_saved;
} Asking;

static void
asking_end(Asking *asking, gboolean may_close)
{
  asking->done(asking->window, asking->tab, may_close);
  g_object_unref(asking->window);
  g_clear_object(&asking->tab);
  g_free(asking);
}

/* The pages that the question is about. */
static GPtrArray *
find_unsaved(CwuWindow *self, AdwTabPage *only)
{
  GPtrArray *pages = g_ptr_array_new();
  for (int i = 0; i < adw_tab_view_get_n_pages(self->tabs); i++) {
    AdwTabPage *tab = adw_tab_view_get_nth_page(self->tabs, i);
    if ((only == NULL || only == tab) && cwu_page_is_unsaved(cwu_window_page_of(tab)))
      g_ptr_array_add(pages, cwu_window_page_of(tab));
  }
  return pages;
}

static void
saved_cb(CwuPage *page, gboolean is_saved, gpointer user_data)
{
  Asking *asking = user_data;
  asking->all_saved &= is_saved;
  if (--asking->n_waiting == 0)
    asking_end(asking, asking->all_saved);
}

static void
save_all(Asking *asking)
{
  g_autoptr(GPtrArray) pages = find_unsaved(asking->window, asking->tab);
  asking->all_saved = TRUE;
  asking->n_waiting = pages->len + 1;
  for (guint i = 0; i < pages->len; i++)
    cwu_page_save(pages->pdata[i], saved_cb, asking);
  saved_cb(NULL, TRUE, asking);
}

static void
response_cb(AdwMessageDialog *dialog, const char *response, Asking *asking)
{
  /* The window may be freed in here, before the dialog, which would look back at it then. */
  gtk_window_set_transient_for(GTK_WINDOW(dialog), NULL);
  if (g_strcmp0(response, "save") == 0)
    save_all(asking);
  else
    asking_end(asking, g_strcmp0(response, "discard") == 0);
}

static char *
dup_question(const GPtrArray *pages)
{
  if (pages->len > 1)
    return g_strdup_printf(
        ngettext("%u document has unsaved changes. If you discard them, they are lost.",
                 "%u documents have unsaved changes. If you discard them, they are lost.",
                 pages->len),
        pages->len);
  g_autofree char *title = NULL;
  g_object_get(pages->pdata[0], "title", &title, NULL);
  return g_strdup_printf(_("“%s” has unsaved changes. If you discard them, they are lost."),
                         title);
}

void
cwu_window_ask_close(CwuWindow *self, AdwTabPage *tab, CwuMayCloseCb done)
{
  g_autoptr(GPtrArray) pages = find_unsaved(self, tab);
  g_autofree char *question = dup_question(pages);
  Asking *asking = g_new0(Asking, 1);
  asking->window = g_object_ref(self);
  asking->tab = tab != NULL ? g_object_ref(tab) : NULL;
  asking->done = done;
  GtkWidget *dialog =
      adw_message_dialog_new(GTK_WINDOW(self), _("Save the changes?"), question);
  adw_message_dialog_add_responses(ADW_MESSAGE_DIALOG(dialog), "cancel", _("_Cancel"),
                                   "discard", _("_Discard"), "save", _("_Save"), NULL);
  adw_message_dialog_set_response_appearance(ADW_MESSAGE_DIALOG(dialog), "discard",
                                             ADW_RESPONSE_DESTRUCTIVE);
  adw_message_dialog_set_response_appearance(ADW_MESSAGE_DIALOG(dialog), "save",
                                             ADW_RESPONSE_SUGGESTED);
  adw_message_dialog_set_default_response(ADW_MESSAGE_DIALOG(dialog), "save");
  adw_message_dialog_set_close_response(ADW_MESSAGE_DIALOG(dialog), "cancel");
  g_signal_connect(dialog, "response", G_CALLBACK(response_cb), asking);
  gtk_window_present(GTK_WINDOW(dialog));
}
