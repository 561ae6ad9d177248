/* SPDX-License-Identifier: MIT */
/* The steps around a policy file and its table, with the words for what can go wrong in each. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "ctl/apply.h"

enum ctl_exit apply_find(struct ctl *ctl, const char *file, struct paths *out)
{
	int r = paths_find(file, out);

	if (r == -EACCES || r == -ENOMEM)
		return ctl_error(ctl, ctl_exit_of(r), "policy", file, "%s", paths_strerror(r));
	if (r < 0)
		return ctl_error(
			ctl, r == -ENXIO ? CTL_FAILED : CTL_BAD_INPUT, "policy", file, "%s", paths_strerror(r));
	return CTL_OK;
}

void apply_print_errors(struct ctl *ctl, const char *what, const char *file, const struct policy_errors *errors)
{
	size_t all = errors->count + errors->more;

	for (size_t i = 0; i < errors->count; i++) {
		text_put(ctl->err, errors->items[i].text);
		fputc('\n', ctl->err);
	}
	if (errors->more)
		fprintf(ctl->err, "... and %zu more\n", errors->more);
	ctl_error(ctl, CTL_BAD_INPUT, what, file, "%zu error%s; nothing was changed", all, all == 1 ? "" : "s");
}

enum ctl_exit apply_load(struct ctl *ctl, const char *file, struct policy **out, uint64_t *digest)
{
	_cleanup_policy_errors_ struct policy_errors errors = {.count = 0};
	int r = policy_load(file, out, digest, &errors);

	switch (r) {
	case 0:
		return CTL_OK;
	case -EINVAL:
		apply_print_errors(ctl, "policy", file, &errors);
		return CTL_BAD_INPUT;
	case -EISDIR:
	case -EOPNOTSUPP:
		return ctl_error(ctl, CTL_BAD_INPUT, "policy", file, "not a regular file");
	case -EFBIG:
		return ctl_error(ctl, CTL_BAD_INPUT, "policy", file, "longer than %" PRIu64 " bytes", POLICY_FILE_MAX);
	case -ENOENT:
	case -ENOTDIR:
	case -ELOOP:
		return ctl_error(ctl, CTL_BAD_INPUT, "policy", file, "%s; write one, see smc-policy(5)", strerror(-r));
	default:
		return ctl_error(ctl, ctl_exit_of(r), "policy", file, "%s", strerror(-r));
	}
}

enum ctl_exit apply_open(struct ctl *ctl, const char *table, enum policy_store_mode mode, struct policy_store **out)
{
	int r = policy_store_open(table, mode, out);

	switch (r) {
	case 0:
		return CTL_OK;
	case -ENOENT:
		return ctl_error(ctl, CTL_FAILED, "table", table, "there is none; smcctl policy apply");
	case -EPROTO:
	case -EPROTONOSUPPORT:
	case -ELOOP:
		return ctl_error(ctl, CTL_STALE, "table", table, "%s", policy_store_strerror(r));
	case -EACCES:
		return ctl_error(
			ctl, CTL_NOT_PERMITTED, "table", table, "%s; run as root, or as its owner", strerror(EACCES));
	default:
		return ctl_error(ctl, ctl_exit_of(r), "table", table, "%s", policy_store_strerror(r));
	}
}

int apply_digest(const char *file, uint64_t *out)
{
	_cleanup_close_ int fd = open_read(file);
	_cleanup_free_ char *text = NULL;
	size_t size;
	struct stat st;
	int r;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EOPNOTSUPP;
	r = read_all(fd, POLICY_FILE_MAX, &text, &size);
	if (r < 0)
		return r;
	*out = policy_digest(text, size);
	return 0;
}

const char *apply_state_name(enum policy_state state)
{
	return state == POLICY_ON ? "on" : state == POLICY_OBSERVE ? "observe" : "off";
}

enum ctl_exit apply_file_argument(struct ctl *ctl, const struct ctl_args *args, const char *option, const char **out)
{
	if (option && args->operands)
		return ctl_error(ctl, CTL_USAGE, "argument", args->operand[0], "the policy file is named twice");
	*out = option ? option : args->operands ? args->operand[0] : NULL;
	return CTL_OK;
}
