// SPDX-License-Identifier: Apache-2.0
/* What each fuzz_NAME.c defines: handles one input, returns 0, keeps nothing. */
#ifndef TW_TESTS_FUZZ_TARGET_H
#define TW_TESTS_FUZZ_TARGET_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
