/* pool.c - a fixed pool of threads that share the items of one call.
 *
 * Items are claimed in order from an atomic counter: which thread runs an item varies, what the
 * item computes and where it writes does not, so results are the same for every pool size. A
 * thread spins briefly before it sleeps: the calls of a forward pass follow each other within
 * microseconds. Rejected: OpenMP (its threads are the process's, not ours to bound or to test
 * under TSAN). */
#include "kernels-private.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define SPIN_ROUNDS 2000

struct CwkPool {
  int n_threads;
  pthread_t *threads; /* [n_threads - 1] */
  pthread_mutex_t mutex;
  pthread_cond_t wake, done;
  atomic_uint generation; /* of the current call */
  bool is_closing;
  CwkTask task;
  void *data;
  int64_t n_items;
  _Atomic int64_t next_item;
  atomic_int n_busy;
};

typedef struct {
  CwkPool *pool;
  int index;
} Worker;

static _Thread_local int thread_index = 0;

int
cwk_pool_thread_index(void)
{
  return thread_index;
}

static void
run_items(CwkPool *pool)
{
  for (;;) {
    int64_t item = atomic_fetch_add_explicit(&pool->next_item, 1, memory_order_relaxed);
    if (item >= pool->n_items)
      return;
    pool->task(pool->data, item);
  }
}

static void
wait_for_call(CwkPool *pool, unsigned seen)
{
  for (int round = 0; round < SPIN_ROUNDS; round++) {
    if (atomic_load_explicit(&pool->generation, memory_order_acquire) != seen)
      return;
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }
  pthread_mutex_lock(&pool->mutex);
  while (atomic_load_explicit(&pool->generation, memory_order_acquire) == seen)
    pthread_cond_wait(&pool->wake, &pool->mutex);
  pthread_mutex_unlock(&pool->mutex);
}

static void *
worker_main(void *user_data)
{
  Worker worker = *(Worker *)user_data;
  CwkPool *pool = worker.pool;
  free(user_data);
  thread_index = worker.index;
  unsigned seen = 0;
  for (;;) {
    wait_for_call(pool, seen);
    seen = atomic_load_explicit(&pool->generation, memory_order_acquire);
    if (pool->is_closing)
      return NULL;
    run_items(pool);
    if (atomic_fetch_sub_explicit(&pool->n_busy, 1, memory_order_acq_rel) == 1) {
      pthread_mutex_lock(&pool->mutex);
      pthread_cond_signal(&pool->done);
      pthread_mutex_unlock(&pool->mutex);
    }
  }
}

static void
start_call(CwkPool *pool)
{
  pthread_mutex_lock(&pool->mutex);
  atomic_fetch_add_explicit(&pool->generation, 1, memory_order_release);
  pthread_cond_broadcast(&pool->wake);
  pthread_mutex_unlock(&pool->mutex);
}

void
cwk_pool_run(CwkPool *pool, int64_t n_items, CwkTask task, void *data)
{
  if (n_items <= 0)
    return;
  if (pool->n_threads == 1 || n_items == 1) {
    for (int64_t i = 0; i < n_items; i++)
      task(data, i);
    return;
  }
  pool->task = task;
  pool->data = data;
  pool->n_items = n_items;
  atomic_store_explicit(&pool->next_item, 0, memory_order_relaxed);
  atomic_store_explicit(&pool->n_busy, pool->n_threads - 1, memory_order_relaxed);
  start_call(pool);
  run_items(pool);
  for (int round = 0; round < SPIN_ROUNDS; round++) {
    if (atomic_load_explicit(&pool->n_busy, memory_order_acquire) == 0)
      return;
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }
  pthread_mutex_lock(&pool->mutex);
  while (atomic_load_explicit(&pool->n_busy, memory_order_acquire) != 0)
    pthread_cond_wait(&pool->done, &pool->mutex);
  pthread_mutex_unlock(&pool->mutex);
}

int
cwk_pool_n_threads(const CwkPool *pool)
{
  return pool->n_threads;
}

CwkPool *
cwk_pool_new(int n_threads)
{
  CwkPool *pool = calloc(1, sizeof *pool);
  if (pool == NULL)
    return NULL;
  pool->n_threads = 1;
  pthread_mutex_init(&pool->mutex, NULL);
  pthread_cond_init(&pool->wake, NULL);
  pthread_cond_init(&pool->done, NULL);
  pool->threads = calloc((size_t)n_threads, sizeof *pool->threads);
  bool ok = pool->threads != NULL;
  for (int i = 0; ok && i < n_threads - 1; i++) {
    Worker *worker = malloc(sizeof *worker);
    ok = worker != NULL;
    if (ok) {
      *worker = (Worker){ pool, i + 1 };
      ok = pthread_create(&pool->threads[i], NULL, worker_main, worker) == 0;
    }
    if (ok)
      pool->n_threads++;
    else
      free(worker);
  }
  if (ok)
    return pool;
  cwk_pool_free(pool);
  return NULL;
}

void
cwk_pool_free(CwkPool *pool)
{
  if (pool == NULL)
    return;
  pool->is_closing = true;
  start_call(pool);
  for (int i = 0; i < pool->n_threads - 1; i++)
    pthread_join(pool->threads[i], NULL);
  pthread_cond_destroy(&pool->wake);
  pthread_cond_destroy(&pool->done);
  pthread_mutex_destroy(&pool->mutex);
  free(pool->threads);
  free(pool);
}
