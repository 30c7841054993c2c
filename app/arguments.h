/* arguments.h - the command line of one command, parsed by its table of options. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Wrong usage, as opposed to a failure: exit status 2. */
#define CWA_USAGE_ERROR (cwa_usage_error_quark())
GQuark cwa_usage_error_quark(void);

typedef enum {
  CWA_OPTION_FLAG,
  CWA_OPTION_TEXT,
  CWA_OPTION_PATH,
  CWA_OPTION_INTEGER, /* within least .. most */
  CWA_OPTION_NUMBER,  /* within least .. most */
  CWA_OPTION_CHOICE,  /* one of choices */
  CWA_OPTION_PAIR     /* two texts */
} CwaOptionKind;

typedef struct {
  const char *name; /* without dashes */
  CwaOptionKind kind;
  const char *value; /* how help calls the value: "FILE" */
  const char *help;
  const char *initial; /* the value without the option, as one would type it; NULL: none */
  double least, most;
  const char *const *choices; /* ends with NULL */
  const char *needs;          /* has a meaning only with this option */
  const char *excludes;       /* contradicts these options, separated by spaces */
  bool is_required, is_repeatable;
  char letter; /* short form, or 0 */
} CwaOption;

typedef enum {
  CWA_OPERAND_NONE,
  CWA_OPERAND_FILE,
  CWA_OPERAND_TEXT,
  CWA_OPERAND_COMMAND,
  CWA_OPERAND_BENCH
} CwaOperandKind;

struct _CwaCommand;
typedef struct _CwaArguments CwaArguments;

/* argv: what follows the command's name. Every value is checked against the table; errors are
 * CWA_USAGE_ERROR and say what to write instead. With --help nothing else is checked. */
CwaArguments *cwa_arguments_parse(const struct _CwaCommand *command, int argc, char **argv,
                                  GError **error);
void cwa_arguments_free(CwaArguments *arguments);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwaArguments, cwa_arguments_free)

/* Values by option name; asking for a name that the table lacks is a mistake of the program.
 * Without the option: its initial value, else false, NULL, 0. */
bool cwa_arguments_has(const CwaArguments *arguments, const char *name); /* was it typed? */
bool cwa_arguments_flag(const CwaArguments *arguments, const char *name);
const char *cwa_arguments_text(const CwaArguments *arguments, const char *name);
int64_t cwa_arguments_integer(const CwaArguments *arguments, const char *name);
double cwa_arguments_number(const CwaArguments *arguments, const char *name);
/* All values of a repeatable option or of a pair; NULL-terminated, borrowed. */
const char *const *cwa_arguments_texts(const CwaArguments *arguments, const char *name);
size_t cwa_arguments_n_operands(const CwaArguments *arguments);
const char *cwa_arguments_operand(const CwaArguments *arguments, size_t i);
/* What was typed, as words that mean the same wherever they are given: paths are absolute.
 * Options named in `except` (ends with NULL) are left out. NULL-terminated; transfer full. */
char **cwa_arguments_dup_words(const CwaArguments *arguments, const char *const *except);
