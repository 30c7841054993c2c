/* live-batches.c - batches of rows that the model makes meanwhile.
 *
 * A chunk is shuffled and cut in two. Round k mixes the first half of chunk k with the second
 * half of the chunk before it and is given out row by row, while the next chunk takes the room
 * of what has been given: rows of a round come from two chunks' text, and two thirds of the
 * buffer are used when it is mixed again. Buffers that mix what is left with what is new
 * (Bricken and others, "Towards Monosemanticity", 2023) keep some rows for many rounds; here
 * none stays longer than two, so that a stream is taken up anywhere by making two chunks again,
 * whose beginning a cursor says. */
#include <stdio.h>
#include <string.h>

#include "activations/live-private.h"
#include "base/rng.h"

#define SEED_OF_LIVE UINT64_C(0x6c69766520637700) /* keeps clear of other uses of a seed */

/* A round and what it takes to get there: the chunk before it (round 0: its own). */
typedef struct {
  int64_t round, first_row;
  int64_t pass;
  CwTextCursor start;
} Anchor;

typedef struct {
  CwLiveBuffer *buffer;
  CwStreamOptions options;
  int64_t n_layers, width;
  GArray *anchors;    /* of Anchor, ascending */
  int64_t next_row;   /* of the stream; -1 after a failure */
  int64_t round;      /* being given out */
  GArray *rows;       /* of int32_t: slots of the round in order */
  int64_t n_given;    /* of them */
  CwLiveChunk *chunk; /* of the round; its slots are those left for the next round */
} LiveBatches;

static void
free_batches(gpointer data)
{
  LiveBatches *batches = data;
  g_clear_pointer(&batches->chunk, cw_live_chunk_free);
  g_clear_pointer(&batches->buffer, cw_live_buffer_free);
  g_array_unref(batches->anchors);
  g_array_unref(batches->rows);
  g_free(batches);
}

/* ---- rounds ----------------------------------------------------------------------------- */

static void
shuffle(const LiveBatches *batches, GArray *slots, int64_t round, uint64_t use)
{
  CwRng rng = { .seed = batches->options.seed ^ SEED_OF_LIVE,
                .stream = 2 * (uint64_t)round + use };
  int32_t *data = (int32_t *)(void *)slots->data;
  for (guint i = slots->len; i > 1; i--) {
    uint64_t j = cw_rng_next_below(&rng, i);
    int32_t other = data[j];
    data[j] = data[i - 1];
    data[i - 1] = other;
  }
}

/* Rows of a chunk that are left for the next round. */
static int64_t
count_kept(const LiveBatches *batches, int64_t n_rows)
{
  return batches->options.is_shuffled ? n_rows / 2 : 0;
}

/* Makes the chunk the current one; the half that is for its own round goes to `taken`. */
static void
split_chunk(LiveBatches *batches, CwLiveChunk *chunk, int64_t round, GArray *taken)
{
  if (batches->options.is_shuffled)
    shuffle(batches, chunk->slots, round, 0);
  guint n_kept = (guint)count_kept(batches, chunk->slots->len);
  guint n = chunk->slots->len - n_kept;
  g_array_append_vals(taken, chunk->slots->data, n);
  g_array_remove_range(chunk->slots, 0, n);
  g_clear_pointer(&batches->chunk, cw_live_chunk_free);
  batches->chunk = chunk;
}

/* Begins round `round`, what is left of the chunk before it being in batches->chunk. */
static bool
enter_round(LiveBatches *batches, int64_t round, int64_t first_row, CwCancel *cancel,
            GError **error)
{
  CwLiveChunk *chunk = cw_live_buffer_take(batches->buffer, cancel, error);
  if (chunk == NULL)
    return false;
  const CwLiveChunk *before = batches->chunk != NULL ? batches->chunk : chunk;
  const Anchor anchor = { round, first_row, before->pass, before->start };
  g_array_set_size(batches->rows, 0);
  if (batches->chunk != NULL)
    g_array_append_vals(batches->rows, batches->chunk->slots->data, batches->chunk->slots->len);
  split_chunk(batches, chunk, round, batches->rows);
  if (batches->options.is_shuffled)
    shuffle(batches, batches->rows, round, 1);
  batches->round = round;
  batches->n_given = 0;
  const Anchor *last =
      &g_array_index(batches->anchors, Anchor, MAX(batches->anchors->len, 1) - 1);
  if (batches->anchors->len == 0 || last->round < round)
    g_array_append_val(batches->anchors, anchor);
  return true;
}

