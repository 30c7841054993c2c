/* graph-view-draw.c - a frame of the canvas.
 *
 * Two textures (all edges, edges of the selection; made by the runner, moved and stretched
 * until newer ones arrive) between two cairo nodes (ground; nodes and words), then what is
 * hovered and the minimap. The cairo nodes are kept while nothing in them changes, so that
 * hovering redraws one card. Where GTK draws in software, ground, textures, nodes and words are
 * one image instead (frame-image.h). The main thread never strokes an edge. */
#include <math.h>

#include "desktop/theme-watch.h"
#include "graph/graph-view-private.h"
#include "graph/minimap.h"

static void
ensure_canvases(CwuGraphView *self)
{
  double scale = cwu_graph_view_scale(self);
  if (self->front != NULL && self->canvas_scale == scale)
    return;
  CwuCanvas **canvases[] = { &self->ground, &self->front, &self->hover };
  for (size_t i = 0; i < G_N_ELEMENTS(canvases); i++) {
    g_clear_pointer(canvases[i], cwu_canvas_free);
    *canvases[i] = cwu_canvas_cairo_new(scale);
  }
  self->canvas_scale = scale;
}

/* ---- kept nodes ------------------------------------------------------------------------- */

void
cwu_graph_view_clear_frame(CwuGraphView *self)
{
  CwuFrame *frame = &self->frame;
  g_clear_pointer(&frame->ground, gsk_render_node_unref);
  g_clear_pointer(&frame->front, gsk_render_node_unref);
  g_clear_object(&frame->mass);
  g_clear_object(&frame->focus);
  g_clear_pointer(&frame->layout, cwu_layout_unref);
  g_clear_pointer(&frame->state, cw_document_state_unref);
}

static bool
same_rect(const CwuRect *a, const CwuRect *b)
{
  return a->x == b->x && a->y == b->y && a->width == b->width && a->height == b->height;
}

static bool
frame_fits(CwuGraphView *self, const CwuPicture *picture, const CwuRect *all)
{
  const CwuFrame *frame = &self->frame;
  const CwuCamera *a = &frame->camera, *b = &picture->camera;
  int64_t selected = picture->focus != NULL ? picture->focus->selected : -1;
  return frame->ground != NULL && frame->layout == picture->layout &&
         frame->state == picture->state && frame->theme == picture->theme &&
         frame->selected == selected && frame->cards == self->cards.number &&
         frame->scale == self->canvas_scale && same_rect(&frame->all, all) &&
         same_rect(&a->plot, &b->plot) && a->zoom == b->zoom && a->offset_x == b->offset_x &&
         a->offset_y == b->offset_y && a->openness == b->openness;
}

/* Draws on a cairo node of its own. */
typedef void (*DrawFunc)(CwuGraphView *self, const CwuPicture *picture, const CwuRect *all);

static GskRenderNode *
node_new(CwuGraphView *self, CwuCanvas *canvas, const CwuPicture *picture, const CwuRect *all,
         DrawFunc draw)
{
  graphene_rect_t bounds =
      GRAPHENE_RECT_INIT((float)all->x, (float)all->y, (float)all->width, (float)all->height);
  GskRenderNode *node = gsk_cairo_node_new(&bounds);
  cairo_t *cr = gsk_cairo_node_get_draw_context(node);
  cwu_canvas_cairo_set_target(canvas, cr);
  draw(self, picture, all);
  cairo_destroy(cr);
  return node;
}

static void
draw_ground(CwuGraphView *self, const CwuPicture *picture, const CwuRect *all)
{
  cwu_painter_draw_ground(self->ground, picture, all);
}

static void
draw_front(CwuGraphView *self, const CwuPicture *picture, const CwuRect *all)
{
  cwu_painter_draw_nodes(self->front, picture, self->cards.cards);
  cwu_labels_draw(self->front, picture, self->cards.cards);
  cwu_notes_draw(self->front, picture, self->notes);
}

/* ---- textures --------------------------------------------------------------------------- */

static graphene_rect_t
graphene(const CwuRect *r)
{
  return GRAPHENE_RECT_INIT((float)r->x, (float)r->y, (float)r->width, (float)r->height);
}

/* Where a texture is seen now: as many device pixels as it has, which may be a fraction more
 * than its plot. */
static CwuRect
place_texture(CwuGraphView *self, GdkTexture *texture, const CwuCamera *made_for,
              const CwuCamera *now)
{
  double k = now->zoom / made_for->zoom;
  if (made_for->plot.width != now->plot.width)
    k = now->plot.width / made_for->plot.width * now->zoom / made_for->zoom;
  double x = now->plot.x + now->offset_x - k * made_for->offset_x;
  double y = now->plot.y + now->offset_y - k * made_for->offset_y;
  if (fabs(k - 1) < 1e-9) { /* Moved only: a whole number of px copies, it does not blur. */
    x = round(x);
    y = round(y);
  }
  k /= self->canvas_scale;
  return (CwuRect){ x, y, k * gdk_texture_get_width(texture),
                    k * gdk_texture_get_height(texture) };
}

