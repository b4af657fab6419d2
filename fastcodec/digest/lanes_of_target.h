/* lanes.h compiled for the instructions that TARGET names, which the machine may lack: gcc and clang each have a pragma of
 * their own for it. The system's headers come first, outside. */
#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#define PRAGMA(text) _Pragma(#text)
#ifdef __clang__
#define FOR_TARGET(name) PRAGMA(clang attribute push(__attribute__((target(name))), apply_to = function))
#else
#define FOR_TARGET(name) PRAGMA(GCC target(name))
#endif
FOR_TARGET(TARGET)
#include "digest/lanes.h"
#ifdef __clang__
#pragma clang attribute pop
#endif
