/* toasts.c - see toasts.h. The overlay has a key binding of its own: while something is told,
 * it takes an Escape that bubbles up through it, and what is below would need a second one. So
 * the child sees that key first, closes all that is told, and lets it go on. */
#include "window/toasts.h"

#include <adwaita.h>

static GPtrArray *
told_of(gpointer toasts)
{
  return g_object_get_data(toasts, "told");
}

static void
dismissed_cb(AdwToast *toast, GObject *toasts)
{
  g_ptr_array_remove(told_of(toasts), toast);
}

/* Those that wait for their turn go first, or each of them would come up. */
static gboolean
escape_cb(GtkWidget *child, GVariant *arguments, gpointer toasts)
{
  GPtrArray *told = told_of(toasts);
  while (told->len > 0) {
    g_autoptr(AdwToast) last = g_ptr_array_steal_index(told, told->len - 1);
    adw_toast_dismiss(last);
  }
  return GDK_EVENT_PROPAGATE;
}

GtkWidget *
cwu_toasts_new(GtkWidget *child)
{
  GtkWidget *toasts = adw_toast_overlay_new();
  GtkEventController *keys = gtk_shortcut_controller_new();
  g_object_set_data_full(G_OBJECT(toasts), "told",
                         g_ptr_array_new_with_free_func(g_object_unref),
                         (GDestroyNotify)g_ptr_array_unref);
  gtk_shortcut_controller_add_shortcut(
      GTK_SHORTCUT_CONTROLLER(keys),
      gtk_shortcut_new(gtk_keyval_trigger_new(GDK_KEY_Escape, 0),
                       gtk_callback_action_new(escape_cb, toasts, NULL)));
  gtk_widget_add_controller(child, keys);
  adw_toast_overlay_set_child(ADW_TOAST_OVERLAY(toasts), child);
  return toasts;
}

void
cwu_toasts_tell(GtkWidget *toasts, const char *message, guint seconds)
{
  g_autofree char *markup = g_markup_escape_text(message, -1);
  AdwToast *toast = adw_toast_new(markup);
  adw_toast_set_timeout(toast, seconds);
  g_ptr_array_add(told_of(toasts), g_object_ref(toast));
  g_signal_connect_object(toast, "dismissed", G_CALLBACK(dismissed_cb), toasts, 0);
  adw_toast_overlay_add_toast(ADW_TOAST_OVERLAY(toasts), toast);
}
