/* frame-memory.c - see frame-memory.h. */
#include "graph/frame-memory.h"

#include <malloc.h>

#ifdef GDK_WINDOWING_X11
#  include <cairo-xlib.h>
#  include <gdk/x11/gdkx.h>
#endif

#define HELD_PX 64 /* a side: more than the least that cairo shares, 4 KiB */

/* What glibc comes to by itself once a block of 32 MiB, its limit, has been freed: blocks up to
 * this size come from its heap, and up to twice as much that is free stays there. */
static void
keep_heap(void)
{
#ifdef __GLIBC__
  const int most = 32 << 20;
  mallopt(M_MMAP_THRESHOLD, most);
  mallopt(M_TRIM_THRESHOLD, 2 * most);
#endif
}

/* cairo makes a segment eight times as large as the first image wants, and keeps it while there
 * is an image in it. One as large as a frame makes one that is large enough; a small one
 * then stays there. */
static cairo_surface_t *
hold_segment(GdkSurface *surface, int width, int height)
{
#ifdef GDK_WINDOWING_X11
  if (!GDK_IS_X11_SURFACE(surface))
    return NULL;
  Display *display = gdk_x11_display_get_xdisplay(gdk_surface_get_display(surface));
  cairo_surface_t *window =
      cairo_xlib_surface_create(display, gdk_x11_surface_get_xid(surface),
                                DefaultVisual(display, DefaultScreen(display)), width, height);
  cairo_surface_t *frame =
      cairo_surface_create_similar_image(window, CAIRO_FORMAT_ARGB32, width, height);
  cairo_surface_t *held =
      cairo_surface_create_similar_image(window, CAIRO_FORMAT_ARGB32, HELD_PX, HELD_PX);
  cairo_surface_destroy(frame);
  cairo_surface_destroy(window);
  return held;
#else
  return NULL;
#endif
}

void
cwu_frame_memory_keep(CwuFrameMemory *memory, GtkWidget *widget)
{
  static gsize is_kept;
  GdkSurface *surface = gtk_native_get_surface(gtk_widget_get_native(widget));
  int scale = gdk_surface_get_scale_factor(surface);
  int width = scale * gdk_surface_get_width(surface);
  int height = scale * gdk_surface_get_height(surface);
  gsize bytes = (gsize)width * (gsize)height * 4;
  if (g_once_init_enter(&is_kept)) {
    keep_heap();
    g_once_init_leave(&is_kept, 1);
  }
  if (bytes <= memory->bytes)
    return;
  cwu_frame_memory_clear(memory);
  memory->held = hold_segment(surface, width, height);
  memory->bytes = bytes;
}

void
cwu_frame_memory_clear(CwuFrameMemory *memory)
{
  g_clear_pointer(&memory->held, cairo_surface_destroy);
  memory->bytes = 0;
}
