/* Four lanes: SSE2, which every x86-64 has, or the machine's own 16-octet vectors (NEON). */
#define WIDTH 16
#define SIDE_BY_SIDE 2
#define LANES_NAME digest_lanes_16
#include "digest/lanes.h"
