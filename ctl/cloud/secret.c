/* SPDX-License-Identifier: MIT */
/* Secrets in JSON trees, and in what others write. */
#include "config.h"

#include "ctl/cloud/secret.h"

/* What is shorter stands in any text, and is no secret. */
#define SECRET_MIN 4u
#define STARS 3u

static void wipe(cJSON *item)
{
	for (; item; item = item->next) {
		if (item->valuestring)
			explicit_bzero(item->valuestring, strlen(item->valuestring));
		/* NOLINTNEXTLINE(misc-no-recursion): cJSON bounds the depth */
		wipe(item->child);
	}
}

void secret_tree_delete(cJSON *tree)
{
	wipe(tree);
	cJSON_Delete(tree);
}

void secret_hide(char *text, const char *secret, size_t shown)
{
	size_t length = secret ? strlen(secret) : 0;

	if (length < SECRET_MIN)
		return;
	if (length < shown + STARS)
		shown = 0;
	for (char *at = strstr(text, secret); at; at = strstr(at + shown + STARS, secret)) {
		memset(at + shown, '*', STARS);
		memmove(at + shown + STARS, at + length, strlen(at + length) + 1);
	}
}
