/* path-picker.h - a path, or several: typed, chosen, dropped, or taken from what is at hand. */
#pragma once

#include <gtk/gtk.h>
#include <stdbool.h>

G_BEGIN_DECLS

#define CWU_TYPE_PATH_PICKER (cwu_path_picker_get_type())
G_DECLARE_FINAL_TYPE(CwuPathPicker, cwu_path_picker, CWU, PATH_PICKER, GtkWidget)

/* Signals: "changed" by the user; "activate" for Enter. title: of the dialog. One path is typed
 * in an entry; several are counted, added and cleared. */
CwuPathPicker *cwu_path_picker_new(const char *title, bool is_many);
/* Paths, a line each; "" for none. */
const char *cwu_path_picker_peek_text(CwuPathPicker *self);
void cwu_path_picker_set_text(CwuPathPicker *self, const char *text);
/* NULL-terminated; none: nothing is offered. */
void cwu_path_picker_set_suggestions(CwuPathPicker *self, const char *const *paths);
/* Adds (or, of one, sets) a path as if chosen. */
void cwu_path_picker_take(CwuPathPicker *self, const char *path);

G_END_DECLS
