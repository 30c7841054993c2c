/* test-draft.c - what is typed and not traced, in the real window: undone and done again by the
 * keys that undo everything else, saved and read back. Wants an X display and xdotool. */
#include <string.h>

#include "session-support.h"
#include "trace/settings-popover.h"
#include "trace/token-view.h"

#define SAMPLE "data/samples/capital-of-france.clew"
#define DRAFT  "Rome is the capital of"

typedef struct {
  Session session;
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
  session_open(&f->session, NULL);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
  session_close(&f->session);
}

static CwuDocument *
document_of(Fixture *f)
{
  return session_document(&f->session);
}

static CwDocument *
core_of(Fixture *f)
{
  return cwu_document_peek_core(document_of(f));
}

static char *
dup_text(Fixture *f)
{
  GtkWidget *view = session_find(GTK_WIDGET(f->session.window), CWU_TYPE_TOKEN_VIEW);
  return cwu_token_view_dup_text(CWU_TOKEN_VIEW(view));
}

/* Bar and document say the same. */
static bool
is_prompt(Fixture *f, const char *prompt)
{
  g_autofree char *text = dup_text(f);
  const char *held = cw_document_state_peek_prompt(cw_document_peek_state(core_of(f)));
  g_assert_cmpstr(text, ==, held);
  return strcmp(text, prompt) == 0;
}

static void
press_until(Fixture *f, const char *keys, size_t position)
{
  for (size_t i = 0; cw_document_get_position(core_of(f)) != position; i++) {
    size_t before = cw_document_get_position(core_of(f));
    session_keys(keys);
    session_until(cw_document_get_position(core_of(f)) != before);
  }
}

static void
open_sample(Fixture *f)
{
  g_autofree char *path = g_build_filename(g_getenv("CLEW_SOURCE_ROOT"), SAMPLE, NULL);
  g_autoptr(GFile) file = g_file_new_for_path(path);
  cwu_page_open(f->session.window->page, file);
  session_until(cwu_document_peek_graph(document_of(f)) != NULL);
  session_settle(&f->session);
}

/* On a slow machine the letters may be more steps than one, never fewer letters. */
static void
test_new_tab(Fixture *f, gconstpointer data)
{
  cwu_page_edit_prompt(f->session.window->page);
  session_type(DRAFT);
  session_until(is_prompt(f, DRAFT));
  size_t n = cw_document_get_position(core_of(f));
  g_assert_cmpuint(n, >=, 1);
  g_assert_cmpstr(cw_document_get_step(core_of(f), n).subject, ==, DRAFT);
  press_until(f, "ctrl+z", 0);
  g_assert_true(is_prompt(f, ""));
  press_until(f, "ctrl+shift+z", n);
  g_assert_true(is_prompt(f, DRAFT));
  press_until(f, "ctrl+z", n - 1);
  press_until(f, "ctrl+y", n);
  g_assert_true(is_prompt(f, DRAFT));
}

/* One order for all: what was typed between two other edits is undone between them. */
static void
test_between_edits(Fixture *f, gconstpointer data)
{
  open_sample(f);
  CwDocument *core = core_of(f);
  g_autofree char *traced = dup_text(f);
  cw_document_set_thresholds(core, 0.5, 0.9);
  cwu_document_sync(document_of(f));
  cwu_page_edit_prompt(f->session.window->page); /* selects all, so that typing replaces it */
  session_type(DRAFT);
  session_until(is_prompt(f, DRAFT));
  size_t typed = cw_document_get_position(core);
  cw_document_set_thresholds(core, 0.6, 0.9);
  cwu_document_sync(document_of(f));
  press_until(f, "ctrl+z", typed);
  g_assert_true(is_prompt(f, DRAFT));
  g_assert_cmpfloat(cw_document_state_get_node_threshold(cw_document_peek_state(core)), ==,
                    0.5);
  press_until(f, "ctrl+z", 1);
  g_assert_true(is_prompt(f, traced));
  g_assert_cmpfloat(cw_document_state_get_node_threshold(cw_document_peek_state(core)), ==,
                    0.5);
  press_until(f, "ctrl+z", 0);
  g_assert_true(cwu_document_is_saved(document_of(f)));
  /* From the picture, too. */
  gtk_widget_grab_focus(GTK_WIDGET(cwu_page_peek_view(f->session.window->page)));
  press_until(f, "ctrl+shift+z", typed);
  g_assert_true(is_prompt(f, DRAFT));
}

