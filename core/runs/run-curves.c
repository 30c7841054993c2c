/* run-curves.c - see run-curves.h.
 *
 * Every number of a line is a point of the curve of its key; x is the line's "step", or
 * "seconds" of a cache, which has no steps.
 * A curve has room for N_MOST points. When it is full, each group of four neighbours is
 * replaced by its lowest and its highest, and from then on points come in groups twice as long:
 * memory and the time to draw stay bounded, peaks stay where they were, and the whole is evenly
 * dense whatever the run's length. Rejected: means, which hide the spike one looks for. */
#include "runs/run-curves.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files/json-scan.h"

#define READ_BYTES ((size_t)256 << 10)
#define MAX_LINE_BYTES                                                   \
  ((size_t)1 << 20) /* beyond 10,000 layers; a longer one is passed over \
                     */
#define MAX_CURVES 64
#define N_MOST     4096
#define MARK_BYTES 64

/* A curve while it grows: settled points, then the group under way as its lowest, its highest
 * and its newest point. */
typedef struct {
  char *key;
  double *x, *y;    /* [N_MOST + 3] */
  size_t n_settled; /* of x and y */
  size_t stride;    /* points in a group; 1 until the first thinning */
  size_t n_group;   /* points of the group so far */
  double low[2], high[2], newest[2];
} Growing;

struct _CwRunCurves {
  char *path;
  off_t at;              /* what is read of the file */
  char mark[MARK_BYTES]; /* the bytes before `at`: still there, or the file was cut */
  size_t n_mark;
  GArray *growing;   /* Growing */
  GArray *shown;     /* CwRunCurve */
  GHashTable *lines; /* key to the newest line with it, a GRefString */
};

static void
clear_growing(gpointer data)
{
  Growing *curve = data;
  g_free(curve->key);
  g_free(curve->x);
  g_free(curve->y);
}

CwRunCurves *
cw_run_curves_new(const char *folder)
{
  CwRunCurves *curves = g_new0(CwRunCurves, 1);
  curves->path = g_build_filename(folder, "metrics.jsonl", NULL);
  curves->growing = g_array_new(FALSE, FALSE, sizeof(Growing));
  g_array_set_clear_func(curves->growing, clear_growing);
  curves->shown = g_array_new(FALSE, FALSE, sizeof(CwRunCurve));
  curves->lines = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                        (GDestroyNotify)g_ref_string_release);
  return curves;
}

void
cw_run_curves_free(CwRunCurves *curves)
{
  if (curves == NULL)
    return;
  g_array_unref(curves->growing);
  g_array_unref(curves->shown);
  g_hash_table_unref(curves->lines);
  g_free(curves->path);
  g_free(curves);
}

static void
forget(CwRunCurves *curves)
{
  g_array_set_size(curves->growing, 0);
  g_array_set_size(curves->shown, 0);
  g_hash_table_remove_all(curves->lines);
  curves->at = 0;
  curves->n_mark = 0;
}

/* ---- points -----------------------------------------------------------------------------
 */

static void
settle(Growing *curve, const double point[2])
{
  curve->x[curve->n_settled] = point[0];
  curve->y[curve->n_settled++] = point[1];
}

/* Appends a group's lowest and highest in the order in which they came; one if they are one. */
static void
settle_pair(Growing *curve, const double low[2], const double high[2])
{
  const double *first = low[0] <= high[0] ? low : high;
  const double *second = first == low ? high : low;
  settle(curve, first);
  if (second[0] != first[0])
    settle(curve, second);
}

/* NaN neither is the lowest nor the highest unless all are. */
static void
take_extremes(double low[2], double high[2], double x, double y)
{
  if (!(low[1] <= y))
    low[0] = x, low[1] = y;
  if (!(high[1] >= y))
    high[0] = x, high[1] = y;
}

