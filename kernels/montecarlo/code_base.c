/* For every machine. */
#include "lanes_base.h"

#ifdef __AES__
#    include <wmmintrin.h>
#endif

#define CODE   montecarlo_base
#define GROUPS 1
#ifdef __FP_FAST_FMA
#    define FUSED true
#else
#    define FUSED false
#endif

#include "code.inc"
