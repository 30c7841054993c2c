/* test-isa.h - kernel tests on every instruction set that the build dispatches to. */
#pragma once

#include "cw-base.h"
#include "cwk.h"

/* A CPU device of two threads that runs this instruction set, or the best below it. */
CwkDevice *test_isa_device(gconstpointer isa);
/* Adds path/baseline, path/avx2 and path/best; the test gets the name. */
void test_add_per_isa(const char *path, GTestDataFunc test);