/* What an undo brings back is where the cursor is, not at the end. */
static void
test_cursor(Fixture *f, gconstpointer data)
{
  GtkWidget *view = session_find(GTK_WIDGET(f->session.window), CWU_TYPE_TOKEN_VIEW);
  GtkTextBuffer *buffer = gtk_text_view_get_buffer(GTK_TEXT_VIEW(view));
  static const char *const texts[] = { "",   "Zürich liegt", "Zürich lag", "Zurich lag",
                                       "Z",  "ZZ",           "ü",          "ö",
                                       "aöa" };
  static const int cursors[] = { 0, 12, 10, 2, 1, 2, 1, 1, 3 };
  for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
    int cursor;
    cwu_token_view_set_text(CWU_TOKEN_VIEW(view), texts[i]);
    g_assert_true(is_prompt(f, texts[i]));
    g_object_get(buffer, "cursor-position", &cursor, NULL);
    g_assert_cmpint(cursor, ==, cursors[i]);
  }
}

/* Without a model: what is missing is said where the graph would be, with the way to choose
 * one; the start page is there again when nothing is typed. */
static void
test_no_model(Fixture *f, gconstpointer data)
{
  GtkWidget *page = GTK_WIDGET(f->session.window->page);
  cwu_page_edit_prompt(f->session.window->page);
  session_type(DRAFT);
  session_until(is_prompt(f, DRAFT));
  session_settle(&f->session);
  GtkWidget *status = session_find(page, ADW_TYPE_STATUS_PAGE);
  const char *says = adw_status_page_get_description(ADW_STATUS_PAGE(status));
  g_assert_nonnull(strstr(says, "./packaging/start"));
  g_signal_emit_by_name(
      session_find(adw_status_page_get_child(ADW_STATUS_PAGE(status)), GTK_TYPE_BUTTON),
      "clicked");
  session_until(gtk_widget_get_mapped(session_find(page, CWU_TYPE_SETTINGS_POPOVER)));
  gtk_popover_popdown(GTK_POPOVER(session_find(page, CWU_TYPE_SETTINGS_POPOVER)));
  session_settle(&f->session);
  press_until(f, "ctrl+z", 0);
  session_until(!gtk_widget_get_mapped(status));
  open_sample(f);
  press_until(f, "ctrl+shift+z", cw_document_get_n_steps(core_of(f)) - 1);
  g_assert_false(gtk_widget_get_mapped(status));
}

typedef struct {
  bool is_done;
  GError *error;
} Saving;

static void
saved_cb(GObject *source, GAsyncResult *result, gpointer data)
{
  Saving *saving = data;
  cwu_document_save_finish(CWU_DOCUMENT(source), result, &saving->error);
  saving->is_done = true;
}

static void
test_saved(Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename(session_folder(), "draft.clew", NULL);
  g_autoptr(GFile) file = g_file_new_for_path(path);
  Saving saving = { false, NULL };
  open_sample(f);
  cwu_page_edit_prompt(f->session.window->page);
  session_type(DRAFT);
  session_until(is_prompt(f, DRAFT));
  g_assert_true(cwu_page_is_unsaved(f->session.window->page));
  cwu_document_save_async(document_of(f), file, FALSE, saved_cb, &saving);
  session_until(saving.is_done);
  g_assert_no_error(saving.error);
  g_assert_false(cwu_page_is_unsaved(f->session.window->page));
  press_until(f, "ctrl+z", 0);
  cwu_page_open(f->session.window->page, file);
  session_until(is_prompt(f, DRAFT));
  g_assert_cmpuint(cw_document_get_n_steps(core_of(f)), ==, 1);
}

int
main(int argc, char **argv)
{
  static const struct {
    const char *name;
    void (*run)(Fixture *, gconstpointer);
  } cases[] = { { "/ui/draft/undone-by-the-same-keys", test_new_tab },
                { "/ui/draft/undone-in-its-turn", test_between_edits },
                { "/ui/draft/cursor-is-where-it-changed", test_cursor },
                { "/ui/draft/says-that-there-is-no-model", test_no_model },
                { "/ui/draft/saved-and-read-back", test_saved } };
  if (!session_init(&argc, &argv))
    return 0;
  for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
    g_test_add(cases[i].name, Fixture, NULL, set_up, cases[i].run, tear_down);
  return session_run();
}
