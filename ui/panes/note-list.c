/* note-list.c - see note-list.h. A person writes notes, so there are few: rows are made anew
 * when notes change. */
#include "panes/note-list.h"

#include <glib/gi18n-lib.h>

#include "panes/hint.h"
#include "panes/note-editor.h"

struct _CwuNoteList {
  GtkBox parent_instance;
  CwuDocument *document;
  CwuNotes which;
  GtkWidget *rows;
  CwuNoteEditor *editor; /* a child, as rows are */
};

G_DEFINE_TYPE(CwuNoteList, cwu_note_list, GTK_TYPE_BOX)

typedef struct {
  CwuNoteList *list; /* outlives the row */
  uint64_t id;
  int64_t node;
} NoteRow;

static void
free_row(gpointer data, GClosure *closure)
{
  g_free(data);
}

static void
edit_cb(GtkWidget *button, NoteRow *row)
{
  cwu_note_editor_open(row->list->editor, button, row->node, row->id);
}

static void
remove_cb(GtkWidget *button, NoteRow *row)
{
  CwuDocument *document = row->list->document; /* The row goes with its note. */
  cw_document_remove_note(cwu_document_peek_core(document), row->id);
  cwu_document_sync(document);
}

static void
go_cb(GtkWidget *button, NoteRow *row)
{
  cwu_document_show_node(row->list->document, row->node);
}

static void
connect_row(CwuNoteList *self, GtkWidget *button, GCallback callback,
            const CwDocumentNote *note)
{
  NoteRow *row = g_new(NoteRow, 1);
  *row = (NoteRow){ self, note->id, note->node };
  g_signal_connect_data(button, "clicked", callback, row, free_row, 0);
}

static GtkWidget *
icon_button_new(const char *icon, const char *tooltip)
{
  GtkWidget *button = gtk_button_new_from_icon_name(icon);
  gtk_widget_add_css_class(button, "flat");
  gtk_widget_add_css_class(button, "small-button");
  gtk_widget_set_valign(button, GTK_ALIGN_START);
  cwu_hint_set(button, tooltip);
  return button;
}

/* The node's name above the text, as a button. */
static GtkWidget *
node_button_new(CwuNoteList *self, const CwDocumentNote *note)
{
  g_autofree char *name = cwu_document_dup_node_name(self->document, (size_t)note->node);
  GtkWidget *button = gtk_button_new();
  GtkWidget *label = g_object_new(GTK_TYPE_LABEL, "label", name, "xalign", 0.0f, "ellipsize",
                                  PANGO_ELLIPSIZE_END, NULL);
  gtk_button_set_child(GTK_BUTTON(button), label);
  gtk_widget_add_css_class(button, "flat");
  gtk_widget_add_css_class(button, "note-node");
  gtk_widget_set_tooltip_text(button, _("Go to the node"));
  connect_row(self, button, G_CALLBACK(go_cb), note);
  return button;
}

static GtkWidget *
row_new(CwuNoteList *self, const CwDocumentNote *note)
{
  GtkWidget *row = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 2);
  GtkWidget *words = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
  GtkWidget *edit = icon_button_new("document-edit-symbolic", _("Change the note"));
  GtkWidget *remove = icon_button_new("user-trash-symbolic", _("Remove the note"));
  GtkWidget *text =
      g_object_new(GTK_TYPE_LABEL, "label", note->text, "xalign", 0.0f, "wrap", TRUE,
                   "wrap-mode", PANGO_WRAP_WORD_CHAR, "lines", 6, "ellipsize",
                   PANGO_ELLIPSIZE_END, "tooltip-text", note->text, NULL);
  if (self->which == CWU_NOTES_ALL && note->node >= 0)
    gtk_box_append(GTK_BOX(words), node_button_new(self, note));
  gtk_box_append(GTK_BOX(words), text);
  gtk_widget_set_hexpand(words, TRUE);
  gtk_widget_set_valign(words, GTK_ALIGN_CENTER); /* a line beside the buttons */
  connect_row(self, edit, G_CALLBACK(edit_cb), note);
  connect_row(self, remove, G_CALLBACK(remove_cb), note);
  gtk_widget_add_css_class(row, "note");
  gtk_box_append(GTK_BOX(row), words);
  gtk_box_append(GTK_BOX(row), edit);
  gtk_box_append(GTK_BOX(row), remove);
  return row;
}

static void
update(CwuNoteList *self)
{
  const CwDocumentState *state = cwu_document_peek_state(self->document);
  int64_t selected = cwu_document_get_selected(self->document);
  GtkWidget *child;
  while ((child = gtk_widget_get_first_child(self->rows)) != NULL)
    gtk_box_remove(GTK_BOX(self->rows), child);
  for (size_t i = 0; i < cw_document_state_get_n_notes(state); i++) {
    const CwDocumentNote *note = cw_document_state_peek_note(state, i);
    if (self->which == CWU_NOTES_ALL || (note->node >= 0 && note->node == selected))
      gtk_box_append(GTK_BOX(self->rows), row_new(self, note));
  }
  gtk_widget_set_visible(GTK_WIDGET(self), gtk_widget_get_first_child(self->rows) != NULL);
}

static void
changed_cb(CwuNoteList *self, guint parts)
{
  if (parts & (CW_DOCUMENT_GRAPH | CW_DOCUMENT_NOTES | CW_DOCUMENT_LABELS))
    update(self);
}

static void
cwu_note_list_dispose(GObject *object)
{
  g_clear_object(&CWU_NOTE_LIST(object)->document);
  G_OBJECT_CLASS(cwu_note_list_parent_class)->dispose(object);
}

static void
cwu_note_list_class_init(CwuNoteListClass *class)
{
  G_OBJECT_CLASS(class)->dispose = cwu_note_list_dispose;
}

static void
cwu_note_list_init(CwuNoteList *self)
{
  gtk_orientable_set_orientation(GTK_ORIENTABLE(self), GTK_ORIENTATION_VERTICAL);
  gtk_box_set_spacing(GTK_BOX(self), 6);
  self->rows = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6);
}

GtkWidget *
cwu_note_list_new(CwuDocument *document, CwuNotes which)
{
  CwuNoteList *self = g_object_new(CWU_TYPE_NOTE_LIST, NULL);
  GtkWidget *heading = g_object_new(GTK_TYPE_LABEL, "label", _("Notes"), "xalign", 0.0f, NULL);
  self->document = g_object_ref(document);
  self->which = which;
  self->editor = cwu_note_editor_new(document, GTK_BOX(self));
  gtk_widget_add_css_class(heading, "heading");
  gtk_box_append(GTK_BOX(self), heading);
  gtk_box_append(GTK_BOX(self), self->rows);
  g_signal_connect_object(document, "changed", G_CALLBACK(changed_cb), self, G_CONNECT_SWAPPED);
  if (which == CWU_NOTES_OF_NODE) {
    gtk_widget_add_css_class(GTK_WIDGET(self), "link-section"); /* as far from what follows */
    g_signal_connect_object(document, "selection-changed", G_CALLBACK(update), self,
                            G_CONNECT_SWAPPED);
  }
  update(self);
  return GTK_WIDGET(self);
}
