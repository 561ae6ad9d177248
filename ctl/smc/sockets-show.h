/* SPDX-License-Identifier: MIT */
/* Writes SMC sockets. */
#ifndef SMCSHIM_CTL_SMC_SOCKETS_SHOW_H
#define SMCSHIM_CTL_SMC_SOCKETS_SHOW_H

#include <stdio.h>

#include "ctl/smc/netns-list.h"
#include "ctl/smc/socket-filter.h"
#include "ctl/smc/sockets.h"

struct sockets_view {
	struct sockets *sockets;
	const struct socket_filter *filter;
	const struct netns_list *namespaces; /* NULL: one namespace, not worth a column */
	bool json;
};

/* Each socket that the filter lets through: a row. Sorts the sockets. Returns 0 or -ENOMEM. */
_must_check_ int sockets_show(const struct sockets_view *view, FILE *stream);

/* How many there are of each mode and of each pair of reasons. Returns 0 or -ENOMEM. (smc/sockets-summary.c) */
_must_check_ int sockets_summarise(const struct sockets_view *view, FILE *stream);

struct out;

/* For JSON: code, name, meaning and remedy; null when code is 0. (smc/sockets-summary.c) */
void sockets_put_reason(struct out *out, const char *key, uint32_t code);

/* What is known of a code, as "CODE NAME: MEANING; REMEDY", below a row. (smc/sockets-summary.c) */
void sockets_note_reason(struct out *out, const char *who, uint32_t code);

#endif
