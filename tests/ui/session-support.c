/* session-support.c - see session-support.h.
 *
 * xdotool reads commands from a pipe for as long as the test runs. That it answers a question
 * says that the X server has seen all before it; after a round trip of our own, all of it lies
 * in our queue. No window manager runs: the window stands at the corner of the screen. */
#include "session-support.h"

#include <errno.h>
#include <gdk/x11/gdkx.h>
#include <link.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "test-support.h"

#define DRAG_STEPS 8

static struct {
  char *folder;
  AdwApplication *application;
  int commands, answers; /* pipes of xdotool */
  GPid pid;
  guint n_shots;
} session;

const char *
session_folder(void)
{
  return session.folder;
}

/* ---- what has arrived ------------------------------------------------------------------- */

static bool
has_answer(void)
{
  struct pollfd file = { session.answers, POLLIN, 0 };
  return poll(&file, 1, 0) > 0;
}

/* All that was sent so far is in the queue of the display. */
static void
sync_hands(void)
{
  char answer[256];
  session_send("getmouselocation");
  session_until(has_answer());
  if (read(session.answers, answer, sizeof answer) <= 0)
    g_error("xdotool has gone");
  gdk_display_sync(gdk_display_get_default());
}

static gboolean
count_cb(GtkWidget *widget, GdkFrameClock *clock, gpointer n_frames)
{
  (*(int *)n_frames)++;
  return G_SOURCE_CONTINUE;
}

static bool
is_busy(Session *self)
{
  CwuPage *page = self->window->page;
  gboolean is_loading = FALSE;
  CwuDocument *document = cwu_page_peek_document(page);
  CwuGraphView *view = cwu_page_peek_view(page);
  g_object_get(document, "is-loading", &is_loading, NULL);
  return is_loading || cwu_document_is_pruning(document) ||
         (gtk_widget_get_mapped(GTK_WIDGET(view)) && !cwu_graph_view_is_at_rest(view));
}

void
session_settle(Session *self)
{
  int n_frames = 0;
  sync_hands();
  guint tick =
      gtk_widget_add_tick_callback(GTK_WIDGET(self->window), count_cb, &n_frames, NULL);
  session_until(n_frames >= 3 && !is_busy(self));
  gtk_widget_remove_tick_callback(GTK_WIDGET(self->window), tick);
}

/* ---- hands ------------------------------------------------------------------------------ */

void
session_send(const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  g_autofree char *command = g_strdup_vprintf(format, arguments);
  va_end(arguments);
  g_autofree char *line = g_strconcat(command, "\n", NULL);
  if (write(session.commands, line, strlen(line)) != (ssize_t)strlen(line))
    g_error("xdotool takes no commands: %s", g_strerror(errno));
}

void
session_keys(const char *keys)
{
  session_send("key --delay 1 %s", keys);
}

void
session_type(const char *text)
{
  session_send("type --delay 1 \"%s\"", text);
}

void
session_copy(GtkWidget *widget, const char *text)
{
  GdkClipboard *clipboard = gtk_widget_get_clipboard(widget);
  do {
    gdk_clipboard_set_text(clipboard, text);
    sync_hands();
    session_turn_for(20);
  } while (!gdk_clipboard_is_local(clipboard));
}

static void
point(const char *command, GtkWidget *widget, double x, double y)
{
  GtkNative *native = gtk_widget_get_native(widget);
  GdkSurface *surface = gtk_native_get_surface(native);
  graphene_point_t at = GRAPHENE_POINT_INIT((float)x, (float)y);
  double left, top;
  int scale = gdk_surface_get_scale_factor(surface);
  g_assert_true(gtk_widget_compute_point(widget, GTK_WIDGET(native), &at, &at));
  gtk_native_get_surface_transform(native, &left, &top);
  session_send("%s --window %lu %d %d", command, gdk_x11_surface_get_xid(surface),
               (int)((left + (double)at.x) * scale), (int)((top + (double)at.y) * scale));
}

void
session_point(GtkWidget *widget, double x, double y)
{
  point("mousemove", widget, x, y);
}

void
session_click(guint button)
{
  session_send("click %u", button);
}

