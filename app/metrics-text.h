/* metrics-text.h - a line of a training's metrics for people. */
#pragma once

#include <glib.h>

/* "step 120: loss 0.5321, explained variance 0.612, L0 12.3, 4 dead, 1890 tokens/s"; of a
 * held-out evaluation its numbers; the line itself where it is neither. Transfer full. */
char *cwa_metrics_dup_text(const char *json);
