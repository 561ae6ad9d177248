/* SPDX-License-Identifier: MIT */
/* The text of our drop-in. */
#ifndef SMCSHIM_CTL_SERVICE_DROP_IN_TEXT_H
#define SMCSHIM_CTL_SERVICE_DROP_IN_TEXT_H

#include "ctl/service/drop-in.h"

/* Head and body, for the caller to free. Returns 0 or -ENOMEM. */
_must_check_ int drop_in_compose(const char *unit, const char *body, unsigned made, char **out);

/* Whose text it is. Returns 0 with *out filled, or -ENOMEM. */
_must_check_ int drop_in_parse(const char *text, struct drop_in *out);

#endif