void
session_drag(GtkWidget *widget, double x, double y, double dx, double dy)
{
  session_point(widget, x, y);
  session_send("mousedown 1");
  for (int i = 1; i <= DRAG_STEPS; i++) {
    session_point(widget, x + dx * i / DRAG_STEPS, y + dy * i / DRAG_STEPS);
    session_turn_for(20);
  }
  session_send("mouseup 1");
  sync_hands();
}

void
session_focus(GtkWindow *window)
{
  session_until(gtk_widget_get_mapped(GTK_WIDGET(window)));
  GdkSurface *surface = gtk_native_get_surface(GTK_NATIVE(window));
  gdk_display_sync(gdk_display_get_default());
  session_send("windowfocus %lu", gdk_x11_surface_get_xid(surface));
  session_until(gtk_window_is_active(window));
}

/* ---- the window ------------------------------------------------------------------------- */

static void
read_size(int *width, int *height)
{
  const char *size = g_getenv("CLEW_TEST_SIZE");
  *width = 1440;
  *height = 900;
  if (size != NULL && sscanf(size, "%dx%d", width, height) != 2)
    g_error("CLEW_TEST_SIZE is \"%s\", not as \"1024x600\"", size);
}

void
session_open(Session *self, const char *model)
{
  g_autofree char *samples =
      g_build_filename(g_getenv("CLEW_SOURCE_ROOT"), "data", "samples", NULL);
  g_autofree char *transcoder =
      g_build_filename(g_getenv("CLEW_SOURCE_ROOT"), "data", "smollm2-clt", NULL);
  CwuPlaces places = { samples, model, model != NULL ? transcoder : NULL };
  int width, height;
  self->context = cwu_context_new(&places);
  self->window = cwu_window_new(session.application, self->context);
  read_size(&width, &height);
  gtk_window_set_default_size(GTK_WINDOW(self->window), width, height);
  gtk_window_present(GTK_WINDOW(self->window));
  session_focus(GTK_WINDOW(self->window));
}

void
session_close(Session *self)
{
  gpointer window = self->window, context = self->context;
  sync_hands();
  self->window->may_close = TRUE;
  g_object_add_weak_pointer(G_OBJECT(self->window), &window);
  g_object_add_weak_pointer(G_OBJECT(self->context), &context);
  gtk_window_close(GTK_WINDOW(self->window));
  session_until(window == NULL);
  g_object_unref(self->context);
  session_until(context == NULL);
  session_watch_end_session();
}

CwuDocument *
session_document(Session *self)
{
  return cwu_page_peek_document(self->window->page);
}

typedef bool (*Match)(GtkWidget *widget, gconstpointer data);

static GtkWidget *
find(GtkWidget *widget, Match match, gconstpointer data)
{
  if (!gtk_widget_get_mapped(widget))
    return NULL;
  if (match(widget, data))
    return widget;
  GtkWidget *found = NULL;
  for (GtkWidget *child = gtk_widget_get_first_child(widget); child != NULL && found == NULL;
       child = gtk_widget_get_next_sibling(child))
    found = find(child, match, data);
  return found;
}

static bool
has_type(GtkWidget *widget, gconstpointer type)
{
  return g_type_is_a(G_OBJECT_TYPE(widget), *(const GType *)type);
}

GtkWidget *
session_find(GtkWidget *widget, GType type)
{
  GtkWidget *found = find(widget, has_type, &type);
  if (found == NULL)
    g_error("no %s is shown", g_type_name(type));
  return found;
}

static bool
has_class(GtkWidget *widget, gconstpointer name)
{
  return gtk_widget_has_css_class(widget, name);
}

GtkWidget *
session_find_class(GtkWidget *widget, const char *name)
{
  return find(widget, has_class, name);
}

void
session_shoot(Session *self, const char *name)
{
  const char *folder = g_getenv("CLEW_TEST_SCREENSHOTS");
  if (folder == NULL)
    return;
  GtkWidget *window = GTK_WIDGET(self->window);
  int scale = gtk_widget_get_scale_factor(window);
  g_autofree char *path = g_strdup_printf("%s/%02u-%s.png", folder, ++session.n_shots, name);
  g_autofree char *part = g_strdup_printf("%dx%d+0+0", gtk_widget_get_width(window) * scale,
                                          gtk_widget_get_height(window) * scale);
  const char *argv[] = { "import", "-window", "root", "-crop", part, path, NULL };
  g_autoptr(GError) error = NULL;
  session_settle(self);
  g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL,
               &error);
  g_assert_no_error(error);
}

