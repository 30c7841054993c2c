/* run-record.c - see run-record.h. */
#include "runs/run-record.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "files/bounded-read.h"
#include "files/json-scan.h"
#include "graph/json-writer.h"
#include "runs/run-lock.h"

#define FORMAT         "clew-run"
#define VERSION        1
#define PLAN           "run.json"
#define REQUEST        "request"
#define MAX_PLAN_BYTES ((size_t)1 << 20)
#define MAX_REASON     2000

/* ---- run.json ---------------------------------------------------------------------------
 */

void
cw_run_plan_clear(CwRunPlan *plan)
{
  g_clear_pointer(&plan->arguments, g_strfreev);
  g_clear_pointer(&plan->program, g_free);
}

bool
cw_run_plan_write(const char *folder, CwRunKind kind, const char *const *arguments,
                  GError **error)
{
  g_autofree char *path = g_build_filename(folder, PLAN, NULL);
  CwJsonWriter writer;
  if (!cw_json_writer_begin(&writer, path, NULL, error))
    return false;
  cw_json_writer_print(&writer,
                       "{\n  \"format\": \"" FORMAT "\",\n  \"version\": %d,\n"
                       "  \"kind\": \"%s\",\n  \"program\": \"" CLEW_VERSION "\",\n"
                       "  \"created\": %" G_GINT64_FORMAT ",\n  \"arguments\": [",
                       VERSION, cw_run_kind_name(kind), g_get_real_time() / G_USEC_PER_SEC);
  for (size_t i = 0; arguments[i] != NULL; i++) {
    cw_json_writer_print(&writer, "%s", i > 0 ? ", " : "");
    cw_json_writer_string(&writer, arguments[i]);
  }
  cw_json_writer_print(&writer, "]\n}\n");
  return cw_json_writer_finish(&writer);
}

static bool
is_wrong(const char *path, const char *what, GError **error)
{
  g_set_error(error, CW_ERROR, CW_ERROR_FORMAT, "%s: %s", path, what);
  return false;
}

static bool
kind_from_name(const char *name, CwRunKind *kind)
{
  for (CwRunKind k = CW_RUN_CACHE; k <= CW_RUN_EVALUATION; k++)
    if (g_strcmp0(name, cw_run_kind_name(k)) == 0) {
      *kind = k;
      return true;
    }
  return false;
}

static const char *
string_member(JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member(object, name);
  return node != NULL && json_node_get_value_type(node) == G_TYPE_STRING
             ? json_node_get_string(node)
             : NULL;
}

static double
number_member(JsonObject *object, const char *name, double otherwise)
{
  JsonNode *node = json_object_get_member(object, name);
  GType type = node != NULL ? json_node_get_value_type(node) : G_TYPE_INVALID;
  return type == G_TYPE_INT64 || type == G_TYPE_DOUBLE ? json_node_get_double(node) : otherwise;
}

static int64_t
integer_member(JsonObject *object, const char *name, int64_t otherwise)
{
  JsonNode *node = json_object_get_member(object, name);
  return node != NULL && json_node_get_value_type(node) == G_TYPE_INT64
             ? json_node_get_int(node)
             : otherwise;
}

/* NULL where there is no array of strings. */
static char **
strings_member(JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member(object, name);
  if (node == NULL || !JSON_NODE_HOLDS_ARRAY(node))
    return NULL;
  JsonArray *array = json_node_get_array(node);
  g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
  for (guint i = 0; i < json_array_get_length(array); i++) {
    JsonNode *element = json_array_get_element(array, i);
    if (json_node_get_value_type(element) != G_TYPE_STRING)
      return NULL;
    g_strv_builder_add(builder, json_node_get_string(element));
  }
  return g_strv_builder_end(builder);
}

static bool
parse_plan(JsonObject *object, const char *path, CwRunPlan *plan, GError **error)
{
  CwRunKind kind;
  if (g_strcmp0(string_member(object, "format"), FORMAT) != 0)
    return is_wrong(path, "has no \"format\": \"" FORMAT "\"; it is another program's", error);
  if (integer_member(object, "version", 0) != VERSION)
    return is_wrong(path, "was written by a newer Clew; open it with that", error);
  if (!kind_from_name(string_member(object, "kind"), &kind))
    return is_wrong(path, "its \"kind\" is not cache, train or eval", error);
  char **arguments = strings_member(object, "arguments");
  if (arguments == NULL)
    return is_wrong(path, "its \"arguments\" are no array of strings", error);
  *plan = (CwRunPlan){ kind, arguments, g_strdup(string_member(object, "program")),
                       integer_member(object, "created", 0) };
  return true;
}

static bool
has(const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename(folder, name, NULL);
  return g_file_test(path, G_FILE_TEST_EXISTS);
}

bool
cw_run_is_folder(const char *folder)
{
  return has(folder, PLAN) || (has(folder, "settings.json") && has(folder, "metrics.jsonl"));
}

bool
cw_run_plan_read(const char *folder, CwRunPlan *plan, GError **error)
{
  g_autofree char *path = g_build_filename(folder, PLAN, NULL);
  if (!g_file_test(folder, G_FILE_TEST_IS_DIR)) {
    g_set_error(error, CW_ERROR, CW_ERROR_NOT_FOUND,
                "%s: is not there; it was moved, or its disk is not mounted", folder);
    return false;
  }
  if (!g_file_test(path, G_FILE_TEST_EXISTS) && cw_run_is_folder(folder)) {
    *plan = (CwRunPlan){ .kind = CW_RUN_TRAINING };
    return true;
  }
  g_autoptr(JsonNode) root = cw_json_load(path, MAX_PLAN_BYTES, error);
  return root != NULL && parse_plan(json_node_get_object(root), path, plan, error);
}

