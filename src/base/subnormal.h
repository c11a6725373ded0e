/* subnormal.h - numbers below a float's smallest full one (1e-38 of float32) as 0, going in and coming out, while a kernel runs: as
 * TensorFlow's kernels have it, and because processors take a hundred times as long over them. */
#ifndef TN_BASE_SUBNORMAL_H
#define TN_BASE_SUBNORMAL_H
#include <stdint.h>
#ifdef __SSE2__
#include <xmmintrin.h>
typedef unsigned tn__float_mode;
enum { TN__FLUSHING = 0x8040 }; /* flush to zero, denormals are zero */
/* Inside of each other they cost little: setting the mode is what takes time. */
static inline tn__float_mode tn__flush_subnormals(void)
{
    tn__float_mode before = _mm_getcsr();
    if ((before & TN__FLUSHING) != TN__FLUSHING)
        _mm_setcsr(before | TN__FLUSHING);
    return before;
}
static inline void tn__restore_float_mode(tn__float_mode before)
{
    if ((before & TN__FLUSHING) != TN__FLUSHING)
        _mm_setcsr(before);
}
#elif defined(__aarch64__)
typedef uint64_t tn__float_mode;
static inline tn__float_mode tn__flush_subnormals(void)
{
    tn__float_mode before;
    __asm__ volatile("mrs %0, fpcr" : "=r"(before));
    __asm__ volatile("msr fpcr, %0" : : "r"(before | (UINT64_C(1) << 24)));
    return before;
}
static inline void tn__restore_float_mode(tn__float_mode before)
{
    __asm__ volatile("msr fpcr, %0" : : "r"(before));
}
#else
typedef int tn__float_mode; /* elsewhere they stay */
static inline tn__float_mode tn__flush_subnormals(void)
{
    return 0;
}
static inline void tn__restore_float_mode(tn__float_mode before)
{
    (void)before;
}
#endif
#endif