/* ---- setting up ------------------------------------------------------------------------- */

/* Data, state and settings of the one who runs the tests stay as they are; the model is found
 * where it was. */
static void
use_own_folders(void)
{
  static const char *const variables[] = { "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME",
                                           "XDG_CACHE_HOME" };
  session.folder = test_temp_dir();
  if (g_getenv("CLEW_TEST_SMOLLM2") == NULL) {
    const char *data = g_getenv("XDG_DATA_HOME");
    g_autofree char *usual = g_build_filename(g_get_home_dir(), ".local", "share", NULL);
    g_autofree char *model =
        g_build_filename(data != NULL && *data != '\0' ? data : usual, "clew", "models",
                         "SmolLM2-135M-Instruct.Q4_1.gguf", NULL);
    g_setenv("CLEW_TEST_SMOLLM2", model, TRUE);
  }
  for (size_t i = 0; i < G_N_ELEMENTS(variables); i++) {
    g_autofree char *folder = g_build_filename(session.folder, variables[i], NULL);
    g_setenv(variables[i], folder, TRUE);
  }
  g_setenv("GSETTINGS_BACKEND", "memory", TRUE);
  g_setenv("GDK_BACKEND", "x11", FALSE);
}

#ifdef __SANITIZE_ADDRESS__
/* GLib gives its table of names up when it grows, on purpose, since others may be reading it.
 * What points at the first table is its own data as they are now: a copy keeps it found. */
static int
keep_table_cb(struct dl_phdr_info *library, size_t size, void *data)
{
  static char *copies[8];
  static guint n_copies;
  for (int i = 0; i < library->dlpi_phnum && strstr(library->dlpi_name, "libglib-2.0") != NULL;
       i++) {
    const ElfW(Phdr) *part = &library->dlpi_phdr[i];
    if (part->p_type == PT_LOAD && (part->p_flags & PF_W) && n_copies < G_N_ELEMENTS(copies))
      copies[n_copies++] =
          g_memdup2((const void *)(library->dlpi_addr + part->p_vaddr), part->p_memsz);
  }
  return 0;
}
#endif

static bool
start_hands(void)
{
  const char *argv[] = { "xdotool", "-", NULL };
  return g_spawn_async_with_pipes(
      NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_CLOEXEC_PIPES, NULL, NULL,
      &session.pid, &session.commands, &session.answers, NULL, NULL);
}

bool
session_init(int *argc, char ***argv)
{
#ifdef __SANITIZE_ADDRESS__
  dl_iterate_phdr(keep_table_cb, NULL);
#endif
  g_test_init(argc, argv, NULL);
  use_own_folders();
  bool has_display = gtk_init_check() && GDK_IS_X11_DISPLAY(gdk_display_get_default());
  if (!has_display || !start_hands()) {
    g_print("1..0 # SKIP %s\n", has_display ? "no xdotool" : "no X display");
    test_remove_tree(session.folder);
    g_free(session.folder);
    return false;
  }
  session.application =
      adw_application_new("io.github.clew_circuits.ClewSession", G_APPLICATION_NON_UNIQUE);
  g_assert_true(g_application_register(G_APPLICATION(session.application), NULL, NULL));
  cwu_window_install_keys(GTK_APPLICATION(session.application));
  if (g_getenv("CLEW_TEST_DARK") != NULL)
    adw_style_manager_set_color_scheme(adw_style_manager_get_default(),
                                       ADW_COLOR_SCHEME_FORCE_DARK);
  const char *scale = g_getenv("CLEW_TEST_TYPE_SCALE"); /* 1.5: half as large again */
  if (scale != NULL)
    g_object_set(gtk_settings_get_default(), "gtk-xft-dpi",
                 (int)(96 * 1024 * g_ascii_strtod(scale, NULL)), NULL);
  session_watch_start();
  return true;
}

int
session_run(void)
{
  int status = g_test_run();
  g_object_unref(session.application);
  close(session.commands);
  close(session.answers);
  g_spawn_close_pid(session.pid);
  test_remove_tree(session.folder);
  g_free(session.folder);
  return status;
}