static void
append_texture(CwuGraphView *self, GtkSnapshot *snapshot, GdkTexture *texture,
               const CwuCamera *made_for, const CwuCamera *now, double alpha)
{
  if (texture == NULL || alpha <= 0)
    return;
  CwuRect place = place_texture(self, texture, made_for, now);
  graphene_rect_t clip = graphene(&now->plot), at = graphene(&place);
  gtk_snapshot_push_clip(snapshot, &clip);
  if (alpha < 1)
    gtk_snapshot_push_opacity(snapshot, alpha);
  gtk_snapshot_append_texture(snapshot, texture, &at);
  if (alpha < 1)
    gtk_snapshot_pop(snapshot);
  gtk_snapshot_pop(snapshot);
}

/* The edges of the selection, if what there is are those. */
static GdkTexture *
focus_shown(CwuGraphView *self, const CwuPictureState *state, const CwuPicture *picture)
{
  bool fits = picture->focus != NULL &&
              state->focus_selected == cwu_document_get_selected(self->document);
  return fits ? state->focus : NULL;
}

static void
append_textures(CwuGraphView *self, GtkSnapshot *snapshot, const CwuPictureState *state,
                const CwuPicture *picture, double alpha)
{
  append_texture(self, snapshot, state->mass, &state->mass_camera, &picture->camera,
                 alpha * cwu_painter_mass_alpha(picture));
  append_texture(self, snapshot, focus_shown(self, state, picture), &state->focus_camera,
                 &picture->camera, alpha);
}

/* The same with cairo. */
static void
paint_texture(CwuGraphView *self, cairo_t *cr, GdkTexture *texture, const CwuCamera *made_for,
              const CwuCamera *now, double alpha)
{
  if (texture == NULL || alpha <= 0)
    return;
  CwuRect place = place_texture(self, texture, made_for, now);
  cairo_save(cr);
  cairo_rectangle(cr, now->plot.x, now->plot.y, now->plot.width, now->plot.height);
  cairo_clip(cr);
  cairo_translate(cr, place.x, place.y);
  cairo_scale(cr, place.width / gdk_texture_get_width(texture),
              place.height / gdk_texture_get_height(texture));
  cairo_set_source_surface(cr, cwu_frame_texture_peek_image(texture), 0, 0);
  cairo_pattern_set_filter(cairo_get_source(cr), CAIRO_FILTER_BILINEAR);
  if (alpha < 1)
    cairo_paint_with_alpha(cr, alpha);
  else
    cairo_paint(cr);
  cairo_restore(cr);
}

static void
paint_textures(CwuGraphView *self, cairo_t *cr, const CwuPictureState *state,
               const CwuPicture *picture, double alpha)
{
  paint_texture(self, cr, state->mass, &state->mass_camera, &picture->camera,
                alpha * cwu_painter_mass_alpha(picture));
  paint_texture(self, cr, focus_shown(self, state, picture), &state->focus_camera,
                &picture->camera, alpha);
}

/* ---- what is kept ----------------------------------------------------------------------- */

static void
update_cards(CwuGraphView *self, const CwuPicture *picture)
{
  g_clear_pointer(&self->notes, g_array_unref);
  self->notes = cwu_notes_place(self->front->face, picture);
  size_t n = 0;
  g_autofree CwuRect *blocked = g_new(CwuRect, self->notes->len + 1);
  for (; n < self->notes->len; n++)
    blocked[n] = g_array_index(self->notes, CwuNoteCard, n).rect;
  if (cwu_minimap_is_shown(&picture->camera))
    blocked[n++] = cwu_minimap_place(picture->layout, &picture->camera.plot);
  cwu_card_keeper_update(&self->cards, self->front->face, picture, blocked, n);
}

/* All of a frame in one image; NULL without memory. */
static GskRenderNode *
whole_node_new(CwuGraphView *self, const CwuPictureState *state, const CwuPicture *picture,
               const CwuRect *all)
{
  cairo_t *cr = cwu_frame_image_begin(&self->image, all, self->canvas_scale);
  if (cr == NULL)
    return NULL;
  cwu_canvas_cairo_set_target(self->ground, cr);
  draw_ground(self, picture, all);
  paint_textures(self, cr, state, picture, 1);
  cwu_canvas_cairo_set_target(self->front, cr);
  draw_front(self, picture, all);
  return cwu_frame_image_end(&self->image, cr, all);
}

