/* frame-image.c - see frame-image.h. */
#include "graph/frame-image.h"

#include <math.h>

#define IMAGE_KEY "clew-image"

bool
cwu_frame_image_is_wanted(GtkWidget *widget)
{
  GtkNative *native = gtk_widget_get_native(widget);
  GskRenderer *renderer = native != NULL ? gtk_native_get_renderer(native) : NULL;
  return renderer != NULL && GSK_IS_CAIRO_RENDERER(renderer);
}

void
cwu_frame_image_clear(CwuFrameImage *image)
{
  for (size_t i = 0; i < G_N_ELEMENTS(image->images); i++)
    g_clear_pointer(&image->images[i], cairo_surface_destroy);
}

static bool
image_fits(cairo_surface_t *image, int width, int height, double scale)
{
  double x, y;
  if (image == NULL)
    return false;
  cairo_surface_get_device_scale(image, &x, &y);
  return cairo_image_surface_get_width(image) == width &&
         cairo_image_surface_get_height(image) == height && x == scale;
}

cairo_t *
cwu_frame_image_begin(CwuFrameImage *image, const CwuRect *all, double scale)
{
  int width = (int)ceil(all->width * scale), height = (int)ceil(all->height * scale);
  image->turn = !image->turn;
  cairo_surface_t **now = &image->images[image->turn];
  if (!image_fits(*now, width, height, scale)) {
    g_clear_pointer(now, cairo_surface_destroy);
    *now = cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height);
    if (cairo_surface_status(*now) != CAIRO_STATUS_SUCCESS) {
      g_clear_pointer(now, cairo_surface_destroy);
      return NULL;
    }
    cairo_surface_set_device_scale(*now, scale, scale);
  }
  return cairo_create(*now);
}

GskRenderNode *
cwu_frame_image_end(CwuFrameImage *image, cairo_t *cr, const CwuRect *all)
{
  cairo_destroy(cr);
  graphene_rect_t bounds =
      GRAPHENE_RECT_INIT((float)all->x, (float)all->y, (float)all->width, (float)all->height);
  GskRenderNode *node = gsk_cairo_node_new(&bounds);
  cr = gsk_cairo_node_get_draw_context(node);
  cairo_set_source_surface(cr, image->images[image->turn], all->x, all->y);
  cairo_paint(cr);
  cairo_destroy(cr);
  return node;
}

GdkTexture *
cwu_frame_texture_new(cairo_surface_t *image)
{
  int stride = cairo_image_surface_get_stride(image);
  int width = cairo_image_surface_get_width(image);
  int height = cairo_image_surface_get_height(image);
  g_autoptr(GBytes) bytes = g_bytes_new_with_free_func(
      cairo_image_surface_get_data(image), (gsize)stride * (gsize)height,
      (GDestroyNotify)cairo_surface_destroy, cairo_surface_reference(image));
  GdkTexture *texture =
      gdk_memory_texture_new(width, height, GDK_MEMORY_DEFAULT, bytes, (gsize)stride);
  cairo_surface_set_device_offset(image, 0, 0);
  cairo_surface_set_device_scale(image, 1, 1);
  g_object_set_data_full(G_OBJECT(texture), IMAGE_KEY, cairo_surface_reference(image),
                         (GDestroyNotify)cairo_surface_destroy);
  return texture;
}

cairo_surface_t *
cwu_frame_texture_peek_image(GdkTexture *texture)
{
  return g_object_get_data(G_OBJECT(texture), IMAGE_KEY);
}
