/* token-view.c - see token-view.h.
 *
 * Chips are drawn in the text view's own layer below the text, from the places that the text
 * view gives its characters, so the text is laid out, edited and selected as any other. Only
 * the lines in sight are looked at, and in a long text no space is widened. Rejected: a label
 * per token below the entry (the bar would jump when it gets the focus, and thousands of labels
 * block the main loop). */
#include "trace/token-view.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "trace/text-places.h"

#define CHIP_RADIUS_PX  6.0f
#define CHIP_PADDING_PX 8    /* beside the first and the last word of a line */
#define CHIP_ABOVE_PX   3.0f /* and below; within the room between lines */
#define WORD_GAP_PX     2.0f /* each side of the middle of a space */
#define PART_GAP_PX     0.5f /* each side, between parts of one word */
#define SPACE_EXTRA_PX  12   /* a space that begins a token is wider by this */
#define RETURN_WIDTH_PX 16
#define DOT_PX          2.0f
#define CHIP_ALPHA      0.09f
#define BORDER_ALPHA    0.4f
#define MAX_WIDE_SPACES 300
#define FOLLOW_MS       60   /* after which a text's height is taken to be its height */
#define SLOW_CHARACTERS 8000 /* laid out in 4 ms or more if they are one paragraph */

/* Characters that one or more tokens stand for: several where a character is split. */
typedef struct {
  int start, end;  /* characters */
  size_t from, to; /* the same in bytes of the text */
  size_t first, n_tokens;
  bool is_special;
  bool has_gap; /* shows the space that it begins with; a space alone has a chip */
} Chip;

struct _CwuTokenView {
  GtkTextView parent_instance;
  char *text;    /* that the chips are of */
  GArray *chips; /* Chip */
  GArray *ids;   /* int32_t: of all tokens, the one in front included */
  GtkTextTag *wide;
  bool has_wide; /* somewhere in the buffer */
  PangoLayout *return_mark;
  GtkAdjustment *seen;  /* of the height; NULL: not in a scroller */
  double height, room;  /* of the text and what it got, as it asked for room last */
  guint grow, follow;   /* idle source, timeout; 0: none */
  bool is_scrolled;     /* by somebody, since the cursor moved */
  GskRenderNode *drawn; /* in the last frame; NULL: nothing */
  int width;            /* that the text is laid out for */
  guint lay_out_source; /* not 0: a slow text has changed, and is about to be laid out */
};

G_DEFINE_TYPE(CwuTokenView, cwu_token_view, GTK_TYPE_TEXT_VIEW)

static guint activated_signal;

/* ---- slow texts -------------------------------------------------------------------------- */

/* A text view lays out a paragraph to know its height, and again to scroll to it or draw it,
 * unless it has been laid out for drawing before. Of a slow text that is done here, in a turn
 * of its own before the text view's; a frame that comes sooner shows what was drawn last. */
static gboolean
lay_out_cb(gpointer data)
{
  CwuTokenView *self = data;
  GtkTextView *view = GTK_TEXT_VIEW(self);
  GtkTextBuffer *buffer = gtk_text_view_get_buffer(view);
  GtkTextIter cursor;
  GdkRectangle place;
  self->lay_out_source = 0;
  gtk_text_buffer_get_iter_at_mark(buffer, &cursor, gtk_text_buffer_get_insert(buffer));
  gtk_text_view_get_iter_location(view, &cursor, &place);
  gtk_widget_queue_draw(GTK_WIDGET(self));
  return G_SOURCE_REMOVE;
}

static void
layout_changed(CwuTokenView *self)
{
  GtkTextBuffer *buffer = gtk_text_view_get_buffer(GTK_TEXT_VIEW(self));
  if (gtk_text_buffer_get_char_count(buffer) > SLOW_CHARACTERS && self->lay_out_source == 0)
    self->lay_out_source = g_idle_add_full(G_PRIORITY_HIGH_IDLE, lay_out_cb, self, NULL);
}