static void
thin(Growing *curve)
{
  size_t n = curve->n_settled;
  curve->n_settled = 0;
  for (size_t i = 0; i < n; i += 4) {
    double low[2] = { curve->x[i], curve->y[i] }, high[2] = { curve->x[i], curve->y[i] };
    for (size_t k = i + 1; k < MIN(i + 4, n); k++)
      if (!isnan(curve->y[k]))
        take_extremes(low, high, curve->x[k], curve->y[k]);
    settle_pair(curve, low, high);
  }
  curve->stride *= curve->stride == 1 ? 4 : 2;
}

/* Points that go back are another run's, in a file that was put together by hand. */
static void
add_point(Growing *curve, double x, double y)
{
  if (x <= curve->newest[0])
    return;
  if (curve->n_group == 0 || isnan(curve->low[1]))
    curve->low[0] = curve->high[0] = x, curve->low[1] = curve->high[1] = y;
  else if (!isnan(y))
    take_extremes(curve->low, curve->high, x, y);
  curve->newest[0] = x;
  curve->newest[1] = y;
  if (++curve->n_group < curve->stride)
    return;
  if (curve->n_settled + 2 > N_MOST)
    thin(curve);
  settle_pair(curve, curve->low, curve->high);
  curve->n_group = 0;
}

/* The group under way behind the settled points, where a reader looks. */
static CwRunCurve
show(Growing *curve)
{
  size_t n_settled = curve->n_settled;
  if (curve->n_group > 0) {
    settle_pair(curve, curve->low, curve->high);
    if (curve->x[curve->n_settled - 1] < curve->newest[0])
      settle(curve, curve->newest);
  }
  CwRunCurve shown = { curve->key, curve->n_settled, curve->x, curve->y };
  curve->n_settled = n_settled;
  return shown;
}

static Growing *
find_curve(CwRunCurves *curves, const char *prefix, const char *name)
{
  g_autofree char *key = g_strconcat(prefix, name, NULL);
  for (guint i = 0; i < curves->growing->len; i++) {
    Growing *curve = &g_array_index(curves->growing, Growing, i);
    if (strcmp(curve->key, key) == 0)
      return curve;
  }
  if (curves->growing->len == MAX_CURVES)
    return NULL;
  Growing curve = { .key = g_steal_pointer(&key), .stride = 1, .newest = { -INFINITY } };
  curve.x = g_new(double, N_MOST + 3);
  curve.y = g_new(double, N_MOST + 3);
  g_array_append_val(curves->growing, curve);
  return &g_array_index(curves->growing, Growing, curves->growing->len - 1);
}

/* ---- lines ------------------------------------------------------------------------------
 */

/* A number, or null for one that JSON lacks. */
static bool
read_number(JsonNode *node, double *value)
{
  GType type = JSON_NODE_HOLDS_NULL(node) ? G_TYPE_INVALID : json_node_get_value_type(node);
  *value = JSON_NODE_HOLDS_NULL(node) ? NAN : json_node_get_double(node);
  return JSON_NODE_HOLDS_NULL(node) || type == G_TYPE_INT64 || type == G_TYPE_DOUBLE;
}

static void
add_members(CwRunCurves *curves, const char *prefix, JsonObject *object, double x)
{
  JsonObjectIter iter;
  const char *name;
  JsonNode *node;
  json_object_iter_init_ordered(&iter, object);
  while (json_object_iter_next_ordered(&iter, &name, &node)) {
    double y;
    if (JSON_NODE_HOLDS_OBJECT(node) && *prefix == '\0') {
      g_autofree char *inner = g_strconcat(name, "/", NULL);
      add_members(curves, inner, json_node_get_object(node), x);
    } else if (!JSON_NODE_HOLDS_OBJECT(node) && !JSON_NODE_HOLDS_ARRAY(node) &&
               read_number(node, &y)) {
      Growing *curve = find_curve(curves, prefix, name);
      if (curve != NULL)
        add_point(curve, x, y);
    }
  }
}

/* One copy of a line, shared by its keys. */
static void
keep_line(CwRunCurves *curves, JsonObject *object, const char *line, size_t n)
{
  char *kept = g_ref_string_new_len(line, (gssize)n);
  g_autoptr(GList) names = json_object_get_members(object);
  for (GList *l = names; l != NULL; l = l->next)
    g_hash_table_replace(curves->lines, g_strdup(l->data), g_ref_string_acquire(kept));
  g_ref_string_release(kept);
}

