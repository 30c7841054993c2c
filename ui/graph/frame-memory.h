/* frame-memory.h - keeps what frames drawn in software are drawn on, instead of giving it back.
 *
 * A frame of 1440 x 900 px goes through three buffers of 5 MB: GTK's image, ours where it is
 * made anew, and the memory that cairo shares with the X server. The C library returned the
 * first two to the kernel after every frame, cairo the third with the whole segment it lay in,
 * so that each of 4,000 pages was asked for, cleared and mapped again: half of a frame's time.
 */
#pragma once

#include <gtk/gtk.h>

/* Of one widget. Zeroed is empty. */
typedef struct {
  cairo_surface_t *held; /* a small image in cairo's segment; NULL: none, or no X server */
  gsize bytes;           /* of the largest frame that it was made for */
} CwuFrameMemory;

/* To call before each frame of a widget whose window is drawn in software. */
void cwu_frame_memory_keep(CwuFrameMemory *memory, GtkWidget *widget);
void cwu_frame_memory_clear(CwuFrameMemory *memory);
