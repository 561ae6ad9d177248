/* SPDX-License-Identifier: MIT */
/* A policy file from the disk. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/cleanup.h"
#include "policy/policy.h"

uint64_t policy_digest(const void *data, size_t len)
{
	const unsigned char *bytes = data;
	uint64_t digest = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < len; i++)
		digest = (digest ^ bytes[i]) * UINT64_C(0x100000001b3);
	return digest;
}

static int open_regular(const char *path, size_t *size)
{
	/* O_NONBLOCK: a FIFO must be refused, not waited for. */
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode))
		return -EOPNOTSUPP;
	if ((uint64_t)st.st_size > POLICY_FILE_MAX)
		return -EFBIG;
	*size = (size_t)st.st_size;
	return take_fd(fd);
}

/* Reads to the end of the file, which may not be where it was when it was opened. */
static int read_all(int fd, size_t size, char **out, size_t *len)
{
	_cleanup_free_ char *text = NULL;
	size_t room = 0, used = 0;
	ssize_t n;

	do {
		if (room - used < 2) {
			char *bigger;

			if (used > POLICY_FILE_MAX)
				return -EFBIG;
			room = used ? room * 2 : size + 2;
			bigger = realloc(text, room);
			if (!bigger)
				return -ENOMEM;
			text = bigger;
		}
		n = read(fd, text + used, room - used);
		if (n < 0 && errno != EINTR)
			return -errno;
		used += n > 0 ? (size_t)n : 0;
	} while (n);
	if (used > POLICY_FILE_MAX)
		return -EFBIG;
	*out = take(text);
	*len = used;
	return 0;
}

int policy_load(const char *path, struct policy **out, uint64_t *digest, struct policy_errors *errors)
{
	_cleanup_free_ char *text = NULL;
	size_t size = 0, len = 0;
	_cleanup_close_ int fd = open_regular(path, &size);
	int r;

	if (fd < 0)
		return fd;
	/* NOLINTBEGIN(clang-analyzer-core.NonNullParamChecker): read_all() sets text where it returns 0 */
	r = read_all(fd, size, &text, &len);
	if (r)
		return r == -EINVAL ? -EIO : r; /* -EINVAL is kept for the policy's own errors */
	r = policy_parse(path, text, len, out, errors);
	/* NOLINTEND(clang-analyzer-core.NonNullParamChecker) */
	if (!r)
		*digest = policy_digest(text, len);
	return r;
}
