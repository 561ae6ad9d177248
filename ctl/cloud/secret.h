/* SPDX-License-Identifier: MIT */
/* Memory that holds a secret is wiped before it is freed; text of others is printed without ours. */
#ifndef SMCSHIM_CTL_CLOUD_SECRET_H
#define SMCSHIM_CTL_CLOUD_SECRET_H

#include <stdlib.h>
#include <string.h>

#include <cJSON.h>

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

/* cJSON_Delete() of a tree whose strings may be secrets. */
void secret_tree_delete(cJSON *tree);

static inline void cleanup_secret_tree(cJSON **tree)
{
	secret_tree_delete(*tree);
}

#define _cleanup_secret_tree_ _cleanup_(cleanup_secret_tree)

/* Replaces each occurrence of secret (NULL: none) in text by its first shown characters and "***", in place. */
void secret_hide(char *text, const char *secret, size_t shown);

#endif
