/* test-train-settings.c - settings of a run: reading, refusing, writing; schedules. */
#include <math.h>
#include <string.h>

#include "cw-train.h"

static void
assert_refused(const char *json, const char *words)
{
  g_autoptr(GError) error = NULL;
  CwTrainSettings settings, before;
  cw_train_settings_init(&settings, CW_RECIPE_CLT_FORGE);
  before = settings;
  bool is_read = cw_train_settings_read(&settings, json, "run.json", &error) &&
                 cw_train_settings_check(&settings, &error);
  if (is_read || strstr(error->message, words) == NULL)
    g_error("%s gave: %s", json, error != NULL ? error->message : "no error");
  if (strstr(error->message, "run.json") != NULL)
    g_assert_cmpmem(&settings, sizeof settings, &before, sizeof before);
}

static void
test_refusals(void)
{
  assert_refused("{\"l0_coeficient\": 2}", "\"l0_coefficient\" is meant");
  assert_refused("{\"entirely_different\": 2}", "clew train --help");
  assert_refused("{\"lr\": \"fast\"}", "lr is \"fast\"; it takes a number");
  assert_refused("{\"batch\": 2.5}", "whole number");
  assert_refused("{\"batch\": 0}", "from 1");
  assert_refused("{\"shuffle\": 1}", "true or false");
  assert_refused("{\"activation\": \"relu\"}", "jumprelu, topk, batchtopk, alltopk");
  assert_refused("{\"activation\": \"topk\"}", "k must say");
  assert_refused("{\"k\": 5}", "only with activation");
  assert_refused("{\"first_layer_k\": 5}", "only with activation topk");
  assert_refused("{\"activation\": \"alltopk\", \"k\": 5, \"first_layer_k\": 9}",
                 "only with activation topk");
  assert_refused("{\"activation\": \"topk\", \"k\": 5, \"d_latent\": 8, \"first_layer_k\": 9}",
                 "first_layer_k exceeds");
  assert_refused("{\"steps\": 20, \"total_steps\": 10}", "steps exceeds");
  assert_refused("{\"total_steps\": 100, \"lr_decay_steps\": 101}", "exceed total_steps");
  assert_refused("{\"held_out_fraction\": 0.6}", "to 0.5");
  assert_refused("{\"lr\": 1, \"lr\": 2}", "twice");
  assert_refused("[1]", "run.json");
}

static void
test_round_trip(void)
{
  g_autoptr(GError) error = NULL;
  CwTrainSettings settings, read;
  cw_train_settings_init(&settings, CW_RECIPE_ANTHROPIC_2025_01);
  settings.lr = 0.1 + 0.2;
  settings.d_latent = 12345;
  settings.shuffle = false;
  g_autofree char *json = cw_train_settings_to_json(&settings);
  cw_train_settings_init(&read, CW_RECIPE_CLT_FORGE);
  cw_train_settings_read(&read, json, "x", &error);
  g_assert_no_error(error);
  g_autofree char *again = cw_train_settings_to_json(&read);
  g_assert_cmpstr(json, ==, again);
  g_assert_true(read.lr == 0.1 + 0.2);
}

/* Parts of the run follow its length; what is said explicitly stays. */
static void
test_recipes(void)
{
  g_autoptr(GError) error = NULL;
  CwTrainSettings settings;
  cw_train_settings_init(&settings, CW_RECIPE_CLT_FORGE);
  cw_train_settings_read(&settings,
                         "{\"lr_decay_steps\": 7, \"total_steps\": 200, "
                         "\"recipe\": \"anthropic-2025-01\"}",
                         "x", &error);
  g_assert_no_error(error);
  g_assert_cmpint(settings.l0_warm_up_steps, ==, 200);
  g_assert_cmpint(settings.lr_decay_steps, ==, 7);
  g_assert_cmpint(settings.straight_through, ==, CW_THROUGH_ALL);
  g_assert_true(cw_train_settings_set(&settings, "straight_through", "threshold", &error));
  g_assert_cmpint(settings.straight_through, ==, CW_THROUGH_THRESHOLD);
  g_assert_true(cw_train_settings_set(&settings, "train_batch_size_tokens", "64", &error));
  g_assert_cmpint(settings.batch, ==, 64);
  g_assert_false(cw_train_settings_set(&settings, "shuffle", "yes", &error));
  g_assert_error(error, CW_ERROR, CW_ERROR_ARGUMENT);
}

static void
test_schedules(void)
{
  CwTrainSettings s;
  cw_train_settings_init(&s, CW_RECIPE_CLT_FORGE);
  s.total_steps = 100;
  s.lr = 2;
  s.lr_warm_up_steps = 10;
  s.lr_warm_up_type = CW_WARM_UP_COSINE;
  s.lr_decay_steps = 20;
  s.final_lr_scale = 0;
  s.l0_coefficient = 3;
  s.l0_waiting_steps = 5;
  s.l0_warm_up_steps = 10;
  s.l0_warm_up_type = CW_WARM_UP_LINEAR;
  g_assert_cmpfloat(cw_train_lr(&s, 0), ==, 0);
  g_assert_cmpfloat_with_epsilon(cw_train_lr(&s, 5), 1, 1e-12);
  g_assert_cmpfloat(cw_train_lr(&s, 10), ==, 2);
  g_assert_cmpfloat(cw_train_lr(&s, 79), ==, 2);
  for (int64_t i = 80; i < 100; i++) {
    g_assert_cmpfloat(cw_train_lr(&s, i), <, cw_train_lr(&s, i - 1));
    g_assert_cmpfloat(cw_train_lr(&s, i), >, 0);
  }
  g_assert_cmpfloat(cw_train_l0_coefficient(&s, 4), ==, 0);
  g_assert_cmpfloat(cw_train_l0_coefficient(&s, 5), ==, 0);
  g_assert_cmpfloat_with_epsilon(cw_train_l0_coefficient(&s, 10), 1.5, 1e-12);
  g_assert_cmpfloat(cw_train_l0_coefficient(&s, 15), ==, 3);
  g_assert_cmpfloat(cw_train_l0_coefficient(&s, 99), ==, 3);
}

static void
test_keys(void)
{
  for (size_t i = 0; i < cw_train_n_keys(); i++) {
    CwTrainKey key;
    cw_train_describe_key(i, CW_RECIPE_CLT_FORGE, &key);
    g_assert_true(key.help != NULL && strlen(key.help) > 5 && key.initial != NULL);
    g_free(key.initial);
  }
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/core/train-settings/refusals", test_refusals);
  g_test_add_func("/core/train-settings/round-trip", test_round_trip);
  g_test_add_func("/core/train-settings/recipes", test_recipes);
  g_test_add_func("/core/train-settings/schedules", test_schedules);
  g_test_add_func("/core/train-settings/keys", test_keys);
  return g_test_run();
}