/* What is no line of metrics is passed over: the others still show. */
static void
read_line(CwRunCurves *curves, const char *line, size_t n)
{
  g_autoptr(JsonNode) root = cw_json_parse(line, n, MAX_LINE_BYTES, curves->path, NULL);
  if (root == NULL)
    return;
  JsonObject *object = json_node_get_object(root);
  JsonNode *node = json_object_get_member(object, "step");
  double x;
  if (node == NULL)
    node = json_object_get_member(object, "seconds");
  if (node == NULL || !JSON_NODE_HOLDS_VALUE(node) || !read_number(node, &x))
    return;
  add_members(curves, "", object, x);
  keep_line(curves, object, line, n);
}

/* ---- the file ---------------------------------------------------------------------------
 */

/* Whether the bytes before `at` are those that were read. */
static bool
is_as_read(const CwRunCurves *curves, int fd, off_t size)
{
  char now[MARK_BYTES];
  off_t from = curves->at - (off_t)curves->n_mark;
  return size >= curves->at &&
         pread(fd, now, curves->n_mark, from) == (ssize_t)curves->n_mark &&
         memcmp(now, curves->mark, curves->n_mark) == 0;
}

/* Goes on behind n more bytes, the last of which are at `text + n`. */
static void
advance(CwRunCurves *curves, const char *text, size_t n)
{
  curves->at += (off_t)n;
  if (n == 0)
    return;
  curves->n_mark = MIN(n, MARK_BYTES);
  memcpy(curves->mark, text + n - curves->n_mark, curves->n_mark);
}

/* Whole lines of the text; how many bytes they have. A line that has no end within the buffer
 * is longer than any of ours and is passed over in pieces. */
static size_t
read_lines(CwRunCurves *curves, const char *text, size_t n)
{
  size_t done = 0;
  const char *end;
  while ((end = memchr(text + done, '\n', n - done)) != NULL) {
    size_t length = (size_t)(end - text) - done;
    if (length > 0)
      read_line(curves, text + done, length);
    done += length + 1;
  }
  return done == 0 && n == READ_BYTES ? n : done;
}

static void
show_all(CwRunCurves *curves)
{
  g_array_set_size(curves->shown, 0);
  for (guint i = 0; i < curves->growing->len; i++) {
    CwRunCurve shown = show(&g_array_index(curves->growing, Growing, i));
    g_array_append_val(curves->shown, shown);
  }
}

static unsigned
read_piece(CwRunCurves *curves, int fd, off_t size)
{
  g_autofree char *text = g_try_malloc(READ_BYTES);
  ssize_t got = text != NULL ? pread(fd, text, READ_BYTES, curves->at) : -1;
  if (got <= 0)
    return 0;
  size_t n = read_lines(curves, text, (size_t)got);
  advance(curves, text, n);
  if (n == 0)
    return 0;
  show_all(curves);
  return CW_RUN_CURVES_CHANGED |
         (size > curves->at && (size_t)got == READ_BYTES ? CW_RUN_HAS_MORE : 0);
}

unsigned
cw_run_curves_read(CwRunCurves *curves)
{
  struct stat info;
  int fd = g_open(curves->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
  bool is_file = fd >= 0 && fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
  unsigned changes = 0;
  if (curves->at > 0 && (!is_file || !is_as_read(curves, fd, info.st_size))) {
    forget(curves);
    changes = CW_RUN_CURVES_CHANGED;
  }
  if (is_file && info.st_size > curves->at)
    changes |= read_piece(curves, fd, info.st_size);
  if (fd >= 0)
    close(fd);
  return changes;
}

const CwRunCurve *
cw_run_curves_peek(const CwRunCurves *curves, size_t *n)
{
  *n = curves->shown->len;
  return (const CwRunCurve *)(const void *)curves->shown->data;
}

const char *
cw_run_curves_peek_line(const CwRunCurves *curves, const char *key)
{
  return g_hash_table_lookup(curves->lines, key);
}
