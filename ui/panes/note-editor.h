/* note-editor.h - a small window to write a note in. */
#pragma once

#include <gtk/gtk.h>

#include "models/document.h"

G_BEGIN_DECLS

#define CWU_TYPE_NOTE_EDITOR (cwu_note_editor_get_type())
G_DECLARE_FINAL_TYPE(CwuNoteEditor, cwu_note_editor, CWU, NOTE_EDITOR, GtkPopover)

/* Belongs to the box: it goes with it, and opens beside what is in it. */
CwuNoteEditor *cwu_note_editor_new(CwuDocument *document, GtkBox *box);
/* id 0: a new note on the node, else that note. Ctrl+Enter, the button and a click elsewhere
 * keep the note, Escape does not; one left empty goes. */
void cwu_note_editor_open(CwuNoteEditor *self, GtkWidget *beside, int64_t node, uint64_t id);

/* The first note on a node, 0: it has none. */
uint64_t cwu_note_find(CwuDocument *document, int64_t node);

G_END_DECLS
