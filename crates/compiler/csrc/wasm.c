/*
** wasm.c - what the cores need of a system, in WebAssembly
** clang's setjmp and longjmp, as exceptions; and wasi-libc's calls, none of which a core makes for its work
*/

#include <stdint.h>
#include <setjmp.h>

/* the kind of exception that longjmp throws: it carries an address */
__asm__(
  ".globl __c_longjmp\n"
  ".tagtype __c_longjmp i32\n"
  "__c_longjmp:\n"
);

void __wasm_setjmp (jmp_buf env, unsigned label, void *call) {
  env->call = call;
  env->label = label;
}

/* 0 if this call of a function is not the one that the exception is for */
unsigned __wasm_setjmp_test (jmp_buf env, void *call) {
  return (env->call == call) ? env->label : 0;
}

_Noreturn void __wasm_longjmp (jmp_buf env, int val) {
  env->thrown.env = env;
  env->thrown.val = (val != 0) ? val : 1;
  __builtin_wasm_throw(1, &env->thrown);
}

/* wasi-libc's names for what it imports; with these the module imports nothing */

#define WASI(f)		__imported_wasi_snapshot_preview1_ ## f
#define NOT_SUPPORTED	58	/* ENOTSUP */

int32_t WASI(fd_close) (int32_t fd);
int32_t WASI(fd_close) (int32_t fd) {
  (void)fd;
  return NOT_SUPPORTED;
}

int32_t WASI(fd_seek) (int32_t fd, int64_t to, int32_t from, int32_t at);
int32_t WASI(fd_seek) (int32_t fd, int64_t to, int32_t from, int32_t at) {
  (void)fd, (void)to, (void)from, (void)at;
  return NOT_SUPPORTED;
}

int32_t WASI(fd_write) (int32_t fd, int32_t parts, int32_t n, int32_t written);
int32_t WASI(fd_write) (int32_t fd, int32_t parts, int32_t n, int32_t written) {
  (void)fd, (void)parts, (void)n, (void)written;
  return NOT_SUPPORTED;
}

_Noreturn void WASI(proc_exit) (int32_t status);
_Noreturn void WASI(proc_exit) (int32_t status) {
  (void)status;
  __builtin_trap();
}
