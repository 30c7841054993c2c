/* autosave-store.c - see autosave-store.h. */
#include "models/autosave-store.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/file.h>
#include <unistd.h>

#define AFTER_EDIT_MS  1500
#define NOT_OFTENER_US (10 * G_USEC_PER_SEC)
#define LOCK           "lock"
#define GROUP          "document"

struct _CwuAutosaveStore {
  gint n_references;
  char *root; /* of all processes */
  char *own;  /* this one's folder, NULL before it is needed */
  int lock;   /* descriptor, -1: none */
  guint n_copies;
};

struct _CwuAutosave {
  gint n_references;
  CwuAutosaveStore *store;
  CwuDocument *document; /* NULL after free */
  char *path;            /* of the copy, NULL: there is none */
  CwDocumentState *kept; /* what the copy holds, NULL: not known */
  gint64 kept_us;        /* when it was written */
  guint timeout;
  bool is_writing;
};

/* ---- the folder ------------------------------------------------------------------------ */

CwuAutosaveStore *
cwu_autosave_store_new(const char *folder)
{
  CwuAutosaveStore *store = g_new0(CwuAutosaveStore, 1);
  store->n_references = 1;
  store->root = folder != NULL
                    ? g_strdup(folder)
                    : g_build_filename(g_get_user_state_dir(), "clew", "autosave", NULL);
  store->lock = -1;
  return store;
}

CwuAutosaveStore *
cwu_autosave_store_ref(CwuAutosaveStore *store)
{
  store->n_references++;
  return store;
}

void
cwu_autosave_store_unref(CwuAutosaveStore *store)
{
  if (store == NULL || --store->n_references > 0)
    return;
  if (store->own != NULL) {
    g_autofree char *lock = g_build_filename(store->own, LOCK, NULL);
    g_unlink(lock);
    g_rmdir(store->own); /* Not if a copy is still in it. */
  }
  if (store->lock >= 0)
    close(store->lock);
  g_free(store->own);
  g_free(store->root);
  g_free(store);
}

/* A descriptor that holds the folder's lock, -1 if its process lives. */
static int
take_lock(const char *folder)
{
  g_autofree char *path = g_build_filename(folder, LOCK, NULL);
  int descriptor = g_open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (descriptor < 0 || flock(descriptor, LOCK_EX | LOCK_NB) == 0)
    return descriptor;
  close(descriptor);
  return -1;
}

static bool
ensure_own(CwuAutosaveStore *store)
{
  if (store->own != NULL)
    return true;
  g_autofree char *template = g_build_filename(store->root, "XXXXXX", NULL);
  if (g_mkdir_with_parents(store->root, 0700) != 0 || g_mkdtemp_full(template, 0700) == NULL) {
    g_message("No copies of unsaved documents are kept: %s: %s", store->root,
              g_strerror(errno));
    return false;
  }
  store->own = g_steal_pointer(&template);
  store->lock = take_lock(store->own);
  return true;
}

static char *
new_path(CwuAutosaveStore *store)
{
  g_autofree char *name = g_strdup_printf("%u.clew", ++store->n_copies);
  return ensure_own(store) ? g_build_filename(store->own, name, NULL) : NULL;
}

static char *
facts_path(const char *copy)
{
  return g_strconcat(copy, ".ini", NULL);
}

static void
remove_copy(const char *path)
{
  g_autofree char *facts = facts_path(path);
  g_unlink(path);
  g_unlink(facts);
}

/* ---- what others left ------------------------------------------------------------------ */

void
cwu_recovered_free(CwuRecovered *recovered)
{
  g_object_unref(recovered->copy);
  g_clear_object(&recovered->file);
  g_free(recovered);
}

static GFile *
read_file_of(const char *copy)
{
  g_autofree char *facts = facts_path(copy);
  g_autoptr(GKeyFile) keys = g_key_file_new();
  g_autofree char *uri = NULL;
  if (g_key_file_load_from_file(keys, facts, 0, NULL))
    uri = g_key_file_get_string(keys, GROUP, "uri", NULL);
  return uri != NULL && *uri != '\0' ? g_file_new_for_uri(uri) : NULL;
}

static void
adopt(CwuAutosaveStore *store, const char *copy, GPtrArray *found)
{
  g_autofree char *to = new_path(store);
  if (to == NULL)
    return;
  g_autofree char *facts = facts_path(copy), *facts_to = facts_path(to);
  CwuRecovered *recovered = g_new0(CwuRecovered, 1);
  recovered->file = read_file_of(copy);
  g_rename(facts, facts_to);
  recovered->copy = g_file_new_for_path(g_rename(copy, to) == 0 ? to : copy);
  g_ptr_array_add(found, recovered);
}

/* What is left of copies that were being written, of facts without a copy, and the lock. */
static void
remove_rest(const char *folder)
{
  g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
    g_autofree char *path = g_build_filename(folder, name, NULL);
    if (!g_str_has_suffix(name, ".clew"))
      g_unlink(path);
  }
}

static void
adopt_folder(CwuAutosaveStore *store, const char *folder, GPtrArray *found)
{
  int lock = take_lock(folder);
  if (lock < 0)
    return;
  g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
    g_autofree char *path = g_build_filename(folder, name, NULL);
    if (g_str_has_suffix(name, ".clew"))
      adopt(store, path, found);
  }
  remove_rest(folder);
  close(lock);
  g_rmdir(folder);
}

