#include <immintrin.h>
#include <sleef.h>

#define NAME           option_sleef_avx512
#define NAME_BY_VECTOR option_sleef_by_vector_avx512
#define LANES          8
#define PAIR           Sleef___m512d_2
#define LOG(x)         Sleef_logd8_u35avx512f(x)
#define EXP(x)         Sleef_expd8_u10avx512f(x)
#define SINCOS(x)      Sleef_sincosd8_u35avx512f(x)
#define ROOT(x)        _mm512_sqrt_pd(x)
#define MAXIMUM(x, y)  _mm512_max_pd(x, y)

#include "peers_sleef.inc"
