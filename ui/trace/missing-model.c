/* missing-model.c - see missing-model.h. */
#include "trace/missing-model.h"

#include <adwaita.h>
#include <glib/gi18n-lib.h>

bool
cwu_missing_model_is_needed(CwuEngine *engine, CwuPromptBar *bar)
{
  CwuEngineState state = cwu_engine_get_state(engine);
  return *cwu_prompt_bar_peek_text(bar) != '\0' &&
         (state == CWU_ENGINE_NO_MODEL || state == CWU_ENGINE_FAILED);
}

/* A file's path may hold what is markup. */
static void
show_message(AdwStatusPage *page, GParamSpec *pspec, CwuEngine *engine)
{
  const char *message = cwu_engine_peek_message(engine);
  g_autofree char *text = g_markup_escape_text(message != NULL ? message : "", -1);
  adw_status_page_set_description(page, text);
}

static GtkWidget *
button_new(const char *label)
{
  GtkWidget *button = gtk_button_new_with_mnemonic(label);
  gtk_widget_add_css_class(button, "pill");
  return button;
}

static GtkWidget *
buttons_new(CwuPromptBar *bar)
{
  GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 12);
  GtkWidget *settings = button_new(_("_Choose a Model…"));
  GtkWidget *open = button_new(_("_Open a Graph…"));
  gtk_widget_add_css_class(settings, "suggested-action");
  gtk_actionable_set_action_name(GTK_ACTIONABLE(open), "win.open");
  g_signal_connect_object(settings, "clicked", G_CALLBACK(cwu_prompt_bar_choose_files), bar,
                          G_CONNECT_SWAPPED);
  gtk_widget_set_halign(box, GTK_ALIGN_CENTER);
  gtk_box_append(GTK_BOX(box), settings);
  gtk_box_append(GTK_BOX(box), open);
  return box;
}

GtkWidget *
cwu_missing_model_new(CwuEngine *engine, CwuPromptBar *bar)
{
  GtkWidget *page = adw_status_page_new();
  adw_status_page_set_icon_name(ADW_STATUS_PAGE(page), "io.github.clew_circuits.Clew-symbolic");
  adw_status_page_set_title(ADW_STATUS_PAGE(page), _("This Prompt Cannot Be Traced Yet"));
  gtk_widget_add_css_class(page, "compact");
  adw_status_page_set_child(ADW_STATUS_PAGE(page), buttons_new(bar));
  g_signal_connect_object(engine, "notify::message", G_CALLBACK(show_message), page,
                          G_CONNECT_SWAPPED);
  show_message(ADW_STATUS_PAGE(page), NULL, engine);
  return page;
}
