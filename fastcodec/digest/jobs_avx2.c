/* Eight lanes: AVX2. */
#if defined(__x86_64__)
#define TARGET "avx2,bmi,bmi2"
#define WIDTH 32
#define SIDE_BY_SIDE 2
#define LANES_NAME digest_lanes_32
#include "digest/lanes_of_target.h"
#endif