static void
make_nodes(CwuGraphView *self, const CwuPictureState *state, const CwuPicture *picture,
           const CwuRect *all)
{
  CwuFrame *frame = &self->frame;
  if (self->is_software)
    frame->ground = whole_node_new(self, state, picture, all);
  if (frame->ground != NULL) {
    g_set_object(&frame->mass, state->mass);
    g_set_object(&frame->focus, focus_shown(self, state, picture));
    return;
  }
  frame->ground = node_new(self, self->ground, picture, all, draw_ground);
  frame->front = node_new(self, self->front, picture, all, draw_front);
}

static void
update_frame(CwuGraphView *self, const CwuPictureState *state, const CwuPicture *picture,
             const CwuRect *all)
{
  CwuFrame *frame = &self->frame;
  bool same_textures =
      frame->front != NULL ||
      (frame->mass == state->mass && frame->focus == focus_shown(self, state, picture));
  update_cards(self, picture);
  if (same_textures && frame_fits(self, picture, all))
    return;
  cwu_graph_view_clear_frame(self);
  make_nodes(self, state, picture, all);
  frame->layout = cwu_layout_ref((CwuLayout *)picture->layout);
  frame->state = cw_document_state_ref((CwDocumentState *)picture->state);
  frame->theme = picture->theme;
  frame->camera = picture->camera;
  frame->all = *all;
  frame->scale = self->canvas_scale;
  frame->selected = picture->focus != NULL ? picture->focus->selected : -1;
  frame->cards = self->cards.number;
}

/* ---- minimap ---------------------------------------------------------------------------- */

static void
append_border(GtkSnapshot *snapshot, const CwuRect *rect, float corner, float px,
              CwuColour colour)
{
  graphene_rect_t bounds = graphene(rect);
  GdkRGBA c = cwu_colour_to_rgba(colour);
  GskRoundedRect outline;
  gsk_rounded_rect_init_from_rect(&outline, &bounds, corner);
  gtk_snapshot_append_border(snapshot, &outline, (float[4]){ px, px, px, px },
                             (GdkRGBA[4]){ c, c, c, c });
}

static void
append_minimap(CwuGraphView *self, GtkSnapshot *snapshot, const CwuPictureState *state,
               const CwuPicture *picture)
{
  const CwuCamera *camera = &picture->camera;
  if (state->overview == NULL || !cwu_minimap_is_shown(camera))
    return;
  CwuViewpoint viewpoint = cwu_document_get_viewpoint(self->document);
  CwuRect place = cwu_minimap_place(picture->layout, &camera->plot);
  CwuRect card = { place.x - 5, place.y - 5, place.width + 10, place.height + 10 };
  CwuRect seen = cwu_minimap_frame(&place, &viewpoint);
  graphene_rect_t bounds = graphene(&card), inside = graphene(&place);
  GskRoundedRect outline;
  gsk_rounded_rect_init_from_rect(&outline, &bounds, 6);
  GdkRGBA paper = cwu_colour_to_rgba(cwu_colour_fade(picture->theme->card, 0.94));
  gtk_snapshot_push_rounded_clip(snapshot, &outline);
  gtk_snapshot_append_color(snapshot, &paper, &bounds);
  gtk_snapshot_append_texture(snapshot, state->overview, &inside);
  append_border(snapshot, &seen, 2, 1.5f, picture->theme->selected);
  gtk_snapshot_pop(snapshot);
  append_border(snapshot, &card, 6, 1, picture->theme->card_border);
}

/* ---- a frame ---------------------------------------------------------------------------- */

static void
append_own(GtkSnapshot *snapshot, GskRenderNode *node)
{
  gtk_snapshot_append_node(snapshot, node);
  gsk_render_node_unref(node);
}

static void
append_hover(CwuGraphView *self, GtkSnapshot *snapshot, const CwuPicture *picture)
{
  if (picture->hovered < 0)
    return;
  CwuShown shown = { self->cards.cards, self->notes };
  CwuRect card = cwu_labels_hover_card(self->hover->face, picture, &shown);
  CwuRect part = cwu_labels_hover_bounds(picture, &card);
  graphene_rect_t bounds = graphene(&part);
  cairo_t *cr = gtk_snapshot_append_cairo(snapshot, &bounds);
  cwu_canvas_cairo_set_target(self->hover, cr);
  cwu_labels_draw_hover(self->hover, picture, &card);
  cairo_destroy(cr);
}

static void
snapshot_picture(CwuGraphView *self, GtkSnapshot *snapshot, const CwuPictureState *state,
                 const CwuPicture *picture, const CwuRect *all)
{
  update_frame(self, state, picture, all);
  gtk_snapshot_append_node(snapshot, self->frame.ground);
  if (self->frame.front != NULL) {
    append_textures(self, snapshot, state, picture, 1);
    gtk_snapshot_append_node(snapshot, self->frame.front);
  }
  append_hover(self, snapshot, picture);
  append_minimap(self, snapshot, state, picture);
}

