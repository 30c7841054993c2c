/* room.h - memory for data that passes by in megabytes: on large pages, and kept from one use
 * to the next, for a page that is new costs more than filling it. */
#pragma once

#include <glib.h>

/* On large pages of 2 MiB from half of one on, 64-byte aligned below; not cleared. free() frees
 * it. NULL if there is none. */
void *cw_pages_new(size_t n_bytes);

typedef struct {
  void *memory;
  size_t n_bytes;
} CwRoom;

/* At least n_bytes; what was there is lost where it has to grow. NULL if there is none. */
void *cw_room_get(CwRoom *room, size_t n_bytes);
void cw_room_clear(CwRoom *room);

/* Tools that threads take and put back; the one put back last, which the processor's cache
 * still holds, goes first. */
typedef struct {
  GMutex mutex;
  GPtrArray *tools;
} CwToolbox;

void cw_toolbox_init(CwToolbox *box, GDestroyNotify free_tool);
/* NULL if none is left: then the caller makes one. */
gpointer cw_toolbox_take(CwToolbox *box);
void cw_toolbox_put(CwToolbox *box, gpointer tool);
void cw_toolbox_clear(CwToolbox *box);
