/* help.h - the texts of --help and the bash completion, made from the table of commands. */
#pragma once

#include "command.h"

char *cwa_help_dup_overview(void);
char *cwa_help_dup_command(const CwaCommand *command);
/* A bash script for `complete -F`; data/completions installs what this returns. */
char *cwa_help_dup_bash_completion(void);
