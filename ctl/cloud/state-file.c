/* SPDX-License-Identifier: MIT */
/* The state on the disk: at every moment the old one or the new one, whole. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cJSON.h>

#include "ctl/cloud/state.h"
#include "ctl/replace.h"

#define STATE_MAX (1u << 20)
#define LOCK_POLL_MS 500

int state_load(const char *path, struct state *state)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	_cleanup_free_ char *text = NULL;
	struct stat st;
	size_t size;
	int r;

	*state = (struct state){.path = strdup(path)};
	if (!state->path)
		return -ENOMEM;
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	/* Whoever can write it chooses what we remove. */
	if ((st.st_uid && st.st_uid != geteuid()) || (st.st_mode & (S_IWGRP | S_IWOTH)))
		return -EPERM;
	r = read_all(fd, STATE_MAX, &text, &size);
	return r < 0 ? r : state_parse(text, size, state);
}

static bool add_resource(cJSON *list, const struct state_resource *resource)
{
	cJSON *item = cJSON_CreateObject();

	if (!cJSON_AddItemToArray(list, item))
		return false;
	return cJSON_AddStringToObject(item, "name", resource->name) &&
		cJSON_AddStringToObject(item, "id", resource->id) &&
		(!resource->group[0] || cJSON_AddStringToObject(item, "group", resource->group)) &&
		(!resource->created || cJSON_AddNumberToObject(item, "created", (double)resource->created)) &&
		(!resource->pre_existing || cJSON_AddTrueToObject(item, "pre_existing"));
}

static bool add_pending(cJSON *tree, const char *name, const struct state_pending *pending)
{
	cJSON *item;

	if (!pending->request)
		return true;
	item = cJSON_AddObjectToObject(tree, name);
	return item && cJSON_AddStringToObject(item, "name", pending->name) &&
		cJSON_AddStringToObject(item, "action", pending->action) &&
		cJSON_AddStringToObject(item, "token", pending->token) &&
		cJSON_AddStringToObject(item, "request", pending->request);
}

static char *to_json(const struct state *state)
{
	cJSON *tree = cJSON_CreateObject();
	cJSON *list = NULL;
	bool good = cJSON_AddNumberToObject(tree, "version", 1) &&
		cJSON_AddStringToObject(tree, "stack", state->stack) &&
		cJSON_AddStringToObject(tree, "region", state->region) &&
		cJSON_AddNumberToObject(tree, "serial", (double)state->serial) &&
		(!state->account[0] || cJSON_AddStringToObject(tree, "account", state->account)) &&
		(!state->instance[0] || cJSON_AddStringToObject(tree, "instance", state->instance)) &&
		(list = cJSON_AddArrayToObject(tree, "resources"));
	char *text = NULL;

	for (size_t i = 0; good && i < state->count; i++)
		good = add_resource(list, &state->resources[i]);
	if (good && add_pending(tree, "pending", &state->pending) && add_pending(tree, "unknown", &state->unknown))
		text = cJSON_Print(tree);
	cJSON_Delete(tree);
	return text;
}

int state_save(struct state *state)
{
	_cleanup_free_ char *temporary = NULL;
	_cleanup_free_ char *text = NULL;
	_cleanup_close_ int at = replace_directory(state->path);

	if (at < 0)
		return at;
	state->serial++;
	text = to_json(state);
	if (!text || asprintf(&temporary, "%s.new", path_base(state->path)) < 0)
		return -ENOMEM;
	/* Only the holder of the lock writes it. */
	return replace_file(
		&(struct replace){
			.at = at, .name = path_base(state->path), .temporary = temporary, .mode = S_IRUSR | S_IWUSR},
		text, strlen(text));
}

int state_lock(const char *path, struct cloud_clock *clock, void (*waits)(void *context), void *context)
{
	_cleanup_free_ char *name = NULL;
	_cleanup_close_ int fd = -1;
	bool said = false;

	if (asprintf(&name, "%s.lock", path) < 0) {
		name = NULL;
		return -ENOMEM;
	}
	fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
	if (fd < 0)
		return -errno;
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK)
			return -errno;
		if (!said)
			waits(context);
		said = true;
		if (!clock_wait(clock, LOCK_POLL_MS))
			return clock->interrupted ? -EINTR : -ETIMEDOUT;
	}
	return take_fd(fd);
}
