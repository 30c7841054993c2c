/* texts.h - the text that a command runs a model on: --text, --field, --context. */
#pragma once

#include "arguments.h"

#define CWA_OPTION_ROW_TEXT                                                                \
  {                                                                                        \
    "text", CWA_OPTION_PATH, "FILE...",                                                    \
        "text, JSON lines, token ids, or folders of them; files that follow are text too", \
        .is_repeatable = true                                                              \
  }
#define CWA_OPTION_ROW_FIELD                                                                 \
  {                                                                                          \
    "field", CWA_OPTION_TEXT, "NAME", "the member of JSON lines that holds the text", "text" \
  }
#define CWA_OPTION_ROW_CONTEXT                                                                 \
  {                                                                                            \
    "context", CWA_OPTION_INTEGER, "N", "tokens of a window, the start token included", "128", \
        2, 0x1p30                                                                              \
  }

#define CWA_OPTION_ROW_REDUCED                                                                \
  {                                                                                           \
    "reduced", CWA_OPTION_FLAG, NULL,                                                         \
        "run the model with 8-bit activations: about twice as fast, MLP outputs off by 1 to " \
        "5 %"                                                                                 \
  }

/* --text and operands, which are the files behind the first; ends with NULL. The strings are
 * borrowed. */
GPtrArray *cwa_texts_list(const CwaArguments *arguments);
