/*
** start.S - reset, exceptions and the emulator's services, for QEMU's
** machine "virt" with an RV32IMC CPU
*/

	.option	arch, +zicsr

#define PMP_OFF_TO_TOP	0x8d00		/* entry 1: from entry 0's address, locked, read and execute */

	.section .reset, "ax"
	.global	start
start:
	.option	push
	.option	norelax
	la	gp, __global_pointer$
	.option	pop
	la	sp, stack_end
	la	tp, thread_start		/* the C library's variables of a thread */
	la	t0, exception_entry
	csrw	mtvec, t0
	/* flash can be read only, by this mode too, until reset */
	la	t0, flash_origin
	srli	t0, t0, 2
	csrw	pmpaddr0, t0
	la	t0, flash_top
	srli	t0, t0, 2
	csrw	pmpaddr1, t0
	li	t0, PMP_OFF_TO_TOP
	csrw	pmpcfg0, t0
	call	main
	tail	exit

	/* none is ever returned from, so that registers need not be saved */
	.text
	.balign	4
exception_entry:
	la	t0, fatal
	csrw	mtvec, t0
	la	sp, stack_end
	csrr	a0, mcause
	csrr	a1, mtval
	csrr	a2, mepc
	tail	exception
	.balign	4
fatal:	la	sp, stack_end
	li	a0, 71
	tail	emulator_exit

/* int emulator_call (int number, void *block): semihosting */
	.global	emulator_call
	.balign	16			/* the three lie on one page */
	.option	norvc
emulator_call:
	slli	zero, zero, 31
	ebreak
	srai	zero, zero, 7
	ret
