/* SPDX-License-Identifier: MIT */
/* Why a connection is TCP: the reason codes of the kernel's SMC (net/smc/smc_clc.h), in words. */
#ifndef SMCSHIM_CTL_SMC_REASONS_H
#define SMCSHIM_CTL_SMC_REASONS_H

#include <stddef.h>
#include <stdint.h>

#include "ctl/util.h"

struct reason {
	uint32_t code;
	const char *name;    /* the kernel's, without SMC_CLC_DECL_ */
	const char *meaning; /* both are clauses: no capital, no full stop */
	const char *remedy;
};

/* All of them, by code; *count rows. Complete for Linux 6.12. */
const struct reason *reasons(size_t *count);

/* NULL for a code that is not known here, and for 0, which is none. */
const struct reason *reason_find(uint32_t code);

/* A name (with or without SMC_CLC_DECL_) or a number in hex (with or without 0x). Returns 0 or -EINVAL. */
_must_check_ int reason_parse(const char *text, uint32_t *code);

#endif
