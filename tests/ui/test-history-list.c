/* test-history-list.c - every step of a history has a name, and the list shows the core's. */
#include <string.h>

#include "panes-support.h"
#include "panes/history-bar.h"
#include "panes/history-list.h"
#include "widget-test.h"

#define SAMPLE "capital-of-france.clew"

static void
check_name(CwDocumentEdit edit, const char *subject, const char *wanted)
{
  g_autofree char *name = cwu_step_dup_name((CwDocumentStep){ edit, subject });
  g_assert_cmpstr(name, ==, wanted);
}

static void
test_names(void)
{
  for (int edit = 0; edit < CW_N_EDITS; edit++) {
    g_autofree char *with = cwu_step_dup_name((CwDocumentStep){ (CwDocumentEdit)edit, "x%sx" });
    g_autofree char *without = cwu_step_dup_name((CwDocumentStep){ (CwDocumentEdit)edit, "" });
    g_assert_cmpuint(strlen(with), >, 3);
    g_assert_cmpuint(strlen(without), >, 3);
    g_assert_null(strstr(without, "%"));
  }
  check_name(CW_EDIT_PIN, "~ water, ice", "Pin “water, ice”");
  check_name(CW_EDIT_PIN, "", "Pin nodes");
  check_name(CW_EDIT_PIN, "100%s %d", "Pin “100%s %d”");
  check_name(CW_EDIT_ADD_NOTE, "two\nlines", "Note “two lines”");
  check_name(CW_EDIT_LABEL, "äöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöü",
             "Call it “äöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöü…”");
}

/* Some edits of many kinds, as a person would make them. */
static void
edit_much(PanesFixture *f)
{
  CwDocument *core = cwu_document_peek_core(f->document);
  const uint32_t nodes[] = { 1, 2 };
  cw_document_set_thresholds(core, 0.7, 0.9);
  cw_document_set_pinned(core, nodes, 1, true);
  cw_document_set_label(core, 1, "capitals");
  cw_document_add_note(core, 1, 0, 0, "look");
  cw_document_add_group(core, "both", nodes, 2);
  cw_document_set_gravity(core, 0.25);
  cw_document_set_place(core, 2, 1, 1);
  cwu_document_sync(f->document);
}

/* What the rows say, from the newest on. */
static char *
dup_wanted(CwDocument *core)
{
  GString *out = g_string_new(NULL);
  for (size_t i = cw_document_get_n_steps(core); i-- > 0;) {
    g_autofree char *name = cwu_step_dup_name(cw_document_get_step(core, i));
    g_string_append_printf(out, "%s|", name);
  }
  return g_string_free(out, FALSE);
}

static guint
count_marked(GtkWidget *widget)
{
  guint n = GTK_IS_LABEL(widget) && gtk_widget_has_css_class(widget, "present-step");
  for (GtkWidget *child = gtk_widget_get_first_child(widget); child != NULL;
       child = gtk_widget_get_next_sibling(child))
    n += count_marked(child);
  return n;
}

static void
check_list(PanesFixture *f, CwuHistoryList *list)
{
  CwDocument *core = cwu_document_peek_core(f->document);
  panes_settle(f);
  g_autofree char *words = panes_dup_words(GTK_WIDGET(list)), *wanted = dup_wanted(core);
  g_assert_cmpstr(words, ==, wanted);
  g_assert_cmpuint(count_marked(GTK_WIDGET(list)), ==, 1);
}

static void
test_list(PanesFixture *f, gconstpointer data)
{
  panes_open(f, SAMPLE);
  CwuHistoryList *list = cwu_history_list_new();
  cwu_history_list_set_document(list, f->document);
  panes_show(f, GTK_WIDGET(list), 320, 600);
  CwDocument *core = cwu_document_peek_core(f->document);
  check_list(f, list);
  edit_much(f);
  check_list(f, list);
  size_t n = cw_document_get_n_steps(core);
  GtkWidget *view = panes_find(GTK_WIDGET(list), GTK_TYPE_LIST_VIEW);
  for (size_t step = 0; step < n; step++) {
    g_signal_emit_by_name(view, "activate", (guint)(n - 1 - step));
    g_assert_cmpuint(cw_document_get_position(core), ==, step);
    check_list(f, list);
  }
  cwu_history_list_set_document(list, NULL);
  g_autofree char *nothing = panes_dup_words(GTK_WIDGET(list));
  g_assert_cmpstr(nothing, ==, "");
}

/* The buttons of an undo and of a redo name the step they take. */
static void
test_bar(PanesFixture *f, gconstpointer data)
{
  panes_open(f, SAMPLE);
  CwuHistoryBar *bar = cwu_history_bar_new();
  panes_show(f, GTK_WIDGET(bar), 320, 60);
  cwu_history_bar_set_document(bar, f->document);
  GtkWidget *undo = gtk_widget_get_first_child(GTK_WIDGET(bar));
  GtkWidget *redo = gtk_widget_get_next_sibling(undo);
  GtkWidget *menu = gtk_widget_get_next_sibling(redo);
  g_assert_cmpstr(gtk_widget_get_tooltip_text(undo), ==, "Undo (Ctrl+Z)");
  g_assert_false(gtk_widget_get_sensitive(menu));
  edit_much(f);
  g_assert_true(gtk_widget_get_sensitive(menu));
  panes_step(f, -1);
  g_assert_cmpstr(gtk_widget_get_tooltip_text(undo), ==, "Undo: Change the order (Ctrl+Z)");
  g_assert_true(g_str_has_prefix(gtk_widget_get_tooltip_text(redo), "Redo: Move "));
  for (int i = 0; i < 6; i++)
    panes_step(f, -1);
  g_assert_cmpstr(gtk_widget_get_tooltip_text(undo), ==, "Undo (Ctrl+Z)");
  g_assert_cmpstr(gtk_widget_get_tooltip_text(redo), ==,
                  "Redo: Move the thresholds (Shift+Ctrl+Z)");
}

int
main(int argc, char **argv)
{
  if (!widget_test_init(&argc, &argv))
    return 0;
  g_test_add_func("/ui/history-list/names", test_names);
  g_test_add("/ui/history-list/is-the-cores", PanesFixture, NULL, NULL, test_list, panes_close);
  g_test_add("/ui/history-list/buttons-name-steps", PanesFixture, NULL, NULL, test_bar,
             panes_close);
  return g_test_run();
}