GPtrArray *
cwu_autosave_store_recover(CwuAutosaveStore *store)
{
  GPtrArray *found = g_ptr_array_new_with_free_func((GDestroyNotify)cwu_recovered_free);
  g_autoptr(GDir) dir = g_dir_open(store->root, 0, NULL);
  g_autoptr(GPtrArray) folders = g_ptr_array_new_with_free_func(g_free);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name(dir)) != NULL)
    g_ptr_array_add(folders, g_build_filename(store->root, name, NULL));
  for (guint i = 0; i < folders->len; i++)
    if (g_strcmp0(folders->pdata[i], store->own) != 0)
      adopt_folder(store, folders->pdata[i], found);
  return found;
}

/* ---- one document ---------------------------------------------------------------------- */

static void
autosave_unref(CwuAutosave *autosave)
{
  if (--autosave->n_references > 0)
    return;
  cwu_autosave_store_unref(autosave->store);
  cw_document_state_unref(autosave->kept);
  g_free(autosave->path);
  g_free(autosave);
}

static void plan(CwuAutosave *autosave);

static void
written_cb(GObject *source, GAsyncResult *result, gpointer user_data)
{
  CwuAutosave *autosave = user_data;
  g_autoptr(GError) error = NULL;
  autosave->is_writing = false;
  autosave->kept_us = g_get_monotonic_time();
  if (!cwu_document_save_finish(CWU_DOCUMENT(source), result, &error)) {
    g_message("A copy of an unsaved document could not be kept: %s", error->message);
    g_clear_pointer(&autosave->kept, cw_document_state_unref);
  }
  if (autosave->document == NULL)
    remove_copy(autosave->path);
  else
    plan(autosave);
  autosave_unref(autosave);
}

static void
write_facts(CwuAutosave *autosave)
{
  GFile *file = cwu_document_peek_file(autosave->document);
  g_autoptr(GKeyFile) keys = g_key_file_new();
  g_autofree char *uri = file != NULL ? g_file_get_uri(file) : g_strdup("");
  g_autofree char *path = facts_path(autosave->path);
  g_key_file_set_string(keys, GROUP, "uri", uri);
  g_key_file_save_to_file(keys, path, NULL);
}

static gboolean
write_cb(gpointer user_data)
{
  CwuAutosave *autosave = user_data;
  autosave->timeout = 0;
  if (autosave->path == NULL)
    autosave->path = new_path(autosave->store);
  if (autosave->path == NULL)
    return G_SOURCE_REMOVE;
  g_autoptr(GFile) file = g_file_new_for_path(autosave->path);
  CwDocumentState *state = cwu_document_peek_state(autosave->document);
  cw_document_state_unref(autosave->kept);
  autosave->kept = cw_document_state_ref(state);
  autosave->is_writing = true;
  autosave->n_references++;
  write_facts(autosave);
  cwu_document_save_async(autosave->document, file, TRUE, written_cb, autosave);
  return G_SOURCE_REMOVE;
}

/* Sees to it that a copy of what is unsaved is written, and one of what is saved is not kept.
 */
static void
plan(CwuAutosave *autosave)
{
  CwuDocument *document = autosave->document;
  if (autosave->is_writing)
    return; /* Its end plans anew. */
  g_clear_handle_id(&autosave->timeout, g_source_remove);
  if (cwu_document_is_saved(document)) {
    if (autosave->path != NULL)
      remove_copy(autosave->path);
    g_clear_pointer(&autosave->path, g_free);
    g_clear_pointer(&autosave->kept, cw_document_state_unref);
    return;
  }
  if (cwu_document_peek_graph(document) == NULL ||
      autosave->kept == cwu_document_peek_state(document))
    return;
  gint64 wait_us = autosave->kept_us + NOT_OFTENER_US - g_get_monotonic_time();
  if (autosave->path == NULL)
    wait_us = 0; /* The first copy is not kept waiting. */
  autosave->timeout =
      g_timeout_add((guint)MAX(AFTER_EDIT_MS, wait_us / 1000), write_cb, autosave);
}

static void
changed_cb(CwuAutosave *autosave)
{
  plan(autosave);
}

CwuAutosave *
cwu_autosave_new(CwuAutosaveStore *store, CwuDocument *document, GFile *copy)
{
  CwuAutosave *autosave = g_new0(CwuAutosave, 1);
  autosave->n_references = 1;
  autosave->store = cwu_autosave_store_ref(store);
  autosave->document = document;
  autosave->path = copy != NULL ? g_file_get_path(copy) : NULL;
  g_signal_connect_swapped(document, "changed", G_CALLBACK(changed_cb), autosave);
  g_signal_connect_swapped(document, "notify::is-saved", G_CALLBACK(changed_cb), autosave);
  if (copy != NULL)
    autosave->kept = cw_document_state_ref(cwu_document_peek_state(document));
  return autosave;
}

void
cwu_autosave_free(CwuAutosave *autosave)
{
  if (autosave == NULL)
    return;
  g_clear_handle_id(&autosave->timeout, g_source_remove);
  g_signal_handlers_disconnect_by_data(autosave->document, autosave);
  autosave->document = NULL;
  if (autosave->path != NULL && !autosave->is_writing)
    remove_copy(autosave->path);
  autosave_unref(autosave);
}
