/* run-draft.h - a run before it is started: what a form asks for, and the command line that
 * comes of it. No widget in it. Main thread. */
#pragma once

#include "cw-runs.h"

G_BEGIN_DECLS

typedef enum {
  CWU_FIELD_INTEGER,
  CWU_FIELD_NUMBER,
  CWU_FIELD_FLAG, /* "true", "false" */
  CWU_FIELD_CHOICE,
  CWU_FIELD_TEXT,
  CWU_FIELD_PATH, /* of a file or folder */
  CWU_FIELD_PATHS /* several, a line each */
} CwuFieldKind;

/* One thing that may be set. Titles and helps are translated where a form shows them first; the
 * rest have the names and words of the command line. */
typedef struct {
  const char *key;   /* of the settings, or the option's name: "d_latent", "quantise" */
  const char *title; /* of its row */
  const char *help, *unit;
  CwuFieldKind kind;
  const char *const *choices;
  double least, most;
  bool is_common;   /* among the first */
  bool is_required; /* has no default */
} CwuField;

typedef struct _CwuRunDraft CwuRunDraft;

CwuRunDraft *cwu_run_draft_new(CwRunKind kind);
void cwu_run_draft_free(CwuRunDraft *draft);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwuRunDraft, cwu_run_draft_free)

CwRunKind cwu_run_draft_get_kind(const CwuRunDraft *draft);
/* Fields in the order of a form: common ones first. */
size_t cwu_run_draft_get_n_fields(const CwuRunDraft *draft);
const CwuField *cwu_run_draft_peek_field(const CwuRunDraft *draft, size_t i);
/* The field of that key; ends the program if there is none. */
size_t cwu_run_draft_find(const CwuRunDraft *draft, const char *key);

/* What was set, "" where the default holds. Any text is kept, also a wrong one. */
void cwu_run_draft_set(CwuRunDraft *draft, size_t i, const char *text);
const char *cwu_run_draft_peek(const CwuRunDraft *draft, size_t i);
/* The default, which may depend on the preset and the length of the run; "" if there is none.
 * Transfer full. */
char *cwu_run_draft_dup_initial(const CwuRunDraft *draft, size_t i);
/* What holds: the text that was set, or the default. Transfer full. */
char *cwu_run_draft_dup_value(const CwuRunDraft *draft, size_t i);
/* Whether it means anything beside the others: k only with a gate that counts. What does not is
 * left out of the command line. */
bool cwu_run_draft_is_relevant(const CwuRunDraft *draft, size_t i);

/* Name of the run and its folder; "" leaves it to Clew. */
void cwu_run_draft_set_name(CwuRunDraft *draft, const char *name);
const char *cwu_run_draft_peek_name(const CwuRunDraft *draft);

/* Why the field cannot stay so, to be shown beside it; NULL: it can. Transfer full. */
char *cwu_run_draft_dup_error(const CwuRunDraft *draft, size_t i);
/* Why the name cannot; folders beside it are in root, may be NULL. Transfer full. */
char *cwu_run_draft_dup_name_error(const CwuRunDraft *draft, const char *root);

/* Arguments for cw_runs_start(). Transfer full. */
GStrv cwu_run_draft_dup_arguments(const CwuRunDraft *draft);
/* The command line, as one would paste it into a shell; the run's folder is below root.
 * Transfer full. */
char *cwu_run_draft_dup_command(const CwuRunDraft *draft, const char *root);
/* The same of a run in its folder. */
char *cwu_run_dup_command(CwRunKind kind, const char *folder, const char *const *arguments);
/* Tokens that a training reads, NAN where they cannot be known. */
double cwu_run_draft_get_tokens(const CwuRunDraft *draft);

G_END_DECLS
