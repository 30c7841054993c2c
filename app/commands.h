/* commands.h - the table rows, each defined in its command-NAME.c. */
#pragma once

#include "command.h"

extern const CwaCommand cwa_command_attribute;
extern const CwaCommand cwa_command_bench;
extern const CwaCommand cwa_command_cache;
extern const CwaCommand cwa_command_convert;
extern const CwaCommand cwa_command_eval;
extern const CwaCommand cwa_command_help;
extern const CwaCommand cwa_command_info;
extern const CwaCommand cwa_command_logits;
extern const CwaCommand cwa_command_prune;
extern const CwaCommand cwa_command_refit;
extern const CwaCommand cwa_command_render;
extern const CwaCommand cwa_command_tokenize;
extern const CwaCommand cwa_command_train;
