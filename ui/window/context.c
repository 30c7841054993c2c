/* context.c - see context.h. */
#include "window/context.h"

#include "desktop/settings.h"

struct _CwuContext {
  GObject parent_instance;
  CwuPlaces places;
  CwuAutosaveStore *store;
  CwuEngine *engine;
  CwuRunsWatch *runs;
};

G_DEFINE_TYPE(CwuContext, cwu_context, G_TYPE_OBJECT)

const CwuPlaces *
cwu_context_peek_places(CwuContext *self)
{
  return &self->places;
}

CwuAutosaveStore *
cwu_context_peek_store(CwuContext *self)
{
  return self->store;
}

CwuEngine *
cwu_context_peek_engine(CwuContext *self)
{
  return self->engine;
}

CwuRunsWatch *
cwu_context_peek_runs(CwuContext *self)
{
  return self->runs;
}

static void
load_model_cb(CwuContext *self)
{
  g_autofree char *model = g_settings_get_string(cwu_settings_peek(), "model-path");
  g_autofree char *transcoder = g_settings_get_string(cwu_settings_peek(), "transcoder-path");
  cwu_engine_set_paths(self->engine, *model != '\0' ? model : self->places.model,
                       *transcoder != '\0' ? transcoder : self->places.transcoder);
}

static void
cwu_context_finalize(GObject *object)
{
  CwuContext *self = CWU_CONTEXT(object);
  g_free((char *)self->places.samples);
  g_free((char *)self->places.model);
  g_free((char *)self->places.transcoder);
  g_free((char *)self->places.program);
  cwu_autosave_store_unref(self->store);
  g_object_unref(self->engine);
  g_clear_object(&self->runs);
  G_OBJECT_CLASS(cwu_context_parent_class)->finalize(object);
}

static void
cwu_context_class_init(CwuContextClass *class)
{
  G_OBJECT_CLASS(class)->finalize = cwu_context_finalize;
}

static void
cwu_context_init(CwuContext *self)
{
  self->store = cwu_autosave_store_new(NULL);
  self->engine = cwu_engine_new();
}

CwuContext *
cwu_context_new(const CwuPlaces *places)
{
  CwuContext *self = g_object_new(CWU_TYPE_CONTEXT, NULL);
  self->places.samples = g_strdup(places->samples);
  self->places.model = g_strdup(places->model);
  self->places.transcoder = g_strdup(places->transcoder);
  self->places.program = g_strdup(places->program);
  self->runs = cwu_runs_watch_new(NULL, places->program);
  g_signal_connect_object(cwu_settings_peek(), "changed::model-path", G_CALLBACK(load_model_cb),
                          self, G_CONNECT_SWAPPED);
  g_signal_connect_object(cwu_settings_peek(), "changed::transcoder-path",
                          G_CALLBACK(load_model_cb), self, G_CONNECT_SWAPPED);
  load_model_cb(self);
  return self;
}
