/* command.h - what a command of the program `clew` is: one table row that drives parsing, help
 * and completion, so that the three cannot differ. */
#pragma once

#include "arguments.h"
#include "run.h"

typedef struct _CwaCommand {
  const char *name;
  const char *summary;                   /* completes "clew NAME - ..." */
  const char *usage;                     /* what follows "clew NAME" in the usage line */
  const char *description;               /* paragraphs, separated by an empty line */
  const char *examples;                  /* one a line */
  const CwaOption *options;              /* ends with a name of NULL; may be NULL */
  int n_operands_least, n_operands_most; /* most -1: any number, passed on as they are */
  CwaOperandKind operand_kind;           /* what completion offers for them */
  /* What --device, --threads and --seed do here, as a sentence for the help. */
  const char *common_note;
  const char *when_interrupted; /* what Ctrl+C leaves; NULL: nothing was written */
  bool (*run)(CwaRun *run, GError **error);
} CwaCommand;

/* Ends with NULL. */
const CwaCommand *const *cwa_commands(void);
const CwaCommand *cwa_command_find(const char *name);
/* The options that every command has; ends with a name of NULL. */
const CwaOption *cwa_common_options(void);
/* The option of that name (without dashes), a command's own or a common one, or NULL. */
const CwaOption *cwa_command_find_option(const CwaCommand *command, const char *name);

/* The name nearest to a mistyped one, or NULL if none is near. */
const char *cwa_suggest_command(const char *typed);
const char *cwa_suggest_option(const CwaCommand *command, const char *typed);