const char *
cw_run_kind_output(CwRunKind kind)
{
  static const char *const names[] = {
    [CW_RUN_CACHE] = "cache", [CW_RUN_TRAINING] = ".", [CW_RUN_EVALUATION] = "report.json"
  };
  return names[kind];
}

/* ---- worker.json ------------------------------------------------------------------------
 */

void
cw_run_pulse_clear(CwRunPulse *pulse)
{
  g_clear_pointer(&pulse->host, g_free);
  g_clear_pointer(&pulse->phase, g_free);
  g_clear_pointer(&pulse->reason, g_free);
}

/* Field 22 of stat; the command's name before it is in parentheses and may hold any byte. */
int64_t
cw_run_process_start(int64_t pid)
{
  g_autofree char *path = g_strdup_printf("/proc/%" G_GINT64_FORMAT "/stat", pid);
  g_autofree char *text = NULL;
  long long start = 0;
  const char *after = NULL;
  if (g_file_get_contents(path, &text, NULL, NULL))
    after = strrchr(text, ')');
  if (after == NULL || sscanf(after + 1,
                              " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d "
                              "%*d %*d %*d %*d %lld",
                              &start) != 1)
    return 0;
  return start;
}

void
cw_run_pulse_init(CwRunPulse *pulse, bool is_launching)
{
  *pulse = (CwRunPulse){ .pid = is_launching ? 0 : getpid(),
                         .host = g_strdup(g_get_host_name()),
                         .fraction = NAN,
                         .seconds_left = NAN };
  if (!is_launching)
    pulse->pid_start = cw_run_process_start(pulse->pid);
}

static void
add_text(GString *json, const char *key, const char *text)
{
  if (text == NULL)
    return;
  g_string_append_printf(json, ", \"%s\": ", key);
  cw_json_append_string(json, text);
}

static void
add_number(GString *json, const char *key, double value)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  if (isfinite(value))
    g_string_append_printf(json, ", \"%s\": %s", key,
                           g_ascii_formatd(text, sizeof text, "%.6g", value));
}

static GString *
pulse_text(const CwRunPulse *pulse, size_t max_reason)
{
  GString *json = g_string_new(NULL);
  g_string_append_printf(json,
                         "{\"pid\": %" G_GINT64_FORMAT ", \"pid_start\": %" G_GINT64_FORMAT,
                         pulse->pid, pulse->pid_start);
  add_text(json, "host", pulse->host);
  add_text(json, "phase", pulse->phase);
  add_number(json, "fraction", pulse->fraction);
  add_number(json, "seconds_left", pulse->seconds_left);
  if (pulse->ended_s != 0)
    g_string_append_printf(json, ", \"ended\": %" G_GINT64_FORMAT ", \"exit_status\": %d",
                           pulse->ended_s, pulse->exit_status);
  g_autofree char *reason = pulse->reason != NULL ? g_strndup(pulse->reason, max_reason) : NULL;
  add_text(json, "reason", reason);
  g_string_append_c(json, '}');
  return json;
}

bool
cw_run_pulse_write(int fd, const CwRunPulse *pulse)
{
  char page[CW_RUN_PULSE_BYTES];
  size_t max_reason = MAX_REASON;
  GString *json = pulse_text(pulse, max_reason);
  /* Escapes may make a short text long. */
  while (json->len >= sizeof page && max_reason > 0) {
    max_reason /= 2;
    g_string_free(json, TRUE);
    json = pulse_text(pulse, max_reason);
  }
  memset(page, ' ', sizeof page);
  memcpy(page, json->str, MIN(json->len, sizeof page - 1));
  page[sizeof page - 1] = '\n';
  g_string_free(json, TRUE);
  return pwrite(fd, page, sizeof page, 0) == (ssize_t)sizeof page;
}

bool
cw_run_pulse_parse(const char *text, size_t n_bytes, CwRunPulse *pulse)
{
  g_autoptr(JsonNode) root =
      cw_json_parse(text, n_bytes, CW_RUN_PULSE_BYTES, CW_RUN_LOCK_FILE, NULL);
  if (root == NULL)
    return false;
  JsonObject *object = json_node_get_object(root);
  cw_run_pulse_clear(pulse);
  *pulse = (CwRunPulse){ .pid = integer_member(object, "pid", 0),
                         .pid_start = integer_member(object, "pid_start", 0),
                         .host = g_strdup(string_member(object, "host")),
                         .phase = g_strdup(string_member(object, "phase")),
                         .fraction = number_member(object, "fraction", NAN),
                         .seconds_left = number_member(object, "seconds_left", NAN),
                         .ended_s = integer_member(object, "ended", 0),
                         .exit_status = (int)integer_member(object, "exit_status", 0),
                         .reason = g_strdup(string_member(object, "reason")) };
  return true;
}

/* ---- request ----------------------------------------------------------------------------
 */

CwRunAsked
cw_run_asked_read(const char *folder)
{
  g_autofree char *path = g_build_filename(folder, REQUEST, NULL);
  size_t n_bytes;
  g_autofree char *text = cw_file_read_bounded(path, 64, &n_bytes, NULL);
  if (text == NULL)
    return CW_RUN_ASKED_NOTHING;
  return g_str_has_prefix(text, "pause") ? CW_RUN_ASKED_PAUSE : CW_RUN_ASKED_STOP;
}

void
cw_run_asked_write(const char *folder, CwRunAsked asked)
{
  g_autofree char *path = g_build_filename(folder, REQUEST, NULL);
  if (asked == CW_RUN_ASKED_NOTHING)
    g_unlink(path);
  else
    g_file_set_contents(path, asked == CW_RUN_ASKED_PAUSE ? "pause\n" : "stop\n", -1, NULL);
}
