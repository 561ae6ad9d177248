/* SPDX-License-Identifier: MIT */
/* Memory that holds a secret is wiped before it is freed. */
#ifndef SMCSHIM_CTL_CLOUD_SECRET_H
#define SMCSHIM_CTL_CLOUD_SECRET_H

#include <stdlib.h>
#include <string.h>

#include "ctl/util.h"

static inline void secret_free(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

static inline void cleanup_secret(char **text)
{
	secret_free(*text);
}

#define _cleanup_secret_ _cleanup_(cleanup_secret)

#endif