/* ---- chips of tokens -------------------------------------------------------------------- */

/* A token that ends inside a character shares its chip with those that complete it. */
static void
make_chips(CwuTokenView *self, const CwuPreview *preview)
{
  const char *text = preview->text, *at = text;
  int n_characters = 0;
  size_t first = preview->has_start ? 1 : 0;
  for (size_t i = 0; i < preview->n_tokens; i++)
    g_array_append_val(self->ids, preview->tokens[i].id);
  for (size_t i = first; i < preview->n_tokens; i++) {
    const CwuToken *token = &preview->tokens[i];
    if (token->end == token->start)
      return; /* The tokenizer has changed the text from here on. */
    bool is_whole = (text[token->end] & 0xc0) != 0x80;
    if (!is_whole)
      continue;
    Chip chip = { .start = n_characters,
                  .from = (size_t)(at - text),
                  .to = token->end,
                  .first = first,
                  .n_tokens = i + 1 - first,
                  .is_special = token->is_special };
    n_characters += (int)g_utf8_strlen(at, (gssize)(chip.to - chip.from));
    chip.end = n_characters;
    chip.has_gap = self->chips->len > 0 && *at == ' ' && chip.end - chip.start > 1;
    at = text + token->end;
    g_array_append_val(self->chips, chip);
    first = i + 1;
  }
}

static const Chip *
chip_at(const CwuTokenView *self, guint number)
{
  return &g_array_index(self->chips, Chip, number);
}

static bool
has_wide_spaces(const CwuTokenView *self)
{
  guint n = self->chips->len;
  return n > 1 && n <= MAX_WIDE_SPACES && chip_at(self, n - 1)->end <= CWU_LONG_PARAGRAPH;
}

/* Also where there are none, a tag's removal makes the text view lay out everything again. */
static void
widen_spaces(CwuTokenView *self)
{
  GtkTextBuffer *buffer = gtk_text_view_get_buffer(GTK_TEXT_VIEW(self));
  GtkTextIter start, end;
  gtk_text_buffer_get_bounds(buffer, &start, &end);
  if (self->has_wide) {
    gtk_text_buffer_remove_tag(buffer, self->wide, &start, &end);
    layout_changed(self);
  }
  self->has_wide = has_wide_spaces(self);
  for (guint i = 1; self->has_wide && i < self->chips->len; i++) {
    if (!chip_at(self, i)->has_gap)
      continue;
    gtk_text_buffer_get_iter_at_offset(buffer, &start, chip_at(self, i)->start);
    end = start;
    gtk_text_iter_forward_char(&end);
    gtk_text_buffer_apply_tag(buffer, self->wide, &start, &end);
  }
}

void
cwu_token_view_set_preview(CwuTokenView *self, const CwuPreview *preview)
{
  g_return_if_fail(CWU_IS_TOKEN_VIEW(self));
  g_free(self->text);
  self->text = cwu_token_view_dup_text(self);
  g_array_set_size(self->chips, 0);
  g_array_set_size(self->ids, 0);
  if (preview != NULL && strcmp(preview->text, self->text) == 0)
    make_chips(self, preview);
  widen_spaces(self);
  gtk_widget_queue_draw(GTK_WIDGET(self));
}

/* ---- drawing ---------------------------------------------------------------------------- */

static GdkRGBA
colour_of(GtkWidget *widget, float alpha)
{
  GdkRGBA colour;
  gtk_style_context_get_color(gtk_widget_get_style_context(widget), &colour);
  colour.alpha *= alpha;
  return colour;
}

/* A chip's rectangle on one line, and whether its ends are a word's. */
typedef struct {
  GdkRectangle place;
  bool starts_word, ends_word;
} Piece;

typedef struct {
  CwuTextPlaces *places;
  GArray *pieces; /* Piece: of the chip that is being drawn */
} Frame;

