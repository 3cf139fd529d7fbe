/* Rows with AVX-512. */
#include <immintrin.h>

#define CODE               stencil_code_avx512
#define LANES              8
#define STREAM(address, x) _mm512_stream_pd(address, x)
#define FENCE()            _mm_sfence()
#include "rows.inc"
