/*
** setjmp.h - for WebAssembly, where wasi-libc has none
** clang turns setjmp into a test of where an exception was caught; wasm.c has what it calls
*/

#ifndef FASTLUA_SETJMP_H
#define FASTLUA_SETJMP_H

typedef struct {
  void *call;		/* of the function that called setjmp */
  unsigned label;	/* which of its setjmps it was */
  struct {
    void *env;
    int val;
  } thrown;		/* what the exception carries */
} jmp_buf[1];

int setjmp (jmp_buf env) __attribute__((__returns_twice__));
_Noreturn void longjmp (jmp_buf env, int val);

#endif