static void
draw_piece(GtkWidget *widget, GtkSnapshot *snapshot, const Piece *piece, bool is_special)
{
  float left = piece->starts_word ? WORD_GAP_PX : PART_GAP_PX;
  float right = piece->ends_word ? WORD_GAP_PX : PART_GAP_PX;
  float width = (float)piece->place.width - left - right;
  if (width < 2)
    return; /* the space before a broken line */
  graphene_rect_t bounds =
      GRAPHENE_RECT_INIT((float)piece->place.x + left, (float)piece->place.y - CHIP_ABOVE_PX,
                         width, (float)piece->place.height + 2 * CHIP_ABOVE_PX);
  graphene_size_t start = GRAPHENE_SIZE_INIT(piece->starts_word ? CHIP_RADIUS_PX : 1,
                                             piece->starts_word ? CHIP_RADIUS_PX : 1);
  graphene_size_t end = GRAPHENE_SIZE_INIT(piece->ends_word ? CHIP_RADIUS_PX : 1,
                                           piece->ends_word ? CHIP_RADIUS_PX : 1);
  GskRoundedRect outline;
  gsk_rounded_rect_init(&outline, &bounds, &start, &end, &end, &start);
  GdkRGBA colour = colour_of(widget, is_special ? BORDER_ALPHA : CHIP_ALPHA);
  if (is_special) {
    gtk_snapshot_append_border(snapshot, &outline, (float[4]){ 1, 1, 1, 1 },
                               (GdkRGBA[4]){ colour, colour, colour, colour });
    return;
  }
  gtk_snapshot_push_rounded_clip(snapshot, &outline);
  gtk_snapshot_append_color(snapshot, &colour, &bounds);
  gtk_snapshot_pop(snapshot);
}

/* Spaces and line ends that no gap shows: a faint dot or arrow. */
static void
draw_mark(CwuTokenView *self, GtkSnapshot *snapshot, char c, const GdkRectangle *place)
{
  GdkRGBA colour = colour_of(GTK_WIDGET(self), BORDER_ALPHA);
  float x = (float)place->x, y = (float)place->y, height = (float)place->height;
  if (c == '\n') {
    gtk_snapshot_save(snapshot);
    gtk_snapshot_translate(snapshot, &GRAPHENE_POINT_INIT(x + 3, y));
    gtk_snapshot_append_layout(snapshot, self->return_mark, &colour);
    gtk_snapshot_restore(snapshot);
    return;
  }
  gtk_snapshot_append_color(snapshot, &colour,
                            &GRAPHENE_RECT_INIT(x + (float)place->width / 2 - DOT_PX / 2,
                                                y + height / 2, DOT_PX, DOT_PX));
}

/* The characters of a chip as one rectangle per line, and marks on those without a gap. */
static void
collect_pieces(CwuTokenView *self, GtkSnapshot *snapshot, const Frame *frame, const Chip *chip)
{
  GArray *pieces = frame->pieces;
  const char *at = self->text + chip->from;
  for (int i = chip->start; i < chip->end; i++, at = g_utf8_next_char(at)) {
    GdkRectangle place;
    if (!cwu_text_places_find(frame->places, i, &place))
      continue;
    bool is_gap = chip->has_gap && i == chip->start;
    if (*at == '\n' || (*at == ' ' && !is_gap))
      draw_mark(self, snapshot, *at, &place);
    if (*at == '\n')
      place.width = RETURN_WIDTH_PX;
    Piece *last = pieces->len > 0 ? &g_array_index(pieces, Piece, pieces->len - 1) : NULL;
    if (last != NULL && last->place.y == place.y) {
      last->place.width = place.x + place.width - last->place.x;
      continue;
    }
    Piece piece = { place, false, false };
    g_array_append_val(pieces, piece);
  }
}

