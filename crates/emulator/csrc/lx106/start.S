/*
** start.S - reset, exceptions and the emulator's services, for QEMU's
** machine "sim" with the CPU lx106
*/

#define FRAME_REGS	0		/* a0 .. a15 */
#define FRAME_SAR	64
#define FRAME_SIZE	80		/* a multiple of 16 */

	.section .reset, "ax"
	.global reset
reset:	j	1f
	.align	4
	.literal_position
	.literal .Lstart, start
1:	l32r	a0, .Lstart
	jx	a0

	/* the CPU's vectors; vecbase is 0x40000000 after reset */
	.section .vectors, "ax"
	.org	0x10
	j	fatal			/* debug */
	.org	0x20
	j	fatal			/* NMI */
	.org	0x30
	j	exception_entry		/* kernel */
	.org	0x50
	j	exception_entry		/* user */
	.org	0x70
	j	fatal			/* double */
	.org	0x80
	.literal_position
exception_entry:
	wsr	a1, excsave1
	addi	a1, a1, -FRAME_SIZE
	s32i	a0, a1, FRAME_REGS
	rsr	a0, excsave1
	s32i	a0, a1, FRAME_REGS + 4
	s32i	a2, a1, FRAME_REGS + 8
	s32i	a3, a1, FRAME_REGS + 12
	s32i	a4, a1, FRAME_REGS + 16
	s32i	a5, a1, FRAME_REGS + 20
	s32i	a6, a1, FRAME_REGS + 24
	s32i	a7, a1, FRAME_REGS + 28
	s32i	a8, a1, FRAME_REGS + 32
	s32i	a9, a1, FRAME_REGS + 36
	s32i	a10, a1, FRAME_REGS + 40
	s32i	a11, a1, FRAME_REGS + 44
	s32i	a12, a1, FRAME_REGS + 48
	s32i	a13, a1, FRAME_REGS + 52
	s32i	a14, a1, FRAME_REGS + 56
	s32i	a15, a1, FRAME_REGS + 60
	rsr	a0, sar
	s32i	a0, a1, FRAME_SAR
	mov	a2, a1
	rsr	a3, exccause
	rsr	a4, excvaddr
	rsr	a5, epc1
	movi	a0, exception		/* returns the new pc */
	callx0	a0
	wsr	a2, epc1
	l32i	a0, a1, FRAME_SAR
	wsr	a0, sar
	l32i	a15, a1, FRAME_REGS + 60
	l32i	a14, a1, FRAME_REGS + 56
	l32i	a13, a1, FRAME_REGS + 52
	l32i	a12, a1, FRAME_REGS + 48
	l32i	a11, a1, FRAME_REGS + 44
	l32i	a10, a1, FRAME_REGS + 40
	l32i	a9, a1, FRAME_REGS + 36
	l32i	a8, a1, FRAME_REGS + 32
	l32i	a7, a1, FRAME_REGS + 28
	l32i	a6, a1, FRAME_REGS + 24
	l32i	a5, a1, FRAME_REGS + 20
	l32i	a4, a1, FRAME_REGS + 16
	l32i	a3, a1, FRAME_REGS + 12
	l32i	a2, a1, FRAME_REGS + 8
	l32i	a0, a1, FRAME_REGS
	addi	a1, a1, FRAME_SIZE
	rfe
fatal:	movi	a2, 1			/* exit(71) */
	movi	a3, 71
	simcall

	.text
	.align	4
	.literal_position
start:	movi	a1, stack_end
	movi	a0, 0x2f		/* user mode, all interrupts masked */
	wsr	a0, ps
	rsync
	movi	a0, main
	callx0	a0
	movi	a0, exit
	callx0	a0

/* int emulator_call (int number, int a, int b, int c): QEMU's semihosting */
	.global	emulator_call
	.align	4
emulator_call:
	simcall
	ret