/* Nodes on their way from where they were to where they will be, in px of the screen. */
static CwuLayout *
mix_layouts(const CwuTransition *transition, const CwuPicture *picture, double t)
{
  const CwuScene *scene = picture->scene;
  const CwuRect *plot = &picture->camera.plot;
  CwuLayout *mix = cwu_layout_new(CWU_LAYOUT_PLANE, scene->n_nodes, plot->width, plot->height);
  if (mix == NULL)
    return NULL;
  mix->radius = cwu_painter_radius(picture);
  for (size_t i = 0; i < scene->n_nodes; i++) {
    CwuPoint to = cwu_layout_at(picture->layout, &picture->camera, i), from = to;
    int64_t before = cwu_scene_find(transition->scene, scene->nodes[i].node);
    if (before >= 0)
      from = transition->from[before];
    mix->x[i] = (float)(from.x + (to.x - from.x) * t - plot->x);
    mix->y[i] = (float)(from.y + (to.y - from.y) * t - plot->y);
  }
  return mix;
}

static void
snapshot_transition(CwuGraphView *self, GtkSnapshot *snapshot, const CwuPictureState *state,
                    const CwuPicture *picture, const CwuRect *all)
{
  double done = cwu_graph_view_transition_done(self), t = done * done * (3 - 2 * done);
  g_autoptr(CwuLayout) mix = mix_layouts(&self->transition, picture, t);
  if (mix == NULL)
    return;
  CwuPicture moving = *picture;
  g_autoptr(GArray) none = g_array_new(FALSE, FALSE, sizeof(CwuCard));
  moving.layout = mix;
  moving.camera = (CwuCamera){ .plot = picture->camera.plot, .zoom = 1 };
  cairo_t *cr = NULL;
  if (self->is_software)
    cr = cwu_frame_image_begin(&self->image, all, self->canvas_scale);
  if (cr != NULL) {
    cwu_canvas_cairo_set_target(self->ground, cr);
    draw_ground(self, picture, all);
    paint_textures(self, cr, state, picture, MAX(0, 2 * t - 1));
    cwu_canvas_cairo_set_target(self->front, cr);
    cwu_painter_draw_nodes(self->front, &moving, none);
    append_own(snapshot, cwu_frame_image_end(&self->image, cr, all));
    return;
  }
  append_own(snapshot, node_new(self, self->ground, picture, all, draw_ground));
  append_textures(self, snapshot, state, picture, MAX(0, 2 * t - 1));
  graphene_rect_t bounds = graphene(all);
  cr = gtk_snapshot_append_cairo(snapshot, &bounds);
  cwu_canvas_cairo_set_target(self->front, cr);
  cwu_painter_draw_nodes(self->front, &moving, none);
  cairo_destroy(cr);
}

static CwuRect
covered_now(CwuGraphView *self)
{
  graphene_rect_t bounds;
  if (self->cover == NULL || !gtk_widget_get_mapped(self->cover) ||
      !gtk_widget_compute_bounds(self->cover, GTK_WIDGET(self), &bounds))
    return (CwuRect){ 0, 0, 0, 0 };
  return (CwuRect){ (double)bounds.origin.x, (double)bounds.origin.y, (double)bounds.size.width,
                    (double)bounds.size.height };
}

void
cwu_graph_view_snapshot(GtkWidget *widget, GtkSnapshot *snapshot)
{
  CwuGraphView *self = CWU_GRAPH_VIEW(widget);
  const CwuPictureState *state = cwu_graph_view_shown(self);
  CwuRect all = cwu_graph_view_whole(self);
  if (state == NULL) {
    GdkRGBA surface = cwu_colour_to_rgba(cwu_theme_now()->surface);
    graphene_rect_t bounds = graphene(&all);
    gtk_snapshot_append_color(snapshot, &surface, &bounds);
    return;
  }
  CwuPicture picture = { .scene = state->scene,
                         .layout = state->layout,
                         .theme = cwu_theme_now(),
                         .focus = cwu_graph_view_focus(self, state),
                         .hovered = cwu_scene_find(state->scene,
                                                   cwu_document_get_hovered(self->document)),
                         .camera = cwu_graph_view_shown_camera(self, state),
                         .state = cwu_document_peek_state(self->document),
                         .covered = covered_now(self) };
  ensure_canvases(self);
  self->is_software = cwu_frame_image_is_wanted(widget);
  if (self->is_software)
    cwu_frame_memory_keep(&self->memory, widget);
  if (cwu_graph_view_transition_done(self) < 1)
    snapshot_transition(self, snapshot, state, &picture, &all);
  else
    snapshot_picture(self, snapshot, state, &picture, &all);
}
