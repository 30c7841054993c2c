/* note-editor.c - see note-editor.h. Keeping is one edit of the document, made when the window
 * closes. */
#include "panes/note-editor.h"

#include <glib/gi18n-lib.h>
#include <string.h>

struct _CwuNoteEditor {
  GtkPopover parent_instance;
  CwuDocument *document;
  GtkWidget *text;
  CwGraph *graph; /* a node of another graph is another node; NULL: not open */
  int64_t node;
  uint64_t id;
  bool is_given_up;
};

G_DEFINE_TYPE(CwuNoteEditor, cwu_note_editor, GTK_TYPE_POPOVER)

static const CwDocumentNote *
find_note(CwuDocument *document, uint64_t id)
{
  const CwDocumentState *state = cwu_document_peek_state(document);
  for (size_t i = 0; i < cw_document_state_get_n_notes(state); i++)
    if (cw_document_state_peek_note(state, i)->id == id)
      return cw_document_state_peek_note(state, i);
  return NULL;
}

uint64_t
cwu_note_find(CwuDocument *document, int64_t node)
{
  const CwDocumentState *state = cwu_document_peek_state(document);
  for (size_t i = 0; node >= 0 && i < cw_document_state_get_n_notes(state); i++)
    if (cw_document_state_peek_note(state, i)->node == node)
      return cw_document_state_peek_note(state, i)->id;
  return 0;
}

static void
keep(CwuNoteEditor *self)
{
  CwDocument *core = cwu_document_peek_core(self->document);
  GtkTextBuffer *buffer = gtk_text_view_get_buffer(GTK_TEXT_VIEW(self->text));
  g_autofree char *text = NULL;
  g_object_get(buffer, "text", &text, NULL);
  g_strstrip(text);
  if (self->id != 0 && *text == '\0')
    cw_document_remove_note(core, self->id);
  else if (self->id != 0)
    cw_document_set_note_text(core, self->id, text);
  else if (*text != '\0')
    cw_document_add_note(core, self->node, 0, 0, text);
  cwu_document_sync(self->document);
}

static void
cwu_note_editor_closed(GtkPopover *popover)
{
  CwuNoteEditor *self = CWU_NOTE_EDITOR(popover);
  g_autoptr(CwGraph) graph = g_steal_pointer(&self->graph);
  if (graph != NULL && !self->is_given_up && graph == cwu_document_peek_graph(self->document))
    keep(self);
}

static gboolean
key_cb(GtkEventControllerKey *controller, guint key, guint code, GdkModifierType modifiers,
       CwuNoteEditor *self)
{
  bool is_enter = key == GDK_KEY_Return || key == GDK_KEY_KP_Enter;
  self->is_given_up = key == GDK_KEY_Escape;
  if (!self->is_given_up && !(is_enter && (modifiers & GDK_CONTROL_MASK)))
    return GDK_EVENT_PROPAGATE;
  gtk_popover_popdown(GTK_POPOVER(self));
  return GDK_EVENT_STOP;
}

static GtkWidget *
scroller_new(CwuNoteEditor *self)
{
  GtkWidget *scroller = gtk_scrolled_window_new();
  self->text = gtk_text_view_new();
  gtk_text_view_set_wrap_mode(GTK_TEXT_VIEW(self->text), GTK_WRAP_WORD_CHAR);
  gtk_text_view_set_accepts_tab(GTK_TEXT_VIEW(self->text), FALSE);
  gtk_widget_add_css_class(self->text, "note-text");
  gtk_accessible_update_property(GTK_ACCESSIBLE(self->text), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                 _("Note"), -1);
  gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scroller), GTK_POLICY_NEVER,
                                 GTK_POLICY_AUTOMATIC);
  gtk_scrolled_window_set_has_frame(GTK_SCROLLED_WINDOW(scroller), TRUE);
  gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scroller), self->text);
  gtk_widget_set_size_request(scroller, 280, 110);
  return scroller;
}

static void
cwu_note_editor_dispose(GObject *object)
{
  CwuNoteEditor *self = CWU_NOTE_EDITOR(object);
  g_clear_pointer(&self->graph, cw_graph_unref);
  g_clear_object(&self->document);
  G_OBJECT_CLASS(cwu_note_editor_parent_class)->dispose(object);
}

static void
cwu_note_editor_class_init(CwuNoteEditorClass *class)
{
  G_OBJECT_CLASS(class)->dispose = cwu_note_editor_dispose;
  GTK_POPOVER_CLASS(class)->closed = cwu_note_editor_closed;
}

static void
cwu_note_editor_init(CwuNoteEditor *self)
{
  GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 8);
  GtkWidget *button = gtk_button_new_with_label(_("Keep"));
  GtkEventController *key = gtk_event_controller_key_new();
  gtk_widget_add_css_class(button, "suggested-action");
  gtk_widget_set_halign(button, GTK_ALIGN_END);
  gtk_widget_set_tooltip_text(button, _("Keep the note (Ctrl+Enter)"));
  gtk_box_append(GTK_BOX(box), scroller_new(self));
  gtk_box_append(GTK_BOX(box), button);
  gtk_popover_set_child(GTK_POPOVER(self), box);
  gtk_event_controller_set_propagation_phase(key, GTK_PHASE_CAPTURE);
  g_signal_connect(key, "key-pressed", G_CALLBACK(key_cb), self);
  g_signal_connect_swapped(button, "clicked", G_CALLBACK(gtk_popover_popdown), self);
  gtk_widget_add_controller(GTK_WIDGET(self), key);
}

CwuNoteEditor *
cwu_note_editor_new(CwuDocument *document, GtkBox *box)
{
  CwuNoteEditor *self = g_object_new(CWU_TYPE_NOTE_EDITOR, NULL);
  self->document = g_object_ref(document);
  gtk_widget_set_parent(GTK_WIDGET(self), GTK_WIDGET(box));
  return self;
}

static void
point_to(CwuNoteEditor *self, GtkWidget *beside)
{
  graphene_rect_t bounds;
  if (!gtk_widget_compute_bounds(beside, gtk_widget_get_parent(GTK_WIDGET(self)), &bounds))
    return;
  GdkRectangle at = { (int)bounds.origin.x, (int)bounds.origin.y, (int)bounds.size.width,
                      (int)bounds.size.height };
  gtk_popover_set_pointing_to(GTK_POPOVER(self), &at);
}

void
cwu_note_editor_open(CwuNoteEditor *self, GtkWidget *beside, int64_t node, uint64_t id)
{
  CwGraph *graph = cwu_document_peek_graph(self->document);
  const CwDocumentNote *note = find_note(self->document, id);
  if ((note == NULL && node < 0) || graph == NULL || self->graph != NULL)
    return;
  self->graph = cw_graph_ref(graph);
  self->node = node;
  self->id = note != NULL ? id : 0;
  self->is_given_up = false;
  gtk_text_buffer_set_text(gtk_text_view_get_buffer(GTK_TEXT_VIEW(self->text)),
                           note != NULL ? note->text : "", -1);
  point_to(self, beside);
  gtk_popover_popup(GTK_POPOVER(self));
  gtk_widget_grab_focus(self->text);
}
