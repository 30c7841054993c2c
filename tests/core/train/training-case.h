/* training-case.h - a golden training run of CLT-Forge: settings, initial weights, batches in
 * order, the numbers of every step and the final parameters. */
#pragma once

#include <json-glib/json-glib.h>

#include "test-support.h"
#include "train/trainer-private.h"

typedef struct {
  CwTrainSettings settings;
  JsonNode *node; /* of case.json */
  CwTensorFile *activations, *expected;
  CwkDevice *device;
  CwTrainer *trainer; /* with the initial weights */
  float *in, *out;    /* [L, B, D] of the batch loaded last */
} TrainingCase;

void training_case_init(TrainingCase *self, const char *name, int n_threads);
void training_case_clear(TrainingCase *self);
/* Batch number `step` into in and out. */
void training_case_load_batch(TrainingCase *self, int64_t step);
double training_case_logged(const TrainingCase *self, int64_t step, const char *key);
int64_t training_case_n_logged(const TrainingCase *self);
/* An expected tensor as f32, to be freed. */
float *training_case_dup_expected(const TrainingCase *self, const char *name, size_t n);
/* Parameters (or one of their moments) in CLT-Forge's shapes: W_enc [L, D, F], W_dec [K, F, D].
 * To be freed. */
float *training_case_dup_encoder(const TrainingCase *self, const float *array);
float *training_case_dup_decoder(const TrainingCase *self, const float *array);