/* A gap belongs to both its neighbours, half to each. */
static void
share_gaps(CwuTokenView *self, const Frame *frame, guint number)
{
  Piece *first = &g_array_index(frame->pieces, Piece, 0);
  Piece *last = &g_array_index(frame->pieces, Piece, frame->pieces->len - 1);
  const Chip *chip = chip_at(self, number);
  GdkRectangle space;
  if (chip->has_gap && cwu_text_places_find(frame->places, chip->start, &space)) {
    first->place.x += space.width / 2;
    first->place.width -= space.width / 2;
    first->starts_word = true;
  }
  if (number + 1 == self->chips->len) {
    last->ends_word = true;
    last->place.width += CHIP_PADDING_PX;
  } else if (chip_at(self, number + 1)->has_gap) {
    last->ends_word = true;
    /* At the end of a line it has no width, or is on the next. */
    bool is_between = cwu_text_places_find(frame->places, chip->end, &space) &&
                      space.y == last->place.y && space.width > 0;
    last->place.width += is_between ? space.width / 2 : CHIP_PADDING_PX;
  }
}

static void
draw_one(CwuTokenView *self, GtkSnapshot *snapshot, const Frame *frame, guint number)
{
  const Chip *chip = chip_at(self, number);
  GArray *pieces = frame->pieces;
  g_array_set_size(pieces, 0);
  collect_pieces(self, snapshot, frame, chip);
  if (pieces->len == 0)
    return;
  share_gaps(self, frame, number);
  int margin = gtk_text_view_get_left_margin(GTK_TEXT_VIEW(self));
  int border = gtk_widget_get_width(GTK_WIDGET(self));
  for (guint i = 0; i < pieces->len; i++) {
    Piece *piece = &g_array_index(pieces, Piece, i);
    bool begins_line = piece->place.x <= margin;
    piece->place.x -= begins_line ? CHIP_PADDING_PX : 0;
    piece->place.width += begins_line ? CHIP_PADDING_PX : 0;
    piece->place.width = MIN(piece->place.width, border - piece->place.x);
    piece->starts_word |= begins_line || chip->is_special;
    piece->ends_word |= i + 1 < pieces->len || chip->is_special;
    draw_piece(GTK_WIDGET(self), snapshot, piece, chip->is_special);
  }
}