static void
release(LiveBatches *batches, int64_t n)
{
  const int32_t *slots = (const int32_t *)(const void *)batches->rows->data;
  cw_live_buffer_release(batches->buffer, slots + batches->n_given, n);
  batches->n_given += n;
  batches->next_row += n;
}

/* ---- going to a row --------------------------------------------------------------------- */

static const Anchor *
find_anchor(const LiveBatches *batches, int64_t row)
{
  const Anchor *found = NULL;
  for (guint i = 0; i < batches->anchors->len; i++) {
    const Anchor *anchor = &g_array_index(batches->anchors, Anchor, i);
    if (anchor->first_row <= row)
      found = anchor;
  }
  return found;
}

/* The round that holds the row, by counting the chunks from a known one on. */
static bool
find_round(LiveBatches *batches, int64_t row, Anchor *anchor, CwCancel *cancel, GError **error)
{
  static const Anchor beginning = { 0, 0, 0, { -1, 0 } };
  const Anchor *known = find_anchor(batches, row);
  *anchor = known != NULL ? *known : beginning;
  CwLiveChunk next = { .pass = anchor->pass, .start = anchor->start };
  int64_t n_before = 0, n;
  if (anchor->round > 0 &&
      !cw_live_buffer_count(batches->buffer, &next, &n_before, cancel, error))
    return false;
  for (;;) {
    CwLiveChunk chunk = next;
    if (!cw_live_buffer_count(batches->buffer, &next, &n, cancel, error))
      return false;
    int64_t n_round = count_kept(batches, n_before) + n - count_kept(batches, n);
    if (row < anchor->first_row + n_round)
      return true;
    *anchor =
        (Anchor){ anchor->round + 1, anchor->first_row + n_round, chunk.pass, chunk.start };
    n_before = n;
  }
}

/* The chunk before the round, made again for its second half. */
static bool
remake_chunk(LiveBatches *batches, int64_t round, CwCancel *cancel, GError **error)
{
  CwLiveChunk *chunk = cw_live_buffer_take(batches->buffer, cancel, error);
  if (chunk == NULL)
    return false;
  g_array_set_size(batches->rows, 0);
  split_chunk(batches, chunk, round, batches->rows);
  cw_live_buffer_release(batches->buffer, (const int32_t *)(void *)batches->rows->data,
                         batches->rows->len);
  return true;
}

static bool
go_to_row(LiveBatches *batches, int64_t row, CwCancel *cancel, GError **error)
{
  Anchor anchor;
  cw_live_buffer_stop(batches->buffer);
  g_clear_pointer(&batches->chunk, cw_live_chunk_free);
  batches->next_row = -1;
  if (!find_round(batches, row, &anchor, cancel, error))
    return false;
  const CwLiveChunk first = { .pass = anchor.pass, .start = anchor.start };
  if (!cw_live_buffer_start(batches->buffer, &first, error) ||
      (anchor.round > 0 && !remake_chunk(batches, anchor.round - 1, cancel, error)) ||
      !enter_round(batches, anchor.round, anchor.first_row, cancel, error))
    return false;
  batches->next_row = anchor.first_row;
  release(batches, row - anchor.first_row);
  return true;
}

/* ---- batches ---------------------------------------------------------------------------- */

/* n rows of the round into rows `at` and up of the batch. */
static void
copy_rows(const LiveBatches *batches, int64_t n, int64_t at, float *in, float *out)
{
  int64_t width = batches->width, stride = batches->options.batch_tokens * width;
  size_t n_bytes = (size_t)width * sizeof *in;
  for (int64_t i = 0; i < n; i++) {
    int32_t slot = g_array_index(batches->rows, int32_t, batches->n_given + i);
    const float *row = cw_live_buffer_peek(batches->buffer, slot);
    for (int64_t l = 0; l < batches->n_layers; l++) {
      int64_t to = l * stride + (at + i) * width;
      if (in != NULL)
        memcpy(in + to, row + l * width, n_bytes);
      if (out != NULL)
        memcpy(out + to, row + (batches->n_layers + l) * width, n_bytes);
    }
  }
}

