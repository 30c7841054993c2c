/* room.c - see room.h. */
#include "base/room.h"

#include <stdbool.h>
#include <stdint.h>

#include <stdlib.h>
#include <sys/mman.h>

#define LARGE_PAGE_BYTES ((size_t)2 << 20)

/* Whole large pages from half of one on: a last part of one would lie on small ones. */
static size_t
rounded_bytes(size_t n_bytes)
{
  if (n_bytes < LARGE_PAGE_BYTES / 2 || n_bytes > SIZE_MAX - LARGE_PAGE_BYTES)
    return MAX(n_bytes, 1);
  return (n_bytes + LARGE_PAGE_BYTES - 1) / LARGE_PAGE_BYTES * LARGE_PAGE_BYTES;
}

void *
cw_pages_new(size_t n_bytes)
{
  void *memory = NULL;
  n_bytes = rounded_bytes(n_bytes);
  bool is_large = n_bytes >= LARGE_PAGE_BYTES;
  if (posix_memalign(&memory, is_large ? LARGE_PAGE_BYTES : 64, n_bytes) != 0)
    return NULL;
  if (is_large)
    (void)madvise(memory, n_bytes, MADV_HUGEPAGE);
  return memory;
}

void *
cw_room_get(CwRoom *room, size_t n_bytes)
{
  if (room->memory != NULL && room->n_bytes >= n_bytes)
    return room->memory;
  cw_room_clear(room);
  room->memory = cw_pages_new(n_bytes);
  room->n_bytes = room->memory != NULL ? rounded_bytes(n_bytes) : 0;
  return room->memory;
}

void
cw_room_clear(CwRoom *room)
{
  free(room->memory);
  *room = (CwRoom){ 0 };
}

void
cw_toolbox_init(CwToolbox *box, GDestroyNotify free_tool)
{
  g_mutex_init(&box->mutex);
  box->tools = g_ptr_array_new_with_free_func(free_tool);
}

gpointer
cw_toolbox_take(CwToolbox *box)
{
  g_mutex_lock(&box->mutex);
  gpointer tool =
      box->tools->len > 0 ? g_ptr_array_steal_index(box->tools, box->tools->len - 1) : NULL;
  g_mutex_unlock(&box->mutex);
  return tool;
}

void
cw_toolbox_put(CwToolbox *box, gpointer tool)
{
  g_mutex_lock(&box->mutex);
  g_ptr_array_add(box->tools, tool);
  g_mutex_unlock(&box->mutex);
}

void
cw_toolbox_clear(CwToolbox *box)
{
  g_clear_pointer(&box->tools, g_ptr_array_unref);
  g_mutex_clear(&box->mutex);
}
