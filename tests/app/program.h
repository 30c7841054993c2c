/* program.h - runs the program `clew` as a user would and keeps what it said. */
#pragma once

#include "test-support.h"

typedef struct {
  int status; /* exit status; 128 + n if signal n ended it */
  char *out, *err;
} Outcome;

void outcome_free(Outcome *outcome);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Outcome, outcome_free)

/* Runs clew with the arguments up to NULL. */
Outcome *run_clew(const char *first, ...) G_GNUC_NULL_TERMINATED;
/* The same with an array; a signal is sent after `signal_after_ms` unless it is negative. */
Outcome *run_clew_signalled(const char *const *arguments, int signal, int signal_after_ms);
/* The same with the program in front. */
Outcome *run_program_signalled(const char *const *argv, int signal, int signal_after_ms);

#define assert_status(outcome, expected)                                                       \
  G_STMT_START                                                                                 \
  {                                                                                            \
    if ((outcome)->status != (expected))                                                       \
      g_error("exit status %d, not %d\nstdout: %s\nstderr: %s", (outcome)->status, (expected), \
              (outcome)->out, (outcome)->err);                                                 \
  }                                                                                            \
  G_STMT_END
#define assert_contains(text, part)                                                \
  G_STMT_START                                                                     \
  {                                                                                \
    if (strstr((text), (part)) == NULL)                                            \
      g_error("%s:%d: \"%s\" is not in:\n%s", __FILE__, __LINE__, (part), (text)); \
  }                                                                                \
  G_STMT_END