static bool
fill_batch(gpointer data, int64_t position, float *in, float *out, CwCancel *cancel,
           GError **error)
{
  LiveBatches *batches = data;
  int64_t n = batches->options.batch_tokens;
  if (batches->next_row != position * n && !go_to_row(batches, position * n, cancel, error))
    return false;
  for (int64_t at = 0; at < n;) {
    if (batches->n_given == batches->rows->len &&
        !enter_round(batches, batches->round + 1, batches->next_row, cancel, error)) {
      batches->next_row = -1;
      return false;
    }
    int64_t n_here = MIN(n - at, batches->rows->len - batches->n_given);
    copy_rows(batches, n_here, at, in, out);
    release(batches, n_here);
    at += n_here;
  }
  return true;
}

static char *
dup_cursor(gpointer data, int64_t position)
{
  const LiveBatches *batches = data;
  const Anchor *anchor = find_anchor(batches, position * batches->options.batch_tokens);
  if (anchor == NULL)
    return g_strdup("");
  return g_strdup_printf("%" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT
                         " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT,
                         anchor->round, anchor->first_row, anchor->pass, anchor->start.document,
                         anchor->start.place);
}

static bool
take_cursor(gpointer data, int64_t position, const char *cursor, GError **error)
{
  LiveBatches *batches = data;
  Anchor anchor;
  char rest;
  int n = sscanf(cursor,
                 "%" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT
                 " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT "%c",
                 &anchor.round, &anchor.first_row, &anchor.pass, &anchor.start.document,
                 &anchor.start.place, &rest);
  bool is_sane = n == 5 && anchor.round >= 0 && anchor.pass >= 0 && anchor.start.place >= 0 &&
                 anchor.start.document >= -1 && anchor.first_row >= 0 &&
                 anchor.first_row <= position * batches->options.batch_tokens;
  if (!is_sane) {
    g_set_error(error, CW_ERROR, CW_ERROR_FORMAT, "\"%s\" is no place in a text", cursor);
    return false;
  }
  g_array_set_size(batches->anchors, 0);
  g_array_append_val(batches->anchors, anchor);
  batches->next_row = -1;
  return true;
}

static const CwBatchKind live_kind = {
  .fill = fill_batch,
  .free = free_batches,
  .dup_cursor = dup_cursor,
  .take_cursor = take_cursor,
};

/* Rows of the buffer and of a chunk. */
static bool
settle_sizes(const CwActivations *activations, bool is_shuffled, int64_t *n_slots,
             int64_t *chunk_rows, GError **error)
{
  const CwLiveStore *store = activations->source;
  const CwActivationsConfig *config = &activations->config;
  int64_t context = config->context_tokens;
  int64_t pass = MAX(CW_CAPTURE_PASS_TOKENS, context);
  int64_t row_bytes = 2 * config->n_layers * config->width * (int64_t)sizeof(float);
  *n_slots = MIN(store->options.buffer_bytes / row_bytes, INT32_MAX);
  /* Where nothing is mixed, more would only lie there. */
  if (!is_shuffled)
    *n_slots = MIN(*n_slots, 3 * pass);
  *chunk_rows = *n_slots * 2 / 3;
  if (*chunk_rows >= context)
    return true;
  g_set_error(error, CW_ERROR, CW_ERROR_ARGUMENT,
              "A buffer of %.1f MB holds %" G_GINT64_FORMAT " rows of %s, too few to mix; take "
              "one of %.1f MB at least",
              (double)store->options.buffer_bytes / 1e6, *n_slots, config->model_name,
              (double)((context * 3 / 2 + 2) * row_bytes) / 1e6);
  return false;
}

CwActivationStream *
cw_live_batches_open(const CwActivations *activations, const CwStreamOptions *options,
                     GError **error)
{
  const CwActivationsConfig *config = &activations->config;
  int64_t n_slots, chunk_rows;
  if (!settle_sizes(activations, options->is_shuffled, &n_slots, &chunk_rows, error))
    return NULL;
  CwLiveBuffer *buffer = cw_live_buffer_new(activations->source, options->held_out_fraction,
                                            options->part, n_slots, chunk_rows, error);
  if (buffer == NULL)
    return NULL;
  LiveBatches *batches = g_new0(LiveBatches, 1);
  batches->buffer = buffer;
  batches->options = *options;
  batches->n_layers = config->n_layers;
  batches->width = config->width;
  batches->next_row = -1;
  batches->anchors = g_array_new(FALSE, FALSE, sizeof(Anchor));
  batches->rows = g_array_new(FALSE, FALSE, sizeof(int32_t));
  size_t floats = (size_t)(options->batch_tokens * config->n_layers * config->width);
  /* The buffer is filled ahead; a batch more would not help. */
  return cw_activation_stream_wrap(&live_kind, batches, floats, false, 0, error);
}