/* The chip of a character, by halving; the number of chips if it has none. */
static guint
find_chip(const CwuTokenView *self, int character)
{
  guint low = 0, high = self->chips->len;
  while (low < high) {
    guint middle = low + (high - low) / 2;
    if (chip_at(self, middle)->end <= character)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static void
snapshot_layer(GtkTextView *view, GtkTextViewLayer layer, GtkSnapshot *snapshot)
{
  CwuTokenView *self = CWU_TOKEN_VIEW(view);
  if (layer != GTK_TEXT_VIEW_LAYER_BELOW_TEXT || self->chips->len == 0)
    return;
  g_autoptr(CwuTextPlaces) places = cwu_text_places_new(view);
  g_autoptr(GArray) pieces = g_array_new(FALSE, FALSE, sizeof(Piece));
  Frame frame = { places, pieces };
  int top, bottom;
  cwu_text_places_get_range(places, &top, &bottom);
  guint last = find_chip(self, bottom);
  for (guint i = find_chip(self, top); i <= last && i < self->chips->len; i++)
    draw_one(self, snapshot, &frame, i);
}

static void
size_allocate(GtkWidget *widget, int width, int height, int baseline)
{
  CwuTokenView *self = CWU_TOKEN_VIEW(widget);
  if (width != self->width)
    layout_changed(self);
  self->width = width;
  GTK_WIDGET_CLASS(cwu_token_view_parent_class)->size_allocate(widget, width, height, baseline);
}

static void
snapshot_late(GtkWidget *widget, GtkSnapshot *snapshot)
{
  CwuTokenView *self = CWU_TOKEN_VIEW(widget);
  if (self->lay_out_source == 0) {
    GtkSnapshot *now = gtk_snapshot_new();
    GTK_WIDGET_CLASS(cwu_token_view_parent_class)->snapshot(widget, now);
    g_clear_pointer(&self->drawn, gsk_render_node_unref);
    self->drawn = gtk_snapshot_free_to_node(now);
  }
  if (self->drawn != NULL)
    gtk_snapshot_append_node(snapshot, self->drawn);
}

/* ---- events ----------------------------------------------------------------------------- */

/* The text of a chip, and its tokens' numbers. */
static char *
describe(CwuTokenView *self, guint number)
{
  const Chip *chip = chip_at(self, number);
  g_autofree char *text = g_strndup(self->text + chip->from, chip->to - chip->from);
  g_autofree char *quoted = cw_escape_dup(text, true);
  GString *out = g_string_new(quoted);
  for (size_t i = chip->first; i < chip->first + chip->n_tokens; i++) {
    g_string_append_c(out, '\n');
    /* Translators: a token's number in the vocabulary, and its place in the prompt. */
    g_string_append_printf(out, _("token %d, position %zu"),
                           g_array_index(self->ids, int32_t, i), i);
  }
  return g_string_free(out, FALSE);
}

static gboolean
query_tooltip_cb(GtkWidget *widget, int x, int y, gboolean by_keyboard, GtkTooltip *tooltip)
{
  CwuTokenView *self = CWU_TOKEN_VIEW(widget);
  GtkTextView *view = GTK_TEXT_VIEW(widget);
  GtkTextBuffer *buffer = gtk_text_view_get_buffer(view);
  GtkTextIter at;
  if (by_keyboard) {
    gtk_text_buffer_get_iter_at_mark(buffer, &at, gtk_text_buffer_get_insert(buffer));
  } else {
    gtk_text_view_window_to_buffer_coords(view, GTK_TEXT_WINDOW_WIDGET, x, y, &x, &y);
    if (!gtk_text_view_get_iter_at_location(view, &at, x, y))
      return FALSE;
  }
  guint number = find_chip(self, gtk_text_iter_get_offset(&at));
  if (number >= self->chips->len)
    return FALSE;
  g_autofree char *text = describe(self, number);
  gtk_tooltip_set_text(tooltip, text);
  return TRUE;
}

/* Input methods come first: Enter may end a composition. */
static gboolean
key_pressed_cb(GtkEventControllerKey *controller, guint key, guint code, GdkModifierType state,
               CwuTokenView *self)
{
  GdkEvent *event = gtk_event_controller_get_current_event(GTK_EVENT_CONTROLLER(controller));
  bool is_enter = key == GDK_KEY_Return || key == GDK_KEY_KP_Enter || key == GDK_KEY_ISO_Enter;
  if (!is_enter || (state & GDK_SHIFT_MASK) != 0)
    return FALSE;
  if (event == NULL || !gtk_text_view_im_context_filter_keypress(GTK_TEXT_VIEW(self), event))
    g_signal_emit(self, activated_signal, 0);
  return TRUE;
}

/* ---- height ----------------------------------------------------------------------------- */

/* A text view shows the cursor where it was put; lines that are laid out after that may push it
 * out of sight. Then it is shown again, unless somebody looks elsewhere. */
static gboolean
follow_cb(gpointer user_data)
{
  CwuTokenView *self = user_data;
  GtkTextView *view = GTK_TEXT_VIEW(self);
  self->follow = 0;
  if (gtk_widget_has_focus(GTK_WIDGET(self)) && !self->is_scrolled && self->height > self->room)
    gtk_text_view_scroll_mark_onscreen(
        view, gtk_text_buffer_get_insert(gtk_text_view_get_buffer(view)));
  return G_SOURCE_REMOVE;
}

static void
cursor_moved_cb(CwuTokenView *self)
{
  self->is_scrolled = false;
}

static gboolean
scrolled_cb(CwuTokenView *self)
{
  self->is_scrolled = true;
  return GDK_EVENT_PROPAGATE;
}

static gboolean
grow_cb(gpointer user_data)
{
  CwuTokenView *self = user_data;
  self->grow = 0;
  gtk_widget_queue_resize(GTK_WIDGET(self));
  return G_SOURCE_REMOVE;
}

/* A text view lays its lines out when it has its width, after it was asked for its height.
 * Where they became more or fewer by that, it asks again. */
static void
height_changed_cb(CwuTokenView *self)
{
  double height = gtk_adjustment_get_upper(self->seen);
  double room = gtk_adjustment_get_page_size(self->seen);
  if (height == self->height && room == self->room)
    return;
  self->height = height;
  self->room = room;
  if (self->grow == 0)
    self->grow = g_idle_add(grow_cb, self);
  if (self->follow == 0)
    self->follow = g_timeout_add(FOLLOW_MS, follow_cb, self);
}

static void
watch_height(CwuTokenView *self)
{
  GtkAdjustment *now = gtk_scrollable_get_vadjustment(GTK_SCROLLABLE(self));
  if (now == self->seen)
    return;
  if (self->seen != NULL)
    g_signal_handlers_disconnect_by_data(self->seen, self);
  g_set_object(&self->seen, now);
  if (now != NULL)
    g_signal_connect_swapped(now, "changed", G_CALLBACK(height_changed_cb), self);
}

char *
cwu_token_view_dup_text(CwuTokenView *self)
{
  GtkTextBuffer *buffer = gtk_text_view_get_buffer(GTK_TEXT_VIEW(self));
  GtkTextIter start, end;
  gtk_text_buffer_get_bounds(buffer, &start, &end);
  return gtk_text_buffer_get_text(buffer, &start, &end, FALSE);
}

/* Whether a byte goes on with a character. */
static bool
is_inside(char byte)
{
  return (byte & 0xc0) == 0x80;
}

/* Replaces what differs, and leaves the cursor there: after an undo one sees what it did. */
void
cwu_token_view_set_text(CwuTokenView *self, const char *text)
{
  g_return_if_fail(CWU_IS_TOKEN_VIEW(self) && text != NULL);
  GtkTextBuffer *buffer = gtk_text_view_get_buffer(GTK_TEXT_VIEW(self));
  g_autofree char *old = cwu_token_view_dup_text(self);
  size_t n_old = strlen(old), n = strlen(text), head = 0, tail = 0;
  if (strcmp(old, text) == 0)
    return;
  while (head < MIN(n_old, n) && old[head] == text[head])
    head++;
  while (head > 0 && (is_inside(old[head]) || is_inside(text[head])))
    head--;
  while (tail < MIN(n_old, n) - head && old[n_old - 1 - tail] == text[n - 1 - tail])
    tail++;
  while (tail > 0 && is_inside(old[n_old - tail]))
    tail--;
  GtkTextIter start, end;
  glong first = g_utf8_strlen(old, (gssize)head);
  glong last = first + g_utf8_strlen(old + head, (gssize)(n_old - head - tail));
  gtk_text_buffer_get_iter_at_offset(buffer, &start, (int)first);
  gtk_text_buffer_get_iter_at_offset(buffer, &end, (int)last);
  gtk_text_buffer_delete(buffer, &start, &end);
  gtk_text_buffer_insert(buffer, &start, text + head, (int)(n - head - tail));
  gtk_text_buffer_place_cursor(buffer, &start);
}

static void
dispose(GObject *object)
{
  CwuTokenView *self = CWU_TOKEN_VIEW(object);
  g_clear_handle_id(&self->grow, g_source_remove);
  g_clear_handle_id(&self->follow, g_source_remove);
  if (self->seen != NULL)
    g_signal_handlers_disconnect_by_data(self->seen, self);
  g_clear_object(&self->seen);
  G_OBJECT_CLASS(cwu_token_view_parent_class)->dispose(object);
}

static void
finalize(GObject *object)
{
  CwuTokenView *self = CWU_TOKEN_VIEW(object);
  g_clear_handle_id(&self->lay_out_source, g_source_remove);
  g_clear_pointer(&self->drawn, gsk_render_node_unref);
  g_free(self->text);
  g_array_unref(self->chips);
  g_array_unref(self->ids);
  g_object_unref(self->return_mark);
  G_OBJECT_CLASS(cwu_token_view_parent_class)->finalize(object);
}

static void
cwu_token_view_class_init(CwuTokenViewClass *class)
{
  G_OBJECT_CLASS(class)->dispose = dispose;
  G_OBJECT_CLASS(class)->finalize = finalize;
  GTK_TEXT_VIEW_CLASS(class)->snapshot_layer = snapshot_layer;
  GTK_WIDGET_CLASS(class)->size_allocate = size_allocate;
  GTK_WIDGET_CLASS(class)->snapshot = snapshot_late;
  GTK_WIDGET_CLASS(class)->query_tooltip = query_tooltip_cb;
  activated_signal = g_signal_new("activated", CWU_TYPE_TOKEN_VIEW, G_SIGNAL_RUN_LAST, 0, NULL,
                                  NULL, NULL, G_TYPE_NONE, 0);
}

static void
cwu_token_view_init(CwuTokenView *self)
{
  GtkTextView *view = GTK_TEXT_VIEW(self);
  GtkEventController *keys = gtk_event_controller_key_new();
  GtkEventController *scroll =
      gtk_event_controller_scroll_new(GTK_EVENT_CONTROLLER_SCROLL_VERTICAL);
  self->chips = g_array_new(FALSE, FALSE, sizeof(Chip));
  self->ids = g_array_new(FALSE, FALSE, sizeof(int32_t));
  self->return_mark = gtk_widget_create_pango_layout(GTK_WIDGET(self), "↵");
  self->wide = gtk_text_buffer_create_tag(gtk_text_view_get_buffer(view), NULL,
                                          "letter-spacing", SPACE_EXTRA_PX * PANGO_SCALE, NULL);
  /* The document undoes what is typed, in one order with everything else. */
  gtk_text_buffer_set_enable_undo(gtk_text_view_get_buffer(view), FALSE);
  g_signal_connect_swapped(gtk_text_view_get_buffer(view), "changed",
                           G_CALLBACK(layout_changed), self);
  g_signal_connect_swapped(gtk_text_view_get_buffer(view), "notify::cursor-position",
                           G_CALLBACK(cursor_moved_cb), self);
  gtk_text_view_set_wrap_mode(view, GTK_WRAP_WORD_CHAR);
  gtk_text_view_set_accepts_tab(view, FALSE);
  gtk_text_view_set_left_margin(view, CHIP_PADDING_PX);
  gtk_text_view_set_right_margin(view, CHIP_PADDING_PX);
  gtk_text_view_set_pixels_above_lines(view, 4);
  gtk_text_view_set_pixels_below_lines(view, 4);
  gtk_text_view_set_pixels_inside_wrap(view, 9);
  gtk_widget_set_has_tooltip(GTK_WIDGET(self), TRUE);
  gtk_widget_add_css_class(GTK_WIDGET(self), "cwu-token-view");
  g_signal_connect(self, "notify::vadjustment", G_CALLBACK(watch_height), NULL);
  gtk_event_controller_set_propagation_phase(keys, GTK_PHASE_CAPTURE);
  g_signal_connect(keys, "key-pressed", G_CALLBACK(key_pressed_cb), self);
  gtk_widget_add_controller(GTK_WIDGET(self), keys);
  gtk_event_controller_set_propagation_phase(scroll, GTK_PHASE_CAPTURE);
  g_signal_connect_swapped(scroll, "scroll", G_CALLBACK(scrolled_cb), self);
  gtk_widget_add_controller(GTK_WIDGET(self), scroll);
}

CwuTokenView *
cwu_token_view_new(void)
{
  return g_object_new(CWU_TYPE_TOKEN_VIEW, NULL);
}
