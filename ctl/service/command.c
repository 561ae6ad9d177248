/* SPDX-License-Identifier: MIT */
/* Runs a program; its output goes to memory, so that neither of us ever waits for the other. */
#include "config.h"

#include "ctl/service/command.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define OUTPUT_MAX (16u << 20)

void command_clear(struct command_result *result)
{
	free(result->out);
	free(result->error);
	*result = (struct command_result){.status = 0};
}

static bool is_ours(const char *variable)
{
	static const char *const names[] = {"LC_ALL=", "SYSTEMD_PAGER=", "SYSTEMD_COLORS=", "SYSTEMD_URLIFY="};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (starts_with(variable, names[i]))
			return true;
	}
	return false;
}

/* The caller's environment, but in English and for no terminal. The strings are borrowed. */
static char **make_environment(void)
{
	static char english[] = "LC_ALL=C.UTF-8";
	static char no_pager[] = "SYSTEMD_PAGER=";
	static char no_colors[] = "SYSTEMD_COLORS=0";
	size_t count = 0;
	size_t used = 0;
	char **copy;

	while (environ[count])
		count++;
	copy = calloc(count + 4, sizeof(*copy));
	if (!copy)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		if (!is_ours(environ[i]))
			copy[used++] = environ[i];
	}
	copy[used++] = english;
	copy[used++] = no_pager;
	copy[used] = no_colors;
	return copy;
}

int command_start(const char *const argv[], char *const *environment, int out, int error, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	int r;

	if (posix_spawn_file_actions_init(&actions) != 0)
		return -ENOMEM;
	r = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(&actions, out, 1);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(&actions, error, 2);
	if (r == 0)
		r = posix_spawnp(pid, argv[0], &actions, NULL, (char *const *)argv, environment);
	posix_spawn_file_actions_destroy(&actions);
	return -r;
}

static int await(pid_t pid, int *status)
{
	int raw;

	while (waitpid(pid, &raw, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	*status = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
	return 0;
}

static int read_memory(int fd, char **out)
{
	size_t size;

	return lseek(fd, 0, SEEK_SET) < 0 ? -errno : read_all(fd, OUTPUT_MAX, out, &size);
}

int command_run(const char *const argv[], struct command_result *out)
{
	_cleanup_command_ struct command_result result = {.status = 0};
	_cleanup_free_ char **environment = make_environment();
	_cleanup_close_ int output = memfd_create("output", MFD_CLOEXEC);
	_cleanup_close_ int error = memfd_create("error", MFD_CLOEXEC);
	pid_t pid = -1;
	int r;

	if (output < 0 || error < 0)
		return -errno;
	r = environment ? command_start(argv, environment, output, error, &pid) : -ENOMEM;
	if (r == 0)
		r = await(pid, &result.status);
	if (r == 0)
		r = read_memory(output, &result.out);
	if (r == 0)
		r = read_memory(error, &result.error);
	if (r < 0)
		return r;
	/* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): read_memory() sets it where it returns 0 */
	result.error[strcspn(result.error, "\n")] = '\0';
	*out = result;
	/* NOLINTNEXTLINE(clang-analyzer-deadcode.DeadStores): the cleanup attribute reads it */
	result = (struct command_result){.status = 0};
	return 0;
}
